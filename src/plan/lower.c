// SPDX-License-Identifier: Apache-2.0
// Units → launches.
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn__operand scratch(evn__lowering *lowering, int64_t elements) {
    evn_plan *plan = lowering->plan;
    evn__operand operand = {.kind = EVN__OPERAND_SCRATCH, .scratch = -1};
    if (EVN_RESERVE(plan->scratch, plan->scratch_capacity, plan->scratch_count + 1) == EVN_OK) {
        operand.scratch = plan->scratch_count++;
        plan->scratch[operand.scratch] = (evn__scratch){elements, {0}};
    }
    return operand; // emit reports the failure
}

static evn_status add_slots(evn_plan *plan, const evn__call *call) {
    EVN_TRY(EVN_RESERVE(plan->slots, plan->slot_capacity, plan->slot_count + call->operand_count));
    for (int i = 0; i < call->operand_count; ++i) {
        const evn__operand *operand = &call->operands[i];
        EVN_CHECK(operand->kind != EVN__OPERAND_SCRATCH || operand->scratch >= 0, EVN_ERR_MEMORY,
                  "no memory for the scratch list of %s", call->kernel);
        plan->slots[plan->slot_count++] =
            (evn__slot){.kind = operand->kind,
                        .value = operand->kind == EVN__OPERAND_VALUE
                                     ? evn__strip(plan->in.graph, operand->value)
                                     : EVN_NONE,
                        .scratch = operand->scratch,
                        .integer = operand->integer,
                        .real = operand->real,
                        .written = operand->written};
    }
    return EVN_OK;
}

static evn_status copy_text(evn_plan *plan, const char *text, const char **copy) {
    *copy = text ? evn__arena_string(plan->in.arena, text) : NULL;
    EVN_CHECK(!text || *copy, EVN_ERR_MEMORY, "no memory for the text of a kernel");
    return EVN_OK;
}

static evn_status emit(evn__lowering *lowering, const evn__call *call) {
    evn_plan *plan = lowering->plan;
    EVN_TRY(EVN_RESERVE(plan->launches, plan->launch_capacity, plan->launch_count + 1));
    evn__launch *launch = &plan->launches[plan->launch_count];
    *launch = (evn__launch){.range = call->range,
                            .first_slot = plan->slot_count,
                            .slot_count = call->operand_count,
                            .phase = plan->units.rows[lowering->unit].phase,
                            .source = call->source,
                            .unit = lowering->unit,
                            .claims = call->claims,
                            .replaced = plan->units.rows[lowering->unit].replaced};
    launch->source.fp64 = plan->in.fp64;
    EVN_TRY(copy_text(plan, call->kernel, &launch->name));
    EVN_TRY(copy_text(plan, call->source.text, &launch->source.text));
    EVN_TRY(copy_text(plan, call->source.options, &launch->source.options));
    EVN_TRY(add_slots(plan, call));
    ++plan->launch_count;
    return EVN_OK;
}

static evn_status emit_result(evn__lowering *lowering, const evn__call *call) {
    evn_plan *plan = lowering->plan;
    const evn__unit *unit = &plan->units.rows[lowering->unit];
    if (!unit->epilogue) {
        return emit(lowering, call);
    }
    evn__call whole = *call;
    EVN_TRY(evn__elements_epilogue(&plan->units.elements, &unit->group, lowering, &whole));
    return emit(lowering, &whole);
}

evn__lowering evn__plan_lowering(evn_plan *plan, int unit) {
    static const evn__emitter emitter = {emit, emit_result, evn__plan_partial, scratch};
    return (evn__lowering){.emitter = &emitter,
                           .device = plan->in.device,
                           .fp64 = plan->in.fp64,
                           .plan = plan,
                           .unit = unit};
}

static evn_status lower_unit(evn_plan *plan, int unit) {
    evn__lowering lowering = evn__plan_lowering(plan, unit);
    if (plan->units.rows[unit].call) {
        return evn__lower_emit(&lowering, plan->units.rows[unit].call);
    }
    evn_value family = plan->units.rows[unit].group.family;
    if (family != EVN_NONE) {
        evn__op op = evn__node_at(plan->in.graph, family)->op;
        EVN_TRY(evn__lower_table[op](&lowering, plan->in.graph, family));
    }
    bool left = plan->units.rows[unit].epilogue && !lowering.attached;
    return plan->units.rows[unit].generated || left
               ? evn__elements_kernel(&plan->units.elements, &plan->units.rows[unit].group,
                                      &lowering)
               : EVN_OK;
}

/// The calls of prepared units number these.
static evn_status add_scratch(evn_plan *plan) {
    EVN_TRY(EVN_RESERVE(plan->scratch, plan->scratch_capacity, plan->units.scratch_count));
    for (int i = 0; i < plan->units.scratch_count; ++i) {
        plan->scratch[plan->scratch_count++] = (evn__scratch){plan->units.scratch[i], {0}};
    }
    return EVN_OK;
}

evn_status evn__plan_lower(evn_plan *plan) {
    EVN_TRY(add_scratch(plan));
    for (int i = 0; i < plan->units.order_count; ++i) {
        EVN_TRY(lower_unit(plan, plan->units.order[i]));
    }
    return EVN_OK;
}

evn_status evn__plan_check_reads(const evn_plan *plan) {
    int count = plan->in.graph->node_count;
    bool *written = NULL;
    if (plan->units.lanes) {
        return EVN_OK; // kernels over samples belong to no unit's values
    }
    EVN_TRY(EVN_NEW(&written, count + 1));
    evn_value missing = EVN_NONE;
    for (int i = 0; i < plan->launch_count; ++i) {
        const evn__launch *launch = &plan->launches[i];
        for (int k = 0; k < launch->slot_count; ++k) {
            const evn__slot *slot = &plan->slots[launch->first_slot + k];
            if (slot->kind == EVN__OPERAND_VALUE &&
                plan->units.elements.unit_of[slot->value] >= 0) {
                written[slot->value] |= launch->unit == plan->units.elements.unit_of[slot->value];
                missing = written[slot->value] ? missing : slot->value;
            }
        }
    }
    free(written);
    EVN_CHECK(missing == EVN_NONE, EVN_ERR_INTERNAL,
              "the plan reads value %d before a kernel writes it", missing);
    return EVN_OK;
}
