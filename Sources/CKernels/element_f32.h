// Elements of type float for kernels of several element types.

#define EK_ELEMENT float
#define EK_TYPED(name) EK_CONCATENATE(name, _f32)
#define eload vload
#define estore vstore
#define eload_n vload_n
#define estore_n vstore_n
#define estream vstream
