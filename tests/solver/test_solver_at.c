// SPDX-License-Identifier: Apache-2.0
// Dense output, in fp64 against closed forms: its order for every method, x and θ in both
// directions of fixed and adaptive steps, across jumps, by sample; what it takes and refuses.
#include "evonode/solver.h"
#include "host/runtime.h"
#include "methods/stepper.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static evn_solver_options with(const char *method, int steps, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    options.dense = true;
    return options;
}

/// x and the first weight at times of the last solve; theta may be NULL.
static void look(problem *p, const double *times, int count, double *x, double *theta) {
    evn_buffer *memory = NULL;
    size_t of_x = (size_t)(count * p->x_count), of_theta = theta ? (size_t)count : 0;
    evn_binding weights[PROBLEM_WEIGHTS] = {{NULL, 0}};
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, of_x + of_theta, &memory));
    weights[0] = (evn_binding){theta ? memory : NULL, of_x};
    TRY(evn_solver_at(p->solver, times, count, (evn_binding){memory, 0}, weights));
    TRY(evn__real_read((evn_binding){memory, 0}, true, x, of_x));
    if (theta) {
        TRY(evn__real_read(weights[0], true, theta, of_theta));
    }
    evn_buffer_destroy(&memory);
}

/// So many times of the way from t0 to t1, its ends included, in no order.
static void spread(double t0, double t1, int count, double *times) {
    for (int i = 0; i < count; ++i) {
        int place = (7 * i) % count; // count is no multiple of 7
        times[i] = place + 1 == count ? t1 : t0 + (t1 - t0) * place / (count - 1);
    }
}

// Orders ------------------------------------------------------------------------------------------

/// [q, v]: q' = v, v' = −q, where the method moves halves in turn; else x' = x cos t of both.
static problem moving(bool splits) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 2), &t, &x);
    if (splits) {
        const double turn[] = {0, -1, 1, 0};
        evn_output(f, "dx", evn_matmul(f, x, evn_table(f, EVN_SHAPE(2, 2), turn), false, false));
    } else {
        evn_output(f, "dx", evn_mul(f, x, evn_cos(f, t)));
    }
    problem p = problem_of(f, NULL);
    p.x0[0] = 1;
    p.x0[1] = splits ? 0 : 2;
    return p;
}

/// The largest error of all steps on the way from 0 to 2, at some places of each.
static double error_of(const evn__stepper *stepper, int steps) {
    enum { PLACES = 3, MOST = 40 };
    static const double places[PLACES] = {0.2, 0.5, 0.8};
    double times[PLACES * MOST], x[2 * PLACES * MOST], worst = 0;
    bool splits = stepper->kind->splits;
    problem p = moving(splits);
    const evn_solver_options options = with(stepper->name, steps, 1e-3);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    for (int i = 0; i < PLACES * steps; ++i) {
        times[i] = 2 * ((double)(i / PLACES) + places[i % PLACES]) / steps;
    }
    look(&p, times, PLACES * steps, x, NULL);
    for (int i = 0; i < PLACES * steps; ++i) {
        double t = times[i], first = splits ? cos(t) : exp(sin(t));
        double second = splits ? -sin(t) : 2 * exp(sin(t));
        worst = fmax(worst, fmax(fabs(x[2 * i] - first), fabs(x[2 * i + 1] - second)));
    }
    problem_free(&p);
    return worst;
}

static const evn__stepper *stepping(int index) {
    const evn__stepper *stepper = NULL;
    for (int i = 0; (stepper = evn__stepper_at(i)); ++i) {
        if (evn__stepper_has_fixed(stepper) && index-- == 0) {
            return stepper;
        }
    }
    return NULL;
}

static int stepping_methods(void) {
    int count = 0;
    while (stepping(count)) {
        ++count;
    }
    return count;
}

