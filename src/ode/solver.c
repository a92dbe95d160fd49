// SPDX-License-Identifier: Apache-2.0
#include "evonode/solver.h"

#include "ode/course.h"
#include "ode/grid.h"
#include "ode/integrator.h"
#include "plan/build.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

struct evn_solver {
    evn_device *device;
    evn_solver_options options; ///< without times, which are the caller's: the course has them
    evn__course course;
    evn_dynamics *dynamics;
    evn__grid *grid;           ///< backprop and checkpointed
    evn__integrator *forward;  ///< the others
    evn__integrator *backward; ///< adjoint: states x, θ, a, b, quadratures
    evn_buffer *initial;       ///< adjoint: a copy of x and θ at t0, to measure the reconstruction
    evn_buffer *series;        ///< [observations, x]: what the solve gives
    evn_plan *jump;            ///< cotangent + share of an observation, where no grid adds it
    evn_buffer *jumped;        ///< [x], its result
    evn_buffer *observed;      ///< on a grid with observations, once it is needed: what x1_bar was
    evn_binding *parameters;   ///< of the system, of the last solve
    evn_binding *parameters_bar; ///< where their cotangents go
    double t0, t1;
    bool solved;        ///< the last solve came to its end: there is something to differentiate
    bool reconstructed; ///< so did an adjoint gradient of it
};

evn_solver_options evn_solver_options_default(void) {
    return (evn_solver_options){
        .method = "dopri5", .rtol = 1e-3, .atol = 1e-3, .dt_min = 0, .max_steps = 10000};
}

static bool is_on_grid(const evn_solver *solver) {
    return solver->options.gradient == EVN_GRADIENT_BACKPROP ||
           solver->options.gradient == EVN_GRADIENT_CHECKPOINTED;
}

evn_status evn_solver_options_check(const evn_solver_options *options) {
    const evn__tableau *tableau;
    EVN_REQUIRE(options);
    return evn__check_options(options, &tableau);
}

static size_t state_elements(const evn_solver *solver) {
    return (size_t)evn_shape_count(evn_dynamics_state_shape(solver->dynamics));
}

static void build_jump(const void *self, evn_graph *graph) {
    evn_shape shape = evn_dynamics_state_shape(((const evn_solver *)self)->dynamics);
    evn_value a = evn_input(graph, "a", shape), share = evn_input(graph, "share", shape);
    evn_output(graph, "sum", evn_add(graph, a, share));
}

static evn_status create_jump(evn_solver *solver) {
    const evn_plan_options options = {.fp64 = solver->options.fp64};
    EVN_TRY(evn__plan_build(solver->device, build_jump, solver, &options, &solver->jump));
    return evn__real_create_for(solver->device, EVN__USE_STATES, solver->options.fp64,
                                state_elements(solver), &solver->jumped);
}

static evn_status create_adjoint(evn_solver *solver) {
    evn__system adjoint = {0};
    evn_status status = evn__system_adjoint(&solver->dynamics->system, &adjoint);
    if (status == EVN_OK) {
        status = evn__integrator_create(solver->device, &adjoint, &solver->options, &solver->course,
                                        solver->options.observations > 0, &solver->backward);
    }
    evn__system_free(&adjoint);
    EVN_TRY(status);
    return evn__real_create_for(solver->device, EVN__USE_STATES, solver->options.fp64,
                                evn__integrator_layout(solver->forward)->total, &solver->initial);
}

static evn_status create_integrators(evn_solver *solver) {
    bool adjoint = solver->options.gradient == EVN_GRADIENT_ADJOINT;
    EVN_TRY(evn__integrator_create(solver->device, &solver->dynamics->system, &solver->options,
                                   &solver->course, false, &solver->forward));
    EVN_TRY(adjoint ? create_adjoint(solver) : EVN_OK);
    return adjoint && solver->options.observations > 0 ? create_jump(solver) : EVN_OK;
}

static evn_status create_grid(evn_solver *solver) {
    EVN_TRY(evn__grid_create(solver->device, &solver->dynamics->system, &solver->options,
                             &solver->course, &solver->grid));
    return solver->course.starts ? create_jump(solver) : EVN_OK;
}

