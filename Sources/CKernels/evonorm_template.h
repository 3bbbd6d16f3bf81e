// EvoNorm-B0. A row is [outer, channels, inner], each channel with numbers of its own: with inner == 1 a
// vector holds channels, else a run of one channel.

#define evo_load EK_NAME(ek_evo_load)
#define evo_numbers EK_NAME(ek_evo_numbers)
#define evo_divisor EK_NAME(ek_evo_divisor)
#define evo_inverse EK_NAME(ek_evo_inverse)
#define evo_larger EK_NAME(ek_evo_larger)
#define evo_scale EK_NAME(ek_evo_scale)
#define evo_sums EK_NAME(ek_evo_sums)
#define evo_gradient EK_NAME(ek_evo_gradient)
#define evo_gradients EK_NAME(ek_evo_gradients)

#define EK_EVO_SUMS 5
#define EK_EVO_ROWS 32   // rows over which floats are added
#define EK_EVO_RUN 1024  // elements of a run over which they are

EK_INLINE vf evo_load(const float *x, size_t n) { return n >= W ? vload(x) : vload_n(x, n); }

/// One of a channel's numbers for n elements: for channels from c on, or for all of channel c.
EK_INLINE vf evo_numbers(const float *numbers, size_t c, size_t n, int isRun) {
    return isRun ? (vf)numbers[c] : evo_load(numbers + c, n);
}

EK_INLINE vf evo_divisor(vf batch, vf slanted) { return vblend(slanted <= batch, batch, slanted); }

EK_INLINE vf evo_inverse(vf d) {
    const vf zero = (vf)0.0f;
    return vblend(d == zero, zero, (vf)1.0f / d);
}

/// 1 where the sample's part is the larger one, 1/2 where both are equal.
EK_INLINE vf evo_larger(vf batch, vf slanted) {
    const vf zero = (vf)0.0f;
    return vblend(slanted > batch, (vf)1.0f, vblend(slanted == batch, (vf)0.5f, zero));
}

/// `rows` vectors of n elements, `stride` apart.
EK_INLINE void evo_scale(const float *x, size_t rows, size_t stride, size_t n, size_t c, int isRun,
                         const struct ek_evonorm *p, float *y) {
    const vf zero = (vf)0.0f;
    const vf batch = evo_numbers(p->batch, c, n, isRun), slope = evo_numbers(p->slope, c, n, isRun);
    const vf sample = evo_numbers(p->sample, c, n, isRun);
    const vf gamma = evo_numbers(p->gamma, c, n, isRun), beta = evo_numbers(p->beta, c, n, isRun);
    for (size_t r = 0; r < rows; r++) {
        if (!isRun) __builtin_prefetch(x + (r + EK_EVO_ROWS) * stride, 0, 2);
        const vf v = evo_load(x + r * stride, n);
        const vf d = evo_divisor(batch, v * slope + sample);
        const vf result = vblend(d == zero, zero, v / d) * gamma + beta;
        if (n >= W) vstore(y + r * stride, result);
        else vstore_n(y + r * stride, result, n);
    }
}

/// Adds the five terms of those elements.
EK_INLINE void evo_sums(const float *dy, const float *x, size_t rows, size_t stride, size_t n,
                        size_t c, int isRun, const struct ek_evonorm *p, vf *sums) {
    const vf batch = evo_numbers(p->batch, c, n, isRun), slope = evo_numbers(p->slope, c, n, isRun);
    const vf sample = evo_numbers(p->sample, c, n, isRun);
    const vf gamma = evo_numbers(p->gamma, c, n, isRun);
    for (size_t r = 0; r < rows; r++) {
        // The vectors of the next rows lie far apart.
        if (!isRun) {
            __builtin_prefetch(x + (r + EK_EVO_ROWS) * stride, 0, 2);
            __builtin_prefetch(dy + (r + EK_EVO_ROWS) * stride, 0, 2);
        }
        const vf v = evo_load(x + r * stride, n), g = evo_load(dy + r * stride, n);
        const vf slanted = v * slope + sample;
        const vf inverse = evo_inverse(evo_divisor(batch, slanted)), q = v * inverse;
        const vf e = -(g * gamma * inverse * q), larger = evo_larger(batch, slanted) * e;
        vf terms[EK_EVO_SUMS] = {g, g * q, e - larger, larger, larger * v};
        for (size_t i = 0; i < EK_EVO_SUMS; i++)
            sums[i] += n >= W ? terms[i] : vblend(vfirst(n), terms[i], (vf)0.0f);
    }
}

EK_INLINE void evo_gradient(const float *dy, const float *x, size_t rows, size_t stride, size_t n,
                            size_t c, int isRun, const struct ek_evonorm *p, int hasMoments,
                            float *dx) {
    const vf batch = evo_numbers(p->batch, c, n, isRun), slope = evo_numbers(p->slope, c, n, isRun);
    const vf sample = evo_numbers(p->sample, c, n, isRun);
    const vf gamma = evo_numbers(p->gamma, c, n, isRun), none = (vf)0.0f;
    const vf high = hasMoments ? evo_numbers(p->high, c, n, isRun) : none;
    const vf low = hasMoments ? evo_numbers(p->low, c, n, isRun) : none;
    const vf factor = hasMoments ? evo_numbers(p->factor, c, n, isRun) : none;
    const vf shift = hasMoments ? evo_numbers(p->shift, c, n, isRun) : none;
    for (size_t r = 0; r < rows; r++) {
        // The vectors of the next rows lie far apart.
        if (!isRun) {
            __builtin_prefetch(x + (r + EK_EVO_ROWS) * stride, 0, 2);
            __builtin_prefetch(dy + (r + EK_EVO_ROWS) * stride, 0, 2);
        }
        const vf v = evo_load(x + r * stride, n), g = evo_load(dy + r * stride, n);
        const vf slanted = v * slope + sample;
        const vf inverse = evo_inverse(evo_divisor(batch, slanted));
        // 1 - m slope q, which is sample / d where the sample's part is the larger one.
        const vf half = (vf)1.0f - (vf)0.5f * slope * (v * inverse);
        const vf kept = vblend(slanted > batch, sample * inverse,
                               vblend(slanted == batch, half, (vf)1.0f));
        vf result = g * gamma * inverse * kept;
        if (hasMoments) result += ((v - high) - low) * factor + shift;
        if (n >= W) vstore(dx + r * stride, result);
        else vstore_n(dx + r * stride, result, n);
    }
}

