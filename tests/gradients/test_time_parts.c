// SPDX-License-Identifier: Apache-2.0
// Gradients in the times of ways across jumps of f and g, and in those of the jumps: of fixed steps
// against central differences of the same steps, of all schemes against closed forms.
#include "solver/solver_state.h" // before `problem` is a type

#include "driven.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct scheme {
    const char *method;
    evn_gradient gradient;
    int steps, checkpoints;
    bool per_sample;
} scheme;

/// The first FIXED are exactly those of their steps.
enum { FIXED = 4, SCHEMES = 10, TIMES = 4, JUMPS = 2 };

static const scheme schemes[SCHEMES] = {{"rk4", EVN_GRADIENT_BACKPROP, 4, 0, false},
                                        {"bosh3", EVN_GRADIENT_CHECKPOINTED, 4, 0, false},
                                        {"rk4", EVN_GRADIENT_CHECKPOINTED, 4, 2, false},
                                        {"rk4", EVN_GRADIENT_REVERSIBLE, 4, 0, false},
                                        {"rk4", EVN_GRADIENT_ADJOINT, 100, 0, false},
                                        {"dopri5", EVN_GRADIENT_ADJOINT, 0, 0, false},
                                        {"tsit5", EVN_GRADIENT_ADJOINT_QUADRATURE, 0, 0, false},
                                        {"dopri5", EVN_GRADIENT_BACKPROP, 0, 0, false},
                                        {"dopri5", EVN_GRADIENT_CHECKPOINTED, 0, 3, false},
                                        {"dopri5", EVN_GRADIENT_BACKPROP, 0, 0, true}};

static evn_solver_options options_of(int index) {
    const scheme *s = &schemes[index];
    evn_solver_options o = driven_across(s->method, s->steps, s->gradient);
    o.checkpoints = s->checkpoints;
    o.per_sample = s->per_sample;
    o.coupling = s->gradient == EVN_GRADIENT_REVERSIBLE ? 0.99 : 0;
    o.rtol = o.atol = 1e-11;
    o.time_gradient = true;
    return o;
}

// Against differences -----------------------------------------------------------------------------

/// 1 from a jump on, whose time is a number of a weight.
static evn_value behind(evn_graph *g, evn_value t, evn_value jumps, int index) {
    const int64_t start[] = {index};
    evn_value at = evn_reshape(g, evn_slice(g, jumps, start, EVN_SHAPE(1)), EVN_SCALAR);
    evn_value one = evn_constant(g, 1);
    return evn_sub(g, one, evn_step(g, evn_sub(g, at, t))); // a step of 0 is 0
}

/// w' = tanh(a w) (1 − u₀ / 2) + u₁ t a.
static evn_graph *evolution(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value t = evn_input(g, "t", EVN_SCALAR), w = evn_input(g, "w", EVN_SHAPE(2, 2));
    evn_value a = evn_input(g, "a", EVN_SHAPE(2, 2)), at = evn_input(g, "jumps", EVN_SHAPE(JUMPS));
    evn_value first = behind(g, t, at, 0), second = behind(g, t, at, 1);
    evn_value slope = evn_tanh(g, evn_matmul(g, a, w, false, false));
    evn_value less = evn_sub(g, slope, evn_scale(g, evn_mul(g, slope, first), 0.5));
    evn_output(g, "dw", evn_add(g, less, evn_mul(g, evn_mul(g, second, t), a)));
    return g;
}

