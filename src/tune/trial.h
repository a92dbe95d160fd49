// SPDX-License-Identifier: Apache-2.0
// A trial: a graph with numbers for its inputs and the results that the reference gives for them,
// against which any number of plans of the graph can be checked and timed.
#ifndef EVN_TUNE_TRIAL_H
#define EVN_TUNE_TRIAL_H

#include "evonode/plan.h"

typedef struct evn__trial evn__trial;

/// Numbers for an input of `count` elements.
typedef void evn__fill(uint64_t seed, double *data, int64_t count);

evn__fill evn__fill_uniform; ///< in [−1, 1)

/// Each input and output gets a buffer of its own, at an odd offset; the reference starts from the
/// inputs as the working precision has them. `graph` is borrowed.
evn_status evn__trial_create(evn_device *device, const evn_graph *graph, bool fp64, evn__fill *fill,
                             evn__trial **trial);
void evn__trial_destroy(evn__trial **trial); ///< nulls; accepts NULL

/// From here on plans are made over samples, and timed as a solver's steps are run (plan/repeat.h).
/// @param[in] names  as in evn_plan_options, borrowed; NULL: not so
void evn__trial_by_sample(evn__trial *trial, const char *const *names);

/// Compile the graph for the device as it is tuned now; destroyed by the caller.
evn_status evn__trial_plan(const evn__trial *trial, evn_plan **plan);

/// Run and compare: the largest |got − expected| / max(1, max |expected|) of an output, infinite
/// where one is not a number and the other is, or not finite and the other is.
evn_status evn__trial_check(evn__trial *trial, evn_plan *plan, double *error);

/// Run again, after evn__trial_check, and say whether all bits are the same.
evn_status evn__trial_repeats(evn__trial *trial, evn_plan *plan, bool *same);

/// The errors of each output, [outputs], that evn__trial_check found last; the trial's.
const double *evn__trial_errors(const evn__trial *trial);

/// How much the reference's own results change when the inputs, and what is computed on the way, do
/// in the sixth digit, measured as by evn__trial_check: what rounding may make of them, sums that
/// are 0 but for it included. Infinite where one is NaN here and not there.
/// @param[out] changes  [outputs]
evn_status evn__trial_sensitivity(const evn__trial *trial, double *changes);

/// Seconds of one run, as the mean over `count` that are enqueued together.
evn_status evn__trial_time(evn__trial *trial, evn_plan *plan, int count, double *seconds);

#endif
