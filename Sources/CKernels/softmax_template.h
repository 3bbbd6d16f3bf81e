// Softmax and reductions over rows.

#include "functions_template.h"

#define row_maximum EK_NAME(ek_row_maximum)
#define row_exponentials EK_NAME(ek_row_exponentials)
#define softmax_load EK_NAME(ek_softmax_load)
#define softmax_store EK_NAME(ek_softmax_store)
#define row_dot EK_NAME(ek_row_dot)

EK_INLINE vf softmax_load(const float *p, size_t n) { return n >= W ? vload(p) : vload_n(p, n); }

EK_INLINE void softmax_store(float *p, vf v, size_t n) {
    if (n >= W) vstore(p, v);
    else vstore_n(p, v, n);
}

EK_INLINE float row_maximum(const float *x, size_t length) {
    vf largest = (vf)-__builtin_inff();
    for (size_t j = 0; j < length; j += W) {
        const size_t n = length - j;
        vf v = softmax_load(x + j, n);
        if (n < W) v = vblend(vfirst(n), v, (vf)-__builtin_inff());
        largest = vmaximum(largest, v);
    }
    return vany(largest != largest) ? __builtin_nanf("") : __builtin_reduce_max(largest);
}

/// The sum of exp(x - largest); the terms go to y where given.
EK_INLINE double row_exponentials(const float *x, size_t length, float largest, float *y) {
    vd total = (vd)0.0;
    for (size_t j = 0; j < length; j += W) {
        const size_t n = length - j;
        vf e = vexp(softmax_load(x + j, n) - (vf)largest);
        if (y) softmax_store(y + j, e, n);
        if (n < W) e = vblend(vfirst(n), e, (vf)0.0f);
        total += vwiden(e);
    }
    return vsum(total);
}

/// The sum of the elements' products, or of the elements of a where b is null, in double.
EK_INLINE double row_dot(const float *a, const float *b, size_t length) {
    vd total = (vd)0.0;
    for (size_t j = 0; j < length; j += W) {
        const size_t n = length - j;
        const vd v = vwiden(softmax_load(a + j, n));
        total += b ? v * vwiden(softmax_load(b + j, n)) : v;
    }
    return vsum(total);
}

static void EK_NAME(ek_softmax_f32)(const float *x, size_t rows, size_t length, float *y) {
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        const float largest = row_maximum(x + k, length);
        const vf share = (vf)(float)(1.0 / row_exponentials(x + k, length, largest, y + k));
        for (size_t j = 0; j < length; j += W)
            softmax_store(y + k + j, softmax_load(y + k + j, length - j) * share, length - j);
    }
}

static void EK_NAME(ek_log_softmax_f32)(const float *x, size_t rows, size_t length, float *y) {
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        const float largest = row_maximum(x + k, length);
        const vf rest = (vf)(float)log(row_exponentials(x + k, length, largest, NULL));
        for (size_t j = 0; j < length; j += W)
            softmax_store(y + k + j, softmax_load(x + k + j, length - j) - (vf)largest - rest,
                          length - j);
    }
}

static void EK_NAME(ek_softmax_gradient_f32)(const float *dy, const float *y, size_t rows,
                                             size_t length, float *dx) {
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        const vf dot = (vf)(float)row_dot(dy + k, y + k, length);
        for (size_t j = 0; j < length; j += W) {
            const size_t n = length - j, i = k + j;
            softmax_store(dx + i, softmax_load(y + i, n) * (softmax_load(dy + i, n) - dot), n);
        }
    }
}

static void EK_NAME(ek_log_softmax_gradient_f32)(const float *dy, const float *y, size_t rows,
                                                 size_t length, float *dx) {
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        const vf sum = (vf)(float)row_dot(dy + k, NULL, length);
        for (size_t j = 0; j < length; j += W) {
            const size_t n = length - j, i = k + j;
            softmax_store(dx + i, softmax_load(dy + i, n) - vexp(softmax_load(y + i, n)) * sum,
                          n);
        }
    }
}

static void EK_NAME(ek_softmax_cross_entropy_f32)(const float *logits, const int32_t *labels,
                                                  size_t rows, size_t classes, float smoothing,
                                                  float scale, float *loss, float *dlogits) {
    for (size_t r = 0; r < rows; r++) {
        const float *x = logits + r * classes;
        float *gradient = dlogits ? dlogits + r * classes : NULL;
        if (labels[r] < 0 || (size_t)labels[r] >= classes) {
            if (loss) loss[r] = __builtin_nanf("");
            for (size_t j = 0; gradient && j < classes; j++) gradient[j] = __builtin_nanf("");
            continue;
        }
        const size_t label = (size_t)labels[r];
        const float largest = row_maximum(x, classes);
        const double hit = (double)x[label] - (double)largest, flat = (double)smoothing;
        // Before the exponentials take the logits' place.
        double spread = 0.0;
        if (smoothing != 0.0f)
            spread = row_dot(x, NULL, classes) / (double)classes - (double)largest;
        const double total = row_exponentials(x, classes, largest, gradient);
        if (loss) loss[r] = (float)(log(total) - (1.0 - flat) * hit - flat * spread);
        if (!gradient) continue;
        const vf share = (vf)(float)((double)scale / total);
        const vf floor = (vf)(float)((double)scale * flat / (double)classes);
        for (size_t j = 0; j < classes; j += W) {
            const size_t n = classes - j;
            softmax_store(gradient + j, softmax_load(gradient + j, n) * share - floor, n);
        }
        gradient[label] -= (float)((double)scale * (1.0 - flat));
    }
}

static void EK_NAME(ek_row_max_f32)(const float *x, size_t rows, size_t length, float *y) {
    for (size_t r = 0; r < rows; r++) y[r] = row_maximum(x + r * length, length);
}

static void EK_NAME(ek_row_argmax_f32)(const float *x, size_t rows, size_t length,
                                       int32_t *indices) {
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * length;
        const float largest = row_maximum(row, length);
        size_t j = 0;
        while (j < length && !(row[j] == largest || row[j] != row[j])) j++;
        indices[r] = j < length ? (int32_t)j : 0;
    }
}

static void EK_NAME(ek_row_sums_f32)(const float *x, size_t rows, size_t length, double *sums) {
    for (size_t r = 0; r < rows; r++) sums[r] = row_dot(x + r * length, NULL, length);
}
