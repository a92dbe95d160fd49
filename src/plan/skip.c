// SPDX-License-Identifier: Apache-2.0
#include "plan/skip.h"

#include "plan/plan.h"

static bool looks(const evn_plan *plan, const evn__launch *launch) {
    for (int k = 0; k < launch->slot_count; ++k) {
        if (plan->launches.slots[launch->first_slot + k].kind == EVN__OPERAND_RUN_OFFSETS) {
            return true;
        }
    }
    return false;
}

evn_buffer *evn__plan_runs(const evn_plan *plan) {
    for (int i = 0; i < plan->launches.count; ++i) {
        if (!plan->launches.rows[i].replaced && !looks(plan, &plan->launches.rows[i])) {
            return NULL;
        }
    }
    return plan->memory.one_run;
}
