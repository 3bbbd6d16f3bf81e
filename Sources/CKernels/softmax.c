#include "include/ek_softmax.h"

#include <math.h>

#define EK_TEMPLATE "softmax_template.h"
#include "levels.h"

EK_EXPORT(void, ek_softmax_f32, (const float *x, size_t rows, size_t length, float *y),
          (x, rows, length, y))
EK_EXPORT(void, ek_log_softmax_f32, (const float *x, size_t rows, size_t length, float *y),
          (x, rows, length, y))
EK_EXPORT(void, ek_softmax_gradient_f32,
          (const float *dy, const float *y, size_t rows, size_t length, float *dx),
          (dy, y, rows, length, dx))
EK_EXPORT(void, ek_log_softmax_gradient_f32,
          (const float *dy, const float *y, size_t rows, size_t length, float *dx),
          (dy, y, rows, length, dx))
EK_EXPORT(void, ek_softmax_cross_entropy_f32,
          (const float *logits, const int32_t *labels, size_t rows, size_t classes,
           float smoothing, float scale, float *loss, float *dlogits),
          (logits, labels, rows, classes, smoothing, scale, loss, dlogits))
EK_EXPORT(void, ek_row_max_f32, (const float *x, size_t rows, size_t length, float *y),
          (x, rows, length, y))
EK_EXPORT(void, ek_row_argmax_f32,
          (const float *x, size_t rows, size_t length, int32_t *indices),
          (x, rows, length, indices))
EK_EXPORT(void, ek_row_sums_f32, (const float *x, size_t rows, size_t length, double *sums),
          (x, rows, length, sums))
