// SPDX-License-Identifier: Apache-2.0
// Truth is 1, untruth 0; what is chosen between may be NaN where it is not chosen. Times are pairs,
// the second beyond the first one's last digit, as in kernels/control.cl.
#include "per_sample/sample_step.h"

#include "evonode/diff.h"
#include "methods/interpolant.h"
#include "methods/step.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
    evn_value high, low;
} pair;

/// Values of an attempt; of each sample, unless said otherwise.
typedef struct attempt {
    evn_graph *graph;
    const evn__system *system;
    const evn__stepper *stepper;
    const evn__controller *controller;
    evn_shape time;                       ///< of one number for each sample
    int64_t samples;                      ///< how many
    evn_value limits[EVN__SAMPLE_LIMITS]; ///< scalars
    pair begin, end;                      ///< of the solve
    evn_value before;                     ///< attempts of other solves, which count, too
    evn_value x, slope, *parameters;
    pair t;
    evn_value accepted, rejected, status;
    evn_value refused;   ///< whether the last attempt was rejected
    evn_value errors[2]; ///< of the accepted steps before, the last one first
} attempt;

// Truths ------------------------------------------------------------------------------------------

static evn_value number(const attempt *a, double value) {
    return evn_constant(a->graph, value);
}

static evn_value not_so(const attempt *a, evn_value truth) {
    return evn_sub(a->graph, number(a, 1), truth);
}

static evn_value both(const attempt *a, evn_value p, evn_value q) {
    return evn_mul(a->graph, p, q);
}

/// Whether p > q; never of NaN.
static evn_value is_larger(const attempt *a, evn_value p, evn_value q) {
    return evn_mask(a->graph, number(a, 1), evn_sub(a->graph, p, q));
}

static evn_value is_finite(const attempt *a, evn_value x) {
    const double largest = 3e38; // of both precisions
    return is_larger(a, number(a, largest), evn_abs(a->graph, x));
}

static evn_value choose(const attempt *a, evn_value truth, evn_value yes, evn_value no) {
    return evn_add(a->graph, evn_mask(a->graph, yes, truth),
                   evn_mask(a->graph, no, not_so(a, truth)));
}

/// p where it is NaN.
static evn_value minimum(const attempt *a, evn_value p, evn_value q) {
    return choose(a, is_larger(a, p, q), q, p);
}

// Times -------------------------------------------------------------------------------------------

static pair two_sum(const attempt *a, evn_value p, evn_value q) {
    evn_graph *g = a->graph;
    evn_value sum = evn_add(g, p, q), rest = evn_sub(g, sum, p);
    evn_value low = evn_add(g, evn_sub(g, p, evn_sub(g, sum, rest)), evn_sub(g, q, rest));
    return (pair){sum, low};
}

static pair add_length(const attempt *a, pair t, evn_value dt) {
    pair sum = two_sum(a, t.high, dt);
    return two_sum(a, sum.high, evn_add(a->graph, sum.low, t.low));
}

/// From t to the end.
static evn_value way_left(const attempt *a, pair t) {
    evn_graph *g = a->graph;
    return evn_add(g, evn_sub(g, a->end.high, t.high), evn_sub(g, a->end.low, t.low));
}

static pair choose_pair(const attempt *a, evn_value truth, pair yes, pair no) {
    return (pair){choose(a, truth, yes.high, no.high), choose(a, truth, yes.low, no.low)};
}

// Ports -------------------------------------------------------------------------------------------

/// Column `index` of a table [B, columns], in the shape of times.
static evn_value column(const attempt *a, evn_value table, int index) {
    const int64_t start[] = {0, index};
    evn_value part = evn_slice(a->graph, table, start, EVN_SHAPE(a->samples, 1));
    return evn_reshape(a->graph, part, a->time);
}

static pair column_pair(const attempt *a, evn_value table, int index) {
    return (pair){column(a, table, index), column(a, table, index + 1)};
}

static void input_ends(attempt *a, evn_value ends) {
    a->begin = column_pair(a, ends, EVN_SAMPLE_BEGIN);
    a->end = column_pair(a, ends, EVN_SAMPLE_END);
    a->before = column(a, ends, EVN_SAMPLE_BEFORE);
}

