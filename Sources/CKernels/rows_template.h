// Layer norm and RMS norm of rows.

#define E EK_ELEMENT
#define LOCAL(name) EK_NAME(EK_TYPED(name))
#include "moments_run.h"
#include "prefetch.h"

#define row_load LOCAL(ek_row_load)
#define row_store LOCAL(ek_row_store)
#define row_parameter LOCAL(ek_row_parameter)
#define row_moments LOCAL(ek_one_row_moments)
#define row_squares LOCAL(ek_row_squares)
#define row_scale LOCAL(ek_row_scale)
#define row_sums LOCAL(ek_row_sums)
#define row_sums_vector LOCAL(ek_row_sums_vector)
#define row_columns LOCAL(ek_row_columns)
#define row_gradient LOCAL(ek_row_gradient)

#define EK_ROWS 8        // rows whose sums are taken together
#define EK_RUN 2048      // columns over which floats are added

EK_INLINE vf row_load(const E *p, size_t n) { return n >= W ? eload(p) : eload_n(p, n); }

EK_INLINE void row_store(E *p, vf v, size_t n) {
    if (n >= W) estore(p, v);
    else estore_n(p, v, n);
}

/// gamma or beta from position j on, at most n of them; `missing` where there is none.
EK_INLINE vf row_parameter(const float *values, size_t j, size_t n, size_t inner, float missing) {
    if (!values) return (vf)missing;
    if (inner == 1) return n >= W ? vload(values + j) : vload_n(values + j, n);
    vf v = (vf)missing;
    for (size_t i = 0; i < W; i++)
        if (i < n) v[i] = values[(j + i) / inner];
    return v;
}

EK_INLINE void row_moments(const E *x, size_t length, double *mean, double *m2) {
    *mean = *m2 = 0.0;
    for (size_t i = 0; i < length; i += EK_MOMENT_RUN) {
        const size_t count = length - i < EK_MOMENT_RUN ? length - i : EK_MOMENT_RUN;
        const double total = (double)count, before = (double)i, share = total / (before + total);
        double tile[2];
        moments_run(x + i, NULL, count, total, NULL, &tile[0], &tile[1]);
        const double delta = tile[0] - *mean;
        *mean = i == 0 ? tile[0] : *mean + delta * share;
        *m2 += tile[1] + delta * delta * (before * share);
    }
}

EK_INLINE double row_squares(const E *x, size_t length) {
    vd total[2] = {(vd)0.0, (vd)0.0};
    size_t j = 0;
    for (; j + 2 * W <= length; j += 2 * W)
        for (size_t q = 0; q < 2; q++) {
            const vd v = vwiden(eload(x + j + q * W));
            total[q] += v * v;
        }
    for (; j < length; j += W) {
        const vd v = vwiden(row_load(x + j, length - j));
        total[0] += v * v;
    }
    return vsum(total[0] + total[1]);
}

EK_INLINE void row_scale(const E *x, size_t length, size_t inner, double mean, double inv,
                         const float *gamma, const float *beta, E *y, int stream) {
    const vf high = (vf)(float)mean, low = (vf)(float)(mean - (double)(float)mean);
    const vf scale = (vf)(float)inv;
    size_t j = 0;
    if (inner == 1)
        for (; j + W <= length; j += W) {
            const vf h = ((eload(x + j) - high) - low) * scale;
            const vf v = h * (gamma ? vload(gamma + j) : (vf)1.0f) +
                         (beta ? vload(beta + j) : (vf)0.0f);
            if (stream) estream(y + j, v);
            else estore(y + j, v);
        }
    for (; j < length; j += W) {
        const size_t n = length - j;
        const vf h = ((row_load(x + j, n) - high) - low) * scale;
        row_store(y + j,
                  h * row_parameter(gamma, j, n, inner, 1.0f) +
                      row_parameter(beta, j, n, inner, 0.0f),
                  n);
    }
}

