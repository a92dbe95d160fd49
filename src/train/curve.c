// SPDX-License-Identifier: Apache-2.0
#include "train/curve.h"

#include "base/memory.h"
#include "nn/field.h"
#include "plan/real.h"
#include "train/iterations.h"
#include <math.h>
#include <stdlib.h>

enum {
    HIDDEN = 2,
    VALUES = EVN__CURVE_POINTS * EVN__CURVE_DIMENSIONS,
};

struct evn__curve {
    evn_device *device;
    evn_trainer_options options;
    evn_phase *phases;
    int width;
    evn_parameters *parameters;
    evn_dynamics *dynamics;
    evn_optimizer *optimizer;
    evn__learnt_solver learnt;
    int compiled; ///< phase that the solver is for; −1: nothing
    bool trains;  ///< whether it has the phase's gradient
    evn_plan *loss;
    evn_buffer *memory; ///< what the bindings below are in
    evn_binding x0, target, x_bar, loss_value;
    double *losses; ///< [iterations]
    evn__position at;
};

void evn__curve_target(double t, double s[EVN__CURVE_DIMENSIONS]) {
    s[0] = sin(t) * cos(t);
    s[1] = sin(t) * sin(t) + cosh(t) * cosh(t);
    s[2] = exp(t);
}

// Life --------------------------------------------------------------------------------------------

static evn_status check(const evn__curve *c) {
    EVN_CHECK(c->width >= 1, EVN_ERR_ARGUMENT, "the width of f is %d; give 1 or more", c->width);
    for (int i = 0; i < c->options.phase_count; ++i) {
        EVN_CHECK(c->phases[i].solver.steps % EVN__CURVE_POINTS == 0, EVN_ERR_ARGUMENT,
                  "phase %d (%s) has %d steps; give a multiple of %d, the points of the curve",
                  i + 1, c->phases[i].name, c->phases[i].solver.steps, EVN__CURVE_POINTS);
    }
    return EVN_OK;
}

static evn_status build_f(evn__curve *c, evn_graph *f) {
    evn__network network = {f, c->parameters, "f"};
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, EVN__CURVE_DIMENSIONS));
    evn_output(f, "dx", evn__field_mlp(&network, x, HIDDEN, c->width, evn_relu));
    return evn_graph_status(f);
}

static evn_status make_dynamics(evn__curve *c) {
    evn_graph *f = NULL;
    EVN_TRY(evn_parameters_create(&c->parameters));
    EVN_TRY(evn_graph_create(&f));
    evn_status status = build_f(c, f);
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, NULL, &c->dynamics);
    }
    evn_graph_destroy(&f);
    return status;
}

/// Σ ‖x − s‖² and its cotangent, 2(x − s).
static void build_loss(evn_graph *g) {
    evn_shape shape = EVN_SHAPE(EVN__CURVE_POINTS, 1, EVN__CURVE_DIMENSIONS);
    evn_value x = evn_input(g, "x", shape), target = evn_input(g, "target", shape);
    evn_value error = evn_sub(g, x, target);
    evn_output(g, "loss", evn_sum_all(g, evn_mul(g, error, error)));
    evn_output(g, "x_bar", evn_scale(g, error, 2));
}

static evn_status make_loss(evn__curve *c) {
    evn_graph *g = NULL;
    EVN_TRY(evn_graph_create(&g));
    build_loss(g);
    evn_status status = evn_graph_status(g);
    if (status == EVN_OK) {
        status = evn_plan_create(c->device, g, NULL, &c->loss);
    }
    evn_graph_destroy(&g);
    return status;
}

static evn_status make_memory(evn__curve *c) {
    double target[EVN__CURVE_POINTS][EVN__CURVE_DIMENSIONS], start[EVN__CURVE_DIMENSIONS];
    EVN_TRY(evn__real_create(c->device, false, 2 * VALUES + EVN__CURVE_DIMENSIONS + 1, &c->memory));
    c->target = (evn_binding){c->memory, 0};
    c->x_bar = (evn_binding){c->memory, VALUES};
    c->x0 = (evn_binding){c->memory, 2 * VALUES};
    c->loss_value = (evn_binding){c->memory, 2 * VALUES + EVN__CURVE_DIMENSIONS};
    evn__curve_target(0, start);
    for (int i = 0; i < EVN__CURVE_POINTS; ++i) {
        evn__curve_target((i + 1) / (double)EVN__CURVE_POINTS, target[i]);
    }
    EVN_TRY(evn__real_write(c->x0, false, start, EVN__CURVE_DIMENSIONS));
    return evn__real_write(c->target, false, target[0], VALUES);
}

static evn_status compile(evn__curve *c, int phase, bool train) {
    if (c->compiled == phase && c->trains == train) {
        return EVN_OK;
    }
    evn_solver_options solver = c->phases[phase].solver;
    solver.observations = EVN__CURVE_POINTS;
    if (!train) {
        solver.gradient = EVN_GRADIENT_NONE;
    }
    evn__learnt_solver_free(&c->learnt);
    c->compiled = phase;
    c->trains = train;
    return evn__learnt_solver_create(c->device, c->dynamics, c->parameters, &solver, &c->learnt);
}