/// That of the method: the interpolant is off by as much as a step, or less.
START_TEST(orders) {
    const evn__stepper *stepper = stepping(_i);
    int steps = stepper->order > 5 ? 6 : 20;
    test_needs_fp64();
    double coarse = error_of(stepper, steps), fine = error_of(stepper, 2 * steps);
    double order = log2(coarse / fine);
    // The first fixed steps of a multi-step method have a cubic.
    int known = evn__stepper_past(stepper) > 0 ? 4 : stepper->order;
    printf("%s: %.3g, %.3g: order %.2f of %d\n", stepper->name, coarse, fine, order, known);
    ck_assert_msg(order > known - 0.2, "%s: order %.2f", stepper->name, order);
}
END_TEST

// x and θ -----------------------------------------------------------------------------------------

/// x' = θ x, θ' = −θ: θ = θ0 exp(t0 − t), x = x0 exp(θ0 − θ).
static problem coupled(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2), &t, &x), *g = NULL;
    evn_output(f, "dx", evn_mul(f, x, evn_input(f, "w", EVN_SCALAR)));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_output(g, "dw", evn_neg(g, evn_input(g, "w", EVN_SCALAR)));
    problem p = problem_of(f, g);
    p.x0[0] = 1;
    p.x0[1] = -0.5;
    p.weight[0][0] = 1.5;
    return p;
}

/// Asked for after the gradient, where there is one.
static void check_coupled(problem *p, bool differentiates, double t0, double t1, double within) {
    enum { TIMES = 25 };
    double times[TIMES], x[2 * TIMES], theta[TIMES];
    problem_solve(p, t0, t1);
    if (differentiates) {
        problem_gradient(p);
    }
    spread(t0, t1, TIMES, times);
    look(p, times, TIMES, x, theta);
    for (int i = 0; i < TIMES; ++i) {
        double w0 = p->weight[0][0], w = w0 * exp(t0 - times[i]), growth = exp(w0 - w);
        ck_assert_double_eq_tol(theta[i], w, within);
        ck_assert_double_eq_tol(x[2 * i], p->x0[0] * growth, within);
        ck_assert_double_eq_tol(x[2 * i + 1], p->x0[1] * growth, within);
        if (times[i] == t1) {
            ck_assert_double_eq_tol(x[2 * i], p->x1[0], 1e-13 * fabs(p->x1[0]));
        }
    }
}

/// There and back, again from elsewhere, and over no way; with and without a gradient.
START_TEST(state_and_weights) {
    static const struct {
        const char *method;
        int steps;
        evn_gradient gradient;
    } cases[] = {{"tsit5", 0, EVN_GRADIENT_NONE},
                 {"dop853", 0, EVN_GRADIENT_BACKPROP},
                 {"bosh3", 0, EVN_GRADIENT_ADJOINT},
                 {"kvaerno5", 0, EVN_GRADIENT_NONE},
                 {"rk4", 200, EVN_GRADIENT_BACKPROP},
                 {"sdirk4", 200, EVN_GRADIENT_NONE},
                 {"tsit5", 0, EVN_GRADIENT_ADJOINT_QUADRATURE},
                 {"adams", 0, EVN_GRADIENT_NONE},
                 {"adams", 0, EVN_GRADIENT_CHECKPOINTED},
                 {"adams", 0, EVN_GRADIENT_ADJOINT_QUADRATURE},
                 {"abm4", 200, EVN_GRADIENT_NONE},
                 {"abm5", 200, EVN_GRADIENT_BACKPROP},
                 {"abm5", 0, EVN_GRADIENT_NONE}};
    evn_solver_options options = with(cases[_i].method, cases[_i].steps, 1e-9);
    problem p = coupled();
    test_needs_fp64();
    options.gradient = cases[_i].gradient;
    bool differentiates = options.gradient != EVN_GRADIENT_NONE;
    problem_prepare(&p, &options);
    check_coupled(&p, differentiates, 0, 2, 1e-6);
    p.x0[0] = 3;
    p.weight[0][0] = -1;
    check_coupled(&p, differentiates, 0.5, -0.5, 1e-6);
    check_coupled(&p, differentiates, 1, 1, 1e-15);
    problem_free(&p);
}
END_TEST

