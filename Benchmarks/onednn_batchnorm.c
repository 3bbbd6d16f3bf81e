// oneDNN's own batch-normalization primitive: training forward fused with ReLU, then backward, float32.
//
//     onednn_batchnorm LAYOUT N H W C ITERATIONS
//
// LAYOUT is nhwc, nchw or blocked (16 channels a block). Prints one JSON object with the medians in milliseconds.
// For oneDNN 2 (its version 3 has another interface); threads come from OMP_NUM_THREADS.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dnnl.h>

static void check(dnnl_status_t status, const char *what) {
    if (status == dnnl_success) return;
    fprintf(stderr, "oneDNN: %s failed with status %d\n", what, (int)status);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static dnnl_engine_t engine;
static dnnl_stream_t stream;

// A memory of the description, filled with numbers in [-1, 1) of a small generator.
static dnnl_memory_t filled(const dnnl_memory_desc_t *description) {
    dnnl_memory_t memory;
    check(dnnl_memory_create(&memory, description, engine, DNNL_MEMORY_ALLOCATE), "memory");
    void *handle;
    check(dnnl_memory_get_data_handle(memory, &handle), "data handle");
    size_t size = dnnl_memory_desc_get_size(description);
    if (description->data_type != dnnl_f32) {
        memset(handle, 0, size);
        return memory;
    }
    float *values = handle;
    unsigned state = 1;
    for (size_t i = 0; i < size / sizeof(float); i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) * 0x1p-23f - 1.0f;
    }
    return memory;
}

static dnnl_memory_t like(const_dnnl_primitive_desc_t primitive, dnnl_query_t query) {
    return filled(dnnl_primitive_desc_query_md(primitive, query, 0));
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: onednn_batchnorm nhwc|nchw|blocked N H W C ITERATIONS\n");
        return 64;
    }
    dnnl_format_tag_t tag = !strcmp(arguments[1], "nhwc")   ? dnnl_nhwc
                            : !strcmp(arguments[1], "nchw") ? dnnl_nchw
                                                            : dnnl_nChw16c;
    long n = atol(arguments[2]), h = atol(arguments[3]), w = atol(arguments[4]), c = atol(arguments[5]);
    int iterations = atoi(arguments[6]), warm_up = 5;
    if (n < 1 || h < 1 || w < 1 || c < 1 || iterations < 1) return 64;

    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    dnnl_dims_t dimensions = {n, c, h, w};
    dnnl_memory_desc_t data;
    check(dnnl_memory_desc_init_by_tag(&data, 4, dimensions, dnnl_f32, tag), "data description");
    unsigned flags = dnnl_use_scaleshift | dnnl_fuse_norm_relu;

    dnnl_batch_normalization_desc_t forward_description, backward_description;
    dnnl_primitive_desc_t forward, backward;
    check(dnnl_batch_normalization_forward_desc_init(
              &forward_description, dnnl_forward_training, &data, 1e-5f, flags),
          "forward description");
    check(dnnl_primitive_desc_create(&forward, &forward_description, NULL, engine, NULL), "forward");
    check(dnnl_batch_normalization_backward_desc_init(
              &backward_description, dnnl_backward, &data, &data, 1e-5f, flags),
          "backward description");
    check(dnnl_primitive_desc_create(&backward, &backward_description, NULL, engine, forward), "backward");

    dnnl_primitive_t forward_primitive, backward_primitive;
    check(dnnl_primitive_create(&forward_primitive, forward), "forward primitive");
    check(dnnl_primitive_create(&backward_primitive, backward), "backward primitive");

    dnnl_memory_t x = filled(&data), y = filled(&data), dy = filled(&data), dx = filled(&data);
    dnnl_memory_t scale_shift = like(forward, dnnl_query_weights_md);
    dnnl_memory_t d_scale_shift = like(backward, dnnl_query_diff_weights_md);
    const dnnl_memory_desc_t *moments = dnnl_primitive_desc_query_md(forward, dnnl_query_dst_md, 1);
    dnnl_memory_t mean = filled(moments), variance = filled(moments);
    dnnl_memory_t workspace = like(forward, dnnl_query_workspace_md);

    dnnl_exec_arg_t forward_arguments[] = {
        {DNNL_ARG_SRC, x},        {DNNL_ARG_DST, y},           {DNNL_ARG_SCALE_SHIFT, scale_shift},
        {DNNL_ARG_MEAN, mean},    {DNNL_ARG_VARIANCE, variance}, {DNNL_ARG_WORKSPACE, workspace},
    };
    dnnl_exec_arg_t backward_arguments[] = {
        {DNNL_ARG_SRC, x},
        {DNNL_ARG_DIFF_DST, dy},
        {DNNL_ARG_DIFF_SRC, dx},
        {DNNL_ARG_SCALE_SHIFT, scale_shift},
        {DNNL_ARG_DIFF_SCALE_SHIFT, d_scale_shift},
        {DNNL_ARG_MEAN, mean},
        {DNNL_ARG_VARIANCE, variance},
        {DNNL_ARG_WORKSPACE, workspace},
    };

    double *forward_times = calloc((size_t)iterations, sizeof(double));
    double *backward_times = calloc((size_t)iterations, sizeof(double));
    double *both_times = calloc((size_t)iterations, sizeof(double));
    for (int i = -warm_up; i < iterations; i++) {
        double start = now();
        check(dnnl_primitive_execute(forward_primitive, stream, 6, forward_arguments), "forward run");
        check(dnnl_stream_wait(stream), "wait");
        double middle = now();
        check(dnnl_primitive_execute(backward_primitive, stream, 8, backward_arguments), "backward run");
        check(dnnl_stream_wait(stream), "wait");
        double end = now();
        if (i < 0) continue;
        forward_times[i] = middle - start;
        backward_times[i] = end - middle;
        both_times[i] = end - start;
    }
    const char *implementation = NULL;
    dnnl_primitive_desc_query(forward, dnnl_query_impl_info_str, 0, (void *)&implementation);
    printf("{\"medianMilliseconds\": %.4f, \"forwardMilliseconds\": %.4f, \"backwardMilliseconds\": %.4f, "
           "\"implementation\": \"%s\"}\n",
           median(both_times, iterations), median(forward_times, iterations),
           median(backward_times, iterations), implementation ? implementation : "");
    return 0;
}
