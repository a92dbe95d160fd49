// SPDX-License-Identifier: Apache-2.0
// Steps of each sample's own with weights that evolve by themselves: closed forms, the solver for a
// batch, the same in parts, bits that do not depend on mates, and what is refused.
#include "dynamics/path_basis.h"
#include "evonode/solver.h"
#include "gradients/weight_path.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/// Largest difference of two arrays, relative to the largest number of the second.
// x' = θ x, θ' = c θ ------------------------------------------------------------------------------

enum { GROWING = 3 };

static evn_graph *growing_rate(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_value theta = evn_input(g, "theta", EVN_SHAPE(1, 1)), c = evn_input(g, "c", EVN_SCALAR);
    evn_output(g, "dtheta", evn_mul(g, theta, c));
    return g;
}

static problem growth(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(GROWING, 1), &t, &x);
    evn_value theta = evn_input(f, "theta", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_matmul(f, x, theta, false, false));
    problem p = problem_of(f, growing_rate());
    for (int i = 0; i < GROWING; ++i) {
        p.x0[i] = 1 + i;
    }
    p.weight[0][0] = 0.8;
    p.weight[1][0] = -0.6;
    return p;
}

/// Of a way from t0 to t1 whose weight is theta at `start`: x1 / x0, and its derivatives by theta
/// and c.
static void exact_growth(double theta, double c, double start, double t0, double t1,
                         double exact[3]) {
    double a = exp(c * (t0 - start)), b = exp(c * (t1 - start)), sum = (b - a) / c;
    double by_c = ((t1 - start) * b - (t0 - start) * a) / c - sum / c;
    exact[0] = exp(theta * sum);
    exact[1] = exact[0] * sum;
    exact[2] = exact[0] * theta * by_c;
}

/// @param t0, t1  [GROWING]
static void check_growth(problem *p, const double *t0, const double *t1, double start, double end,
                         double tolerance) {
    double by_theta = 0, by_c = 0, at_end;
    evn_binding theta;
    for (int i = 0; i < GROWING; ++i) {
        double exact[3];
        exact_growth(p->weight[0][0], p->weight[1][0], start, t0[i], t1[i], exact);
        ck_assert_double_eq_tol(p->x1[i], exact[0] * p->x0[i], tolerance);
        ck_assert_double_eq_tol(p->x0_bar[i], exact[0], tolerance);
        by_theta += exact[1] * p->x0[i];
        by_c += exact[2] * p->x0[i];
    }
    ck_assert_double_eq_tol(p->weight_bar_host[0][0], by_theta, 10 * tolerance);
    ck_assert_double_eq_tol(p->weight_bar_host[1][0], by_c, 10 * tolerance);
    TRY(evn_solver_weight(p->solver, 0, -1, &theta));
    TRY(evn__real_read(theta, p->fp64, &at_end, 1));
    double exact = p->weight[0][0] * exp(p->weight[1][0] * (end - start));
    ck_assert_double_eq_tol(at_end, exact, tolerance);
}

/// Up, down, and no way at all.
START_TEST(closed_form) {
    static const double ends[] = {1.5, -1, 0.2};
    double t0[GROWING], t1[GROWING];
    for (int i = 0; i < GROWING; ++i) {
        t0[i] = 0.2;
        t1[i] = ends[_i];
    }
    problem p = growth();
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-7, true);
    problem_prepare(&p, &options);
    problem_solve(&p, 0.2, ends[_i]);
    problem_gradient(&p);
    check_growth(&p, t0, t1, 0.2, ends[_i], 1e-5);
    problem_free(&p);
}
END_TEST

/// The weights are those at the first of all times.
START_TEST(own_times) {
    static const double ways[2][2][GROWING] = {{{0.3, 0.1, 1.5}, {0.9, 2, 1.7}},
                                               {{0.9, 2, 1.7}, {0.3, 0.1, 1.5}}};
    const double *t0 = ways[_i][0], *t1 = ways[_i][1];
    double start = _i == 0 ? 0.1 : 2, end = _i == 0 ? 2 : 0.1;
    evn_binding x1, x0_bar;
    problem p = growth();
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-7, true);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1); // writes
    problem_gradient(&p);
    const evn_sample_times own = {t0, t1, NULL};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    TRY(evn__real_read(x1, p.fp64, p.x1, GROWING));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, p.fp64, p.x0_bar, GROWING));
    for (int i = 0; i < 2; ++i) {
        TRY(evn__real_read(p.weights_bar[i], p.fp64, p.weight_bar_host[i], 1));
    }
    check_growth(&p, t0, t1, start, end, 1e-5);
    problem_free(&p);
}
END_TEST

