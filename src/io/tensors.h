// SPDX-License-Identifier: Apache-2.0
// The parameters of a model on the host, as a safetensors file has them.
#ifndef EVN_IO_TENSORS_H
#define EVN_IO_TENSORS_H

#include "base/memory.h"
#include "evonode/parameters.h"
#include "io/safetensors.h"

/// A tensor for each parameter, in their order. Zero-initialise; freed with evn__tensors_free, also
/// after a failure.
typedef struct evn__tensors {
    evn__arena arena; ///< of items and their data
    evn__tensor *items;
    int count;
} evn__tensors;

/// Names and shapes, without data; there is room for `further` items behind.
evn_status evn__tensors_describe(const evn_parameters *parameters, int further, evn__tensors *all);

/// The same with the values, as float32. Waits.
/// @return EVN_ERR_NOT_FINITE with the name of a parameter that is not
evn_status evn__tensors_fetch(const evn_parameters *parameters, int further, evn__tensors *all);

/// The reverse, from a file that has them all (evn__safetensors_match).
evn_status evn__tensors_store(evn_parameters *parameters, const evn__safetensors *file);

void evn__tensors_free(evn__tensors *all);

#endif
