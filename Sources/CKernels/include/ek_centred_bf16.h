// The kernels of ek_centred.h for bfloat16 tensors (the upper half of a float, as uint16_t).
// Statistics, parameters and weights are the same as there; what is double there is float within a tile, and
// results are rounded to nearest even when stored.

#pragma once

#include <stddef.h>
#include <stdint.h>

void ek_moments_bf16(const uint16_t *x, const float *weights, size_t outer, size_t channels,
                     size_t inner, double *state);

void ek_centred_scale_bf16(const uint16_t *x, size_t outer, size_t channels, size_t inner,
                           const double *mean, const double *scale, const double *shift,
                           const uint16_t *residual, int activation, float slope, uint16_t *y,
                           int stream);

void ek_centred_sums_bf16(const uint16_t *dy, const uint16_t *x, size_t outer, size_t channels,
                          size_t inner, const double *mean, const double *scale,
                          const double *shift, const uint16_t *residual, int activation,
                          float slope, uint16_t *y, int stream, double *sums);

void ek_gated_sums_bf16(const uint16_t *dy, const uint16_t *added, const uint16_t *gate,
                        const uint16_t *x, size_t outer, size_t channels, size_t inner,
                        const double *mean, uint16_t *y, double *sums);

void ek_centred_input_gradient_bf16(const uint16_t *dy, const uint16_t *x, size_t outer,
                                    size_t channels, size_t inner, const double *mean,
                                    const double *a, const double *b, const double *c,
                                    const double *scale, const double *shift,
                                    const uint16_t *residual, int activation, float slope,
                                    uint16_t *dx, uint16_t *dresidual, int far);

void ek_column_sums_bf16(const uint16_t *x, size_t outer, size_t channels, size_t inner,
                         double *sums);
