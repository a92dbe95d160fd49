// SPDX-License-Identifier: Apache-2.0
#include "nn/layer.h"

#include "base/status.h"
#include "evonode/network.h"
#include "graph/node.h"
#include "nn/activation.h"
#include "nn/layering.h"
#include <stdio.h>
#include <string.h>

static evn_graph *graph_of(const evn__layering *at) {
    return at->network.graph;
}

static evn_shape shape_of(const evn__layering *at, evn_value x) {
    return evn_value_shape(at->network.graph, x);
}

// Products ----------------------------------------------------------------------------------------

enum { UNITS, UNITS_TIME };

static evn_value build_dense(evn__layering *at, const evn__layer *layer, const char *name,
                             evn_value x) {
    int64_t units = layer->values[UNITS] == EVN__LAYER_FIT     ? at->fit->classes
                    : layer->values[UNITS] == EVN__LAYER_STATE ? at->state
                                                               : layer->values[UNITS];
    return layer->values[UNITS_TIME]
               ? evn__layer_dense_time(&at->network, name, x, at->t, (int)units)
               : evn__layer_dense(&at->network, name, x, (int)units);
}

static const evn__layer_key dense_keys[] = {
    {"units", "features of the result", EVN__KEY_NUMBER, 1, 1 << 20, EVN__LAYER_UNSET, NULL,
     "classes", true},
    {"time", "t is one more input", EVN__KEY_FLAG, 0, 1, 0, NULL, NULL, false},
    {0}};

enum { FILTERS, SIZE, STRIDE, PADDING, CONV_TIME };

/// As many channels as x has, where nothing is said.
static int64_t filters(const evn__layering *at, const evn__layer *layer, evn_shape from) {
    int64_t value = layer->values[FILTERS];
    return value == EVN__LAYER_FIT     ? at->fit->filters
           : value == EVN__LAYER_STATE ? at->state
           : value == EVN__LAYER_UNSET ? from.dim[3]
                                       : value;
}

static int64_t padding(const evn__layering *at, const evn__layer *layer) {
    int64_t value = layer->values[PADDING];
    return value == EVN__LAYER_FIT     ? at->fit->padding
           : value == EVN__LAYER_UNSET ? (layer->values[SIZE] - 1) / 2
                                       : value;
}

static evn_value build_conv(evn__layering *at, const evn__layer *layer, const char *name,
                            evn_value x) {
    evn_shape from = shape_of(at, x);
    int size = (int)layer->values[SIZE], channels = (int)filters(at, layer, from);
    evn_conv2d_options options = {.stride = (int)layer->values[STRIDE],
                                  .padding = (int)padding(at, layer)};
    if (from.dim[1] + 2 * options.padding < size || from.dim[2] + 2 * options.padding < size) {
        return evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                                  "a convolution of size %d with padding %d does not fit on the "
                                  "%lld×%lld pixels that %s gives; halve less often before it, or "
                                  "take larger images",
                                  size, options.padding, (long long)from.dim[1],
                                  (long long)from.dim[2], at->giver);
    }
    return layer->values[CONV_TIME]
               ? evn__layer_conv2d_time(&at->network, name, x, at->t, channels, size, options)
               : evn__layer_conv2d(&at->network, name, x, channels, size, options);
}

static const evn__layer_key conv_keys[] = {
    {"filters", "channels of the result (left out: as many as before)", EVN__KEY_NUMBER, 1, 4096,
     EVN__LAYER_UNSET, NULL, "fit", true},
    {"size", "of the kernels, both ways", EVN__KEY_NUMBER, 1, 31, 3, NULL, NULL, false},
    {"stride", "pixels from one place to the next", EVN__KEY_NUMBER, 1, 31, 1, NULL, NULL, false},
    {"padding", "zeros around the images (left out: half of size - 1)", EVN__KEY_NUMBER, 0, 30,
     EVN__LAYER_UNSET, NULL, "fit", false},
    {"time", "t is one more channel", EVN__KEY_FLAG, 0, 1, 0, NULL, NULL, false}};

