// Elementwise functions: one loop per operation, whole vectors and then a partial one. The
// includer's element header defines EK_ELEMENT, EK_TYPED, eload, estore and so on.

#include "functions_template.h"

#define E EK_ELEMENT
#define LOCAL(name) EK_NAME(EK_TYPED(name))
#define vgelu_tanh_argument LOCAL(ek_vgelu_tanh_argument)
#define binary_loop LOCAL(ek_binary_loop)

#define EK_ROOT_2_OVER_PI 0.797884561f
#define EK_CUBIC 0.044715f

/// 2 sqrt(2 / pi) (x + 0.044715 x^3): x sigmoid of it is the tanh form of GELU.
EK_INLINE vf vgelu_tanh_argument(vf x) {
    return (vf)(2.0f * EK_ROOT_2_OVER_PI) * x * ((vf)1.0f + (vf)EK_CUBIC * x * x);
}

static void LOCAL(ek_unary)(int op, const E *x, E *y, size_t n, float p) {
    const vf zero = (vf)0.0f, one = (vf)1.0f, parameter = (vf)p;
    vf gauss;
#define EK_CASE(name, expression)                   \
    case name: {                                    \
        size_t i = 0;                               \
        for (; i + W <= n; i += W) {                \
            const vf v = eload(x + i);              \
            estore(y + i, (expression));            \
        }                                           \
        if (i < n) {                                \
            const vf v = eload_n(x + i, n - i);     \
            estore_n(y + i, (expression), n - i);   \
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

/// How `rows` runs of n elements lie: a and b advance by their strides from run to run; the results lie
/// one behind the other.
struct LOCAL(ek_runs) {
    const E *a, *b;
    E *y;
    size_t rows, n, a_stride, b_stride;
};
#define runs struct LOCAL(ek_runs)

/// Within a run a and b advance by their steps, 1 or 0 (constants): 0 is one number for all of it.
EK_INLINE void binary_loop(int op, const runs *t, size_t a_step, size_t b_step, float p) {
    const vf zero = (vf)0.0f, one = (vf)1.0f, parameter = (vf)p;
    const size_t n = t->n;
    vf gauss;
#define EK_CASE(name, expression)                                               \
    case name:                                                                  \
        for (size_t r = 0; r < t->rows; r++) {                                  \
            const E *a = t->a + r * t->a_stride, *b = t->b + r * t->b_stride;   \
            E *y = t->y + r * n;                                                \
            const vf a_all = (vf)eload_n(a, 1)[0], b_all = (vf)eload_n(b, 1)[0]; \
            size_t i = 0;                                                       \
            for (; i + W <= n; i += W) {                                        \
                const vf u = a_step ? eload(a + i) : a_all;                     \
                const vf v = b_step ? eload(b + i) : b_all;                     \
                estore(y + i, (expression));                                    \
            }                                                                   \
            if (i < n) {                                                        \
                const vf u = a_step ? eload_n(a + i, n - i) : a_all;            \
                const vf v = b_step ? eload_n(b + i, n - i) : b_all;            \
                estore_n(y + i, (expression), n - i);                           \
            }                                                                   \
        }                                                                       \
        break;
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
        EK_CASE(EK_BINARY_EXCEEDS, vblend(u > v, one, vblend(u == v, (vf)0.5f, zero)))
        EK_CASE(EK_BINARY_ABS_GRADIENT, u *vblend(v > zero, one, vblend(v < zero, -one, v)))
        EK_CASE(EK_BINARY_RELU_GRADIENT, vblend(v <= zero, zero, u))
        EK_CASE(EK_BINARY_LEAKY_RELU_GRADIENT, vblend(v <= zero, u *parameter, u))
        EK_CASE(EK_BINARY_RELU6_GRADIENT, vblend((v >= zero) & (v <= (vf)6.0f), u, zero))
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

static void LOCAL(ek_binary_runs)(int op, const E *a, size_t a_stride, int a_is_array, const E *b,
                                  size_t b_stride, int b_is_array, E *y, size_t rows, size_t n,
                                  float p) {
    if (n == 0) return;
    const runs t = {a, b, y, rows, n, a_stride, b_stride};
    if (a_is_array && b_is_array) binary_loop(op, &t, 1, 1, p);
    else if (a_is_array) binary_loop(op, &t, 1, 0, p);
    else binary_loop(op, &t, 0, 1, p);
}

#undef runs
#undef E
#undef LOCAL
