// SPDX-License-Identifier: Apache-2.0
// Gradients with respect to t0, t1 and times of observations: along steps, in both precisions,
// against the same steps written out as a graph of these times and pulled back by the reference;
// otherwise, in fp64, against central differences and closed forms.
#include "evonode/diff.h"
#include "methods/unroll.h"
#include "plan/real.h"
#include "problem.h"
#include "ref/ref.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TIMES = PROBLEM_OBSERVATIONS + 1, STATES = PROBLEM_WEIGHTS + 1, POINTS = 256 };

/// The first is the start, and the parts take 1, 3 and 2 of 6 steps; then without the start.
static const double fractions[] = {0, 0.125, 0.7, 1};

typedef struct span {
    double begin, end;
} span;

static const span forth = {0.3, 1.5}, back = {1.5, 0.3};

static evn_solver_options with(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.time_gradient = true;
    options.fp64 = true;
    return options;
}

/// None, at equal distances, from the start on, after it.
static void observe(evn_solver_options *options, int kind) {
    static const int counts[] = {0, 3, 4, 3};
    options->observations = counts[kind];
    options->times = kind == 2 ? fractions : kind == 3 ? fractions + 1 : NULL;
}

// Steps written out -------------------------------------------------------------------------------

/// A solve as a graph of t0, times of observations or t1, x and weights.
typedef struct written {
    const problem *p;
    const evn_solver_options *options;
    span way;
    evn_graph *graph;
    evn__unroll *unroll;
    int times, count;
    double time_of[TIMES];
    evn_value time[TIMES], first[STATES], at[STATES], pair[STATES], sum;
} written;

static double fraction_of(const evn_solver_options *o, int observation) {
    return o->observations == 0 ? 1
           : o->times           ? o->times[observation]
                                : (observation + 1.0) / o->observations;
}

static void written_begin(written *w, const problem *p, const evn_solver_options *options,
                          span way) {
    int given = options->observations > 0 ? options->observations : 1;
    *w = (written){
        .p = p, .options = options, .way = way, .count = p->weight_count + 1, .times = 1 + given};
    TRY(evn_graph_create(&w->graph));
    TRY(evn__unroll_create(p->dynamics, options->method, &w->unroll));
    for (int i = 0; i < w->times; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "time%d", i);
        double part = i == 0 ? 0 : fraction_of(options, i - 1);
        w->time_of[i] = part == 1 ? way.end : way.begin + part * (way.end - way.begin);
        w->time[i] = evn_input(w->graph, name, EVN_SCALAR);
    }
    for (int i = 0; i < w->count; ++i) {
        evn_shape shape = i == 0 ? evn_dynamics_state_shape(p->dynamics)
                                 : evn_dynamics_weight_shape(p->dynamics, i - 1);
        const char *name = i == 0 ? "x" : evn_dynamics_weight_name(p->dynamics, i - 1);
        w->first[i] = w->at[i] = w->pair[i] = evn_input(w->graph, name, shape);
    }
    w->sum = evn_constant(w->graph, 0);
}

static void written_observe(written *w, int observation) {
    const double *weights = w->p->x1_bar + observation * w->p->x_count;
    evn_shape shape = evn_dynamics_state_shape(w->p->dynamics);
    evn_value share = evn_mul(w->graph, w->at[0], evn_table(w->graph, shape, weights));
    w->sum = evn_add(w->graph, w->sum, evn_sum_all(w->graph, share));
}

/// to[i] += sign (what a step of the method from `from` changes).
static void written_change(written *w, evn_value t, evn_value dt, const evn_value *from,
                           double sign, evn_value *to) {
    evn_value next[STATES];
    memcpy(next, from, sizeof(next));
    TRY(evn__unroll_step_at(w->unroll, w->graph, t, dt, &next[0], next + 1));
    for (int i = 0; i < w->count; ++i) {
        evn_value change = evn_sub(w->graph, next[i], from[i]);
        to[i] = evn_add(w->graph, to[i], evn_scale(w->graph, change, sign));
    }
}

static void written_reversible_step(written *w, evn_value t, evn_value dt) {
    const double coupling = 0.99;
    for (int i = 0; i < w->count; ++i) {
        w->at[i] = evn_add(w->graph, evn_scale(w->graph, w->at[i], coupling),
                           evn_scale(w->graph, w->pair[i], 1 - coupling));
    }
    written_change(w, t, dt, w->pair, 1, w->at);
    written_change(w, evn_add(w->graph, t, dt), evn_neg(w->graph, dt), w->at, -1, w->pair);
}

