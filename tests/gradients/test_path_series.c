// SPDX-License-Identifier: Apache-2.0
// θ(t) of weights that are solved by themselves, at observations and anywhere: closed forms, on
// steps linear between their ends, of the batch and by sample, across jumps, and what is refused.
#include "driven.h"
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { ROWS = 3, OBSERVATIONS = 4, ELEMENTS = 2 };

static const double fractions[OBSERVATIONS] = {0, 0.2, 0.55, 1}, theta0[ELEMENTS] = {0.8, -0.3};

/// x' = x θ₀, θ' = a θ of two elements, the second of a weight of its own: b' = −b.
static problem growth(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, 1), &t, &x), *g = NULL;
    evn_value w = evn_input(f, "w", EVN_SHAPE(1, 1)), b = evn_input(f, "b", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_matmul(f, x, evn_add(f, w, b), false, false));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    w = evn_input(g, "w", EVN_SHAPE(1, 1));
    b = evn_input(g, "b", EVN_SHAPE(1, 1));
    evn_output(g, "dw", evn_mul(g, w, evn_input(g, "a", EVN_SCALAR)));
    evn_output(g, "db", evn_neg(g, b));
    problem p = problem_of(f, g);
    for (int i = 0; i < ROWS; ++i) {
        p.x0[i] = 1 + i;
    }
    for (int i = 0; i < ELEMENTS; ++i) {
        p.weight[i][0] = theta0[i];
    }
    p.weight[2][0] = -0.6;
    return p;
}

static double exact(int weight, double way) {
    return theta0[weight] * exp((weight == 0 ? -0.6 : -1) * way);
}

static evn_solver_options options_of(bool per_sample, int terms, int steps) {
    evn_solver_options o = evn_solver_options_default();
    o.rtol = o.atol = 1e-9;
    o.fp64 = true;
    o.per_sample = per_sample;
    o.weight_terms = terms;
    o.weight_steps = steps;
    return o;
}

static double read_one(evn_binding at, bool fp64) {
    double value;
    TRY(evn__real_read(at, fp64, &value, 1));
    return value;
}

static double observed(const problem *p, int weight, int observation) {
    evn_binding at;
    TRY(evn_solver_weight(p->solver, weight, observation, &at));
    return read_one(at, p->fp64);
}

/// Of the batch and by sample, up and down, with and without an observed start, in both precisions.
START_TEST(at_observations) {
    bool per_sample = _i % 2, down = _i / 2 % 2, start = _i / 4 % 2, fp64 = _i < 8;
    double t0 = down ? 1.5 : 0.2, t1 = down ? 0.2 : 1.5, within = fp64 ? 1e-8 : 1e-5;
    problem p = growth();
    evn_solver_options o = options_of(per_sample, 16, 0);
    o.fp64 = fp64;
    o.rtol = o.atol = fp64 ? 1e-9 : 1e-5;
    o.observe_weights = true;
    o.observations = OBSERVATIONS - !start;
    o.times = fractions + !start;
    problem_prepare(&p, &o);
    problem_solve(&p, t0, t1);
    for (int i = 0; i < o.observations; ++i) {
        double way = o.times[i] * (t1 - t0);
        for (int w = 0; w < ELEMENTS; ++w) {
            ck_assert_double_eq_tol(observed(&p, w, i), exact(w, way), within);
        }
        double sum = (theta0[0] - exact(0, way)) / 0.6 + theta0[1] - exact(1, way);
        ck_assert_double_eq_tol(p.x1[i * ROWS], exp(sum), 10 * within);
    }
    if (start) { // to the bit
        ck_assert_double_eq(observed(&p, 1, 0), fp64 ? theta0[1] : (double)(float)theta0[1]);
    }
    ck_assert_double_eq(observed(&p, 0, o.observations - 1), observed(&p, 0, -1));
    problem_free(&p);
}
END_TEST

/// On steps: what these gave at their ends, and linear between them, as x reads it.
START_TEST(on_steps) {
    enum { STEPS = 4 };
    static const double times[] = {0.25, 0.4, 0.5, 1};
    problem p = growth();
    evn_solver_options o = options_of(_i == 1, 0, STEPS);
    double nodes[STEPS + 1] = {theta0[0]}, z = -0.6 / STEPS;
    o.method = _i == 1 ? "dopri5" : "euler";
    o.steps = _i == 1 ? 0 : 8;
    o.observe_weights = true;
    o.observations = 4;
    o.times = times;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    for (int i = 0; i < STEPS; ++i) { // dopri5's stability function
        double five = z * z * z * z * z / 120 * (1 + z * 120 / 600);
        double rest = z * z / 2 + z * z * z / 6 + z * z * z * z / 24 + five;
        nodes[i + 1] = nodes[i] * (1 + z + (_i == 1 ? rest : 0));
    }
    for (int i = 0; i < 4; ++i) {
        int low = (int)fmin(times[i] * STEPS, STEPS - 1);
        double part = times[i] * STEPS - low, linear = nodes[low + 1] - nodes[low];
        ck_assert_double_eq_tol(observed(&p, 0, i), nodes[low] + part * linear, 1e-14);
    }
    problem_free(&p);
}
END_TEST