static evn_status create(evn_solver *solver, const evn_dynamics *dynamics) {
    const evn__tableau *tableau;
    EVN_TRY(evn__check_options(&solver->options, &tableau));
    EVN_TRY(evn__course_create(&solver->options, &solver->course));
    solver->options.method = tableau->name; // the caller's may not live as long
    solver->options.times = NULL;
    EVN_TRY(evn__dynamics_copy(dynamics, &solver->dynamics));
    const evn__system *system = &solver->dynamics->system;
    EVN_TRY(EVN_NEW(&solver->parameters, system->parameter_count));
    EVN_TRY(EVN_NEW(&solver->parameters_bar, system->parameter_count));
    if (solver->options.observations > 0) {
        EVN_TRY(evn__real_create_for(
            solver->device, EVN__USE_STATES, solver->options.fp64,
            evn__size_product(state_elements(solver), (size_t)solver->options.observations),
            &solver->series));
    }
    return is_on_grid(solver) ? create_grid(solver) : create_integrators(solver);
}

evn_status evn_solver_create(evn_device *device, const evn_dynamics *dynamics,
                             const evn_solver_options *options, evn_solver **solver) {
    EVN_REQUIRE(solver);
    *solver = NULL;
    EVN_REQUIRE(device);
    EVN_REQUIRE(dynamics);
    EVN_REQUIRE(options);
    EVN_TRY(EVN_NEW(solver, 1));
    (*solver)->device = device;
    (*solver)->options = *options;
    evn_status status = create(*solver, dynamics);
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
    evn__grid_destroy(&s->grid);
    evn__integrator_destroy(&s->forward);
    evn__integrator_destroy(&s->backward);
    evn_buffer_destroy(&s->initial);
    evn_buffer_destroy(&s->series);
    evn_buffer_destroy(&s->jumped);
    evn_buffer_destroy(&s->observed);
    evn_plan_destroy(&s->jump);
    evn_dynamics_destroy(&s->dynamics);
    evn__course_free(&s->course);
    free(s->parameters);
    free(s->parameters_bar);
    free(s);
    *solver = NULL;
}

// Forward -----------------------------------------------------------------------------------------

static const evn__layout *state_layout(const evn_solver *solver) {
    return solver->grid ? evn__grid_layout(solver->grid) : evn__integrator_layout(solver->forward);
}

static evn_binding initial_state(const evn_solver *solver, int index) {
    return solver->grid ? evn__grid_state(solver->grid, 0, index)
                        : evn__integrator_state(solver->forward, index);
}

static evn_status set_initial(evn_solver *solver, int index, evn_binding value) {
    const evn__layout *layout = state_layout(solver);
    size_t count = layout->size[index];
    EVN_TRY(evn__real_copy(initial_state(solver, index), value, solver->options.fp64, count));
    if (!solver->initial) {
        return EVN_OK;
    }
    return evn__real_copy((evn_binding){solver->initial, layout->offset[index]}, value,
                          solver->options.fp64, count);
}

/// One binding for each weight, with room for it.
static evn_status check_weights(const evn_solver *solver, const evn_binding *bindings,
                                const char *kind) {
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        size_t count = (size_t)evn_shape_count(evn_dynamics_weight_shape(solver->dynamics, i));
        EVN_CHECK(bindings, EVN_ERR_ARGUMENT, "nothing is bound to the %ss", kind);
        EVN_TRY(evn__real_check(bindings[i], solver->options.fp64, count, kind,
                                solver->dynamics->weights[i].name));
    }
    return EVN_OK;
}

