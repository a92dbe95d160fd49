// SPDX-License-Identifier: Apache-2.0
#include "ode/integrator.h"

#include "base/number.h"
#include "ode/step.h"
#include "ode/weight_gradient.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Scalars of an adaptive step in device memory.
enum { SCALAR_T, SCALAR_DT, SCALAR_RTOL, SCALAR_ATOL, SCALAR_RESULT, SCALARS };

/// Steps whose pairs are stacked: as many as take the memory of the cotangents, within these
/// (docs/performance/notes.md, Curve, adjoint).
enum { MIN_STACKED = 8, MAX_STACKED = 256 };

struct evn__integrator {
    evn_device *device;
    const evn__tableau *tableau;
    evn_solver_options options;
    const evn__course *course;        ///< borrowed
    evn__layout layout, slope_layout; ///< of the state; of what the system gives
    int parameter_count;
    evn__weight_gradient *batched; ///< of an adjoint: parameters with pairs
    int stacked, max_stacked;      ///< steps whose operands are in it
    int *quadrature;               ///< as the system's
    evn_plan *step, *start;
    evn_buffer *state[2];  ///< now and next, exchanged by each step
    evn_buffer *slopes[2]; ///< adaptive: first and last stage, exchanged likewise
    int now;
    evn__times times;    ///< fixed steps
    evn_buffer *scalars; ///< adaptive
    double proposed;     ///< adaptive: a step after the last solve
    evn_binding *inputs, *outputs;
};

evn_status evn__check_options(const evn_solver_options *options, const evn__tableau **tableau) {
    *tableau = evn__tableau_find(options->method);
    EVN_CHECK(*tableau, EVN_ERR_ARGUMENT,
              "no solver is named '%s': use euler, midpoint, rk4 or dopri5",
              options->method ? options->method : "");
    EVN_CHECK(options->gradient == EVN_GRADIENT_NONE ||
                  options->gradient == EVN_GRADIENT_BACKPROP ||
                  options->gradient == EVN_GRADIENT_CHECKPOINTED ||
                  options->gradient == EVN_GRADIENT_ADJOINT,
              EVN_ERR_ARGUMENT, "solver %s: there is no gradient %d", options->method,
              (int)options->gradient);
    EVN_CHECK(options->steps >= 0 && options->steps <= EVN__MAX_STEPS, EVN_ERR_ARGUMENT,
              "solver %s: %d steps; give 1 to %d", options->method, options->steps, EVN__MAX_STEPS);
    if (options->steps > 0) {
        return EVN_OK;
    }
    EVN_CHECK((*tableau)->error_order > 0, EVN_ERR_ARGUMENT,
              "solver %s has no error estimate: give it a number of steps, or take dopri5",
              options->method);
    EVN_CHECK(options->rtol >= 0 && options->atol > 0 && isfinite(options->rtol + options->atol),
              EVN_ERR_ARGUMENT, "solver %s: rtol %g must be >= 0 and atol %g > 0", options->method,
              options->rtol, options->atol);
    EVN_CHECK(options->dt_min >= 0 && isfinite(options->dt_min), EVN_ERR_ARGUMENT,
              "solver %s: dt_min %g is not a number >= 0", options->method, options->dt_min);
    EVN_CHECK(options->max_steps >= 1 && options->max_steps <= EVN__MAX_STEPS, EVN_ERR_ARGUMENT,
              "solver %s: max_steps %d; give 1 to %d", options->method, options->max_steps,
              EVN__MAX_STEPS);
    EVN_CHECK(options->gradient != EVN_GRADIENT_BACKPROP &&
                  options->gradient != EVN_GRADIENT_CHECKPOINTED,
              EVN_ERR_ARGUMENT,
              "backprop goes along a fixed grid: give solver %s a number of steps, or use the "
              "adjoint",
              options->method);
    return EVN_OK;
}

static evn_status compile(evn__integrator *in, const evn_graph *graph, evn_plan **plan) {
    // The state and its cotangent, and their slopes where a step starts with one.
    static const char *const samples[] = {"x", "x_bar", "dx_first", "dx_bar_first", NULL};
    evn_plan_options options = {.fp64 = in->options.fp64, .sample_inputs = samples};
    return evn_plan_create(in->device, graph, &options, plan);
}

