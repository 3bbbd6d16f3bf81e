// dx = a dy' + b (x - mean) + c.

#define gradient_vectors LOCAL(ek_gradient_vectors)
#define input_gradient LOCAL(ek_input_gradient)
#define gradient_two LOCAL(ek_gradient_two)
#define gradient_mean LOCAL(ek_gradient_mean)
#define gradient_apart LOCAL(ek_gradient_apart)
#define gradient_load LOCAL(ek_gradient_load)
#define gradient_table LOCAL(ek_gradient_table)
#define gradient_ask LOCAL(ek_gradient_ask)
#define gradient_columns LOCAL(ek_gradient_columns)
#define gradient_lanes LOCAL(ek_gradient_lanes)
#define gradient_channel LOCAL(ek_gradient_channel)
#define gradient_plane LOCAL(ek_gradient_plane)
#define gradient_planes LOCAL(ek_gradient_planes)
#define gradient_run LOCAL(ek_gradient_run)

struct LOCAL(ek_gradient_parameters) {
    centre_parameters centre;
    EK_SUM a[EK_STRIP], b[EK_STRIP], c[EK_STRIP];
};
#define gradient_parameters struct LOCAL(ek_gradient_parameters)

#define EK_WITH_DRESIDUAL 4

// Of 6 parameters per lane, three of type EK_SUM, the registers hold two vectors' where that is double.
#define EK_GRADIENT_COLUMNS (EK_SUMS_ARE_EXACT ? (size_t)2 : EK_COLUMNS)

/// The parameters of a vector of lanes.
struct LOCAL(ek_gradient_lane) {
    centre_lane centre;
    vs a, b, c;
};
#define gradient_lane struct LOCAL(ek_gradient_lane)

/// The mean that the loops subtract from x. Where b x is exact that is none: c takes in all of it, else what
/// its rounding left over.
EK_INLINE vd gradient_mean(vd mean) {
    return EK_SUMS_ARE_EXACT ? (vd)0.0 : vwiden(vnarrow(mean));
}

EK_INLINE void gradient_table(gradient_parameters *to, const double *mean, const double *a,
                              const double *b, const double *c, size_t first, size_t count,
                              size_t lanes, size_t inner) {
    const size_t distinct = ek_smaller(count, lanes);
    for (size_t l = 0; l < distinct; l += W) {
        const size_t n = ek_smaller(W, distinct - l), from = first + l;
        const vd factor = lane_numbers(b, from, n, inner, 0.0);
        const vd middle = lane_numbers(mean, from, n, inner, 0.0);
        sstore(to->a + l, vs_from_vd(lane_numbers(a, from, n, inner, 0.0)));
        sstore(to->b + l, vs_from_vd(factor));
        sstore(to->c + l, vs_from_vd(lane_numbers(c, from, n, inner, 0.0) -
                                     factor * (middle - gradient_mean(middle))));
    }
    for (size_t l = distinct; l < count; l++) {
        to->a[l] = to->a[l - lanes];
        to->b[l] = to->b[l - lanes];
        to->c[l] = to->c[l - lanes];
    }
}

EK_INLINE vs input_gradient(vf dy, vf x, const gradient_lane *p) {
    const vs deviation = EK_SUMS_ARE_EXACT ? vs_from_vf(x) : vs_from_vf(x - p->centre.mean);
    return p->a * vs_from_vf(dy) + (p->b * deviation + p->c);
}

