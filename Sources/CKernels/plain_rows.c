#include <math.h>
#include "include/CKernels.h"
#define G(j) (gamma ? (double)gamma[(j) / inner] : 1.0)
#define ROWS for (size_t r = 0; r < rows; r++)
#define COLS for (size_t j = 0; j < length; j++)
void ek_row_moments_f32(const float *x, size_t rows, size_t length, double *mean, double *m2) {
    ROWS {
        double s = 0, q = 0;
        COLS s += (double)x[r * length + j] - (double)x[r * length];
        mean[r] = length ? (double)x[r * length] + s / (double)length : 0;
        COLS q += ((double)x[r * length + j] - mean[r]) * ((double)x[r * length + j] - mean[r]);
        m2[r] = q;
    }
}
void ek_row_square_sums_f32(const float *x, size_t rows, size_t length, double *sums) {
    ROWS {
        sums[r] = 0;
        COLS sums[r] += (double)x[r * length + j] * (double)x[r * length + j];
    }
}
void ek_row_centred_scale_f32(const float *x, size_t rows, size_t length, size_t inner,
                              const double *mean, const double *inv, const float *gamma,
                              const float *beta, float *y) {
    ROWS COLS y[r * length + j] =
        (float)(((double)x[r * length + j] - mean[r]) * inv[r] * G(j) + (beta ? (double)beta[j / inner] : 0));
}
void ek_layer_norm_f32(const float *x, size_t rows, size_t length, size_t inner, double epsilon,
                       int centred, const float *gamma, const float *beta, float *y, double *mean,
                       double *inv) {
    ROWS {
        double m2;
        if (centred) ek_row_moments_f32(x + r * length, 1, length, mean + r, &m2);
        else mean[r] = 0, ek_row_square_sums_f32(x + r * length, 1, length, &m2);
        inv[r] = 1 / sqrt(m2 / (double)length + epsilon);
        ek_row_centred_scale_f32(x + r * length, 1, length, inner, mean + r, inv + r, gamma, beta, y + r * length);
    }
}
void ek_row_centred_sums_f32(const float *dy, const float *x, size_t rows, size_t length,
                             size_t inner, const double *mean, const float *gamma, double *sums) {
    ROWS {
        double s = 0, q = 0;
        COLS {
            const double g = (double)dy[r * length + j] * G(j);
            s += g;
            q += g * ((double)x[r * length + j] - mean[r]);
        }
        sums[r] = s, sums[rows + r] = q;
    }
}
void ek_row_centred_input_gradient_f32(const float *dy, const float *x, size_t rows, size_t length,
                                       size_t inner, const double *mean, const float *gamma,
                                       const double *a, const double *b, const double *c, float *dx) {
    ROWS COLS {
        const size_t k = r * length + j;
        dx[k] = (float)(a[r] * (double)dy[k] * G(j) + b[r] * ((double)x[k] - mean[r]) + c[r]);
    }
}
void ek_row_parameter_gradients_f32(const float *dy, const float *x, size_t rows, size_t length,
                                    size_t inner, const double *mean, const double *inv,
                                    double *dgamma, double *dbeta) {
    ROWS COLS {
        const size_t k = r * length + j;
        if (dgamma) dgamma[j / inner] += (double)dy[k] * ((double)x[k] - mean[r]) * inv[r];
        if (dbeta) dbeta[j / inner] += (double)dy[k];
    }
}
void ek_layer_norm_gradient_f32(const float *dy, const float *x, size_t rows, size_t length,
                                size_t inner, int centred, const double *mean, const double *inv,
                                const float *gamma, float *dx, double *dgamma, double *dbeta) {
    ek_row_parameter_gradients_f32(dy, x, rows, length, inner, mean, inv, dgamma, dbeta);
    if (dx) ROWS {
        double s[2];
        ek_row_centred_sums_f32(dy + r * length, x + r * length, 1, length, inner, mean + r, gamma, s);
        const double a = inv[r], b = -inv[r] * inv[r] * inv[r] * s[1] / (double)length;
        const double c = centred ? -inv[r] * s[0] / (double)length : 0;
        ek_row_centred_input_gradient_f32(dy + r * length, x + r * length, 1, length, inner, mean + r, gamma, &a, &b, &c, dx + r * length);
    }
}
static double row_max(const float *x, size_t length) {
    double m = -INFINITY;
    COLS if ((double)x[j] > m || isnan(x[j])) { m = (double)x[j]; if (isnan(m)) break; }
    return m;
}
static double log_sum(const float *x, size_t length, double m) {
    double s = 0;
    COLS s += exp((double)x[j] - m);
    return log(s);
}
void ek_softmax_f32(const float *x, size_t rows, size_t length, float *y) {
    ROWS {
        const double m = row_max(x + r * length, length), l = log_sum(x + r * length, length, m);
        COLS y[r * length + j] = (float)exp((double)x[r * length + j] - m - l);
    }
}
void ek_log_softmax_f32(const float *x, size_t rows, size_t length, float *y) {
    ROWS {
        const double m = row_max(x + r * length, length), l = log_sum(x + r * length, length, m);
        COLS y[r * length + j] = (float)((double)x[r * length + j] - m - l);
    }
}
void ek_softmax_gradient_f32(const float *dy, const float *y, size_t rows, size_t length, float *dx) {
    ROWS {
        double s = 0;
        COLS s += (double)dy[r * length + j] * (double)y[r * length + j];
        COLS dx[r * length + j] = (float)((double)y[r * length + j] * ((double)dy[r * length + j] - s));
    }
}
void ek_log_softmax_gradient_f32(const float *dy, const float *y, size_t rows, size_t length, float *dx) {
    ROWS {
        double s = 0;
        COLS s += (double)dy[r * length + j];
        COLS dx[r * length + j] = (float)((double)dy[r * length + j] - exp((double)y[r * length + j]) * s);
    }
}
void ek_softmax_cross_entropy_f32(const float *logits, const int32_t *labels, size_t rows,
                                  size_t classes, float smoothing, float scale, float *loss, float *dlogits) {
    const size_t length = classes;
    ROWS {
        const float *x = logits + r * length;
        const int bad = labels[r] < 0 || (size_t)labels[r] >= classes;
        const double m = row_max(x, length), l = m + log_sum(x, length, m);
        double mean = 0;
        COLS mean += (double)x[j] / (double)length;
        if (loss) loss[r] = bad ? NAN : (float)(l - (1 - (double)smoothing) * (double)x[labels[r]] - (double)smoothing * mean);
        if (dlogits) COLS {
            const double t = (double)smoothing / (double)length + ((size_t)labels[r] == j ? 1 - (double)smoothing : 0);
            dlogits[r * length + j] = bad ? NAN : (float)((double)scale * (exp((double)x[j] - l) - t));
        }
    }
}
void ek_row_max_f32(const float *x, size_t rows, size_t length, float *y) {
    ROWS y[r] = (float)row_max(x + r * length, length);
}
void ek_row_argmax_f32(const float *x, size_t rows, size_t length, int32_t *indices) {
    ROWS {
        const double m = row_max(x + r * length, length);
        indices[r] = 0;
        COLS if ((double)x[r * length + j] == m || (isnan(m) && isnan(x[r * length + j]))) { indices[r] = (int32_t)j; break; }
    }
}
void ek_row_sums_f32(const float *x, size_t rows, size_t length, double *sums) {
    ROWS { sums[r] = 0; COLS sums[r] += (double)x[r * length + j]; }
}
