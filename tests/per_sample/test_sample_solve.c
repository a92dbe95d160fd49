// SPDX-License-Identifier: Apache-2.0
// Steps of each sample's own: as alone, bit for bit, whoever its mates are and however many; as the
// solver for one; own ends and observations; stops that harm no other.
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_value column(evn_graph *f, evn_value x, int64_t index) {
    const int64_t start[] = {0, index};
    return evn_slice(f, x, start, EVN_SHAPE(evn_value_shape(f, x).dim[0], 1));
}

// Lotka–Volterra: 999 samples rest at the equilibrium (1, 1), one does not ------------------------

static problem lotka_volterra(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 2), &t, &x);
    evn_value prey = column(f, x, 0), hunter = column(f, x, 1), met = evn_mul(f, prey, hunter);
    const evn_value slopes[] = {evn_sub(f, prey, met), evn_sub(f, met, hunter)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    problem p = problem_of(f, NULL);
    for (int i = 0; i < 2 * batch; ++i) {
        p.x0[i] = 1;
    }
    return p;
}

enum { BUSY = 123 };

static void solve_busy(int batch, int sample, const evn_solver_options *options, double x1[2],
                       evn_solution *solution) {
    problem p = lotka_volterra(batch);
    p.x0[2 * sample] = 4;
    p.x0[2 * sample + 1] = 2;
    problem_prepare(&p, options);
    problem_solve(&p, 0, 10);
    memcpy(x1, p.x1 + 2 * (size_t)sample, sizeof(double) * 2);
    *solution = p.solution;
    if (options->per_sample) {
        TRY(evn_solver_sample_solution(p.solver, sample, solution));
    }
    problem_free(&p);
}

/// The error that it has alone, to the bit; with the steps of the whole batch it is far larger.
START_TEST(idle_mates_change_nothing) {
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-6, true), one = options;
    double exact[2], alone[2], among[2], together[2], single[2];
    evn_solution solution, few;
    one.per_sample = false;
    one.rtol = one.atol = 1e-13;
    solve_busy(1, 0, &one, exact, &solution);
    solve_busy(1, 0, &options, alone, &few);
    solve_busy(1000, BUSY, &options, among, &solution);
    one.rtol = one.atol = 1e-6;
    solve_busy(1, 0, &one, single, &solution);
    solve_busy(1000, BUSY, &one, together, &solution);
    for (int i = 0; i < 2; ++i) {
        printf("error alone %.3g, among idle mates %.3g, with their steps %.3g\n",
               fabs(alone[i] - exact[i]), fabs(among[i] - exact[i]), fabs(together[i] - exact[i]));
        ck_assert(alone[i] == among[i]);
        ck_assert_double_eq_tol(alone[i], single[i], 1e-11);
        ck_assert_double_le(20 * fabs(among[i] - exact[i]), fabs(together[i] - exact[i]));
    }
}
END_TEST

// A network with time and constant weights, small and large ---------------------------------------

enum { INPUTS = 3, MOST = 70 };

