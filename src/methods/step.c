// SPDX-License-Identifier: Apache-2.0
#include "methods/step.h"

#include "graph/node.h"
#include "methods/error_norm.h"
#include "methods/history.h"
#include "methods/step_build.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_value *stage(const evn__step_build *b, int i) {
    return evn__step_slopes(b, i);
}

static evn_status begin(evn__step_build *b, const char *second_scalar) {
    const evn__system *s = b->system;
    int inputs = evn_graph_input_count(s->graph), states = s->state_count;
    int outputs = evn__system_outputs(s);
    EVN_TRY(evn_graph_create(&b->graph));
    int own = b->dense ? b->stepper->interpolant->stages + 1 : 0; // and what it begins with
    int slopes = outputs * (b->stepper->kind->slopes(b->stepper) + 1 + own);
    EVN_TRY(EVN_NEW(&b->states, 3 * states + slopes + 2 * inputs));
    b->next = b->states + states;
    b->estimate = b->next + states;
    b->k = b->estimate + states;
    b->parameters = b->k + slopes;
    b->inputs = b->parameters + inputs;
    b->t = evn_input(b->graph, "t", evn__system_time_shape(s));
    b->dt = evn_input(b->graph, second_scalar, evn__system_time_shape(s));
    b->end = b->doubt = b->error = EVN_NONE;
    b->rtol = b->atol = EVN_NONE;
    for (int i = 1; i < inputs; ++i) {
        evn_value source = evn_graph_input(s->graph, i);
        evn_value value = evn_input(b->graph, evn_graph_input_name(s->graph, i),
                                    evn_value_shape(s->graph, source));
        *(i <= states ? &b->states[i - 1] : &b->parameters[i - 1 - states]) = value;
    }
    return evn_graph_status(b->graph);
}

static void output_states(evn__step_build *b) {
    for (int i = 0; i < b->system->state_count; ++i) {
        evn_output(b->graph, evn_graph_input_name(b->system->graph, evn__system_state(i)),
                   b->next[i]);
    }
}

static void output_slopes(evn__step_build *b, const evn_value *slopes) {
    for (int i = 0; i < evn__system_outputs(b->system); ++i) {
        evn_output(b->graph, evn_graph_output_name(b->system->graph, i), slopes[i]);
    }
}

/// Operand `side` of a pair, of all slopes that count; dt b_j is part of the right one.
static void output_operand(evn__step_build *b, int pair, int side) {
    const evn__stepper_kind *kind = b->stepper->kind;
    for (int j = 0; j < kind->slopes(b->stepper); ++j) {
        double weight = kind->weight(b->stepper, j);
        if (weight == 0) {
            continue;
        }
        char name[64];
        evn_value operand = stage(b, j)[b->system->state_count + 2 * pair + side];
        snprintf(name, sizeof(name), "pair.%d.%d.%d", pair, side, j);
        evn_value scale = side == 1 ? evn_scale(b->graph, b->dt, weight) : EVN_NONE;
        evn_output(b->graph, name, side == 1 ? evn_mul(b->graph, scale, operand) : operand);
    }
}

/// As evn__weight_gradient_bind wants them: for each parameter all left operands, then all right
/// ones.
static void output_pairs(evn__step_build *b) {
    for (int first = 0, end; first < b->system->pair_count; first = end) {
        end = first + evn__system_pairs_of_one(b->system, first);
        for (int side = 0; side < 2; ++side) {
            for (int pair = first; pair < end; ++pair) {
                output_operand(b, pair, side);
            }
        }
    }
}

static evn_status finish(evn__step_build *b, evn_status status, evn_graph **graph) {
    free(b->states);
    if (status != EVN_OK) {
        evn_graph_destroy(&b->graph);
    }
    *graph = b->graph;
    return status;
}

/// Nobody looks at a fixed step: where its stepper could not solve it, or the doubt itself is not a
/// number, what it gives is none.
static void mark_doubtful(evn__step_build *b, evn_value *values) {
    evn_graph *g = b->graph;
    if (b->doubt == EVN_NONE) {
        return;
    }
    evn_value zero = evn_constant(g, 0), one = evn_constant(g, 1);
    evn_value bad = evn_step(g, evn_sub(g, b->doubt, one));
    evn_value mark = evn_detach(g, evn_div(g, zero, evn_sub(g, one, bad)));
    for (int i = 0; i < b->system->state_count; ++i) {
        values[i] = evn_add(g, values[i], mark);
    }
}

static evn_status build_fixed(evn__step_build *b) {
    EVN_TRY(begin(b, "dt"));
    EVN_TRY(b->stepper->kind->advance(b->stepper, b));
    mark_doubtful(b, b->next);
    output_states(b);
    output_pairs(b);
    return evn_graph_status(b->graph);
}

