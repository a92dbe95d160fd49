// SPDX-License-Identifier: Apache-2.0
#include "dynamics/by_sample.h"
#include "graph/krylov.h"
#include "methods/error_norm.h"
#include "methods/linear_kind.h"
#include <stdio.h>
#include <stdlib.h>

/// Vectors where the options leave it open. Systems in derivatives have more, as no iteration of
/// Newton's method comes after: for each vector so many as there are such iterations.
enum { VECTORS = 12, DERIVATIVE_VECTORS = 64, ITERATIONS = 4 };

static int states_of(const evn__linear *linear) {
    return linear->step->system->state_count;
}

evn_shape evn__linear_shape(const evn__linear *linear, int state) {
    return evn__system_state_shape(linear->step->system, state);
}

int64_t evn__linear_width(const evn__linear *linear, int state) {
    return evn_shape_count(evn__linear_shape(linear, state)) / linear->rows;
}

// Rows of all coupled states ----------------------------------------------------------------------

evn_value evn__linear_join(evn_graph *g, evn_value *parts, int count) {
    while (count > 1) {
        int joined = 0;
        for (int first = 0; first < count; first += EVN_MAX_INPUTS) {
            int some = count - first < EVN_MAX_INPUTS ? count - first : EVN_MAX_INPUTS;
            parts[joined++] = evn_concat(g, parts + first, some, 1);
        }
        count = joined;
    }
    return parts[0];
}

evn_value evn__linear_pack(evn__linear *linear, const evn_value *values) {
    evn_graph *g = linear->step->graph;
    int count = 0;
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_shape row = EVN_SHAPE(linear->rows, evn__linear_width(linear, i));
            evn_value whole = evn_broadcast(g, values[i], evn__linear_shape(linear, i));
            linear->parts[count++] = evn_reshape(g, whole, row);
        }
    }
    return evn__linear_join(g, linear->parts, count);
}

void evn__linear_unpack(evn__linear *linear, evn_value packed, evn_value *values) {
    evn_graph *g = linear->step->graph;
    int64_t start[] = {0, 0};
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_shape row = EVN_SHAPE(linear->rows, evn__linear_width(linear, i));
            evn_value part = evn_slice(g, packed, start, row);
            values[i] = evn_reshape(g, part, evn__linear_shape(linear, i));
            start[1] += row.dim[1];
        }
    }
}

evn_value evn__linear_length(const evn__linear *linear) {
    evn_graph *g = linear->step->graph;
    bool own = evn_value_shape(g, linear->step->t).rank > 0;
    return own ? evn_reshape(g, linear->step->dt, EVN_SHAPE(linear->rows, 1)) : linear->step->dt;
}

// Which way ---------------------------------------------------------------------------------------

static evn_status find_coupled(evn__linear *linear) {
    const evn__system *system = linear->step->system;
    bool *needed = NULL;
    EVN_TRY(EVN_NEW(&linear->coupled, system->state_count));
    EVN_TRY(EVN_NEW(&needed, system->graph->node_count));
    evn__graph_needed(system->graph, needed);
    for (int i = 0; i < system->state_count; ++i) {
        linear->coupled[i] = needed[evn_graph_input(system->graph, evn__system_state(i))];
    }
    free(needed);
    return EVN_OK;
}

/// Inputs of f as parameters of a system of one state: its own t too, which is the same for all
/// rows and what weights may be made of.
static void declare_parameters(const evn__system *system, evn_graph *g, evn_value *inputs) {
    inputs[0] = evn_input(g, "time", EVN_SCALAR);
    for (int i = 0; i < system->parameter_count; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "parameter.%d", i);
        inputs[evn__system_parameter(system, i)] =
            evn_input(g, name, evn__system_parameter_shape(system, i));
    }
}

