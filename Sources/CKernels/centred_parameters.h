// Parameters per lane, and the arithmetic on them that forward and backward passes share.

#define table LOCAL(ek_table)
#define centred LOCAL(ek_centred)
#define preactivation LOCAL(ek_preactivation)
#define activate LOCAL(ek_activate)
#define deactivate LOCAL(ek_deactivate)
#define mean_table LOCAL(ek_mean_table)
#define affine_table LOCAL(ek_affine_table)
#define activation_form LOCAL(ek_activation_form)

/// A table of a strip's parameters: those of the lane's channel, `rest` where there are none.
EK_INLINE void table(float *to, const double *values, double rest, size_t first, size_t count,
                     size_t lanes, size_t inner) {
    if (!values) {
        for (size_t l = 0; l < count; l++) to[l] = (float)rest;
        return;
    }
    // The strip is a part of one row, or several whole rows that repeat the first.
    const size_t distinct = count < lanes ? count : lanes;
    if (inner == 1) {
        for (size_t l = 0; l < distinct; l++) to[l] = (float)values[first + l];
    } else {
        for (size_t l = 0; l < distinct; l++) to[l] = (float)values[(first + l) / inner];
    }
    for (size_t l = distinct; l < count; l++) to[l] = to[l - lanes];
}

EK_INLINE void mean_table(float *high, float *low, const double *mean, size_t first, size_t count,
                          size_t lanes, size_t inner) {
    const size_t distinct = count < lanes ? count : lanes;
    for (size_t l = 0; l < distinct; l++) {
        const double value = mean[inner == 1 ? first + l : (first + l) / inner];
        high[l] = (float)value;
        low[l] = (float)(value - (double)high[l]);
    }
    for (size_t l = distinct; l < count; l++) {
        high[l] = high[l - lanes];
        low[l] = low[l - lanes];
    }
}

EK_INLINE vf centred(vf x, vf high, vf low) { return (x - high) - low; }

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
