// SPDX-License-Identifier: Apache-2.0
#include "evonode/model.h"

#include "base/memory.h"
#include "nn/evolution.h"
#include "nn/evolving.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 32, SMALL_IMAGE = 16, LARGE_STATE = 11, DOWN_SAMPLINGS_MAX = 8 };

struct evn_model {
    evn_model_options options;
    evn_parameters *parameters;
    evn_graph *stem, *head;
    evn_dynamics *dynamics;
};

const char *evn_evolution_name(int index) {
    const evn__evolution_kind *kind = evn__evolution_at(index);
    return kind ? kind->name : NULL;
}

const char *evn_evolution_text(int index) {
    const evn__evolution_kind *kind = evn__evolution_at(index);
    return kind ? kind->text : NULL;
}

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

/// f: GroupNorm, ReLU, convolution, twice, then GroupNorm; t is EVN_NONE for a ResNet.
static evn_value build_f(evn__network *network, evn_value x, evn_value t) {
    static const char *const norms[] = {"norm1", "norm2"}, *const convs[] = {"conv1", "conv2"};
    evn_conv2d_options same = {.stride = 1, .padding = 1};
    evn_shape shape = evn_value_shape(network->graph, x);
    int filters = shape.rank == 4 ? (int)shape.dim[3] : 1; // another rank is a failure already
    for (int i = 0; i < 2; ++i) {
        x = evn_relu(network->graph, evn__layer_group_norm(network, norms[i], x, GROUPS));
        x = t == EVN_NONE ? evn__layer_conv2d(network, convs[i], x, filters, 3, same)
                          : evn__layer_conv2d_time(network, convs[i], x, t, filters, 3, same);
    }
    return evn__layer_group_norm(network, "norm3", x, GROUPS);
}

// Stem: Chen et al. 2018's for images of 28×28; larger ones are halved more often, small ones less

static evn_value down(evn__network *network, const char *norm, const char *conv, evn_value x,
                      int filters) {
    evn_conv2d_options half = {.stride = 2, .padding = 1};
    x = evn_relu(network->graph, evn__layer_group_norm(network, norm, x, GROUPS));
    return evn__layer_conv2d(network, conv, x, filters, 4, half);
}

static evn_value build_stem(evn_model *model, evn__network *network) {
    const evn_model_options *o = &model->options;
    evn_conv2d_options first = {.stride = 1, .padding = o->down_samplings > 1 ? 0 : 1};
    evn_value x =
        evn_input(network->graph, "images", EVN_SHAPE(o->batch, o->height, o->width, o->channels));
    x = evn__layer_conv2d(network, "conv1", x, o->filters, 3, first);
    for (int i = 1; i <= o->down_samplings; ++i) {
        char norm[16], conv[16];
        snprintf(norm, sizeof(norm), "norm%d", i);
        snprintf(conv, sizeof(conv), "conv%d", i + 1);
        x = down(network, norm, conv, x, o->filters);
    }
    return x;
}

static evn_value build_layers(evn_model *model, evn__network *network, evn_value x) {
    for (int k = 0; k < model->options.layers; ++k) {
        char scope[32];
        snprintf(scope, sizeof(scope), "layer%d", k + 1);
        evn__network layer = {network->graph, network->parameters, scope};
        x = evn_add(network->graph, x, build_f(&layer, x, EVN_NONE));
    }
    return x;
}

static evn_status make_stem(evn_model *model, evn_shape *state) {
    EVN_TRY(evn_graph_create(&model->stem));
    evn__network network = {model->stem, model->parameters, "stem"};
    evn_value x = build_stem(model, &network);
    if (model->options.kind == EVN_MODEL_RESNET) {
        x = build_layers(model, &network, x);
    }
    evn_output(model->stem, "x", x);
    *state = evn_value_shape(model->stem, x);
    return evn_graph_status(model->stem);
}

// Dynamics ----------------------------------------------------------------------------------------

static evn_status make_f(evn_model *model, evn_shape state, evn_graph *f) {
    evn__network network = {f, model->parameters, "f"};
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", state);
    evn_output(f, "dx", build_f(&network, x, t));
    return evn_graph_status(f);
}

const char *evn__evolving_layer(int index) {
    static const char *const layers[] = {"conv1", "conv2", NULL};
    return layers[index];
}

/// g gets a weight of f, and gives its slope.
static void add_evolving(evn__network *network, const evn_graph *f, const char *layer,
                         const char *weight, evn_value t, evn__evolution *slope) {
    evn_graph *g = network->graph;
    char name[96];
    int index = evn_graph_find_input(f, weight);
    evn_value w = evn_input(g, weight, evn_value_shape(f, evn_graph_input(f, index)));
    snprintf(name, sizeof(name), "d%s", weight);
    evn_output(g, name, slope(network, layer, t, w));
}

/// g moves the kernels of f's convolutions and, with some kinds, its scales, shifts and biases.
static evn_status make_g(evn_model *model, const evn_graph *f, const evn__evolution_kind *kind,
                         evn_graph *g) {
    evn__network network = {g, model->parameters, "g"};
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    for (int i = 0; evn__evolving_layer(i); ++i) {
        const char *layer = evn__evolving_layer(i);
        char weight[64];
        snprintf(weight, sizeof(weight), "f.%s.weight", layer);
        add_evolving(&network, f, layer, weight, t, kind->slope);
    }
    for (int i = 0; kind->vectors_slope && i < evn_graph_input_count(f); ++i) {
        const char *weight = evn_graph_input_name(f, i);
        if (evn_value_shape(f, evn_graph_input(f, i)).rank == 1) {
            add_evolving(&network, f, weight + strlen("f."), weight, t, kind->vectors_slope);
        }
    }
    return evn_graph_status(g);
}

