// SPDX-License-Identifier: Apache-2.0
// The adjoint without solving the state backwards: x(t) and θ(t) come from the interpolants of the
// steps that the solve took, and the cotangents alone are solved, from the end of each step to its
// beginning. What the interpolants need grows with the steps; dynamics that cannot be solved
// backwards do no harm.
#include "gradients/adjoint.h"
#include "gradients/dense.h"
#include "gradients/scheme.h"
#include "integrator/integrator.h"
#include "integrator/jump.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

typedef struct along {
    evn__scheme base;
    evn__integrator *forward, *backward; ///< backward: states a, b, quadratures
    evn_solver_options options;          ///< of the way back over one step,
    evn__course course;                  ///< which has no observations within
    evn__dense *dense;
    evn_buffer *start; ///< the state at t0
    bool gone;         ///< the steps, once more
    evn__jump *jump;   ///< with observations
    evn_binding *parameters;
} along;

static evn_status create_backward(const evn__problem *p, along *a) {
    evn__system system = {0};
    a->options = *p->options;
    a->options.observations = 0;
    a->options.times_vary = false;
    EVN_TRY(evn__course_create(&a->options, &a->course));
    const evn__stepper *stepper = evn__stepper_find(p->options->method);
    // A history would begin anew in each step of the way, with steps that are far shorter.
    a->options.method = evn__stepper_past(stepper) > 0 ? "dopri5" : a->options.method;
    bool pairs = evn__stepper_operands(evn__stepper_find(a->options.method)) > 0;
    int terms = evn__interpolant_terms(stepper->interpolant);
    evn_status status = evn__system_adjoint_along(p->system, terms, pairs, &system);
    if (status == EVN_OK) {
        status = evn__integrator_create(p->device, &system, &a->options, &a->course, false,
                                        &a->backward);
    }
    evn__system_free(&system);
    return status;
}

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    along *a = NULL;
    EVN_TRY(EVN_NEW(&a, 1));
    *scheme = &a->base;
    EVN_TRY(evn__dense_create(p, "take the gradient checkpointed", &a->dense));
    EVN_TRY(
        evn__integrator_create(p->device, p->system, p->options, p->course, false, &a->forward));
    EVN_TRY(create_backward(p, a));
    EVN_TRY(EVN_NEW(&a->parameters, p->system->parameter_count + evn__dense_count(a->dense)));
    EVN_TRY(p->options->observations > 0
                ? evn__jump_create(p->device, evn__system_state_shape(p->system, 0),
                                   p->options->fp64, &a->jump)
                : EVN_OK);
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                evn__integrator_layout(a->forward)->total, &a->start);
}

static void destroy(evn__scheme *scheme) {
    along *a = (along *)scheme;
    evn__integrator_destroy(&a->forward);
    evn__integrator_destroy(&a->backward);
    evn__course_free(&a->course);
    evn__dense_destroy(&a->dense);
    evn__jump_destroy(&a->jump);
    evn_buffer_destroy(&a->start);
    free(a->parameters);
    free(a);
}

static evn_binding state(const evn__scheme *scheme, int index) {
    return evn__integrator_state(((const along *)scheme)->forward, index);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    return evn__integrator_state(((const along *)scheme)->backward, index);
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    along *a = (along *)scheme;
    const evn__way way = {.t0 = passage->t0,
                          .t1 = passage->t1,
                          .series = passage->series,
                          .observed = scheme->problem->observed,
                          .rest = passage->rest};
    EVN_TRY(evn__real_copy((evn_binding){a->start, 0}, state(scheme, 0),
                           scheme->problem->options->fp64,
                           evn__integrator_layout(a->forward)->total));
    a->gone = false;
    return evn__integrate(a->forward, &way, passage->parameters, solution);
}

// Backward ----------------------------------------------------------------------------------------

/// a = x1_bar, but for that of observations; b = 0, or what comes from behind; quadratures = 0.
static evn_status load(const along *a, const evn__passage *passage) {
    const evn__layout *layout = evn__integrator_layout(a->backward);
    int states = a->base.problem->system->state_count;
    bool fp64 = a->options.fp64;
    for (int i = a->jump ? 0 : 1; i < states; ++i) {
        EVN_TRY(evn__passage_load_bar(passage, i, state_bar(&a->base, i), fp64, layout->size[i]));
    }
    for (int i = states; i < layout->count; ++i) {
        EVN_TRY(evn__real_zero(state_bar(&a->base, i), fp64, layout->size[i]));
    }
    EVN_TRY(a->jump
                ? EVN_OK
                : evn__real_copy(state_bar(&a->base, 0), passage->x1_bar, fp64, layout->size[0]));
    return evn__integrator_clear(a->backward);
}