static void output_table(const attempt *a, const char *name, const evn_value *columns, int count) {
    evn_value parts[EVN_MAX_INPUTS];
    int joined = 0;
    for (int i = 0; i < count; ++i) {
        if (joined == EVN_MAX_INPUTS) {
            parts[0] = evn_concat(a->graph, parts, joined, 1);
            joined = 1;
        }
        evn_value one = evn_broadcast(a->graph, columns[i], a->time);
        parts[joined++] = evn_reshape(a->graph, one, EVN_SHAPE(a->samples, 1));
    }
    evn_output(a->graph, name, evn_concat(a->graph, parts, joined, 1));
}

static evn_value state_input(const attempt *a, const char *name) {
    return evn_input(a->graph, name, evn__system_state_shape(a->system, 0));
}

static evn_status input_rest(attempt *a) {
    static const char *const names[] = {"rtol",   "atol",   "dt_first",
                                        "dt_min", "dt_max", "max_steps"};
    EVN_TRY(EVN_NEW(&a->parameters, a->system->parameter_count + 1));
    for (int i = 0; i < a->system->parameter_count; ++i) {
        int input = evn__system_parameter(a->system, i);
        a->parameters[i] = evn_input(a->graph, evn_graph_input_name(a->system->graph, input),
                                     evn__system_parameter_shape(a->system, i));
    }
    for (int i = 0; i < EVN__SAMPLE_LIMITS; ++i) {
        a->limits[i] = evn_input(a->graph, names[i], EVN_SCALAR);
    }
    return evn_graph_status(a->graph);
}

/// Inline a graph of methods/step.h: times and x, then parameters, then what it has besides.
static evn_status inline_step(const attempt *a, const evn_graph *step, pair times,
                              const evn_value *rest, int rest_count, evn_value *outputs) {
    evn_value *inputs = NULL;
    EVN_TRY(EVN_NEW(&inputs, evn_graph_input_count(step)));
    int count = 0;
    inputs[count++] = times.high;
    inputs[count++] = times.low;
    inputs[count++] = a->x;
    for (int i = 0; i < a->system->parameter_count; ++i) {
        inputs[count++] = a->parameters[i];
    }
    for (int i = 0; i < rest_count; ++i) {
        inputs[count++] = rest[i];
    }
    evn_status status = evn_graph_inline(a->graph, step, inputs, outputs);
    free(inputs);
    return status;
}

// What comes next ---------------------------------------------------------------------------------

/// Σ exponents[i] log(errors[i]) / q.
static evn_value log_factor(const attempt *a, const double *exponents, const evn_value *errors,
                            int count) {
    evn_graph *g = a->graph;
    evn_value sum = number(a, 0);
    for (int i = 0; i < count; ++i) {
        if (exponents[i] != 0) {
            evn_value term = evn_scale(g, evn_log(g, errors[i]), exponents[i]);
            sum = evn_add(g, sum, term);
        }
    }
    return evn_scale(g, sum, 1.0 / (a->stepper->error_order + 1));
}

/// As the controller's (integrator/controller.h): after an accepted step of its error and those
/// before, else of its error alone.
static evn_value factor(const attempt *a, evn_value error, evn_value good) {
    evn_graph *g = a->graph;
    const evn__controller *c = a->controller;
    const double alone[] = {1};
    const evn_value errors[] = {error, a->errors[0], a->errors[1]};
    evn_value power = log_factor(a, alone, errors, 1);
    if (c->exponents[0] != 1) {
        power = choose(a, good, log_factor(a, c->exponents, errors, 3), power);
    }
    evn_value value = evn_scale(g, evn_exp(g, evn_neg(g, power)), c->safety);
    value = minimum(a, evn_maximum(g, value, number(a, c->least)), number(a, c->most));
    return choose(a, is_finite(a, error), value, number(a, c->least));
}

/// The errors that the next attempt remembers.
static void remember(attempt *a, evn_value error, evn_value accepts) {
    evn_value least = number(a, a->controller->remembered);
    evn_value last = choose(a, accepts, evn_maximum(a->graph, error, least), a->errors[0]);
    a->errors[1] = choose(a, accepts, a->errors[0], a->errors[1]);
    a->errors[0] = last;
}

/// No longer than the longest step.
static evn_value bounded(const attempt *a, evn_value wanted) {
    evn_graph *g = a->graph;
    evn_value size = minimum(a, evn_abs(g, wanted), a->limits[EVN__SAMPLE_DT_MAX]);
    return evn_mul(g, evn_sign(g, wanted), size);
}

/// Whether a step of `wanted` from t comes to the end.
static evn_value is_landing(const attempt *a, pair t, evn_value wanted) {
    evn_graph *g = a->graph;
    return not_so(a, is_larger(a, evn_abs(g, way_left(a, t)), evn_abs(g, wanted)));
}

