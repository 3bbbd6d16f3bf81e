// Layer norm and RMS norm of rows.

#define E EK_ELEMENT
#define LOCAL(name) EK_NAME(EK_TYPED(name))
#include "moments_run.h"
#include "gradient_check.h"
#include "prefetch.h"

#define row_load LOCAL(ek_row_load)
#define row_store LOCAL(ek_row_store)
#define row_parameter LOCAL(ek_row_parameter)
#define row_moments LOCAL(ek_one_row_moments)
#define row_squares LOCAL(ek_row_squares)
#define row_scale LOCAL(ek_row_scale)
#define row_sums LOCAL(ek_row_sums)
#define row_terms LOCAL(ek_row_terms)
#define row_block LOCAL(ek_row_block)
#define row_columns LOCAL(ek_row_columns)
#define row_mean_of LOCAL(ek_row_mean_of)
#define row_deviation LOCAL(ek_row_deviation)
#define row_add LOCAL(ek_row_add)
#define row_gradient LOCAL(ek_row_gradient)
#define row_gradient_vector LOCAL(ek_row_gradient_vector)
#define row_gradient_exactly LOCAL(ek_row_gradient_exactly)

// Rows whose sums are taken together, as many as the registers have room for.
#define EK_ROWS (EK_SUMS_ARE_EXACT && EK_WIDTH < 16 ? 1 : 3)
#define EK_RUN 2048      // columns over which EK_SUM are added

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

/// A mean as it is subtracted where sums are taken: as EK_SUM holds it, then what that left over.
struct LOCAL(ek_row_mean) {
    EK_SUM high, low;
};
#define row_mean struct LOCAL(ek_row_mean)

EK_INLINE row_mean row_mean_of(double mean) {
    const EK_SUM high = (EK_SUM)mean;
    return (row_mean){high, (EK_SUM)(mean - (double)high)};
}

/// x - mean, 0 in lanes from n on.
EK_INLINE vs row_deviation(vf x, size_t n, row_mean mean) {
    vs d = vs_from_vf(x) - (vs)mean.high;
    if (!EK_SUMS_ARE_EXACT) d -= (vs)mean.low;
    return n < W ? sblend(vfirst(n), d, (vs)(EK_SUM)0) : d;
}

/// Adds n <= W columns, from column j on, to what their parameters have; nothing where those are none.
EK_INLINE void row_add(double *parameters, size_t j, size_t n, size_t inner, vs columns) {
    if (!parameters) return;
    if (inner == 1 && n >= W) {
        vdstore(parameters + j, vdload(parameters + j) + vd_from_vs(columns));
        return;
    }
    for (size_t i = 0; i < W && i < n; i++) parameters[(j + i) / inner] += (double)columns[i];
}

/// What of the sums of the backward pass is asked for.
#define EK_PER_ROW 1     // sum(dy gamma (x - mean))
#define EK_PER_COLUMN 2  // sum(dy (x - mean) inv)
#define EK_PLAIN 4       // and, of the same, sum(dy gamma) and sum(dy)

/// The terms of n elements of a row, W of them or what is left: added to the row's sums, and to columns'.
EK_INLINE void row_terms(const E *dy, const E *x, size_t n, row_mean mean, double inv, int weighted,
                         vs factor, vs *first, vs *second, vs *column, vs *centred_column,
                         int with) {
    const vs g = vs_from_vf(row_load(dy, n)), d = row_deviation(row_load(x, n), n, mean);
    const vs product = g * d;
    if (with & EK_PER_ROW) {
        if (with & EK_PLAIN) *first += weighted ? factor * g : g;
        if (weighted) *second += factor * product;
        else *second += g * d;
    }
    if (with & EK_PER_COLUMN) {
        if (with & EK_PLAIN) *column += g;
        *centred_column += (vs)(EK_SUM)inv * product;
    }
}

/// The sums of one row.
EK_INLINE void row_sums(const E *dy, const E *x, size_t length, size_t inner, double mean,
                        const float *gamma, double *sum, double *centred, int with) {
    const row_mean about = row_mean_of(mean);
    *centred = 0.0;
    if (sum) *sum = 0.0;
    for (size_t begin = 0; begin < length; begin += EK_RUN) {
        const size_t end = begin + ek_smaller(EK_RUN, length - begin);
        vs first[EK_CHAINS], second[EK_CHAINS];
        for (size_t q = 0; q < EK_CHAINS; q++) first[q] = second[q] = (vs)(EK_SUM)0;
#define EK_TERMS(k, n, q)                                                                       \
    row_terms(dy + (k), x + (k), n, about, 1.0, gamma != NULL,                                  \
              gamma ? vs_from_vf(row_parameter(gamma, k, n, inner, 1.0f)) : (vs)(EK_SUM)1,      \
              &first[q], &second[q], NULL, NULL, with)
        size_t j = begin;
        for (; j + EK_CHAINS * W <= end; j += EK_CHAINS * W)
            for (size_t q = 0; q < EK_CHAINS; q++) EK_TERMS(j + q * W, W, q);
        for (; j < end; j += W) EK_TERMS(j, end - j, 0);
#undef EK_TERMS
        if (sum) *sum += chains_total(first);
        *centred += chains_total(second);
    }
}

