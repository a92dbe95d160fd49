// SPDX-License-Identifier: Apache-2.0
// Coupled systems whose gradients are known in closed form, by every gradient there is, and systems
// that cannot be solved backwards: the adjoint refuses them, or falls back on checkpoints.
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GRADIENTS = 5, CELLS = 16 };

static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                         EVN_GRADIENT_ADJOINT, EVN_GRADIENT_REVERSIBLE,
                                         EVN_GRADIENT_BACKPROP};

/// Adaptive at `tolerance`, but for the reversible method and the last one.
static evn_solver_options options_of(int which, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.gradient = gradients[which];
    options.fp64 = true;
    options.rtol = options.atol = tolerance;
    options.steps = which >= 3 ? 400 : 0;
    return options;
}

static evn_graph *new_graph(evn_shape x, evn_value *t, evn_value *state) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    *t = evn_input(g, "t", EVN_SCALAR);
    if (state) {
        *state = evn_input(g, "x", x);
    }
    return g;
}

static problem make(evn_graph *f, evn_graph *g) {
    evn_dynamics *dynamics = NULL;
    TRY(evn_dynamics_create(f, g, &dynamics));
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    problem p = problem_new(dynamics);
    for (int i = 0; i < p.x_count; ++i) {
        p.x1_bar[i] = 1;
    }
    return p;
}

static void solve(problem *p, const evn_solver_options *options) {
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
}

static void check(const char *what, double got, double expected, double bound) {
    double error = fabs(got - expected) / fmax(1, fabs(expected));
    printf("%s: %.12g, off by %.2g\n", what, got, error);
    ck_assert_msg(error <= bound, "%s: %.12g instead of %.12g", what, got, expected);
}

// θ' = g θ, x' = θ x: x(1) = x(0) exp(θ(0) (eᵍ − 1) / g).
START_TEST(growing_weight) {
    const double x0 = 0.8, theta = 0.6, rate = 0.5, tolerance = 1e-9;
    evn_value t, x;
    evn_graph *f = new_graph(EVN_SHAPE(1), &t, &x), *g = new_graph(EVN_SHAPE(1), &t, NULL);
    evn_output(f, "dx", evn_mul(f, evn_input(f, "w", EVN_SHAPE(1)), x));
    evn_value w = evn_input(g, "w", EVN_SHAPE(1));
    evn_output(g, "dw", evn_mul(g, w, evn_input(g, "rate", EVN_SHAPE(1))));
    problem p = make(f, g);
    p.x0[0] = x0;
    p.weight[0][0] = theta;
    p.weight[1][0] = rate;
    evn_solver_options options = options_of(_i, tolerance);
    solve(&p, &options);
    double grown = (exp(rate) - 1) / rate, x1 = x0 * exp(theta * grown);
    double slope = (rate * exp(rate) - exp(rate) + 1) / (rate * rate);
    check("x(1)", p.x1[0], x1, 10 * tolerance);
    check("in x(0)", p.x0_bar[0], x1 / x0, 10 * tolerance);
    check("in theta(0)", p.weight_bar_host[0][0], x1 * grown, 10 * tolerance);
    check("in g", p.weight_bar_host[1][0], x1 * theta * slope, 10 * tolerance);
    problem_free(&p);
}
END_TEST

