// Gathering of rows by index, and conversions between element types.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// Asks for rows of a table before they are read, up to a page of each. Indices are the caller's to
/// check.
void ek_prefetch_rows(const uint8_t *base, const int32_t *indices, size_t rows, size_t row_length);

/// y[r, j] = base[indices[r], j] * scale + shift. Indices are the caller's to check.
void ek_gather_scale_u8_f32(const uint8_t *base, const int32_t *indices, size_t rows,
                            size_t row_length, float scale, float shift, float *y);

/// y[r, j] = base[indices[r], j].
void ek_gather_f32(const float *base, const int32_t *indices, size_t rows, size_t row_length,
                   float *y);
void ek_gather_i32(const int32_t *base, const int32_t *indices, size_t rows, size_t row_length,
                   int32_t *y);

/// y[indices[r], j] += x[r, j], in the order of the rows: the gradient of a gather.
void ek_scatter_add_f32(const float *x, const int32_t *indices, size_t rows, size_t row_length,
                        float *y);

/// y = x * scale + shift.
void ek_convert_scale_u8_f32(const uint8_t *x, float scale, float shift, float *y, size_t n);

void ek_convert_i32_f32(const int32_t *x, float *y, size_t n);
void ek_convert_f64_f32(const double *x, float *y, size_t n);
void ek_convert_f32_f64(const float *x, double *y, size_t n);

/// Towards zero; NaN gives 0, values out of range the nearest integer there is.
void ek_convert_f32_i32(const float *x, int32_t *y, size_t n);
void ek_convert_f32_u8(const float *x, uint8_t *y, size_t n);

/// bfloat16 is the upper half of a float, float16 is IEEE 754 binary16. Narrowing rounds to
/// nearest even, overflows to infinity and keeps NaN (quiet).
void ek_convert_bf16_f32(const uint16_t *x, float *y, size_t n);
void ek_convert_f32_bf16(const float *x, uint16_t *y, size_t n);
void ek_convert_f16_f32(const uint16_t *x, float *y, size_t n);
void ek_convert_f32_f16(const float *x, uint16_t *y, size_t n);
