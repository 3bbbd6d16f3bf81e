// See include/ek_pooling.h. Channels are the lanes: each vector of channels goes through its window alone.

#define E EK_ELEMENT
#define LOCAL(name) EK_NAME(EK_TYPED(name))
#define pool_vector LOCAL(ek_pool_vector)
#define scatter_vector LOCAL(ek_scatter_vector)
#define map_vector LOCAL(ek_map_vector)
#define window_vector LOCAL(ek_window_vector)
#define load_lanes LOCAL(ek_load_lanes)
#define store_lanes LOCAL(ek_store_lanes)

EK_INLINE vf load_lanes(const E *p, size_t n) { return n == W ? eload(p) : eload_n(p, n); }

EK_INLINE void store_lanes(E *p, vf v, size_t n) {
    if (n == W) estore(p, v);
    else estore_n(p, v, n);
}

/// Runs `body` with `first` the offset of the window's first element in its sample, `count[3]` its
/// extents, and `target` the offset of the output.
#define EK_FOR_EACH_WINDOW(windows, channels, body)                                          \
    for (size_t d = 0; d < windows->outputs[0]; d++)                                         \
        for (size_t h = 0; h < windows->outputs[1]; h++)                                     \
            for (size_t w = 0; w < windows->outputs[2]; w++) {                               \
                const size_t at[3] = {d, h, w};                                              \
                size_t start[3], count[3];                                                   \
                for (size_t a = 0; a < 3; a++) {                                             \
                    start[a] = (size_t)windows->starts[a][at[a]];                            \
                    count[a] = (size_t)windows->ends[a][at[a]] - start[a];                   \
                }                                                                            \
                const size_t first =                                                         \
                    ((start[0] * windows->inputs[1] + start[1]) * windows->inputs[2] +       \
                     start[2]) * channels;                                                   \
                const size_t target =                                                        \
                    ((d * windows->outputs[1] + h) * windows->outputs[2] + w) * channels;    \
                body                                                                         \
            }

/// One vector of channels of a window: the largest element's place and what `other` has there.
EK_INLINE vf pool_vector(const E *x, const E *other, const size_t count[3], size_t row, size_t plane,
                         size_t channels, size_t n, vi *place) {
    vf best = load_lanes(x, n), chosen = load_lanes(other, n);
    vi where = (vi)0;
    int32_t position = 0;
    for (size_t d = 0; d < count[0]; d++)
        for (size_t h = 0; h < count[1]; h++)
            for (size_t w = 0; w < count[2]; w++, position++) {
                const size_t k = d * plane + h * row + w * channels;
                const vf v = load_lanes(x + k, n);
                const vi better = (v > best) | ((v != v) & (best == best));
                best = vblend(better, v, best);
                chosen = vblend(better, load_lanes(other + k, n), chosen);
                where = better ? (vi)position : where;
            }
    *place = where;
    return chosen;
}

/// Adds one vector of a window's gradient where its largest elements are.
EK_INLINE void scatter_vector(E *dx, vf dy, vi place, const size_t count[3], size_t row,
                              size_t plane, size_t channels, size_t n) {
    int32_t position = 0;
    for (size_t d = 0; d < count[0]; d++)
        for (size_t h = 0; h < count[1]; h++)
            for (size_t w = 0; w < count[2]; w++, position++) {
                E *p = dx + d * plane + h * row + w * channels;
                const vi hit = place == (vi)position;
                store_lanes(p, load_lanes(p, n) + vblend(hit, dy, (vf)0.0f), n);
            }
}

static void LOCAL(ek_max_pool)(const E *x, const E *other, size_t samples,
                               const struct ek_windows *windows, size_t channels, E *y) {
    const size_t row = windows->inputs[2] * channels, plane = windows->inputs[1] * row;
    const size_t step = windows->inputs[0] * plane;
    const size_t y_step =
        windows->outputs[0] * windows->outputs[1] * windows->outputs[2] * channels;
    for (size_t s = 0; s < samples; s++, x += step, other += step, y += y_step) {
        EK_FOR_EACH_WINDOW(windows, channels, {
            for (size_t c = 0; c < channels; c += W) {
                const size_t n = ek_smaller(W, channels - c);
                vi place;
                const vf v = pool_vector(x + first + c, other + first + c, count, row, plane,
                                         channels, n, &place);
                store_lanes(y + target + c, v, n);
            }
        })
    }
}

