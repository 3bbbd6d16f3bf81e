// Sums per channel of dy' and dy' (x - mean), on the way the activation's output again where it is
// asked for, or dy' itself where an output says where it is dy; and plain sums per channel.
//
// Sums are of type EK_SUM over EK_TILE_ROWS rows or EK_TILE_RUN elements of a run, double from there on.

#include "centred_sums_vector.h"

#define EK_TILE_ROWS 128
#define EK_LOW_TILE_ROWS 32
#define EK_TILE_RUN 1024

#define sums_columns LOCAL(ek_sums_columns)
#define sums_lanes LOCAL(ek_sums_lanes)
#define sums_plane LOCAL(ek_sums_plane)
#define sums_planes LOCAL(ek_sums_planes)
#define sums_run LOCAL(ek_sums_run)

/// `width` vectors of lanes (a constant) over `rows` of the `height` rows of a tile, or the first n lanes of
/// one vector.
EK_INLINE void sums_columns(const sums_streams *s, size_t rows, size_t height, size_t stride,
                            size_t width, int whole, size_t n, sums_parameters *p, size_t l,
                            int kind, const form *f, int with) {
    const int in_pairs = width % 2 == 0 && !(with & EK_WITH_STREAM);
    vs first[EK_SUM_COLUMNS], second[EK_SUM_COLUMNS];
    sums_lane lane[EK_SUM_COLUMNS];
    for (size_t q = 0; q < width; q++) {
        first[q] = second[q] = (vs)(EK_SUM)0;
        if (with & EK_WITH_X) lane[q] = sums_parameters_load(p, l + q * W);
    }
    if (in_pairs && with & EK_WITH_X)
        for (size_t q = 0; q < width; q += 2)
            centre_apart(&lane[q].centre, &lane[q + 1].centre);
    for (size_t r = 0; r < rows; r++)
        for (size_t q = 0; q < width; q++) {
            const size_t k = r * stride + l + q * W;
            // What comes has to be asked for; where a tile takes a part of each row, that is the next tile.
            if (EK_BEGINS_LINE(q, E))
                sums_ask(s, k + (stride > width * W ? height * stride : EK_AHEAD(E)), with);
            if (!in_pairs)
                sums_one(s, k, whole, n, &lane[q], kind, f, with, &first[q], &second[q]);
            else if (q % 2 == 0)
                sums_two(s, k, &lane[q], kind, f, with, &first[q], &second[q]);
        }
    if (in_pairs)
        for (size_t q = 0; q < width; q += 2) {
            etogether(&first[q], &first[q + 1]);
            etogether(&second[q], &second[q + 1]);
        }
    for (size_t q = 0; q < width; q++) {
        double *to = p->first + l + q * W;
        vdstore(to, vdload(to) + vd_from_vs(first[q]));
        to = p->second + l + q * W;
        if (with & EK_WITH_X) vdstore(to, vdload(to) + vd_from_vs(second[q]));
    }
}

/// Tile by tile, block of columns by block. Of long rows a tile has few, so that memory is read nearly as it
/// lies.
EK_INLINE void sums_lanes(const sums_streams *s, size_t rows, size_t stride, size_t lanes,
                          sums_parameters *p, int kind, const form *f, int with) {
    const size_t block = EK_SUM_COLUMNS * W;
    const size_t height = lanes > 2 * block ? EK_LOW_TILE_ROWS : EK_TILE_ROWS;
    for (size_t r = 0; r < rows; r += height) {
        const size_t count = ek_smaller(height, rows - r);
        const sums_streams tile = streams_from(s, r * stride);
        size_t l = 0;
        for (; l + block <= lanes; l += block)
            sums_columns(&tile, count, height, stride, EK_SUM_COLUMNS, 1, 0, p, l, kind, f, with);
        for (; l + W <= lanes; l += W)
            sums_columns(&tile, count, height, stride, 1, 1, 0, p, l, kind, f, with);
        if (l < lanes)
            sums_columns(&tile, count, height, stride, 1, 0, lanes - l, p, l, kind, f, with);
    }
}