static evn_status jump(const along *a, evn_binding x1_bar, int observation) {
    return evn__jump_add(a->jump, state_bar(&a->base, 0),
                         evn__scheme_observation(a->base.problem, x1_bar, observation));
}

/// Attempts count over the whole way back.
static evn_status check_count(const along *a, const evn__passage *passage, evn_solution *all) {
    const evn__rest *rest = passage->rest;
    int most = a->options.max_steps, before = rest ? rest->accepted + rest->rejected : 0;
    bool fits = before + all->accepted + all->rejected <= most;
    all->outcome = fits ? EVN_OUTCOME_DONE : EVN_OUTCOME_TOO_MANY_STEPS;
    EVN_CHECK(fits, EVN_ERR_SOLVER,
              "the gradient '%s' used up its %d steps at t = %.9g on the way back to %.9g; raise "
              "max_steps, loosen rtol and atol, or take the gradient checkpointed",
              evn_gradient_name((int)a->options.gradient), most, all->t, passage->t0);
    return EVN_OK;
}

/// From the end of a step to its beginning.
static evn_status go_back(along *a, const evn__passage *passage, int step, evn_solution *all) {
    const evn__trail *trail = evn__integrator_trail(a->forward);
    const evn__tread *tread = &trail->steps[step];
    int parameters = a->base.problem->system->parameter_count;
    bool last = step + 1 == trail->count;
    const evn__way way = {
        .t0 = tread->t, .t1 = last ? passage->t1 : trail->steps[step + 1].t, .backward = true};
    evn_solution part = {0};
    EVN_TRY(a->jump && tread->observation >= 0 ? jump(a, passage->x1_bar, tread->observation)
                                               : EVN_OK);
    memcpy(a->parameters, passage->parameters, sizeof(*a->parameters) * (size_t)parameters);
    evn__dense_bind(a->dense, step, a->parameters + parameters);
    evn_status status = evn__integrate(a->backward, &way, a->parameters, &part);
    part.accepted += all->accepted;
    part.rejected += all->rejected;
    part.nfe += all->nfe;
    part.waits += all->waits;
    part.surplus += all->surplus;
    *all = part;
    return status == EVN_OK ? check_count(a, passage, all) : status;
}

/// An observed start; without steps all observations are made there.
static evn_status observe_start(const along *a, const evn__passage *passage) {
    const evn__problem *p = a->base.problem;
    bool moves = evn__integrator_trail(a->forward)->count > 0;
    int count = moves ? p->course->starts : evn__scheme_observations(p);
    for (int i = 0; i < count; ++i) {
        EVN_TRY(jump(a, passage->x1_bar, i));
    }
    return EVN_OK;
}

static evn_status deliver(const along *a, const evn_binding *parameters_bar) {
    const evn__system *system = a->base.problem->system;
    for (int i = 0; i < system->parameter_count; ++i) {
        size_t count = (size_t)evn_shape_count(evn__system_parameter_shape(system, i));
        EVN_TRY(evn__real_copy(parameters_bar[i], evn__integrator_parameter_bar(a->backward, i),
                               a->options.fp64, count));
    }
    return EVN_OK;
}

/// The steps of the solve once more, unless that is done.
static evn_status go(along *a, const evn__passage *passage) {
    EVN_TRY(a->gone ? EVN_OK
                    : evn__dense_go(a->dense, evn__integrator_trail(a->forward),
                                    (evn_binding){a->start, 0}, passage->parameters));
    a->gone = true;
    return EVN_OK;
}

static evn_status dense(evn__scheme *scheme, const evn__passage *passage, evn__dense **dense) {
    along *a = (along *)scheme;
    *dense = a->dense;
    return go(a, passage);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    along *a = (along *)scheme;
    const evn__trail *trail = evn__integrator_trail(a->forward);
    *solution = (evn_solution){.t = passage->t0};
    solution->nfe = a->gone ? 0 : trail->count * evn__dense_evaluations(a->dense);
    EVN_TRY(go(a, passage));
    EVN_TRY(load(a, passage));
    for (int step = trail->count - 1; step >= 0; --step) {
        EVN_TRY(go_back(a, passage, step, solution));
    }
    EVN_TRY(observe_start(a, passage));
    EVN_TRY(evn__integrator_flush(a->backward));
    return deliver(a, passage->parameters_bar);
}

static const evn__trail *trail(const evn__scheme *scheme) {
    return evn__integrator_trail(((const along *)scheme)->forward);
}

const evn__scheme_methods evn__scheme_adjoint_quadrature = {.create = create,
                                                            .destroy = destroy,
                                                            .begin = state,
                                                            .end = state,
                                                            .solve = solve,
                                                            .trail = trail,
                                                            .dense = dense,
                                                            .gradient = gradient,
                                                            .state_bar = state_bar};
