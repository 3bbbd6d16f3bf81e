// Elementwise functions: one loop per operation, whole vectors and then a partial one.

#include "functions_template.h"

#define unary_rest EK_NAME(ek_unary_rest)
#define vgelu_tanh_argument EK_NAME(ek_vgelu_tanh_argument)
#define binary_loop EK_NAME(ek_binary_loop)
#define binary_apply EK_NAME(ek_binary_apply)

#define EK_ROOT_2_OVER_PI 0.797884561f
#define EK_CUBIC 0.044715f

/// 2 sqrt(2 / pi) (x + 0.044715 x^3): x sigmoid of it is the tanh form of GELU.
EK_INLINE vf vgelu_tanh_argument(vf x) {
    return (vf)(2.0f * EK_ROOT_2_OVER_PI) * x * ((vf)1.0f + (vf)EK_CUBIC * x * x);
}

static void EK_NAME(ek_unary_f32)(int op, const float *x, float *y, size_t n, float p) {
    const vf zero = (vf)0.0f, one = (vf)1.0f, parameter = (vf)p;
    vf gauss;
#define EK_CASE(name, expression)                   \
    case name: {                                    \
        size_t i = 0;                               \
        for (; i + W <= n; i += W) {                \
            const vf v = vload(x + i);              \
            vstore(y + i, (expression));            \
        }                                           \
        if (i < n) {                                \
            const vf v = vload_n(x + i, n - i);     \
            vstore_n(y + i, (expression), n - i);   \
        }                                           \
        break;                                      \
    }
    // The limit at -infinity is 0, where x times 0 would be NaN.
#define EK_TO_ZERO(expression) vblend(v < (vf)-200.0f, -zero, (expression))
    switch (op) {
        EK_CASE(EK_UNARY_NEGATE, -v)
        EK_CASE(EK_UNARY_ABS, vabs(v))
        EK_CASE(EK_UNARY_EXP, vexp(v))
        EK_CASE(EK_UNARY_LOG, vlog(v))
        EK_CASE(EK_UNARY_SQRT, __builtin_elementwise_sqrt(v))
        EK_CASE(EK_UNARY_RSQRT, one / __builtin_elementwise_sqrt(v))
        EK_CASE(EK_UNARY_RECIPROCAL, one / v)
        EK_CASE(EK_UNARY_SQUARE, v *v)
        EK_CASE(EK_UNARY_SIGN, vblend(v > zero, one, vblend(v < zero, -one, v)))
        EK_CASE(EK_UNARY_RELU, vblend(v < zero, zero, v))
        EK_CASE(EK_UNARY_LEAKY_RELU, vblend(v < zero, v *parameter, v))
        EK_CASE(EK_UNARY_RELU6,
                vblend(v > (vf)6.0f, (vf)6.0f, vblend(v < zero, zero, v)))
        EK_CASE(EK_UNARY_ELU, vblend(v > zero, v, parameter *vexpm1(v)))
        EK_CASE(EK_UNARY_GELU, EK_TO_ZERO(v *vnormal(v, &gauss)))
        EK_CASE(EK_UNARY_GELU_TANH, EK_TO_ZERO(v *vsigmoid(vgelu_tanh_argument(v))))
        EK_CASE(EK_UNARY_SILU, EK_TO_ZERO(v *vsigmoid(v)))
        EK_CASE(EK_UNARY_SIGMOID, vsigmoid(v))
        EK_CASE(EK_UNARY_TANH, vtanh(v))
        EK_CASE(EK_UNARY_SOFTPLUS, vblend(v < zero, zero, v) + vlog1p(vexp(-vabs(v))))
        EK_CASE(EK_UNARY_ERF, verf(v))
        EK_CASE(EK_UNARY_EXPM1, vexpm1(v))
        EK_CASE(EK_UNARY_LOG1P, vlog1p(v))
        EK_CASE(EK_UNARY_FLOOR, __builtin_elementwise_floor(v))
        EK_CASE(EK_UNARY_CEIL, __builtin_elementwise_ceil(v))
        EK_CASE(EK_UNARY_ROUND, __builtin_elementwise_roundeven(v))
        EK_CASE(EK_UNARY_IS_FINITE, vblend(vabs(v) < (vf)__builtin_inff(), one, zero))
    }
#undef EK_CASE
}