static evn_status compile_fixed(evn__integrator *in, const evn__system *system) {
    evn_graph *graph = NULL;
    EVN_TRY(evn__step_graph(system, in->tableau, &graph));
    evn_status status = compile(in, graph, &in->step);
    evn_graph_destroy(&graph);
    EVN_TRY(status);
    return evn__times_create(in->device, in->course, in->options.fp64, &in->times);
}

static evn_status compile_adaptive(evn__integrator *in, const evn__system *system) {
    evn_graph *graph = NULL;
    EVN_TRY(evn__adaptive_step_graph(system, in->tableau, &graph));
    evn_status status = compile(in, graph, &in->step);
    evn_graph_destroy(&graph);
    EVN_TRY(status);
    EVN_TRY(evn__start_graph(system, in->tableau, &graph));
    status = compile(in, graph, &in->start);
    evn_graph_destroy(&graph);
    EVN_TRY(status);
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__real_create_for(in->device, EVN__USE_STATES, in->options.fp64,
                                     in->slope_layout.total, &in->slopes[i]));
    }
    return evn__real_create_for(in->device, EVN__USE_STATES, in->options.fp64, SCALARS,
                                &in->scalars);
}

// Pairs -------------------------------------------------------------------------------------------

/// Stages with b_i ≠ 0.
static int stages_that_count(const evn__tableau *tableau) {
    int count = 0;
    for (int i = 0; i < tableau->stages; ++i) {
        count += tableau->b[i] != 0;
    }
    return count;
}

static int choose_stacked(const evn__system *system, int stages) {
    int64_t cotangents = 0, step = 0;
    for (int i = 0; i < system->pair_count; i += evn__system_pairs_of_one(system, i)) {
        const evn__pair *p = &system->pairs[i];
        cotangents += p->columns[0] * p->columns[1];
        step += stages * evn__system_pairs_of_one(system, i) * p->rows *
                (p->columns[0] + p->columns[1]);
    }
    int64_t steps = cotangents / step;
    return (int)(steps < MIN_STACKED ? MIN_STACKED : steps > MAX_STACKED ? MAX_STACKED : steps);
}

static evn_status create_pairs(evn__integrator *in, const evn__system *system) {
    if (!system->quadrature) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&in->quadrature, system->parameter_count));
    memcpy(in->quadrature, system->quadrature, sizeof(int) * (size_t)system->parameter_count);
    if (system->pair_count == 0) {
        return EVN_OK;
    }
    int stages = stages_that_count(in->tableau);
    in->max_stacked = choose_stacked(system, stages);
    EVN_TRY(
        evn__weight_gradient_create(system->parameter_count, in->max_stacked, NULL, &in->batched));
    for (int i = 0; i < system->pair_count; i += evn__system_pairs_of_one(system, i)) {
        const evn__pair *p = &system->pairs[i];
        evn__product shape = {.rows = p->rows, .columns = {p->columns[0], p->columns[1]}};
        evn__weight_gradient_add(in->batched, p->parameter,
                                 stages * evn__system_pairs_of_one(system, i), &shape);
    }
    return evn__weight_gradient_compile(in->batched, in->device, in->options.fp64);
}

/// Where the next step's operands go.
static evn_binding *bind_pairs(const evn__integrator *in, evn_binding *to) {
    for (int i = 0; in->batched && i < in->parameter_count; ++i) {
        if (in->quadrature[i] < 0) {
            to = evn__weight_gradient_bind(in->batched, i, in->stacked, to);
        }
    }
    return to;
}

evn_status evn__integrator_flush(evn__integrator *integrator) {
    int steps = integrator->stacked;
    integrator->stacked = 0;
    return integrator->batched ? evn__weight_gradient_flush(integrator->batched, steps) : EVN_OK;
}

evn_status evn__integrator_clear(evn__integrator *integrator) {
    integrator->stacked = 0;
    return integrator->batched ? evn__weight_gradient_clear(integrator->batched) : EVN_OK;
}

/// A step has been made.
static evn_status keep_pairs(evn__integrator *in) {
    return in->batched && ++in->stacked == in->max_stacked ? evn__integrator_flush(in) : EVN_OK;
}

