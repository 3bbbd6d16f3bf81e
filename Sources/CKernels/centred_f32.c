#include "include/ek_centred.h"

#include "layout.h"

#include "element_f32.h"

#include "centred_exports.h"
