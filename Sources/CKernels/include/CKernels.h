// SIMD inner loops of EvenKeel.
//
// Every function is single-threaded, allocates nothing, keeps no state, and its result depends on
// its arguments alone: never on the alignment of pointers, earlier calls, or the calling thread.
// Sizes count elements. Pointers need only the alignment of their element type. Unless said
// otherwise an output may be the same memory as an input of the same layout, never partly overlap.

#pragma once

#include "ek_centred.h"
#include "ek_centred_bf16.h"
#include "ek_convert.h"
#include "ek_convolution.h"
#include "ek_convolution_f32.h"
#include "ek_elementwise.h"
#include "ek_evonorm.h"
#include "ek_level.h"
#include "ek_movement.h"
#include "ek_optimizers.h"
#include "ek_pause.h"
#include "ek_pooling.h"
#include "ek_products.h"
#include "ek_rows.h"
#include "ek_rows_bf16.h"
#include "ek_softmax.h"
