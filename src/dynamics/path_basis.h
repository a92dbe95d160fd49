// SPDX-License-Identifier: Apache-2.0
// How weights that are solved by themselves are read between the nodes, the times at which they are
// known: θ(t) = Σₖ φₖ(τ) Cₖ, where τ is −1 at the beginning of the way and 1 at its end.
#ifndef EVN_DYNAMICS_PATH_BASIS_H
#define EVN_DYNAMICS_PATH_BASIS_H

#include "evonode/graph.h"
#include <stdbool.h>

typedef struct evn__path_basis {
    /// τ of node `index` of `count`, from −1 to 1.
    double (*node)(int index, int count);
    /// φ(τ), [1, count], of τ [1].
    evn_value (*functions)(evn_graph *graph, evn_value tau, int count);
    /// What θ at node `j` has in Cₖ. NULL: Cₖ is θ at node k.
    double (*coefficient)(int k, int j, int count);
    bool converges; ///< the last two terms say how much is missing behind them
} evn__path_basis;

enum {
    EVN__LEAST_TERMS = 4, ///< of the polynomial
    EVN__MOST_TERMS = 64,
    EVN__MOST_WEIGHT_STEPS = 10000, ///< between nodes at equal distances
};

/// The polynomial through Chebyshev's points (Lobatto's, both ends included), as a series of
/// Chebyshev's.
extern const evn__path_basis evn__path_chebyshev;
/// Linear between nodes at equal distances.
extern const evn__path_basis evn__path_linear;

#endif
