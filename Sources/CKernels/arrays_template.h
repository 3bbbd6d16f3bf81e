// Functions of whole float arrays.

#include "functions_template.h"

static void EK_NAME(ek_select_f32)(const float *condition, const float *a, const float *b,
                                   float *y, size_t n) {
    for (size_t i = 0; i < n; i += W) {
        const size_t k = n - i;
        if (k >= W)
            vstore(y + i, vblend(vload(condition + i) != (vf)0.0f, vload(a + i), vload(b + i)));
        else
            vstore_n(y + i,
                     vblend(vload_n(condition + i, k) != (vf)0.0f, vload_n(a + i, k),
                            vload_n(b + i, k)),
                     k);
    }
}

static void EK_NAME(ek_clamp_f32)(const float *x, float low, float high, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float v = x[i] < low ? low : x[i];
        y[i] = v > high ? high : v;
    }
}

static void EK_NAME(ek_axpy_f32)(float alpha, const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

/// Four accumulators of doubles; `squares` is a constant.
EK_INLINE double EK_NAME(ek_total)(const float *x, size_t n, int squares) {
    vd total[4] = {(vd)0.0, (vd)0.0, (vd)0.0, (vd)0.0};
    size_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
        for (size_t q = 0; q < 4; q++) {
            const vd v = vwiden(vload(x + i + q * W));
            total[q] += squares ? v * v : v;
        }
    for (; i < n; i += W) {
        const vd v = vwiden(n - i >= W ? vload(x + i) : vload_n(x + i, n - i));
        total[0] += squares ? v * v : v;
    }
    return vsum((total[0] + total[1]) + (total[2] + total[3]));
}

static double EK_NAME(ek_sum_f32)(const float *x, size_t n) { return EK_NAME(ek_total)(x, n, 0); }

static double EK_NAME(ek_square_sum_f32)(const float *x, size_t n) {
    return EK_NAME(ek_total)(x, n, 1);
}

static int EK_NAME(ek_all_finite_f32)(const float *x, size_t n) {
    for (size_t i = 0; i < n; i += 1024) {  // look up now and then
        const size_t end = n - i < 1024 ? n : i + 1024;
        vi bad = (vi)0;
        size_t k = i;
        for (; k + W <= end; k += W) bad |= ~(vabs(vload(x + k)) < (vf)__builtin_inff());
        if (k < end) bad |= ~(vabs(vload_n(x + k, end - k)) < (vf)__builtin_inff());
        if (vany(bad)) return 0;
    }
    return 1;
}
