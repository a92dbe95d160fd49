// SPDX-License-Identifier: Apache-2.0
// Events: directions, order and ends on an oscillator, of the batch and of each sample; bad input.
#include "evonode/event.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/// q falls through 0 at π/2, rises at 3π/2; v is 0 at the start, −sin t, and comes to 0 at π, 2π.
START_TEST(directions) {
    static const struct {
        evn_event_direction direction;
        double q[4], v[4]; // ends with 0
    } expected[] = {
        [EVN_EVENT_EITHER] = {EVN_EVENT_EITHER, {0.5, 1.5, 2.5}, {1, 2}},
        [EVN_EVENT_RISING] = {EVN_EVENT_RISING, {1.5}, {1}},
        [EVN_EVENT_FALLING] = {EVN_EVENT_FALLING, {0.5, 2.5}, {2}},
    };
    static const double x0[] = {1, 0};
    evn_graph *functions[] = {rig_component(1, 2, 0), rig_component(1, 2, 1)};
    const evn_event events[] = {{functions[0], expected[_i].direction, false},
                                {functions[1], expected[_i].direction, false}};
    evn_solver_options options = rig_options(1e-11);
    rig r = rig_new(rig_oscillator(1), &options, events, 2);
    double x1[2], before = 0;
    int seen[2] = {0};
    rig_solve(&r, 0, 9, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_double_eq_tol(x1[0], cos(9), 1e-9);
    for (int i = 0; i < evn_event_solver_occurrence_count(r.solver); ++i) {
        evn_occurrence o = rig_occurrence(&r, i);
        const double *list = o.event == 0 ? expected[_i].q : expected[_i].v;
        double t = list[seen[o.event]++] * pi;
        ck_assert_double_eq_tol(o.t, t, 1e-9);
        ck_assert_double_le(fabs(o.x[o.event]), 1e-14);
        ck_assert_double_eq_tol(o.x[0], cos(t), 1e-9);
        ck_assert(o.t > before);
        before = o.t;
    }
    ck_assert(expected[_i].q[seen[0]] == 0 && expected[_i].v[seen[1]] == 0);
    rig_free(&r);
    evn_graph_destroy(&functions[0]);
    evn_graph_destroy(&functions[1]);
}
END_TEST

/// Of several within one long step the first terminal one ends the solve, and what is behind it is
/// not there; also against the direction of time.
START_TEST(first_terminal_event_ends) {
    static const double levels[] = {0.2, -0.1, -0.2, 0.1}, x0[] = {1, 0};
    static const int order[] = {0, 3, 1};
    evn_event events[4];
    evn_graph *functions[4];
    for (int i = 0; i < 4; ++i) {
        functions[i] = NULL;
        TRY(evn_graph_create(&functions[i]));
        evn_value x = evn_input(functions[i], "x", EVN_SHAPE(1, 2));
        evn_output(functions[i], "e",
                   evn_sub(functions[i], rig_column(functions[i], x, 0),
                           evn_constant(functions[i], levels[i])));
        events[i] = (evn_event){functions[i], EVN_EVENT_EITHER, i == 1 || i == 2};
    }
    evn_solver_options options = rig_options(1e-3);
    options.method = "dop853";
    options.dt_first = 2;
    rig r = rig_new(rig_oscillator(1), &options, events, 4);
    double x1[2], t1 = _i == 0 ? 3 : -3;
    rig_solve(&r, 0, t1, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 3);
    for (int i = 0; i < 3; ++i) {
        evn_occurrence o = rig_occurrence(&r, i);
        ck_assert_int_eq(o.event, order[i]);
        ck_assert_double_eq_tol(fabs(o.t), acos(levels[order[i]]), 1e-3);
        ck_assert_double_eq_tol(o.x[0], levels[order[i]], 1e-14);
    }
    ck_assert(r.solution.t == rig_occurrence(&r, 2).t && r.solution.accepted == 1);
    ck_assert_double_eq_tol(x1[0], levels[1], 1e-14);
    rig_free(&r);
    for (int i = 0; i < 4; ++i) {
        evn_graph_destroy(&functions[i]);
    }
}
END_TEST

/// q + level.
static evn_graph *shifted(double level) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, "x", EVN_SHAPE(1, 2));
    evn_output(e, "e", evn_add(e, evn_constant(e, level), rig_column(e, x, 0)));
    return e;
}

