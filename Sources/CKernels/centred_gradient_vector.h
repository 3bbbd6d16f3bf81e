// dx = a dy' + b (x - mean) + c of one or two vectors. centred_gradient.h walks a tensor with it.

#include "gradient_check.h"

#define gradient_streams_from LOCAL(ek_gradient_streams_from)
#define gradient_table LOCAL(ek_gradient_table)
#define gradient_channel LOCAL(ek_gradient_channel)
#define gradient_set LOCAL(ek_gradient_set)
#define gradient_load LOCAL(ek_gradient_load)
#define gradient_load_channel LOCAL(ek_gradient_load_channel)
#define gradient_apart LOCAL(ek_gradient_apart)
#define gradient_inside LOCAL(ek_gradient_inside)
#define gradient_in_float LOCAL(ek_gradient_in_float)
#define gradient_in_double LOCAL(ek_gradient_in_double)
#define gradient_one LOCAL(ek_gradient_one)
#define gradient_two LOCAL(ek_gradient_two)

/// What is read and written position by position. What is not asked for is never used.
struct LOCAL(ek_gradient_streams) {
    const E *dy, *x, *residual;
    E *dx, *dresidual;
    int asks;  // whether dx is asked for ahead
};
#define gradient_streams struct LOCAL(ek_gradient_streams)

EK_INLINE gradient_streams gradient_streams_from(const gradient_streams *s, size_t k) {
    return (gradient_streams){s->dy + k, s->x + k,         s->residual + k,
                              s->dx + k, s->dresidual + k, s->asks};
}

/// The factors per channel of dx.
struct LOCAL(ek_gradient_factors) {
    const double *a, *b, *c;
};
#define gradient_factors struct LOCAL(ek_gradient_factors)

/// The factors of a strip's lanes for the mode of the table, and for EK_CHECKED the largest bounds. Where dx is
/// exact the loops subtract no mean from x, c takes in all of it; else c has what the mean's rounding left over.
struct LOCAL(ek_gradient_parameters) {
    centre_parameters centre;
    float a[EK_STRIP], b[EK_STRIP], c[EK_STRIP];
    vf bound;
    double exact_a[EK_STRIP], exact_b[EK_STRIP], exact_c[EK_STRIP];
};
#define gradient_parameters struct LOCAL(ek_gradient_parameters)

#define EK_WITH_DRESIDUAL 4

/// The parameters of a vector of lanes.
struct LOCAL(ek_gradient_lane) {
    centre_lane centre;
    vf a, b, c;
    vd exact_a, exact_b, exact_c;
};
#define gradient_lane struct LOCAL(ek_gradient_lane)

/// Lanes l and on, W of them.
EK_INLINE void gradient_set(gradient_parameters *to, size_t l, vd mean, vd a, vd b, vd c, int mode) {
    if (mode == EK_EXACT) {
        vdstore(to->exact_a + l, a);
        vdstore(to->exact_b + l, b);
        vdstore(to->exact_c + l, c - b * mean);
        return;
    }
    const vd rest = c - b * (mean - vwiden(vnarrow(mean)));
    vstore(to->a + l, vnarrow(a));
    vstore(to->b + l, vnarrow(b));
    vstore(to->c + l, vnarrow(rest));
    if (mode == EK_CHECKED) to->bound = largest_of(to->bound, float_bound(a, b, rest));
}

/// The table of lanes first ..< first + count of rows in which `lanes` lanes repeat.
EK_INLINE void gradient_table(gradient_parameters *to, const double *mean,
                              const gradient_factors *factors, size_t first, size_t count,
                              size_t lanes, size_t inner, int mode) {
    const size_t distinct = ek_smaller(count, lanes);
    to->bound = (vf)0.0f;
    for (size_t l = 0; l < distinct; l += W) {
        const size_t n = ek_smaller(W, distinct - l), from = first + l;
        gradient_set(to, l, lane_numbers(mean, from, n, inner, 0.0),
                     lane_numbers(factors->a, from, n, inner, 0.0),
                     lane_numbers(factors->b, from, n, inner, 0.0),
                     lane_numbers(factors->c, from, n, inner, 0.0), mode);
    }
    for (size_t l = distinct; l < count; l++)
        if (mode == EK_EXACT) {
            to->exact_a[l] = to->exact_a[l - lanes];
            to->exact_b[l] = to->exact_b[l - lanes];
            to->exact_c[l] = to->exact_c[l - lanes];
        } else {
            to->a[l] = to->a[l - lanes];
            to->b[l] = to->b[l - lanes];
            to->c[l] = to->c[l - lanes];
        }
}

/// The table of one channel, in its first lane.
EK_INLINE void gradient_channel(gradient_parameters *to, const planes_view *planes,
                                const gradient_factors *factors, size_t channel, int mode) {
    const double mean = planes->mean[channel];
    const double a = factors->a[channel], b = factors->b[channel], c = factors->c[channel];
    if (mode == EK_EXACT) {
        to->exact_a[0] = a;
        to->exact_b[0] = b;
        to->exact_c[0] = c - b * mean;
        return;
    }
    const double rest = c - b * rest_of(mean);
    to->a[0] = (float)a;
    to->b[0] = (float)b;
    to->c[0] = (float)rest;
    if (mode == EK_CHECKED) to->bound = float_bound((vd)a, (vd)b, (vd)rest);
}

