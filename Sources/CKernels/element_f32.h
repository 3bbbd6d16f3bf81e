// Elements of type float for kernels of several element types.

#define EK_ELEMENT float
#define EK_TYPED(name) EK_CONCATENATE(name, _f32)
#define eload vload
#define estore vstore
#define eload_n vload_n
#define estore_n vstore_n
#define estream vstream
#define eround(v) (v)

// Two vectors at a time: one behind the other.
#define eload2(p, a, b) (*(a) = vload(p), *(b) = vload((p) + W))
#define estore2(p, a, b) (vstore((p), (a)), vstore((p) + W, (b)))
#define eround2(a, b) ((void)(a), (void)(b))
#define eapart(a, b) ((void)(a), (void)(b))
#define etogether(a, b) ((void)(a), (void)(b))
