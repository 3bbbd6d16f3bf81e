// Softmax, cross-entropy and reductions over the rows of [rows, length] data.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// y = exp(x - max) / sum(exp(x - max)) in every row.
void ek_softmax_f32(const float *x, size_t rows, size_t length, float *y);

/// y = x - max - log(sum(exp(x - max))) in every row.
void ek_log_softmax_f32(const float *x, size_t rows, size_t length, float *y);

/// dx = y (dy - sum(dy y)), y being softmax's result.
void ek_softmax_gradient_f32(const float *dy, const float *y, size_t rows, size_t length,
                             float *dx);

/// dx = dy - exp(y) sum(dy), y being log-softmax's result.
void ek_log_softmax_gradient_f32(const float *dy, const float *y, size_t rows, size_t length,
                                 float *dx);

/// Cross-entropy of softmax(logits) with labels, one loss per row, and its gradient times `scale`.
/// The target is 1 - smoothing at the label plus smoothing / classes everywhere. `loss` and
/// `dlogits` may each be null; dlogits may be the memory of logits. A label outside 0..<classes
/// gives NaN for its row.
void ek_softmax_cross_entropy_f32(const float *logits, const int32_t *labels, size_t rows,
                                  size_t classes, float smoothing, float scale, float *loss,
                                  float *dlogits);

/// The largest element of every row (NaN if there is one; -infinity for length 0), and where the
/// first of the largest is (the first NaN, if there is one; 0 for length 0).
void ek_row_max_f32(const float *x, size_t rows, size_t length, float *y);
void ek_row_argmax_f32(const float *x, size_t rows, size_t length, int32_t *indices);

/// The sum of every row, in double.
void ek_row_sums_f32(const float *x, size_t rows, size_t length, double *sums);