/// Along weights that are solved by themselves, and these: of the batch, on adaptive and fixed
/// steps, by sample, and by the interpolants of a gradient.
START_TEST(along_weights_by_themselves) {
    enum { TIMES = 25 };
    evn_solver_options options = with("tsit5", _i == 1 ? 100 : 0, 1e-8);
    double times[TIMES], x[2 * TIMES], theta[TIMES];
    problem p = coupled();
    test_needs_fp64();
    options.per_sample = _i == 2;
    options.weight_terms = _i != 2 ? 16 : 0;
    options.gradient = _i == 3 ? EVN_GRADIENT_ADJOINT_QUADRATURE : EVN_GRADIENT_NONE;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    spread(0, 2, TIMES, times);
    look(&p, times, TIMES, x, theta);
    for (int i = 0; i < TIMES; ++i) {
        double w = 1.5 * exp(-times[i]), growth = exp(1.5 - w);
        ck_assert_double_eq_tol(x[2 * i], growth, 1e-6);
        ck_assert_double_eq_tol(x[2 * i + 1], -0.5 * growth, 1e-6);
        ck_assert_double_eq_tol(theta[i], w, 1e-8);
        ck_assert(times[i] > 0 || theta[i] == w); // to the bit
    }
    problem_free(&p);
}
END_TEST

/// In single precision, by interpolants whose weights are large, too.
START_TEST(single_precision) {
    static const char *const methods[] = {"dopri5", "verner65", "verner76",
                                          "dop853", "kvaerno3", "adams"};
    enum { TIMES = 30, ADAPTIVE = 5 };
    double times[TIMES];
    float x[2 * TIMES];
    problem p = coupled();
    evn_buffer *memory = NULL;
    bool adapts = _i == ADAPTIVE;
    evn_solver_options options = with(methods[_i], adapts ? 0 : 8, adapts ? 1e-6 : 1e-3);
    options.fp64 = false;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    spread(0, 2, TIMES, times);
    TRY(evn_buffer_create(test_device(), sizeof(x), &memory));
    TRY(evn_solver_at(p.solver, times, TIMES, (evn_binding){memory, 0}, NULL));
    TRY(evn_buffer_read(memory, 0, sizeof(x), x));
    for (int i = 0; i < TIMES; ++i) {
        double growth = exp(1.5 - 1.5 * exp(-times[i])), within = _i == 4 ? 1e-3 : 5e-6;
        ck_assert_double_eq_tol((double)x[2 * i], growth, within * growth);
    }
    evn_buffer_destroy(&memory);
    problem_free(&p);
}
END_TEST

/// As long as no buffer may have so many bytes: out of memory, with what to do, which depends on
/// whose the interpolants are, and after that as if nothing had been.
START_TEST(goes_on_when_there_is_memory) {
    static const char *const instead[] = {"observations in place of dense output",
                                          "take the gradient checkpointed"};
    const double t = 1.2345;
    double x[2];
    int failures = 0;
    bool advised = false;
    problem p = coupled();
    evn_solver_options options = with("tsit5", 0, 1e-8);
    evn_status status = EVN_ERR_DEVICE_MEMORY;
    uint64_t most = test_device()->info.max_allocation_bytes;
    test_needs_fp64();
    options.dt_max = 0.01;
    options.gradient = _i == 1 ? EVN_GRADIENT_ADJOINT_QUADRATURE : EVN_GRADIENT_NONE;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    for (uint64_t bytes = 4; status != EVN_OK && bytes < most; bytes *= 2) {
        test_device()->info.max_allocation_bytes = bytes;
        status = evn_solver_at(p.solver, &t, 1, p.x0_at, NULL);
        test_device()->info.max_allocation_bytes = most;
        ck_assert(status == EVN_OK || status == EVN_ERR_DEVICE_MEMORY);
        failures += status != EVN_OK;
        advised = advised || strstr(evn_error_message(), instead[_i]);
    }
    ck_assert(advised && failures > 3);
    look(&p, &t, 1, x, NULL);
    ck_assert_double_eq_tol(x[0], exp(1.5 - 1.5 * exp(-t)), 1e-7);
    problem_free(&p);
}
END_TEST