/// One run of a channel: parameters and results are the first of the tables.
EK_INLINE void sums_plane(const sums_streams *s, size_t count, sums_parameters *p, int kind,
                        const form *f, int with) {
    const centre_parameters *c = &p->centre;
    const sums_lane one = {{(vf)c->mean[0], (vf)c->scale[0], (vf)c->shift[0]}, (vd)p->mean[0]};
    const sums_lane lane[2] = {one, one};
    vs first[EK_CHAINS], second[EK_CHAINS];
    for (size_t q = 0; q < EK_CHAINS; q++) first[q] = second[q] = (vs)(EK_SUM)0;
    size_t k = 0;
    for (; k + EK_CHAINS * W <= count; k += EK_CHAINS * W)
        for (size_t q = 0; q < EK_CHAINS; q += 2) {
            for (size_t i = q * W; i < (q + 2) * W && EK_SUMS_ARE_EXACT; i += 64 / sizeof(E))
                sums_ask(s, k + i + EK_AHEAD(E), with);
            sums_two(s, k + q * W, lane, kind, f, with, &first[q], &second[q]);
        }
    for (; k + W <= count; k += W)
        sums_one(s, k, 1, 0, lane, kind, f, with, &first[0], &second[0]);
    if (k < count) sums_one(s, k, 0, count - k, lane, kind, f, with, &first[1], &second[1]);
    p->first[0] += chains_total(first);
    if (with & EK_WITH_X) p->second[0] += chains_total(second);
}

EK_INLINE void sums_planes(const sums_streams *s, const planes_view *planes, double *first,
                           double *second, sums_parameters *p, int kind, const form *f, int with) {
    const size_t inner = planes->inner;
    EK_EACH_PLANE(planes, c, k) {
        if (with & EK_WITH_X) sums_channel(p, planes->mean, planes->scale, planes->shift, c);
        p->first[0] = p->second[0] = 0.0;
        for (size_t i = 0; i < inner; i += EK_TILE_RUN) {
            const sums_streams run = streams_from(s, k + i);
            sums_plane(&run, ek_smaller(EK_TILE_RUN, inner - i), p, kind, f, with);
        }
        first[c] += p->first[0];
        if (with & EK_WITH_X) {
            const double mean = planes->mean[c];
            second[c] += p->second[0] - (mean - (double)(EK_SUM)mean) * p->first[0];
        }
    }
}

/// Chooses the loop: over planes, where they are given, adding to `first` and `second`; or over rows, adding
/// to p's.
static void sums_run(const sums_streams *s, const planes_view *planes, double *first, double *second,
                     size_t rows, size_t stride, size_t lanes, sums_parameters *p, const form *f,
                     int with) {
#define EK_LOOP(kind, with)                                                                    \
    {                                                                                          \
        if (planes) sums_planes(s, planes, first, second, p, kind, f, with);                   \
        else sums_lanes(s, rows, stride, lanes, p, kind, f, with);                           \
        break;                                                                                 \
    }
    // What is unusual goes through the general loop.
    const int general = with | EK_WITH_X;
#define EK_CASE(kind, with) \
    case kind * 128 + (with): EK_LOOP(kind, (with))
    switch (f->kind * 128 + with) {
        EK_CASE(EK_IDENTITY, 0)
        EK_CASE(EK_IDENTITY, EK_WITH_X)
        EK_CASE(EK_IDENTITY, EK_WITH_X | EK_WITH_OUTPUT | EK_WITH_STREAM)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT | EK_WITH_ADDED)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT | EK_WITH_X)
        EK_CASE(EK_IDENTITY, EK_WITH_GATE | EK_WITH_OUTPUT | EK_WITH_X | EK_WITH_ADDED)
        EK_CASE(EK_RELU, EK_WITH_X)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_OUTPUT)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_OUTPUT | EK_WITH_STREAM)
        EK_CASE(EK_RELU, EK_WITH_X | EK_WITH_RESIDUAL)
        EK_CASE(EK_LEAKY_RELU, EK_WITH_X)
        EK_CASE(EK_LEAKY_RELU, EK_WITH_X | EK_WITH_OUTPUT)
    default: EK_LOOP(f->kind, general)
    }
