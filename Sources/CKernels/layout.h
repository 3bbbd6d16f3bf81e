// How the centred kernels walk a tensor [outer, channels, inner].
//
// Lanes: with a short inner axis, one index of the outer axis is a row of channels * inner lanes,
// each lane with its channel's parameters. Rows shorter than 64 lanes, or not a multiple of a
// vector, are taken several at a time: `fold` of them make a row. Long rows are cut in strips
// whose tables of parameters fit the stack.
//
// Planes: with a long inner axis, parameters are broadcast over runs of `inner` elements.

#pragma once

#include "level.h"
#include "prefetch.h"

#define EK_PLANE_MINIMUM 32  // the shortest inner axis that is walked as planes
#define EK_STRIP 512         // lanes in a strip at most
#define EK_WIDE_ROW 64       // lanes in a row at least, where there are enough rows

// Vectors of lanes that are taken at once: as many as the registers hold accumulators for, and with them
// so much of each row that memory is read in whole cache lines.
#define EK_COLUMNS ((size_t)(EK_WIDTH >= 8 ? 4 : 2))

// The same where the accumulators are of type EK_SUM.
#define EK_SUM_COLUMNS (sizeof(EK_SUM) == sizeof(float) ? EK_COLUMNS : (size_t)(EK_WIDTH >= 16 ? 4 : 2))

// Vectors of a run that are added up apart from each other: enough that none waits for the one before. A
// vector of doubles is two of them already.
#define EK_CHAINS ((size_t)(sizeof(EK_SUM) == sizeof(float) ? 4 : 2))

#define EK_ROWS_TOGETHER ((size_t)4)  // rows longer than a block of columns that are taken at a time

#define EK_AHEAD(element) (EK_AHEAD_BYTES / sizeof(element))

/// Whether a vector at p is the first to reach into a cache line, of those one behind the other.
#define EK_REACHES_LINE(p) ((uintptr_t)(p) % 64 < EK_WIDTH * sizeof *(p))

/// Whether the q-th of some vectors of elements begins a cache line, if the first does.
#define EK_BEGINS_LINE(q, element) ((q) * EK_WIDTH * sizeof(element) % 64 == 0)

struct ek_layout {
    size_t lanes;  // of one outer index: channels * inner
    size_t fold;   // outer indices in a row
    size_t rows;   // whole rows; outer % fold indices are left over
    size_t strip;  // lanes in a strip, a multiple of inner unless there is only one
};

EK_INLINE struct ek_layout ek_layout(size_t outer, size_t channels, size_t inner, size_t width) {
    struct ek_layout layout = {.lanes = channels * inner, .fold = 1};
    if (layout.lanes > 0 && layout.lanes <= EK_STRIP) {
        size_t whole = 1;  // rows that fill whole vectors
        while (layout.lanes * whole % width != 0) whole++;
        if (layout.lanes * whole <= EK_STRIP) {
            layout.fold = whole;
            while (layout.lanes * layout.fold < EK_WIDE_ROW) layout.fold += whole;
        }
        layout.strip = layout.lanes * layout.fold;
    } else {
        // A multiple of 16 and of inner, which is below EK_PLANE_MINIMUM.
        layout.strip = EK_STRIP / (16 * inner) * (16 * inner);
    }
    layout.rows = outer / layout.fold;
    return layout;
}

/// Whether rows of `row_bytes` from p on can be stored past the caches in vectors.
EK_INLINE int ek_streamable(const void *p, size_t row_bytes, size_t vector_bytes) {
    return (uintptr_t)p % vector_bytes == 0 && row_bytes % vector_bytes == 0;
}

/// Orders streamed stores before what follows.
EK_INLINE void ek_fence(void) {
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}
