// SPDX-License-Identifier: Apache-2.0
// Gradients of NODE-EW with respect to x(0), θ₀ and θ₁: backprop against finite differences, the
// adjoint against backprop, the paper's erratum, and what each way costs in memory.
#include "evonode/diff.h"
#include "evonode/solver.h"
#include "integrator/integrator.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_solver_options fixed(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.fp64 = true;
    return options;
}

/// The loss at the end alone, and at four times on the way.
START_TEST(backprop_is_the_gradient_of_the_grid) {
    static const char *const methods[] = {"euler", "midpoint", "rk4", "dopri5"};
    problem p = problem_node_ew(5);
    evn_solver_options options = fixed(methods[_i % 4], 4 * (1 + _i / 4), EVN_GRADIENT_BACKPROP);
    options.observations = _i < 4 ? 0 : 4;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    double error = problem_against_differences(&p, p.x0, p.x0_bar, p.x_count);
    ck_assert_msg(error <= 1e-6, "x(0): %g", error);
    for (int i = 0; i < p.weight_count; ++i) {
        error =
            problem_against_differences(&p, p.weight[i], p.weight_bar_host[i], p.weight_size[i]);
        printf("%s, %d observations, %s: relative error %.2g\n", options.method,
               options.observations, evn_dynamics_weight_name(p.dynamics, i), error);
        ck_assert_msg(error <= 1e-6, "%s: %g", evn_dynamics_weight_name(p.dynamics, i), error);
    }
    problem_free(&p);
}
END_TEST

/// A copy of all cotangents of the last gradient, x(0) first.
static int gather(const problem *p, double *all) {
    int count = p->x_count;
    memcpy(all, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all + count, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        count += p->weight_size[i];
    }
    return count;
}