// a' = −ω b, b' = ω a, x' = a: x(1) = x(0) + a(0) sin ω / ω − b(0) (1 − cos ω) / ω.
START_TEST(rotating_weights) {
    const double a0 = 0.7, b0 = -0.4, omega = 2.5, tolerance = 1e-9;
    evn_value t, x;
    evn_graph *f = new_graph(EVN_SHAPE(1), &t, &x), *g = new_graph(EVN_SHAPE(1), &t, NULL);
    evn_value unused = evn_scale(f, evn_input(f, "b", EVN_SHAPE(1)), 0);
    evn_output(f, "dx", evn_add(f, evn_input(f, "a", EVN_SHAPE(1)), unused));
    evn_value a = evn_input(g, "a", EVN_SHAPE(1)), b = evn_input(g, "b", EVN_SHAPE(1));
    evn_value speed = evn_input(g, "speed", EVN_SHAPE(1));
    evn_output(g, "da", evn_neg(g, evn_mul(g, speed, b)));
    evn_output(g, "db", evn_mul(g, speed, a));
    problem p = make(f, g);
    for (int i = 0; i < p.weight_count; ++i) {
        const char *name = evn_dynamics_weight_name(p.dynamics, i);
        p.weight[i][0] = name[0] == 'a' ? a0 : name[0] == 'b' ? b0 : omega;
    }
    evn_solver_options options = options_of(_i, tolerance);
    solve(&p, &options);
    double s = sin(omega), c = cos(omega);
    for (int i = 0; i < p.weight_count; ++i) {
        const char *name = evn_dynamics_weight_name(p.dynamics, i);
        double in_speed =
            a0 * (omega * c - s) / (omega * omega) - b0 * (omega * s - 1 + c) / (omega * omega);
        double expected = name[0] == 'a' ? s / omega : name[0] == 'b' ? -(1 - c) / omega : in_speed;
        check(name, p.weight_bar_host[i][0], expected, 10 * tolerance);
    }
    problem_free(&p);
}
END_TEST

// Not to be solved backwards ----------------------------------------------------------------------

/// x' = −50 x.
static problem problem_decay(void) {
    evn_value t, x;
    evn_graph *f = new_graph(EVN_SHAPE(1, 1), &t, &x);
    evn_output(f, "dx", evn_scale(f, x, -50));
    problem p = make(f, NULL);
    p.x0[0] = 1;
    return p;
}

/// x' = θ, where heat flows between the cells of θ and none gets lost: the cotangents of θ(0) are
/// those of x(1) for equal ones, and solving θ backwards is the backward heat equation.
static problem problem_heat(void) {
    evn_value t, x;
    double table[CELLS * CELLS] = {0};
    for (int i = 0; i + 1 < CELLS; ++i) {
        table[i * CELLS + i] -= 50;
        table[i * CELLS + i + 1] += 50;
        table[(i + 1) * CELLS + i] += 50;
        table[(i + 1) * CELLS + i + 1] -= 50;
    }
    evn_shape shape = EVN_SHAPE(1, CELLS);
    evn_graph *f = new_graph(shape, &t, &x), *g = new_graph(shape, &t, NULL);
    evn_output(f, "dx", evn_input(f, "w", shape));
    evn_value w = evn_input(g, "w", shape);
    evn_value flow = evn_table(g, EVN_SHAPE(CELLS, CELLS), table);
    evn_output(g, "dw", evn_matmul(g, w, flow, false, false));
    problem p = make(f, g);
    test_uniform(31, -1, 1, p.weight[0], CELLS);
    return p;
}

static problem ill_posed(int which) {
    return which == 0 ? problem_decay() : problem_heat();
}

/// Adaptive and fixed steps, single and double precision: refused, or right. Of these only short
/// fixed steps undo the decay, whose state they scale.
START_TEST(adjoint_refuses) {
    for (int steps = 0; steps <= 400; steps += 400) {
        problem p = ill_posed(_i / 2);
        evn_solver_options options = options_of(2, 1e-6);
        options.fp64 = _i % 2;
        options.steps = steps;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        evn_binding x0_bar;
        TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
        evn_status status =
            evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward);
        if (_i < 2 && steps > 0) {
            double got = NAN;
            TRY(status);
            TRY(evn__real_read(x0_bar, p.fp64, &got, 1));
            check("in x(0)", got / exp(-50), 1, 1e-4);
            problem_free(&p);
            continue;
        }
        printf("%d steps: outcome %d: %s\n", steps, (int)p.backward.outcome, evn_error_message());
        ck_assert(status == EVN_ERR_SOLVER || status == EVN_ERR_NOT_FINITE);
        ck_assert_int_ne(p.backward.outcome, EVN_OUTCOME_DONE);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "take the gradient checkpointed"));
        ck_assert_ptr_null(strstr(evn_error_message(), "loosen"));
        problem_free(&p);
    }
}
END_TEST

