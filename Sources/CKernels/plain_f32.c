#include "include/ek_centred.h"
#define T float
#define NAME(n) n##_f32
#define LOAD(v) (v)
#define STORE(to, v) (to) = (v)
#include "plain_centred.h"