static int gradient_with(problem *p, evn_solver_options options, double *all) {
    problem_prepare(p, &options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    int count = gather(p, all);
    return count;
}

START_TEST(checkpointed_is_backprop) {
    problem p = problem_node_ew(6);
    double stored[256], recomputed[256];
    for (int observations = 0; observations <= 7; observations += 7) {
        evn_solver_options store = fixed("rk4", 7, EVN_GRADIENT_BACKPROP), again = store;
        again.gradient = EVN_GRADIENT_CHECKPOINTED;
        store.observations = again.observations = observations;
        int count = gradient_with(&p, store, stored);
        gradient_with(&p, again, recomputed);
        ck_assert_mem_eq(stored, recomputed, sizeof(double) * (size_t)count);
    }
    problem_free(&p);
}
END_TEST

START_TEST(adjoint_converges_to_backprop) {
    problem p = problem_node_ew(7);
    double exact[256], adjoint[256], last = INFINITY;
    evn_solver_options reference = fixed("rk4", 400, EVN_GRADIENT_BACKPROP);
    reference.observations = _i * 5;
    int count = gradient_with(&p, reference, exact);
    for (double tolerance = 1e-3; tolerance > 1e-10; tolerance /= 100) {
        evn_solver_options options = fixed("dopri5", 0, EVN_GRADIENT_ADJOINT);
        options.rtol = options.atol = tolerance;
        options.observations = reference.observations;
        gradient_with(&p, options, adjoint);
        double error = test_difference(adjoint, exact, count);
        printf("tolerance %.0e, %d observations: adjoint differs by %.2g\n", tolerance,
               options.observations, error);
        double times = tolerance > 1e-4 ? 20 : 10; // 1e-3: steps too long for their estimates
        ck_assert_msg(error < times * tolerance, "%g at %g", error, tolerance);
        last = error;
    }
    ck_assert(last < 1e-8);
    problem_free(&p);
}
END_TEST

/// Cotangents that are sums of stacked products, over more steps than are stacked at once: adaptive
/// and equal ones, with observations and without.
START_TEST(adjoint_of_wide_layers) {
    enum { COUNT = 2 * 3 + 3 * 24 + 24 * 24 + 24 * 3 + 3 };
    problem p = problem_wide(12);
    static double exact[COUNT], adjoint[COUNT];
    evn_solver_options reference = fixed("rk4", 400, EVN_GRADIENT_BACKPROP);
    reference.observations = _i * 5;
    ck_assert_int_eq(gradient_with(&p, reference, exact), COUNT);
    for (int steps = 0; steps <= 400; steps += 400) {
        evn_solver_options options = fixed("dopri5", steps, EVN_GRADIENT_ADJOINT);
        options.rtol = options.atol = 1e-10;
        options.observations = reference.observations;
        gradient_with(&p, options, adjoint);
        double error = test_difference(adjoint, exact, COUNT);
        printf("%d steps, %d observations: adjoint differs by %.2g\n", steps, options.observations,
               error);
        ck_assert_msg(error < 1e-8, "%g with %d steps", error, steps);
    }
    problem_free(&p);
}
END_TEST

/// Whether or not a method's last stage is the first of its next step, or has any weight.
START_TEST(adjoint_by_other_pairs) {
    static const char *const methods[] = {"heun", "bosh3", "fehlberg45"};
    enum { COUNT = 2 * 3 + 3 * 24 + 24 * 24 + 24 * 3 + 3 };
    static double exact[COUNT], adjoint[COUNT];
    problem p = problem_wide(12);
    gradient_with(&p, fixed("rk4", 200, EVN_GRADIENT_BACKPROP), exact);
    for (int i = 0; i < 3; ++i) {
        evn_solver_options options = fixed(methods[i], 0, EVN_GRADIENT_ADJOINT);
        options.rtol = options.atol = i < 2 ? 1e-5 : 1e-8;
        options.norm = EVN_NORM_MIXED;
        gradient_with(&p, options, adjoint);
        double error = test_difference(adjoint, exact, COUNT);
        printf("%s: adjoint differs by %.2g\n", options.method, error);
        ck_assert_msg(error < 10 * options.rtol, "%s: %g", options.method, error);
    }
    problem_free(&p);
}
END_TEST

START_TEST(adjoint_reconstructs_the_start) {
    problem p = problem_node_ew(8);
    evn_solver_options options = fixed("dopri5", 0, EVN_GRADIENT_ADJOINT);
    options.rtol = options.atol = 1e-8;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    double x_error, theta_error;
    TRY(evn_solver_reconstruction(p.solver, &x_error, &theta_error));
    printf("reconstruction: x %.2g, theta %.2g\n", x_error, theta_error);
    ck_assert(x_error < 1e-7 && theta_error < 1e-7);
    ck_assert(x_error > 0 && theta_error > 0);
    problem_free(&p);
}
END_TEST

// Equations (5) and (6) and Algorithm 1 of the paper lack −(∂f/∂θ)ᵀa in db/dt. As printed, b starts
// at zero and has no source, so every gradient in θ is zero; with the term it is not.

/// The adjoint of `dynamics` by hand: vjp of f and of g taken apart, f's share of db on demand.
static void adjoint_by_hand(bool with_term, evn__system *system) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value t = evn_input(g, "t", EVN_SCALAR), x = evn_input(g, "x", EVN_SHAPE(3, 2));
    evn_value w = evn_input(g, "w", EVN_SHAPE(2, 2)), a = evn_input(g, "a", EVN_SHAPE(3, 2));
    evn_value b = evn_input(g, "b", EVN_SHAPE(2, 2)), r = evn_input(g, "r", EVN_SHAPE(2, 2));
    evn_value f = evn_tanh(g, evn_matmul(g, x, w, false, false));
    evn_value slope = evn_mul(g, t, evn_sin(g, evn_mul(g, r, w)));
    evn_value wrt[] = {x, w}, f_bar[2], g_bar;
    TRY(evn_pullback(g, &f, &a, 1, wrt, 2, f_bar));
    TRY(evn_pullback(g, &slope, &b, 1, &w, 1, &g_bar));
    evn_output(g, "dx", f);
    evn_output(g, "dw", slope);
    evn_output(g, "da", evn_neg(g, f_bar[0]));
    evn_output(g, "db", evn_neg(g, with_term ? evn_add(g, f_bar[1], g_bar) : g_bar));
    TRY(evn_graph_status(g));
    *system = (evn__system){.graph = g, .state_count = 4, .parameter_count = 1};
    system->controlled = calloc(4, sizeof(bool));
    for (int i = 0; i < 4; ++i) {
        system->controlled[i] = true;
    }
}

