// SPDX-License-Identifier: Apache-2.0
// A stage's unknown is its slope k: k − f(t_i, r + γ dt k) = 0, where r holds the stages before.
// The first iterations of Newton's method have the matrix of the start of the step, one for all
// stages, the others their own. The last one alone is differentiated: with what it starts from held
// constant its derivative is that of the solution (implicit function theorem), and pulls back
// through one transposed linear system.
#include "methods/implicit.h"

#include "graph/node.h"
#include "methods/linear.h"
#include "methods/refinement.h"
#include <stdlib.h>

/// Iterations of a stage: with the matrix of the step, then with its own ones; of a fixed step one
/// more, since no tolerance says what is enough.
enum { SIMPLE = 2, FULL = 2, ADAPTIVE = SIMPLE + FULL, FIXED = ADAPTIVE + 1 };

static const evn__tableau *tableau_of(const evn__stepper *stepper) {
    return stepper->coefficients;
}

/// Stages of a step under construction. Arrays over what the system gives, whose states come first.
typedef struct stages {
    evn__step_build *step;
    const evn__tableau *tableau;
    evn__linear linear;
    evn__linear_matrix first; ///< at the start of the step
    evn_value *k, *known, *rest, *correction;
    evn_value *point, *slopes; ///< where f was last evaluated, and what it gave
    evn_value *start;          ///< what it gave at the start of the step
    evn_value *memory;
} stages;

/// point = r + γ dt k
static void move(stages *s) {
    evn_graph *g = s->step->graph;
    evn_value length = evn_scale(g, s->step->dt, s->tableau->diagonal);
    for (int i = 0; i < s->step->system->state_count; ++i) {
        s->point[i] = evn_add(g, s->known[i], evn_mul(g, length, s->k[i]));
    }
}

/// What is wrong with k: the rest is k − f.
static evn_status find_rest(stages *s, double c) {
    move(s);
    EVN_TRY(evn__step_evaluate(s->step, evn__step_time(s->step, c), s->point, s->slopes));
    for (int i = 0; i < s->step->system->state_count; ++i) {
        s->rest[i] = evn_sub(s->step->graph, s->k[i], s->slopes[i]);
    }
    return EVN_OK;
}

static void correct(stages *s) {
    for (int i = 0; i < s->step->system->state_count; ++i) {
        if (s->linear.coupled[i]) {
            s->k[i] = evn_sub(s->step->graph, s->k[i], s->correction[i]);
        }
    }
}

/// Of each row, of the error that is left: the last correction times the rate at which they have
/// shrunk, of which half the tolerance is enough. One whose square overflows says nothing of the
/// rate.
static void doubt(stages *s, evn_value before, evn_value last) {
    evn_graph *g = s->step->graph;
    evn_value least = evn_constant(g, 1e-30), most = evn_constant(g, 1);
    evn_value huge = evn_constant(g, 1e18);
    before = evn_mask(g, before, evn_sub(g, huge, before));
    evn_value rate = evn_div(g, last, evn_maximum(g, before, least));
    rate = evn__minimum(g, rate, most);
    evn_value error = evn_scale(g, evn_mul(g, last, rate), 2);
    evn__linear_doubt(&s->linear, error);
}

/// An iteration at t + c dt, with the stage's own matrix.
static evn_status iterate(stages *s, double c) {
    evn__linear_matrix own = {s->point, s->slopes, s->tableau->diagonal, true, EVN_NONE};
    EVN_TRY(find_rest(s, c));
    EVN_TRY(evn__linear_prepare(&s->linear, &own));
    return evn__linear_solve(&s->linear, &own, s->rest, s->correction);
}

static evn_status iterate_simply(stages *s, double c) {
    EVN_TRY(find_rest(s, c));
    return evn__linear_solve(&s->linear, &s->first, s->rest, s->correction);
}

