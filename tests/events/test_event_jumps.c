// SPDX-License-Identifier: Apache-2.0
// Events on a way across jumps of f, whose solutions are polynomials of t between them: times and
// gradients of a ball that is kicked, events beside jumps, what is observed, and the grid.
#include "evonode/event.h"
#include "plan/real.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { BALLS = 2 };

static const double kick = 0.3;

static evn_solver_options jumping(int steps, const double *jumps, int count) {
    evn_solver_options options = rig_options(1e-10);
    options.method = steps > 0 ? "rk4" : "dopri5";
    options.steps = steps;
    options.jumps = jumps;
    options.jump_count = count;
    return options;
}

/// 1 from the jump on, 0 before it.
static evn_value behind(evn_graph *f, evn_value t, double jump) {
    evn_value earlier = evn_step(f, evn_sub(f, evn_constant(f, jump), t));
    return evn_sub(f, evn_constant(f, 1), earlier);
}

// A ball ------------------------------------------------------------------------------------------

/// x [rows, 2]: height and velocity; it falls at 10, from the kick on at 2.
static evn_dynamics *ball(int rows) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(rows, 2));
    evn_value fall = evn_sub(f, evn_scale(f, behind(f, t, kick), 8), evn_constant(f, 10));
    evn_value falls = evn_mul(f, evn_full(f, EVN_SHAPE(rows, 1), 1), fall);
    const evn_value slopes[] = {rig_column(f, x, 1), falls};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return rig_dynamics(f, NULL);
}

/// When it comes down, with what velocity, and derivatives of that time by height and velocity.
typedef struct fall {
    double t, v, by[2];
} fall;

static fall fall_of(const double *x0) {
    double early = (x0[1] + sqrt(x0[1] * x0[1] + 20 * x0[0])) / 10;
    if (early < kick) {
        double v = x0[1] - 10 * early;
        return (fall){early, v, {-1 / v, -early / v}};
    }
    double h = x0[0] + x0[1] * kick - 5 * kick * kick, v = x0[1] - 10 * kick;
    double late = (v + sqrt(v * v + 4 * h)) / 2, end = v - 2 * late;
    return (fall){kick + late, end, {-1 / end, -(kick + late) / end}};
}

static void check_fall(const double *x0, double t, const double *x, const double *bar) {
    const fall f = fall_of(x0);
    ck_assert_double_eq_tol(t, f.t, 1e-12);
    ck_assert_double_eq_tol(x[0], 0, 1e-12);
    ck_assert_double_eq_tol(x[1], f.v, 1e-12);
    ck_assert_double_eq_tol(bar[0], f.by[0], 1e-10);
    ck_assert_double_eq_tol(bar[1], f.by[1], 1e-10);
}

/// The gradient of the times of all that has fallen.
static void differentiate(rig *r, double *bar) {
    static const double zeros[2 * BALLS], ones[BALLS] = {1, 1};
    evn_binding x0_bar;
    TRY(evn__real_write(r->x1_bar, true, zeros, (size_t)r->size));
    const evn_event_bars bars = {.x1_bar = r->x1_bar, .t_bar = ones};
    TRY(evn_solve_to_event_gradient(r->solver, &bars, &x0_bar, NULL, NULL));
    TRY(evn__real_read(x0_bar, true, bar, (size_t)r->size));
}

/// By fixed and adaptive steps, and where each ball has its own.
START_TEST(ball_that_is_kicked) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_ADJOINT};
    static const double x0[] = {3, 0.5, 0.2, -1};
    bool own = _i == 2;
    evn_graph *height = rig_component(own ? BALLS : 1, 2, 0);
    const evn_event event = {height, EVN_EVENT_FALLING, true};
    evn_solver_options options = jumping(_i == 0 ? 3 : 0, &kick, 1);
    options.per_sample = own;
    for (int i = 0; i < (own ? 1 : 3); ++i) {
        options.gradient = gradients[i];
        rig r = rig_new(ball(own ? BALLS : 1), &options, &event, 1);
        double x1[2 * BALLS], bar[2 * BALLS];
        for (int one = 0; one < BALLS; one += own ? BALLS : 1) {
            rig_solve(&r, 0, 4, x0 + 2 * one, x1);
            ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
            differentiate(&r, bar);
            for (int k = 0; k < r.size / 2; ++k) {
                evn_solution solution;
                TRY(evn_event_solver_sample_solution(r.solver, k, &solution));
                check_fall(x0 + 2 * (one + k), solution.t, x1 + 2 * k, bar + 2 * k);
            }
        }
        rig_free(&r);
    }
    evn_graph_destroy(&height);
}
END_TEST