/// x' = w x, w [1] a constant weight.
static problem problem_rate(double rate) {
    evn_value t, x;
    evn_graph *f = new_graph(EVN_SHAPE(1), &t, &x);
    evn_output(f, "dx", evn_mul(f, x, evn_input(f, "w", EVN_SHAPE(1))));
    problem p = make(f, NULL);
    p.x0[0] = 1;
    p.weight[0][0] = rate;
    return p;
}

typedef struct decay {
    const char *method;
    double rate, t1;
    int steps;
    bool good;
} decay;

static const decay decays[] = {
    {"rk4", -1, 20, 100, false}, {"rk4", -10, 1, 100, false},   {"rk4", -50, 1, 1000, false},
    {"euler", -5, 1, 10, false}, {"midpoint", -2, 1, 10, true}, {"euler", -1, 1, 20, true},
    {"rk4", 1, 5, 100, true},
};

enum { DECAYS = sizeof(decays) / sizeof(decays[0]) };

/// What is asked of a solve, and its gradient by the bound, say the same of it.
static void check_apart(problem *p, bool good) {
    evn_status expected = good ? EVN_OK : EVN_ERR_SOLVER;
    evn_outcome outcome = good ? EVN_OUTCOME_DONE : EVN_OUTCOME_STATES_APART;
    evn_solution solution;
    evn_binding x0_bar;
    ck_assert_int_eq(evn_solver_outcome(p->solver, &solution), expected);
    ck_assert_int_eq(solution.outcome, outcome);
    TRY(evn__real_write(p->x1_bar_at, p->fp64, p->x1_bar, (size_t)p->x1_count));
    evn_status status =
        evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, &solution);
    ck_assert_int_eq(status, expected);
    ck_assert_int_eq(solution.outcome, outcome);
    ck_assert(good || strstr(evn_error_message(), "checkpointed or backprop"));
}

/// A second solution grows in the reversible method as fast as x decays, whatever the steps. Where
/// x decays little, or grows, all is well.
START_TEST(reversible_states_come_apart) {
    const decay *d = &decays[_i];
    problem p = problem_rate(d->rate);
    evn_solver_options options = options_of(3, 1e-6);
    double x, theta;
    options.method = d->method;
    options.steps = d->steps;
    problem_prepare(&p, &options);
    ck_assert_int_eq(evn_solver_apart(p.solver, &x, &theta), EVN_ERR_ARGUMENT);
    problem_solve(&p, 0, d->t1);
    TRY(evn_solver_apart(p.solver, &x, &theta));
    double off = fabs(p.x1[0] / exp(d->rate * d->t1) - 1);
    printf("x(t1) off by %.2g of it, states %.2g of it apart\n", off, x);
    ck_assert_double_eq(theta, 0);
    ck_assert((x < EVN_MOST_APART) == d->good);
    ck_assert((off < 0.1) == d->good);
    check_apart(&p, d->good);
    problem_free(&p);
}
END_TEST

/// Without a bound of the caller's, too: steps that do not undo themselves, where x grows and where
/// it decays.
START_TEST(adjoint_refuses_by_default) {
    problem p = problem_rate(_i == 0 ? 5 : -50);
    evn_solver_options options = options_of(2, 1e-3);
    evn_binding x0_bar;
    options.method = "euler";
    options.steps = _i == 0 ? 10 : 200;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    ck_assert_int_eq(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward),
                     EVN_ERR_SOLVER);
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_NOT_RECONSTRUCTED);
    problem_free(&p);
}
END_TEST