static void EK_NAME(ek_evonorm_scale_f32)(const float *x, size_t outer, size_t channels,
                                          size_t inner, const struct ek_evonorm *p, float *y) {
    if (inner == 1) {
        for (size_t r = 0; r < outer; r += EK_EVO_ROWS) {
            const size_t rows = ek_smaller(EK_EVO_ROWS, outer - r), k = r * channels;
            size_t c = 0;
            for (; c + W <= channels; c += W)
                evo_scale(x + k + c, rows, channels, W, c, 0, p, y + k + c);
            if (c < channels)
                evo_scale(x + k + c, rows, channels, channels - c, c, 0, p, y + k + c);
        }
        return;
    }
    for (size_t o = 0; o < outer; o++)
        for (size_t c = 0; c < channels; c++) {
            const size_t k = (o * channels + c) * inner, whole = inner / W;
            evo_scale(x + k, whole, W, W, c, 1, p, y + k);
            const size_t rest = k + whole * W;
            if (whole * W < inner)
                evo_scale(x + rest, 1, 0, inner - whole * W, c, 1, p, y + rest);
        }
}

static void EK_NAME(ek_evonorm_sums_f32)(const float *dy, const float *x, size_t outer,
                                         size_t channels, size_t inner, const struct ek_evonorm *p,
                                         double *sums) {
    if (inner == 1) {
        for (size_t r = 0; r < outer; r += EK_EVO_ROWS)
            for (size_t c = 0; c < channels; c += W) {
                const size_t rows = ek_smaller(EK_EVO_ROWS, outer - r), k = r * channels + c;
                const size_t n = ek_smaller(W, channels - c);
                vf of[EK_EVO_SUMS];
                for (size_t i = 0; i < EK_EVO_SUMS; i++) of[i] = (vf)0.0f;
                if (n == W) evo_sums(dy + k, x + k, rows, channels, W, c, 0, p, of);
                else evo_sums(dy + k, x + k, rows, channels, n, c, 0, p, of);
                for (size_t i = 0; i < EK_EVO_SUMS; i++) {
                    double *to = sums + i * channels + c;
                    if (n == W) vdstore(to, vdload(to) + vwiden(of[i]));
                    else
                        for (size_t l = 0; l < n; l++) to[l] += (double)of[i][l];
                }
            }
        return;
    }
    for (size_t o = 0; o < outer; o++)
        for (size_t c = 0; c < channels; c++)
            for (size_t j = 0; j < inner; j += EK_EVO_RUN) {
                const size_t count = ek_smaller(EK_EVO_RUN, inner - j), whole = count / W;
                const size_t k = (o * channels + c) * inner + j, rest = k + whole * W;
                vf of[EK_EVO_SUMS];
                for (size_t i = 0; i < EK_EVO_SUMS; i++) of[i] = (vf)0.0f;
                evo_sums(dy + k, x + k, whole, W, W, c, 1, p, of);
                if (whole * W < count)
                    evo_sums(dy + rest, x + rest, 1, 0, count - whole * W, c, 1, p, of);
                for (size_t i = 0; i < EK_EVO_SUMS; i++)
                    sums[i * channels + c] += vsum(vwiden(of[i]));
            }
}

/// Chooses whether there are moments, for whole vectors.
EK_INLINE void evo_gradients(const float *dy, const float *x, size_t rows, size_t stride, size_t n,
                             size_t c, int isRun, const struct ek_evonorm *p, float *dx) {
    if (p->high) evo_gradient(dy, x, rows, stride, n, c, isRun, p, 1, dx);
    else evo_gradient(dy, x, rows, stride, n, c, isRun, p, 0, dx);
}

static void EK_NAME(ek_evonorm_input_gradient_f32)(const float *dy, const float *x, size_t outer,
                                                   size_t channels, size_t inner,
                                                   const struct ek_evonorm *p, float *dx) {
    if (inner == 1) {
        for (size_t r = 0; r < outer; r += EK_EVO_ROWS) {
            const size_t rows = ek_smaller(EK_EVO_ROWS, outer - r), first = r * channels;
            size_t c = 0, k = first;
            for (; c + W <= channels; c += W, k += W)
                evo_gradients(dy + k, x + k, rows, channels, W, c, 0, p, dx + k);
            if (c < channels)
                evo_gradients(dy + k, x + k, rows, channels, channels - c, c, 0, p, dx + k);
        }
        return;
    }
    for (size_t o = 0; o < outer; o++)
        for (size_t c = 0; c < channels; c++) {
            const size_t k = (o * channels + c) * inner, whole = inner / W, rest = k + whole * W;
            evo_gradients(dy + k, x + k, whole, W, W, c, 1, p, dx + k);
            if (whole * W < inner)
                evo_gradients(dy + rest, x + rest, 1, 0, inner - whole * W, c, 1, p, dx + rest);
        }
}