evn_binding evn__integrator_parameter_bar(const evn__integrator *integrator, int parameter) {
    int state = integrator->quadrature[parameter];
    return state < 0 ? evn__weight_gradient_sum(integrator->batched, parameter)
                     : evn__integrator_state(integrator, state);
}

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn__integrator *in, const evn__system *system) {
    EVN_TRY(evn__check_options(&in->options, &in->tableau));
    EVN_TRY(evn__layout_create(system, &in->layout));
    EVN_TRY(evn__layout_create_outputs(system, &in->slope_layout));
    EVN_TRY(create_pairs(in, system));
    in->parameter_count = system->parameter_count;
    int ports = system->state_count + system->parameter_count + evn__system_outputs(system) +
                2 * system->pair_count * EVN__MAX_STAGES + SCALARS;
    EVN_TRY(EVN_NEW(&in->inputs, ports));
    EVN_TRY(EVN_NEW(&in->outputs, ports));
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__real_create_for(in->device, EVN__USE_STATES, in->options.fp64,
                                     in->layout.total, &in->state[i]));
    }
    return in->options.steps > 0 ? compile_fixed(in, system) : compile_adaptive(in, system);
}

evn_status evn__integrator_create(evn_device *device, const evn__system *system,
                                  const evn_solver_options *options, const evn__course *course,
                                  evn__integrator **integrator) {
    EVN_TRY(EVN_NEW(integrator, 1));
    (*integrator)->device = device;
    (*integrator)->course = course;
    (*integrator)->options = *options;
    evn_status status = create(*integrator, system);
    if (status != EVN_OK) {
        evn__integrator_destroy(integrator);
    }
    return status;
}

void evn__integrator_destroy(evn__integrator **integrator) {
    evn__integrator *in = *integrator;
    if (!in) {
        return;
    }
    evn_plan_destroy(&in->step);
    evn_plan_destroy(&in->start);
    for (int i = 0; i < 2; ++i) {
        evn_buffer_destroy(&in->state[i]);
        evn_buffer_destroy(&in->slopes[i]);
    }
    evn_buffer_destroy(&in->scalars);
    evn__times_free(&in->times);
    evn__layout_free(&in->layout);
    evn__layout_free(&in->slope_layout);
    evn__weight_gradient_destroy(&in->batched);
    free(in->quadrature);
    free(in->inputs);
    free(in->outputs);
    free(in);
    *integrator = NULL;
}

evn_binding evn__integrator_state(const evn__integrator *integrator, int index) {
    return (evn_binding){integrator->state[integrator->now], integrator->layout.offset[index]};
}

const evn__layout *evn__integrator_layout(const evn__integrator *integrator) {
    return &integrator->layout;
}

// Bindings ----------------------------------------------------------------------------------------

static evn_binding *bind_all(const evn__layout *layout, evn_buffer *buffer, evn_binding *to) {
    for (int i = 0; i < layout->count; ++i) {
        *to++ = (evn_binding){buffer, layout->offset[i]};
    }
    return to;
}

static evn_binding *bind_states(const evn__integrator *in, int which, evn_binding *to) {
    return bind_all(&in->layout, in->state[which], to);
}

static evn_binding *bind_slopes(const evn__integrator *in, int which, evn_binding *to) {
    return bind_all(&in->slope_layout, in->slopes[which], to);
}

static evn_binding *bind_parameters(const evn__integrator *in, const evn_binding *parameters,
                                    evn_binding *to) {
    memcpy(to, parameters, sizeof(*to) * (size_t)in->parameter_count);
    return to + in->parameter_count;
}

static evn_binding scalar(const evn__integrator *in, int which) {
    return (evn_binding){in->scalars, (size_t)which};
}

// Fixed steps -------------------------------------------------------------------------------------

/// Time of the beginning of a leg, in its own direction, and of its end.
static double leg_from(const evn__integrator *in, const evn__leg *leg) {
    return leg->backward ? evn__course_end(in->course, leg->interval, leg->t0, leg->t1)
                         : evn__course_begin(in->course, leg->interval, leg->t0, leg->t1);
}

static double leg_to(const evn__integrator *in, const evn__leg *leg) {
    return leg->backward ? evn__course_begin(in->course, leg->interval, leg->t0, leg->t1)
                         : evn__course_end(in->course, leg->interval, leg->t0, leg->t1);
}

