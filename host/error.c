// SPDX-License-Identifier: Apache-2.0
#include "host/runtime.h"

#include <CL/cl_ext.h>

const char *evn__cl_name(cl_int code) {
    switch (code) {
#define EVN_CL_ERROR(name)                                                                         \
    case name:                                                                                     \
        return #name;
#include "host/error.def"
#undef EVN_CL_ERROR
    default:
        return "unknown OpenCL error";
    }
}

const char *evn__cl_advice(cl_int code) {
    switch (evn__cl_status(code)) {
    case EVN_ERR_BUILD:
        return "check that the source defines it for this device";
    case EVN_ERR_MEMORY:
        return "free some memory of this machine";
    case EVN_ERR_DEVICE_MEMORY:
        return "free some memory of the device, or take a smaller batch or model";
    default:
        return "the device or its driver failed: try again, and then another --device";
    }
}

evn_status evn__cl_status(cl_int code) {
    switch (code) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE: // larger than the device allows one to be: none of ours is empty
        return EVN_ERR_DEVICE_MEMORY;
    case CL_OUT_OF_HOST_MEMORY:
        return EVN_ERR_MEMORY;
    case CL_BUILD_PROGRAM_FAILURE:
    case CL_COMPILE_PROGRAM_FAILURE:
    case CL_LINK_PROGRAM_FAILURE:
    case CL_INVALID_BUILD_OPTIONS:
    case CL_INVALID_COMPILER_OPTIONS:
    case CL_INVALID_LINKER_OPTIONS:
    case CL_INVALID_PROGRAM_EXECUTABLE:
    case CL_INVALID_KERNEL_NAME:
    case CL_INVALID_KERNEL_DEFINITION:
        return EVN_ERR_BUILD;
    default: // CL_OUT_OF_RESOURCES too: drivers also use it for faults and too large work-groups
        return EVN_ERR_DEVICE;
    }
}
