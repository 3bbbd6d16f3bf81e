// dx of some channels of [rows, channels], channels first: what a weight's gradient by rows of the
// weight begins with.

#define columns_run LOCAL(ek_columns_run)

#define EK_TILE 64  // rows that are turned at once

EK_INLINE void columns_run(const gradient_streams *s, size_t rows, size_t stride, size_t lanes,
                           const gradient_lane *p, const form *f, int kind, float *dx) {
    float tile[EK_TILE * EK_WIDTH];
    for (size_t top = 0; top < rows; top += EK_TILE) {
        const size_t count = ek_smaller(EK_TILE, rows - top);
        for (size_t r = 0; r < count; r++) {
            gradient_streams row = gradient_streams_from(s, (top + r) * stride);
            row.dx = tile + r * W;
            gradient_one(&row, 0, lanes == W, lanes, p, kind, f, 0, EK_EXACT, 0, NULL);
        }
        ek_transpose_f32(tile, count, lanes, W, dx + top, rows);
    }
}

/// Channels first ..< first + count of rows of `channels`; dx is [count, rows].
static void LOCAL(ek_centred_input_gradient_columns)(
    const float *dy, const float *x, size_t rows, size_t channels, size_t first, size_t count,
    const double *mean, const double *a, const double *b, const double *c, const double *scale,
    const double *shift, int activation, float slope, float *dx) {
    const form f = activation_form(activation, slope);
    const gradient_factors factors = {a, b, c};
    gradient_parameters p;
    for (size_t l = 0; l < count; l += W) {
        const size_t lanes = ek_smaller(W, count - l), from = first + l;
        centre_table(&p.centre, mean, scale, shift, from, lanes, channels, 1);
        gradient_table(&p, mean, &factors, from, lanes, channels, 1, EK_EXACT);
        const gradient_lane lane = gradient_load(&p, 0, EK_EXACT);
        const gradient_streams s = {.dy = dy + from, .x = x + from, .residual = x + from};
        float *to = dx + l * rows;
        if (f.kind == EK_RELU) columns_run(&s, rows, channels, lanes, &lane, &f, EK_RELU, to);
        else if (f.kind == EK_IDENTITY)
            columns_run(&s, rows, channels, lanes, &lane, &f, EK_IDENTITY, to);
        else columns_run(&s, rows, channels, lanes, &lane, &f, f.kind, to);
    }
}