/// What is added up over some rows that are read together.
struct LOCAL(ek_row_totals) {
    row_mean about[EK_ROWS];
    vs first[EK_ROWS], second[EK_ROWS];
};
#define row_totals struct LOCAL(ek_row_totals)

/// n columns of `count` rows, from column j on.
EK_INLINE void row_block(const E *dy, const E *x, size_t count, size_t length, size_t j, size_t n,
                         size_t inner, const double *inv, const float *gamma, double *dgamma,
                         double *dbeta, row_totals *t, int with) {
    vs factor = (vs)(EK_SUM)1, column = (vs)(EK_SUM)0, centred_column = column;
    if (gamma) factor = vs_from_vf(row_parameter(gamma, j, n, inner, 1.0f));
    for (size_t r = 0; r < count; r++) {
        const size_t k = r * length + j;
        // So many rows at once are more than processors read ahead for themselves.
        if (EK_BEGINS_LINE(j / W, E)) {
            __builtin_prefetch(dy + k + EK_ROWS * length, 0, 2);
            __builtin_prefetch(x + k + EK_ROWS * length, 0, 2);
        }
        row_terms(dy + k, x + k, n, t->about[r], inv[r], gamma != NULL, factor, &t->first[r],
                  &t->second[r], &column, &centred_column, with);
    }
    row_add(dbeta, j, n, inner, column);
    row_add(dgamma, j, n, inner, centred_column);
}

/// The sums per column, and per row where they are asked for, too, of `count` <= EK_ROWS rows that are read
/// together.
EK_INLINE void row_columns(const E *dy, const E *x, size_t count, size_t length, size_t inner,
                           const double *mean, const double *inv, const float *gamma, double *sum,
                           double *centred, double *dgamma, double *dbeta, int with) {
    row_totals t;
    for (size_t r = 0; r < count; r++) t.about[r] = row_mean_of(mean[r]);
    for (size_t r = 0; r < count && with & EK_PER_ROW; r++) {
        centred[r] = 0.0;
        if (sum) sum[r] = 0.0;
    }
    for (size_t begin = 0; begin < length; begin += EK_RUN) {
        const size_t end = begin + ek_smaller(EK_RUN, length - begin);
        for (size_t r = 0; r < count; r++) t.first[r] = t.second[r] = (vs)(EK_SUM)0;
        size_t j = begin;
        for (; j + W <= end; j += W)
            row_block(dy, x, count, length, j, W, inner, inv, gamma, dgamma, dbeta, &t, with);
        if (j < end)
            row_block(dy, x, count, length, j, end - j, inner, inv, gamma, dgamma, dbeta, &t, with);
        for (size_t r = 0; r < count && with & EK_PER_ROW; r++) {
            if (sum) sum[r] += vsum(vd_from_vs(t.first[r]));
            centred[r] += vsum(vd_from_vs(t.second[r]));
        }
    }
}

/// The parameters of a row's gradient: those of one mode are used. Where dx is exact no mean is subtracted
/// from x, c takes in all of it; else c has what the mean's rounding left over.
struct LOCAL(ek_row_factors) {
    vf mean, a, b, c;
    vd exact_a, exact_b, exact_c;
};
#define row_factors struct LOCAL(ek_row_factors)

/// n <= W elements of a row's gradient, from j on.
EK_INLINE void row_gradient_vector(const E *dy, const E *x, size_t j, size_t n, size_t inner,
                                   const float *gamma, const row_factors *p, E *dx, int mode,
                                   int stream, largest_terms *largest) {
    const vf value = row_load(x + j, n), upstream = row_load(dy + j, n);
    const vf factor = row_parameter(gamma, j, n, inner, 1.0f);
    vf result;
    if (mode == EK_EXACT) {
        vd g = vwiden(upstream);
        if (gamma) g *= vwiden(factor);
        result = vnarrow(p->exact_a * g + (p->exact_b * vwiden(value) + p->exact_c));
    } else {
        const vf term = p->b * (value - p->mean) + p->c;
        result = p->a * (gamma ? upstream * factor : upstream) + term;
        if (mode == EK_CHECKED) note_terms(largest, result, term, n);
    }
    if (stream) estream(dx + j, result);
    else row_store(dx + j, result, n);
}

