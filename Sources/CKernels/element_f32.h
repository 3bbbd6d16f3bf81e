// Elements of type float for kernels of several element types.

#define EK_ELEMENT float
#define EK_TYPED(name) EK_CONCATENATE(name, _f32)
#define eload vload
#define estore vstore
#define eload_n vload_n
#define estore_n vstore_n
#define estream vstream
#define eround(v) (v)

// What is added up, and what may cancel, is double: it loses nothing, and memory is slower anyway.
#define EK_SUM double
#define EK_SUMS_ARE_EXACT 1
#define vs vd
#define vs_from_vf vwiden
#define vs_from_vd(v) (v)
#define vd_from_vs(v) (v)
#define vs_mean(exact, rounded) (exact)
#define eload_sum vwideload
#define sblend vdblend

// Two vectors at a time: one behind the other.
#define eload2(p, a, b) (*(a) = vload(p), *(b) = vload((p) + W))
#define eload2_sum(p, a, b) (*(a) = vwideload(p), *(b) = vwideload((p) + W))
#define estore2(p, a, b) (vstore((p), (a)), vstore((p) + W, (b)))
#define estream2(p, a, b) (vstream((p), (a)), vstream((p) + W, (b)))
#define eround2(a, b) ((void)(a), (void)(b))
#define eapart(a, b) ((void)(a), (void)(b))
#define etogether(a, b) ((void)(a), (void)(b))