// Against others ----------------------------------------------------------------------------------

/// At a tolerance at which steps hardly matter, backprop along each sample's against the adjoint
/// along those of the batch, where weights and samples are one state.
START_TEST(gradient_is_the_adjoints) {
    problem p = problem_node_ew_of(4, 3), q = problem_node_ew_of(4, 3);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-7, true);
    options.observations = _i * 5;
    options.gradient = _i == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_CHECKPOINTED;
    problem_prepare(&p, &options);
    options.rtol = options.atol = 1e-10;
    options.per_sample = false;
    options.gradient = EVN_GRADIENT_ADJOINT;
    problem_prepare(&q, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    problem_solve(&q, 0, 1);
    problem_gradient(&q);
    ck_assert_double_le(test_relative_difference(p.x1, q.x1, p.x1_count), 1e-6);
    problem_check_same_gradients(&p, &q, 1e-5);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

// In parts: the weights as the state of a solver that observes them at Chebyshev's points, and each
// sample in a batch of one, with weights that are Lagrange's polynomial through these.

enum { TERMS = 8, INNER = 2, UNITS = 5, THETA = INNER * UNITS };

static double chebyshev_point(int j) {
    return -cos(acos(-1.0) * j / (TERMS - 1));
}

/// problem_node_ew's g, of a state.
static problem weights_alone(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(THETA), &t, &x);
    evn_value a = evn_input(f, "a", EVN_SHAPE(INNER, INNER));
    evn_value s = evn_input(f, "s", EVN_SHAPE(UNITS));
    evn_value w = evn_reshape(f, x, EVN_SHAPE(INNER, UNITS));
    evn_value moved = evn_tanh(f, evn_matmul(f, a, w, false, false));
    evn_value dw = evn_add(f, moved, evn_mul(f, t, evn_mul(f, w, s)));
    evn_output(f, "dx", evn_reshape(f, dw, EVN_SHAPE(THETA)));
    return problem_of(f, NULL);
}

/// Lagrange's polynomials at τ = 2 t − 1, [1, TERMS].
static evn_value lagrange(evn_graph *f, evn_value t) {
    double places[TERMS], sizes[TERMS];
    evn_value tau = evn_add(f, evn_scale(f, t, 2), evn_constant(f, -1)), product = EVN_NONE;
    for (int m = 0; m < TERMS; ++m) {
        for (int j = 0; j < TERMS; ++j) {
            places[j] = j == m ? 0 : -chebyshev_point(m);
            sizes[j] = j == m ? 0 : 1;
        }
        double distances[TERMS];
        for (int j = 0; j < TERMS; ++j) { // (τ − τₘ) / (τⱼ − τₘ), or 1
            double distance = j == m ? 1 : chebyshev_point(j) - chebyshev_point(m);
            distances[j] = sizes[j] / distance;
            places[j] = j == m ? 1 : places[j] / distance;
        }
        evn_value factor = evn_add(f, evn_mul(f, evn_table(f, EVN_SHAPE(1, TERMS), distances), tau),
                                   evn_table(f, EVN_SHAPE(1, TERMS), places));
        product = m == 0 ? factor : evn_mul(f, product, factor);
    }
    return product;
}

static problem one_sample(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, INNER), &t, &x);
    evn_value out = evn_input(f, "out", EVN_SHAPE(UNITS, INNER));
    evn_value nodes = evn_input(f, "nodes", EVN_SHAPE(TERMS, THETA));
    evn_value v = evn_input(f, "v", EVN_SHAPE(UNITS));
    evn_value w = evn_matmul(f, lagrange(f, t), nodes, false, false);
    w = evn_reshape(f, w, EVN_SHAPE(INNER, UNITS));
    evn_value sum = evn_add(f, evn_matmul(f, x, w, false, false), evn_mul(f, t, v));
    evn_output(f, "dx", evn_matmul(f, evn_tanh(f, sum), out, false, false));
    return problem_of(f, NULL);
}

static void set(double *to, const double *from, int count) {
    memcpy(to, from, sizeof(*to) * (size_t)count);
}

static void add(double *to, const double *from, int count) {
    for (int i = 0; i < count; ++i) {
        to[i] += from[i];
    }
}

static void check_near(const char *what, const double *a, const double *b, int count) {
    double by = test_relative_difference(a, b, count);
    printf("%s differs by %.2g\n", what, by);
    ck_assert_double_le(by, 1e-10);
}

