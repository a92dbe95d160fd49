// SPDX-License-Identifier: Apache-2.0
#include "nn/network.h"

#include "graph/node.h"
#include "nn/basis.h"
#include "nn/parameters.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/// [K, shape]
static evn_shape coefficients(const evn__expansion *expansion, evn_shape shape) {
    evn_shape all = {.rank = shape.rank + 1, .dim = {expansion->count}};
    memcpy(all.dim + 1, shape.dim, sizeof(*shape.dim) * (size_t)shape.rank);
    return all;
}

static evn_value expand(evn_graph *graph, const evn__expansion *expansion, evn_value c,
                        evn_shape shape) {
    c = evn_reshape(graph, c, EVN_SHAPE(expansion->count, evn_shape_count(shape)));
    return evn_reshape(graph, evn_matmul(graph, expansion->functions, c, false, false), shape);
}

/// Declared once; the coefficients begin so that θ is at all t what the weight would be.
static evn_status declare(const evn__network *network, const char *name, evn_shape shape,
                          evn_initial initial, double value) {
    const evn__expansion *e = network->expansion;
    if (evn_parameters_find(network->parameters, name) >= 0) {
        return EVN_OK;
    }
    if (!e) {
        return evn_parameters_add(network->parameters, name, shape, initial, value);
    }
    return evn__parameters_add_coefficients(network->parameters, name, coefficients(e, shape),
                                            initial, value / evn__basis_scale(e->basis, e->count),
                                            e->basis);
}

evn_value evn__network_weight(evn__network *network, const char *layer, const char *kind,
                              evn_shape shape, evn_initial initial, double value) {
    char name[256];
    evn_graph *g = network->graph;
    const evn__expansion *e = network->expansion;
    snprintf(name, sizeof(name), "%s.%s.%s", network->scope, layer, kind);
    evn_status status = declare(network, name, shape, initial, value);
    if (status != EVN_OK) {
        return evn__graph_fail(g, status, "%s", evn_error_message());
    }
    return e ? expand(g, e, evn_input(g, name, coefficients(e, shape)), shape)
             : evn_input(g, name, shape);
}

static const double EPSILON = 1e-5; // added to variances

static int64_t extent(const evn__network *network, evn_value x, int axis_from_end) {
    evn_shape shape = evn_value_shape(network->graph, x);
    return shape.rank >= axis_from_end ? shape.dim[shape.rank - axis_from_end] : 1;
}

evn_value evn__layer_conv2d(evn__network *network, const char *layer, evn_value x, int channels,
                            int kernel, evn_conv2d_options options) {
    int64_t inputs = extent(network, x, 1);
    double bound = 1 / sqrt((double)(kernel * kernel * inputs));
    evn_value w =
        evn__network_weight(network, layer, "weight", EVN_SHAPE(kernel, kernel, inputs, channels),
                            EVN_INITIAL_UNIFORM, bound);
    evn_value b = evn__network_weight(network, layer, "bias", EVN_SHAPE(channels),
                                      EVN_INITIAL_UNIFORM, bound);
    return evn_add(network->graph, evn_conv2d(network->graph, x, w, options), b);
}

evn_value evn__layer_conv2d_time(evn__network *network, const char *layer, evn_value x, evn_value t,
                                 int channels, int kernel, evn_conv2d_options options) {
    evn_graph *g = network->graph;
    int64_t inputs = extent(network, x, 1);
    double bound = 1 / sqrt((double)(kernel * kernel * (inputs + 1)));
    evn_value w =
        evn__network_weight(network, layer, "weight", EVN_SHAPE(kernel, kernel, inputs, channels),
                            EVN_INITIAL_UNIFORM, bound);
    evn_value w_time =
        evn__network_weight(network, layer, "time_weight", EVN_SHAPE(kernel, kernel, 1, channels),
                            EVN_INITIAL_UNIFORM, bound);
    evn_value b = evn__network_weight(network, layer, "bias", EVN_SHAPE(channels),
                                      EVN_INITIAL_UNIFORM, bound);
    evn_value ones = evn_full(g, EVN_SHAPE(1, extent(network, x, 3), extent(network, x, 2), 1), 1);
    evn_value map = evn_conv2d(g, ones, w_time, options); // [1, Ho, Wo, channels]
    evn_value shift = evn_add(g, evn_mul(g, map, t), b);
    return evn_add(g, evn_conv2d(g, x, w, options), shift);
}

