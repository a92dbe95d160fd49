// SPDX-License-Identifier: Apache-2.0
// Parameters from and to safetensors files of other programs, by a map of names and layouts.
#ifndef EVN_EXCHANGE_WEIGHTS_H
#define EVN_EXCHANGE_WEIGHTS_H

#include "evonode/parameters.h"
#include "exchange/weight_map.h"

/// Read all parameters, or none. Waits.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA with every tensor that is missing, left over
///         or of another shape, and both shapes; EVN_ERR_NOT_FINITE
evn_status evn__weights_load(const char *path, const evn__weight_map *map,
                             evn_parameters *parameters);

/// The reverse.
/// @return EVN_ERR_OUTPUT; EVN_ERR_DATA where the map makes one tensor of parts that do not fit
evn_status evn__weights_save(const char *path, const evn__weight_map *map,
                             const evn_parameters *parameters);

#endif
