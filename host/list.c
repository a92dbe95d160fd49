// SPDX-License-Identifier: Apache-2.0
// Which devices there are. Platforms and devices keep the loader's order, as clinfo -l does.
#include "base/memory.h"
#include "host/affinity.h"
#include "host/runtime.h"

#include <CL/cl_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A value stays 0 where the device does not support the query.
#define ASK(id, parameter, value) clGetDeviceInfo((id), (parameter), sizeof(value), &(value), NULL)

static void ask_text(cl_device_id id, cl_device_info parameter, char *text) {
    if (clGetDeviceInfo(id, parameter, EVN_DEVICE_TEXT, text, NULL) != CL_SUCCESS) {
        text[0] = 0;
    }
    text[EVN_DEVICE_TEXT - 1] = 0;
}

static bool has_extension(cl_device_id id, const char *name) {
    size_t size = 0;
    clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size);
    char *list = calloc(1, size + 1);
    bool found = false;
    if (list && clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, list, NULL) == CL_SUCCESS) {
        size_t length = strlen(name);
        for (char *at = list; !found && (at = strstr(at, name)); at += length) {
            found = (at == list || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ');
        }
    }
    free(list);
    return found;
}

static evn_device_type type_of(cl_device_id id) {
    cl_device_type type = 0;
    cl_bool unified = CL_FALSE;
    ASK(id, CL_DEVICE_TYPE, type);
    ASK(id, CL_DEVICE_HOST_UNIFIED_MEMORY, unified);
    if (type & CL_DEVICE_TYPE_GPU) {
        return unified ? EVN_DEVICE_GPU_INTEGRATED : EVN_DEVICE_GPU;
    }
    return type & CL_DEVICE_TYPE_CPU ? EVN_DEVICE_CPU : EVN_DEVICE_ACCELERATOR;
}

/// AMD's CL_DEVICE_NAME is the chip's code name (gfx1030); the board's name is what people know.
static void ask_name(cl_device_id id, char *name) {
    name[0] = 0;
    if (has_extension(id, "cl_amd_device_attribute_query")) {
        ask_text(id, CL_DEVICE_BOARD_NAME_AMD, name);
    }
    if (!name[0]) {
        ask_text(id, CL_DEVICE_NAME, name);
    }
}

static void judge(cl_device_id id, evn_device_info *info) {
    cl_bool available = CL_FALSE, compiler = CL_FALSE;
    int major = 0, minor = 0;
    ASK(id, CL_DEVICE_AVAILABLE, available);
    ASK(id, CL_DEVICE_COMPILER_AVAILABLE, compiler);
    bool known = sscanf(info->version, "OpenCL %d.%d", &major, &minor) == 2;
    const char *reason = "";
    if (!available) {
        reason = "the device is not available";
    } else if (!compiler) {
        reason = "it has no compiler";
    } else if (!known || major < 1 || (major == 1 && minor < 2)) {
        reason = "it is older than OpenCL 1.2";
    }
    snprintf(info->unusable, sizeof(info->unusable), "%s", reason);
    info->usable = !reason[0];
}

static void ask_sizes(cl_device_id id, evn_device_info *info) {
    cl_uint units = 0, clock = 0, width = 0;
    cl_ulong global = 0, local = 0, allocation = 0;
    size_t group = 0;
    ASK(id, CL_DEVICE_MAX_COMPUTE_UNITS, units);
    ASK(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, clock);
    ASK(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, width);
    ASK(id, CL_DEVICE_GLOBAL_MEM_SIZE, global);
    ASK(id, CL_DEVICE_LOCAL_MEM_SIZE, local);
    ASK(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, allocation);
    ASK(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, group);
    info->compute_units = (int)units;
    info->clock_mhz = (int)clock;
    info->vector_width = width > 0 ? (int)width : 1;
    info->global_bytes = global;
    info->local_bytes = local;
    info->max_allocation_bytes = allocation;
    info->max_work_group = group;
}

