// SPDX-License-Identifier: Apache-2.0
// A row is added only for something seen on a device or written by its vendor, with the reason.
#include "host/quirks.h"

#include <string.h>

// What work-groups tell each other by atomics needs memory that is ordered. x86-64 orders loads and
// stores by itself; PoCL's (3.1) mem_fence is no instruction there, and was not looked at
// elsewhere.
#ifdef __x86_64__
enum { ORDERED = true };
#else
enum { ORDERED = false };
#endif

bool evn__memory_is_ordered(void) {
    return ORDERED;
}

static const struct {
    const char *platform; ///< part of CL_PLATFORM_NAME
    evn__quirks quirks;
} table[] = {
    // PoCL keeps compiled kernels under ~/.cache/pocl. Asking it for binaries is also harmful: it
    // then compiles every kernel once more, generically, for any work-group size. It runs each
    // program through the preprocessor, with clang's header of all built-in functions, before it
    // looks into its cache: 17 ms, a third of it without that header. On CPUs its work-groups run
    // in threads of the operating system, one after the other in each.
    {"Portable Computing Language",
     {.caches_programs = true,
      .costly_programs = true,
      .compiles_at_launch = true,
      .reads_builtins = true,
      .known = true,
      .groups_progress = ORDERED,
      .long_vectors = ORDERED}},
    // NVIDIA's driver keeps compiled programs under ~/.nv/ComputeCache; its "binary" is PTX text,
    // which would still have to be compiled.
    {"NVIDIA CUDA", {.caches_programs = true}},
    // rusticl uses Mesa's shader cache, and (22.3) aborts the process on a binary that it does not
    // understand, where others return an error that we could answer with a new compilation. Its
    // llvmpipe (22.3) ends loops when a work-item has gone through them 65,535 times in all: one of
    // 1000 x 70 iterations did 63,715.
    {"rusticl", {.caches_programs = true, .short_loops = true}},
};

evn__quirks evn__quirks_of(const evn_device_info *info) {
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i) {
        if (strstr(info->platform_name, table[i].platform)) {
            evn__quirks found = table[i].quirks;
            if (info->type !=
                EVN_DEVICE_CPU) { // PoCL has GPUs too, whose work-groups no thread runs
                found.known = found.groups_progress = found.long_vectors = false;
            }
            return found;
        }
    }
    return (evn__quirks){0};
}
