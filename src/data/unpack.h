// SPDX-License-Identifier: Apache-2.0
// Reads a file's content in order from memory, through gzip when it is gzipped.
#ifndef EVN_DATA_UNPACK_H
#define EVN_DATA_UNPACK_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define ZLIB_CONST // next_in points to const bytes
#include <zlib.h>

typedef struct evn__unpack {
    bool gzip;
    bool ended;      ///< the gzip member's checksum was read and is right
    z_stream stream; ///< its next_in and avail_in also serve a plain file
} evn__unpack;

/// `data` (at most INT32_MAX bytes) is borrowed until evn__unpack_close.
evn_status evn__unpack_open(evn__unpack *unpack, const uint8_t *data, size_t size);
void evn__unpack_close(evn__unpack *unpack);

/// An upper bound of the bytes still to come; exact for a plain file.
size_t evn__unpack_bound(const evn__unpack *unpack);

/// Read exactly `size` (1 … INT32_MAX) bytes. EVN_ERR_FORMAT when there are fewer, or damaged ones.
evn_status evn__unpack_read(evn__unpack *unpack, void *out, size_t size);

/// EVN_ERR_FORMAT unless all was read, gzip's checksum and length are right, and nothing follows.
evn_status evn__unpack_finish(evn__unpack *unpack);

#endif
