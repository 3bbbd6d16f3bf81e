// The public functions of ek_elementwise.h for the element type.

#define EK_TEMPLATE "elementwise_template.h"
#include "levels.h"

#define E EK_ELEMENT

EK_EXPORT_TYPED(void, ek_unary, (int op, const E *x, E *y, size_t n, float p), (op, x, y, n, p))
static EK_EXPORT_TYPED(void, ek_binary_any,
                       (int op, const E *a, const E *b, E *y, size_t n, float p, int one),
                       (op, a, b, y, n, p, one))

enum { NEITHER, RIGHT, LEFT };  // which argument is one number

#define any EK_TYPED(ek_binary_any)

void EK_TYPED(ek_binary)(int op, const E *a, const E *b, E *y, size_t n, float p) {
    any(op, a, b, y, n, p, NEITHER);
}

void EK_TYPED(ek_binary_scalar_right)(int op, const E *a, E b, E *y, size_t n, float p) {
    any(op, a, &b, y, n, p, RIGHT);
}

void EK_TYPED(ek_binary_scalar_left)(int op, E a, const E *b, E *y, size_t n, float p) {
    any(op, &a, b, y, n, p, LEFT);
}

void EK_TYPED(ek_binary_rows)(int op, const E *a, const E *b, E *y, size_t rows, size_t length,
                              float p) {
    for (size_t r = 0; r < rows; r++)
        any(op, a + r * length, b, y + r * length, length, p, NEITHER);
}

void EK_TYPED(ek_binary_rows_left)(int op, const E *a, const E *b, E *y, size_t rows,
                                   size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        any(op, a, b + r * length, y + r * length, length, p, NEITHER);
}

void EK_TYPED(ek_binary_row_scalars)(int op, const E *a, const E *b, E *y, size_t rows,
                                     size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        any(op, a + r * length, b + r, y + r * length, length, p, RIGHT);
}

void EK_TYPED(ek_binary_row_scalars_left)(int op, const E *a, const E *b, E *y, size_t rows,
                                          size_t length, float p) {
    for (size_t r = 0; r < rows; r++)
        any(op, a + r, b + r * length, y + r * length, length, p, LEFT);
}

#undef any
#undef E