// Normalisation -----------------------------------------------------------------------------------

enum { OVER, GROUPS };
enum { OVER_GROUP, OVER_LAYER, OVER_BATCH };

static evn_value build_norm(evn__layering *at, const evn__layer *layer, const char *name,
                            evn_value x) {
    if (layer->values[OVER] == OVER_BATCH) {
        return evn__layer_batch_norm(&at->network, name, x);
    }
    int groups = layer->values[OVER] == OVER_LAYER ? 1 : (int)layer->values[GROUPS];
    return evn__layer_group_norm(&at->network, name, x, groups);
}

static const char *const norms[] = {"group", "layer", "batch", NULL};

static const evn__layer_key norm_keys[] = {
    {"over",
     "what has mean 0 and variance 1: a group of a sample's channels, all of a sample, or "
     "a channel over the batch",
     EVN__KEY_CHOICE, 0, 0, OVER_GROUP, norms, NULL, false},
    {"groups", "at most so many; fewer where they do not divide the channels", EVN__KEY_NUMBER, 1,
     4096, 32, NULL, NULL, false},
    {0}};

// Activations -------------------------------------------------------------------------------------

static evn_value build_activation(evn__layering *at, const evn__layer *layer, const char *name,
                                  evn_value x) {
    (void)name;
    return evn__activation_find(layer->kind->name)(graph_of(at), x);
}

// Shapes ------------------------------------------------------------------------------------------

enum { WINDOW, POOL_STRIDE };

static evn_value build_pool(evn__layering *at, const evn__layer *layer, evn_value x,
                            evn_value (*pool)(evn_graph *, evn_value, int, int)) {
    int window = (int)layer->values[WINDOW];
    int stride =
        layer->values[POOL_STRIDE] == EVN__LAYER_UNSET ? window : (int)layer->values[POOL_STRIDE];
    evn_shape from = shape_of(at, x);
    if (from.dim[1] < window || from.dim[2] < window) {
        return evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                                  "windows of size %d do not fit on the %lld×%lld pixels that %s "
                                  "gives; halve less often before it, or take larger images",
                                  window, (long long)from.dim[1], (long long)from.dim[2],
                                  at->giver);
    }
    return pool(graph_of(at), x, window, stride);
}

static evn_value build_mean_pool(evn__layering *at, const evn__layer *layer, const char *name,
                                 evn_value x) {
    (void)name;
    return build_pool(at, layer, x, evn_mean_pool2d);
}

static evn_value build_max_pool(evn__layering *at, const evn__layer *layer, const char *name,
                                evn_value x) {
    (void)name;
    return build_pool(at, layer, x, evn_max_pool2d);
}

static const evn__layer_key pool_keys[] = {
    {"size", "of the windows, both ways", EVN__KEY_NUMBER, 1, 4096, 2, NULL, NULL, false},
    {"stride", "pixels from one window to the next (left out: size)", EVN__KEY_NUMBER, 1, 4096,
     EVN__LAYER_UNSET, NULL, NULL, false},
    {0}};

static evn_value build_global_pool(evn__layering *at, const evn__layer *layer, const char *name,
                                   evn_value x) {
    (void)layer, (void)name;
    evn_shape from = shape_of(at, x);
    evn_value mean = evn_mean(graph_of(at), x, 1u << 1 | 1u << 2);
    return evn_reshape(graph_of(at), mean, EVN_SHAPE(from.dim[0], from.dim[3]));
}

static evn_value build_flatten(evn__layering *at, const evn__layer *layer, const char *name,
                               evn_value x) {
    (void)layer, (void)name;
    evn_shape from = shape_of(at, x);
    return evn_reshape(graph_of(at), x,
                       EVN_SHAPE(from.dim[0], evn_shape_count(from) / from.dim[0]));
}