/// From one time on, a part of the way to another: t = a + part (b − a).
static evn_value between(evn_graph *g, evn_value a, evn_value b, double part) {
    return evn_add(g, a, evn_scale(g, evn_sub(g, b, a), part));
}

/// The steps of a grid; those of an interval are at constant parts of it.
static void written_go(written *w, const double *grid, int points) {
    evn_graph *g = w->graph;
    int now = 0, next = w->options->times && w->options->times[0] == 0 ? 2 : 1;
    if (next == 2) {
        written_observe(w, 0);
    }
    for (int i = 0; i + 1 < points; ++i) {
        double a = w->time_of[now], way = w->time_of[next] - a;
        evn_value t = between(g, w->time[now], w->time[next], (grid[i] - a) / way);
        evn_value all = evn_sub(g, w->time[next], w->time[now]);
        evn_value dt = evn_scale(g, all, (grid[i + 1] - grid[i]) / way);
        if (w->options->gradient == EVN_GRADIENT_REVERSIBLE) {
            written_reversible_step(w, t, dt);
        } else {
            TRY(evn__unroll_step_at(w->unroll, g, t, dt, &w->at[0], w->at + 1));
        }
        if (fabs(grid[i + 1] - w->time_of[next]) < 1e-5) {
            written_observe(w, next - 1);
            now = next++;
        }
    }
    ck_assert_int_eq(next, w->times);
}

/// Of each time by itself; frees the graph.
static void written_gradient(written *w, double *bars) {
    evn_value seed = evn_constant(w->graph, 1), values[TIMES];
    const double *inputs[TIMES + STATES];
    double *outputs[TIMES];
    TRY(evn_pullback(w->graph, &w->sum, &seed, 1, w->time, w->times, values));
    for (int i = 0; i < w->times; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "bar%d", i);
        evn_output(w->graph, name, values[i]);
        inputs[i] = &w->time_of[i];
        outputs[i] = &bars[i];
    }
    for (int i = 0; i < w->count; ++i) {
        inputs[w->times + i] = i == 0 ? w->p->x0 : w->p->weight[i - 1];
    }
    TRY(evn__ref_run(w->graph, inputs, outputs));
    evn__unroll_destroy(&w->unroll);
    evn_graph_destroy(&w->graph);
}

/// t0, t1, then observations, as evn_solver_time_gradient has them, of the grid of a solver.
static void expect(problem *p, const evn_solver_options *options, span way, double *expected) {
    double grid[POINTS], bars[TIMES];
    int points = p->solution.accepted + 1;
    written w;
    ck_assert_int_le(points, POINTS);
    TRY(evn_solver_grid(p->solver, grid, points));
    written_begin(&w, p, options, way);
    written_go(&w, grid, points);
    written_gradient(&w, bars);
    expected[0] = bars[0];
    expected[1] = 0;
    for (int i = 1; i < w.times; ++i) {
        double part = fraction_of(options, i - 1);
        expected[0] += (1 - part) * bars[i];
        expected[1] += part * bars[i];
        expected[1 + i] = bars[i];
    }
}

static void solved(problem *p, const evn_solver_options *options, span way, double *got) {
    problem_prepare(p, options);
    problem_solve(p, way.begin, way.end);
    problem_gradient(p);
    TRY(evn_solver_time_gradient(p->solver, &got[0], &got[1], got + 2));
}

static void check_steps(problem *p, const evn_solver_options *options, span way) {
    double expected[TIMES + 1], got[TIMES + 1];
    int count = 2 + options->observations;
    solved(p, options, way, got);
    expect(p, options, way, expected);
    double error = test_difference(got, expected, count);
    printf("%s, %s, %d steps, %d observations, %s: %.2g\n",
           evn_gradient_name((int)options->gradient), options->method, p->solution.accepted,
           options->observations, options->fp64 ? "double" : "single", error);
    ck_assert_msg(error <= (options->fp64 ? 1e-13 : 1e-5), "%g", error);
}

enum { PLAIN, SINGLE, BACKWARD, AUTONOMOUS, VARIANTS };

