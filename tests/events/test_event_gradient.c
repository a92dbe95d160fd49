// SPDX-License-Identifier: Apache-2.0
// Gradients through the times of events: the bouncing ball against its closed form, by every
// gradient; a curved event of time and weights against differences.
#include "evonode/event.h"
#include "plan/real.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

// The bouncing ball -------------------------------------------------------------------------------

/// x [balls, 2], height and velocity: h' = v, v' = −gravity.
static evn_dynamics *ball(int balls) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(balls, 2));
    evn_value gravity = evn_input(f, "gravity", EVN_SCALAR);
    const evn_value slopes[] = {rig_column(f, x, 1),
                                evn_broadcast(f, evn_neg(f, gravity), EVN_SHAPE(balls, 1))};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return rig_dynamics(f, NULL);
}

static const struct {
    const char *name;
    const char *method;
    evn_gradient gradient;
    int steps, checkpoints;
    bool per_sample;
} ways[] = {
    {"backprop, fixed", "rk4", EVN_GRADIENT_BACKPROP, 7, 0, false},
    {"checkpoints, fixed", "rk4", EVN_GRADIENT_CHECKPOINTED, 7, 3, false},
    {"reversible, fixed", "rk4", EVN_GRADIENT_REVERSIBLE, 7, 0, false},
    {"backprop, adaptive", "dopri5", EVN_GRADIENT_BACKPROP, 0, 0, false},
    {"checkpointed, adaptive", "tsit5", EVN_GRADIENT_CHECKPOINTED, 0, 2, false},
    {"adjoint, adaptive", "dopri5", EVN_GRADIENT_ADJOINT, 0, 0, false},
    {"adjoint-quadrature, adaptive", "dopri5", EVN_GRADIENT_ADJOINT_QUADRATURE, 0, 0, false},
    {"backprop, leapfrog", "leapfrog", EVN_GRADIENT_BACKPROP, 7, 0, false},
    {"backprop, own steps", "dopri5", EVN_GRADIENT_BACKPROP, 0, 0, true},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]), BOUNCES = 4 };

static evn_solver_options options_of(int way) {
    evn_solver_options options = rig_options(1e-12);
    options.method = ways[way].method;
    options.gradient = ways[way].gradient;
    options.steps = ways[way].steps;
    options.checkpoints = ways[way].checkpoints;
    options.per_sample = ways[way].per_sample;
    return options;
}

/// Of a ball from rest at `height`, up to the last of BOUNCES: the time, which is the loss, and 0.3
/// times its velocity there.
typedef struct flight {
    double t, v, t_by[3], v_by[3]; ///< and their derivatives by height, gravity and restitution
} flight;

static flight closed_form(double height, double gravity, double restitution) {
    flight f;
    double first = sqrt(2 * height / gravity), fall = sqrt(2 * height * gravity);
    double sum = 1, by = 0;
    for (int k = 1; k < BOUNCES; ++k) {
        sum += 2 * pow(restitution, k);
        by += 2 * k * pow(restitution, k - 1);
    }
    double kept = pow(restitution, BOUNCES - 1);
    f.t = first * sum;
    f.v = -kept * fall;
    f.t_by[0] = f.t / (2 * height);
    f.t_by[1] = -f.t / (2 * gravity);
    f.t_by[2] = first * by;
    f.v_by[0] = f.v / (2 * height);
    f.v_by[1] = f.v / (2 * gravity);
    f.v_by[2] = f.v * (BOUNCES - 1) / restitution;
    return f;
}

static void near(const char *what, double x, double exact, double *worst) {
    double error = fabs(x - exact) / fmax(1, fabs(exact));
    *worst = fmax(*worst, error);
    ck_assert_msg(error <= 1e-8, "%s: %.12g, should be %.12g", what, x, exact);
}

