// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include "base/clock.h"
#include "host/kernel.h"
#include <stdio.h>
#include <stdlib.h>

enum { WARM_UP = 2, LOCAL = 1 };
static const double SAMPLE_SECONDS = 0.02;

static int ascending(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

evn_status bench_repeat(evn_device *device, bench_work *work, void *user, int count,
                        double *seconds) {
    double started = evn__now();
    for (int i = 0; i < count; ++i) {
        evn_status status = work(user);
        if (status != EVN_OK) {
            return status;
        }
    }
    evn_status status = evn_device_finish(device);
    *seconds = (evn__now() - started) / count;
    return status;
}

evn_status bench_measure(evn_device *device, bench_work *work, void *user, bench_time *time) {
    double samples[BENCH_SAMPLES] = {0}, once = 0;
    evn_status status = bench_repeat(device, work, user, WARM_UP, &once); // compiles, fills caches
    if (status == EVN_OK) {
        status = bench_repeat(device, work, user, 1, &once);
    }
    int count = once > 0 && once < SAMPLE_SECONDS ? (int)(SAMPLE_SECONDS / once) + 1 : 1;
    uint64_t launches = evn_device_get_stats(device).launches;
    for (int i = 0; i < BENCH_SAMPLES && status == EVN_OK; ++i) {
        status = bench_repeat(device, work, user, count, &samples[i]);
    }
    launches = evn_device_get_stats(device).launches - launches;
    qsort(samples, BENCH_SAMPLES, sizeof(samples[0]), ascending);
    *time = (bench_time){.median = samples[BENCH_SAMPLES / 2],
                         .low = samples[BENCH_SAMPLES / 4],
                         .best = samples[0],
                         .high = samples[BENCH_SAMPLES - 1 - BENCH_SAMPLES / 4],
                         .launches = (double)launches / (BENCH_SAMPLES * count)};
    return status;
}

// Limits ------------------------------------------------------------------------------------------

// Independent chains of fused multiply-adds in registers; a triad over memory beyond the caches.
static const char source_text[] =
    "#define CHAINS 12\n"
    "__kernel void bench_fma(OUTPUT(y), const int rounds) {\n"
    "    OUTPUT_OF(y);\n"
    "    const size_t item = get_global_id(0);\n"
    "    vector sum[CHAINS];\n"
    "    const vector a = (vector)(R(0.999)), b = (vector)(R(0.001) * item);\n"
    "    _Pragma(\"unroll\") for (int c = 0; c < CHAINS; c++) { sum[c] = b + c; }\n"
    "    for (int i = 0; i < rounds; i++) {\n"
    "        _Pragma(\"unroll\") for (int c = 0; c < CHAINS; c++) {\n"
    "            sum[c] = fma(sum[c], a, b);\n"
    "        }\n"
    "    }\n"
    "    vector total = sum[0];\n"
    "    _Pragma(\"unroll\") for (int c = 1; c < CHAINS; c++) { total += sum[c]; }\n"
    "    STORE(total, item, y);\n"
    "}\n"
    "__kernel void bench_triad(INPUT(a), INPUT(b), OUTPUT(y), const int run) {\n"
    "    INPUT_OF(a);\n"
    "    INPUT_OF(b);\n"
    "    OUTPUT_OF(y);\n"
    "    const long first = (long)get_global_id(0) * run;\n"
    "    for (int i = 0; i < run; i++) {\n"
    "        y[first + i] = a[first + i] + R(3.0) * b[first + i];\n"
    "    }\n"
    "}\n";

typedef struct limit {
    evn__kernel *kernel;
    evn__argument arguments[4];
    int count;
    evn__range range;
} limit;

static evn_status launch(void *user) {
    const limit *l = user;
    return evn__kernel_launch(l->kernel, l->arguments, l->count, l->range);
}

/// Of the vectors that kernels/common.cl knows, the one that fills a register.
static int vector_width(evn_device *device) {
    int width = evn_device_get_info(device)->vector_width;
    return width >= 16 ? 16 : width >= 8 ? 8 : 4;
}

static evn_status get_kernel(evn_device *device, const char *name, limit *l) {
    char options[64];
    int width = vector_width(device);
    snprintf(options, sizeof(options), "-DROWS=1 -DVECTORS=1 -DWIDTH=%d", width);
    evn__source source = {.text = source_text, .options = options};
    return evn__kernel_get(device, &source, name, &l->kernel);
}

static evn_status measure_limit(evn_device *device, const char *name, limit *l, bench_time *time) {
    evn_status status = get_kernel(device, name, l);
    return status == EVN_OK ? bench_measure(device, launch, l, time) : status;
}

static evn__argument part(evn_buffer *buffer, size_t offset) {
    return (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = buffer, .offset = offset};
}

enum { ITEMS = 4096, ROUNDS = 2000, CHAINS = 12 };

static limit multiply_adds(evn_buffer *buffer) {
    return (limit){.arguments = {part(buffer, 0), {.kind = EVN__ARGUMENT_INT, .integer = ROUNDS}},
                   .count = 2,
                   .range = {1, {ITEMS}, {LOCAL}}};
}

static double flops_in(evn_device *device, double seconds) {
    return 2.0 * ITEMS * ROUNDS * CHAINS * vector_width(device) / seconds;
}

evn_status bench_limits_measure(evn_device *device, bench_limits *limits) {
    enum { RUN = 4096 };
    const size_t elements = (size_t)1 << 24;
    evn_buffer *buffer = NULL;
    bench_time time;
    evn_status status = evn_buffer_create(device, 3 * elements * sizeof(float), &buffer);
    if (status == EVN_OK) {
        status = evn_buffer_zero(buffer, 0, 3 * elements * sizeof(float));
    }
    limit fma = multiply_adds(buffer);
    if (status == EVN_OK) {
        status = measure_limit(device, "bench_fma", &fma, &time);
        limits->flops = flops_in(device, time.best);
    }
    limit triad = {.arguments = {part(buffer, 0),
                                 part(buffer, elements),
                                 part(buffer, 2 * elements),
                                 {.kind = EVN__ARGUMENT_INT, .integer = RUN}},
                   .count = 4,
                   .range = {1, {elements / RUN}, {LOCAL}}};
    if (status == EVN_OK) {
        status = measure_limit(device, "bench_triad", &triad, &time);
        limits->bytes = 3.0 * (double)elements * sizeof(float) / time.best;
    }
    evn_buffer_destroy(&buffer);
    return status;
}

evn_status bench_speed_measure(evn_device *device, double *flops) {
    enum { REPETITIONS = 5 };
    evn_buffer *buffer = NULL;
    double seconds = 0;
    evn_status status = evn_buffer_create(device, ITEMS * 16 * sizeof(float), &buffer);
    limit fma = multiply_adds(buffer);
    if (status == EVN_OK) {
        status = get_kernel(device, "bench_fma", &fma);
    }
    if (status == EVN_OK) {
        status = bench_repeat(device, launch, &fma, WARM_UP, &seconds);
    }
    if (status == EVN_OK) {
        status = bench_repeat(device, launch, &fma, REPETITIONS, &seconds);
    }
    *flops = flops_in(device, seconds);
    evn_buffer_destroy(&buffer);
    return status;
}
