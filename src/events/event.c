// SPDX-License-Identifier: Apache-2.0
// A solver that looks for events: a search, and for the gradient a solver that goes to where that
// has ended.
#include "evonode/event.h"

#include "base/memory.h"
#include "events/event_search.h"
#include "integrator/integrator.h"
#include "integrator/jump.h"
#include "plan/real.h"
#include "solver/arguments.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct evn_event_solver {
    evn_device *device;
    evn_solver_options options;
    evn_dynamics *dynamics;
    evn_event *events; ///< without their functions
    evn__problem problem;
    evn__event_system system;
    evn__event_search *search;
    evn_occurrence *found; ///< of the last solve, in order
    int found_capacity;
    evn_binding *weights;    ///< of the last solve, one for each
    evn_binding *parameters; ///< of these, in the order of the system
    double *t0, *t1;         ///< of each sample of the last solve: where it began and ended
    bool ended, solved;      ///< as a solver's
    bool again;              ///< so did the gradient's solver, to where this solve has ended
    // Of the gradient, else none.
    evn_solver *gradient; ///< from t0 to where the search has ended
    evn_plan *through;    ///< at the events
    evn_buffer *start;    ///< the state at t0
    evn_buffer *bars;     ///< x_bar, those of the parameters, rates
    evn_buffer *given;    ///< x_bar of all rows, times, their cotangents, which event, one row each
    evn__jump **shares;   ///< of each weight that is a parameter
    double *host;         ///< what is written to `given`
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
    EVN_CHECK(options->observations == 0, EVN_ERR_ARGUMENT,
              "a solve to an event has no observations: solve to the time of the event again, with "
              "a solver that has them");
    EVN_CHECK(options->jump_count == 0, EVN_ERR_ARGUMENT,
              "a solve to an event knows no jumps of f: solve up to the last time before each "
              "(nextafter, in single precision nextafterf), and on from the jump");
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

static evn_status compile_through(evn_event_solver *s) {
    static const char *const batch[] = {"x.0", "x_bar", NULL};
    static const char *const own[] = {"t", "x.0", "x_bar", "t_bar", "which", "first", NULL};
    bool lifted = s->options.per_sample;
    const evn_plan_options options = {
        .fp64 = s->options.fp64, .sample_inputs = lifted ? own : batch, .few_samples = lifted};
    evn_graph *graph = NULL;
    EVN_TRY(evn__event_gradient_graph(&s->system, &graph));
    evn_status status = evn_plan_create(s->device, graph, &options, &s->through);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status make(const evn_event_solver *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->device, EVN__USE_STATES, s->options.fp64, count, buffer);
}

/// Elements of x in all rows.
static size_t row_elements(const evn_event_solver *s) {
    return (size_t)evn_shape_count(evn__system_state_shape(&s->system.system, 0));
}

/// Where number `index` of what the gradient at the events gives is; one behind the last: the end.
static size_t bar_at(const evn_event_solver *s, int index) {
    size_t at = index > 0 ? evn__real_aligned(row_elements(s)) : 0;
    for (int i = 1; i < index; ++i) {
        at += evn__real_aligned(
            (size_t)evn_shape_count(evn__system_parameter_shape(&s->system.system, i - 1)));
    }
    return at;
}

static evn_status make_gradient(evn_event_solver *s) {
    size_t rows = (size_t)s->system.rows, numbers = rows * (2 + 2 * (size_t)s->system.count);
    size_t start = 0;
    for (int i = 0; i < s->dynamics->system.state_count; ++i) {
        start += evn__real_aligned(state_size(s, i));
    }
    EVN_TRY(evn_solver_create(s->device, s->dynamics, &s->options, &s->gradient));
    EVN_TRY(compile_through(s));
    EVN_TRY(make(s, start, &s->start));
    EVN_TRY(make(s, bar_at(s, s->dynamics->system.parameter_count + 1) + rows, &s->bars));
    EVN_TRY(make(s, evn__real_aligned(row_elements(s)) + numbers, &s->given));
    EVN_TRY(EVN_NEW(&s->host, numbers));
    EVN_TRY(EVN_NEW(&s->shares, s->dynamics->weight_count));
    for (int i = 0; i < s->dynamics->weight_count; ++i) {
        if (!s->dynamics->weights[i].evolves) {
            EVN_TRY(evn__jump_create(s->device, evn_dynamics_weight_shape(s->dynamics, i),
                                     s->options.fp64, &s->shares[i]));
        }
    }
    return EVN_OK;
}

