// Sums per channel of dy' and dy' (x - mean), on the way the activation's output again where it is
// asked for, or dy' itself where an output says where it is dy; and plain sums per channel.
//
// Floats are added over EK_TILE_ROWS rows or EK_TILE_RUN elements of a run, doubles from there on.

#include "centred_sums_vector.h"

#define EK_TILE_ROWS 32
#define EK_TILE_RUN 1024

#define sums_columns LOCAL(ek_sums_columns)
#define sums_lanes LOCAL(ek_sums_lanes)
#define sums_by_rows LOCAL(ek_sums_by_rows)
#define sums_run LOCAL(ek_sums_run)
#define sums_rows LOCAL(ek_sums_rows)

/// `width` vectors of lanes (a constant) over the rows of a tile, or the first n lanes of one.
EK_INLINE void sums_columns(const sums_streams *s, const float *weights, size_t rows,
                            size_t stride, size_t width, int whole, size_t n, sums_parameters *p,
                            size_t l, int kind, const form *f, int with) {
    const int in_pairs = width % 2 == 0 && !(with & EK_WITH_STREAM);
    vf first[EK_COLUMNS], second[EK_COLUMNS];
    vf mean[EK_COLUMNS], scale[EK_COLUMNS], shift[EK_COLUMNS];
    for (size_t q = 0; q < width; q++) {
        first[q] = second[q] = (vf)0.0f;
        if (!(with & EK_WITH_X)) continue;
        mean[q] = vload(p->centre.mean + l + q * W);
        scale[q] = vload(p->centre.scale + l + q * W);
        shift[q] = vload(p->centre.shift + l + q * W);
    }
    if (in_pairs && with & EK_WITH_X)
        for (size_t q = 0; q < width; q += 2) {
            eapart(&mean[q], &mean[q + 1]);
            eapart(&scale[q], &scale[q + 1]);
            eapart(&shift[q], &shift[q + 1]);
        }
    for (size_t r = 0; r < rows; r++) {
        vf weight = (vf)1.0f;
        if (with & EK_WITH_WEIGHTS) {
            if (weights[r] == 0.0f) continue;
            weight = (vf)weights[r];
        }
        for (size_t q = 0; q < width; q++) {
            const size_t k = r * stride + l + q * W;
            // Where a tile takes a part of each row, what the next one needs has to be asked for.
            if (stride > width * W && EK_BEGINS_LINE(q, E)) {
                const size_t next = k + EK_TILE_ROWS * stride;
                __builtin_prefetch(s->dy + next, 0, 2);
                if (with & EK_WITH_X) __builtin_prefetch(s->x + next, 0, 2);
                if (with & EK_WITH_RESIDUAL) __builtin_prefetch(s->residual + next, 0, 2);
            }
            if (!in_pairs)
                sums_one(s, k, whole, n, weight, mean[q], scale[q], shift[q], kind, f, with, &first[q],
                         &second[q]);
            else if (q % 2 == 0)
                sums_two(s, k, weight, &mean[q], &scale[q], &shift[q], kind, f, with, &first[q],
                         &second[q]);
        }
    }
    if (in_pairs)
        for (size_t q = 0; q < width; q += 2) {
            etogether(&first[q], &first[q + 1]);
            etogether(&second[q], &second[q + 1]);
        }
    for (size_t q = 0; q < width; q++) {
        double *to = p->first + l + q * W;
        vdstore(to, vdload(to) + vwiden(first[q]));
        to = p->second + l + q * W;
        if (with & EK_WITH_X) vdstore(to, vdload(to) + vwiden(second[q]));
    }
}

