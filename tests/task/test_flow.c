// SPDX-License-Identifier: Apache-2.0
#include "data/density.h"
#include "task/flow.h"
#include "test.h"
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS = 150, TEST_POINTS = 2000, KINDS = 3 };

static evn_solver_options accurate(void) {
    evn_solver_options solver = evn_solver_options_default();
    solver.rtol = solver.atol = 1e-5;
    return solver;
}

/// A training on the moons.
static test_training open_training(const char *model, evn_trace trace, uint64_t seed,
                                   int iterations, bool adjoint) {
    test_training t = {0};
    evn_phase phase = {.name = "phase",
                       .solver = accurate(),
                       .epochs = iterations,
                       .schedule = evn_schedule_default(0.01)};
    phase.solver.gradient = adjoint ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    if (adjoint) {
        // The step control does not see the gradient's quadratures. At the start nothing else has
        // the waves of g, and Adam makes a full step of each of them, however small.
        phase.solver.rtol = phase.solver.atol = 2e-7; // single precision: not below its rounding
    } else {
        phase.solver.method = "rk4";
        phase.solver.steps = 12;
    }
    const evn_trainer_options options = test_trainer_options(&phase, 1, EVN_OPTIMIZER_ADAM, NULL);
    const evn_flow_options flow = {
        .model = model, .trace = trace, .entropy = evn_density_entropy("moons"), .seed = seed};
    TRY(evn_source_density("moons", 100, seed, &t.source));
    TRY(evn_task_flow(test_device(), &t.source, &flow, &t.task));
    test_training_begin(&t, &options);
    return t;
}

static double nll(const test_training *t) {
    evn_metrics metrics = {0};
    evn_solver_options solver = accurate();
    TRY(evn_task_evaluate(&t->task, &solver, EVN_TEST, 0, &metrics));
    ck_assert_double_gt(evn_metrics_value(&metrics, "nfe_forward"), 0);
    double value = evn_metrics_value(&metrics, "test_nll");
    ck_assert_double_eq_tol(value - evn_metrics_value(&metrics, "gap_nats"),
                            evn_density_entropy("moons"), 1e-12);
    return value;
}

/// Σ p(·, t) · cell over a grid that has practically all of the density.
static double integral(const test_training *flow, double t) {
    enum { SIDE = 200 };
    const double extent = 9, cell = 2 * extent / SIDE;
    evn__flow_model model = evn__flow_get_model(&flow->task);
    evn_solver_options solver = accurate();
    double *points = malloc(SIDE * SIDE * 3 * sizeof(*points)), *log_p = points + 2 * SIDE * SIDE;
    for (int i = 0; i < SIDE * SIDE; ++i) {
        points[2 * i] = (i % SIDE + 0.5) * cell - extent;
        points[2 * i + 1] = (i / SIDE + 0.5) * cell - extent;
    }
    TRY(evn__flow_log_density(&model, &solver, t, points, SIDE * SIDE, log_p, NULL));
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE; ++i) {
        sum += exp(log_p[i]) * cell * cell;
    }
    free(points);
    return sum;
}

START_TEST(training_lowers_the_loss) {
    test_training flow =
        open_training(evn_flow_model_name(_i), EVN_TRACE_EXACT, 1, ITERATIONS, false);
    double before = nll(&flow);
    TRY(evn_trainer_run(flow.trainer));
    double after = nll(&flow);
    ck_assert_msg(after < before - 0.5 && after < 3.15, "%s: %g, then %g", evn_flow_model_name(_i),
                  before, after);
    ck_assert_double_gt(after, evn_density_entropy("moons"));
    ck_assert_double_eq_tol(integral(&flow, 0), 1, 1e-3);
    ck_assert_double_eq_tol(integral(&flow, 0.4), 1, 1e-3);
    test_training_end(&flow);
}
END_TEST

START_TEST(estimates_of_the_trace_train_too) {
    test_training flow =
        open_training("node", _i ? EVN_TRACE_GAUSSIAN : EVN_TRACE_RADEMACHER, 1, ITERATIONS, false);
    TRY(evn_trainer_run(flow.trainer));
    ck_assert_double_lt(nll(&flow), 3.2);
    test_training_end(&flow);
}
END_TEST

START_TEST(adjoint_agrees_with_backprop) {
    int count;
    double losses[2];
    for (int adjoint = 0; adjoint < 2; ++adjoint) {
        test_training flow = open_training("node-ew", EVN_TRACE_EXACT, 1, 10, adjoint);
        TRY(evn_trainer_run(flow.trainer));
        losses[adjoint] = evn_trainer_losses(flow.trainer, &count)[9];
        ck_assert_int_eq(count, 10);
        test_training_end(&flow);
    }
    ck_assert_double_eq_tol(losses[0], losses[1], 1e-3);
}
END_TEST