evn_value evn__layer_group_norm(evn__network *network, const char *layer, evn_value x, int groups) {
    evn_graph *g = network->graph;
    int64_t channels = extent(network, x, 1);
    while (groups > 1 && channels % groups != 0) {
        --groups;
    }
    evn_value scale =
        evn__network_weight(network, layer, "scale", EVN_SHAPE(channels), EVN_INITIAL_CONSTANT, 1);
    evn_value shift =
        evn__network_weight(network, layer, "shift", EVN_SHAPE(channels), EVN_INITIAL_CONSTANT, 0);
    evn_value unit = evn_normalize(g, x, groups, EPSILON);
    return evn_add(g, evn_mul(g, unit, scale), shift);
}

evn_value evn__layer_dense(evn__network *network, const char *layer, evn_value x, int units) {
    int64_t inputs = extent(network, x, 1);
    double bound = 1 / sqrt((double)inputs);
    evn_value w = evn__network_weight(network, layer, "weight", EVN_SHAPE(inputs, units),
                                      EVN_INITIAL_UNIFORM, bound);
    evn_value b =
        evn__network_weight(network, layer, "bias", EVN_SHAPE(units), EVN_INITIAL_UNIFORM, bound);
    return evn_add(network->graph, evn_matmul(network->graph, x, w, false, false), b);
}

evn_value evn__layer_dense_time(evn__network *network, const char *layer, evn_value x, evn_value t,
                                int units) {
    evn_graph *g = network->graph;
    int64_t inputs = extent(network, x, 1);
    double bound = 1 / sqrt((double)(inputs + 1));
    evn_value w = evn__network_weight(network, layer, "weight", EVN_SHAPE(inputs, units),
                                      EVN_INITIAL_UNIFORM, bound);
    evn_value w_time = evn__network_weight(network, layer, "time_weight", EVN_SHAPE(1, units),
                                           EVN_INITIAL_UNIFORM, bound);
    evn_value b =
        evn__network_weight(network, layer, "bias", EVN_SHAPE(units), EVN_INITIAL_UNIFORM, bound);
    evn_value shift = evn_add(g, evn_mul(g, w_time, t), b);
    return evn_add(g, evn_matmul(g, x, w, false, false), shift);
}

evn_value evn__layer_batch_norm(evn__network *network, const char *layer, evn_value x) {
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, x), channels = EVN_SHAPE(extent(network, x, 1));
    unsigned axes = (1u << (shape.rank - 1)) - 1; // all but the last
    evn_value scale =
        evn__network_weight(network, layer, "scale", channels, EVN_INITIAL_CONSTANT, 1);
    evn_value shift =
        evn__network_weight(network, layer, "shift", channels, EVN_INITIAL_CONSTANT, 0);
    evn_value centred = evn_sub(g, x, evn_mean(g, x, axes));
    evn_value variance = evn_mean(g, evn_mul(g, centred, centred), axes);
    evn_value deviation = evn_sqrt(g, evn_add(g, variance, evn_constant(g, EPSILON)));
    return evn_add(g, evn_mul(g, evn_div(g, centred, deviation), scale), shift);
}

evn_value evn__loss_cross_entropy(evn_graph *graph, evn_value logits, evn_value labels,
                                  evn_value weights) {
    evn_value log_p = evn_log_softmax(graph, logits);
    evn_value picked = evn_sum(graph, evn_mul(graph, labels, log_p), 1u << 1); // [B, 1]
    int64_t batch = evn_value_shape(graph, weights).dim[0];
    evn_value each = evn_mul(graph, evn_reshape(graph, picked, EVN_SHAPE(batch)), weights);
    return evn_scale(graph, evn_sum_all(graph, each), -1.0 / (double)batch);
}