/// What a solve gives is the same to the bit, whether anything between is wanted or not.
START_TEST(solves_stay_as_they_are) {
    problem p = coupled(), q = coupled();
    evn_solver_options options = with("dopri5", _i == 0 ? 0 : 30, 1e-6), without = options;
    test_needs_fp64();
    without.dense = false;
    problem_prepare(&p, &options);
    problem_prepare(&q, &without);
    problem_solve(&p, 0, 2);
    problem_solve(&q, 0, 2);
    ck_assert_mem_eq(p.x1, q.x1, sizeof(double) * 2);
    ck_assert_int_eq(p.solution.nfe, q.solution.nfe);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

// What a call takes -------------------------------------------------------------------------------

/// Of a call that gives x.
static evn_device_stats stats_after(problem *p, const double *times, int count, evn_buffer *x) {
    TRY(evn_solver_at(p->solver, times, count, (evn_binding){x, 0}, NULL));
    return evn_device_get_stats(test_device());
}

/// Of however many times, once the steps are gone.
START_TEST(one_launch) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_NONE, EVN_GRADIENT_BACKPROP,
                                             EVN_GRADIENT_ADJOINT_QUADRATURE};
    static const int counts[] = {30, 30, 1};
    enum { TIMES = 30 };
    double times[TIMES];
    problem p = coupled();
    evn_buffer *x = NULL;
    evn_solver_options options = with("tsit5", _i == 1 ? 20 : 0, 1e-6);
    test_needs_fp64();
    options.gradient = gradients[_i];
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    spread(0, 2, TIMES, times);
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, 2 * (size_t)TIMES, &x));
    uint64_t before = stats_after(&p, times, 1, x).launches;
    for (int i = 0; i < 3; ++i) {
        uint64_t after = stats_after(&p, times, counts[i], x).launches;
        ck_assert_uint_eq(after - before, 1);
        before = after;
    }
    evn_buffer_destroy(&x);
    problem_free(&p);
}
END_TEST

/// Bytes that the first call takes, after the gradient.
static uint64_t bytes_of_call(evn_gradient gradient, int *steps) {
    const double t = 1.2345;
    problem p = coupled();
    evn_buffer *x = NULL;
    evn_solver_options options = with("tsit5", 0, 1e-6);
    options.gradient = gradient;
    options.dt_max = 0.01;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    problem_gradient(&p);
    *steps = p.solution.accepted;
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, 2, &x));
    evn_device_reset_peak(test_device());
    uint64_t before = evn_device_get_stats(test_device()).bytes_now;
    uint64_t peak = stats_after(&p, &t, 1, x).bytes_peak;
    evn_buffer_destroy(&x);
    problem_free(&p);
    return peak - before;
}

/// Interpolants that the gradient goes along are those of dense output.
START_TEST(kept_once) {
    int steps;
    test_needs_fp64();
    uint64_t own = bytes_of_call(EVN_GRADIENT_BACKPROP, &steps);
    uint64_t terms = 5 * 3 * sizeof(double) * (uint64_t)steps; // five of x and θ
    ck_assert_int_ge(steps, 200);
    ck_assert_uint_ge(own, terms);
    ck_assert_uint_lt(bytes_of_call(EVN_GRADIENT_ADJOINT_QUADRATURE, &steps), terms / 8);
}
END_TEST

/// For the gradient or for dense output, whichever comes first; both are the same after either.
START_TEST(gone_once) {
    const double t = 1.2345;
    double first[2], second[2], x_bar[2];
    problem p = coupled();
    evn_solver_options options = with("tsit5", 0, 1e-6);
    test_needs_fp64();
    options.gradient = EVN_GRADIENT_ADJOINT_QUADRATURE;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    problem_gradient(&p);
    int nfe = p.backward.nfe;
    memcpy(x_bar, p.x0_bar, sizeof(x_bar));
    look(&p, &t, 1, first, NULL);
    problem_solve(&p, 0, 2);
    look(&p, &t, 1, second, NULL);
    problem_gradient(&p);
    ck_assert_mem_eq(first, second, sizeof(first));
    ck_assert_mem_eq(x_bar, p.x0_bar, sizeof(x_bar));
    ck_assert_int_le(p.backward.nfe, nfe - p.solution.accepted);
    problem_free(&p);
}
END_TEST