#undef EK_CASE
#undef EK_LOOP
}

static void LOCAL(ek_sums)(sums_streams s, size_t outer, size_t channels, size_t inner,
                           const double *mean, const double *scale,
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
    if (inner >= EK_PLANE_MINIMUM) {
        const planes_view planes = {outer * channels * inner, channels, inner, mean, scale, shift, 0};
        sums_run(&s, &planes, first, second, 0, 0, 0, &p, &f, with);
        return;
    }
    struct ek_layout layout = ek_layout(outer, channels, inner, W);
    const size_t stride = layout.lanes * layout.fold;
    layout.strip = ek_smaller(layout.strip, stride);
    for (size_t begin = 0; begin < stride; begin += layout.strip) {
        const size_t count = ek_smaller(layout.strip, stride - begin);
        if (with & EK_WITH_X)
            sums_table(&p, mean, scale, shift, begin, count, layout.lanes, inner);
        memset(p.first, 0, count * sizeof p.first[0]);
        memset(p.second, 0, count * sizeof p.second[0]);
        if (layout.rows > 0) {
            const sums_streams strip = streams_from(&s, begin);
            sums_run(&strip, NULL, NULL, NULL, layout.rows, stride, count, &p, &f, with);
        }
        const size_t rest = outer % layout.fold * layout.lanes;
        if (rest > 0) {
            const sums_streams last = streams_from(&s, layout.rows * stride);
            sums_run(&last, NULL, NULL, NULL, 1, rest, rest, &p, &f, with);
        }
        const size_t distinct = ek_smaller(count, layout.lanes);
        for (size_t l = 0; l < count; l += distinct)
            for (size_t i = 0; i < distinct; i += W)
                sums_add(&p, l + i, begin + i, ek_smaller(W, distinct - i), inner, mean,
                         with & EK_WITH_X, first, second);
    }
}

static void LOCAL(ek_centred_sums)(const E *dy, const E *x, size_t outer, size_t channels,
                                   size_t inner, const double *mean,
                                   const double *scale, const double *shift, const E *residual,
                                   int activation, float slope, E *y, int stream,
                                   double *sums) {
    const int used = activation != EK_IDENTITY || y;
    const size_t row = inner >= EK_PLANE_MINIMUM ? inner : channels * inner;
    const int streams = y && stream && ek_streamable(y, row * sizeof(E), W * sizeof(E));
    const int with = EK_WITH_X | (used && residual ? EK_WITH_RESIDUAL : 0) |
                     (y ? EK_WITH_OUTPUT : 0) | (streams ? EK_WITH_STREAM : 0);
    const sums_streams s = {.dy = dy, .x = x, .residual = used ? residual : NULL, .y = y};
    LOCAL(ek_sums)(s, outer, channels, inner, mean, used ? scale : NULL,
                   used ? shift : NULL, activation, slope, sums, with);
    if (streams) ek_fence();
}

static void LOCAL(ek_gated_sums)(const E *dy, const E *added, const E *gate, const E *x,
                                 size_t outer, size_t channels, size_t inner, const double *mean,
                                 E *y, double *sums) {
    const sums_streams s = {.dy = dy, .x = x, .added = added, .gate = gate, .y = y};
    const int with = EK_WITH_GATE | EK_WITH_OUTPUT | (x ? EK_WITH_X : 0) |
                     (added ? EK_WITH_ADDED : 0);
    LOCAL(ek_sums)(s, outer, channels, inner, mean, NULL, NULL, EK_IDENTITY, 0.0f, sums,
                   with);
}

static void LOCAL(ek_column_sums)(const E *x, size_t outer, size_t channels, size_t inner,
                                  double *sums) {
    const sums_streams s = {.dy = x};
    LOCAL(ek_sums)(s, outer, channels, inner, NULL, NULL, NULL, EK_IDENTITY, 0.0f, sums, 0);
}