EK_INLINE gradient_lane gradient_load(const gradient_parameters *p, size_t l, int mode) {
    gradient_lane lane = {.centre = centre_load(&p->centre, l)};
    if (mode == EK_EXACT) {
        lane.exact_a = vdload(p->exact_a + l);
        lane.exact_b = vdload(p->exact_b + l);
        lane.exact_c = vdload(p->exact_c + l);
    } else {
        lane.a = vload(p->a + l);
        lane.b = vload(p->b + l);
        lane.c = vload(p->c + l);
    }
    return lane;
}

/// Those of one channel, in every lane.
EK_INLINE gradient_lane gradient_load_channel(const gradient_parameters *p, int mode) {
    gradient_lane lane = {
        .centre = {(vf)p->centre.mean[0], (vf)p->centre.scale[0], (vf)p->centre.shift[0]}};
    if (mode == EK_EXACT) {
        lane.exact_a = (vd)p->exact_a[0];
        lane.exact_b = (vd)p->exact_b[0];
        lane.exact_c = (vd)p->exact_c[0];
    } else {
        lane.a = (vf)p->a[0];
        lane.b = (vf)p->b[0];
        lane.c = (vf)p->c[0];
    }
    return lane;
}

/// Those of two vectors one behind the other, brought into the order of `eload2`.
EK_INLINE void gradient_apart(gradient_lane *a, gradient_lane *b) {
    centre_apart(&a->centre, &b->centre);
    eapart(&a->a, &b->a);
    eapart(&a->b, &b->b);
    eapart(&a->c, &b->c);
}

/// dy' of dy, for x at which the residual is `residual`.
EK_INLINE vf gradient_inside(vf dy, vf x, vf residual, const gradient_lane *p, int kind, const form *f,
                             int with) {
    if (kind == EK_IDENTITY) return dy;
    vf pre = preactivation(x - p->centre.mean, p->centre.scale, p->centre.shift);
    if (with & EK_WITH_RESIDUAL) pre += residual;
    return deactivate(dy, pre, kind, f);
}

/// dx of the first n of W elements, in float.
EK_INLINE vf gradient_in_float(vf dy, vf x, size_t n, const gradient_lane *p, int mode,
                               largest_terms *largest) {
    const vf term = p->b * (x - p->centre.mean) + p->c, result = p->a * dy + term;
    if (mode == EK_CHECKED) note_terms(largest, result, term, n);
    return result;
}

EK_INLINE vd gradient_in_double(vf dy, vf x, const gradient_lane *p) {
    return p->exact_a * vwiden(dy) + (p->exact_b * vwiden(x) + p->exact_c);
}

/// One vector from k on: whole, or its first n lanes.
EK_INLINE void gradient_one(const gradient_streams *s, size_t k, int whole, size_t n,
                            const gradient_lane *p, int kind, const form *f, int with, int mode,
                            int stream, largest_terms *largest) {
    if (stream && EK_REACHES_LINE(s->x + k)) {
        __builtin_prefetch(s->dy + k + EK_AHEAD(E), 0, 2);
        __builtin_prefetch(s->x + k + EK_AHEAD(E), 0, 2);
        if (with & EK_WITH_RESIDUAL) __builtin_prefetch(s->residual + k + EK_AHEAD(E), 0, 2);
    }
#define EK_LOAD(from) (whole ? eload((from) + k) : eload_n((from) + k, n))
    const vf x = EK_LOAD(s->x);
    const vf dy = gradient_inside(EK_LOAD(s->dy), x, with & EK_WITH_RESIDUAL ? EK_LOAD(s->residual) : x,
                                  p, kind, f, with);
#undef EK_LOAD
    if (with & EK_WITH_DRESIDUAL) {
        if (!whole) estore_n(s->dresidual + k, dy, n);
        else if (stream) estream(s->dresidual + k, dy);
        else estore(s->dresidual + k, dy);
    }
    const vf dx = mode == EK_EXACT ? vnarrow(gradient_in_double(dy, x, p))
                                   : gradient_in_float(dy, x, whole ? W : n, p, mode, largest);
    if (!whole) estore_n(s->dx + k, dx, n);
    else if (stream) estream(s->dx + k, dx);
    else estore(s->dx + k, dx);
}

/// Two whole vectors from k on, with parameters in the order of `eload2`.
EK_INLINE void gradient_two(const gradient_streams *s, size_t k, const gradient_lane *p, int kind,
                            const form *f, int with, int mode, largest_terms *largest) {
    for (size_t i = 0; i < 2 * W && s->asks; i += 64 / sizeof(E))
        EK_PREFETCH_FOR_WRITING(s->dx + k + i + EK_AHEAD(E));
    vf dy[2], x[2], residual[2], dx[2];
    eload2(s->dy + k, &dy[0], &dy[1]);
    eload2(s->x + k, &x[0], &x[1]);
    if (with & EK_WITH_RESIDUAL) eload2(s->residual + k, &residual[0], &residual[1]);
    for (size_t q = 0; q < 2; q++) {
        dy[q] = gradient_inside(dy[q], x[q], with & EK_WITH_RESIDUAL ? residual[q] : x[q], p + q, kind, f,
                                with);
        dx[q] = mode == EK_EXACT ? vnarrow(gradient_in_double(dy[q], x[q], p + q))
                                 : gradient_in_float(dy[q], x[q], W, p + q, mode, largest + q);
    }
    if (with & EK_WITH_DRESIDUAL) estore2(s->dresidual + k, dy[0], dy[1]);
    estore2(s->dx + k, dx[0], dx[1]);
}
