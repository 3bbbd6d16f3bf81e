#include "include/ek_elementwise.h"

#include <math.h>

#define EK_TEMPLATE "arrays_template.h"
#include "levels.h"

EK_EXPORT(void, ek_select_f32,
          (const float *condition, const float *a, const float *b, float *y, size_t n),
          (condition, a, b, y, n))
EK_EXPORT(void, ek_clamp_f32, (const float *x, float low, float high, float *y, size_t n),
          (x, low, high, y, n))
EK_EXPORT(void, ek_axpy_f32, (float alpha, const float *x, float *y, size_t n), (alpha, x, y, n))
EK_EXPORT(double, ek_sum_f32, (const float *x, size_t n), (x, n))
EK_EXPORT(double, ek_square_sum_f32, (const float *x, size_t n), (x, n))
EK_EXPORT(int, ek_all_finite_f32, (const float *x, size_t n), (x, n))

void ek_fill_f32(float value, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = value;
}
