// SPDX-License-Identifier: Apache-2.0
// Building lists of layers into a graph, one after the other, with names, checks and a record of
// each.
#ifndef EVN_NN_LAYERING_H
#define EVN_NN_LAYERING_H

#include "base/memory.h"
#include "nn/basis.h"
#include "nn/layer.h"

/// A layer as it was built.
typedef struct evn__layer_record {
    const evn__layer *layer;
    const char *scope;          ///< of its weights; in the arena of the records
    char name[EVN__LAYER_NAME]; ///< in that scope; "" for one without weights
    evn_shape from, to;
    int64_t parameters; ///< numbers that are learnt
    double products;    ///< multiply-adds for the batch
    int depth;          ///< of nesting
    bool expanded;      ///< its weights are functions of t (nn/basis.h)
} evn__layer_record;

/// Zero-initialise, free with evn__layer_records_free.
typedef struct evn__layer_records {
    evn__layer_record *items;
    int count, capacity;
    evn__arena arena;
} evn__layer_records;

void evn__layer_records_free(evn__layer_records *records);

/// What "fit" stands for.
typedef struct evn__fit {
    int64_t filters, padding, times; ///< of the stem: filters, padding at first, down-samplings
    int64_t classes;
} evn__fit;

enum { EVN__LAYERING_KINDS = 32 };

/// Where layers are being built. Set up the fields of the first group.
struct evn__layering {
    evn__network network;         ///< graph, parameters, scope
    const struct evn_network *of; ///< for messages
    evn_value t;                  ///< EVN_NONE outside of an ODE
    int64_t state;                ///< channels or features of the ODE's state; 0: there is none
    const evn__fit *fit;          ///< NULL: nothing fits
    const char *evolve;           ///< an ODE's: how weights evolve where a layer says nothing
    const char *fit_evolve;       ///< what "fit" means there
    evn__expansions *expansions;  ///< of the ODE's graph; NULL: there is none
    evn__layer_records *records;
    const char *giver; ///< what gave x: "the images", "stem[0] (conv)"

    char giver_text[160];
    int numbers[EVN__LAYERING_KINDS]; ///< of layers with weights so far, by kind
    int depth;
};

/// Append a list of layers; EVN_NONE after a failure, which sticks to the graph.
evn_value evn__layering_add(evn__layering *at, const evn__layer_list *list, evn_value x);

/// Whether it has t as an input.
bool evn__layer_takes_time(const evn__layer *layer);

/// Begin another scope: numbers start again.
void evn__layering_scope(evn__layering *at, const char *scope);

/// Make a failure of a layer stick to the graph, with file, line and place before it.
evn_value evn__layering_fail(evn__layering *at, const evn__layer *layer, evn_status status,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

/// "FILE:LINE: PLACE: " before the last message, which is about that place of the network.
evn_status evn__network_place(const struct evn_network *network, const char *path,
                              evn_status status);

#endif
