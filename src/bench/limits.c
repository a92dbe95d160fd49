// SPDX-License-Identifier: Apache-2.0
// Rows that are limits of the device: arithmetic, memory, and what the host pays for a launch, a
// wait and a copy. What other rows reach is given as a share of the first two.
#include "bench/rows.h"

#include "host/kernel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Independent chains of multiply-adds in registers; a triad over memory beyond the caches; nothing.
static const char source_text[] =
    "#ifdef HALF\n"
    "#pragma OPENCL EXTENSION cl_khr_fp16 : enable\n"
    "#endif\n"
    "#define CHAINS 12\n"
    "#define PASTE_(a, b) a##b\n"
    "#define PASTE(a, b)  PASTE_(a, b)\n"
    "typedef PASTE(ELEMENT, COUNT) elements;\n"
    "__kernel void bench_multiply_add(OUTPUT(y), const int rounds) {\n"
    "    OUTPUT_OF(y);\n"
    "    const size_t item = get_global_id(0);\n"
    "    elements sum[CHAINS];\n"
    "    const elements a = (elements)((ELEMENT)0.999f);\n"
    "    const elements b = (elements)((ELEMENT)0.001f * (ELEMENT)(item & 63));\n"
    "    _Pragma(\"unroll\") for (int c = 0; c < CHAINS; c++) {\n"
    "        sum[c] = b + (elements)((ELEMENT)c);\n"
    "    }\n"
    "    for (int i = 0; i < rounds; i++) {\n"
    "        _Pragma(\"unroll\") for (int c = 0; c < CHAINS; c++) {\n"
    "            sum[c] = MULTIPLY_ADD(sum[c], a, b);\n"
    "        }\n"
    "    }\n"
    "    elements total = sum[0];\n"
    "    _Pragma(\"unroll\") for (int c = 1; c < CHAINS; c++) { total += sum[c]; }\n"
    "    PASTE(vstore, COUNT)(total, item, (__global ELEMENT *)y);\n"
    "}\n"
    "__kernel void bench_triad(INPUT(a), INPUT(b), OUTPUT(y), const int run) {\n"
    "    INPUT_OF(a);\n"
    "    INPUT_OF(b);\n"
    "    OUTPUT_OF(y);\n"
    "    const long first = (long)get_global_id(0) * run;\n"
    "    for (int i = 0; i < run; i++) {\n"
    "        y[first + i] = a[first + i] + R(3.0) * b[first + i];\n"
    "    }\n"
    "}\n"
    "__kernel void bench_nothing(OUTPUT(y), const int write) {\n"
    "    OUTPUT_OF(y);\n"
    "    if (write) { y[get_global_id(0)] = R(0.0); }\n"
    "}\n";

enum {
    CHAINS = 12,
    FEW_ROUNDS = 64,
    ROUNDS = 2048,
    CPU_ITEMS = 4096,
    UNIT_ITEMS = 1024,
    GROUP = 64,
    RUN = 4096
};
static const size_t COPY_BYTES = (size_t)16 << 20;

/// A kernel with its memory, or a copy with what it copies.
typedef struct limit {
    evn_device *device;
    evn_buffer *buffer;
    evn__kernel *kernel;
    evn__argument arguments[4];
    int count;
    evn__range range;
    void *host; ///< [COPY_BYTES]
} limit;

static void destroy(void *user) {
    limit *l = user;
    evn_buffer_destroy(&l->buffer);
    free(l->host);
    free(l);
}

static evn_status create(evn_device *device, size_t bytes, evn__bench_work *work,
                         evn__bench_job *job, limit **made) {
    EVN_TRY(EVN_NEW(made, 1));
    (*made)->device = device;
    *job = (evn__bench_job){.work = work, .user = *made, .destroy = destroy};
    EVN_TRY(evn_buffer_create(device, bytes, &(*made)->buffer));
    return evn_buffer_zero((*made)->buffer, 0, bytes);
}

static evn_status launch(void *user) {
    const limit *l = user;
    return evn__kernel_launch(l->kernel, l->arguments, l->count, l->range);
}

static evn_status launch_and_wait(void *user) {
    const limit *l = user;
    EVN_TRY(launch(user));
    return evn_device_finish(l->device);
}

static evn_status write_bytes(void *user) {
    const limit *l = user;
    return evn_buffer_write(l->buffer, 0, COPY_BYTES, l->host);
}

static evn_status read_bytes(void *user) {
    const limit *l = user;
    return evn_buffer_read(l->buffer, 0, COPY_BYTES, l->host);
}

static evn_status get_kernel(limit *l, const char *name, const char *options, bool fp64) {
    evn__source source = {.text = source_text, .options = options, .fp64 = fp64};
    return evn__kernel_get(l->device, &source, name, &l->kernel);
}

static evn__argument part(evn_buffer *buffer, size_t offset) {
    return (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = buffer, .offset = offset};
}

