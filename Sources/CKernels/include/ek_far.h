// Where the tensors of a call are, as `far` says it. Results do not depend on it.

#pragma once

// 0: in the core's own caches, or it is left to the processor to read ahead.
#define EK_FAR 1          // not there: what comes is asked for ahead
#define EK_PAST_CACHES 2  // in no cache: what is written is to go past them, too
