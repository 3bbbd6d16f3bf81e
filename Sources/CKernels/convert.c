#include "include/ek_convert.h"

#include "prefetch.h"

void ek_prefetch_rows(const uint8_t *base, const int32_t *indices, size_t rows,
                      size_t row_length) {
    const size_t length = row_length < 4096 ? row_length : 4096;
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = base + (ptrdiff_t)indices[r] * (ptrdiff_t)row_length;
        for (size_t j = 0; j < length; j += 64) __builtin_prefetch(row + j);
    }
}

#define EK_TEMPLATE "convert_template.h"
#include "levels.h"

void ek_gather_f32(const float *base, const int32_t *indices, size_t rows, size_t row_length,
                   float *y) {
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * row_length, base + (ptrdiff_t)indices[r] * (ptrdiff_t)row_length,
               row_length * sizeof *y);
}

void ek_gather_i32(const int32_t *base, const int32_t *indices, size_t rows, size_t row_length,
                   int32_t *y) {
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * row_length, base + (ptrdiff_t)indices[r] * (ptrdiff_t)row_length,
               row_length * sizeof *y);
}

EK_EXPORT(void, ek_gather_scale_u8_f32,
          (const uint8_t *base, const int32_t *indices, size_t rows, size_t row_length,
           float scale, float shift, float *y),
          (base, indices, rows, row_length, scale, shift, y))
EK_EXPORT(void, ek_scatter_add_f32,
          (const float *x, const int32_t *indices, size_t rows, size_t row_length, float *y),
          (x, indices, rows, row_length, y))
EK_EXPORT(void, ek_convert_scale_u8_f32,
          (const uint8_t *x, float scale, float shift, float *y, size_t n),
          (x, scale, shift, y, n))
EK_EXPORT(void, ek_convert_i32_f32, (const int32_t *x, float *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f64_f32, (const double *x, float *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f32_f64, (const float *x, double *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f32_i32, (const float *x, int32_t *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f32_u8, (const float *x, uint8_t *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_bf16_f32, (const uint16_t *x, float *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f32_bf16, (const float *x, uint16_t *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f16_f32, (const uint16_t *x, float *y, size_t n), (x, y, n))
EK_EXPORT(void, ek_convert_f32_f16, (const float *x, uint16_t *y, size_t n), (x, y, n))
