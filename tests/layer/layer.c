// SPDX-License-Identifier: Apache-2.0
#include "layer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The lowest first: what stands above the costume sees what the program asked for, and a call that
// fails is not counted as done.
static const struct {
    const char *variable;
    layer_begin *begin;
} uses[] = {
    {"EVN_LAYER_COSTUME", layer_costume_begin},
    {"EVN_LAYER_FAULT", layer_fault_begin},
    {"EVN_LAYER_WRITE", layer_write_begin},
    {"EVN_LAYER_COUNT", layer_count_begin},
};

static cl_icd_dispatch table;

void layer_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("evn_layer: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(2);
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info name, size_t size, void *value,
                                               size_t *size_out) {
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    static const char title[] = "evonode's test layer";
    const void *answer = name == CL_LAYER_API_VERSION ? (const void *)&version : title;
    size_t needed = name == CL_LAYER_API_VERSION ? sizeof(version) : sizeof(title);
    if ((name != CL_LAYER_API_VERSION && name != CL_LAYER_NAME) || (value && size < needed)) {
        return CL_INVALID_VALUE;
    }
    if (value) {
        memcpy(value, answer, needed);
    }
    if (size_out) {
        *size_out = needed;
    }
    return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *below,
                                            cl_uint *count_out, const cl_icd_dispatch **own) {
    if (count < sizeof(table) / sizeof(void *)) {
        layer_fail("the loader knows %u entry points, older than OpenCL 3.0; take a newer one",
                   count);
    }
    table = *below;
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); ++i) {
        const char *value = getenv(uses[i].variable);
        if (value && value[0]) {
            uses[i].begin(value, &table);
        }
    }
    *count_out = sizeof(table) / sizeof(void *);
    *own = &table;
    return CL_SUCCESS;
}
