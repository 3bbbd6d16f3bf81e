// Sums per channel of dy' and dy' (x - mean), on the way the activation's output again where it is
// asked for, or dy' itself where an output says where it is dy; and plain sums per channel.
//
// Floats are added over EK_TILE_ROWS rows or EK_TILE_RUN elements of a run, doubles from there on.

#define EK_TILE_ROWS 32
#define EK_TILE_RUN 1024

#define about_mean LOCAL(ek_about_mean)
#define streams_from LOCAL(ek_sums_streams_from)
#define sums_load LOCAL(ek_sums_load)
#define sums_load2 LOCAL(ek_sums_load2)
#define sums_ask LOCAL(ek_sums_ask)
#define sums_vector LOCAL(ek_sums_vector)
#define sums_one LOCAL(ek_sums_one)
#define sums_two LOCAL(ek_sums_two)
#define sums_columns LOCAL(ek_sums_columns)
#define sums_lanes LOCAL(ek_sums_lanes)
#define sums_by_rows LOCAL(ek_sums_by_rows)
#define sums_run LOCAL(ek_sums_run)
#define sums_rows LOCAL(ek_sums_rows)
#define sums_planes LOCAL(ek_sums_planes)

/// What of `sums` is asked for.
#define EK_WITH_X 1           // sum dy' (x - mean) too, else only sum dy
#define EK_WITH_RESIDUAL 2    // there is a residual
#define EK_WITH_WEIGHTS 4     // there are weights
#define EK_WITH_OUTPUT 8      // store act((x - mean) * scale + shift + residual) too
#define EK_WITH_STREAM 16     // ask ahead for what is read, store the output past the caches
#define EK_WITH_GATE 32       // dy' is dy where the gate is above 0; it is the output
#define EK_WITH_ADDED 64      // dy is dy + added

/// What is read and written position by position. What is not asked for is never used.
struct LOCAL(ek_sums_streams) {
    const E *dy, *x, *residual, *added, *gate;
    E *y;
};
#define sums_streams struct LOCAL(ek_sums_streams)

EK_INLINE sums_streams streams_from(const sums_streams *s, size_t k) {
    return (sums_streams){s->dy + k,    s->x + k,    s->residual + k,
                          s->added + k, s->gate + k, s->y + k};
}

struct LOCAL(ek_sums_parameters) {
    centre_parameters centre;
    double first[EK_STRIP], second[EK_STRIP];
};
#define sums_parameters struct LOCAL(ek_sums_parameters)

/// The second sum of a lane. The loops subtract the float next to the mean from every x; what its
/// rounding left over is subtracted here, from the sum.
EK_INLINE double about_mean(const sums_parameters *p, size_t l, double mean) {
    return p->second[l] - rest_of(mean) * p->first[l];
}

/// A vector of each.
struct LOCAL(ek_sums_values) {
    vf dy, x, residual, added, gate;
};
#define sums_values struct LOCAL(ek_sums_values)

/// What is read at k: whole vectors, or the first n lanes.
EK_INLINE sums_values sums_load(const sums_streams *s, size_t k, int whole, size_t n, int with) {
#define EK_LOAD(from) (whole ? eload((from) + k) : eload_n((from) + k, n))
    sums_values v;
    v.dy = EK_LOAD(s->dy);
    v.x = v.residual = v.added = v.gate = v.dy;
    if (with & EK_WITH_X) v.x = EK_LOAD(s->x);
    if (with & EK_WITH_RESIDUAL) v.residual = EK_LOAD(s->residual);
    if (with & EK_WITH_ADDED) v.added = EK_LOAD(s->added);
    if (with & EK_WITH_GATE) v.gate = EK_LOAD(s->gate);
    return v;
#undef EK_LOAD
}