evn_status evn__step_graph(const evn__system *system, const evn__stepper *stepper,
                           evn_graph **graph) {
    evn__step_build b = {.system = system, .stepper = stepper};
    return finish(&b, build_fixed(&b), graph);
}

static evn_status build_change(evn__step_build *b) {
    EVN_TRY(begin(b, "dt"));
    b->end = evn_input(b->graph, "end", evn__system_time_shape(b->system));
    EVN_TRY(b->stepper->kind->advance(b->stepper, b));
    for (int i = 0; i < b->system->state_count; ++i) {
        b->next[i] = b->stepper->kind->change(b->stepper, b, i);
    }
    mark_doubtful(b, b->next);
    for (int i = 0; i < b->system->state_count; ++i) {
        evn_output(b->graph, evn_graph_output_name(b->system->graph, i), b->next[i]);
    }
    return evn_graph_status(b->graph);
}

evn_status evn__change_graph(const evn__system *system, const evn__stepper *stepper,
                             evn_graph **graph) {
    evn__step_build b = {.system = system, .stepper = stepper};
    return finish(&b, build_change(&b), graph);
}

// Error norm --------------------------------------------------------------------------------------

/// Of two estimates E and Ẽ one of higher order, E² / sqrt(E² + Ẽ² / 100) (Hairer, Nørsett, Wanner:
/// Solving ODEs I, II.10), without the square of E, which may be too small for a real.
static evn_value join_estimates(evn_graph *g, evn_value fine, evn_value coarse) {
    evn_value ratio = evn_div(g, coarse, evn_maximum(g, fine, evn_constant(g, 1e-30)));
    evn_value rest = evn_scale(g, evn_mul(g, ratio, ratio), 0.01);
    return evn_div(g, fine, evn_sqrt(g, evn_add(g, rest, evn_constant(g, 1))));
}

static evn_value error_norm(evn__step_build *b) {
    evn_graph *g = b->graph;
    const evn__stepper_kind *kind = b->stepper->kind;
    evn__error_norm fine = evn__error_norm_begin(b), coarse = fine;
    for (int i = 0; i < b->system->state_count; ++i) {
        if (!b->system->controlled[i]) {
            continue;
        }
        evn_value error = kind->error(b->stepper, b, EVN__ESTIMATE_FINE, i);
        evn_value second = kind->error(b->stepper, b, EVN__ESTIMATE_COARSE, i);
        evn_value size = evn_maximum(g, evn_abs(g, b->states[i]), evn_abs(g, b->next[i]));
        evn_value scale = evn__error_tolerance(b, size);
        evn__error_norm_add(b, &fine, i, error, scale);
        if (second != EVN_NONE) {
            evn__error_norm_add(b, &coarse, i, second, scale);
        }
    }
    evn_value value = evn__error_norm_end(b, &fine);
    value = coarse.count > 0 ? join_estimates(g, value, evn__error_norm_end(b, &coarse)) : value;
    return b->doubt == EVN_NONE ? value : evn_maximum(g, value, b->doubt);
}

/// What the system gives at t + dt: the last slopes, or one more evaluation.
static evn_status slopes_after(evn__step_build *b, evn_value **slopes) {
    int sets = b->stepper->kind->slopes(b->stepper);
    if (b->stepper->fsal) {
        *slopes = stage(b, sets - 1);
        return EVN_OK;
    }
    *slopes = stage(b, sets);
    return evn__step_evaluate(b, evn_add(b->graph, b->t, b->dt), b->next, *slopes);
}

/// In the middle of the cubic through both ends and their slopes.
static evn_value middle(evn_graph *g, const evn__span *span) {
    evn_value half = evn_scale(g, evn_sub(g, span->y_next, span->y), 0.5);
    evn_value bend = evn_sub(g, span->rise, span->rise_next);
    return evn_add(g, half, evn_scale(g, bend, 0.125));
}

/// The interpolant's own stages; what the system gives after the step is there already. The states
/// of a stage take the place of the estimate, which has been used.
static evn_status go_inside(evn__step_build *b) {
    const evn__interpolant *in = b->stepper->interpolant;
    int sets = evn__stepper_sets_at_ends(b->stepper);
    for (int i = 0; i < in->stages; ++i) {
        evn__step_advance(b, in->a[i], sets + i, b->estimate);
        EVN_TRY(
            evn__step_evaluate(b, evn__step_time(b, in->c[i]), b->estimate, stage(b, sets + i)));
    }
    return EVN_OK;
}

/// Terms that the method makes itself, of a state.
static int bend_count(const evn__step_build *b) {
    bool own = b->stepper->kind->bend;
    return own ? evn__interpolant_terms(b->stepper->interpolant) - EVN__INTERPOLANT_ENDS : 0;
}

