#include "include/ek_centred.h"
#include "include/ek_centred_bf16.h"

#include "layout.h"

#include "element_bf16.h"

#include "centred_exports.h"