/// The coupled states side by side as one, x [rows, …], with its slopes; the others are 0.
static evn_status build_side_by_side(evn__linear *linear, evn_graph *g, evn_value *inputs,
                                     evn_value *slopes) {
    const evn__system *system = linear->step->system;
    int64_t start[] = {0, 0}, columns = 0;
    for (int i = 0; i < system->state_count; ++i) {
        columns += linear->coupled[i] ? evn__linear_width(linear, i) : 0;
    }
    evn_input(g, "t", EVN_SCALAR);
    evn_value x = evn_input(g, "x", EVN_SHAPE(linear->rows, columns)), all = EVN_NONE;
    for (int i = 0; i < system->state_count; ++i) {
        evn_shape row = EVN_SHAPE(linear->rows, evn__linear_width(linear, i));
        inputs[1 + i] = linear->coupled[i] ? evn_reshape(g, evn_slice(g, x, start, row),
                                                         evn__linear_shape(linear, i))
                                           : evn_full(g, evn__linear_shape(linear, i), 0);
        start[1] += linear->coupled[i] ? row.dim[1] : 0;
    }
    declare_parameters(system, g, inputs);
    EVN_TRY(evn_graph_inline(g, system->graph, inputs, slopes));
    for (int i = 0; i < system->state_count; ++i) {
        if (linear->coupled[i]) {
            evn_shape row = EVN_SHAPE(linear->rows, evn__linear_width(linear, i));
            const evn_value both[] = {all, evn_reshape(g, slopes[i], row)};
            all = all == EVN_NONE ? both[1] : evn_concat(g, both, 2, 1);
        }
    }
    evn_output(g, "dx", all);
    return evn_graph_status(g);
}

/// Whether a system of one state x can be lifted to times of each row, which no slope depends on.
static evn_status are_apart(evn_graph *graph, int parameters, bool *apart) {
    bool controlled = true;
    const evn__system joined = {
        .graph = graph, .state_count = 1, .parameter_count = parameters, .controlled = &controlled};
    evn__system lifted = {0};
    evn_status status = evn__system_by_sample(&joined, &lifted);
    evn__system_free(&lifted);
    *apart = status == EVN_OK;
    bool meet = status == EVN_ERR_ARGUMENT || status == EVN_ERR_SHAPE;
    return meet ? EVN_OK : status; // not one of memory, say
}

/// Whether the rows, along the first axis, do not depend on each other.
static evn_status find_apart(evn__linear *linear, bool *apart) {
    const evn__system *system = linear->step->system;
    evn_graph *g = NULL;
    evn_value *values = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_status status =
        EVN_NEW(&values, evn_graph_input_count(system->graph) + evn__system_outputs(system));
    if (status == EVN_OK) {
        evn_value *slopes = values + evn_graph_input_count(system->graph);
        status = build_side_by_side(linear, g, values, slopes);
    }
    if (status == EVN_OK) {
        status = are_apart(g, system->parameter_count + 1, apart);
    }
    free(values);
    evn_graph_destroy(&g);
    return status;
}

/// The first axis of all coupled states; 1 where they do not have the same.
static int64_t count_rows(const evn__linear *linear) {
    int64_t rows = 0;
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_shape shape = evn__linear_shape(linear, i);
            int64_t own = shape.rank > 0 ? shape.dim[0] : 1;
            rows = rows == 0 || rows == own ? own : 1;
        }
    }
    return rows > 0 ? rows : 1;
}

static evn_status find_rows(evn__linear *linear) {
    bool apart = true;
    linear->rows = count_rows(linear);
    if (linear->rows > 1 && evn__system_time_shape(linear->step->system).rank == 0) {
        EVN_TRY(find_apart(linear, &apart)); // those with times of their own are
    }
    linear->rows = apart ? linear->rows : 1;
    return EVN_OK;
}

/// One cycle where there is room: more vectors at once find no less than the same number in turns.
static void choose_derivative(evn__linear *linear, int vectors) {
    const int room = EVN__KRYLOV_MAX_VECTORS;
    bool fits = linear->width <= room; // n vectors solve a system of n unknowns
    linear->derivative_vectors = vectors < room ? vectors : room;
    linear->derivative_cycles = fits ? 1 : (vectors + room - 1) / room;
}

/// A system of few unknowns has a matrix, unless the options say how many vectors to take.
static void choose_kind(evn__linear *linear) {
    int wanted = linear->step->system->options.krylov;
    linear->vectors = wanted > 0 ? wanted : VECTORS;
    choose_derivative(linear, wanted > 0 ? wanted * ITERATIONS : DERIVATIVE_VECTORS);
    linear->kind = wanted == 0 && linear->width <= EVN__LINEAR_MAX_DENSE ? &evn__linear_dense
                                                                         : &evn__linear_krylov;
}

static evn_status choose(evn__linear *linear) {
    const evn__system *system = linear->step->system;
    int64_t all = 0;
    EVN_TRY(EVN_NEW(&linear->parts, 2 * system->state_count));
    linear->residual = linear->parts + system->state_count;
    EVN_TRY(find_coupled(linear));
    for (int i = 0; i < system->state_count; ++i) {
        all += linear->coupled[i] ? evn_shape_count(evn__linear_shape(linear, i)) : 0;
    }
    EVN_TRY(find_rows(linear));
    linear->width = all / linear->rows;
    choose_kind(linear);
    return EVN_OK;
}

