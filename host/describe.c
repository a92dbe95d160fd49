// SPDX-License-Identifier: Apache-2.0
// What a device says of itself, and whether that is enough to use it.
#include "host/runtime.h"

#include "base/memory.h"
#include "base/names.h"

#include <CL/cl_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CL_DEVICE_MAX_NUM_SUB_GROUPS // of OpenCL 2.1
#define CL_DEVICE_MAX_NUM_SUB_GROUPS 0x105C
#endif

/// What a device is asked, and the first mandatory query that it did not answer: without it nothing
/// can be chosen for it. An answer is what was read, once; none is taken for a value.
typedef struct inquiry {
    cl_device_id id;
    char *extensions; ///< all of them, in one text
    char *reason;     ///< [EVN_DEVICE_TEXT], empty as long as all was answered
} inquiry;

static void fail_query(inquiry *q, const char *name, cl_int code) {
    if (q->reason[0]) {
        return;
    }
    if (code == CL_SUCCESS) {
        snprintf(q->reason, EVN_DEVICE_TEXT, "its driver answers nothing, or 0, to the query %s",
                 name);
    } else {
        snprintf(q->reason, EVN_DEVICE_TEXT, "its driver does not answer the query %s: %s (%d)",
                 name, evn__cl_name(code), (int)code);
    }
}

/// A number that each device has; `zero`: 0 is one too.
static void must(inquiry *q, cl_device_info parameter, const char *name, size_t bytes, void *value,
                 bool zero) {
    cl_int code = clGetDeviceInfo(q->id, parameter, bytes, value, NULL);
    bool filled = zero;
    for (size_t i = 0; i < bytes; ++i) {
        filled = filled || ((unsigned char *)value)[i] != 0;
    }
    if (code != CL_SUCCESS || !filled) {
        fail_query(q, name, code);
    }
}

#define MUST(q, parameter, value, zero)                                                            \
    must((q), CL_DEVICE_##parameter, "CL_DEVICE_" #parameter, sizeof(value), &(value), (zero))

/// Of what not each device knows (CL_INVALID_VALUE), so many bytes, which stay 0 then. Any other
/// failure is no answer, either.
static size_t ask(inquiry *q, cl_device_info parameter, const char *name, size_t bytes,
                  void *value) {
    size_t got = 0;
    cl_int code = clGetDeviceInfo(q->id, parameter, bytes, value, &got);
    if (code == CL_SUCCESS) {
        return got;
    }
    if (code != CL_INVALID_VALUE) {
        fail_query(q, name, code);
    }
    memset(value, 0, bytes);
    return 0;
}

#define ASK(q, parameter, value) ask((q), parameter, #parameter, sizeof(value), &(value))

/// "" where it has none.
static void ask_text(inquiry *q, cl_device_info parameter, const char *name, char *text) {
    ask(q, parameter, name, EVN_DEVICE_TEXT, text);
    text[EVN_DEVICE_TEXT - 1] = 0;
    evn__make_utf8(text);
}

cl_int evn__platform_text(cl_platform_id id, cl_platform_info parameter, char *text) {
    cl_int code = clGetPlatformInfo(id, parameter, EVN_DEVICE_TEXT - 1, text, NULL);
    text[code == CL_SUCCESS ? EVN_DEVICE_TEXT - 1 : 0] = 0;
    evn__make_utf8(text);
    return code;
}

/// One that each device has; the rest of a long one is left out.
static void must_text(inquiry *q, cl_device_info parameter, const char *name, char *text) {
    char answer[EVN_DEVICE_TEXT * 4] = {0};
    cl_int code = clGetDeviceInfo(q->id, parameter, sizeof(answer) - 1, answer, NULL);
    snprintf(text, EVN_DEVICE_TEXT, "%.*s", EVN_DEVICE_TEXT - 1, code ? "" : answer);
    evn__make_utf8(text);
    if (!text[0]) {
        fail_query(q, name, code);
    }
}

/// *list is the caller's; NULL, and the code why, where the device does not give it.
/// @return EVN_ERR_MEMORY
static evn_status read_extensions(cl_device_id id, char **list, cl_int *code) {
    size_t size = 0;
    *list = NULL;
    *code = clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size);
    if (*code != CL_SUCCESS) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(list, size + 1));
    *code = clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, *list, NULL);
    if (*code != CL_SUCCESS) {
        free(*list);
        *list = NULL;
    }
    return EVN_OK;
}

