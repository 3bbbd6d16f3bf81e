// dx = a dy' + b (x - mean) + c, and where it is asked for dy' itself.
//
// Of float tensors first in float, and where that was not right (gradient_check.h) once more in double: of a
// strip of lanes, or of a plane.

#include "centred_gradient_vector.h"

#define gradient_ask LOCAL(ek_gradient_ask)
#define gradient_columns LOCAL(ek_gradient_columns)
#define gradient_rows LOCAL(ek_gradient_rows)
#define gradient_lanes LOCAL(ek_gradient_lanes)
#define gradient_plane LOCAL(ek_gradient_plane)
#define gradient_plane_exactly LOCAL(ek_gradient_plane_exactly)
#define gradient_planes LOCAL(ek_gradient_planes)
#define gradient_run LOCAL(ek_gradient_run)
#define gradient_run_exactly LOCAL(ek_gradient_run_exactly)
#define gradient_strip LOCAL(ek_gradient_strip)

// How much of a tensor with rows longer than a block of columns is taken with the same parameters in
// registers. Float tensors are read as they lie in memory; of bfloat16, which is half of the bytes, reading
// parameters again for each row would take longer.
#define EK_GRADIENT_COLUMNS (EK_SUMS_ARE_EXACT ? (size_t)2 : EK_COLUMNS)
#define EK_GRADIENT_ROWS (EK_SUMS_ARE_EXACT ? (size_t)1 : EK_ROWS_TOGETHER)

// Elements of a lane from which on it is worth trying float.
#define EK_WORTH_CHECKING 4

/// Asks for two vectors' worth of what is read and written at k. Of several rows at once, processors do not
/// read ahead for themselves.
EK_INLINE void gradient_ask(const gradient_streams *s, size_t k, int with) {
    for (size_t i = k; i < k + 2 * W; i += 64 / sizeof(E)) {
        __builtin_prefetch(s->dy + i, 0, 2);
        __builtin_prefetch(s->x + i, 0, 2);
        if (with & EK_WITH_RESIDUAL) __builtin_prefetch(s->residual + i, 0, 2);
        EK_PREFETCH_FOR_WRITING(s->dx + i);
    }
}

/// `width` vectors of lanes (a constant) from lane l on, of `rows` rows, with their parameters in registers; or
/// the first n lanes of one vector.
EK_INLINE void gradient_columns(const gradient_streams *s, size_t rows, size_t stride, size_t width,
                                int whole, size_t n, const gradient_parameters *p, size_t l, int kind,
                                const form *f, int with, int mode, int stream,
                                largest_terms *largest) {
    const int in_pairs = width % 2 == 0 && !stream;
    gradient_lane lane[EK_COLUMNS];
    for (size_t q = 0; q < width; q++) lane[q] = gradient_load(p, l + q * W, mode);
    for (size_t q = 0; q < width && in_pairs; q += 2) gradient_apart(&lane[q], &lane[q + 1]);
    for (size_t r = 0; r < rows; r++)
        for (size_t q = 0; q < width; q += in_pairs ? 2 : 1) {
            const size_t k = r * stride + l + q * W;
            if (in_pairs) {
                if (EK_GRADIENT_ROWS > 1 && stride > width * W)
                    gradient_ask(s, k + EK_GRADIENT_ROWS * stride, with);
                gradient_two(s, k, &lane[q], kind, f, with, mode, largest);
            } else gradient_one(s, k, whole, n, &lane[q], kind, f, with, mode, stream, largest);
        }
}

/// All lanes of some rows.
EK_INLINE void gradient_rows(const gradient_streams *s, size_t rows, size_t stride, size_t lanes,
                             const gradient_parameters *p, int kind, const form *f, int with, int mode,
                             int stream, largest_terms *largest) {
    const size_t block = EK_GRADIENT_COLUMNS * W;
    size_t l = 0;
    for (; l + block <= lanes; l += block)
        gradient_columns(s, rows, stride, EK_GRADIENT_COLUMNS, 1, 0, p, l, kind, f, with, mode,
                         stream, largest);
    for (; l + W <= lanes; l += W)
        gradient_columns(s, rows, stride, 1, 1, 0, p, l, kind, f, with, mode, stream, largest);
    if (l < lanes)
        gradient_columns(s, rows, stride, 1, 0, lanes - l, p, l, kind, f, with, mode, 0, largest);
}

