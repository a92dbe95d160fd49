// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/memory.h"
#include "host/blast.h"
#include "host/build.h"
#include "host/forecast.h"
#include "host/part.h"
#include "host/runtime.h"

#include <stdlib.h>
#include <string.h>

// Get ---------------------------------------------------------------------------------------------

/// The most work-items that a group of the kernel may have. One with reqd_work_group_size was
/// compiled for that size, whatever the driver reports (rusticl 22.3 reports 32 for every kernel).
static evn_status ask_group(evn__kernel *kernel) {
    size_t required[3] = {0};
    EVN_CL_CHECK(clGetKernelWorkGroupInfo(kernel->kernel, kernel->device->id,
                                          CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof(required),
                                          required, NULL),
                 "clGetKernelWorkGroupInfo");
    kernel->max_work_group = required[0] * required[1] * required[2];
    if (kernel->max_work_group > 0) {
        return EVN_OK;
    }
    EVN_CL_CHECK(clGetKernelWorkGroupInfo(kernel->kernel, kernel->device->id,
                                          CL_KERNEL_WORK_GROUP_SIZE, sizeof(kernel->max_work_group),
                                          &kernel->max_work_group, NULL),
                 "clGetKernelWorkGroupInfo");
    return EVN_OK;
}

static evn_status ask_kernel(evn__kernel *kernel) {
    cl_uint count;
    EVN_CL_CHECK(clGetKernelInfo(kernel->kernel, CL_KERNEL_NUM_ARGS, sizeof(count), &count, NULL),
                 "clGetKernelInfo");
    EVN_TRY(ask_group(kernel));
    kernel->argument_count = (int)count;
    return EVN_NEW(&kernel->last, kernel->argument_count);
}

static void release_kernel(evn__kernel *kernel) {
    if (kernel->kernel) {
        EVN__TIMED(kernel->device, "releasing a kernel (clReleaseKernel)",
                   clReleaseKernel(kernel->kernel));
        kernel->kernel = NULL;
    }
}

static void free_kernel(evn__kernel *kernel) {
    release_kernel(kernel);
    free(kernel->name);
    free(kernel->own_name);
    free(kernel->last);
    free(kernel);
}

evn_status evn__kernel_make(evn__kernel *kernel) {
    cl_int code;
    if (kernel->kernel || kernel->blast) {
        return EVN_OK;
    }
    EVN_TRY(evn__build_make(kernel->device, kernel->build));
    EVN__TIMED(kernel->device, "making a kernel (clCreateKernel)",
               kernel->kernel = clCreateKernel(kernel->build->program, kernel->own_name, &code));
    EVN_CHECK(code == CL_SUCCESS, evn__cl_status(code), "kernel %s cannot be made: %s (%d); %s",
              kernel->name, evn__cl_name(code), (int)code, evn__cl_advice(code));
    evn_status status;
    EVN__TIMED(kernel->device, "making a kernel (clGetKernelInfo)", status = ask_kernel(kernel));
    if (status != EVN_OK) { // a kernel that is there is one that may be launched
        release_kernel(kernel);
    }
    return status;
}

static evn_status create_kernel(evn__kernel *kernel, const evn__program *program) {
    EVN_CHECK(kernel->name, EVN_ERR_MEMORY, "no memory for the name of a kernel");
    if (kernel->blast) {
        return EVN_OK;
    }
    evn__text own = {0};
    char suffix[EVN__PART_SUFFIX];
    evn__text_append(&own, "%s%s", kernel->name, evn__part_suffix(program->part, suffix));
    EVN_TRY(own.status);
    kernel->own_name = own.data;
    kernel->build = program->build;
    return kernel->device->forecast ? EVN_OK : evn__kernel_make(kernel);
}

static evn__kernel *find_kernel(const evn_device *device, evn__hash program, const char *name) {
    for (int i = 0; i < device->kernel_count; ++i) {
        evn__kernel *kernel = device->kernels[i];
        if (evn__hash_equal(kernel->program, program) && strcmp(kernel->name, name) == 0) {
            return kernel;
        }
    }
    return NULL;
}

evn__kernel *evn__kernel_find(const evn_device *device, const char *name, bool fp64) {
    if (device->counting.on && !device->forecast) {
        return NULL;
    }
    for (int i = 0; i < device->kernel_count; ++i) {
        evn__kernel *kernel = device->kernels[i];
        if (kernel->fp64 == fp64 && strcmp(kernel->name, name) == 0) {
            return kernel;
        }
    }
    return NULL;
}

