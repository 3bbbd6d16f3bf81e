// Optimizers: updates of n weights in place. Hyperparameters are double so that 1 - beta is right.
//
// `decay` is coupled (L2): added to the gradient as decay * w. `shrink` is decoupled (AdamW,
// Loshchilov and Hutter 2019): w *= 1 - shrink before the update, shrink = learning rate * decay.
// The gradient is multiplied by `gradient_scale` first (1, or what clips its norm).

#pragma once

#include <stddef.h>

/// Stochastic gradient descent. `velocity` may be null when momentum is 0.
/// v = momentum v + (1 - dampening) g; w -= learning_rate * (nesterov ? g + momentum v : v).
void ek_sgd_f32(float *w, const float *g, float *velocity, size_t n, double learning_rate,
                double momentum, double dampening, int nesterov, double decay, double shrink,
                double gradient_scale);

/// Adam (Kingma and Ba 2015): m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
/// w -= step_size * m / (sqrt(v) * root_correction + epsilon), where after step t
/// step_size = learning rate / (1 - beta1^t) and root_correction = 1 / sqrt(1 - beta2^t).
void ek_adam_f32(float *w, const float *g, float *m, float *v, size_t n, double beta1,
                 double beta2, double step_size, double root_correction, double epsilon,
                 double decay, double shrink, double gradient_scale);

/// RMSProp: s = alpha s + (1 - alpha) g^2, u = g / (sqrt(s) + epsilon), w -= learning_rate * u.
/// With `mean_gradient` the variance s - mean_gradient^2 takes the place of s (Graves 2013); with
/// `velocity` v = momentum v + u is subtracted instead of u. Both may be null.
void ek_rmsprop_f32(float *w, const float *g, float *s, float *mean_gradient, float *velocity,
                    size_t n, double learning_rate, double alpha, double epsilon, double momentum,
                    double decay, double shrink, double gradient_scale);
