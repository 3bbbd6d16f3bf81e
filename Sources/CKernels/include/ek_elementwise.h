// Elementwise functions. An element's result does not depend on its place in the array.
//
// exp, log, tanh and erf are our own polynomials; the measured bounds against the exact value, in
// units in the last place over the whole range, are in Sources/CKernels/functions_template.h and
// are tested. Infinities, NaN and denormal numbers behave as in IEEE 754 and C.

#pragma once

#include <stddef.h>
#include <stdint.h>

// Functions of one argument; p is a parameter where named, else ignored.
#define EK_UNARY_NEGATE 0
#define EK_UNARY_ABS 1
#define EK_UNARY_EXP 2
#define EK_UNARY_LOG 3
#define EK_UNARY_SQRT 4
#define EK_UNARY_RSQRT 5  // 1 / sqrt(x)
#define EK_UNARY_RECIPROCAL 6
#define EK_UNARY_SQUARE 7
#define EK_UNARY_SIGN 8  // -1, 0, 1; NaN stays NaN
#define EK_UNARY_RELU 9
#define EK_UNARY_LEAKY_RELU 10  // p: slope
#define EK_UNARY_RELU6 11
#define EK_UNARY_ELU 12  // p: alpha
#define EK_UNARY_GELU 13  // exact, with erf
#define EK_UNARY_GELU_TANH 14
#define EK_UNARY_SILU 15
#define EK_UNARY_SIGMOID 16
#define EK_UNARY_TANH 17
#define EK_UNARY_SOFTPLUS 18
#define EK_UNARY_ERF 19
#define EK_UNARY_EXPM1 20
#define EK_UNARY_LOG1P 21
#define EK_UNARY_FLOOR 22
#define EK_UNARY_CEIL 23
#define EK_UNARY_ROUND 24  // halves to even
#define EK_UNARY_IS_FINITE 25  // 1 or 0
#define EK_UNARY_COUNT 26

// Functions of two arguments a and b.
#define EK_BINARY_ADD 0
#define EK_BINARY_SUBTRACT 1
#define EK_BINARY_MULTIPLY 2
#define EK_BINARY_DIVIDE 3
#define EK_BINARY_MINIMUM 4  // NaN if either is NaN
#define EK_BINARY_MAXIMUM 5  // NaN if either is NaN
#define EK_BINARY_POWER 6
#define EK_BINARY_SQUARED_DIFFERENCE 7
// Comparisons: 1 or 0.
#define EK_BINARY_EQUAL 8
#define EK_BINARY_NOT_EQUAL 9
#define EK_BINARY_LESS 10
#define EK_BINARY_LESS_OR_EQUAL 11
#define EK_BINARY_GREATER 12
#define EK_BINARY_GREATER_OR_EQUAL 13
// Derivatives: a is dy, b is the function's argument x (or its result y where it says so).
#define EK_BINARY_ABS_GRADIENT 14  // dy * sign(x)
#define EK_BINARY_RELU_GRADIENT 15
#define EK_BINARY_LEAKY_RELU_GRADIENT 16  // p: slope
#define EK_BINARY_RELU6_GRADIENT 17  // dy from 0 to 6, both included
#define EK_BINARY_ELU_GRADIENT 18  // p: alpha
#define EK_BINARY_GELU_GRADIENT 19
#define EK_BINARY_GELU_TANH_GRADIENT 20
#define EK_BINARY_SILU_GRADIENT 21
#define EK_BINARY_SIGMOID_GRADIENT 22  // b: the result y
#define EK_BINARY_TANH_GRADIENT 23     // b: the result y
#define EK_BINARY_SOFTPLUS_GRADIENT 24
#define EK_BINARY_EXCEEDS 25  // 1 where a > b, 1/2 where they are equal, 0 elsewhere
#define EK_BINARY_COUNT 26

/// y = op(x).
void ek_unary_f32(int op, const float *x, float *y, size_t n, float p);

/// y = op(a, b).
void ek_binary_f32(int op, const float *a, const float *b, float *y, size_t n, float p);

/// y = op(a, b) with one number as the right argument.
void ek_binary_scalar_right_f32(int op, const float *a, float b, float *y, size_t n, float p);

/// y = op(a, b) over `rows` runs of n elements. Run r of y begins at y + r * n, that of a at
/// a + r * a_stride; it is an array, or one number for the whole run where `a_is_array` is 0. So is
/// b's. At least one of them is an array.
void ek_binary_runs_f32(int op, const float *a, size_t a_stride, int a_is_array, const float *b,
                        size_t b_stride, int b_is_array, float *y, size_t rows, size_t n, float p);

// The same for bfloat16 (the upper half of a float, as uint16_t): computed in float, rounded to
// nearest even when stored.
void ek_unary_bf16(int op, const uint16_t *x, uint16_t *y, size_t n, float p);
void ek_binary_bf16(int op, const uint16_t *a, const uint16_t *b, uint16_t *y, size_t n, float p);
void ek_binary_scalar_right_bf16(int op, const uint16_t *a, uint16_t b, uint16_t *y, size_t n,
                                 float p);
void ek_binary_runs_bf16(int op, const uint16_t *a, size_t a_stride, int a_is_array,
                         const uint16_t *b, size_t b_stride, int b_is_array, uint16_t *y,
                         size_t rows, size_t n, float p);

/// y = condition != 0 ? a : b.
void ek_select_f32(const float *condition, const float *a, const float *b, float *y, size_t n);

/// y = min(max(x, low), high); NaN stays NaN.
void ek_clamp_f32(const float *x, float low, float high, float *y, size_t n);

/// y += alpha x.
void ek_axpy_f32(float alpha, const float *x, float *y, size_t n);

/// y = value.
void ek_fill_f32(float value, float *y, size_t n);

/// The sum, and the sum of squares, in double.
double ek_sum_f32(const float *x, size_t n);
double ek_square_sum_f32(const float *x, size_t n);

/// 1 when no element is infinite or NaN, else 0.
int ek_all_finite_f32(const float *x, size_t n);
