#include "include/ek_pooling.h"

#include "level.h"

#include "element_bf16.h"

#include "pooling_exports.h"