/// The rows of a tile one after the other, whole, with sums in L1: what memory likes best. The sums of a
/// lane are those of sums_columns, in the same order.
EK_INLINE void sums_by_rows(const sums_streams *s, const float *weights, size_t rows, size_t stride, size_t lanes,
                            sums_parameters *p, int kind, const form *f, int with) {
    float first[EK_STRIP], second[EK_STRIP];
    const size_t padded = (lanes + W - 1) / W * W;
    memset(first, 0, padded * sizeof *first);
    memset(second, 0, padded * sizeof *second);
    const centre_parameters *c = &p->centre;
    for (size_t r = 0; r < rows; r++) {
        vf weight = (vf)1.0f;
        if (with & EK_WITH_WEIGHTS) {
            if (weights[r] == 0.0f) continue;
            weight = (vf)weights[r];
        }
        for (size_t l = 0; l < lanes; l += W) {
            const size_t k = r * stride + l;
            vf a = vload(first + l), b = vload(second + l);
            const vf mean = vload(c->mean + l), scale = vload(c->scale + l);
            const vf shift = vload(c->shift + l);
            if (l + W <= lanes)
                sums_one(s, k, 1, 0, weight, mean, scale, shift,
                            kind, f, with, &a, &b);
            else
                sums_one(s, k, 0, lanes - l, weight, mean, scale,
                            shift, kind, f, with, &a, &b);
            vstore(first + l, a);
            if (with & EK_WITH_X) vstore(second + l, b);
        }
    }
    for (size_t l = 0; l < lanes; l += W) {
        double *to = p->first + l;
        vdstore(to, vdload(to) + vwiden(vload(first + l)));
        to = p->second + l;
        if (with & EK_WITH_X) vdstore(to, vdload(to) + vwiden(vload(second + l)));
    }
}

EK_INLINE void sums_lanes(const sums_streams *s, const float *weights, size_t rows, size_t stride, size_t lanes,
                          sums_parameters *p, int kind, const form *f, int with) {
    // Columns of a row that is longer, or that is written too, leave too much to the caches.
    const size_t block = EK_COLUMNS * W;
    const int by_rows = lanes > (with & EK_WITH_OUTPUT ? block : 2 * block);
    for (size_t r = 0; r < rows; r += EK_TILE_ROWS) {
        const size_t count = ek_smaller(EK_TILE_ROWS, rows - r);
        const sums_streams tile = streams_from(s, r * stride);
        const float *w = with & EK_WITH_WEIGHTS ? weights + r : weights;
        if (by_rows) {
            sums_by_rows(&tile, w, count, stride, lanes, p, kind, f,
                         with);
            continue;
        }
        size_t l = 0;
        for (; l + block <= lanes; l += block)
            sums_columns(&tile, w, count, stride, EK_COLUMNS, 1, 0, p, l,
                         kind, f, with);
        for (; l + W <= lanes; l += W)
            sums_columns(&tile, w, count, stride, 1, 1, 0, p, l, kind, f,
                         with);
        if (l < lanes)
            sums_columns(&tile, w, count, stride, 1, 0, lanes - l, p, l,
                         kind, f, with);
    }
}

/// One run of a channel: parameters and results are the first of the tables.
EK_INLINE void sums_run(const sums_streams *s, const float *weights, size_t count, sums_parameters *p, int kind, const form *f, int with) {
    const vf mean = (vf)p->centre.mean[0];
    const vf scale = (vf)p->centre.scale[0], shift = (vf)p->centre.shift[0];
    vf first[4] = {(vf)0.0f, (vf)0.0f, (vf)0.0f, (vf)0.0f};
    vf second[4] = {(vf)0.0f, (vf)0.0f, (vf)0.0f, (vf)0.0f};
    size_t k = 0;
    for (; k + 4 * W <= count; k += 4 * W)
        for (size_t q = 0; q < 4; q++) {
            const size_t i = k + q * W;
            const vf weight = with & EK_WITH_WEIGHTS ? vload(weights + i) : (vf)1.0f;
            sums_one(s, i, 1, 0, weight, mean, scale, shift, kind,
                        f, with, &first[q], &second[q]);
        }
    for (; k + W <= count; k += W) {
        const vf weight = with & EK_WITH_WEIGHTS ? vload(weights + k) : (vf)1.0f;
        sums_one(s, k, 1, 0, weight, mean, scale, shift, kind, f,
                    with, &first[0], &second[0]);
    }
    if (k < count) {
        const size_t n = count - k;
        const vf weight = with & EK_WITH_WEIGHTS ? vload_n(weights + k, n) : (vf)1.0f;
        sums_one(s, k, 0, n, weight, mean, scale, shift, kind, f,
                    with, &first[1], &second[1]);
    }
    p->first[0] += vsum(vwiden(first[0] + first[1]) + vwiden(first[2] + first[3]));
    if (with & EK_WITH_X)
        p->second[0] += vsum(vwiden(second[0] + second[1]) + vwiden(second[2] + second[3]));
}

