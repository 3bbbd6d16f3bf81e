// The vectors of one level and what is done with them. Partial vectors go through the same
// arithmetic as whole ones, so an element's result does not depend on its place.

#undef EK_NAME
#undef W
#undef vf
#undef vi
#undef vu
#undef vd
#undef vh

#define EK_NAME(name) EK_CONCATENATE(name, EK_LEVEL_SUFFIX)

#define W ((size_t)EK_WIDTH)
#define vf EK_NAME(ek_vf)
#define vi EK_NAME(ek_vi)
#define vu EK_NAME(ek_vu)
#define vd EK_NAME(ek_vd)
#define vh EK_NAME(ek_vh)

typedef float vf __attribute__((ext_vector_type(EK_WIDTH)));
typedef int32_t vi __attribute__((ext_vector_type(EK_WIDTH)));
typedef uint32_t vu __attribute__((ext_vector_type(EK_WIDTH)));
typedef double vd __attribute__((ext_vector_type(EK_WIDTH)));
typedef float vh __attribute__((ext_vector_type(EK_WIDTH / 2)));  // what becomes half of a vd

#define vload EK_NAME(ek_vload)
#define vstore EK_NAME(ek_vstore)
#define vload_n EK_NAME(ek_vload_n)
#define vstore_n EK_NAME(ek_vstore_n)
#define vstream EK_NAME(ek_vstream)
#define vfirst EK_NAME(ek_vfirst)
#define vblend EK_NAME(ek_vblend)
#define vany EK_NAME(ek_vany)
#define vsum EK_NAME(ek_vsum)
#define vwiden EK_NAME(ek_vwiden)
#define vnarrow EK_NAME(ek_vnarrow)
#define vwideload EK_NAME(ek_vwideload)
#define vdload EK_NAME(ek_vdload)
#define vdstore EK_NAME(ek_vdstore)
#define vdblend EK_NAME(ek_vdblend)
#define vbf16load EK_NAME(ek_vbf16load)
#define vbf16store EK_NAME(ek_vbf16store)
#define vbf16bits EK_NAME(ek_vbf16bits)
#define vbf16round EK_NAME(ek_vbf16round)
#define vbf16load_n EK_NAME(ek_vbf16load_n)
#define vbf16store_n EK_NAME(ek_vbf16store_n)
#define vbf16stream EK_NAME(ek_vbf16stream)
#define vbf16load2 EK_NAME(ek_vbf16load2)
#define vbf16stream2 EK_NAME(ek_vbf16stream2)
#define vbf16store2 EK_NAME(ek_vbf16store2)
#define vbf16round2 EK_NAME(ek_vbf16round2)
#define vbf16words EK_NAME(ek_vbf16words)
#define vbf16pack EK_NAME(ek_vbf16pack)
#define vapart EK_NAME(ek_vapart)
#define vtogether EK_NAME(ek_vtogether)

EK_INLINE vf vload(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

EK_INLINE void vstore(float *p, vf v) { memcpy(p, &v, sizeof v); }

/// The first n < W elements; zeros in the other lanes.
EK_INLINE vf vload_n(const float *p, size_t n) {
#if EK_WIDTH == 16
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), p);
#else
    vf v = (vf)0.0f;
    for (size_t i = 0; i < W; i++)
        if (i < n) v[i] = p[i];
    return v;
#endif
}

EK_INLINE void vstore_n(float *p, vf v, size_t n) {
#if EK_WIDTH == 16
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1u), (__m512)v);
#else
    for (size_t i = 0; i < W; i++)
        if (i < n) p[i] = v[i];
#endif
}

/// Stores past the caches; p is aligned to the vector.
EK_INLINE void vstream(float *p, vf v) { __builtin_nontemporal_store(v, (vf *)(void *)p); }

/// A mask of the first n lanes.
EK_INLINE vi vfirst(size_t n) {
    vi lane;
    for (size_t i = 0; i < W; i++) lane[i] = (int32_t)i;
    return lane < (vi)(int32_t)n;
}

/// mask ? a : b, in every lane.
EK_INLINE vf vblend(vi mask, vf a, vf b) { return mask ? a : b; }

EK_INLINE int vany(vi mask) { return __builtin_reduce_or(mask) != 0; }

EK_INLINE vd vwiden(vf v) { return __builtin_convertvector(v, vd); }

EK_INLINE vf vnarrow(vd v) { return __builtin_convertvector(v, vf); }

/// Half by half on the way from memory, which saves taking vectors apart.
EK_INLINE vd vwideload(const float *p) {
    vh low, high;
    memcpy(&low, p, sizeof low);
    memcpy(&high, p + W / 2, sizeof high);
    vd v;
    v.lo = __builtin_convertvector(low, __typeof__(v.lo));
    v.hi = __builtin_convertvector(high, __typeof__(v.hi));
    return v;
}

/// The sum of the lanes, in double, as a binary tree.
EK_INLINE double vsum(vd v) {
#if EK_WIDTH == 16
    const __typeof__(v.lo) eight = v.lo + v.hi;
    const __typeof__(eight.lo) four = eight.lo + eight.hi;
#elif EK_WIDTH == 8
    const __typeof__(v.lo) four = v.lo + v.hi;
#else
    const vd four = v;
#endif
    const __typeof__(four.lo) two = four.lo + four.hi;
    return two[0] + two[1];
}

EK_INLINE vd vdload(const double *p) {
    vd v;
    memcpy(&v, p, sizeof v);
    return v;
}

EK_INLINE void vdstore(double *p, vd v) { memcpy(p, &v, sizeof v); }