static evn__argument integer(int64_t value) {
    return (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = value};
}

static bool is_cpu(evn_device *device) {
    return evn_device_get_info(device)->type == EVN_DEVICE_CPU;
}

/// How work is spread: few work-items in groups of their own, on a CPU; many that fill groups,
/// elsewhere. Which is faster is measured: a driver that runs a group in the lanes of a CPU's
/// vectors wants the second.
typedef struct shape {
    evn__range range;
    int64_t number; ///< the kernel's int
    double work;    ///< what is done by it, in any unit
} shape;

static void set_shape(limit *l, const shape *s) {
    l->range = s->range;
    l->arguments[l->count - 1] = integer(s->number);
}

/// Set the faster of two shapes; *seconds of one launch of it.
static evn_status choose_shape(limit *l, const shape shapes[2], const shape **chosen,
                               double *seconds) {
    double times[2];
    for (int i = 0; i < 2; ++i) {
        set_shape(l, &shapes[i]);
        EVN_TRY(evn__bench_repeat(l->device, launch, l, 1, &times[i])); // compiles
        for (int k = 0; k < 3; ++k) {
            double again;
            EVN_TRY(evn__bench_repeat(l->device, launch, l, 1, &again));
            times[i] = k == 0 ? again : fmin(times[i], again);
        }
    }
    int best = times[1] / shapes[1].work < times[0] / shapes[0].work;
    *seconds = times[best];
    *chosen = &shapes[best];
    set_shape(l, *chosen);
    return EVN_OK;
}

// Arithmetic --------------------------------------------------------------------------------------

/// Elements of a vector: a register of a CPU; elsewhere four, for their independence.
static int vector_count(evn_device *device, int bytes) {
    int count = is_cpu(device) ? evn_device_get_info(device)->vector_width * 4 / bytes : 4;
    return count >= 16 ? 16 : count >= 8 ? 8 : count >= 4 ? 4 : 2;
}

/// Precisions by the bytes of an element.
static const struct precision {
    int bytes;
    const char *element, *options;
} precisions[] = {{2, "half", " -DHALF"}, {4, "float", ""}, {8, "double", ""}};

static const struct precision *precision_of(int bytes) {
    return &precisions[bytes == 2 ? 0 : bytes == 4 ? 1 : 2];
}

static evn_status check_precision(evn_device *device, int bytes) {
    const evn_device_info *info = evn_device_get_info(device);
    bool has = bytes == 2 ? info->has_fp16 : bytes == 8 ? info->has_fp64 : true;
    EVN_CHECK(has, EVN_ERR_ARGUMENT, "the device does not compute in fp%d", 8 * bytes);
    return EVN_OK;
}

/// Rounds, a power of two, that take some milliseconds when FEW_ROUNDS take `seconds`.
static int64_t choose_rounds(double seconds) {
    static const double LAUNCH_SECONDS = 0.005;
    int64_t rounds = FEW_ROUNDS;
    while (rounds < ROUNDS && seconds * (double)rounds / FEW_ROUNDS < LAUNCH_SECONDS) {
        rounds *= 2;
    }
    return rounds;
}

/// The same chains in one way.
typedef struct candidate {
    evn__kernel *kernel;
    const shape *shape;
    double seconds; ///< of FEW_ROUNDS
} candidate;

static double rate(const candidate *c) {
    return c->shape->work / c->seconds;
}

/// fma is software where the device has none (llvmpipe); mad is two instructions on PoCL 3.1 with
/// Intel's AVX-512, which has fma.
static const char *const multiply_adds[] = {"mad", "fma"};

evn_status evn__bench_arithmetic(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_arithmetic_options *o = options;
    const struct precision *precision = precision_of(o->bytes);
    size_t units = (size_t)evn_device_get_info(device)->compute_units;
    const shape shapes[] = {
        {{1, {CPU_ITEMS}, {1}}, FEW_ROUNDS, CPU_ITEMS},
        {{1, {units * UNIT_ITEMS}, {GROUP}}, FEW_ROUNDS, (double)(units * UNIT_ITEMS)}};
    int count = vector_count(device, o->bytes);
    size_t items = units * UNIT_ITEMS > CPU_ITEMS ? units * UNIT_ITEMS : CPU_ITEMS;
    candidate best = {0};
    limit *l = NULL;
    EVN_TRY(check_precision(device, o->bytes));
    EVN_TRY(create(device, items * (size_t)(count * o->bytes), launch, job, &l));
    l->arguments[0] = part(l->buffer, 0);
    l->count = 2;
    for (size_t i = 0; i < sizeof(multiply_adds) / sizeof(*multiply_adds); ++i) {
        candidate c;
        char defines[96];
        snprintf(defines, sizeof(defines), "-DMULTIPLY_ADD=%s -DELEMENT=%s -DCOUNT=%d%s",
                 multiply_adds[i], precision->element, count, precision->options);
        EVN_TRY(get_kernel(l, "bench_multiply_add", defines, o->bytes == 8));
        EVN_TRY(choose_shape(l, shapes, &c.shape, &c.seconds));
        c.kernel = l->kernel;
        best = i == 0 || rate(&c) > rate(&best) ? c : best;
    }
    l->kernel = best.kernel;
    set_shape(l, best.shape);
    int64_t rounds = choose_rounds(best.seconds);
    l->arguments[1] = integer(rounds);
    job->flops = 2.0 * best.shape->work * (double)rounds * CHAINS * count;
    return EVN_OK;
}