/// dx = tanh([x, t] U + t s) V − x.
static problem network(int batch, int units) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, INPUTS), &t, &x);
    evn_value u = evn_input(f, "u", EVN_SHAPE(INPUTS + 1, units));
    evn_value v = evn_input(f, "v", EVN_SHAPE(units, INPUTS));
    evn_value s = evn_input(f, "s", EVN_SHAPE(units));
    const evn_value parts[] = {x, evn_broadcast(f, t, EVN_SHAPE(batch, 1))};
    evn_value h = evn_matmul(f, evn_concat(f, parts, 2, 1), u, false, false);
    h = evn_tanh(f, evn_add(f, h, evn_mul(f, evn_sin(f, evn_scale(f, t, 7)), s)));
    evn_output(f, "dx", evn_sub(f, evn_matmul(f, h, v, false, false), x));
    problem p = problem_of(f, NULL);
    test_uniform(1, -2, 2, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(2 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    return p;
}

typedef struct answer {
    double x1[PROBLEM_OBSERVATIONS * INPUTS];
    evn_solution solution;
} answer;

/// Sample `from` of MOST, in place `at` of a batch whose others follow it.
static answer solve_one(int batch, int at, int from, const evn_solver_options *options, int units) {
    problem p = network(MOST, units), q = network(batch, units);
    answer result;
    for (int i = 0; i < batch; ++i) {
        int source = (from + i - at + MOST) % MOST;
        memcpy(q.x0 + i * INPUTS, p.x0 + source * INPUTS, sizeof(double) * INPUTS);
    }
    problem_prepare(&q, options);
    problem_solve(&q, 0, 3);
    int points = options->observations > 0 ? options->observations : 1;
    for (int j = 0; j < points; ++j) {
        memcpy(result.x1 + j * INPUTS, q.x1 + (j * batch + at) * INPUTS, sizeof(double) * INPUTS);
    }
    TRY(evn_solver_sample_solution(q.solver, at, &result.solution));
    problem_free(&p);
    problem_free(&q);
    return result;
}

static void check_same(const answer *a, const answer *b, int points) {
    for (int i = 0; i < points * INPUTS; ++i) {
        ck_assert_msg(a->x1[i] == b->x1[i], "element %d: %.17g and %.17g", i, a->x1[i], b->x1[i]);
    }
    ck_assert_int_eq(a->solution.accepted, b->solution.accepted);
    ck_assert_int_eq(a->solution.rejected, b->solution.rejected);
    ck_assert_int_eq(a->solution.nfe, b->solution.nfe);
    ck_assert(a->solution.dt == b->solution.dt);
}

static void check_bits(evn_device_type type, int observations) {
    static const int batches[] = {1, 2, 15, 16, 33, MOST};
    evn_device_type own = test_act_as(type);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-4, false);
    options.observations = observations;
    int points = observations > 0 ? observations : 1;
    answer first = solve_one(MOST, 5, 40, &options, 16);
    for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
        for (int at = 0; at<batches[i]; at += batches[i]> 20 ? 23 : 7) {
            answer other = solve_one(batches[i], at, 40, &options, 16);
            check_same(&first, &other, points);
        }
    }
    test_act_as(own);
}

START_TEST(bits_do_not_depend_on_the_batch) {
    check_bits(EVN_DEVICE_CPU, 0);
    check_bits(EVN_DEVICE_CPU, PROBLEM_OBSERVATIONS);
}
END_TEST

START_TEST(bits_do_not_depend_on_the_batch_on_gpus) {
    check_bits(EVN_DEVICE_GPU, PROBLEM_OBSERVATIONS);
}
END_TEST

/// Against the solver for a whole batch, of one: the same steps.
START_TEST(as_the_solver_for_one) {
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-7, true), one = options;
    options.observations = one.observations = _i * PROBLEM_OBSERVATIONS;
    one.per_sample = false;
    answer mine = solve_one(MOST, 9, 31, &options, 16);
    problem p = network(MOST, 16), q = network(1, 16);
    memcpy(q.x0, p.x0 + 31 * INPUTS, sizeof(double) * INPUTS);
    one.rtol = one.atol = _i > 0 ? 1e-12 : 1e-7;
    problem_prepare(&q, &one);
    problem_solve(&q, 0, 3);
    for (int i = 0; i < q.x1_count; ++i) {
        ck_assert_double_eq_tol(mine.x1[i], q.x1[i], (_i > 0 ? 2e-6 : 1e-12));
    }
    if (_i == 0) {
        ck_assert_int_eq(mine.solution.accepted, q.solution.accepted);
        ck_assert_int_eq(mine.solution.rejected, q.solution.rejected);
        ck_assert_int_eq(mine.solution.nfe, q.solution.nfe);
    }
    problem_free(&p);
    problem_free(&q);
}
END_TEST

enum { PARTS = 3, UNITS = 2, WIDE = PARTS * UNITS };

