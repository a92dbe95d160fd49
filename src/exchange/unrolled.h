// SPDX-License-Identifier: Apache-2.0
// What a trained model computes, as one graph: its solves are fixed steps, one after the other.
// Parameters are inputs by their names.
#ifndef EVN_EXCHANGE_UNROLLED_H
#define EVN_EXCHANGE_UNROLLED_H

#include "base/memory.h"
#include "data/standardisation.h"
#include "evonode/model.h"
#include "exchange/onnx.h"
#include "nn/field.h"
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
    evn__onnx_part *parts;
    int part_count, part_capacity;
    const char *const
        *columns; ///< names of the input's columns, for its user; NULL: none. Borrowed
    int column_count;
    double duration;  ///< from t = 0 to 1 in the user's unit of time; 0: it has none
    evn__arena arena; ///< names of parts
} evn__unrolled;

void evn__unrolled_free(evn__unrolled *unrolled);

/// The graph alone, which is the caller's; releases the rest. After a failure it may be NULL.
evn_graph *evn__unrolled_take(evn__unrolled *unrolled);

/// Input "images" [B, H, W, C], output "logits" [B, classes].
evn_status evn__unrolled_images(const evn_model *model, const evn__unroll_options *options,
                                evn__unrolled *unrolled);

/// What of the state [B, columns] of a trajectory its user sees.
typedef struct evn__unrolled_states {
    int64_t dimensions, columns;    ///< the first `dimensions` columns are observed
    int observations;               ///< equally spaced, of which steps are a multiple
    const double *mean, *deviation; ///< [dimensions], of the user's units; NULL: 0 and 1
} evn__unrolled_states;

/// From t = 0 to 1: input "x0" [B, columns], output "x" [B, observations, dimensions].
evn_status evn__unrolled_trajectory(const evn__field *field, evn_parameters *parameters,
                                    const evn__unrolled_states *states,
                                    const evn__unroll_options *options, evn__unrolled *unrolled);

/// Points of the target in their user's units: input "x" [B, D]; outputs "z" [B, D], where they are
/// at t = 1, and "log_p" [B], their log-density.
/// @param[in] standard  the flow's own units
evn_status evn__unrolled_flow(const evn__flow_kind *kind, const evn__flow_size *size,
                              evn_parameters *parameters, const evn__standardisation *standard,
                              const evn__unroll_options *options, evn__unrolled *unrolled);

#endif