static evn_value build_concat_time(evn__layering *at, const evn__layer *layer, const char *name,
                                   evn_value x) {
    (void)layer, (void)name;
    evn_graph *g = graph_of(at);
    evn_shape shape = shape_of(at, x);
    int last = shape.rank - 1;
    shape.dim[last] = 1;
    evn_value parts[] = {x, evn_broadcast(g, at->t, shape)};
    return evn_concat(g, parts, 2, last);
}

static const evn__layer_key zeros_keys[] = {{"channels", "how many, or features", EVN__KEY_NUMBER,
                                             1, 1 << 20, EVN__LAYER_UNSET, NULL, NULL, false},
                                            {0}};

static evn_value build_zeros(evn__layering *at, const evn__layer *layer, const char *name,
                             evn_value x) {
    (void)name;
    evn_shape shape = shape_of(at, x);
    const int64_t start[EVN_MAX_RANK] = {0};
    shape.dim[shape.rank - 1] += layer->values[0];
    return evn_pad(graph_of(at), x, start, shape);
}

// Lists -------------------------------------------------------------------------------------------

static evn_value build_residual(evn__layering *at, const evn__layer *layer, const char *name,
                                evn_value x) {
    (void)name;
    char giver[160], have[128], given[128];
    snprintf(giver, sizeof(giver), "%s", at->giver);
    evn_value inner = evn__layering_add(at, &layer->layers, x);
    if (inner == EVN_NONE) {
        return inner;
    }
    evn_shape before = shape_of(at, x), after = shape_of(at, inner);
    if (!evn_shape_equal(before, after)) {
        return evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                                  "its layers give %s by %s, but are added to %s of %s; they must "
                                  "keep the shape",
                                  evn__shape_text(after, have), at->giver,
                                  evn__shape_text(before, given), giver);
    }
    return evn_add(graph_of(at), x, inner);
}

static evn_value build_beside(evn__layering *at, const evn__layer *layer, const char *name,
                              evn_value x) {
    (void)name;
    char have[128], given[128];
    evn_value inner = evn__layering_add(at, &layer->layers, x);
    if (inner == EVN_NONE) {
        return inner;
    }
    evn_shape before = shape_of(at, x), after = shape_of(at, inner);
    int last = before.rank - 1;
    bool fits = after.rank == before.rank;
    for (int i = 0; i < last && fits; ++i) {
        fits = before.dim[i] == after.dim[i];
    }
    if (!fits) {
        return evn__layering_fail(at, layer, EVN_ERR_SHAPE,
                                  "its layers give %s by %s, which do not go beside %s; they must "
                                  "keep all but channels or features",
                                  evn__shape_text(after, have), at->giver,
                                  evn__shape_text(before, given));
    }
    evn_value parts[] = {x, inner};
    return evn_concat(graph_of(at), parts, 2, last);
}

static evn_value build_repeat(evn__layering *at, const evn__layer *layer, const char *name,
                              evn_value x) {
    (void)name;
    int64_t times = layer->values[0] == EVN__LAYER_FIT ? at->fit->times : layer->values[0];
    for (int64_t i = 0; i < times && x != EVN_NONE; ++i) {
        x = evn__layering_add(at, &layer->layers, x);
    }
    return x;
}

static const evn__layer_key repeat_keys[] = {
    {"times", "how often", EVN__KEY_NUMBER, 1, 1000, EVN__LAYER_UNSET, NULL, "fit", false}, {0}};

// The table ---------------------------------------------------------------------------------------

