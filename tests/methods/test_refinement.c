// SPDX-License-Identifier: Apache-2.0
// Dense output of implicit methods on stiff problems: errors between steps, by the tolerance, in
// fp64, against closed forms or a solve of a much smaller tolerance. docs/solvers.md has these
// figures.
#include "evonode/solver.h"
#include "methods/stepper.h"
#include "plan/real.h"
#include "problem.h"
#include "stiff.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

enum { TIMES = 120, MOST = 8 * TIMES };

static evn_solver_options with(const char *method, double rtol, double atol) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.rtol = rtol;
    options.atol = atol;
    options.max_steps = 100000;
    options.fp64 = options.dense = true;
    return options;
}

static void look(problem *p, const double *times, double *x) {
    evn_buffer *memory = NULL;
    size_t count = (size_t)(TIMES * p->x_count);
    TRY(evn__real_create_for(test_device(), EVN__USE_STATES, true, count, &memory));
    TRY(evn_solver_at(p->solver, times, TIMES, (evn_binding){memory, 0}, NULL));
    TRY(evn__real_read((evn_binding){memory, 0}, true, x, count));
    evn_buffer_destroy(&memory);
}

/// Where a problem is looked at: from `begin`, where that is not 0 each time as many times the one
/// before, else at equal distances.
typedef struct window {
    double begin, end, last; ///< of the solve
} window;

static void solve(problem *p, const evn_solver_options *options, const window *w, double *x) {
    double times[TIMES];
    for (int i = 0; i < TIMES; ++i) {
        double part = i / (TIMES - 1.);
        times[i] = w->begin > 0 ? w->begin * pow(w->last / w->begin, part) : w->last * part;
    }
    problem_prepare(p, options);
    problem_solve(p, 0, w->end);
    look(p, times, x);
}

/// The largest error by rtol |x| + atol.
static double error_of(const double *got, const double *exact, int count,
                       const evn_solver_options *options) {
    double worst = 0;
    for (int i = 0; i < count; ++i) {
        double tolerated = options->rtol * fabs(exact[i]) + options->atol;
        worst = fmax(worst, fabs(got[i] - exact[i]) / tolerated);
    }
    return worst;
}

static void check(const evn_solver_options *options, double worst, double known) {
    printf("%s at %g: %.3g times the tolerance between the steps\n", options->method, options->rtol,
           worst);
    ck_assert_double_lt(worst, known);
}

// Closed forms ------------------------------------------------------------------------------------

/// Those that compile soon at both ends and in the middle: a share has these.
static const struct {
    const char *method;
    double tolerance, cubes, robinson; ///< what errors are below, by the tolerance
} closed[] = {
    {"kvaerno3", 1e-6, 0.5, 3.5},        {"kennedy_carpenter5", 1e-6, 1.3, 1.2},
    {"kvaerno5", 1e-6, 0.1, 1.3},        {"trapezoid", 1e-4, 0.2, 0.2},
    {"trbdf2", 1e-4, 0.01, 0.03},        {"sdirk4", 1e-6, 1.4, 1.4},
    {"implicit_euler", 1e-3, 0.11, 1.2}, {"rosenbrock23", 1e-4, 0.3, 0.55},
};

enum { CLOSED = sizeof(closed) / sizeof(*closed) };

static void solve_closed(problem p, double end, const evn_solver_options *options, double known) {
    double got[TIMES], exact[TIMES];
    const window w = {.end = end, .last = end};
    test_needs_fp64();
    p.x0[0] = 1;
    solve(&p, options, &w, got);
    for (int i = 0; i < TIMES; ++i) {
        exact[i] = cos(end * i / (TIMES - 1));
    }
    check(options, error_of(got, exact, TIMES, options), known);
    problem_free(&p);
}

START_TEST(cubes) {
    double tolerance = closed[_i].tolerance;
    const evn_solver_options options = with(closed[_i].method, tolerance, tolerance);
    solve_closed(stiff_cubes(1e5), 1.2, &options, closed[_i].cubes);
}
END_TEST

/// x = cos t but for 1 / λ: steps are as long as dt_max lets them be.
START_TEST(prothero_robinson) {
    double tolerance = closed[_i].tolerance;
    evn_solver_options options = with(closed[_i].method, tolerance, tolerance);
    options.dt_max = 0.5;
    solve_closed(stiff_prothero_robinson(1, 1e6), 5, &options, closed[_i].robinson);
}
END_TEST

/// Steps that nothing bounds are longer than the waves of x, between whose ends no polynomial
/// helps.
START_TEST(steps_too_long) {
    const evn_solver_options options = with("kennedy_carpenter5", 1e-6, 1e-6);
    solve_closed(stiff_prothero_robinson(1, 1e6), 10, &options, 190);
}
END_TEST

// Against a finer solve ---------------------------------------------------------------------------

static void solve_both(problem p, const window *w, double rtol, double atol, double known,
                       const char *method) {
    double got[MOST], exact[MOST];
    const evn_solver_options options = with(method, rtol, atol);
    const evn_solver_options fine = with("kennedy_carpenter5", 1e-8, 1e-3 * atol);
    test_needs_fp64();
    solve(&p, &fine, w, exact);
    solve(&p, &options, w, got);
    check(&options, error_of(got, exact, TIMES * p.x_count, &options), known);
    problem_free(&p);
}

START_TEST(robertson) {
    static const struct {
        const char *method;
        double known;
    } cases[] = {{"kennedy_carpenter5", 1.3}, {"kvaerno5", 36}, {"sdirk4", 27}};
    const window w = {.begin = 1e-4, .end = 1e4, .last = 1e4};
    solve_both(stiff_robertson(1), &w, 1e-5, 1e-9, cases[_i].known, cases[_i].method);
}
END_TEST

START_TEST(hires) {
    const window w = {.begin = 1e-3, .end = 321.8122, .last = 321.8122};
    solve_both(stiff_hires(), &w, 1e-5, 1e-9, 11, "kennedy_carpenter5");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/refinement");
    TCase *c = tcase_create("cubes"); // whole: long
    test_add_share(c, cubes, 0, CLOSED, 3);
    suite_add_tcase(s, c);
    TCase *r = tcase_create("prothero_robinson"); // whole: long
    test_add_share(r, prothero_robinson, 0, CLOSED, 3);
    if (test_is_whole()) {
        tcase_add_test(r, steps_too_long); // by the one that compiles longest
    }
    suite_add_tcase(s, r);
    TCase *f = tcase_create("reference"); // whole: long
    test_add_share(f, robertson, 0, 3, 3);
    tcase_add_test(f, hires);
    suite_add_tcase(s, f);
    return s;
}

int main(void) {
    return test_run(suite());
}
