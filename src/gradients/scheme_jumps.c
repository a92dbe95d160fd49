// SPDX-License-Identifier: Apache-2.0
// A way in parts, from one jump of f to the next, each of which another scheme goes: f is evaluated
// nowhere between a time of the one side and a time of the other. The states at the beginnings of
// the parts are kept; the gradient goes back over the parts, each solved again where the other
// scheme needs more than its end, but for the last.
#include "base/memory.h"
#include "gradients/parts.h"
#include "gradients/reconstruction.h"
#include "gradients/scheme.h"
#include "gradients/seams.h"
#include "gradients/time_parts.h"
#include "integrator/jump.h"
#include "plan/real.h"
#include <stdlib.h>

typedef struct in_parts {
    evn__scheme base;
    evn__scheme_methods own;    ///< those that the scheme of a part has
    evn_solver_options options; ///< the same, without jumps
    evn__course course;         ///< of a part: without observations 1 interval, else it varies
    evn__problem problem;       ///< with these
    evn__scheme *inner;
    evn__seams seams;
    evn__parts parts; ///< of the last solve
    int gone;         ///< so many of them, before it ended
    int current;      ///< the one that the inner scheme has solved last
    evn__trail trail;
    evn_buffer *x1_bar;     ///< with observations: [observations, x] of a part
    evn__jump *sum;         ///< of them
    evn__time_parts *times; ///< where the gradient is one in times, too
} in_parts;

// Life --------------------------------------------------------------------------------------------

static bool observes(const in_parts *s) {
    return s->options.observations > 0;
}

/// Each part ends as if it were observed there; its start is the end of another one, or t0.
static evn_status make_course(in_parts *s, const evn__course *whole) {
    s->options.observations = s->options.observations > 0 ? whole->intervals : 0;
    return observes(s) ? evn__course_reserve(&s->options, whole->intervals, &s->course)
                       : evn__course_create(&s->options, &s->course);
}

static evn_status make_bars(in_parts *s) {
    evn_device *device = s->problem.device;
    evn_shape x = evn__system_state_shape(s->problem.system, 0);
    size_t count = (size_t)s->options.observations;
    EVN_TRY(evn__jump_create(device, x, s->options.fp64, &s->sum));
    return evn__real_create_for(device, EVN__USE_STATES, s->options.fp64,
                                evn__size_product(count, (size_t)evn_shape_count(x)), &s->x1_bar);
}

static evn_status fill(in_parts *s, const evn__problem *p) {
    s->options = *p->options;
    s->options.jumps = NULL;
    s->options.jump_count = 0;
    EVN_TRY(make_course(s, p->course));
    s->problem = *p;
    s->problem.options = &s->options;
    s->problem.goes_on = true;
    s->problem.course = &s->course;
    EVN_TRY(evn__scheme_create(&s->problem, &s->inner));
    s->own = evn__scheme_methods_across(&evn__scheme_jumps, s->inner->methods);
    s->base.methods = &s->own;
    EVN_TRY(evn__parts_create(p->options, &s->parts));
    EVN_TRY(evn__seams_create(&s->problem, (size_t)p->options->jump_count + 1, &s->seams));
    EVN_TRY(s->options.time_gradient ? evn__time_parts_create(p, s->inner, &s->times) : EVN_OK);
    return observes(s) && s->options.gradient != EVN_GRADIENT_NONE ? make_bars(s) : EVN_OK;
}

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    in_parts *s = NULL;
    EVN_TRY(EVN_NEW(&s, 1));
    *scheme = &s->base;
    return fill(s, p);
}

static void destroy(evn__scheme *scheme) {
    in_parts *s = (in_parts *)scheme;
    evn__time_parts_destroy(&s->times);
    evn__scheme_destroy(&s->inner);
    evn__seams_free(&s->seams);
    evn__parts_free(&s->parts);
    evn__course_free(&s->course);
    evn__trail_free(&s->trail);
    evn__jump_destroy(&s->sum);
    evn_buffer_destroy(&s->x1_bar);
    free(s);
}

// Where things are --------------------------------------------------------------------------------

static evn_binding begin(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_parts *)scheme)->inner;
    return inner->methods->begin(inner, index);
}

