// SPDX-License-Identifier: Apache-2.0
// Kernels that will be needed. In counting mode (host/counting.h) nothing is compiled or launched;
// while a forecast is open as well, what would be is noted. When it ends, all of that is compiled
// by several processes, where it is new: PoCL compiles one kernel at a time in a process, and a
// kernel not before its first launch. They leave it in the implementation's cache on disk, or in
// ours, where this process then finds it. Whatever happens to them, this process compiles what it
// does not find.
#ifndef EVN_HOST_FORECAST_H
#define EVN_HOST_FORECAST_H

#include "host/kernel.h"

/// From here on kernels are named, and made when they are got again or launched in earnest.
evn_status evn__forecast_begin(evn_device *device);

/// A launch that will come. Nothing without a forecast.
evn_status evn__forecast_add(evn__kernel *kernel, const evn__argument *arguments, int count,
                             const evn__range *range);

/// Work-items of the largest work-group that a launch of the kernel was noted with; 0: its launches
/// leave that to the implementation, or there were none.
size_t evn__forecast_group(const evn_device *device, const evn__kernel *kernel);

/// Have what was noted compiled, where that is wanted and worth it. What does not compile is found
/// by whoever needs it.
evn_status evn__forecast_end(evn_device *device, bool wanted);

/// The program that compiles beside this process: `program` EVN__COMPILER_WORD SELECTOR calls
/// evn__compiler_serve. Without it this process compiles alone.
/// @param seconds  for a program or a kernel: a process that takes longer is ended
evn_status evn__device_set_compiler(evn_device *device, const char *program, double seconds);

#define EVN__COMPILER_WORD "--compile-kernels"

/// Compile for the device of that name what comes in by standard input, until its end.
evn_status evn__compiler_serve(const char *selector);

#endif
