// SPDX-License-Identifier: Apache-2.0
// A solver that looks for events: a search, and the gradient along its way.
#include "evonode/event.h"

#include "base/memory.h"
#include "events/event_gradient.h"
#include "plan/real.h"
#include "solver/arguments.h"
#include <stdlib.h>

struct evn_event_solver {
    evn_device *device;
    evn_solver_options options;
    evn_dynamics *dynamics;
    evn_event *events;  ///< without their functions
    evn__course course; ///< for its observations
    evn__problem problem;
    evn__event_system system;
    evn__event_search *search;
    evn_occurrence *found; ///< of the last solve, in order
    int found_capacity;
    double *jumps;                 ///< the options' own
    evn_binding *weights;          ///< of the last solve, one for each
    evn_binding *parameters;       ///< of these, in the order of the system
    double *t0, *t1;               ///< of each sample of the last solve: where it began and ended
    bool ended, solved;            ///< as a solver's
    evn__event_gradient *gradient; ///< where one is wanted
};

// Life --------------------------------------------------------------------------------------------

static int sample_count(const evn_event_solver *s) {
    return s->options.per_sample ? (int)evn_dynamics_state_shape(s->dynamics).dim[0] : 1;
}

static size_t state_size(const evn_event_solver *s, int index) {
    return (size_t)evn_shape_count(evn__system_state_shape(&s->dynamics->system, index));
}

static evn_status check_events(const evn_solver_options *options, const evn_event *events,
                               int count) {
    EVN_CHECK(!options->times_vary && !options->observe_weights, EVN_ERR_ARGUMENT,
              "a solve to an event observes x alone, at fractions of the way that it was given, or "
              "with per_sample at times of each sample; leave times_vary and observe_weights out");
    EVN_CHECK(options->observations == 0 || !options->time_gradient, EVN_ERR_ARGUMENT,
              "a solve to an event has no gradient in its times where it observes: leave "
              "time_gradient or the observations out");
    EVN_CHECK(!options->dense, EVN_ERR_ARGUMENT,
              "a solve to an event has no dense output: solve to the time of the event again, with "
              "a solver that has it");
    EVN_CHECK(options->weight_terms == 0 && options->weight_steps == 0, EVN_ERR_ARGUMENT,
              "a solve to an event solves weights that evolve together with x; leave weight_terms "
              "and weight_steps out");
    EVN_CHECK(count >= 1 && count <= EVN_MAX_INPUTS, EVN_ERR_ARGUMENT,
              "%d events; give 1 to %d, and where there are none take evn_solve", count,
              EVN_MAX_INPUTS);
    for (int i = 0; i < count; ++i) {
        EVN_CHECK(events[i].function, EVN_ERR_ARGUMENT, "event %d has no function", i);
        EVN_CHECK(
            events[i].direction >= EVN_EVENT_EITHER && events[i].direction <= EVN_EVENT_FALLING,
            EVN_ERR_ARGUMENT, "event %d: there is no direction %d", i, (int)events[i].direction);
    }
    return EVN_OK;
}

static evn_status copy_jumps(evn_event_solver *s) {
    evn_solver_options *o = &s->options;
    EVN_TRY(EVN_NEW(&s->jumps, o->jump_count + 1));
    for (int i = 0; i < o->jump_count; ++i) {
        s->jumps[i] = o->jumps[i];
    }
    o->jumps = s->jumps;
    return EVN_OK;
}

static evn_status create(evn_event_solver *s, const evn_dynamics *dynamics, const evn_event *events,
                         int count) {
    EVN_TRY(check_events(&s->options, events, count));
    EVN_TRY(evn__take_over(&s->options, dynamics, &s->dynamics));
    EVN_TRY(copy_jumps(s));
    const evn__stepper *stepper = evn__stepper_find(s->options.method);
    EVN_TRY(s->options.steps > 0
                ? evn__stepper_check_past(stepper, "a solve to an event in fixed steps")
                : EVN_OK);
    EVN_TRY(evn__event_system_create(s->device, s->dynamics, &s->options, stepper, events, count,
                                     &s->system));
    EVN_TRY(EVN_NEW(&s->events, count));
    for (int i = 0; i < count; ++i) {
        s->events[i] = (evn_event){NULL, events[i].direction, events[i].terminal};
    }
    EVN_TRY(evn__course_create(&s->options, &s->course));
    s->options.times = NULL; // the caller's
    s->problem = (evn__problem){.device = s->device,
                                .system = &s->dynamics->system,
                                .options = &s->options,
                                .course = &s->course};
    EVN_TRY(evn__event_search_create(&s->problem, &s->system, s->events, &s->search));
    EVN_TRY(EVN_NEW(&s->weights, s->dynamics->weight_count + 1));
    EVN_TRY(EVN_NEW(&s->parameters, s->dynamics->weight_count + 1));
    EVN_TRY(EVN_NEW(&s->t0, sample_count(s)));
    EVN_TRY(EVN_NEW(&s->t1, sample_count(s)));
    const evn__event_solve of = {s->t0, s->t1, s->weights, s->parameters};
    return s->options.gradient == EVN_GRADIENT_NONE
               ? EVN_OK
               : evn__event_gradient_create(&s->problem, s->dynamics, &s->system, s->search, &of,
                                            &s->gradient);
}

