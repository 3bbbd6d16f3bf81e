// The kernels of ek_rows.h for bfloat16 tensors (the upper half of a float, as uint16_t). Statistics
// and parameters are the same as there; what is double there is float within a tile, and results are rounded to
// nearest even when stored.

#pragma once

#include <stddef.h>
#include <stdint.h>

void ek_row_moments_bf16(const uint16_t *x, size_t rows, size_t length, double *mean, double *m2,
                          int far);

void ek_row_square_sums_bf16(const uint16_t *x, size_t rows, size_t length, double *sums, int far);

void ek_row_centred_scale_bf16(const uint16_t *x, size_t rows, size_t length, size_t inner, const
                               double *mean, const double *inv, const float *gamma, const float
                               *beta, uint16_t *y, int far);

void ek_row_gradient_sums_bf16(const uint16_t *dy, const uint16_t *x, size_t rows, size_t length,
                              size_t inner, const double *mean, const double *inv,
                              const float *gamma, double *sum, double *centred, double *dgamma,
                              double *dbeta, int far);

void ek_row_centred_input_gradient_bf16(const uint16_t *dy, const uint16_t *x, size_t rows, size_t
                                        length, size_t inner, const double *mean, const float
                                        *gamma, const double *a, const double *b, const double *c,
                                        uint16_t *dx, int far);
