#include "include/ek_elementwise.h"

#include <math.h>

#include "level.h"

#include "element_f32.h"

#include "elementwise_exports.h"
