// SPDX-License-Identifier: Apache-2.0
// No gradient: the state moves, and nothing is kept.
#include "gradients/scheme.h"
#include "integrator/integrator.h"
#include <stdlib.h>

typedef struct none {
    evn__scheme base;
    evn__integrator *forward;
} none;

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    none *n = NULL;
    EVN_TRY(EVN_NEW(&n, 1));
    *scheme = &n->base;
    return evn__integrator_create(p->device, p->system, p->options, p->course, false, &n->forward);
}

static void destroy(evn__scheme *scheme) {
    none *n = (none *)scheme;
    evn__integrator_destroy(&n->forward);
    free(n);
}

static evn_binding state(const evn__scheme *scheme, int index) {
    return evn__integrator_state(((const none *)scheme)->forward, index);
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    const evn__way way = {.t0 = passage->t0,
                          .t1 = passage->t1,
                          .series = passage->series,
                          .observed = scheme->problem->observed,
                          .rest = passage->rest};
    return evn__integrate(((none *)scheme)->forward, &way, passage->parameters, solution);
}

static const evn__trail *trail(const evn__scheme *scheme) {
    return evn__integrator_trail(((const none *)scheme)->forward);
}

const evn__scheme_methods evn__scheme_none = {.create = create,
                                              .destroy = destroy,
                                              .begin = state,
                                              .end = state,
                                              .solve = solve,
                                              .trail = trail};
