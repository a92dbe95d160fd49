// SPDX-License-Identifier: Apache-2.0
// A graph as an ONNX model (opset 17), for other runtimes.
#ifndef EVN_EXCHANGE_ONNX_H
#define EVN_EXCHANGE_ONNX_H

#include "evonode/graph.h"
#include "io/safetensors.h"

/// A part of a graph: the nodes from `first` on, up to the next part's, are named NAME/….
typedef struct evn__onnx_part {
    evn_value first;
    const char *name;
} evn__onnx_part;

typedef struct evn__onnx_options {
    const evn__tensor *initializers; ///< float32 data of inputs by name; the others stay inputs
    int initializer_count;
    bool any_batch; ///< the first axis of each input that stays has any extent, called "batch"
    const evn__onnx_part *parts;
    int part_count;
    const evn__key_value *metadata; ///< metadata_props
    int metadata_count;
} evn__onnx_options;

/// Whether this build can (it needs protobuf-c and onnx.proto).
bool evn__onnx_is_there(void);

/// Write what the outputs depend on. Numbers are float32.
/// @return EVN_ERR_ARGUMENT with any_batch for a graph in which samples are mixed, and in a build
///         that cannot; EVN_ERR_OUTPUT
evn_status evn__onnx_write(const char *path, const evn_graph *graph,
                           const evn__onnx_options *options);

#endif
