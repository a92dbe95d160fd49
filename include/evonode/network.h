// SPDX-License-Identifier: Apache-2.0
/// @file
/// A network as lists of layers by name: what a network file says, and what a model is built from.
///
///     {"stem": [{"layer": "conv", "filters": 32}, "relu"],
///      "blocks": [{"ode": ["norm", "relu", {"layer": "conv", "time": true}], "evolve": "rda"},
///                 {"layers": [{"layer": "conv", "size": 4, "stride": 2}]},
///                 {"ode": ["norm", "tanh", {"layer": "conv", "time": true}]}],
///      "head": ["global-pool", {"layer": "dense", "units": "classes"}]}
///
/// A layer is an object with its name and keys, or the name alone. evn_layer_name lists them.
#ifndef EVONODE_NETWORK_H
#define EVONODE_NETWORK_H

#include "evonode/dynamics.h"
#include "evonode/parameters.h"

EVN_API_BEGIN

/// Lists of layers: a stem, blocks (ODEs, or layers), a head. It has neither shapes nor weights,
/// and does not change.
typedef struct evn_network evn_network;

/// Read a network file (JSON).
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT with file, line, the place in the file, what is wrong there
///         and what would be right
evn_status evn_network_read(const char *path, evn_network **network);

/// As evn_network_read, from text.
/// @param[in] name  shown where a file's would be; copied
evn_status evn_network_parse(const char *json, const char *name, evn_network **network);

/// One of the networks that come with the library.
/// @return EVN_ERR_ARGUMENT for a name that there is not
evn_status evn_network_shipped(const char *name, evn_network **network);

void evn_network_destroy(evn_network **network); ///< nulls; accepts NULL

/// The path or the name that it was read under; borrowed.
const char *evn_network_name(const evn_network *network);
/// The JSON that it was made from; borrowed.
const char *evn_network_text(const evn_network *network);

/// Dynamics of the first ODE of a network for a state of any shape that its layers take, [B, D] or
/// [B, H, W, C]: for a program that has a stem and a head of its own, or needs none.
/// @param[in] parameters  gets the weights "f.…" and "g.…"; one that exists is used again
/// @return EVN_ERR_SHAPE where the layers do not take the state, or do not give its shape back;
///         EVN_ERR_ARGUMENT where there is no ODE
evn_status evn_network_dynamics(const evn_network *network, evn_shape state,
                                evn_parameters *parameters, evn_dynamics **dynamics);

/// Append layers to a graph, as a builder of graph.h: a failure sticks to the graph.
/// @param[in] parameters  gets the weights, which become inputs of the graph, as scope.layer.kind
/// @param[in] json        a list as in a network file: ["relu", {"layer": "dense", "units": 3}]
/// @param[in] x           [B, D] or [B, H, W, C]
/// @param[in] t           a scalar for layers that take the time; EVN_NONE: there is none
evn_value evn_layers(evn_graph *graph, evn_parameters *parameters, const char *scope,
                     const char *json, evn_value x, evn_value t);

/// Layers that there are: name of number `index`, NULL past the last.
const char *evn_layer_name(int index);
/// A line of help of layer number `index`, NULL past the last.
const char *evn_layer_text(int index);

EVN_API_END

#endif