/// No event: the end, and the same there as a solver has it.
START_TEST(without_event) {
    static const double x0[] = {1, 0};
    evn_graph *e = shifted(2);
    const evn_event event = {e, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-10);
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.steps = _i == 0 ? 0 : 400;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    double x1[2], x_bar[] = {1, 0}, t_bar = NAN; // there is no time that it could be of
    evn_binding x0_bar;
    rig_solve(&r, 0, 5, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 0);
    ck_assert(r.solution.t == 5);
    ck_assert_double_eq_tol(x1[0], cos(5), 1e-8);
    TRY(evn__real_write(r.x1_bar, true, x_bar, 2));
    const evn_event_bars bars = {.x1_bar = r.x1_bar, .t_bar = &t_bar};
    TRY(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, r.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, x_bar, 2));
    ck_assert_double_eq_tol(x_bar[0], cos(5), 1e-8);
    ck_assert_double_eq_tol(x_bar[1], sin(5), 1e-8);
    rig_solve(&r, 2, 2, x0, x1); // no way
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert(x1[0] == 1 && x1[1] == 0);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// Where nothing is met, the steps of a solver, and its bits: with a first step that is too long,
/// in both precisions, also where times are few, and with bounds of the step.
START_TEST(steps_are_those_of_a_solver) {
    static const struct {
        bool fp64;
        double t0, t1, dt_max;
        int steps;
    } ways[] = {{true, 0, 9, 0, 0},    {true, 3, -9, 0.2, 0},   {false, 0, 9, 0, 0},
                {false, 0, 9, 0.2, 0}, {false, 500, 509, 0, 0}, {false, 500, 503, 0, 40}};
    static const double x0[] = {1, 0};
    evn_dynamics *dynamics = rig_oscillator(1);
    evn_graph *e = shifted(2);
    const evn_event event = {e, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-5);
    options.fp64 = ways[_i].fp64;
    options.dt_first = 3;
    options.dt_max = ways[_i].dt_max;
    options.steps = ways[_i].steps;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    evn_solver *solver = NULL;
    evn_solution solution;
    evn_binding x1;
    double x[2], y[2];
    TRY(evn_solver_create(test_device(), dynamics, &options, &solver));
    rig_solve(&r, ways[_i].t0, ways[_i].t1, x0, x);
    TRY(evn_solve(solver, ways[_i].t0, ways[_i].t1, r.x0, NULL, &x1, &solution));
    TRY(evn__real_read(x1, r.fp64, y, 2));
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert(r.solution.t == ways[_i].t1);
    if (options.steps == 0) {
        ck_assert(solution.rejected > 0 || options.dt_max > 0);
        ck_assert_int_eq(r.solution.accepted, solution.accepted);
        ck_assert_int_eq(r.solution.rejected, solution.rejected);
    }
    for (int i = 0; i < 2; ++i) {
        ck_assert_double_eq_tol(x[i], y[i], options.fp64 ? 1e-14 : 2e-6);
    }
    evn_solver_destroy(&solver);
    evn_dynamics_destroy(&dynamics);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// f is not a number behind t1, and the start looks no further, also where t0 + (t1 − t0) is seen
/// there.
START_TEST(nothing_is_evaluated_behind_the_end) {
    const double t0 = 0.3747455962350339, t1 = 0.42121336102542162, x0 = 1000;
    evn_graph *f = NULL, *e = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR);
    evn_input(f, "x", EVN_SHAPE(1, 1));
    evn_value left = evn_sqrt(f, evn_sub(f, evn_constant(f, t1), t));
    evn_output(f, "dx", evn_broadcast(f, left, EVN_SHAPE(1, 1)));
    TRY(evn_graph_create(&e));
    evn_output(e, "e", evn_input(e, "x", EVN_SHAPE(1, 1)));
    const evn_event event = {e, EVN_EVENT_EITHER, true};
    evn_solver_options options = evn_solver_options_default();
    options.per_sample = _i == 1;
    rig r = rig_new(rig_dynamics(f, NULL), &options, &event, 1);
    double x1;
    rig_solve(&r, t0, t1, &x0, &x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// Events at one time: the one that ended the solve is the last, and all are there.
START_TEST(events_at_one_time) {
    static const double x0[] = {1, 0, 0.1, 0};
    static const int order[] = {3, 0, 2, 1};
    bool own = _i >= 2;
    int64_t rows = own ? 2 : 1;
    evn_graph *functions[4];
    evn_event events[4];
    for (int i = 0; i < 4; ++i) { // (i + 1) (q − 0.2), and q − 0.5
        evn_graph *g = functions[i] = NULL;
        TRY(evn_graph_create(&g));
        evn_value q = rig_column(g, evn_input(g, "x", EVN_SHAPE(rows, 2)), 0);
        evn_value above = evn_sub(g, q, evn_constant(g, i == 3 ? 0.5 : 0.2));
        evn_output(g, "e", evn_scale(g, above, i + 1));
        functions[i] = g;
        events[i] = (evn_event){g, EVN_EVENT_EITHER, i == 1};
    }
    evn_solver_options options = rig_options(1e-9);
    options.per_sample = own;
    rig r = rig_new(rig_oscillator((int)rows), &options, events, 4);
    double x1[4], t1 = _i % 2 ? -3 : 3;
    int event;
    rig_solve(&r, 0, t1, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    TRY(evn_event_solver_ended_with(r.solver, 0, &event));
    ck_assert_int_eq(event, 1);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 4);
    for (int i = 0; i < 4; ++i) {
        evn_occurrence o = rig_occurrence(&r, i);
        ck_assert_int_eq(o.event, order[i]);
        ck_assert_double_eq_tol(fabs(o.t), acos(i == 0 ? 0.5 : 0.2), 1e-8);
    }
    if (own) {
        TRY(evn_event_solver_ended_with(r.solver, 1, &event));
        ck_assert_int_eq(event, -1);
    }
    rig_free(&r);
    for (int i = 0; i < 4; ++i) {
        evn_graph_destroy(&functions[i]);
    }
}
END_TEST

/// Samples that end at different times, one of them with no event, as each does alone, bit for bit.
START_TEST(samples_end_by_themselves) {
    static const double x0[] = {1, 0, 0.5, 0.5, 1, 0, 0.2, 0.1}, t0[] = {0, 1, 0, -1};
    static const double t1[] = {3, 9, 1, -9};
    evn_solver_options options = rig_options(1e-9);
    options.per_sample = true;
    evn_graph *many = rig_component(4, 2, 0), *one = rig_component(1, 2, 0);
    const evn_event among = {many, EVN_EVENT_EITHER, true}, alone = {one, EVN_EVENT_EITHER, true};
    rig r = rig_new(rig_oscillator(4), &options, &among, 1);
    rig q = rig_new(rig_oscillator(1), &options, &alone, 1);
    const evn_sample_times times = {.t0 = t0, .t1 = t1};
    double x1[8], y1[2];
    TRY(evn__real_write(r.x0, true, x0, 8));
    TRY(evn_solve_samples_to_event(r.solver, &times, r.x0, NULL, &r.x1, NULL));
    TRY(evn__real_read(r.x1, true, x1, 8));
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 3);
    for (int i = 0; i < 4; ++i) {
        evn_solution own, single;
        const evn_sample_times same = {.t0 = t0 + i, .t1 = t1 + i};
        TRY(evn__real_write(q.x0, true, x0 + 2 * (size_t)i, 2));
        TRY(evn_solve_samples_to_event(q.solver, &same, q.x0, NULL, &q.x1, NULL));
        TRY(evn__real_read(q.x1, true, y1, 2));
        TRY(evn_event_solver_sample_solution(r.solver, i, &own));
        TRY(evn_event_solver_sample_solution(q.solver, 0, &single));
        ck_assert_int_eq(own.outcome, i == 2 ? EVN_OUTCOME_DONE : EVN_OUTCOME_EVENT);
        ck_assert(own.t == single.t && own.nfe == single.nfe);
        ck_assert(x1[2 * i] == y1[0] && x1[2 * i + 1] == y1[1]);
    }
    rig_free(&r);
    rig_free(&q);
    evn_graph_destroy(&many);
    evn_graph_destroy(&one);
}
END_TEST

/// Late, where single precision has few times: still 0 but for rounding.
START_TEST(single_precision) {
    static const double x0[] = {1, 0};
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-6;
    options.per_sample = _i == 1;
    evn_graph *e = rig_component(1, 2, 0);
    const evn_event event = {e, EVN_EVENT_RISING, true};
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    double x1[2], t0 = 100;
    rig_solve(&r, t0, 110, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(r.solution.t, t0 + 1.5 * pi, 5e-5);
    ck_assert_double_le(fabs(x1[0]), 1e-5);
    ck_assert(x1[0] >= 0);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

// Bad input ---------------------------------------------------------------------------------------

static evn_graph *one_output(const char *input, evn_shape shape, bool logarithm) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, input, shape);
    evn_output(e, "e", logarithm ? evn_log(e, evn_sum_all(e, x)) : x);
    return e;
}

static void refuse(const evn_solver_options *options, const evn_event *events, int count) {
    evn_dynamics *dynamics = rig_oscillator(2);
    evn_event_solver *solver = NULL;
    REFUSED(evn_event_solver_create(test_device(), dynamics, options, events, count, &solver));
    ck_assert_ptr_null(solver);
    evn_dynamics_destroy(&dynamics);
}

START_TEST(wrong_events_are_refused) {
    evn_graph *unknown = one_output("y", EVN_SCALAR, false);
    evn_graph *many = one_output("x", EVN_SHAPE(2, 2), false);
    evn_graph *other = one_output("x", EVN_SHAPE(3), true);
    evn_graph *mixes = one_output("x", EVN_SHAPE(2, 2), true);
    evn_graph *good = rig_component(2, 2, 0), *none = NULL;
    TRY(evn_graph_create(&none));
    evn_solver_options options = rig_options(1e-6), own = options;
    own.per_sample = true;
    evn_graph *const bad[] = {unknown, many, other, none, NULL, good}; // the last: one number a row
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
        refuse(&options, &(evn_event){bad[i], EVN_EVENT_EITHER, true}, 1);
    }
    refuse(&own, &(evn_event){mixes, EVN_EVENT_EITHER, true}, 1);
    refuse(&own, &(evn_event){good, (evn_event_direction)7, true}, 1);
    refuse(&own, &(evn_event){good, EVN_EVENT_EITHER, true}, 0);
    own.observations = -1;
    refuse(&own, &(evn_event){good, EVN_EVENT_EITHER, true}, 1);
    own.observations = 2;
    own.times_vary = true;
    refuse(&own, &(evn_event){good, EVN_EVENT_EITHER, true}, 1);
    own.observations = 0;
    own.times_vary = false;
    own.dense = true;
    refuse(&own, &(evn_event){good, EVN_EVENT_EITHER, true}, 1);
    evn_graph_destroy(&unknown);
    evn_graph_destroy(&many);
    evn_graph_destroy(&other);
    evn_graph_destroy(&mixes);
    evn_graph_destroy(&none);
    evn_graph_destroy(&good);
}
END_TEST

