// SPDX-License-Identifier: Apache-2.0
// Problems whose solutions are published, or closed: the Arenstorf orbit and the Brusselator of
// Hairer, Nørsett, Wanner: Solving ODEs I (equations II.0.1 and I.16.12), the pendulum, and the
// limit cycle of van der Pol's equation, whose period is a time between two events.
#include "plan/real.h"
#include "problem.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COMPONENTS = 4 };

/// y' of a few components that does not depend on t.
typedef void slopes(evn_graph *g, const evn_value *y, evn_value *dy);

static evn_value plus(evn_graph *g, evn_value x, double number) {
    return evn_add(g, x, evn_constant(g, number));
}

/// The pull of a mass at a distance of x, y along each axis.
static void pull(evn_graph *g, double mass, evn_value x, evn_value y, evn_value *by_x,
                 evn_value *by_y) {
    evn_value square = evn_add(g, evn_mul(g, x, x), evn_mul(g, y, y));
    evn_value part = evn_div(g, evn_constant(g, mass), evn_mul(g, square, evn_sqrt(g, square)));
    *by_x = evn_mul(g, part, x);
    *by_y = evn_mul(g, part, y);
}

static const double moon = 0.012277471;

/// A satellite between earth and moon, in axes that turn with them.
static void arenstorf(evn_graph *g, const evn_value *y, evn_value *dy) {
    evn_value earth_x, earth_y, moon_x, moon_y;
    pull(g, 1 - moon, plus(g, y[0], moon), y[1], &earth_x, &earth_y);
    pull(g, moon, plus(g, y[0], moon - 1), y[1], &moon_x, &moon_y);
    dy[0] = y[2];
    dy[1] = y[3];
    evn_value turned_x = evn_add(g, y[0], evn_scale(g, y[3], 2));
    evn_value turned_y = evn_sub(g, y[1], evn_scale(g, y[2], 2));
    dy[2] = evn_sub(g, evn_sub(g, turned_x, earth_x), moon_x);
    dy[3] = evn_sub(g, evn_sub(g, turned_y, earth_y), moon_y);
}

static void brusselator(evn_graph *g, const evn_value *y, evn_value *dy) {
    evn_value product = evn_mul(g, evn_mul(g, y[0], y[0]), y[1]);
    dy[0] = evn_sub(g, plus(g, product, 1), evn_scale(g, y[0], 4));
    dy[1] = evn_sub(g, evn_scale(g, y[0], 3), product);
}

static void pendulum(evn_graph *g, const evn_value *y, evn_value *dy) {
    dy[0] = y[1];
    dy[1] = evn_neg(g, evn_sin(g, y[0]));
}

static void van_der_pol(evn_graph *g, const evn_value *y, evn_value *dy) {
    const double mu = 5;
    evn_value damping = evn_scale(g, plus(g, evn_neg(g, evn_mul(g, y[0], y[0])), 1), mu);
    dy[0] = y[1];
    dy[1] = evn_sub(g, evn_mul(g, damping, y[1]), y[0]);
}

static evn_dynamics *make(slopes *f, int count) {
    evn_graph *graph = NULL;
    evn_value y[COMPONENTS], dy[COMPONENTS];
    TRY(evn_graph_create(&graph));
    evn_input(graph, "t", EVN_SCALAR);
    evn_value x = evn_input(graph, "x", EVN_SHAPE(1, count));
    for (int i = 0; i < count; ++i) {
        y[i] = rig_column(graph, x, i);
    }
    f(graph, y, dy);
    evn_output(graph, "dx", evn_concat(graph, dy, count, 1));
    return rig_dynamics(graph, NULL);
}

// Values at the end -------------------------------------------------------------------------------

#define ARENSTORF 0.994, 0, 0, -2.00158510637908252240537862224

static const struct {
    const char *name;
    slopes *f;
    int count;
    double start[COMPONENTS], end, exact[COMPONENTS];
    double loses; ///< how much of an error at the start is left at the end, about
} problems[] = {
    {"Arenstorf", arenstorf, 4, {ARENSTORF}, 17.0652165601579625588917206249, {ARENSTORF}, 3e5},
    {"Brusselator", brusselator, 2, {1.5, 3}, 20, {0.49863707126834783, 4.596780349452011}, 100},
};
enum { PROBLEMS = sizeof(problems) / sizeof(problems[0]) };

