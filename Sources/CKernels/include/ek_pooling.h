// Pooling, and linear maps along an axis, over images with channels last.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// The windows of a pooling over depth, height and width (extents of 1 where an axis is missing): along
/// each axis, output position i takes the input positions from starts[i] to ends[i], which is not
/// included and lies behind starts[i].
struct ek_windows {
    size_t inputs[3];
    size_t outputs[3];
    const int32_t *starts[3];
    const int32_t *ends[3];
};

/// From `other`, the elements where x has the largest of each window, the first of them or the first
/// NaN. Max pooling where `other` is x. y is no input.
void ek_max_pool_f32(const float *x, const float *other, size_t samples,
                     const struct ek_windows *windows, size_t channels, float *y);
void ek_max_pool_bf16(const uint16_t *x, const uint16_t *other, size_t samples,
                      const struct ek_windows *windows, size_t channels, uint16_t *y);

/// dx = dy where x has the largest element of a window, summed over windows, and 0 elsewhere. dx is no
/// input.
void ek_max_pool_gradient_f32(const float *x, const float *dy, size_t samples,
                              const struct ek_windows *windows, size_t channels, float *dx);
void ek_max_pool_gradient_bf16(const uint16_t *x, const uint16_t *dy, size_t samples,
                               const struct ek_windows *windows, size_t channels, uint16_t *dx);

/// y[o, i, :] = the sum over t from firsts[i] to firsts[i + 1] of weights[t] * x[o, sources[t], :], where
/// x is [outer, inputs, inner] and y is [outer, outputs, inner]. y is no input.
void ek_axis_map_f32(const float *x, size_t outer, size_t inputs, size_t outputs, size_t inner,
                     const int32_t *firsts, const int32_t *sources, const float *weights, float *y);
void ek_axis_map_bf16(const uint16_t *x, size_t outer, size_t inputs, size_t outputs, size_t inner,
                      const int32_t *firsts, const int32_t *sources, const float *weights,
                      uint16_t *y);

/// y[o, c, :] = the sum of x[o, c - before, :] to x[o, c + after, :], where x is [outer, channels, inner]
/// and what lies outside counts as 0. y is no input.
void ek_window_sum_f32(const float *x, size_t outer, size_t channels, size_t inner, size_t before,
                       size_t after, float *y);
void ek_window_sum_bf16(const uint16_t *x, size_t outer, size_t channels, size_t inner,
                        size_t before, size_t after, uint16_t *y);