static evn_status integrate_fixed(evn__integrator *in, const evn__leg *leg,
                                  const evn_binding *parameters, evn_solution *solution) {
    int first = evn__course_first(in->course, leg->interval);
    int steps = evn__course_first(in->course, leg->interval + 1) - first;
    EVN_TRY(evn__times_set(&in->times, leg->t0, leg->t1, leg->backward));
    for (int step = first; step < first + steps; ++step) {
        in->inputs[0] = evn__times_at(&in->times, step);
        in->inputs[1] = evn__times_dt(&in->times, step);
        bind_parameters(in, parameters, bind_states(in, in->now, in->inputs + 2));
        bind_pairs(in, bind_states(in, !in->now, in->outputs));
        EVN_TRY(evn_plan_run(in->step, in->inputs, in->outputs));
        EVN_TRY(keep_pairs(in));
        in->now = !in->now;
    }
    int stages = in->tableau->stages - (in->tableau->fsal ? 1 : 0);
    *solution = (evn_solution){.t = leg_to(in, leg),
                               .dt = evn__times_length(&in->times, leg->interval),
                               .accepted = steps,
                               .nfe = steps * stages};
    return EVN_OK;
}

// Adaptive steps ----------------------------------------------------------------------------------

/// Slopes at t0 and the length of the first step.
static evn_status begin(evn__integrator *in, double t0, double t1, const evn_binding *parameters,
                        evn_solution *solution, double *dt) {
    double values[] = {t0, t1 - t0, in->options.rtol, in->options.atol};
    EVN_TRY(evn__real_write(scalar(in, SCALAR_T), in->options.fp64, values, 4));
    in->inputs[0] = scalar(in, SCALAR_T);
    in->inputs[1] = scalar(in, SCALAR_DT);
    evn_binding *rest = bind_states(in, in->now, in->inputs + 2);
    rest = bind_parameters(in, parameters, rest);
    rest[0] = scalar(in, SCALAR_RTOL);
    rest[1] = scalar(in, SCALAR_ATOL);
    *bind_slopes(in, in->now, in->outputs) = scalar(in, SCALAR_RESULT);
    EVN_TRY(evn_plan_run(in->start, in->inputs, in->outputs));
    EVN_TRY(evn__real_read(scalar(in, SCALAR_RESULT), in->options.fp64, dt, 1));
    *solution = (evn_solution){.t = t0, .nfe = 2};
    return EVN_OK;
}

/// Try one step; the new state and slopes are in the buffers of !now.
static evn_status attempt(evn__integrator *in, const evn_binding *parameters,
                          evn_solution *solution, double *error) {
    double values[] = {solution->t, solution->dt};
    EVN_TRY(evn__real_write(scalar(in, SCALAR_T), in->options.fp64, values, 2));
    in->inputs[0] = scalar(in, SCALAR_T);
    in->inputs[1] = scalar(in, SCALAR_DT);
    evn_binding *rest = bind_states(in, in->now, in->inputs + 2);
    rest = bind_parameters(in, parameters, rest);
    rest = bind_slopes(in, in->now, rest);
    rest[0] = scalar(in, SCALAR_RTOL);
    rest[1] = scalar(in, SCALAR_ATOL);
    rest = bind_slopes(in, !in->now, bind_states(in, !in->now, in->outputs));
    *rest++ = scalar(in, SCALAR_RESULT);
    bind_pairs(in, rest);
    EVN_TRY(evn_plan_run(in->step, in->inputs, in->outputs));
    EVN_TRY(evn__real_read(scalar(in, SCALAR_RESULT), in->options.fp64, error, 1));
    solution->nfe += in->tableau->stages - 1;
    return EVN_OK;
}

/// Factor of the next step: the elementary controller with safety 0.9, between 0.2 and 10 (Hairer,
/// Nørsett, Wanner: Solving ODEs I, II.4). A NaN or infinite error counts as far too large.
static double step_factor(const evn__tableau *tableau, double error) {
    if (!isfinite(error)) {
        return 0.2;
    }
    double factor = error > 0 ? 0.9 * pow(error, -1.0 / (tableau->error_order + 1)) : 10;
    return fmin(10, fmax(0.2, factor));
}

/// Distance of the times beside t that the kernels see.
static double resolution(const evn__integrator *in, double t) {
    return in->options.fp64 ? nextafter(fabs(t), INFINITY) - fabs(t)
                            : (double)(nextafterf(fabsf((float)t), INFINITY) - fabsf((float)t));
}

