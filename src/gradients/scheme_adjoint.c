// SPDX-License-Identifier: Apache-2.0
// The adjoint: nothing is kept but the state at t1; a second integrator solves state, cotangents
// and quadratures back to t0.
#include "gradients/adjoint.h"
#include "gradients/scheme.h"
#include "integrator/integrator.h"
#include "integrator/jump.h"
#include "plan/real.h"
#include <stdlib.h>

typedef struct adjoint {
    evn__scheme base;
    evn__integrator *forward, *backward; ///< backward: states x, θ, a, b, quadratures
    evn__jump *join; ///< of a course that varies: what comes from behind its last observation
} adjoint;

static evn_status create_backward(const evn__problem *p, adjoint *a) {
    evn__system system = {0};
    bool pairs = evn__stepper_operands(evn__stepper_find(p->options->method)) > 0;
    evn_status status = evn__system_adjoint(p->system, pairs, &system);
    if (status == EVN_OK) {
        status = evn__integrator_create(p->device, &system, p->options, p->course,
                                        p->options->observations > 0, &a->backward);
    }
    evn__system_free(&system);
    return status;
}

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    adjoint *a = NULL;
    EVN_TRY(EVN_NEW(&a, 1));
    *scheme = &a->base;
    EVN_TRY(
        evn__integrator_create(p->device, p->system, p->options, p->course, false, &a->forward));
    EVN_TRY(p->course->varies ? evn__jump_create(p->device, evn__system_state_shape(p->system, 0),
                                                 p->options->fp64, &a->join)
                              : EVN_OK);
    return create_backward(p, a);
}

static void destroy(evn__scheme *scheme) {
    adjoint *a = (adjoint *)scheme;
    evn__integrator_destroy(&a->forward);
    evn__integrator_destroy(&a->backward);
    evn__jump_destroy(&a->join);
    free(a);
}

static evn_binding state(const evn__scheme *scheme, int index) {
    return evn__integrator_state(((const adjoint *)scheme)->forward, index);
}

static evn_binding reconstructed(const evn__scheme *scheme, int index) {
    return evn__integrator_state(((const adjoint *)scheme)->backward, index);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    return reconstructed(scheme, scheme->problem->system->state_count + index);
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    const evn__way way = {.t0 = passage->t0,
                          .t1 = passage->t1,
                          .series = passage->series,
                          .observed = scheme->problem->observed,
                          .rest = passage->rest};
    return evn__integrate(((adjoint *)scheme)->forward, &way, passage->parameters, solution);
}

/// x(t1) and θ(t1) as they are; a = x1_bar; b = 0, or what comes from behind; quadratures = 0.
static evn_status load(const adjoint *a, const evn__passage *passage, evn_binding x1_bar) {
    const evn__layout *layout = evn__integrator_layout(a->backward);
    int states = a->base.problem->system->state_count;
    bool fp64 = a->base.problem->options->fp64;
    for (int i = 0; i < states; ++i) {
        EVN_TRY(evn__real_copy(evn__integrator_state(a->backward, i),
                               evn__integrator_state(a->forward, i), fp64, layout->size[i]));
    }
    EVN_TRY(evn__real_copy(state_bar(&a->base, 0), x1_bar, fp64, layout->size[0]));
    EVN_TRY(a->join && passage->carried_bar
                ? evn__jump_add(a->join, state_bar(&a->base, 0), passage->carried_bar[0])
                : EVN_OK);
    for (int i = 1; i < states; ++i) {
        EVN_TRY(evn__passage_load_bar(passage, i, state_bar(&a->base, i), fp64,
                                      layout->size[states + i]));
    }
    for (int i = 2 * states; i < layout->count; ++i) {
        EVN_TRY(evn__real_zero(evn__integrator_state(a->backward, i), fp64, layout->size[i]));
    }
    return evn__integrator_clear(a->backward);
}

static evn_status deliver(const adjoint *a, const evn_binding *parameters_bar) {
    const evn__system *system = a->base.problem->system;
    for (int i = 0; i < system->parameter_count; ++i) {
        size_t count = (size_t)evn_shape_count(evn__system_parameter_shape(system, i));
        EVN_TRY(evn__real_copy(parameters_bar[i], evn__integrator_parameter_bar(a->backward, i),
                               a->base.problem->options->fp64, count));
    }
    return EVN_OK;
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    adjoint *a = (adjoint *)scheme;
    const evn__problem *p = scheme->problem;
    evn__way way = {.t0 = passage->t0,
                    .t1 = passage->t1,
                    .backward = true,
                    .jumps = p->system->state_count,
                    .rest = passage->rest};
    if (p->options->observations > 0) {
        way.series = passage->x1_bar;
    }
    int last = evn__course_observation(p->course, p->course->intervals - 1);
    EVN_TRY(load(a, passage, evn__scheme_observation(p, passage->x1_bar, last)));
    EVN_TRY(evn__integrate(a->backward, &way, passage->parameters, solution));
    EVN_TRY(evn__integrator_flush(a->backward));
    return deliver(a, passage->parameters_bar);
}

static const evn__trail *trail(const evn__scheme *scheme) {
    return evn__integrator_trail(((const adjoint *)scheme)->forward);
}

const evn__scheme_methods evn__scheme_adjoint = {.create = create,
                                                 .destroy = destroy,
                                                 .begin = state,
                                                 .end = state,
                                                 .solve = solve,
                                                 .trail = trail,
                                                 .gradient = gradient,
                                                 .state_bar = state_bar,
                                                 .reconstructed = reconstructed,
                                                 .from_end = true};
