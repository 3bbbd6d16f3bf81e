// The vectors of one level and what is done with them. Partial vectors go through the same
// arithmetic as whole ones, so an element's result does not depend on its place.

#undef EK_NAME
#undef W
#undef vf
#undef vi
#undef vu
#undef vd

#define EK_NAME(name) EK_CONCATENATE(name, EK_LEVEL_SUFFIX)

#define W ((size_t)EK_WIDTH)
#define vf EK_NAME(ek_vf)
#define vi EK_NAME(ek_vi)
#define vu EK_NAME(ek_vu)
#define vd EK_NAME(ek_vd)

typedef float vf __attribute__((ext_vector_type(EK_WIDTH)));
typedef int32_t vi __attribute__((ext_vector_type(EK_WIDTH)));
typedef uint32_t vu __attribute__((ext_vector_type(EK_WIDTH)));
typedef double vd __attribute__((ext_vector_type(EK_WIDTH)));

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
#define vdload EK_NAME(ek_vdload)
#define vdstore EK_NAME(ek_vdstore)
#define vbf16load EK_NAME(ek_vbf16load)
#define vbf16store EK_NAME(ek_vbf16store)
#define vbf16bits EK_NAME(ek_vbf16bits)
#define vbf16load_n EK_NAME(ek_vbf16load_n)
#define vbf16store_n EK_NAME(ek_vbf16store_n)
#define vbf16stream EK_NAME(ek_vbf16stream)

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

/// The sum of the lanes, in double, as a binary tree.
EK_INLINE double vsum(vd v) {
    double lane[EK_WIDTH];
    memcpy(lane, &v, sizeof v);
    for (size_t half = W / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) lane[i] += lane[i + half];
    return lane[0];
}

EK_INLINE vd vdload(const double *p) {
    vd v;
    memcpy(&v, p, sizeof v);
    return v;
}

EK_INLINE void vdstore(double *p, vd v) { memcpy(p, &v, sizeof v); }

#define vus EK_NAME(ek_vus)
typedef uint16_t vus __attribute__((ext_vector_type(EK_WIDTH)));

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
