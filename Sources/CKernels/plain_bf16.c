#include "include/ek_centred.h"
#include "include/ek_centred_bf16.h"
#include "include/ek_convert.h"
static float widen(uint16_t v) { float f; ek_convert_bf16_f32(&v, &f, 1); return f; }
#define T uint16_t
#define NAME(n) n##_bf16
#define LOAD(v) widen(v)
#define STORE(to, v) { const float t_ = (v); ek_convert_f32_bf16(&t_, &(to), 1); }
#include "plain_centred.h"
