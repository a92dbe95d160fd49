// SPDX-License-Identifier: Apache-2.0
// Tasks that are said by their loss: a regression on a source, and what a loss cannot have.
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { BATCH = 8, COUNT = 20 }; // the last batch is a short one

/// y = 2 u − 3 v + 0.5 without noise.
static evn_source_info info(const void *self) {
    (void)self;
    return (evn_source_info){.sample = EVN_SHAPE(2),
                             .target = EVN_SHAPE(1),
                             .has_target = true,
                             .batch = BATCH,
                             .batches = {COUNT / BATCH, (COUNT + BATCH - 1) / BATCH}};
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    (void)self;
    *filled = 0;
    for (int i = 0; i < BATCH; ++i) {
        double number = (double)(batch->index * BATCH + i);
        double u = sin(number), v = cos(3 * number);
        bool there = number < COUNT;
        samples[2 * i] = (float)u;
        samples[2 * i + 1] = (float)v;
        targets[i] = (float)(2 * u - 3 * v + 0.5 + (there ? 0 : 100)); // what fills up is far off
        weights[i] = there;
        *filled += there;
    }
    return EVN_OK;
}

static const evn_source_methods methods = {.info = info, .fill = fill};
static const evn_source line = {&methods, NULL};

static evn_parameters *make_parameters(void) {
    evn_parameters *parameters = NULL;
    TRY(evn_parameters_create(&parameters));
    TRY(evn_parameters_add(parameters, "slope", EVN_SHAPE(2, 1), EVN_INITIAL_NORMAL, 0.1));
    TRY(evn_parameters_add(parameters, "offset", EVN_SHAPE(1, 1), EVN_INITIAL_CONSTANT, 0));
    TRY(evn_parameters_allocate(parameters, test_device(), false, 1));
    return parameters;
}

/// The weighted mean of squares; input `name` has the shape [2, 1].
static evn_graph *make_loss(const char *name) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value u = evn_input(g, "sample", EVN_SHAPE(BATCH, 2));
    evn_value slope = evn_input(g, name, EVN_SHAPE(2, 1));
    evn_value offset = evn_input(g, "offset", EVN_SHAPE(1, 1));
    evn_value y = evn_add(g, evn_matmul(g, u, slope, false, false), offset);
    evn_value error = evn_sub(g, y, evn_input(g, "target", EVN_SHAPE(BATCH, 1)));
    evn_value weight =
        evn_reshape(g, evn_input(g, "weight", EVN_SHAPE(BATCH)), EVN_SHAPE(BATCH, 1));
    evn_value sum = evn_sum_all(g, evn_mul(g, weight, evn_mul(g, error, error)));
    evn_output(g, "loss", evn_scale(g, sum, 1.0 / BATCH));
    return g;
}

static void train(const evn_task *task) {
    const evn_phase phase = evn_phase_default("euler", 1, EVN_GRADIENT_BACKPROP, 120, 0.1);
    evn_trainer *trainer = NULL;
    evn_trainer_options options = {.phases = &phase, .phase_count = 1};
    options.optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD);
    TRY(evn_trainer_create(test_device(), task, &options, &trainer));
    TRY(evn_trainer_run(trainer));
    evn_trainer_destroy(&trainer);
}

START_TEST(regression) {
    evn_parameters *parameters = make_parameters();
    evn_graph *loss = make_loss("slope");
    const evn_loss_options options = {.parameters = parameters, .loss = loss, .source = &line};
    const evn_solver_options solver = evn_solver_options_default();
    evn_metrics metrics = {0};
    double slope[2], offset, expected = 0;
    evn_task task;
    TRY(evn_task_loss(test_device(), &options, &task));
    evn_graph_destroy(&loss); // it was copied
    TRY(evn_parameters_write(parameters, 0, (double[]){0, 0}));
    TRY(evn_task_evaluate(&task, &solver, EVN_TEST, 0, &metrics));
    for (int i = 0; i < COUNT; ++i) { // of all that there are, and of nothing that fills up
        expected += pow(2 * sin(i) - 3 * cos(3.0 * i) + 0.5, 2) / COUNT;
    }
    ck_assert_double_eq_tol(evn_metrics_value(&metrics, "test_loss") / expected, 1, 1e-5);
    train(&task);
    TRY(evn_parameters_read(parameters, 0, slope));
    TRY(evn_parameters_read(parameters, 1, &offset));
    ck_assert_double_eq_tol(slope[0], 2, 1e-3);
    ck_assert_double_eq_tol(slope[1], -3, 1e-3);
    ck_assert_double_eq_tol(offset, 0.5, 1e-3);
    evn_task_destroy(&task);
    evn_parameters_destroy(&parameters);
}
END_TEST

static void refused(const evn_loss_options *options, evn_status status, const char *text) {
    evn_task task;
    ck_assert_int_eq(evn_task_loss(test_device(), options, &task), status);
    ck_assert_msg(strstr(evn_error_message(), text), "'%s' lacks '%s'", evn_error_message(), text);
    ck_assert_ptr_null(task.methods);
}

/// dx/dt = x slope, of a state [1, 2].
static evn_dynamics *make_dynamics(void) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, 2)), w = evn_input(f, "slope", EVN_SHAPE(2, 1));
    evn_output(f, "dx", evn_mul(f, x, evn_matmul(f, x, w, false, false)));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return dynamics;
}

START_TEST(what_a_loss_cannot_have) {
    evn_parameters *parameters = make_parameters();
    evn_graph *loss = make_loss("slope"), *unknown = make_loss("slop"), *solved = make_loss("x");
    evn_dynamics *dynamics = make_dynamics();
    evn_loss_options options = {.parameters = parameters, .loss = loss};
    refused(&options, EVN_ERR_ARGUMENT, "sample, which there is not");
    options.source = &line;
    options.loss = unknown;
    refused(&options, EVN_ERR_ARGUMENT, "slop, which is no parameter");
    options.loss = solved;
    refused(&options, EVN_ERR_ARGUMENT, "nothing is solved");
    options.loss = loss;
    options.dynamics = dynamics;
    refused(&options, EVN_ERR_SHAPE, "where the solution begins");
    options.start = (const float[]){1, 2};
    refused(&options, EVN_ERR_ARGUMENT, "slope is a weight of the dynamics and an input");
    evn_graph_destroy(&loss);
    evn_graph_destroy(&unknown);
    evn_graph_destroy(&solved);
    evn_dynamics_destroy(&dynamics);
    evn_parameters_destroy(&parameters);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("task/loss");
    TCase *c = tcase_create("loss");
    tcase_add_test(c, regression);
    tcase_add_test(c, what_a_loss_cannot_have);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
