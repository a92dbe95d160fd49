// SPDX-License-Identifier: Apache-2.0
// The gradient in the times of a way along weights that are solved by themselves: that of x along
// their path, and what the path has of where it begins and ends: by its own solve from the one to
// the other, and by where x reads it (the span of path_series.h). Along steps it is exactly that of
// both, as each of them is.
#ifndef EVN_GRADIENTS_PATH_TIMES_H
#define EVN_GRADIENTS_PATH_TIMES_H

#include "gradients/scheme.h"
#include "gradients/weight_path.h"

typedef struct evn__path_times evn__path_times;

/// @param[in] x     goes along the path
/// @param[in] path  of a gradient in times; both outlive it
evn_status evn__path_times_create(const evn__scheme *x, evn__weight_path *path,
                                  evn__path_times **times);
void evn__path_times_destroy(evn__path_times **times); ///< nulls; accepts NULL

/// Before a solve of x, which begins where it is, after that of the path.
evn_status evn__path_times_begin(evn__path_times *times, const evn__passage *passage);

/// As the methods of a scheme; the passage is that along the path.
evn_status evn__path_times_take(const evn__path_times *times, const evn__passage *passage);
evn_status evn__path_times_read(const evn__path_times *times, double *bars, double *end_bars);

#endif
