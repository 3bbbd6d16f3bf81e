// Matrix products in blocks of y whose sums stay in registers; nothing is packed.

#define product_steps EK_NAME(ek_product_steps)
#define product_block EK_NAME(ek_product_block)
#define product_columns EK_NAME(ek_product_columns)
#define product_all EK_NAME(ek_product_all)
#define block_rows EK_NAME(ek_block_rows)
#define dot_block EK_NAME(ek_dot_block)
#define dot_rows EK_NAME(ek_dot_rows)
#define product_lanes EK_NAME(ek_product_lanes)
#define column_rows EK_NAME(ek_column_rows)
#define sum_rows EK_NAME(ek_sum_rows)

// Rows of a block at most, and its vectors: as many sums as the processor has registers for (32 or 16)
// beside the factors, and no less than three in four of them. The loop over k is unrolled: where a core runs
// another program, too, this one gets about three instructions a cycle, of which two should be arithmetic.
#undef EK_BLOCK
#undef EK_BLOCK_VECTORS
#undef EK_VECTORS
#define EK_BLOCK ((size_t)(EK_WIDTH == 16 ? 4 : 6))
#define EK_BLOCK_VECTORS ((size_t)(EK_WIDTH == 16 ? 4 : 3))
#define EK_VECTORS(rows) ((size_t)(EK_WIDTH == 16 ? 4 : (rows) > 4 ? 2 : 3))
#define EK_STEPS 4
// Bytes of some columns of B up to which those that come next are asked for: where a first-level cache does
// not hold both, asking costs more than it gives, unless there are few instructions beside it.
#undef EK_ASKED_BYTES
#define EK_ASKED_BYTES ((size_t)(EK_WIDTH == 16 ? SIZE_MAX : 1 << 14))

// The same where rows of A meet rows of B, whose products need no broadcasts.
#undef EK_DOT_COLUMNS
#define EK_DOT_ROWS 4
#define EK_DOT_COLUMNS ((size_t)(EK_WIDTH == 16 ? 4 : 2))

#define EK_LINE 16          // elements of a cache line
#define EK_SUM_ROWS 8       // rows of a sum that are added in float
#define EK_COLUMN_RUN 2048  // elements of a row whose products are added in float

/// `steps` columns of A times as many rows of B, added to the sums. `row` and `step` lead from one row of A
/// to the next, and from one of its columns to the next.
EK_INLINE void product_steps(size_t steps, size_t rows, size_t columns, int whole, size_t last,
                             const float *a, size_t row, size_t step, const float *b, size_t ldb,
                             const float *next, vf sum[][EK_BLOCK_VECTORS]) {
    for (size_t p = 0; p < steps; p++) {
        if (next) __builtin_prefetch(next + p * ldb, 0, 2);
        vf right[EK_BLOCK_VECTORS];
        for (size_t q = 0; q < columns; q++) {
            const float *from = b + p * ldb + q * W;
            right[q] = whole ? vload(from) : vload_n(from, last);
        }
        for (size_t i = 0; i < rows; i++) {
            const vf left = (vf)a[i * row + p * step];
            for (size_t q = 0; q < columns; q++) sum[i][q] += left * right[q];
        }
    }
}

/// rows x columns vectors of A B, with A transposed or not; or the first `last` lanes of one vector where it
/// is not `whole`.
///
/// Of what comes after this part of b, a cache line of each row is asked for at `next` where given: another
/// core may have written it.
EK_INLINE void product_block(int transposed, size_t rows, size_t columns, int whole, size_t last,
                             size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                             const float *next, float *y, size_t ldy) {
    const size_t row = transposed ? 1 : lda, step = transposed ? lda : 1;
    vf sum[EK_BLOCK][EK_BLOCK_VECTORS];
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) sum[i][q] = (vf)0.0f;
    size_t left = k;
    for (; whole && left >= EK_STEPS; left -= EK_STEPS) {
        product_steps(EK_STEPS, rows, columns, 1, W, a, row, step, b, ldb, next, sum);
        a += EK_STEPS * step, b += EK_STEPS * ldb;
        if (next) next += EK_STEPS * ldb;
    }
    for (; left > 0; left--) {
        product_steps(1, rows, columns, whole, last, a, row, step, b, ldb, next, sum);
        a += step, b += ldb;
        if (next) next += ldb;
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) {
            float *to = y + i * ldy + q * W;
            if (whole) vstore(to, sum[i][q]);
            else vstore_n(to, sum[i][q], last);
        }
}

/// Rows of a block, where so many are left: blocks of about one size.
EK_INLINE size_t block_rows(size_t left) {
    const size_t blocks = (left + EK_BLOCK - 1) / EK_BLOCK;
    return (left + blocks - 1) / blocks;
}

