// SPDX-License-Identifier: Apache-2.0
// W k₁ = f₀ + γ dt T, W (k₂ − k₁) = f₁ − k₁, W k₃ = f₂ − c (k₂ − f₁) − 2 (k₁ − f₀) + γ dt T, where
// W = I − γ dt J and T = ∂f/∂t at the start, f₁ is at t + dt/2 and y + dt/2 k₁, f₂ at the end,
// y' = y + dt k₂; the error is dt/6 (k₁ − 2 k₂ + k₃).
#include "methods/rosenbrock.h"

#include "evonode/diff.h"
#include "methods/linear.h"
#include <stdlib.h>

/// Sets of slopes.
enum { F0, K1, K2, K3, F2, SETS };

static const double diagonal = 0.29289321881345247560; // 1 / (2 + √2)
static const double c32 = 7.4142135623730950488;       // 6 + √2

/// A step under construction. Arrays are over what the system gives.
typedef struct linearised {
    evn__step_build *step;
    evn__linear linear;
    evn__linear_matrix matrix;
    evn_value *slopes; ///< at the start
    evn_value *drift;  ///< γ dt T
    evn_value *middle; ///< f₁
    evn_value *right, *tangents, *wrt, *directions;
    evn_value *memory;
} linearised;

static int states_of(const linearised *l) {
    return l->step->system->state_count;
}

static evn_value length(const linearised *l) {
    return evn_scale(l->step->graph, l->step->dt, diagonal);
}

static evn_status find_drift(linearised *l) {
    evn_graph *g = l->step->graph;
    evn_value one = evn_full(g, evn_value_shape(g, l->step->t), 1);
    EVN_TRY(evn_graph_status(g));
    EVN_TRY(evn_pushforward(g, &l->step->t, &one, 1, l->slopes, states_of(l), l->drift));
    for (int i = 0; i < states_of(l); ++i) {
        l->drift[i] = evn_mul(g, length(l), l->drift[i]);
    }
    return evn_graph_status(g);
}

/// What no slope depends on has its own from those that do: k = right + γ dt J k.
static evn_status follow(linearised *l, evn_value *k) {
    evn_graph *g = l->step->graph;
    int count = 0;
    for (int i = 0; i < states_of(l); ++i) {
        if (l->linear.coupled[i]) {
            l->wrt[count] = l->step->states[i];
            l->directions[count++] = k[i];
        }
    }
    if (count == states_of(l)) {
        return EVN_OK;
    }
    EVN_TRY(evn_graph_status(g));
    EVN_TRY(evn_pushforward(g, l->wrt, l->directions, count, l->slopes, states_of(l), l->tangents));
    for (int i = 0; i < states_of(l); ++i) {
        evn_value moved = evn_add(g, l->right[i], evn_mul(g, length(l), l->tangents[i]));
        k[i] = l->linear.coupled[i] ? k[i] : moved;
    }
    return evn_graph_status(g);
}

/// W k = right
static evn_status solve(linearised *l, evn_value *k) {
    EVN_TRY(evn__linear_solve(&l->linear, &l->matrix, l->right, k));
    evn__linear_doubt_residual(&l->linear, diagonal, l->step->states);
    return follow(l, k);
}

static void move(linearised *l, const evn_value *k, double part) {
    evn_graph *g = l->step->graph;
    evn_value dt = evn_scale(g, l->step->dt, part);
    for (int i = 0; i < states_of(l); ++i) {
        l->step->next[i] = evn_add(g, l->step->states[i], evn_mul(g, dt, k[i]));
    }
}

static evn_status first_stage(linearised *l, evn_value *k1) {
    for (int i = 0; i < states_of(l); ++i) {
        l->right[i] = evn_add(l->step->graph, l->slopes[i], l->drift[i]);
    }
    EVN_TRY(solve(l, k1));
    move(l, k1, 0.5);
    return evn__step_evaluate(l->step, evn__step_time(l->step, 0.5), l->step->next, l->middle);
}

static evn_status second_stage(linearised *l, const evn_value *k1, evn_value *k2) {
    evn_graph *g = l->step->graph;
    for (int i = 0; i < states_of(l); ++i) {
        l->right[i] = evn_sub(g, l->middle[i], k1[i]);
    }
    EVN_TRY(solve(l, k2));
    for (int i = 0; i < states_of(l); ++i) {
        k2[i] = evn_add(g, k2[i], k1[i]);
    }
    move(l, k2, 1);
    return evn__step_evaluate(l->step, evn__step_time(l->step, 1), l->step->next,
                              evn__step_slopes(l->step, F2));
}

