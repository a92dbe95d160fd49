// SPDX-License-Identifier: Apache-2.0
#include "host/batch.h"
#include "base/cache_folder.h"
#include "base/clock.h"
#include "base/files.h"
#include "host/helpers.h"

#include <stdlib.h>
#include <string.h>

/// An implementation that finds a program in its cache needs some milliseconds for it, one that
/// compiles it more than this (seconds of processor time; docs/performance/lab.md).
static const double COLD = 0.04;

/// Fewer jobs are compiled before other processes would have begun.
enum { FEW_JOBS = 12 };

typedef struct evn__batch {
    int depth;                     ///< of batches within batches
    int first_build, first_kernel; ///< of the device's
    evn__job *jobs;
    evn__build **builds; ///< of each job
    int count, capacity, build_capacity;
} evn__batch;

// Collect -----------------------------------------------------------------------------------------

evn_status evn__batch_begin(evn_device *device) {
    if (device->batch) {
        device->batch->depth++;
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&device->batch, 1));
    device->batch->first_build = device->build_count;
    device->batch->first_kernel = device->kernel_count;
    return EVN_OK;
}

static bool is_known(const evn__batch *batch, const evn__job *job, const evn__build *build) {
    for (int i = 0; i < batch->count; ++i) {
        const evn__job *other = &batch->jobs[i];
        if (batch->builds[i] == build && strcmp(other->kernel, job->kernel) == 0 &&
            memcmp(other->local, job->local, sizeof(job->local)) == 0) {
            return true;
        }
    }
    return false;
}

static evn_status add_job(evn__batch *batch, const evn__job *job, evn__build *build) {
    if (is_known(batch, job, build)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_RESERVE(batch->jobs, batch->capacity, batch->count + 1));
    EVN_TRY(EVN_RESERVE(batch->builds, batch->build_capacity, batch->count + 1));
    batch->jobs[batch->count] = *job;
    batch->builds[batch->count++] = build;
    return EVN_OK;
}

evn_status evn__batch_expect(evn__kernel *kernel, const evn__argument_kind *kinds, int count,
                             const evn__range *range) {
    evn__batch *batch = kernel->device->batch;
    evn__job job = {.fp64 = kernel->fp64, .count = count, .dimensions = range->dimensions};
    if (evn__device_is_counting(kernel->device)) { // one kernel without a name stands for all
        return EVN_OK;
    }
    bool fits = !kernel->blast && count <= EVN__JOB_ARGUMENTS &&
                kernel->own_name && // a rehearsal's has none
                strlen(kernel->own_name) < sizeof(job.kernel);
    if (!batch || kernel->kernel || !fits) {
        return EVN_OK;
    }
    memcpy(job.kernel, kernel->own_name, strlen(kernel->own_name) + 1);
    for (int i = 0; i < count; ++i) {
        job.kinds[i] = (unsigned char)kinds[i];
    }
    for (int i = 0; i < 3; ++i) {
        job.local[i] = i < range->dimensions ? range->local[i] : 1;
    }
    return add_job(batch, &job, kernel->build);
}

/// Programs of kernels whose launches nobody announced.
static evn_status add_builds(evn_device *device) {
    evn__batch *batch = device->batch;
    for (int i = batch->first_build; i < device->build_count; ++i) {
        bool known = false;
        for (int j = 0; j < batch->count && !known; ++j) {
            known = batch->builds[j] == device->builds[i];
        }
        if (!known) {
            EVN_TRY(add_job(batch, &(evn__job){0}, device->builds[i]));
        }
    }
    return EVN_OK;
}

// Compile -----------------------------------------------------------------------------------------

