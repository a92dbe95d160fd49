// SPDX-License-Identifier: Apache-2.0
// A solver puts a method, a course and a gradient scheme together: it checks what it is given,
// sorts weights into states and parameters, and leaves the way to the scheme.
#include "evonode/solver.h"

#include "integrator/integrator.h"
#include "integrator/options.h"
#include "integrator/outcome.h"
#include "plan/real.h"
#include "solver/arguments.h"
#include "solver/part.h"
#include "solver/solver_state.h"
#include <math.h>
#include <stdlib.h>

evn_status evn_solver_options_check(const evn_solver_options *options) {
    const evn__stepper *stepper;
    evn__course course;
    EVN_REQUIRE(options);
    EVN_TRY(evn__check_options(options, &stepper));
    EVN_TRY(evn__scheme_check(options));
    EVN_TRY(evn__course_create(options, &course)); // whose times have to be right, too
    evn__course_free(&course);
    return EVN_OK;
}

static size_t state_elements(const evn_solver *solver) {
    return (size_t)evn_shape_count(evn_dynamics_state_shape(solver->dynamics));
}

static bool observes(const evn_solver *solver) {
    return solver->options.observations > 0;
}

/// Whether an observation keeps evolving weights beside x: a gradient in times that is none of
/// steps needs them. Where they are solved by themselves they have observations of their own.
static bool keeps_weights(const evn_solver *solver) {
    const evn_solver_options *o = &solver->options;
    bool rates = o->time_gradient && !evn__scheme_is_of_steps(&solver->problem);
    return solver->layout.count > 1 && !evn__scheme_has_path(&solver->problem) &&
           (o->observe_weights || rates);
}

static evn_status create_memory(evn_solver *solver) {
    EVN_TRY(EVN_NEW(&solver->parameters, solver->dynamics->system.parameter_count));
    EVN_TRY(EVN_NEW(&solver->parameters_bar, solver->dynamics->system.parameter_count));
    EVN_TRY(evn__layout_create(&solver->dynamics->system, &solver->layout));
    solver->problem.observed =
        keeps_weights(solver) ? solver->layout.total : state_elements(solver);
    EVN_TRY(solver->doubtful.steps
                ? evn__real_create_for(solver->problem.device, EVN__USE_STATES,
                                       solver->options.fp64, state_elements(solver), &solver->start)
                : EVN_OK);
    return observes(solver) ? evn__observations_create(&solver->problem, &solver->observations)
                            : EVN_OK;
}

static evn_status create_fallback(evn_solver *solver) {
    solver->checkpointed = evn_solver_options_with(&solver->options, EVN_GRADIENT_CHECKPOINTED);
    solver->fallback_problem = solver->problem;
    solver->fallback_problem.options = &solver->checkpointed;
    return evn__scheme_create(&solver->fallback_problem, &solver->fallback);
}

static evn_status create_scheme(evn_solver *solver) {
    EVN_TRY(evn__scheme_create(&solver->problem, &solver->scheme));
    solver->last = solver->scheme;
    EVN_TRY(solver->options.time_gradient
                ? evn__time_gradient_create(&solver->problem, solver->scheme->methods,
                                            &solver->time_gradient)
                : EVN_OK);
    EVN_TRY(solver->scheme->methods->reconstructed
                ? evn__reconstruction_create(&solver->problem, &solver->reconstruction)
                : EVN_OK);
    // Memory for it must not be found lacking in the middle of a training.
    return solver->reconstruction && solver->options.fall_back ? create_fallback(solver) : EVN_OK;
}

/// For the whole batch; with per_sample the scheme has it.
static evn_status create_dense(evn_solver *solver) {
    const evn__scheme_methods *methods = solver->scheme->methods;
    const evn_binding *parameters;
    const evn__scheme *x =
        methods->of_x ? methods->of_x(solver->scheme, &parameters) : solver->scheme;
    return solver->options.dense && !methods->at
               ? evn__dense_output_create(x->problem, &solver->dense)
               : EVN_OK;
}

static evn_status copy_jumps(evn_solver *solver) {
    evn_solver_options *o = &solver->options;
    EVN_TRY(EVN_NEW(&solver->jumps, o->jump_count + 1));
    for (int i = 0; i < o->jump_count; ++i) {
        solver->jumps[i] = o->jumps[i];
    }
    o->jumps = solver->jumps;
    return EVN_OK;
}