// Beside a jump -----------------------------------------------------------------------------------

/// x' = −1, from 1 on `then`.
static evn_dynamics *line(double then) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR);
    evn_input(f, "x", EVN_SHAPE(1, 1));
    evn_value slope = evn_sub(f, evn_scale(f, behind(f, t, 1), then + 1), evn_constant(f, 1));
    evn_output(f, "dx", evn_mul(f, evn_full(f, EVN_SHAPE(1, 1), 1), slope));
    return rig_dynamics(f, NULL);
}

/// x is 0 at a jump, or a little before or behind it: f that goes on in its direction passes 0
/// once; one that turns around twice, or not at all, and at the jump itself once at most.
START_TEST(events_beside_a_jump) {
    static const double jump = 1, off[] = {0, -1e-9, 1e-9};
    static const struct {
        double then;
        int least[3], most[3];
    } expected[] = {{-2, {1, 1, 1}, {1, 1, 1}}, {1, {0, 2, 0}, {1, 2, 0}}};
    evn_graph *x = rig_component(1, 1, 0);
    const evn_event event = {x, EVN_EVENT_EITHER, false};
    for (int k = 0; k < 2; ++k) {
        double then = expected[k].then;
        const evn_solver_options options = jumping(_i == 0 ? 4 : 0, &jump, 1);
        rig r = rig_new(line(then), &options, &event, 1);
        for (int i = 0; i < 3; ++i) {
            double x0 = 1 + off[i], x1;
            rig_solve(&r, 0, 3, &x0, &x1);
            int count = evn_event_solver_occurrence_count(r.solver);
            ck_assert_double_eq_tol(x1, off[i] + 2 * then, 1e-12);
            ck_assert_int_ge(count, expected[k].least[i]);
            ck_assert_int_le(count, expected[k].most[i]);
            for (int n = 0; n < count; ++n) {
                bool late = n > 0 || off[i] > 0;
                double t = late ? 1 - off[i] / then : 1 + off[i];
                ck_assert_double_eq_tol(rig_occurrence(&r, n).t, t, 1e-14);
            }
        }
        rig_free(&r);
    }
    evn_graph_destroy(&x);
}
END_TEST

