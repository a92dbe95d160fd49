// SPDX-License-Identifier: Apache-2.0
#include "dynamics/path_system.h"

#include <stdio.h>
#include <stdlib.h>

static evn_shape weight_shape(const evn__system *system, int index) {
    return evn__system_state_shape(system, 1 + index);
}

size_t evn__path_offset(const evn__system *system, int index) {
    size_t offset = 0;
    for (int i = 0; i < index; ++i) {
        offset += (size_t)evn_shape_count(weight_shape(system, i));
    }
    return offset;
}

// What g reads ------------------------------------------------------------------------------------

/// Whether any slope of the weights depends on the value. @param reached  [node_count]
static bool moves_weights(const evn__system *system, evn_value value, bool *reached) {
    const evn_graph *graph = system->graph;
    bool moves = false;
    for (int v = 0; v < graph->node_count; ++v) {
        const evn__node *node = evn__node_at(graph, v);
        reached[v] = v == value;
        for (int k = 0; k < node->operand_count; ++k) {
            reached[v] = reached[v] || reached[node->operands[k]];
        }
    }
    for (int i = 0; i < evn__path_weights(system); ++i) {
        moves = moves || reached[evn_graph_output(graph, 1 + i)];
    }
    return moves;
}

static evn_status find_reads(const evn__system *system, bool *reads) {
    bool *reached = NULL;
    EVN_TRY(EVN_NEW(&reached, system->graph->node_count));
    for (int i = 0; i < system->parameter_count; ++i) {
        int input = evn__system_parameter(system, i);
        reads[i] = moves_weights(system, evn_graph_input(system->graph, input), reached);
    }
    bool of_x = moves_weights(system, evn_graph_input(system->graph, 1), reached);
    free(reached);
    EVN_CHECK(
        !of_x, EVN_ERR_ARGUMENT,
        "weights that are solved by themselves: g reads x, so that they evolve with the whole "
        "batch; leave per_sample, weight_terms and weight_steps out");
    return EVN_OK;
}

// Building ----------------------------------------------------------------------------------------

static evn_value declare_parameter(evn_graph *g, int index, evn_shape shape) {
    char name[32];
    snprintf(name, sizeof(name), "p%d", index);
    return evn_input(g, name, shape);
}

/// The slopes of weights where they are parts of theta; the rest of `values` is there for those of
/// all states.
static evn_value path_slope(const evn__system *system, evn_graph *g, evn_value theta,
                            evn_value *values) {
    int weights = evn__path_weights(system), inputs = evn_graph_input_count(system->graph);
    evn_value *slopes = values + inputs;
    for (int i = 0; i < weights; ++i) {
        evn_shape shape = weight_shape(system, i);
        const int64_t start[] = {(int64_t)evn__path_offset(system, i)};
        evn_value part = evn_slice(g, theta, start, EVN_SHAPE(evn_shape_count(shape)));
        values[evn__system_state(1 + i)] = evn_reshape(g, part, shape);
    }
    if (evn_graph_inline(g, system->graph, values, slopes) != EVN_OK) {
        return EVN_NONE;
    }
    for (int i = 0; i < weights; ++i) {
        evn_shape row = EVN_SHAPE(evn_shape_count(weight_shape(system, i)));
        slopes[i] = evn_reshape(g, slopes[1 + i], row);
    }
    return evn__concat_many(g, slopes, weights, 0);
}

/// To the error norm each weight is a state.
static evn_status set_parts(const evn__system *system, evn__system *path) {
    path->part_count = evn__path_weights(system);
    path->parted = 1;
    EVN_TRY(EVN_NEW(&path->parts, path->part_count));
    for (int i = 0; i < path->part_count; ++i) {
        path->parts[i] = evn_shape_count(weight_shape(system, i));
    }
    return EVN_OK;
}

