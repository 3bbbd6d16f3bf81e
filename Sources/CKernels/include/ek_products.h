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