static evn_status create(evn_solver *solver, evn_device *device, const evn_dynamics *dynamics) {
    EVN_TRY(evn__take_over(&solver->options, dynamics, &solver->dynamics));
    EVN_TRY(evn__course_create(&solver->options, &solver->course));
    solver->options.times = NULL; // the caller's
    EVN_TRY(copy_jumps(solver));
    solver->problem = (evn__problem){.device = device,
                                     .system = &solver->dynamics->system,
                                     .options = &solver->options,
                                     .course = &solver->course};
    EVN_TRY(
        evn__outcome_find_doubtful(&solver->options, &solver->dynamics->system, &solver->doubtful));
    EVN_TRY(create_memory(solver));
    EVN_TRY(create_scheme(solver));
    return create_dense(solver);
}

evn_status evn_solver_create(evn_device *device, const evn_dynamics *dynamics,
                             const evn_solver_options *options, evn_solver **solver) {
    EVN_REQUIRE(solver);
    *solver = NULL;
    EVN_REQUIRE(device);
    EVN_REQUIRE(dynamics);
    EVN_REQUIRE(options);
    EVN_TRY(EVN_NEW(solver, 1));
    (*solver)->options = *options;
    evn_status status = create(*solver, device, dynamics);
    if (status != EVN_OK) {
        evn_solver_destroy(solver);
    }
    return status;
}

void evn_solver_destroy(evn_solver **solver) {
    evn_solver *s = solver ? *solver : NULL;
    if (!s) {
        return;
    }
    evn__scheme_destroy(&s->scheme);
    evn__scheme_destroy(&s->fallback);
    evn__reconstruction_destroy(&s->reconstruction);
    evn__time_gradient_destroy(&s->time_gradient);
    evn__observations_destroy(&s->observations);
    evn__dense_output_destroy(&s->dense);
    evn_buffer_destroy(&s->x1_bar);
    evn_buffer_destroy(&s->start);
    evn__layout_free(&s->layout);
    evn_dynamics_destroy(&s->dynamics);
    evn__course_free(&s->course);
    free(s->parameters);
    free(s->parameters_bar);
    free(s->jumps);
    free(s->ends);
    free(s);
    *solver = NULL;
}

// Forward -----------------------------------------------------------------------------------------

static evn_status set_initial(evn_solver *solver, int index, evn_binding value) {
    size_t count = solver->layout.size[index];
    evn_binding begin = solver->scheme->methods->begin(solver->scheme, index);
    EVN_TRY(evn__real_copy(begin, value, solver->options.fp64, count));
    EVN_TRY(solver->dense && (index == 0 || !solver->scheme->methods->of_x)
                ? evn__dense_output_start(solver->dense, index, value)
                : EVN_OK);
    EVN_TRY(solver->time_gradient ? evn__time_gradient_start(solver->time_gradient, index, value)
                                  : EVN_OK);
    return solver->reconstruction
               ? evn__real_copy(evn__reconstruction_truth(solver->reconstruction, index), value,
                                solver->options.fp64, count)
               : EVN_OK;
}

static evn_status load(evn_solver *solver, evn_binding x0, const evn_binding *weights) {
    EVN_TRY(evn__solver_keep_start(solver, x0));
    EVN_TRY(set_initial(solver, 0, x0));
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        const evn__weight *w = &solver->dynamics->weights[i];
        if (w->evolves) {
            EVN_TRY(set_initial(solver, w->index, weights[i]));
        } else {
            solver->parameters[w->index] = weights[i];
        }
    }
    return EVN_OK;
}

/// The state at t0 where it is an observation.
static evn_status observe_start(const evn_solver *solver) {
    const evn__scheme *scheme = solver->scheme;
    evn_binding weights = evn__observations_weights(solver->observations);
    if (!solver->course.starts) {
        return EVN_OK;
    }
    EVN_TRY(evn__real_copy(evn__observations_all(solver->observations),
                           scheme->methods->begin(scheme, 0), solver->options.fp64,
                           solver->problem.observed));
    for (int i = 1; weights.buffer && i < solver->layout.count; ++i) {
        EVN_TRY(evn__real_copy(weights, scheme->methods->begin(scheme, i), solver->options.fp64,
                               solver->layout.size[i]));
        weights.offset += solver->layout.size[i];
    }
    return EVN_OK;
}