/// All balls at once only where each has a time of its own.
START_TEST(bouncing_ball) {
    static const double heights[] = {1.5, 0.4, 3};
    const double gravity = 9.81, restitution = 0.8, of_v = 0.3;
    int balls = ways[_i].per_sample ? 3 : 1;
    evn_solver_options options = options_of(_i);
    evn_graph *floor = rig_component(balls, 2, 0);
    const evn_event event = {floor, EVN_EVENT_FALLING, true};
    rig r = rig_new(ball(balls), &options, &event, 1);
    double start[BOUNCES][6] = {{0}}, x1[6], times[3] = {0}, impact[BOUNCES][3], worst = 0;
    TRY(evn__real_write(r.weights[0], true, &gravity, 1));
    for (int i = 0; i < balls; ++i) {
        start[0][2 * i] = heights[i];
    }
    for (int k = 0; k < BOUNCES; ++k) {
        rig_solve(&r, 0, 5, start[k], x1);
        ck_assert_int_eq(r.solution.outcome, EVN_OUTCOME_EVENT);
        ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), balls);
        for (int i = 0; i < balls; ++i) {
            evn_occurrence o = rig_occurrence(&r, i);
            ck_assert_int_eq(o.sample, i);
            ck_assert(o.x[0] == x1[2 * i] && o.x[1] == x1[2 * i + 1]);
            ck_assert_double_le(fabs(x1[2 * i]), 1e-13);
            times[i] += o.t;
            impact[k][i] = x1[2 * i + 1];
            if (k + 1 < BOUNCES) {
                start[k + 1][2 * i] = x1[2 * i];
                start[k + 1][2 * i + 1] = -restitution * x1[2 * i + 1];
            }
        }
    }
    // Back through the bounces, each flight solved again.
    double x_bar[6] = {0}, gravity_bar = 0, restitution_bar[3] = {0}, t_bar[] = {1, 1, 1};
    for (int i = 0; i < balls; ++i) {
        x_bar[2 * i + 1] = of_v;
    }
    for (int k = BOUNCES - 1; k >= 0; --k) {
        double share;
        evn_binding x0_bar;
        rig_solve(&r, 0, 5, start[k], x1);
        TRY(evn__real_write(r.x1_bar, true, x_bar, (size_t)r.size));
        const evn_event_bars bars = {.x1_bar = r.x1_bar, .t_bar = t_bar};
        TRY(evn_solve_to_event_gradient(r.solver, &bars, &x0_bar, r.weights_bar, &r.solution));
        TRY(evn__real_read(x0_bar, true, x_bar, (size_t)r.size));
        TRY(evn__real_read(r.weights_bar[0], true, &share, 1));
        gravity_bar += share;
        for (int i = 0; i < balls && k > 0; ++i) {
            restitution_bar[i] -= impact[k - 1][i] * x_bar[2 * i + 1];
            x_bar[2 * i + 1] *= -restitution;
        }
    }
    double of_gravity = 0;
    for (int i = 0; i < balls; ++i) {
        flight f = closed_form(heights[i], gravity, restitution);
        near("t", times[i], f.t, &worst);
        near("v", impact[BOUNCES - 1][i], f.v, &worst);
        near("by height", x_bar[2 * i], f.t_by[0] + of_v * f.v_by[0], &worst);
        near("by restitution", restitution_bar[i], f.t_by[2] + of_v * f.v_by[2], &worst);
        of_gravity += f.t_by[1] + of_v * f.v_by[1];
    }
    near("by gravity", gravity_bar, of_gravity, &worst);
    printf("%s: %.2g\n", ways[_i].name, worst);
    rig_free(&r);
    evn_graph_destroy(&floor);
}
END_TEST

// Events on the way ------------------------------------------------------------------------------

/// A ball that is thrown from 0, or comes from there where it is at `height` at 0: it passes the
/// height `level` on its way up and down, and has no velocity between.
enum { THROWN = 3, PASSES = 3, PASS_UP = 0, APEX = 1, PASS_DOWN = 2 };

/// One of these, with derivatives by height, velocity and gravity.
typedef struct pass {
    int event;
    double t, x[2], t_by[3], x_by[3][2];
} pass;