/// Not where the inner scheme has it, as gradients solve parts again.
static evn_binding end(const evn__scheme *scheme, int index) {
    const in_parts *s = (const in_parts *)scheme;
    return evn__seams_state(&s->seams, s->gone, index);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_parts *)scheme)->inner;
    return inner->methods->state_bar(inner, index);
}

static evn_binding reconstructed(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_parts *)scheme)->inner;
    return inner->methods->reconstructed(inner, index);
}

static void pair(const evn__scheme *scheme, int index, evn_binding both[2]) {
    const evn__scheme *inner = ((const in_parts *)scheme)->inner;
    inner->methods->pair(inner, index, both);
}

static const evn__trail *trail(const evn__scheme *scheme) {
    return &((const in_parts *)scheme)->trail;
}

static const evn__time_parts *time_parts(const evn__scheme *scheme) {
    return ((const in_parts *)scheme)->times;
}

// Parts -------------------------------------------------------------------------------------------

/// What the inner scheme has from now on is of this part.
static void enter(in_parts *s, int index, const evn__passage *passage) {
    if (observes(s)) {
        evn__parts_lay(&s->options, s->base.problem->course, passage->t0, passage->t1,
                       &s->parts.all[index], &s->course);
    }
    s->current = index;
}

/// @param rest  NULL: attempts have been counted
static evn__passage passage_of(const in_parts *s, int index, const evn__passage *passage,
                               const evn__rest *rest) {
    evn__passage own = *passage;
    own.t0 = s->parts.all[index].t0;
    own.t1 = s->parts.all[index].t1;
    own.rest = rest;
    return own;
}

/// Number of an observation of a part, of all.
static int observation(const in_parts *s, const evn__part *part, int index) {
    return evn__course_observation(s->base.problem->course, part->first + index);
}

/// The end goes where the next observation will be, unless it is one.
static evn_status solve_part(in_parts *s, int index, const evn__passage *passage,
                             const evn__rest *rest, evn_binding series, evn_solution *solution) {
    evn__passage own = passage_of(s, index, passage, rest);
    enter(s, index, passage);
    own.x1_bar = (evn_binding){0};
    own.series = series;
    own.weights = series.buffer ? passage->weights : series;
    if (series.buffer) {
        int first = observation(s, &s->parts.all[index], 0);
        own.series = evn__scheme_place(&s->problem, series, first);
        own.weights = evn__scheme_place_weights(&s->problem, own.weights, first);
    }
    return s->inner->methods->solve(s->inner, &own, solution);
}

// A solve -----------------------------------------------------------------------------------------

static evn_status add_steps(evn__trail *to, const evn__trail *from) {
    for (int i = 0; i < from->count; ++i) {
        EVN_TRY(evn__trail_add(to, from->steps[i].t, from->steps[i].dt, -1));
        to->steps[to->count - 1].anew = from->steps[i].anew;
    }
    return EVN_OK;
}

/// Of a part that failed, as far as it went: fixed steps fail as a whole.
static evn_status add_trail(in_parts *s, int index, bool failed) {
    const evn__part *p = &s->parts.all[index];
    if (s->options.steps == 0) {
        return add_steps(&s->trail, s->inner->methods->trail(s->inner));
    }
    if (failed) {
        return EVN_OK;
    }
    evn__trail fixed = {0};
    evn_status status = evn__trail_set(&fixed, s->problem.course, s->options.fp64, p->t0, p->t1);
    status = status == EVN_OK ? add_steps(&s->trail, &fixed) : status;
    evn__trail_free(&fixed);
    return status;
}

/// What another solve took besides its steps.
static void add_work(evn_solution *to, const evn_solution *other) {
    to->nfe += other->nfe;
    to->surplus += other->surplus;
    to->waits += other->waits;
}

/// Of all parts so far, and how the last one ended.
static void sum_up(evn_solution *all, const evn_solution *one) {
    const evn_solution before_it = *all;
    *all = *one;
    all->accepted += before_it.accepted;
    all->rejected += before_it.rejected;
    add_work(all, &before_it);
}

/// What is said of a part, whose ends are not those that were given.
static evn_status of_part(const in_parts *s, int index, const evn__passage *passage,
                          evn_status status) {
    return status == EVN_OK || s->parts.count == 1
               ? status
               : evn__prepend(status,
                              "part %d of %d, from jump to jump of f, of the way from "
                              "%.9g to %.9g",
                              index + 1, s->parts.count, passage->t0, passage->t1);
}