/// @param times  NULL, or what the course is to be laid out by, once all else is right: a refused
///               call leaves the last solve, and its grid
static evn_status solve(evn_solver *solver, evn__passage passage, const double *times,
                        evn_binding x0, const evn_binding *weights, evn_binding *x1,
                        evn_solution *solution) {
    evn_solution unused;
    solution = solution ? solution : &unused;
    *solution = (evn_solution){0}; // also where the device fails on the way
    EVN_REQUIRE(x1);
    EVN_TRY(evn__real_check(x0, solver->options.fp64, state_elements(solver), "state", "x0"));
    EVN_TRY(evn__check_weights(solver->dynamics, &solver->options, weights, "weight"));
    if (times) {
        evn__course_lay_times(&solver->options, passage.t0, times, &solver->course);
    }
    solver->ended = solver->solved = solver->differentiated = solver->reconstructed = false;
    EVN_TRY(load(solver, x0, weights));
    passage.parameters = solver->parameters;
    passage.series = evn__observations_all(solver->observations);
    passage.weights = evn__observations_weights(solver->observations);
    solver->passage = passage;
    solver->passage.samples = NULL; // the caller's
    solver->own_times = passage.samples != NULL;
    if (solver->time_gradient) {
        evn__time_gradient_begin(solver->time_gradient, &passage);
    }
    EVN_TRY(observe_start(solver));
    evn_status status = solver->scheme->methods->solve(solver->scheme, &passage, solution);
    evn_binding end = solver->scheme->methods->end(solver->scheme, 0);
    *x1 = solver->observations ? evn__observations_given(solver->observations) : end;
    if (status == EVN_OK) {
        status = evn__solver_check_steps(solver, end, solution);
    }
    if (status == EVN_OK && solver->observations) {
        status = evn__observations_give(solver->observations);
    }
    solver->last = solver->scheme;
    solver->solved = status == EVN_OK;
    solver->solution = *solution;
    solver->ended = solver->solved || solution->outcome != EVN_OUTCOME_DONE;
    return status;
}

static evn_status check_constant_times(const evn_solver *solver) {
    EVN_CHECK(!solver->options.times_vary, EVN_ERR_ARGUMENT,
              "each solve has times of observations of its own: give them to evn_solve_times, or "
              "those of each sample to evn_solve_samples");
    return EVN_OK;
}

evn_status evn_solve(evn_solver *solver, double t0, double t1, evn_binding x0,
                     const evn_binding *weights, evn_binding *x1, evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_TRY(evn__check_interval(&solver->options, t0, t1));
    EVN_TRY(check_constant_times(solver));
    const evn__passage passage = {.t0 = t0, .t1 = evn__course_stop(&solver->course, t0, t1)};
    return solve(solver, passage, NULL, x0, weights, x1, solution);
}

evn_status evn_solve_times(evn_solver *solver, double t0, const double *times, evn_binding x0,
                           const evn_binding *weights, evn_binding *x1, evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(times);
    EVN_CHECK(solver->options.times_vary, EVN_ERR_ARGUMENT,
              "the solver's observations are at fractions of every way: set times_vary in its "
              "options");
    double t1 = times[solver->options.observations - 1];
    EVN_TRY(evn__course_check_times(&solver->options, t0, times));
    EVN_TRY(evn__check_interval(&solver->options, t0, t1));
    const evn__passage passage = {.t0 = t0, .t1 = t1};
    return solve(solver, passage, times, x0, weights, x1, solution);
}

static evn_status check_weight(const evn_solver *solver, int index, int observation) {
    int count = solver->dynamics->weight_count;
    EVN_CHECK(index >= 0 && index < count, EVN_ERR_ARGUMENT,
              "there is no weight %d: the dynamics has %d, from 0 on", index, count);
    EVN_CHECK(observation >= -1 && observation < solver->options.observations, EVN_ERR_ARGUMENT,
              "there is no observation %d: the solver has %d, from 0 on; -1 is t1", observation,
              solver->options.observations);
    EVN_CHECK(solver->solved, EVN_ERR_ARGUMENT,
              "there is no solve that came to its end: call evn_solve first, and go on only if it "
              "is EVN_OK");
    return EVN_OK;
}

/// Component `index` of the state.
static evn_binding observed_weight(const evn_solver *solver, int observation, int index) {
    const evn__passage *passage = &solver->passage;
    evn_binding at = evn__scheme_place(&solver->problem, passage->series, observation);
    at.offset += solver->layout.offset[index];
    if (passage->weights.buffer) {
        at = evn__scheme_place_weights(&solver->problem, passage->weights, observation);
        at.offset += evn__path_offset(&solver->dynamics->system, index - 1);
    }
    return at;
}

