// Convolutions of float32 images, and their gradients by the image, for processors with vectors of eight
// floats: oneDNN leaves a tenth to a third of what those can do.

#pragma once

#include <stddef.h>

#include "ek_convolution.h"

/// What is done to results before they are stored.
struct ek_convolution_output {
    const float *bias;      // a number for each output; or NULL
    const float *residual;  // added, of the result's layout; or NULL
    float slope;            // times numbers below zero: 0 for ReLU, 1 for nothing
    float limit;            // no result is larger
};

/// Whether ek_convolution_f32 computes such a convolution here, faster than others: where ek_level() is
/// EK_LEVEL_V3, with outputs in multiples of 16, more than one element in the kernel, and eight numbers or
/// more of an image in reach of each row of it. The sizes of images and results make no difference.
int ek_convolution_f32_fits(const struct ek_convolution *convolution);

/// Bytes of working memory, to be aligned to 64.
size_t ek_convolution_f32_workspace(const struct ek_convolution *convolution);

/// Bytes of a packed weight.
size_t ek_convolution_f32_packed(const struct ek_convolution *convolution);

/// Packs a weight [outputs, channels, kernel rows, kernel columns]; or, where `turned`, one
/// [channels, outputs, kernel rows, kernel columns] with its kernel turned by half a circle: the gradient by
/// the image is the convolution of the result's gradient with that.
void ek_convolution_f32_pack(const struct ek_convolution *convolution, int turned, const float *w,
                             float *packed);

/// y [samples, rows, columns, outputs] from x [samples, height, width, channels], which are different memory.
/// NaN stays NaN.
void ek_convolution_f32(const struct ek_convolution *convolution, const float *x, size_t samples,
                        const float *packed, const struct ek_convolution_output *output, float *y,
                        void *workspace);
