// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "host/cache.h"
#include "host/guard.h"
#include "host/list.h"
#include "host/probe.h"
#include "host/runtime.h"
#include "host/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/// The parts that do not depend on where context and queue come from.
static evn_status prepare(evn_device *device) {
    device->quirks = evn__quirks_of(&device->info);
    const char *guard = getenv("EVONODE_GUARD");
    device->guard = guard && strcmp(guard, "1") == 0;
    EVN_TRY(evn__cache_open(device));
    EVN_TRY(evn__probes_open(device));
    return evn__tuning_open(device);
}

static void CL_CALLBACK ignore_notice(const char *text, const void *data, size_t size, void *user) {
    (void)text, (void)data, (void)size, (void)user; // every call returns its code as well
}

static evn_status open_chosen(const evn_device_info *info, cl_device_id id, evn_device *device) {
    cl_int code;
    device->info = *info;
    device->id = id;
    EVN__TIMED(device, "opening the device (clCreateContext)",
               device->context = clCreateContext(NULL, 1, &id, ignore_notice, NULL, &code));
    EVN_CL_CHECK(code, "clCreateContext");
    // In order: what is enqueued first happens first. No profiling: it slows every launch.
    EVN__TIMED(device, "opening the device (clCreateCommandQueue)",
               device->queue = clCreateCommandQueue(device->context, id, 0, &code));
    EVN_CL_CHECK(code, "clCreateCommandQueue");
    return prepare(device);
}

/// Who chose, for people who wonder why it computes there.
static void note_choice(const evn__listing *list, const char *selector, bool given, int chosen,
                        char choice[EVN__CHOICE]) {
    if (strcasecmp(selector, "auto") == 0) {
        char reason[EVN__CHOICE - 8];
        evn__device_reason(list->infos, list->count, chosen, reason, sizeof(reason));
        snprintf(choice, EVN__CHOICE, "auto: %s", reason);
    } else {
        snprintf(choice, EVN__CHOICE, "%s%.256s",
                 given ? "--device " : "EVONODE_DEVICE=", selector);
    }
}

static evn_status open_selected(const evn__listing *list, const char *selector,
                                evn_device *device) {
    int chosen = 0;
    const char *variable = getenv("EVONODE_DEVICE");
    const char *word = selector ? selector : variable && variable[0] ? variable : "auto";
    EVN_TRY(evn__listing_check(list));
    EVN_TRY(evn__device_select(list->infos, list->count, word, &chosen));
    note_choice(list, word, selector, chosen, device->choice);
    evn_status status = open_chosen(&list->infos[chosen], list->ids[chosen], device);
    return status == EVN_OK ? EVN_OK : evn__prepend(status, "device %s", list->infos[chosen].name);
}

static evn_status open_listed(const char *selector, evn_device *device) {
    evn__listing list;
    evn_status status;
    EVN__TIMED(device, "loading the OpenCL drivers", status = evn__listing_make(&list));
    EVN_TRY(status);
    status = open_selected(&list, selector, device);
    evn__listing_free(&list);
    return status;
}

evn_status evn__device_open_under(const char *selector, evn__deadline *deadline,
                                  evn_device **device) {
    evn_status status = EVN_NEW(device, 1);
    if (status != EVN_OK) {
        evn__deadline_destroy(&deadline);
        return status;
    }
    (*device)->deadline = deadline;
    status = open_listed(selector, *device);
    if (status != EVN_OK) {
        evn_device_close(device);
    }
    return status;
}

evn_status evn_device_open(const char *selector, evn_device **device) {
    EVN_REQUIRE(device);
    *device = NULL;
    return evn__device_open_under(selector, NULL, device);
}

/// Where the id stands in the listing, −1 for one that is not listed (a sub-device).
static evn_status find_place(cl_device_id id, evn_device_info *info) {
    evn__listing list;
    EVN_TRY(evn__listing_make(&list));
    info->platform = info->device = info->index = -1;
    for (int i = 0; i < list.count; ++i) {
        if (list.ids[i] == id) {
            *info = list.infos[i];
        }
    }
    evn__listing_free(&list);
    return EVN_OK;
}

