// SPDX-License-Identifier: Apache-2.0
// How the tensors of another program's file are called and laid out. A map is a JSON object:
//   about   a line for people
//   layout  "evonode": as they are; "torch": convolutions [Co, Ci, Kh, Kw], dense layers [out, in]
//   names   [ours, theirs] or [ours, theirs, channel], the first that fits counts; '*' stands for
//           any text, the same in both. `channel`: ours are the input channels of theirs from that
//           one on; one of the same tensor without a channel takes those behind. A name that none
//           fits is the same in both.
//   keep    names of ours that a file need not have: they keep their values
//   ignore  names of theirs that belong to no parameter
// Shipped ones are files of src/exchange/maps.
#ifndef EVN_EXCHANGE_WEIGHT_MAP_H
#define EVN_EXCHANGE_WEIGHT_MAP_H

#include "base/status.h"
#include "evonode/graph.h"

typedef struct evn__weight_map evn__weight_map;

/// Shipped maps: name of number `index`, NULL past the last.
const char *evn__weight_map_name(int index);
/// What it is for; static storage.
const char *evn__weight_map_text(int index);

/// The shipped map of that name, else the file of that path.
/// @return EVN_ERR_FILE with the names of the shipped ones; EVN_ERR_FORMAT with the place
evn_status evn__weight_map_read(const char *name, evn__weight_map **map);
void evn__weight_map_destroy(evn__weight_map **map); ///< nulls; accepts NULL

/// Where a parameter is in the other program's file.
typedef struct evn__weight_place {
    char name[EVN_MAX_NAME];
    bool optional;           ///< it may be missing
    int order[EVN_MAX_RANK]; ///< their axis i is our axis order[i]
    int inputs;              ///< our axis of the input channels
    int64_t channel;         ///< of theirs, where ours begin; −1: ours are all of them
} evn__weight_place;

/// @return EVN_ERR_FORMAT where the name is too long
evn_status evn__weight_map_place(const evn__weight_map *map, const char *name, evn_shape shape,
                                 evn__weight_place *place);

/// Whether a tensor of theirs belongs to no parameter.
bool evn__weight_map_ignores(const evn__weight_map *map, const char *name);

#endif
