// Moving elements.
#pragma once

#include <stddef.h>

/// y[c, r] = x[r, c] for a matrix of `rows` by `columns`; `x_stride` and `y_stride` are the distances
/// between rows of x and of y.
void ek_transpose_f32(const float *x, size_t rows, size_t columns, size_t x_stride, float *y,
                      size_t y_stride);