evn_status evn__kernel_get(evn_device *device, const evn__source *source, const char *name,
                           evn__kernel **kernel) {
    evn__program program = {0};
    if (device->counting.on && !device->forecast) {
        *kernel = &device->counting.kernel;
        return EVN_OK;
    }
    if (source->blast) {
        name = EVN__BLAST_NAME;
        program.key = (evn__hash){source->fp64, 0};
    } else {
        EVN_TRY(evn__program_get(device, source, &program));
    }
    *kernel = find_kernel(device, program.key, name);
    if (*kernel) {
        return device->forecast ? EVN_OK : evn__kernel_make(*kernel);
    }
    EVN_CHECK(!source->blast || EVN__HAS_BLAST, EVN_ERR_BUILD, "evonode was built without CLBlast");
    EVN_TRY(EVN_RESERVE(device->kernels, device->kernel_capacity, device->kernel_count + 1));
    evn__kernel *fresh;
    EVN_TRY(EVN_NEW(&fresh, 1));
    *fresh = (evn__kernel){.device = device,
                           .fp64 = source->fp64,
                           .program = program.key,
                           .blast = source->blast,
                           .name = strdup(name)};
    evn_status status = create_kernel(fresh, &program);
    if (status != EVN_OK) {
        free_kernel(fresh);
        return status;
    }
    device->kernels[device->kernel_count++] = fresh;
    *kernel = fresh;
    return EVN_OK;
}

void evn__kernels_free(evn_device *device) {
    for (int i = 0; i < device->kernel_count; ++i) {
        if (device->kernels[i]->blast) {
            evn__blast_forget();
        }
        free_kernel(device->kernels[i]);
    }
    for (int i = 0; i < device->build_count; ++i) {
        evn__build_free(device, device->builds[i]);
    }
    free(device->kernels);
    free(device->programs);
    free(device->builds);
}

// Launch ------------------------------------------------------------------------------------------

static evn_status fail_argument(const evn__kernel *kernel, int index, cl_int code) {
    EVN_FAIL(evn__cl_status(code), "kernel %s, argument %d: %s (%d)", kernel->name, index,
             evn__cl_name(code), (int)code);
}

/// Set an argument unless it has this value already: most launches repeat nearly all of them.
/// @param identity  unique to the value; 0: unknown, set in any case
static evn_status set(evn__kernel *kernel, int *index, size_t bytes, const void *value,
                      uint64_t identity) {
    EVN_CHECK(*index < kernel->argument_count, EVN_ERR_INTERNAL,
              "kernel %s takes %d arguments, more were given; compare its parameters with the call",
              kernel->name, kernel->argument_count);
    if (identity == 0 || kernel->last[*index] != identity) {
        kernel->last[*index] = 0;
        cl_int code = clSetKernelArg(kernel->kernel, (cl_uint)*index, bytes, value);
        if (code != CL_SUCCESS) {
            return fail_argument(kernel, *index, code);
        }
        kernel->last[*index] = identity;
    }
    ++*index;
    return EVN_OK;
}

/// Its identity is its bits plus one, since 0 means unknown.
static evn_status set_number(evn__kernel *kernel, int *index, size_t bytes, const void *value) {
    uint64_t bits = 0;
    memcpy(&bits, value, bytes);
    return set(kernel, index, bytes, value, bits + 1);
}

static evn_status set_buffer(evn__kernel *kernel, int *index, const evn__argument *argument) {
    EVN_CHECK(argument->buffer, EVN_ERR_INTERNAL, "kernel %s, argument %d: the buffer is NULL",
              kernel->name, *index);
    cl_mem mem = evn_buffer_mem(argument->buffer);
    cl_ulong offset = argument->offset;
    size_t elements = evn_buffer_bytes(argument->buffer) / (kernel->fp64 ? 8 : 4);
    EVN_CHECK(argument->offset <= elements, EVN_ERR_INTERNAL,
              "kernel %s, argument %d: offset %zu in a buffer of %zu elements", kernel->name,
              *index, argument->offset, elements);
    EVN_TRY(set(kernel, index, sizeof(mem), &mem, evn__buffer_serial(argument->buffer)));
    return set_number(kernel, index, sizeof(offset), &offset);
}

static evn_status set_int(evn__kernel *kernel, int *index, int64_t integer) {
    EVN_CHECK(integer >= INT32_MIN && integer <= INT32_MAX, EVN_ERR_INTERNAL,
              "kernel %s, argument %d: %lld does not fit an int", kernel->name, *index,
              (long long)integer);
    cl_int value = (cl_int)integer;
    return set_number(kernel, index, sizeof(value), &value);
}

static evn_status set_real(evn__kernel *kernel, int *index, double real) {
    cl_double wide = real;
    cl_float narrow = (cl_float)real;
    return kernel->fp64 ? set_number(kernel, index, sizeof(wide), &wide)
                        : set_number(kernel, index, sizeof(narrow), &narrow);
}