static void check_variant(evn_solver_options options, int variant) {
    problem p = variant == AUTONOMOUS ? problem_linear() : problem_node_ew(30);
    options.fp64 = variant != SINGLE;
    check_steps(&p, &options, variant == BACKWARD ? back : forth);
    problem_free(&p);
}

static evn_solver_options fixed(int gradient, int kind, const char *method) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_CHECKPOINTED, EVN_GRADIENT_REVERSIBLE};
    evn_solver_options options = with(method, 6, gradients[gradient]);
    options.checkpoints = gradient == 2 ? 2 : 0;
    observe(&options, kind);
    return options;
}

static evn_solver_options adaptive(evn_gradient gradient, int kind) {
    evn_solver_options options = with("dopri5", 0, gradient);
    options.rtol = options.atol = 1e-5;
    observe(&options, kind);
    return options;
}

START_TEST(fixed_steps) {
    static const char *const methods[] = {"rk4", "midpoint", "dopri5"};
    check_variant(fixed(_i / 4, _i % 4, methods[_i % 3]), PLAIN);
}
END_TEST

START_TEST(adaptive_steps) {
    check_variant(adaptive(_i < 4 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_CHECKPOINTED, _i % 4),
                  PLAIN);
}
END_TEST

/// The last of each variant is adaptive.
START_TEST(variants_of_steps) {
    int variant = 1 + _i / 5, gradient = _i % 5, kind = (variant + gradient) % 4;
    check_variant(gradient < 4 ? fixed(gradient, kind, "rk4")
                               : adaptive(EVN_GRADIENT_BACKPROP, kind),
                  variant);
}
END_TEST

/// An adjoint that has fallen back has the gradient of the steps.
START_TEST(fallen_back) {
    double got[TIMES + 1], expected[TIMES + 1];
    problem p = problem_node_ew(34);
    evn_solver_options options = with("dopri5", _i < 4 ? 6 : 0, EVN_GRADIENT_ADJOINT);
    options.rtol = options.atol = 1e-4;
    options.reconstruction = 1e-300; // which no solve backwards keeps
    options.fall_back = true;
    observe(&options, _i % 4);
    solved(&p, &options, forth, got);
    ck_assert(p.backward.fell_back);
    options = evn_solver_options_with(&options, EVN_GRADIENT_CHECKPOINTED);
    solved(&p, &options, forth, expected);
    double error = test_difference(got, expected, 2 + options.observations);
    ck_assert_msg(error <= 1e-14, "%g", error);
    problem_free(&p);
}
END_TEST

// The solution's ----------------------------------------------------------------------------------

static double loss(problem *p, double t0, double t1) {
    double sum = 0;
    problem_solve(p, t0, t1);
    for (int i = 0; i < p->x1_count; ++i) {
        sum += p->x1_bar[i] * p->x1[i];
    }
    return sum;
}

/// Of the loss in t0 and in t1.
static void differences(problem *p, double *slopes) {
    const double h = 1e-4;
    const double t0 = forth.begin, t1 = forth.end;
    slopes[0] = (loss(p, t0 + h, t1) - loss(p, t0 - h, t1)) / (2 * h);
    slopes[1] = (loss(p, t0, t1 + h) - loss(p, t0, t1 - h)) / (2 * h);
}

START_TEST(adjoint_is_that_of_the_solution) {
    double got[TIMES + 1], expected[TIMES + 1];
    problem p = problem_node_ew(32);
    evn_solver_options options =
        with("dopri5", _i / 4 == 1 ? 400 : 0,
             _i < 8 ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_ADJOINT_QUADRATURE);
    options.rtol = options.atol = 1e-10;
    observe(&options, _i % 4);
    solved(&p, &options, forth, got);
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.steps = 400;
    solved(&p, &options, forth, expected);
    double error = test_difference(got, expected, 2 + options.observations);
    printf("adjoint, %d observations: %.2g\n", options.observations, error);
    ck_assert_msg(error <= 1e-8, "%g", error);
    problem_free(&p);
}
END_TEST

