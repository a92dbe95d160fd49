// SPDX-License-Identifier: Apache-2.0
// Many programs at once. While a batch is open, kernels are named and nothing is compiled; when it
// ends, all is, by several processes where that takes long: PoCL compiles one kernel at a time in a
// process, and a kernel not before its first launch. They leave what they compile in the
// implementation's cache on disk, or in ours, where this process then finds it. Whatever happens to
// them, this process compiles what it does not find.
#ifndef EVN_HOST_BATCH_H
#define EVN_HOST_BATCH_H

#include "host/kernel.h"

/// From here on nothing is compiled before it is launched. A batch within another is part of it.
evn_status evn__batch_begin(evn_device *device);

/// The kernel will be launched so: arguments of these kinds, in work-groups of this size. Outside
/// of a batch nothing happens.
evn_status evn__batch_expect(evn__kernel *kernel, const evn__argument_kind *kinds, int count,
                             const evn__range *range);

/// Compile what has waited, unless `compile` is false: then that is done at the first launches.
/// @return the first failure, EVN_ERR_BUILD as evn__kernel_get; the batch has ended all the same
evn_status evn__batch_end(evn_device *device, bool compile);

/// The program that compiles beside this process: `program` EVN__COMPILER_WORD SELECTOR calls
/// evn__compiler_serve. Without it a batch is compiled by this process alone.
/// @param seconds  for a program or a kernel: a process that takes longer is ended
evn_status evn__device_set_compiler(evn_device *device, const char *program, double seconds);

#define EVN__COMPILER_WORD "--compile-kernels"

/// Compile for the device of that name what comes in by standard input, until its end.
evn_status evn__compiler_serve(const char *selector);

#endif