evn_status evn_solver_weight(const evn_solver *solver, int index, int observation,
                             evn_binding *weight) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(weight);
    EVN_TRY(check_weight(solver, index, observation));
    const evn__weight *w = &solver->dynamics->weights[index];
    EVN_CHECK(!w->evolves || observation < 0 || solver->options.observe_weights, EVN_ERR_ARGUMENT,
              "the solver keeps no weights at observations: set observe_weights in its options");
    EVN_CHECK(!w->evolves || observation < 0 || !solver->own_times, EVN_ERR_ARGUMENT,
              "each sample was observed at times of its own, at which weight '%s' is not the same; "
              "ask evn_solver_at for it, with dense in the options",
              evn_dynamics_weight_name(solver->dynamics, index));
    if (w->evolves && observation >= 0) {
        *weight = observed_weight(solver, observation, w->index);
    } else {
        *weight = w->evolves ? solver->scheme->methods->end(solver->scheme, w->index)
                             : solver->parameters[w->index];
    }
    return EVN_OK;
}

// Times of each sample's own ----------------------------------------------------------------------

static int64_t sample_count(const evn_solver *solver) {
    return evn_dynamics_state_shape(solver->dynamics).dim[0];
}

/// At fractions of its way a sample ends with the last of these.
static evn_status stop_samples(evn_solver *solver, evn_sample_times *times) {
    EVN_TRY(check_constant_times(solver));
    if (solver->course.last == 1) {
        return EVN_OK;
    }
    EVN_TRY(solver->ends ? EVN_OK : EVN_NEW(&solver->ends, sample_count(solver)));
    for (int64_t i = 0; i < sample_count(solver); ++i) {
        solver->ends[i] = evn__course_stop(&solver->course, times->t0[i], times->t1[i]);
    }
    times->t1 = solver->ends;
    return EVN_OK;
}

evn_status evn_solve_samples(evn_solver *solver, const evn_sample_times *times, evn_binding x0,
                             const evn_binding *weights, evn_binding *x1, evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(times);
    EVN_REQUIRE(times->t0);
    EVN_REQUIRE(times->t1);
    EVN_CHECK(solver->options.per_sample, EVN_ERR_ARGUMENT,
              "the solver has one time for the whole batch: set per_sample in its options");
    for (int64_t i = 0; i < sample_count(solver); ++i) {
        EVN_TRY(evn__check_sample_times(&solver->options, times, i));
    }
    evn_sample_times own = *times;
    EVN_TRY(times->times ? EVN_OK : stop_samples(solver, &own));
    const evn__passage passage = {.samples = &own};
    return solve(solver, passage, NULL, x0, weights, x1, solution);
}

evn_status evn_solver_sample_solution(const evn_solver *solver, int64_t index,
                                      evn_solution *solution) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(solution);
    const evn__scheme_methods *methods = solver->scheme->methods;
    EVN_CHECK(methods->sample, EVN_ERR_ARGUMENT,
              "the solver's steps are those of the whole batch: set per_sample in its options");
    EVN_CHECK(solver->ended, EVN_ERR_ARGUMENT,
              "there is no solve that came to its end or to a stop: call evn_solve first");
    EVN_CHECK(index >= 0 && index < sample_count(solver), EVN_ERR_ARGUMENT,
              "there is no sample %lld: x has samples 0 to %lld", (long long)index,
              (long long)sample_count(solver) - 1);
    *solution = methods->sample(solver->scheme, (int)index);
    return EVN_OK;
}

// Gradient ----------------------------------------------------------------------------------------

/// Note where the parameters' cotangents are to go.
static void want_parameters(evn_solver *solver, const evn_binding *weights_bar) {
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        const evn__weight *w = &solver->dynamics->weights[i];
        if (!w->evolves) {
            solver->parameters_bar[w->index] = weights_bar[i];
        }
    }
}

static evn_binding state_bar(const evn_solver *solver, int index) {
    return solver->last->methods->state_bar(solver->last, index);
}

/// Copy the cotangents of the weights that evolve to where the caller wants them.
static evn_status deliver(const evn_solver *solver, const evn_binding *weights_bar) {
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        const evn__weight *w = &solver->dynamics->weights[i];
        if (w->evolves) {
            EVN_TRY(evn__real_copy(weights_bar[i], state_bar(solver, w->index),
                                   solver->options.fp64, solver->layout.size[w->index]));
        }
    }
    return EVN_OK;
}