EK_INLINE void gradient_vectors(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                                int whole, size_t n, const gradient_lane *p, int kind,
                                const form *f, int with, int stream) {
    if (stream && EK_REACHES_LINE(x)) {
        __builtin_prefetch(dy + EK_AHEAD(E), 0, 2);
        __builtin_prefetch(x + EK_AHEAD(E), 0, 2);
        if (with & EK_WITH_RESIDUAL) __builtin_prefetch(residual + EK_AHEAD(E), 0, 2);
    }
    vf g = whole ? eload(dy) : eload_n(dy, n);
    const vf value = whole ? eload(x) : eload_n(x, n);
    if (kind != EK_IDENTITY) {
        vf v = preactivation(value - p->centre.mean, p->centre.scale, p->centre.shift);
        if (with & EK_WITH_RESIDUAL) v += whole ? eload(residual) : eload_n(residual, n);
        g = deactivate(g, v, kind, f);
    }
    const vs result = input_gradient(g, value, p);
    if (!whole) {
        if (with & EK_WITH_DRESIDUAL) estore_n(dresidual, g, n);
        estore_n(dx, vf_from_vs(result), n);
    } else if (stream) {
        if (with & EK_WITH_DRESIDUAL) estream(dresidual, g);
        estream_sum(dx, result);
    } else {
        if (with & EK_WITH_DRESIDUAL) estore(dresidual, g);
        estore_sum(dx, result);
    }
}

/// Two whole vectors, with parameters in the order of `eload2`.
EK_INLINE void gradient_two(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                            const gradient_lane *p, int kind, const form *f, int with) {
    vf g[2], v[2], r[2];
    vs result[2];
    eload2(dy, &g[0], &g[1]);
    eload2(x, &v[0], &v[1]);
    if (with & EK_WITH_RESIDUAL) eload2(residual, &r[0], &r[1]);
    for (size_t q = 0; q < 2; q++) {
        vf pre = preactivation(v[q] - p[q].centre.mean, p[q].centre.scale, p[q].centre.shift);
        if (with & EK_WITH_RESIDUAL) pre += r[q];
        g[q] = deactivate(g[q], pre, kind, f);
        result[q] = input_gradient(g[q], v[q], &p[q]);
    }
    if (with & EK_WITH_DRESIDUAL) estore2(dresidual, g[0], g[1]);
    estore2_sum(dx, result[0], result[1]);
}

EK_INLINE gradient_lane gradient_load(const gradient_parameters *p, size_t l) {
    return (gradient_lane){centre_load(&p->centre, l), sload(p->a + l), sload(p->b + l),
                           sload(p->c + l)};
}

EK_INLINE void gradient_apart(gradient_lane *a, gradient_lane *b) {
    centre_apart(&a->centre, &b->centre);
    eapart(&a->a, &b->a);
    eapart(&a->b, &b->b);
    eapart(&a->c, &b->c);
}

/// Asks for two vectors' worth of what is read and written at k. Of rows wider than a block of columns,
/// processors do not read ahead for themselves.
EK_INLINE void gradient_ask(const E *dy, const E *x, const E *residual, const E *dx, size_t k,
                            int with) {
    for (size_t i = k; i < k + 2 * W; i += 64 / sizeof(E)) {
        __builtin_prefetch(dy + i, 0, 2);
        __builtin_prefetch(x + i, 0, 2);
        if (with & EK_WITH_RESIDUAL) __builtin_prefetch(residual + i, 0, 2);
        EK_PREFETCH_FOR_WRITING(dx + i);
    }
}

/// `width` vectors of lanes (a constant) from lane l on, of some rows, with their parameters in registers.
EK_INLINE void gradient_columns(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                                size_t rows, size_t stride, size_t width,
                                const gradient_parameters *p, size_t l, int kind, const form *f,
                                int with, int stream) {
    gradient_lane lane[EK_COLUMNS];
    for (size_t q = 0; q < width; q++) lane[q] = gradient_load(p, l + q * W);
    for (size_t q = 0; q < width && !stream; q += 2) gradient_apart(&lane[q], &lane[q + 1]);
    for (size_t r = 0; r < rows; r++)
        for (size_t q = 0; q < width; q += stream ? 1 : 2) {
            const size_t k = r * stride + l + q * W;
            if (stream)
                gradient_vectors(dy + k, x + k, residual + k, dx + k, dresidual + k, 1, 0, &lane[q],
                                 kind, f, with, stream);
            else {
                if (stride > width * W)
                    gradient_ask(dy, x, residual, dx, k + EK_ROWS_TOGETHER * stride, with);
                gradient_two(dy + k, x + k, residual + k, dx + k, dresidual + k, &lane[q], kind, f,
                             with);
            }
        }
}