/// log x: NaN once x is below 0, −∞ at 0; at the start, and on the way.
START_TEST(events_that_are_not_finite) {
    static const double x0[][2] = {{-1, 0}, {1, 0}};
    evn_graph *e = one_output("x", EVN_SHAPE(1, 2), true);
    const evn_event event = {e, EVN_EVENT_RISING, true};
    evn_solver_options options = rig_options(1e-6);
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    ck_assert_int_eq(rig_try(&r, 0, 3, x0[_i]), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "event 0"));
    evn_binding x0_bar;
    const evn_event_bars bars = {.x1_bar = r.x1_bar};
    REFUSED(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, NULL, NULL));
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// Steps run out, as a solver's do.
START_TEST(stops) {
    static const double x0[] = {1, 0};
    evn_graph *e = rig_component(1, 2, 0);
    const evn_event event = {e, EVN_EVENT_RISING, true};
    evn_solver_options options = rig_options(1e-10);
    options.max_steps = 3;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    ck_assert_int_eq(rig_try(&r, 0, 3, x0), EVN_ERR_SOLVER);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    REFUSED(rig_try(&r, 0, NAN, x0));
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 0);
    evn_occurrence o;
    REFUSED(evn_event_solver_occurrence(r.solver, 0, &o));
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

/// The time at which the sign of q jumps has no derivative.
START_TEST(jumping_functions) {
    static const double x0[] = {1, 0};
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, "x", EVN_SHAPE(1, 2));
    evn_output(e, "e", evn_sign(e, rig_column(e, x, 0)));
    const evn_event event = {e, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-10);
    options.gradient = EVN_GRADIENT_BACKPROP;
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    double x1[2], x_bar[] = {1, 1};
    evn_binding x0_bar;
    rig_solve(&r, 0, 3, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
    ck_assert_double_eq_tol(r.solution.t, pi / 2, 1e-9);
    TRY(evn__real_write(r.x1_bar, true, x_bar, 2));
    const evn_event_bars bars = {.x1_bar = r.x1_bar};
    evn_status status = evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, NULL, NULL);
    ck_assert_int_eq(status, EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no derivative"));
    ck_assert_ptr_null(strstr(evn_error_message(), "sample")); // there are none
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

// Advice ------------------------------------------------------------------------------------------

/// x' = −1e4 (x − cos t) up to a zero of x + 1 that never comes.
static evn_graph *relaxation(int rows) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(rows, 1), &t, &x);
    evn_output(f, "dx", evn_scale(f, evn_sub(f, x, evn_cos(f, t)), -1e4));
    return f;
}

