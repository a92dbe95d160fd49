// SPDX-License-Identifier: Apache-2.0
// Checks of the transforms on a graph, in double, through the reference.
#ifndef EVN_TEST_DERIVATIVE_H
#define EVN_TEST_DERIVATIVE_H

#include "evonode/graph.h"

/// One array per input or output of a graph; free with values_free.
typedef struct values {
    double **data;
    int count;
} values;

values values_like_inputs(const evn_graph *graph, uint64_t seed, double low, double high);
values values_run(const evn_graph *graph, const values *inputs);
void values_free(values *v);

/// jvp against central differences (≤ 1e-6), and ⟨y_bar, J x_dot⟩ = ⟨Jᵀ y_bar, x_dot⟩ (≤ 1e-10), at
/// inputs drawn from [low, high).
void check_derivative(const evn_graph *graph, uint64_t seed, double low, double high);

#endif