void evn__device_describe(cl_platform_id platform, cl_device_id id, evn_device_info *info) {
    *info = (evn_device_info){.type = type_of(id)};
    ask_name(id, info->name);
    ask_text(id, CL_DEVICE_VENDOR, info->vendor);
    ask_text(id, CL_DRIVER_VERSION, info->driver);
    ask_text(id, CL_DEVICE_VERSION, info->version);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, EVN_DEVICE_TEXT - 1, info->platform_name, NULL);
    clGetPlatformInfo(platform, CL_PLATFORM_VERSION, EVN_DEVICE_TEXT - 1, info->platform_version,
                      NULL);
    ask_sizes(id, info);
    info->has_fp64 = has_extension(id, "cl_khr_fp64");
    info->has_fp16 = has_extension(id, "cl_khr_fp16");
    judge(id, info);
}

/// A growing list of devices; infos and ids grow together.
typedef struct listing {
    evn_device_info *infos;
    cl_device_id *ids;
    int count, info_capacity, id_capacity;
} listing;

static evn_status add_platform(listing *list, cl_platform_id platform, int number) {
    cl_uint count = 0;
    cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    if (code == CL_DEVICE_NOT_FOUND || (code == CL_SUCCESS && count == 0)) {
        return EVN_OK; // a driver whose device is not in this machine
    }
    EVN_CL_CHECK(code, "clGetDeviceIDs");
    EVN_TRY(EVN_RESERVE(list->infos, list->info_capacity, list->count + (int)count));
    EVN_TRY(EVN_RESERVE(list->ids, list->id_capacity, list->count + (int)count));
    cl_device_id *ids = list->ids + list->count;
    EVN_CL_CHECK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL), "clGetDeviceIDs");
    for (int i = 0; i < (int)count; ++i, ++list->count) {
        evn_device_info *info = &list->infos[list->count];
        evn__device_describe(platform, ids[i], info);
        info->platform = number;
        info->device = i;
        info->index = list->count;
    }
    return EVN_OK;
}

static evn_status add_platforms(listing *list, cl_platform_id *platforms, cl_uint count) {
    EVN_CL_CHECK(clGetPlatformIDs(count, platforms, NULL), "clGetPlatformIDs");
    for (cl_uint i = 0; i < count; ++i) {
        EVN_TRY(add_platform(list, platforms[i], (int)i));
    }
    return EVN_OK;
}

static evn_status add_all(listing *list) {
    cl_uint count = 0;
    evn__affinity_prepare();
    cl_int code = clGetPlatformIDs(0, NULL, &count);
    if (code == CL_PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && count == 0)) {
        return EVN_OK; // a loader without drivers
    }
    EVN_CL_CHECK(code, "clGetPlatformIDs");
    cl_platform_id *platforms;
    EVN_TRY(EVN_NEW(&platforms, count));
    evn_status status = add_platforms(list, platforms, count);
    free(platforms);
    return status;
}

evn_status evn__device_list(evn_device_info **infos, cl_device_id **ids, int *count) {
    listing list = {0};
    evn_status status = add_all(&list);
    if (status != EVN_OK || list.count == 0) {
        free(list.infos);
        free(list.ids);
        list = (listing){0};
    }
    *infos = list.infos;
    *ids = list.ids;
    *count = list.count;
    return status;
}

evn_status evn_device_list(evn_device_info **infos, int *count) {
    cl_device_id *ids;
    EVN_REQUIRE(infos);
    EVN_REQUIRE(count);
    evn_status status = evn__device_list(infos, &ids, count);
    free(ids);
    return status;
}

const char *evn_device_type_name(evn_device_type type) {
    switch (type) {
    case EVN_DEVICE_CPU:
        return "cpu";
    case EVN_DEVICE_GPU:
        return "gpu";
    case EVN_DEVICE_GPU_INTEGRATED:
        return "igpu";
    case EVN_DEVICE_ACCELERATOR:
        return "accelerator";
    }
    return "unknown";
}
