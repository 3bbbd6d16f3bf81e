// Matrix products of few rows: what a shard of a layer is. A library prepares its operands, which
// pays where many rows share them.

#pragma once

#include <stddef.h>

/// y = A B, [m, n]: A is `a` [m, k], or [k, m] transposed; B is `b` [k, n], or [n, k] transposed,
/// then for small n; not both transposed. Rows of `a`, `b` and `y` begin `lda`, `ldb` and n elements
/// apart. Sums are in float, in an order that depends on k and on the width of the processor's
/// vectors only. k == 0 gives zeros.
void ek_product_f32(int transposes_a, int transposes_b, size_t m, size_t n, size_t k,
                    const float *a, size_t lda, const float *b, size_t ldb, float *y);

/// y = A b with `a` [m, k] and a column b. Sums are in float over 2048 elements of a row, in double
/// beyond.
void ek_product_column_f32(size_t m, size_t k, const float *a, const float *b, float *y);

/// Adds every row of `a` [m, n], times its factor, to `sums` [n]: in float over eight rows, in double
/// beyond.
void ek_add_scaled_rows_f32(size_t m, size_t n, const float *a, const float *factors, double *sums);
