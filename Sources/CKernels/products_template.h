// Matrix products in blocks of y whose sums stay in registers; nothing is packed.

#define product_block EK_NAME(ek_product_block)
#define product_columns EK_NAME(ek_product_columns)
#define dot_block EK_NAME(ek_dot_block)
#define dot_rows EK_NAME(ek_dot_rows)
#define product_lanes EK_NAME(ek_product_lanes)
#define column_rows EK_NAME(ek_column_rows)
#define sum_rows EK_NAME(ek_sum_rows)

#define EK_BLOCK 4  // rows of a block at most
// Vectors, or columns of B transposed, of a block at most: with EK_BLOCK rows of sums, as many as the
// processor has registers for (32 or 16, of which some hold the factors).
#undef EK_BLOCK_VECTORS
#undef EK_BLOCK_COLUMNS
#define EK_BLOCK_VECTORS ((size_t)(EK_WIDTH == 16 ? 4 : EK_WIDTH == 8 ? 3 : 2))
#define EK_BLOCK_COLUMNS ((size_t)(EK_WIDTH == 16 ? 4 : 2))
#define EK_SUM_ROWS 8       // rows of a sum that are added in float
#define EK_COLUMN_RUN 2048  // elements of a row whose products are added in float

/// rows x (columns vectors, the last of `last` lanes) of A B. `row` and `step` lead from one row of A
/// to the next, and from one of its columns to the next.
///
/// Of what comes after this part of b, a vector of each row is asked for at `next` where given: another
/// core may have written it.
EK_INLINE void product_block(size_t rows, size_t columns, size_t last, size_t k, const float *a,
                             size_t row, size_t step, const float *b, size_t ldb,
                             const float *next, float *y, size_t ldy) {
    vf sum[EK_BLOCK][EK_BLOCK_VECTORS];
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) sum[i][q] = (vf)0.0f;
    for (size_t p = 0; p < k; p++) {
        if (next) __builtin_prefetch(next + p * ldb, 0, 2);
        vf right[EK_BLOCK_VECTORS];
        for (size_t q = 0; q < columns; q++) {
            const float *from = b + p * ldb + q * W;
            right[q] = q + 1 < columns || last == W ? vload(from) : vload_n(from, last);
        }
        for (size_t i = 0; i < rows; i++) {
            const vf left = (vf)a[i * row + p * step];
            for (size_t q = 0; q < columns; q++) sum[i][q] += left * right[q];
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) {
            float *to = y + i * ldy + q * W;
            if (q + 1 < columns || last == W) vstore(to, sum[i][q]);
            else vstore_n(to, sum[i][q], last);
        }
}

/// All rows of some columns, whose part of b stays in cache. From `next` on, `ahead` vectors of each
/// row come after them.
EK_INLINE void product_columns(size_t m, size_t columns, size_t last, size_t k, const float *a,
                               size_t row, size_t step, const float *b, size_t ldb,
                               const float *next, size_t ahead, float *y, size_t ldy) {
    size_t i = 0;
    for (size_t block = 0; i + EK_BLOCK <= m; i += EK_BLOCK, block++) {
        // Blocks of rows share the asking, so that it stays behind the arithmetic.
        if (block < ahead)
            product_block(EK_BLOCK, columns, last, k, a + i * row, row, step, b, ldb,
                          next + block * W, y + i * ldy, ldy);
        else
            product_block(EK_BLOCK, columns, last, k, a + i * row, row, step, b, ldb, NULL,
                          y + i * ldy, ldy);
    }
    for (; i + 2 <= m; i += 2)
        product_block(2, columns, last, k, a + i * row, row, step, b, ldb, NULL, y + i * ldy, ldy);
    if (i < m)
        product_block(1, columns, last, k, a + i * row, row, step, b, ldb, NULL, y + i * ldy, ldy);
}

/// The sum of the lanes, as a binary tree: halves are added until one lane is left.
EK_INLINE float product_lanes(vf v) {
#if EK_WIDTH == 16
    v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1);
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    v += __builtin_shufflevector(v, v, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
#elif EK_WIDTH == 8
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, -1, -1, -1, -1);
    v += __builtin_shufflevector(v, v, 2, 3, -1, -1, -1, -1, -1, -1);
#else
    v += __builtin_shufflevector(v, v, 2, 3, -1, -1);
#endif
    return v[0] + v[1];
}

/// rows x columns products of rows of a with rows of b.
EK_INLINE void dot_block(size_t rows, size_t columns, size_t k, const float *a, size_t lda,
                         const float *b, size_t ldb, float *y, size_t ldy) {
    vf sum[EK_BLOCK][EK_BLOCK_COLUMNS];
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) sum[i][q] = (vf)0.0f;
    for (size_t p = 0; p < k; p += W) {
        const size_t count = k - p;
        vf right[EK_BLOCK_COLUMNS];
        for (size_t q = 0; q < columns; q++) {
            const float *from = b + q * ldb + p;
            right[q] = count >= W ? vload(from) : vload_n(from, count);
        }
        for (size_t i = 0; i < rows; i++) {
            const float *from = a + i * lda + p;
            const vf left = count >= W ? vload(from) : vload_n(from, count);
            for (size_t q = 0; q < columns; q++) sum[i][q] += left * right[q];
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) y[i * ldy + q] = product_lanes(sum[i][q]);
}