/// Row by row, as they lie in memory, where one block of columns is a row; else a few rows at a time.
EK_INLINE void gradient_lanes(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                              size_t rows, size_t stride, size_t lanes,
                              const gradient_parameters *p, int kind, const form *f, int with,
                              int stream) {
    if (lanes == EK_COLUMNS * W) {
        gradient_columns(dy, x, residual, dx, dresidual, rows, stride, EK_COLUMNS, p, 0, kind, f,
                         with, stream);
        return;
    }
    const size_t height = stream ? 1 : EK_ROWS_TOGETHER, block = EK_GRADIENT_COLUMNS * W;
    for (size_t top = 0; top < rows; top += height) {
        const size_t count = ek_smaller(height, rows - top), first = top * stride;
        size_t l = 0;
        for (; l + block <= lanes; l += block)
            gradient_columns(dy + first, x + first, residual + first, dx + first,
                             dresidual + first, count, stride, EK_GRADIENT_COLUMNS, p, l, kind, f,
                             with, stream);
        for (; l < lanes; l += W) {
            const gradient_lane lane = gradient_load(p, l);
            for (size_t r = 0; r < count; r++) {
                const size_t k = first + r * stride + l;
                if (l + W <= lanes)
                    gradient_vectors(dy + k, x + k, residual + k, dx + k, dresidual + k, 1, 0,
                                     &lane, kind, f, with, stream);
                else
                    gradient_vectors(dy + k, x + k, residual + k, dx + k, dresidual + k, 0,
                                     lanes - l, &lane, kind, f, with, 0);
            }
        }
    }
}

/// One run of a channel: parameters are the first of the tables.
EK_INLINE void gradient_plane(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                              size_t count, const gradient_parameters *p, int kind,
                              const form *f, int with, int stream) {
    const gradient_lane one = {
        {(vf)p->centre.mean[0], (vf)p->centre.scale[0], (vf)p->centre.shift[0]},
        (vs)p->a[0],
        (vs)p->b[0],
        (vs)p->c[0]};
    const gradient_lane lane[2] = {one, one};
    size_t k = 0;
    for (; k + 2 * W <= count && !stream; k += 2 * W)
        gradient_two(dy + k, x + k, residual + k, dx + k, dresidual + k, lane, kind, f, with);
    for (; k + W <= count; k += W)
        gradient_vectors(dy + k, x + k, residual + k, dx + k, dresidual + k, 1, 0, lane, kind, f,
                         with, stream);
    if (k < count)
        gradient_vectors(dy + k, x + k, residual + k, dx + k, dresidual + k, 0, count - k, lane,
                         kind, f, with, 0);
}

/// The factors per channel of dx.
struct LOCAL(ek_gradient_factors) {
    const double *a, *b, *c;
};
#define gradient_factors struct LOCAL(ek_gradient_factors)

/// The table of one channel.
EK_INLINE void gradient_channel(gradient_parameters *to, const planes_view *planes,
                                const gradient_factors *factors, size_t c) {
    const double mean = planes->mean[c], b = factors->b[c];
    centre_channel(&to->centre, planes->mean, planes->scale, planes->shift, c);
    to->a[0] = (EK_SUM)factors->a[c];
    to->b[0] = (EK_SUM)b;
    to->c[0] = (EK_SUM)(factors->c[c] - b * (mean - gradient_mean((vd)mean)[0]));
}

EK_INLINE void gradient_planes(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                               const planes_view *planes, const gradient_factors *factors,
                               gradient_parameters *p, int kind, const form *f, int with,
                               int stream) {
    const size_t inner = planes->inner;
    EK_EACH_PLANE(planes, c, k) {
        if (planes->ask) {
            ek_ask_ahead(dy + k, inner * sizeof(E));
            ek_ask_ahead(x + k, inner * sizeof(E));
            ek_ask_ahead_for_writing(dx + k, inner * sizeof(E));
        }
        gradient_channel(p, planes, factors, c);
        gradient_plane(dy + k, x + k, residual + k, dx + k, dresidual + k, inner, p, kind, f, with,
                       stream);
    }
}

