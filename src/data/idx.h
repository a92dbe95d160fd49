// SPDX-License-Identifier: Apache-2.0
// IDX files of unsigned bytes, the format of MNIST: two zero bytes, type 8, rank, the extents as
// big-endian 32-bit integers, then exactly as many bytes as the extents say. Whether a file is
// gzipped is told by its content; it is then one gzip member with nothing after it.
#ifndef EVN_DATA_IDX_H
#define EVN_DATA_IDX_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

enum { EVN__IDX_MAX_RANK = 4 };

typedef struct evn__idx {
    int rank;                          ///< 1 … EVN__IDX_MAX_RANK
    int64_t extent[EVN__IDX_MAX_RANK]; ///< >= 1; their product is at most INT32_MAX
    uint8_t *bytes;                    ///< in C order; owned
} evn__idx;

/// Parse a whole file in memory. Never allocates more than the header states, nor more than twice
/// of what was unpacked. EVN_ERR_FORMAT for whatever is not as above.
evn_status evn__idx_parse(const uint8_t *data, size_t size, evn__idx *idx);

/// The rank and extents that a file's header states, and no bytes: whether files fit together is
/// known before anything is unpacked. As evn__idx_read.
evn_status evn__idx_outline(const char *path, evn__idx *idx);

/// Read and parse a file; messages begin with its path.
evn_status evn__idx_read(const char *path, evn__idx *idx);

void evn__idx_free(evn__idx *idx); ///< nulls bytes; accepts NULL bytes

#endif
