// SPDX-License-Identifier: Apache-2.0
// Named arrays gathered for a safetensors file, in single precision.
#ifndef EVN_BENCH_TENSORS_H
#define EVN_BENCH_TENSORS_H

#include "base/memory.h"
#include "evonode/parameters.h"
#include "io/safetensors.h"

/// Zero-initialise.
typedef struct evn__bench_tensors {
    evn__arena arena;
    evn__tensor *list;
    int count, capacity;
} evn__bench_tensors;

/// Copy `data` [shape] under a name.
evn_status evn__bench_tensors_add(evn__bench_tensors *tensors, const char *name, evn_shape shape,
                                  const double *data);
/// The same from the device. Waits.
evn_status evn__bench_tensors_read(evn__bench_tensors *tensors, const char *name, evn_shape shape,
                                   evn_binding from);
/// All parameters by name, or their gradients as NAME_bar. Waits.
evn_status evn__bench_tensors_parameters(evn__bench_tensors *tensors,
                                         const evn_parameters *parameters);
evn_status evn__bench_tensors_gradients(evn__bench_tensors *tensors,
                                        const evn_parameters *parameters);

/// Write FOLDER/NAME.safetensors.
evn_status evn__bench_tensors_write(const evn__bench_tensors *tensors, const char *folder,
                                    const char *name);
void evn__bench_tensors_free(evn__bench_tensors *tensors);

#endif
