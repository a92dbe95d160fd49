// SPDX-License-Identifier: Apache-2.0
// A task of one's own, by the public headers alone: the four rates of a Lotka–Volterra system,
//     dx/dt = a x − b x y,   dy/dt = d x y − c y,
// are found from observations of its two populations. A run that is ended goes on when started
// again.
#include <evonode/evonode.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMES = 20, RATES = 4, ITERATIONS = 60 };
static const double SPAN = 10, TRUE_RATES[] = {1.1, 0.4, 0.4, 0.1}, GUESS[] = {0.9, 0.5, 0.5, 0.15};
static const float START[] = {10, 5};
static const char CHECKPOINT[] = "own_task.safetensors";

static void must(evn_status status) {
    if (status != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
        exit((int)status);
    }
}

static evn_value pick(evn_graph *g, evn_value row, int64_t index) {
    return evn_slice(g, row, (int64_t[]){0, index}, EVN_SHAPE(1, 1));
}

/// Time runs from 0 to 1: f is SPAN times the system's right-hand side.
static evn_dynamics *make_dynamics(void) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    must(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value state = evn_input(f, "x", EVN_SHAPE(1, 2));
    evn_value r = evn_input(f, "rates", EVN_SHAPE(1, RATES));
    evn_value x = pick(f, state, 0), y = pick(f, state, 1), xy = evn_mul(f, x, y);
    evn_value slopes[] = {evn_sub(f, evn_mul(f, pick(f, r, 0), x), evn_mul(f, pick(f, r, 1), xy)),
                          evn_sub(f, evn_mul(f, pick(f, r, 3), xy), evn_mul(f, pick(f, r, 2), y))};
    evn_output(f, "dx", evn_scale(f, evn_concat(f, slopes, 2, 1), SPAN));
    must(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return dynamics;
}

/// What the true rates give at TIMES equally spaced times, by small steps of Heun's method.
static void observe(double *observed) {
    const double *r = TRUE_RATES, dt = SPAN / TIMES / 10000;
    double x = START[0], y = START[1];
    for (int i = 0; i < 10000 * TIMES; ++i) {
        double dx = r[0] * x - r[1] * x * y, dy = r[3] * x * y - r[2] * y;
        double u = x + dt * dx, v = y + dt * dy;
        x += dt / 2 * (dx + r[0] * u - r[1] * u * v);
        y += dt / 2 * (dy + r[3] * u * v - r[2] * v);
        observed[i / 10000 * 2] = x; // the last of each 10,000 stays
        observed[i / 10000 * 2 + 1] = y;
    }
}

/// The sum of squares of what is missed: x is the solution at the times of the observations.
static evn_graph *make_loss(void) {
    evn_graph *loss = NULL;
    double observed[2 * TIMES];
    observe(observed);
    must(evn_graph_create(&loss));
    evn_value x = evn_input(loss, "x", EVN_SHAPE(TIMES, 1, 2));
    evn_value error = evn_sub(loss, x, evn_table(loss, EVN_SHAPE(TIMES, 1, 2), observed));
    evn_output(loss, "loss", evn_sum_all(loss, evn_mul(loss, error, error)));
    return loss;
}

static void show(void *user, const evn_epoch *epoch) {
    evn_trainer **trainer = user;
    printf("iteration %d: loss %.3g\n", epoch->epoch + 1,
           evn_metrics_value(&epoch->metrics, "train_loss"));
    must(epoch->epoch + 1 < ITERATIONS ? evn_trainer_save(*trainer, CHECKPOINT) : EVN_OK);
}

/// From where a run that was ended has left a checkpoint.
static void train(evn_device *device, const evn_task *task) {
    evn_trainer *trainer = NULL;
    int done = 0;
    evn_phase phase = evn_phase_default("rk4", 100, EVN_GRADIENT_BACKPROP, ITERATIONS, 1);
    evn_trainer_options options = {.phases = &phase, .phase_count = 1, .user = &trainer};
    options.optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_LBFGS);
    options.epoch_done = show;
    must(evn_trainer_create(device, task, &options, &trainer));
    if (evn_trainer_restore(trainer, CHECKPOINT, &done) == EVN_OK) {
        printf("goes on after iteration %d\n", done);
    }
    must(evn_trainer_run(trainer));
    evn_trainer_destroy(&trainer);
    remove(CHECKPOINT);
}

int main(void) {
    double found[RATES], worst = 0;
    evn_device *device = NULL;
    evn_parameters *rates = NULL;
    evn_task task;
    must(evn_device_open(NULL, &device));
    must(evn_parameters_create(&rates));
    must(evn_parameters_add(rates, "rates", EVN_SHAPE(1, RATES), EVN_INITIAL_CONSTANT, 0));
    must(evn_parameters_allocate(rates, device, false, 1));
    must(evn_parameters_write(rates, 0, GUESS));
    evn_dynamics *dynamics = make_dynamics();
    evn_graph *loss = make_loss();
    const evn_loss_options options = {rates, dynamics, START, TIMES, .loss = loss};
    must(evn_task_loss(device, &options, &task));
    train(device, &task);
    must(evn_parameters_read(rates, 0, found));
    for (int i = 0; i < RATES; ++i) {
        printf("rate %d: %.4f, in truth %.4f\n", i, found[i], TRUE_RATES[i]);
        worst = fmax(worst, fabs(found[i] / TRUE_RATES[i] - 1));
    }
    evn_task_destroy(&task);
    evn_graph_destroy(&loss);
    evn_dynamics_destroy(&dynamics);
    evn_parameters_destroy(&rates);
    evn_device_close(&device);
    return worst < 0.01 ? EXIT_SUCCESS : EXIT_FAILURE;
}
