// Parameters per lane, and the arithmetic on them that forward and backward passes share.

#define preactivation LOCAL(ek_preactivation)
#define activate LOCAL(ek_activate)
#define deactivate LOCAL(ek_deactivate)
#define centre_table LOCAL(ek_centre_table)
#define rest_of LOCAL(ek_rest_of)
#define lane_numbers LOCAL(ek_lane_numbers)
#define centre_lanes LOCAL(ek_centre_lanes)
#define centre_channel LOCAL(ek_centre_channel)
#define centre_load LOCAL(ek_centre_load)
#define centre_apart LOCAL(ek_centre_apart)
#define activation_form LOCAL(ek_activation_form)

/// The parameters of (x - mean) * scale + shift for a strip's lanes. The mean is a double. x less the
/// float next to it is exact near the mean, so that what the rounding of the mean left over may go
/// into the shift: as right as subtracting it from every x, and for nothing.
struct LOCAL(ek_centre) {
    float mean[EK_STRIP], scale[EK_STRIP], shift[EK_STRIP];
};
#define centre_parameters struct LOCAL(ek_centre)

/// What rounding to a float leaves over.
EK_INLINE double rest_of(double value) { return value - (double)(float)value; }

/// The numbers of n <= W lanes from lane l of a row on, `missing` where there are none.
EK_INLINE vd lane_numbers(const double *numbers, size_t l, size_t n, size_t inner, double missing) {
    if (!numbers) return (vd)missing;
    if (inner == 1 && n == W) return vdload(numbers + l);
    vd v = (vd)missing;
    for (size_t i = 0; i < W; i++)
        if (i < n) v[i] = numbers[(l + i) / inner];
    return v;
}

EK_INLINE void centre_lanes(centre_parameters *to, size_t l, vd mean, vd scale, vd shift) {
    const vf high = vnarrow(mean);
    vstore(to->mean + l, high);
    vstore(to->scale + l, vnarrow(scale));
    vstore(to->shift + l, vnarrow(shift - (mean - vwiden(high)) * scale));
}

/// The table of lanes first ..< first + count of rows in which `lanes` lanes repeat.
EK_INLINE void centre_table(centre_parameters *to, const double *mean, const double *scale,
                            const double *shift, size_t first, size_t count, size_t lanes,
                            size_t inner) {
    const size_t distinct = ek_smaller(count, lanes);
    for (size_t l = 0; l < distinct; l += W) {
        const size_t n = ek_smaller(W, distinct - l), from = first + l;
        centre_lanes(to, l, lane_numbers(mean, from, n, inner, 0.0),
                     lane_numbers(scale, from, n, inner, 1.0),
                     lane_numbers(shift, from, n, inner, 0.0));
    }
    for (size_t l = distinct; l < count; l++) {
        to->mean[l] = to->mean[l - lanes];
        to->scale[l] = to->scale[l - lanes];
        to->shift[l] = to->shift[l - lanes];
    }
}

/// The table of one channel.
EK_INLINE void centre_channel(centre_parameters *to, const double *mean, const double *scale,
                              const double *shift, size_t c) {
    const double factor = scale ? scale[c] : 1.0;
    to->mean[0] = (float)mean[c];
    to->scale[0] = (float)factor;
    to->shift[0] = (float)((shift ? shift[c] : 0.0) - rest_of(mean[c]) * factor);
}

/// A tensor with a long inner axis, taken plane by plane, and its channels' parameters.
struct LOCAL(ek_planes) {
    size_t count, channels, inner;  // elements, channels, elements of a plane
    const double *mean, *scale, *shift;
    int ask;  // whether scale and gradient passes ask ahead for what they read and write
};
#define planes_view struct LOCAL(ek_planes)

/// For the channel c of every plane and the element k with which it begins.
#define EK_EACH_PLANE(planes, c, k)                         \
    for (size_t c = 0, k = 0; k < (planes)->count;          \
         k += (planes)->inner, c = c + 1 == (planes)->channels ? 0 : c + 1)

/// The parameters of a vector of lanes.
struct LOCAL(ek_centre_lane) {
    vf mean, scale, shift;
};
#define centre_lane struct LOCAL(ek_centre_lane)

EK_INLINE centre_lane centre_load(const centre_parameters *p, size_t l) {
    return (centre_lane){vload(p->mean + l), vload(p->scale + l), vload(p->shift + l)};
}

/// Those of two vectors one behind the other, brought into the order of `eload2`.
EK_INLINE void centre_apart(centre_lane *a, centre_lane *b) {
    eapart(&a->mean, &b->mean);
    eapart(&a->scale, &b->scale);
    eapart(&a->shift, &b->shift);
}

EK_INLINE vf preactivation(vf deviation, vf scale, vf shift) { return deviation * scale + shift; }

/// An activation, as data: EK_IDENTITY and EK_RELU have loops of their own; the others are
/// v < 0 ? slope * v : v, cut off at `ceiling`.
struct LOCAL(ek_form) {
    int kind;       // EK_IDENTITY, EK_RELU, or EK_LEAKY_RELU for the general form
    float slope;    // below 0
    int32_t below;  // all bits, or none where the result below 0 is 0 even for infinity
    float ceiling;  // NaN: none
};
#define form struct LOCAL(ek_form)

EK_INLINE form activation_form(int activation, float slope) {
    if (activation == EK_IDENTITY || activation == EK_RELU) return (form){.kind = activation};
    if (activation == EK_RELU6) return (form){EK_LEAKY_RELU, 0.0f, 0, 6.0f};
    return (form){EK_LEAKY_RELU, slope, -1, __builtin_nanf("")};
}

EK_INLINE vf activate(vf v, int kind, const form *f) {
    if (kind == EK_IDENTITY) return v;
    if (kind == EK_RELU) return vblend(v < (vf)0.0f, (vf)0.0f, v);
    const vf below = (vf)((vi)(v * (vf)f->slope) & (vi)f->below);
    v = vblend(v < (vf)0.0f, below, v);
    return vblend(v > (vf)f->ceiling, (vf)f->ceiling, v);
}

/// dy * act'(v).
EK_INLINE vf deactivate(vf dy, vf v, int kind, const form *f) {
    if (kind == EK_IDENTITY) return dy;
    if (kind == EK_RELU) return vblend(v <= (vf)0.0f, (vf)0.0f, dy);
    const vf below = (vf)((vi)(dy * (vf)f->slope) & (vi)f->below);
    dy = vblend(v <= (vf)0.0f, below, dy);
    return vblend(v >= (vf)f->ceiling, (vf)0.0f, dy);
}
