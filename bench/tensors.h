// SPDX-License-Identifier: Apache-2.0
// Named arrays gathered for a safetensors file, in single precision.
#ifndef EVN_BENCH_TENSORS_H
#define EVN_BENCH_TENSORS_H

#include "base/memory.h"
#include "evonode/parameters.h"
#include "io/safetensors.h"

/// Zero-initialise.
typedef struct bench_tensors {
    evn__arena arena;
    evn__tensor *list;
    int count, capacity;
} bench_tensors;

/// Copy `data` [shape] under a name.
evn_status bench_tensors_add(bench_tensors *tensors, const char *name, evn_shape shape,
                             const double *data);
/// The same from the device. Waits.
evn_status bench_tensors_read(bench_tensors *tensors, const char *name, evn_shape shape,
                              evn_binding from);
/// All parameters by name, or their gradients as NAME_bar. Waits.
evn_status bench_tensors_parameters(bench_tensors *tensors, const evn_parameters *parameters);
evn_status bench_tensors_gradients(bench_tensors *tensors, const evn_parameters *parameters);

/// Write FOLDER/NAME.safetensors.
evn_status bench_tensors_write(const bench_tensors *tensors, const char *folder, const char *name);
void bench_tensors_free(bench_tensors *tensors);

#endif
