// One source, compiled once per instruction set.
//
// A family of kernels is a template, `NAME_template.h`, of static functions whose names go through
// EK_NAME. Its .c file defines EK_TEMPLATE and includes `levels.h`, which includes the template
// once per level, with the width of the level's vectors as EK_WIDTH, then exports every function
// with EK_EXPORT. target_clones would do the choosing but cannot be combined with
// min_vector_width, without which clang keeps to 256 bits, nor be limited in tests.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "include/ek_level.h"

#if defined(__x86_64__) && defined(__linux__)
#define EK_LEVELS 3
#include <immintrin.h>
#else
#define EK_LEVELS 1
#endif

#define EK_CONCATENATE_(a, b) a##b
#define EK_CONCATENATE(a, b) EK_CONCATENATE_(a, b)
#define EK_INLINE static inline __attribute__((always_inline, unused))

#if EK_LEVELS == 3
/// Nothing, unless the element header says otherwise.
#define EK_CHOOSE_BF16(name, arguments)
#define EK_CHOOSE(name, arguments)         \
    switch (ek_level()) {                  \
    case EK_LEVEL_V4:                      \
        EK_CHOOSE_BF16(name, arguments)    \
        return EK_CONCATENATE(name, _v4) arguments;        \
    case EK_LEVEL_V3:                      \
        return EK_CONCATENATE(name, _v3) arguments;        \
    default:                               \
        return EK_CONCATENATE(name, _baseline) arguments;  \
    }
#else
#define EK_CHOOSE(name, arguments) return EK_CONCATENATE(name, _baseline) arguments;
#endif

/// Defines the public function `name` that calls the level's version of it.
#define EK_EXPORT(result, name, parameters, arguments) \
    result name parameters { EK_CHOOSE(name, arguments) }
#define EK_EXPORT_TYPED(result, name, parameters, arguments) \
    EK_EXPORT(result, EK_TYPED(name), parameters, arguments)

EK_INLINE size_t ek_smaller(size_t a, size_t b) { return a < b ? a : b; }
