// SPDX-License-Identifier: Apache-2.0
// Counts objects, copies, launches and waits of the process, and says at its end what is left.
#include "layer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *path;
    cl_icd_dispatch below;
} use;

static struct {
#define ROW(name) atomic_llong name;
#include "count.def"
#undef ROW
} counts;

// Objects -----------------------------------------------------------------------------------------

#define RETAIN_RELEASE(kind, object, type)                                                         \
    static cl_int CL_API_CALL retain_##kind(type it) {                                             \
        cl_int code = use.below.clRetain##object(it);                                              \
        counts.kind##_left += code == CL_SUCCESS;                                                  \
        return code;                                                                               \
    }                                                                                              \
    static cl_int CL_API_CALL release_##kind(type it) {                                            \
        cl_int code = use.below.clRelease##object(it);                                             \
        counts.kind##_left -= code == CL_SUCCESS;                                                  \
        return code;                                                                               \
    }
RETAIN_RELEASE(contexts, Context, cl_context)
RETAIN_RELEASE(queues, CommandQueue, cl_command_queue)
RETAIN_RELEASE(buffers, MemObject, cl_mem)
RETAIN_RELEASE(programs, Program, cl_program)
RETAIN_RELEASE(kernels, Kernel, cl_kernel)
RETAIN_RELEASE(events, Event, cl_event)

#define ENTER(kind, it)                                                                            \
    do {                                                                                           \
        counts.kind##_made += (it) != NULL;                                                        \
        counts.kind##_left += (it) != NULL;                                                        \
    } while (0)

static cl_context CL_API_CALL create_context(const cl_context_properties *properties, cl_uint count,
                                             const cl_device_id *devices,
                                             void(CL_CALLBACK *notify)(const char *, const void *,
                                                                       size_t, void *),
                                             void *user, cl_int *code) {
    cl_context it = use.below.clCreateContext(properties, count, devices, notify, user, code);
    ENTER(contexts, it);
    return it;
}

static cl_command_queue CL_API_CALL create_queue(cl_context context, cl_device_id device,
                                                 cl_command_queue_properties properties,
                                                 cl_int *code) {
    cl_command_queue it = use.below.clCreateCommandQueue(context, device, properties, code);
    ENTER(queues, it);
    return it;
}

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t size,
                                        void *host, cl_int *code) {
    cl_mem it = use.below.clCreateBuffer(context, flags, size, host, code);
    ENTER(buffers, it);
    if (it && (flags & CL_MEM_COPY_HOST_PTR)) {
        counts.writes++;
        counts.bytes_written += (long long)size;
    }
    return it;
}

static cl_mem CL_API_CALL create_sub_buffer(cl_mem buffer, cl_mem_flags flags,
                                            cl_buffer_create_type type, const void *info,
                                            cl_int *code) {
    cl_mem it = use.below.clCreateSubBuffer(buffer, flags, type, info, code);
    ENTER(buffers, it);
    return it;
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count, const char **texts,
                                             const size_t *lengths, cl_int *code) {
    cl_program it = use.below.clCreateProgramWithSource(context, count, texts, lengths, code);
    ENTER(programs, it);
    return it;
}

static cl_program CL_API_CALL load_program(cl_context context, cl_uint count,
                                           const cl_device_id *devices, const size_t *lengths,
                                           const unsigned char **binaries, cl_int *states,
                                           cl_int *code) {
    cl_program it = use.below.clCreateProgramWithBinary(context, count, devices, lengths, binaries,
                                                        states, code);
    ENTER(programs, it);
    return it;
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *code) {
    cl_kernel it = use.below.clCreateKernel(program, name, code);
    ENTER(kernels, it);
    return it;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count,
                                        const cl_device_id *devices, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
    counts.builds++;
    return use.below.clBuildProgram(program, count, devices, options, notify, user);
}

// Commands ----------------------------------------------------------------------------------------

/// An enqueue's code, once what it made and moved is counted.
#define DONE(code, event, number, bytes, size)                                                     \
    do {                                                                                           \
        if ((code) == CL_SUCCESS) {                                                                \
            counts.number++;                                                                       \
            counts.bytes += (long long)(size);                                                     \
            if (event) {                                                                           \
                ENTER(events, *(event));                                                           \
            }                                                                                      \
        }                                                                                          \
        return code;                                                                               \
    } while (0)

static cl_int CL_API_CALL write_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                       size_t offset, size_t size, const void *data, cl_uint count,
                                       const cl_event *events, cl_event *event) {
    counts.waits += blocking != CL_FALSE;
    cl_int code = use.below.clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, data, count,
                                                 events, event);
    DONE(code, event, writes, bytes_written, size);
}

static cl_int CL_API_CALL read_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                      size_t offset, size_t size, void *data, cl_uint count,
                                      const cl_event *events, cl_event *event) {
    counts.waits += blocking != CL_FALSE;
    cl_int code = use.below.clEnqueueReadBuffer(queue, buffer, blocking, offset, size, data, count,
                                                events, event);
    DONE(code, event, reads, bytes_read, size);
}