/// Against the direction of time f has its later value at the jump, which is not passed before.
START_TEST(backwards) {
    static const double jump = 1, x0 = 1;
    evn_graph *x = rig_component(1, 1, 0);
    const evn_event event = {x, EVN_EVENT_FALLING, true};
    evn_solver_options options = jumping(_i == 0 ? 4 : 0, &jump, 1);
    options.gradient = EVN_GRADIENT_BACKPROP;
    rig r = rig_new(line(2), &options, &event, 1); // 1 at 1.25, 0.5 at the jump, then it rises
    double x1, bar;
    rig_solve(&r, 1.25, -3, &x0, &x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_double_eq_tol(x1, 4.5, 1e-12);
    rig_free(&r);
    r = rig_new(line(-3), &options, &event, 1);
    const double below = -1; // rises from −1 at 2 to 2 at the jump and on: no zero that falls
    rig_solve(&r, 2, 0, &below, &x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_double_eq_tol(x1, 3, 1e-12);
    rig_free(&r);
    options.jumps = &jump;
    const evn_event rising = {x, EVN_EVENT_RISING, true};
    r = rig_new(line(-1), &options, &rising, 1);
    const double far = -2; // 0 at t = 0, behind the jump
    rig_solve(&r, 2, -3, &far, &x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(r.solution.t, 0, 1e-14);
    differentiate(&r, &bar);
    ck_assert_double_eq_tol(bar, 1, 1e-12);
    rig_free(&r);
    evn_graph_destroy(&x);
}
END_TEST

/// An event that is another number behind a jump is found there, and the solve ends.
START_TEST(function_that_jumps) {
    static const double jump = 1, x0 = 3;
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value t = evn_input(e, "t", EVN_SCALAR);
    evn_input(e, "x", EVN_SHAPE(1, 1));
    evn_output(e, "e", evn_sub(e, behind(e, t, jump), evn_constant(e, 0.5)));
    const evn_event event = {e, EVN_EVENT_RISING, true};
    const evn_solver_options options = jumping(_i == 0 ? 4 : 0, &jump, 1);
    rig r = rig_new(line(5), &options, &event, 1);
    double x1;
    rig_solve(&r, 0, 3, &x0, &x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(r.solution.t, 1, 1e-14);
    ck_assert_double_eq_tol(x1, 2, 1e-13);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

// What is told of the way -------------------------------------------------------------------------

/// x where it is observed, at jumps and between them, and behind the event that ends it.
START_TEST(observations_across_jumps) {
    static const double jumps[] = {1, 1.5}, times[] = {0.1, 0.25, 0.3125, 0.375, 1}, x0 = 4;
    static const double expected[] = {3.6, 3, 3.5, 4, 5.5}, one[] = {1, 1, 1, 1, 1}, zero = 0;
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, "x", EVN_SHAPE(1, 1));
    evn_output(e, "e", evn_sub(e, x, evn_constant(e, 5.5)));
    const evn_event event = {e, EVN_EVENT_RISING, true};
    evn_solver_options options = jumping(_i == 0 ? 4 : 0, jumps, 2);
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.observations = 5;
    options.times = times;
    rig r = rig_new(line(2), &options, &event, 1);
    evn_buffer *bars = NULL;
    evn_binding series, x0_bar;
    double x1, got[5], bar;
    rig_solve(&r, 0, 4, &x0, &x1);
    ck_assert_double_eq_tol(r.solution.t, 2.25, 1e-13);
    TRY(evn_event_solver_observed(r.solver, &series));
    TRY(evn__real_read(series, true, got, 5));
    for (int i = 0; i < 5; ++i) {
        ck_assert_double_eq_tol(got[i], expected[i], 1e-12);
    }
    TRY(evn__real_create(test_device(), true, 5, &bars));
    TRY(evn__real_write((evn_binding){bars, 0}, true, one, 5));
    TRY(evn__real_write(r.x1_bar, true, &zero, 1));
    const evn_event_bars all = {.x1_bar = r.x1_bar, .observations = {bars, 0}};
    TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, NULL, NULL));
    TRY(evn__real_read(x0_bar, true, &bar, 1));
    ck_assert_double_eq_tol(bar, 4, 1e-12); // the last one is at the event, where x is 5.5 always
    evn_buffer_destroy(&bars);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// What is observed at a jump and is not finite ends the solve there: by fixed steps, the last of
/// which ends a digit before the jump.
START_TEST(not_finite_at_a_jump) {
    static const double jump = 1, time = 0.25, x0[] = {100, 1e200};
    evn_graph *f = NULL, *e = rig_component(1, 2, 0);
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, 2)), grows = rig_column(f, x, 1);
    const evn_value slopes[] = {evn_full(f, EVN_SHAPE(1, 1), -1), evn_mul(f, grows, grows)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    const evn_event event = {e, EVN_EVENT_FALLING, true};
    evn_solver_options options = jumping(4, &jump, 1);
    options.observations = 1;
    options.times = &time;
    rig r = rig_new(rig_dynamics(f, NULL), &options, &event, 1);
    ck_assert_int_eq(rig_try(&r, 0, 4, x0), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "observation 1, of t = 1,"));
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// From t0 to where each ball has come down, by way of the jump; as many steps as are told. They
/// count over all parts.
START_TEST(grid_is_that_of_each_sample) {
    static const double x0[] = {3, 0.5, 0.2, -1};
    evn_graph *height = rig_component(BALLS, 2, 0);
    const evn_event event = {height, EVN_EVENT_FALLING, true};
    evn_solver_options options = jumping(0, &kick, 1);
    options.per_sample = true;
    options.dt_max = 0.2;
    rig r = rig_new(ball(BALLS), &options, &event, 1);
    double x1[2 * BALLS], times[64];
    rig_solve(&r, 0, 4, x0, x1);
    for (int k = 0; k < BALLS; ++k) {
        evn_solution solution;
        bool meets = false;
        TRY(evn_event_solver_sample_solution(r.solver, k, &solution));
        ck_assert_int_lt(solution.accepted, 64);
        TRY(evn_event_solver_grid(r.solver, k, times, solution.accepted + 1));
        ck_assert(times[0] == 0 && times[solution.accepted] == solution.t);
        for (int i = 0; i < solution.accepted; ++i) {
            ck_assert(times[i] < times[i + 1] && times[i + 1] - times[i] <= 0.2 * (1 + 1e-12));
            meets = meets || times[i] == kick;
        }
        ck_assert(meets == (solution.t > kick));
        REFUSED(evn_event_solver_grid(r.solver, k, times, solution.accepted));
    }
    REFUSED(evn_event_solver_grid(r.solver, BALLS, times, 1));
    options.max_steps = r.solution.accepted + r.solution.rejected - 1;
    rig_free(&r);
    r = rig_new(ball(BALLS), &options, &event, 1);
    ck_assert_int_eq(rig_try(&r, 0, 4, x0), EVN_ERR_SOLVER);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    rig_free(&r);
    evn_graph_destroy(&height);
}
END_TEST

/// x' = −1e4 (x − cos t) in parts, none of which needs all steps; x + 1 is never 0.
START_TEST(stiff_ways_are_named) {
    static const double often[] = {0.01, 0.02, 0.03, 0.04, 0.05}, x0[BALLS] = {0, 0.5};
    evn_graph *f = NULL, *never = NULL;
    TRY(evn_graph_create(&f));
    TRY(evn_graph_create(&never));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(BALLS, 1));
    evn_output(f, "dx", evn_scale(f, evn_sub(f, x, evn_cos(f, t)), -1e4));
    evn_input(never, "t", EVN_SCALAR);
    evn_value at = evn_input(never, "x", EVN_SHAPE(BALLS, 1));
    evn_output(never, "e", evn_add(never, at, evn_constant(never, 1)));
    const evn_event event = {never, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-6);
    options.jumps = often;
    options.jump_count = 5;
    options.max_steps = 120;
    options.per_sample = true;
    rig r = rig_new(rig_dynamics(f, NULL), &options, &event, 1);
    ck_assert_int_eq(rig_try(&r, 0, 1, x0), EVN_ERR_SOLVER);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "Take an implicit one"));
    for (int i = 0; i < BALLS; ++i) {
        evn_solution one;
        TRY(evn_event_solver_sample_solution(r.solver, i, &one));
        ck_assert_int_eq(one.accepted + one.rejected, options.max_steps);
        ck_assert(one.t > often[0] && one.t < 0.1);
        ck_assert_double_eq_tol(one.decay, 1e4, 500);
    }
    rig_free(&r);
    evn_graph_destroy(&never);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event_jumps");
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, ball_that_is_kicked, 0, 3);
    tcase_add_loop_test(values, events_beside_a_jump, 0, 2);
    tcase_add_loop_test(values, backwards, 0, 2);
    tcase_add_loop_test(values, function_that_jumps, 0, 2);
    suite_add_tcase(s, values);
    TCase *told = tcase_create("told");
    tcase_add_loop_test(told, observations_across_jumps, 0, 2);
    tcase_add_test(told, not_finite_at_a_jump);
    tcase_add_test(told, grid_is_that_of_each_sample);
    tcase_add_test(told, stiff_ways_are_named);
    suite_add_tcase(s, told);
    return s;
}

int main(void) {
    return test_run(suite());
}
