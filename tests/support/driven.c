// SPDX-License-Identifier: Apache-2.0
#include "driven.h"

#include "rig.h"
#include "test.h"
#include <math.h>
#include <string.h>

const double driven_jumps[DRIVEN_JUMPS] = {0.3, 0.7};
static const double levels[DRIVEN_JUMPS + 1] = {1, -2, 0.5};

/// u(t): one level before the first jump, another one from it on, …
static evn_value forcing(evn_graph *g, evn_value t) {
    evn_value u = evn_constant(g, levels[DRIVEN_JUMPS]);
    for (int i = 0; i < DRIVEN_JUMPS; ++i) {
        evn_value before = evn_step(g, evn_sub(g, evn_constant(g, driven_jumps[i]), t));
        u = evn_add(g, u, evn_scale(g, before, levels[i] - levels[i + 1]));
    }
    return u;
}

/// w' = c u.
static evn_graph *evolution(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    evn_input(g, "w", EVN_SHAPE(1));
    evn_output(g, "dw", evn_mul(g, evn_input(g, "c", EVN_SHAPE(1)), forcing(g, t)));
    return g;
}

problem driven_problem(bool evolves) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(DRIVEN_ROWS, 1), &t, &x);
    evn_value w = evn_input(f, "w", EVN_SHAPE(1)), b = evn_input(f, "b", EVN_SHAPE(1));
    evn_value ones = evn_full(f, EVN_SHAPE(DRIVEN_ROWS, 1), 1);
    evn_value pushed = evn_mul(f, evn_mul(f, ones, b), forcing(f, t));
    evn_output(f, "dx", evn_add(f, evn_mul(f, ones, w), pushed));
    problem p = problem_of(f, evolves ? evolution() : NULL);
    test_uniform(3, -1, 1, p.x0, DRIVEN_ROWS);
    test_uniform(4, -1, 1, p.x1_bar, DRIVEN_ROWS * PROBLEM_OBSERVATIONS);
    for (int i = 0; i < p.weight_count; ++i) {
        p.weight[i][0] = 0.7 - 0.4 * i;
    }
    return p;
}

/// ∫u and ∫∫u from 0 on.
static void integrals(double t, double *once, double *twice) {
    const double starts[DRIVEN_JUMPS + 2] = {0, driven_jumps[0], driven_jumps[1], INFINITY};
    *once = *twice = 0;
    for (int i = 0; i <= DRIVEN_JUMPS; ++i) {
        double way = fmin(t, starts[i + 1]) - starts[i];
        if (i == 0 || way > 0) {
            *twice += *once * way + levels[i] * way * way / 2;
            *once += levels[i] * way;
        }
    }
}

driven_shares driven_shares_of(double t0, double t) {
    double once0, twice0, once, twice;
    integrals(t0, &once0, &twice0);
    integrals(t, &once, &twice);
    return (driven_shares){t - t0, once - once0, twice - twice0 - once0 * (t - t0)};
}

int driven_find(const problem *p, const char *name) {
    for (int i = 0; i < p->weight_count; ++i) {
        if (strcmp(evn_dynamics_weight_name(p->dynamics, i), name) == 0) {
            return i;
        }
    }
    return -1;
}

double driven_weight(const problem *p, const char *name) {
    int index = driven_find(p, name);
    return index < 0 ? 0 : p->weight[index][0];
}

static double bar(const problem *p, const char *name) {
    int index = driven_find(p, name);
    return index < 0 ? 0 : p->weight_bar_host[index][0];
}

static double exact(const problem *p, int row, double t0, double t) {
    driven_shares s = driven_shares_of(t0, t);
    return p->x0[row] + s.w * driven_weight(p, "w") + s.b * driven_weight(p, "b") +
           s.c * driven_weight(p, "c");
}

void driven_check_points(const problem *p, const double *t0, const double *at, int points,
                         double within) {
    for (int i = 0; i < points * DRIVEN_ROWS; ++i) {
        double x = exact(p, i % DRIVEN_ROWS, t0[i % DRIVEN_ROWS], at[i]);
        ck_assert_msg(fabs(p->x1[i] - x) <= within, "x%d(%.17g) = %.17g, not %.17g",
                      i % DRIVEN_ROWS, at[i], p->x1[i], x);
    }
}

void driven_check_bars(const problem *p, const double *t0, const double *at, int points,
                       double within) {
    double x0_bar[DRIVEN_ROWS] = {0};
    driven_shares all = {0};
    for (int i = 0; i < points * DRIVEN_ROWS; ++i) {
        driven_shares s = driven_shares_of(t0[i % DRIVEN_ROWS], at[i]);
        x0_bar[i % DRIVEN_ROWS] += p->x1_bar[i];
        all.w += p->x1_bar[i] * s.w;
        all.b += p->x1_bar[i] * s.b;
        all.c += p->x1_bar[i] * s.c;
    }
    for (int i = 0; i < DRIVEN_ROWS; ++i) {
        ck_assert_double_eq_tol(p->x0_bar[i], x0_bar[i], within);
    }
    ck_assert_double_eq_tol(bar(p, "w"), all.w, within);
    ck_assert_double_eq_tol(bar(p, "b"), all.b, within);
    ck_assert_double_eq_tol(bar(p, "c"), driven_find(p, "c") < 0 ? 0 : all.c, within);
}

evn_solver_options driven_across(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = rig_options(1e-9);
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.jumps = driven_jumps;
    options.jump_count = DRIVEN_JUMPS;
    return options;
}