START_TEST(schemes_agree_with_differences) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_ADJOINT, EVN_GRADIENT_BACKPROP,
                                             EVN_GRADIENT_REVERSIBLE};
    double got[TIMES + 1], expected[2];
    problem p = problem_node_ew(33);
    evn_solver_options options = with("rk4", 100, gradients[_i / 4]);
    observe(&options, _i % 4);
    solved(&p, &options, forth, got);
    differences(&p, expected);
    double error = test_difference(got, expected, 2);
    printf("%s: %.2g\n", evn_gradient_name((int)options.gradient), error);
    ck_assert_msg(error <= 1e-6, "%g", error);
    problem_free(&p);
}
END_TEST

/// Without a way the loss changes with its end as x does there: x̄·f.
START_TEST(no_way) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP,     EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_CHECKPOINTED, EVN_GRADIENT_REVERSIBLE,
                                             EVN_GRADIENT_ADJOINT,      EVN_GRADIENT_BACKPROP,
                                             EVN_GRADIENT_ADJOINT};
    double got[TIMES + 1];
    int which = _i / 4;
    problem p = problem_linear();
    evn_solver_options options = with("dopri5", which < 5 ? 6 : 0, gradients[which]);
    options.checkpoints = which == 2 ? 2 : 0;
    observe(&options, _i % 4);
    problem_prepare(&p, &options);
    problem_solve(&p, 2, 2);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], got + 2));
    double along = 0, rate = 0; // x1_bar is ones: a share is the sum of x W
    for (int i = 0; i < p.x_count; ++i) {
        for (int k = 0; k < 4; ++k) {
            rate += p.x0[i] * p.weight[0][(i % 4) * 4 + k];
        }
    }
    for (int i = 0; i < options.observations; ++i) {
        double part = fraction_of(&options, i);
        along += part * rate;
        ck_assert_double_eq_tol(got[2 + i], part > 0 ? rate : 0, 1e-12);
    }
    along = options.observations == 0 ? rate : along;
    ck_assert_double_eq_tol(got[1], along, 1e-12);
    ck_assert_double_eq_tol(got[0], -along, 1e-12);
    problem_free(&p);
}
END_TEST

/// Evolving weights, as the adjoint observes them, and as schemes of steps find them at the end.
START_TEST(no_way_with_weights) {
    double got[2][TIMES + 1];
    evn_solver_options options = fixed(_i / 4, _i % 4, "rk4");
    for (int k = 0; k < 2; ++k) {
        problem p = problem_node_ew(35);
        solved(&p, &options, (span){2, 2}, got[k]);
        options = evn_solver_options_with(&options, EVN_GRADIENT_ADJOINT);
        problem_free(&p);
    }
    ck_assert_double_le(test_difference(got[0], got[1], 2 + options.observations), 1e-14);
}
END_TEST

// Each sample's own -------------------------------------------------------------------------------

/// x' = a t x: x(t1) = x0 exp(a (t1² − t0²) / 2).
static problem problem_of_time(int rows) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(rows, 2));
    evn_value a = evn_input(f, "a", EVN_SHAPE(2));
    evn_output(f, "dx", evn_mul(f, evn_mul(f, t, a), x));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    test_uniform(40, 0.5, 1, p.x0, p.x_count);
    test_uniform(41, -1, 1, p.x1_bar, p.x_count * PROBLEM_OBSERVATIONS);
    p.weight[0][0] = -0.6;
    p.weight[0][1] = 0.4;
    return p;
}

/// ⟨x̄, x(t)⟩ of a sample differentiated in t, and in t0.
static void closed_form(const problem *p, int row, const double *x_bar, double t0, double t,
                        double *t0_bar, double *t_bar) {
    *t_bar = 0;
    for (int i = 0; i < 2; ++i) {
        double a = p->weight[0][i];
        double x = p->x0[2 * row + i] * exp(a * (t - t0) * (t + t0) / 2);
        *t_bar += x_bar[2 * row + i] * a * t * x;
        *t0_bar -= x_bar[2 * row + i] * a * t0 * x;
    }
}