static bool lists(const char *list, const char *name) {
    bool found = false;
    size_t length = strlen(name);
    for (const char *at = list; at && !found && (at = strstr(at, name)); at += length) {
        found = (at == list || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ');
    }
    return found;
}

bool evn__device_has_extension(cl_device_id id, const char *name) {
    cl_int code;
    char *list;
    bool found = read_extensions(id, &list, &code) == EVN_OK && lists(list, name);
    free(list);
    return found;
}

static bool is_unified(inquiry *q) {
    cl_bool unified = CL_FALSE;
    ASK(q, CL_DEVICE_HOST_UNIFIED_MEMORY, unified);
    return unified;
}

static bool has_soft_fma(inquiry *q) {
    cl_device_fp_config config = 0;
    ASK(q, CL_DEVICE_SINGLE_FP_CONFIG, config);
    return config != 0 && !(config & CL_FP_FMA);
}

static evn_device_type type_of(inquiry *q) {
    cl_device_type type = 0;
    MUST(q, TYPE, type, false);
    if (type & CL_DEVICE_TYPE_GPU) {
        return is_unified(q) ? EVN_DEVICE_GPU_INTEGRATED : EVN_DEVICE_GPU;
    }
    return type & CL_DEVICE_TYPE_CPU ? EVN_DEVICE_CPU : EVN_DEVICE_ACCELERATOR;
}

/// AMD's CL_DEVICE_NAME is the chip's code name (gfx1030); the board's name is what people know.
static void ask_name(inquiry *q, char *name) {
    name[0] = 0;
    if (lists(q->extensions, "cl_amd_device_attribute_query")) {
        ask_text(q, CL_DEVICE_BOARD_NAME_AMD, "CL_DEVICE_BOARD_NAME_AMD", name);
    }
    if (!name[0]) {
        must_text(q, CL_DEVICE_NAME, "CL_DEVICE_NAME", name);
    }
}

static void judge(inquiry *q, evn_device_info *info) {
    cl_bool available = CL_FALSE, compiler = CL_FALSE;
    int major = 0, minor = 0;
    MUST(q, AVAILABLE, available, true);
    MUST(q, COMPILER_AVAILABLE, compiler, true);
    bool known = sscanf(info->version, "OpenCL %d.%d", &major, &minor) == 2;
    const char *reason = "";
    if (q->reason[0]) {
        reason = q->reason;
    } else if (!available) {
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
static int ask_min_sub_group(inquiry *q) {
    enum { MAX_SIZES = 16 };
    size_t sizes[MAX_SIZES], bytes = 0, least = 0;
    if (lists(q->extensions, "cl_intel_required_subgroup_size")) {
        bytes = ASK(q, CL_DEVICE_SUB_GROUP_SIZES_INTEL, sizes);
    }
    for (size_t i = 0; i < bytes / sizeof(sizes[0]); ++i) {
        least = least == 0 || sizes[i] < least ? sizes[i] : least;
    }
    return (int)least;
}

/// "OpenCL C 2.0 …" behind "OpenCL C " as 200; 0 where it is not said.
static int version_of(const char *text, const char *prefix) {
    bool said = strncmp(text, prefix, strlen(prefix)) == 0;
    char digit = said ? text[strlen(prefix)] : '0';
    return digit >= '0' && digit <= '9' ? 100 * (digit - '0') : 0;
}

/// The latest OpenCL C that it compiles. Devices of OpenCL 3.0 name an earlier one, for programs
/// that count on all of it.
static int ask_language(inquiry *q, const char *version) {
    char text[EVN_DEVICE_TEXT];
    ask_text(q, CL_DEVICE_OPENCL_C_VERSION, "CL_DEVICE_OPENCL_C_VERSION", text);
    int language = version_of(text, "OpenCL C ");
    return language >= 300 || version_of(version, "OpenCL ") >= 300 ? 300 : language;
}

/// Functions of sub-groups are no part of OpenCL C 1.2, but for Intel's.
static void ask_sub_groups(inquiry *q, evn_device_info *info) {
    cl_uint most = 0;
    int language = ask_language(q, info->version);
    ASK(q, CL_DEVICE_MAX_NUM_SUB_GROUPS, most);
    bool listed = lists(q->extensions, "cl_khr_subgroups");
    if (lists(q->extensions, "cl_intel_subgroups")) {
        info->sub_groups = EVN_SUB_GROUPS_INTEL;
        info->sub_group_language = 120;
    } else if (language >= 200 && (listed || (language >= 300 && most > 0))) {
        info->sub_groups = lists(q->extensions, "cl_khr_subgroup_shuffle") ? EVN_SUB_GROUPS_SHUFFLE
                                                                           : EVN_SUB_GROUPS_REDUCE;
        info->sub_group_language = language;
    }
}

/// CL_DEVICE_GLOBAL_MEM_CACHE_SIZE is another cache with every implementation.
static uint64_t second_level_cache(void) {
    long bytes = -1;
#ifdef _SC_LEVEL2_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    return bytes > 0 ? (uint64_t)bytes : 0;
}

static void ask_sizes(inquiry *q, evn_device_info *info) {
    cl_uint units = 0, clock = 0, width = 0;
    cl_ulong global = 0, local = 0, allocation = 0;
    size_t group = 0;
    MUST(q, MAX_CLOCK_FREQUENCY, clock, true);
    MUST(q, NATIVE_VECTOR_WIDTH_FLOAT, width, true);
    MUST(q, MAX_COMPUTE_UNITS, units, false);
    MUST(q, GLOBAL_MEM_SIZE, global, false);
    MUST(q, LOCAL_MEM_SIZE, local, false);
    MUST(q, MAX_MEM_ALLOC_SIZE, allocation, false);
    MUST(q, MAX_WORK_GROUP_SIZE, group, false);
    info->compute_units = (int)units;
    info->clock_mhz = (int)clock;
    info->vector_width = width > 0 ? (int)width : 1;
    info->global_bytes = global;
    info->local_bytes = local;
    info->max_allocation_bytes = allocation;
    info->cache_bytes = info->type == EVN_DEVICE_CPU ? second_level_cache() : 0;
    info->max_work_group = group;
    info->min_sub_group = ask_min_sub_group(q);
    ask_sub_groups(q, info);
}

evn_status evn__device_describe(cl_platform_id platform, cl_device_id id, evn_device_info *info) {
    char reason[EVN_DEVICE_TEXT] = "";
    cl_int code;
    inquiry q = {.id = id, .reason = reason};
    EVN_TRY(read_extensions(id, &q.extensions, &code));
    if (!q.extensions) { // that it has no double precision, say, would be a guess
        fail_query(&q, "CL_DEVICE_EXTENSIONS", code);
    }
    *info = (evn_device_info){.type = type_of(&q)};
    ask_name(&q, info->name);
    ask_text(&q, CL_DEVICE_VENDOR, "CL_DEVICE_VENDOR", info->vendor);
    must_text(&q, CL_DRIVER_VERSION, "CL_DRIVER_VERSION", info->driver);
    must_text(&q, CL_DEVICE_VERSION, "CL_DEVICE_VERSION", info->version);
    code = evn__platform_text(platform, CL_PLATFORM_NAME, info->platform_name);
    if (code != CL_SUCCESS || !info->platform_name[0]) { // what kernels it gets depends on it
        fail_query(&q, "CL_PLATFORM_NAME", code);
    }
    code = evn__platform_text(platform, CL_PLATFORM_VERSION, info->platform_version);
    if (code != CL_SUCCESS) { // a run that is resumed is compared with it
        fail_query(&q, "CL_PLATFORM_VERSION", code);
    }
    ask_sizes(&q, info);
    info->unified = is_unified(&q);
    info->has_fp64 = lists(q.extensions, "cl_khr_fp64");
    info->has_fp16 = lists(q.extensions, "cl_khr_fp16");
    info->soft_fma = has_soft_fma(&q);
    judge(&q, info);
    free(q.extensions);
    return EVN_OK;
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
