// SPDX-License-Identifier: Apache-2.0
// Sharing out independent tasks: where work-items are wide, few do many tasks each on wide vectors,
// since a work-group costs there as much as hundreds of operations; elsewhere a work-item does one.
#ifndef EVN_OPS_TASKS_H
#define EVN_OPS_TASKS_H

#include "base/status.h"
#include "host/items.h"
#include "ops/lower.h"
#include <limits.h>
#include <stdio.h>

enum {
    EVN__TASKS_WORK = 4096,  ///< elements that a CPU work-item should at least touch
    EVN__TASKS_PER_UNIT = 8, ///< CPU work-items a compute unit, so that the load evens out
    EVN__TASKS_GROUP = 64,   ///< work-group elsewhere
    EVN__TASKS_OPTIONS = 32, ///< length of an options string
};

static inline int64_t evn__divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/// Whether a kernel may count the elements of these extents in 32 bits.
static inline bool evn__is_short(const int64_t extents[4]) {
    return extents[0] * extents[1] * extents[2] <= INT_MAX / 2 / extents[3];
}

static inline bool evn__tasks_are_wide(const evn__lowering *lowering) {
    return evn__items_are_wide(evn__lower_device(lowering));
}

/// Widest vector that divides `extent` adjacent elements; 1 on devices with small work-items.
/// Writes the build option LANES of kernels/variant.cl.
static inline int evn__choose_lanes(const evn__lowering *lowering, int64_t extent,
                                    char options[EVN__TASKS_OPTIONS]) {
    int lanes = evn__tasks_are_wide(lowering) ? 16 : 1;
    while (extent % lanes != 0) {
        lanes /= 2;
    }
    snprintf(options, EVN__TASKS_OPTIONS, "-DLANES=%d", lanes);
    return lanes;
}

static inline void evn__push(evn__call *call, evn__operand operand) {
    call->operands[call->operand_count++] = operand;
}

static inline void evn__push_int(evn__call *call, int64_t integer) {
    evn__push(call, evn__operand_int(integer));
}

/// Append the arguments TASKS of kernels/common.cl and set the range.
/// `work`: elements that a task touches.
static inline evn_status evn__share_tasks(evn__lowering *lowering, evn__call *call, int64_t tasks,
                                          int64_t work) {
    EVN_CHECK(tasks <= INT_MAX / 2, EVN_ERR_SHAPE,
              "%s: a tensor of this size has more than 2^30 tasks; use smaller batches",
              call->kernel);
    int64_t items = tasks;
    size_t group = EVN__TASKS_GROUP;
    if (evn__tasks_are_wide(lowering)) {
        int64_t max_items =
            (int64_t)EVN__TASKS_PER_UNIT * evn__lower_device(lowering)->compute_units;
        int64_t worth = evn__divide_up(tasks * work, EVN__TASKS_WORK);
        items = worth < max_items ? worth : max_items;
        items = items < tasks ? items : tasks;
        group = 1;
    }
    int64_t per = evn__divide_up(tasks, items);
    evn__push_int(call, tasks);
    evn__push_int(call, per);
    call->range = (evn__range){1, {(size_t)evn__divide_up(tasks, per)}, {group}};
    return EVN_OK;
}

static inline evn_status evn__emit_tasks(evn__lowering *lowering, evn__call *call, int64_t tasks,
                                         int64_t work) {
    EVN_TRY(evn__share_tasks(lowering, call, tasks, work));
    return evn__lower_emit(lowering, call);
}

#endif