static pass pass_closed_form(int which, double level, double height, double velocity,
                             double gravity) {
    pass p = {.event = which == APEX};
    double left = velocity * velocity - 2 * gravity * (level - height);
    double root = which == APEX ? 1 : sqrt(left);
    double side = which - 1; // −1, 0, 1
    double root_by[] = {gravity / root, velocity / root, -(level - height) / root};
    p.t = (velocity + side * root) / gravity;
    p.t_by[0] = side * root_by[0] / gravity;
    p.t_by[1] = (1 + side * root_by[1]) / gravity;
    p.t_by[2] = side * root_by[2] / gravity - p.t / gravity;
    p.x[0] = which == APEX ? height + velocity * velocity / (2 * gravity) : level;
    p.x[1] = -side * root;
    for (int i = 0; i < 3; ++i) {
        p.x_by[i][1] = -side * root_by[i];
    }
    if (which == APEX) {
        p.x_by[0][0] = 1;
        p.x_by[1][0] = velocity / gravity;
        p.x_by[2][0] = -velocity * velocity / (2 * gravity * gravity);
    }
    return p;
}

/// Cotangents of what is found, which are those of no other.
static void make_bars(int count, evn_occurrence_bar *bars, double (*x_bars)[2]) {
    for (int i = 0; i < count; ++i) {
        x_bars[i][0] = 0.4 - 0.15 * i;
        x_bars[i][1] = -0.5 + 0.2 * i;
        bars[i] = (evn_occurrence_bar){0.7 - 0.3 * i, i % 3 == 2 ? NULL : x_bars[i]};
    }
}

/// Add what a pass adds to the derivatives of the loss.
static void add_pass(const pass *p, const evn_occurrence_bar *bar, double *by) {
    for (int i = 0; i < 3; ++i) {
        double of_x =
            bar->x_bar ? bar->x_bar[0] * p->x_by[i][0] + bar->x_bar[1] * p->x_by[i][1] : 0;
        by[i] += bar->t_bar * p->t_by[i] + of_x;
    }
}

static evn_graph *height_above(int rows, double level) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, "x", EVN_SHAPE(rows, 2));
    evn_output(e, "e", evn_sub(e, rig_column(e, x, 0), evn_constant(e, level)));
    return e;
}

/// By each gradient, forwards and backwards in time: the derivatives of what is found on the way,
/// in which each sample has events of its own, and one none of the first kind; against closed
/// forms.
static void check_thrown(int way, bool back, evn_event_direction direction) {
    static const double heights[] = {0.1, 0.3, 0.2}, velocities[] = {8, 2, 7};
    const double gravity = 9.81, level = 1.5, t1 = back ? -1.6 : 1.6, sign = back ? -1 : 1;
    int balls = ways[way].per_sample ? THROWN : 1, seen = 0;
    evn_solver_options options = options_of(way);
    options.time_gradient = true;
    options.dt_max = 0.3;
    evn_graph *above = height_above(balls, level), *still = rig_component(balls, 2, 1);
    const evn_event events[] = {{above, direction, false}, {still, EVN_EVENT_EITHER, false}};
    rig r = rig_new(ball(balls), &options, events, 2);
    evn_occurrence_bar bars[THROWN * PASSES];
    double x_bars[THROWN * PASSES][2], by[THROWN][3] = {{0}}, x0[6], x1[6], x1_bar[6], got[6];
    double gravity_bar, of_gravity = 0, worst = 0, t0_bar[THROWN];
    TRY(evn__real_write(r.weights[0], true, &gravity, 1));
    make_bars(THROWN * PASSES, bars, x_bars);
    for (int i = 0; i < balls; ++i) {
        x0[2 * i] = heights[i];
        x0[2 * i + 1] = sign * velocities[i];
        x1_bar[2 * i] = 0.2 + i;
        x1_bar[2 * i + 1] = 0.6 - i;
    }
    rig_solve(&r, 0, t1, x0, x1);
    for (int i = 0; i < balls; ++i) {
        double v = x0[2 * i + 1], *b = by[i];
        for (int k = 0; k < PASSES; ++k) {
            int which = back ? PASSES - 1 - k : k;
            bool rises = (which == PASS_UP) != back; // along the way, of the first event
            bool counts = which == APEX || (i != 1 && (direction == EVN_EVENT_EITHER ||
                                                       rises == (direction == EVN_EVENT_RISING)));
            if (counts) {
                pass p = pass_closed_form(which, level, heights[i], v, gravity);
                evn_occurrence o = rig_occurrence(&r, seen);
                ck_assert(o.sample == i && o.event == p.event);
                near("t", o.t, p.t, &worst);
                near("h", o.x[0], p.x[0], &worst);
                near("v", o.x[1], p.x[1], &worst);
                add_pass(&p, &bars[seen++], b);
            }
        }
        b[0] += x1_bar[2 * i];
        b[1] += x1_bar[2 * i] * t1 + x1_bar[2 * i + 1];
        b[2] -= x1_bar[2 * i] * t1 * t1 / 2 + x1_bar[2 * i + 1] * t1;
        of_gravity += b[2];
    }
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), seen);
    TRY(evn__real_write(r.x1_bar, true, x1_bar, (size_t)r.size));
    const evn_event_bars all = {.x1_bar = r.x1_bar, .occurrences = bars};
    for (int again = 0; again < 2; ++again) {
        evn_binding x0_bar;
        TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar, &r.solution));
        TRY(evn__real_read(x0_bar, true, got, (size_t)r.size));
        TRY(evn__real_read(r.weights_bar[0], true, &gravity_bar, 1));
        TRY(evn_solve_to_event_time_gradient(r.solver, t0_bar));
        for (int i = 0; i < balls; ++i) {
            near("by height", got[2 * i], by[i][0], &worst);
            near("by velocity", got[2 * i + 1], by[i][1], &worst);
            // A later start moves all that is found with it, and the way to t1 is shorter.
            near("by t0", t0_bar[i], -by[i][0] * x0[2 * i + 1] + by[i][1] * gravity, &worst);
        }
        near("by gravity", gravity_bar, of_gravity, &worst);
    }
    printf("%s, %s: %d found, %.2g\n", ways[way].name, back ? "back" : "on", seen, worst);
    rig_free(&r);
    evn_graph_destroy(&above);
    evn_graph_destroy(&still);
}