/// Each sample taken apart into rows: dx = tanh(x + b + t b), a row.
static problem rows(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, WIDE), &t, &x);
    evn_value b = evn_input(f, "b", EVN_SHAPE(UNITS));
    evn_value h = evn_add(f, evn_reshape(f, x, EVN_SHAPE(batch * PARTS, UNITS)), b);
    h = evn_tanh(f, evn_add(f, h, evn_mul(f, t, b)));
    evn_output(f, "dx", evn_reshape(f, h, EVN_SHAPE(batch, WIDE)));
    problem p = problem_of(f, NULL);
    test_uniform(1, -2, 2, p.x0, p.x_count);
    p.weight[0][0] = -1;
    p.weight[0][1] = 0.5;
    return p;
}

/// One alone, with as many rows as it has, is as it is among others and as with one step of all.
START_TEST(rows_of_one) {
    problem one = rows(1), many = rows(5), plain = rows(1);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-7, true);
    problem_prepare(&one, &options);
    problem_prepare(&many, &options);
    options.per_sample = false;
    problem_prepare(&plain, &options);
    problem_solve(&one, 0, 2);
    problem_solve(&many, 0, 2);
    problem_solve(&plain, 0, 2);
    for (int i = 0; i < WIDE; ++i) {
        ck_assert(one.x1[i] == many.x1[i]);
        ck_assert_double_eq_tol(one.x1[i], plain.x1[i], 1e-11);
    }
    problem_free(&one);
    problem_free(&many);
    problem_free(&plain);
}
END_TEST

// Own times, and ends ----------------------------------------------------------------------------

/// x' = x², NaN where t is outside of −1 … 2: from x0 at t0 it is x0 / (1 − x0 (t − t0)), which is
/// infinite at t0 + 1/x0.
static problem blow_up(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 1), &t, &x);
    evn_value inside =
        evn_mul(f, evn_sub(f, evn_constant(f, 2), t), evn_add(f, t, evn_constant(f, 1)));
    evn_value outside = evn_step(f, evn_neg(f, inside));
    evn_value nan = evn_log(f, evn_constant(f, -1));
    evn_output(f, "dx", evn_add(f, evn_mul(f, x, x), evn_mask(f, nan, outside)));
    return problem_of(f, NULL);
}

static double exact(double x0, double way) {
    return x0 / (1 - x0 * way);
}

enum { OWN = 6, POINTS = 3 };

/// Both directions, no way at all, observations at any place in any order; f is NaN outside of all
/// of the ways.
START_TEST(own_times) {
    static const double t0[OWN] = {-1, 2, 0.5, 0, -1, 1.5}, t1[OWN] = {2, -1, 0.5, 1, -0.5, 1.25};
    static const double times[OWN * POINTS] = {-1, 0.25, 2, -1, 2,    0.3,  0.5, 0.5,  0.5,
                                               1,  0.5,  0, -1, -0.5, -0.7, 1.3, 1.25, 1.3};
    problem p = blow_up(OWN);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-9, true);
    evn_binding x1;
    options.observations = POINTS;
    options.method = _i == 0 ? "dopri5" : "tsit5";
    for (int i = 0; i < OWN; ++i) {
        p.x0[i] = 0.1 + 0.03 * i;
    }
    problem_prepare(&p, &options);
    TRY(evn__real_write(p.x0_at, true, p.x0, OWN));
    for (int given = 1; given >= 0; --given) {
        const evn_sample_times own = {t0, t1, given ? times : NULL};
        TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, &p.solution));
        TRY(evn__real_read(x1, true, p.x1, OWN * POINTS));
        for (int i = 0; i < OWN * POINTS; ++i) {
            int sample = i % OWN, point = i / OWN;
            double part = (point + 1.0) / POINTS, way = t1[sample] - t0[sample];
            double t = given ? times[sample * POINTS + point] : t0[sample] + part * way;
            ck_assert_double_eq_tol(p.x1[i], exact(p.x0[sample], t - t0[sample]), 1e-8);
        }
    }
    problem_free(&p);
}
END_TEST

