// SPDX-License-Identifier: Apache-2.0
// A task of one's own, by the public headers alone: the four rates of a Lotka–Volterra system,
//     dx/dt = a x − b x y,   dy/dt = d x y − c y,
// are found from observations of its two populations. Training reports its progress, writes a
// checkpoint, is stopped, and goes on from there in a new trainer.
#include <evonode/evonode.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMES = 20, VALUES = 2 * TIMES, STEPS = 100, RATES = 4, ITERATIONS = 60, STOP_AT = 21 };
static const double SPAN = 10, TRUE_RATES[RATES] = {1.1, 0.4, 0.4, 0.1};
static const char CHECKPOINT[] = "own_task.safetensors";

static void must(evn_status status) {
    if (status != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
        exit((int)status);
    }
}

// The task ----------------------------------------------------------------------------------------

typedef struct rates_task {
    evn_device *device;
    evn_parameters *parameters; ///< "rates" [4]
    evn_dynamics *dynamics;
    float observed[VALUES]; ///< [TIMES, 2], at equally spaced times
} rates_task;

typedef struct program {
    evn_solver *solver;
    evn_plan *loss;
    evn_buffer *memory; ///< observed, cotangent of x, x(0), loss
    evn_binding observed, x_bar, x0, loss_value, rates, rates_bar;
} program;

static evn_value pick(evn_graph *g, evn_value rates, int64_t index) {
    return evn_reshape(g, evn_slice(g, rates, &index, EVN_SHAPE(1)), EVN_SHAPE(1, 1));
}

