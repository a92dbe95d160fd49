// SPDX-License-Identifier: Apache-2.0
#include "host/device_json.h"

#include "base/json.h"
#include "base/names.h"
#include "host/runtime.h"

#include <stdlib.h>
#include <string.h>

static json_t *sub_groups_json(evn_sub_groups sub_groups) {
    static const char *const names[] = {"none", "reduce", "shuffle", "intel"};
    return json_string(names[sub_groups]);
}

json_t *evn__device_json(const evn_device_info *info) {
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:b,"
        " s:b}",
        "name", info->name, "type", evn_device_type_name(info->type), "vendor", info->vendor,
        "driver", info->driver, "version", info->version, "platform", info->platform_name,
        "platform_version", info->platform_version, "compute_units", info->compute_units,
        "clock_mhz", info->clock_mhz, "vector_width", info->vector_width, "global_bytes",
        (json_int_t)info->global_bytes, "local_bytes", (json_int_t)info->local_bytes,
        "max_allocation_bytes", (json_int_t)info->max_allocation_bytes, "max_work_group",
        (json_int_t)info->max_work_group, "fp64", info->has_fp64, "fp16", info->has_fp16);
    if (object) {
        evn__json_put(object, "unified", json_boolean(info->unified));
        evn__json_put(object, "sub_groups", sub_groups_json(info->sub_groups));
    }
    return object;
}

/// A text of any length; NULL where the device has none, or memory is lacking.
static char *ask_text(cl_device_id id, cl_device_info parameter) {
    size_t bytes = 0;
    if (clGetDeviceInfo(id, parameter, 0, NULL, &bytes) != CL_SUCCESS || bytes == 0) {
        return NULL;
    }
    char *text = calloc(bytes + 1, 1);
    if (text && clGetDeviceInfo(id, parameter, bytes, text, NULL) != CL_SUCCESS) {
        free(text);
        return NULL;
    }
    if (text) {
        evn__make_utf8(text);
    }
    return text;
}

static json_t *text_json(cl_device_id id, cl_device_info parameter) {
    char *text = ask_text(id, parameter);
    json_t *json = text ? json_string(text) : json_null();
    free(text);
    return json;
}

/// In the order of their names, so that two drivers can be compared line by line.
static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *extensions_json(cl_device_id id) {
    enum { EXTENSIONS_MAX = 512 };
    char *names[EXTENSIONS_MAX], *rest, *text = ask_text(id, CL_DEVICE_EXTENSIONS);
    size_t count = 0;
    json_t *list = json_array();
    for (char *name = text ? strtok_r(text, " ", &rest) : NULL; name && count < EXTENSIONS_MAX;
         name = strtok_r(NULL, " ", &rest)) {
        names[count++] = name;
    }
    qsort(names, count, sizeof(names[0]), compare_names);
    for (size_t i = 0; i < count; ++i) {
        evn__json_append(list, json_string(names[i]));
    }
    free(text);
    return list;
}

/// null where the device does not say.
static json_t *number_json(cl_device_id id, cl_device_info parameter, size_t bytes) {
    cl_ulong wide = 0;
    cl_uint narrow = 0;
    void *value = bytes == sizeof(wide) ? (void *)&wide : (void *)&narrow;
    if (clGetDeviceInfo(id, parameter, bytes, value, NULL) != CL_SUCCESS) {
        return json_null();
    }
    return json_integer((json_int_t)(bytes == sizeof(wide) ? wide : narrow));
}

json_t *evn__device_json_open(const evn_device *device) {
    const evn_device_info *info = &device->info;
    json_t *object = evn__device_json(info);
    if (!object) {
        return NULL;
    }
    evn__json_put(object, "opencl_c", text_json(device->id, CL_DEVICE_OPENCL_C_VERSION));
    evn__json_put(object, "min_sub_group", json_integer(info->min_sub_group));
    evn__json_put(object, "cache_bytes",
                  number_json(device->id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, sizeof(cl_ulong)));
    evn__json_put(object, "cache_line_bytes",
                  number_json(device->id, CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, sizeof(cl_uint)));
    evn__json_put(object, "core_cache_bytes", json_integer((json_int_t)info->cache_bytes));
    evn__json_put(object, "extensions", extensions_json(device->id));
    return object;
}
