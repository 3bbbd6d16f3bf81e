// Gathering and conversions: loops that the compiler vectorizes well.

static void EK_NAME(ek_gather_scale_u8_f32)(const uint8_t *base, const int32_t *indices,
                                            size_t rows, size_t row_length, float scale,
                                            float shift, float *y) {
    // Rows lie anywhere in memory: ask for those that come soon.
    const size_t ahead = 4;
    ek_prefetch_rows(base, indices, ek_smaller(ahead, rows), row_length);
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *from = base + (ptrdiff_t)indices[r] * (ptrdiff_t)row_length;
        float *to = y + r * row_length;
        if (r + ahead < rows) ek_prefetch_rows(base, indices + r + ahead, 1, row_length);
        if (r + 1 < rows) {
            const size_t length = ek_smaller(row_length, 1024);
            for (size_t j = 0; j < length; j += 16) EK_PREFETCH_FOR_WRITING(to + row_length + j);
        }
        for (size_t j = 0; j < row_length; j++) to[j] = (float)from[j] * scale + shift;
    }
}

static void EK_NAME(ek_scatter_add_f32)(const float *x, const int32_t *indices, size_t rows,
                                        size_t row_length, float *y) {
    for (size_t r = 0; r < rows; r++) {
        const float *from = x + r * row_length;
        float *to = y + (ptrdiff_t)indices[r] * (ptrdiff_t)row_length;
        for (size_t j = 0; j < row_length; j++) to[j] += from[j];
    }
}

static void EK_NAME(ek_convert_scale_u8_f32)(const uint8_t *x, float scale, float shift, float *y,
                                             size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i] * scale + shift;
}

static void EK_NAME(ek_convert_i32_f32)(const int32_t *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
}

static void EK_NAME(ek_convert_f64_f32)(const double *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (float)x[i];
}

static void EK_NAME(ek_convert_f32_f64)(const float *x, double *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
}

static void EK_NAME(ek_convert_f32_i32)(const float *x, int32_t *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float v = x[i];
        const float inside = v >= -2147483648.0f ? (v < 2147483648.0f ? v : 0.0f) : 0.0f;
        int32_t result = (int32_t)inside;
        if (v >= 2147483648.0f) result = INT32_MAX;
        if (v < -2147483648.0f) result = INT32_MIN;
        y[i] = result;
    }
}

static void EK_NAME(ek_convert_f32_u8)(const float *x, uint8_t *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float v = x[i];
        const float above = v > 0.0f ? v : 0.0f;  // NaN becomes 0
        y[i] = (uint8_t)(above < 255.0f ? above : 255.0f);
    }
}

static void EK_NAME(ek_convert_bf16_f32)(const uint16_t *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(&y[i], &bits, sizeof bits);
    }
}

static void EK_NAME(ek_convert_f32_bf16)(const float *x, uint16_t *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
        const uint32_t quiet = (bits >> 16) | 0x40u;
        y[i] = (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
    }
}

static void EK_NAME(ek_convert_f16_f32)(const uint16_t *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const uint32_t sign = ((uint32_t)x[i] & 0x8000u) << 16;
        const uint32_t magnitude = (uint32_t)x[i] & 0x7fffu;
        // Shifted into a float's place the exponent is 112 too small; multiplying by 2^112 mends
        // that, and normalizes denormals on the way.
        const uint32_t shifted = magnitude << 13;
        float value;
        memcpy(&value, &shifted, sizeof value);
        value *= 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        const uint32_t special = shifted | 0x7f800000u | (magnitude > 0x7c00u ? 0x400000u : 0u);
        bits = (magnitude >= 0x7c00u ? special : bits) | sign;
        memcpy(&y[i], &bits, sizeof bits);
    }
}

static void EK_NAME(ek_convert_f32_f16)(const float *x, uint16_t *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const uint32_t sign = (bits >> 16) & 0x8000u;
        const uint32_t magnitude = bits & 0x7fffffffu;
        // Normal results: move the exponent, round the 13 bits that go to nearest even; a carry
        // runs into the exponent, up to infinity, as it should.
        const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
        // Denormal results: adding 0.5 puts the last place where a denormal's is, and rounds.
        float value;
        memcpy(&value, &magnitude, sizeof value);
        value += 0.5f;
        uint32_t denormal;
        memcpy(&denormal, &value, sizeof denormal);
        denormal -= 0x3f000000u;
        uint32_t result = magnitude < 0x38800000u ? denormal : normal;
        result = magnitude >= 0x47800000u ? 0x7c00u : result;
        result = magnitude > 0x7f800000u ? (0x7e00u | ((magnitude >> 13) & 0x3ffu)) : result;
        y[i] = (uint16_t)(result | sign);
    }
}
