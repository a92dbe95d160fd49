// SPDX-License-Identifier: Apache-2.0
/// @file
/// Models of image classification in one form: a stem, ODEs with layers between them, a head.
///     images → stem → x(0) → ODE → x(1) → … → head → logits, loss
/// What they consist of is an evn_network, of which three are shipped. ResNet has a layer of its
/// own for each step in its stem, and no ODE.
#ifndef EVONODE_MODEL_H
#define EVONODE_MODEL_H

#include "evonode/dynamics.h"
#include "evonode/network.h"
#include "evonode/parameters.h"

EVN_API_BEGIN

/// Graphs and parameters of a classifier.
typedef struct evn_model evn_model;

/// The networks that are shipped, by what stands between stem and head.
typedef enum evn_model_kind {
    EVN_MODEL_RESNET,  ///< x ← x + f_k(x), `layers` times
    EVN_MODEL_NODE,    ///< dx/dt = f(t, x, θ)
    EVN_MODEL_NODE_EW, ///< dx/dt = f(t, x, θ(t)), dθ/dt = g(t, θ, θ₁)
} evn_model_kind;

/// Sizes of a model. Set up with evn_model_options_default, then change fields.
typedef struct evn_model_options {
    evn_model_kind kind;        ///< one of the shipped networks
    const evn_network *network; ///< another one instead; NULL: none. Borrowed by the call
    /// How weights evolve where a network says "fit": a name of evn_evolution_name, and of a basis
    /// with the number of its functions, as in "fourier:5", unless it is to be the usual one.
    const char *weights;
    int64_t height, width, channels; ///< of an image
    int classes;                     ///< >= 2
    // What "fit" means in a network, as it is in the shipped ones:
    int filters;        ///< channels of the state
    int down_samplings; ///< of the stem, each halves height and width; with 1 its first convolution
                        ///< keeps the size, else it takes a pixel off each side
    int layers;         ///< RESNET
    int64_t batch;      ///< B; part of every shape
} evn_model_options;

/// Sizes for images of this shape: 64 filters and as many down-samplings, two at least, as make the
/// state's shorter side 11 or less (28×28 and 32×32: two; 64×64 and 96×96: three); 32 filters and
/// one below 16×16; NODE_EW with "rda"; 10 ResNet layers; batch 128.
evn_model_options evn_model_options_default(int64_t height, int64_t width, int64_t channels,
                                            int classes);

/// Build the graphs and declare the parameters (not yet allocated).
/// @return EVN_ERR_ARGUMENT for an unknown kind of g; EVN_ERR_SHAPE for images too small, and where
///         layers do not fit together, with the file, the line and both layers
evn_status evn_model_create(const evn_model_options *options, evn_model **model);
void evn_model_destroy(evn_model **model); ///< nulls; accepts NULL

evn_parameters *evn_model_parameters(const evn_model *model); ///< owned by the model
/// The options that it was created with; borrowed. A network in them is the model's own copy.
const evn_model_options *evn_model_get_options(const evn_model *model);
/// What it was built from; borrowed.
const evn_network *evn_model_network(const evn_model *model);

/// A link of the chain from the images to the head: a graph, or an ODE that is solved from t = 0 to
/// 1. Borrowed from the model.
typedef struct evn_stage {
    /// What the stage takes ("images" [B, H, W, C] for the first one, "x" for the others), then
    /// weights by parameter name; output "x". NULL for an ODE.
    const evn_graph *graph;
    const evn_dynamics *dynamics; ///< weights by parameter name; NULL for a graph
} evn_stage;

/// Stages in the order of the data; at least one, and the first is a graph.
int evn_model_stage_count(const evn_model *model);
/// Stage number `index`; both fields NULL where there is none.
evn_stage evn_model_stage(const evn_model *model, int index);

/// The graph of the first stage.
const evn_graph *evn_model_stem(const evn_model *model);
/// The dynamics of the first ODE among the stages; NULL for RESNET.
const evn_dynamics *evn_model_dynamics(const evn_model *model);
/// Inputs "x", "labels" [B, classes] one-hot, "sample_weights" [B], then weights by parameter name;
/// outputs "loss" (a scalar) and "logits" [B, classes].
const evn_graph *evn_model_head(const evn_model *model);

/// Kinds of weight evolution, θ(t): name of number `index`; NULL past the last.
const char *evn_evolution_name(int index);
/// Help text of kind number `index`; NULL past the last.
const char *evn_evolution_text(int index);

EVN_API_END

#endif
