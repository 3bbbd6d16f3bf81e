#include "include/ek_evonorm.h"

#define EK_TEMPLATE "evonorm_template.h"
#include "levels.h"

EK_EXPORT(void, ek_evonorm_scale_f32,
          (const float *x, size_t outer, size_t channels, size_t inner, const struct ek_evonorm *p,
           float *y),
          (x, outer, channels, inner, p, y))
EK_EXPORT(void, ek_evonorm_sums_f32,
          (const float *dy, const float *x, size_t outer, size_t channels, size_t inner,
           const struct ek_evonorm *p, double *sums),
          (dy, x, outer, channels, inner, p, sums))
EK_EXPORT(void, ek_evonorm_input_gradient_f32,
          (const float *dy, const float *x, size_t outer, size_t channels, size_t inner,
           const struct ek_evonorm *p, float *dx),
          (dy, x, outer, channels, inner, p, dx))
