// SPDX-License-Identifier: Apache-2.0
#include "graph/node.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const evn__op_info evn__op_table[EVN__OP_COUNT] = {
#define EVN_OP(name, text, arity, class) {text, arity, EVN__CLASS_##class},
#include "graph/op.def"
#undef EVN_OP
};

int64_t evn_shape_count(evn_shape shape) {
    const int64_t most = INT64_MAX >> 8; // bytes, and sums of a few such counts, fit too
    int64_t count = 1;
    if (shape.rank < 0 || shape.rank > EVN_MAX_RANK) {
        return 0;
    }
    for (int i = 0; i < shape.rank; ++i) {
        if (shape.dim[i] < 1 || shape.dim[i] > most / count) {
            return 0;
        }
        count *= shape.dim[i];
    }
    return count;
}

bool evn__shape_is_valid(evn_shape shape) {
    return evn_shape_count(shape) > 0;
}

bool evn_shape_equal(evn_shape a, evn_shape b) {
    if (a.rank != b.rank || a.rank > EVN_MAX_RANK) {
        return false;
    }
    for (int i = 0; i < a.rank; ++i) {
        if (a.dim[i] != b.dim[i]) {
            return false;
        }
    }
    return true;
}

const char *evn__shape_text(evn_shape shape, char text[128]) {
    if (shape.rank < 0 || shape.rank > EVN_MAX_RANK) {
        snprintf(text, 128, "of rank %d", shape.rank);
        return text;
    }
    int used = snprintf(text, 128, "[");
    for (int i = 0; i < shape.rank && used < 100; ++i) {
        used += snprintf(text + used, 128 - (size_t)used, "%s%lld", i ? ", " : "",
                         (long long)shape.dim[i]);
    }
    snprintf(text + used, 128 - (size_t)used, "]");
    return text;
}

evn_status evn_graph_create(evn_graph **graph) {
    EVN_REQUIRE(graph);
    return EVN_NEW(graph, 1);
}

void evn_graph_destroy(evn_graph **graph) {
    if (!graph || !*graph) {
        return;
    }
    evn__arena_free(&(*graph)->arena);
    free((*graph)->nodes);
    free((*graph)->inputs);
    free((*graph)->outputs);
    free((*graph)->input_names.slots);
    free((*graph)->output_names.slots);
    free((*graph)->buckets);
    free((*graph)->message);
    free(*graph);
    *graph = NULL;
}

evn_status evn_graph_status(const evn_graph *graph) {
    EVN_REQUIRE(graph);
    if (graph->status != EVN_OK) {
        EVN_FAIL(graph->status, "%s", graph->message ? graph->message : "out of host memory");
    }
    return EVN_OK;
}

evn_value evn__graph_fail(evn_graph *graph, evn_status status, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    evn__print_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!graph) {
        evn__fail(__FILE__, __LINE__, EVN_ERR_ARGUMENT, "the graph is NULL: %s", text);
    } else if (graph->status == EVN_OK) {
        graph->status = status;
        graph->message = strdup(text);
    }
    return EVN_NONE;
}

const evn__node *evn__node_at(const evn_graph *graph, evn_value value) {
    static const evn__node none = {.op = EVN__OP_CONSTANT};
    return value >= 0 && value < graph->node_count ? &graph->nodes[value] : &none;
}

// Equal nodes are one node ------------------------------------------------------------------------

static bool attributes_equal(const evn__attributes *a, const evn__attributes *b) {
    return memcmp(&a->scalar, &b->scalar, sizeof(a->scalar)) == 0 && a->table == b->table &&
           memcmp(a->start, b->start, sizeof(a->start)) == 0 &&
           memcmp(a->order, b->order, sizeof(a->order)) == 0 && a->axis == b->axis &&
           a->axes == b->axes && a->transpose_a == b->transpose_a &&
           a->transpose_b == b->transpose_b && a->stride == b->stride && a->padding == b->padding &&
           a->window == b->window && a->groups == b->groups && a->vectors == b->vectors &&
           a->cycles == b->cycles && a->columns == b->columns && a->residual == b->residual;
}

static bool node_equal(const evn__node *a, const evn__node *b) {
    return a->op == b->op && a->operand_count == b->operand_count &&
           memcmp(a->operands, b->operands, sizeof(evn_value) * (size_t)a->operand_count) == 0 &&
           evn_shape_equal(a->shape, b->shape) && attributes_equal(&a->attributes, &b->attributes);
}

