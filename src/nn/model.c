// SPDX-License-Identifier: Apache-2.0
#include "evonode/model.h"

#include "graph/node.h"
#include "nn/block.h"
#include "nn/evolving.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_IMAGE = 16, LARGE_STATE = 11, DOWN_SAMPLINGS_MAX = 8, SCOPE = 48 };

/// A stage that is owned: one of the two.
typedef struct stage {
    evn_graph *graph;
    evn_dynamics *dynamics;
} stage;

struct evn_model {
    evn_model_options options;
    evn_network *network;
    evn_parameters *parameters;
    stage *stages;
    int stage_count;
    evn_graph *head;
    evn__layer_records records;
    evn__evolvings evolvings;
};

// Options -----------------------------------------------------------------------------------------

/// The side of the state that a stem makes of a side of the images.
static int64_t state_side(int64_t side, int down_samplings) {
    side -= down_samplings > 1 ? 2 : 0;
    for (int i = 0; i < down_samplings; ++i) {
        side /= 2;
    }
    return side;
}

static int choose_down_samplings(int64_t side) {
    int count = side < SMALL_IMAGE ? 1 : 2;
    while (count > 1 && count < DOWN_SAMPLINGS_MAX && state_side(side, count) > LARGE_STATE) {
        ++count;
    }
    return count;
}

evn_model_options evn_model_options_default(int64_t height, int64_t width, int64_t channels,
                                            int classes) {
    int64_t side = height < width ? height : width;
    return (evn_model_options){.kind = EVN_MODEL_NODE_EW,
                               .weights = "rda",
                               .height = height,
                               .width = width,
                               .channels = channels,
                               .classes = classes,
                               .filters = side < SMALL_IMAGE ? 32 : 64,
                               .down_samplings = choose_down_samplings(side),
                               .layers = 10,
                               .batch = 128};
}

static evn_status check_numbers(const evn_model_options *o) {
    EVN_CHECK(o->kind == EVN_MODEL_RESNET || o->kind == EVN_MODEL_NODE ||
                  o->kind == EVN_MODEL_NODE_EW,
              EVN_ERR_ARGUMENT, "no kind of model is %d", (int)o->kind);
    EVN_CHECK(o->batch >= 1 && o->filters >= 1 && o->classes >= 2 && o->layers >= 1,
              EVN_ERR_ARGUMENT,
              "a model needs a batch, filters and layers of at least 1, and 2 classes; given "
              "%lld, %d, %d, %d",
              (long long)o->batch, o->filters, o->layers, o->classes);
    EVN_CHECK(o->down_samplings >= 1 && o->down_samplings <= DOWN_SAMPLINGS_MAX, EVN_ERR_ARGUMENT,
              "a stem of %d down-samplings; give 1 to %d", o->down_samplings, DOWN_SAMPLINGS_MAX);
    return EVN_OK;
}

/// Of the shipped networks, whose stems are alike.
static evn_status check_size(const evn_model_options *o) {
    int64_t side = o->height < o->width ? o->height : o->width;
    int least = (2 << o->down_samplings) + (o->down_samplings > 1 ? 2 : 0);
    EVN_CHECK(side >= least, EVN_ERR_SHAPE,
              "images of %lld×%lld are too small for the stem, which takes %d×%d with "
              "down_samplings = %d",
              (long long)o->height, (long long)o->width, least, least, o->down_samplings);
    return EVN_OK;
}

// Building ----------------------------------------------------------------------------------------

/// A model in the making: layers go on `graph` until an ODE or the head takes x.
typedef struct maker {
    evn_model *model;
    evn__layering at;
    evn__fit fit;
    evn_value x;
    evn_shape shape; ///< of x
    int odes;
} maker;

static evn_status push(evn_model *model, stage **made) {
    stage *grown = realloc(model->stages, (size_t)(model->stage_count + 1) * sizeof(*grown));
    EVN_CHECK(grown, EVN_ERR_MEMORY, "no memory for a stage of the model");
    model->stages = grown;
    *made = &grown[model->stage_count++];
    **made = (stage){0};
    return EVN_OK;
}

/// Where layers go: the graph of the last stage, or a new stage behind an ODE.
static evn_status open_graph(maker *m) {
    stage *made;
    if (m->at.network.graph) {
        return EVN_OK;
    }
    EVN_TRY(push(m->model, &made));
    EVN_TRY(evn_graph_create(&made->graph));
    m->at.network.graph = made->graph;
    m->x = evn_input(made->graph, m->model->stage_count == 1 ? "images" : "x", m->shape);
    return evn_graph_status(made->graph);
}

