// SPDX-License-Identifier: Apache-2.0
// What is known of a device between runs: JSON files in the cache folder, one a device and a kind.
// The name says platform and device; what else must agree stands inside, so that a file that no
// longer fits is found, and replaced, instead of left lying.
#ifndef EVN_HOST_DEVICE_FILE_H
#define EVN_HOST_DEVICE_FILE_H

#include "base/cache_folder.h"
#include "base/hash.h"
#include "evonode/device.h"
#include <jansson.h>

enum { EVN__DEVICE_FILE_WHY = 320 };

/// Append the path of the file WHAT-DEVICE-HASH.json; nothing where there is no cache folder. Where
/// there is no memory for it, the text has failed.
void evn__device_file_path(evn__text *path, const char *what, const evn_device_info *info);

/// Hash of the text of all kernels, as they are compiled.
void evn__kernels_digest(char text[EVN__HASH_TEXT]);

/// What a file must agree with: device, driver, the text of the kernels; NULL: no memory.
json_t *evn__device_file_key(const evn_device_info *info);

/// @return the file's object, released with json_decref; NULL, with the reason, where it cannot be
///         read or its key differs
json_t *evn__device_file_read(const char *path, json_t *key, char why[EVN__DEVICE_FILE_WHY]);

/// Put the value into the key under that name and write it, over an older file at once.
/// @return EVN_ERR_OUTPUT, EVN_ERR_MEMORY
evn_status evn__device_file_write(const char *path, json_t *key, const char *name, json_t *value);

#endif
