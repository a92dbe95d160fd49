// SPDX-License-Identifier: Apache-2.0
// Plans without any room to spare: for implementations that see each access outside a buffer.
#ifndef EVN_TEST_RUN_EXACT_H
#define EVN_TEST_RUN_EXACT_H

#include "evonode/plan.h"
#include "test.h"

/// The result of `graph` by plan against the reference, inputs in [-1, 1), fp32 (≤ 1e-5) and fp64
/// (≤ 1e-12) where the device has it, with the kernels for CPUs and those for GPUs. Every value and
/// every scratch is a buffer of its own of exactly its size: a load past the end is then outside
/// the buffer even if nothing comes of it. Destroys the graph.
void check_exact(evn_graph *graph);

/// Run `body` as if the device were a CPU, then as if it were a GPU; has_fp64 decides whether fp64
/// follows fp32 in each.
void for_each_variant(void (*body)(bool fp64, const void *context), const void *context);

#endif