// FNV-1a over what tells most nodes apart; node_equal decides.
static uint32_t node_hash(const evn__node *node) {
    uint32_t hash = 2166136261u ^ (uint32_t)node->op;
    uint64_t bits;
    memcpy(&bits, &node->attributes.scalar, sizeof(bits));
    hash = (hash * 16777619u) ^ (uint32_t)(bits ^ (bits >> 32));
    for (int i = 0; i < node->operand_count; ++i) {
        hash = (hash * 16777619u) ^ (uint32_t)node->operands[i];
    }
    for (int i = 0; i < node->shape.rank; ++i) {
        hash = (hash * 16777619u) ^ (uint32_t)node->shape.dim[i];
        hash = (hash * 16777619u) ^ (uint32_t)node->attributes.start[i];
    }
    return hash;
}

/// Inputs are never equal, and many have one shape: they would only be in the way.
static void bucket_insert(evn_graph *graph, int index) {
    if (graph->nodes[index].op == EVN__OP_INPUT) {
        return;
    }
    uint32_t mask = (uint32_t)graph->bucket_count - 1;
    uint32_t place = node_hash(&graph->nodes[index]) & mask;
    while (graph->buckets[place] >= 0) {
        place = (place + 1) & mask;
    }
    graph->buckets[place] = index;
}

static evn_status buckets_grow(evn_graph *graph) {
    if (graph->bucket_count > 2 * (graph->node_count + 1)) {
        return EVN_OK;
    }
    int count = graph->bucket_count ? graph->bucket_count * 4 : 256;
    int *grown = malloc((size_t)count * sizeof(*grown));
    EVN_CHECK(grown, EVN_ERR_MEMORY, "no memory for a graph of %d nodes", graph->node_count);
    memset(grown, 0xff, (size_t)count * sizeof(*grown));
    free(graph->buckets);
    graph->buckets = grown;
    graph->bucket_count = count;
    for (int i = 0; i < graph->node_count; ++i) {
        bucket_insert(graph, i);
    }
    return EVN_OK;
}

static evn_value node_find(const evn_graph *graph, const evn__node *node) {
    uint32_t mask = (uint32_t)graph->bucket_count - 1;
    for (uint32_t place = node_hash(node) & mask; graph->buckets[place] >= 0;
         place = (place + 1) & mask) {
        if (node_equal(&graph->nodes[graph->buckets[place]], node)) {
            return graph->buckets[place];
        }
    }
    return EVN_NONE;
}

evn_value evn__node_add(evn_graph *graph, const evn__node *node) {
    if (!graph || graph->status != EVN_OK) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "nothing can be added to it");
    }
    if (!evn__shape_is_valid(node->shape)) {
        char text[128];
        return evn__graph_fail(
            graph, EVN_ERR_SHAPE,
            "%s: a value of shape %s: ranks go up to %d, extents are at least 1, "
            "and their product must fit in memory",
            evn__op_table[node->op].text, evn__shape_text(node->shape, text), EVN_MAX_RANK);
    }
    evn_status status = buckets_grow(graph);
    if (status == EVN_OK) {
        evn_value found = node->op == EVN__OP_INPUT ? EVN_NONE : node_find(graph, node);
        if (found != EVN_NONE) {
            return found;
        }
        status = EVN_RESERVE(graph->nodes, graph->node_capacity, graph->node_count + 1);
    }
    if (status != EVN_OK) {
        return evn__graph_fail(graph, status, "%s", evn_error_message());
    }
    graph->nodes[graph->node_count] = *node;
    bucket_insert(graph, graph->node_count);
    return graph->node_count++;
}

// Inputs and outputs ------------------------------------------------------------------------------

/// Where the port of that name is in the table, or has its place. (FNV-1a)
static int *find_slot(const evn__names *names, const evn__port *ports, const char *name) {
    uint32_t hash = 2166136261u, mask = (uint32_t)names->slot_count - 1;
    for (const char *at = name; *at; ++at) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    uint32_t place = hash & mask;
    while (names->slots[place] >= 0 && strcmp(ports[names->slots[place]].name, name) != 0) {
        place = (place + 1) & mask;
    }
    return &names->slots[place];
}

static int find_port(const evn__names *names, const evn__port *ports, const char *name) {
    return names->slot_count > 0 ? *find_slot(names, ports, name) : -1;
}

