// The public functions of ek_rows.h for the element type.

#define EK_TEMPLATE "rows_template.h"
#include "levels.h"

EK_EXPORT_TYPED(void, ek_row_moments,
                (const EK_ELEMENT *x, size_t rows, size_t length, double *mean, double *m2),
                (x, rows, length, mean, m2))
EK_EXPORT_TYPED(void, ek_row_square_sums,
                (const EK_ELEMENT *x, size_t rows, size_t length, double *sums),
                (x, rows, length, sums))
EK_EXPORT_TYPED(void, ek_row_centred_scale,
                (const EK_ELEMENT *x, size_t rows, size_t length, size_t inner, const double *mean,
                 const double *inv, const float *gamma, const float *beta, EK_ELEMENT *y),
                (x, rows, length, inner, mean, inv, gamma, beta, y))
EK_EXPORT_TYPED(void, ek_row_centred_sums,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t rows, size_t length, size_t
                 inner, const double *mean, const float *gamma, double *sums),
                (dy, x, rows, length, inner, mean, gamma, sums))
EK_EXPORT_TYPED(void, ek_row_centred_input_gradient,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t rows, size_t length, size_t
                 inner, const double *mean, const float *gamma, const double *a, const double *b,
                 const double *c, EK_ELEMENT *dx),
                (dy, x, rows, length, inner, mean, gamma, a, b, c, dx))
EK_EXPORT_TYPED(void, ek_row_parameter_gradients,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t rows, size_t length, size_t
                 inner, const double *mean, const double *inv, double *dgamma, double *dbeta),
                (dy, x, rows, length, inner, mean, inv, dgamma, dbeta))
