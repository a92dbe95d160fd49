// SPDX-License-Identifier: Apache-2.0
// What the files of fusion share: fuse.c merges element-wise nodes with each other, epilogue.c
// element-wise units with the kernel whose result they read, order.c says whether they may; then
// partial.c lets them begin sums, and crossing.c finds what they read of each other.
#ifndef EVN_PLAN_FUSION_H
#define EVN_PLAN_FUSION_H

#include "plan/plan.h"

/// Work space of the pass.
typedef struct evn__fusion {
    const evn__plan_input *in;
    const evn__classes *classes;
    evn__units *units; ///< what the pass leaves
    evn__marks read;   ///< values, for counting what a kernel reads,
    evn__marks met;    ///< and its arguments; those that a search has passed through
    int *members;      ///< per unit: number of nodes
    // order.c
    evn__marks seen;     ///< units, for the search for paths
    int *found;          ///< units between the two of the last search that the later one reads
    int found_count;     ///< of these
    evn__marks behind;   ///< units that a path was found to from `behind_of`: a search ends there
    int behind_of;       ///< −1: none
    int64_t *label;      ///< per unit: larger than those of the units that it reads
    int *before, *after; ///< per unit: its neighbours in the order of labels, −1: none
    int head, last;
} evn__fusion;

/// Put a new unit behind all others in the order. (order.c)
void evn__fusion_append(evn__fusion *fusion, int unit);

/// Whether unit `to`, which comes later in the order, is computed from unit `from` in a way that
/// one kernel for both cannot: through another unit, through a view that moves elements, or through
/// a scalar. (order.c)
bool evn__fusion_has_detour(evn__fusion *fusion, int from, int to);

/// Make the values of unit `gone` values of `kept`: right after a search found no detour between
/// the two. (order.c)
evn_status evn__fusion_merge(evn__fusion *fusion, int kept, int gone);

/// Whether generated code for both units, or for one that is given twice, as a kernel of its own
/// has arguments enough, also to begin sums. (fuse.c)
bool evn__fusion_has_room(evn__fusion *fusion, int a, int b);

/// Give kernels of families the element-wise units that read their result. (epilogue.c)
evn_status evn__plan_attach(evn__fusion *fusion);

/// Whether what the group reads lies at stride 0 or 1 within rows of `columns`. (epilogue.c)
bool evn__plan_rows_fit(const evn__fusion *fusion, int unit, int64_t columns);

/// Set `crosses` of all values, and store those. (crossing.c)
evn_status evn__plan_store_crossing(const evn__fusion *fusion);

/// Let kernels begin the sums over rows that they compute. (partial.c)
void evn__plan_begin_sums(evn__fusion *fusion);

/// How many sums over members of `group` the kernel could begin, were it its epilogue. (partial.c)
int evn__plan_sums_of(const evn__fusion *fusion, int kernel, int group);

#endif
