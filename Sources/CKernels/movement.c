#include "include/ek_movement.h"

#include "prefetch.h"

typedef float lanes8 __attribute__((vector_size(32), aligned(4), may_alias));

#if defined(__x86_64__) && defined(__linux__)
#define EK_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define EK_CLONES
#endif

// An 8 by 8 block in registers: interleave pairs of rows, then pairs of pairs, then halves.
static inline __attribute__((always_inline)) void transpose_block(const float *x, size_t x_stride,
                                                                  float *y, size_t y_stride) {
    lanes8 a[8], b[8];
    for (size_t i = 0; i < 8; i++) a[i] = *(const lanes8 *)(x + i * x_stride);
    for (size_t i = 0; i < 8; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (size_t i = 0; i < 8; i += 4) {
        a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 1] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        a[i + 2] = __builtin_shufflevector(b[i + 1], b[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 3] = __builtin_shufflevector(b[i + 1], b[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (size_t i = 0; i < 4; i++) {
        lanes8 low = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        lanes8 high = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
        *(lanes8 *)(y + i * y_stride) = low;
        *(lanes8 *)(y + (i + 4) * y_stride) = high;
    }
}

// Bands of 256 rows, in them 8 columns at a time: each is written to its end, whole cache lines, and the
// lines of the next 8 are asked for meanwhile.
EK_CLONES
void ek_transpose_f32(const float *x, size_t rows, size_t columns, size_t x_stride, float *y,
                      size_t y_stride) {
    const size_t band = 256;
    const size_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
    for (size_t top = 0; top < whole_rows; top += band) {
        const size_t bottom = top + band < whole_rows ? top + band : whole_rows;
        for (size_t c = 0; c < whole_columns; c += 8) {
            const size_t ahead = c + 16 <= columns ? 8 : 0;
            for (size_t r = top; r < bottom; r += 8) {
                for (size_t i = 0; r % 16 == 0 && i < ahead; i++) {
                    EK_PREFETCH_FOR_WRITING(y + (c + 8 + i) * y_stride + r);
                }
                transpose_block(x + r * x_stride + c, x_stride, y + c * y_stride + r, y_stride);
            }
        }
    }
    for (size_t c = whole_columns; c < columns; c++) {
        for (size_t r = 0; r < whole_rows; r++) y[c * y_stride + r] = x[r * x_stride + c];
    }
    for (size_t r = whole_rows; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) y[c * y_stride + r] = x[r * x_stride + c];
    }
}
