// SPDX-License-Identifier: Apache-2.0
// A loop over the elements of long rows, in which all values join that read each other at the same
// element only, and the sums over them.
#ifndef EVN_SAMPLES_ROW_LOOP_H
#define EVN_SAMPLES_ROW_LOOP_H

#include "samples/emission.h"

/// Elements of the loop that computes the value: 0 where it is unrolled.
int64_t evn__row_loop_extent(const evn__emission *e, evn_value value);

/// Two long axes, or parts put together: a loop of its own.
bool evn__row_is_nest(const evn__emission *e, evn_value value);

/// Append the loop that computes `first`, and all that can join it.
void evn__row_write_loop(evn__emission *e, evn_value first);

/// Append the loop over `extent` elements with that body (NULL: none), each iteration of which
/// leaves the sums that wait, or more where some did not: as many iterations as there is room for
/// wait together.
void evn__row_append_loop(evn__emission *e, int64_t extent, const char *body);

/// The element that the loop is at.
static inline evn__affine evn__row_loop_variable(void) {
    return evn__affine_of(EVN__VAR_J, 0);
}

#endif