/// x' = tanh(x w + t) (1 + 0.7 u₀) − 0.4 u₁ x, with uᵢ 1 from jump i on.
static problem jumping(bool evolves) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 2), &t, &x);
    evn_value w = evn_input(f, "w", EVN_SHAPE(2, 2)), at = evn_input(f, "jumps", EVN_SHAPE(JUMPS));
    evn_value first = behind(f, t, at, 0), second = behind(f, t, at, 1);
    evn_value slope = evn_tanh(f, evn_add(f, evn_matmul(f, x, w, false, false), t));
    evn_value more = evn_add(f, slope, evn_scale(f, evn_mul(f, slope, first), 0.7));
    evn_value damped = evn_scale(f, evn_mul(f, x, second), -0.4);
    evn_output(f, "dx", evn_add(f, more, damped));
    problem p = problem_of(f, evolves ? evolution() : NULL);
    test_uniform(3, -1, 1, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(4 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    return p;
}

/// All times of a way.
typedef struct way {
    double t0, t1, times[TIMES], jumps[JUMPS];
} way;

/// A solver for its jumps and observations.
static void prepare(problem *p, evn_solver_options o, const way *w) {
    o.jumps = w->jumps;
    o.times = o.observations > 0 ? w->times : NULL;
    memcpy(p->weight[driven_find(p, "jumps")], w->jumps, sizeof(w->jumps));
    problem_prepare(p, &o);
}

static double solve_again(problem *p, const way *w) {
    double sum = 0;
    problem_solve(p, w->t0, w->t1);
    for (int i = 0; i < p->x1_count; ++i) {
        sum += p->x1_bar[i] * p->x1[i];
    }
    return sum;
}

static double loss(problem *p, evn_solver_options o, const way *w) {
    prepare(p, o, w);
    return solve_again(p, w);
}

/// By a time of the way; the solver of its jumps and observations has any t0 and t1.
static double slope(problem *p, const evn_solver_options *o, way *w, double *in) {
    const double h = 1e-5, kept = *in;
    bool end = in == &w->t0 || in == &w->t1;
    *in = kept + h;
    double high = end ? solve_again(p, w) : loss(p, *o, w);
    *in = kept - h;
    double low = end ? solve_again(p, w) : loss(p, *o, w);
    *in = kept;
    return (high - low) / (2 * h);
}

/// Of a way from 0.1 to 1.2, or back, across its jumps, or before them.
typedef struct course {
    bool evolves, observed, backward, before;
} course;

static void check(evn_solver_options o, course c, double within) {
    way w = {0.1, 1.2, {0, 0.3, 0.64, 0.97}, {0.36, 0.8}};
    double got[2], of_times[TIMES], of_jumps[JUMPS] = {0};
    double expected[2 + TIMES + JUMPS], given[2 + TIMES + JUMPS];
    int count = 0;
    problem p = jumping(c.evolves);
    if (c.backward) {
        w.t0 = 1.2;
        w.t1 = 0.1;
    }
    for (int i = 0; i < JUMPS && c.before; ++i) {
        w.jumps[i] = 2 + i;
    }
    o.jump_count = c.before ? 0 : JUMPS;
    o.observations = c.observed ? TIMES : 0;
    test_uniform(9, -1, 1, p.x1_bar, p.x_count * (c.observed ? TIMES : 1));
    loss(&p, o, &w);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], of_times));
    if (!c.before) {
        TRY(evn_solver_jump_gradient(p.solver, of_jumps));
    }
    for (int i = 0; i < 2; ++i) {
        given[count] = got[i];
        expected[count++] = slope(&p, &o, &w, i == 0 ? &w.t0 : &w.t1);
    }
    for (int i = 0; i < o.jump_count; ++i) {
        given[count] = of_jumps[i];
        expected[count++] = slope(&p, &o, &w, &w.jumps[i]);
    }
    for (int i = 1; c.observed && i < TIMES; ++i) {
        given[count] = of_times[i] * (w.t1 - w.t0);
        expected[count++] = slope(&p, &o, &w, &w.times[i]);
    }
    double error = test_difference(given, expected, count);
    printf("%s, %s: %.2g of %.2g\n", evn_gradient_name((int)o.gradient), o.method, error,
           fabs(given[0]));
    ck_assert_msg(error <= within, "%g", error);
    ck_assert(!c.observed || of_times[0] == 0);
    problem_free(&p);
}

static double within_of(int index) {
    return index < FIXED ? 1e-8 : 2e-6;
}

START_TEST(constant_weights) {
    const course c = {.observed = _i % 2, .backward = _i / 2 % 2};
    check(options_of(_i), c, within_of(_i));
}
END_TEST

START_TEST(evolving_weights) {
    const course c = {.evolves = true, .observed = _i % 2 == 0, .backward = _i / 2 % 2};
    check(options_of(_i), c, within_of(_i));
}
END_TEST

/// By themselves, to the tolerances or on a few steps, whose ends are kinks of f: along fixed steps
/// exactly those of these.
static void check_apart(int index, bool on_steps, bool before, double within) {
    evn_solver_options o = options_of(index);
    const course c = {.evolves = true, .observed = before, .backward = index % 2, .before = before};
    o.weight_steps = on_steps ? 3 : 0;
    o.weight_terms = on_steps ? 0 : 20;
    o.rtol = o.atol = 1e-9;
    check(o, c, within);
}

