// The vectors of one level and what is done with them.

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
