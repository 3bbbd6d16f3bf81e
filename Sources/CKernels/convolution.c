#include "include/ek_convolution.h"

#include "level.h"

// An instruction multiplies 16 pairs of numbers and adds both products to a float. The two numbers of a
// pair are the same element of two images, so that shifting the kernel does not part them: images are
// interleaved two at a time, and from there on a pair is moved like one number.

#define EK_PAIR_ROWS 7  // of the result at a time: what 3x3 kernels read of small images stays in L1
#define EK_BLOCK 16     // channels and outputs in a block, as many accumulators as a vector has lanes

#if EK_LEVELS == 3

#define EK_BF16 \
    __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512)))

/// Pairs of the elements of a and b; zeros in the place of a missing b.
EK_BF16 static void interleave(const uint16_t *a, const uint16_t *b, size_t n, uint32_t *pairs) {
    for (size_t i = 0; i < n; i += 16) {
        __m512i pair = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(a + i)));
        if (b) {
            const __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(b + i)));
            pair = _mm512_or_si512(pair, _mm512_slli_epi32(high, 16));
        }
        _mm512_storeu_si512(pairs + i, pair);
    }
}

/// The part of the result that one element of the kernel sees: where it begins, in pairs of the image
/// and of the result, how far rows and columns are apart, and how many there are.
struct region {
    const uint32_t *x, *dy;
    size_t x_row, x_column, dy_row, dy_column;
    size_t rows, columns;
};

/// Adds a block of 16 channels and 16 outputs; dw's rows are `stride` apart.
EK_BF16 static void add_block(const struct region *region, float *dw, size_t stride) {
    __m512 sum[EK_BLOCK];
#pragma clang loop unroll(full)
    for (size_t c = 0; c < EK_BLOCK; c++) sum[c] = _mm512_loadu_ps(dw + c * stride);
    for (size_t i = 0; i < region->rows; i++) {
        const uint32_t *x = region->x + i * region->x_row, *dy = region->dy + i * region->dy_row;
        for (size_t j = 0; j < region->columns; j++) {
            const __m512bh outputs = (__m512bh)_mm512_loadu_si512(dy);
#pragma clang loop unroll(full)
            for (size_t c = 0; c < EK_BLOCK; c++)
                sum[c] = _mm512_dpbf16_ps(sum[c], outputs,
                                          (__m512bh)_mm512_set1_epi32((int32_t)x[c]));
            x += region->x_column;
            dy += region->dy_column;
        }
    }
#pragma clang loop unroll(full)
    for (size_t c = 0; c < EK_BLOCK; c++) _mm512_storeu_ps(dw + c * stride, sum[c]);
}

/// What is asked for between blocks, so many cache lines each time: the rest of a range, and those behind it.
struct requests {
    const char *from, *end;
    const struct ek_range *next;
    size_t left, each;
};

EK_INLINE void ask(struct requests *r) {
    const char *p = r->from;
    const char *end = (size_t)(r->end - p) > 64 * r->each ? p + 64 * r->each : r->end;
    for (; p < end; p += 64) __builtin_prefetch(p, 0, 2);
    r->from = p;
    if (p >= r->end && r->left > 0) {
        r->from = r->next->from;
        r->end = r->from + r->next->bytes;
        r->next++;
        r->left--;
    }
}

/// Spread over so many blocks.
static struct requests requests_over(size_t blocks, const struct ek_range *ahead, size_t ranges) {
    size_t lines = 0;
    for (size_t i = 0; i < ranges; i++) lines += ahead[i].bytes / 64 + 1;
    return (struct requests){NULL, NULL, ahead, ranges, lines / (blocks > ranges ? blocks - ranges : 1) + 1};
}

/// Of the positions from *first to *end, those where an element of the kernel lies on the image.
static void clip(size_t *first, size_t *end, size_t stride, size_t offset, size_t before,
                 size_t extent) {
    while (*first < *end && *first * stride + offset < before) ++*first;
    while (*end > *first && (*end - 1) * stride + offset >= before + extent) --*end;
}