// Memory ------------------------------------------------------------------------------------------

static const char SINGLE[] = "-DMULTIPLY_ADD=mad -DELEMENT=float -DCOUNT=4";

/// Elements of each of the three arrays, all in one buffer.
static size_t triad_elements(evn_device *device) {
    size_t elements = (size_t)1 << 24;
    while (3 * elements * sizeof(float) > evn_device_get_info(device)->max_allocation_bytes &&
           elements > RUN) {
        elements /= 2;
    }
    return elements;
}

evn_status evn__bench_memory(evn_device *device, const void *options, evn__bench_job *job) {
    (void)options;
    size_t elements = triad_elements(device);
    const shape shapes[] = {{{1, {elements / RUN}, {1}}, RUN, 1}, {{1, {elements}, {GROUP}}, 1, 1}};
    const shape *unused;
    double seconds;
    limit *l = NULL;
    EVN_TRY(create(device, 3 * elements * sizeof(float), launch, job, &l));
    EVN_TRY(get_kernel(l, "bench_triad", SINGLE, false));
    for (size_t i = 0; i < 3; ++i) {
        l->arguments[i] = part(l->buffer, i * elements);
    }
    l->count = 4;
    job->bytes = 3.0 * (double)elements * sizeof(float);
    return choose_shape(l, shapes, &unused, &seconds);
}

// The host ----------------------------------------------------------------------------------------

evn_status evn__bench_launch(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_launch_options *o = options;
    limit *l = NULL;
    EVN_TRY(create(device, sizeof(float), o->wait ? launch_and_wait : launch, job, &l));
    EVN_TRY(get_kernel(l, "bench_nothing", SINGLE, false));
    l->arguments[0] = part(l->buffer, 0);
    l->arguments[1] = integer(0);
    l->count = 2;
    l->range = (evn__range){1, {1}, {1}};
    return EVN_OK;
}

evn_status evn__bench_copy(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_copy_options *o = options;
    limit *l = NULL;
    EVN_TRY(create(device, COPY_BYTES, o->read ? read_bytes : write_bytes, job, &l));
    EVN_TRY(evn__new(&l->host, COPY_BYTES, 1));
    memset(l->host, 1, COPY_BYTES);
    job->bytes = (double)COPY_BYTES;
    return EVN_OK;
}

// Both limits -------------------------------------------------------------------------------------

static evn_status best_of(evn_device *device, const char *key, double *flops, double *bytes) {
    static const evn__bench_sampling sampling = {
        .count = 9, .sample_seconds = 0.02, .row_seconds = 10};
    evn__bench_job job;
    evn__bench_time time;
    EVN_TRY(evn__bench_job_create(device, evn__bench_row_find(key), &job));
    evn_status status = evn__bench_warm_up(device, &job, &sampling, &time.repetitions);
    if (status == EVN_OK) {
        status = evn__bench_measure(device, &job, &sampling, &time);
    }
    *flops = job.flops / time.best;
    *bytes = job.bytes / time.best;
    evn__bench_job_destroy(&job);
    return status;
}

evn_status evn__bench_limits_measure(evn_device *device, evn__bench_limits *limits) {
    double unused;
    EVN_TRY(best_of(device, EVN__BENCH_ARITHMETIC_KEY, &limits->flops, &unused));
    return best_of(device, EVN__BENCH_MEMORY_KEY, &unused, &limits->bytes);
}

double evn__bench_fraction(const evn__bench_limits *limits, double flops, double bytes,
                           double seconds) {
    double larger = fmax(flops / seconds / limits->flops, bytes / seconds / limits->bytes);
    return larger > 0 ? larger : NAN;
}

evn_status evn__bench_speed_measure(evn_device *device, double *flops) {
    enum { WARM_UP = 2, REPETITIONS = 5 };
    evn__bench_job job;
    double seconds = NAN;
    const evn__bench_row *row = evn__bench_row_find(EVN__BENCH_ARITHMETIC_KEY);
    EVN_TRY(evn__bench_job_create(device, row, &job));
    evn_status status = evn__bench_repeat(device, job.work, job.user, WARM_UP, &seconds);
    if (status == EVN_OK) {
        status = evn__bench_repeat(device, job.work, job.user, REPETITIONS, &seconds);
    }
    *flops = job.flops / seconds;
    evn__bench_job_destroy(&job);
    return status;
}
