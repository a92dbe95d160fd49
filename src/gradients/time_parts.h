// SPDX-License-Identifier: Apache-2.0
// The gradient in the times of a way in parts (parts.h): each part has one in where it begins and
// ends, and in what is observed between (time_gradient.h). Where two meet, at a jump, their sum is
// that of the jump: λ·(f before − f behind), exactly that of the steps where the gradient is.
#ifndef EVN_GRADIENTS_TIME_PARTS_H
#define EVN_GRADIENTS_TIME_PARTS_H

#include "gradients/parts.h"
#include "gradients/seams.h"
#include "gradients/time_gradient.h"

struct evn__time_parts {
    evn__time_gradient *part; ///< of any of them
    size_t moments, samples;
    double *bars;  ///< [moments, samples]: t0, then observations, or t1
    double *jumps; ///< [jump_count], of all samples together
    int jump_count;
    double *of_part;   ///< as evn__time_gradient_read_moments has them, of the part that was last
    size_t part_count; ///< how many
};

/// @param[in] whole  the problem with jumps
/// @param[in] inner  goes the parts, of a problem without; both outlive it
evn_status evn__time_parts_create(const evn__problem *whole, const evn__scheme *inner,
                                  evn__time_parts **parts);
void evn__time_parts_destroy(evn__time_parts **parts); ///< nulls; accepts NULL

/// Before a gradient.
void evn__time_parts_clear(evn__time_parts *parts);

/// After that of a part, whose beginning is in the seams at `place`: have it in `of_part`. Waits.
evn_status evn__time_parts_take(evn__time_parts *parts, const evn__scheme *inner,
                                const evn__passage *passage, const evn__seams *seams, int place);

/// Of that part and a sample.
double evn__time_parts_begin_bar(const evn__time_parts *parts, size_t sample);
double evn__time_parts_observed_bar(const evn__time_parts *parts, size_t index, size_t sample);
/// Without observations all that the end has, else what comes from behind it.
double evn__time_parts_end_bar(const evn__time_parts *parts, bool observes, size_t sample);

/// What the time has that an observation is made at.
double *evn__time_parts_observation(const evn__time_parts *parts, size_t index, size_t sample);
/// What the time has at which a sample's part `index` begins; behind its last, t1.
double *evn__time_parts_meeting(const evn__time_parts *parts, const evn__parts *of, int index,
                                size_t sample);

#endif
