// Moments per channel, by tiles (moments_run.h says how) that are merged in double (Chan, Golub and
// LeVeque 1983).
//
// Tiles are read once, about the mean of what was merged before, where that weighs at least as much. Its
// distance from the tile's own mean adds to the squares, but at least half of that is real: the merge counts
// the distance between the two as variance. So rounding stays small against the result. Where sums are float
// the first tile of a lane or a channel is read twice: for its mean, then for the squares about that.

#include "moments_run.h"

// Rows in a tile of lanes. Of long rows a tile has few, so that memory is read nearly as it lies.
#define EK_MOMENT_ROWS 256
#define EK_LOW_MOMENT_ROWS 64

#define moments_columns LOCAL(ek_moments_columns)
#define moments_lanes LOCAL(ek_moments_lanes)
#define moments_fold LOCAL(ek_moments_fold)

struct LOCAL(ek_moments_tables) {
    double mean[EK_STRIP], m2[EK_STRIP];
};
#define moments_tables struct LOCAL(ek_moments_tables)

/// Merges `width` vectors of lanes (a constant) of a tile into the tables, or the first n lanes of
/// one. `before` values were merged already, `total` is the tile's weight.
EK_INLINE void moments_columns(const E *x, const float *weights, size_t rows, size_t stride,
                               size_t width, int whole, size_t n, double before, double total,
                               moments_tables *t, size_t l) {
#define EK_ROW(r, q) \
    (whole ? eload_sum(x + (r) * stride + (q) * W)               \
           : vs_from_vf(eload_n(x + (r) * stride + (q) * W, n)))
    // In pairs, as `eload2` orders them.
#define EK_ROWS_AT(r, v)                                                                    \
    for (size_t q = 0; q < width; q += in_pairs ? 2 : 1) {                                  \
        if (in_pairs)                                                                       \
            eload2_sum(x + (r) * stride + q * W, &(v)[q], &(v)[in_pairs ? q + 1 : q]);      \
        else (v)[q] = EK_ROW(r, q);                                                         \
    }
    const int in_pairs = width % 2 == 0;
    size_t start = 0;
    if (weights)
        while (weights[start] == 0.0f) start++;
    vs row[EK_SUM_COLUMNS], origin[EK_SUM_COLUMNS], pivot[EK_SUM_COLUMNS];
    vs sum[EK_SUM_COLUMNS], squares[EK_SUM_COLUMNS];
    EK_ROWS_AT(start, origin)
    for (size_t q = 0; q < width; q++) sum[q] = squares[q] = (vs)(EK_SUM)0;
    if (before < total && EK_SUMS_ARE_EXACT) {
        for (size_t q = 0; q < width; q++) pivot[q] = origin[q];
    } else if (before < total) {
        for (size_t r = start; r < rows; r++) {
            if (weights && weights[r] == 0.0f) continue;
            EK_ROWS_AT(r, row)
            for (size_t q = 0; q < width; q++) {
                const vs d = row[q] - origin[q];
                sum[q] += weights ? d * (vs)(EK_SUM)weights[r] : d;
            }
        }
        for (size_t q = 0; q < width; q++) {
            pivot[q] = origin[q] + sum[q] * (vs)(EK_SUM)(1.0 / total);
            sum[q] = (vs)(EK_SUM)0;
        }
    } else {
        for (size_t q = 0; q < width; q++) pivot[q] = vs_from_vd(vdload(t->mean + l + q * W));
        if (in_pairs)
            for (size_t q = 0; q < width; q += 2) eapart(&pivot[q], &pivot[q + 1]);
    }
    for (size_t r = start; r < rows; r++) {
        if (weights && weights[r] == 0.0f) continue;
        EK_ROWS_AT(r, row)
        for (size_t q = 0; q < width; q++) {
            // What comes has to be asked for; where a tile takes a part of each row, further down those rows.
            if (EK_BEGINS_LINE(q, E)) {
                const size_t ahead = stride > width * W ? EK_LOW_MOMENT_ROWS * stride : EK_AHEAD(E);
                __builtin_prefetch(x + r * stride + q * W + ahead, 0, 2);
            }
            const vs d = row[q] - pivot[q];
            const vs wd = weights ? d * (vs)(EK_SUM)weights[r] : d;
            sum[q] += wd;
            squares[q] += wd * d;
        }
    }
    if (in_pairs)
        for (size_t q = 0; q < width; q += 2) {
            etogether(&origin[q], &origin[q + 1]);
            etogether(&pivot[q], &pivot[q + 1]);
            etogether(&sum[q], &sum[q + 1]);
            etogether(&squares[q], &squares[q + 1]);
        }
    const double share = total / (before + total), spread = before * share, part = 1.0 / total;
    for (size_t q = 0; q < width; q++) {
        vd mean = vd_from_vs(pivot[q]), m2 = vd_from_vs(squares[q]);
        const vd moved = vd_from_vs(sum[q]);
        mean += moved * (vd)part;
        m2 -= moved * moved * (vd)part;

#if !EK_SUMS_ARE_EXACT
        vi odd = ~((squares[q] >= (vf)EK_SQUARES_MINIMUM) &
                   (squares[q] <= (vf)EK_SQUARES_MAXIMUM));
        if (!whole) odd &= vfirst(n);
        if (vany(odd)) {
            vi varies = (vi)0;
            for (size_t r = start; r < rows; r++)
                if (!weights || weights[r] != 0.0f) varies |= EK_ROW(r, q) != origin[q];
            odd &= varies;
            for (size_t i = 0; i < W; i++) {
                double exact[2];
                if (!odd[i]) continue;
                moments_exact(x + q * W + i, weights, rows, stride, total, &exact[0], &exact[1]);
                mean[i] = exact[0];
                m2[i] = exact[1];
            }
        }
#endif
        double *means = t->mean + l + q * W, *m2s = t->m2 + l + q * W;
        const vd old = vdload(means), delta = mean - old;
        vdstore(means, before == 0.0 ? mean : old + delta * (vd)share);
        vdstore(m2s, vdload(m2s) + m2 + delta * delta * (vd)spread);
    }
#undef EK_ROW
#undef EK_ROWS_AT
}

