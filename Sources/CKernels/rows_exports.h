// The public functions of ek_rows.h for the element type.

#define EK_TEMPLATE "rows_template.h"
#include "levels.h"

EK_EXPORT_TYPED(void, ek_row_moments,
                (const EK_ELEMENT *x, size_t rows, size_t length, double *mean, double *m2,
                 int far),
                (x, rows, length, mean, m2, far))
EK_EXPORT_TYPED(void, ek_row_square_sums,
                (const EK_ELEMENT *x, size_t rows, size_t length, double *sums, int far),
                (x, rows, length, sums, far))
EK_EXPORT_TYPED(void, ek_row_centred_scale,
                (const EK_ELEMENT *x, size_t rows, size_t length, size_t inner, const double *mean,
                 const double *inv, const float *gamma, const float *beta, EK_ELEMENT *y,
                 int far),
                (x, rows, length, inner, mean, inv, gamma, beta, y, far))
EK_EXPORT_TYPED(void, ek_row_gradient_sums,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t rows, size_t length, size_t
                 inner, const double *mean, const double *inv, const float *gamma, double *sum,
                 double *centred, double *dgamma, double *dbeta, int far),
                (dy, x, rows, length, inner, mean, inv, gamma, sum, centred, dgamma, dbeta, far))
EK_EXPORT_TYPED(void, ek_row_centred_input_gradient,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t rows, size_t length, size_t
                 inner, const double *mean, const float *gamma, const double *a, const double *b,
                 const double *c, EK_ELEMENT *dx, int far),
                (dy, x, rows, length, inner, mean, gamma, a, b, c, dx, far))
