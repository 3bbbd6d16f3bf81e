#include "include/ek_convolution_f32.h"

#include "level.h"

// Blocks of the result whose sums stay in registers. What a row of the kernel sees, its columns times the
// channels, lies in one piece of the image: only zeros around the image have to be put there, a band of its
// rows at a time, and each row of the kernel is then a matrix product in place.

#define EK_PANEL 16      // outputs whose weights lie together: two vectors
#define EK_POSITIONS 6   // of the result in a block: with two vectors each, twelve sums in sixteen registers
#define EK_STEPS 4       // elements of the kernel between two looks at the end of its row
#define EK_PACKED_CHANNELS 16  // whose weights are packed together
#define EK_BAND_BYTES ((size_t)1 << 16)  // of image that stay in the cache while all outputs are made of it

static size_t padded_width(const struct ek_convolution *g) {
    return (g->columns - 1) * g->strides[1] + g->kernel[1];
}

static size_t padded_rows(const struct ek_convolution *g, size_t rows) {
    return (rows - 1) * g->strides[0] + g->kernel[0];
}

/// Rows of the result that are made of one band.
static size_t band_rows(const struct ek_convolution *g) {
    size_t rows = g->rows;
    while (rows > 1 &&
           padded_rows(g, rows) * padded_width(g) * g->channels * sizeof(float) > EK_BAND_BYTES)
        rows = (rows + 1) / 2;
    return rows;
}

size_t ek_convolution_f32_workspace(const struct ek_convolution *g) {
    return padded_rows(g, band_rows(g)) * padded_width(g) * g->channels * sizeof(float);
}

size_t ek_convolution_f32_packed(const struct ek_convolution *g) {
    return g->outputs * g->channels * g->kernel[0] * g->kernel[1] * sizeof(float);
}

int ek_convolution_f32_fits(const struct ek_convolution *g) {
#if EK_LEVELS == 3
    return ek_level() == EK_LEVEL_V3 && g->outputs > 0 && g->outputs % EK_PANEL == 0 &&
           g->kernel[0] * g->kernel[1] > 1 && g->kernel[1] * g->channels >= 2 * EK_STEPS &&
           g->rows > 0 && g->columns > 0;
#else
    (void)g;
    return 0;
#endif
}

void ek_convolution_f32_pack(const struct ek_convolution *g, int turned, const float *w,
                             float *packed) {
    const size_t channels = g->channels, taps = g->kernel[0] * g->kernel[1];
    // Of so few channels at a time that what is read stays in the fastest cache until all of it is used.
    for (size_t o = 0; o < g->outputs; o += EK_PANEL, packed += taps * channels * EK_PANEL)
        for (size_t first = 0; first < channels; first += EK_PACKED_CHANNELS)
            for (size_t t = 0; t < taps; t++)
                for (size_t c = first; c < ek_smaller(first + EK_PACKED_CHANNELS, channels); c++)
                    for (size_t l = 0; l < EK_PANEL; l++)
                        packed[(t * channels + c) * EK_PANEL + l] =
                            turned ? w[(c * g->outputs + o + l) * taps + taps - 1 - t]
                                   : w[((o + l) * channels + c) * taps + t];
}

#if EK_LEVELS == 3

/// The rows of an image that `rows` rows of the result from `first` on see, with zeros around the image.
static void pad_band(const struct ek_convolution *g, const float *x, size_t first, size_t rows,
                     float *band) {
    const size_t width = padded_width(g), height = padded_rows(g, rows);
    const size_t left = ek_smaller(g->before[1], width);
    const size_t columns = ek_smaller(g->width, width - left);
    const size_t right = width - left - columns;
    for (size_t r = 0; r < height; r++, band += width * g->channels) {
        const size_t row = first * g->strides[0] + r;
        if (row < g->before[0] || row - g->before[0] >= g->height) {
            memset(band, 0, width * g->channels * sizeof(float));
            continue;
        }
        const float *from = x + (row - g->before[0]) * g->width * g->channels;
        float *to = band + left * g->channels;
        memset(band, 0, left * g->channels * sizeof(float));
        memcpy(to, from, columns * g->channels * sizeof(float));
        memset(to + columns * g->channels, 0, right * g->channels * sizeof(float));
    }
}

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define EK_LEVEL_SUFFIX _v3
#define EK_WIDTH 8
#include "vector_template.h"