/// Chooses the loop. rows == 0: a run of one channel, `lanes` elements long.
static void sums_rows(const sums_streams *s, const float *weights, size_t rows, size_t stride,
                      size_t lanes, sums_parameters *p, const form *f, int with) {
#define EK_LOOP(kind, with)                                                                    \
    {                                                                                          \
        if (rows == 0) sums_run(s, weights, lanes, p, kind, f, with);                        \
        else sums_lanes(s, weights, rows, stride, lanes, p, kind, f, with);                  \
        break;                                                                                 \
    }
    // Weighted sums and unusual activations go through the general loop.
    const int general = with | EK_WITH_X;
    const int kind = with & EK_WITH_WEIGHTS ? EK_LEAKY_RELU : f->kind;
#define EK_CASE(kind, with) \
    case kind * 128 + (with): EK_LOOP(kind, (with))
    switch (kind * 128 + with) {
        EK_CASE(EK_IDENTITY, 0)
        EK_CASE(EK_IDENTITY, EK_WITH_X)
        EK_CASE(EK_IDENTITY, EK_WITH_X | EK_WITH_STREAM)
        EK_CASE(EK_IDENTITY, EK_WITH_X | EK_WITH_OUTPUT | EK_WITH_STREAM)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT | EK_WITH_ADDED)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT | EK_WITH_X)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT | EK_WITH_X | EK_WITH_ADDED)
        EK_CASE(EK_RELU, EK_WITH_X)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_STREAM)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_OUTPUT)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_OUTPUT | EK_WITH_STREAM)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_RESIDUAL)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_RESIDUAL | EK_WITH_STREAM)
        EK_CASE(EK_LEAKY_RELU, EK_WITH_X)
        EK_CASE(EK_LEAKY_RELU, EK_WITH_X | EK_WITH_OUTPUT)
    default: EK_LOOP(f->kind, general)
    }
#undef EK_CASE
#undef EK_LOOP
}