/// x + 1 of each row.
static evn_graph *never(int rows) {
    evn_value t, x;
    evn_graph *e = problem_begin(EVN_SHAPE(rows, 1), &t, &x);
    evn_output(e, "e", evn_add(e, x, evn_constant(e, 1)));
    return e;
}

/// In the words that a solve without events has; the state is where the solve stopped.
START_TEST(stiff_rows_are_told) {
    static const double x0[] = {0, 0.5};
    const int rows = _i ? 2 : 1;
    evn_graph *function = never(rows);
    const evn_event event = {function, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-6);
    options.max_steps = 200;
    options.per_sample = _i;
    rig r = rig_new(rig_dynamics(relaxation(rows), NULL), &options, &event, 1);
    double x1[2];
    ck_assert_int_eq(rig_try(&r, 0, 1, x0), EVN_ERR_SOLVER);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "Take an implicit one"));
    TRY(evn__real_read(r.x1, true, x1, (size_t)rows));
    for (int i = 0; i < rows; ++i) {
        evn_solution one;
        TRY(evn_event_solver_sample_solution(r.solver, i, &one));
        ck_assert_double_eq_tol(one.decay, 1e4, 200);
        ck_assert_double_eq_tol(x1[i], cos(one.t), 1e-3);
    }
    rig_free(&r);
    evn_graph_destroy(&function);
}
END_TEST