/// The gradient is that of the steps taken, at a tolerance at which they matter.
START_TEST(as_in_parts) {
    enum { BATCH = 3 };
    enum { OUT, W, V, A, S }; // weights of p
    problem p = problem_node_ew_of(BATCH, 5), theta = weights_alone(), one = one_sample();
    double times[TERMS], out_bar[THETA] = {0}, nodes_bar[TERMS * THETA] = {0}, v_bar[UNITS] = {0};
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-3, true);
    options.weight_terms = TERMS;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    options.per_sample = false;
    options.weight_terms = 0;
    problem_prepare(&one, &options);
    for (int j = 0; j < TERMS; ++j) {
        times[j] = (1 + chebyshev_point(j)) / 2;
    }
    times[TERMS - 1] = 1;
    options.rtol = options.atol = 1e-4;
    options.observations = TERMS;
    options.times = times;
    problem_prepare(&theta, &options);
    set(theta.x0, p.weight[W], THETA);
    set(theta.weight[0], p.weight[A], INNER * INNER);
    set(theta.weight[1], p.weight[S], UNITS);
    problem_solve(&theta, 0, 1);
    set(one.weight[0], p.weight[OUT], THETA);
    set(one.weight[1], theta.x1, TERMS * THETA);
    set(one.weight[2], p.weight[V], UNITS);
    for (int i = 0; i < BATCH; ++i) {
        evn_solution own;
        set(one.x0, p.x0 + i * INNER, INNER);
        set(one.x1_bar, p.x1_bar + i * INNER, INNER);
        problem_solve(&one, 0, 1);
        problem_gradient(&one);
        TRY(evn_solver_sample_solution(p.solver, i, &own));
        ck_assert_int_eq(own.accepted, one.solution.accepted);
        check_near("x1", p.x1 + i * INNER, one.x1, INNER);
        check_near("x0_bar", p.x0_bar + i * INNER, one.x0_bar, INNER);
        add(out_bar, one.weight_bar_host[0], THETA);
        add(nodes_bar, one.weight_bar_host[1], TERMS * THETA);
        add(v_bar, one.weight_bar_host[2], UNITS);
    }
    set(theta.x1_bar, nodes_bar, TERMS * THETA);
    problem_gradient(&theta);
    check_near("out_bar", p.weight_bar_host[OUT], out_bar, THETA);
    check_near("w_bar", p.weight_bar_host[W], theta.x0_bar, THETA);
    check_near("v_bar", p.weight_bar_host[V], v_bar, UNITS);
    check_near("a_bar", p.weight_bar_host[A], theta.weight_bar_host[0], INNER * INNER);
    check_near("s_bar", p.weight_bar_host[S], theta.weight_bar_host[1], UNITS);
    problem_free(&p);
    problem_free(&theta);
    problem_free(&one);
}
END_TEST

// What the series has to resolve ------------------------------------------------------------------

/// x' = θ(t) x with θ' by `slope` of t; beside it a weight [others, others] that hardly moves.
static problem driven(int others, evn_value (*slope)(evn_graph *, evn_value)) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(GROWING, 1), &t, &x), *g = NULL;
    evn_value theta = evn_input(f, "theta", EVN_SHAPE(1, 1));
    evn_value w = evn_input(f, "w", EVN_SHAPE(others, others));
    evn_value mean = evn_reshape(f, evn_mean(f, w, 3), EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_mul(f, x, evn_add(f, theta, mean)));
    TRY(evn_graph_create(&g));
    evn_value at = evn_input(g, "t", EVN_SCALAR);
    evn_input(g, "theta", EVN_SHAPE(1, 1));
    evn_value other = evn_input(g, "w", EVN_SHAPE(others, others));
    evn_output(g, "dtheta", evn_reshape(g, slope(g, at), EVN_SHAPE(1, 1)));
    evn_output(g, "dw", evn_scale(g, other, -0.1));
    problem p = problem_of(f, g);
    for (int i = 0; i < GROWING; ++i) {
        p.x0[i] = 1;
    }
    return p;
}

static evn_value fast(evn_graph *g, evn_value t) {
    return evn_scale(g, evn_cos(g, evn_scale(g, t, 20)), 20);
}

/// Of sin π t, which is 0 at both ends.
static evn_value wave(evn_graph *g, evn_value t) {
    const double pi = acos(-1.0);
    return evn_scale(g, evn_cos(g, evn_scale(g, t, pi)), pi);
}

