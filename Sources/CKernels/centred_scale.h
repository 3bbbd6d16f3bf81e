// y = act((x - mean) * scale + shift + residual).

#define scale_vectors LOCAL(ek_scale_vectors)
#define scale_two LOCAL(ek_scale_two)
#define scale_run LOCAL(ek_scale_run)
#define scale_lanes LOCAL(ek_scale_lanes)
#define scale_plane LOCAL(ek_scale_plane)
#define scale_planes LOCAL(ek_scale_planes)

/// One vector: whole, or its first n elements.
EK_INLINE void scale_vectors(const E *x, const E *residual, E *y, int whole, size_t n,
                             const centre_lane *p, int kind, const form *f, int has_residual,
                             int stream) {
    if (stream && EK_REACHES_LINE(x)) {
        __builtin_prefetch(x + EK_AHEAD(E), 0, 2);
        if (has_residual) __builtin_prefetch(residual + EK_AHEAD(E), 0, 2);
    }
    const vf deviation = (whole ? eload(x) : eload_n(x, n)) - p->mean;
    vf v = preactivation(deviation, p->scale, p->shift);
    if (has_residual) v += whole ? eload(residual) : eload_n(residual, n);
    v = activate(v, kind, f);
    if (!whole) estore_n(y, v, n);
    else if (stream) estream(y, v);
    else estore(y, v);
}

/// Two whole vectors, with parameters in the order of `eload2`.
EK_INLINE void scale_two(const E *x, const E *residual, E *y, const centre_lane *p, int kind,
                         const form *f, int has_residual) {
    vf v[2], r[2];
    eload2(x, &v[0], &v[1]);
    if (has_residual) eload2(residual, &r[0], &r[1]);
    for (size_t q = 0; q < 2; q++) {
        v[q] = preactivation(v[q] - p[q].mean, p[q].scale, p[q].shift);
        if (has_residual) v[q] += r[q];
        v[q] = activate(v[q], kind, f);
    }
    estore2(y, v[0], v[1]);
}

/// A few rows at a time, as memory likes it, with the parameters of a block of columns in registers.
EK_INLINE void scale_lanes(const E *x, const E *residual, E *y, size_t rows, size_t stride,
                           size_t lanes, const centre_parameters *p, int kind, const form *f,
                           int has_residual, int stream) {
    const size_t block = EK_COLUMNS * W;
    const size_t height = lanes == block ? rows : stream ? 1 : EK_ROWS_TOGETHER;
    for (size_t top = 0; top < rows; top += height) {
        const size_t bottom = ek_smaller(top + height, rows);
        size_t l = 0;
        for (; l + block <= lanes; l += block) {
            centre_lane lane[EK_COLUMNS];
            for (size_t q = 0; q < EK_COLUMNS; q++) lane[q] = centre_load(p, l + q * W);
            for (size_t q = 0; q < EK_COLUMNS && !stream; q += 2)
                centre_apart(&lane[q], &lane[q + 1]);
            for (size_t r = top; r < bottom; r++)
                for (size_t q = 0; q < EK_COLUMNS; q += stream ? 1 : 2) {
                    const size_t k = r * stride + l + q * W;
                    if (stream)
                        scale_vectors(x + k, residual + k, y + k, 1, 0, &lane[q], kind, f,
                                      has_residual, stream);
                    else {
                        // What is written, processors do not fetch ahead.
                        for (size_t i = 0; i < 2 * W; i += 64 / sizeof(E))
                            EK_PREFETCH_FOR_WRITING(
                                y + k + i + (stride > block ? EK_ROWS_TOGETHER * stride : EK_AHEAD(E)));
                        scale_two(x + k, residual + k, y + k, &lane[q], kind, f, has_residual);
                    }
                }
        }
        for (; l < lanes; l += W) {
            const centre_lane lane = centre_load(p, l);
            for (size_t r = top; r < bottom; r++) {
                const size_t k = r * stride + l;
                if (l + W <= lanes)
                    scale_vectors(x + k, residual + k, y + k, 1, 0, &lane, kind, f, has_residual,
                                  stream);
                else
                    scale_vectors(x + k, residual + k, y + k, 0, lanes - l, &lane, kind, f,
                                  has_residual, 0);
            }
        }
    }
}