// Jumps -------------------------------------------------------------------------------------------

/// x' = 1 from t = 0.5 on, before it −1.
START_TEST(across_a_jump) {
    static const double jumps[] = {0.5}, times[] = {0, 0.25, 0.4999, 0.5, 0.5001, 0.75, 1};
    enum { TIMES = sizeof(times) / sizeof(*times) };
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_value half = evn_constant(f, 0.5), one = evn_constant(f, 1);
    evn_value before = evn_step(f, evn_sub(f, half, t)); // 1 before the jump
    evn_value slope = evn_sub(f, one, evn_scale(f, before, 2));
    evn_output(f, "dx", evn_broadcast(f, slope, EVN_SHAPE(1)));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with("dopri5", _i < 2 ? 0 : 3, 1e-6);
    double got[TIMES];
    test_needs_fp64();
    options.jumps = jumps;
    options.jump_count = 1;
    problem_prepare(&p, &options);
    bool back = _i % 2 == 1;
    problem_solve(&p, back ? 1 : 0, back ? 0 : 1);
    look(&p, times, TIMES, got, NULL);
    for (int i = 0; i < TIMES; ++i) {
        double expected = fabs(times[i] - 0.5) - 0.5; // both ways
        ck_assert_double_eq_tol(got[i], expected, 1e-14);
    }
    problem_free(&p);
}
END_TEST

// By sample ---------------------------------------------------------------------------------------

/// x' = x cos(t) s: s is a column of x that stays; x = x0 exp(s (sin t − sin t0)).
START_TEST(by_sample) {
    enum { ROWS = 3, TIMES = 9 };
    double t0[ROWS] = {0, 1, 0.5}, t1[ROWS] = {4, -2, 0.5}, times[ROWS * TIMES];
    double got[TIMES * ROWS * 2];
    const evn_sample_times own = {t0, t1, NULL};
    static const char *const methods[] = {"tsit5", "dop853", "bosh3"};
    const int64_t value[] = {0, 0}, rate[] = {0, 1};
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, 2), &t, &x);
    evn_value y = evn_slice(f, x, value, EVN_SHAPE(ROWS, 1));
    evn_value s = evn_slice(f, x, rate, EVN_SHAPE(ROWS, 1));
    evn_value parts[] = {evn_mul(f, evn_mul(f, y, s), evn_cos(f, t)), evn_scale(f, s, 0)};
    evn_output(f, "dx", evn_concat(f, parts, 2, 1));
    problem p = problem_of(f, NULL);
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-8, true);
    evn_binding x1;
    test_needs_fp64();
    options.method = methods[_i % 3];
    options.gradient = _i < 3 ? EVN_GRADIENT_NONE : EVN_GRADIENT_BACKPROP;
    options.observations = _i < 3 ? 0 : 2;
    options.dense = true;
    problem_prepare(&p, &options);
    for (int i = 0; i < ROWS; ++i) {
        p.x0[2 * i] = 1 + i;
        p.x0[2 * i + 1] = 0.5 + i;
        spread(t0[i], t1[i], TIMES, times + (ptrdiff_t)i * TIMES);
    }
    problem_solve(&p, 0, 1);
    TRY(evn_solve_samples(p.solver, &own, p.x0_at, p.weights, &x1, NULL));
    look(&p, times, TIMES, got, NULL);
    for (int i = 0; i < ROWS * TIMES; ++i) {
        int row = i / TIMES, place = (i % TIMES) * ROWS + row;
        const double *x0 = p.x0 + (ptrdiff_t)row * 2;
        double expected = x0[0] * exp(x0[1] * (sin(times[i]) - sin(t0[row])));
        ck_assert_double_eq_tol(got[2 * place], expected, 1e-6);
        ck_assert(got[2 * place + 1] == x0[1]);
    }
    problem_free(&p);
}
END_TEST

