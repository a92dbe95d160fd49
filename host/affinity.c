// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE // sched_getaffinity
#include "host/affinity.h"

#include <stdlib.h>
#ifdef __linux__
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

static bool may_run_anywhere(void) {
    cpu_set_t allowed;
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    if (processors > CPU_SETSIZE || sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return false;
    }
    return CPU_COUNT(&allowed) == processors;
}

void evn__affinity_prepare(void) {
    if (may_run_anywhere()) {
        setenv("POCL_AFFINITY", "1", 0);
    }
}
#else
void evn__affinity_prepare(void) {
}
#endif

void evn__affinity_release(void) {
    setenv("POCL_AFFINITY", "0", 1);
}