/// As the sample's times are given: none, fractions of its way, its own.
static void check_samples(int rows, int kind) {
    static const double t0[] = {0.2, -0.5, 1}, t1[] = {1.1, 0.7, 0.4};
    static const double own[] = {0.2, 0.9, 0.5, -0.5, 0.7, 0.1, 0.6, 0.7, 0.9};
    double t0_bar[3], t1_bar[3], times_bar[12];
    evn_binding x1, x0_bar;
    problem p = problem_of_time(rows);
    evn_solver_options options = with("dopri5", 0, EVN_GRADIENT_BACKPROP);
    options.rtol = options.atol = 1e-11;
    options.per_sample = true;
    observe(&options, kind == 0 ? 0 : kind == 1 ? 2 : 1);
    int count = options.observations;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1); // writes
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    const evn_sample_times times = {t0, t1, kind == 2 ? own : NULL};
    TRY(evn_solve_samples(p.solver, &times, p.x0_at, p.weights, &x1, NULL));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    TRY(evn_solver_time_gradient(p.solver, t0_bar, t1_bar, times_bar));
    for (int row = 0; row < rows; ++row) {
        double first = 0, last = 0, bar;
        for (int i = 0; i < (count > 0 ? count : 1); ++i) {
            double part = fraction_of(&options, i), t = t0[row] + part * (t1[row] - t0[row]);
            t = kind == 2 ? own[row * count + i] : t;
            closed_form(&p, row, p.x1_bar + i * p.x_count, t0[row], t, &first, &bar);
            last += kind == 2 ? 0 : part * bar;
            first += kind == 2 ? 0 : (1 - part) * bar;
            double alone = kind == 2 || part > 0 ? bar : 0;
            ck_assert(count == 0 || fabs(times_bar[row * count + i] - alone) < 1e-8);
        }
        printf("%d rows, kind %d: %.2g, %.2g\n", rows, kind, t0_bar[row] - first,
               t1_bar[row] - last);
        ck_assert_double_eq_tol(t0_bar[row], first, 1e-8);
        ck_assert_double_eq_tol(t1_bar[row], last, 1e-8);
    }
    problem_free(&p);
}

START_TEST(samples_have_their_own) {
    check_samples(_i % 2 ? 1 : 3, _i / 2);
}
END_TEST

/// Samples of one solve share its times, however they step: one number for all, and none behind it.
START_TEST(samples_share_times) {
    enum { GUARD = 77 };
    const double t0 = 0.2, t1 = 1.1;
    int rows = _i % 2 ? 1 : 3, kind = _i / 2;
    double t0_bar[4], t1_bar[4], times_bar[13], times[4] = {0}, first = 0, last = 0;
    problem p = problem_of_time(rows);
    evn_solver_options options = with("dopri5", 0, EVN_GRADIENT_BACKPROP);
    options.rtol = options.atol = 1e-11;
    options.per_sample = true;
    observe(&options, kind);
    int count = options.observations;
    t0_bar[1] = t1_bar[1] = times_bar[count] = GUARD;
    problem_prepare(&p, &options);
    problem_solve(&p, t0, t1);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, t0_bar, t1_bar, times_bar));
    for (int row = 0; row < rows; ++row) {
        for (int i = 0; i < (count > 0 ? count : 1); ++i) {
            double part = fraction_of(&options, i), t = t0 + part * (t1 - t0), bar;
            closed_form(&p, row, p.x1_bar + i * p.x_count, t0, t, &first, &bar);
            times[i] += part > 0 ? bar : 0;
            last += part * bar;
            first += (1 - part) * bar;
        }
    }
    ck_assert_double_eq_tol(t0_bar[0], first, 1e-8);
    ck_assert_double_eq_tol(t1_bar[0], last, 1e-8);
    for (int i = 0; i < count; ++i) {
        ck_assert_double_eq_tol(times_bar[i], times[i], 1e-8);
    }
    ck_assert(t0_bar[1] == GUARD && t1_bar[1] == GUARD && times_bar[count] == GUARD);
    problem_free(&p);
}
END_TEST

// Intervals without length ------------------------------------------------------------------------

/// x' = a t x by a method that is as good as exact: the solution, and its gradient.
static void check_rates(evn_solver_options options, double t0, double t1) {
    double got[TIMES + 1], bar, first = 0, last = 0;
    problem p = problem_of_time(2);
    p.weight[0][0] /= t1;
    p.weight[0][1] /= t1;
    solved(&p, &options, (span){t0, t1}, got);
    for (int i = 0; i < options.observations; ++i) {
        const double *x_bar = p.x1_bar + (size_t)i * (size_t)p.x_count;
        double part = fraction_of(&options, i), t = t0 + part * (t1 - t0), sum = 0;
        for (int k = 0; k < p.x_count; ++k) {
            double growth = exp(p.weight[0][k % 2] * (t - t0) * (t + t0) / 2);
            ck_assert_double_eq_tol(p.x1[i * p.x_count + k], p.x0[k] * growth, 1e-6);
        }
        for (int row = 0; row < 2; ++row) {
            closed_form(&p, row, x_bar, t0, t, &first, &bar);
            sum += bar;
        }
        ck_assert_double_eq_tol(got[2 + i], sum, 1e-5);
        first += (1 - part) * sum;
        last += part * sum;
    }
    ck_assert_double_eq_tol(got[0], first, 1e-5);
    ck_assert_double_eq_tol(got[1], last, 1e-5);
    problem_free(&p);
}