/// The same on x [batch, 3], whose other columns are where the way of a sample begins and ends: its
/// own f is NaN outside of these.
static problem within_own_way(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 3), &t, &x);
    evn_value low = column(f, x, 1), high = column(f, x, 2), at = column(f, x, 0);
    evn_value inside = evn_mul(f, evn_sub(f, high, t), evn_sub(f, t, low));
    evn_value nan = evn_log(f, evn_full(f, EVN_SHAPE(batch, 1), -1));
    evn_value slope =
        evn_add(f, evn_mul(f, at, at), evn_mask(f, nan, evn_step(f, evn_neg(f, inside))));
    evn_value rest = evn_full(f, EVN_SHAPE(batch, 2), 0);
    const evn_value slopes[] = {slope, rest};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return problem_of(f, NULL);
}

/// f of a sample is evaluated nowhere outside of its own way, not where others still go, nor by a
/// first step that would reach behind the end; nor where its gradient goes the steps again.
START_TEST(f_stays_within_the_own_way) {
    static const double t0[OWN] = {-1, 2, 0.5, 0, -1, 1.5}, t1[OWN] = {2, -1, 0.5, 1, -0.5, 1.25};
    static const char *const methods[] = {"bosh3", "dopri5", "tsit5"};
    problem p = within_own_way(OWN);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-8, true);
    evn_binding x1, x0_bar;
    options.observations = _i / 3 % 2 ? POINTS : 0;
    options.method = methods[_i % 3];
    options.dt_first = _i / 6 ? 1e3 : 0; // all the way
    for (int i = 0; i < OWN; ++i) {
        p.x0[3 * i] = 0.1 + 0.03 * i;
        p.x0[3 * i + 1] = fmin(t0[i], t1[i]);
        p.x0[3 * i + 2] = fmax(t0[i], t1[i]);
    }
    problem_prepare(&p, &options);
    TRY(evn__real_write(p.x0_at, true, p.x0, (size_t)p.x_count));
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x1_count));
    const evn_sample_times own = {t0, t1, NULL};
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, &p.solution));
    TRY(evn__real_read(x1, true, p.x1, (size_t)p.x1_count));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, p.x0_bar, (size_t)p.x_count));
    const double *end = p.x1 + p.x1_count - p.x_count;
    for (int i = 0; i < OWN; ++i) {
        ck_assert_double_eq_tol(end[3 * i], exact(p.x0[3 * i], t1[i] - t0[i]), 1e-6);
        ck_assert(isfinite(p.x0_bar[3 * i]));
    }
    problem_free(&p);
}
END_TEST

static const evn_outcome outcomes[] = {EVN_OUTCOME_DONE, EVN_OUTCOME_STEP_TOO_SMALL,
                                       EVN_OUTCOME_DONE, EVN_OUTCOME_NOT_FINITE, EVN_OUTCOME_DONE};
enum { STOPS = sizeof(outcomes) / sizeof(outcomes[0]) };

/// One blows up, one begins with NaN: each says so, and the others are as without them.
START_TEST(stops_harm_nobody) {
    static const double x0[STOPS] = {0.2, 2, -1, NAN, 0.4};
    problem p = blow_up(STOPS);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-8, true);
    evn_binding x1;
    memcpy(p.x0, x0, sizeof(x0));
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 1 (2 of 5 samples"));
    TRY(evn__real_read(x1, true, p.x1, STOPS));
    for (int i = 0; i < STOPS; ++i) {
        evn_solution one;
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert_int_eq(one.outcome, outcomes[i]);
        if (one.outcome == EVN_OUTCOME_DONE) {
            ck_assert(one.t == 1);
            ck_assert_double_eq_tol(p.x1[i], exact(x0[i], 1), 1e-7);
        }
    }
    evn_solution one;
    TRY(evn_solver_sample_solution(p.solver, 1, &one));
    ck_assert_double_eq_tol(one.t, 0.5, 1e-4);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_STEP_TOO_SMALL);
    problem_free(&p);
}
END_TEST