/// By how much t + dt, rounded, is beyond the end; 0 where it is not.
static evn_value over(const attempt *a, evn_value t, evn_value dt) {
    evn_graph *g = a->graph;
    evn_value behind = evn_sub(g, evn_add(g, t, dt), a->end.high);
    return evn_mask(g, behind, evn_mul(g, behind, evn_sign(g, dt)));
}

/// A step of dt as its stages see it, from t on.
typedef struct seen {
    evn_value t, dt, lands;
} seen;

/// The t that a step of dt from t is seen from: earlier where it would be seen to end beyond the
/// end, unless it begins the solve, and then t itself.
static evn_value seen_from(const attempt *a, evn_value dt, evn_value *outside) {
    evn_graph *g = a->graph;
    evn_value earlier = evn_sub(g, a->t.high, over(a, a->t.high, dt));
    evn_value before = evn_mul(g, evn_sub(g, a->begin.high, earlier), evn_sign(g, dt));
    *outside = is_larger(a, before, number(a, 0));
    return choose(a, *outside, a->t.high, earlier);
}

/// The step of `wanted`, or what is left; no stage of it is seen beyond the ends, as rounding could
/// have it (evn_set_step in kernels/control.cl).
static seen see_step(const attempt *a, evn_value wanted) {
    evn_graph *g = a->graph;
    evn_value outside, lands = is_landing(a, a->t, wanted);
    evn_value dt = choose(a, lands, way_left(a, a->t), wanted);
    evn_value t = seen_from(a, dt, &outside);
    evn_value digits = evn_scale(g, evn_abs(g, over(a, a->t.high, dt)), 4);
    evn_value halves = both(a, outside, is_larger(a, evn_abs(g, dt), digits));
    dt = choose(a, halves, evn_scale(g, dt, 0.5), dt);
    return (seen){t, evn_sub(g, dt, over(a, t, dt)), both(a, lands, not_so(a, halves))};
}

/// The status of a solve that is to go on from t with a step of `wanted`, or to end as `too_small`
/// says.
static evn_value find_status(const attempt *a, pair t, evn_value wanted, evn_value attempts,
                             evn_value too_small) {
    evn_graph *g = a->graph;
    evn_value size = evn_abs(g, wanted);
    evn_value moves = evn_abs(g, evn_sub(g, evn_add(g, t.high, wanted), t.high));
    evn_value small =
        not_so(a, both(a, not_so(a, is_larger(a, a->limits[EVN__SAMPLE_DT_MIN], size)),
                       is_larger(a, moves, number(a, 0))));
    small = both(a, small, not_so(a, is_landing(a, t, wanted)));
    evn_value all = evn_add(g, a->before, attempts);
    evn_value many = not_so(a, is_larger(a, a->limits[EVN__SAMPLE_MAX_STEPS], all));
    evn_value status =
        choose(a, many, number(a, EVN_CONTROL_TOO_MANY), number(a, EVN_CONTROL_RUNNING));
    status = choose(a, small, too_small, status);
    return choose(a, is_finite(a, wanted), status, number(a, EVN_CONTROL_NOT_FINITE));
}

static void output_record(const attempt *a, pair t, evn_value wanted) {
    const evn_value columns[EVN_SAMPLE_RECORD] = {t.high,       t.low,        wanted,
                                                  a->accepted,  a->rejected,  a->status,
                                                  a->errors[0], a->errors[1], a->refused};
    output_table(a, "record", columns, EVN_SAMPLE_RECORD);
}

// The start ---------------------------------------------------------------------------------------

static evn_status build_start(attempt *a, const evn_graph *start) {
    evn_graph *g = a->graph;
    evn_value ends = evn_input(g, "ends", EVN_SHAPE(a->samples, EVN_SAMPLE_ENDS)), made[2];
    a->x = state_input(a, "x");
    EVN_TRY(input_rest(a));
    input_ends(a, ends);
    a->t = a->begin;
    evn_value way = column(a, ends, EVN_SAMPLE_WAY);
    EVN_TRY(inline_step(a, start, (pair){a->t.high, way}, a->limits, 2, made));
    evn_value given = a->limits[EVN__SAMPLE_DT_FIRST];
    evn_value first = evn_mul(g, evn_sign(g, way), given);
    first = bounded(a, choose(a, is_larger(a, given, number(a, 0)), first, made[1]));
    a->accepted = a->rejected = a->refused = number(a, 0);
    a->errors[0] = a->errors[1] = number(a, 1);
    a->status = find_status(a, a->t, first, number(a, 0), number(a, EVN_CONTROL_TOO_SMALL));
    evn_value somewhere = is_larger(a, evn_abs(g, way), number(a, 0));
    a->status = choose(a, somewhere, a->status, number(a, EVN_CONTROL_DONE));
    evn_output(g, "slope", made[0]);
    output_record(a, a->t, first);
    evn_value active = evn_sub(g, number(a, 2), evn_step(g, a->status));
    output_table(a, "active", &active, 1);
    return evn_graph_status(g);
}