static evn_status load(evn_solver *solver, evn_binding x0, const evn_binding *weights) {
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

/// Observation `index` of [observations, x] at `base`.
static evn_binding in_series(const evn_solver *solver, evn_binding base, int index) {
    base.offset += (size_t)index * state_layout(solver)->size[0];
    return base;
}

static evn_status observe(evn_solver *solver, int index, evn_binding x) {
    return evn__real_copy(in_series(solver, (evn_binding){solver->series, 0}, index), x,
                          solver->options.fp64, state_layout(solver)->size[0]);
}

/// Whether there is a way to go, in steps that the device chooses.
static bool is_adaptive(const evn_solver *solver) {
    return solver->options.steps == 0 && solver->t0 != solver->t1;
}

/// Fixed steps over an interval, from its end where it is `backward`, added to what was done; of
/// adaptive ones, no way is none.
static evn_status integrate(evn_solver *solver, int interval, bool backward,
                            evn_solution *solution) {
    evn__integrator *in = backward ? solver->backward : solver->forward;
    const evn__leg leg = {solver->t0, solver->t1, interval, backward};
    evn_solution part = {.t = solver->t0};
    EVN_TRY(solver->options.steps > 0 ? evn__integrate(in, &leg, solver->parameters, &part)
                                      : EVN_OK);
    part.accepted += solution->accepted;
    part.nfe += solution->nfe;
    *solution = part;
    return EVN_OK;
}

static evn_status solve_on_grid(evn_solver *solver, evn_binding *x1, evn_solution *solution) {
    EVN_TRY(evn__grid_forward(solver->grid, solver->t0, solver->t1, solver->parameters, solution));
    *x1 = evn__grid_state(solver->grid, solver->course.steps, 0);
    if (!solver->series) {
        return EVN_OK;
    }
    *x1 = (evn_binding){solver->series, 0};
    return evn__grid_observe(solver->grid, in_series(solver, *x1, solver->course.starts));
}

static evn_status solve_by_intervals(evn_solver *solver, evn_solution *solution) {
    const evn__course *course = &solver->course;
    *solution = (evn_solution){0};
    for (int i = 0; i < course->intervals; ++i) {
        EVN_TRY(integrate(solver, i, false, solution));
        EVN_TRY(solver->series ? observe(solver, evn__course_observation(course, i),
                                         evn__integrator_state(solver->forward, 0))
                               : EVN_OK);
    }
    return EVN_OK;
}

static evn_status solve_by_integrator(evn_solver *solver, evn_binding *x1, evn_solution *solution) {
    const evn__way way = {.t0 = solver->t0, .t1 = solver->t1, .series = {solver->series, 0}};
    EVN_TRY(is_adaptive(solver)
                ? evn__integrate_adaptively(solver->forward, &way, solver->parameters, solution)
                : solve_by_intervals(solver, solution));
    *x1 = solver->series ? way.series : evn__integrator_state(solver->forward, 0);
    return EVN_OK;
}

evn_status evn_solve(evn_solver *solver, double t0, double t1, evn_binding x0,
                     const evn_binding *weights, evn_binding *x1, evn_solution *solution) {
    evn_solution unused;
    solution = solution ? solution : &unused;
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x1);
    double max = solver->options.fp64 ? DBL_MAX : FLT_MAX;
    EVN_CHECK(fabs(t0) <= max && fabs(t1) <= max && fabs(t1 - t0) <= max, EVN_ERR_ARGUMENT,
              "the interval [%g, %g] is not finite in %s precision", t0, t1,
              solver->options.fp64 ? "double" : "single");
    EVN_TRY(evn__real_check(x0, solver->options.fp64, state_elements(solver), "state", "x0"));
    EVN_TRY(check_weights(solver, weights, "weight"));
    solver->solved = solver->reconstructed = false;
    EVN_TRY(load(solver, x0, weights));
    solver->t0 = t0;
    solver->t1 = t1;
    EVN_TRY(solver->course.starts ? observe(solver, 0, initial_state(solver, 0)) : EVN_OK);
    EVN_TRY(solver->grid ? solve_on_grid(solver, x1, solution)
                         : solve_by_integrator(solver, x1, solution));
    solver->solved = true;
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

/// Copy the cotangents of the weights that evolve to where the caller wants them.
static evn_status deliver(const evn_solver *solver, const evn_binding *weights_bar,
                          evn_binding (*state_bar)(const evn_solver *, int)) {
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        const evn__weight *w = &solver->dynamics->weights[i];
        if (w->evolves) {
            evn_shape shape = evn_dynamics_weight_shape(solver->dynamics, i);
            EVN_TRY(evn__real_copy(weights_bar[i], state_bar(solver, w->index),
                                   solver->options.fp64, (size_t)evn_shape_count(shape)));
        }
    }
    return EVN_OK;
}

static evn_binding grid_state_bar(const evn_solver *solver, int index) {
    return evn__grid_state_bar(solver->grid, index);
}

/// Cotangents of observations are read all along the way. Those that stand where the grid carries
/// its own, as x0_bar of the last gradient does, are put aside.
static evn_status keep_observed(evn_solver *solver, evn_binding *x1_bar) {
    if (x1_bar->buffer != grid_state_bar(solver, 0).buffer) {
        return EVN_OK;
    }
    bool fp64 = solver->options.fp64;
    size_t count = state_elements(solver) * (size_t)solver->options.observations;
    if (!solver->observed) {
        EVN_TRY(
            evn__real_create_for(solver->device, EVN__USE_STATES, fp64, count, &solver->observed));
    }
    evn_binding kept = {solver->observed, 0};
    EVN_TRY(evn__real_copy(kept, *x1_bar, fp64, count));
    *x1_bar = kept;
    return EVN_OK;
}