/// Of what a solve gives, and of its cotangent.
static size_t given_elements(const evn_solver *solver) {
    return state_elements(solver) * (observes(solver) ? (size_t)solver->options.observations : 1);
}

static evn_status check_gradient(const evn_solver *solver, evn_binding x1_bar,
                                 const evn_binding *weights_bar) {
    EVN_CHECK(solver->scheme->methods->gradient, EVN_ERR_ARGUMENT,
              "the solver was made without a gradient: set gradient in its options");
    EVN_CHECK(solver->solved, EVN_ERR_ARGUMENT,
              "there is no solve to differentiate: call evn_solve first, and go on only if it is "
              "EVN_OK");
    EVN_TRY(evn__real_check(x1_bar, solver->options.fp64, given_elements(solver), "cotangent",
                            "x1_bar"));
    return evn__check_weights(solver->dynamics, &solver->options, weights_bar,
                              "cotangent of weight");
}

/// Whether a gradient of the scheme writes to a buffer: it carries its cotangents there.
static bool carries(const evn__scheme *scheme, const evn_buffer *buffer) {
    return scheme && scheme->methods->state_bar(scheme, 0).buffer == buffer;
}

/// Cotangents of observations are read all along the way, and all of them again where it is fallen
/// back, for those of times, or to see whose fault a NaN is. Those that stand where a scheme
/// carries its own, as x0_bar of the last gradient does, are put aside.
static evn_status keep_cotangent(evn_solver *solver, evn_binding *x1_bar) {
    bool again = observes(solver) || solver->options.fall_back || solver->time_gradient ||
                 evn__solver_checks_gradient(solver);
    bool lost =
        carries(solver->scheme, x1_bar->buffer) || carries(solver->fallback, x1_bar->buffer);
    if (!again || !lost) {
        return EVN_OK;
    }
    bool fp64 = solver->options.fp64;
    size_t count = given_elements(solver);
    if (!solver->x1_bar) {
        EVN_TRY(evn__real_create_for(solver->problem.device, EVN__USE_STATES, fp64, count,
                                     &solver->x1_bar));
    }
    evn_binding kept = {solver->x1_bar, 0};
    EVN_TRY(evn__real_copy(kept, *x1_bar, fp64, count));
    *x1_bar = kept;
    return EVN_OK;
}

/// The gradient of the scheme itself, if it can be trusted.
static evn_status try_gradient(evn_solver *solver, const evn__passage *passage,
                               evn_solution *solution) {
    if (solver->reconstruction) {
        evn__reconstruction_begin(solver->reconstruction);
    }
    EVN_TRY(solver->scheme->methods->gradient(solver->scheme, passage, solution));
    solver->reconstructed = solver->reconstruction != NULL;
    EVN_TRY(solver->reconstruction && solver->options.watch
                ? evn__reconstruction_watch(solver->reconstruction, solver->scheme)
                : EVN_OK);
    EVN_TRY(solver->reconstruction && solver->options.reconstruction > 0
                ? evn__reconstruction_check(solver->reconstruction, solver->scheme, solution)
                : EVN_OK);
    return evn__solver_check_gradient(solver, solver->scheme, passage, given_elements(solver),
                                      solution);
}

/// The gradient from checkpoints, after a solve from the same start, whose series is the caller's
/// as the first one left it.
static evn_status fall_back(evn_solver *solver, const evn__passage *passage,
                            evn_solution *solution) {
    evn_solution ahead = {0};
    evn__passage unobserved = *passage;
    unobserved.series = unobserved.weights = (evn_binding){0};
    int spent = solution->nfe;
    const evn__scheme_methods *methods = solver->fallback->methods;
    for (int i = 0; i < solver->layout.count; ++i) {
        EVN_TRY(evn__real_copy(methods->begin(solver->fallback, i),
                               evn__reconstruction_truth(solver->reconstruction, i),
                               solver->options.fp64, solver->layout.size[i]));
    }
    EVN_TRY(methods->solve(solver->fallback, &unobserved, &ahead));
    EVN_TRY(methods->gradient(solver->fallback, passage, solution));
    solution->nfe += spent + ahead.nfe;
    solution->fell_back = true;
    solver->last = solver->fallback;
    return evn__solver_check_gradient(solver, solver->fallback, passage, given_elements(solver),
                                      solution);
}

static evn_status take_gradient(evn_solver *solver, const evn__passage *passage,
                                evn_solution *solution) {
    solver->last = solver->scheme;
    evn_status status = try_gradient(solver, passage, solution);
    bool untrusted = status == EVN_ERR_SOLVER || status == EVN_ERR_NOT_FINITE;
    return untrusted && solver->fallback ? fall_back(solver, passage, solution) : status;
}

