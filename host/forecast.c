// SPDX-License-Identifier: Apache-2.0
#include "host/forecast.h"
#include "base/cache_folder.h"
#include "base/clock.h"
#include "base/files.h"
#include "host/compilers.h"

#include <stdlib.h>
#include <string.h>

/// An implementation that finds a program in its cache needs some milliseconds for it, one that
/// compiles it more than this (seconds of processor time; docs/performance/notes.md).
static const double COLD = 0.04;

/// Fewer jobs are compiled before other processes would have begun.
enum { FEW_JOBS = 12 };

typedef struct evn__forecast {
    int first_build; ///< of the device's
    evn__job *jobs;
    evn__build **builds; ///< of each job
    int count, capacity, build_capacity;
} evn__forecast;

// Collect -----------------------------------------------------------------------------------------

evn_status evn__forecast_begin(evn_device *device) {
    EVN_CHECK(!device->forecast, EVN_ERR_INTERNAL, "a forecast within another");
    EVN_TRY(EVN_NEW(&device->forecast, 1));
    device->forecast->first_build = device->build_count;
    return EVN_OK;
}

static bool is_known(const evn__forecast *forecast, const evn__job *job, const evn__build *build) {
    for (int i = 0; i < forecast->count; ++i) {
        const evn__job *other = &forecast->jobs[i];
        if (forecast->builds[i] == build && strcmp(other->kernel, job->kernel) == 0 &&
            memcmp(other->local, job->local, sizeof(job->local)) == 0) {
            return true;
        }
    }
    return false;
}

static evn_status add_job(evn__forecast *forecast, const evn__job *job, evn__build *build) {
    if (is_known(forecast, job, build)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_RESERVE(forecast->jobs, forecast->capacity, forecast->count + 1));
    EVN_TRY(EVN_RESERVE(forecast->builds, forecast->build_capacity, forecast->count + 1));
    forecast->jobs[forecast->count] = *job;
    forecast->builds[forecast->count++] = build;
    return EVN_OK;
}

evn_status evn__forecast_add(evn__kernel *kernel, const evn__argument *arguments, int count,
                             const evn__range *range) {
    evn__forecast *forecast = kernel->device->forecast;
    evn__job job = {.fp64 = kernel->fp64, .count = count, .dimensions = range->dimensions};
    bool new = forecast && kernel->own_name && !kernel->kernel;
    if (!new || count > EVN__JOB_ARGUMENTS || strlen(kernel->own_name) >= sizeof(job.kernel)) {
        return EVN_OK;
    }
    memcpy(job.kernel, kernel->own_name, strlen(kernel->own_name) + 1);
    for (int i = 0; i < count; ++i) {
        job.kinds[i] = (unsigned char)arguments[i].kind;
    }
    for (int i = 0; i < 3; ++i) {
        job.local[i] = i < range->dimensions ? range->local[i] : 1;
    }
    return add_job(forecast, &job, kernel->build);
}

size_t evn__forecast_group(const evn_device *device, const evn__kernel *kernel) {
    const evn__forecast *forecast = device->forecast;
    size_t largest = 0;
    for (int i = 0; i < forecast->count; ++i) {
        const evn__job *job = &forecast->jobs[i];
        if (forecast->builds[i] == kernel->build && strcmp(job->kernel, kernel->own_name) == 0) {
            size_t items = job->local[0] * job->local[1] * job->local[2];
            largest = items > largest ? items : largest;
        }
    }
    return largest;
}

/// Programs of kernels whose launches were not seen.
static evn_status add_builds(evn_device *device) {
    evn__forecast *forecast = device->forecast;
    for (int i = forecast->first_build; i < device->build_count; ++i) {
        bool known = false;
        for (int j = 0; j < forecast->count && !known; ++j) {
            known = forecast->builds[j] == device->builds[i];
        }
        if (!known) {
            EVN_TRY(add_job(forecast, &(evn__job){0}, device->builds[i]));
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
    for (int i = device->forecast->first_build; i < device->build_count; ++i) {
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
        evn__file_write_own(path->data, "", 0);
    }
    free(folder.data);
    evn__error_clear();
}

/// Whether the first program has to be compiled, though there is a mark. One that does not compile
/// is its user's to report.
static bool is_cold(evn_device *device) {
    double begin = evn__processor_seconds();
    evn_status status = evn__build_make(device, device->forecast->builds[0]);
    return status == EVN_OK && evn__processor_seconds() - begin > COLD;
}

static void compile_marked(evn_device *device, const evn__text *mark) {
    evn__forecast *forecast = device->forecast;
    bool marked = mark->size > 0 && evn__is_regular_file(mark->data), cold = !marked;
    if (marked || mark->size == 0) {
        cold = is_cold(device);
    }
    if (cold) {
        evn__compilers_run(device, forecast->jobs, forecast->builds, forecast->count);
        leave_mark(mark);
    }
}

static evn_status compile(evn_device *device) {
    evn__text mark = {0};
    EVN_TRY(add_builds(device));
    if (!device->compiler || device->forecast->count < FEW_JOBS) {
        return EVN_OK;
    }
    evn_status status = write_mark(device, &mark);
    if (status == EVN_OK) {
        compile_marked(device, &mark);
    }
    free(mark.data);
    return status;
}

evn_status evn__forecast_end(evn_device *device, bool wanted) {
    evn__forecast *forecast = device->forecast;
    evn_status status = wanted ? compile(device) : EVN_OK;
    device->forecast = NULL;
    free(forecast->jobs);
    free(forecast->builds);
    free(forecast);
    return status;
}

evn_status evn__device_set_compiler(evn_device *device, const char *program, double seconds) {
    free(device->compiler);
    device->compiler_seconds = seconds;
    device->compiler = strdup(program);
    EVN_CHECK(device->compiler, EVN_ERR_MEMORY, "no memory for the path of a program");
    return EVN_OK;
}
