// Elementary functions of vectors.
//
// Polynomials are minimax fits (Remez) of our own. Largest errors found over a sweep of all floats,
// in units in the last place of the exact result, with and without fused multiply-add:
// exp 1.0, log 0.8, expm1 1.5, log1p 1.5, tanh 2.4, sigmoid 2.4, erf 1.4, softplus 2.0, pow 0.5.
// GELU and SiLU keep their relative accuracy far into the lower tail, about 5 units for x > -5;
// where intermediate results are denormal (results below 1e-37) only the absolute error is small.

#define vbits EK_NAME(ek_vbits)
#define vpower2 EK_NAME(ek_vpower2)
#define vexp_parts EK_NAME(ek_vexp_parts)
#define vexp EK_NAME(ek_vexp)
#define vexpm1 EK_NAME(ek_vexpm1)
#define vlog EK_NAME(ek_vlog)
#define vlog1p EK_NAME(ek_vlog1p)
#define vabs EK_NAME(ek_vabs)
#define vsign_of EK_NAME(ek_vsign_of)
#define vtanh EK_NAME(ek_vtanh)
#define vsigmoid EK_NAME(ek_vsigmoid)
#define vgauss EK_NAME(ek_vgauss)
#define verfcx EK_NAME(ek_verfcx)
#define verf EK_NAME(ek_verf)
#define vnormal EK_NAME(ek_vnormal)
#define vpow EK_NAME(ek_vpow)
#define vmaximum EK_NAME(ek_vmaximum)

EK_INLINE vf vabs(vf x) { return (vf)((vi)x & (vi)0x7fffffff); }

/// The magnitude of `of` with the sign of `from`.
EK_INLINE vf vsign_of(vf of, vf from) {
    return (vf)(((vi)of & (vi)0x7fffffff) | ((vi)from & (vi)INT32_MIN));
}

/// The larger; NaN if either is.
EK_INLINE vf vmaximum(vf a, vf b) {
    const vf larger = vblend(a > b, a, b);
    return vblend(a != a, a, larger);
}

/// 2^n for -126 <= n <= 127.
EK_INLINE vf vpower2(vi n) { return (vf)((n + (vi)127) << 23); }

/// x = n log 2 + r with |r| <= log(2) / 2, and e^r - 1 of that.
EK_INLINE vf vexp_parts(vf x, vi *n) {
    const vf shifter = (vf)12582912.0f;  // 1.5 * 2^23: the sum's last place is 1
    const vf shifted = x * (vf)1.44269504f + shifter;
    const vf whole = shifted - shifter;
    *n = (vi)shifted - (vi)shifter;
    // log 2 in two parts, the first so short that its products with n are exact.
    const vf r = (x - whole * (vf)0.693359375f) - whole * (vf)-2.12194440e-4f;
    vf q = (vf)1.991914564e-04f;
    q = q * r + (vf)1.394663552e-03f;
    q = q * r + (vf)8.333262989e-03f;
    q = q * r + (vf)4.166626211e-02f;
    q = q * r + (vf)1.666666687e-01f;
    q = q * r + (vf)5.000000080e-01f;
    return r * r * q + r;
}

EK_INLINE vf vexp(vf x) {
    vi n;
    x = vblend(x < (vf)-105.0f, (vf)-105.0f, x);
    x = vblend(x > (vf)90.0f, (vf)90.0f, x);
    const vf y = vexp_parts(x, &n) + (vf)1.0f;
    // In two steps, for results that are denormal or overflow.
    const vi half = n >> 1;
    return y * vpower2(half) * vpower2(n - half);
}

EK_INLINE vf vexpm1(vf x) {
    vi n;
    const vf tiny = x;
    x = vblend(x < (vf)-20.0f, (vf)-20.0f, x);
    x = vblend(x > (vf)89.0f, (vf)89.0f, x);
    const vf y = vexp_parts(x, &n);
    const vf half = vpower2(n - (vi)1);  // n = 128 is in range
    const vf result = (half * y + (half - (vf)0.5f)) * (vf)2.0f;
    return vblend(vabs(tiny) < (vf)1e-20f, tiny, result);  // -0, and denormals
}