/// What a row adds to its two sums from position k on: whole vectors, or the first n elements of one.
EK_INLINE void row_sums_vector(const E *dy, const E *x, size_t k, size_t n, size_t inner, vf high,
                               vf low, const float *gamma, vf *first, vf *second) {
    vf g = row_load(dy + k, n), d = (row_load(x + k, n) - high) - low;
    if (n < W) d = vblend(vfirst(n), d, (vf)0.0f);
    if (gamma) g *= row_parameter(gamma, k, n, inner, 1.0f);
    *first += g;
    *second += g * d;
}

/// sum(dy gamma) and sum(dy gamma (x - mean)) of one row.
EK_INLINE void row_sums(const E *dy, const E *x, size_t length, size_t inner, double mean,
                        const float *gamma, double *sum, double *centred) {
    const vf high = (vf)(float)mean, low = (vf)(float)(mean - (double)(float)mean);
    *sum = *centred = 0.0;
    for (size_t begin = 0; begin < length; begin += EK_RUN) {
        const size_t end = begin + ek_smaller(EK_RUN, length - begin);
        vf first[4], second[4];
        for (size_t q = 0; q < 4; q++) first[q] = second[q] = (vf)0.0f;
        size_t j = begin;
        for (; j + 4 * W <= end; j += 4 * W)
            for (size_t q = 0; q < 4; q++)
                row_sums_vector(dy, x, j + q * W, W, inner, high, low, gamma, &first[q],
                                &second[q]);
        for (; j < end; j += W)
            row_sums_vector(dy, x, j, end - j, inner, high, low, gamma, &first[0], &second[0]);
        *sum += vsum(vwiden(first[0] + first[1]) + vwiden(first[2] + first[3]));
        *centred += vsum(vwiden(second[0] + second[1]) + vwiden(second[2] + second[3]));
    }
}

/// Adds sum(dy (x - mean) inv) and sum(dy) per column, of `count` <= EK_ROWS rows that are read together.
EK_INLINE void row_columns(const E *dy, const E *x, size_t count, size_t length, size_t inner,
                           const double *mean, const double *inv, double *dgamma, double *dbeta) {
    float high[EK_ROWS], low[EK_ROWS], scale[EK_ROWS];
    for (size_t r = 0; r < count; r++) {
        high[r] = (float)mean[r];
        low[r] = (float)(mean[r] - (double)high[r]);
        scale[r] = (float)inv[r];
    }
    for (size_t j = 0; j < length; j += W) {
        const size_t n = length - j;
        vf column = (vf)0.0f, centred_column = (vf)0.0f;
        for (size_t r = 0; r < count; r++) {
            const size_t k = r * length + j;
            const vf g = row_load(dy + k, n);
            vf d = (row_load(x + k, n) - (vf)high[r]) - (vf)low[r];
            if (n < W) d = vblend(vfirst(n), d, (vf)0.0f);
            column += g;
            centred_column += g * (d * (vf)scale[r]);
        }
        if (inner == 1 && n >= W) {
            if (dbeta) vdstore(dbeta + j, vdload(dbeta + j) + vwiden(column));
            if (dgamma) vdstore(dgamma + j, vdload(dgamma + j) + vwiden(centred_column));
        } else {
            for (size_t i = 0; i < W && i < n; i++) {
                if (dbeta) dbeta[(j + i) / inner] += (double)column[i];
                if (dgamma) dgamma[(j + i) / inner] += (double)centred_column[i];
            }
        }
    }
}

/// dx = a dy gamma + b (x - mean) + c of one row.
EK_INLINE void row_gradient(const E *dy, const E *x, size_t length, size_t inner,
                            double mean, const float *gamma, double a, double b, double c,
                            E *dx, int stream) {
    const vf high = (vf)(float)mean, low = (vf)(float)(mean - (double)(float)mean);
    const vf va = (vf)(float)a, vb = (vf)(float)b, vc = (vf)(float)c;
    size_t j = 0;
    if (inner == 1)
        for (; j + W <= length; j += W) {
            const vf d = (eload(x + j) - high) - low;
            const vf g = gamma ? eload(dy + j) * vload(gamma + j) : eload(dy + j);
            const vf v = va * g + (vb * d + vc);
            if (stream) estream(dx + j, v);
            else estore(dx + j, v);
        }
    for (; j < length; j += W) {
        const size_t n = length - j;
        const vf d = (row_load(x + j, n) - high) - low;
        const vf g = row_load(dy + j, n) * row_parameter(gamma, j, n, inner, 1.0f);
        row_store(dx + j, va * g + (vb * d + vc), n);
    }
}