/// By the interpolant's weights, from the slopes at both ends.
static evn__span span_of(evn__step_build *b, const evn_value *before, const evn_value *after,
                         int state) {
    const evn__interpolant *in = b->stepper->interpolant;
    int sets = evn__stepper_sets_at_ends(b->stepper) + in->stages;
    evn__span span = {.y = b->states[state],
                      .y_next = b->next[state],
                      .rise = evn_mul(b->graph, b->dt, before[state]),
                      .rise_next = evn_mul(b->graph, b->dt, after[state]),
                      .places = bend_count(b) > 0 ? 0 : evn__interpolant_places(in)};
    for (int j = 0; j < span.places; ++j) {
        span.inside[j] =
            in->places > 0 ? evn__step_combine(b, in->m[j], sets, state) : middle(b->graph, &span);
    }
    return span;
}

static void output_span(const evn__step_build *b, const evn__span *span, const evn_value *bends,
                        int state) {
    evn_value terms[EVN__INTERPOLANT_MOST_TERMS];
    if (bend_count(b) > 0) {
        evn__interpolant_build_ends(b->graph, span, terms);
        memcpy(terms + EVN__INTERPOLANT_ENDS, bends, sizeof(*bends) * (size_t)bend_count(b));
    } else {
        evn__interpolant_build(b->graph, span, terms);
    }
    for (int p = 1; p < evn__interpolant_terms(b->stepper->interpolant); ++p) {
        char name[64];
        snprintf(name, sizeof(name), "term.%d.%d", state, p);
        evn_output(b->graph, name, terms[p]);
    }
}

static evn_status find_spans(evn__step_build *b, const evn_value *before, const evn_value *after,
                             evn__span *spans) {
    const evn__stepper *stepper = b->stepper;
    for (int i = 0; i < evn__system_own_states(b->system); ++i) {
        spans[i] = span_of(b, before, after, i);
    }
    return stepper->kind->refine ? stepper->kind->refine(stepper, b, spans) : EVN_OK;
}

static evn_status make_terms(evn__step_build *b, const evn_value *before, const evn_value *after,
                             evn__span *spans, evn_value *bends) {
    const evn__stepper *stepper = b->stepper;
    EVN_TRY(go_inside(b));
    EVN_TRY(find_spans(b, before, after, spans));
    EVN_TRY(stepper->kind->bend ? stepper->kind->bend(stepper, b, spans, bends) : EVN_OK);
    for (int i = 0; i < evn__system_own_states(b->system); ++i) {
        output_span(b, &spans[i], bends + (size_t)i * (size_t)bend_count(b), i);
    }
    return evn_graph_status(b->graph);
}

/// The terms of the interpolants of all states but histories, from the slopes at both ends.
static evn_status output_terms(evn__step_build *b, const evn_value *before,
                               const evn_value *after) {
    int states = evn__system_own_states(b->system);
    evn__span *spans = NULL;
    evn_value *bends = NULL;
    evn_status status = EVN_NEW(&spans, states);
    status = status == EVN_OK ? EVN_NEW(&bends, states * bend_count(b) + 1) : status;
    status = status == EVN_OK ? make_terms(b, before, after, spans, bends) : status;
    free(bends);
    free(spans);
    return status;
}

static void output_doubt(evn__step_build *b) {
    if (evn__stepper_is_implicit(b->stepper)) {
        evn_value none = evn_full(b->graph, evn__system_time_shape(b->system), 0);
        evn_output(b->graph, "doubt", b->doubt == EVN_NONE ? none : b->doubt);
    }
}

static evn_status build_adaptive(evn__step_build *b) {
    EVN_TRY(begin(b, "dt"));
    evn_graph *g = b->graph;
    for (int i = 0; i < evn__system_outputs(b->system); ++i) {
        char name[256];
        const evn_graph *system = b->system->graph;
        snprintf(name, sizeof(name), "%s_first", evn_graph_output_name(system, i));
        stage(b, 0)[i] = evn_input(g, name, evn_value_shape(system, evn_graph_output(system, i)));
    }
    b->rtol = evn_input(g, "rtol", EVN_SCALAR);
    b->atol = evn_input(g, "atol", EVN_SCALAR);
    EVN_TRY(b->stepper->kind->advance(b->stepper, b));
    evn_value *after;
    EVN_TRY(slopes_after(b, &after));
    output_states(b);
    output_slopes(b, after);
    evn_output(g, "error", b->error == EVN_NONE ? error_norm(b) : b->error);
    EVN_TRY(b->dense ? output_terms(b, stage(b, 0), after) : EVN_OK);
    output_pairs(b);
    output_doubt(b);
    return evn_graph_status(g);
}

