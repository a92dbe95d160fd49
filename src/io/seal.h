// SPDX-License-Identifier: Apache-2.0
// The checksum of a safetensors file, which the format itself lacks: of all that its header says
// and of the tensors' bytes. The order and spacing of the header's text do not count, so that a
// program that copies the metadata without a change of anything keeps it valid.
#ifndef EVN_IO_SEAL_H
#define EVN_IO_SEAL_H

#include "base/status.h"
#include <jansson.h>
#include <stdbool.h>

enum { EVN__SEAL_SIZE = sizeof("xxh3-all:0123456789abcdef") };

/// Whether the text begins as that of a seal; of earlier versions it was of the bytes alone.
bool evn__seal_is_whole(const char *text);

/// @param[in] header  the whole header, which has metadata, with or without a checksum
/// @param[in] data    [size], the tensors' bytes
/// @return EVN_ERR_MEMORY
evn_status evn__seal_of(const json_t *header, const unsigned char *data, size_t size,
                        char text[EVN__SEAL_SIZE]);

/// As earlier versions wrote it.
void evn__seal_of_data(const unsigned char *data, size_t size, char text[EVN__SEAL_SIZE]);

#endif
