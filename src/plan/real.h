// SPDX-License-Identifier: Apache-2.0
// Host arrays of double to and from device memory of a plan's real. Offsets and counts in elements.
#ifndef EVN_PLAN_REAL_H
#define EVN_PLAN_REAL_H

#include "evonode/plan.h"
#include "host/counting.h"

static inline size_t evn__real_bytes(bool fp64) {
    return fp64 ? sizeof(double) : sizeof(float);
}

/// EVN_ERR_ARGUMENT unless the binding has a buffer with room for `count` elements at its offset.
/// @param[in] kind, name  for the message: "input", "x"
evn_status evn__real_check(evn_binding at, bool fp64, size_t count, const char *kind,
                           const char *name);

/// Whether `a_count` elements of one binding and `b_count` of another share memory.
static inline bool evn__real_overlap(evn_binding a, size_t a_count, evn_binding b, size_t b_count) {
    return a.buffer == b.buffer && a.offset < b.offset + b_count && b.offset < a.offset + a_count;
}

/// Elements rounded up so that what follows begins at a cache line of floats.
static inline size_t evn__real_aligned(size_t elements) {
    enum { LINE = 16 };
    return (elements + LINE - 1) / LINE * LINE;
}

/// Copy floats to memory of floats; waits.
static inline evn_status evn__real_write_floats(evn_binding to, const float *data, size_t count) {
    return evn_buffer_write(to.buffer, to.offset * sizeof(float), count * sizeof(float), data);
}

/// Waits; rounds to float unless fp64.
evn_status evn__real_write(evn_binding to, bool fp64, const double *data, size_t count);
/// Waits.
evn_status evn__real_read(evn_binding from, bool fp64, double *data, size_t count);
/// Enqueue a device-side copy; of a place onto itself, nothing.
evn_status evn__real_copy(evn_binding to, evn_binding from, bool fp64, size_t count);
/// Enqueue zeros.
evn_status evn__real_zero(evn_binding to, bool fp64, size_t count);
/// A buffer of `count` reals (at least one, so that nothing is a special case).
evn_status evn__real_create_for(evn_device *device, evn__use use, bool fp64, size_t count,
                                evn_buffer **buffer);
/// The same, for plans.
evn_status evn__real_create(evn_device *device, bool fp64, size_t count, evn_buffer **buffer);

#endif
