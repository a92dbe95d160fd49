// SPDX-License-Identifier: Apache-2.0
#include "solver/observations.h"

#include "plan/build.h"
#include "plan/real.h"
#include <stdlib.h>

struct evn__observations {
    const evn__problem *problem;
    evn_buffer *all;
    evn_buffer *weights; ///< of those that are solved by themselves, where they are wanted
    // Where an observation keeps more than x, else none.
    evn_buffer *given;
    evn_plan *give;
};

static int64_t elements_of_x(const evn__observations *o) {
    return evn_shape_count(evn__system_state_shape(o->problem->system, 0));
}

static void build_give(const void *self, evn_graph *graph) {
    const evn__observations *o = self;
    const int64_t start[] = {0, 0}; // x is the first component
    int64_t count = o->problem->options->observations;
    evn_value all = evn_input(graph, "all", EVN_SHAPE(count, (int64_t)o->problem->observed));
    evn_output(graph, "given", evn_slice(graph, all, start, EVN_SHAPE(count, elements_of_x(o))));
}

static evn_status make(const evn__observations *o, size_t each, evn_buffer **buffer) {
    const evn__problem *p = o->problem;
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                evn__size_product((size_t)p->options->observations, each), buffer);
}

static evn_status create(evn__observations *o) {
    const evn_plan_options options = {.fp64 = o->problem->options->fp64};
    size_t x = (size_t)elements_of_x(o);
    const evn__system *system = o->problem->system;
    bool weights = o->problem->options->observe_weights && evn__scheme_has_path(o->problem);
    EVN_TRY(make(o, o->problem->observed, &o->all));
    EVN_TRY(weights ? make(o, evn__path_offset(system, evn__path_weights(system)), &o->weights)
                    : EVN_OK);
    if (o->problem->observed == x) {
        return EVN_OK;
    }
    EVN_TRY(make(o, x, &o->given));
    return evn__plan_build(o->problem->device, build_give, o, &options, &o->give);
}

evn_status evn__observations_create(const evn__problem *problem, evn__observations **observations) {
    EVN_TRY(EVN_NEW(observations, 1));
    (*observations)->problem = problem;
    evn_status status = create(*observations);
    if (status != EVN_OK) {
        evn__observations_destroy(observations);
    }
    return status;
}

void evn__observations_destroy(evn__observations **observations) {
    if (*observations) {
        evn_buffer_destroy(&(*observations)->all);
        evn_buffer_destroy(&(*observations)->weights);
        evn_buffer_destroy(&(*observations)->given);
        evn_plan_destroy(&(*observations)->give);
        free(*observations);
        *observations = NULL;
    }
}

evn_binding evn__observations_all(const evn__observations *o) {
    return (evn_binding){o ? o->all : NULL, 0};
}

evn_binding evn__observations_weights(const evn__observations *o) {
    return (evn_binding){o ? o->weights : NULL, 0};
}

evn_binding evn__observations_given(const evn__observations *o) {
    return (evn_binding){o->given ? o->given : o->all, 0};
}

evn_status evn__observations_give(const evn__observations *o) {
    const evn_binding all = {o->all, 0}, given = {o->given, 0};
    return o->give ? evn_plan_run(o->give, &all, &given) : EVN_OK;
}