static void LOCAL(ek_row_moments)(const E *x, size_t rows, size_t length, double *mean,
                                        double *m2, int far) {
    for (size_t r = 0; r < rows; r++) {
        if (far) ek_ask_ahead(x + r * length, length * sizeof(E));
        row_moments(x + r * length, length, &mean[r], &m2[r]);
    }
}

static void LOCAL(ek_row_square_sums)(const E *x, size_t rows, size_t length,
                                            double *sums, int far) {
    for (size_t r = 0; r < rows; r++) {
        if (far) ek_ask_ahead(x + r * length, length * sizeof(E));
        sums[r] = row_squares(x + r * length, length);
    }
}

static void LOCAL(ek_row_centred_scale)(const E *x, size_t rows, size_t length,
                                              size_t inner, const double *mean, const double *inv,
                                              const float *gamma, const float *beta, E *y,
                                              int far) {
    const int streams =
        far == EK_PAST_CACHES && inner == 1 && ek_streamable(y, length * sizeof(E), W * sizeof(E));
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        if (streams)
            row_scale(x + k, length, 1, mean[r], inv[r], gamma, beta, y + k, 1);
        else {
            if (far) ek_ask_ahead_for_writing(y + k, length * sizeof(E));
            row_scale(x + k, length, inner, mean[r], inv[r], gamma, beta, y + k, 0);
        }
    }
    if (streams) ek_fence();
}

static void LOCAL(ek_row_centred_sums)(const E *dy, const E *x, size_t rows,
                                             size_t length, size_t inner, const double *mean,
                                             const float *gamma, double *sum, double *centred,
                                             int far) {
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        if (far) ek_ask_ahead(dy + k, length * sizeof(E));
        if (gamma && inner == 1)
            row_sums(dy + k, x + k, length, 1, mean[r], gamma, &sum[r], &centred[r]);
        else if (gamma)
            row_sums(dy + k, x + k, length, inner, mean[r], gamma, &sum[r], &centred[r]);
        else row_sums(dy + k, x + k, length, 1, mean[r], NULL, &sum[r], &centred[r]);
    }
}

static void LOCAL(ek_row_centred_input_gradient)(const E *dy, const E *x,
                                                       size_t rows, size_t length, size_t inner,
                                                       const double *mean, const float *gamma,
                                                       const double *a, const double *b,
                                                       const double *c, E *dx, int far) {
    const int streams =
        far == EK_PAST_CACHES && inner == 1 && ek_streamable(dx, length * sizeof(E), W * sizeof(E));
    for (size_t r = 0; r < rows; r++) {
        const size_t k = r * length;
        if (streams)
            row_gradient(dy + k, x + k, length, 1, mean[r], gamma, a[r], b[r], c[r], dx + k, 1);
        else {
            if (far) ek_ask_ahead_for_writing(dx + k, length * sizeof(E));
            row_gradient(dy + k, x + k, length, inner, mean[r], gamma, a[r], b[r], c[r], dx + k, 0);
        }
    }
    if (streams) ek_fence();
}

static void LOCAL(ek_row_parameter_gradients)(const E *dy, const E *x, size_t rows,
                                                    size_t length, size_t inner,
                                                    const double *mean, const double *inv,
                                                    double *dgamma, double *dbeta) {
    for (size_t r = 0; r < rows; r += EK_ROWS) {
        const size_t count = rows - r < EK_ROWS ? rows - r : EK_ROWS, k = r * length;
        if (count == EK_ROWS && inner == 1)
            row_columns(dy + k, x + k, EK_ROWS, length, 1, mean + r, inv + r, dgamma, dbeta);
        else row_columns(dy + k, x + k, count, length, inner, mean + r, inv + r, dgamma, dbeta);
    }
}

#undef E
#undef LOCAL
