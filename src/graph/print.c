// SPDX-License-Identifier: Apache-2.0
// A graph as text, and the check of what a builder promises.
#include "graph/node.h"

#include <stdlib.h>

static void print_attributes(evn__text *text, const evn__node *node) {
    const evn__attributes *a = &node->attributes;
    switch (node->op) {
    case EVN__OP_CONSTANT:
        evn__text_append(text, " value=%g", a->scalar);
        break;
    case EVN__OP_MATMUL:
        evn__text_append(text, " transpose=%d%d", a->transpose_a, a->transpose_b);
        break;
    case EVN__OP_CONV2D:
    case EVN__OP_CONV2D_INPUT_GRAD:
    case EVN__OP_CONV2D_WEIGHT_GRAD:
        evn__text_append(text, " stride=%d padding=%d", a->stride, a->padding);
        break;
    case EVN__OP_SUM:
        evn__text_append(text, " axis=%d axes=%d", a->axis, a->axes);
        break;
    case EVN__OP_CONCAT:
        evn__text_append(text, " axis=%d", a->axis);
        break;
    case EVN__OP_NORMALIZE:
    case EVN__OP_NORMALIZE_GRAD:
        evn__text_append(text, " groups=%d epsilon=%g", a->groups, a->scalar);
        break;
    case EVN__OP_ROOT:
        evn__text_append(text, " vectors=%d cycles=%d", a->vectors, a->cycles);
        break;
    case EVN__OP_KRYLOV_COMBINE:
        evn__text_append(text, " columns=%lld residual=%d", (long long)a->columns, a->residual);
        break;
    default:
        if (a->window) {
            evn__text_append(text, " window=%d stride=%d", a->window, a->stride);
        }
    }
    for (int i = 0; i < node->shape.rank; ++i) {
        if (node->op == EVN__OP_SLICE || node->op == EVN__OP_PAD) {
            evn__text_append(text, "%s%lld", i ? "," : " start=", (long long)a->start[i]);
        } else if (node->op == EVN__OP_PERMUTE) {
            evn__text_append(text, "%s%d", i ? "," : " order=", a->order[i]);
        }
    }
}

static void print_node(evn__text *text, const evn_graph *graph, int index) {
    const evn__node *node = &graph->nodes[index];
    char shape[128];
    evn__text_append(text, "%%%d = %s", index, evn__op_table[node->op].text);
    for (int i = 0; i < graph->input_count; ++i) {
        if (graph->inputs[i].value == index) {
            evn__text_append(text, " %s", graph->inputs[i].name);
        }
    }
    for (int i = 0; i < node->operand_count; ++i) {
        evn__text_append(text, " %%%d", node->operands[i]);
    }
    print_attributes(text, node);
    evn__text_append(text, " %s\n", evn__shape_text(node->shape, shape));
}

evn_status evn_graph_print(const evn_graph *graph, char **out) {
    EVN_TRY(evn_graph_status(graph));
    EVN_REQUIRE(out);
    evn__text text = {0};
    for (int i = 0; i < graph->node_count; ++i) {
        print_node(&text, graph, i);
    }
    for (int i = 0; i < graph->output_count; ++i) {
        evn__text_append(&text, "output %s = %%%d\n", graph->outputs[i].name,
                         graph->outputs[i].value);
    }
    if (text.status != EVN_OK) {
        free(text.data);
        return text.status;
    }
    *out = text.data;
    return EVN_OK;
}

static evn_status verify_node(const evn_graph *graph, int index) {
    const evn__node *node = &graph->nodes[index];
    const evn__op_info *info = &evn__op_table[node->op];
    EVN_CHECK(info->arity < 0 || info->arity == node->operand_count, EVN_ERR_INTERNAL,
              "node %d (%s) has %d operands", index, info->text, node->operand_count);
    for (int i = 0; i < node->shape.rank; ++i) {
        EVN_CHECK(node->shape.dim[i] >= 1, EVN_ERR_INTERNAL, "node %d (%s): extent %d is empty",
                  index, info->text, i);
    }
    for (int i = 0; i < node->operand_count; ++i) {
        evn_value operand = node->operands[i];
        EVN_CHECK(operand >= 0 && operand < index, EVN_ERR_INTERNAL,
                  "node %d (%s): operand %d is not computed before it", index, info->text, i);
        EVN_CHECK(info->class != EVN__CLASS_ELEMENT ||
                      evn_shape_equal(node->shape, graph->nodes[operand].shape),
                  EVN_ERR_INTERNAL, "node %d (%s): operand %d has another shape", index, info->text,
                  i);
    }
    return EVN_OK;
}

evn_status evn__graph_verify(const evn_graph *graph) {
    EVN_TRY(evn_graph_status(graph));
    for (int i = 0; i < graph->node_count; ++i) {
        EVN_TRY(verify_node(graph, i));
    }
    return EVN_OK;
}
