// SPDX-License-Identifier: Apache-2.0
// cl_khr_priority_hints, whose queues only the call of OpenCL 2.0 or cl_khr_create_command_queue
// makes. The latter is asked for by name, so that the library needs OpenCL 1.2 alone.
#include "host/priority.h"

#include "host/runtime.h"

typedef cl_command_queue(CL_API_CALL *create_queue)(cl_context, cl_device_id, const cl_ulong *,
                                                    cl_int *);

enum { QUEUE_PRIORITY = 0x1096, PRIORITY_LOW = 1 << 2 };

static create_queue find_creation(const evn_device *device) {
    cl_platform_id platform;
    create_queue call = NULL;
    if (evn__device_has_extension(device->id, "cl_khr_priority_hints") &&
        evn__device_has_extension(device->id, "cl_khr_create_command_queue") &&
        clGetDeviceInfo(device->id, CL_DEVICE_PLATFORM, sizeof(platform), &platform, NULL) ==
            CL_SUCCESS) {
        void *found = clGetExtensionFunctionAddressForPlatform(
            platform, "clCreateCommandQueueWithPropertiesKHR");
        memcpy(&call, &found, sizeof(call)); // ISO C has no cast from an object to a function
    }
    return call;
}

bool evn__device_lower_priority(evn_device *device) {
    create_queue create;
    EVN__TIMED(device, "changing the queue (clGetDeviceInfo)", create = find_creation(device));
    const cl_ulong properties[] = {QUEUE_PRIORITY, PRIORITY_LOW, 0};
    cl_int code = CL_INVALID_VALUE;
    cl_command_queue queue = NULL;
    if (create) {
        EVN__TIMED(device, "changing the queue (clCreateCommandQueueWithPropertiesKHR)",
                   queue = create(device->context, device->id, properties, &code));
    }
    if (!queue || code != CL_SUCCESS) {
        return false;
    }
    EVN__TIMED(device, "changing the queue (clFinish)", clFinish(device->queue));
    EVN__TIMED(device, "changing the queue (clReleaseCommandQueue)",
               clReleaseCommandQueue(device->queue));
    device->queue = queue;
    return true;
}
