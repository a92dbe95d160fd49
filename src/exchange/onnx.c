// SPDX-License-Identifier: Apache-2.0
#include "exchange/onnx.h"

#ifdef EVN_ONNX

#include "base/files.h"
#include "exchange/onnx_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_SIZE = 256 };

static evn__onnx_rule *const rules[EVN__OP_COUNT] = {
#define EVN_OP(name, text, arity, class) [EVN__OP_##name] = evn__onnx_##name,
#include "graph/op.def"
#undef EVN_OP
};

bool evn__onnx_is_there(void) {
    return true;
}

// Inputs ------------------------------------------------------------------------------------------

static const evn__tensor *find_initializer(const evn__onnx_options *options, const char *name) {
    for (int i = 0; i < options->initializer_count; ++i) {
        if (strcmp(options->initializers[i].name, name) == 0) {
            return &options->initializers[i];
        }
    }
    return NULL;
}

/// Parameters become initializers, the others inputs of the model.
static evn_status add_inputs(evn__onnx_translation *t, const evn__onnx_options *options,
                             const bool *needed) {
    for (int i = 0; i < evn_graph_input_count(t->graph); ++i) {
        evn_value value = evn_graph_input(t->graph, i);
        const char *name = evn_graph_input_name(t->graph, i);
        const evn__tensor *tensor = find_initializer(options, name);
        evn__onnx_value *v = &t->values[value];
        v->shape = evn_value_shape(t->graph, value);
        v->name = name;
        if (tensor && needed[value]) {
            v->name = evn__onnx_tensor(&t->model, tensor);
        } else if (needed[value]) {
            EVN_CHECK(!t->any_batch || v->shape.rank > 0, EVN_ERR_ARGUMENT,
                      "the input %s is a scalar, which has no batch", name);
            v->batch = t->any_batch ? 0 : -1;
            t->batch_extent = t->any_batch ? v->shape.dim[0] : 0;
            t->first_input = name;
            evn__onnx_port(&t->model, false, name, v->shape, v->batch);
        }
    }
    return EVN_OK;
}

// Nodes -------------------------------------------------------------------------------------------

/// The part that a node belongs to, "" where there are none.
static const char *part_of(const evn__onnx_options *options, evn_value value) {
    const char *name = "";
    for (int i = 0; i < options->part_count && options->parts[i].first <= value; ++i) {
        name = options->parts[i].name;
    }
    return name;
}

static evn_status translate_node(evn__onnx_translation *t, const evn__onnx_options *options,
                                 evn_value value) {
    const evn__node *node = evn__node_at(t->graph, value);
    char prefix[PREFIX_SIZE];
    const char *part = part_of(options, value);
    evn__onnx_value *operands[EVN_MAX_INPUTS], *y = &t->values[value];
    snprintf(prefix, sizeof(prefix), "%s%s%s_%d", part, part[0] ? "/" : "",
             evn__op_table[node->op].text, (int)value);
    evn__onnx_prefix(&t->model, prefix);
    bool broadcasts =
        evn__op_table[node->op].class == EVN__CLASS_ELEMENT || node->op == EVN__OP_BROADCAST;
    for (int i = 0; i < node->operand_count; ++i) {
        operands[i] = &t->values[node->operands[i]];
        if (!broadcasts) {
            evn__onnx_expand(t, operands[i], evn_value_shape(t->graph, node->operands[i]));
        }
    }
    *y = (evn__onnx_value){.shape = node->shape, .batch = -1};
    rules[node->op](t, node, operands, y);
    EVN_TRY(t->status);
    return t->model.status;
}

static evn_status add_outputs(evn__onnx_translation *t) {
    for (int i = 0; i < evn_graph_output_count(t->graph); ++i) {
        evn_value value = evn_graph_output(t->graph, i);
        const char *name = evn_graph_output_name(t->graph, i);
        evn__onnx_value *v = &t->values[value];
        evn__onnx_prefix(&t->model, name);
        t->model.suffix = 1; // the name itself is the last node's
        evn__onnx_expand(t, v, evn_value_shape(t->graph, value));
        const char *of = evn__onnx_name(t, v);
        t->model.suffix = 0;
        evn__onnx_node(&t->model, "Identity", EVN__ONNX_ARGUMENTS(of), NULL);
        evn__onnx_port(&t->model, true, name, v->shape, v->batch);
    }
    return t->model.status;
}

static evn_status translate(evn__onnx_translation *t, const evn__onnx_options *options,
                            bool *needed) {
    evn__graph_needed(t->graph, needed);
    EVN_TRY(add_inputs(t, options, needed));
    for (evn_value value = 0; value < t->graph->node_count; ++value) {
        if (needed[value] && evn__node_at(t->graph, value)->op != EVN__OP_INPUT) {
            EVN_TRY(translate_node(t, options, value));
        }
    }
    return add_outputs(t);
}

// The file ----------------------------------------------------------------------------------------

static evn_status write(evn__onnx_translation *t, const char *path,
                        const evn__onnx_options *options) {
    unsigned char *data;
    size_t size;
    EVN_TRY(evn__onnx_pack(&t->model, options->metadata, options->metadata_count, &data, &size));
    evn_status status = evn__file_write(path, data, size);
    free(data);
    return status;
}

evn_status evn__onnx_write(const char *path, const evn_graph *graph,
                           const evn__onnx_options *options) {
    bool *needed = NULL;
    evn__onnx_translation t = {.graph = graph, .any_batch = options->any_batch};
    EVN_TRY(evn_graph_status(graph));
    EVN_TRY(EVN_NEW(&t.values, graph->node_count));
    for (int i = 0; i < graph->node_count; ++i) {
        t.values[i].batch = -1;
    }
    evn__onnx_model_begin(&t.model);
    evn_status status = EVN_NEW(&needed, graph->node_count);
    if (status == EVN_OK) {
        status = translate(&t, options, needed);
    }
    if (status == EVN_OK) {
        status = write(&t, path, options);
    }
    free(needed);
    free(t.values);
    evn__onnx_model_free(&t.model);
    return status;
}

#else

bool evn__onnx_is_there(void) {
    return false;
}

evn_status evn__onnx_write(const char *path, const evn_graph *graph,
                           const evn__onnx_options *options) {
    (void)graph, (void)options;
    EVN_FAIL(
        EVN_ERR_ARGUMENT,
        "cannot write %s: this build has no ONNX; build evonode where protobuf-c, its compiler "
        "protoc-c and onnx.proto are installed (Debian: libprotobuf-c-dev, "
        "protobuf-c-compiler, libonnx-dev)",
        path);
}

#endif
