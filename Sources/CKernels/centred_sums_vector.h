// What the sums per channel do with one or two vectors: what is read, what becomes of it, and what is added
// to sums in registers. centred_sums.h walks a tensor with it.

#define about_mean LOCAL(ek_about_mean)
#define streams_from LOCAL(ek_sums_streams_from)
#define sums_load LOCAL(ek_sums_load)
#define sums_table LOCAL(ek_sums_table)
#define sums_channel LOCAL(ek_sums_channel)
#define sums_add LOCAL(ek_sums_add)
#define sums_parameters_load LOCAL(ek_sums_parameters_load)
#define sums_load2 LOCAL(ek_sums_load2)
#define sums_ask LOCAL(ek_sums_ask)
#define sums_vector LOCAL(ek_sums_vector)
#define sums_one LOCAL(ek_sums_one)
#define sums_two LOCAL(ek_sums_two)

/// What of `sums` is asked for.
#define EK_WITH_X 1           // sum dy' (x - mean) too, else only sum dy
#define EK_WITH_RESIDUAL 2    // there is a residual
#define EK_WITH_OUTPUT 8      // store act((x - mean) * scale + shift + residual) too
#define EK_WITH_STREAM 16     // store the output past the caches
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
    double mean[EK_STRIP];  // where sums are exact
    double first[EK_STRIP + EK_WIDTH], second[EK_STRIP + EK_WIDTH];  // read in whole vectors
};
#define sums_parameters struct LOCAL(ek_sums_parameters)

/// The parameters of a vector of lanes.
struct LOCAL(ek_sums_lane) {
    centre_lane centre;
    vd mean;
};
#define sums_lane struct LOCAL(ek_sums_lane)

EK_INLINE sums_lane sums_parameters_load(const sums_parameters *p, size_t l) {
    sums_lane lane = {.centre = centre_load(&p->centre, l)};
    if (EK_SUMS_ARE_EXACT) lane.mean = vdload(p->mean + l);
    return lane;
}

EK_INLINE void sums_table(sums_parameters *to, const double *mean, const double *scale,
                          const double *shift, size_t first, size_t count, size_t lanes,
                          size_t inner) {
    centre_table(&to->centre, mean, scale, shift, first, count, lanes, inner);
    if (!EK_SUMS_ARE_EXACT) return;
    const size_t distinct = ek_smaller(count, lanes);
    for (size_t l = 0; l < distinct; l += W)
        vdstore(to->mean + l, lane_numbers(mean, first + l, ek_smaller(W, distinct - l), inner, 0.0));
    for (size_t l = distinct; l < count; l++) to->mean[l] = to->mean[l - lanes];
}

EK_INLINE void sums_channel(sums_parameters *to, const double *mean, const double *scale,
                            const double *shift, size_t c) {
    centre_channel(&to->centre, mean, scale, shift, c);
    to->mean[0] = mean[c];
}

/// The second sum of lanes. The loops subtract the mean as EK_SUM holds it from every x; what its
/// rounding left over is subtracted here, from the sum.
EK_INLINE vd about_mean(vd first, vd second, vd mean) {
    return second - (mean - vd_from_vs(vs_from_vd(mean))) * first;
}

/// Adds the sums of n <= W lanes to those of their channels, which are lanes l and on of a row.
EK_INLINE void sums_add(const sums_parameters *p, size_t at, size_t l, size_t n, size_t inner,
                        const double *mean, int centred, double *first, double *second) {
    const vd sum = vdload(p->first + at);
    vd about = sum;
    if (centred) about = about_mean(sum, vdload(p->second + at), lane_numbers(mean, l, n, inner, 0.0));
    if (inner == 1 && n == W) {
        vdstore(first + l, vdload(first + l) + sum);
        if (centred) vdstore(second + l, vdload(second + l) + about);
        return;
    }
    for (size_t i = 0; i < W && i < n; i++) {
        first[(l + i) / inner] += sum[i];
        if (centred) second[(l + i) / inner] += about[i];
    }
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

/// Asks for what is read at k; behind a gate only x comes from far.
EK_INLINE void sums_ask(const sums_streams *s, size_t k, int with) {
    if (!(with & EK_WITH_GATE)) __builtin_prefetch(s->dy + k, 0, 2);
    if (with & EK_WITH_X) __builtin_prefetch(s->x + k, 0, 2);
    if (with & EK_WITH_RESIDUAL) __builtin_prefetch(s->residual + k, 0, 2);
}

/// Adds vectors to the sums in registers, all lanes or the first n, and returns what is stored. `dy` has
/// `added` in it.
EK_INLINE vf sums_vector(sums_values v, int whole, size_t n, const sums_lane *p, int kind, const form *f,
                         int with, vs *first, vs *second) {
    vf g = v.dy, output = g;
    if (with & EK_WITH_GATE) {
        output = g = vblend(v.gate <= (vf)0.0f, (vf)0.0f, g);
    } else if (with & EK_WITH_X) {
        vf pre = preactivation(v.x - p->centre.mean, p->centre.scale, p->centre.shift);
        if (with & EK_WITH_RESIDUAL) pre += v.residual;
        g = deactivate(g, pre, kind, f);
        output = activate(pre, kind, f);
    }
    // Without the sums' own mean it is the difference that the preactivation begins with.
    vs term = vs_from_vf(g), deviation = vs_from_vf(v.x) - vs_mean(p->mean, p->centre.mean);
    if (!whole) {
        term = sblend(vfirst(n), term, (vs)(EK_SUM)0);
        deviation = sblend(vfirst(n), deviation, (vs)(EK_SUM)0);
    }
    *first += term;
    if (with & EK_WITH_X) *second += term * deviation;
    return output;
}

/// One vector from k on: whole, or its first n lanes.
EK_INLINE void sums_one(const sums_streams *s, size_t k, int whole, size_t n, const sums_lane *p,
                        int kind, const form *f, int with, vs *first,
                        vs *second) {
    sums_values v = sums_load(s, k, whole, n, with);
    // Rounded as by an addition on its own.
    if (with & EK_WITH_ADDED) v.dy = eround(v.dy + v.added);
    const vf output = sums_vector(v, whole, n, p, kind, f, with, first, second);
    if (!(with & EK_WITH_OUTPUT)) return;
    if (!whole) estore_n(s->y + k, output, n);
    else if (with & EK_WITH_STREAM) estream(s->y + k, output);
    else estore(s->y + k, output);
}

/// Two whole vectors from k on, with what is one number per lane in the order of `eload2`.
EK_INLINE void sums_two(const sums_streams *s, size_t k, const sums_lane *p, int kind, const form *f,
                        int with, vs *first, vs *second) {
    sums_values v[2];
    sums_load2(s, k, with, v);
    if (with & EK_WITH_ADDED) {
        for (size_t q = 0; q < 2; q++) v[q].dy += v[q].added;
        eround2(&v[0].dy, &v[1].dy);
    }
    vf output[2];
    for (size_t q = 0; q < 2; q++)
        output[q] = sums_vector(v[q], 1, 0, p + q, kind, f, with, first + q, second + q);
    if (!(with & EK_WITH_OUTPUT)) return;
    if (with & EK_WITH_STREAM) estream2(s->y + k, output[0], output[1]);
    else estore2(s->y + k, output[0], output[1]);
}