/// a += the cotangent of observation `index`.
static evn_status jump(evn_solver *solver, evn_binding a, evn_binding x1_bar, int index) {
    evn_binding inputs[] = {a, in_series(solver, x1_bar, index)}, sum = {solver->jumped, 0};
    EVN_TRY(evn_plan_run(solver->jump, inputs, &sum));
    return evn__real_copy(a, sum, solver->options.fp64, state_layout(solver)->size[0]);
}

static evn_status gradient_on_grid(evn_solver *solver, evn_binding x1_bar, evn_binding *x0_bar,
                                   const evn_binding *weights_bar, evn_solution *solution) {
    const evn__layout *layout = state_layout(solver);
    bool fp64 = solver->options.fp64;
    bool observes = solver->options.observations > 0;
    if (observes) {
        EVN_TRY(keep_observed(solver, &x1_bar));
    }
    for (int i = observes ? 0 : 1; i < layout->count; ++i) {
        EVN_TRY(evn__real_zero(grid_state_bar(solver, i), fp64, layout->size[i]));
    }
    if (!observes) {
        EVN_TRY(evn__real_copy(grid_state_bar(solver, 0), x1_bar, fp64, layout->size[0]));
    }
    want_parameters(solver, weights_bar);
    const evn_binding ends = in_series(solver, x1_bar, solver->course.starts);
    EVN_TRY(evn__grid_backward(solver->grid, solver->parameters, solver->parameters_bar,
                               observes ? &ends : NULL, solution));
    *x0_bar = grid_state_bar(solver, 0);
    EVN_TRY(solver->course.starts ? jump(solver, *x0_bar, x1_bar, 0) : EVN_OK);
    return deliver(solver, weights_bar, grid_state_bar);
}

static evn_binding adjoint_state_bar(const evn_solver *solver, int index) {
    int states = solver->dynamics->system.state_count;
    return evn__integrator_state(solver->backward, states + index);
}

static evn_status deliver_parameters(const evn_solver *solver) {
    const evn__system *system = &solver->dynamics->system;
    for (int i = 0; i < system->parameter_count; ++i) {
        size_t count = (size_t)evn_shape_count(evn__system_parameter_shape(system, i));
        EVN_TRY(evn__real_copy(solver->parameters_bar[i],
                               evn__integrator_parameter_bar(solver->backward, i),
                               solver->options.fp64, count));
    }
    return EVN_OK;
}

/// x(t1) and θ(t1) as they are; a = x1_bar; b = 0; quadratures = 0.
static evn_status load_adjoint(evn_solver *solver, evn_binding x1_bar) {
    const evn__layout *layout = evn__integrator_layout(solver->backward);
    int states = solver->dynamics->system.state_count;
    bool fp64 = solver->options.fp64;
    for (int i = 0; i < states; ++i) {
        EVN_TRY(evn__real_copy(evn__integrator_state(solver->backward, i),
                               evn__integrator_state(solver->forward, i), fp64, layout->size[i]));
    }
    EVN_TRY(evn__real_copy(adjoint_state_bar(solver, 0), x1_bar, fp64, layout->size[0]));
    for (int i = states + 1; i < layout->count; ++i) {
        EVN_TRY(evn__real_zero(evn__integrator_state(solver->backward, i), fp64, layout->size[i]));
    }
    return evn__integrator_clear(solver->backward);
}

static evn_status adjoint_by_intervals(evn_solver *solver, evn_binding x1_bar,
                                       evn_solution *solution) {
    const evn__course *course = &solver->course;
    *solution = (evn_solution){0};
    for (int i = course->intervals - 1; i >= 0; --i) {
        EVN_TRY(integrate(solver, i, true, solution));
        if (i > 0) {
            EVN_TRY(jump(solver, adjoint_state_bar(solver, 0), x1_bar,
                         evn__course_observation(course, i - 1)));
        }
    }
    return EVN_OK;
}

static evn_status adjoint_adaptively(evn_solver *solver, evn_binding x1_bar,
                                     evn_solution *solution) {
    evn__way way = {solver->t0, solver->t1, true, {NULL, 0}, solver->dynamics->system.state_count};
    way.series = solver->series ? x1_bar : way.series;
    return evn__integrate_adaptively(solver->backward, &way, solver->parameters, solution);
}