/// dx = a dy gamma + b (x - mean) + c of one row. Returns whether it was right (gradient_check.h).
EK_INLINE int row_gradient(const E *dy, const E *x, size_t length, size_t inner, double mean,
                           const float *gamma, double a, double b, double c, E *dx, int mode,
                           int stream) {
    const double low = mean - (double)(float)mean, rounded_c = c - b * low;
    const row_factors p = {(vf)(float)mean, (vf)(float)a, (vf)(float)b, (vf)(float)rounded_c,
                           (vd)a,           (vd)b,        (vd)(c - b * mean)};
    largest_terms largest[2] = {{(vi)0, (vi)0}, {(vi)0, (vi)0}};
    size_t j = 0;
    for (; j + 2 * W <= length; j += 2 * W)
        for (size_t q = 0; q < 2; q++)
            row_gradient_vector(dy, x, j + q * W, W, inner, gamma, &p, dx, mode, stream, &largest[q]);
    for (; j < length; j += W)
        row_gradient_vector(dy, x, j, ek_smaller(W, length - j), inner, gamma, &p, dx, mode, stream,
                            largest);
    return mode != EK_CHECKED || float_is_right(terms_together(largest[0], largest[1]),
                                                float_bound((vd)a, (vd)b, (vd)rounded_c));
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

static void LOCAL(ek_row_gradient_sums)(const E *dy, const E *x, size_t rows, size_t length,
                                        size_t inner, const double *mean, const double *inv,
                                        const float *gamma, double *sum, double *centred,
                                        double *dgamma, double *dbeta, int far) {
    const int columns = dgamma || dbeta, together = centred && columns;
    const int plain = sum || dbeta ? EK_PLAIN : 0;
    for (size_t r = 0; r < rows; r += EK_ROWS) {
        const size_t count = ek_smaller(EK_ROWS, rows - r), k = r * length;
        for (size_t q = r; q < r + count && !columns; q++) {
            const size_t i = q * length;
            if (far) ek_ask_ahead(dy + i, length * sizeof(E));
            double *to = sum ? &sum[q] : NULL;
#define EK_ROW_OF(inner, mean, gamma, with) \
    row_sums(dy + i, x + i, length, inner, mean, gamma, to, &centred[q], EK_PER_ROW | (with))
            if (inner != 1) EK_ROW_OF(inner, mean[q], gamma, plain);
            else if (gamma && plain) EK_ROW_OF(1, mean[q], gamma, EK_PLAIN);
            else if (gamma) EK_ROW_OF(1, mean[q], gamma, 0);
            // Of rows that are not centred nothing need be subtracted.
            else if (mean[q] != 0.0) EK_ROW_OF(1, mean[q], NULL, EK_PLAIN);
            else if (plain) EK_ROW_OF(1, 0.0, NULL, EK_PLAIN);
            else EK_ROW_OF(1, 0.0, NULL, 0);
#undef EK_ROW_OF
        }
#define EK_COLUMNS_OF(count, inner, gamma, with)                               \
    row_columns(dy + k, x + k, count, length, inner, mean + r, inv + r, gamma, \
                sum ? sum + r : NULL, centred ? centred + r : NULL, dgamma, dbeta, with)
        if (together && (count < EK_ROWS || inner != 1 || !gamma))
            EK_COLUMNS_OF(count, inner, gamma, EK_PER_ROW | EK_PER_COLUMN | plain);
        else if (together && plain)
            EK_COLUMNS_OF(EK_ROWS, 1, gamma, EK_PER_ROW | EK_PER_COLUMN | EK_PLAIN);
        else if (together) EK_COLUMNS_OF(EK_ROWS, 1, gamma, EK_PER_ROW | EK_PER_COLUMN);
        else if (columns && (count < EK_ROWS || inner != 1))
            EK_COLUMNS_OF(count, inner, NULL, EK_PER_COLUMN | plain);
        else if (columns && plain) EK_COLUMNS_OF(EK_ROWS, 1, NULL, EK_PER_COLUMN | EK_PLAIN);
        else if (columns) EK_COLUMNS_OF(EK_ROWS, 1, NULL, EK_PER_COLUMN);
#undef EK_COLUMNS_OF
    }
}

static void row_gradient_exactly(const E *dy, const E *x, size_t length, size_t inner, double mean,
                                 const float *gamma, double a, double b, double c, E *dx) {
    row_gradient(dy, x, length, inner, mean, gamma, a, b, c, dx, EK_EXACT, 0);
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
        if (far && !streams) ek_ask_ahead_for_writing(dx + k, length * sizeof(E));
#define EK_ROW(inner, gamma, stream)                                                              \
    row_gradient(dy + k, x + k, length, inner, mean[r], gamma, a[r], b[r], c[r], dx + k,          \
                 EK_FIRST_MODE, stream)
        int right;
        if (streams) right = EK_ROW(1, gamma, 1);
        else if (inner != 1) right = EK_ROW(inner, gamma, 0);
        else if (gamma) right = EK_ROW(1, gamma, 0);
        else right = EK_ROW(1, NULL, 0);
#undef EK_ROW
        if (!right)
            row_gradient_exactly(dy + k, x + k, length, inner, mean[r], gamma, a[r], b[r], c[r], dx + k);
    }
    if (streams) ek_fence();
}

#undef E
#undef LOCAL
