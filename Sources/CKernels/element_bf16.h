// Elements of type bfloat16 for kernels of several element types.

/// The kernels come once more, with the instruction that rounds to bfloat16.
#define EK_ROUNDS_TO_BF16
#undef EK_CHOOSE_BF16
#if EK_LEVELS == 3
#define EK_CHOOSE_BF16(name, arguments) \
    if (ek_has_bf16()) return EK_CONCATENATE(name, _v4_bf16) arguments;
#endif

#define EK_ELEMENT uint16_t
#define EK_TYPED(name) EK_CONCATENATE(name, _bf16)
#define eload vbf16load
#define estore vbf16store
#define eload_n vbf16load_n
#define estore_n vbf16store_n
#define estream vbf16stream
#define eround vbf16round

// What is added up over a tile, and what may cancel, is float: more than the numbers themselves hold.
#define EK_SUM float
#define EK_SUMS_ARE_EXACT 0
#define vs vf
#define vs_from_vf(v) (v)
#define vs_from_vd vnarrow
#define vd_from_vs vwiden
#define vs_mean(exact, rounded) (rounded)
#define eload_sum eload
#define sblend vblend

// Two vectors at a time, of words with two numbers each.
#define eload2 vbf16load2
#define estore2 vbf16store2
#define eload2_sum eload2
#define estream2 vbf16stream2
#define eround2 vbf16round2
#define eapart vapart
#define etogether vtogether
