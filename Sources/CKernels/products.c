#include "include/ek_products.h"

#define EK_TEMPLATE "products_template.h"
#include "levels.h"

EK_EXPORT(void, ek_product_f32,
          (int transposes_a, int transposes_b, size_t m, size_t n, size_t k, const float *a,
           size_t lda, const float *b, size_t ldb, float *y),
          (transposes_a, transposes_b, m, n, k, a, lda, b, ldb, y))
