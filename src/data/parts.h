// SPDX-License-Identifier: Apache-2.0
// Sources over a source: its batches in parts, and one that only looks like it.
#ifndef EVN_DATA_PARTS_H
#define EVN_DATA_PARTS_H

#include "evonode/source.h"

/// Batches of `batch` samples, of which B / batch in turn are a batch of `whole`: the same samples,
/// drawn and augmented as there. A part past the last sample is filled up with weight 0.
/// @param[in] whole  owned by the result, also after a failure
/// @param[in] batch  divides B
/// @return EVN_ERR_ARGUMENT
evn_status evn__source_parts(evn_source whole, int64_t batch, evn_source *parts);

/// A source of zeros with the shapes of `like`, batches of `batch` and at most two of them in a
/// part: what is needed to find out what training allocates.
/// @param[in] like  borrowed
evn_status evn__source_blank(const evn_source *like, int64_t batch, evn_source *blank);

#endif