/// Each has max_steps for itself.
START_TEST(steps_run_out_one_by_one) {
    problem p = lotka_volterra(3);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-6, false);
    evn_binding x1;
    evn_solution one;
    options.max_steps = 15;
    p.x0[2] = 4;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_SOLVER);
    for (int i = 0; i < 3; ++i) {
        TRY(evn_solver_sample_solution(p.solver, i, &one));
        ck_assert_int_eq(one.outcome, i == 1 ? EVN_OUTCOME_TOO_MANY_STEPS : EVN_OUTCOME_DONE);
        ck_assert_int_le(one.accepted + one.rejected, 15);
    }
    problem_free(&p);
}
END_TEST

/// [y, k]: y' = −k (y − cos t), k' = 0.
static problem relaxation(int batch) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, 2), &t, &x);
    evn_value off = evn_sub(f, column(f, x, 0), evn_cos(f, t)), k = column(f, x, 1);
    const evn_value slopes[] = {evn_neg(f, evn_mul(f, k, off)), evn_scale(f, k, 0)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return problem_of(f, NULL);
}

/// Of each sample that ran out of steps it is told how stiff it is, in the words for a whole batch;
/// the states are as the solve has left them, and so is the next solve.
START_TEST(stiff_samples_are_told) {
    static const double rates[] = {3e4, 1, 2e4};
    problem p = relaxation(3);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-6, true);
    evn_binding x1;
    options.max_steps = 300;
    for (int i = 0; i < 3; ++i) {
        p.x0[2 * i + 1] = rates[i];
    }
    problem_prepare(&p, &options);
    for (int again = 0; again < 2; ++again) {
        ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 0 (2 of 3 samples"));
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "looks stiff"));
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "Take an implicit one"));
        TRY(evn__real_read(x1, true, p.x1, 6));
        for (int i = 0; i < 3; ++i) {
            evn_solution one;
            TRY(evn_solver_sample_solution(p.solver, i, &one));
            ck_assert_double_eq_tol(one.decay, i == 1 ? 0 : rates[i], 0.02 * rates[i]);
            ck_assert(p.x1[2 * i + 1] == rates[i]);
            ck_assert_double_eq_tol(p.x1[2 * i], i == 1 ? p.x1[2] : cos(one.t), 1e-3);
        }
    }
    TRY(problem_try(&p, 0, 1e-4, &x1)); // from the same start, in time
    problem_free(&p);
}
END_TEST

// Mistakes ----------------------------------------------------------------------------------------

