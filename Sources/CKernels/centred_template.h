// Statistics per channel: the kernels of ek_centred.h for one element type at one level.
// The includer's element header defines EK_ELEMENT, EK_TYPED, eload, estore and so on.

#define E EK_ELEMENT
#define LOCAL(name) EK_NAME(EK_TYPED(name))

#include "centred_parameters.h"
#include "centred_moments.h"
#include "centred_scale.h"
#include "centred_sums.h"
#include "centred_gradient.h"
#ifndef EK_ROUNDS_TO_BF16
#include "centred_gradient_columns.h"
#endif

#undef E
#undef LOCAL