/// A start that is found at next to nothing is as wrong as one that is found far beyond the true
/// one: no bound lets it pass.
START_TEST(what_is_lost_is_refused) {
    problem p = problem_rate(8);
    evn_solver_options options = options_of(2, 1e-3);
    evn_binding x0_bar;
    options.method = "euler";
    options.steps = 8; // each backwards ends at 0
    options.reconstruction = 2;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    ck_assert_int_eq(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward),
                     EVN_ERR_SOLVER);
    problem_free(&p);
}
END_TEST

/// What checkpoints give is looked at, too.
START_TEST(fallback_is_not_finite) {
    problem p = problem_rate(1e200);
    evn_solver_options options = options_of(2, 1e-3);
    evn_binding x0_bar;
    options.method = "euler";
    options.steps = 4;
    options.fall_back = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    ck_assert_int_eq(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward),
                     EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert(p.backward.fell_back);
    problem_free(&p);
}
END_TEST

/// x' = sqrt(x) at 0: the state is finite, the slope of the slope is not. Without a bound nothing
/// waits, and evn_solver_outcome knows.
START_TEST(outcome_knows_the_gradient) {
    evn_value t, x;
    evn_graph *f = new_graph(EVN_SHAPE(1), &t, &x);
    evn_output(f, "dx", evn_sqrt(f, x));
    problem p = make(f, NULL);
    evn_solver_options options = options_of(_i == 0 ? 2 : 4, 1e-3);
    evn_solution solution;
    options.method = "euler";
    options.steps = 4;
    options.reconstruction = 0;
    p.x0[0] = 0;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn_solver_outcome(p.solver, &solution));
    problem_gradient(&p);
    ck_assert(!isfinite(p.x0_bar[0]));
    ck_assert_int_eq(evn_solver_outcome(p.solver, &solution), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(solution.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "the gradient"));
    problem_free(&p);
}
END_TEST

/// What is watched is the worst of the gradients since it was last asked for, as the bound has it.
START_TEST(worst_is_watched) {
    problem bad = problem_decay(), good = problem_node_ew(21);
    evn_solver_options options = options_of(2, 1e-6);
    double worst = NAN, x, theta, first;
    options.reconstruction = 0;
    options.watch = true;
    options.fp64 = _i == 1;
    options.steps = 20; // else the way back stops
    options.method = "rk4";
    problem_prepare(&bad, &options);
    problem_prepare(&good, &options);
    TRY(evn_solver_watched(bad.solver, &worst));
    ck_assert_double_eq(worst, 0);
    problem_solve(&bad, 0, 1);
    problem_gradient(&bad);
    TRY(evn_solver_watched(bad.solver, &worst));
    printf("%g", worst);
    ck_assert_double_gt(worst, 0.05);
    problem_solve(&good, 0, 3);
    problem_gradient(&good);
    TRY(evn_solver_reconstruction(good.solver, &x, &theta));
    first = fmax(x, theta);
    problem_solve(&good, 0, 0.1);
    problem_gradient(&good);
    TRY(evn_solver_reconstruction(good.solver, &x, &theta));
    ck_assert_double_lt(fmax(x, theta), first);
    TRY(evn_solver_watched(good.solver, &worst));
    printf(", %g and %g\n", worst, first);
    ck_assert_double_eq_tol(worst, first, 1e-3 * first);
    TRY(evn_solver_watched(good.solver, &worst));
    ck_assert_double_eq(worst, 0); // since then there was none
    problem_free(&bad);
    problem_free(&good);
}
END_TEST