/// Elements `at` to `at + steps` of a row of the kernel at some positions.
EK_INLINE void add_steps(size_t steps, size_t positions, const float *const *x, size_t at,
                         const float *w, vf sum[][2]) {
    for (size_t p = 0; p < steps; p++) {
        const vf low = vload(w + p * EK_PANEL), high = vload(w + p * EK_PANEL + W);
        for (size_t i = 0; i < positions; i++) {
            const vf element = (vf)x[i][at + p];
            sum[i][0] += element * low;
            sum[i][1] += element * high;
        }
    }
}

EK_INLINE vf finished(vf sum, const struct ek_convolution_output *output, size_t o, size_t at) {
    if (output->bias) sum += vload(output->bias + o);
    if (output->residual) sum += vload(output->residual + at);
    const vf below = output->slope == 0.0f ? (vf)0.0f : sum * (vf)output->slope;
    sum = vblend(sum < (vf)0.0f, below, sum);
    return vblend(sum > (vf)output->limit, (vf)output->limit, sum);
}

/// A panel of outputs at some positions, from where each of them sees the band; y is the first one's first.
EK_INLINE void add_block(const struct ek_convolution *g, size_t positions, const float *const *starts,
                         const float *w, const struct ek_convolution_output *output, size_t o,
                         size_t at, float *y) {
    const size_t run = g->kernel[1] * g->channels, row = padded_width(g) * g->channels;
    const float *x[EK_POSITIONS];
    vf sum[EK_POSITIONS][2];
    for (size_t i = 0; i < positions; i++) {
        x[i] = starts[i];
        sum[i][0] = sum[i][1] = (vf)0.0f;
    }
    for (size_t r = 0; r < g->kernel[0]; r++) {
        size_t k = 0;
        for (; k + EK_STEPS <= run; k += EK_STEPS, w += EK_STEPS * EK_PANEL)
            add_steps(EK_STEPS, positions, x, k, w, sum);
        for (; k < run; k++, w += EK_PANEL) add_steps(1, positions, x, k, w, sum);
        for (size_t i = 0; i < positions; i++) x[i] += row;
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < positions; i++) {
        const size_t place = at + i * g->outputs + o;
        vstore(y + place, finished(sum[i][0], output, o, place));
        vstore(y + place + W, finished(sum[i][1], output, o + W, place + W));
    }
}

/// Rows of the result, whose first element is `at` in y, from a band.
static void convolve_band(const struct ek_convolution *g, const float *band, size_t rows,
                          const float *packed, const struct ek_convolution_output *output,
                          size_t at, float *y) {
    const size_t width = padded_width(g), total = rows * g->columns;
    for (size_t o = 0; o < g->outputs; o += EK_PANEL) {
        const float *w = packed + o * g->kernel[0] * g->kernel[1] * g->channels;
        size_t row = 0, column = 0;
        for (size_t i = 0; i < total;) {
            // Blocks of about one size.
            const size_t left = total - i, blocks = (left + EK_POSITIONS - 1) / EK_POSITIONS;
            const size_t positions = (left + blocks - 1) / blocks;
            const float *x[EK_POSITIONS];
            for (size_t p = 0; p < positions; p++) {
                x[p] = band + (row * g->strides[0] * width + column * g->strides[1]) * g->channels;
                if (++column == g->columns) column = 0, row++;
            }
            switch (positions) {
#define EK_CASE(positions)                                                               \
    case positions:                                                                      \
        add_block(g, positions, x, w, output, o, at + i * g->outputs, y);                \
        break;
                EK_CASE(1)
                EK_CASE(2)
                EK_CASE(3)
                EK_CASE(4)
                EK_CASE(5)
                EK_CASE(6)
#undef EK_CASE
            }
            i += positions;
        }
    }
}

#pragma clang attribute pop

void ek_convolution_f32(const struct ek_convolution *g, const float *x, size_t samples,
                        const float *packed, const struct ek_convolution_output *output, float *y,
                        void *workspace) {
    const size_t most = band_rows(g);
    for (size_t n = 0; n < samples; n++) {
        const float *image = x + n * g->height * g->width * g->channels;
        for (size_t first = 0; first < g->rows; first += most) {
            const size_t rows = ek_smaller(most, g->rows - first);
            pad_band(g, image, first, rows, workspace);
            convolve_band(g, workspace, rows, packed, output,
                          (n * g->rows + first) * g->columns * g->outputs, y);
        }
    }
}

#else

void ek_convolution_f32(const struct ek_convolution *g, const float *x, size_t samples,
                        const float *packed, const struct ek_convolution_output *output, float *y,
                        void *workspace) {
    (void)g, (void)x, (void)samples, (void)packed, (void)output, (void)y, (void)workspace;
    __builtin_trap();  // it does not fit here
}

#endif