/// From a first guess, of k = f(t + c dt, known + γ dt k).
static evn_status solve_equations(stages *s, double c) {
    evn_value before = EVN_NONE, last = EVN_NONE;
    int iterations = s->step->adaptive ? ADAPTIVE : FIXED;
    int simple = evn__linear_keeps(&s->linear) ? SIMPLE : 0;
    for (int n = 0; n < iterations; ++n) {
        if (n == iterations - 1) {
            EVN_TRY(evn__linear_hold(&s->linear, s->k));
        }
        EVN_TRY(n < simple ? iterate_simply(s, c) : iterate(s, c));
        before = last;
        last = evn__linear_size(&s->linear, s->correction, s->tableau->diagonal, s->point);
        correct(s);
    }
    EVN_TRY(evn__linear_settle(&s->linear, s->rest, s->k));
    if (s->linear.width > 0) { // else no slope depends on a state
        doubt(s, before, last);
        evn__linear_doubt_residual(&s->linear, s->tableau->diagonal, s->point);
    }
    return evn_graph_status(s->step->graph);
}

/// The slopes of a stage, and what the system gives besides them there.
static evn_status solve_stage(stages *s, int stage) {
    evn_value *slopes = evn__step_slopes(s->step, stage);
    double a[EVN__MAX_STAGES];
    for (int j = 0; j < stage; ++j) {
        a[j] = evn__tableau_a(s->tableau, stage, j);
    }
    evn__step_advance(s->step, a, stage, s->known);
    for (int i = 0; i < s->step->system->state_count; ++i) {
        s->k[i] = evn__step_slopes(s->step, stage - 1)[i];
    }
    EVN_TRY(solve_equations(s, s->tableau->c[stage]));
    move(s);
    EVN_TRY(evn__step_evaluate(s->step, evn__step_time(s->step, s->tableau->c[stage]), s->point,
                               slopes));
    for (int i = 0; i < s->step->system->state_count; ++i) {
        slopes[i] = s->linear.coupled[i] ? s->k[i] : slopes[i];
    }
    return evn_graph_status(s->step->graph);
}

/// Of the error: what embedded methods leave of a component that has long decayed is the larger the
/// stiffer it is; the matrix takes that away (Hairer, Wanner: Solving ODEs II, IV.8).
static evn_status estimate(stages *s) {
    const evn__tableau *tableau = s->tableau;
    for (int i = 0; i < s->step->system->state_count; ++i) {
        evn_value e = evn__step_combine(s->step, tableau->e, tableau->stages, i);
        s->step->estimate[i] = e;
        s->rest[i] = e;
    }
    EVN_TRY(evn__linear_solve(&s->linear, &s->first, s->rest, s->step->estimate));
    evn__linear_add_residual(&s->linear, s->step->estimate); // what is not solved is not damped
    return evn_graph_status(s->step->graph);
}

static evn_status allocate(stages *s) {
    evn_value **const arrays[] = {&s->k,          &s->known,  &s->point, &s->rest,
                                  &s->correction, &s->slopes, &s->start};
    return evn__step_arrays(s->step, arrays, sizeof(arrays) / sizeof(*arrays), &s->memory);
}

/// What the stages start from: the matrix at the start of the step.
static evn_status begin(stages *s) {
    evn__step_build *step = s->step;
    EVN_TRY(allocate(s));
    EVN_TRY(evn__linear_create(step, &s->linear));
    evn__step_choose_tolerances(step);
    EVN_TRY(evn__step_evaluate(step, step->t, step->states, s->start));
    s->first = (evn__linear_matrix){step->states, s->start, s->tableau->diagonal, true, EVN_NONE};
    return evn__linear_prepare(&s->linear, &s->first);
}

static evn_status run(stages *s) {
    evn__step_build *step = s->step;
    EVN_TRY(begin(s));
    for (int i = 0; i < evn__system_outputs(step->system) && !step->adaptive; ++i) {
        evn__step_slopes(step, 0)[i] = s->start[i];
    }
    for (int i = 1; i < s->tableau->stages; ++i) {
        EVN_TRY(solve_stage(s, i));
    }
    evn__linear_leave_doubt(&s->linear);
    evn__step_advance(step, s->tableau->b, s->tableau->stages, step->next);
    return step->adaptive ? estimate(s) : evn_graph_status(step->graph);
}

static evn_status finish(stages *s, evn_status status) {
    evn__linear_free(&s->linear);
    free(s->memory);
    return status;
}

static evn_status advance(const evn__stepper *stepper, evn__step_build *step) {
    stages s = {.step = step, .tableau = tableau_of(stepper)};
    return finish(&s, run(&s));
}

// Between the ends --------------------------------------------------------------------------------

static int nodes_of(const evn__tableau *tableau) {
    int count = 0;
    while (count < EVN__MAX_NODES && tableau->nodes[count] > 0) {
        ++count;
    }
    return count;
}

