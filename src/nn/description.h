// SPDX-License-Identifier: Apache-2.0
// The inside of an evn_network: lists of layers, as a network file describes them.
#ifndef EVN_NN_DESCRIPTION_H
#define EVN_NN_DESCRIPTION_H

#include "base/memory.h"
#include "evonode/network.h"
#include "nn/layer.h"

/// Words of "evolve" that are no kind of g.
#define EVN__EVOLVE_NONE "none"
#define EVN__EVOLVE_FIT  "fit" ///< the kind that --weights names

/// What stands between stem and head: an ODE, or layers.
typedef struct evn__block {
    bool is_ode;
    const char *name;   ///< layers: of their weights
    const char *evolve; ///< an ODE: the kind of g where a layer says nothing; NULL: none
    const char *path;   ///< where it is in the file: "blocks[0]"
    evn__layer_list layers;
    int64_t repeat; ///< layers: how often, EVN__LAYER_FIT, or EVN__LAYER_UNSET: once
} evn__block;

struct evn_network {
    evn__arena arena; ///< of all that follows
    const char *name, *text;
    evn__layer_list stem, head;
    evn__block *blocks;
    int block_count, ode_count;
};

/// Whether a layer's key of that name, such as "filters", or "repeat" of a block, takes what fits:
/// what an option gives.
bool evn__network_fits(const evn_network *network, const char *key);

/// Whether a layer has that choice ("batch") for its key of that name ("over").
bool evn__network_chooses(const evn_network *network, const char *key, const char *choice);

/// Read a list of layers of a network, parsed from JSON text that is nothing but the list.
evn_status evn__network_parse_list(const char *json, const char *name, evn_network **network);

/// The line, from 1 on, at which a place such as "blocks[0].ode[2].filters" begins in JSON text
/// that is valid; of as much of it as there is.
int evn__json_line(const char *text, const char *place);

#endif
