// SPDX-License-Identifier: Apache-2.0
// A data source as a caller gives it.
#ifndef EVN_TASK_GIVEN_SOURCE_H
#define EVN_TASK_GIVEN_SOURCE_H

#include "base/status.h"
#include "evonode/source.h"

/// Whether it is one. @return EVN_ERR_ARGUMENT with what it lacks
static inline evn_status evn__source_check(const evn_source *source) {
    EVN_REQUIRE(source);
    EVN_REQUIRE(source->methods);
    EVN_REQUIRE(source->methods->info);
    EVN_REQUIRE(source->methods->fill);
    evn_source_info info = source->methods->info(source->self);
    EVN_CHECK(info.batch >= 1 && info.batches[EVN_TRAIN] >= 0 && info.batches[EVN_TEST] >= 0,
              EVN_ERR_ARGUMENT, "the source has batches of %lld samples, %lld and %lld of them",
              (long long)info.batch, (long long)info.batches[EVN_TRAIN],
              (long long)info.batches[EVN_TEST]);
    return EVN_OK;
}

#endif