static void LOCAL(ek_sums)(sums_streams s, const float *weights, size_t outer, size_t channels,
                           size_t inner, const double *mean, const double *scale,
                           const double *shift, int activation, float slope, double *sums,
                           int with) {
    const form f = activation_form(activation, slope);
    double *first = sums, *second = with & EK_WITH_X ? sums + channels : sums;
    sums_parameters p;
    // In the place of what there is not, something to point at.
    if (!s.x) s.x = s.dy;
    if (!s.residual) s.residual = s.x;
    if (!s.added) s.added = s.x;
    if (!s.gate) s.gate = s.x;
    if (!s.y) s.y = (E *)(uintptr_t)s.x;
    if (inner >= EK_PLANE_MINIMUM || (weights && inner > 1)) {
        for (size_t o = 0; o < outer; o++)
            for (size_t c = 0; c < channels; c++) {
                if (with & EK_WITH_X) centre_table(&p.centre, mean, scale, shift, c, 1, channels, 1);
                p.first[0] = p.second[0] = 0.0;
                for (size_t i = 0; i < inner; i += EK_TILE_RUN) {
                    const sums_streams run = streams_from(&s, (o * channels + c) * inner + i);
                    sums_rows(&run, weights ? weights + o * inner + i : weights, 0, 0,
                              ek_smaller(EK_TILE_RUN, inner - i), &p, &f, with);
                }
                first[c] += p.first[0];
                if (with & EK_WITH_X) second[c] += about_mean(&p, 0, mean[c]);
            }
        return;
    }
    struct ek_layout layout = ek_layout(outer, channels, inner, W);
    if (weights) layout.fold = 1, layout.rows = outer;
    const size_t stride = layout.lanes * layout.fold;
    layout.strip = ek_smaller(layout.strip, stride);
    for (size_t begin = 0; begin < stride; begin += layout.strip) {
        const size_t count = ek_smaller(layout.strip, stride - begin);
        if (with & EK_WITH_X)
            centre_table(&p.centre, mean, scale, shift, begin, count, layout.lanes, inner);
        memset(p.first, 0, count * sizeof p.first[0]);
        memset(p.second, 0, count * sizeof p.second[0]);
        if (layout.rows > 0) {
            const sums_streams strip = streams_from(&s, begin);
            sums_rows(&strip, weights, layout.rows, stride, count, &p, &f, with);
        }
        const size_t rest = outer % layout.fold * layout.lanes;
        if (rest > 0) {
            const sums_streams last = streams_from(&s, layout.rows * stride);
            sums_rows(&last, weights, 1, rest, rest, &p, &f, with);
        }
        const size_t distinct = ek_smaller(count, layout.lanes);
        for (size_t l = 0; l < count; l += distinct)
            for (size_t i = 0; i < distinct; i++) {
                const size_t c = inner == 1 ? begin + i : (begin + i) / inner;
                first[c] += p.first[l + i];
                if (with & EK_WITH_X) second[c] += about_mean(&p, l + i, mean[c]);
            }
    }
}

static void LOCAL(ek_centred_sums)(const E *dy, const E *x, const float *weights, size_t outer,
                                   size_t channels, size_t inner, const double *mean,
                                   const double *scale, const double *shift, const E *residual,
                                   int activation, float slope, E *y, int stream,
                                   double *sums) {
    const int used = activation != EK_IDENTITY || y;
    const size_t row = inner >= EK_PLANE_MINIMUM ? inner : channels * inner;
    const int streams = y && stream && ek_streamable(y, row * sizeof(E), W * sizeof(E));
    const int with = EK_WITH_X | (used && residual ? EK_WITH_RESIDUAL : 0) |
                     (weights ? EK_WITH_WEIGHTS : 0) | (y ? EK_WITH_OUTPUT : 0) |
                     (streams || (stream && !y && !weights) ? EK_WITH_STREAM : 0);
    const sums_streams s = {.dy = dy, .x = x, .residual = used ? residual : NULL, .y = y};
    LOCAL(ek_sums)(s, weights, outer, channels, inner, mean, used ? scale : NULL,
                   used ? shift : NULL, activation, slope, sums, with);
    if (streams) ek_fence();
}

static void LOCAL(ek_gated_sums)(const E *dy, const E *added, const E *gate, const E *x,
                                 size_t outer, size_t channels, size_t inner, const double *mean,
                                 E *y, double *sums) {
    const sums_streams s = {.dy = dy, .x = x, .added = added, .gate = gate, .y = y};
    const int with = EK_WITH_GATE | EK_WITH_OUTPUT | (x ? EK_WITH_X : 0) |
                     (added ? EK_WITH_ADDED : 0);
    LOCAL(ek_sums)(s, NULL, outer, channels, inner, mean, NULL, NULL, EK_IDENTITY, 0.0f, sums,
                   with);
}

static void LOCAL(ek_column_sums)(const E *x, size_t outer, size_t channels, size_t inner,
                                  double *sums) {
    const sums_streams s = {.dy = x};
    LOCAL(ek_sums)(s, NULL, outer, channels, inner, NULL, NULL, NULL, EK_IDENTITY, 0.0f, sums, 0);
}