evn_status evn__linear_create(evn__step_build *step, evn__linear *linear) {
    *linear = (evn__linear){.step = step, .doubt = EVN_NONE};
    evn_status status = choose(linear);
    if (status != EVN_OK) {
        evn__linear_free(linear);
    }
    return status;
}

evn_status evn__linear_by_vectors(const evn__system *system, bool *by_vectors) {
    evn__step_build step = {.system = system};
    evn__linear linear;
    EVN_TRY(evn__linear_create(&step, &linear));
    *by_vectors = linear.width > 0 && linear.kind == &evn__linear_krylov;
    evn__linear_free(&linear);
    return EVN_OK;
}

void evn__linear_free(evn__linear *linear) {
    free(linear->coupled);
    free(linear->parts);
    linear->coupled = NULL;
    linear->parts = linear->residual = NULL;
}

bool evn__linear_keeps(const evn__linear *linear) {
    return linear->kind->keeps;
}

evn_status evn__linear_prepare(evn__linear *linear, evn__linear_matrix *matrix) {
    return linear->width > 0 ? linear->kind->prepare(linear, matrix) : EVN_OK;
}

evn_status evn__linear_solve(evn__linear *linear, const evn__linear_matrix *matrix,
                             const evn_value *right, evn_value *solution) {
    return linear->width > 0 ? linear->kind->solve(linear, matrix, right, solution) : EVN_OK;
}

void evn__linear_add_residual(evn__linear *linear, evn_value *values) {
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->width > 0 && !linear->kind->keeps && linear->coupled[i]) {
            values[i] = evn_add(linear->step->graph, values[i], linear->residual[i]);
        }
    }
}

evn_status evn__linear_hold(evn__linear *linear, evn_value *values) {
    return linear->width > 0 ? linear->kind->hold(linear, values) : EVN_OK;
}

evn_status evn__linear_settle(evn__linear *linear, const evn_value *rest, evn_value *values) {
    return linear->width > 0 ? linear->kind->settle(linear, rest, values) : EVN_OK;
}

// Doubt -------------------------------------------------------------------------------------------

evn_value evn__linear_size(evn__linear *linear, const evn_value *slopes, double gamma,
                           const evn_value *point) {
    evn_graph *g = linear->step->graph;
    evn__error_norm norm = evn__error_norm_begin_rows(linear->step, linear->rows);
    evn_value length = evn_scale(g, linear->step->dt, gamma);
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_value start = evn_abs(g, linear->step->states[i]), here = evn_abs(g, point[i]);
            evn_value scale = evn__error_tolerance(linear->step, evn_maximum(g, start, here));
            evn__error_norm_add(linear->step, &norm, i, evn_mul(g, length, slopes[i]), scale);
        }
    }
    return evn_detach(g, evn__error_norm_end(linear->step, &norm));
}

void evn__linear_doubt(evn__linear *linear, evn_value error) {
    evn_value *all = &linear->doubt;
    *all = *all == EVN_NONE ? error : evn_maximum(linear->step->graph, *all, error);
}

void evn__linear_doubt_residual(evn__linear *linear, double gamma, const evn_value *point) {
    if (linear->width > 0 && !linear->kind->keeps) {
        evn_value size = evn__linear_size(linear, linear->residual, gamma, point);
        evn__linear_doubt(linear, evn_scale(linear->step->graph, size, 2));
    }
}

/// Of all rows, which are one step: the root mean square, or where some are in doubt that of these,
/// so that many which are solved hide none.
static evn_value doubt_of_all(const evn__linear *linear) {
    evn_graph *g = linear->step->graph;
    evn_value one = evn_constant(g, 1), square = evn_mul(g, linear->doubt, linear->doubt);
    evn_value bad = evn_step(g, evn_sub(g, linear->doubt, one));
    evn_value count = evn_maximum(g, evn_sum_all(g, bad), one);
    evn_value mean = evn_scale(g, evn_sum_all(g, square), 1 / (double)linear->rows);
    evn_value worst = evn_div(g, evn_sum_all(g, evn_mul(g, bad, square)), count);
    return evn_sqrt(g, evn_maximum(g, mean, worst));
}

void evn__linear_leave_doubt(evn__linear *linear) {
    evn__step_build *step = linear->step;
    evn_shape times = evn_value_shape(step->graph, step->t);
    bool own = evn_shape_count(times) == linear->rows;
    if (linear->doubt != EVN_NONE) {
        step->doubt = own ? evn_reshape(step->graph, linear->doubt, times) : doubt_of_all(linear);
    }
}
