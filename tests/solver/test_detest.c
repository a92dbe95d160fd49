// SPDX-License-Identifier: Apache-2.0
// DETEST (Hull, Enright, Fellen, Sedgwick 1972: Comparing numerical methods for ordinary
// differential equations): errors follow tolerances, problem by problem. bench/work_precision draws
// the rows that this prints.
// TEST: label=long timeout=900
#include "test.h"
#include "plan/real.h"
#include "problem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLANETS = 5, AXES = 3, PLACES = PLANETS * AXES, COMPONENTS = 2 * PLACES, END = 20 };

/// y' of a few components; NULL: y' = M y, a matrix of its own.
typedef void slopes(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy);

/// One row of up to 64 components; evn_concat takes 8 values.
static evn_value join(evn_graph *g, const evn_value *y, int count) {
    enum { AT_ONCE = 8 };
    evn_value parts[AT_ONCE];
    int found = 0;
    for (int i = 0; i < count; i += AT_ONCE) {
        int size = count - i < AT_ONCE ? count - i : AT_ONCE;
        parts[found++] = size > 1 ? evn_concat(g, y + i, size, 1) : y[i];
    }
    return found > 1 ? evn_concat(g, parts, found, 1) : parts[0];
}

static evn_value number(evn_graph *g, double value) {
    return evn_constant(g, value);
}

// A: one equation ---------------------------------------------------------------------------------

static void a1(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    dy[0] = evn_neg(g, y[0]);
}

static void a2(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    dy[0] = evn_scale(g, evn_mul(g, y[0], evn_mul(g, y[0], y[0])), -0.5);
}

static void a3(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    dy[0] = evn_mul(g, y[0], evn_cos(g, t));
}

static void a4(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    evn_value rest = evn_sub(g, number(g, 1), evn_scale(g, y[0], 1. / 20));
    dy[0] = evn_scale(g, evn_mul(g, y[0], rest), 0.25);
}

static void a5(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    dy[0] = evn_div(g, evn_sub(g, y[0], t), evn_add(g, y[0], t));
}

// B: small systems --------------------------------------------------------------------------------

static void b1(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    evn_value product = evn_mul(g, y[0], y[1]);
    dy[0] = evn_scale(g, evn_sub(g, y[0], product), 2);
    dy[1] = evn_sub(g, product, y[1]);
}

static void b2(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    dy[0] = evn_sub(g, y[1], y[0]);
    dy[1] = evn_add(g, evn_sub(g, y[0], evn_scale(g, y[1], 2)), y[2]);
    dy[2] = evn_sub(g, y[1], y[2]);
}

static void b3(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    dy[0] = evn_neg(g, y[0]);
    dy[2] = evn_mul(g, y[1], y[1]);
    dy[1] = evn_sub(g, y[0], dy[2]);
}

static void b4(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    evn_value r = evn_sqrt(g, evn_add(g, evn_mul(g, y[0], y[0]), evn_mul(g, y[1], y[1])));
    evn_value part = evn_div(g, y[2], r);
    dy[0] = evn_neg(g, evn_add(g, y[1], evn_mul(g, y[0], part)));
    dy[1] = evn_sub(g, y[0], evn_mul(g, y[1], part));
    dy[2] = evn_div(g, y[0], r);
}

static void b5(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    dy[0] = evn_mul(g, y[1], y[2]);
    dy[1] = evn_neg(g, evn_mul(g, y[0], y[2]));
    dy[2] = evn_scale(g, evn_mul(g, y[0], y[1]), -0.51);
}

// C: five bodies ----------------------------------------------------------------------------------

static evn_value cube_of_root(evn_graph *g, evn_value square) {
    return evn_mul(g, square, evn_sqrt(g, square));
}

/// Of each planet what the others pull at it, places [5, 3].
static evn_value pull(evn_graph *g, evn_value places, const double *masses) {
    double one[PLANETS * PLANETS] = {0};
    for (int i = 0; i < PLANETS; ++i) {
        one[i * PLANETS + i] = 1; // its distance from itself, along which nothing pulls
    }
    const evn_shape pairs = EVN_SHAPE(PLANETS, PLANETS, 1);
    evn_value from = evn_reshape(g, places, EVN_SHAPE(PLANETS, 1, AXES));
    evn_value apart = evn_sub(g, evn_reshape(g, places, EVN_SHAPE(1, PLANETS, AXES)), from);
    evn_value square = evn_sum_to(g, evn_mul(g, apart, apart), pairs);
    square = evn_add(g, square, evn_table(g, pairs, one));
    evn_value pulling = evn_table(g, EVN_SHAPE(1, PLANETS, 1), masses);
    evn_value weight = evn_div(g, pulling, cube_of_root(g, square));
    evn_value sum = evn_sum_to(g, evn_mul(g, apart, weight), EVN_SHAPE(PLANETS, 1, AXES));
    return evn_reshape(g, sum, EVN_SHAPE(PLANETS, AXES));
}