/// Chooses the loop: over planes, where they are given with their factors, or over rows.
static void gradient_run(const E *dy, const E *x, const E *residual, E *dx, E *dresidual,
                         const planes_view *planes, const gradient_factors *factors, size_t rows,
                         size_t stride, size_t lanes, gradient_parameters *p, const form *f,
                         int with, int stream) {
#define EK_LOOP(kind, with, stream)                                                            \
    {                                                                                          \
        if (planes)                                                                            \
            gradient_planes(dy, x, residual, dx, dresidual, planes, factors, p, kind, f, with, \
                            stream);                                                           \
        else                                                                                   \
            gradient_lanes(dy, x, residual, dx, dresidual, rows, stride, lanes, p, kind, f,    \
                           with, stream);                                                      \
        break;                                                                                 \
    }
#define EK_STREAMED(kind, with)               \
    {                                         \
        if (stream) EK_LOOP(kind, with, 1)    \
        EK_LOOP(kind, with, 0)                \
    }
    switch (f->kind * 8 + with) {
    case EK_IDENTITY * 8: EK_STREAMED(EK_IDENTITY, 0)
    case EK_RELU * 8: EK_STREAMED(EK_RELU, 0)
    case EK_LEAKY_RELU * 8: EK_STREAMED(EK_LEAKY_RELU, 0)
    case EK_RELU * 8 + (EK_WITH_RESIDUAL | EK_WITH_DRESIDUAL):
        EK_STREAMED(EK_RELU, (EK_WITH_RESIDUAL | EK_WITH_DRESIDUAL))
    default: EK_LOOP(f->kind, with, stream)
    }
#undef EK_STREAMED
#undef EK_LOOP
}

static void LOCAL(ek_centred_input_gradient)(const E *dy, const E *x, size_t outer,
                                             size_t channels, size_t inner, const double *mean,
                                             const double *a, const double *b, const double *c,
                                             const double *scale, const double *shift,
                                             const E *residual, int activation, float slope,
                                             E *dx, E *dresidual, int stream) {
    const form f = activation_form(activation, slope);
    const int with = (residual && activation != EK_IDENTITY ? EK_WITH_RESIDUAL : 0) |
                     (dresidual ? EK_WITH_DRESIDUAL : 0);
    if (!(with & EK_WITH_RESIDUAL)) residual = x;
    if (!dresidual) dresidual = dx;
    gradient_parameters p;
    const int far = stream;
    if (inner >= EK_PLANE_MINIMUM) {
        stream = stream && ek_streamable(dx, inner * sizeof(E), W * sizeof(E)) &&
                 ek_streamable(dresidual, inner * sizeof(E), W * sizeof(E));
        const planes_view planes = {outer * channels * inner, channels, inner, mean, scale, shift,
                                    far && !stream};
        const gradient_factors factors = {a, b, c};
        gradient_run(dy, x, residual, dx, dresidual, &planes, &factors, 0, 0, 0, &p, &f, with,
                     stream);
    } else {
        const struct ek_layout layout = ek_layout(outer, channels, inner, W);
        const size_t stride = layout.lanes * layout.fold;
        stream = stream && ek_streamable(dx, stride * sizeof(E), W * sizeof(E)) &&
                 ek_streamable(dresidual, stride * sizeof(E), W * sizeof(E));
        for (size_t first = 0; first < stride; first += layout.strip) {
            const size_t count = ek_smaller(layout.strip, stride - first);
            centre_table(&p.centre, mean, scale, shift, first, count, layout.lanes, inner);
            gradient_table(&p, mean, a, b, c, first, count, layout.lanes, inner);
            if (layout.rows > 0)
                gradient_run(dy + first, x + first, residual + first, dx + first,
                             dresidual + first, NULL, NULL, layout.rows, stride, count, &p, &f,
                             with, stream);
            const size_t k = layout.rows * stride, rest = outer % layout.fold * layout.lanes;
            if (rest > 0)
                gradient_run(dy + k, x + k, residual + k, dx + k, dresidual + k, NULL, NULL, 1,
                             rest, rest, &p, &f, with, 0);
        }
    }
    if (stream) ek_fence();
}