/// Those that are solved by themselves, at the end of a part.
static evn_status observe_weights(const in_parts *s, int index, const evn__passage *passage,
                                  int number) {
    evn_binding to = evn__scheme_place_weights(&s->problem, passage->weights, number);
    for (int i = 1; to.buffer && i < s->seams.layout.count; ++i) {
        EVN_TRY(evn__real_copy(to, evn__seams_state(&s->seams, index + 1, i), s->options.fp64,
                               s->seams.layout.size[i]));
        to.offset += s->seams.layout.size[i];
    }
    return EVN_OK;
}

/// What is observed at the end of a part, but the first of it.
static evn_status observe_end(const in_parts *s, int index, const evn__passage *passage) {
    const evn__part *part = &s->parts.all[index];
    for (int i = 1; passage->series.buffer && i < part->at_end; ++i) {
        int number = observation(s, part, part->within + i);
        EVN_TRY(evn__real_copy(evn__scheme_place(&s->problem, passage->series, number),
                               evn__seams_state(&s->seams, index + 1, 0), s->options.fp64,
                               s->problem.observed));
        EVN_TRY(observe_weights(s, index, passage, number));
    }
    return EVN_OK;
}

static evn_status go(in_parts *s, int index, const evn__passage *passage, evn_solution *solution) {
    evn_solution one = {0};
    const evn__scheme_methods *methods = s->inner->methods;
    EVN_TRY(index > 0 ? evn__seams_restore(&s->seams, index, s->inner, methods->begin) : EVN_OK);
    const evn__rest rest = {solution->accepted, solution->rejected, passage->t1};
    evn_status status = solve_part(s, index, passage, &rest, passage->series, &one);
    sum_up(solution, &one);
    EVN_TRY(evn__seams_keep(&s->seams, index + 1, s->inner, methods->end));
    s->gone = index + 1;
    EVN_TRY(add_trail(s, index, status != EVN_OK));
    EVN_TRY(observe_end(s, index, passage));
    return of_part(s, index, passage, status);
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    in_parts *s = (in_parts *)scheme;
    evn__parts_split(s->base.problem->options, s->base.problem->course, passage->t0, passage->t1,
                     &s->parts);
    s->trail.count = 0;
    s->gone = 0;
    EVN_TRY(evn__seams_keep(&s->seams, 0, s->inner, s->inner->methods->begin));
    for (int i = 0; i < s->parts.count; ++i) {
        EVN_TRY(go(s, i, passage, solution));
    }
    solution->t = passage->t1; // and no part has to end there to the last digit
    return EVN_OK;
}

// Its gradient ------------------------------------------------------------------------------------

/// The inner scheme as if it had solved this part last.
static evn_status solve_again(in_parts *s, int index, const evn__passage *passage,
                              evn_solution *again) {
    const evn__scheme_methods *methods = s->inner->methods;
    if (index == s->current) {
        return EVN_OK;
    }
    if (methods->from_end) {
        enter(s, index, passage);
        return evn__seams_restore(&s->seams, index + 1, s->inner, methods->end);
    }
    EVN_TRY(evn__seams_restore(&s->seams, index, s->inner, methods->begin));
    return solve_part(s, index, passage, NULL, (evn_binding){0}, again);
}

static bool is_last(const in_parts *s, int index) {
    return index + 1 == s->parts.count;
}

/// What is observed at the end of a part, together.
static evn_status join_ends(const in_parts *s, int index, evn_binding x1_bar, evn_binding end) {
    const evn__part *part = &s->parts.all[index];
    EVN_TRY(evn__real_zero(end, s->options.fp64, s->seams.layout.size[0]));
    for (int i = 0; i < part->at_end; ++i) {
        int number = observation(s, part, part->within + i);
        EVN_TRY(evn__jump_add(s->sum, end, evn__scheme_observation(&s->problem, x1_bar, number)));
    }
    return EVN_OK;
}

/// Of x1_bar, that of a part.
static evn_status take_bars(const in_parts *s, int index, evn_binding *x1_bar) {
    const evn__part *part = &s->parts.all[index];
    const evn_binding all = *x1_bar;
    size_t count = s->seams.layout.size[0] * (size_t)part->within;
    if (!observes(s)) {
        *x1_bar = is_last(s, index) ? all : s->seams.bar[0];
        return EVN_OK;
    }
    *x1_bar = (evn_binding){s->x1_bar, 0};
    EVN_TRY(evn__real_copy(*x1_bar,
                           evn__scheme_observation(&s->problem, all, observation(s, part, 0)),
                           s->options.fp64, count));
    return join_ends(s, index, all, (evn_binding){s->x1_bar, count});
}