START_TEST(events_on_the_way) {
    check_thrown(_i / 2, _i % 2, EVN_EVENT_EITHER);
}
END_TEST

START_TEST(direction_on_the_way) {
    check_thrown(_i / 2 ? WAYS - 1 : 3, _i % 2, EVN_EVENT_RISING);
    check_thrown(_i / 2 ? WAYS - 1 : 3, _i % 2, EVN_EVENT_FALLING);
}
END_TEST

/// Cotangents of a terminal event are the same among those of all that was found, of which another
/// one is at the same time.
START_TEST(cotangents_of_the_end) {
    static const double x0[] = {1, 0, 0.7, 0.2}, t_bar[] = {0.5, -2};
    static const double x_bar[] = {0.3, -0.4, 0.9, 0.6}, zeros[4] = {0};
    const double gravity = 9.81;
    int balls = ways[_i].per_sample ? 2 : 1, size = 2 * balls;
    evn_graph *floor = rig_component(balls, 2, 0);
    const evn_event events[] = {{floor, EVN_EVENT_FALLING, true}, {floor, EVN_EVENT_EITHER, false}};
    const evn_solver_options options = options_of(_i);
    rig r = rig_new(ball(balls), &options, events, 2);
    double x1[4], bars[3][5];
    TRY(evn__real_write(r.weights[0], true, &gravity, 1));
    rig_solve(&r, 0, 3, x0, x1);
    ck_assert_int_eq(evn_event_solver_occurrence_count(r.solver), size); // what ends is the last
    for (int i = 0; i < 3; ++i) {
        evn_occurrence_bar among[4] = {{0, NULL}};
        evn_event_bars all = {.x1_bar = r.x1_bar, .t_bar = i == 0 ? t_bar : NULL};
        for (int k = 0; i > 0 && k < balls; ++k) {
            among[2 * k + (i == 1)] = (evn_occurrence_bar){t_bar[k], x_bar + 2 * k};
            all.occurrences = among;
        }
        evn_binding x0_bar;
        TRY(evn__real_write(r.x1_bar, true, i == 0 ? x_bar : zeros, (size_t)size));
        TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar, NULL));
        TRY(evn__real_read(x0_bar, true, bars[i], (size_t)size));
        TRY(evn__real_read(r.weights_bar[0], true, bars[i] + size, 1));
        for (int k = 0; k <= size; ++k) {
            ck_assert_double_eq_tol(bars[i][k], bars[0][k], 1e-10);
        }
    }
    ck_assert(bars[0][size] != 0);
    rig_free(&r);
    evn_graph_destroy(&floor);
}
END_TEST

