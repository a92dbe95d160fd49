// SPDX-License-Identifier: Apache-2.0
// Running graphs through plans on the device under test, and comparing them with the reference.
#ifndef EVN_TEST_RUN_PLAN_H
#define EVN_TEST_RUN_PLAN_H

#include "evonode/plan.h"
#include "test.h"

/// Run a graph by plan: inputs[i], outputs[i] are host arrays in the shapes of its ports.
void run_plan(const evn_graph *graph, const evn_plan_options *options, double *const *inputs,
              double *const *outputs);

/// Plan against reference, fused and not, fp32 (≤ 1e-5) and fp64 (≤ 1e-12), inputs in [low, high).
void check_plan(const evn_graph *graph, uint64_t seed, double low, double high);

/// check_plan with the kernels for CPUs, then with those for GPUs.
void check_plan_as_both(const evn_graph *graph, uint64_t seed, double low, double high);

/// With the kernels for CPUs, then with those for GPUs, as on a device whose fma is software; fp32,
/// for which alone it matters. No kernel of the graph may have been made in this process before.
void check_plan_with_soft_fma(const evn_graph *graph, uint64_t seed);

/// A plan with late inputs, run phase by phase, against the reference.
void check_phases(const evn_graph *graph, const char *const *late, uint64_t seed);

/// A plan with these options against the reference, inputs in [−1, 1).
void check_options(const evn_graph *graph, const evn_plan_options *options, uint64_t seed);

#endif