/// Fills the tables with the moments of every lane; returns their common count.
static double moments_lanes(const E *x, const float *weights, size_t rows, size_t stride,
                            size_t lanes, moments_tables *t) {
    memset(t->mean, 0, lanes * sizeof *t->mean);
    memset(t->m2, 0, lanes * sizeof *t->m2);
    const size_t padded = ek_smaller((lanes + W - 1) / W * W, EK_STRIP) - lanes;
    memset(t->mean + lanes, 0, padded * sizeof *t->mean);
    memset(t->m2 + lanes, 0, padded * sizeof *t->m2);
    const size_t height = lanes > 2 * EK_SUM_COLUMNS * W ? EK_LOW_MOMENT_ROWS : EK_MOMENT_ROWS;
    double before = 0.0;
    for (size_t r = 0; r < rows; r += height) {
        const size_t count = ek_smaller(height, rows - r);
        const E *tile = x + r * stride;
        const float *w = weights ? weights + r : weights;
        double total = (double)count;
        if (weights) {
            total = weight_of(w, count);
            if (!(total > 0.0)) continue;
        }
        size_t l = 0;
        if (weights) {
            for (; l + W <= lanes; l += W)
                moments_columns(tile + l, w, count, stride, 1, 1, 0, before, total, t, l);
        } else {
            for (; l + EK_SUM_COLUMNS * W <= lanes; l += EK_SUM_COLUMNS * W)
                moments_columns(tile + l, NULL, count, stride, EK_SUM_COLUMNS, 1, 0, before, total,
                                t, l);
            for (; l + W <= lanes; l += W)
                moments_columns(tile + l, NULL, count, stride, 1, 1, 0, before, total, t, l);
        }
        if (l < lanes)
            moments_columns(tile + l, w, count, stride, 1, 0, lanes - l, before, total, t, l);
        before += total;
    }
    return before;
}