static evn_status set_argument(evn__kernel *kernel, int *index, const evn__argument *argument) {
    cl_ulong value = (cl_ulong)argument->integer;
    switch (argument->kind) {
    case EVN__ARGUMENT_BUFFER:
        return set_buffer(kernel, index, argument);
    case EVN__ARGUMENT_INT:
        return set_int(kernel, index, argument->integer);
    case EVN__ARGUMENT_REAL:
        return set_real(kernel, index, argument->real);
    case EVN__ARGUMENT_UINT64:
        return set_number(kernel, index, sizeof(value), &value);
    }
    EVN_FAIL(EVN_ERR_INTERNAL, "kernel %s: argument of unknown kind %d", kernel->name,
             (int)argument->kind);
}

/// Halves the longest side of the work-group until the kernel allows it: what a kernel needs in
/// registers may leave it far fewer work-items than its device allows others.
static void fit_group(const evn__kernel *kernel, evn__range *range) {
    size_t *local = range->local;
    while (local[0] * local[1] * local[2] > kernel->max_work_group) {
        int longest = local[1] > local[0] ? 1 : 0;
        longest = local[2] > local[longest] ? 2 : longest;
        local[longest] = (local[longest] + 1) / 2;
    }
}

/// Rounds global up to a multiple of local; false when there is nothing to do.
static bool round_up(evn__range *range) {
    for (int i = 0; i < range->dimensions; ++i) {
        size_t local = range->local[i];
        if (range->global[i] == 0) {
            return false;
        }
        if (local) {
            range->global[i] = (range->global[i] + local - 1) / local * local;
        }
    }
    return true;
}

static evn_status enqueue(const evn__kernel *kernel, const evn__range *range) {
    evn_device *device = kernel->device;
    const size_t *local = range->local[0] ? range->local : NULL;
    cl_int code;
    EVN__TIMED(device, "launching a kernel (clEnqueueNDRangeKernel)",
               code =
                   clEnqueueNDRangeKernel(device->queue, kernel->kernel, (cl_uint)range->dimensions,
                                          NULL, range->global, local, 0, NULL, NULL));
    if (code != CL_SUCCESS) {
        EVN_FAIL(evn__cl_status(code), "launching kernel %s on %s failed: %s (%d)", kernel->name,
                 device->info.name, evn__cl_name(code), (int)code);
    }
    device->stats.launches++;
    return EVN_OK;
}

static evn_status set_arguments(evn__kernel *kernel, const evn__argument *arguments, int count) {
    int index = 0;
    for (int i = 0; i < count; ++i) {
        EVN_TRY(set_argument(kernel, &index, &arguments[i]));
    }
    EVN_CHECK(index == kernel->argument_count, EVN_ERR_INTERNAL,
              "kernel %s takes %d arguments, %d were given; compare its parameters with the call",
              kernel->name, kernel->argument_count, index);
    return EVN_OK;
}

static evn_status launch(evn__kernel *kernel, const evn__argument *arguments, int count,
                         evn__range range) {
    if (kernel->blast) {
        return evn__blast_launch(kernel, arguments, count);
    }
    EVN_CHECK(range.dimensions >= 1 && range.dimensions <= 3, EVN_ERR_INTERNAL,
              "kernel %s: an index space of %d dimensions", kernel->name, range.dimensions);
    for (int i = range.dimensions; i < 3; ++i) {
        range.local[i] = 1;
    }
    fit_group(kernel, &range);
    if (!round_up(&range)) {
        return EVN_OK;
    }
    evn_status status;
    EVN__TIMED(kernel->device, "launching a kernel (clSetKernelArg)",
               status = set_arguments(kernel, arguments, count));
    EVN_TRY(status);
    return enqueue(kernel, &range);
}

static evn_status launch_timed(evn__kernel *kernel, const evn__argument *arguments, int count,
                               evn__range range) {
    EVN_TRY(evn_device_finish(kernel->device));
    double begun = evn__now();
    EVN_TRY(launch(kernel, arguments, count, range));
    EVN_TRY(evn_device_finish(kernel->device));
    evn__longest_add(kernel->device, kernel->name, evn__now() - begun);
    return EVN_OK;
}

evn_status evn__kernel_launch(evn__kernel *kernel, const evn__argument *arguments, int count,
                              evn__range range) {
    if (kernel->device->counting.on) {
        kernel->device->stats.launches += round_up(&range);
        return evn__forecast_add(kernel, arguments, count, &range);
    }
    EVN_TRY(evn__device_allows(kernel->device, kernel->name));
    EVN_TRY(kernel->blast ? EVN_OK : evn__kernel_make(kernel));
    return evn__timing_takes(kernel) ? launch_timed(kernel, arguments, count, range)
                                     : launch(kernel, arguments, count, range);
}
