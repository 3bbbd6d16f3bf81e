#include "include/ek_centred.h"
#include "include/ek_movement.h"

#include "layout.h"

#include "element_f32.h"

#include "centred_exports.h"

EK_EXPORT(void, ek_centred_input_gradient_columns_f32,
          (const float *dy, const float *x, size_t rows, size_t channels, size_t first,
           size_t count, const double *mean, const double *a, const double *b, const double *c,
           const double *scale, const double *shift, int activation, float slope, float *dx),
          (dy, x, rows, channels, first, count, mean, a, b, c, scale, shift, activation, slope, dx))