START_TEST(wrong_times_are_refused) {
    double t0[2] = {0, 0}, t1[2] = {1, 1}, times[2] = {0.5, 1};
    problem p = blow_up(2);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-6, false);
    evn_sample_times own = {t0, t1, times};
    evn_binding x1;
    evn_solution one;
    options.observations = 1;
    problem_prepare(&p, &options);
    REFUSED(evn_solver_sample_solution(p.solver, 0, &one)); // no solve yet
    times[1] = 1.5;
    REFUSED(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sample 1"));
    times[1] = NAN;
    REFUSED(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    t1[0] = INFINITY;
    REFUSED(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    REFUSED(evn_solve_samples(p.solver, NULL, p.x0_at, p.weights, &x1, NULL));
    problem_free(&p);
}
END_TEST

/// Options that do not go with per_sample, by name.
START_TEST(wrong_options_are_refused) {
    problem p = network(4, 8);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-6, false), fixed = options,
                       adjoint = options;
    evn_solver_options dense = options, batch = options;
    evn_sample_times own = {p.x0, p.x0, NULL};
    evn_binding x1;
    evn_solution one;
    evn_solver *solver = NULL;
    fixed.steps = 3;
    adjoint.gradient = EVN_GRADIENT_ADJOINT;
    dense.method = "abm4";
    dense.observations = 2;
    REFUSED(evn_solver_options_check(&fixed));
    REFUSED(evn_solver_options_check(&adjoint));
    REFUSED(evn_solver_create(test_device(), p.dynamics, &dense, &solver));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "steps before"));
    ck_assert_ptr_null(solver);
    batch.per_sample = false;
    problem_prepare(&p, &batch);
    REFUSED(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    REFUSED(evn_solver_sample_solution(p.solver, 0, &one));
    problem_free(&p);
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

/// Largest difference of two arrays, relative to the largest number of the second.
/// Backprop along each sample's steps, at a tolerance at which they hardly matter, against the
/// adjoint along those of the batch.
START_TEST(gradient_is_the_adjoints) {
    enum { BATCH = 5 };
    problem p = network(BATCH, 16), q = network(BATCH, 16);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-11, true);
    options.observations = _i * PROBLEM_OBSERVATIONS;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_prepare(&p, &options);
    options.per_sample = false;
    options.gradient = EVN_GRADIENT_ADJOINT;
    problem_prepare(&q, &options);
    test_uniform(9, -1, 1, p.x1_bar, p.x1_count);
    memcpy(q.x1_bar, p.x1_bar, sizeof(double) * (size_t)p.x1_count);
    problem_solve(&p, 0, 3);
    problem_gradient(&p);
    problem_solve(&q, 0, 3);
    problem_gradient(&q);
    problem_check_same_gradients(&p, &q, 1e-8);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// Observations within steps that are long, and the gradient through them, of methods whose
/// interpolants have more places and stages of their own.
START_TEST(interpolants_of_every_order) {
    static const char *const methods[] = {"cashkarp", "kvaerno5", "kennedy_carpenter5",
                                          "verner65", "verner76", "dop853"};
    enum { BATCH = 3 };
    problem p = network(BATCH, 16), q = network(BATCH, 16);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_BACKPROP, 1e-9, true);
    options.observations = PROBLEM_OBSERVATIONS;
    options.method = methods[_i];
    problem_prepare(&p, &options);
    options.per_sample = false;
    options.rtol = options.atol = 1e-11;
    options.method = "dopri5";
    options.gradient = EVN_GRADIENT_ADJOINT;
    problem_prepare(&q, &options);
    problem_solve(&p, 0, 3);
    problem_solve(&q, 0, 3);
    double error = test_difference(p.x1, q.x1, p.x1_count);
    ck_assert_msg(error < 2e-8, "%s: %g", methods[_i], error);
    problem_gradient(&p);
    problem_gradient(&q);
    problem_check_same_gradients(&p, &q, 1e-7);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("per_sample/sample_solve");
    TCase *bits = tcase_create("bits");
    tcase_add_test(bits, idle_mates_change_nothing);
    tcase_add_test(bits, bits_do_not_depend_on_the_batch);
    tcase_add_test(bits, bits_do_not_depend_on_the_batch_on_gpus);
    suite_add_tcase(s, bits);
    TCase *alone = tcase_create("alone");
    tcase_add_loop_test(alone, as_the_solver_for_one, 0, 2);
    tcase_add_test(alone, rows_of_one);
    suite_add_tcase(s, alone);
    TCase *ends = tcase_create("ends");
    tcase_add_loop_test(ends, own_times, 0, 2);
    tcase_add_loop_test(ends, f_stays_within_the_own_way, 0, 12);
    tcase_add_test(ends, stops_harm_nobody);
    tcase_add_test(ends, steps_run_out_one_by_one);
    tcase_add_test(ends, stiff_samples_are_told);
    suite_add_tcase(s, ends);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, wrong_times_are_refused);
    tcase_add_test(mistakes, wrong_options_are_refused);
    suite_add_tcase(s, mistakes);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradient_is_the_adjoints, 0, 2);
    tcase_add_loop_test(gradients, interpolants_of_every_order, 0, 6);
    suite_add_tcase(s, gradients);
    return s;
}

int main(void) {
    return test_run(suite());
}
