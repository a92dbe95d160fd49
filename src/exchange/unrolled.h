// SPDX-License-Identifier: Apache-2.0
// What a trained model computes, as one graph: its solves are fixed steps, one after the other.
// Parameters are inputs by their names.
#ifndef EVN_EXCHANGE_UNROLLED_H
#define EVN_EXCHANGE_UNROLLED_H

#include "base/memory.h"
#include "evonode/model.h"
#include "exchange/onnx.h"
#include "nn/flow.h"

/// Of any batch: an extent that no other axis has.
enum { EVN__ANY_BATCH = 1000003 };

typedef struct evn__unroll_options {
    const char *method;
    int steps;     ///< >= 1
    int64_t batch; ///< >= 1, or EVN__ANY_BATCH
} evn__unroll_options;

/// Zero-initialise; release with evn__unrolled_free, also after a failure.
typedef struct evn__unrolled {
    evn_graph *graph;
    bool batched; ///< the first axis of its inputs is a batch, of the size that was asked for
    evn__onnx_part *parts;
    int part_count, part_capacity;
    evn__arena arena; ///< names of parts
} evn__unrolled;

void evn__unrolled_free(evn__unrolled *unrolled);

/// Input "images" [B, H, W, C], output "logits" [B, classes].
evn_status evn__unrolled_images(const evn_model *model, const evn__unroll_options *options,
                                evn__unrolled *unrolled);

/// From t = 0 to 1: input "x0", the dynamics' state; output "x" [observations, state] at
/// `observations` equally spaced times, of which steps are a multiple.
evn_status evn__unrolled_trajectory(const evn_dynamics *dynamics,
                                    const evn__unroll_options *options, int observations,
                                    evn__unrolled *unrolled);

/// Points of the target: input "x" [B, 2]; outputs "z" [B, 2], where they are at t = 1, and "log_p"
/// [B], their log-density.
evn_status evn__unrolled_flow(const evn__flow_kind *kind, evn_parameters *parameters,
                              const evn__unroll_options *options, evn__unrolled *unrolled);

#endif