static evn_status third_stage(linearised *l, const evn_value *k1, const evn_value *k2,
                              evn_value *k3) {
    evn_graph *g = l->step->graph;
    const evn_value *after = evn__step_slopes(l->step, F2);
    for (int i = 0; i < states_of(l); ++i) {
        evn_value bend = evn_scale(g, evn_sub(g, k2[i], l->middle[i]), c32);
        evn_value turn = evn_scale(g, evn_sub(g, k1[i], l->slopes[i]), 2);
        evn_value rest = evn_sub(g, after[i], evn_add(g, bend, turn));
        l->right[i] = evn_add(g, rest, l->drift[i]);
    }
    return solve(l, k3);
}

static evn_status allocate(linearised *l) {
    evn_value **const arrays[] = {&l->slopes,   &l->drift, &l->middle,    &l->right,
                                  &l->tangents, &l->wrt,   &l->directions};
    return evn__step_arrays(l->step, arrays, sizeof(arrays) / sizeof(*arrays), &l->memory);
}

static evn_status run(linearised *l) {
    evn__step_build *step = l->step;
    evn_value *k1 = evn__step_slopes(step, K1), *k2 = evn__step_slopes(step, K2);
    EVN_TRY(allocate(l));
    EVN_TRY(evn__linear_create(step, &l->linear));
    EVN_TRY(evn__step_evaluate(step, step->t, step->states, l->slopes));
    l->matrix = (evn__linear_matrix){step->states, l->slopes, diagonal, false, EVN_NONE};
    EVN_TRY(evn__linear_prepare(&l->linear, &l->matrix));
    evn__step_choose_tolerances(step);
    EVN_TRY(find_drift(l));
    EVN_TRY(first_stage(l, k1));
    EVN_TRY(second_stage(l, k1, k2));
    EVN_TRY(third_stage(l, k1, k2, evn__step_slopes(step, K3)));
    evn__linear_leave_doubt(&l->linear);
    return evn_graph_status(step->graph);
}

static evn_status advance(const evn__stepper *stepper, evn__step_build *step) {
    (void)stepper;
    linearised l = {.step = step};
    evn_status status = run(&l);
    evn__linear_free(&l.linear);
    free(l.memory);
    return status == EVN_OK ? evn_graph_status(step->graph) : status;
}

// What others know of it --------------------------------------------------------------------------

/// One more than the slopes that are given: the matrix needs what f computes at the start.
static int adaptive_evaluations(const evn__stepper *stepper) {
    (void)stepper;
    return 3;
}

static int evaluations(const evn__stepper *stepper) {
    (void)stepper;
    return 2;
}

static int slopes(const evn__stepper *stepper) {
    (void)stepper;
    return SETS;
}

/// What it adds is no sum of slopes: pairs would have none of the parts with J.
static double weight(const evn__stepper *stepper, int set) {
    (void)stepper, (void)set;
    return 0;
}

static evn_value change(const evn__stepper *stepper, evn__step_build *step, int state) {
    static const double row[] = {0, 0, 1};
    (void)stepper;
    return evn__step_combine(step, row, K2 + 1, state);
}

static evn_value error(const evn__stepper *stepper, evn__step_build *step, evn__estimate which,
                       int state) {
    static const double row[] = {0, 1. / 6, -1. / 3, 1. / 6};
    (void)stepper;
    return which == EVN__ESTIMATE_FINE ? evn__step_combine(step, row, K3 + 1, state) : EVN_NONE;
}

/// The quadratic y + dt θ ((1 − θ) k₁ + (θ − 2γ) k₂) / (1 − 2γ) of Shampine and Reichelt, without
/// slopes at the ends, which are wrong by the stiffness times what states are wrong by.
static evn_status refine(const evn__stepper *stepper, evn__step_build *step, evn__span *spans) {
    const double whole = 1 - 2 * diagonal;
    const double half[] = {0, 0.25 / whole, (0.25 - diagonal) / whole};
    const double rise[] = {0, 1 / whole, -2 * diagonal / whole};
    const double rise_next[] = {0, -1 / whole, (2 - 2 * diagonal) / whole};
    (void)stepper;
    for (int i = 0; i < step->system->state_count; ++i) {
        spans[i].inside[0] = evn__step_combine(step, half, K2 + 1, i);
        spans[i].rise = evn__step_combine(step, rise, K2 + 1, i);
        spans[i].rise_next = evn__step_combine(step, rise_next, K2 + 1, i);
    }
    return evn_graph_status(step->graph);
}

const evn__stepper_kind evn__rosenbrock23 = {.evaluations = evaluations,
                                             .adaptive_evaluations = adaptive_evaluations,
                                             .slopes = slopes,
                                             .weight = weight,
                                             .advance = advance,
                                             .change = change,
                                             .error = error,
                                             .refine = refine};

const evn__interpolant evn__rosenbrock23_interpolant = {.order = 2};