/// The outer planets about the sun, which is the origin: of each the three coordinates, then the
/// velocities. As y_j'' = k₂ (−m₀ y_j / r_j³ − Σ_k m_k y_k / r_k³ + Σ_k≠j m_k (y_k − y_j) / d_jk³),
/// the published equation with its terms in m_j y_j gathered.
static void c5(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    static const double sun = 1.00000597682, gravity = 2.95912208286;
    static const double masses[PLANETS] = {0.954786104043e-3, 0.285583733151e-3, 0.437273164546e-4,
                                           0.517759138449e-4, 0.277777777778e-5};
    (void)t;
    evn_value row = join(g, y, PLACES);
    evn_value places = evn_reshape(g, row, EVN_SHAPE(PLANETS, AXES));
    evn_value square = evn_sum_to(g, evn_mul(g, places, places), EVN_SHAPE(PLANETS, 1));
    evn_value fall = evn_div(g, places, cube_of_root(g, square));
    evn_value mass = evn_table(g, EVN_SHAPE(PLANETS, 1), masses);
    evn_value moved = evn_sum_to(g, evn_mul(g, fall, mass), EVN_SHAPE(1, AXES));
    evn_value back = evn_add(g, evn_scale(g, fall, sun), moved);
    evn_value force = evn_scale(g, evn_sub(g, pull(g, places, masses), back), gravity);
    force = evn_reshape(g, force, EVN_SHAPE(1, PLACES));
    for (int i = 0; i < PLACES; ++i) {
        dy[i] = y[PLACES + i];
        dy[PLACES + i] = evn_slice(g, force, (int64_t[]){0, i}, EVN_SHAPE(1, 1));
    }
}

// D: orbits ---------------------------------------------------------------------------------------

static void orbit(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    evn_value square = evn_add(g, evn_mul(g, y[0], y[0]), evn_mul(g, y[1], y[1]));
    evn_value cube = evn_mul(g, square, evn_sqrt(g, square));
    dy[0] = y[2];
    dy[1] = y[3];
    dy[2] = evn_neg(g, evn_div(g, y[0], cube));
    dy[3] = evn_neg(g, evn_div(g, y[1], cube));
}

// E: equations of higher order --------------------------------------------------------------------

static void e1(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    evn_value s = evn_add(g, t, number(g, 1));
    evn_value rest = evn_div(g, number(g, 0.25), evn_mul(g, s, s));
    evn_value force = evn_mul(g, evn_sub(g, number(g, 1), rest), y[0]);
    dy[0] = y[1];
    dy[1] = evn_neg(g, evn_add(g, evn_div(g, y[1], s), force));
}

static void e2(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    evn_value damping = evn_sub(g, number(g, 1), evn_mul(g, y[0], y[0]));
    dy[0] = y[1];
    dy[1] = evn_sub(g, evn_mul(g, damping, y[1]), y[0]);
}

static void e3(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    evn_value cube = evn_mul(g, y[0], evn_mul(g, y[0], y[0]));
    evn_value force = evn_scale(g, evn_sin(g, evn_scale(g, t, 2.78535)), 2);
    dy[0] = y[1];
    dy[1] = evn_add(g, evn_sub(g, evn_scale(g, cube, 1. / 6), y[0]), force);
}

static void e4(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    (void)t;
    dy[0] = y[1];
    dy[1] = evn_sub(g, number(g, 0.032), evn_scale(g, evn_mul(g, y[1], y[1]), 0.4));
}

static void e5(evn_graph *g, evn_value t, const evn_value *y, evn_value *dy) {
    evn_value length = evn_sqrt(g, evn_add(g, number(g, 1), evn_mul(g, y[1], y[1])));
    dy[0] = y[1];
    dy[1] = evn_div(g, length, evn_sub(g, number(g, 25), t));
}

// The list ----------------------------------------------------------------------------------------

/// A row i has what y_{i−1}, y_i and y_{i+1} give; the last row of a chain keeps what it gets.
typedef struct band {
    int size;
    bool grows; ///< with i
    bool chain; ///< what leaves one arrives at the next; else diffusion
} band;

