// SPDX-License-Identifier: Apache-2.0
// The process that compiles for another one (host/forecast.h).
#include "host/affinity.h"
#include "host/forecast.h"
#include "host/job.h"

#include <stdlib.h>
#include <string.h>

/// Kernels read nothing behind it: all their numbers are 0.
enum { MEMORY_BYTES = 1 << 20, SOCKET = 0 };

typedef struct compiler {
    evn_device *device;
    evn_buffer *memory; ///< all zero, every kernel's every buffer
} compiler;

/// To the end of those of the device, which frees them.
static evn_status keep(compiler *c, evn__build *build) {
    evn_device *device = c->device;
    evn_status status =
        EVN_RESERVE(device->builds, device->build_capacity, device->build_count + 1);
    if (status != EVN_OK) {
        evn__build_free(device, build);
        return status;
    }
    device->builds[device->build_count++] = build;
    build->name = strdup("(sent)");
    EVN_CHECK(build->name, EVN_ERR_MEMORY, "no memory for a program's name");
    return EVN_OK;
}

/// All numbers are 0: kernels look at their bounds, so that nothing is done.
static evn_status launch(compiler *c, const evn__job *job, evn__build *build) {
    evn__argument arguments[EVN__JOB_ARGUMENTS] = {0};
    evn__range range = {.dimensions = job->dimensions};
    evn__kernel kernel = {.device = c->device,
                          .name = (char *)job->kernel,
                          .own_name = (char *)job->kernel,
                          .build = build,
                          .fp64 = job->fp64};
    for (int i = 0; i < job->count; ++i) {
        arguments[i] = (evn__argument){.kind = job->kinds[i], .buffer = c->memory};
    }
    for (int i = 0; i < 3; ++i) {
        range.local[i] = job->local[i];
        range.global[i] = job->local[i] > 0 ? job->local[i] : 1;
    }
    evn_status status = evn__kernel_launch(&kernel, arguments, job->count, range);
    if (status == EVN_OK) {
        status = evn_device_finish(c->device);
    }
    if (kernel.kernel) {
        EVN__TIMED(c->device, "releasing a kernel (clReleaseKernel)",
                   clReleaseKernel(kernel.kernel));
    }
    free(kernel.last);
    return status;
}

/// A failure is not said: whoever asked finds nothing, and fails by itself.
static void work(compiler *c, const evn__job *job) {
    evn_device *device = c->device;
    evn__build *build = job->build < device->build_count ? device->builds[job->build] : NULL;
    if (build && evn__build_make(device, build) == EVN_OK && job->kernel[0] &&
        device->quirks.compiles_at_launch) {
        launch(c, job, build);
    }
}

static evn_status serve(compiler *c) {
    evn__job job;
    evn__build *build;
    EVN_TRY(evn_buffer_create(c->device, MEMORY_BYTES, &c->memory));
    EVN_TRY(evn_buffer_zero(c->memory, 0, MEMORY_BYTES));
    while (evn__job_receive(SOCKET, &job, &build)) {
        if (build) {
            EVN_TRY(keep(c, build));
        }
        work(c, &job);
        if (!evn__job_answer(SOCKET)) {
            break;
        }
    }
    return EVN_OK;
}

evn_status evn__compiler_serve(const char *selector) {
    compiler c = {0};
    evn__affinity_release();
    EVN_TRY(evn_device_open(selector, &c.device));
    evn_status status = serve(&c);
    evn_buffer_destroy(&c.memory);
    evn_device_close(&c.device);
    return status;
}
