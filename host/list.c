// SPDX-License-Identifier: Apache-2.0
// Which devices there are. Platforms and devices keep the loader's order, as clinfo -l does.
#include "host/list.h"

#include "base/memory.h"
#include "host/affinity.h"
#include "host/diagnosis.h"
#include "host/runtime.h"

#include <CL/cl_ext.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void ask_platform(cl_platform_id id, int number, evn__platform *platform) {
    *platform = (evn__platform){.number = number};
    if (evn__platform_text(id, CL_PLATFORM_NAME, platform->name) != CL_SUCCESS ||
        !platform->name[0]) {
        snprintf(platform->name, sizeof(platform->name), "(a platform without a name)");
    }
}

static evn_status reserve(evn__listing *list, int more) {
    EVN_TRY(EVN_RESERVE(list->infos, list->info_capacity, list->count + more));
    return EVN_RESERVE(list->ids, list->id_capacity, list->count + more);
}

/// An entry for what a platform that fails may have: named, and unusable for that reason.
static evn_status add_failed(evn__listing *list, const evn__platform *platform) {
    EVN_TRY(reserve(list, 1));
    evn_device_info *info = &list->infos[list->count];
    *info = (evn_device_info){.platform = platform->number, .index = list->count};
    info->type = EVN_DEVICE_ACCELERATOR; // what it is cannot be asked
    info->vector_width = 1;
    snprintf(info->name, sizeof(info->name), "(unknown)");
    snprintf(info->platform_name, sizeof(info->platform_name), "%s", platform->name);
    snprintf(info->unusable, sizeof(info->unusable), "%s", platform->failure);
    list->ids[list->count++] = NULL;
    return EVN_OK;
}

/// Its devices' ids at the end of the list; a failure is the platform's own.
static evn_status get_ids(evn__listing *list, cl_platform_id id, evn__platform *platform) {
    cl_uint count = 0;
    cl_int code = clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    if (code == CL_SUCCESS && count > 0) {
        EVN_TRY(reserve(list, (int)count));
        code = clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, count, list->ids + list->count, NULL);
    }
    if (code == CL_SUCCESS) {
        platform->devices = (int)count;
    } else if (code != CL_DEVICE_NOT_FOUND) { // a driver whose device is not in this machine
        snprintf(platform->failure, sizeof(platform->failure),
                 "its platform fails: clGetDeviceIDs: %s (%d)", evn__cl_name(code), (int)code);
    }
    return EVN_OK;
}

static evn_status add_platform(evn__listing *list, cl_platform_id id, int number) {
    EVN_TRY(EVN_RESERVE(list->platforms, list->platform_capacity, list->platform_count + 1));
    evn__platform *platform = &list->platforms[list->platform_count++];
    ask_platform(id, number, platform);
    EVN_TRY(get_ids(list, id, platform));
    if (platform->failure[0]) {
        return add_failed(list, platform);
    }
    for (int i = 0; i < platform->devices; ++i, ++list->count) {
        evn_device_info *info = &list->infos[list->count];
        EVN_TRY(evn__device_describe(id, list->ids[list->count], info));
        info->platform = number;
        info->device = i;
        info->index = list->count;
    }
    return EVN_OK;
}

static evn_status add_platforms(evn__listing *list, cl_platform_id *platforms, cl_uint count) {
    EVN_CL_CHECK(clGetPlatformIDs(count, platforms, NULL), "clGetPlatformIDs");
    for (cl_uint i = 0; i < count; ++i) {
        EVN_TRY(add_platform(list, platforms[i], (int)i));
    }
    return EVN_OK;
}

static evn_status add_all(evn__listing *list) {
    cl_uint count = 0;
    evn__affinity_prepare();
    errno = 0; // a loader without memory says that there is no platform, or fewer than there are
    cl_int code = clGetPlatformIDs(0, NULL, &count);
    list->lacks_memory = errno == ENOMEM;
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

evn_status evn__listing_make(evn__listing *list) {
    *list = (evn__listing){0};
    evn_status status = add_all(list);
    if (status != EVN_OK) {
        evn__listing_free(list);
    }
    return status;
}

void evn__listing_free(evn__listing *list) {
    free(list->infos);
    free(list->ids);
    free(list->platforms);
    *list = (evn__listing){0};
}

evn_status evn__listing_check(const evn__listing *list) {
    if (list->count > 0) {
        return EVN_OK;
    }
    EVN_CHECK(!list->lacks_memory, EVN_ERR_MEMORY,
              "no memory to load OpenCL's drivers; end other programs, then try again");
    evn__text why = {0};
    evn__surroundings here = evn__surroundings_here();
    evn__diagnosis_text(&here, list->platforms, list->platform_count, &why);
    evn_status status = why.status;
    if (status == EVN_OK) {
        status = evn__fail(__FILE__, __LINE__, EVN_ERR_NO_DEVICE, "no OpenCL device found: %s",
                           why.data ? why.data : "");
    }
    free(why.data);
    return status;
}

evn_status evn_device_list(evn_device_info **infos, int *count) {
    evn__listing list;
    EVN_REQUIRE(infos);
    EVN_REQUIRE(count);
    *infos = NULL;
    *count = 0;
    EVN_TRY(evn__listing_make(&list));
    if (list.count > 0) {
        *infos = list.infos;
        *count = list.count;
        list.infos = NULL;
    }
    evn__listing_free(&list);
    return EVN_OK;
}