/// How far what was found backwards is from where a part began, but the first, of which others
/// ask.
static evn_status look_back(const in_parts *s, int index, const evn__passage *passage) {
    const evn__scheme_methods *methods = s->inner->methods;
    return index > 0 && methods->reconstructed && passage->reconstruction
               ? evn__reconstruction_pass(passage->reconstruction, s->inner,
                                          evn__seams_state(&s->seams, index, 0),
                                          s->parts.all[index].t0)
               : EVN_OK;
}

/// Where what the end of a part has goes: to the last observation of all, t1, or the jump, with
/// which what is observed there moves.
static double *end_of_part(const in_parts *s, int index) {
    return evn__time_parts_meeting(s->times, &s->parts, index + 1, 0);
}

/// In the times of a part, after its gradient: of the last observation, which is at its end whether
/// it is one or not.
static evn_status take_times(const in_parts *s, int index, evn__passage passage) {
    const evn__part *part = &s->parts.all[index];
    const evn__time_parts *times = s->times;
    if (passage.series.buffer) {
        passage.series = evn__scheme_place(&s->problem, passage.series, observation(s, part, 0));
    }
    EVN_TRY(evn__time_parts_take(s->times, s->inner, &passage, &s->seams, index));
    *evn__time_parts_meeting(times, &s->parts, index, 0) += evn__time_parts_begin_bar(times, 0);
    *end_of_part(s, index) += evn__time_parts_end_bar(times, observes(s), 0);
    for (int i = 0; i < part->within && observes(s); ++i) {
        *evn__time_parts_observation(times, (size_t)observation(s, part, i), 0) +=
            evn__time_parts_observed_bar(times, (size_t)i, 0);
    }
    *end_of_part(s, index) +=
        observes(s) ? evn__time_parts_observed_bar(times, (size_t)part->within, 0) : 0;
    return EVN_OK;
}

static evn_status differentiate_part(in_parts *s, int index, const evn__passage *passage,
                                     evn_solution *solution) {
    evn_solution one = {0}, again = {0};
    bool last = is_last(s, index);
    EVN_TRY(solve_again(s, index, passage, &again));
    const evn__rest rest = {solution->accepted, solution->rejected, passage->t0};
    evn__passage own = passage_of(s, index, passage, &rest);
    own.carried_bar = last ? passage->carried_bar : s->seams.bar;
    own.parameters_bar = last ? passage->parameters_bar : s->seams.share;
    EVN_TRY(take_bars(s, index, &own.x1_bar));
    evn_status status = s->inner->methods->gradient(s->inner, &own, &one);
    add_work(&one, &again);
    sum_up(solution, &one);
    EVN_TRY(of_part(s, index, passage, status));
    EVN_TRY(look_back(s, index, passage));
    EVN_TRY(s->times ? take_times(s, index, own) : EVN_OK);
    return evn__seams_pass(&s->seams, s->inner, last, passage->parameters_bar);
}

/// That of an observed start is added at last.
static evn_status observe_start(const in_parts *s, evn_binding x1_bar) {
    return s->base.problem->course->starts ? evn__jump_add(s->sum, state_bar(&s->base, 0), x1_bar)
                                           : EVN_OK;
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    in_parts *s = (in_parts *)scheme;
    *solution = (evn_solution){0}; // else a failed one's, where it is fallen back
    if (s->times) {
        evn__time_parts_clear(s->times);
    }
    for (int i = s->parts.count - 1; i >= 0; --i) {
        EVN_TRY(differentiate_part(s, i, passage, solution));
    }
    return observe_start(s, passage->x1_bar);
}

const evn__scheme_methods evn__scheme_jumps = {.create = create,
                                               .destroy = destroy,
                                               .begin = begin,
                                               .end = end,
                                               .solve = solve,
                                               .trail = trail,
                                               .gradient = gradient,
                                               .state_bar = state_bar,
                                               .time_parts = time_parts,
                                               .reconstructed = reconstructed,
                                               .pair = pair};
