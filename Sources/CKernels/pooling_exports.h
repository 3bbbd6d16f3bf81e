// The pooling kernels for the elements that the including file has chosen.

#define EK_TEMPLATE "pooling_template.h"
#include "levels.h"

EK_EXPORT_TYPED(void, ek_max_pool,
                (const EK_ELEMENT *x, const EK_ELEMENT *other, size_t samples,
                 const struct ek_windows *windows, size_t channels, EK_ELEMENT *y),
                (x, other, samples, windows, channels, y))
EK_EXPORT_TYPED(void, ek_max_pool_gradient,
                (const EK_ELEMENT *x, const EK_ELEMENT *dy, size_t samples,
                 const struct ek_windows *windows, size_t channels, EK_ELEMENT *dx),
                (x, dy, samples, windows, channels, dx))
EK_EXPORT_TYPED(void, ek_axis_map,
                (const EK_ELEMENT *x, size_t outer, size_t inputs, size_t outputs, size_t inner,
                 const int32_t *firsts, const int32_t *sources, const float *weights,
                 EK_ELEMENT *y),
                (x, outer, inputs, outputs, inner, firsts, sources, weights, y))
EK_EXPORT_TYPED(void, ek_window_sum,
                (const EK_ELEMENT *x, size_t outer, size_t channels, size_t inner, size_t before,
                 size_t after, EK_ELEMENT *y),
                (x, outer, channels, inner, before, after, y))