/// A small weight that few terms do not resolve, and one of many elements that they do.
START_TEST(no_weight_hides_another) {
    evn_binding x1;
    problem p = driven(512, fast);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-3, true);
    problem_prepare(&p, &options);
    p.weight[1][0] = 1;
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_WEIGHTS_NOT_RESOLVED);
    problem_free(&p);
}
END_TEST

/// Measured by the largest on the way, not by the ends.
START_TEST(size_is_that_of_the_whole_way) {
    problem p = driven(2, wave);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-4, true);
    options.atol = 1e-10;
    options.weight_terms = 14;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_double_eq_tol(p.x1[0], exp(2 / acos(-1.0)), 1e-3);
    problem_free(&p);
}
END_TEST

/// x of a fast component and many calm ones, which the mean of squares hides, and the largest
/// component does not.
static int steps_of(evn_norm norm) {
    enum { MANY = 100 };
    evn_value t, x;
    double rates[MANY];
    for (int i = 0; i < MANY; ++i) {
        rates[i] = i == 0 ? 20 : 0.01;
    }
    evn_graph *f = problem_begin(EVN_SHAPE(2, MANY), &t, &x), *g = NULL;
    evn_value w = evn_input(f, "w", EVN_SHAPE(1, 1));
    evn_value at = evn_mul(f, evn_table(f, EVN_SHAPE(1, MANY), rates), t);
    evn_output(f, "dx", evn_mul(f, evn_mul(f, x, w), evn_cos(f, at)));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_output(g, "dw", evn_scale(g, evn_input(g, "w", EVN_SHAPE(1, 1)), 1e-6));
    problem p = problem_of(f, g);
    for (int i = 0; i < p.x_count; ++i) {
        p.x0[i] = 1;
    }
    p.weight[0][0] = 5;
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-4, true);
    options.norm = norm;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    int steps = p.solution.accepted;
    problem_free(&p);
    return steps;
}

START_TEST(norm_is_the_given_one) {
    ck_assert_int_gt(steps_of(EVN_NORM_COMPONENT), steps_of(EVN_NORM_STATE) + 2);
}
END_TEST

// Bits --------------------------------------------------------------------------------------------

enum { MOST = 40 };

/// Sample `from` of MOST, in place `at` of a batch whose others follow it.
static void solve_one(int batch, int at, int from, double x1[INNER]) {
    problem p = problem_node_ew_of(MOST, 8), q = problem_node_ew_of(batch, 8);
    for (int i = 0; i < batch; ++i) {
        set(q.x0 + i * INNER, p.x0 + (from + i - at + MOST) % MOST * INNER, INNER);
    }
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-4, false);
    options.gradient = EVN_GRADIENT_NONE;
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 1);
    set(x1, q.x1 + at * INNER, INNER);
    problem_free(&p);
    problem_free(&q);
}

START_TEST(bits_do_not_depend_on_the_batch) {
    static const int batches[] = {1, 2, 16, 33};
    double first[INNER], other[INNER];
    solve_one(MOST, 5, 20, first);
    for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
        solve_one(batches[i], batches[i] / 2, 20, other);
        ck_assert_mem_eq(first, other, sizeof(first));
    }
}
END_TEST

// Mistakes ----------------------------------------------------------------------------------------

/// g of x.
static evn_graph *data_controlled(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_value x = evn_input(g, "x", EVN_SHAPE(GROWING, 1));
    evn_value theta = evn_input(g, "theta", EVN_SHAPE(1, 1));
    evn_output(g, "dtheta", evn_mul(g, theta, evn_mean(g, x, 3)));
    return g;
}

static void refuse(const evn_dynamics *dynamics, const evn_solver_options *options,
                   const char *says) {
    evn_solver *solver = NULL;
    REFUSED(evn_solver_create(test_device(), dynamics, options, &solver));
    ck_assert_msg(strstr(evn_error_message(), says) != NULL, "%s", evn_error_message());
    ck_assert_ptr_null(solver);
}

START_TEST(what_does_not_go_is_refused) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(GROWING, 1), &t, &x);
    evn_value theta = evn_input(f, "theta", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_matmul(f, x, theta, false, false));
    problem p = growth(), q = problem_of(f, data_controlled());
    const evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-4, false);
    evn_solver_options bad = options;
    refuse(q.dynamics, &bad, "g reads x");
    bad.weight_terms = EVN__MOST_TERMS + 1;
    refuse(p.dynamics, &bad, "weight_terms");
    bad.weight_terms = EVN__LEAST_TERMS - 1;
    refuse(p.dynamics, &bad, "weight_terms");
    bad = options;
    bad.method = "kvaerno5";
    refuse(p.dynamics, &bad, "behind the end");
    problem constant = problem_network(2);
    bad = options;
    bad.weight_terms = EVN__LEAST_TERMS;
    refuse(constant.dynamics, &bad, "no weight does");
    problem_free(&constant);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