static evn_status create(evn_event_solver *s, const evn_dynamics *dynamics, const evn_event *events,
                         int count) {
    EVN_TRY(check_events(&s->options, events, count));
    EVN_TRY(evn__take_over(&s->options, dynamics, &s->dynamics));
    const evn__stepper *stepper = evn__stepper_find(s->options.method);
    EVN_TRY(evn__stepper_check_past(stepper, "a solve to an event"));
    EVN_TRY(evn__event_system_create(s->dynamics, &s->options, stepper, events, count, &s->system));
    EVN_TRY(EVN_NEW(&s->events, count));
    for (int i = 0; i < count; ++i) {
        s->events[i] = (evn_event){NULL, events[i].direction, events[i].terminal};
    }
    s->problem =
        (evn__problem){.device = s->device, .system = &s->dynamics->system, .options = &s->options};
    EVN_TRY(evn__event_search_create(&s->problem, &s->system, s->events, &s->search));
    EVN_TRY(EVN_NEW(&s->weights, s->dynamics->weight_count + 1));
    EVN_TRY(EVN_NEW(&s->parameters, s->dynamics->weight_count + 1));
    EVN_TRY(EVN_NEW(&s->t0, sample_count(s)));
    EVN_TRY(EVN_NEW(&s->t1, sample_count(s)));
    return s->options.gradient == EVN_GRADIENT_NONE ? EVN_OK : make_gradient(s);
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
    evn_solver_destroy(&s->gradient);
    evn_plan_destroy(&s->through);
    evn_buffer_destroy(&s->start);
    evn_buffer_destroy(&s->bars);
    evn_buffer_destroy(&s->given);
    for (int i = 0; s->shares && i < s->dynamics->weight_count; ++i) {
        evn__jump_destroy(&s->shares[i]);
    }
    evn__event_search_destroy(&s->search);
    evn__event_system_free(&s->system);
    evn_dynamics_destroy(&s->dynamics);
    free(s->events);
    free(s->found);
    free(s->weights);
    free(s->parameters);
    free(s->t0);
    free(s->t1);
    free(s->shares);
    free(s->host);
    free(s);
    *solver = NULL;
}

// A solve -----------------------------------------------------------------------------------------

/// Component `index` of the state at t0, for the gradient.
static evn_binding start_at(const evn_event_solver *s, int index) {
    evn_binding at = {s->start, 0};
    for (int i = 0; i < index; ++i) {
        at.offset += evn__real_aligned(state_size(s, i));
    }
    return at;
}

static evn_status set_initial(const evn_event_solver *s, int index, evn_binding value) {
    size_t count = state_size(s, index);
    EVN_TRY(
        evn__real_copy(evn__event_search_state(s->search, index), value, s->options.fp64, count));
    return s->start ? evn__real_copy(start_at(s, index), value, s->options.fp64, count) : EVN_OK;
}