static evn_status make(evn__curve *c) {
    EVN_TRY(evn__phases_copy(&c->options, &c->phases));
    EVN_TRY(check(c));
    EVN_TRY(EVN_NEW(&c->losses, evn__phases_epochs(c->phases, c->options.phase_count)));
    EVN_TRY(make_dynamics(c));
    EVN_TRY(evn_parameters_allocate(c->parameters, c->device, false, c->options.seed));
    EVN_TRY(make_loss(c));
    EVN_TRY(make_memory(c));
    return compile(c, 0, c->phases[0].solver.gradient != EVN_GRADIENT_NONE);
}

evn_status evn__curve_create(evn_device *device, int width, const evn_trainer_options *options,
                             evn__curve **curve) {
    EVN_TRY(EVN_NEW(curve, 1));
    (*curve)->device = device;
    (*curve)->width = width;
    (*curve)->options = *options;
    (*curve)->compiled = -1;
    evn_status status = make(*curve);
    if (status != EVN_OK) {
        evn__curve_destroy(curve);
    }
    return status;
}

void evn__curve_destroy(evn__curve **curve) {
    evn__curve *c = *curve;
    if (!c) {
        return;
    }
    evn__learnt_solver_free(&c->learnt);
    evn_plan_destroy(&c->loss);
    evn_optimizer_destroy(&c->optimizer);
    evn_buffer_destroy(&c->memory);
    evn_dynamics_destroy(&c->dynamics);
    evn_parameters_destroy(&c->parameters);
    free(c->phases);
    free(c->losses);
    free(c);
    *curve = NULL;
}

const double *evn__curve_losses(const evn__curve *curve, int *count) {
    *count = curve->at.epoch;
    return curve->losses;
}

evn_parameters *evn__curve_parameters(const evn__curve *curve) {
    return curve->parameters;
}

// Running -----------------------------------------------------------------------------------------

/// Solve, and the loss with its cotangents.
static evn_status forward(evn__curve *c, evn_binding *x, evn_solution *solution) {
    EVN_TRY(evn_solve(c->learnt.solver, 0, 1, c->x0, c->learnt.weights, x, solution));
    evn_binding inputs[] = {*x, c->target}, outputs[] = {c->loss_value, c->x_bar};
    return evn_plan_run(c->loss, inputs, outputs);
}

evn_status evn__curve_gradient(evn__curve *curve, double *loss) {
    evn_binding x, x0_bar;
    evn_solution ahead, back;
    EVN_TRY(compile(curve, 0, true));
    EVN_TRY(forward(curve, &x, &ahead));
    EVN_TRY(evn_solve_gradient(curve->learnt.solver, curve->x_bar, &x0_bar,
                               curve->learnt.weights_bar, &back));
    return evn__real_read(curve->loss_value, false, loss, 1);
}

evn_status evn__curve_evaluate(evn__curve *curve, int phase, evn__curve_fit *fit) {
    evn__curve *c = curve;
    evn_binding x;
    evn_solution solution;
    EVN_CHECK(phase >= 0 && phase < c->options.phase_count, EVN_ERR_ARGUMENT, "no phase %d", phase);
    EVN_TRY(compile(c, phase, false));
    EVN_TRY(forward(c, &x, &solution));
    EVN_TRY(evn__real_read(c->loss_value, false, &fit->loss, 1));
    EVN_TRY(evn__real_read(x, false, fit->x[0], VALUES));
    fit->nfe = solution.nfe;
    fit->max_error = 0;
    for (int i = 0; i < EVN__CURVE_POINTS; ++i) {
        double s[EVN__CURVE_DIMENSIONS], sum = 0;
        evn__curve_target((i + 1) / (double)EVN__CURVE_POINTS, s);
        for (int k = 0; k < EVN__CURVE_DIMENSIONS; ++k) {
            sum += (fit->x[i][k] - s[k]) * (fit->x[i][k] - s[k]);
        }
        fit->max_error = fmax(fit->max_error, sqrt(sum));
    }
    return EVN_OK;
}

static evn_status compile_training(void *task, int phase) {
    return compile(task, phase, true);
}

static evn_status forward_training(void *task, evn_solution *solution) {
    evn_binding x;
    return forward(task, &x, solution);
}

static evn__iterations training_of(evn__curve *curve) {
    return (evn__iterations){.device = curve->device,
                             .options = &curve->options,
                             .phases = curve->phases,
                             .parameters = curve->parameters,
                             .optimizer = &curve->optimizer,
                             .learnt = &curve->learnt,
                             .x_bar = curve->x_bar,
                             .loss = curve->loss_value,
                             .renew = true,
                             .task = curve,
                             .compile = compile_training,
                             .forward = forward_training,
                             .losses = curve->losses,
                             .at = &curve->at};
}

evn_status evn__curve_run(evn__curve *curve) {
    evn__iterations training = training_of(curve);
    return evn__iterations_run(&training);
}

evn_status evn__curve_save(evn__curve *curve, const char *path) {
    evn__iterations training = training_of(curve);
    return evn__iterations_save(&training, path);
}

evn_status evn__curve_restore(evn__curve *curve, const char *path, int *iterations) {
    evn__iterations training = training_of(curve);
    EVN_TRY(evn__iterations_restore(&training, path));
    *iterations = curve->at.epoch;
    return EVN_OK;
}