evn_status evn_event_solver_create(evn_device *device, const evn_dynamics *dynamics,
                                   const evn_solver_options *options, const evn_event *events,
                                   int count, evn_event_solver **solver) {
    EVN_REQUIRE(solver);
    *solver = NULL;
    EVN_REQUIRE(device);
    EVN_REQUIRE(dynamics);
    EVN_REQUIRE(options);
    EVN_REQUIRE(events);
    EVN_TRY(EVN_NEW(solver, 1));
    (*solver)->device = device;
    (*solver)->options = *options;
    evn_status status = create(*solver, dynamics, events, count);
    if (status != EVN_OK) {
        evn_event_solver_destroy(solver);
    }
    return status;
}

void evn_event_solver_destroy(evn_event_solver **solver) {
    evn_event_solver *s = solver ? *solver : NULL;
    if (!s) {
        return;
    }
    evn__event_gradient_destroy(&s->gradient);
    evn__event_search_destroy(&s->search);
    evn__event_system_free(&s->system);
    evn__course_free(&s->course);
    evn_dynamics_destroy(&s->dynamics);
    free(s->events);
    free(s->found);
    free(s->jumps);
    free(s->weights);
    free(s->parameters);
    free(s->t0);
    free(s->t1);
    free(s);
    *solver = NULL;
}

// A solve -----------------------------------------------------------------------------------------

static evn_status set_initial(const evn_event_solver *s, int index, evn_binding value) {
    bool fp64 = s->options.fp64;
    size_t count = state_size(s, index);
    EVN_TRY(evn__real_copy(evn__event_search_state(s->search, index), value, fp64, count));
    return s->gradient
               ? evn__real_copy(evn__event_gradient_start(s->gradient, index), value, fp64, count)
               : EVN_OK;
}

static evn_status load(evn_event_solver *s, evn_binding x0, const evn_binding *weights) {
    EVN_TRY(set_initial(s, 0, x0));
    for (int i = 0; i < s->dynamics->weight_count; ++i) {
        const evn__weight *w = &s->dynamics->weights[i];
        s->weights[i] = weights[i];
        if (w->evolves) {
            EVN_TRY(set_initial(s, w->index, weights[i]));
        } else {
            s->parameters[w->index] = weights[i];
        }
    }
    return EVN_OK;
}

static evn_status collect(evn_event_solver *s) {
    int count = evn__event_search_count(s->search);
    EVN_TRY(EVN_RESERVE(s->found, s->found_capacity, count));
    for (int i = 0; i < count; ++i) {
        const evn__event_found *one = evn__event_search_found(s->search, i);
        s->found[i] = (evn_occurrence){one->row, one->event, one->t, one->x};
    }
    return EVN_OK;
}

static evn_status solve(evn_event_solver *s, const evn__passage *passage, evn_binding x0,
                        const evn_binding *weights, evn_binding *x1, evn_solution *solution) {
    evn_solution unused;
    solution = solution ? solution : &unused;
    *solution = (evn_solution){0}; // also where the device fails on the way
    EVN_REQUIRE(x1);
    EVN_TRY(evn__real_check(x0, s->options.fp64, state_size(s, 0), "state", "x0"));
    EVN_TRY(evn__check_weights(s->dynamics, &s->options, weights, "weight"));
    s->ended = s->solved = false;
    if (s->gradient) {
        evn__event_gradient_forget(s->gradient);
    }
    EVN_TRY(load(s, x0, weights));
    evn__passage own = *passage;
    own.parameters = s->parameters;
    evn_status status = evn__event_search_run(s->search, &own, solution);
    *x1 = evn__event_search_state(s->search, 0);
    EVN_TRY(collect(s)); // without it there is nothing to ask for
    s->solved = status == EVN_OK;
    s->ended = s->solved || solution->outcome != EVN_OUTCOME_DONE;
    for (int i = 0; i < sample_count(s) && s->ended; ++i) {
        evn__passage_ends(passage, i, &s->t0[i], &s->t1[i]);
        s->t1[i] = evn__event_search_solution(s->search, i).t;
    }
    return status;
}

evn_status evn_solve_to_event(evn_event_solver *solver, double t0, double t1, evn_binding x0,
                              const evn_binding *weights, evn_binding *x1, evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_TRY(evn__check_interval(&solver->options, t0, t1));
    const evn__passage passage = {.t0 = t0, .t1 = t1};
    return solve(solver, &passage, x0, weights, x1, solution);
}

