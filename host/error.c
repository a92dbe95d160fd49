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

evn_status evn__cl_status(cl_int code) {
    switch (code) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE: // larger than the device allows one to be: none of ours is empty
        return EVN_ERR_DEVICE_MEMORY;
    case CL_OUT_OF_HOST_MEMORY:
        return EVN_ERR_MEMORY;
    default: // CL_OUT_OF_RESOURCES too: drivers also use it for faults and too large work-groups
        return EVN_ERR_DEVICE;
    }
}