static double error_of(problem *p, int index, const char *method, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    problem_prepare(p, &options);
    problem_solve(p, 0, problems[index].end);
    double worst = 0;
    for (int i = 0; i < problems[index].count; ++i) {
        worst = fmax(worst, fabs(p->x1[i] - problems[index].exact[i]));
    }
    printf("%s, %s at %.0e: %.2e, %d evaluations\n", problems[index].name, method, tolerance, worst,
           p->solution.nfe);
    return worst;
}

START_TEST(values_at_the_end) {
    static const char *const methods[] = {"dopri5", "tsit5", "verner76", "dop853"};
    problem p = problem_new(make(problems[_i].f, problems[_i].count));
    p.fp64 = true;
    memcpy(p.x0, problems[_i].start, sizeof(double) * (size_t)problems[_i].count);
    for (size_t k = 0; k < sizeof(methods) / sizeof(*methods); ++k) {
        for (double tolerance = 1e-9; tolerance > 1e-12; tolerance /= 100) {
            double error = error_of(&p, _i, methods[k], tolerance);
            ck_assert_double_le(error, problems[_i].loses * tolerance);
        }
    }
    problem_free(&p);
}
END_TEST

// Periods -----------------------------------------------------------------------------------------

static double mean_of_arithmetic_and_geometric(double a, double b) {
    while (fabs(a - b) > 1e-15 * a) {
        double both = sqrt(a * b);
        a = 0.5 * (a + b);
        b = both;
    }
    return a;
}

/// The time between the last two events of the same direction, and the state at the last.
static double period(slopes *f, const double *start, double end, int column, double x[2]) {
    evn_graph *e = rig_component(1, 2, column);
    const evn_event event = {e, EVN_EVENT_FALLING, false};
    evn_solver_options options = rig_options(1e-12);
    options.method = "dop853";
    rig r = rig_new(make(f, 2), &options, &event, 1);
    double x1[2];
    rig_solve(&r, 0, end, start, x1);
    int count = evn_event_solver_occurrence_count(r.solver);
    ck_assert_int_ge(count, 2);
    evn_occurrence last = rig_occurrence(&r, count - 1);
    double before = rig_occurrence(&r, count - 2).t;
    memcpy(x, last.x, sizeof(double) * 2);
    rig_free(&r);
    evn_graph_destroy(&e);
    return last.t - before;
}

/// 2π / agm(1, cos(θ/2)) from rest at θ, as Gauss has it.
START_TEST(pendulum_period) {
    static const double angles[] = {0.1, 1, 3};
    const double pi = 3.14159265358979323846;
    for (size_t i = 0; i < sizeof(angles) / sizeof(*angles); ++i) {
        const double start[] = {angles[i], 0};
        double exact = 2 * pi / mean_of_arithmetic_and_geometric(1, cos(angles[i] / 2)), x[2];
        double found = period(pendulum, start, 2.5 * exact, 0, x);
        ck_assert_double_eq_tol(found, exact, 1e-9 * exact);
    }
}
END_TEST

/// μ = 5. Period: Amore 2021, arXiv:2111.12198. The amplitude, 2.0215, is where velocity falls
/// through 0.
START_TEST(van_der_pol_cycle) {
    static const double start[] = {2, 0};
    double x[2], found = period(van_der_pol, start, 60, 1, x);
    printf("period %.12f, amplitude %.12f\n", found, x[0]);
    ck_assert_double_eq_tol(found, 11.61223066771957, 1e-8);
    ck_assert_double_eq_tol(x[0], 2.0215080, 1e-7);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/reference");
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, values_at_the_end, 0, PROBLEMS);
    suite_add_tcase(s, values);
    TCase *periods = tcase_create("periods");
    tcase_add_test(periods, pendulum_period);
    tcase_add_test(periods, van_der_pol_cycle);
    suite_add_tcase(s, periods);
    return s;
}

int main(void) {
    return test_run(suite());
}
