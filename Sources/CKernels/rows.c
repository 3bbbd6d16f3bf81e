#include "include/ek_rows.h"

#include "element_f32.h"

#define EK_TEMPLATE "rows_template.h"
#include "levels.h"

EK_EXPORT(void, ek_layer_norm_f32,
          (const float *x, size_t rows, size_t length, size_t inner, double epsilon, int centred,
           const float *gamma, const float *beta, float *y, double *mean, double *inv),
          (x, rows, length, inner, epsilon, centred, gamma, beta, y, mean, inv))
EK_EXPORT(void, ek_layer_norm_gradient_f32,
          (const float *dy, const float *x, size_t rows, size_t length, size_t inner, int centred,
           const double *mean, const double *inv, const float *gamma, float *dx, double *dgamma,
           double *dbeta),
          (dy, x, rows, length, inner, centred, mean, inv, gamma, dx, dgamma, dbeta))
EK_EXPORT(void, ek_row_moments_f32,
          (const float *x, size_t rows, size_t length, double *mean, double *m2),
          (x, rows, length, mean, m2))
EK_EXPORT(void, ek_row_square_sums_f32,
          (const float *x, size_t rows, size_t length, double *sums), (x, rows, length, sums))
EK_EXPORT(void, ek_row_centred_scale_f32,
          (const float *x, size_t rows, size_t length, size_t inner, const double *mean,
           const double *inv, const float *gamma, const float *beta, float *y),
          (x, rows, length, inner, mean, inv, gamma, beta, y))
EK_EXPORT(void, ek_row_centred_sums_f32,
          (const float *dy, const float *x, size_t rows, size_t length, size_t inner,
           const double *mean, const float *gamma, double *sums),
          (dy, x, rows, length, inner, mean, gamma, sums))
EK_EXPORT(void, ek_row_centred_input_gradient_f32,
          (const float *dy, const float *x, size_t rows, size_t length, size_t inner,
           const double *mean, const float *gamma, const double *a, const double *b,
           const double *c, float *dx),
          (dy, x, rows, length, inner, mean, gamma, a, b, c, dx))
EK_EXPORT(void, ek_row_parameter_gradients_f32,
          (const float *dy, const float *x, size_t rows, size_t length, size_t inner,
           const double *mean, const double *inv, double *dgamma, double *dbeta),
          (dy, x, rows, length, inner, mean, inv, dgamma, dbeta))