/// Two vectors of each, as `eload2` orders them.
EK_INLINE void sums_load2(const sums_streams *s, size_t k, int with, sums_values *v) {
#define EK_LOAD(from) eload2(s->from + k, &v[0].from, &v[1].from)
    EK_LOAD(dy);
    for (size_t q = 0; q < 2; q++)
        v[q].x = v[q].residual = v[q].added = v[q].gate = v[q].dy;
    if (with & EK_WITH_X) EK_LOAD(x);
    if (with & EK_WITH_RESIDUAL) EK_LOAD(residual);
    if (with & EK_WITH_ADDED) EK_LOAD(added);
    if (with & EK_WITH_GATE) EK_LOAD(gate);
#undef EK_LOAD
}

EK_INLINE void sums_ask(const sums_streams *s, size_t k, int with) {
    // All of it comes from far where it is streamed, behind a gate only x.
    if (with & EK_WITH_STREAM) {
        __builtin_prefetch(s->dy + k + EK_AHEAD(E), 0, 2);
        if (with & EK_WITH_RESIDUAL) __builtin_prefetch(s->residual + k + EK_AHEAD(E), 0, 2);
    }
    if (with & EK_WITH_STREAM || (with & EK_WITH_GATE && with & EK_WITH_X))
        __builtin_prefetch(s->x + k + EK_AHEAD(E), 0, 2);
}

/// Adds vectors to the sums in registers, all lanes or the first n, and returns what is stored. `dy` has
/// `added` in it.
EK_INLINE vf sums_vector(sums_values v, int whole, size_t n, vf weight, vf mean, vf scale, vf shift,
                         int kind, const form *f, int with, vf *first, vf *second) {
    vf g = v.dy, deviation = v.x - mean, output = g;
    if (with & EK_WITH_GATE) {
        output = g = vblend(v.gate <= (vf)0.0f, (vf)0.0f, g);
    } else if (with & EK_WITH_X) {
        vf pre = preactivation(deviation, scale, shift);
        if (with & EK_WITH_RESIDUAL) pre += v.residual;
        g = deactivate(g, pre, kind, f);
        output = activate(pre, kind, f);
    }
    if (!whole) deviation = vblend(vfirst(n), deviation, (vf)0.0f);
    if (with & EK_WITH_WEIGHTS) {
        const vi used = weight != (vf)0.0f;
        g = vblend(used, g * weight, (vf)0.0f);
        deviation = vblend(used, deviation, (vf)0.0f);
    }
    if (!whole) g = vblend(vfirst(n), g, (vf)0.0f);
    *first += g;
    if (with & EK_WITH_X) *second += g * deviation;
    return output;
}

/// One vector from k on: whole, or its first n lanes.
EK_INLINE void sums_one(const sums_streams *s, size_t k, int whole, size_t n, vf weight, vf mean,
                        vf scale, vf shift, int kind, const form *f, int with, vf *first,
                        vf *second) {
    if (EK_REACHES_LINE(s->x + k)) sums_ask(s, k, with);
    sums_values v = sums_load(s, k, whole, n, with);
    // Rounded as by an addition on its own.
    if (with & EK_WITH_ADDED) v.dy = eround(v.dy + v.added);
    const vf output = sums_vector(v, whole, n, weight, mean, scale, shift, kind, f, with, first, second);
    if (!(with & EK_WITH_OUTPUT)) return;
    if (!whole) estore_n(s->y + k, output, n);
    else if (with & EK_WITH_STREAM) estream(s->y + k, output);
    else estore(s->y + k, output);
}

/// Two whole vectors from k on, with what is one number per lane in the order of `eload2`.
EK_INLINE void sums_two(const sums_streams *s, size_t k, vf weight, const vf *mean, const vf *scale,
                        const vf *shift, int kind, const form *f, int with, vf *first, vf *second) {
    sums_ask(s, k, with);
    sums_values v[2];
    sums_load2(s, k, with, v);
    if (with & EK_WITH_ADDED) {
        for (size_t q = 0; q < 2; q++) v[q].dy += v[q].added;
        eround2(&v[0].dy, &v[1].dy);
    }
    vf output[2];
    for (size_t q = 0; q < 2; q++)
        output[q] = sums_vector(v[q], 1, 0, weight, mean[q], scale[q], shift[q], kind, f, with,
                                first + q, second + q);
    if (with & EK_WITH_OUTPUT) estore2(s->y + k, output[0], output[1]);
}

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