// Against differences -----------------------------------------------------------------------------

/// x' = tanh(x w) − x / 4 on x [2], where w evolves by w' = tanh(w a), or not; the event x₀ =
/// 0.6 sin(s t) + b reads time and two weights.
static evn_dynamics *curved(bool evolves) {
    evn_graph *f = NULL, *g = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, 2)), w = evn_input(f, "w", EVN_SHAPE(2, 2));
    evn_value s = evn_input(f, "s", EVN_SCALAR);
    evn_value moved = evn_tanh(f, evn_matmul(f, x, w, false, false));
    evn_output(f, "dx", evn_sub(f, evn_mul(f, s, moved), evn_scale(f, x, 0.25)));
    if (evolves) {
        TRY(evn_graph_create(&g));
        evn_input(g, "t", EVN_SCALAR);
        evn_value u = evn_input(g, "w", EVN_SHAPE(2, 2)), a = evn_input(g, "a", EVN_SHAPE(2, 2));
        evn_output(g, "dw", evn_tanh(g, evn_matmul(g, u, a, false, false)));
    }
    return rig_dynamics(f, g);
}

static evn_graph *wave(void) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value s = evn_input(e, "s", EVN_SCALAR), t = evn_input(e, "t", EVN_SCALAR);
    evn_value x = evn_input(e, "x", EVN_SHAPE(1, 2));
    evn_value level = evn_scale(e, evn_sin(e, evn_mul(e, s, t)), 0.6);
    evn_output(e, "e", evn_sub(e, evn_sum_all(e, rig_column(e, x, 0)), level));
    return e;
}

/// ⟨c, x1⟩ + 0.7 t*, or the same of all that is found on the way, as all values [x0 2, w 4, s 1,
/// a 4] have it.
static double loss(rig *r, double t0, const double *values, const double *c) {
    double x1[2];
    const double *from = values + 2;
    for (int i = 0; i < r->weight_count; from += r->weight_size[i++]) {
        TRY(evn__real_write(r->weights[i], true, from, (size_t)r->weight_size[i]));
    }
    rig_solve(r, t0, 6, values, x1);
    double sum = c[0] * x1[0] + c[1] * x1[1];
    if (r->solution.outcome == EVN_OUTCOME_EVENT) {
        return sum + 0.7 * r->solution.t;
    }
    int count = evn_event_solver_occurrence_count(r->solver);
    ck_assert_int_ge(count, 1);
    for (int i = 0; i < count; ++i) {
        evn_occurrence o = rig_occurrence(r, i);
        sum += c[0] * o.x[0] + c[1] * o.x[1] + 0.7 * o.t;
    }
    return sum;
}

