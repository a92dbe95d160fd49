// SPDX-License-Identifier: Apache-2.0
#include "nn/block.h"

#include "evonode/model.h"
#include "graph/node.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void evn__evolvings_free(evn__evolvings *evolvings) {
    free(evolvings->items);
    evn__arena_free(&evolvings->arena);
    *evolvings = (evn__evolvings){0};
}

// f -----------------------------------------------------------------------------------------------

static evn_status check_state(const evn__ode_site *site, evn_shape state, evn_shape slope,
                              const char *last) {
    char have[128], want[128];
    if (evn_shape_equal(state, slope)) {
        return EVN_OK;
    }
    evn__fail(__FILE__, __LINE__, EVN_ERR_SHAPE,
              "%s gives %s, but the state, from %s, is %s; f must keep the state's shape", last,
              evn__shape_text(slope, have), site->giver, evn__shape_text(state, want));
    return evn__network_place(site->of, site->block->path, EVN_ERR_SHAPE);
}

static evn_status build_f(const evn__ode_site *site, evn_shape state, evn_graph *f) {
    evn__expansions expansions = {0};
    evn__layering at = {.network = {f, site->parameters, site->f, NULL},
                        .of = site->of,
                        .fit = site->fit,
                        .evolve = site->block->evolve,
                        .fit_evolve = site->evolve,
                        .expansions = &expansions,
                        .records = site->records,
                        .giver = site->giver};
    at.t = expansions.t = evn_input(f, "t", EVN_SCALAR);
    at.state = state.dim[state.rank - 1];
    evn_value x = evn_input(f, "x", state);
    evn_value slope = evn__layering_add(&at, &site->block->layers, x);
    EVN_TRY(evn_graph_status(f));
    EVN_TRY(check_state(site, state, evn_value_shape(f, slope), at.giver));
    evn_output(f, "dx", slope);
    return evn_graph_status(f);
}

evn_status evn__ode_f(const evn__ode_site *site, evn_shape state, evn_graph **f) {
    evn__evolves wanted;
    EVN_TRY(evn__evolves_read(site->block->evolve, site->evolve, &wanted));
    EVN_TRY(evn_graph_create(f));
    return build_f(site, state, *f);
}

// Which weights evolve ----------------------------------------------------------------------------

static evn_status layer_evolves(const evn__ode_site *site, const evn__layer *layer,
                                evn__evolves *evolves) {
    return evn__evolves_read(layer->evolve ? layer->evolve : site->block->evolve, site->evolve,
                             evolves);
}

/// g gets a weight of f, and gives its slope; a matrix is a kernel of one place.
static void add_slope(evn__network *network, const evn_graph *f, int input, const char *layer,
                      evn_value t, evn__evolution *slope) {
    char name[EVN_MAX_NAME + 1];
    const char *weight = evn_graph_input_name(f, input);
    evn_shape shape = evn_value_shape(f, evn_graph_input(f, input));
    evn_value w = evn_input(network->graph, weight, shape);
    snprintf(name, sizeof(name), "d%s", weight);
    if (shape.rank == 2) {
        w = evn_reshape(network->graph, w, EVN_SHAPE(1, 1, shape.dim[0], shape.dim[1]));
        w = evn_reshape(network->graph, slope(network, layer, t, w), shape);
    } else {
        w = slope(network, layer, t, w);
    }
    evn_output(network->graph, name, w);
}

static evn_status keep(const evn__ode_site *site, const char *weight, const char *layer,
                       evn__evolution *slope, evn__evolvings *e) {
    EVN_TRY(EVN_RESERVE(e->items, e->capacity, e->count + 1));
    evn__evolving *item = &e->items[e->count];
    *item =
        (evn__evolving){evn__arena_string(&e->arena, weight), evn__arena_string(&e->arena, layer),
                        evn__arena_string(&e->arena, site->g), slope};
    EVN_CHECK(item->weight && item->layer && item->scope, EVN_ERR_MEMORY,
              "no memory for the names of weights");
    ++e->count;
    return EVN_OK;
}

/// The weights that move, in the making of g.
typedef struct mover {
    const evn__ode_site *site;
    const evn_graph *f;
    evn__network g;
    evn_value t;
    evn__evolvings *evolvings;
} mover;

static evn_status move_kernel(mover *m, const evn__layer_record *record,
                              const evn__evolution_kind *kind) {
    char weight[EVN_MAX_NAME];
    snprintf(weight, sizeof(weight), "%s.%s.weight", record->scope, record->name);
    int input = evn_graph_find_input(m->f, weight);
    if (input < 0) {
        return EVN_OK; // it has scales and shifts alone
    }
    int rank = evn_value_shape(m->f, evn_graph_input(m->f, input)).rank;
    add_slope(&m->g, m->f, input, record->name, m->t, kind->slope);
    return rank == 4 ? keep(m->site, weight, record->name, kind->slope, m->evolvings) : EVN_OK;
}

/// What moves a layer's scale, shift or bias: with a norm, which has nothing else, a kind that it
/// names itself does in any case.
static evn__evolution *vector_slope(const evn__layer_record *record,
                                    const evn__evolution_kind *kind) {
    bool own = record->layer->evolve && strcmp(record->layer->kind->weights, "norm") == 0;
    return kind->vectors_slope ? kind->vectors_slope : own && kind->vectors ? kind->slope : NULL;
}