/// All rows of some columns, whose part of b stays in cache. From `next` on, `ahead` cache lines of each
/// row come after them and are asked for.
EK_INLINE void product_columns(int transposed, size_t m, size_t columns, int whole, size_t last,
                               size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                               const float *next, size_t ahead, float *y, size_t ldy) {
    for (size_t i = 0, block = 0; i < m; block++) {
        const float *from = a + i * (transposed ? 1 : lda);
        float *to = y + i * ldy;
        const size_t rows = block_rows(m - i);
        if (rows == EK_BLOCK && block < ahead) {
            // Blocks of rows share the asking, so that it stays behind the arithmetic.
            product_block(transposed, EK_BLOCK, columns, whole, last, k, from, lda, b, ldb,
                          next + block * EK_LINE, to, ldy);
            i += rows;
            continue;
        }
        switch (rows) {
#define EK_ROWS(rows)                                                                              \
    case rows:                                                                                     \
        if (columns > EK_VECTORS(rows)) __builtin_unreachable();                                   \
        product_block(transposed, rows, columns, whole, last, k, from, lda, b, ldb, NULL, to, ldy); \
        break;
            EK_ROWS(1)
            EK_ROWS(2)
            EK_ROWS(3)
            EK_ROWS(4)
#if EK_WIDTH < 16
            EK_ROWS(5)
            EK_ROWS(6)
#endif
#undef EK_ROWS
        }
        i += rows;
    }
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
    vf sum[EK_DOT_ROWS][EK_DOT_COLUMNS];
    for (size_t i = 0; i < rows; i++)
        for (size_t q = 0; q < columns; q++) sum[i][q] = (vf)0.0f;
    for (size_t p = 0; p < k; p += W) {
        const size_t count = k - p;
        vf right[EK_DOT_COLUMNS];
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
    for (; j + EK_DOT_COLUMNS <= n; j += EK_DOT_COLUMNS)
        dot_block(rows, EK_DOT_COLUMNS, k, a, lda, b + j * ldb, ldb, y + j, n);
    for (; j + 2 <= n; j += 2) dot_block(rows, 2, k, a, lda, b + j * ldb, ldb, y + j, n);
    if (j < n) dot_block(rows, 1, k, a, lda, b + j * ldb, ldb, y + j, n);
}

// A function for each number of vectors, so that compilers see no more than they can manage.
#define EK_PANEL(vectors, whole)                                                                   \
    static __attribute__((noinline)) void EK_NAME(ek_product_panel_##vectors##_##whole)(           \
        int transposed, size_t m, size_t last, size_t k, const float *a, size_t lda,               \
        const float *b, size_t ldb, const float *next, size_t ahead, float *y, size_t ldy) {       \
        if (transposed)                                                                            \
            product_columns(1, m, vectors, whole, last, k, a, lda, b, ldb, next, ahead, y, ldy);   \
        else                                                                                       \
            product_columns(0, m, vectors, whole, last, k, a, lda, b, ldb, next, ahead, y, ldy);   \
    }
EK_PANEL(1, 0)
EK_PANEL(1, 1)
EK_PANEL(2, 1)
EK_PANEL(3, 1)
#if EK_WIDTH == 16
EK_PANEL(4, 1)
#endif
#undef EK_PANEL

/// A B, with A transposed or not.
EK_INLINE void product_all(int transposed, size_t m, size_t n, size_t k, const float *a, size_t lda,
                           const float *b, size_t ldb, float *y) {
    if (m == 0) return;
    const size_t most = EK_VECTORS(block_rows(m));
    size_t j = 0;
    for (size_t left = n / W; left > 0;) {
        // A single vector has too few sums to keep the processor busy: no block leaves one over.
        const size_t vectors = most > 2 && left == most + 1 ? 2 : ek_smaller(most, left);
        left -= vectors;
        const float *next = b + j + vectors * W;
        const size_t ahead =
            k * vectors * W * sizeof(float) <= EK_ASKED_BYTES
                ? (ek_smaller(most, left) * W + EK_LINE - 1) / EK_LINE : 0;
        switch (vectors) {
#define EK_CASE(vectors)                                                                           \
    case vectors:                                                                                  \
        EK_NAME(ek_product_panel_##vectors##_1)                                                    \
        (transposed, m, W, k, a, lda, b + j, ldb, next, ahead, y + j, n);                          \
        break;
            EK_CASE(1)
            EK_CASE(2)
            EK_CASE(3)
#if EK_WIDTH == 16
            EK_CASE(4)
#endif
#undef EK_CASE
        }
        j += vectors * W;
    }
    if (j < n)
        EK_NAME(ek_product_panel_1_0)
        (transposed, m, n - j, k, a, lda, b + j, ldb, NULL, 0, y + j, n);
}

static void EK_NAME(ek_product_f32)(int transposes_a, int transposes_b, size_t m, size_t n,
                                          size_t k, const float *a, size_t lda, const float *b,
                                          size_t ldb, float *y) {
    if (transposes_b) {
        size_t i = 0;
        for (; i + EK_DOT_ROWS <= m; i += EK_DOT_ROWS)
            dot_rows(EK_DOT_ROWS, n, k, a + i * lda, lda, b, ldb, y + i * n);
        for (; i < m; i++) dot_rows(1, n, k, a + i * lda, lda, b, ldb, y + i * n);
    } else {
        product_all(transposes_a, m, n, k, a, lda, b, ldb, y);
    }
}

/// The products of some rows of a with the column b.
EK_INLINE void column_rows(size_t rows, size_t k, const float *a, const float *b, float *y) {
    double total[EK_DOT_ROWS] = {0.0};
    for (size_t begin = 0; begin < k; begin += EK_COLUMN_RUN) {
        const size_t end = begin + ek_smaller(EK_COLUMN_RUN, k - begin);
        vf sum[EK_DOT_ROWS];
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
    for (; i + EK_DOT_ROWS <= m; i += EK_DOT_ROWS) column_rows(EK_DOT_ROWS, k, a + i * k, b, y + i);
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