/// Bits of _i: whether weights evolve; backprop or the adjoint; whether events end the solve.
START_TEST(gradient_is_that_of_differences) {
    static const double c[] = {0.4, -1.1};
    const double t_bar = 0.7, h = 1e-5;
    double values[11] = {1, 0.5, 0.6, -0.8, 0.9, 0.3, 1.2, 0.1, -0.4, 0.5, 0.2}, bars[11];
    evn_graph *e = wave();
    const evn_event event = {e, EVN_EVENT_EITHER, _i / 4 == 0};
    evn_solver_options options = rig_options(1e-12);
    options.method = "dop853";
    options.gradient = _i / 2 % 2 ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_BACKPROP;
    options.time_gradient = true;
    rig r = rig_new(curved(_i % 2), &options, &event, 1);
    evn_event_bars all = {.x1_bar = r.x1_bar, .t_bar = &t_bar};
    evn_occurrence_bar among[RIG_SLOTS];
    evn_binding x0_bar;
    int count = 2;
    loss(&r, 0.1, values, c);
    for (int i = 0; _i / 4 && i < evn_event_solver_occurrence_count(r.solver); ++i) {
        among[i] = (evn_occurrence_bar){t_bar, c};
        all.occurrences = among;
    }
    TRY(evn__real_write(r.x1_bar, true, c, 2));
    TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, bars, 2));
    for (int i = 0; i < r.weight_count; count += r.weight_size[i++]) {
        TRY(evn__real_read(r.weights_bar[i], true, bars + count, (size_t)r.weight_size[i]));
    }
    double worst = 0, t0_bar;
    TRY(evn_solve_to_event_time_gradient(r.solver, &t0_bar));
    for (int i = 0; i < count; ++i) {
        double kept = values[i], difference;
        values[i] = kept + h;
        difference = loss(&r, 0.1, values, c);
        values[i] = kept - h;
        difference = (difference - loss(&r, 0.1, values, c)) / (2 * h);
        values[i] = kept;
        worst = fmax(worst, fabs(bars[i] - difference) / fmax(1, fabs(difference)));
    }
    double by_t0 = (loss(&r, 0.1 + h, values, c) - loss(&r, 0.1 - h, values, c)) / (2 * h);
    worst = fmax(worst, fabs(t0_bar - by_t0) / fmax(1, fabs(by_t0)));
    printf("%d derivatives differ by %.2g at most\n", count + 1, worst);
    ck_assert_double_le(worst, 1e-8);
    rig_free(&r);
    evn_graph_destroy(&e);
}
END_TEST

// Events that did not end a row -------------------------------------------------------------------

/// sqrt(s q²) − level, whose derivatives at q = 0 are none; `s` is a weight of the ball, its
/// gravity.
static evn_graph *distance(int rows, double level) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value q = rig_column(e, evn_input(e, "x", EVN_SHAPE(rows, 2)), 0);
    evn_value s = evn_input(e, "gravity", EVN_SCALAR);
    evn_value root = evn_sqrt(e, evn_mul(e, s, evn_mul(e, q, q)));
    evn_output(e, "e", evn_sub(e, root, evn_constant(e, level)));
    return e;
}

/// q' = v, v' = −gravity q: at rest at 0 it stays there.
static evn_dynamics *springs(int rows) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(rows, 2));
    evn_value gravity = evn_input(f, "gravity", EVN_SCALAR);
    evn_value pull = evn_neg(f, evn_mul(f, gravity, rig_column(f, x, 0)));
    const evn_value slopes[] = {rig_column(f, x, 1), pull};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return rig_dynamics(f, NULL);
}

/// Cotangents of x0 [rows, 2], and of the weight.
static void spring_gradient(int rows, const evn_event *events, int count, double *bars) {
    static const double x0[] = {1, 0, 0.7, 0.1, 0, 0}, t_bar[] = {1, 0.5, 2}, gravity = 1.3;
    static const double x1_bar[] = {0.2, 0.4, -0.3, 1, 0.1, 0.6};
    evn_solver_options options = rig_options(1e-10);
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.per_sample = true;
    options.dt_max = 0.05; // at 0 every step is good enough
    rig r = rig_new(springs(rows), &options, events, count);
    evn_binding x0_bar;
    evn_solution first, second;
    const evn_event_bars all = {.x1_bar = r.x1_bar, .t_bar = t_bar};
    double x1[6], again[7];
    size_t size = 2 * (size_t)rows;
    TRY(evn__real_write(r.weights[0], true, &gravity, 1));
    rig_solve(&r, 0, 3, x0, x1);
    TRY(evn__real_write(r.x1_bar, true, x1_bar, size));
    for (int i = 0; i < 2; ++i) { // the second time without another solve
        double *to = i == 0 ? bars : again;
        TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar,
                                        i == 0 ? &first : &second));
        TRY(evn__real_read(x0_bar, true, to, size));
        TRY(evn__real_read(r.weights_bar[0], true, to + size, 1));
    }
    ck_assert_mem_eq(bars, again, sizeof(*bars) * (size + 1));
    ck_assert_int_lt(second.nfe, first.nfe);
    rig_free(&r);
}

