#include "include/ek_optimizers.h"

#define EK_TEMPLATE "optimizers_template.h"
#include "levels.h"

EK_EXPORT(void, ek_sgd_f32,
          (float *w, const float *g, float *velocity, size_t n, double learning_rate,
           double momentum, double dampening, int nesterov, double decay, double shrink,
           double gradient_scale),
          (w, g, velocity, n, learning_rate, momentum, dampening, nesterov, decay, shrink,
           gradient_scale))
EK_EXPORT(void, ek_adam_f32,
          (float *w, const float *g, float *m, float *v, size_t n, double beta1, double beta2,
           double step_size, double root_correction, double epsilon, double decay, double shrink,
           double gradient_scale),
          (w, g, m, v, n, beta1, beta2, step_size, root_correction, epsilon, decay, shrink,
           gradient_scale))
EK_EXPORT(void, ek_rmsprop_f32,
          (float *w, const float *g, float *s, float *mean_gradient, float *velocity, size_t n,
           double learning_rate, double alpha, double epsilon, double momentum, double decay,
           double shrink, double gradient_scale),
          (w, g, s, mean_gradient, velocity, n, learning_rate, alpha, epsilon, momentum, decay,
           shrink, gradient_scale))
