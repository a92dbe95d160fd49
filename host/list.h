// SPDX-License-Identifier: Apache-2.0
// All platforms and devices that the loader knows. One platform that fails costs its own devices.
#ifndef EVN_HOST_LIST_H
#define EVN_HOST_LIST_H

#include "evonode/cl.h"
#include "evonode/device.h"

typedef struct evn__platform {
    int number;                    ///< in the order of clinfo -l
    int devices;                   ///< how many it gives
    char name[EVN_DEVICE_TEXT];    ///< CL_PLATFORM_NAME
    char failure[EVN_DEVICE_TEXT]; ///< why its devices cannot be listed; "": they can
} evn__platform;

/// Devices and their ids grow together; the id is NULL for the entry of a platform that fails.
typedef struct evn__listing {
    evn_device_info *infos;
    cl_device_id *ids;
    evn__platform *platforms;
    int count, platform_count, info_capacity, id_capacity, platform_capacity;
    bool lacks_memory; ///< the loader had none while it looked for platforms: some may be missing
} evn__listing;

/// @return EVN_OK also when there is nothing; EVN_ERR_DEVICE where the loader itself fails
evn_status evn__listing_make(evn__listing *list);
void evn__listing_free(evn__listing *list);

/// @return EVN_ERR_NO_DEVICE, with what is missing and how to mend it, where it has no device;
///         EVN_ERR_MEMORY where that is why
evn_status evn__listing_check(const evn__listing *list);

/// Who chose an open device: "--device 0:0", "EVONODE_DEVICE=cpu", "auto: the only usable device".
const char *evn__device_choice(const evn_device *device);

/// Index of the device that "auto" takes and why; −1 where none can be used.
int evn__device_auto(const evn_device_info *infos, int count, char *reason, size_t size);

#endif