/// The way back of dynamics that can be solved backwards, but not within what the options allow:
/// that is named first.
START_TEST(bounds_are_named_first) {
    static const char *const names[] = {"raise max_steps", "smaller than dt_min"};
    problem p = problem_node_ew(21);
    evn_solver_options options = options_of(2, 1e-4);
    evn_binding x0_bar;
    options.rtol = 1e-10;
    for (int i = 0; i < p.x_count; ++i) {
        p.x1_bar[i] *= 1e6; // large beside atol, as the state is not: the way back is harder
    }
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    int ahead = p.solution.accepted + p.solution.rejected;
    ck_assert_int_lt(ahead, p.backward.accepted + p.backward.rejected);
    double shortest = 1, before = 0, times[64];
    ck_assert_int_lt(p.solution.accepted, 64);
    TRY(evn_solver_grid(p.solver, times, p.solution.accepted + 1));
    for (int i = 1; i < p.solution.accepted; before = times[i++]) { // the last one is cut short
        shortest = fmin(shortest, times[i] - before);
    }
    options.max_steps = _i == 0 ? ahead : options.max_steps;
    options.dt_min = _i == 0 ? 0 : 0.99 * shortest;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    evn_status status =
        evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward);
    const char *text = evn_error_message(), *named = strstr(text, names[_i]);
    printf("%s\n", text);
    ck_assert_int_eq(status, EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(named);
    ck_assert_ptr_nonnull(strstr(named, "cannot be solved backwards"));
    problem_free(&p);
}
END_TEST

/// Undoing steps that are held together too little loses the start: the gradient is refused by its
/// name, with what helps it.
START_TEST(reversible_refuses) {
    problem p = problem_growth(true);
    evn_solver_options options = options_of(3, 1e-6);
    evn_binding x0_bar;
    options.coupling = 0.5;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    evn_status status =
        evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward);
    printf("outcome %d: %s\n", (int)p.backward.outcome, evn_error_message());
    ck_assert(status == EVN_ERR_SOLVER || status == EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "'reversible'"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "coupling nearer to 1"));
    ck_assert_ptr_null(strstr(evn_error_message(), "adjoint"));
    ck_assert_ptr_null(strstr(evn_error_message(), "fall back"));
    problem_free(&p);
}
END_TEST

START_TEST(adjoint_falls_back) {
    for (int steps = 0; steps <= 400; steps += 400) {
        problem p = ill_posed(_i);
        evn_solver_options options = options_of(2, 1e-6);
        options.steps = steps;
        options.fall_back = true;
        solve(&p, &options);
        ck_assert(p.backward.fell_back == (_i == 1 || steps == 0));
        check("in x(0)", p.x0_bar[0], _i == 0 ? p.x1[0] : 1, 1e-9); // x(0) = 1, and x(1) linear
        for (int i = 0; i < CELLS && _i == 1; ++i) {
            check("in theta(0)", p.weight_bar_host[0][i], 1, 1e-9);
        }
        problem_free(&p);
    }
}
END_TEST

/// What is fallen back with: fixed and adaptive steps, without and with observations; the bound is
/// one that no solve backwards keeps.
static void prepare_falling_back(problem *p, int which) {
    evn_solver_options options = options_of(2, 1e-4);
    options.steps = which % 2 ? 3 : 0;
    options.observations = which < 2 ? 0 : 2;
    options.reconstruction = 1e-300;
    options.fall_back = true;
    *p = problem_node_ew(41);
    p->x1_bar[0] = 0.3;
    problem_prepare(p, &options);
    problem_solve(p, 0, 1);
}

/// The cotangent that the last gradient gave, the adjoint's or the fallback's, will do as one's own
/// copy of it.
START_TEST(fallback_takes_what_a_gradient_gave) {
    problem p;
    double given[12], expected[6];
    prepare_falling_back(&p, _i);
    evn_binding x0_bar;
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x1_count));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward));
    for (int again = 0; again < 2; ++again) {
        ck_assert(p.backward.fell_back);
        TRY(evn__real_read(x0_bar, true, given, (size_t)p.x1_count));
        TRY(evn_solve_gradient(p.solver, x0_bar, &x0_bar, p.weights_bar, &p.backward));
        TRY(evn__real_read(x0_bar, true, p.x0_bar, (size_t)p.x_count));
        TRY(evn__real_write(p.x1_bar_at, true, given, (size_t)p.x1_count));
        TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
        TRY(evn__real_read(x0_bar, true, expected, (size_t)p.x_count));
        ck_assert_mem_eq(p.x0_bar, expected, sizeof(expected));
    }
    problem_free(&p);
}
END_TEST

