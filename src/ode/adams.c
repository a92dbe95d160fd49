// SPDX-License-Identifier: Apache-2.0
#include "ode/adams.h"

#include "ode/adams_formula.h"
#include "ode/adams_order.h"
#include "ode/error_norm.h"
#include "ode/explicit.h"
#include "ode/history.h"

enum { SETS = 2, EVALUATIONS = 2 }; // the slopes at t, and where they are predicted to lead

static const evn__adams *adams_of(const evn__stepper *stepper) {
    return stepper->coefficients;
}

/// A step under construction.
typedef struct adams_step {
    evn__step_build *step;
    const evn__adams *adams;
    evn__adams_formula formula;
    int states; ///< but for the history
} adams_step;

static adams_step begin(const evn__stepper *stepper, evn__step_build *step) {
    adams_step a = {.step = step,
                    .adams = adams_of(stepper),
                    .states = step->system->state_count - step->system->past};
    a.formula = evn__adams_formula_build(step, a.adams);
    step->next[evn__history_schedule(step->system)] =
        step->states[evn__history_schedule(step->system)]; // where f is evaluated
    return a;
}

/// A state as a row.
static evn_value flat(const adams_step *a, evn_value x) {
    evn_graph *g = a->step->graph;
    return evn_reshape(g, x, EVN_SHAPE(1, evn_shape_count(evn_value_shape(g, x))));
}

static evn_value like(const adams_step *a, evn_value row, int state) {
    return evn_reshape(a->step->graph, row, evn__system_state_shape(a->step->system, state));
}

// The history -------------------------------------------------------------------------------------

/// φ*_i of a state, from those of the step before and the slopes at t, as those of the next step.
static void go_on(const adams_step *a, int state) {
    evn_graph *g = a->step->graph;
    const evn__adams_formula *f = &a->formula;
    int place = evn__history_differences(a->step->system, state);
    evn_value slope = flat(a, evn__step_slopes(a->step, 0)[state]);
    evn_value before = evn_mask(g, a->step->states[place], f->behind);
    evn_value triangle = evn__adams_triangle(g, a->adams->orders, false);
    evn_value sums = evn_matmul(g, triangle, before, false, false);
    evn_value differences = evn_mask(g, evn_sub(g, slope, sums), f->known);
    a->step->next[place] = evn_mul(g, f->scale, differences);
}

/// @param raised  EVN_NONE: 0
static void write_schedule(const adams_step *a, evn_value raised) {
    evn__step_build *step = a->step;
    evn_graph *g = step->graph;
    int place = evn__history_schedule(step->system), kept = a->adams->orders - 1;
    const int64_t tolerances[] = {EVN__SCHEDULE_RTOL}, lengths[] = {EVN__SCHEDULE_LENGTHS};
    evn_value count = evn_add(g, a->formula.count, evn_constant(g, 1));
    evn_value least = evn_constant(g, -a->adams->orders);
    const evn_value parts[] = {
        evn_reshape(g, evn_neg(g, evn_maximum(g, evn_neg(g, count), least)), EVN_SHAPE(1)),
        evn_reshape(g, raised == EVN_NONE ? evn_constant(g, 0) : raised, EVN_SHAPE(1)),
        evn_slice(g, step->states[place], tolerances, EVN_SHAPE(2)),
        evn_reshape(g, step->dt, EVN_SHAPE(1)),
        evn_slice(g, step->states[place], lengths, EVN_SHAPE(kept)),
    };
    step->next[place] = evn_concat(g, parts, (int)(sizeof(parts) / sizeof(*parts)), 0);
}

// A step ------------------------------------------------------------------------------------------

/// What φ* make of the slopes of a state, by weights of each [K, 1].
static evn_value weighted(const adams_step *a, evn_value weights, int state) {
    evn_value differences = a->step->next[evn__history_differences(a->step->system, state)];
    return like(a, evn_matmul(a->step->graph, weights, differences, true, false), state);
}

static void predict(const adams_step *a) {
    evn__step_build *step = a->step;
    evn_graph *g = step->graph;
    evn_value weights = evn_mul(g, a->formula.used, a->formula.integral);
    for (int i = 0; i < a->states; ++i) {
        evn_value change = evn_mul(g, step->dt, weighted(a, weights, i));
        step->next[i] = evn_add(g, step->states[i], change);
    }
}

/// By how much the slopes at the prediction are not those that were predicted.
static void correct(const adams_step *a) {
    evn__step_build *step = a->step;
    evn_graph *g = step->graph;
    evn_value gain = evn_sum_all(g, evn__adams_at_order(step, &a->formula, a->formula.gain, 0));
    evn_value length = evn_mul(g, step->dt, gain);
    for (int i = 0; i < a->states; ++i) {
        evn_value surprise =
            evn_sub(g, evn__step_slopes(step, 1)[i], weighted(a, a->formula.used, i));
        step->next[i] = evn_add(g, step->next[i], evn_mul(g, length, surprise));
    }
}

