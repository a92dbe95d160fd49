// SPDX-License-Identifier: Apache-2.0
#include "nn/layering.h"

#include "base/status.h"
#include "graph/node.h"
#include "nn/evolution.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 10000 };

void evn__layer_records_free(evn__layer_records *records) {
    free(records->items);
    evn__arena_free(&records->arena);
    *records = (evn__layer_records){0};
}

void evn__layering_scope(evn__layering *at, const char *scope) {
    at->network.scope = scope;
    memset(at->numbers, 0, sizeof(at->numbers));
}

// Failures ----------------------------------------------------------------------------------------

/// A status with its message, in front of which stands the place, as the graph's failure.
static evn_value stick(evn__layering *at, const char *path, evn_status status) {
    evn__network_place(at->of, path, status);
    return evn__graph_fail(at->network.graph, status, "%s", evn_error_message());
}

evn_value evn__layering_fail(evn__layering *at, const evn__layer *layer, evn_status status,
                             const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    evn__fail(__FILE__, __LINE__, status, "%s: %s", layer->kind->name, message);
    return stick(at, layer->path, status);
}

// One layer ---------------------------------------------------------------------------------------

static const char *rank_text(unsigned ranks) {
    return ranks == EVN__ROWS     ? "rows [B, D]"
           : ranks == EVN__IMAGES ? "images [B, H, W, C]"
                                  : "rows [B, D] or images [B, H, W, C]";
}

static const char *rank_advice(unsigned ranks) {
    return ranks == EVN__ROWS ? "; put flatten or global-pool between them" : "";
}

static const char *const no_time = "there is no time t here: it is for the layers of an ODE";

bool evn__layer_takes_time(const evn__layer *layer) {
    const evn__layer_key *key;
    for (int i = 0; (key = evn__layer_key_at(layer->kind, i)); ++i) {
        if (strcmp(key->name, "time") == 0 && layer->values[i]) {
            return true;
        }
    }
    return layer->kind->timed;
}

static bool wants(const evn__layer *layer, int64_t value) {
    for (int i = 0; i < EVN__LAYER_KEYS; ++i) {
        if (layer->values[i] == value) {
            return true;
        }
    }
    return false;
}

/// Whether the layer can be built on x; EVN_NONE sticks to the graph where not.
static bool fits(evn__layering *at, const evn__layer *layer, evn_value x) {
    char text[128];
    evn_shape from = evn_value_shape(at->network.graph, x);
    if (at->records->count >= LAYERS_MAX) {
        evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                           "with all repetitions there are more than %d layers; repeat less often",
                           LAYERS_MAX);
        return false;
    }
    if (!(layer->kind->ranks >> from.rank & 1)) {
        evn__layering_fail(at, layer, EVN_ERR_SHAPE, "it takes %s, but %s gives %s%s",
                           rank_text(layer->kind->ranks), at->giver, evn__shape_text(from, text),
                           rank_advice(layer->kind->ranks));
        return false;
    }
    if (at->t == EVN_NONE && evn__layer_takes_time(layer)) {
        evn__layering_fail(at, layer, EVN_ERR_SHAPE, "%s", no_time);
        return false;
    }
    if (at->state == 0 && wants(layer, EVN__LAYER_STATE)) {
        evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                           "there is no state here: \"state\" is for the layers of an ODE");
        return false;
    }
    if (!at->fit && wants(layer, EVN__LAYER_FIT)) {
        evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                           "there are no images or classes that it could fit; give it a number");
        return false;
    }
    return true;
}

/// The name that the layer's weights get; "" without weights. Names of one's own are used once.
static evn_status name_layer(evn__layering *at, const evn__layer *layer,
                             char name[EVN__LAYER_NAME]) {
    int kind = 0;
    name[0] = 0;
    while (evn__layer_kind_at(kind) != layer->kind) {
        ++kind;
    }
    if (layer->kind->weights && layer->name) {
        snprintf(name, EVN__LAYER_NAME, "%s", layer->name);
    } else if (layer->kind->weights) {
        snprintf(name, EVN__LAYER_NAME, "%s%d", layer->kind->weights, ++at->numbers[kind]);
    }
    for (int i = 0; name[0] && i < at->records->count; ++i) {
        const evn__layer_record *other = &at->records->items[i];
        EVN_CHECK(strcmp(other->name, name) != 0 || strcmp(other->scope, at->network.scope) != 0,
                  EVN_ERR_FORMAT, "%s: there is another layer named '%s' in %s; name one otherwise",
                  layer->kind->name, name, at->network.scope);
    }
    return EVN_OK;
}