/// One run of a channel: parameters are the first of the tables.
EK_INLINE void scale_plane(const E *x, const E *residual, E *y, size_t count,
                           const centre_parameters *p, int kind, const form *f, int has_residual,
                           int stream) {
    const centre_lane one = {(vf)p->mean[0], (vf)p->scale[0], (vf)p->shift[0]};
    const centre_lane lane[2] = {one, one};
    size_t k = 0;
    for (; k + 2 * W <= count && !stream; k += 2 * W)
        scale_two(x + k, residual + k, y + k, lane, kind, f, has_residual);
    for (; k + W <= count; k += W)
        scale_vectors(x + k, residual + k, y + k, 1, 0, lane, kind, f, has_residual, stream);
    if (k < count)
        scale_vectors(x + k, residual + k, y + k, 0, count - k, lane, kind, f, has_residual, 0);
}

EK_INLINE void scale_planes(const E *x, const E *residual, E *y, const planes_view *planes,
                            centre_parameters *p, int kind, const form *f, int has_residual,
                            int stream) {
    const size_t inner = planes->inner;
    EK_EACH_PLANE(planes, c, k) {
        if (planes->ask) {
            ek_ask_ahead(x + k, inner * sizeof(E));
            ek_ask_ahead_for_writing(y + k, inner * sizeof(E));
        }
        centre_channel(p, planes->mean, planes->scale, planes->shift, c);
        scale_plane(x + k, residual + k, y + k, inner, p, kind, f, has_residual, stream);
    }
}

/// Chooses the loop: over planes, where they are given, or over rows.
static void scale_run(const E *x, const E *residual, E *y, const planes_view *planes, size_t rows,
                      size_t stride, size_t lanes, centre_parameters *p, const form *f,
                      int has_residual, int stream) {
#define EK_LOOP(kind, has_residual, stream)                                                     \
    {                                                                                           \
        if (planes)                                                                             \
            scale_planes(x, residual, y, planes, p, kind, f, has_residual, stream);             \
        else                                                                                    \
            scale_lanes(x, residual, y, rows, stride, lanes, p, kind, f, has_residual, stream); \
    }
#define EK_KIND(kind)                             \
    if (has_residual && stream) EK_LOOP(kind, 1, 1)   \
    else if (has_residual) EK_LOOP(kind, 1, 0)        \
    else if (stream) EK_LOOP(kind, 0, 1)          \
    else EK_LOOP(kind, 0, 0)
    switch (f->kind) {
    case EK_IDENTITY:
        EK_KIND(EK_IDENTITY)
        break;
    case EK_RELU:
        EK_KIND(EK_RELU)
        break;
    default:
        EK_KIND(EK_LEAKY_RELU)
    }
#undef EK_KIND
#undef EK_LOOP
}

static void LOCAL(ek_centred_scale)(const E *x, size_t outer, size_t channels, size_t inner,
                                    const double *mean, const double *scale, const double *shift,
                                    const E *residual, int activation, float slope, E *y,
                                    int stream) {
    const form f = activation_form(activation, slope);
    const int has_residual = residual != NULL;
    if (!residual) residual = x;
    centre_parameters p;
    const int far = stream;
    if (inner >= EK_PLANE_MINIMUM) {
        stream = stream && ek_streamable(y, inner * sizeof(E), W * sizeof(E));
        const planes_view planes = {outer * channels * inner, channels, inner, mean, scale, shift,
                                    far && !stream};
        scale_run(x, residual, y, &planes, 0, 0, 0, &p, &f, has_residual, stream);
    } else {
        const struct ek_layout layout = ek_layout(outer, channels, inner, W);
        const size_t stride = layout.lanes * layout.fold;
        stream = stream && ek_streamable(y, stride * sizeof(E), W * sizeof(E));
        for (size_t first = 0; first < stride; first += layout.strip) {
            const size_t count = ek_smaller(layout.strip, stride - first);
            centre_table(&p, mean, scale, shift, first, count, layout.lanes, inner);
            if (layout.rows > 0)
                scale_run(x + first, residual + first, y + first, NULL, layout.rows, stride, count,
                          &p, &f, has_residual, stream);
            const size_t k = layout.rows * stride;
            const size_t rest = outer % layout.fold * layout.lanes;
            if (rest > 0)
                scale_run(x + k, residual + k, y + k, NULL, 1, rest, rest, &p, &f, has_residual, 0);
        }
    }
    if (stream) ek_fence();
}