// An attempt --------------------------------------------------------------------------------------

/// What the step from the state gives, in the order of the graph's outputs.
typedef struct made {
    evn_value x, slope, error;
    evn_value terms[EVN__INTERPOLANT_TERMS]; ///< from number 1 on
    evn_value doubt;                         ///< EVN_NONE: there is none
} made;

enum { MADE = 3 + EVN__INTERPOLANT_TERMS }; ///< outputs of a step, at most

/// Those of a step, dense or not.
static made made_of(const attempt *a, const evn_value outputs[MADE], bool dense) {
    made m = {.x = outputs[0], .slope = outputs[1], .error = outputs[2], .doubt = EVN_NONE};
    int terms = dense ? evn__interpolant_terms(a->stepper->interpolant) - 1 : 0;
    memcpy(m.terms + 1, outputs + 3, sizeof(*m.terms) * (size_t)terms);
    if (evn__stepper_is_implicit(a->stepper)) {
        m.doubt = outputs[3 + terms];
    }
    return m;
}

static void output_done(const attempt *a, const made *m, evn_value done, int count) {
    const evn_value step[EVN_SAMPLE_STEP] = {a->t.high, a->t.low, done};
    output_table(a, "step", step, EVN_SAMPLE_STEP);
    for (int p = 0; p < count; ++p) {
        char name[32];
        snprintf(name, sizeof(name), "term.%d", p);
        evn_output(a->graph, name, p == 0 ? a->x : m->terms[p]);
    }
}

/// What a step that is too small says behind this one: that it was shortened because its equations
/// were not solved, or nothing of the kind.
static evn_value too_small_after(const attempt *a, const made *m, evn_value good) {
    evn_value plain = number(a, EVN_CONTROL_TOO_SMALL);
    if (m->doubt == EVN_NONE) {
        return plain;
    }
    evn_value unsolved = not_so(a, is_larger(a, number(a, 1), m->doubt)); // NaN is no solution
    return choose(a, both(a, unsolved, not_so(a, good)), number(a, EVN_CONTROL_NOT_SOLVED), plain);
}

/// What becomes of the step that was made, where `running`.
static void settle(attempt *a, const made *m, const seen *step, evn_value active, evn_value wanted,
                   int terms) {
    evn_graph *g = a->graph;
    evn_value running = is_larger(a, active, number(a, 1)), lands = step->lands, dt = step->dt;
    evn_value good =
        both(a, is_finite(a, m->error), not_so(a, is_larger(a, m->error, number(a, 1))));
    evn_value accepts = both(a, running, good);
    pair after = choose_pair(a, lands, a->end, add_length(a, a->t, dt));
    after = choose_pair(a, accepts, after, a->t);
    evn_value change = factor(a, m->error, good);
    evn_value shrinks = is_larger(a, number(a, 1), change);
    evn_value may_grow = both(a, good, not_so(a, a->refused)); // as evn_judge in kernels/control.cl
    evn_value changes = not_so(a, both(a, not_so(a, may_grow), not_so(a, shrinks)));
    evn_value next = bounded(a, choose(a, changes, evn_mul(g, dt, change), dt));
    next = choose(a, running, next, wanted);
    remember(a, m->error, accepts);
    a->refused = choose(a, running, not_so(a, good), a->refused);
    a->accepted = evn_add(g, a->accepted, accepts);
    a->rejected = evn_add(g, a->rejected, both(a, running, not_so(a, good)));
    evn_value goes_on = find_status(a, after, next, evn_add(g, a->accepted, a->rejected),
                                    too_small_after(a, m, good));
    evn_value status = choose(a, both(a, accepts, lands), number(a, EVN_CONTROL_DONE), goes_on);
    a->status = choose(a, running, status, a->status);
    evn_value ends = both(a, running, evn_step(g, a->status));
    evn_value waits = evn_maximum(g, evn_sub(g, active, number(a, 1)), number(a, 0));
    evn_value stands = choose(a, running, evn_sub(g, number(a, 2), ends), waits);
    output_table(a, "active", &stands, 1);
    output_record(a, after, next);
    evn_output(g, "x", choose(a, accepts, m->x, a->x));
    evn_output(g, "slope", choose(a, accepts, m->slope, a->slope));
    if (terms > 0) {
        output_done(a, m, evn_mask(g, dt, accepts), terms);
    }
}