static const struct {
    const char *name;
    slopes *slopes;
    int count;
    double start[COMPONENTS];
    band band;
} detest[] = {
    {"A1", a1, 1, {1}, {0}},
    {"A2", a2, 1, {1}, {0}},
    {"A3", a3, 1, {1}, {0}},
    {"A4", a4, 1, {1}, {0}},
    {"A5", a5, 1, {4}, {0}},
    {"B1", b1, 2, {1, 3}, {0}},
    {"B2", b2, 3, {2, 0, 1}, {0}},
    {"B3", b3, 3, {1, 0, 0}, {0}},
    {"B4", b4, 3, {3, 0, 0}, {0}},
    {"B5", b5, 3, {0, 1, 1}, {0}},
    {"C1", NULL, 1, {1}, {10, false, true}},
    {"C2", NULL, 1, {1}, {10, true, true}},
    {"C3", NULL, 1, {1}, {10, false, false}},
    {"C4", NULL, 1, {1}, {51, false, false}},
    {"C5",
     c5,
     COMPONENTS,
     {3.42947415189,   3.35386959711,   1.35494901715,   6.64145542550,   5.97156957878,
      2.18231499728,   11.2630437207,   14.6952576794,   6.27960525067,   -30.1552268759,
      1.65699966404,   1.43785752721,   -21.1238353380,  28.4465098142,   15.3882659679,
      -0.557160570446, 0.505696783289,  0.230578543901,  -0.415570776342, 0.365682722812,
      0.169143213293,  -0.325325669158, 0.189706021964,  0.0877265322780, -0.0240476254170,
      -0.287659532608, -0.117219543175, -0.176860753121, -0.216393453025, -0.0148647893090},
     {0}},
    {"D1", orbit, 4, {0.9, 0, 0, 1.1055415967851333}, {0}},
    {"D2", orbit, 4, {0.7, 0, 0, 1.3627702877384938}, {0}},
    {"D3", orbit, 4, {0.5, 0, 0, 1.7320508075688772}, {0}},
    {"D4", orbit, 4, {0.3, 0, 0, 2.3804761428476167}, {0}},
    {"D5", orbit, 4, {0.1, 0, 0, 4.358898943540674}, {0}},
    {"E1", e1, 2, {0.6713967071418030, 0.09540051444747446}, {0}},
    {"E2", e2, 2, {2, 0}, {0}},
    {"E3", e3, 2, {0, 0}, {0}},
    {"E4", e4, 2, {30, 0}, {0}},
    {"E5", e5, 2, {0, 0}, {0}},
};
enum { PROBLEMS = sizeof(detest) / sizeof(detest[0]) };

static problem make_small(int index) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    evn_value y[COMPONENTS], dy[COMPONENTS];
    int count = detest[index].count;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, count));
    for (int i = 0; i < count; ++i) {
        y[i] = evn_slice(f, x, (int64_t[]){0, i}, EVN_SHAPE(1, 1));
    }
    detest[index].slopes(f, t, y, dy);
    evn_output(f, "dx", join(f, dy, count));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return problem_new(dynamics);
}

/// y' = M y, as a row: y' = y Mᵀ.
static problem make_band(const band *b) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    int n = b->size;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, n)), m = evn_input(f, "m", EVN_SHAPE(n, n));
    evn_output(f, "dx", evn_matmul(f, x, m, false, true));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    for (int i = 0; i < n; ++i) {
        double *row = p.weight[0] + i * n;
        bool last = i == n - 1;
        row[i] = !b->chain ? -2 : last ? 0 : b->grows ? -(i + 1) : -1;
        if (i > 0) {
            row[i - 1] = b->grows ? i : 1;
        }
        if (!b->chain && !last) {
            row[i + 1] = 1;
        }
    }
    return p;
}

static problem make(int index) {
    problem p = detest[index].slopes ? make_small(index) : make_band(&detest[index].band);
    memcpy(p.x0, detest[index].start, sizeof(double) * (size_t)detest[index].count);
    return p;
}

/// The largest error at the end, of components that may be larger than 1 relative to them.
static double difference(const problem *p, const double *truth) {
    double worst = 0;
    for (int i = 0; i < p->x_count; ++i) {
        worst = fmax(worst, fabs(p->x1[i] - truth[i]) / fmax(1, fabs(truth[i])));
    }
    return worst;
}

static void solve(problem *p, const char *method, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    problem_prepare(p, &options);
    problem_solve(p, 0, END);
}