START_TEST(weights_in_terms) {
    static const int which[] = {SCHEMES - 1, 0, 6};
    check_apart(which[_i], false, false, 2e-6);
}
END_TEST

START_TEST(weights_in_terms_in_one_part) {
    check_apart(_i == 1 ? 1 : SCHEMES - 1, false, true, 2e-6);
}
END_TEST

START_TEST(weights_on_steps) {
    check_apart(_i, true, _i % 2 == 0, 1e-8);
}
END_TEST

/// Steps of a sample's own pass the kinks, where what moves with these is right to first order.
START_TEST(weights_on_steps_by_sample) {
    evn_solver_options o = options_of(SCHEMES - 1);
    const course c = {.evolves = true, .before = true};
    o.weight_steps = 3;
    check(o, c, 1e-3);
}
END_TEST

/// t0, t1, observations and jumps, in either precision.
static int gradient_of(int index, bool fp64, double *got) {
    const way w = {0.1, 1.2, {0, 0.3, 0.64, 0.97}, {0.36, 0.8}};
    evn_solver_options o = options_of(index);
    problem p = jumping(false);
    o.fp64 = fp64;
    o.rtol = o.atol = fp64 ? o.rtol : 1e-6;
    o.observations = TIMES;
    test_uniform(9, -1, 1, p.x1_bar, p.x_count * TIMES);
    loss(&p, o, &w);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], got + 2));
    TRY(evn_solver_jump_gradient(p.solver, got + 2 + TIMES));
    problem_free(&p);
    return 2 + TIMES + JUMPS;
}

/// In single precision the same but for its rounding, and the error of adaptive steps at 1e-6.
START_TEST(single_precision) {
    double narrow[2 + TIMES + JUMPS], wide[2 + TIMES + JUMPS];
    static const int which[] = {0, 5, SCHEMES - 1}; // steps, the solution, each sample's own
    int index = which[_i], count = gradient_of(index, false, narrow);
    gradient_of(index, true, wide);
    double error = test_difference(narrow, wide, count);
    ck_assert_msg(error <= (index < FIXED ? 1e-5 : 1e-4), "%g", error);
    ck_assert(error > 0); // they are not the same numbers
}
END_TEST

// Closed forms ------------------------------------------------------------------------------------

/// By how much u falls at a jump.
static const double falls[DRIVEN_JUMPS] = {3, -2.5};

/// x' = w + b u, w' = c u: λ·(f before − f behind) = x̄ (b + c (t − τ)) (u before − u behind), on a
/// way that rises; on one that falls the other side is before.
static double exact(const problem *p, const double *x_bar, double t0, double t, int jump) {
    double at = driven_jumps[jump], sum = 0;
    bool rises = t > t0, crossed = (t0 - at) * (t - at) < 0;
    for (int i = 0; i < DRIVEN_ROWS; ++i) {
        sum += x_bar[i] * (driven_weight(p, "b") + driven_weight(p, "c") * (t - at));
    }
    return crossed ? (rises ? sum : -sum) * falls[jump] : 0;
}

static const double ends[][2] = {{0, 1}, {1, 0}, {-0.2, 0.5}, {0.4, 0.6}, {0.7, 0.1}};

START_TEST(closed_form) {
    enum { POINTS = 3 };
    static const double times[POINTS] = {0.1, 0.55, 0.9};
    bool evolves = _i % 2 && !schemes[_i / 4].per_sample, observed = _i / 2 % 2;
    problem p = driven_problem(evolves);
    evn_solver_options o = options_of(_i / 4);
    o.observations = observed ? POINTS : 0;
    o.times = observed ? times : NULL;
    problem_prepare(&p, &o);
    for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); ++k) {
        double t0 = ends[k][0], t1 = ends[k][1], got[DRIVEN_JUMPS];
        problem_solve(&p, t0, t1);
        problem_gradient(&p);
        TRY(evn_solver_jump_gradient(p.solver, got));
        for (int j = 0; j < DRIVEN_JUMPS; ++j) {
            double expected = 0;
            for (int i = 0; i < (observed ? POINTS : 1); ++i) {
                double t = observed ? t0 + times[i] * (t1 - t0) : t1;
                expected += exact(&p, p.x1_bar + i * DRIVEN_ROWS, t0, t, j);
            }
            ck_assert_double_eq_tol(got[j], expected, 1e-11);
        }
    }
    problem_free(&p);
}
END_TEST

