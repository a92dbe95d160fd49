// SPDX-License-Identifier: Apache-2.0
// Compiled programs on disk, where the implementation does not keep them itself.
// EVONODE_CACHE_DIR names the folder ("0", "off" or "none": no cache); without it
// $XDG_CACHE_HOME/evonode/cl-cache, else ~/.cache/evonode/cl-cache. EVONODE_CACHE=force uses the
// cache also where it is bypassed (host/quirks.c), for tests.
// Nothing here makes a run fail: an entry that does not check is compiled anew.
#ifndef EVN_HOST_CACHE_H
#define EVN_HOST_CACHE_H

#include "base/cache_folder.h"
#include "host/runtime.h"

/// Decide where the device's cache is, if it has one. Makes nothing on disk.
evn_status evn__cache_open(evn_device *device);

/// The built program of text and options; NULL when it has to be compiled. Owned by the caller.
cl_program evn__cache_load(const evn_device *device, const char *text, const char *options);

/// The binary in the contents of an entry, into which it points; NULL unless every check holds.
const unsigned char *evn__cache_find(const unsigned char *data, size_t bytes, const evn__text *key,
                                     size_t *binary_bytes);

/// Keep a freshly built program, replacing what there was.
void evn__cache_store(const evn_device *device, const char *text, const char *options,
                      cl_program program);

#endif