static double products_of(const evn_graph *graph, const evn__node *node) {
    if (node->op == EVN__OP_MATMUL) {
        evn_shape a = evn_value_shape(graph, node->operands[0]);
        return (double)evn_shape_count(node->shape) * (double)a.dim[!node->attributes.transpose_a];
    }
    if (node->op == EVN__OP_CONV2D) {
        evn_shape w = evn_value_shape(graph, node->operands[1]);
        return (double)evn_shape_count(node->shape) * (double)(w.dim[0] * w.dim[1] * w.dim[2]);
    }
    return 0;
}

static double count_products(const evn_graph *graph, int first) {
    double sum = 0;
    for (int i = first; i < graph->node_count; ++i) {
        sum += products_of(graph, evn__node_at(graph, i));
    }
    return sum;
}

static evn_status begin_record(evn__layering *at, const evn__layer *layer, const char *name,
                               evn_value x, int *index) {
    evn__layer_records *r = at->records;
    EVN_TRY(EVN_RESERVE(r->items, r->capacity, r->count + 1));
    evn__layer_record *record = &r->items[ *index = r->count];
    *record = (evn__layer_record){.layer = layer,
                                  .scope = evn__arena_string(&r->arena, at->network.scope),
                                  .from = evn_value_shape(at->network.graph, x),
                                  .depth = at->depth};
    EVN_CHECK(record->scope, EVN_ERR_MEMORY, "no memory for a layer");
    memcpy(record->name, name, EVN__LAYER_NAME);
    ++r->count;
    return EVN_OK;
}

/// Let the layer's weights be functions of t where it, or the ODE, says so.
static evn_status expand(evn__layering *at, const evn__layer *layer) {
    evn__evolves evolves;
    if (!at->expansions) {
        return EVN_OK;
    }
    EVN_TRY(
        evn__evolves_read(layer->evolve ? layer->evolve : at->evolve, at->fit_evolve, &evolves));
    return evn__network_expand(&at->network, at->expansions,
                               evolves.kind ? evolves.kind->basis : NULL, evolves.count);
}

static evn_value build_layer(evn__layering *at, const evn__layer *layer, evn_value x) {
    char name[EVN__LAYER_NAME];
    int index = 0, first = at->network.graph->node_count;
    int64_t before = evn_parameters_scalar_count(at->network.parameters);
    if (!fits(at, layer, x)) {
        return EVN_NONE;
    }
    evn_status status = name_layer(at, layer, name);
    status = status == EVN_OK ? begin_record(at, layer, name, x, &index) : status;
    status = status == EVN_OK && name[0] ? expand(at, layer) : status;
    if (status != EVN_OK) {
        return stick(at, layer->path, status);
    }
    bool expanded = name[0] && at->network.expansion;
    ++at->depth;
    x = layer->kind->build(at, layer, name, x);
    --at->depth;
    evn__layer_record *record = &at->records->items[index]; // which layers inside may have moved
    record->expanded = expanded;
    record->to = evn_value_shape(at->network.graph, x);
    record->parameters = evn_parameters_scalar_count(at->network.parameters) - before;
    record->products = count_products(at->network.graph, first);
    return x;
}

evn_value evn__layering_add(evn__layering *at, const evn__layer_list *list, evn_value x) {
    for (int i = 0; i < list->count && x != EVN_NONE; ++i) {
        const evn__layer *layer = &list->items[i];
        x = build_layer(at, layer, x);
        snprintf(at->giver_text, sizeof(at->giver_text), "%s (%s)", layer->path, layer->kind->name);
        at->giver = at->giver_text;
    }
    return x;
}