/// Each part has a path of its own: w' = c u, by parts linear.
START_TEST(across_jumps) {
    enum { TIMES = 6 };
    static const double times[TIMES] = {0, 0.15, 0.3, 0.5, 0.7, 1};
    for (int own = 0; own < 2; ++own) {
        problem p = driven_problem(true);
        evn_solver_options o = driven_across("dopri5", 0, EVN_GRADIENT_BACKPROP);
        o.per_sample = own == 1;
        o.weight_terms = _i == 0 ? 5 : 0;
        o.weight_steps = _i == 0 ? 0 : 2;
        o.observations = TIMES;
        o.times = times;
        o.observe_weights = true;
        problem_prepare(&p, &o);
        for (int down = 0; down < 2; ++down) {
            problem_solve(&p, down, 1 - down);
            problem_gradient(&p); // which solves parts again
            for (int i = 0; i < TIMES; ++i) {
                double t = down ? 1 - times[i] : times[i], once = driven_shares_of(down, t).b;
                double w = driven_weight(&p, "w") + once * driven_weight(&p, "c");
                ck_assert_double_eq_tol(observed(&p, driven_find(&p, "w"), i), w, 1e-12);
            }
        }
        problem_free(&p);
    }
}
END_TEST

/// After fixed steps between the same times again nobody waits.
START_TEST(waits_for_nothing_again) {
    problem p = growth();
    evn_binding x1;
    evn_solver_options o = options_of(false, 0, 8);
    o.method = "euler";
    o.steps = 4;
    o.observations = 2;
    o.observe_weights = true;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    uint64_t before = evn_device_get_stats(test_device()).waits;
    TRY(evn_solve(p.solver, 0, 1, p.x0_at, p.weights, &x1, NULL));
    ck_assert_uint_eq(evn_device_get_stats(test_device()).waits, before);
    problem_free(&p);
}
END_TEST

/// Of each sample its own times: [count, samples].
START_TEST(at_times_of_each_sample) {
    enum { TIMES = 2 };
    static const double t0[ROWS] = {0.3, 0, 0.5}, t1[ROWS] = {1, 0.7, 1.2};
    static const double times[ROWS * TIMES] = {0.4, 1, 0.6, 0, 1.2, 0.9};
    evn_binding x1, wanted[PROBLEM_WEIGHTS] = {{NULL, 0}};
    evn_buffer *memory = NULL;
    problem p = growth();
    evn_solver_options o = options_of(true, 16, 0);
    o.dense = true;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1); // writes
    const evn_sample_times own = {t0, t1, NULL};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, 2 * ROWS * TIMES, &memory));
    wanted[1] = (evn_binding){memory, (size_t)(ROWS * TIMES)}; // and not the first
    TRY(evn_solver_at(p.solver, times, TIMES, (evn_binding){memory, 0}, wanted));
    for (int j = 0; j < TIMES; ++j) {
        for (int i = 0; i < ROWS; ++i) {
            evn_binding at = {memory, (size_t)(ROWS * TIMES + j * ROWS + i)};
            ck_assert_double_eq_tol(read_one(at, true), exact(1, times[i * TIMES + j]), 1e-8);
        }
    }
    wanted[1].offset += 1;
    REFUSED(evn_solver_at(p.solver, times, TIMES, (evn_binding){memory, 0}, wanted));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "memory of b"));
    evn_buffer_destroy(&memory);
    problem_free(&p);
}
END_TEST

/// An observation of each sample's own has no weights of all.
START_TEST(observed_by_each_sample) {
    static const double t0[ROWS] = {0.3, 0, 0.5}, t1[ROWS] = {1, 0.7, 1.2};
    evn_binding x1, at;
    problem p = growth();
    evn_solver_options o = options_of(true, 16, 0);
    o.observations = 2;
    o.observe_weights = true;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    const evn_sample_times own = {t0, t1, NULL};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    REFUSED(evn_solver_weight(p.solver, 0, 1, &at));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "evn_solver_at"));
    TRY(evn_solver_weight(p.solver, 0, -1, &at));
    TRY(evn_solver_weight(p.solver, 2, 1, &at)); // a constant
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/path_series");
    TCase *observations = tcase_create("observations");
    tcase_add_loop_test(observations, at_observations, 0, 10);
    tcase_add_loop_test(observations, on_steps, 0, 2);
    tcase_add_test(observations, waits_for_nothing_again);
    suite_add_tcase(s, observations);
    TCase *jumps = tcase_create("jumps");
    tcase_add_loop_test(jumps, across_jumps, 0, 2);
    suite_add_tcase(s, jumps);
    TCase *samples = tcase_create("samples");
    tcase_add_test(samples, at_times_of_each_sample);
    tcase_add_test(samples, observed_by_each_sample);
    suite_add_tcase(s, samples);
    return s;
}

int main(void) {
    return test_run(suite());
}