/// The state at t + c dt, as a stage of order 2 from the first two slopes: Σ a = c, Σ a c = c² / 2.
/// What is in doubt there is none of the step's business.
static evn_status solve_node(stages *s, double c) {
    evn__step_build *step = s->step;
    double gamma = s->tableau->diagonal, last = (c * c / 2 - gamma * c) / s->tableau->c[1];
    const double a[] = {c - gamma - last, last};
    evn__step_advance(step, a, 2, s->known);
    for (int i = 0; i < step->system->state_count; ++i) {
        s->k[i] = evn__step_slopes(step, 1)[i];
    }
    EVN_TRY(solve_equations(s, c));
    move(s);
    return evn_graph_status(step->graph);
}

static evn_status add_nodes(stages *s, evn__refinement *r) {
    const evn__tableau *tableau = s->tableau;
    evn__step_build *step = s->step;
    double a[EVN__MAX_STAGES];
    for (int i = 1; i < tableau->stages; ++i) {
        for (int j = 0; j <= i; ++j) {
            a[j] = evn__tableau_a(tableau, i, j);
        }
        if (tableau->c[i] < 1) { // the end is there already, and beyond it nothing is of use
            evn__step_advance(step, a, i + 1, s->point);
            evn__refinement_add(r, tableau->c[i], s->point);
        }
    }
    for (int i = 0; i < nodes_of(tableau); ++i) {
        EVN_TRY(solve_node(s, tableau->nodes[i]));
        evn__refinement_add(r, tableau->nodes[i], s->point);
    }
    return evn_graph_status(step->graph);
}

static evn_status find_between(stages *s, evn__span *spans) {
    evn__refinement r = {.step = s->step, .linear = &s->linear, .spans = spans};
    EVN_TRY(begin(s));
    if (s->linear.width == 0) { // no slope depends on a state: nothing is stiff
        return EVN_OK;
    }
    r.matrix =
        (evn__linear_matrix){s->step->states, s->start, s->tableau->diagonal, false, EVN_NONE};
    EVN_TRY(evn__linear_prepare(&s->linear, &r.matrix));
    EVN_TRY(evn__refinement_begin(&r));
    evn_status status = add_nodes(s, &r);
    status = status == EVN_OK ? evn__refinement_apply(&r) : status;
    evn__refinement_free(&r);
    return status;
}

static evn_status refine(const evn__stepper *stepper, evn__step_build *step, evn__span *spans) {
    stages s = {.step = step, .tableau = tableau_of(stepper)};
    return finish(&s, find_between(&s, spans));
}

static int refinement_evaluations(const evn__stepper *stepper) {
    return nodes_of(tableau_of(stepper)) * ADAPTIVE;
}

// What others know of it --------------------------------------------------------------------------

static int adaptive_evaluations(const evn__stepper *stepper) {
    return (tableau_of(stepper)->stages - 1) * ADAPTIVE + !stepper->fsal;
}

static int evaluations(const evn__stepper *stepper) {
    return (tableau_of(stepper)->stages - 1) * FIXED + 1;
}

static bool overshoots(const evn__stepper *stepper) {
    return evn__tableau_overshoots(tableau_of(stepper));
}

static int slopes(const evn__stepper *stepper) {
    return tableau_of(stepper)->stages;
}

static double weight(const evn__stepper *stepper, int set) {
    return tableau_of(stepper)->b[set];
}

static evn_value change(const evn__stepper *stepper, evn__step_build *step, int state) {
    const evn__tableau *tableau = tableau_of(stepper);
    return evn__step_combine(step, tableau->b, tableau->stages, state);
}

static evn_value error(const evn__stepper *stepper, evn__step_build *step, evn__estimate which,
                       int state) {
    (void)stepper;
    return which == EVN__ESTIMATE_FINE ? step->estimate[state] : EVN_NONE;
}

const evn__stepper_kind evn__implicit = {.iterates = true,
                                         .evaluations = evaluations,
                                         .adaptive_evaluations = adaptive_evaluations,
                                         .slopes = slopes,
                                         .weight = weight,
                                         .advance = advance,
                                         .change = change,
                                         .error = error,
                                         .refine = refine,
                                         .refinement_evaluations = refinement_evaluations,
                                         .overshoots = overshoots};
