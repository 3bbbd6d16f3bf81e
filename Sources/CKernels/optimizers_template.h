// Optimizers: one pass over the weights, everything of an element in registers.
// __builtin_elementwise_sqrt vectorizes where sqrtf, which may set errno, does not.

static void EK_NAME(ek_sgd_f32)(float *restrict w, const float *restrict g,
                                float *restrict velocity, size_t n, double learning_rate,
                                double momentum, double dampening, int nesterov, double decay,
                                double shrink, double gradient_scale) {
    const float rate = (float)learning_rate, mu = (float)momentum;
    const float damped = (float)(1.0 - dampening), l2 = (float)decay;
    const float keep = (float)(1.0 - shrink), clip = (float)gradient_scale;
    if (!velocity) {
        for (size_t i = 0; i < n; i++) {
            const float gradient = g[i] * clip + l2 * w[i];
            w[i] = w[i] * keep - rate * gradient;
        }
    } else if (nesterov) {
        for (size_t i = 0; i < n; i++) {
            const float gradient = g[i] * clip + l2 * w[i];
            const float v = mu * velocity[i] + damped * gradient;
            velocity[i] = v;
            w[i] = w[i] * keep - rate * (gradient + mu * v);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            const float gradient = g[i] * clip + l2 * w[i];
            const float v = mu * velocity[i] + damped * gradient;
            velocity[i] = v;
            w[i] = w[i] * keep - rate * v;
        }
    }
}

static void EK_NAME(ek_adam_f32)(float *restrict w, const float *restrict g, float *restrict m,
                                 float *restrict v, size_t n, double beta1, double beta2,
                                 double step_size, double root_correction, double epsilon,
                                 double decay, double shrink, double gradient_scale) {
    const float keep1 = (float)beta1, new1 = (float)(1.0 - beta1);
    const float keep2 = (float)beta2, new2 = (float)(1.0 - beta2);
    const float step = (float)step_size, correction = (float)root_correction;
    const float eps = (float)epsilon, l2 = (float)decay;
    const float keep = (float)(1.0 - shrink), clip = (float)gradient_scale;
    for (size_t i = 0; i < n; i++) {
        const float gradient = g[i] * clip + l2 * w[i];
        const float first = keep1 * m[i] + new1 * gradient;
        const float second = keep2 * v[i] + new2 * (gradient * gradient);
        m[i] = first;
        v[i] = second;
        const float root = __builtin_elementwise_sqrt(second) * correction + eps;
        w[i] = w[i] * keep - step * first / root;
    }
}

static void EK_NAME(ek_rmsprop_f32)(float *restrict w, const float *restrict g, float *restrict s,
                                    float *restrict mean_gradient, float *restrict velocity,
                                    size_t n, double learning_rate, double alpha, double epsilon,
                                    double momentum, double decay, double shrink,
                                    double gradient_scale) {
    const float rate = (float)learning_rate, old = (float)alpha, new = (float)(1.0 - alpha);
    const float eps = (float)epsilon, mu = (float)momentum, l2 = (float)decay;
    const float keep = (float)(1.0 - shrink), clip = (float)gradient_scale;
    for (size_t i = 0; i < n; i++) {
        const float gradient = g[i] * clip + l2 * w[i];
        const float square = old * s[i] + new * (gradient * gradient);
        s[i] = square;
        float variance = square;
        if (mean_gradient) {
            const float mean = old * mean_gradient[i] + new * gradient;
            mean_gradient[i] = mean;
            variance = square - mean * mean;
            variance = variance < 0.0f ? 0.0f : variance;  // rounding
        }
        float update = gradient / (__builtin_elementwise_sqrt(variance) + eps);
        if (velocity) {
            update = mu * velocity[i] + update;
            velocity[i] = update;
        }
        w[i] = w[i] * keep - rate * update;
    }
}