/// Merges the tables' lanes, `count` values each, into `state`: lane l belongs to channel
/// (begin + l) / inner of the row, `repeats` rows side by side.
EK_INLINE void moments_fold(moments_tables *t, double count, size_t begin, size_t distinct,
                            size_t repeats, size_t inner, double before, double *mean,
                            double *m2) {
    for (size_t repeat = 0; repeat < repeats; repeat++)
        for (size_t i = 0; i < inner; i++) {
            const double old = before + count * (double)(repeat * inner + i);
            const double share = count / (old + count), spread = old * share;
            const double *means = t->mean + repeat * distinct + i;
            const double *m2s = t->m2 + repeat * distinct + i;
            for (size_t j = 0; j < distinct / inner; j++) {
                const size_t c = begin / inner + j;
                const double delta = means[j * inner] - mean[c];
                mean[c] = old == 0.0 ? means[j * inner] : mean[c] + delta * share;
                m2[c] += m2s[j * inner] + delta * delta * spread;
            }
        }
}

static void LOCAL(ek_moments)(const E *x, const float *weights, size_t outer, size_t channels,
                              size_t inner, double *state) {
    double *mean = state + 1, *m2 = state + 1 + channels;
    double before = state[0];
    if (inner >= EK_PLANE_MINIMUM || (weights && inner > 1)) {
        for (size_t o = 0; o < outer; o++) {
            double after = before;
            for (size_t c = 0; c < channels; c++) {
                after = before;
                for (size_t i = 0; i < inner; i += EK_MOMENT_RUN) {
                    const size_t count = ek_smaller(EK_MOMENT_RUN, inner - i);
                    const E *from = x + (o * channels + c) * inner + i;
                    const float *w = weights ? weights + o * inner + i : NULL;
                    const double total = w ? weight_of(w, count) : (double)count;
                    if (!(total > 0.0)) continue;
                    const double *known = after >= total ? mean + c : NULL;
                    double tile[2];
                    if (w) moments_run(from, w, count, total, known, &tile[0], &tile[1]);
                    else moments_run(from, NULL, count, total, known, &tile[0], &tile[1]);
                    const double share = total / (after + total), delta = tile[0] - mean[c];
                    mean[c] = after == 0.0 ? tile[0] : mean[c] + delta * share;
                    m2[c] += tile[1] + delta * delta * (after * share);
                    after += total;
                }
            }
            before = after;
        }
        state[0] = before;
        return;
    }
    struct ek_layout layout = ek_layout(outer, channels, inner, W);
    if (weights) layout.fold = 1, layout.rows = outer;
    const size_t stride = layout.lanes * layout.fold;
    layout.strip = ek_smaller(layout.strip, stride);
    moments_tables t;
    double after = before;
    for (size_t begin = 0; begin < stride; begin += layout.strip) {
        const size_t count = ek_smaller(layout.strip, stride - begin);
        const size_t distinct = ek_smaller(count, layout.lanes);
        after = before;
        if (layout.rows > 0) {
            const double each = moments_lanes(x + begin, weights, layout.rows, stride, count, &t);
            if (each == 0.0) return;  // nothing but weights of 0
            moments_fold(&t, each, begin, distinct, layout.fold, inner, before, mean, m2);
            after += each * (double)(layout.fold * inner);
        }
        const size_t left = outer % layout.fold;
        if (left > 0) {
            const size_t rest = left * layout.lanes;
            moments_lanes(x + layout.rows * stride, weights, 1, rest, rest, &t);
            moments_fold(&t, 1.0, 0, layout.lanes, left, inner, after, mean, m2);
            after += (double)(left * inner);
        }
    }
    state[0] = after;
}
