// Moments of one tile, a run of contiguous elements.
//
// With d = x - m, mean = m + sum(d) / k and M2 = sum(d^2) - sum(d)^2 / k hold for every pivot m of a tile of
// k values, and are accurate where the second term is not large against the first. Where sums are double, m
// is the tile's first value. Where they are float, m is near the mean of the tile, itself taken relative
// to the first value. A constant gives d == 0 either way, exactly its mean, and M2 == 0.

#define EK_MOMENT_RUN 1024  // elements in a tile

#define weight_of LOCAL(ek_weight_of)
#define chains_total LOCAL(ek_chains_total)
#define moments_run LOCAL(ek_moments_run)
#define moments_exact LOCAL(ek_moments_exact)

#if !EK_SUMS_ARE_EXACT
// Outside of these bounds the sum of squares of a tile overflowed, or its terms lost bits as
// denormal numbers, and the tile is taken again in double.
#define EK_SQUARES_MINIMUM 0x1p-90f
#define EK_SQUARES_MAXIMUM 0x1p126f

/// The tile again, in double, for values near the ends of float's range: `rows` elements `stride`
/// apart.
static void moments_exact(const E *x, const float *weights, size_t rows, size_t stride,
                          double total, double *mean, double *m2) {
    double pivot = 0.0, sum = 0.0, squares = 0.0;
    int found = 0;
    for (int pass = 0; pass < 2; pass++) {
        sum = squares = 0.0;
        for (size_t r = 0; r < rows; r++) {
            const double weight = weights ? (double)weights[r] : 1.0;
            if (weight == 0.0) continue;
            const double value = (double)eload_n(x + r * stride, 1)[0];
            if (!found) pivot = value, found = 1;
            sum += weight * (value - pivot);
            squares += weight * (value - pivot) * (value - pivot);
        }
        if (pass == 0) pivot += sum / total;
    }
    *mean = pivot + sum / total;
    *m2 = squares - sum * sum / total;
    if (*m2 < 0.0) *m2 = 0.0;
}
#endif

EK_INLINE double weight_of(const float *weights, size_t count) {
    vd total = (vd)0.0;
    size_t k = 0;
    for (; k + W <= count; k += W) total += vwiden(vload(weights + k));
    if (k < count) total += vwiden(vload_n(weights + k, count - k));
    return vsum(total);
}

/// What EK_CHAINS vectors of sums come to.
EK_INLINE double chains_total(const vs *sum) {
    const vd first = vd_from_vs(sum[0] + sum[1]);
    return vsum(EK_CHAINS == 2 ? first : first + vd_from_vs(sum[EK_CHAINS - 2] + sum[EK_CHAINS - 1]));
}

/// Moments of one tile of a plane: `count` contiguous elements. `known`, where given, is the mean of at
/// least as much weight before: the tile is read once then, about that (centred_moments.h says why that
/// is right).
EK_INLINE void moments_run(const E *x, const float *weights, size_t count, double total,
                           const double *known, double *mean, double *m2) {
    size_t start = 0;
    if (weights)
        while (weights[start] == 0.0f) start++;
    const vs origin = vs_from_vf((vf)eload_n(x + start, 1)[0]);
    vs pivot = known ? (vs)(EK_SUM)*known : origin;
    vs row[EK_CHAINS], sum[EK_CHAINS], squares[EK_CHAINS];
    for (int pass = known || EK_SUMS_ARE_EXACT ? 1 : 0; pass < 2; pass++) {
        for (size_t q = 0; q < EK_CHAINS; q++) sum[q] = squares[q] = (vs)(EK_SUM)0;
        size_t k = 0;
        for (; k + EK_CHAINS * W <= count; k += EK_CHAINS * W)
            for (size_t q = 0; q < EK_CHAINS; q++) {
                // In pairs, except beside weights, which have an order.
                if (weights) row[q] = eload_sum(x + k + q * W);
                else if (q % 2 == 0) eload2_sum(x + k + q * W, &row[q], &row[q + 1]);
                vs d = row[q] - pivot, wd = d;
                if (weights) {
                    const vf w = vload(weights + k + q * W);
                    d = sblend(w != (vf)0.0f, d, (vs)(EK_SUM)0);
                    wd = d * vs_from_vf(w);
                }
                sum[q] += wd;
                if (pass) squares[q] += wd * d;
            }
        for (; k < count; k += W) {
            const size_t n = ek_smaller(W, count - k);
            vs d = vs_from_vf(n == W ? eload(x + k) : eload_n(x + k, n)) - pivot, wd;
            if (n < W) d = sblend(vfirst(n), d, (vs)(EK_SUM)0);
            wd = d;
            if (weights) {
                const vf w = n == W ? vload(weights + k) : vload_n(weights + k, n);
                d = sblend(w != (vf)0.0f, d, (vs)(EK_SUM)0);
                wd = d * vs_from_vf(w);
            }
            sum[0] += wd;
            if (pass) squares[0] += wd * d;
        }
        if (pass == 0) {
            const double moved = chains_total(sum);
            pivot = (vs)(EK_SUM)((double)origin[0] + moved / total);
        }
    }
    const double moved = chains_total(sum), square = chains_total(squares);
    *mean = (double)pivot[0] + moved / total;
    *m2 = square - moved * moved / total;
#if !EK_SUMS_ARE_EXACT
    if (square >= (double)EK_SQUARES_MINIMUM && square <= (double)EK_SQUARES_MAXIMUM) return;
    moments_exact(x, weights, count, 1, total, mean, m2);
#endif
}
