#include <math.h>
#include "include/ek_elementwise.h"
static float sigmoid(float x) { return (float)(1 / (1 + exp(-(double)x))); }
static float unary(int op, float x, float p) {
    switch (op) {
    case EK_UNARY_NEGATE: return -x;
    case EK_UNARY_ABS: return fabsf(x);
    case EK_UNARY_EXP: return expf(x);
    case EK_UNARY_LOG: return logf(x);
    case EK_UNARY_SQRT: return sqrtf(x);
    case EK_UNARY_RSQRT: return (float)(1 / sqrt((double)x));
    case EK_UNARY_RECIPROCAL: return 1 / x;
    case EK_UNARY_SQUARE: return x * x;
    case EK_UNARY_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
    case EK_UNARY_RELU: return x < 0 ? 0 : x;
    case EK_UNARY_LEAKY_RELU: return x < 0 ? p * x : x;
    case EK_UNARY_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case EK_UNARY_ELU: return x > 0 ? x : p * expm1f(x);
    case EK_UNARY_GELU: return (float)(0.5 * (double)x * (1 + erf((double)x * 0.70710678118654752)));
    case EK_UNARY_GELU_TANH: return (float)(0.5 * (double)x * (1 + tanh(0.79788456080286536 * ((double)x + 0.044715 * (double)x * (double)x * (double)x))));
    case EK_UNARY_SILU: return x * sigmoid(x);
    case EK_UNARY_SIGMOID: return sigmoid(x);
    case EK_UNARY_TANH: return tanhf(x);
    case EK_UNARY_SOFTPLUS: return (float)((double)fmaxf(x, 0) + log1p(exp(-fabs((double)x))));
    case EK_UNARY_ERF: return erff(x);
    case EK_UNARY_EXPM1: return expm1f(x);
    case EK_UNARY_LOG1P: return log1pf(x);
    case EK_UNARY_FLOOR: return floorf(x);
    case EK_UNARY_CEIL: return ceilf(x);
    case EK_UNARY_ROUND: return rintf(x);
    case EK_UNARY_IS_FINITE: return isfinite(x) ? 1 : 0;
    default: return NAN;
    }
}
static float binary(int op, float a, float b, float p) {
    const double x = (double)b;
    switch (op) {
    case EK_BINARY_ADD: return a + b;
    case EK_BINARY_SUBTRACT: return a - b;
    case EK_BINARY_MULTIPLY: return a * b;
    case EK_BINARY_DIVIDE: return a / b;
    case EK_BINARY_MINIMUM: return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
    case EK_BINARY_MAXIMUM: return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
    case EK_BINARY_POWER: return powf(a, b);
    case EK_BINARY_SQUARED_DIFFERENCE: return (a - b) * (a - b);
    case EK_BINARY_EQUAL: return a == b;
    case EK_BINARY_NOT_EQUAL: return a != b;
    case EK_BINARY_LESS: return a < b;
    case EK_BINARY_LESS_OR_EQUAL: return a <= b;
    case EK_BINARY_GREATER: return a > b;
    case EK_BINARY_GREATER_OR_EQUAL: return a >= b;
    case EK_BINARY_ABS_GRADIENT: return a * (b > 0 ? 1 : b < 0 ? -1 : b);
    case EK_BINARY_RELU_GRADIENT: return b > 0 ? a : 0;
    case EK_BINARY_LEAKY_RELU_GRADIENT: return b < 0 ? p * a : a;
    case EK_BINARY_RELU6_GRADIENT: return b > 0 && b < 6 ? a : 0;
    case EK_BINARY_ELU_GRADIENT: return b > 0 ? a : a * p * expf(b);
    case EK_BINARY_GELU_GRADIENT: return (float)((double)a * (0.5 * (1 + erf(x * 0.70710678118654752)) + x * 0.3989422804014327 * exp(-0.5 * x * x)));
    case EK_BINARY_GELU_TANH_GRADIENT: {
        const double t = tanh(0.79788456080286536 * (x + 0.044715 * x * x * x));
        return (float)((double)a * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.79788456080286536 * (1 + 3 * 0.044715 * x * x)));
    }
    case EK_BINARY_SILU_GRADIENT: { const float s = sigmoid(b); return a * s * (1 + b * (1 - s)); }
    case EK_BINARY_SIGMOID_GRADIENT: return a * b * (1 - b);
    case EK_BINARY_TANH_GRADIENT: return a * (1 - b * b);
    case EK_BINARY_SOFTPLUS_GRADIENT: return a * sigmoid(b);
    default: return NAN;
    }
}
#define N for (size_t i = 0; i < n; i++)
#define RC for (size_t r = 0, i = 0; r < rows; r++) for (size_t j = 0; j < length; j++, i++)
void ek_unary_f32(int op, const float *x, float *y, size_t n, float p) { N y[i] = unary(op, x[i], p); }
void ek_binary_f32(int op, const float *a, const float *b, float *y, size_t n, float p) { N y[i] = binary(op, a[i], b[i], p); }
void ek_binary_scalar_right_f32(int op, const float *a, float b, float *y, size_t n, float p) { N y[i] = binary(op, a[i], b, p); }
void ek_binary_scalar_left_f32(int op, float a, const float *b, float *y, size_t n, float p) { N y[i] = binary(op, a, b[i], p); }
void ek_binary_rows_f32(int op, const float *a, const float *b, float *y, size_t rows, size_t length, float p) { RC y[i] = binary(op, a[i], b[j], p); }
void ek_binary_rows_left_f32(int op, const float *a, const float *b, float *y, size_t rows, size_t length, float p) { RC y[i] = binary(op, a[j], b[i], p); }
void ek_binary_row_scalars_f32(int op, const float *a, const float *b, float *y, size_t rows, size_t length, float p) { RC y[i] = binary(op, a[i], b[r], p); }
void ek_binary_row_scalars_left_f32(int op, const float *a, const float *b, float *y, size_t rows, size_t length, float p) { RC y[i] = binary(op, a[r], b[i], p); }
void ek_select_f32(const float *condition, const float *a, const float *b, float *y, size_t n) { N y[i] = condition[i] != 0 ? a[i] : b[i]; }
void ek_clamp_f32(const float *x, float low, float high, float *y, size_t n) { N y[i] = x[i] < low ? low : x[i] > high ? high : x[i]; }
void ek_axpy_f32(float alpha, const float *x, float *y, size_t n) { N y[i] += alpha * x[i]; }
void ek_fill_f32(float value, float *y, size_t n) { N y[i] = value; }
double ek_sum_f32(const float *x, size_t n) { double s = 0; N s += (double)x[i]; return s; }
double ek_square_sum_f32(const float *x, size_t n) { double s = 0; N s += (double)x[i] * (double)x[i]; return s; }
int ek_all_finite_f32(const float *x, size_t n) { N if (!isfinite(x[i])) return 0; return 1; }