evn_status evn_solve_samples_to_event(evn_event_solver *solver, const evn_sample_times *times,
                                      evn_binding x0, const evn_binding *weights, evn_binding *x1,
                                      evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(times);
    EVN_REQUIRE(times->t0);
    EVN_REQUIRE(times->t1);
    EVN_CHECK(solver->options.per_sample, EVN_ERR_ARGUMENT,
              "the solver has one time for the whole batch: set per_sample in its options");
    EVN_CHECK(!times->times || solver->options.observations > 0, EVN_ERR_ARGUMENT,
              "there are times of observations, of which the options have none");
    for (int i = 0; i < sample_count(solver); ++i) {
        EVN_TRY(evn__check_sample_times(&solver->options, times, i));
    }
    const evn__passage passage = {.samples = times};
    return solve(solver, &passage, x0, weights, x1, solution);
}

evn_status evn_event_solver_observed(const evn_event_solver *solver, evn_binding *series) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(series);
    EVN_CHECK(solver->options.observations > 0, EVN_ERR_ARGUMENT,
              "the solver observes nothing: set observations in its options");
    EVN_CHECK(solver->solved, EVN_ERR_ARGUMENT,
              "there is no solve that came to its end: call evn_solve_to_event first, and go on "
              "only if it is EVN_OK");
    *series = (evn_binding){evn__event_search_observations(solver->search)->series, 0};
    return EVN_OK;
}

// What it found -----------------------------------------------------------------------------------

static evn_status check_sample(const evn_event_solver *s, int64_t index) {
    EVN_CHECK(s->ended, EVN_ERR_ARGUMENT,
              "there is no solve that came to its end or to a stop: call evn_solve_to_event first");
    EVN_CHECK(index >= 0 && index < sample_count(s), EVN_ERR_ARGUMENT,
              "there is no sample %lld: there are samples 0 to %d", (long long)index,
              sample_count(s) - 1);
    return EVN_OK;
}

evn_status evn_event_solver_sample_solution(const evn_event_solver *solver, int64_t index,
                                            evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(solution);
    EVN_TRY(check_sample(solver, index));
    *solution = evn__event_search_solution(solver->search, (int)index);
    return EVN_OK;
}

evn_status evn_event_solver_ended_with(const evn_event_solver *solver, int64_t index, int *event) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(event);
    EVN_TRY(check_sample(solver, index));
    *event = evn__event_search_terminal(solver->search, (int)index);
    return EVN_OK;
}

evn_status evn_event_solver_grid(const evn_event_solver *solver, int64_t index, double *times,
                                 int count) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(times);
    EVN_TRY(check_sample(solver, index));
    return evn__event_search_grid(solver->search, (int)index, times, count);
}

int evn_event_solver_occurrence_count(const evn_event_solver *solver) {
    return solver && solver->ended ? evn__event_search_count(solver->search) : 0;
}

evn_status evn_event_solver_occurrence(const evn_event_solver *solver, int index,
                                       evn_occurrence *occurrence) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(occurrence);
    int count = evn_event_solver_occurrence_count(solver);
    EVN_CHECK(index >= 0 && index < count, EVN_ERR_ARGUMENT,
              "there is no occurrence %d of an event: there are %d", index, count);
    *occurrence = solver->found[index];
    return EVN_OK;
}

// Gradient ----------------------------------------------------------------------------------------

static evn_status check_gradient(const evn_event_solver *s, const evn_event_bars *bars,
                                 const evn_binding *weights_bar) {
    EVN_CHECK(s->gradient, EVN_ERR_ARGUMENT,
              "the solver was made without a gradient: set gradient in its options");
    EVN_CHECK(s->solved, EVN_ERR_ARGUMENT,
              "there is no solve to differentiate: call evn_solve_to_event first, and go on only "
              "if it is EVN_OK");
    EVN_TRY(
        evn__real_check(bars->x1_bar, s->options.fp64, state_size(s, 0), "cotangent", "x1_bar"));
    size_t observed = (size_t)s->options.observations * state_size(s, 0);
    EVN_CHECK(!bars->observations.buffer || observed > 0, EVN_ERR_ARGUMENT,
              "there are cotangents of observations, of which the options have none: leave "
              "`observations` out");
    EVN_TRY(bars->observations.buffer ? evn__real_check(bars->observations, s->options.fp64,
                                                        observed, "cotangent", "observations")
                                      : EVN_OK);
    return evn__check_weights(s->dynamics, &s->options, weights_bar, "cotangent of weight");
}

evn_status evn_solve_to_event_gradient(evn_event_solver *solver, const evn_event_bars *bars,
                                       evn_binding *x0_bar, const evn_binding *weights_bar,
                                       evn_solution *solution) {
    evn_solution unused;
    solution = solution ? solution : &unused;
    *solution = (evn_solution){0}; // also where something fails before it says anything
    EVN_REQUIRE(solver);
    EVN_REQUIRE(bars);
    EVN_REQUIRE(x0_bar);
    EVN_TRY(check_gradient(solver, bars, weights_bar));
    return evn__event_gradient_take(solver->gradient, bars, x0_bar, weights_bar, solution);
}

evn_status evn_solve_to_event_time_gradient(evn_event_solver *solver, double *t0_bar) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(t0_bar);
    EVN_CHECK(solver->gradient, EVN_ERR_ARGUMENT,
              "the solver was made without a gradient: set gradient in its options");
    return evn__event_gradient_time(solver->gradient, t0_bar);
}