evn_status evn__adaptive_step_graph(const evn__system *system, const evn__stepper *stepper,
                                    evn_graph **graph) {
    evn__step_build b = {.system = system, .stepper = stepper, .adaptive = true};
    return finish(&b, build_adaptive(&b), graph);
}

evn_status evn__dense_step_graph(const evn__system *system, const evn__stepper *stepper,
                                 evn_graph **graph) {
    evn__step_build b = {.system = system, .stepper = stepper, .adaptive = true, .dense = true};
    return finish(&b, build_adaptive(&b), graph);
}

/// Nobody judges a fixed step. Its slopes at t are in no set of some steppers.
static evn_status build_dense_fixed(evn__step_build *b) {
    EVN_TRY(begin(b, "dt"));
    EVN_TRY(b->stepper->kind->advance(b->stepper, b));
    mark_doubtful(b, b->next);
    evn_value *after, *before = stage(b, b->stepper->kind->slopes(b->stepper) + 1 +
                                             b->stepper->interpolant->stages);
    EVN_TRY(slopes_after(b, &after));
    EVN_TRY(evn__step_evaluate(b, b->t, b->states, before));
    output_states(b);
    EVN_TRY(output_terms(b, before, after));
    return evn_graph_status(b->graph);
}

evn_status evn__dense_fixed_graph(const evn__system *system, const evn__stepper *stepper,
                                  evn_graph **graph) {
    evn__step_build b = {.system = system, .stepper = stepper, .dense = true};
    return finish(&b, build_dense_fixed(&b), graph);
}

// First step --------------------------------------------------------------------------------------

/// The norm of values[state], by tolerances for the states as they are.
static evn_value norm_of(evn__step_build *b, const evn_value *values) {
    evn_graph *g = b->graph;
    evn__error_norm n = evn__error_norm_begin(b);
    for (int i = 0; i < b->system->state_count; ++i) {
        if (b->system->controlled[i]) {
            evn__error_norm_add(b, &n, i, values[i],
                                evn__error_tolerance(b, evn_abs(g, b->states[i])));
        }
    }
    return evn__error_norm_end(b, &n);
}

static evn_status build_start(evn__step_build *b) {
    EVN_TRY(begin(b, "span"));
    evn_graph *g = b->graph;
    b->rtol = evn_input(g, "rtol", EVN_SCALAR);
    b->atol = evn_input(g, "atol", EVN_SCALAR);
    evn_value span = evn_abs(g, b->dt), direction = evn_sign(g, b->dt);
    evn_value tiny = evn_constant(g, 1e-12);
    EVN_TRY(evn__step_evaluate(b, b->t, b->states, stage(b, 0)));
    output_slopes(b, stage(b, 0));
    evn_value d0 = norm_of(b, b->states);
    evn_value d1 = norm_of(b, stage(b, 0));
    // Two guesses from sizes alone: a hundredth of state over slope, and not less than 1e-6 of the
    // span, so that a zero state gives a step too.
    evn_value guess = evn_div(g, evn_scale(g, d0, 0.01), evn_maximum(g, d1, tiny));
    guess = evn__minimum(g, evn_maximum(g, guess, evn_scale(g, span, 1e-6)), span);
    b->dt = evn_mul(g, guess, direction);
    const double euler[] = {1};
    evn__step_advance(b, euler, 1, b->next);
    EVN_TRY(evn__step_evaluate(b, evn_add(g, b->t, b->dt), b->next, stage(b, 1)));
    for (int i = 0; i < b->system->state_count; ++i) {
        b->next[i] = evn_sub(g, stage(b, 1)[i], stage(b, 0)[i]);
    }
    evn_value d2 = evn_div(g, norm_of(b, b->next), guess);
    evn_value steep = evn_maximum(g, evn_maximum(g, d1, d2), tiny);
    evn_value power = evn_constant(g, 1.0 / (b->stepper->error_order + 1));
    evn_value ratio = evn_div(g, evn_constant(g, 0.01), steep);
    evn_value fine = evn_exp(g, evn_mul(g, power, evn_log(g, ratio)));
    evn_value dt = evn__minimum(g, evn__minimum(g, evn_scale(g, guess, 100), fine), span);
    evn_output(g, "dt", evn_mul(g, dt, direction));
    if (b->system->past > 0) {
        evn_output(g, "schedule", evn__history_build(b));
    }
    return evn_graph_status(g);
}

evn_status evn__start_graph(const evn__system *system, const evn__stepper *stepper,
                            evn_graph **graph) {
    evn__step_build b = {.system = system, .stepper = stepper};
    return finish(&b, build_start(&b), graph);
}