static void erratum_forward(evn__system *system) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value t = evn_input(g, "t", EVN_SCALAR), x = evn_input(g, "x", EVN_SHAPE(3, 2));
    evn_value w = evn_input(g, "w", EVN_SHAPE(2, 2)), r = evn_input(g, "r", EVN_SHAPE(2, 2));
    evn_output(g, "dx", evn_tanh(g, evn_matmul(g, x, w, false, false)));
    evn_output(g, "dw", evn_mul(g, t, evn_sin(g, evn_mul(g, r, w))));
    *system = (evn__system){.graph = g, .state_count = 2, .parameter_count = 1};
    system->controlled = calloc(2, sizeof(bool));
    system->controlled[0] = system->controlled[1] = true;
}

typedef struct erratum {
    double x0[6], w0[4], r[4], x1[6], w1[4], b0[4];
} erratum;

static void integrate(evn__system *system, double t0, double t1, double *const *states,
                      const int *sizes, const double *r) {
    evn_solver_options options = fixed("rk4", 200, EVN_GRADIENT_NONE);
    evn__integrator *in = NULL;
    evn_buffer *parameter = NULL;
    evn_solution solution;
    evn__course course;
    TRY(evn__course_create(&options, &course));
    TRY(evn__integrator_create(test_device(), system, &options, &course, false, &in));
    TRY(evn__real_create(test_device(), true, 4, &parameter));
    evn_binding at = {parameter, 0};
    TRY(evn__real_write(at, true, r, 4));
    for (int i = 0; i < system->state_count; ++i) {
        TRY(evn__real_write(evn__integrator_state(in, i), true, states[i], (size_t)sizes[i]));
    }
    const evn__way way = {.t0 = t0, .t1 = t1};
    TRY(evn__integrate(in, &way, &at, &solution));
    for (int i = 0; i < system->state_count; ++i) {
        TRY(evn__real_read(evn__integrator_state(in, i), true, states[i], (size_t)sizes[i]));
    }
    evn__integrator_destroy(&in);
    evn__course_free(&course);
    evn_buffer_destroy(&parameter);
}

static double erratum_loss(erratum *e) {
    evn__system forward;
    erratum_forward(&forward);
    memcpy(e->x1, e->x0, sizeof(e->x0));
    memcpy(e->w1, e->w0, sizeof(e->w0));
    double *states[] = {e->x1, e->w1};
    integrate(&forward, 0, 1, states, (int[]){6, 4}, e->r);
    evn__system_free(&forward);
    double sum = 0;
    for (int i = 0; i < 6; ++i) {
        sum += e->x1[i];
    }
    return sum;
}

static void erratum_gradient(erratum *e, bool with_term) {
    evn__system adjoint;
    double a[6] = {1, 1, 1, 1, 1, 1};
    erratum_loss(e);
    memset(e->b0, 0, sizeof(e->b0));
    adjoint_by_hand(with_term, &adjoint);
    double *states[] = {e->x1, e->w1, a, e->b0};
    integrate(&adjoint, 1, 0, states, (int[]){6, 4, 6, 4}, e->r);
    evn__system_free(&adjoint);
}

