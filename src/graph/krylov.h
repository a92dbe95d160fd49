// SPDX-License-Identifier: Apache-2.0
// What solutions by Krylov's subspaces are made of. A basis [rows, k, n + m + 1] has k orthonormal
// vectors of n elements in each row, and behind each the coefficients of what it was made from by
// the vectors up to itself; m: vectors that it may be extended by. Systems of rows are their own.
#ifndef EVN_GRAPH_KRYLOV_H
#define EVN_GRAPH_KRYLOV_H

#include "evonode/graph.h"

enum { EVN__KRYLOV_MAX_VECTORS = 64 };

/// A basis of one vector: w [rows, n] at the length 1. Like the next two it counts as a constant:
/// it has no derivative.
evn_value evn__krylov_begin(evn_graph *graph, evn_value w, int vectors);
/// With what w [rows, n] has besides the vectors of the basis (Arnoldi; Gram and Schmidt twice), 0
/// where that is rounding alone.
evn_value evn__krylov_extend(evn_graph *graph, evn_value basis, evn_value w);
/// Where the basis was extended by A times each of its vectors: the x [rows, n] among all sums of
/// these but the last for which A x is nearest to what it was begun with (GMRES; Saad, Schultz
/// 1986), or what is then left of that.
evn_value evn__krylov_combine(evn_graph *graph, evn_value basis, int64_t n, bool residual);

/// `value` [rows, n], near where r, computed from x, is 0: what Newton's method has for it, x less
/// (∂r/∂x)⁻¹ r, has been found by other means. It has the derivative of that with the Jacobian
/// held: of the first order where x is detached that of the solution (implicit function theorem),
/// and, as Newton's method converges, of the second order where x is such a value itself. All have
/// one shape.
/// @param vectors, cycles  of the linear systems in derivatives (diff/krylov.h)
evn_value evn__root(evn_graph *graph, evn_value value, evn_value x, evn_value r, int vectors,
                    int cycles);

#endif
