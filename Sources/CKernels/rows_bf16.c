#include "include/ek_rows.h"
#include "include/ek_rows_bf16.h"

#include "layout.h"

#include "element_bf16.h"

#include "rows_exports.h"