/// Of everything that decides what is in the implementation's cache or ours: an empty file of that
/// name says that these programs have been compiled. It may be wrong, either way: then time tells.
static evn_status write_mark(const evn_device *device, evn__text *path) {
    static const char *const places[] = {"POCL_CACHE_DIR", "CUDA_CACHE_PATH", "XDG_CACHE_HOME"};
    evn__text key = {0};
    char name[EVN__HASH_TEXT];
    const evn_device_info *info = &device->info;
    evn__text_append(&key, "%s\n%s\n%s\n%s\n", info->platform_name, info->platform_version,
                     info->name, info->driver);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); ++i) {
        const char *place = getenv(places[i]);
        evn__text_append(&key, "%s\n", place ? place : "");
    }
    for (int i = device->batch->first_build; i < device->build_count; ++i) {
        const evn__build *build = device->builds[i];
        evn__text_append(&key, "%s\n%s\n", build->options.data, build->text.data);
    }
    if (key.status == EVN_OK) {
        evn__hash_print(evn__hash_of(key.data, key.size), name);
        evn__cache_folder(path, "/cl-cache");
        if (path->size > 0) {
            evn__text_append(path, "/%s.compiled", name);
        }
    }
    free(key.data);
    return key.status == EVN_OK ? path->status : key.status;
}

/// A failure is ignored: the next start looks at the time again.
static void leave_mark(const evn__text *path) {
    evn__text folder = {0};
    evn__cache_folder(&folder, "/cl-cache");
    if (path->size > 0 && folder.status == EVN_OK && folder.size > 0 &&
        evn__folder_make(folder.data, 0700) == EVN_OK) {
        evn__file_write(path->data, "", 0);
    }
    free(folder.data);
    evn__error_clear();
}

static void compile_beside(evn_device *device, bool *alone) {
    evn__batch *batch = device->batch;
    evn__helpers_compile(device, batch->jobs, batch->builds, batch->count);
    *alone = true;
}

/// One after the other, until one takes so long that it must have been compiled.
static evn_status make_builds(evn_device *device, bool *alone) {
    for (int i = device->batch->first_build; i < device->build_count; ++i) {
        double begin = evn__processor_seconds();
        EVN_TRY(evn__build_make(device, device->builds[i]));
        if (!*alone && evn__processor_seconds() - begin > COLD) {
            compile_beside(device, alone);
        }
    }
    return EVN_OK;
}

/// Which are new is known beforehand, by a mark, or by the time.
static evn_status make_marked(evn_device *device, const evn__text *mark) {
    bool alone = !device->compiler || device->batch->count < FEW_JOBS;
    bool marked = mark->size > 0 && evn__is_regular_file(mark->data);
    if (!alone && mark->size > 0 && !marked) {
        compile_beside(device, &alone);
    }
    EVN_TRY(make_builds(device, &alone));
    if (mark->size > 0 && !marked) {
        leave_mark(mark);
    }
    return EVN_OK;
}

static evn_status make_all(evn_device *device) {
    evn__text mark = {0};
    EVN_TRY(add_builds(device));
    evn_status status = device->compiler ? write_mark(device, &mark) : EVN_OK;
    if (status == EVN_OK) {
        status = make_marked(device, &mark);
    }
    free(mark.data);
    EVN_TRY(status);
    for (int i = device->batch->first_kernel; i < device->kernel_count; ++i) {
        EVN_TRY(evn__kernel_make(device->kernels[i]));
    }
    return EVN_OK;
}

evn_status evn__batch_end(evn_device *device, bool compile) {
    evn__batch *batch = device->batch;
    if (!batch) {
        return EVN_OK;
    }
    if (batch->depth > 0) {
        batch->depth--;
        return EVN_OK;
    }
    evn_status status = compile ? make_all(device) : EVN_OK;
    device->batch = NULL;
    free(batch->jobs);
    free(batch->builds);
    free(batch);
    return status;
}

evn_status evn__device_set_compiler(evn_device *device, const char *program, double seconds) {
    free(device->compiler);
    device->compiler_seconds = seconds;
    device->compiler = strdup(program);
    EVN_CHECK(device->compiler, EVN_ERR_MEMORY, "no memory for the path of a program");
    return EVN_OK;
}