static evn_status load(evn_event_solver *s, evn_binding x0, const evn_binding *weights) {
    EVN_TRY(set_initial(s, 0, x0));
    for (int i = 0; i < s->dynamics->weight_count; ++i) {
        const evn__weight *w = &s->dynamics->weights[i];
        s->weights[i] = weights[i];
        if (w->evolves) {
            EVN_TRY(set_initial(s, w->index, weights[i]));
            s->weights[i] = s->start ? start_at(s, w->index) : weights[i];
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
    s->ended = s->solved = s->again = false;
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
    EVN_CHECK(!times->times, EVN_ERR_ARGUMENT,
              "there are times of observations, which a solve to an event has not");
    for (int i = 0; i < sample_count(solver); ++i) {
        evn_status status = evn__check_interval(&solver->options, times->t0[i], times->t1[i]);
        EVN_TRY(status == EVN_OK ? status : evn__prepend(status, "sample %d", i));
    }
    const evn__passage passage = {.samples = times};
    return solve(solver, &passage, x0, weights, x1, solution);
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

static evn_status check_gradient(const evn_event_solver *s, evn_binding x1_bar,
                                 const evn_binding *weights_bar) {
    EVN_CHECK(s->gradient, EVN_ERR_ARGUMENT,
              "the solver was made without a gradient: set gradient in its options");
    EVN_CHECK(s->solved, EVN_ERR_ARGUMENT,
              "there is no solve to differentiate: call evn_solve_to_event first, and go on only "
              "if it is EVN_OK");
    EVN_TRY(evn__real_check(x1_bar, s->options.fp64, state_size(s, 0), "cotangent", "x1_bar"));
    return evn__check_weights(s->dynamics, &s->options, weights_bar, "cotangent of weight");
}

/// To where the search has ended, once.
static evn_status solve_again(evn_event_solver *s, evn_solution *solution) {
    evn_binding x1;
    const evn_sample_times times = {.t0 = s->t0, .t1 = s->t1};
    if (s->again) {
        return EVN_OK;
    }
    EVN_TRY(s->options.per_sample
                ? evn_solve_samples(s->gradient, &times, start_at(s, 0), s->weights, &x1, solution)
                : evn_solve(s->gradient, s->t0[0], s->t1[0], start_at(s, 0), s->weights, &x1,
                            solution));
    s->again = true;
    return EVN_OK;
}

/// Which event each row ended with; of each event the first row that did.
static void fill_which(const evn_event_solver *s, double *which) {
    size_t rows = (size_t)s->system.rows, count = (size_t)s->system.count;
    double *first = which + rows * count;
    bool met[EVN_MAX_INPUTS] = {false};
    memset(which, 0, sizeof(*which) * 2 * rows * count);
    for (int i = 0; i < sample_count(s); ++i) { // not rows that are there only to be many
        int event = evn__event_search_terminal(s->search, i);
        if (event >= 0) {
            which[(size_t)i * count + (size_t)event] = 1;
            first[(size_t)i * count + (size_t)event] = !met[event];
            met[event] = true;
        }
    }
}

/// Times, their cotangents, and which event each row ended with; behind x_bar, whose rows that are
/// there only to be many have none.
static evn_status give(evn_event_solver *s, evn_binding x1_bar, const double *t_bar) {
    size_t rows = (size_t)s->system.rows, count = (size_t)s->system.count, x = row_elements(s);
    for (size_t i = 0; i < rows; ++i) {
        bool counts = i < (size_t)sample_count(s);
        int event = counts ? evn__event_search_terminal(s->search, (int)i) : -1;
        s->host[i] = s->t1[counts ? i : 0];
        s->host[rows + i] = t_bar && event >= 0 ? t_bar[i] : 0;
    }
    fill_which(s, s->host + 2 * rows);
    EVN_TRY(evn__real_zero((evn_binding){s->given, 0}, s->options.fp64, x));
    EVN_TRY(evn__real_copy((evn_binding){s->given, 0}, x1_bar, s->options.fp64, state_size(s, 0)));
    return evn__real_write((evn_binding){s->given, evn__real_aligned(x)}, s->options.fp64, s->host,
                           2 * rows * (1 + count));
}

static evn_status run_through(const evn_event_solver *s) {
    int states = s->dynamics->system.state_count, parameters = s->dynamics->system.parameter_count;
    size_t rows = (size_t)s->system.rows, numbers = evn__real_aligned(row_elements(s));
    size_t table = rows * (size_t)s->system.count;
    evn_binding *in = NULL, *out = NULL;
    EVN_TRY(EVN_NEW(&in, 2 * (states + parameters) + 9));
    out = in + states + parameters + 5;
    evn_binding *to = in, *from = out;
    *to++ = (evn_binding){s->given, numbers};
    for (int i = 0; i < states; ++i) {
        *to++ = evn__event_search_state(s->search, i);
    }
    memcpy(to, s->parameters, sizeof(*to) * (size_t)parameters);
    to += parameters;
    *to++ = (evn_binding){s->given, 0};
    *to++ = (evn_binding){s->given, numbers + rows};
    *to++ = (evn_binding){s->given, numbers + 2 * rows};
    *to++ = (evn_binding){s->given, numbers + 2 * rows + table};
    for (int i = 0; i < parameters + 2; ++i) { // x_bar, parameters, rates
        *from++ = (evn_binding){s->bars, bar_at(s, i)};
    }
    evn_status status = evn_plan_run(s->through, in, out);
    free(in);
    return status;
}

/// Where an event's function only touches 0 its time has no derivative.
static evn_status check_rates(const evn_event_solver *s) {
    const evn_binding rates = {s->bars, bar_at(s, s->dynamics->system.parameter_count + 1)};
    EVN_TRY(evn__real_read(rates, s->options.fp64, s->host, (size_t)s->system.rows));
    for (int i = 0; i < sample_count(s); ++i) {
        int event = evn__event_search_terminal(s->search, i);
        EVN_CHECK(event < 0 || (isfinite(s->host[i]) && s->host[i] != 0), EVN_ERR_NOT_FINITE,
                  "sample %d ended with event %d, whose function changes at a rate of %g there: "
                  "its time has no derivative",
                  i, event, s->host[i]);
    }
    return EVN_OK;
}

/// Weights that the events read get their share.
static evn_status add_shares(const evn_event_solver *s, const evn_binding *weights_bar) {
    for (int i = 0; i < s->dynamics->weight_count; ++i) {
        const evn__weight *w = &s->dynamics->weights[i];
        if (!w->evolves) {
            const evn_binding share = {s->bars, bar_at(s, 1 + w->index)};
            EVN_TRY(evn__jump_add(s->shares[i], weights_bar[i], share));
        }
    }
    return EVN_OK;
}

evn_status evn_solve_to_event_gradient(evn_event_solver *solver, evn_binding x1_bar,
                                       const double *t_bar, evn_binding *x0_bar,
                                       const evn_binding *weights_bar, evn_solution *solution) {
    evn_solution unused, ahead = {0};
    solution = solution ? solution : &unused;
    *solution = (evn_solution){0}; // also where something fails before it says anything
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x0_bar);
    EVN_TRY(check_gradient(solver, x1_bar, weights_bar));
    EVN_TRY(give(solver, x1_bar, t_bar));
    EVN_TRY(run_through(solver));
    EVN_TRY(check_rates(solver));
    EVN_TRY(solve_again(solver, &ahead));
    EVN_TRY(evn_solve_gradient(solver->gradient, (evn_binding){solver->bars, 0}, x0_bar,
                               weights_bar, solution));
    solution->nfe += ahead.nfe;
    return add_shares(solver, weights_bar);
}

evn_status evn_solve_to_event_time_gradient(evn_event_solver *solver, double *t0_bar) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(t0_bar);
    EVN_CHECK(solver->gradient, EVN_ERR_ARGUMENT,
              "the solver was made without a gradient: set gradient in its options");
    return evn_solver_time_gradient(solver->gradient, t0_bar, NULL, NULL);
}
