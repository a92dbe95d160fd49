// SPDX-License-Identifier: Apache-2.0
#include "host/device_json.h"

json_t *evn__device_json(const evn_device_info *info) {
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:b,"
        " s:b}",
        "name", info->name, "type", evn_device_type_name(info->type), "vendor", info->vendor,
        "driver", info->driver, "version", info->version, "platform", info->platform_name,
        "platform_version", info->platform_version, "compute_units", info->compute_units,
        "clock_mhz", info->clock_mhz, "vector_width", info->vector_width, "global_bytes",
        (json_int_t)info->global_bytes, "local_bytes", (json_int_t)info->local_bytes,
        "max_allocation_bytes", (json_int_t)info->max_allocation_bytes, "max_work_group",
        (json_int_t)info->max_work_group, "fp64", info->has_fp64, "fp16", info->has_fp16);
}
