// SPDX-License-Identifier: Apache-2.0
// What a device says of itself.
#include "costume.h"

#include "answer.h"
#include <string.h>

costume layer_costume;

#define NUMBER(key) profile_number(&layer_costume.profile, PROFILE_KEY_##key)

bool layer_costume_has(const char *extension) {
    return profile_lists(layer_costume.profile.values[PROFILE_KEY_extensions].text, extension);
}

static cl_int CL_API_CALL get_platform_info(cl_platform_id platform, cl_platform_info name,
                                            size_t size, void *value, size_t *size_out) {
    static const struct {
        cl_platform_info name;
        profile_key key;
    } rows[] = {{CL_PLATFORM_NAME, PROFILE_KEY_platform},
                {CL_PLATFORM_VENDOR, PROFILE_KEY_platform_vendor},
                {CL_PLATFORM_VERSION, PROFILE_KEY_platform_version}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
        if (rows[i].name == name) {
            return layer_answer_key(&layer_costume.profile, rows[i].key, size, value, size_out);
        }
    }
    return layer_costume.below.clGetPlatformInfo(platform, name, size, value, size_out);
}

/// What follows from the extensions instead of from a row: precisions that are not there.
static bool lacks_precision(cl_device_info name) {
    return (name == CL_DEVICE_DOUBLE_FP_CONFIG && !layer_costume_has("cl_khr_fp64")) ||
           (name == CL_DEVICE_HALF_FP_CONFIG && !layer_costume_has("cl_khr_fp16"));
}

/// Single precision as below, but for its fma, of which the profile may speak.
static cl_int single_precision(cl_device_id device, size_t size, void *value, size_t *size_out) {
    cl_device_fp_config config = 0;
    cl_int code = layer_costume.below.clGetDeviceInfo(device, CL_DEVICE_SINGLE_FP_CONFIG,
                                                      sizeof(config), &config, NULL);
    if (code != CL_SUCCESS) {
        return code;
    }
    if (layer_costume.profile.values[PROFILE_KEY_fma].count) {
        config = NUMBER(fma) ? config | CL_FP_FMA : config & ~(cl_device_fp_config)CL_FP_FMA;
    }
    return layer_answer(&config, sizeof(config), size, value, size_out);
}

static cl_int CL_API_CALL get_device_info(cl_device_id device, cl_device_info name, size_t size,
                                          void *value, size_t *size_out) {
    const cl_device_fp_config nothing = 0;
    for (int i = 0; i < PROFILE_KEYS; ++i) {
        if (profile_rows[i].parameter == name) {
            return layer_costume.profile.values[i].count
                       ? layer_answer_key(&layer_costume.profile, (profile_key)i, size, value,
                                          size_out)
                       : CL_INVALID_VALUE;
        }
    }
    if (lacks_precision(name)) {
        return layer_answer(&nothing, sizeof(nothing), size, value, size_out);
    }
    return name == CL_DEVICE_SINGLE_FP_CONFIG
               ? single_precision(device, size, value, size_out)
               : layer_costume.below.clGetDeviceInfo(device, name, size, value, size_out);
}

/// The type to ask below for: all, where a device in this costume is among those asked for.
static cl_device_type type_below(cl_device_type asked) {
    return asked & (NUMBER(type) | CL_DEVICE_TYPE_DEFAULT) ? CL_DEVICE_TYPE_ALL : 0;
}

static cl_int CL_API_CALL get_device_ids(cl_platform_id platform, cl_device_type type,
                                         cl_uint entries, cl_device_id *devices, cl_uint *count) {
    cl_device_type below = type_below(type);
    if (!below) {
        return CL_DEVICE_NOT_FOUND;
    }
    return layer_costume.below.clGetDeviceIDs(platform, below, entries, devices, count);
}

static cl_context CL_API_CALL
create_context_from_type(const cl_context_properties *properties, cl_device_type type,
                         void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *),
                         void *user, cl_int *code) {
    cl_device_type below = type_below(type);
    if (!below) {
        if (code) {
            *code = CL_DEVICE_NOT_FOUND;
        }
        return NULL;
    }
    return layer_costume.below.clCreateContextFromType(properties, below, notify, user, code);
}

static cl_int CL_API_CALL get_work_group_info(cl_kernel kernel, cl_device_id device,
                                              cl_kernel_work_group_info name, size_t size,
                                              void *value, size_t *size_out) {
    size_t multiple = NUMBER(work_group_multiple), most = 0;
    if (name == CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE) {
        return layer_answer(&multiple, sizeof(multiple), size, value, size_out);
    }
    if (name != CL_KERNEL_WORK_GROUP_SIZE) {
        return layer_costume.below.clGetKernelWorkGroupInfo(kernel, device, name, size, value,
                                                            size_out);
    }
    cl_int code = layer_costume.below.clGetKernelWorkGroupInfo(kernel, device, name, sizeof(most),
                                                               &most, NULL);
    if (code != CL_SUCCESS) {
        return code;
    }
    most = most < NUMBER(work_group) ? most : NUMBER(work_group);
    return layer_answer(&most, sizeof(most), size, value, size_out);
}

/// Times in steps of the device's timer.
static cl_int CL_API_CALL get_profiling_info(cl_event event, cl_profiling_info name, size_t size,
                                             void *value, size_t *size_out) {
    cl_ulong time = 0;
    cl_int code =
        layer_costume.below.clGetEventProfilingInfo(event, name, sizeof(time), &time, NULL);
    if (code != CL_SUCCESS) {
        return code;
    }
    time -= time % NUMBER(timer_ns);
    return layer_answer(&time, sizeof(time), size, value, size_out);
}

void layer_costume_begin(const char *path, cl_icd_dispatch *table) {
    profile_read(path, &layer_costume.profile);
    layer_costume.below = *table;
    table->clGetPlatformInfo = get_platform_info;
    table->clGetDeviceInfo = get_device_info;
    table->clGetDeviceIDs = get_device_ids;
    table->clCreateContextFromType = create_context_from_type;
    table->clGetKernelWorkGroupInfo = get_work_group_info;
    table->clGetEventProfilingInfo = get_profiling_info;
    layer_costume_bound(table);
    layer_costume_compile(table);
}