static const char *const methods[] = {"dopri5", "dop853", "adams"};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

/// Four orders of tolerance are at least two and at most seven of error, above rounding.
static void check_proportion(int index, problem *p, const double *truth, const char *method) {
    const double rounding = 1e-12;
    double first = 0;
    for (int k = 0; k < 3; ++k) {
        double tolerance = pow(10, -4 - 2 * k);
        solve(p, method, tolerance);
        double error = difference(p, truth);
        printf("detest %s %s %.0e %d %.3e\n", detest[index].name, method, tolerance,
               p->solution.nfe, error);
        ck_assert_msg(error < 2e4 * tolerance, "%s, %s: %g at %g", detest[index].name, method,
                      error, tolerance);
        first = k == 0 ? error : first;
        double ratio = k == 2 ? log10(first / fmax(error, rounding)) : 4;
        ck_assert_msg(ratio > 2.2 && ratio < 7 + (error < rounding), "%s, %s: 10^%.2f",
                      detest[index].name, method, ratio);
    }
}

START_TEST(errors_follow_tolerances) {
    double truth[64];
    problem p = make(_i);
    p.fp64 = true;
    solve(&p, "dop853", 1e-13);
    memcpy(truth, p.x1, sizeof(double) * (size_t)p.x_count);
    for (int k = 0; k < METHODS; ++k) {
        check_proportion(_i, &p, truth, methods[k]);
    }
    problem_free(&p);
}
END_TEST

// Between the steps -------------------------------------------------------------------------------

/// The largest of all observations, as `difference`.
static double difference_of_all(const problem *p, const double *got, const double *truth) {
    double worst = 0;
    for (int i = 0; i < PROBLEM_OBSERVATIONS * p->x_count; ++i) {
        worst = fmax(worst, fabs(got[i] - truth[i]) / fmax(1, fabs(truth[i])));
    }
    return worst;
}

static void observe(problem *p, const char *method, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    options.observations = PROBLEM_OBSERVATIONS;
    problem_prepare(p, &options);
    problem_solve(p, 0, END);
}

/// At the same times, at which no step ends.
static void look_between(problem *p, const char *method, double tolerance, double *x) {
    double times[PROBLEM_OBSERVATIONS];
    size_t count = (size_t)(PROBLEM_OBSERVATIONS * p->x_count);
    evn_buffer *memory = NULL;
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = options.atol = tolerance;
    options.fp64 = options.dense = true;
    problem_prepare(p, &options);
    problem_solve(p, 0, END);
    for (int i = 0; i < PROBLEM_OBSERVATIONS; ++i) {
        times[i] = END * (i + 1.) / PROBLEM_OBSERVATIONS;
    }
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, count, &memory));
    TRY(evn_solver_at(p->solver, times, PROBLEM_OBSERVATIONS, (evn_binding){memory, 0}, NULL));
    TRY(evn__real_read((evn_binding){memory, 0}, true, x, count));
    evn_buffer_destroy(&memory);
}

/// A multi-step method is there as near as where its steps end, at most a few tolerances farther.
START_TEST(between_steps_as_at_their_ends) {
    enum { MOST = PROBLEM_OBSERVATIONS * 8 };
    static const char *const names[] = {"A3", "B4", "D2", "E2"};
    double truth[MOST], between[MOST];
    int index = 0;
    while (strcmp(detest[index].name, names[_i]) != 0) {
        ++index;
    }
    problem p = make(index);
    p.fp64 = true;
    observe(&p, "dop853", 1e-13);
    memcpy(truth, p.x1, sizeof(double) * (size_t)p.x1_count);
    for (double tolerance = 1e-4; tolerance > 1e-11; tolerance *= 1e-3) {
        observe(&p, "adams", tolerance);
        double at_ends = difference_of_all(&p, p.x1, truth);
        look_between(&p, "adams", tolerance, between);
        double error = difference_of_all(&p, between, truth);
        printf("detest %s adams %.0e: %.2e, %.2e between steps\n", names[_i], tolerance, at_ends,
               error);
        ck_assert_double_lt(error, 3 * at_ends + 5 * tolerance);
    }
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/detest");
    TCase *all = tcase_create("proportion");
    tcase_add_loop_test(all, errors_follow_tolerances, 0, PROBLEMS);
    suite_add_tcase(s, all);
    TCase *between = tcase_create("between");
    tcase_add_loop_test(between, between_steps_as_at_their_ends, 0, 4);
    suite_add_tcase(s, between);
    return s;
}

int main(void) {
    return test_run(suite());
}