evn_status evn__solve_part_gradient(evn_solver *solver, evn_binding x1_bar,
                                    const evn_binding *carried_bar, evn_binding *x0_bar,
                                    const evn_binding *weights_bar, evn_solution *solution) {
    evn_solution unused;
    solution = solution ? solution : &unused;
    *solution = (evn_solution){0}; // also where the scheme gives up before it says anything
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x0_bar);
    EVN_TRY(check_gradient(solver, x1_bar, weights_bar));
    solver->differentiated = solver->reconstructed = false;
    EVN_TRY(keep_cotangent(solver, &x1_bar));
    want_parameters(solver, weights_bar);
    evn__passage passage = solver->passage;
    passage.x1_bar = x1_bar;
    passage.carried_bar = carried_bar;
    passage.parameters_bar = solver->parameters_bar;
    passage.reconstruction = solver->reconstruction;
    EVN_TRY(take_gradient(solver, &passage, solution));
    EVN_TRY(solver->time_gradient
                ? evn__time_gradient_take(solver->time_gradient, solver->last, &passage)
                : EVN_OK);
    *x0_bar = state_bar(solver, 0);
    EVN_TRY(deliver(solver, weights_bar));
    solver->differentiated = true;
    return EVN_OK;
}

evn_status evn_solve_gradient(evn_solver *solver, evn_binding x1_bar, evn_binding *x0_bar,
                              const evn_binding *weights_bar, evn_solution *solution) {
    return evn__solve_part_gradient(solver, x1_bar, NULL, x0_bar, weights_bar, solution);
}

static evn_status check_time_gradient(const evn_solver *solver) {
    EVN_CHECK(solver->time_gradient, EVN_ERR_ARGUMENT,
              "the solver has no gradient in its times: set time_gradient in its options");
    EVN_CHECK(solver->differentiated, EVN_ERR_ARGUMENT,
              "there is no gradient of the last solve: call evn_solve_gradient first, and go on "
              "only if it is EVN_OK");
    return EVN_OK;
}

evn_status evn_solver_time_gradient(evn_solver *solver, double *t0_bar, double *t1_bar,
                                    double *times_bar) {
    EVN_REQUIRE(solver);
    EVN_TRY(check_time_gradient(solver));
    return evn__time_gradient_read(solver->time_gradient, t0_bar, t1_bar, times_bar);
}

evn_status evn_solver_jump_gradient(evn_solver *solver, double *jumps_bar) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(jumps_bar);
    EVN_CHECK(solver->options.jump_count > 0, EVN_ERR_ARGUMENT,
              "the solver knows of no jumps of f: its options say where they are");
    EVN_TRY(check_time_gradient(solver));
    evn__time_gradient_read_jumps(solver->time_gradient, jumps_bar);
    return EVN_OK;
}

// Reconstruction ----------------------------------------------------------------------------------

static evn_status check_reconstructed(const evn_solver *solver) {
    EVN_CHECK(solver->scheme->methods->reconstructed, EVN_ERR_ARGUMENT,
              "the gradient '%s' reconstructs no state: the adjoint and the reversible method do",
              evn_gradient_name((int)solver->options.gradient));
    EVN_CHECK(
        solver->reconstructed, EVN_ERR_ARGUMENT,
        "no state has been reconstructed since the last solve: call evn_solve_gradient first");
    return EVN_OK;
}

evn_status evn_solver_reconstruction(evn_solver *solver, double *x_error, double *theta_error) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x_error);
    EVN_REQUIRE(theta_error);
    EVN_TRY(check_reconstructed(solver));
    return evn__reconstruction_measure(solver->reconstruction, solver->scheme, x_error,
                                       theta_error);
}

evn_status evn_solver_watched(evn_solver *solver, double *worst) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(worst);
    EVN_CHECK(solver->reconstruction && solver->options.watch, EVN_ERR_ARGUMENT,
              "the solver watches no reconstruction: set watch in its options, and a gradient that "
              "solves backwards");
    return evn__reconstruction_look(solver->reconstruction, worst);
}

evn_status evn_solver_reconstructed(const evn_solver *solver, evn_binding *x0) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x0);
    EVN_TRY(check_reconstructed(solver));
    *x0 = solver->scheme->methods->reconstructed(solver->scheme, 0);
    return EVN_OK;
}