/// Time runs from 0 to 1: f is SPAN times the system's right-hand side.
static evn_status make_dynamics(rates_task *t) {
    evn_graph *f = NULL;
    must(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value state = evn_input(f, "x", EVN_SHAPE(1, 2)), r = evn_input(f, "rates", EVN_SHAPE(4));
    evn_value x = evn_slice(f, state, (int64_t[]){0, 0}, EVN_SHAPE(1, 1));
    evn_value y = evn_slice(f, state, (int64_t[]){0, 1}, EVN_SHAPE(1, 1)), xy = evn_mul(f, x, y);
    evn_value slopes[] = {evn_sub(f, evn_mul(f, pick(f, r, 0), x), evn_mul(f, pick(f, r, 1), xy)),
                          evn_sub(f, evn_mul(f, pick(f, r, 3), xy), evn_mul(f, pick(f, r, 2), y))};
    evn_output(f, "dx", evn_scale(f, evn_concat(f, slopes, 2, 1), SPAN));
    evn_status status = evn_dynamics_create(f, NULL, &t->dynamics);
    evn_graph_destroy(&f);
    return status;
}

static void release(void *self) {
    program *p = self;
    evn_solver_destroy(&p->solver);
    evn_plan_destroy(&p->loss);
    evn_buffer_destroy(&p->memory);
    free(p);
}

static evn_status make_loss(const rates_task *t, program *p) {
    evn_graph *g = NULL;
    must(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(TIMES, 1, 2));
    evn_value error = evn_sub(g, x, evn_input(g, "observed", EVN_SHAPE(TIMES, 1, 2)));
    evn_output(g, "loss", evn_sum_all(g, evn_mul(g, error, error)));
    evn_output(g, "x_bar", evn_scale(g, error, 2));
    evn_status status = evn_plan_create(t->device, g, NULL, &p->loss);
    evn_graph_destroy(&g);
    return status;
}

static evn_status compile(void *self, const evn_solver_options *options, bool trains,
                          void **compiled) {
    rates_task *t = self;
    evn_solver_options solver = *options;
    program *p = calloc(1, sizeof(*p));
    (void)trains; // the options name the gradient
    solver.observations = TIMES;
    must(evn_buffer_create(t->device, (2 * VALUES + 3) * sizeof(float), &p->memory));
    p->observed = (evn_binding){p->memory, 0};
    p->x_bar = (evn_binding){p->memory, VALUES};
    p->x0 = (evn_binding){p->memory, 2 * VALUES};
    p->loss_value = (evn_binding){p->memory, 2 * VALUES + 2};
    p->rates = evn_parameters_value(t->parameters, 0);
    p->rates_bar = evn_parameters_gradient(t->parameters, 0);
    const float start[] = {10, 5};
    must(evn_buffer_write(p->memory, 0, sizeof(t->observed), t->observed));
    must(evn_buffer_write(p->memory, 2 * VALUES * sizeof(float), sizeof(start), start));
    must(make_loss(t, p));
    evn_status status = evn_solver_create(t->device, t->dynamics, &solver, &p->solver);
    if (status != EVN_OK) { // the trainer releases what has been compiled
        release(p);
        return status;
    }
    *compiled = p;
    return EVN_OK;
}

static evn_status load(void *self, const evn_batch *batch, int slot) {
    (void)self, (void)batch, (void)slot; // there is one batch, and it is on the device
    return EVN_OK;
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    program *p = self;
    evn_binding x;
    (void)slot;
    evn_status status = evn_solve(p->solver, 0, 1, p->x0, &p->rates, &x, solution);
    const evn_binding inputs[] = {x, p->observed}, outputs[] = {p->loss_value, p->x_bar};
    return status == EVN_OK ? evn_plan_run(p->loss, inputs, outputs) : status;
}

static evn_status gradient(void *self, evn_solution *solution) {
    program *p = self;
    evn_binding x0_bar;
    return evn_solve_gradient(p->solver, p->x_bar, &x0_bar, &p->rates_bar, solution);
}

static evn_status read(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    float loss;
    (void)first, (void)count;
    evn_status status =
        evn_buffer_read(p->memory, p->loss_value.offset * sizeof(float), sizeof(loss), &loss);
    tally->loss += (double)loss;
    tally->weight += 1;
    return status;
}

static evn_parameters *parameters(void *self) {
    return ((rates_task *)self)->parameters;
}

static int64_t batches(void *self, evn_part part) {
    (void)self, (void)part;
    return 0; // it iterates, and nothing is held out
}

static void destroy(void *self) {
    rates_task *t = self;
    evn_dynamics_destroy(&t->dynamics);
    evn_parameters_destroy(&t->parameters);
}

static const evn_task_methods methods = {.name = "rates",
                                         .iterates = true,
                                         .slots = 1,
                                         .parameters = parameters,
                                         .batches = batches,
                                         .compile = compile,
                                         .release = release,
                                         .load = load,
                                         .forward = forward,
                                         .gradient = gradient,
                                         .read = read,
                                         .destroy = destroy};

/// What the true rates give, by small steps of Heun's method.
static void observe(float *observed) {
    const double *r = TRUE_RATES, dt = SPAN / TIMES / 10000;
    double x = 10, y = 5;
    for (int i = 0; i < TIMES; ++i) {
        for (int k = 0; k < 10000; ++k) {
            double dx = r[0] * x - r[1] * x * y, dy = r[3] * x * y - r[2] * y;
            double u = x + dt * dx, v = y + dt * dy;
            x += dt / 2 * (dx + r[0] * u - r[1] * u * v);
            y += dt / 2 * (dy + r[3] * u * v - r[2] * v);
        }
        observed[2 * i] = (float)x;
        observed[2 * i + 1] = (float)y;
    }
}

// Training ----------------------------------------------------------------------------------------

typedef struct watcher {
    evn_trainer *trainer;
    int stop_at; ///< iterations; 0: at the end
    bool stops;
} watcher;

static void show(void *user, const evn_epoch *epoch) {
    watcher *w = user;
    printf("iteration %d: loss %.3g\n", epoch->epoch + 1,
           evn_metrics_value(&epoch->metrics, "train_loss"));
    if (epoch->epoch + 1 < ITERATIONS) {
        must(evn_trainer_save(w->trainer, CHECKPOINT));
    }
    w->stops = epoch->epoch + 1 == w->stop_at;
}

static bool stop(void *user) {
    return ((watcher *)user)->stops;
}

static evn_status train(const rates_task *t, const evn_task *task, int stop_at, bool resume) {
    watcher w = {.stop_at = stop_at};
    evn_phase phase = {.name = "backprop",
                       .solver = evn_solver_options_default(),
                       .epochs = ITERATIONS,
                       .schedule = evn_schedule_default(1)};
    phase.solver.method = "rk4";
    phase.solver.steps = STEPS;
    phase.solver.gradient = EVN_GRADIENT_BACKPROP;
    const evn_trainer_options options = {.phases = &phase,
                                         .phase_count = 1,
                                         .epoch_done = show,
                                         .stop = stop,
                                         .user = &w,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_LBFGS)};
    int done = 0;
    must(evn_trainer_create(t->device, task, &options, &w.trainer));
    if (resume) {
        must(evn_trainer_restore(w.trainer, CHECKPOINT, &done));
        printf("goes on after iteration %d\n", done);
    }
    evn_status status = evn_trainer_run(w.trainer);
    evn_trainer_destroy(&w.trainer);
    return status;
}

int main(void) {
    static const double guess[RATES] = {0.9, 0.5, 0.5, 0.15};
    double found[RATES], worst = 0;
    rates_task t = {0};
    evn_task task = {&methods, &t};
    observe(t.observed);
    must(evn_device_open(NULL, &t.device));
    must(evn_parameters_create(&t.parameters));
    must(evn_parameters_add(t.parameters, "rates", EVN_SHAPE(RATES), EVN_INITIAL_CONSTANT, 0));
    must(evn_parameters_allocate(t.parameters, t.device, false, 1));
    must(evn_parameters_write(t.parameters, 0, guess));
    must(make_dynamics(&t));

    bool stopped = train(&t, &task, STOP_AT, false) == EVN_ERR_INTERRUPTED;
    must(evn_parameters_write(t.parameters, 0, guess)); // the checkpoint has them
    must(train(&t, &task, 0, true));

    must(evn_parameters_read(t.parameters, 0, found));
    for (int i = 0; i < RATES; ++i) {
        printf("rate %d: %.4f, in truth %.4f\n", i, found[i], TRUE_RATES[i]);
        worst = fmax(worst, fabs(found[i] / TRUE_RATES[i] - 1));
    }
    evn_task_destroy(&task);
    evn_device_close(&t.device);
    remove(CHECKPOINT);
    return stopped && worst < 0.01 ? EXIT_SUCCESS : EXIT_FAILURE;
}
