#include "include/ek_level.h"

#include "level.h"

static _Thread_local int limit = -1;

int ek_highest_level(void) {
#if EK_LEVELS == 3
    if (__builtin_cpu_supports("x86-64-v4")) return EK_LEVEL_V4;
    if (__builtin_cpu_supports("x86-64-v3")) return EK_LEVEL_V3;
#endif
    return EK_LEVEL_BASELINE;
}

int ek_level(void) {
    const int highest = ek_highest_level();
    return limit >= 0 && limit < highest ? limit : highest;
}

int ek_has_bf16(void) {
#if EK_LEVELS == 3
    return ek_level() == EK_LEVEL_V4 && __builtin_cpu_supports("avx512bf16") != 0;
#else
    return 0;
#endif
}

void ek_limit_level(int level) { limit = level; }