static evn_status build_path(const evn__system *system, const bool *reads, evn__system *path,
                             evn_value *values) {
    evn_graph *g = path->graph;
    int64_t elements = (int64_t)evn__path_offset(system, evn__path_weights(system));
    values[0] = evn_input(g, "t", EVN_SCALAR);
    evn_value theta = evn_input(g, "x", EVN_SHAPE(elements));
    values[1] = evn_full(g, evn__system_state_shape(system, 0), 0); // read by f alone
    for (int i = 0; i < system->parameter_count; ++i) {
        evn_shape shape = evn__system_parameter_shape(system, i);
        values[evn__system_parameter(system, i)] =
            reads[i] ? declare_parameter(g, path->parameter_count++, shape) : evn_full(g, shape, 0);
    }
    evn_output(g, "dx", path_slope(system, g, theta, values));
    EVN_TRY(set_parts(system, path));
    return evn_graph_status(g);
}

/// τ, [1].
static evn_value place_in(evn_graph *g, evn_value t, evn_value span) {
    const int64_t first[] = {0}, second[] = {1};
    evn_shape one = EVN_SHAPE(1); // rows of samples have two axes then
    evn_value middle = evn_reshape(g, evn_slice(g, span, first, EVN_SHAPE(1)), one);
    evn_value rate = evn_reshape(g, evn_slice(g, span, second, EVN_SHAPE(1)), one);
    return evn_mul(g, evn_sub(g, evn_reshape(g, t, one), middle), rate);
}

static evn_status build_along(const evn__system *system, const evn__path_basis *basis, int terms,
                              evn__system *along, evn_value *values) {
    evn_graph *g = along->graph;
    int weights = evn__path_weights(system), inputs = evn_graph_input_count(system->graph);
    evn_value *rest = values + inputs; // C of each weight, then slopes
    values[0] = evn_input(g, "t", EVN_SCALAR);
    values[1] = evn_input(g, "x", evn__system_state_shape(system, 0));
    for (int i = 0; i < system->parameter_count; ++i) {
        values[evn__system_parameter(system, i)] =
            declare_parameter(g, along->parameter_count++, evn__system_parameter_shape(system, i));
    }
    for (int i = 0; i < weights; ++i) {
        int64_t elements = evn_shape_count(weight_shape(system, i));
        rest[i] = declare_parameter(g, along->parameter_count++, EVN_SHAPE(terms, elements));
    }
    evn_value span = declare_parameter(g, along->parameter_count++, EVN_SHAPE(2));
    evn_value functions = basis->functions(g, place_in(g, values[0], span), terms);
    for (int i = 0; i < weights; ++i) {
        evn_value weight = evn_matmul(g, functions, rest[i], false, false);
        values[evn__system_state(1 + i)] = evn_reshape(g, weight, weight_shape(system, i));
    }
    EVN_TRY(evn_graph_inline(g, system->graph, values, rest));
    evn_output(g, "dx", rest[0]);
    return evn_graph_status(g);
}

// Systems -----------------------------------------------------------------------------------------

/// With one state; `values` has room for those of all inputs and outputs of `like`.
static evn_status begin(const evn__system *like, evn__system *system, evn_value **values) {
    int count = evn_graph_input_count(like->graph) + 2 * like->state_count;
    *system = (evn__system){.state_count = 1, .options = like->options};
    EVN_TRY(EVN_NEW(&system->controlled, 1));
    system->controlled[0] = true;
    EVN_TRY(evn_graph_create(&system->graph));
    return EVN_NEW(values, count);
}

static evn_status end(evn_status status, evn__system *system, evn_value *values) {
    free(values);
    if (status != EVN_OK) {
        evn__system_free(system);
    }
    return status;
}

evn_status evn__path_system(const evn__system *system, bool *reads, evn__system *path) {
    evn_value *values = NULL;
    EVN_TRY(find_reads(system, reads));
    evn_status status = begin(system, path, &values);
    status = status == EVN_OK ? build_path(system, reads, path, values) : status;
    return end(status, path, values);
}

evn_status evn__system_along_path(const evn__system *system, const evn__path_basis *basis,
                                  int terms, evn__system *along) {
    evn_value *values = NULL;
    evn_status status = begin(system, along, &values);
    status = status == EVN_OK ? build_along(system, basis, terms, along, values) : status;
    return end(status, along, values);
}
