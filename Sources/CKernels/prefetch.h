#pragma once

#include "level.h"

// Asks for a cache line that is going to be written. Where another core holds it, storing to it would
// wait for that core, line after line; asked for in time, the waits overlap. By hand, because compilers
// make the builtin a plain prefetch unless told that the processor knows this one; all of x86-64 does, or
// ignores it.
#if defined(__x86_64__)
#define EK_PREFETCH_FOR_WRITING(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#else
#define EK_PREFETCH_FOR_WRITING(p) __builtin_prefetch((p), 1)
#endif

// How far ahead of a pass over memory it is asked for what comes. Processors read ahead for themselves, but
// not across pages, and not what is only written.
#define EK_AHEAD_BYTES 8192

/// Asks for as many bytes as there are at p, further on.
EK_INLINE void ek_ask_ahead(const void *p, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)p + EK_AHEAD_BYTES + i, 0, 2);
}

EK_INLINE void ek_ask_ahead_for_writing(const void *p, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64)
        EK_PREFETCH_FOR_WRITING((const char *)p + EK_AHEAD_BYTES + i);
}
