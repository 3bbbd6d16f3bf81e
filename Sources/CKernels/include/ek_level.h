// Which instruction set the kernels use: the best that the processor has, chosen at run time.

#pragma once

#define EK_LEVEL_BASELINE 0  // what every processor of the architecture has
#define EK_LEVEL_V3 1        // x86-64-v3: AVX2 and FMA
#define EK_LEVEL_V4 2        // x86-64-v4: AVX-512

/// The level at which kernels called from this thread run now.
int ek_level(void);

/// Whether the processor also multiplies and rounds to bfloat16 itself (AVX512_BF16), and the level
/// is the highest.
int ek_has_bf16(void);

/// The highest level that this processor supports.
int ek_highest_level(void);

/// Runs the kernels called from THIS thread at most at `level`; a negative value lifts the limit.
/// For tests: results of two levels agree within rounding, not bit for bit.
void ek_limit_level(int level);