/// Samples with times of their own, which cross none, one, and both the other way: x̄ u at the time
/// of an observation, of its own sample; a jump has all that cross it.
START_TEST(own_times) {
    enum { POINTS = 2 };
    const double t0[] = {0.35, 0.1, 1}, t1[] = {0.6, 0.5, 0.05};
    const double times[] = {0.4, 0.6, 0.45, 0.2, 0.1, 0.8};
    static const double before[] = {1, -2, 0.5};
    const evn_sample_times own = {t0, t1, _i ? times : NULL};
    problem p = driven_problem(false);
    evn_solver_options o = options_of(SCHEMES - 1);
    double t0_bar[DRIVEN_ROWS], t1_bar[DRIVEN_ROWS], times_bar[6], got[2], expected[2] = {0};
    evn_binding x1;
    o.observations = _i ? POINTS : 0;
    problem_prepare(&p, &o);
    problem_solve(&p, 0.4, 0.4); // writes
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, t0_bar, t1_bar, times_bar));
    TRY(evn_solver_jump_gradient(p.solver, got));
    for (int row = 0; row < DRIVEN_ROWS; ++row) {
        double w = driven_weight(&p, "w"), b = driven_weight(&p, "b"), all = 0;
        for (int i = 0; i < (_i ? POINTS : 1); ++i) {
            double t = _i ? times[row * POINTS + i] : t1[row];
            double x_bar = p.x1_bar[i * DRIVEN_ROWS + row];
            double f = w + b * before[(t >= driven_jumps[0]) + (t >= driven_jumps[1])];
            ck_assert_double_eq_tol(_i ? times_bar[row * POINTS + i] : t1_bar[row], x_bar * f,
                                    1e-12);
            all += x_bar;
            for (int j = 0; j < DRIVEN_JUMPS; ++j) {
                double at = driven_jumps[j], sides = (t0[row] - at) * (t - at);
                expected[j] += sides < 0 ? (t > at ? x_bar : -x_bar) * b * falls[j] : 0;
            }
        }
        double f = w + b * before[(t0[row] >= driven_jumps[0]) + (t0[row] >= driven_jumps[1])];
        ck_assert_double_eq_tol(t0_bar[row], -all * f, 1e-12);
    }
    for (int j = 0; j < DRIVEN_JUMPS; ++j) {
        ck_assert_double_eq_tol(got[j], expected[j], 1e-12);
    }
    problem_free(&p);
}
END_TEST

/// What is observed at a jump moves with it: x̄ times f before it. From 0.03 to 1 no fraction of the
/// way is 0.3 to the last digit, but a time of each solve's own is.
START_TEST(observed_at_a_jump) {
    static const double times[] = {0.3, 1};
    problem p = driven_problem(false);
    evn_solver_options o = options_of(_i % SCHEMES);
    double of_times[2], got[2], x_bar = 0;
    evn_binding x1;
    o.observations = 2;
    o.times_vary = _i >= SCHEMES;
    o.times = o.times_vary ? NULL : times;
    problem_prepare(&p, &o);
    evn_status status = problem_try(&p, 0, 1, &x1); // writes
    TRY(o.times_vary ? evn_solve_times(p.solver, 0.03, times, p.x0_at, p.weights, &x1, NULL)
                     : status);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, NULL, NULL, of_times));
    TRY(evn_solver_jump_gradient(p.solver, got));
    for (int i = 0; i < DRIVEN_ROWS; ++i) {
        x_bar += p.x1_bar[i];
    }
    double before = driven_weight(&p, "w") + driven_weight(&p, "b");
    double behind_it = exact(&p, p.x1_bar + DRIVEN_ROWS, 0, 1, 0);
    ck_assert(of_times[0] == 0);
    ck_assert_double_eq_tol(got[0], x_bar * before + behind_it, 1e-11);
    problem_free(&p);
}
END_TEST

/// Only where f is evaluated again at observations, by what is no gradient of steps, are weights
/// kept there.
START_TEST(weights_are_kept_for_rates_alone) {
    problem p = driven_problem(true);
    evn_solver_options o = options_of(_i);
    bool steps = o.gradient == EVN_GRADIENT_BACKPROP || o.gradient == EVN_GRADIENT_CHECKPOINTED ||
                 o.gradient == EVN_GRADIENT_REVERSIBLE;
    o.observations = 2;
    problem_prepare(&p, &o);
    ck_assert((p.solver->problem.observed == (size_t)p.x_count) == steps);
    problem_free(&p);
}
END_TEST

