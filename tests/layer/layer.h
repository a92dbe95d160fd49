// SPDX-License-Identifier: Apache-2.0
// An OpenCL layer: it stands between the loader and the implementation and sees each call. What it
// does there are uses, each in a file of its own and chosen by environment (README.md).
#ifndef EVN_LAYER_H
#define EVN_LAYER_H

// The loader's table is that of its newest version, whatever the library is written for.
#undef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl_layer.h>

/// A use begins where `variable` is set and not empty: it keeps a copy of `table`, which leads to
/// what is below it, and puts its own functions into it. `value` is the variable's.
typedef void layer_begin(const char *value, cl_icd_dispatch *table);

layer_begin layer_costume_begin, layer_fault_begin, layer_write_begin, layer_count_begin;

/// Says what is wrong and ends the process with code 2: a loader passes over a layer that does not
/// start, and the test would then run without it.
_Noreturn void layer_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// The faults of a process that runs under the layer with any, from now on these; NULL: none.
/// Returns how many calls there have been since the last plan. For tests/support/sweep.h, which
/// finds it in the loaded layer.
long evn_layer_plan(const char *value);

#endif
