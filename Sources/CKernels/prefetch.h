#pragma once

// Asks for a cache line that is going to be written. Where another core holds it, storing to it would
// wait for that core, line after line; asked for in time, the waits overlap. By hand, because compilers
// make the builtin a plain prefetch unless told that the processor knows this one; all of x86-64 does, or
// ignores it.
#if defined(__x86_64__)
#define EK_PREFETCH_FOR_WRITING(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#else
#define EK_PREFETCH_FOR_WRITING(p) __builtin_prefetch((p), 1)
#endif
