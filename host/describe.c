// SPDX-License-Identifier: Apache-2.0
// What a device says of itself, and whether that is enough to use it.
#include "host/runtime.h"

#include <CL/cl_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A value stays 0 where the device does not support the query.
#define ASK(id, parameter, value) clGetDeviceInfo((id), (parameter), sizeof(value), &(value), NULL)

static void ask_text(cl_device_id id, cl_device_info parameter, char *text) {
    if (clGetDeviceInfo(id, parameter, EVN_DEVICE_TEXT, text, NULL) != CL_SUCCESS) {
        text[0] = 0;
    }
    text[EVN_DEVICE_TEXT - 1] = 0;
}

bool evn__device_has_extension(cl_device_id id, const char *name) {
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

static bool is_unified(cl_device_id id) {
    cl_bool unified = CL_FALSE;
    ASK(id, CL_DEVICE_HOST_UNIFIED_MEMORY, unified);
    return unified;
}

static evn_device_type type_of(cl_device_id id) {
    cl_device_type type = 0;
    ASK(id, CL_DEVICE_TYPE, type);
    if (type & CL_DEVICE_TYPE_GPU) {
        return is_unified(id) ? EVN_DEVICE_GPU_INTEGRATED : EVN_DEVICE_GPU;
    }
    return type & CL_DEVICE_TYPE_CPU ? EVN_DEVICE_CPU : EVN_DEVICE_ACCELERATOR;
}

/// AMD's CL_DEVICE_NAME is the chip's code name (gfx1030); the board's name is what people know.
static void ask_name(cl_device_id id, char *name) {
    name[0] = 0;
    if (evn__device_has_extension(id, "cl_amd_device_attribute_query")) {
        ask_text(id, CL_DEVICE_BOARD_NAME_AMD, name);
    }
    if (!name[0]) {
        ask_text(id, CL_DEVICE_NAME, name);
    }
}

/// What no device may leave open: without it nothing can be chosen for it. `zero`: 0 is an answer.
typedef struct mandatory {
    cl_device_info parameter;
    const char *name;
    bool zero;
} mandatory;

#define MANDATORY(name, zero)                                                                      \
    { CL_DEVICE_##name, "CL_DEVICE_" #name, zero }

static const mandatory mandatories[] = {
    MANDATORY(TYPE, false),
    MANDATORY(NAME, false),
    MANDATORY(VERSION, false),
    MANDATORY(AVAILABLE, true),
    MANDATORY(COMPILER_AVAILABLE, true),
    MANDATORY(MAX_COMPUTE_UNITS, false),
    MANDATORY(GLOBAL_MEM_SIZE, false),
    MANDATORY(LOCAL_MEM_SIZE, false),
    MANDATORY(MAX_MEM_ALLOC_SIZE, false),
    MANDATORY(MAX_WORK_GROUP_SIZE, false),
};

/// The first mandatory query that fails, or answers 0 or an empty text where that cannot be.
static bool lacks_answer(cl_device_id id, char *reason, size_t size) {
    for (size_t i = 0; i < sizeof(mandatories) / sizeof(mandatories[0]); ++i) {
        const mandatory *query = &mandatories[i];
        char answer[EVN_DEVICE_TEXT * 4] = {0};
        size_t bytes = 0;
        cl_int code = clGetDeviceInfo(id, query->parameter, sizeof(answer), answer, &bytes);
        if (code != CL_SUCCESS) {
            snprintf(reason, size, "its driver does not answer the query %s: %s (%d)", query->name,
                     evn__cl_name(code), (int)code);
            return true;
        }
        bool filled = false;
        for (size_t k = 0; k < bytes && k < sizeof(answer); ++k) {
            filled = filled || answer[k] != 0;
        }
        if (!filled && !query->zero) {
            snprintf(reason, size, "its driver answers nothing, or 0, to the query %s",
                     query->name);
            return true;
        }
    }
    return false;
}

static void judge(cl_device_id id, evn_device_info *info) {
    cl_bool available = CL_FALSE, compiler = CL_FALSE;
    int major = 0, minor = 0;
    if (lacks_answer(id, info->unusable, sizeof(info->unusable))) {
        return;
    }
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

/// Of cl_intel_required_subgroup_size.
static int ask_min_sub_group(cl_device_id id) {
    enum { MAX_SIZES = 16 };
    size_t sizes[MAX_SIZES], bytes = 0, least = 0;
    if (!evn__device_has_extension(id, "cl_intel_required_subgroup_size") ||
        clGetDeviceInfo(id, CL_DEVICE_SUB_GROUP_SIZES_INTEL, sizeof(sizes), sizes, &bytes) !=
            CL_SUCCESS) {
        return 0;
    }
    for (size_t i = 0; i < bytes / sizeof(sizes[0]); ++i) {
        least = least == 0 || sizes[i] < least ? sizes[i] : least;
    }
    return (int)least;
}

/// CL_DEVICE_GLOBAL_MEM_CACHE_SIZE is another cache with every implementation.
static uint64_t second_level_cache(void) {
    long bytes = -1;
#ifdef _SC_LEVEL2_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return bytes > 0 ? (uint64_t)bytes : 0;
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
    info->cache_bytes = info->type == EVN_DEVICE_CPU ? second_level_cache() : 0;
    info->max_work_group = group;
    info->min_sub_group = ask_min_sub_group(id);
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
    info->unified = is_unified(id);
    info->has_fp64 = evn__device_has_extension(id, "cl_khr_fp64");
    info->has_fp16 = evn__device_has_extension(id, "cl_khr_fp16");
    judge(id, info);
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
