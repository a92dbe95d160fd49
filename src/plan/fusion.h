// SPDX-License-Identifier: Apache-2.0
// What the two files that merge units share: fuse.c (element-wise nodes with each other) and
// epilogue.c (element-wise units with the kernel whose result they read).
#ifndef EVN_PLAN_FUSION_H
#define EVN_PLAN_FUSION_H

#include "plan/plan.h"

/// Work space of the pass.
typedef struct evn__fusion {
    evn_plan *plan;
    bool *seen;   ///< per unit, for the search for paths
    bool *read;   ///< per value, for counting what a kernel reads,
    bool *met;    ///< and its arguments
    int *stack;   ///< unit numbers
    int *members; ///< per unit: number of nodes
} evn__fusion;

/// Whether unit `to` is computed from unit `from` in a way that one kernel for both cannot: through
/// another unit, through a view that moves elements, or through a scalar.
bool evn__fusion_has_detour(evn__fusion *fusion, int from, int to);

/// Make the values of unit `gone` values of `kept`.
void evn__fusion_merge(evn__fusion *fusion, int kept, int gone);

/// Give kernels of families the element-wise units that read their result. (epilogue.c)
void evn__plan_attach(evn__fusion *fusion);

#endif