static evn_status close_graph(maker *m) {
    evn_graph *graph = m->at.network.graph;
    m->at.network.graph = NULL;
    if (graph) {
        evn_output(graph, "x", m->x);
        EVN_TRY(evn_graph_status(graph));
        m->shape = evn_value_shape(graph, m->x);
    }
    return EVN_OK;
}

static evn_status add_layers(maker *m, const char *scope, const evn__layer_list *list) {
    EVN_TRY(open_graph(m));
    evn__layering_scope(&m->at, scope);
    m->x = evn__layering_add(&m->at, list, m->x);
    return evn_graph_status(m->at.network.graph);
}

static evn_status add_repeated(maker *m, const evn__block *block) {
    char scope[SCOPE];
    int64_t times = block->repeat == EVN__LAYER_FIT ? m->model->options.layers : block->repeat;
    if (times == EVN__LAYER_UNSET) {
        return add_layers(m, block->name, &block->layers);
    }
    for (int64_t i = 0; i < times; ++i) {
        snprintf(scope, sizeof(scope), "%s%lld", block->name, (long long)i + 1);
        EVN_TRY(add_layers(m, scope, &block->layers));
    }
    return EVN_OK;
}

/// The scopes of an only ODE are f and g, of several f1, g1, …
static void name_ode(const maker *m, char letter, char scope[SCOPE]) {
    snprintf(scope, SCOPE, "%c", letter);
    if (m->model->network->ode_count > 1) {
        snprintf(scope, SCOPE, "%c%d", letter, m->odes);
    }
}

static evn_status add_ode(maker *m, const evn__block *block) {
    char f[SCOPE], g[SCOPE];
    stage *made;
    EVN_TRY(m->model->stage_count == 0 ? open_graph(m) : EVN_OK);
    EVN_TRY(close_graph(m));
    EVN_CHECK(m->shape.rank == 2 || m->shape.rank == 4, EVN_ERR_SHAPE, "a state of rank %d",
              m->shape.rank);
    ++m->odes;
    name_ode(m, 'f', f);
    name_ode(m, 'g', g);
    const evn__ode_site site = {.of = m->model->network,
                                .block = block,
                                .parameters = m->model->parameters,
                                .f = f,
                                .g = g,
                                .evolve = m->model->options.weights,
                                .fit = &m->fit,
                                .giver = m->at.giver,
                                .records = &m->model->records};
    EVN_TRY(push(m->model, &made));
    EVN_TRY(evn__ode_dynamics(&site, m->shape, &m->model->evolvings, &made->dynamics));
    snprintf(m->at.giver_text, sizeof(m->at.giver_text), "the ODE of %s", block->path);
    m->at.giver = m->at.giver_text;
    return EVN_OK;
}

// The head ----------------------------------------------------------------------------------------

static evn_status check_logits(const maker *m, evn_shape logits) {
    char have[128], want[128];
    const evn_model_options *o = &m->model->options;
    if (evn_shape_equal(logits, EVN_SHAPE(o->batch, o->classes))) {
        return EVN_OK;
    }
    evn__fail(__FILE__, __LINE__, EVN_ERR_SHAPE,
              "%s gives %s, but a head gives a number for each class, %s; end it with {\"layer\": "
              "\"dense\", \"units\": \"classes\"}",
              m->at.giver, evn__shape_text(logits, have),
              evn__shape_text(EVN_SHAPE(o->batch, o->classes), want));
    return evn__network_place(m->model->network, "head", EVN_ERR_SHAPE);
}

static evn_status add_head(maker *m) {
    EVN_TRY(evn_graph_create(&m->model->head));
    evn_graph *g = m->model->head;
    int64_t batch = m->model->options.batch;
    evn_value x = evn_input(g, "x", m->shape);
    evn_value labels = evn_input(g, "labels", EVN_SHAPE(batch, m->model->options.classes));
    evn_value weights = evn_input(g, "sample_weights", EVN_SHAPE(batch));
    m->at.network.graph = g;
    evn__layering_scope(&m->at, "head");
    evn_value logits = evn__layering_add(&m->at, &m->model->network->head, x);
    EVN_TRY(evn_graph_status(g));
    EVN_TRY(check_logits(m, evn_value_shape(g, logits)));
    evn_output(g, "loss", evn__loss_cross_entropy(g, logits, labels, weights));
    evn_output(g, "logits", logits);
    return evn_graph_status(g);
}

static evn_status add_all(maker *m) {
    const evn_network *network = m->model->network;
    if (network->stem.count > 0) {
        EVN_TRY(add_layers(m, "stem", &network->stem));
    }
    for (int i = 0; i < network->block_count; ++i) {
        const evn__block *block = &network->blocks[i];
        EVN_TRY(block->is_ode ? add_ode(m, block) : add_repeated(m, block));
    }
    EVN_TRY(close_graph(m));
    return add_head(m);
}

