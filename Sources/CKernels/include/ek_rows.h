// Normalization of rows: layer norm and RMS norm of [rows, length] data.
//
// gamma and beta have length / inner elements; position j of a row uses element j / inner (inner
// is 1 where every position has its own, H * W where a row is [C, H, W] with parameters per
// channel). inner must divide length. gamma == NULL is 1, beta == NULL is 0.
//
// `far` says where tensors are (ek_far.h).
//
// Group and instance norm need nothing from here: call the kernels of ek_centred.h once per
// sample, with per-channel parameters that hold the group's statistics.

#pragma once

#include <stddef.h>

#include "ek_far.h"

/// Mean and M2 (sum of squared deviations from it) of every row.
void ek_row_moments_f32(const float *x, size_t rows, size_t length, double *mean, double *m2,
                         int far);

/// The sum of squares of every row.
void ek_row_square_sums_f32(const float *x, size_t rows, size_t length, double *sums, int far);

/// y = (x - mean) * inv * gamma + beta, with mean and inv per row.
void ek_row_centred_scale_f32(const float *x, size_t rows, size_t length, size_t inner,
                              const double *mean, const double *inv, const float *gamma,
                              const float *beta, float *y, int far);

/// What the backward pass adds up. Of every row sum(dy gamma (x - mean)), where `centred` is given, and with it
/// sum(dy gamma), where `sum` is; over all rows sum(dy (x - mean) inv), added to `dgamma`, and sum(dy), added to
/// `dbeta`, where those are. Without `sum` and `dbeta` it takes less time.
void ek_row_gradient_sums_f32(const float *dy, const float *x, size_t rows, size_t length,
                              size_t inner, const double *mean, const double *inv,
                              const float *gamma, double *sum, double *centred, double *dgamma,
                              double *dbeta, int far);

/// dx = a dy gamma + b (x - mean) + c, with a, b, c per row; right to 1.4e-6 of a row's largest. `dx` must be other
/// memory than `dy` and `x`.
void ek_row_centred_input_gradient_f32(const float *dy, const float *x, size_t rows, size_t length,
                                       size_t inner, const double *mean, const float *gamma,
                                       const double *a, const double *b, const double *c,
                                       float *dx, int far);
