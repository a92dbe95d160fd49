// SPDX-License-Identifier: Apache-2.0
// What a device refuses because it is bounded.
#include "costume.h"

#include <stdatomic.h>

#define NUMBER(key) profile_number(&layer_costume.profile, PROFILE_KEY_##key)

// Memory ------------------------------------------------------------------------------------------

static atomic_ullong held; ///< bytes in buffers

static cl_int check_room(size_t bytes) {
    if (bytes > NUMBER(allocation_bytes)) {
        return CL_INVALID_BUFFER_SIZE;
    }
    return held + bytes > NUMBER(global_bytes) ? CL_MEM_OBJECT_ALLOCATION_FAILURE : CL_SUCCESS;
}

static void CL_CALLBACK give_back(cl_mem memory, void *bytes) {
    (void)memory;
    held -= (size_t)bytes;
}

/// The buffer, entered until it is destroyed.
static cl_mem enter(cl_mem buffer, size_t bytes) {
    if (buffer) {
        held += bytes;
        layer_costume.below.clSetMemObjectDestructorCallback(buffer, give_back, (void *)bytes);
    }
    return buffer;
}

static cl_mem refuse(cl_int reason, cl_int *code) {
    if (code) {
        *code = reason;
    }
    return NULL;
}

static cl_mem CL_API_CALL create_buffer(cl_context context, cl_mem_flags flags, size_t bytes,
                                        void *host, cl_int *code) {
    cl_int reason = check_room(bytes);
    if (reason != CL_SUCCESS) {
        return refuse(reason, code);
    }
    return enter(layer_costume.below.clCreateBuffer(context, flags, bytes, host, code), bytes);
}

static cl_mem CL_API_CALL create_buffer_with_properties(cl_context context,
                                                        const cl_mem_properties *properties,
                                                        cl_mem_flags flags, size_t bytes,
                                                        void *host, cl_int *code) {
    cl_int reason = check_room(bytes);
    if (reason != CL_SUCCESS) {
        return refuse(reason, code);
    }
    return enter(layer_costume.below.clCreateBufferWithProperties(context, properties, flags, bytes,
                                                                  host, code),
                 bytes);
}

static cl_mem CL_API_CALL create_sub_buffer(cl_mem buffer, cl_mem_flags flags,
                                            cl_buffer_create_type type, const void *info,
                                            cl_int *code) {
    const cl_buffer_region *region = info;
    if (type == CL_BUFFER_CREATE_TYPE_REGION && region && region->origin * 8 % NUMBER(align_bits)) {
        return refuse(CL_MISALIGNED_SUB_BUFFER_OFFSET, code);
    }
    return layer_costume.below.clCreateSubBuffer(buffer, flags, type, info, code);
}

// Launches ----------------------------------------------------------------------------------------

static cl_int check_group(cl_uint dimensions, const size_t *global, const size_t *local) {
    size_t items = 1;
    for (cl_uint i = 0; i < dimensions && i < 3; ++i) {
        if (local[i] > layer_costume.profile.values[PROFILE_KEY_work_items].numbers[i]) {
            return CL_INVALID_WORK_ITEM_SIZE;
        }
        if (local[i] == 0 || (global && global[i] % local[i])) {
            return CL_INVALID_WORK_GROUP_SIZE;
        }
        items *= local[i];
    }
    return items > NUMBER(work_group) ? CL_INVALID_WORK_GROUP_SIZE : CL_SUCCESS;
}

static cl_int check_local_memory(cl_command_queue queue, cl_kernel kernel) {
    cl_device_id device;
    cl_ulong bytes = 0;
    const cl_icd_dispatch *below = &layer_costume.below;
    cl_int code =
        below->clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof(device), &device, NULL);
    if (code == CL_SUCCESS) {
        code = below->clGetKernelWorkGroupInfo(kernel, device, CL_KERNEL_LOCAL_MEM_SIZE,
                                               sizeof(bytes), &bytes, NULL);
    }
    if (code != CL_SUCCESS) {
        return code;
    }
    return bytes > NUMBER(local_bytes) ? CL_OUT_OF_RESOURCES : CL_SUCCESS;
}

static cl_int CL_API_CALL enqueue_kernel(cl_command_queue queue, cl_kernel kernel,
                                         cl_uint dimensions, const size_t *offset,
                                         const size_t *global, const size_t *local, cl_uint count,
                                         const cl_event *events, cl_event *event) {
    cl_int code = local ? check_group(dimensions, global, local) : CL_SUCCESS;
    if (code == CL_SUCCESS) {
        code = check_local_memory(queue, kernel);
    }
    if (code != CL_SUCCESS) {
        return code;
    }
    return layer_costume.below.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global,
                                                      local, count, events, event);
}

void layer_costume_bound(cl_icd_dispatch *table) {
    table->clCreateBuffer = create_buffer;
    table->clCreateBufferWithProperties = create_buffer_with_properties;
    table->clCreateSubBuffer = create_sub_buffer;
    table->clEnqueueNDRangeKernel = enqueue_kernel;
}
