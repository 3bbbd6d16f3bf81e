// The gradient of a convolution by its weight, of bfloat16 images, with the instructions that
// multiply pairs of bfloat16 numbers and add in float.

#pragma once

#include <stddef.h>
#include <stdint.h>

/// A convolution of images [height, width, channels] to [rows, columns, outputs]: position (i, j) of the
/// result sees the image from (i * strides[0] - before[0], j * strides[1] - before[1]) on.
struct ek_convolution {
    size_t height, width, channels;
    size_t rows, columns, outputs;
    size_t kernel[2], strides[2], before[2];
};

/// Whether ek_weight_gradient_bf16 computes such a convolution here: where
/// ek_has_bf16() is true, with channels and outputs in multiples of 16.
int ek_weight_gradient_bf16_fits(const struct ek_convolution *convolution);

/// Bytes of working memory, to be aligned to 64.
size_t ek_weight_gradient_bf16_workspace(const struct ek_convolution *convolution);

/// Memory that will be read soon.
struct ek_range {
    const void *from;
    size_t bytes;
};

/// dw[kernel row, kernel column, channel, output] += the sum over samples and positions of x times dy,
/// where x is [samples, height, width, channels] and dy is [samples, rows, columns, outputs].
/// On its way it asks for the memory of `ahead`.
void ek_weight_gradient_bf16(const struct ek_convolution *convolution, const uint16_t *x,
                             const uint16_t *dy, size_t samples, float *dw, void *workspace,
                             const struct ek_range *ahead, size_t ranges);