static evn_status describe_adopted(evn_device *device) {
    cl_platform_id platform;
    cl_context context;
    cl_command_queue_properties properties = 0;
    EVN_CL_CHECK(
        clGetCommandQueueInfo(device->queue, CL_QUEUE_CONTEXT, sizeof(context), &context, NULL),
        "clGetCommandQueueInfo");
    EVN_CHECK(context == device->context, EVN_ERR_ARGUMENT,
              "evn_device_adopt: the queue belongs to another context; pass the queue's own");
    EVN_CL_CHECK(clGetCommandQueueInfo(device->queue, CL_QUEUE_PROPERTIES, sizeof(properties),
                                       &properties, NULL),
                 "clGetCommandQueueInfo");
    EVN_CHECK(!(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE), EVN_ERR_ARGUMENT,
              "evn_device_adopt: the queue is out of order; create one without that property");
    EVN_CL_CHECK(clGetCommandQueueInfo(device->queue, CL_QUEUE_DEVICE, sizeof(device->id),
                                       &device->id, NULL),
                 "clGetCommandQueueInfo");
    EVN_CL_CHECK(clGetDeviceInfo(device->id, CL_DEVICE_PLATFORM, sizeof(platform), &platform, NULL),
                 "clGetDeviceInfo");
    EVN_TRY(evn__device_describe(platform, device->id, &device->info));
    EVN_TRY(find_place(device->id, &device->info));
    EVN_CHECK(device->info.usable, EVN_ERR_DEVICE_NAME,
              "evn_device_adopt: %s cannot be used: %s; adopt a queue of another device",
              device->info.name, device->info.unusable);
    return prepare(device);
}

/// What is not held is not released either.
static evn_status retain(cl_context context, cl_command_queue queue, evn_device *device) {
    EVN_CL_CHECK(clRetainContext(context), "clRetainContext");
    device->context = context;
    EVN_CL_CHECK(clRetainCommandQueue(queue), "clRetainCommandQueue");
    device->queue = queue;
    return EVN_OK;
}

evn_status evn_device_adopt(cl_context context, cl_command_queue queue, evn_device **device) {
    EVN_REQUIRE(device);
    *device = NULL;
    EVN_CHECK(context && queue, EVN_ERR_ARGUMENT,
              "evn_device_adopt: context or queue is NULL; pass both");
    EVN_TRY(EVN_NEW(device, 1));
    evn_status status = retain(context, queue, *device);
    if (status == EVN_OK) {
        status = describe_adopted(*device);
    }
    if (status != EVN_OK) {
        evn_device_close(device);
    }
    return status;
}

void evn_device_close(evn_device **device) {
    evn_device *old = device ? *device : NULL;
    if (!old) {
        return;
    }
    cl_int code = CL_SUCCESS;
    if (old->queue) {
        EVN__TIMED(old, "closing the device (clFinish)", code = clFinish(old->queue));
    }
    evn__kernels_free(old);
    if (code == CL_SUCCESS) { // else copies that nobody can wait for may still read it
        evn__staging_free(old);
    }
    if (old->queue) {
        EVN__TIMED(old, "closing the device (clReleaseCommandQueue)",
                   clReleaseCommandQueue(old->queue));
    }
    if (old->context) {
        EVN__TIMED(old, "closing the device (clReleaseContext)", clReleaseContext(old->context));
    }
    evn__deadline_free(old);
    free(old->compiler);
    free(old->cache_folder);
    json_decref(old->variants);
    free(old);
    *device = NULL;
}

const char *evn__device_choice(const evn_device *device) {
    return device->choice;
}

void evn__device_listen(evn_device *device, evn__listener *listener, void *user) {
    device->listener = listener;
    device->listener_user = user;
}

void evn__device_tell(evn_device *device, struct evn_plan *plan, bool made) {
    if (device->listener) {
        device->listener(device->listener_user, plan, made);
    }
}

const evn__quirks *evn__device_quirks(const evn_device *device) {
    return &device->quirks;
}

const evn_device_info *evn_device_get_info(const evn_device *device) {
    return device ? &device->info : NULL;
}

evn_device_stats evn_device_get_stats(const evn_device *device) {
    return device ? device->stats : (evn_device_stats){0};
}

evn_status evn_device_finish(evn_device *device) {
    EVN_REQUIRE(device);
    if (device->counting.on) {
        return EVN_OK;
    }
    device->stats.waits++;
    EVN_TRY(evn__queue_sleep(device));
    static const char what[] = "waiting for the device (clFinish)";
    evn__wait begun = evn__wait_begin(device, what);
    cl_int code = clFinish(device->queue);
    evn__wait_end(device, begun);
    EVN_CL_CHECK(code, what);
    return EVN_OK;
}

evn_status evn_device_flush(evn_device *device) {
    EVN_REQUIRE(device);
    EVN_CL_TIMED(device, "sending work to the device (clFlush)", clFlush(device->queue));
    return EVN_OK;
}

cl_command_queue evn_device_queue(const evn_device *device) {
    return device ? device->queue : NULL;
}
