// Statistics per channel, and what normalization does with them.
//
// Tensors are viewed as [outer, channels, inner]: inner == 1 is channels last; channel axis 1 of
// [N, C, H, W] has outer = N and inner = H * W. A position is one of outer * inner; weights, where
// given, have one float per position. What has weight 0 may be NaN without any effect.
//
// Parameters per channel are double. The mean is applied as a high and a low float,
// (x - high) * scale + (shift - low * scale), which is as right as subtracting it exactly: x - high is
// exact near the mean, at any offset.
// (It must fit a float: beyond about 1.7e38 in magnitude a difference can overflow.)
//
// The activation is part of the pass: act(pre), pre = (x - mean) * scale + shift + residual. The
// gradient kernels compute pre again, bit for bit as the forward kernel does, instead of reading
// its output, and dy' = dy * act'(pre). As in PyTorch act'(0) is 0 for ReLU, act' is 0 at both
// corners of ReLU6, and act'(0) is the slope for leaky ReLU.

#pragma once

#include <stddef.h>

#include "ek_far.h"

#define EK_IDENTITY 0
#define EK_RELU 1        // max(x, 0); NaN stays NaN
#define EK_LEAKY_RELU 2  // x < 0 ? slope * x : x
#define EK_RELU6 3       // min(max(x, 0), 6)

/// Merges count, mean and M2 (the sum of squared deviations) of the values of every channel into
/// `state`: [count, mean[channels], M2[channels]]. A state of zeros is empty.
///
/// Squares are centred about what was merged before, or about a value of the tile, and tiles merged with
/// Chan's formula in a fixed order, all in double. A constant channel gives exactly its mean and M2 == 0;
/// inputs near the ends of float's range give finite results. The count is the sum of the weights.
void ek_moments_f32(const float *x, const float *weights, size_t outer, size_t channels,
                    size_t inner, double *state);

/// y = act((x - mean) * scale + shift + residual). `scale`, `shift` and `residual` may be null
/// (1, 0, 0); `residual` has x's layout; `slope` is for EK_LEAKY_RELU. `stream` != 0 stores past
/// the caches and asks ahead for what it reads: for outputs larger than the last-level cache that nobody
/// reads soon.
void ek_centred_scale_f32(const float *x, size_t outer, size_t channels, size_t inner,
                          const double *mean, const double *scale, const double *shift,
                          const float *residual, int activation, float slope, float *y,
                          int stream);

/// Adds sum(dy') and sum(dy' (x - mean)) of every channel to `sums`, [2][channels], in double.
/// `y`, where given, gets act(pre): a backward pass that needs the forward pass's output again has it
/// without reading x another time; it must be other memory than `dy` and `x`.
/// `stream` != 0 stores `y` past the caches.
/// Without `y`, and with EK_IDENTITY, `scale`, `shift` and `residual` are not used.
void ek_centred_sums_f32(const float *dy, const float *x, size_t outer, size_t channels,
                         size_t inner, const double *mean, const double *scale,
                         const double *shift, const float *residual, int activation, float slope,
                         float *y, int stream, double *sums);

/// y = gate <= 0 ? 0 : dy + added: the gradient behind a ReLU whose output is `gate`, of a sum where
/// `added` is given, each step rounded as it would be alone. Adds sum y to `sums`, [channels], and where x is
/// given sum y (x - mean) behind them, [2][channels]. `y` may be the memory of `dy` or `added`.
void ek_gated_sums_f32(const float *dy, const float *added, const float *gate, const float *x,
                       size_t outer, size_t channels, size_t inner, const double *mean, float *y,
                       double *sums);

/// dx = a dy' + b (x - mean) + c with a, b, c per channel; `dresidual`, where given, gets dy'. The three terms
/// may cancel: dx is right to 1.4e-6 of the largest of those at hand, in float where that suffices, else in double.
/// Outputs must be other memory than inputs. `far` (ek_far.h): EK_FAR is for a dx that is not in the core's caches
/// while dy and x are.
void ek_centred_input_gradient_f32(const float *dy, const float *x, size_t outer, size_t channels,
                                   size_t inner, const double *mean, const double *a,
                                   const double *b, const double *c, const double *scale,
                                   const double *shift, const float *residual, int activation,
                                   float slope, float *dx, float *dresidual, int far);

/// The same for channels first ..< first + count of dy and x, [rows, channels], and channels first:
/// dx is [count, rows].
void ek_centred_input_gradient_columns_f32(const float *dy, const float *x, size_t rows,
                                           size_t channels, size_t first, size_t count,
                                           const double *mean, const double *a, const double *b,
                                           const double *c, const double *scale,
                                           const double *shift, int activation, float slope,
                                           float *dx);

/// Adds the sum of every channel to `sums`, [channels]: the gradient of a bias.
void ek_column_sums_f32(const float *x, size_t outer, size_t channels, size_t inner, double *sums);