// Life --------------------------------------------------------------------------------------------

/// The model's own copy of its network.
static evn_status take_network(evn_model *model) {
    static const char *const kinds[] = {"resnet", "node", "node-ew"};
    const evn_network *given = model->options.network;
    if (!given) {
        EVN_TRY(check_size(&model->options));
        return evn_network_shipped(kinds[model->options.kind], &model->network);
    }
    EVN_TRY(evn_network_parse(given->text, given->name, &model->network));
    model->options.network = model->network;
    return EVN_OK;
}

static evn_status make(evn_model *model) {
    const evn_model_options *o = &model->options;
    EVN_TRY(check_numbers(o));
    EVN_TRY(take_network(model));
    EVN_TRY(evn_parameters_create(&model->parameters));
    maker m = {.model = model,
               .fit = {.filters = o->filters,
                       .padding = o->down_samplings > 1 ? 0 : 1,
                       .times = o->down_samplings,
                       .classes = o->classes},
               .shape = EVN_SHAPE(o->batch, o->height, o->width, o->channels)};
    m.at = (evn__layering){.network = {NULL, model->parameters, "stem", NULL},
                           .of = model->network,
                           .t = EVN_NONE,
                           .fit = &m.fit,
                           .records = &model->records,
                           .giver = "what the images are"};
    return add_all(&m);
}

evn_status evn_model_create(const evn_model_options *options, evn_model **model) {
    EVN_REQUIRE(model);
    *model = NULL;
    EVN_REQUIRE(options);
    EVN_TRY(EVN_NEW(model, 1));
    (*model)->options = *options;
    evn_status status = make(*model);
    if (status != EVN_OK) {
        evn_model_destroy(model);
    }
    return status;
}

void evn_model_destroy(evn_model **model) {
    if (!model || !*model) {
        return;
    }
    evn_model *m = *model;
    for (int i = 0; i < m->stage_count; ++i) {
        evn_graph_destroy(&m->stages[i].graph);
        evn_dynamics_destroy(&m->stages[i].dynamics);
    }
    free(m->stages);
    evn_graph_destroy(&m->head);
    evn_network_destroy(&m->network);
    evn_parameters_destroy(&m->parameters);
    evn__layer_records_free(&m->records);
    evn__evolvings_free(&m->evolvings);
    free(m);
    *model = NULL;
}

// Parts -------------------------------------------------------------------------------------------

evn_parameters *evn_model_parameters(const evn_model *model) {
    return model ? model->parameters : NULL;
}

const evn_model_options *evn_model_get_options(const evn_model *model) {
    return model ? &model->options : NULL;
}

const evn_network *evn_model_network(const evn_model *model) {
    return model ? model->network : NULL;
}

int evn_model_stage_count(const evn_model *model) {
    return model ? model->stage_count : 0;
}

evn_stage evn_model_stage(const evn_model *model, int index) {
    if (!model || index < 0 || index >= model->stage_count) {
        return (evn_stage){0};
    }
    return (evn_stage){model->stages[index].graph, model->stages[index].dynamics};
}

const evn_graph *evn_model_stem(const evn_model *model) {
    return evn_model_stage(model, 0).graph;
}

const evn_dynamics *evn_model_dynamics(const evn_model *model) {
    const evn_dynamics *found = NULL;
    for (int i = 0; i < evn_model_stage_count(model) && !found; ++i) {
        found = model->stages[i].dynamics;
    }
    return found;
}

const evn_graph *evn_model_head(const evn_model *model) {
    return model ? model->head : NULL;
}

const evn__layer_records *evn__model_records(const evn_model *model) {
    return &model->records;
}

int evn__evolving_count(const evn_model *model) {
    return model->evolvings.count;
}

const char *evn__evolving_weight(const evn_model *model, int index) {
    return model->evolvings.items[index].weight;
}

static evn_status build_evolving(const evn_model *model, const evn__evolving *kernel,
                                 evn_graph *g) {
    evn__network network = {g, model->parameters, kernel->scope, NULL};
    int index = evn_parameters_find(model->parameters, kernel->weight);
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    evn_value w = evn_input(g, "x", evn_parameters_shape(model->parameters, index));
    evn_output(g, "dx", kernel->slope(&network, kernel->layer, t, w));
    return evn_graph_status(g);
}

evn_status evn__evolving_dynamics(const evn_model *model, int index, evn_dynamics **dynamics) {
    evn_graph *g = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_status status = build_evolving(model, &model->evolvings.items[index], g);
    if (status == EVN_OK) {
        status = evn_dynamics_create(g, NULL, dynamics);
    }
    evn_graph_destroy(&g);
    return status;
}