START_TEST(directions_are_one) {
    static const double t0[] = {0, 0, 1}, t1[] = {1, 1, 0};
    evn_binding x1;
    problem p = growth();
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-4, false);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1); // writes
    const evn_sample_times own = {t0, t1, NULL};
    evn_solution solution = {0};
    REFUSED(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, &solution));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "direction"));
    ck_assert_int_eq(solution.accepted, 0); // of the solve before
    problem_free(&p);
}
END_TEST

/// A sample without a way, far from the others, has no say in where the weights are solved.
START_TEST(samples_without_a_way_have_no_say) {
    static const double t0[] = {0, 0, -50}, t1[] = {1, 1, -50};
    evn_binding x1;
    problem p = growth();
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-7, true);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    double first = p.x1[0];
    const evn_sample_times own = {t0, t1, NULL};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    TRY(evn__real_read(x1, p.fp64, p.x1, GROWING));
    ck_assert_double_eq(p.x1[0], first);
    ck_assert_double_eq(p.x1[2], p.x0[2]);
    problem_free(&p);
}
END_TEST

/// Too few terms for what evolves, and weights that come to a stop: with an outcome, of all
/// samples, and nothing to differentiate.
START_TEST(failures_say_why) {
    evn_binding x1, x0_bar;
    evn_solution one;
    problem p = growth();
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-6, true);
    options.weight_terms = _i == 0 ? 6 : 0;
    options.max_steps = _i == 0 ? 10000 : 3;
    p.weight[1][0] = 3;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 3, &x1), EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), _i == 0 ? "weight_terms" : "max_steps"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "weights"));
    ck_assert_int_eq(p.solution.outcome,
                     _i == 0 ? EVN_OUTCOME_WEIGHTS_NOT_RESOLVED : EVN_OUTCOME_TOO_MANY_STEPS);
    TRY(evn_solver_sample_solution(p.solver, 1, &one));
    ck_assert_int_eq(one.outcome, p.solution.outcome);
    REFUSED(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    problem_free(&p);
}
END_TEST

/// Buffers that are made with a path.
static int count_buffers(const evn_dynamics *dynamics, bool goes_on) {
    const evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-4, false);
    const evn__problem own = {.device = test_device(),
                              .system = &dynamics->system,
                              .options = &options,
                              .goes_on = goes_on};
    uint64_t before = evn_device_get_stats(test_device()).allocations;
    evn__weight_path *path = NULL;
    evn__system along = {0};
    TRY(evn__weight_path_create(&own, &along, &path));
    evn__weight_path_destroy(&path);
    evn__system_free(&along);
    return (int)(evn_device_get_stats(test_device()).allocations - before);
}

/// What adds cotangents from behind the end, one sum for each weight, is made where there are any.
START_TEST(ends_are_joined_where_it_goes_on) {
    problem p = growth();
    ck_assert_int_gt(count_buffers(p.dynamics, true), count_buffers(p.dynamics, false));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/weight_path");
    TCase *exact = tcase_create("closed_form"); // whole: long
    test_add_share(exact, closed_form, 0, 3, 3);
    tcase_add_loop_test(exact, own_times, 0, 2);
    suite_add_tcase(s, exact);
    TCase *others = tcase_create("others");
    tcase_add_loop_test(others, gradient_is_the_adjoints, 0, 2);
    tcase_add_test(others, as_in_parts);
    tcase_add_test(others, ends_are_joined_where_it_goes_on);
    suite_add_tcase(s, others);
    TCase *resolved = tcase_create("resolved");
    tcase_add_test(resolved, no_weight_hides_another);
    tcase_add_test(resolved, size_is_that_of_the_whole_way);
    tcase_add_test(resolved, norm_is_the_given_one);
    suite_add_tcase(s, resolved);
    TCase *bits = tcase_create("bits");
    tcase_add_test(bits, bits_do_not_depend_on_the_batch);
    suite_add_tcase(s, bits);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, what_does_not_go_is_refused);
    tcase_add_test(mistakes, directions_are_one);
    tcase_add_test(mistakes, samples_without_a_way_have_no_say);
    tcase_add_loop_test(mistakes, failures_say_why, 0, 2);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