START_TEST(the_papers_equations_give_no_gradient) {
    test_needs_fp64();
    erratum e;
    test_uniform(1, -1, 1, e.x0, 6);
    test_uniform(2, -1, 1, e.w0, 4);
    test_uniform(3, -1, 1, e.r, 4);
    erratum_gradient(&e, false);
    for (int i = 0; i < 4; ++i) {
        ck_assert(e.b0[i] == 0); // exactly: nothing ever enters b
    }
    erratum_gradient(&e, true);
    double b0[4];
    memcpy(b0, e.b0, sizeof(b0));
    for (int i = 0; i < 4; ++i) {
        const double h = 1e-5;
        double kept = e.w0[i];
        e.w0[i] = kept + h;
        double high = erratum_loss(&e);
        e.w0[i] = kept - h;
        double low = erratum_loss(&e);
        e.w0[i] = kept;
        ck_assert_double_eq_tol(b0[i], (high - low) / (2 * h), 1e-6);
        ck_assert(fabs(b0[i]) > 1e-3);
    }
}
END_TEST

// Memory ------------------------------------------------------------------------------------------

static uint64_t peak_of(int steps, evn_gradient gradient) {
    problem p = problem_node_ew(9);
    evn_solver_options options = fixed("euler", steps, gradient);
    options.reconstruction = 1; // ten of these steps go back less well than the default asks for
    evn_device_reset_peak(test_device());
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    uint64_t peak = evn_device_get_stats(test_device()).bytes_peak;
    problem_free(&p);
    return peak;
}

START_TEST(memory_of_backprop_grows) {
    uint64_t few = peak_of(10, EVN_GRADIENT_BACKPROP), many = peak_of(1000, EVN_GRADIENT_BACKPROP);
    printf("backprop: %llu bytes with 10 steps, %llu with 1000\n", (unsigned long long)few,
           (unsigned long long)many);
    ck_assert_uint_gt(many, 10 * few);
}
END_TEST

/// From 10 steps to 10,000, of one memory of their times.
START_TEST(memory_is_flat) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_ADJOINT, EVN_GRADIENT_REVERSIBLE};
    uint64_t few = peak_of(10, gradients[_i]), many = peak_of(10000, gradients[_i]);
    printf("%s: %llu bytes with 10 steps, %llu with 10000\n", evn_gradient_name((int)gradients[_i]),
           (unsigned long long)few, (unsigned long long)many);
    ck_assert_uint_eq(few, many);
}
END_TEST

static uint64_t launches_of(int steps) {
    problem p = problem_node_ew(10);
    evn_solver_options options = fixed("rk4", steps, EVN_GRADIENT_BACKPROP);
    problem_prepare(&p, &options);
    uint64_t before = evn_device_get_stats(test_device()).launches;
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    problem_free(&p);
    return evn_device_get_stats(test_device()).launches - before;
}

/// Where samples are small, a CPU's kernels loop over the steps.
START_TEST(launches_do_not_grow_with_steps) {
    uint64_t few = launches_of(2), many = launches_of(20);
    if (evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
        ck_assert_uint_eq(few, many);
    } else {
        ck_assert_uint_lt(few, many);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/gradient");
    TCase *backprop = tcase_create("backprop"); // whole: long
    test_add_share(backprop, backprop_is_the_gradient_of_the_grid, 0, 8, 3);
    tcase_add_test(backprop, checkpointed_is_backprop);
    tcase_add_test(backprop, memory_of_backprop_grows);
    tcase_add_test(backprop, launches_do_not_grow_with_steps);
    suite_add_tcase(s, backprop);
    TCase *adjoint = tcase_create("adjoint");
    tcase_add_loop_test(adjoint, adjoint_converges_to_backprop, 0, 2);
    tcase_add_loop_test(adjoint, adjoint_of_wide_layers, 0, 2);
    tcase_add_test(adjoint, adjoint_by_other_pairs);
    tcase_add_test(adjoint, adjoint_reconstructs_the_start);
    suite_add_tcase(s, adjoint);
    TCase *flat = tcase_create("flat");
    tcase_add_loop_test(flat, memory_is_flat, 0, 2);
    suite_add_tcase(s, flat);
    TCase *paper = tcase_create("erratum");
    tcase_add_test(paper, the_papers_equations_give_no_gradient);
    suite_add_tcase(s, paper);
    return s;
}

int main(void) {
    return test_run(suite());
}