static void move_vectors(mover *m, const evn__layer_record *record, evn__evolution *slope) {
    char prefix[EVN_MAX_NAME];
    snprintf(prefix, sizeof(prefix), "%s.%s.", record->scope, record->name);
    for (int i = 0; i < evn_graph_input_count(m->f); ++i) {
        const char *weight = evn_graph_input_name(m->f, i);
        if (evn_value_shape(m->f, evn_graph_input(m->f, i)).rank == 1 &&
            strncmp(weight, prefix, strlen(prefix)) == 0) {
            add_slope(&m->g, m->f, i, weight + strlen(record->scope) + 1, m->t, slope);
        }
    }
}

/// The kernels of all layers, then their vectors.
static evn_status build_g(mover *m, int first) {
    const evn__layer_records *records = m->site->records;
    m->t = evn_input(m->g.graph, "t", EVN_SCALAR);
    for (int i = first; i < records->count; ++i) {
        const evn__layer_record *record = &records->items[i];
        evn__evolves e = {0};
        EVN_TRY(record->name[0] ? layer_evolves(m->site, record->layer, &e) : EVN_OK);
        EVN_TRY(e.kind && e.kind->slope ? move_kernel(m, record, e.kind) : EVN_OK);
    }
    for (int i = first; i < records->count; ++i) {
        const evn__layer_record *record = &records->items[i];
        evn__evolves e = {0};
        EVN_TRY(record->name[0] ? layer_evolves(m->site, record->layer, &e) : EVN_OK);
        evn__evolution *slope = e.kind ? vector_slope(record, e.kind) : NULL;
        if (slope) {
            move_vectors(m, record, slope);
        }
    }
    return evn_graph_status(m->g.graph);
}

/// Whether there are weights that, as is wanted, are functions of t, or constants.
static bool has_others(const evn__ode_site *site, int first, const evn__evolves *wanted) {
    bool has = false;
    for (int i = first; i < site->records->count; ++i) {
        has = has || site->records->items[i].name[0];
    }
    return has && !wanted->kind->slope;
}

static evn_status join(const evn__ode_site *site, int first, const evn_graph *f,
                       evn__evolvings *evolvings, evn_dynamics **dynamics) {
    evn_graph *g = NULL;
    evn__evolves wanted;
    EVN_TRY(evn__evolves_read(site->block->evolve, site->evolve, &wanted));
    EVN_TRY(evn_graph_create(&g));
    mover m = {site, f, {g, site->parameters, site->g, NULL}, EVN_NONE, evolvings};
    evn_status status = build_g(&m, first);
    bool moves = status == EVN_OK && evn_graph_output_count(g) > 0;
    if (status == EVN_OK && wanted.kind && !moves && !has_others(site, first, &wanted)) {
        evn__fail(__FILE__, __LINE__, EVN_ERR_SHAPE,
                  "no layer has weights that evolve by %s; leave \"evolve\" out, or take waves",
                  wanted.kind->name);
        status = evn__network_place(site->of, site->block->path, EVN_ERR_SHAPE);
    }
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, moves ? g : NULL, dynamics);
    }
    evn_graph_destroy(&g);
    return status;
}

evn_status evn__ode_dynamics(const evn__ode_site *site, evn_shape state, evn__evolvings *evolvings,
                             evn_dynamics **dynamics) {
    evn_graph *f = NULL;
    int first = site->records->count;
    evn_status status = evn__ode_f(site, state, &f);
    if (status == EVN_OK) {
        status = join(site, first, f, evolvings, dynamics);
    }
    evn_graph_destroy(&f);
    return status;
}

// For programs without a model --------------------------------------------------------------------

static const evn__block *first_ode(const evn_network *network) {
    for (int i = 0; i < network->block_count; ++i) {
        if (network->blocks[i].is_ode) {
            return &network->blocks[i];
        }
    }
    return NULL;
}

evn_status evn_network_dynamics(const evn_network *network, evn_shape state,
                                evn_parameters *parameters, evn_dynamics **dynamics) {
    EVN_REQUIRE(dynamics);
    *dynamics = NULL;
    EVN_REQUIRE(network);
    EVN_REQUIRE(parameters);
    evn__layer_records records = {0};
    evn__evolvings evolvings = {0};
    evn__ode_site site = {.of = network,
                          .block = first_ode(network),
                          .parameters = parameters,
                          .f = "f",
                          .g = "g",
                          .giver = "the state",
                          .records = &records};
    EVN_CHECK(site.block, EVN_ERR_ARGUMENT, "%s: the network has no block with an \"ode\"",
              network->name);
    EVN_CHECK(state.rank >= 2 && evn_shape_count(state) > 0, EVN_ERR_SHAPE,
              "a state of rank %d; layers take [B, D] or [B, H, W, C]", state.rank);
    evn_status status = evn__ode_dynamics(&site, state, &evolvings, dynamics);
    evn__layer_records_free(&records);
    evn__evolvings_free(&evolvings);
    return status;
}

evn_value evn_layers(evn_graph *graph, evn_parameters *parameters, const char *scope,
                     const char *json, evn_value x, evn_value t) {
    evn__layer_records records = {0};
    evn_network *list = NULL;
    if (!parameters || !scope || !evn__graph_has(graph, x) ||
        (t != EVN_NONE && (!evn__graph_has(graph, t) || evn_value_shape(graph, t).rank != 0))) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT,
                               "layers: parameters or scope is NULL, x is not a value of this "
                               "graph, or t not a scalar of it");
    }
    evn_status status = evn__network_parse_list(json, "layers", &list);
    if (status != EVN_OK) {
        return evn__graph_fail(graph, status, "%s", evn_error_message());
    }
    evn__layering at = {.network = {graph, parameters, scope, NULL},
                        .of = list,
                        .t = t,
                        .records = &records,
                        .giver = "x"};
    x = evn__layering_add(&at, &list->stem, x);
    evn__layer_records_free(&records);
    evn_network_destroy(&list);
    return x;
}
