// SPDX-License-Identifier: Apache-2.0
// A program's text on its way to the compiler.
#ifndef EVN_HOST_BUILD_H
#define EVN_HOST_BUILD_H

#include "base/memory.h"
#include "host/runtime.h"

/// Text and options are complete, but for what compiling with kernels/builtins.h adds.
typedef struct evn__build {
    char *name;     ///< for messages
    evn__text text; ///< begins with kernels/builtins.h where it has a head
    size_t head;    ///< bytes of it, which are left out where that fails; 0: none
    evn__text options;
    cl_program program; ///< NULL until it is made
} evn__build;

/// Load the program from the disk cache or compile it; nothing where that is done.
/// @return EVN_ERR_BUILD with device, driver, options and the head of the build log
evn_status evn__build_make(evn_device *device, evn__build *build);

/// Of the device that made its program, NULL where none is made; the build may be NULL, too.
void evn__build_free(const evn_device *device, evn__build *build);

#endif