static evn_status gradient_adjoint(evn_solver *solver, evn_binding x1_bar, evn_binding *x0_bar,
                                   const evn_binding *weights_bar, evn_solution *solution) {
    const evn__course *course = &solver->course;
    int last = evn__course_observation(course, course->intervals - 1);
    EVN_TRY(load_adjoint(solver, in_series(solver, x1_bar, last)));
    EVN_TRY(is_adaptive(solver) ? adjoint_adaptively(solver, x1_bar, solution)
                                : adjoint_by_intervals(solver, x1_bar, solution));
    EVN_TRY(course->starts ? jump(solver, adjoint_state_bar(solver, 0), x1_bar, 0) : EVN_OK);
    EVN_TRY(evn__integrator_flush(solver->backward));
    *x0_bar = adjoint_state_bar(solver, 0);
    want_parameters(solver, weights_bar);
    EVN_TRY(deliver_parameters(solver));
    return deliver(solver, weights_bar, adjoint_state_bar);
}

evn_status evn_solve_gradient(evn_solver *solver, evn_binding x1_bar, evn_binding *x0_bar,
                              const evn_binding *weights_bar, evn_solution *solution) {
    evn_solution unused;
    solution = solution ? solution : &unused;
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x0_bar);
    EVN_CHECK(solver->options.gradient != EVN_GRADIENT_NONE, EVN_ERR_ARGUMENT,
              "the solver was made without a gradient: set gradient in its options");
    EVN_CHECK(solver->solved, EVN_ERR_ARGUMENT,
              "there is no solve to differentiate: call evn_solve first, and go on only if it is "
              "EVN_OK");
    size_t points = solver->options.observations > 0 ? (size_t)solver->options.observations : 1;
    EVN_TRY(evn__real_check(x1_bar, solver->options.fp64, points * state_elements(solver),
                            "cotangent", "x1_bar"));
    EVN_TRY(check_weights(solver, weights_bar, "cotangent of weight"));
    solver->reconstructed = false;
    EVN_TRY(solver->grid ? gradient_on_grid(solver, x1_bar, x0_bar, weights_bar, solution)
                         : gradient_adjoint(solver, x1_bar, x0_bar, weights_bar, solution));
    solver->reconstructed = solver->backward != NULL;
    return EVN_OK;
}

// Reconstruction ----------------------------------------------------------------------------------

/// ‖a − b‖² and ‖b‖² of one component are added to sums[0] and sums[1].
static evn_status compare(const evn_solver *solver, int index, double sums[2]) {
    const evn__layout *layout = state_layout(solver);
    size_t count = layout->size[index];
    double *a = NULL;
    EVN_TRY(EVN_NEW(&a, 2 * count));
    double *b = a + count;
    evn_binding truth = {solver->initial, layout->offset[index]};
    evn_status status = evn__real_read(evn__integrator_state(solver->backward, index),
                                       solver->options.fp64, a, count);
    if (status == EVN_OK) {
        status = evn__real_read(truth, solver->options.fp64, b, count);
    }
    for (size_t i = 0; i < count && status == EVN_OK; ++i) {
        sums[0] += (a[i] - b[i]) * (a[i] - b[i]);
        sums[1] += b[i] * b[i];
    }
    free(a);
    return status;
}

static double relative(const double sums[2]) {
    return sums[1] > 0 ? sqrt(sums[0] / sums[1]) : sqrt(sums[0]);
}

static evn_status check_reconstructed(const evn_solver *solver) {
    EVN_CHECK(solver->backward, EVN_ERR_ARGUMENT, "only the adjoint reconstructs the state");
    EVN_CHECK(
        solver->reconstructed, EVN_ERR_ARGUMENT,
        "no state has been reconstructed since the last solve: call evn_solve_gradient first");
    return EVN_OK;
}

evn_status evn_solver_reconstruction(evn_solver *solver, double *x_error, double *theta_error) {
    double x[2] = {0}, theta[2] = {0};
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x_error);
    EVN_REQUIRE(theta_error);
    EVN_TRY(check_reconstructed(solver));
    EVN_TRY(compare(solver, 0, x));
    for (int i = 1; i < solver->dynamics->system.state_count; ++i) {
        EVN_TRY(compare(solver, i, theta));
    }
    *x_error = relative(x);
    *theta_error = relative(theta);
    return EVN_OK;
}

evn_status evn_solver_reconstructed(const evn_solver *solver, evn_binding *x0) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(x0);
    EVN_TRY(check_reconstructed(solver));
    *x0 = evn__integrator_state(solver->backward, 0);
    return EVN_OK;
}
