// SPDX-License-Identifier: Apache-2.0
// Backprop along steps that are gone again: those that an adaptive solve took, whose lengths count
// as constant in the gradient, or fixed ones with fewer checkpoints than steps.
#include "gradients/replay.h"
#include "gradients/scheme.h"
#include "integrator/integrator.h"
#include "integrator/options.h"
#include "plan/real.h"
#include <stdlib.h>

typedef struct replayed {
    evn__scheme base;
    evn__replay *replay;
    evn__trail trail;         ///< fixed steps
    evn__integrator *forward; ///< adaptive: what finds the steps,
    evn_buffer *start;        ///< the state at t0,
    bool gone;                ///< and whether they have been gone again
} replayed;

static void destroy(evn__scheme *scheme) {
    replayed *r = (replayed *)scheme;
    evn__replay_destroy(&r->replay);
    evn__trail_free(&r->trail);
    evn__integrator_destroy(&r->forward);
    evn_buffer_destroy(&r->start);
    free(r);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    return evn__replay_state_bar(((const replayed *)scheme)->replay, index);
}

static evn__time_bars time_bars(const evn__scheme *scheme) {
    return evn__replay_time_bars(((const replayed *)scheme)->replay);
}

static void report_gradient(const replayed *r, const evn__passage *passage, const evn__trail *trail,
                            int again, evn_solution *solution) {
    double dt = trail->count > 0 ? trail->steps[0].dt : 0;
    *solution = (evn_solution){.t = passage->t0,
                               .dt = -dt,
                               .accepted = trail->count,
                               .nfe = again + evn__replay_evaluations(r->replay)};
}

// Fixed steps -------------------------------------------------------------------------------------

static evn_status create_fixed(const evn__problem *p, evn__scheme **scheme) {
    replayed *r = NULL;
    EVN_TRY(EVN_NEW(&r, 1));
    *scheme = &r->base;
    return evn__replay_create(p, p->course->steps, &r->replay);
}

static evn_binding begin_fixed(const evn__scheme *scheme, int index) {
    return evn__replay_begin(((const replayed *)scheme)->replay, index);
}

static evn_binding end_fixed(const evn__scheme *scheme, int index) {
    return evn__replay_end(((const replayed *)scheme)->replay, index);
}

/// No way is none, whatever f is there.
static evn_status set_trail(replayed *r, const evn__passage *passage) {
    const evn__problem *p = r->base.problem;
    r->trail.count = 0;
    return evn__passage_moves(passage)
               ? evn__trail_set(&r->trail, p->course, p->options->fp64, passage->t0, passage->t1)
               : EVN_OK;
}

/// All observations are of the start, of which an observed one is there already.
static evn_status repeat_start(const replayed *r, const evn__passage *passage) {
    const evn__problem *p = r->base.problem;
    for (int i = p->course->starts; i < evn__scheme_observations(p); ++i) {
        EVN_TRY(evn__real_copy(evn__scheme_place(p, passage->series, i),
                               evn__replay_begin(r->replay, 0), p->options->fp64, p->observed));
    }
    return EVN_OK;
}

static evn_status solve_fixed(evn__scheme *scheme, const evn__passage *passage,
                              evn_solution *solution) {
    replayed *r = (replayed *)scheme;
    const evn__problem *p = scheme->problem;
    EVN_TRY(set_trail(r, passage));
    EVN_TRY(evn__replay_follow(r->replay, &r->trail));
    EVN_TRY(evn__replay_forward(r->replay, passage));
    EVN_TRY(r->trail.count == 0 && passage->series.buffer ? repeat_start(r, passage) : EVN_OK);
    *solution = (evn_solution){
        .t = passage->t1,
        .dt = evn__course_length(p->course, p->course->intervals - 1, passage->t0, passage->t1),
        .accepted = p->course->steps,
        .nfe = evn__replay_evaluations(r->replay)};
    return EVN_OK;
}

static evn_status gradient_fixed(evn__scheme *scheme, const evn__passage *passage,
                                 evn_solution *solution) {
    replayed *r = (replayed *)scheme;
    EVN_TRY(evn__replay_backward(r->replay, passage));
    report_gradient(r, passage, &r->trail, 0, solution);
    solution->accepted = scheme->problem->course->steps;
    return EVN_OK;
}

const evn__scheme_methods evn__scheme_replay_fixed = {.create = create_fixed,
                                                      .destroy = destroy,
                                                      .begin = begin_fixed,
                                                      .end = end_fixed,
                                                      .solve = solve_fixed,
                                                      .gradient = gradient_fixed,
                                                      .state_bar = state_bar,
                                                      .time_bars = time_bars};

// Adaptive steps ----------------------------------------------------------------------------------

static evn_status create_adaptive(const evn__problem *p, evn__scheme **scheme) {
    replayed *r = NULL;
    EVN_TRY(EVN_NEW(&r, 1));
    *scheme = &r->base;
    EVN_TRY(
        evn__integrator_create(p->device, p->system, p->options, p->course, false, &r->forward));
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64,
                                 evn__integrator_layout(r->forward)->total, &r->start));
    return evn__replay_create(p, evn__expected_steps(p->options), &r->replay);
}

static evn_binding state(const evn__scheme *scheme, int index) {
    return evn__integrator_state(((const replayed *)scheme)->forward, index);
}

static evn_status solve_adaptive(evn__scheme *scheme, const evn__passage *passage,
                                 evn_solution *solution) {
    replayed *r = (replayed *)scheme;
    const evn__way way = {.t0 = passage->t0,
                          .t1 = passage->t1,
                          .series = passage->series,
                          .observed = scheme->problem->observed,
                          .rest = passage->rest};
    EVN_TRY(evn__real_copy((evn_binding){r->start, 0}, state(scheme, 0),
                           scheme->problem->options->fp64,
                           evn__integrator_layout(r->forward)->total));
    r->gone = false;
    return evn__integrate(r->forward, &way, passage->parameters, solution);
}

/// Go the steps that the solve took.
static evn_status go_again(replayed *r, const evn__passage *passage, const evn__trail *trail) {
    evn__passage ahead = *passage;
    ahead.series = ahead.x1_bar = (evn_binding){0};
    EVN_TRY(evn__replay_follow(r->replay, trail));
    EVN_TRY(evn__real_copy(evn__replay_begin(r->replay, 0), (evn_binding){r->start, 0},
                           r->base.problem->options->fp64,
                           evn__integrator_layout(r->forward)->total));
    EVN_TRY(evn__replay_forward(r->replay, &ahead));
    r->gone = true;
    return EVN_OK;
}

static evn_status gradient_adaptive(evn__scheme *scheme, const evn__passage *passage,
                                    evn_solution *solution) {
    replayed *r = (replayed *)scheme;
    const evn__trail *trail = evn__integrator_trail(r->forward);
    int again = 0;
    if (!r->gone) {
        EVN_TRY(go_again(r, passage, trail));
        again = evn__replay_evaluations(r->replay);
    }
    EVN_TRY(evn__replay_backward(r->replay, passage));
    report_gradient(r, passage, trail, again, solution);
    return EVN_OK;
}

static const evn__trail *trail(const evn__scheme *scheme) {
    return evn__integrator_trail(((const replayed *)scheme)->forward);
}

const evn__scheme_methods evn__scheme_replay_adaptive = {.create = create_adaptive,
                                                         .destroy = destroy,
                                                         .begin = state,
                                                         .end = state,
                                                         .solve = solve_adaptive,
                                                         .trail = trail,
                                                         .gradient = gradient_adaptive,
                                                         .state_bar = state_bar,
                                                         .time_bars = time_bars};