static void LOCAL(ek_max_pool_gradient)(const E *x, const E *dy, size_t samples,
                                        const struct ek_windows *windows, size_t channels, E *dx) {
    const size_t row = windows->inputs[2] * channels, plane = windows->inputs[1] * row;
    const size_t step = windows->inputs[0] * plane;
    const size_t y_step =
        windows->outputs[0] * windows->outputs[1] * windows->outputs[2] * channels;
    for (size_t s = 0; s < samples; s++, x += step, dx += step, dy += y_step) {
        memset(dx, 0, step * sizeof *dx);
        EK_FOR_EACH_WINDOW(windows, channels, {
            for (size_t c = 0; c < channels; c += W) {
                const size_t n = ek_smaller(W, channels - c);
                const E *p = x + first + c;
                vi place;
                pool_vector(p, p, count, row, plane, channels, n, &place);
                scatter_vector(dx + first + c, load_lanes(dy + target + c, n), place, count, row,
                               plane, channels, n);
            }
        })
    }
}

/// One vector of a weighted sum.
EK_INLINE vf map_vector(const E *x, size_t inner, const int32_t *sources, const float *weights,
                        size_t taps, size_t n) {
    vf sum = (vf)0.0f;
    for (size_t t = 0; t < taps; t++)
        sum += weights[t] * load_lanes(x + (size_t)sources[t] * inner, n);
    return sum;
}

static void LOCAL(ek_axis_map)(const E *x, size_t outer, size_t inputs, size_t outputs, size_t inner,
                               const int32_t *firsts, const int32_t *sources, const float *weights,
                               E *y) {
    for (size_t o = 0; o < outer; o++, x += inputs * inner)
        for (size_t i = 0; i < outputs; i++, y += inner) {
            const size_t first = (size_t)firsts[i], taps = (size_t)firsts[i + 1] - first;
            for (size_t k = 0; k < inner; k += W) {
                const size_t n = ek_smaller(W, inner - k);
                store_lanes(y + k,
                            map_vector(x + k, inner, sources + first, weights + first, taps, n), n);
            }
        }
}

/// One vector of window sums around x[at], at most n of them; what lies outside of the row counts as 0.
EK_INLINE vf window_vector(const E *x, ptrdiff_t at, ptrdiff_t length, ptrdiff_t inner,
                           ptrdiff_t before, ptrdiff_t after, size_t n) {
    vf sum = (vf)0.0f;
    for (ptrdiff_t k = at - before * inner; k <= at + after * inner; k += inner) {
        if (k >= 0 && k + (ptrdiff_t)n <= length) {
            sum += load_lanes(x + k, n);
            continue;
        }
        for (ptrdiff_t i = 0; i < (ptrdiff_t)n; i++)
            if (k + i >= 0 && k + i < length) sum[i] += eload_n(x + k + i, 1)[0];
    }
    return sum;
}

static void LOCAL(ek_window_sum)(const E *x, size_t outer, size_t channels, size_t inner,
                                 size_t before, size_t after, E *y) {
    const size_t length = channels * inner;
    before = ek_smaller(before, channels);
    after = ek_smaller(after, channels);
    for (size_t o = 0; o < outer; o++, x += length, y += length)
        for (size_t k = 0; k < length; k += W) {
            const size_t n = ek_smaller(W, length - k);
            store_lanes(y + k,
                        window_vector(x, (ptrdiff_t)k, (ptrdiff_t)length, (ptrdiff_t)inner,
                                      (ptrdiff_t)before, (ptrdiff_t)after, n),
                        n);
        }
}

#undef E
#undef LOCAL
#undef window_vector
#undef pool_vector
#undef scatter_vector
#undef map_vector
#undef load_lanes
#undef store_lanes
#undef EK_FOR_EACH_WINDOW
