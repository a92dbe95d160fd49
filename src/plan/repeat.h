// SPDX-License-Identifier: Apache-2.0
// A plan run many times in a row, as a solver's steps are. Kernels over samples (samples.h) do
// several runs in one launch: the first kernel all its runs, then the second, and so on, as far as
// no kernel needs in a run what a later one has left in the run before. Where work-items cooperate,
// all of it is one launch: stage after stage in the same way, or else run after run. Other plans
// run as they would alone.
#ifndef EVN_PLAN_REPEAT_H
#define EVN_PLAN_REPEAT_H

#include "evonode/plan.h"

typedef struct evn__repeat evn__repeat;

/// `count` runs of phase `phase`. Run i has inputs[i][input], outputs[i][output] and saved[i]
/// bound, the arrays being in C order.
typedef struct evn__runs {
    int phase, count;
    const evn_binding *inputs, *outputs, *saved;
} evn__runs;

/// Prepare runs; the arrays are copied. Waits for the device. The plan outlives them.
evn_status evn__repeat_create(evn_plan *plan, const evn__runs *runs, evn__repeat **repeat);
void evn__repeat_destroy(evn__repeat **repeat); ///< nulls; accepts NULL

/// Whether these are the runs that were prepared.
bool evn__repeat_is(const evn__repeat *repeat, const evn__runs *runs);

/// Enqueues only.
evn_status evn__repeat_run(const evn__repeat *repeat);

/// Launches of evn__repeat_run.
int evn__repeat_launches(const evn__repeat *repeat);

#endif