/// Row by row, as they lie in memory, where one block of columns is a row; else a few rows at a time.
EK_INLINE void gradient_lanes(const gradient_streams *s, size_t rows, size_t stride, size_t lanes,
                              const gradient_parameters *p, int kind, const form *f, int with, int mode,
                              int stream, largest_terms *all) {
    largest_terms largest[2] = {*all, *all};
    const size_t height = stream ? 1 : EK_GRADIENT_ROWS;
    if (lanes == EK_COLUMNS * W)
        gradient_columns(s, rows, stride, EK_COLUMNS, 1, 0, p, 0, kind, f, with, mode, stream, largest);
    else
        for (size_t r = 0; r < rows; r += height) {
            const gradient_streams some = gradient_streams_from(s, r * stride);
            gradient_rows(&some, ek_smaller(height, rows - r), stride, lanes, p, kind, f, with, mode,
                          stream, largest);
        }
    *all = terms_together(largest[0], largest[1]);
}

/// One run of a channel, whose parameters are in the tables' first lane. Returns whether it was right.
EK_INLINE int gradient_plane(const gradient_streams *s, size_t count, const gradient_parameters *p,
                             int kind, const form *f, int with, int mode, int stream) {
    const gradient_lane one = gradient_load_channel(p, mode), lane[2] = {one, one};
    largest_terms largest[2] = {{(vi)0, (vi)0}, {(vi)0, (vi)0}};
    size_t k = 0;
    for (; k + 2 * W <= count && !stream; k += 2 * W)
        gradient_two(s, k, lane, kind, f, with, mode, largest);
    for (; k + W <= count; k += W)
        gradient_one(s, k, 1, 0, lane, kind, f, with, mode, stream, largest);
    if (k < count) gradient_one(s, k, 0, count - k, lane, kind, f, with, mode, 0, largest);
    return mode != EK_CHECKED || float_is_right(terms_together(largest[0], largest[1]), p->bound);
}

static void gradient_plane_exactly(const gradient_streams *s, size_t count, const gradient_parameters *p,
                                   const form *f, int with) {
    gradient_plane(s, count, p, f->kind, f, with, EK_EXACT, 0);
}

EK_INLINE void gradient_planes(const gradient_streams *s, const planes_view *planes,
                               const gradient_factors *factors, gradient_parameters *p, int kind,
                               const form *f, int with, int stream) {
    const size_t inner = planes->inner;
    EK_EACH_PLANE(planes, c, k) {
        const gradient_streams plane = gradient_streams_from(s, k);
        if (planes->ask) {
            ek_ask_ahead(plane.dy, inner * sizeof(E));
            ek_ask_ahead(plane.x, inner * sizeof(E));
            ek_ask_ahead_for_writing(plane.dx, inner * sizeof(E));
        }
        centre_channel(&p->centre, planes->mean, planes->scale, planes->shift, c);
        gradient_channel(p, planes, factors, c, EK_FIRST_MODE);
        if (gradient_plane(&plane, inner, p, kind, f, with, EK_FIRST_MODE, stream)) continue;
        gradient_channel(p, planes, factors, c, EK_EXACT);
        gradient_plane_exactly(&plane, inner, p, f, with);
    }
}

