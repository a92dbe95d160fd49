// SPDX-License-Identifier: Apache-2.0
// Linear systems A x = b of which nothing is known but A v for any v, as nodes of a graph: GMRES
// (Saad, Schultz 1986), begun anew after so many vectors. What A is made of by derivatives needs no
// matrix.
#ifndef EVN_DIFF_KRYLOV_H
#define EVN_DIFF_KRYLOV_H

#include "graph/krylov.h"

/// image = A v; both [rows, n].
typedef evn_status evn__linear_map(void *context, evn_value v, evn_value *image);

typedef struct evn__krylov {
    evn_graph *graph;
    evn__linear_map *map;
    void *context;
    int vectors; ///< at most EVN__KRYLOV_MAX_VECTORS; more than n of them add nothing
    int cycles;  ///< of so many vectors each
} evn__krylov;

/// x near A⁻¹ b, b [rows, n], and b − A x, as constants: their derivatives count as 0. The systems
/// of rows are their own.
/// @param residual  may be NULL
evn_status evn__krylov_solve(const evn__krylov *krylov, evn_value b, evn_value *x,
                             evn_value *residual);

#endif
