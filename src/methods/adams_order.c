// SPDX-License-Identifier: Apache-2.0
#include "methods/adams_order.h"

#include "graph/node.h"

/// Errors are to be so much below what is acceptable, and those of a higher order below others: of
/// the pairs that were tried the one that takes the fewest evaluations for DETEST.
static const double aim = 3, bias = 3;

/// With this error a control takes a step three times as long, with its safety of 0.9. A polynomial
/// through many slopes that are close together has few digits farther away.
static const double least_error = 0.3 * 0.3;

/// Below this one it could take a step a hundred times as long: as good as none.
static const double no_error = 1e-4 * 0.81;

/// An order that the next step may have.
typedef struct candidate {
    evn_value order;
    evn_value error; ///< if all steps were as long as this one; 0 where there is no such order
} candidate;

static evn_value opposite(evn_graph *g, evn_value a) {
    return evn_sub(g, evn_constant(g, 1), a);
}

/// 1 where a > b, else 0
static evn_value exceeds(evn_graph *g, evn_value a, evn_value b) {
    return evn_step(g, evn_sub(g, a, b));
}

static evn_value both(evn_graph *g, evn_value a, evn_value b) {
    return evn_mul(g, a, b);
}

/// error^(2 / (order + 1)): as a method of order 1 would have it for a step of that length.
static evn_value for_control(evn_graph *g, evn_value error, evn_value order) {
    evn_value power = evn_div(g, evn_constant(g, 2), evn_add(g, order, evn_constant(g, 1)));
    return evn_exp(g, evn_mul(g, power, evn_log(g, error)));
}

/// The less, the longer a step.
static evn_value wish(evn_graph *g, const candidate *c, double factor) {
    return for_control(g, evn_scale(g, c->error, factor), c->order);
}

static evn_value sum_at_order(const evn__step_build *step, const evn__adams_formula *f, evn_value x,
                              int away) {
    return evn_sum_all(step->graph, evn__adams_at_order(step, f, x, away));
}

static candidate candidate_at(const evn__step_build *step, const evn__adams_formula *f,
                              evn_value size, int away) {
    evn_graph *g = step->graph;
    evn_value even = sum_at_order(step, f, f->even, away);
    return (candidate){.order = evn_add(g, f->order, evn_constant(g, away)),
                       .error = evn_mul(g, evn_abs(g, step->dt), evn_mul(g, even, size))};
}

/// Of this step, as long as it and those before are.
static evn_value own_error(const evn__step_build *step, const evn__adams_formula *f,
                           evn_value size) {
    evn_graph *g = step->graph;
    evn_value weight = sum_at_order(step, f, evn_sub(g, f->integral, f->gain), 0);
    return evn_mul(g, evn_abs(g, step->dt), evn_mul(g, weight, size));
}

/// @param next   the candidate that is known to be good
/// @param raised its order less 1, or where nothing is known of a higher one yet, that of this one
static evn__adams_choice conclude(evn_graph *g, evn_value own, const evn__adams_formula *f,
                                  const candidate *next, evn_value raised) {
    evn_value one = evn_constant(g, 1);
    evn_value least = evn_constant(g, least_error);
    evn_value good = evn_maximum(g, least, evn__minimum(g, one, wish(g, next, aim)));
    evn_value bad = evn_mask(g, for_control(g, own, f->order), exceeds(g, own, one));
    // What is not a number passes through no mask: it has to be seen all the same.
    evn_value doubt = evn_scale(g, evn_add(g, own, raised), 1e-30);
    evn_value error = evn_maximum(g, evn_maximum(g, good, bad), doubt);
    return (evn__adams_choice){evn_detach(g, error), evn_detach(g, raised)};
}

evn__adams_choice evn__adams_choose(const evn__step_build *step, const evn__adams *adams,
                                    const evn__adams_formula *f, const evn__adams_sizes *sizes) {
    evn_graph *g = step->graph;
    evn_value one = evn_constant(g, 1), own = own_error(step, f, sizes->here);
    candidate here = candidate_at(step, f, sizes->here, 0);
    if (!adams->chooses) {
        return conclude(g, own, f, &here, evn_constant(g, 0));
    }
    candidate lower = candidate_at(step, f, sizes->lower, -1);
    candidate higher = candidate_at(step, f, sizes->higher, 1);
    evn_value second = exceeds(g, f->order, evn_constant(g, 1.5));
    evn_value below = exceeds(g, evn_constant(g, adams->orders - 0.5), f->order);
    evn_value seen = exceeds(g, evn_add(g, f->count, evn_constant(g, 0.5)), f->order);
    evn_value stays = wish(g, &here, 1);
    // Where there is no lower order it must not look better than all others.
    evn_value falls = evn_add(g, wish(g, &lower, 1), evn_mask(g, stays, opposite(g, second)));
    evn_value rises = wish(g, &higher, bias);
    // A step that could grow more than it may has nothing to gain, but polynomials of a high order
    // through steps that grow so have gradients of huge terms, which cancel.
    evn_value gains = both(g, below, exceeds(g, wish(g, &here, aim), evn_constant(g, no_error)));
    evn_value raise =
        both(g, both(g, gains, seen), exceeds(g, evn__minimum(g, stays, falls), rises));
    evn_value drop = both(g, both(g, second, opposite(g, raise)), exceeds(g, stays, falls));
    evn_value keep = evn_sub(g, opposite(g, raise), drop);
    candidate next = {.order = evn_add(g, f->order, evn_sub(g, raise, drop)),
                      .error = evn_add(g, evn_mask(g, here.error, keep),
                                       evn_add(g, evn_mask(g, lower.error, drop),
                                               evn_mask(g, higher.error, raise)))};
    // At first nothing is known of higher orders; they are taken all the same.
    evn_value trial = both(g, both(g, gains, opposite(g, seen)), opposite(g, drop));
    return conclude(g, own, f, &next, evn_sub(g, evn_add(g, next.order, trial), one));
}
