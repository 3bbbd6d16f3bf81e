#include "include/ek_elementwise.h"

#include <math.h>

#define EK_TEMPLATE "elementwise_template.h"
#include "levels.h"

EK_EXPORT(void, ek_unary_f32, (int op, const float *x, float *y, size_t n, float p),
          (op, x, y, n, p))
static EK_EXPORT(void, ek_binary_any_f32,
                 (int op, const float *a, const float *b, float *y, size_t n, float p, int one),
                 (op, a, b, y, n, p, one))
EK_EXPORT(void, ek_select_f32,
          (const float *condition, const float *a, const float *b, float *y, size_t n),
          (condition, a, b, y, n))
EK_EXPORT(void, ek_clamp_f32, (const float *x, float low, float high, float *y, size_t n),
          (x, low, high, y, n))
EK_EXPORT(void, ek_axpy_f32, (float alpha, const float *x, float *y, size_t n), (alpha, x, y, n))
EK_EXPORT(double, ek_sum_f32, (const float *x, size_t n), (x, n))
EK_EXPORT(double, ek_square_sum_f32, (const float *x, size_t n), (x, n))
EK_EXPORT(int, ek_all_finite_f32, (const float *x, size_t n), (x, n))

enum { NEITHER, RIGHT, LEFT };  // which argument is one number

void ek_binary_f32(int op, const float *a, const float *b, float *y, size_t n, float p) {
    ek_binary_any_f32(op, a, b, y, n, p, NEITHER);
}

void ek_binary_scalar_right_f32(int op, const float *a, float b, float *y, size_t n, float p) {
    ek_binary_any_f32(op, a, &b, y, n, p, RIGHT);
}

void ek_binary_scalar_left_f32(int op, float a, const float *b, float *y, size_t n, float p) {
    ek_binary_any_f32(op, &a, b, y, n, p, LEFT);
}

void ek_binary_rows_f32(int op, const float *a, const float *b, float *y, size_t rows,
                        size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        ek_binary_any_f32(op, a + r * length, b, y + r * length, length, p, NEITHER);
}

void ek_binary_rows_left_f32(int op, const float *a, const float *b, float *y, size_t rows,
                             size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        ek_binary_any_f32(op, a, b + r * length, y + r * length, length, p, NEITHER);
}

void ek_binary_row_scalars_f32(int op, const float *a, const float *b, float *y, size_t rows,
                               size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        ek_binary_any_f32(op, a + r * length, b + r, y + r * length, length, p, RIGHT);
}

void ek_binary_row_scalars_left_f32(int op, const float *a, const float *b, float *y, size_t rows,
                                    size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        ek_binary_any_f32(op, a + r, b + r * length, y + r * length, length, p, LEFT);
}

void ek_fill_f32(float value, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = value;
}