static const evn__layer_kind kinds[] = {
    {"dense", "a product with weights [features, units], and a bias", "dense", EVN__ROWS, false,
     false, dense_keys, build_dense},
    {"conv", "a convolution with kernels [size, size, channels, filters], and a bias", "conv",
     EVN__IMAGES, false, false, conv_keys, build_conv},
    {"norm", "normalisation, then a scale and a shift for each channel", "norm",
     EVN__ROWS | EVN__IMAGES, false, false, norm_keys, build_norm},
    {"relu", "max(x, 0)", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"tanh", "the hyperbolic tangent", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"softplus", "log(1 + exp(x))", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"silu", "x sigmoid(x)", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"gelu", "x times the normal distribution's function of x, by its tanh formula", NULL, EVN__ANY,
     false, false, NULL, build_activation},
    {"elu", "x where x > 0, else exp(x) - 1", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"sigmoid", "1 / (1 + exp(-x))", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"sin", "the sine", NULL, EVN__ANY, false, false, NULL, build_activation},
    {"mean-pool", "the mean over windows", NULL, EVN__IMAGES, false, false, pool_keys,
     build_mean_pool},
    {"max-pool", "the maximum over windows", NULL, EVN__IMAGES, false, false, pool_keys,
     build_max_pool},
    {"global-pool", "the mean over all pixels: images become rows", NULL, EVN__IMAGES, false, false,
     NULL, build_global_pool},
    {"flatten", "images become rows of all their numbers", NULL, EVN__ANY, false, false, NULL,
     build_flatten},
    {"concat-time", "t as one more channel or feature; in an ODE", NULL, EVN__ROWS | EVN__IMAGES,
     false, true, NULL, build_concat_time},
    {"zeros", "more channels or features, which are 0", NULL, EVN__ROWS | EVN__IMAGES, false, false,
     zeros_keys, build_zeros},
    {"beside", "x, and behind its channels or features what its layers make of it", NULL,
     EVN__ROWS | EVN__IMAGES, true, false, NULL, build_beside},
    {"residual", "x plus what its layers make of it", NULL, EVN__ANY, true, false, NULL,
     build_residual},
    {"repeat", "its layers, one time after the other, each with weights of its own", NULL, EVN__ANY,
     true, false, repeat_keys, build_repeat},
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) <= EVN__LAYERING_KINDS, "numbers of each kind");

const evn__layer_kind *evn__layer_kind_at(int index) {
    return index >= 0 && index < (int)(sizeof(kinds) / sizeof(kinds[0])) ? &kinds[index] : NULL;
}

const evn__layer_kind *evn__layer_kind_find(const char *name) {
    for (int i = 0; evn__layer_kind_at(i); ++i) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

const evn__layer_key *evn__layer_key_at(const evn__layer_kind *kind, int index) {
    bool there = kind->keys && index < EVN__LAYER_KEYS && kind->keys[index].name;
    return there ? &kind->keys[index] : NULL;
}

const char *evn_layer_name(int index) {
    const evn__layer_kind *kind = evn__layer_kind_at(index);
    return kind ? kind->name : NULL;
}

const char *evn_layer_text(int index) {
    const evn__layer_kind *kind = evn__layer_kind_at(index);
    return kind ? kind->text : NULL;
}

// Help --------------------------------------------------------------------------------------------

static const char *default_text(const evn__layer_key *key, char *text, size_t size) {
    if (key->value == EVN__LAYER_UNSET) {
        text[0] = 0;
    } else if (key->kind == EVN__KEY_CHOICE) {
        snprintf(text, size, " [%s]", key->choices[key->value]);
    } else if (key->kind == EVN__KEY_FLAG) {
        snprintf(text, size, " [%s]", key->value ? "true" : "false");
    } else {
        snprintf(text, size, " [%lld]", (long long)key->value);
    }
    return text;
}

const char *evn__layer_key_text(const evn__layer_key *key, char *text, size_t size) {
    char value[32];
    default_text(key, value, sizeof(value));
    if (key->kind == EVN__KEY_FLAG) {
        snprintf(text, size, "true or false%s", value);
    } else if (key->kind == EVN__KEY_NUMBER) {
        snprintf(text, size, "%lld to %lld%s%s%s%s%s", (long long)key->low, (long long)key->high,
                 key->fit ? ", \"" : "", key->fit ? key->fit : "", key->fit ? "\"" : "",
                 key->state ? ", \"state\"" : "", value);
    } else {
        size_t used = 0;
        for (int i = 0; key->choices[i] && used < size; ++i) {
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", key->choices[i]);
        }
        if (used < size) {
            snprintf(text + used, size - used, "%s", value);
        }
    }
    return text;
}
