// SPDX-License-Identifier: Apache-2.0
#include "solver/dense_output.h"

#include "base/memory.h"
#include "integrator/layout.h"
#include <math.h>
#include <stdlib.h>

struct evn__dense_output {
    const evn__problem *problem;
    evn__dense *dense; ///< NULL: it was not needed yet
    evn__layout layout;
    evn_buffer *start; ///< [layout.total], the state at t0
    evn__trail fixed;  ///< the course's steps
    bool gone;         ///< the steps of the last solve, once more
};

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn__dense_output *o) {
    const evn__problem *p = o->problem;
    EVN_TRY(evn__layout_create(p->system, &o->layout));
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64, o->layout.total,
                                &o->start);
}

evn_status evn__dense_output_create(const evn__problem *problem, evn__dense_output **output) {
    EVN_TRY(EVN_NEW(output, 1));
    (*output)->problem = problem;
    evn_status status = create(*output);
    if (status != EVN_OK) {
        evn__dense_output_destroy(output);
    }
    return status;
}

void evn__dense_output_destroy(evn__dense_output **output) {
    evn__dense_output *o = *output;
    if (!o) {
        return;
    }
    evn__dense_destroy(&o->dense);
    evn__layout_free(&o->layout);
    evn__trail_free(&o->fixed);
    evn_buffer_destroy(&o->start);
    free(o);
    *output = NULL;
}

// A solve -----------------------------------------------------------------------------------------

static evn_binding start_of(const evn__dense_output *o, int index) {
    return (evn_binding){o->start, o->layout.offset[index]};
}

evn_status evn__dense_output_start(evn__dense_output *o, int index, evn_binding value) {
    o->gone = false;
    return evn__real_copy(start_of(o, index), value, o->problem->options->fp64,
                          o->layout.size[index]);
}

/// The steps once more, unless that is done.
static evn_status go(evn__dense_output *o, const evn__passage *passage, const evn__trail *trail) {
    EVN_TRY(o->dense ? EVN_OK
                     : evn__dense_create(o->problem, "take observations in place of dense output",
                                         &o->dense));
    EVN_TRY(o->gone
                ? EVN_OK
                : evn__dense_go(o->dense, trail, (evn_binding){o->start, 0}, passage->parameters));
    o->gone = true;
    return EVN_OK;
}

// Times -------------------------------------------------------------------------------------------

/// The last step that begins no later than t, in the direction of the way.
static int find_step(const evn__trail *trail, const evn__passage *passage, double t) {
    double way = passage->t1 < passage->t0 ? -1 : 1;
    int low = 0, high = trail->count - 1;
    while (low < high) {
        int middle = low + (high - low + 1) / 2;
        bool begins = way * (t - trail->steps[middle].t) >= 0;
        low = begins ? middle : low;
        high = begins ? high : middle - 1;
    }
    return low;
}

/// Both ends are states of the solve.
static evn__dense_place place_of(const evn__trail *trail, const evn__passage *passage, double t) {
    double way = passage->t1 < passage->t0 ? -1 : 1;
    if (way * (t - passage->t0) <= 0 || way * (t - passage->t1) >= 0) {
        return (evn__dense_place){way * (t - passage->t0) <= 0 ? 0 : trail->count, 0};
    }
    int step = find_step(trail, passage, t);
    const evn__tread *tread = &trail->steps[step];
    return (evn__dense_place){step, fmin(fmax((t - tread->t) / tread->dt, 0), 1)};
}

/// The steps of the last solve.
static evn_status take_trail(evn__dense_output *o, const evn__passage *passage,
                             const evn__trail **trail) {
    const evn__problem *p = o->problem;
    if (*trail) {
        return EVN_OK;
    }
    *trail = &o->fixed;
    return passage->t0 != passage->t1
               ? evn__trail_set(&o->fixed, p->course, p->options->fp64, passage->t0, passage->t1)
               : EVN_OK;
}

/// Without steps all is as it began.
static evn_status repeat_start(const evn__dense_output *o, int count, int index, evn_binding to) {
    for (int i = 0; i < count; ++i) {
        EVN_TRY(evn__real_copy(to, start_of(o, index), o->problem->options->fp64,
                               o->layout.size[index]));
        to.offset += o->layout.size[index];
    }
    return EVN_OK;
}

static evn_status interpolate(evn__dense *dense, const evn__passage *passage,
                              const evn__trail *trail, const double *times, int count, int index,
                              evn_binding to) {
    evn__dense_place *places = NULL;
    EVN_TRY(EVN_NEW(&places, count));
    for (int i = 0; i < count; ++i) {
        places[i] = place_of(trail, passage, times[i]);
    }
    evn_status status = evn__dense_at(dense, places, count, index, to);
    free(places);
    return status;
}

evn_status evn__dense_output_at(evn__dense_output *o, const evn__passage *passage,
                                const evn__trail *trail, evn__dense *dense, const double *times,
                                int count, int index, evn_binding to) {
    o->fixed.count = 0;
    EVN_TRY(take_trail(o, passage, &trail));
    if (trail->count == 0) {
        return repeat_start(o, count, index, to);
    }
    EVN_TRY(dense ? EVN_OK : go(o, passage, trail));
    return interpolate(dense ? dense : o->dense, passage, trail, times, count, index, to);
}