EK_INLINE void dot_rows(size_t rows, size_t n, size_t k, const float *a, size_t lda, const float *b,
                        size_t ldb, float *y) {
    size_t j = 0;
    for (; j + EK_BLOCK_COLUMNS <= n; j += EK_BLOCK_COLUMNS)
        dot_block(rows, EK_BLOCK_COLUMNS, k, a, lda, b + j * ldb, ldb, y + j, n);
    for (; j + 2 <= n; j += 2) dot_block(rows, 2, k, a, lda, b + j * ldb, ldb, y + j, n);
    if (j < n) dot_block(rows, 1, k, a, lda, b + j * ldb, ldb, y + j, n);
}

static void EK_NAME(ek_product_f32)(int transposes_a, int transposes_b, size_t m, size_t n,
                                          size_t k, const float *a, size_t lda, const float *b,
                                          size_t ldb, float *y) {
    // From one row of A to the next, and from one of its columns to the next.
    const size_t row = transposes_a ? 1 : lda, step = transposes_a ? lda : 1;
    size_t i = 0;
    if (transposes_b) {
        for (; i + EK_BLOCK <= m; i += EK_BLOCK)
            dot_rows(EK_BLOCK, n, k, a + i * lda, lda, b, ldb, y + i * n);
        for (; i < m; i++) dot_rows(1, n, k, a + i * lda, lda, b, ldb, y + i * n);
        return;
    }
    size_t j = 0;
    for (size_t left = n / W; left > 0;) {
        // A single vector has too few sums to keep the processor busy: no block leaves one over.
        size_t vectors = ek_smaller(EK_BLOCK_VECTORS, left);
        if (EK_BLOCK_VECTORS > 2 && left == EK_BLOCK_VECTORS + 1) vectors = 2;
        left -= vectors;
        const float *next = b + j + vectors * W;
        const size_t ahead = ek_smaller(EK_BLOCK_VECTORS, left);
        switch (vectors) {
#define EK_CASE(count)                                                                            \
    case count:                                                                                   \
        product_columns(m, count, W, k, a, row, step, b + j, ldb, next, ahead, y + j, n);         \
        break;
            EK_CASE(1) EK_CASE(2) EK_CASE(3) EK_CASE(4)
#undef EK_CASE
        }
        j += vectors * W;
    }
    if (j < n) product_columns(m, 1, n - j, k, a, row, step, b + j, ldb, NULL, 0, y + j, n);
}

/// The products of some rows of a with the column b.
EK_INLINE void column_rows(size_t rows, size_t k, const float *a, const float *b, float *y) {
    double total[EK_BLOCK] = {0.0};
    for (size_t begin = 0; begin < k; begin += EK_COLUMN_RUN) {
        const size_t end = begin + ek_smaller(EK_COLUMN_RUN, k - begin);
        vf sum[EK_BLOCK];
        for (size_t i = 0; i < rows; i++) sum[i] = (vf)0.0f;
        size_t p = begin;
        for (; p + W <= end; p += W) {
            const vf right = vload(b + p);
            for (size_t i = 0; i < rows; i++) sum[i] += vload(a + i * k + p) * right;
        }
        if (p < end) {
            const vf right = vload_n(b + p, end - p);
            for (size_t i = 0; i < rows; i++) sum[i] += vload_n(a + i * k + p, end - p) * right;
        }
        for (size_t i = 0; i < rows; i++) total[i] += vsum(vwiden(sum[i]));
    }
    for (size_t i = 0; i < rows; i++) y[i] = (float)total[i];
}

static void EK_NAME(ek_product_column_f32)(size_t m, size_t k, const float *a, const float *b,
                                           float *y) {
    size_t i = 0;
    for (; i + EK_BLOCK <= m; i += EK_BLOCK) column_rows(EK_BLOCK, k, a + i * k, b, y + i);
    for (; i < m; i++) column_rows(1, k, a + i * k, b, y + i);
}

/// Adds some rows of a, each times its factor, to the sums.
EK_INLINE void sum_rows(size_t rows, size_t n, const float *a, const float *factors, double *sums) {
    size_t j = 0;
    for (; j + W <= n; j += W) {
        vf sum = (vf)0.0f;
        for (size_t i = 0; i < rows; i++) sum += vload(a + i * n + j) * (vf)factors[i];
        vdstore(sums + j, vdload(sums + j) + vwiden(sum));
    }
    if (j == n) return;
    vf sum = (vf)0.0f;
    for (size_t i = 0; i < rows; i++) sum += vload_n(a + i * n + j, n - j) * (vf)factors[i];
    for (size_t l = 0; j + l < n; l++) sums[j + l] += (double)sum[l];
}

static void EK_NAME(ek_add_scaled_rows_f32)(size_t m, size_t n, const float *a,
                                            const float *factors, double *sums) {
    size_t i = 0;
    for (; i + EK_SUM_ROWS <= m; i += EK_SUM_ROWS)
        sum_rows(EK_SUM_ROWS, n, a + i * n, factors + i, sums);
    for (; i < m; i++) sum_rows(1, n, a + i * n, factors + i, sums);
}
