// EvoNorm-B0 of one sample [outer, channels, inner], with d = max(batch, slope x + sample), q = x / d,
// e = -dy gamma q / d, and m = 1 where slope x + sample is larger than batch, 1/2 where they are equal,
// else 0. Where d is 0, so are q and 1 / d.

#pragma once

#include <stddef.h>

/// One number per channel, each.
struct ek_evonorm {
    const float *batch, *slope, *sample, *gamma;
    /// Read by scale only.
    const float *beta;
    /// Read by input_gradient only: the mean as a high and a low part, and what it is multiplied with and
    /// shifted by; `high` may be null.
    const float *high, *low, *factor, *shift;
};

/// y = q gamma + beta.
void ek_evonorm_scale_f32(const float *x, size_t outer, size_t channels, size_t inner,
                          const struct ek_evonorm *p, float *y);

/// Adds the sums over a channel of dy, dy q, e (1 - m), e m and e m x to `sums`, [5][channels].
void ek_evonorm_sums_f32(const float *dy, const float *x, size_t outer, size_t channels,
                         size_t inner, const struct ek_evonorm *p, double *sums);

/// dx = dy gamma / d + e m slope, and with `high` + (x - high - low) factor + shift.
void ek_evonorm_input_gradient_f32(const float *dy, const float *x, size_t outer, size_t channels,
                                   size_t inner, const struct ek_evonorm *p, float *dx);