/// a and b advance by their steps, 1 or 0 (constants): 0 is one number for all.
EK_INLINE void binary_loop(int op, const float *a, size_t a_step, const float *b, size_t b_step,
                           float *y, size_t n, float p) {
    const vf zero = (vf)0.0f, one = (vf)1.0f, parameter = (vf)p;
    const vf a_all = (vf)(n > 0 ? a[0] : 0.0f), b_all = (vf)(n > 0 ? b[0] : 0.0f);
    vf gauss;
#define EK_CASE(name, expression)                                           \
    case name: {                                                            \
        size_t i = 0;                                                       \
        for (; i + W <= n; i += W) {                                        \
            const vf u = a_step ? vload(a + i) : a_all;                     \
            const vf v = b_step ? vload(b + i) : b_all;                     \
            vstore(y + i, (expression));                                    \
        }                                                                   \
        if (i < n) {                                                        \
            const vf u = a_step ? vload_n(a + i, n - i) : a_all;            \
            const vf v = b_step ? vload_n(b + i, n - i) : b_all;            \
            vstore_n(y + i, (expression), n - i);                           \
        }                                                                   \
        break;                                                              \
    }
#define EK_TRUTH(condition) vblend((condition), one, zero)
#define EK_LIMITS(expression) \
    vblend(v < (vf)-200.0f, zero, vblend(v > (vf)200.0f, u, (expression)))
    switch (op) {
        EK_CASE(EK_BINARY_ADD, u + v)
        EK_CASE(EK_BINARY_SUBTRACT, u - v)
        EK_CASE(EK_BINARY_MULTIPLY, u *v)
        EK_CASE(EK_BINARY_DIVIDE, u / v)
        EK_CASE(EK_BINARY_MINIMUM, vblend(u != u, u, vblend(u < v, u, v)))
        EK_CASE(EK_BINARY_MAXIMUM, vmaximum(u, v))
        EK_CASE(EK_BINARY_POWER, vpow(u, v))
        EK_CASE(EK_BINARY_SQUARED_DIFFERENCE, (u - v) * (u - v))
        EK_CASE(EK_BINARY_EQUAL, EK_TRUTH(u == v))
        EK_CASE(EK_BINARY_NOT_EQUAL, EK_TRUTH(u != v))
        EK_CASE(EK_BINARY_LESS, EK_TRUTH(u < v))
        EK_CASE(EK_BINARY_LESS_OR_EQUAL, EK_TRUTH(u <= v))
        EK_CASE(EK_BINARY_GREATER, EK_TRUTH(u > v))
        EK_CASE(EK_BINARY_GREATER_OR_EQUAL, EK_TRUTH(u >= v))
        EK_CASE(EK_BINARY_ABS_GRADIENT, u *vblend(v > zero, one, vblend(v < zero, -one, v)))
        EK_CASE(EK_BINARY_RELU_GRADIENT, vblend(v <= zero, zero, u))
        EK_CASE(EK_BINARY_LEAKY_RELU_GRADIENT, vblend(v <= zero, u *parameter, u))
        EK_CASE(EK_BINARY_RELU6_GRADIENT, vblend((v <= zero) | (v >= (vf)6.0f), zero, u))
        EK_CASE(EK_BINARY_ELU_GRADIENT, vblend(v > zero, u, u *parameter *vexp(v)))
        EK_CASE(EK_BINARY_GELU_GRADIENT,
                EK_LIMITS(u *(vnormal(v, &gauss) + v * gauss * (vf)0.398942280f)))
        EK_CASE(EK_BINARY_GELU_TANH_GRADIENT,
                EK_LIMITS(u *vsigmoid(vgelu_tanh_argument(v)) *
                          (one + v * vsigmoid(-vgelu_tanh_argument(v)) *
                                     (vf)(2.0f * EK_ROOT_2_OVER_PI) *
                                     (one + (vf)(3.0f * EK_CUBIC) * v * v))))
        EK_CASE(EK_BINARY_SILU_GRADIENT,
                EK_LIMITS(u *vsigmoid(v) * (one + v * vsigmoid(-v))))
        EK_CASE(EK_BINARY_SIGMOID_GRADIENT, u *v *(one - v))
        EK_CASE(EK_BINARY_TANH_GRADIENT, u *(one - v * v))
        EK_CASE(EK_BINARY_SOFTPLUS_GRADIENT, u *vsigmoid(v))
    }
#undef EK_CASE
}

/// steps: 0 both arrays, 1 b is one number, 2 a is one number.
static void EK_NAME(ek_binary_any_f32)(int op, const float *a, const float *b, float *y, size_t n,
                                       float p, int one) {
    switch (one) {
    case 0: binary_loop(op, a, 1, b, 1, y, n, p); break;
    case 1: binary_loop(op, a, 1, b, 0, y, n, p); break;
    default: binary_loop(op, a, 0, b, 1, y, n, p);
    }
}

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