#define vl EK_NAME(ek_vl)
typedef int64_t vl __attribute__((ext_vector_type(EK_WIDTH)));

/// mask ? a : b, in every lane.
EK_INLINE vd vdblend(vi mask, vd a, vd b) { return __builtin_convertvector(mask, vl) ? a : b; }

#define vus EK_NAME(ek_vus)
typedef uint16_t vus __attribute__((ext_vector_type(EK_WIDTH)));
#define vus2 EK_NAME(ek_vus2)
typedef uint16_t vus2 __attribute__((ext_vector_type(2 * EK_WIDTH)));

EK_INLINE vf vbf16load(const uint16_t *p) {
    vus v;
    memcpy(&v, p, sizeof v);
    return (vf)(__builtin_convertvector(v, vu) << 16u);
}

/// Rounds to nearest even; NaN stays NaN. The processor's own instruction gives zeros for denormal
/// numbers, the loop does not.
EK_INLINE vus vbf16bits(vf v) {
#ifdef EK_BF16_INSTRUCTIONS
    return (vus)_mm512_cvtneps_pbh((__m512)v);
#else
    const vu bits = (vu)v;
    const vu rounded = (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
    const vu quiet = (bits >> 16u) | 0x40u;
    return __builtin_convertvector(v != v ? quiet : rounded, vus);
#endif
}

/// The number that a bfloat16 holds after it was stored.
EK_INLINE vf vbf16round(vf v) { return (vf)(__builtin_convertvector(vbf16bits(v), vu) << 16u); }

EK_INLINE void vbf16store(uint16_t *p, vf v) {
    const vus bits = vbf16bits(v);
    memcpy(p, &bits, sizeof bits);
}

EK_INLINE vf vbf16load_n(const uint16_t *p, size_t n) {
#if EK_WIDTH == 16
    const vus v = (vus)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1u), p);
#else
    vus v = (vus)(uint16_t)0;
    for (size_t i = 0; i < W; i++)
        if (i < n) v[i] = p[i];
#endif
    return (vf)(__builtin_convertvector(v, vu) << 16u);
}

EK_INLINE void vbf16store_n(uint16_t *p, vf v, size_t n) {
    const vus bits = vbf16bits(v);
#if EK_WIDTH == 16
    _mm256_mask_storeu_epi16(p, (__mmask16)((1u << n) - 1u), (__m256i)bits);
#else
    for (size_t i = 0; i < W; i++)
        if (i < n) p[i] = bits[i];
#endif
}

EK_INLINE void vbf16stream(uint16_t *p, vf v) {
    __builtin_nontemporal_store(vbf16bits(v), (vus *)(void *)p);
}

// Two vectors at a time, the first of the elements at even places and the second of those at odd ones:
// bfloat16 numbers, two to a word, become floats with a shift and a mask, and a word's worth of them is
// loaded and stored at once. What is one number per lane comes in the same order.

#if EK_WIDTH == 16
#define EK_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define EK_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define EK_LOWER 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define EK_UPPER 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif EK_WIDTH == 8
#define EK_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define EK_ODD 1, 3, 5, 7, 9, 11, 13, 15
#define EK_LOWER 0, 8, 1, 9, 2, 10, 3, 11
#define EK_UPPER 4, 12, 5, 13, 6, 14, 7, 15
#else
#define EK_EVEN 0, 2, 4, 6
#define EK_ODD 1, 3, 5, 7
#define EK_LOWER 0, 4, 1, 5
#define EK_UPPER 2, 6, 3, 7
#endif

/// Two vectors of consecutive floats, taken apart by places.
EK_INLINE void vapart(vf *a, vf *b) {
    const vf low = *a, high = *b;
    *a = __builtin_shufflevector(low, high, EK_EVEN);
    *b = __builtin_shufflevector(low, high, EK_ODD);
}

/// The reverse.
EK_INLINE void vtogether(vf *a, vf *b) {
    const vf even = *a, odd = *b;
    *a = __builtin_shufflevector(even, odd, EK_LOWER);
    *b = __builtin_shufflevector(even, odd, EK_UPPER);
}

#undef EK_EVEN
#undef EK_ODD
#undef EK_LOWER
#undef EK_UPPER

EK_INLINE void vbf16words(vu words, vf *a, vf *b) {
    *a = (vf)(words << 16u);
    *b = (vf)(words & 0xffff0000u);
}

EK_INLINE void vbf16load2(const uint16_t *p, vf *a, vf *b) {
    vu words;
    memcpy(&words, p, sizeof words);
    vbf16words(words, a, b);
}

EK_INLINE vu vbf16pack(vf a, vf b) {
#ifdef EK_BF16_INSTRUCTIONS
    const vus2 halves = (vus2)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
    return (vu)__builtin_shufflevector(halves, halves, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                       7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
                                       15, 31);
#else
    return __builtin_convertvector(vbf16bits(a), vu) |
           (__builtin_convertvector(vbf16bits(b), vu) << 16u);
#endif
}

EK_INLINE void vbf16store2(uint16_t *p, vf a, vf b) {
    const vu words = vbf16pack(a, b);
    memcpy(p, &words, sizeof words);
}

/// Past the caches; p is aligned to one vector, not to both.
EK_INLINE void vbf16stream2(uint16_t *p, vf a, vf b) {
    const vu words = vbf16pack(a, b);
    __builtin_nontemporal_store(words.lo, (__typeof__(words.lo) *)(void *)p);
    __builtin_nontemporal_store(words.hi, (__typeof__(words.hi) *)(void *)(p + W));
}

EK_INLINE void vbf16round2(vf *a, vf *b) { vbf16words(vbf16pack(*a, *b), a, b); }