/// Room for one more among `count`.
static evn_status names_grow(evn__names *names, const evn__port *ports, int count) {
    if (names->slot_count > 2 * (count + 1)) {
        return EVN_OK;
    }
    int slots = names->slot_count ? names->slot_count * 4 : 64;
    evn__names grown = {malloc((size_t)slots * sizeof(int)), slots};
    EVN_CHECK(grown.slots, EVN_ERR_MEMORY, "no memory for the names of %d inputs or outputs",
              count);
    memset(grown.slots, 0xff, (size_t)slots * sizeof(int));
    for (int i = 0; i < count; ++i) {
        *find_slot(&grown, ports, ports[i].name) = i;
    }
    free(names->slots);
    *names = grown;
    return EVN_OK;
}

static evn_status add_port(evn_graph *graph, evn__names *names, evn__port **ports, int *count,
                           int *capacity, const char *name, evn_value value) {
    EVN_CHECK(strlen(name) <= EVN_MAX_NAME, EVN_ERR_ARGUMENT,
              "the name %.32s… of an input or output is longer than %d bytes", name, EVN_MAX_NAME);
    EVN_CHECK(find_port(names, *ports, name) < 0, EVN_ERR_ARGUMENT,
              "the graph already has an input or output named %s", name);
    EVN_TRY(names_grow(names, *ports, *count));
    EVN_TRY(evn__reserve((void **)ports, capacity, *count + 1, sizeof(**ports)));
    char *copy = evn__arena_string(&graph->arena, name);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for the name %s", name);
    *find_slot(names, *ports, name) = *count;
    (*ports)[(*count)++] = (evn__port){copy, value};
    return EVN_OK;
}

evn_value evn_input(evn_graph *graph, const char *name, evn_shape shape) {
    if (!name) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "evn_input: name is NULL");
    }
    evn_value value = evn__node_add(graph, &(evn__node){.op = EVN__OP_INPUT, .shape = shape});
    if (value == EVN_NONE) {
        return value;
    }
    evn_status status = add_port(graph, &graph->input_names, &graph->inputs, &graph->input_count,
                                 &graph->input_capacity, name, value);
    return status == EVN_OK ? value : evn__graph_fail(graph, status, "%s", evn_error_message());
}

void evn_output(evn_graph *graph, const char *name, evn_value value) {
    if (!name || !evn__graph_has(graph, value)) {
        evn__graph_fail(graph, EVN_ERR_ARGUMENT, "output %s: no such value", name ? name : "NULL");
        return;
    }
    evn_status status = add_port(graph, &graph->output_names, &graph->outputs, &graph->output_count,
                                 &graph->output_capacity, name, value);
    if (status != EVN_OK) {
        evn__graph_fail(graph, status, "%s", evn_error_message());
    }
}

int evn_graph_input_count(const evn_graph *graph) {
    return graph ? graph->input_count : 0;
}

int evn_graph_output_count(const evn_graph *graph) {
    return graph ? graph->output_count : 0;
}

static const evn__port *input_at(const evn_graph *graph, int index) {
    return index >= 0 && index < evn_graph_input_count(graph) ? &graph->inputs[index] : NULL;
}

static const evn__port *output_at(const evn_graph *graph, int index) {
    return index >= 0 && index < evn_graph_output_count(graph) ? &graph->outputs[index] : NULL;
}

static evn_value value_of(const evn__port *port) {
    return port ? port->value : EVN_NONE;
}

static const char *name_of(const evn__port *port) {
    return port ? port->name : NULL;
}

evn_value evn_graph_input(const evn_graph *graph, int index) {
    return value_of(input_at(graph, index));
}

evn_value evn_graph_output(const evn_graph *graph, int index) {
    return value_of(output_at(graph, index));
}

const char *evn_graph_input_name(const evn_graph *graph, int index) {
    return name_of(input_at(graph, index));
}

const char *evn_graph_output_name(const evn_graph *graph, int index) {
    return name_of(output_at(graph, index));
}

int evn_graph_find_input(const evn_graph *graph, const char *name) {
    return graph && name ? find_port(&graph->input_names, graph->inputs, name) : -1;
}

int evn_graph_find_output(const evn_graph *graph, const char *name) {
    return graph && name ? find_port(&graph->output_names, graph->outputs, name) : -1;
}

evn_shape evn_value_shape(const evn_graph *graph, evn_value value) {
    return graph && value >= 0 && value < graph->node_count ? graph->nodes[value].shape
                                                            : EVN_SCALAR;
}

// Copying nodes from graph to graph ---------------------------------------------------------------