static evn_status build_attempt(attempt *a, const evn_graph *step, int terms) {
    evn_graph *g = a->graph;
    evn_value table = evn_input(g, "active", EVN_SHAPE(a->samples, 1)), outputs[MADE] = {0};
    evn_value ends = evn_input(g, "ends", EVN_SHAPE(a->samples, EVN_SAMPLE_ENDS));
    evn_value record = evn_input(g, "record", EVN_SHAPE(a->samples, EVN_SAMPLE_RECORD));
    a->x = state_input(a, "x");
    a->slope = state_input(a, "slope");
    EVN_TRY(input_rest(a));
    evn_value active = evn_reshape(g, table, a->time);
    input_ends(a, ends);
    a->t = column_pair(a, record, EVN_SAMPLE_T);
    a->accepted = column(a, record, EVN_SAMPLE_ACCEPTED);
    a->rejected = column(a, record, EVN_SAMPLE_REJECTED);
    a->status = column(a, record, EVN_SAMPLE_STATUS);
    a->errors[0] = column(a, record, EVN_SAMPLE_ERRORS);
    a->errors[1] = column(a, record, EVN_SAMPLE_ERRORS + 1);
    a->refused = column(a, record, EVN_SAMPLE_REFUSED);
    evn_value wanted = column(a, record, EVN_SAMPLE_WANTED);
    const seen one = see_step(a, wanted);
    const evn_value rest[] = {a->slope, a->limits[EVN__SAMPLE_RTOL], a->limits[EVN__SAMPLE_ATOL]};
    EVN_TRY(inline_step(a, step, (pair){one.t, one.dt}, rest, 3, outputs));
    const made m = made_of(a, outputs, terms > 1);
    settle(a, &m, &one, active, wanted, terms);
    return evn_graph_status(g);
}

// Backward ----------------------------------------------------------------------------------------

/// x after the step, then so many of its terms, from x and the parameters.
static evn_status make_again(attempt *a, const evn_graph *step, evn_value dt, int terms,
                             evn_value *after) {
    evn_graph *g = a->graph;
    evn_value outputs[MADE] = {0}, tolerance = evn_constant(g, 1); // of an error that nobody reads
    evn_value outside, t = seen_from(a, dt, &outside);
    evn_value *inputs = NULL;
    EVN_TRY(EVN_NEW(&inputs, 2 + a->system->parameter_count));
    inputs[0] = a->t.high;
    inputs[1] = a->x;
    memcpy(inputs + 2, a->parameters, sizeof(*inputs) * (size_t)a->system->parameter_count);
    evn_status status = evn_graph_inline(g, a->system->graph, inputs, &a->slope);
    free(inputs);
    EVN_TRY(status);
    const evn_value rest[] = {a->slope, tolerance, tolerance};
    EVN_TRY(inline_step(a, step, (pair){t, dt}, rest, 3, outputs));
    const made m = made_of(a, outputs, true);
    after[0] = m.x;
    for (int p = 0; p < terms; ++p) {
        after[1 + p] = p == 0 ? a->x : m.terms[p];
    }
    return evn_graph_status(g);
}

static void input_parameters(const attempt *a, evn_value *values, const char *suffix) {
    for (int i = 0; i < a->system->parameter_count; ++i) {
        char name[EVN_MAX_NAME];
        int input = evn__system_parameter(a->system, i);
        snprintf(name, sizeof(name), "%s%s", evn_graph_input_name(a->system->graph, input), suffix);
        values[i] = evn_input(a->graph, name, evn__system_parameter_shape(a->system, i));
    }
}