/// An adjoint that falls back has the gradient of the steps.
START_TEST(falls_back) {
    double got[2], expected[2];
    problem p = jumping(true);
    const way w = {0.1, 1.2, {0}, {0.36, 0.8}};
    evn_solver_options o = options_of(5);
    o.rtol = o.atol = 1e-4;
    o.reconstruction = 1e-300;
    o.fall_back = true;
    loss(&p, o, &w);
    problem_gradient(&p);
    ck_assert(p.backward.fell_back);
    TRY(evn_solver_jump_gradient(p.solver, got));
    o = evn_solver_options_with(&o, EVN_GRADIENT_CHECKPOINTED);
    loss(&p, o, &w);
    problem_gradient(&p);
    TRY(evn_solver_jump_gradient(p.solver, expected));
    ck_assert_double_le(test_difference(got, expected, 2), 1e-13);
    problem_free(&p);
}
END_TEST

/// A way without length crosses nothing, and changes with its ends as f does there.
START_TEST(no_way) {
    static const double times[] = {0.5, 1};
    problem p = driven_problem(false);
    evn_solver_options o = options_of(_i);
    double t0_bar, t1_bar, of_times[2], got[2], f = driven_weight(&p, "w"), rates[2] = {0};
    o.observations = 2;
    o.times = times;
    problem_prepare(&p, &o);
    problem_solve(&p, 0.5, 0.5);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &t0_bar, &t1_bar, of_times));
    TRY(evn_solver_jump_gradient(p.solver, got));
    f -= 2 * driven_weight(&p, "b");
    for (int i = 0; i < 2 * DRIVEN_ROWS; ++i) {
        rates[i / DRIVEN_ROWS] += p.x1_bar[i] * f;
    }
    ck_assert(got[0] == 0 && got[1] == 0);
    ck_assert_double_le(test_difference(of_times, rates, 2), 1e-12);
    ck_assert_double_eq_tol(t1_bar, rates[0] / 2 + rates[1], 1e-12);
    ck_assert_double_eq_tol(t0_bar, -t1_bar, 1e-12);
    problem_free(&p);
}
END_TEST

START_TEST(there_has_to_be_one) {
    double got[2];
    problem p = driven_problem(false);
    evn_solver_options o = options_of(0);
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    REFUSED(evn_solver_jump_gradient(p.solver, got));
    problem_gradient(&p);
    TRY(evn_solver_jump_gradient(p.solver, got));
    o.time_gradient = false;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    REFUSED(evn_solver_jump_gradient(p.solver, got));
    o.time_gradient = true;
    o.jump_count = 0;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    REFUSED(evn_solver_jump_gradient(p.solver, got));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/time_parts");
    TCase *differences = tcase_create("differences"); // whole: long
    test_add_share(differences, constant_weights, 0, SCHEMES, 3);
    test_add_share(differences, evolving_weights, 0, SCHEMES, 3);
    suite_add_tcase(s, differences);
    TCase *terms = tcase_create("weights_in_terms"); // whole: long
    test_add_share(terms, weights_in_terms, 0, 3, 3);
    suite_add_tcase(s, terms);
    TCase *one = tcase_create("weights_in_one_part"); // whole: long
    test_add_share(one, weights_in_terms_in_one_part, 0, 2, 2);
    tcase_add_test(one, weights_on_steps_by_sample);
    suite_add_tcase(s, one);
    TCase *steps = tcase_create("weights_on_steps");
    tcase_add_loop_test(steps, weights_on_steps, 0, FIXED);
    suite_add_tcase(s, steps);
    TCase *single = tcase_create("single_precision"); // whole: long
    test_add_share(single, single_precision, 0, 3, 3);
    suite_add_tcase(s, single);
    TCase *closed = tcase_create("closed_form"); // whole: long
    test_add_share(closed, closed_form, 0, 4 * SCHEMES, 3);
    tcase_add_loop_test(closed, own_times, 0, 2);
    test_add_share(closed, observed_at_a_jump, 0, 2 * SCHEMES, 3);
    suite_add_tcase(s, closed);
    TCase *edges = tcase_create("edges"); // whole: long
    test_add_share(edges, weights_are_kept_for_rates_alone, 0, SCHEMES - 1, 3);
    tcase_add_test(edges, falls_back);
    test_add_share(edges, no_way, 0, SCHEMES, 3);
    tcase_add_test(edges, there_has_to_be_one);
    suite_add_tcase(s, edges);
    return s;
}

int main(void) {
    return test_run(suite());
}
