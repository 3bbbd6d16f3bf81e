// Elements of type bfloat16 for kernels of several element types.

#define EK_ELEMENT uint16_t
#define EK_TYPED(name) EK_CONCATENATE(name, _bf16)
#define eload vbf16load
#define estore vbf16store
#define eload_n vbf16load_n
#define estore_n vbf16store_n
#define estream vbf16stream
