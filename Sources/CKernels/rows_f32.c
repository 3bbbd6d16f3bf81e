#include "include/ek_rows.h"

#include "layout.h"

#include "element_f32.h"

#include "rows_exports.h"