START_TEST(same_seed_same_bits) {
    double losses[3][20];
    for (int i = 0; i < 3; ++i) {
        int count;
        test_training flow =
            open_training("node-ew", EVN_TRACE_RADEMACHER, i < 2 ? 5 : 6, 20, false);
        TRY(evn_trainer_run(flow.trainer));
        memcpy(losses[i], evn_trainer_losses(flow.trainer, &count), sizeof(losses[i]));
        test_training_end(&flow);
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof(losses[0]));
    ck_assert_double_ne(losses[0][19], losses[2][19]);
}
END_TEST

/// The density found at time t at the places of samples that are there at t is what they have.
static void check_density(const test_training *flow, double t, double (*samples)[3], int count,
                          double tolerance) {
    evn__flow_model model = evn__flow_get_model(&flow->task);
    evn_solver_options solver = accurate();
    double *places = malloc((size_t)count * 3 * sizeof(*places)), *log_p = places + 2 * count;
    for (int i = 0; i < count; ++i) {
        memcpy(places + 2 * i, samples[i], 2 * sizeof(*places));
    }
    TRY(evn__flow_log_density(&model, &solver, t, places, count, log_p, NULL));
    for (int i = 0; i < count; ++i) {
        ck_assert_double_eq_tol(log_p[i], samples[i][2], tolerance);
    }
    free(places);
}

/// A sample's density as found on its way from the base is its density as found from the sample.
/// Where weights evolve, the way back begins with those of t = 1, and the way from t with those of
/// t.
START_TEST(samples_have_their_density) {
    enum { COUNT = 1500 };
    static double points[3][COUNT][3], again[2][10][3];
    test_training flow =
        open_training(evn_flow_model_name(_i), EVN_TRACE_EXACT, 1, ITERATIONS, false);
    TRY(evn_trainer_run(flow.trainer));
    evn__flow_model model = evn__flow_get_model(&flow.task);
    evn_solver_options solver = accurate();
    TRY(evn__flow_sample(&model, &solver, 3, COUNT, 2, points[0][0]));
    TRY(evn__flow_sample(&model, &solver, 3, 10, 1, again[0][0]));
    ck_assert_double_lt(test_difference(again[1][0], points[2][0], 30), 1e-3);
    check_density(&flow, 0, points[2], COUNT, 1e-2);
    check_density(&flow, 0.5, points[1], COUNT, 1e-2);
    check_density(&flow, 1, points[0], COUNT, 1e-12);
    double moved = 0;
    for (int i = 0; i < COUNT; ++i) {
        moved = fmax(moved, fabs(points[2][i][0] - points[0][i][0]));
    }
    ck_assert_double_gt(moved, 0.1);
    test_training_end(&flow);
}
END_TEST

START_TEST(wrong_options_are_refused) {
    evn_source source;
    evn_task task;
    evn_flow_options options = {.model = "none", .entropy = NAN};
    ck_assert_int_eq(evn_source_density("none", 10, 1, &source), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_source_density("moons", 0, 1, &source), EVN_ERR_ARGUMENT);
    TRY(evn_source_density("moons", 10, 1, &source));
    ck_assert_int_eq(evn_task_flow(test_device(), &source, &options, &task), EVN_ERR_ARGUMENT);
    evn_source_destroy(&source);
    options.model = "node";
    TRY(evn_source_curve(&source));
    ck_assert_int_eq(evn_task_flow(test_device(), &source, &options, &task), EVN_ERR_SHAPE);
    evn_source_destroy(&source);
}
END_TEST

START_TEST(only_times_of_the_flow_have_a_density) {
    test_training flow = open_training("node-ew", EVN_TRACE_EXACT, 1, 1, false);
    evn__flow_model model = evn__flow_get_model(&flow.task);
    evn_solver_options solver = accurate();
    double place[2] = {0}, log_p;
    const double wrong[] = {-0.1, 1.1, NAN};
    for (int i = 0; i < 3; ++i) {
        ck_assert_int_eq(evn__flow_log_density(&model, &solver, wrong[i], place, 1, &log_p, NULL),
                         EVN_ERR_ARGUMENT);
    }
    test_training_end(&flow);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("flow");
    TCase *c = tcase_create("training");
    tcase_add_loop_test(c, training_lowers_the_loss, 0, KINDS);
    suite_add_tcase(s, c);
    c = tcase_create("estimate");
    tcase_add_loop_test(c, estimates_of_the_trace_train_too, 0, 2);
    suite_add_tcase(s, c);
    c = tcase_create("adjoint");
    tcase_add_test(c, adjoint_agrees_with_backprop);
    suite_add_tcase(s, c);
    c = tcase_create("seed");
    tcase_add_test(c, same_seed_same_bits);
    suite_add_tcase(s, c);
    c = tcase_create("samples");
    tcase_add_loop_test(c, samples_have_their_density, 0, KINDS);
    suite_add_tcase(s, c);
    c = tcase_create("options");
    tcase_add_test(c, wrong_options_are_refused);
    tcase_add_test(c, only_times_of_the_flow_have_a_density);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
