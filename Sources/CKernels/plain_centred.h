// Plain versions (T, LOAD, STORE, NAME defined by the includer).
#define CHANNEL_LOOP                                   \
    for (size_t o = 0; o < outer; o++)                 \
        for (size_t c = 0; c < channels; c++)          \
            for (size_t i = 0, k = (o * channels + c) * inner; i < inner; i++, k++)
#define CENTRED(v) (((v) - (float)mean[c]) - (float)(mean[c] - (double)(float)mean[c]))
#define PRE                                                                          \
    const float d = CENTRED(LOAD(x[k]));                                              \
    float pre = d * (scale ? (float)scale[c] : 1.0f) + (shift ? (float)shift[c] : 0); \
    if (residual) pre += LOAD(residual[k]);
#define DACT                                                                       \
    float g = LOAD(dy[k]);                                                         \
    if (activation == EK_RELU) g = pre > 0 ? g : 0;                                \
    if (activation == EK_RELU6) g = pre > 0 && pre < 6 ? g : 0;                    \
    if (activation == EK_LEAKY_RELU) g = pre < 0 ? g * slope : g;

void NAME(ek_moments)(const T *x, const float *weights, size_t outer, size_t channels, size_t inner,
                      double *state) {
    double total = 0;
    if (!weights) total = (double)outer * (double)inner;
    else for (size_t i = 0; i < outer * inner; i++) total += (double)weights[i];
    if (total <= 0) return;
    const double n = state[0] + total;
    for (size_t c = 0; c < channels; c++) {
        double pivot = 0, sum = 0, squares = 0, mean;
        int found = 0;
        for (int pass = 0; pass < 2; pass++) {
            sum = squares = 0;
            for (size_t o = 0; o < outer; o++)
                for (size_t i = 0; i < inner; i++) {
                    const double w = weights ? (double)weights[o * inner + i] : 1.0;
                    if (w == 0) continue;
                    const double v = (double)LOAD(x[(o * channels + c) * inner + i]);
                    if (!found) pivot = v, found = 1;
                    sum += w * (v - pivot);
                    squares += w * (v - pivot) * (v - pivot);
                }
            if (pass == 0) pivot += sum / total;
        }
        mean = pivot + sum / total;
        squares -= sum * sum / total;
        const double delta = mean - state[1 + c];
        state[1 + channels + c] += squares + delta * delta * state[0] * total / n;
        state[1 + c] = state[0] == 0 ? mean : state[1 + c] + delta * total / n;
    }
    state[0] = n;
}

void NAME(ek_centred_scale)(const T *x, size_t outer, size_t channels, size_t inner,
                            const double *mean, const double *scale, const double *shift,
                            const T *residual, int activation, float slope, T *y, int stream) {
    (void)stream;
    CHANNEL_LOOP {
        PRE
        if (activation == EK_RELU) pre = pre < 0 ? 0 : pre;
        if (activation == EK_RELU6) pre = pre < 0 ? 0 : pre > 6 ? 6 : pre;
        if (activation == EK_LEAKY_RELU) pre = pre < 0 ? pre * slope : pre;
        STORE(y[k], pre);
    }
}

void NAME(ek_centred_sums)(const T *dy, const T *x, const float *weights, size_t outer,
                           size_t channels, size_t inner, const double *mean, const double *scale,
                           const double *shift, const T *residual, int activation, float slope,
                           double *sums) {
    CHANNEL_LOOP {
        const double w = weights ? (double)weights[o * inner + i] : 1.0;
        if (w == 0) continue;
        PRE
        DACT
        sums[c] += w * (double)g;
        sums[channels + c] += w * (double)g * (double)d;
    }
}

void NAME(ek_centred_input_gradient)(const T *dy, const T *x, size_t outer, size_t channels,
                                     size_t inner, const double *mean, const double *a,
                                     const double *b, const double *cc, const double *scale,
                                     const double *shift, const T *residual, int activation,
                                     float slope, T *dx, T *dresidual, int stream) {
    (void)stream;
    CHANNEL_LOOP {
        PRE
        DACT
        const float r = (float)a[c] * g + (float)b[c] * d + (float)cc[c];
        if (dresidual) STORE(dresidual[k], g);
        STORE(dx[k], r);
    }
}

void NAME(ek_column_sums)(const T *x, size_t outer, size_t channels, size_t inner, double *sums) {
    CHANNEL_LOOP sums[c] += (double)LOAD(x[k]);
}
