// SPDX-License-Identifier: Apache-2.0
// Safetensors files of float32 and float64 tensors, and of bytes, which other frameworks read too.
//
// File: u64 little-endian N; N bytes of JSON: name → {dtype, shape, data_offsets}, and
// "__metadata__": text → text; then the tensors' bytes, without gaps. The format has no checksum,
// so the writer puts one into the metadata ("checksum", io/seal.h), and the reader verifies it
// where there is one. The reader refuses whatever a reader could disagree about.
#ifndef EVN_IO_SAFETENSORS_H
#define EVN_IO_SAFETENSORS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

enum { EVN__TENSOR_MAX_RANK = 8 };

typedef enum evn__dtype { EVN__U8, EVN__F32, EVN__F64 } evn__dtype; // from narrow to wide

typedef struct evn__tensor {
    const char *name; ///< UTF-8, 1 … 1,024 bytes, no control characters
    evn__dtype dtype;
    int rank;
    int64_t extent[EVN__TENSOR_MAX_RANK]; ///< C order; 0 is allowed
    const void *data;                     ///< from a file it is not aligned: use memcpy
    size_t bytes;                         ///< of data; set by the reader, not read by the writer
} evn__tensor;

typedef struct evn__key_value {
    const char *key, *value;
} evn__key_value;

/// A file in memory. It owns all that it points to.
typedef struct evn__safetensors evn__safetensors;

/// Write a file, whole or not at all. The same content gives the same bytes in whatever order it
/// comes. The keys "producer" and "checksum" of the metadata are the writer's.
/// @return EVN_ERR_ARGUMENT for content that the reader would refuse; EVN_ERR_OUTPUT
evn_status evn__safetensors_write(const char *path, const evn__tensor *tensors, int count,
                                  const evn__key_value *metadata, int metadata_count);

/// @return EVN_ERR_FILE; EVN_ERR_FORMAT with the rule that is broken, also for a wrong checksum
evn_status evn__safetensors_read(const char *path, evn__safetensors **file);

/// The same from memory, which is copied; messages lack the path.
evn_status evn__safetensors_parse(const unsigned char *data, size_t size, evn__safetensors **file);

void evn__safetensors_destroy(evn__safetensors **file); ///< nulls; accepts NULL

int evn__safetensors_count(const evn__safetensors *file);
/// Tensors in the order of their bytes in the file; borrowed.
const evn__tensor *evn__safetensors_tensor(const evn__safetensors *file, int index);
/// The tensor of that name, NULL when there is none; borrowed.
const evn__tensor *evn__safetensors_find(const evn__safetensors *file, const char *name);
/// The metadata's value, NULL when there is none; borrowed.
const char *evn__safetensors_metadata(const evn__safetensors *file, const char *key);

/// Whether the file holds exactly the `expected` tensors (name, dtype, shape), all finite.
/// @return EVN_ERR_DATA with the names of those missing, unexpected or of another shape;
///         EVN_ERR_NOT_FINITE with the tensor and the index of the number
evn_status evn__safetensors_match(const evn__safetensors *file, const evn__tensor *expected,
                                  int count);

#endif
