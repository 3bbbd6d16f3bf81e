// Input gradients in float, and whether that was right enough.
//
// dx = a dy + t with t = b (x - mean) + c. In float a, b, c, x - mean, t, dx and a factor of dy are rounded once
// each, so that dx is wrong by at most 2^-24 (2 |a dy| + 2 |b (x - mean)| + |c| + |t| + |dx|). As |a dy| <= |dx| + |t|
// and |b (x - mean)| <= |t| + |c| that is at most 2^-24 (3 |dx| + 5 |t| + 3 |c|). Of the elements that share
// parameters let D be the largest |dx| and T the largest |t|. Where T + |c| <= 4 D the error is at most
// 1.4e-6 D. Else the terms cancel, and those elements are taken again in double.
//
// D and T are those of a call's elements, whatever the width of vectors, and so is what follows from them.

#define magnitude_bits LOCAL(ek_magnitude_bits)
#define largest_of LOCAL(ek_largest_of)
#define note_terms LOCAL(ek_note_terms)
#define float_holds LOCAL(ek_float_holds)
#define float_bound LOCAL(ek_float_bound)
#define float_is_right LOCAL(ek_float_is_right)
#define terms_together LOCAL(ek_terms_together)

// How dx is computed.
#define EK_ROUNDED 0  // in float: elements hold less anyway
#define EK_CHECKED 1  // in float, noting D and T
#define EK_EXACT 2    // in double

#define EK_FIRST_MODE (EK_SUMS_ARE_EXACT ? EK_CHECKED : EK_ROUNDED)

/// The bits of D and T of every lane, as whole numbers: those are in the order of magnitudes, with NaN above
/// infinity.
struct LOCAL(ek_largest_terms) {
    vi result, term;
};
#define largest_terms struct LOCAL(ek_largest_terms)

EK_INLINE vi magnitude_bits(vf v) { return (vi)v & 0x7fffffff; }

/// The larger of magnitudes, NaN being the largest of all.
EK_INLINE vf largest_of(vf a, vf b) { return (vf)__builtin_elementwise_max((vi)a, (vi)b); }

/// Notes the first n of W elements.
EK_INLINE void note_terms(largest_terms *to, vf result, vf term, size_t n) {
    vi r = magnitude_bits(result), t = magnitude_bits(term);
    if (n < W) r &= vfirst(n), t &= vfirst(n);
    to->result = __builtin_elementwise_max(to->result, r);
    to->term = __builtin_elementwise_max(to->term, t);
}

/// Whether a float has all bits of a factor.
EK_INLINE vi float_holds(vd factor) {
    return ((vf)magnitude_bits(vnarrow(factor)) >= (vf)0x1p-126f) |
           __builtin_convertvector(factor == (vd)0.0, vi);
}

/// |c|, or infinity where a or b are too small for float.
EK_INLINE vf float_bound(vd a, vd b, vd c) {
    return vblend(float_holds(a) & float_holds(b), (vf)magnitude_bits(vnarrow(c)),
                  (vf)__builtin_inff());
}

/// Whether float was right for what shares D, T and bounds. (Terms below 2^-90 may have lost bits as
/// denormal numbers.)
EK_INLINE int float_is_right(largest_terms terms, vf bounds) {
    const vf result = (vf)(vi)__builtin_reduce_max(terms.result);
    const vf sum = (vf)(vi)__builtin_reduce_max(terms.term) +
                   (vf)(vi)__builtin_reduce_max((vi)bounds);
    const vi right = (result <= (vf)0x1.fffffep127f) & (sum <= (vf)4.0f * result) &
                     ((result >= (vf)0x1p-90f) | (sum == (vf)0.0f));
    return right[0] != 0;
}

/// What two vectors of lanes noted together.
EK_INLINE largest_terms terms_together(largest_terms a, largest_terms b) {
    return (largest_terms){__builtin_elementwise_max(a.result, b.result),
                           __builtin_elementwise_max(a.term, b.term)};
}
