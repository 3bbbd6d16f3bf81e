#include "include/ek_products.h"

#define EK_TEMPLATE "products_template.h"
#include "levels.h"

EK_EXPORT(void, ek_product_f32,
          (int transposes_a, int transposes_b, size_t m, size_t n, size_t k, const float *a,
           size_t lda, const float *b, size_t ldb, float *y),
          (transposes_a, transposes_b, m, n, k, a, lda, b, ldb, y))
EK_EXPORT(void, ek_product_column_f32,
          (size_t m, size_t k, const float *a, const float *b, float *y), (m, k, a, b, y))
EK_EXPORT(void, ek_add_scaled_rows_f32,
          (size_t m, size_t n, const float *a, const float *factors, double *sums),
          (m, n, a, factors, sums))
