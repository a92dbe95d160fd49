// SPDX-License-Identifier: Apache-2.0
// The functions of the targets, by the file that has them.
#ifndef EVN_FUZZ_FEEDS_H
#define EVN_FUZZ_FEEDS_H

#include <stddef.h>
#include <stdint.h>

typedef void fuzz_feed(const uint8_t *data, size_t size);

fuzz_feed feed_idx, feed_pack, feed_table, feed_series, feed_points, feed_image, feed_cifar,
    feed_idx_set; // feed_data.c
fuzz_feed feed_run, feed_summary, feed_evaluation, feed_metrics, feed_checkpoint,
    feed_training; // feed_runs.c

typedef void fuzz_mend(uint8_t *data, size_t size);

fuzz_mend mend_safetensors, mend_pack; // mend.c

#endif
