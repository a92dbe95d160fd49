// SPDX-License-Identifier: Apache-2.0
/// @file
/// A plan: a graph compiled for a device. Fused, ordered, all its memory laid out beforehand;
/// running it allocates nothing and waits for nothing. The same plan, or another of the same graph,
/// options and device, gives the same bits for the same inputs; which kernels a graph gets depends
/// on its shapes, so that another batch size may round otherwise.
#ifndef EVONODE_PLAN_H
#define EVONODE_PLAN_H

#include "evonode/buffer.h"
#include "evonode/graph.h"

EVN_API_BEGIN

/// A compiled graph with the memory of its intermediate values.
typedef struct evn_plan evn_plan;

/// Where an input or output lives: `offset` in elements of the plan's real.
typedef struct evn_binding {
    evn_buffer *buffer; ///< borrowed
    size_t offset;      ///< of the first element, in elements of real
} evn_binding;

/// How a graph is compiled; all fields zero is the usual choice.
typedef struct evn_plan_options {
    bool fp64;    ///< real is double; the device must have it
    bool no_fuse; ///< one kernel an operation, for comparison
    /// Epilogues also where they save less than their compilation costs, for tests.
    bool all_epilogues;
    /// Names of the inputs that are known only in the second phase (cotangents, say); NULL-ended,
    /// or NULL: one phase. What does not depend on them runs in the first.
    const char *const *late_inputs;
    /// Names of inputs whose first axis counts samples that meet in sums only; NULL-ended, or NULL.
    /// Names that the graph lacks are passed over. Where all values are small for each sample, the
    /// graph is then computed in a few kernels, with a sample in each lane of a CPU's vectors, or
    /// in each work-item of a GPU.
    const char *const *sample_inputs;
    /// Also where there are so few samples that other kernels would be faster: a sample has then
    /// the same bits in any batch, of two or more, whose values are small enough.
    bool few_samples;
    /// Name of one of these inputs that has one number for each sample, or NULL. Where that is 0
    /// for all samples that a kernel carries together, the plan may leave out their run, and the
    /// runs after it in the same launch: the memory of their outputs then stays as it is, which
    /// must be all one to the caller.
    const char *active_input;
} evn_plan_options;

/// Compile `graph` for `device`. The graph may be destroyed afterwards.
/// @param[in] options  NULL: the usual choice
/// @return EVN_ERR_ARGUMENT for a late input that the graph lacks, and for fp64 where the device
///         has none; EVN_ERR_BUILD; EVN_ERR_DEVICE_MEMORY
evn_status evn_plan_create(evn_device *device, const evn_graph *graph,
                           const evn_plan_options *options, evn_plan **plan);
void evn_plan_destroy(evn_plan **plan); ///< nulls; accepts NULL

/// Run all phases. inputs and outputs are in the graph's order, one binding each; an output must
/// not overlap an input or another output. Enqueues only.
/// @return EVN_ERR_ARGUMENT, naming the port, and nothing is enqueued, when a binding has no buffer
///         or its buffer no room for the port's shape, and, where the plan has few ports, when an
///         output overlaps
evn_status evn_plan_run(evn_plan *plan, const evn_binding *inputs, const evn_binding *outputs);

/// Elements of the memory that carries values from the first phase to the second.
size_t evn_plan_saved_element_count(const evn_plan *plan);

/// Run phase 0 or 1. `saved` is caller's memory of evn_plan_saved_element_count, written by phase 0
/// and read by phase 1; NULL: the plan's own. Phase 0 writes the outputs that do not depend on late
/// inputs and ignores late ones; phase 1 writes the others. Inputs and outputs of phase 0 must
/// still be there, bound as before, in phase 1. Without late inputs phase 0 is the whole plan, and
/// phase 1 does nothing.
evn_status evn_plan_run_phase(evn_plan *plan, int phase, const evn_binding *inputs,
                              const evn_binding *outputs, const evn_binding *saved);

/// Kernel launches of one run.
int evn_plan_launch_count(const evn_plan *plan);
/// Bytes of device memory that the plan itself holds.
size_t evn_plan_bytes(const evn_plan *plan);

/// Stable text: launches in order with kernel and shapes. Freed by the caller.
evn_status evn_plan_print(const evn_plan *plan, char **text);

EVN_API_END

#endif
