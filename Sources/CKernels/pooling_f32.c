#include "include/ek_pooling.h"

#include "level.h"

#include "element_f32.h"

#include "pooling_exports.h"