/// What the step began with; where there was none the end stands in, so that all is finite.
static evn_value input_step(attempt *a) {
    evn_graph *g = a->graph;
    evn_value done = evn_input(g, "step", EVN_SHAPE(a->samples, EVN_SAMPLE_STEP));
    evn_value x = state_input(a, "x");
    evn_value ends = evn_input(g, "ends", EVN_SHAPE(a->samples, EVN_SAMPLE_ENDS));
    evn_value x_end = state_input(a, "x_end"), dt = column(a, done, EVN_SAMPLE_STEP_DT);
    evn_value moved = is_larger(a, evn_abs(g, dt), number(a, 0));
    evn_value t = column(a, done, EVN_SAMPLE_STEP_T);
    input_ends(a, ends);
    a->x = choose(a, moved, x, x_end);
    a->t.high = choose(a, moved, t, a->end.high);
    return dt;
}

/// @param room  for the parameters, their cotangents so far, what is differentiated by, and that
static evn_status build_backward(attempt *a, const evn_graph *step, int terms, evn_value *room) {
    evn_graph *g = a->graph;
    int parameters = a->system->parameter_count;
    evn_value *so_far = room + parameters, *wrt = so_far + parameters, *bars = wrt + parameters + 1;
    evn_value after[1 + EVN__INTERPOLANT_TERMS], seeds[1 + EVN__INTERPOLANT_TERMS];
    evn_value dt = input_step(a);
    a->parameters = room;
    input_parameters(a, room, "");
    seeds[0] = state_input(a, "x_bar");
    for (int p = 0; p < terms; ++p) {
        char name[32];
        snprintf(name, sizeof(name), "term_bar.%d", p);
        seeds[1 + p] = state_input(a, name);
    }
    input_parameters(a, so_far, "_bar");
    EVN_TRY(evn_graph_status(g));
    EVN_TRY(make_again(a, step, dt, terms, after));
    wrt[0] = a->x;
    memcpy(wrt + 1, room, sizeof(*wrt) * (size_t)parameters);
    EVN_TRY(evn_pullback(g, after, seeds, 1 + terms, wrt, 1 + parameters, bars));
    evn_output(g, "x_bar", bars[0]);
    for (int i = 0; i < parameters; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "parameter_bar.%d", i);
        evn_output(g, name, evn_add(g, so_far[i], bars[1 + i]));
    }
    return evn_graph_status(g);
}

// Graphs ------------------------------------------------------------------------------------------

static evn_status prepare(attempt *a, evn_graph **graph) {
    a->time = evn__system_time_shape(a->system);
    a->samples = a->time.dim[0];
    EVN_TRY(evn_graph_create(graph));
    a->graph = *graph;
    return EVN_OK;
}

static evn_status finish(attempt *a, evn_status status, evn_graph **graph) {
    free(a->parameters);
    if (status != EVN_OK) {
        evn_graph_destroy(graph);
    }
    return status;
}

evn_status evn__sample_start_graph(const evn__system *system, const evn__stepper *stepper,
                                   const evn__controller *controller, evn_graph **graph) {
    attempt a = {.system = system, .stepper = stepper, .controller = controller};
    evn_graph *start = NULL;
    EVN_TRY(prepare(&a, graph));
    evn_status status = evn__start_graph(system, stepper, &start);
    status = status == EVN_OK ? build_start(&a, start) : status;
    evn_graph_destroy(&start);
    return finish(&a, status, graph);
}

evn_status evn__sample_attempt_graph(const evn__system *system, const evn__stepper *stepper,
                                     const evn__controller *controller, int terms,
                                     evn_graph **graph) {
    attempt a = {.system = system, .stepper = stepper, .controller = controller};
    evn_graph *step = NULL;
    EVN_TRY(prepare(&a, graph));
    evn_status status = terms > 1 ? evn__dense_step_graph(system, stepper, &step)
                                  : evn__adaptive_step_graph(system, stepper, &step);
    status = status == EVN_OK ? build_attempt(&a, step, terms) : status;
    evn_graph_destroy(&step);
    return finish(&a, status, graph);
}

evn_status evn__sample_backward_graph(const evn__system *system, const evn__stepper *stepper,
                                      int terms, evn_graph **graph) {
    attempt a = {.system = system, .stepper = stepper};
    evn_graph *step = NULL;
    evn_value *room = NULL;
    EVN_TRY(prepare(&a, graph));
    evn_status status = EVN_NEW(&room, 4 * system->parameter_count + 2);
    status = status == EVN_OK ? evn__dense_step_graph(system, stepper, &step) : status;
    status = status == EVN_OK ? build_backward(&a, step, terms, room) : status;
    evn_graph_destroy(&step);
    free(room);
    a.parameters = NULL; // they were there
    return finish(&a, status, graph);
}