/// All names, with commas between them.
static void list_kinds(evn__text *text) {
    for (int i = 0; evn_evolution_name(i); ++i) {
        evn__text_append(text, "%s%s", i ? ", " : "", evn_evolution_name(i));
    }
}

static evn_status fail_unknown(const char *name, const char *names) {
    EVN_FAIL(EVN_ERR_ARGUMENT, "no kind of weight evolution is named '%s': use one of %s", name,
             names);
}

static evn_status find_kind(const evn_model *model, const evn__evolution_kind **kind) {
    const char *name = model->options.weights ? model->options.weights : "";
    *kind = NULL;
    if (model->options.kind != EVN_MODEL_NODE_EW || (*kind = evn__evolution_find(name))) {
        return EVN_OK;
    }
    evn__text names = {0};
    list_kinds(&names);
    evn_status status = names.status == EVN_OK ? fail_unknown(name, names.data) : names.status;
    free(names.data);
    return status;
}

static evn_status make_dynamics(evn_model *model, evn_shape state) {
    const evn__evolution_kind *kind;
    evn_graph *f = NULL, *g = NULL;
    EVN_TRY(find_kind(model, &kind));
    EVN_TRY(evn_graph_create(&f));
    evn_status status = make_f(model, state, f);
    if (status == EVN_OK && kind) {
        status = evn_graph_create(&g);
        status = status == EVN_OK ? make_g(model, f, kind, g) : status;
    }
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, g, &model->dynamics);
    }
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    return status;
}

static evn_status build_evolving(const evn_model *model, const evn__evolution_kind *kind,
                                 const char *layer, evn_graph *g) {
    char name[64];
    evn__network network = {g, model->parameters, "g"};
    snprintf(name, sizeof(name), "f.%s.weight", layer);
    evn_shape shape =
        evn_parameters_shape(model->parameters, evn_parameters_find(model->parameters, name));
    evn_value t = evn_input(g, "t", EVN_SCALAR), w = evn_input(g, "x", shape);
    evn_output(g, "dx", kind->slope(&network, layer, t, w));
    return evn_graph_status(g);
}

evn_status evn__evolving_dynamics(const evn_model *model, const char *layer,
                                  evn_dynamics **dynamics) {
    const evn__evolution_kind *kind;
    evn_graph *g = NULL;
    EVN_TRY(find_kind(model, &kind));
    EVN_CHECK(kind, EVN_ERR_ARGUMENT, "the weights of this model do not evolve");
    EVN_TRY(evn_graph_create(&g));
    evn_status status = build_evolving(model, kind, layer, g);
    if (status == EVN_OK) {
        status = evn_dynamics_create(g, NULL, dynamics);
    }
    evn_graph_destroy(&g);
    return status;
}

static evn_status make_head(evn_model *model, evn_shape state) {
    EVN_TRY(evn_graph_create(&model->head));
    evn_graph *g = model->head;
    evn__network network = {g, model->parameters, "head"};
    int64_t batch = model->options.batch;
    evn_value x = evn_input(g, "x", state);
    evn_value labels = evn_input(g, "labels", EVN_SHAPE(batch, model->options.classes));
    evn_value weights = evn_input(g, "sample_weights", EVN_SHAPE(batch));
    x = evn_relu(g, evn__layer_group_norm(&network, "norm", x, GROUPS));
    x = evn_mean(g, x, 1u << 1 | 1u << 2);
    x = evn_reshape(g, x, EVN_SHAPE(batch, state.dim[3]));
    evn_value logits = evn__layer_dense(&network, "dense", x, model->options.classes);
    evn_output(g, "loss", evn__loss_cross_entropy(g, logits, labels, weights));
    evn_output(g, "logits", logits);
    return evn_graph_status(g);
}

static evn_status make(evn_model *model) {
    const evn_model_options *o = &model->options;
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
    int64_t side = o->height < o->width ? o->height : o->width;
    int least = (2 << o->down_samplings) + (o->down_samplings > 1 ? 2 : 0);
    EVN_CHECK(side >= least, EVN_ERR_SHAPE,
              "images of %lld×%lld are too small for the stem, which takes %d×%d with "
              "down_samplings = %d",
              (long long)o->height, (long long)o->width, least, least, o->down_samplings);
    evn_shape state;
    EVN_TRY(evn_parameters_create(&model->parameters));
    EVN_TRY(make_stem(model, &state));
    if (o->kind != EVN_MODEL_RESNET) {
        EVN_TRY(make_dynamics(model, state));
    }
    return make_head(model, state);
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
    if (model && *model) {
        evn_graph_destroy(&(*model)->stem);
        evn_graph_destroy(&(*model)->head);
        evn_dynamics_destroy(&(*model)->dynamics);
        evn_parameters_destroy(&(*model)->parameters);
        free(*model);
        *model = NULL;
    }
}

evn_parameters *evn_model_parameters(const evn_model *model) {
    return model ? model->parameters : NULL;
}

const evn_model_options *evn_model_get_options(const evn_model *model) {
    return model ? &model->options : NULL;
}

int evn_model_stage_count(const evn_model *model) {
    return !model ? 0 : model->dynamics ? 2 : 1;
}

evn_stage evn_model_stage(const evn_model *model, int index) {
    if (!model || index < 0 || index >= evn_model_stage_count(model)) {
        return (evn_stage){0};
    }
    return index == 0 ? (evn_stage){.graph = model->stem}
                      : (evn_stage){.dynamics = model->dynamics};
}

const evn_graph *evn_model_stem(const evn_model *model) {
    return model ? model->stem : NULL;
}

const evn_dynamics *evn_model_dynamics(const evn_model *model) {
    return model ? model->dynamics : NULL;
}

const evn_graph *evn_model_head(const evn_model *model) {
    return model ? model->head : NULL;
}