static evn_solver_options any(int which, int steps) {
    static const evn_gradient gradients[] = {
        EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED, EVN_GRADIENT_REVERSIBLE,
        EVN_GRADIENT_ADJOINT,  EVN_GRADIENT_BACKPROP,     EVN_GRADIENT_ADJOINT_QUADRATURE};
    evn_solver_options options = with("dopri5", which < 4 ? steps : 0, gradients[which]);
    options.checkpoints = which == 1 ? 2 : 0;
    options.rtol = options.atol = 1e-9;
    return options;
}

/// Two observations at times that are one in double, though their fractions of the way are not.
START_TEST(at_one_time) {
    static const double times[] = {0.5, 0.5000000000000001, 1};
    evn_solver_options options = any(_i, 40);
    options.observations = 3;
    options.times = times;
    check_rates(options, 1, 2);
}
END_TEST

/// Eight in a way that has four numbers of double; fixed steps have one each, and take ten.
START_TEST(far_from_zero) {
    evn_solver_options options = any(_i, 8);
    options.observations = 8;
    check_rates(options, 1e9, 1e9 + (options.steps > 0 ? 1.2e-6 : 4e-7));
}
END_TEST

// What is refused ---------------------------------------------------------------------------------

START_TEST(there_has_to_be_one) {
    double t0_bar, t1_bar;
    problem p = problem_linear();
    evn_solver_options options = with("rk4", 3, EVN_GRADIENT_NONE);
    REFUSED(evn_solver_options_check(&options));
    options = evn_solver_options_forward(&options);
    TRY(evn_solver_options_check(&options));
    options = with("rk4", 3, EVN_GRADIENT_BACKPROP);
    problem_prepare(&p, &options);
    REFUSED(evn_solver_time_gradient(p.solver, &t0_bar, &t1_bar, NULL));
    problem_solve(&p, 0, 1);
    REFUSED(evn_solver_time_gradient(p.solver, &t0_bar, &t1_bar, NULL));
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, NULL, &t1_bar, NULL));
    problem_solve(&p, 0, 1);
    REFUSED(evn_solver_time_gradient(p.solver, &t0_bar, &t1_bar, NULL));
    options.time_gradient = false;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    REFUSED(evn_solver_time_gradient(p.solver, &t0_bar, &t1_bar, NULL));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/time_gradient");
    TCase *steps = tcase_create("steps"); // whole: long
    test_add_share(steps, fixed_steps, 0, 16, 3);
    test_add_share(steps, adaptive_steps, 0, 8, 3);
    test_add_share(steps, variants_of_steps, 0, 5 * (VARIANTS - 1), 3);
    test_add_share(steps, fallen_back, 0, 8, 3);
    suite_add_tcase(s, steps);
    TCase *lengths = tcase_create("lengths"); // whole: long
    test_add_share(lengths, at_one_time, 0, 6, 3);
    test_add_share(lengths, far_from_zero, 0, 6, 3);
    suite_add_tcase(s, lengths);
    TCase *solution = tcase_create("solution"); // whole: long
    test_add_share(solution, adjoint_is_that_of_the_solution, 0, 12, 3);
    test_add_share(solution, schemes_agree_with_differences, 0, 12, 3);
    test_add_share(solution, no_way, 0, 28, 3);
    test_add_share(solution, no_way_with_weights, 0, 16, 3);
    test_add_share(solution, samples_have_their_own, 0, 6, 3);
    test_add_share(solution, samples_share_times, 0, 8, 3);
    suite_add_tcase(s, solution);
    TCase *calls = tcase_create("calls");
    tcase_add_test(calls, there_has_to_be_one);
    suite_add_tcase(s, calls);
    return s;
}

int main(void) {
    return test_run(suite());
}
