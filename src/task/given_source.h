// SPDX-License-Identifier: Apache-2.0
// A data source as a caller gives it: what it says of itself is checked before it is used.
#ifndef EVN_TASK_GIVEN_SOURCE_H
#define EVN_TASK_GIVEN_SOURCE_H

#include "evonode/source.h"

/// Whether it is one, of batches that there can be.
/// @return EVN_ERR_ARGUMENT with what it lacks; EVN_ERR_SHAPE
evn_status evn__source_check(const evn_source *source);

/// A batch, as the source's own `fill` writes it.
/// @param[in] least  samples that the batch must have
/// @return EVN_ERR_DATA for fewer, or for more than a batch has room for
evn_status evn__source_fill(const evn_source *source, const evn_batch *batch, int64_t least,
                            float *samples, float *targets, float *weights, int64_t *filled);

#endif
