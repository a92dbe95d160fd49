// SPDX-License-Identifier: Apache-2.0
#include "task/given_source.h"

#include "base/status.h"
#include "graph/node.h"

static evn_status check_counts(const evn_source_info *info) {
    const int64_t most = INT32_MAX;
    EVN_CHECK(info->batch >= 1 && info->batch <= most && info->batches[EVN_TRAIN] >= 0 &&
                  info->batches[EVN_TRAIN] <= most && info->batches[EVN_TEST] >= 0 &&
                  info->batches[EVN_TEST] <= most,
              EVN_ERR_ARGUMENT, "the source has batches of %lld samples, %lld and %lld of them",
              (long long)info->batch, (long long)info->batches[EVN_TRAIN],
              (long long)info->batches[EVN_TEST]);
    return EVN_OK;
}

/// Batches of it, with their weights, have to be counted in numbers, and extents in ints.
static evn_status check_shape(const evn_source_info *info, const char *of, evn_shape shape) {
    char text[128];
    bool fits =
        evn__shape_is_valid(shape) && evn_shape_count(shape) <= (INT64_MAX >> 12) / info->batch;
    for (int i = 0; i < shape.rank && fits; ++i) {
        fits = shape.dim[i] <= INT32_MAX;
    }
    EVN_CHECK(fits, EVN_ERR_SHAPE, "the source has %s of shape %s", of,
              evn__shape_text(shape, text));
    return EVN_OK;
}

evn_status evn__source_check(const evn_source *source) {
    EVN_REQUIRE(source);
    EVN_REQUIRE(source->methods);
    EVN_REQUIRE(source->methods->info);
    EVN_REQUIRE(source->methods->fill);
    evn_source_info info = source->methods->info(source->self);
    EVN_TRY(check_counts(&info));
    EVN_TRY(check_shape(&info, "samples", info.sample));
    return info.has_target ? check_shape(&info, "targets", info.target) : EVN_OK;
}

evn_status evn__source_fill(const evn_source *source, const evn_batch *batch, int64_t least,
                            float *samples, float *targets, float *weights, int64_t *filled) {
    int64_t most = source->methods->info(source->self).batch;
    *filled = 0;
    EVN_TRY(source->methods->fill(source->self, batch, samples, targets, weights, filled));
    EVN_CHECK(*filled >= least && *filled <= most, EVN_ERR_DATA,
              "the source has filled %lld samples of batch %lld, but should fill %lld to %lld",
              (long long)*filled, (long long)batch->index, (long long)least, (long long)most);
    return EVN_OK;
}