/// The gradient is that without them, and without the sample that ended at t1, whose own is the
/// usual one.
START_TEST(other_events_do_not_matter) {
    evn_graph *two = distance(2, 0.2), *three = distance(3, 0.2), *other = distance(3, -1);
    evn_graph *straight = rig_component(3, 2, 0);
    const evn_event alone = {two, EVN_EVENT_EITHER, true};
    const evn_event among[] = {{other, EVN_EVENT_EITHER, false},
                               {three, EVN_EVENT_EITHER, true},
                               {straight, EVN_EVENT_EITHER, false}};
    double few[5], many[7];
    spring_gradient(2, &alone, 1, few);
    spring_gradient(3, among, 3, many);
    double w = sqrt(1.3), angle = 3 * w,
           usual[] = {0.1 * cos(angle) - 0.6 * w * sin(angle),
                      0.1 * sin(angle) / w + 0.6 * cos(angle)};
    for (int i = 0; i < 4; ++i) {
        ck_assert_double_eq_tol(many[i], few[i], 1e-12);
    }
    ck_assert_double_eq_tol(many[4], usual[0], 1e-8);
    ck_assert_double_eq_tol(many[5], usual[1], 1e-8);
    ck_assert_double_eq_tol(many[6], few[4], 1e-12); // of the sample at 0: nothing
    evn_graph_destroy(&two);
    evn_graph_destroy(&three);
    evn_graph_destroy(&other);
    evn_graph_destroy(&straight);
}
END_TEST

/// Of the whole batch: one that cannot be differentiated where another one ends it.
START_TEST(one_row) {
    static const double x0[] = {1, 0}, gravity = 1, t_bar = 1, x_bar[] = {0, 0};
    evn_graph *end = rig_component(1, 2, 0), *other = distance(1, -1);
    const evn_event events[] = {{end, EVN_EVENT_FALLING, true}, {other, EVN_EVENT_EITHER, false}};
    evn_solver_options options = rig_options(1e-12);
    options.gradient = EVN_GRADIENT_BACKPROP;
    rig r = rig_new(springs(1), &options, events, 2);
    const evn_event_bars all = {.x1_bar = r.x1_bar, .t_bar = &t_bar};
    evn_binding x0_bar;
    double x1[2], bars[3];
    TRY(evn__real_write(r.weights[0], true, &gravity, 1));
    TRY(evn__real_write(r.x1_bar, true, x_bar, 2));
    rig_solve(&r, 0, 3, x0, x1);
    TRY(evn_solve_to_event_gradient(r.solver, &all, &x0_bar, r.weights_bar, NULL));
    TRY(evn__real_read(x0_bar, true, bars, 2));
    TRY(evn__real_read(r.weights_bar[0], true, bars + 2, 1));
    ck_assert_double_eq_tol(bars[0], 0, 1e-9); // t = atan(w q / −v) / w
    ck_assert_double_eq_tol(bars[1], 1, 1e-9);
    ck_assert_double_eq_tol(bars[2], -3.14159265358979323846 / 4, 1e-9);
    rig_free(&r);
    evn_graph_destroy(&end);
    evn_graph_destroy(&other);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/event_gradient");
    TCase *bounces = tcase_create("ball");
    tcase_add_loop_test(bounces, bouncing_ball, 0, WAYS);
    suite_add_tcase(s, bounces);
    TCase *way = tcase_create("way");
    tcase_add_loop_test(way, events_on_the_way, 0, 2 * WAYS);
    tcase_add_loop_test(way, direction_on_the_way, 0, 4);
    tcase_add_loop_test(way, cotangents_of_the_end, 0, WAYS);
    suite_add_tcase(s, way);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradient_is_that_of_differences, 0, 8);
    suite_add_tcase(s, gradients);
    TCase *others = tcase_create("others");
    tcase_add_test(others, other_events_do_not_matter);
    tcase_add_test(others, one_row);
    suite_add_tcase(s, others);
    return s;
}

int main(void) {
    return test_run(suite());
}
