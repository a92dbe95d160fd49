// SPDX-License-Identifier: Apache-2.0
// Weights of f that are functions of t: θ(t) = Σₖ φₖ(t) cₖ, where the coefficients cₖ are what is
// learnt (Massaroli et al. 2020, Galerkin; Queiruga et al. 2021). A basis {φₖ} is a file, and a
// line in the table of evolution.c. Every basis begins with a θ that is the same for all t: the
// Neural ODE that it generalises.
//
// Where the functions sum to 1, each is K times smaller in the mean than a constant is. There
// θ(t) = Σₖ √K φₖ(t) cₖ, so that one learning rate suits them and constant weights.
#ifndef EVN_NN_BASIS_H
#define EVN_NN_BASIS_H

#include "nn/network.h"
#include "nn/parameters.h"

enum { EVN__BASIS_MOST = 64, EVN__EXPANSIONS_MAX = 16 };

struct evn__basis {
    /// φ [1, count] at a scalar t, 0 to 1.
    evn_value (*functions)(evn__network *network, evn_value t, int count);
    /// Σₖ φₖ = 1, and all cₖ begin alike; else φ₀ = 1, and the other cₖ begin at 0.
    bool partition;
    bool steps;       ///< meant for as many equal steps as there are functions
    int least, usual; ///< functions
};

/// A basis in a graph.
struct evn__expansion {
    const evn__basis *basis;
    int count;
    evn_value functions; ///< √K φ or φ, [1, count]
};

/// The bases of a graph, each built once. Zero-initialise, set t.
typedef struct evn__expansions {
    evn_value t;
    evn__expansion items[EVN__EXPANSIONS_MAX];
    int count;
} evn__expansions;

/// What φ is multiplied with: √K, or 1.
double evn__basis_scale(const evn__basis *basis, int count);

/// Let the network's weights, from here on, be functions of t; NULL: constants.
/// @return EVN_ERR_ARGUMENT for more bases than EVN__EXPANSIONS_MAX; failures of building stick to
///         the graph
evn_status evn__network_expand(evn__network *network, evn__expansions *expansions,
                               const evn__basis *basis, int count);

/// φ of polynomials by a recurrence in x = 2 t − 1: φ₀ = 1, φ₁ = x,
/// φₖ₊₁ = a(k) x φₖ − b(k) φₖ₋₁.
evn_value evn__basis_recurrence(evn_graph *graph, evn_value t, int count, double (*a)(int k),
                                double (*b)(int k));

/// scale t + (first + k step), [1, count]: where t is as the function number k sees it.
evn_value evn__basis_places(evn_graph *graph, evn_value t, int count, double scale, double first,
                            double step);

extern const evn__basis evn__basis_steps;            // basis_steps.c
extern const evn__basis evn__basis_buckets;          // basis_buckets.c
extern const evn__basis evn__basis_piecewise_linear; // basis_piecewise_linear.c
extern const evn__basis evn__basis_fourier;          // basis_fourier.c
extern const evn__basis evn__basis_chebyshev;        // basis_chebyshev.c
extern const evn__basis evn__basis_legendre;         // basis_legendre.c
extern const evn__basis evn__basis_splines;          // basis_splines.c
extern const evn__basis evn__basis_hypernet;         // basis_hypernet.c

/// Functions of pieces of equal length, 1 on theirs: what steps and buckets are.
evn_value evn__basis_pieces(evn__network *network, evn_value t, int count); // basis_buckets.c

#endif
