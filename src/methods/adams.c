// SPDX-License-Identifier: Apache-2.0
#include "methods/adams.h"

#include "graph/node.h"
#include "methods/adams_between.h"
#include "methods/adams_formula.h"
#include "methods/adams_order.h"
#include "methods/error_norm.h"
#include "methods/explicit.h"
#include "methods/history.h"

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

static adams_step look_at(const evn__stepper *stepper, evn__step_build *step) {
    const evn__adams *adams = adams_of(stepper);
    return (adams_step){.step = step,
                        .adams = adams,
                        .formula = evn__adams_formula_build(step, adams),
                        .states = evn__system_own_states(step->system)};
}

static adams_step begin(const evn__stepper *stepper, evn__step_build *step) {
    adams_step a = look_at(stepper, step);
    step->next[evn__history_schedule(step->system)] =
        step->states[evn__history_schedule(step->system)]; // where f is evaluated
    return a;
}

static evn_value at(const adams_step *a, evn_value column, int index) {
    return evn__adams_number(a->step->graph, column, index);
}

// The history -------------------------------------------------------------------------------------

/// φ*_i of a state, from those of the step before and the slopes at t, as those of the next step.
static void go_on(const adams_step *a, int state) {
    evn_graph *g = a->step->graph;
    const evn__adams_formula *f = &a->formula;
    int place = evn__history_differences(a->step->system, state);
    evn_value difference = evn__step_slopes(a->step, 0)[state];
    for (int i = 0; i < a->adams->orders; ++i) {
        evn_value known = evn_mask(g, difference, at(a, f->known, i));
        evn_value before = evn_mask(g, a->step->states[place + i], at(a, f->behind, i));
        a->step->next[place + i] = evn_mul(g, at(a, f->scale, i), known);
        difference = evn_sub(g, difference, before);
    }
}

/// `value` in the place of an entry of the schedule, else 0; a column.
static evn_value placed(const adams_step *a, int entry, evn_value value) {
    double one[EVN__SCHEDULE_LENGTHS + EVN__ADAMS_ORDERS] = {0};
    one[entry] = 1;
    return evn_mul(a->step->graph,
                   evn__adams_column(a->step->graph, EVN__SCHEDULE_LENGTHS + a->adams->orders, one),
                   value);
}

/// What of the schedule stays, and the lengths of steps, each a place later; a column.
static evn_value moved(const adams_step *a) {
    enum { MOST = EVN__SCHEDULE_LENGTHS + EVN__ADAMS_ORDERS };
    double moves[MOST * MOST] = {0};
    evn_graph *g = a->step->graph;
    int count = EVN__SCHEDULE_LENGTHS + a->adams->orders;
    for (int i = EVN__SCHEDULE_RTOL; i < count; ++i) {
        int from = i < EVN__SCHEDULE_LENGTHS ? i : i - 1;
        moves[i * count + from] = i != EVN__SCHEDULE_LENGTHS;
    }
    evn_value before = a->step->states[evn__history_schedule(a->step->system)];
    return evn_matmul(g, evn_table(g, EVN_SHAPE(count, count), moves),
                      evn_reshape(g, before, EVN_SHAPE(count, 1)), false, false);
}

/// @param raised  EVN_NONE: 0
static void write_schedule(const adams_step *a, evn_value raised) {
    evn__step_build *step = a->step;
    evn_graph *g = step->graph;
    int place = evn__history_schedule(step->system);
    evn_value count = evn_add(g, a->formula.count, evn_constant(g, 1));
    evn_value most = evn__minimum(g, count, evn_constant(g, a->adams->orders));
    evn_value sum = evn_add(g, moved(a), placed(a, EVN__SCHEDULE_COUNT, most));
    sum = evn_add(g, sum, placed(a, EVN__SCHEDULE_LENGTHS, step->dt));
    if (raised != EVN_NONE) {
        sum = evn_add(g, sum, placed(a, EVN__SCHEDULE_RAISED, raised));
    }
    step->next[place] = evn_reshape(g, sum, evn__system_state_shape(step->system, place));
}

// A step ------------------------------------------------------------------------------------------