/// Equations of x' = −x³ in a step of 100, and shorter ones are not allowed.
START_TEST(unsolved_rows_are_told) {
    static const double x0[] = {1, 0.01};
    const int rows = _i ? 2 : 1;
    evn_value t, x;
    evn_graph *function = never(rows), *f = problem_begin(EVN_SHAPE(rows, 1), &t, &x);
    evn_output(f, "dx", evn_neg(f, evn_mul(f, x, evn_mul(f, x, x))));
    const evn_event event = {function, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-3);
    options.method = "implicit_euler";
    options.dt_first = 100;
    options.dt_min = 50;
    options.per_sample = _i;
    rig r = rig_new(rig_dynamics(f, NULL), &options, &event, 1);
    ck_assert_int_eq(rig_try(&r, 0, 100, x0), EVN_ERR_SOLVER);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_NEWTON_FAILED);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "equations of a step were not solved"));
    rig_free(&r);
    evn_graph_destroy(&function);
}
END_TEST

/// A function that is 0 from the start on has no event: the solve goes to its end, and says so.
START_TEST(functions_that_are_0) {
    static const double x0[] = {1, 0};
    evn_graph *zero = NULL;
    TRY(evn_graph_create(&zero));
    evn_value x = evn_input(zero, "x", EVN_SHAPE(1, 2));
    evn_output(zero, "e", evn_scale(zero, rig_column(zero, x, 0), 0));
    const evn_event event = {zero, EVN_EVENT_EITHER, true};
    evn_solver_options options = rig_options(1e-6);
    rig r = rig_new(rig_oscillator(1), &options, &event, 1);
    double x1[2];
    rig_solve(&r, 0, 1, x0, x1);
    ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), 0);
    ck_assert_double_eq_tol(x1[0], cos(1), 1e-5);
    rig_free(&r);
    evn_graph_destroy(&zero);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event");
    TCase *found = tcase_create("found");
    tcase_add_loop_test(found, directions, 0, 3);
    tcase_add_loop_test(found, first_terminal_event_ends, 0, 2);
    tcase_add_loop_test(found, without_event, 0, 2);
    tcase_add_loop_test(found, steps_are_those_of_a_solver, 0, 6);
    tcase_add_loop_test(found, nothing_is_evaluated_behind_the_end, 0, 2);
    tcase_add_loop_test(found, events_at_one_time, 0, 4);
    tcase_add_test(found, samples_end_by_themselves);
    tcase_add_loop_test(found, single_precision, 0, 2);
    suite_add_tcase(s, found);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, wrong_events_are_refused);
    tcase_add_loop_test(mistakes, events_that_are_not_finite, 0, 2);
    tcase_add_test(mistakes, stops);
    tcase_add_test(mistakes, jumping_functions);
    tcase_add_test(mistakes, functions_that_are_0);
    suite_add_tcase(s, mistakes);
    TCase *advice = tcase_create("advice");
    tcase_add_loop_test(advice, stiff_rows_are_told, 0, 2);
    tcase_add_loop_test(advice, unsolved_rows_are_told, 0, 2);
    suite_add_tcase(s, advice);
    return s;
}

int main(void) {
    return test_run(suite());
}