static cl_int CL_API_CALL copy_buffer(cl_command_queue queue, cl_mem source, cl_mem target,
                                      size_t source_offset, size_t target_offset, size_t size,
                                      cl_uint count, const cl_event *events, cl_event *event) {
    cl_int code = use.below.clEnqueueCopyBuffer(queue, source, target, source_offset, target_offset,
                                                size, count, events, event);
    DONE(code, event, copies, bytes_copied, size);
}

static cl_int CL_API_CALL fill_buffer(cl_command_queue queue, cl_mem buffer, const void *pattern,
                                      size_t pattern_size, size_t offset, size_t size,
                                      cl_uint count, const cl_event *events, cl_event *event) {
    cl_int code = use.below.clEnqueueFillBuffer(queue, buffer, pattern, pattern_size, offset, size,
                                                count, events, event);
    DONE(code, event, fills, bytes_filled, size);
}

static void *CL_API_CALL map_buffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                    cl_map_flags flags, size_t offset, size_t size, cl_uint count,
                                    const cl_event *events, cl_event *event, cl_int *code) {
    counts.waits += blocking != CL_FALSE;
    void *data = use.below.clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size, count,
                                              events, event, code);
    if (data) {
        counts.maps++;
        counts.bytes_mapped += (long long)size;
    }
    if (data && event) {
        ENTER(events, *event);
    }
    return data;
}

static cl_int CL_API_CALL unmap_buffer(cl_command_queue queue, cl_mem buffer, void *data,
                                       cl_uint count, const cl_event *events, cl_event *event) {
    cl_int code = use.below.clEnqueueUnmapMemObject(queue, buffer, data, count, events, event);
    if (code == CL_SUCCESS && event) {
        ENTER(events, *event);
    }
    return code;
}

static cl_int CL_API_CALL launch(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                 const size_t *offset, const size_t *global, const size_t *local,
                                 cl_uint count, const cl_event *events, cl_event *event) {
    cl_int code = use.below.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local,
                                                   count, events, event);
    counts.launches += code == CL_SUCCESS;
    if (code == CL_SUCCESS && event) {
        ENTER(events, *event);
    }
    return code;
}

static cl_int CL_API_CALL mark(cl_command_queue queue, cl_uint count, const cl_event *events,
                               cl_event *event) {
    cl_int code = use.below.clEnqueueMarkerWithWaitList(queue, count, events, event);
    if (code == CL_SUCCESS && event) {
        ENTER(events, *event);
    }
    return code;
}

static cl_int CL_API_CALL finish(cl_command_queue queue) {
    counts.waits++;
    return use.below.clFinish(queue);
}

static cl_int CL_API_CALL wait_for_events(cl_uint count, const cl_event *events) {
    counts.waits++;
    return use.below.clWaitForEvents(count, events);
}

// Summary -----------------------------------------------------------------------------------------

/// Processes append: a program may start others.
__attribute__((destructor)) static void summarise(void) {
    if (!use.path) {
        return;
    }
    FILE *out = strcmp(use.path, "-") == 0 ? stderr : fopen(use.path, "a");
    if (!out) {
        layer_fail("EVN_LAYER_COUNT: %s cannot be written: %s", use.path, strerror(errno));
    }
    fprintf(out, "process %ld\n", (long)getpid());
#define ROW(name) fprintf(out, "%s %lld\n", #name, (long long)counts.name);
#include "count.def"
#undef ROW
    if (out != stderr) {
        fclose(out);
    }
}

static void count_objects(cl_icd_dispatch *table) {
    table->clCreateContext = create_context;
    table->clCreateCommandQueue = create_queue;
    table->clCreateBuffer = create_buffer;
    table->clCreateSubBuffer = create_sub_buffer;
    table->clCreateProgramWithSource = create_program;
    table->clCreateProgramWithBinary = load_program;
    table->clCreateKernel = create_kernel;
    table->clRetainContext = retain_contexts;
    table->clReleaseContext = release_contexts;
    table->clRetainCommandQueue = retain_queues;
    table->clReleaseCommandQueue = release_queues;
    table->clRetainMemObject = retain_buffers;
    table->clReleaseMemObject = release_buffers;
    table->clRetainProgram = retain_programs;
    table->clReleaseProgram = release_programs;
    table->clRetainKernel = retain_kernels;
    table->clReleaseKernel = release_kernels;
    table->clRetainEvent = retain_events;
    table->clReleaseEvent = release_events;
}

void layer_count_begin(const char *path, cl_icd_dispatch *table) {
    use.path = path;
    use.below = *table;
    count_objects(table);
    table->clBuildProgram = build_program;
    table->clEnqueueWriteBuffer = write_buffer;
    table->clEnqueueReadBuffer = read_buffer;
    table->clEnqueueCopyBuffer = copy_buffer;
    table->clEnqueueFillBuffer = fill_buffer;
    table->clEnqueueMapBuffer = map_buffer;
    table->clEnqueueUnmapMemObject = unmap_buffer;
    table->clEnqueueNDRangeKernel = launch;
    table->clEnqueueMarkerWithWaitList = mark;
    table->clFinish = finish;
    table->clWaitForEvents = wait_for_events;
}