evn_value evn__node_copy(evn_graph *graph, const evn_graph *from, evn_value value,
                         const evn_value *map) {
    evn__node node = *evn__node_at(from, value);
    if (node.op == EVN__OP_TABLE) {
        return evn_table(graph, node.shape, node.attributes.table);
    }
    for (int i = 0; i < node.operand_count; ++i) {
        node.operands[i] = map[node.operands[i]];
    }
    return evn__node_add(graph, &node);
}

/// Operands of a node that its value needs: the first of a ROOT where derivatives do not count.
static int needed_operands(const evn__node *node, bool derivatives) {
    return node->op == EVN__OP_ROOT && !derivatives ? 1 : node->operand_count;
}

static void find_needed(const evn_graph *graph, bool derivatives, bool *needed) {
    memset(needed, 0, sizeof(*needed) * (size_t)graph->node_count);
    for (int i = 0; i < graph->output_count; ++i) {
        needed[graph->outputs[i].value] = true;
    }
    for (int i = graph->node_count - 1; i >= 0; --i) {
        const evn__node *node = &graph->nodes[i];
        for (int k = 0; needed[i] && k < needed_operands(node, derivatives); ++k) {
            needed[node->operands[k]] = true;
        }
    }
}

void evn__graph_needed(const evn_graph *graph, bool *needed) {
    find_needed(graph, true, needed);
}

static evn_status check_inline(const evn_graph *graph, const evn_graph *callee,
                               const evn_value *inputs) {
    EVN_TRY(evn_graph_status(callee));
    for (int i = 0; i < callee->input_count; ++i) {
        char want[128], have[128];
        evn_shape shape = evn_value_shape(callee, callee->inputs[i].value);
        EVN_CHECK(inputs[i] >= 0 && inputs[i] < graph->node_count, EVN_ERR_ARGUMENT,
                  "inlining: no value for input %s", callee->inputs[i].name);
        evn_shape given = evn_value_shape(graph, inputs[i]);
        EVN_CHECK(evn_shape_equal(shape, given), EVN_ERR_SHAPE,
                  "inlining: input %s has shape %s, its value %s", callee->inputs[i].name,
                  evn__shape_text(shape, want), evn__shape_text(given, have));
    }
    return EVN_OK;
}

/// Of the first `count` nodes: the callee may be the graph itself, which grows.
static void copy_needed(evn_graph *graph, const evn_graph *callee, int count, bool derivatives,
                        const bool *needed, evn_value *map) {
    for (int i = 0; i < count; ++i) {
        const evn__node *node = &callee->nodes[i];
        if (needed[i] && node->op == EVN__OP_ROOT && !derivatives) {
            map[i] = map[node->operands[0]];
        } else if (needed[i] && node->op != EVN__OP_INPUT) {
            map[i] = evn__node_copy(graph, callee, i, map);
        }
    }
}

static evn_status inline_graph(evn_graph *graph, const evn_graph *callee, bool derivatives,
                               const evn_value *inputs, evn_value *outputs) {
    EVN_TRY(evn_graph_status(graph));
    EVN_REQUIRE(callee);
    EVN_CHECK((inputs || callee->input_count == 0) && (outputs || callee->output_count == 0),
              EVN_ERR_ARGUMENT, "inlining: inputs or outputs are NULL");
    EVN_TRY(check_inline(graph, callee, inputs));
    evn_value *map = NULL;
    bool *needed = NULL;
    int count = callee->node_count;
    evn_status status = EVN_NEW(&map, count);
    if (status == EVN_OK) {
        status = EVN_NEW(&needed, count);
    }
    if (status == EVN_OK) {
        find_needed(callee, derivatives, needed);
        for (int i = 0; i < callee->input_count; ++i) {
            map[callee->inputs[i].value] = inputs[i];
        }
        copy_needed(graph, callee, count, derivatives, needed, map);
        for (int i = 0; i < callee->output_count; ++i) {
            outputs[i] = map[callee->outputs[i].value];
        }
        status = evn_graph_status(graph);
    }
    free(map);
    free(needed);
    return status;
}

evn_status evn_graph_inline(evn_graph *graph, const evn_graph *callee, const evn_value *inputs,
                            evn_value *outputs) {
    return inline_graph(graph, callee, true, inputs, outputs);
}

evn_status evn__graph_inline_values(evn_graph *graph, const evn_graph *callee,
                                    const evn_value *inputs, evn_value *outputs) {
    return inline_graph(graph, callee, false, inputs, outputs);
}