/// The rows of the result from `first` to `end`, of two images in pairs.
static void add_rows(const struct ek_convolution *g, const uint32_t *x, const uint32_t *dy,
                     size_t first, size_t end, float *dw, struct requests *requests) {
    for (size_t r = 0; r < g->kernel[0]; r++) {
        size_t top = first, bottom = end;
        clip(&top, &bottom, g->strides[0], r, g->before[0], g->height);
        for (size_t s = 0; s < g->kernel[1]; s++) {
            size_t left = 0, right = g->columns;
            clip(&left, &right, g->strides[1], s, g->before[1], g->width);
            if (top == bottom || left == right) continue;
            const size_t row = top * g->strides[0] + r - g->before[0];
            const size_t column = left * g->strides[1] + s - g->before[1];
            struct region region = {
                .x_row = g->strides[0] * g->width * g->channels,
                .x_column = g->strides[1] * g->channels,
                .dy_row = g->columns * g->outputs,
                .dy_column = g->outputs,
                .rows = bottom - top,
                .columns = right - left,
            };
            for (size_t k = 0; k < g->outputs; k += EK_BLOCK)
                for (size_t c = 0; c < g->channels; c += EK_BLOCK) {
                    region.x = x + (row * g->width + column) * g->channels + c;
                    region.dy = dy + (top * g->columns + left) * g->outputs + k;
                    const size_t tap = r * g->kernel[1] + s;
                    ask(requests);
                    add_block(&region, dw + (tap * g->channels + c) * g->outputs + k, g->outputs);
                }
        }
    }
}

void ek_weight_gradient_bf16(const struct ek_convolution *g, const uint16_t *x,
                             const uint16_t *dy, size_t samples, float *dw, void *workspace,
                             const struct ek_range *ahead, size_t ranges) {
    const size_t blocks = (samples + 1) / 2 * ((g->rows + EK_PAIR_ROWS - 1) / EK_PAIR_ROWS) *
                          g->kernel[0] * g->kernel[1] * (g->channels / EK_BLOCK) *
                          (g->outputs / EK_BLOCK);
    struct requests requests = requests_over(blocks, ahead, ranges);
    const size_t image = g->height * g->width * g->channels;
    const size_t result = g->rows * g->columns * g->outputs;
    uint32_t *x_pairs = workspace, *dy_pairs = x_pairs + image;
    for (size_t n = 0; n < samples; n += 2) {
        const int both = n + 1 < samples;
        interleave(x + n * image, both ? x + (n + 1) * image : NULL, image, x_pairs);
        interleave(dy + n * result, both ? dy + (n + 1) * result : NULL, result, dy_pairs);
        for (size_t row = 0; row < g->rows; row += EK_PAIR_ROWS)
            add_rows(g, x_pairs, dy_pairs, row, ek_smaller(row + EK_PAIR_ROWS, g->rows), dw,
                     &requests);
    }
}

#else

void ek_weight_gradient_bf16(const struct ek_convolution *g, const uint16_t *x,
                             const uint16_t *dy, size_t samples, float *dw, void *workspace,
                             const struct ek_range *ahead, size_t ranges) {
    (void)g, (void)x, (void)dy, (void)samples, (void)dw, (void)workspace, (void)ahead, (void)ranges;
    __builtin_trap();  // it does not fit here
}

#endif

int ek_weight_gradient_bf16_fits(const struct ek_convolution *g) {
    return ek_has_bf16() && g->channels % EK_BLOCK == 0 && g->outputs % EK_BLOCK == 0;
}

size_t ek_weight_gradient_bf16_workspace(const struct ek_convolution *g) {
    return (g->height * g->width * g->channels + g->rows * g->columns * g->outputs) *
           sizeof(uint32_t);
}