/// 0.1 * 3 is behind 0.3 by a rounding: it is the end, of the batch and by sample.
START_TEST(a_rounding_behind_the_end) {
    const double t = 0.1 * 3, further = 0.3 + 1e-12;
    double x[2];
    evn_value time, y;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 2), &time, &y);
    evn_output(f, "dx", evn_mul(f, y, evn_cos(f, time)));
    problem p = problem_of(f, NULL);
    evn_solver_options options = with("tsit5", 0, 1e-6);
    test_needs_fp64();
    options.per_sample = _i == 1;
    p.x0[0] = 1;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 0.3);
    ck_assert(t > 0.3);
    look(&p, &t, 1, x, NULL);
    ck_assert_double_eq_tol(x[0], p.x1[0], 1e-15);
    REFUSED(evn_solver_at(p.solver, &further, 1, p.x0_at, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "time 0 is 0.30000000000"));
    problem_free(&p);
}
END_TEST

// Mistakes ----------------------------------------------------------------------------------------

static void refuse(evn_solver_options options, const char *why) {
    REFUSED(evn_solver_options_check(&options));
    ck_assert_msg(strstr(evn_error_message(), why), "%s", evn_error_message());
}

START_TEST(options_are_refused) {
    static const double jumps[] = {0.5};
    evn_solver_options options = with("rk4", 10, 1e-3);
    options.gradient = EVN_GRADIENT_REVERSIBLE;
    refuse(options, "reversible");
    options = with("tsit5", 0, 1e-3);
    options.per_sample = true;
    options.jumps = jumps;
    options.jump_count = 1;
    refuse(options, "across jumps");
    options.per_sample = false;
    options.weight_terms = 8;
    refuse(options, "across jumps");
}
END_TEST

START_TEST(questions_are_refused) {
    problem p = coupled();
    evn_solver_options options = with("tsit5", 0, 1e-6), without = options;
    double t = 0.5, beyond = 1.5, none = NAN;
    test_needs_fp64();
    without.dense = false;
    problem_prepare(&p, &without);
    problem_solve(&p, 0, 1);
    REFUSED(evn_solver_at(p.solver, &t, 1, p.x0_at, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "set dense"));
    problem_prepare(&p, &options);
    REFUSED(evn_solver_at(p.solver, &t, 1, p.x0_at, NULL)); // no solve
    problem_solve(&p, 0, 1);
    REFUSED(evn_solver_at(p.solver, &beyond, 1, p.x0_at, NULL));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "1.5"));
    REFUSED(evn_solver_at(p.solver, &none, 1, p.x0_at, NULL));
    REFUSED(evn_solver_at(p.solver, &t, 0, p.x0_at, NULL));
    REFUSED(evn_solver_at(p.solver, NULL, 1, p.x0_at, NULL));
    REFUSED(evn_solver_at(NULL, &t, 1, p.x0_at, NULL));
    p.x0_at.offset = 1 << 20; // no room there
    REFUSED(evn_solver_at(p.solver, &t, 1, p.x0_at, NULL));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/solver_at");
    TCase *order = tcase_create("order");
    tcase_add_loop_test(order, orders, 0, stepping_methods());
    suite_add_tcase(s, order);
    TCase *closed = tcase_create("closed_form");
    tcase_add_loop_test(closed, state_and_weights, 0, 13);
    tcase_add_loop_test(closed, along_weights_by_themselves, 0, 4);
    tcase_add_loop_test(closed, single_precision, 0, 6);
    tcase_add_loop_test(closed, across_a_jump, 0, 4);
    tcase_add_loop_test(closed, by_sample, 0, 6);
    suite_add_tcase(s, closed);
    TCase *ends = tcase_create("ends");
    tcase_add_loop_test(ends, a_rounding_behind_the_end, 0, 2);
    suite_add_tcase(s, ends);
    TCase *bits = tcase_create("bits");
    tcase_add_loop_test(bits, solves_stay_as_they_are, 0, 2);
    suite_add_tcase(s, bits);
    TCase *calls = tcase_create("calls");
    tcase_add_loop_test(calls, one_launch, 0, 3);
    tcase_add_test(calls, kept_once);
    tcase_add_test(calls, gone_once);
    suite_add_tcase(s, calls);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, options_are_refused);
    tcase_add_test(mistakes, questions_are_refused);
    tcase_add_loop_test(mistakes, goes_on_when_there_is_memory, 0, 2);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
