// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

evn__ref *const evn__ref_table[EVN__OP_COUNT] = {
    [EVN__OP_CONSTANT] = evn__ref_constant,
    [EVN__OP_TABLE] = evn__ref_table_data,
    [EVN__OP_ADD] = evn__ref_elementwise,
    [EVN__OP_SUB] = evn__ref_elementwise,
    [EVN__OP_MUL] = evn__ref_elementwise,
    [EVN__OP_DIV] = evn__ref_elementwise,
    [EVN__OP_MAXIMUM] = evn__ref_elementwise,
    [EVN__OP_MASK] = evn__ref_elementwise,
    [EVN__OP_NEG] = evn__ref_elementwise,
    [EVN__OP_ABS] = evn__ref_elementwise,
    [EVN__OP_SIGN] = evn__ref_elementwise,
    [EVN__OP_STEP] = evn__ref_elementwise,
    [EVN__OP_DETACH] = evn__ref_elementwise,
    [EVN__OP_EXP] = evn__ref_elementwise,
    [EVN__OP_LOG] = evn__ref_elementwise,
    [EVN__OP_SQRT] = evn__ref_elementwise,
    [EVN__OP_SIN] = evn__ref_elementwise,
    [EVN__OP_COS] = evn__ref_elementwise,
    [EVN__OP_TANH] = evn__ref_elementwise,
    [EVN__OP_SIGMOID] = evn__ref_elementwise,
    [EVN__OP_SOFTPLUS] = evn__ref_elementwise,
    [EVN__OP_RELU] = evn__ref_elementwise,
    [EVN__OP_RESHAPE] = evn__ref_reshape,
    [EVN__OP_BROADCAST] = evn__ref_broadcast,
    [EVN__OP_PERMUTE] = evn__ref_permute,
    [EVN__OP_SLICE] = evn__ref_slice,
    [EVN__OP_ROOT] = evn__ref_root,
    [EVN__OP_PAD] = evn__ref_pad,
    [EVN__OP_CONCAT] = evn__ref_concat,
    [EVN__OP_SUM] = evn__ref_sum,
    [EVN__OP_MATMUL] = evn__ref_matmul,
    [EVN__OP_SOLVE] = evn__ref_solve,
    [EVN__OP_KRYLOV_EXTEND] = evn__ref_krylov_extend,
    [EVN__OP_KRYLOV_COMBINE] = evn__ref_krylov_combine,
    [EVN__OP_CONV2D] = evn__ref_conv2d,
    [EVN__OP_CONV2D_INPUT_GRAD] = evn__ref_conv2d_input_grad,
    [EVN__OP_CONV2D_WEIGHT_GRAD] = evn__ref_conv2d_weight_grad,
    [EVN__OP_NORMALIZE] = evn__ref_normalize,
    [EVN__OP_NORMALIZE_GRAD] = evn__ref_normalize_grad,
    [EVN__OP_LOG_SOFTMAX] = evn__ref_log_softmax,
    [EVN__OP_MEAN_POOL2D] = evn__ref_mean_pool2d,
    [EVN__OP_MEAN_POOL2D_GRAD] = evn__ref_mean_pool2d_grad,
    [EVN__OP_MAX_POOL2D_SELECT] = evn__ref_max_pool2d_select,
    [EVN__OP_MAX_POOL2D_SCATTER] = evn__ref_max_pool2d_scatter,
};

/// Views move numbers that are rounded where they were made.
static void spread(const evn_graph *graph, int index, double part, double *values) {
    const evn__node *node = evn__node_at(graph, index);
    int64_t count = part > 0 && evn__op_table[node->op].class != EVN__CLASS_VIEW
                        ? evn_shape_count(node->shape)
                        : 0;
    for (int64_t i = 0; i < count; ++i) {
        double random = evn__random_uniform(0, (uint64_t)index, (uint64_t)i);
        values[i] *= 1 + part * (2 * random - 1);
    }
}

static evn_status run_node(const evn_graph *graph, int index, double **values) {
    const evn__node *node = evn__node_at(graph, index);
    const double *operands[EVN_MAX_INPUTS];
    for (int i = 0; i < node->operand_count; ++i) {
        operands[i] = values[node->operands[i]];
    }
    EVN_TRY(EVN_NEW(&values[index], evn_shape_count(node->shape)));
    evn__ref_table[node->op](graph, node, operands, values[index]);
    return EVN_OK;
}

static evn_status run_inputs(const evn_graph *graph, const double *const *inputs, double **values) {
    for (int i = 0; i < graph->input_count; ++i) {
        evn_value value = graph->inputs[i].value;
        int64_t count = evn_shape_count(evn_value_shape(graph, value));
        EVN_TRY(EVN_NEW(&values[value], count));
        memcpy(values[value], inputs[i], sizeof(double) * (size_t)count);
    }
    return EVN_OK;
}

/// The node that reads each value last; itself where none does, node_count for an output.
static void find_last(const evn_graph *graph, int *last) {
    for (int i = 0; i < graph->node_count; ++i) {
        const evn__node *node = evn__node_at(graph, i);
        last[i] = i;
        for (int k = 0; k < node->operand_count; ++k) {
            last[node->operands[k]] = i;
        }
    }
    for (int i = 0; i < graph->output_count; ++i) {
        last[graph->outputs[i].value] = graph->node_count;
    }
}

/// Release what node `index` was the last to read: graphs of many steps would need much memory.
static void release(const evn_graph *graph, int index, const int *last, double **values) {
    const evn__node *node = evn__node_at(graph, index);
    for (int k = -1; k < node->operand_count; ++k) {
        int value = k < 0 ? index : node->operands[k];
        if (last[value] == index) {
            free(values[value]);
            values[value] = NULL;
        }
    }
}

static evn_status run_nodes(const evn_graph *graph, double part, const int *last, double **values) {
    for (int i = 0; i < graph->node_count; ++i) {
        if (graph->nodes[i].op != EVN__OP_INPUT) {
            EVN_TRY(run_node(graph, i, values));
        }
        spread(graph, i, part, values[i]);
        release(graph, i, last, values);
    }
    return EVN_OK;
}

static evn_status run_values(const evn_graph *graph, const double *const *inputs, double part,
                             double **values, double *const *outputs) {
    int *last = NULL;
    EVN_TRY(run_inputs(graph, inputs, values));
    EVN_TRY(EVN_NEW(&last, graph->node_count));
    find_last(graph, last);
    evn_status status = run_nodes(graph, part, last, values);
    free(last);
    EVN_TRY(status);
    for (int i = 0; i < graph->output_count; ++i) {
        evn_value value = graph->outputs[i].value;
        int64_t count = evn_shape_count(evn_value_shape(graph, value));
        memcpy(outputs[i], values[value], sizeof(double) * (size_t)count);
    }
    return EVN_OK;
}

evn_status evn__ref_run_rounded(const evn_graph *graph, const double *const *inputs, double part,
                                double *const *outputs) {
    EVN_TRY(evn__graph_verify(graph));
    double **values = NULL;
    EVN_TRY(EVN_NEW(&values, graph->node_count));
    evn_status status = run_values(graph, inputs, part, values, outputs);
    for (int i = 0; i < graph->node_count; ++i) {
        free(values[i]);
    }
    free(values);
    return status;
}

evn_status evn__ref_run(const evn_graph *graph, const double *const *inputs,
                        double *const *outputs) {
    return evn__ref_run_rounded(graph, inputs, 0, outputs);
}
