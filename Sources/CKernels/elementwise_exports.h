// The public functions of ek_elementwise.h for the element type.

#define EK_TEMPLATE "elementwise_template.h"
#include "levels.h"

#define E EK_ELEMENT

EK_EXPORT_TYPED(void, ek_unary, (int op, const E *x, E *y, size_t n, float p), (op, x, y, n, p))
EK_EXPORT_TYPED(void, ek_binary_runs,
                (int op, const E *a, size_t a_stride, int a_is_array, const E *b, size_t b_stride,
                 int b_is_array, E *y, size_t rows, size_t n, float p),
                (op, a, a_stride, a_is_array, b, b_stride, b_is_array, y, rows, n, p))

void EK_TYPED(ek_binary)(int op, const E *a, const E *b, E *y, size_t n, float p) {
    EK_TYPED(ek_binary_runs)(op, a, 0, 1, b, 0, 1, y, 1, n, p);
}

void EK_TYPED(ek_binary_scalar_right)(int op, const E *a, E b, E *y, size_t n, float p) {
    EK_TYPED(ek_binary_runs)(op, a, 0, 1, &b, 0, 0, y, 1, n, p);
}

#undef E