EK_INLINE vf vlog(vf x) {
    const vi denormal = x < (vf)0x1p-126f;
    const vf scaled = vblend(denormal, x * (vf)0x1p24f, x);
    const vi sqrt_half = (vi)0x3f3504f3;
    const vi exponent = ((vi)scaled - sqrt_half) >> 23;
    const vf f = (vf)((vi)scaled - (exponent << 23)) - (vf)1.0f;
    const vf e = __builtin_convertvector(exponent - (denormal & (vi)24), vf);
    vf p = (vf)6.915550009e-02f;
    p = p * f + (vf)-1.178986733e-01f;
    p = p * f + (vf)1.187292301e-01f;
    p = p * f + (vf)-1.238433464e-01f;
    p = p * f + (vf)1.421866417e-01f;
    p = p * f + (vf)-1.666925185e-01f;
    p = p * f + (vf)2.000222630e-01f;
    p = p * f + (vf)-2.499998658e-01f;
    p = p * f + (vf)3.333331045e-01f;
    const vf square = f * f;
    vf small = f * square * p;
    small += e * (vf)-2.12194440e-4f;
    small -= (vf)0.5f * square;
    vf y = small + f + e * (vf)0.693359375f;
    y = vblend(x == (vf)0.0f, (vf)-__builtin_inff(), y);
    y = vblend(x == (vf)__builtin_inff(), x, y);
    return vblend(x < (vf)0.0f, (vf)__builtin_nanf(""), vblend(x != x, x, y));
}

EK_INLINE vf vlog1p(vf x) {
    const vf u = x + (vf)1.0f;
    // What rounding took from 1 + x, to first order.
    const vf lost = vblend(vabs(x) < (vf)1.0f, x - (u - (vf)1.0f), (vf)1.0f - (u - x));
    const vf y = vlog(u) + lost / u;
    const vi plain = (vabs(x) < (vf)1e-20f) | (u == (vf)__builtin_inff()) | (u == (vf)0.0f);
    const vf edge = vblend(u == (vf)0.0f, (vf)-__builtin_inff(), x);
    return vblend(plain, edge, y);
}

EK_INLINE vf vtanh(vf x) {
    vf t = vabs(x);
    t = vblend(t > (vf)10.0f, (vf)10.0f, t);
    const vf e = vexpm1(t + t);
    return vsign_of(e / (e + (vf)2.0f), x);
}

EK_INLINE vf vsigmoid(vf x) {
    const vf e = vexp(-vabs(x));
    return vblend(x < (vf)0.0f, e, (vf)1.0f) / ((vf)1.0f + e);
}

/// exp(-scale x^2), scale 1 or 1/2, x^2 taken with twice the precision.
EK_INLINE vf vgauss(vf x, vf scale) {
    x = vblend(x > (vf)20.0f, (vf)20.0f, x);
    const vf high = (vf)((vi)x & (vi)0xfffff000);
    const vf rest = (x - high) * (x + high) * scale;
    const vf factor = (vf)1.0f - rest + rest * rest * (vf)0.5f;
    return vexp(-(high * high * scale)) * factor;
}

/// exp(t^2) erfc(t) for 0 <= t: (1 + 2 t) of it is a polynomial in (t - 3) / (t + 3).
EK_INLINE vf verfcx(vf t) {
    const vf q = (t - (vf)3.0f) / (t + (vf)3.0f);
    vf p = (vf)-2.597485211e-04f;
    p = p * q + (vf)-7.562990139e-04f;
    p = p * q + (vf)2.014066960e-03f;
    p = p * q + (vf)2.559135856e-03f;
    p = p * q + (vf)-2.380629053e-02f;
    p = p * q + (vf)6.829604784e-02f;
    p = p * q + (vf)-1.192693072e-01f;
    p = p * q + (vf)1.296465395e-01f;
    p = p * q + (vf)-4.756249978e-02f;
    p = p * q + (vf)-1.356211457e-01f;
    p = p * q + (vf)1.253008060e+00f;
    return p / ((vf)1.0f + t + t);
}