/// Chooses the loop: over planes, where they are given with their factors, or over rows.
static void gradient_run(const gradient_streams *s, const planes_view *planes,
                         const gradient_factors *factors, size_t rows, size_t stride, size_t lanes,
                         gradient_parameters *p, const form *f, int with, int stream,
                         largest_terms *largest) {
#define EK_LOOP(kind, with, stream)                                                         \
    {                                                                                       \
        if (planes) gradient_planes(s, planes, factors, p, kind, f, with, stream);          \
        else                                                                                \
            gradient_lanes(s, rows, stride, lanes, p, kind, f, with, EK_FIRST_MODE, stream, \
                           largest);                                                        \
        break;                                                                              \
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

static void gradient_run_exactly(const gradient_streams *s, size_t rows, size_t stride, size_t lanes,
                                 const gradient_parameters *p, const form *f, int with) {
    largest_terms none = {(vi)0, (vi)0};
    gradient_lanes(s, rows, stride, lanes, p, f->kind, f, with, EK_EXACT, 0, &none);
}

/// `count` lanes of all rows, and `rest` lanes behind them. Returns whether that was right.
EK_INLINE int gradient_strip(const gradient_streams *s, const struct ek_layout *layout, size_t stride,
                             size_t count, size_t rest, gradient_parameters *p, const form *f, int with,
                             int mode, int stream) {
    const gradient_streams last = gradient_streams_from(s, layout->rows * stride);
    largest_terms largest = {(vi)0, (vi)0};
    if (mode == EK_EXACT) {
        gradient_run_exactly(s, layout->rows, stride, count, p, f, with);
        if (rest > 0) gradient_run_exactly(&last, 1, rest, rest, p, f, with);
    } else {
        gradient_run(s, NULL, NULL, layout->rows, stride, count, p, f, with, stream, &largest);
        if (rest > 0) gradient_run(&last, NULL, NULL, 1, rest, rest, p, f, with, 0, &largest);
    }
    return mode != EK_CHECKED || float_is_right(largest, p->bound);
}

static void LOCAL(ek_centred_input_gradient)(const E *dy, const E *x, size_t outer,
                                             size_t channels, size_t inner, const double *mean,
                                             const double *a, const double *b, const double *c,
                                             const double *scale, const double *shift,
                                             const E *residual, int activation, float slope,
                                             E *dx, E *dresidual, int far) {
    const form f = activation_form(activation, slope);
    const int with = (residual && activation != EK_IDENTITY ? EK_WITH_RESIDUAL : 0) |
                     (dresidual ? EK_WITH_DRESIDUAL : 0);
    if (!(with & EK_WITH_RESIDUAL)) residual = x;
    if (!dresidual) dresidual = dx;
    // bfloat16 has asks of its own.
    const gradient_streams s = {dy, x, residual, dx, dresidual, far == EK_FAR && EK_SUMS_ARE_EXACT};
    const gradient_factors factors = {a, b, c};
    gradient_parameters p;
    int stream = far == EK_PAST_CACHES;
    if (inner >= EK_PLANE_MINIMUM) {
        stream = stream && ek_streamable(dx, inner * sizeof(E), W * sizeof(E)) &&
                 ek_streamable(dresidual, inner * sizeof(E), W * sizeof(E));
        const planes_view planes = {outer * channels * inner, channels, inner, mean, scale, shift,
                                    far == EK_PAST_CACHES && !stream};
        gradient_run(&s, &planes, &factors, 0, 0, 0, &p, &f, with, stream, NULL);
    } else {
        const struct ek_layout layout = ek_layout(outer, channels, inner, W);
        const size_t stride = layout.lanes * layout.fold, rest = outer % layout.fold * layout.lanes;
        stream = stream && ek_streamable(dx, stride * sizeof(E), W * sizeof(E)) &&
                 ek_streamable(dresidual, stride * sizeof(E), W * sizeof(E));
        for (size_t first = 0; first < stride; first += layout.strip) {
            const size_t count = ek_smaller(layout.strip, stride - first);
            const gradient_streams strip = gradient_streams_from(&s, first);
            centre_table(&p.centre, mean, scale, shift, first, count, layout.lanes, inner);
            if (!EK_SUMS_ARE_EXACT || outer >= EK_WORTH_CHECKING) {
                gradient_table(&p, mean, &factors, first, count, layout.lanes, inner, EK_FIRST_MODE);
                if (gradient_strip(&strip, &layout, stride, count, rest, &p, &f, with, EK_FIRST_MODE,
                                   stream))
                    continue;
            }
            gradient_table(&p, mean, &factors, first, count, layout.lanes, inner, EK_EXACT);
            gradient_strip(&strip, &layout, stride, count, rest, &p, &f, with, EK_EXACT, 0);
        }
    }
    if (stream) ek_fence();
}
