// SPDX-License-Identifier: Apache-2.0
#include "cli/verb.h"
#include "host/tuning.h"

#include <stdio.h>
#include <stdlib.h>

static const double GIB = 1024.0 * 1024.0 * 1024.0;

/// Flat index of the device that "auto" takes; −1 when there is none.
static int find_auto(void) {
    evn_device *device = NULL;
    if (evn_device_open("auto", &device) != EVN_OK) {
        return -1;
    }
    int index = evn_device_get_info(device)->index;
    evn_device_close(&device);
    return index;
}

static void print_device(const evn_device_info *info, bool last, bool automatic) {
    const char *bar = last ? " " : "|";
    printf(" %s-- Device #%d: %s\n", last ? "`" : "+", info->device, info->name);
    printf(" %s     --device %d:%d or %d%s\n", bar, info->platform, info->device, info->index,
           automatic ? "; auto takes this one" : "");
    printf(" %s     %s, %d compute units at %d MHz, %.1f GiB memory, %.0f KiB local, %s\n", bar,
           evn_device_type_name(info->type), info->compute_units, info->clock_mhz,
           (double)info->global_bytes / GIB, (double)info->local_bytes / 1024,
           info->has_fp64 ? "fp64" : "no fp64");
    printf(" %s     %s, driver %s, %s\n", bar, info->vendor, info->driver, info->version);
    if (info->usable) {
        evn__text line = {0};
        evn__tuning_describe(info, &line);
        printf(" %s     %s\n", bar, line.data ? line.data : "");
        free(line.data);
    } else {
        printf(" %s     cannot be used: %s\n", bar, info->unusable);
    }
}

static void print_all(const evn_device_info *infos, int count, int automatic) {
    for (int i = 0; i < count; ++i) {
        bool first = i == 0 || infos[i].platform != infos[i - 1].platform;
        bool last = i == count - 1 || infos[i].platform != infos[i + 1].platform;
        if (first) {
            printf("Platform #%d: %s\n", infos[i].platform, infos[i].platform_name);
        }
        print_device(&infos[i], last, infos[i].index == automatic);
    }
}

static json_t *device_object(const evn_device_info *info) {
    char selector[32];
    snprintf(selector, sizeof(selector), "%d:%d", info->platform, info->device);
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I,"
                     " s:b, s:b, s:b, s:s}",
                     "selector", selector, "index", info->index, "name", info->name, "type",
                     evn_device_type_name(info->type), "vendor", info->vendor, "driver",
                     info->driver, "version", info->version, "platform", info->platform_name,
                     "platform_version", info->platform_version, "compute_units",
                     info->compute_units, "clock_mhz", info->clock_mhz, "global_bytes",
                     (json_int_t)info->global_bytes, "local_bytes", (json_int_t)info->local_bytes,
                     "max_allocation_bytes", (json_int_t)info->max_allocation_bytes,
                     "max_work_group", (json_int_t)info->max_work_group, "fp64", info->has_fp64,
                     "fp16", info->has_fp16, "usable", info->usable, "unusable", info->unusable);
}

static evn_status print_json(const evn_device_info *infos, int count, int automatic) {
    json_t *devices = json_array();
    for (int i = 0; i < count; ++i) {
        json_array_append_new(devices, device_object(&infos[i]));
    }
    json_t *root =
        json_pack("{s:o, s:o}", "auto", automatic >= 0 ? json_integer(automatic) : json_null(),
                  "devices", devices);
    EVN_CHECK(root, EVN_ERR_MEMORY, "no memory for the list of %d devices", count);
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    evn_device_info *infos = NULL;
    int count;
    EVN_TRY(evn_device_list(&infos, &count));
    int automatic = count > 0 ? find_auto() : -1;
    evn_status status = EVN_OK;
    if (command->settings->json) {
        status = print_json(infos, count, automatic);
    } else {
        print_all(infos, count, automatic);
    }
    free(infos);
    EVN_TRY(status);
    EVN_CHECK(automatic >= 0, EVN_ERR_NO_DEVICE, "none of the %d devices can be used", count);
    return EVN_OK;
}

const evn__verb evn__verb_devices = {
    "devices",         NULL, "list the OpenCL devices, in the order of clinfo -l",
    EVN__VERB_DEVICES, run,  ""};