/// What is to be done depends on why there was no step.
static void advise(const evn__integrator *in, evn_outcome outcome, double t0, double t1, double t,
                   double next, char text[192]) {
    const double fewest =
        1e4; // times of an interval that steps of a sensible length can tell apart
    if (outcome == EVN_OUTCOME_NOT_FINITE) {
        evn__print(
            text, 192,
            "the state or its slope is not finite; look at the initial state and the weights, "
            "or lower the learning rate");
    } else if (outcome == EVN_OUTCOME_TOO_MANY_STEPS) {
        evn__print(text, 192,
                   "it used up its %d steps; raise max_steps, loosen rtol and atol, lower the "
                   "learning rate, or use fixed steps",
                   in->options.max_steps);
    } else if (fabs(next) < in->options.dt_min) {
        evn__print(text, 192,
                   "its step became smaller than dt_min = %g; lower that, loosen rtol and atol, or "
                   "use fixed steps",
                   in->options.dt_min);
    } else if (resolution(in, t) * fewest > fabs(t1 - t0)) {
        evn__print(
            text, 192,
            "%s precision has no two times there that are closer than %.3g; let time begin at "
            "0%s",
            in->options.fp64 ? "double" : "single", resolution(in, t),
            in->options.fp64 ? "" : ", or use double precision");
    } else {
        evn__print(
            text, 192,
            "its step became too small; loosen rtol and atol, lower the learning rate, or use "
            "fixed steps");
    }
}

/// @param[in] next  the step that was to come
static evn_status stop(const evn__integrator *in, evn_solution *solution, evn_outcome outcome,
                       double t0, double t1, double next) {
    char text[192];
    solution->outcome = outcome;
    advise(in, outcome, t0, t1, solution->t, next, text);
    EVN_FAIL(
        outcome == EVN_OUTCOME_NOT_FINITE ? EVN_ERR_NOT_FINITE : EVN_ERR_SOLVER,
        "the solver stopped at t = %.9g on the way to %.9g, before a step of %g, with %d steps "
        "accepted and %d rejected: %s",
        solution->t, t1, next, solution->accepted, solution->rejected, text);
}

/// A step has to change t in the precision that the kernels see.
static bool advances(const evn__integrator *in, double t, double dt) {
    return in->options.fp64 ? t + dt != t : (float)(t + dt) != (float)t;
}

/// Steps up to t1 from solution->t, the first of them `next`.
static evn_status advance(evn__integrator *in, double t1, double next,
                          const evn_binding *parameters, evn_solution *solution) {
    const double t0 = solution->t;
    while (solution->t != t1) {
        double error, left = t1 - solution->t, wanted = next;
        if (!isfinite(next)) {
            return stop(in, solution, EVN_OUTCOME_NOT_FINITE, t0, t1, next);
        }
        if (fabs(next) >= fabs(left)) {
            next = left;
        } else if (fabs(next) < in->options.dt_min || !advances(in, solution->t, next)) {
            return stop(in, solution, EVN_OUTCOME_STEP_TOO_SMALL, t0, t1, next);
        }
        if (solution->accepted + solution->rejected >= in->options.max_steps) {
            return stop(in, solution, EVN_OUTCOME_TOO_MANY_STEPS, t0, t1, next);
        }
        solution->dt = next;
        EVN_TRY(attempt(in, parameters, solution, &error));
        bool accepted = error <= 1;
        solution->accepted += accepted;
        solution->rejected += !accepted;
        if (accepted) {
            solution->t = next == left ? t1 : solution->t + next;
            EVN_TRY(keep_pairs(in));
            in->now = !in->now;
        }
        double factor = step_factor(in->tableau, error);
        next *= accepted ? factor : fmin(factor, 1);
        // A step cut short at t1 says little about the step after it.
        in->proposed = fabs(next) > fabs(wanted) ? next : wanted;
    }
    return EVN_OK;
}

evn_status evn__integrate(evn__integrator *integrator, const evn__leg *leg,
                          const evn_binding *parameters, evn_solution *solution) {
    double next, t0 = leg_from(integrator, leg), t1 = leg_to(integrator, leg);
    if (integrator->options.steps > 0) {
        return integrate_fixed(integrator, leg, parameters, solution);
    }
    EVN_TRY(begin(integrator, t0, t1, parameters, solution, &next));
    return advance(integrator, t1, next, parameters, solution);
}

evn_status evn__integrate_further(evn__integrator *integrator, const evn__leg *leg,
                                  const evn_binding *parameters, bool changed,
                                  evn_solution *solution) {
    double unused, t0 = leg_from(integrator, leg), t1 = leg_to(integrator, leg);
    if (integrator->options.steps > 0) {
        return integrate_fixed(integrator, leg, parameters, solution);
    }
    *solution = (evn_solution){.t = t0};
    if (changed) {
        EVN_TRY(begin(integrator, t0, t1, parameters, solution, &unused));
    }
    return advance(integrator, t1, integrator->proposed, parameters, solution);
}
