// SPDX-License-Identifier: Apache-2.0
// Building a network: a graph whose weights are inputs, named and declared as parameters.
#ifndef EVN_NN_NETWORK_H
#define EVN_NN_NETWORK_H

#include "evonode/graph.h"
#include "evonode/parameters.h"

typedef struct evn__expansion evn__expansion; // nn/basis.h

/// A graph under construction. Weights are named scope.layer.kind; failures stick to the graph.
typedef struct evn__network {
    evn_graph *graph;
    evn_parameters *parameters; ///< where weights are declared; one that exists is used again
    const char *scope;
    const evn__expansion *expansion; ///< weights as functions of t; NULL: they are constants
} evn__network;

/// A weight as an input of the graph; of an expansion the value of Σₖ φₖ(t) cₖ, and the input is
/// c [K, shape]. The name is scope.layer.kind.
evn_value evn__network_weight(evn__network *network, const char *layer, const char *kind,
                              evn_shape shape, evn_initial initial, double value);

/// x [B, H, W, Ci] → [B, Ho, Wo, channels], with a bias; weights uniform in ±1/sqrt(fan in).
evn_value evn__layer_conv2d(evn__network *network, const char *layer, evn_value x, int channels,
                            int kernel, evn_conv2d_options options);

/// As evn__layer_conv2d on x with t as one more constant input channel. Its share of the result is
/// t times the map that the border makes of the constant: no convolution over the batch.
evn_value evn__layer_conv2d_time(evn__network *network, const char *layer, evn_value x, evn_value t,
                                 int channels, int kernel, evn_conv2d_options options);

/// GroupNorm (Wu, He 2018) with scale and shift a channel; at most `groups` groups.
evn_value evn__layer_group_norm(evn__network *network, const char *layer, evn_value x, int groups);

/// x [B, D] → [B, units].
evn_value evn__layer_dense(evn__network *network, const char *layer, evn_value x, int units);

/// As evn__layer_dense on x with t as one more input.
evn_value evn__layer_dense_time(evn__network *network, const char *layer, evn_value x, evn_value t,
                                int units);

/// Each channel of x [B, …, C] less its mean and by its deviation over the batch at hand (and its
/// pixels), then scale and shift. There are no running means: along an ODE they would be functions
/// of t, so that a test, too, takes its batch's.
evn_value evn__layer_batch_norm(evn__network *network, const char *layer, evn_value x);

/// Mean over the batch of −Σ labels · log softmax(logits), samples weighted: logits and labels
/// [B, N], weights [B]; a scalar.
evn_value evn__loss_cross_entropy(evn_graph *graph, evn_value logits, evn_value labels,
                                  evn_value weights);

#endif
