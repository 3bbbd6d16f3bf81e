// The public functions of ek_centred.h for the element type.

#define EK_TEMPLATE "centred_template.h"
#include "levels.h"

EK_EXPORT_TYPED(void, ek_moments,
                (const EK_ELEMENT *x, const float *weights, size_t outer, size_t channels,
                 size_t inner, double *state),
                (x, weights, outer, channels, inner, state))
EK_EXPORT_TYPED(void, ek_centred_scale,
                (const EK_ELEMENT *x, size_t outer, size_t channels, size_t inner,
                 const double *mean, const double *scale, const double *shift,
                 const EK_ELEMENT *residual, int activation, float slope, EK_ELEMENT *y,
                 int stream),
                (x, outer, channels, inner, mean, scale, shift, residual, activation, slope, y,
                 stream))
EK_EXPORT_TYPED(void, ek_centred_sums,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t outer, size_t channels,
                 size_t inner, const double *mean, const double *scale,
                 const double *shift, const EK_ELEMENT *residual, int activation, float slope,
                 EK_ELEMENT *y, int stream, double *sums),
                (dy, x, outer, channels, inner, mean, scale, shift, residual, activation,
                 slope, y, stream, sums))
EK_EXPORT_TYPED(void, ek_gated_sums,
                (const EK_ELEMENT *dy, const EK_ELEMENT *added, const EK_ELEMENT *gate,
                 const EK_ELEMENT *x, size_t outer, size_t channels, size_t inner,
                 const double *mean, EK_ELEMENT *y, double *sums),
                (dy, added, gate, x, outer, channels, inner, mean, y, sums))
EK_EXPORT_TYPED(void, ek_centred_input_gradient,
                (const EK_ELEMENT *dy, const EK_ELEMENT *x, size_t outer, size_t channels,
                 size_t inner, const double *mean, const double *a, const double *b,
                 const double *c, const double *scale, const double *shift,
                 const EK_ELEMENT *residual, int activation, float slope, EK_ELEMENT *dx,
                 EK_ELEMENT *dresidual, int far),
                (dy, x, outer, channels, inner, mean, a, b, c, scale, shift, residual, activation,
                 slope, dx, dresidual, far))
EK_EXPORT_TYPED(void, ek_column_sums,
                (const EK_ELEMENT *x, size_t outer, size_t channels, size_t inner, double *sums),
                (x, outer, channels, inner, sums))