/// Σ weight_i φ*_i of a state.
static evn_value weighted(const adams_step *a, evn_value weights, int state) {
    evn_graph *g = a->step->graph;
    const evn_value *differences = a->step->next + evn__history_differences(a->step->system, state);
    evn_value sum = evn_mul(g, at(a, weights, 0), differences[0]);
    for (int i = 1; i < a->adams->orders; ++i) {
        sum = evn_add(g, sum, evn_mul(g, at(a, weights, i), differences[i]));
    }
    return sum;
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

/// The norm of what the differences up to that of the order and `away` predict of slopes and is
/// not.
static evn_value size_of(const adams_step *a, int away) {
    evn__step_build *step = a->step;
    evn_graph *g = step->graph;
    evn__error_norm norm = evn__error_norm_begin(step);
    evn_value used = evn__adams_used(step, &a->formula, a->adams->orders, away);
    for (int i = 0; i < a->states; ++i) {
        if (!step->system->controlled[i]) {
            continue;
        }
        evn_value surprise = evn_sub(g, evn__step_slopes(step, 1)[i], weighted(a, used, i));
        evn_value size = evn_maximum(g, evn_abs(g, step->states[i]), evn_abs(g, step->next[i]));
        evn_value tolerance = evn__error_tolerance(step, size);
        evn__error_norm_add(step, &norm, i, evn_detach(g, surprise), evn_detach(g, tolerance));
    }
    return evn__error_norm_end(step, &norm);
}

static evn__adams_choice choose(const adams_step *a) {
    evn__adams_sizes sizes = {.here = size_of(a, 0)};
    if (a->adams->chooses) {
        sizes.lower = size_of(a, -1);
        sizes.higher = size_of(a, 1);
    }
    return evn__adams_choose(a->step, a->adams, &a->formula, &sizes);
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
        choice = choose(&a);
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

// Between the ends --------------------------------------------------------------------------------

/// What the polynomial has of a term: of the differences, and of what they did not predict.
typedef struct share {
    evn_value differences, surprise;
} share;

static share share_of(const adams_step *a, evn_value table, int term) {
    evn_graph *g = a->step->graph;
    int orders = a->adams->orders;
    double one[EVN__ADAMS_TERMS] = {0};
    one[term] = 1;
    evn_value which = evn__adams_column(g, EVN__ADAMS_TERMS_OF(orders), one);
    evn_value column = evn_matmul(g, table, which, true, false);
    const int64_t own[] = {0, 0}, next[] = {1, 0};
    evn_value row = evn_slice(g, column, own, EVN_SHAPE(orders, 1));
    evn_value after = evn_slice(g, column, next, EVN_SHAPE(orders, 1));
    evn_value at_order = evn__adams_at_order(a->step, &a->formula, after, 0);
    return (share){evn_mul(g, a->formula.used, row), evn_sum_all(g, at_order)};
}

static evn_status bend(const evn__stepper *stepper, evn__step_build *step, const evn__span *spans,
                       evn_value *bends) {
    evn_graph *g = step->graph;
    const adams_step a = look_at(stepper, step);
    evn_value table = evn__adams_between(step, a.adams, &a.formula);
    int terms = EVN__ADAMS_TERMS_OF(a.adams->orders) - EVN__INTERPOLANT_ENDS;
    for (int p = 0; p < terms; ++p) {
        const share s = share_of(&a, table, EVN__INTERPOLANT_ENDS + p);
        for (int i = 0; i < a.states; ++i) {
            evn_value predicted = evn_mul(g, step->dt, weighted(&a, a.formula.used, i));
            evn_value surprise = evn_sub(g, spans[i].rise_next, predicted);
            bends[i * terms + p] = evn_add(g, evn_mul(g, step->dt, weighted(&a, s.differences, i)),
                                           evn_mul(g, s.surprise, surprise));
        }
    }
    return evn_graph_status(g);
}

// The first fixed steps ---------------------------------------------------------------------------

static const evn__stepper kutta = {
    "rk4", 4, 0, false, &evn__explicit, &evn__tableaux[EVN__TABLEAU_rk4], NULL};

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
                                            .bend = bend,
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
                                          .bend = bend,
                                          .past = past,
                                          .first = first};

// The methods -------------------------------------------------------------------------------------

/// Of a method of so many orders.
#define BETWEEN(orders)                                                                            \
    { .order = (orders) + 1, .places = EVN__ADAMS_TERMS_OF(orders) - EVN__INTERPOLANT_ENDS }

const evn__interpolant evn__abm4_between = BETWEEN(3), evn__abm5_between = BETWEEN(4),
                       evn__abm_between = BETWEEN(EVN__ADAMS_ORDERS);

static const evn__stepper first_of_abm4 = {
    "abm4", 4, 0, false, &beginning, &evn__abm4, &evn__abm4_between};
static const evn__stepper first_of_abm5 = {
    "abm5", 4, 0, false, &beginning, &evn__abm5, &evn__abm5_between};

const evn__adams evn__abm4 = {.orders = 3, .stability = 1.9, .first = &first_of_abm4};
const evn__adams evn__abm5 = {.orders = 4, .stability = 1.4, .first = &first_of_abm5};
const evn__adams evn__abm = {.orders = EVN__ADAMS_ORDERS, .chooses = true, .stability = 2};