EK_INLINE vf verf(vf x) {
    const vf t = vblend(vabs(x) > (vf)5.0f, (vf)5.0f, vabs(x));
    const vf z = t * t;
    vf p = (vf)8.223987687e-05f;
    p = p * z + (vf)-8.108082923e-04f;
    p = p * z + (vf)5.197991849e-03f;
    p = p * z + (vf)-2.685818590e-02f;
    p = p * z + (vf)1.128367407e-01f;
    p = p * z + (vf)-3.761263239e-01f;
    p = p * z + (vf)1.283791665e-01f;
    const vf small = t * p + t;
    const vf large = (vf)1.0f - vgauss(t, (vf)1.0f) * verfcx(t);
    return vsign_of(vblend(t < (vf)0.9f, small, large), x);
}

/// The normal distribution function, accurate in its lower tail, and its density's exponential.
EK_INLINE vf vnormal(vf x, vf *gauss) {
    vf t = vabs(x);
    t = vblend(t > (vf)15.0f, (vf)15.0f, t);
    *gauss = vgauss(t, (vf)0.5f);
    const vf tail = (vf)0.5f * *gauss * verfcx(t * (vf)0.707106781f);
    return vblend(x < (vf)0.0f, tail, (vf)1.0f - tail);
}

/// a^b: log and exp in double where a is a positive number, the C library elsewhere.
EK_INLINE vf vpow(vf a, vf b) {
    const vi plain = (a >= (vf)0x1p-126f) & (a <= (vf)3.40282347e38f) & (vabs(b) <= (vf)1e30f);
    const vf base = vblend(plain, a, (vf)1.0f), power = vblend(plain, b, (vf)1.0f);
    const vi exponent = ((vi)base - (vi)0x3f3504f3) >> 23;
    const vd m = vwiden((vf)((vi)base - (exponent << 23)));
    const vd s = (m - (vd)1.0) / (m + (vd)1.0), z = s * s;
    vd series = (vd)(1.0 / 13.0);
    series = series * z + (vd)(1.0 / 11.0);
    series = series * z + (vd)(1.0 / 9.0);
    series = series * z + (vd)(1.0 / 7.0);
    series = series * z + (vd)(1.0 / 5.0);
    series = series * z + (vd)(1.0 / 3.0);
    const vd log2 = (vd)0.69314718055994531;
    const vd log = (s + s * z * series) * (vd)2.0 + __builtin_convertvector(exponent, vd) * log2;
    vd y = log * vwiden(power);
    y = y < (vd)-110.0 ? (vd)-110.0 : y;
    y = y > (vd)110.0 ? (vd)110.0 : y;
    const vd shifter = (vd)6755399441055744.0;  // 1.5 * 2^52
    const vd whole = (y * (vd)1.4426950408889634 + shifter) - shifter;
    const vd r = y - whole * log2;
    vd e = (vd)(1.0 / 40320.0);
    e = e * r + (vd)(1.0 / 5040.0);
    e = e * r + (vd)(1.0 / 720.0);
    e = e * r + (vd)(1.0 / 120.0);
    e = e * r + (vd)(1.0 / 24.0);
    e = e * r + (vd)(1.0 / 6.0);
    e = e * r + (vd)0.5;
    e = e * r + (vd)1.0;
    e = e * r + (vd)1.0;
    const vi n = __builtin_convertvector(whole, vi), half = n >> 1;
    // Rounded once, to float, after the exact powers of two.
    e = e * vwiden(vpower2(half)) * vwiden(vpower2(n - half));
    vf result = __builtin_convertvector(e, vf);
    if (vany(~plain))
        for (size_t i = 0; i < W; i++)
            if (!plain[i]) result[i] = powf(a[i], b[i]);
    return result;
}
