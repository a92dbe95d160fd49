// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

static double read_clock(clockid_t clock) {
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double evn__now(void) {
    return read_clock(CLOCK_MONOTONIC);
}

double evn__processor_seconds(void) {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double evn__thread_seconds(void) {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
