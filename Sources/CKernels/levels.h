// Includes EK_TEMPLATE once per level (see level.h). No include guard: a .c file may use it twice.

#include "level.h"

// Vectors wider than a level's registers are passed only to functions that are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define EK_LEVEL_SUFFIX _baseline
#define EK_WIDTH 4
#include "vector_template.h"
#include EK_TEMPLATE
#undef EK_WIDTH
#undef EK_LEVEL_SUFFIX

#if EK_LEVELS == 3

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define EK_LEVEL_SUFFIX _v3
#define EK_WIDTH 8
#include "vector_template.h"
#include EK_TEMPLATE
#undef EK_WIDTH
#undef EK_LEVEL_SUFFIX
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), \
                             apply_to = function)
#define EK_LEVEL_SUFFIX _v4
#define EK_WIDTH 16
#include "vector_template.h"
#include EK_TEMPLATE
#undef EK_WIDTH
#undef EK_LEVEL_SUFFIX
#pragma clang attribute pop

#ifdef EK_ROUNDS_TO_BF16
#pragma clang attribute push(                                                            \
    __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))),         \
    apply_to = function)
#define EK_LEVEL_SUFFIX _v4_bf16
#define EK_WIDTH 16
#define EK_BF16_INSTRUCTIONS
#include "vector_template.h"
#include EK_TEMPLATE
#undef EK_BF16_INSTRUCTIONS
#undef EK_WIDTH
#undef EK_LEVEL_SUFFIX
#pragma clang attribute pop
#endif

#endif