/// What an adjoint that was trusted gave, to one that falls back.
START_TEST(fallback_takes_what_the_adjoint_gave) {
    problem p = problem_decay();
    double given, got, expected;
    evn_binding x0_bar;
    evn_solver_options options = options_of(2, 1e-4);
    options.reconstruction = 1e-2;
    options.fall_back = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 0.01);
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, 1));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward));
    ck_assert(!p.backward.fell_back);
    TRY(evn__real_read(x0_bar, true, &given, 1));
    problem_solve(&p, 0, 1);
    TRY(evn_solve_gradient(p.solver, x0_bar, &x0_bar, p.weights_bar, &p.backward));
    ck_assert(p.backward.fell_back);
    TRY(evn__real_read(x0_bar, true, &got, 1));
    TRY(evn__real_write(p.x1_bar_at, true, &given, 1));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, &expected, 1));
    ck_assert_double_eq(got, expected);
    problem_free(&p);
}
END_TEST

/// The series that the caller holds is his until the next solve: a mark in it survives the solve of
/// the fallback.
START_TEST(fallback_leaves_the_series) {
    problem p;
    double mark[12], after[12];
    evn_binding series, x0_bar;
    prepare_falling_back(&p, _i);
    TRY(problem_try(&p, 0, 1, &series));
    for (int i = 0; i < p.x1_count; ++i) {
        mark[i] = i;
    }
    TRY(evn__real_write(series, true, mark, (size_t)p.x1_count));
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x1_count));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward));
    ck_assert(p.backward.fell_back);
    TRY(evn__real_read(series, true, after, (size_t)p.x1_count));
    ck_assert_mem_eq(after, mark, sizeof(mark));
    problem_free(&p);
}
END_TEST

/// Where it can be solved backwards nothing is refused, and nothing falls back.
START_TEST(adjoint_is_trusted) {
    problem p = problem_growth(true);
    evn_solver_options options = options_of(2, 1e-6);
    options.fall_back = true;
    options.reconstruction = 1e-4;
    solve(&p, &options);
    ck_assert(!p.backward.fell_back);
    check("in x(0)", p.x0_bar[0], exp(1), 1e-5);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/closed_form");
    TCase *coupled = tcase_create("coupled");
    tcase_add_loop_test(coupled, growing_weight, 0, GRADIENTS);
    tcase_add_loop_test(coupled, rotating_weights, 0, GRADIENTS);
    suite_add_tcase(s, coupled);
    TCase *backwards = tcase_create("backwards");
    tcase_add_loop_test(backwards, adjoint_refuses, 0, 4);
    tcase_add_loop_test(backwards, adjoint_refuses_by_default, 0, 2);
    tcase_add_test(backwards, what_is_lost_is_refused);
    tcase_add_test(backwards, reversible_refuses);
    tcase_add_loop_test(backwards, reversible_states_come_apart, 0, DECAYS);
    tcase_add_loop_test(backwards, worst_is_watched, 0, 2);
    tcase_add_loop_test(backwards, bounds_are_named_first, 0, 2);
    tcase_add_loop_test(backwards, adjoint_falls_back, 0, 2);
    tcase_add_test(backwards, adjoint_is_trusted);
    suite_add_tcase(s, backwards);
    TCase *fallback = tcase_create("fallback");
    tcase_add_loop_test(fallback, fallback_takes_what_a_gradient_gave, 0, 2);
    tcase_add_test(fallback, fallback_takes_what_the_adjoint_gave);
    tcase_add_test(fallback, fallback_is_not_finite);
    tcase_add_loop_test(fallback, outcome_knows_the_gradient, 0, 2);
    tcase_add_loop_test(fallback, fallback_leaves_the_series, 2, 4);
    suite_add_tcase(s, fallback);
    return s;
}

int main(void) {
    return test_run(suite());
}