/// The norms of what the first i differences predict of slopes and is not, [K, 1].
static evn_value sizes(const adams_step *a) {
    evn__step_build *step = a->step;
    evn_graph *g = step->graph;
    evn__error_norm norm = evn__error_norm_begin_rows(step, a->adams->orders);
    evn_value triangle = evn__adams_triangle(g, a->adams->orders, true);
    for (int i = 0; i < a->states; ++i) {
        if (!step->system->controlled[i]) {
            continue;
        }
        evn_value all = step->next[evn__history_differences(step->system, i)];
        evn_value sums = evn_matmul(g, triangle, all, false, false);
        evn_value surprise = evn_sub(g, flat(a, evn__step_slopes(step, 1)[i]), sums);
        evn_value size = evn_maximum(g, evn_abs(g, step->states[i]), evn_abs(g, step->next[i]));
        evn_value tolerance = evn__error_tolerance(step, flat(a, size));
        evn__error_norm_add(step, &norm, evn_detach(g, surprise), evn_detach(g, tolerance));
    }
    return evn__error_norm_end(step, &norm);
}

static evn_status advance(const evn__stepper *stepper, evn__step_build *step) {
    if (!step->adaptive) {
        EVN_TRY(evn__step_evaluate(step, step->t, step->states, evn__step_slopes(step, 0)));
    }
    adams_step a = begin(stepper, step);
    evn__adams_choice choice = {EVN_NONE, EVN_NONE};
    for (int i = 0; i < a.states; ++i) {
        go_on(&a, i);
    }
    predict(&a);
    EVN_TRY(
        evn__step_evaluate(step, evn__step_time(step, 1), step->next, evn__step_slopes(step, 1)));
    if (step->adaptive || a.adams->chooses) {
        step->rtol = evn__adams_entry(step, EVN__SCHEDULE_RTOL);
        step->atol = evn__adams_entry(step, EVN__SCHEDULE_ATOL);
        choice = evn__adams_choose(step, a.adams, &a.formula, sizes(&a));
    }
    correct(&a);
    write_schedule(&a, choice.raised);
    step->error = choice.error;
    return evn_graph_status(step->graph);
}

static int evaluations(const evn__stepper *stepper) {
    (void)stepper;
    return EVALUATIONS;
}

static double stability(const evn__stepper *stepper) {
    return adams_of(stepper)->stability;
}

static int slopes(const evn__stepper *stepper) {
    (void)stepper;
    return SETS;
}

static double weight(const evn__stepper *stepper, int set) {
    (void)stepper, (void)set;
    return 0;
}

static int past(const evn__stepper *stepper) {
    return adams_of(stepper)->orders;
}

// The first fixed steps ---------------------------------------------------------------------------

static const evn__stepper kutta = {
    "rk4", 4, 0, false, &evn__explicit, &evn__tableaux[EVN__TABLEAU_rk4]};

static evn_status advance_first(const evn__stepper *stepper, evn__step_build *step) {
    EVN_TRY(kutta.kind->advance(&kutta, step));
    adams_step a = begin(stepper, step);
    for (int i = 0; i < a.states; ++i) {
        go_on(&a, i);
    }
    write_schedule(&a, EVN_NONE);
    return evn_graph_status(step->graph);
}

static int evaluations_first(const evn__stepper *stepper) {
    (void)stepper;
    return kutta.kind->evaluations(&kutta);
}

static int slopes_first(const evn__stepper *stepper) {
    (void)stepper;
    return kutta.kind->slopes(&kutta);
}

static const evn__stepper_kind beginning = {.evaluations = evaluations_first,
                                            .stability = stability,
                                            .slopes = slopes_first,
                                            .weight = weight,
                                            .advance = advance_first,
                                            .past = past};

static const evn__stepper *first(const evn__stepper *stepper) {
    return adams_of(stepper)->first;
}

const evn__stepper_kind evn__multistep = {.evaluations = evaluations,
                                          .adaptive_evaluations = evaluations,
                                          .stability = stability,
                                          .slopes = slopes,
                                          .weight = weight,
                                          .advance = advance,
                                          .past = past,
                                          .first = first};

// The methods -------------------------------------------------------------------------------------

static const evn__stepper first_of_abm4 = {"abm4", 4, 0, false, &beginning, &evn__abm4};
static const evn__stepper first_of_abm5 = {"abm5", 4, 0, false, &beginning, &evn__abm5};

const evn__adams evn__abm4 = {.orders = 3, .stability = 1.9, .first = &first_of_abm4};
const evn__adams evn__abm5 = {.orders = 4, .stability = 1.4, .first = &first_of_abm5};
const evn__adams evn__abm = {.orders = EVN__ADAMS_ORDERS, .chooses = true, .stability = 2};
