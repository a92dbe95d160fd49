// SPDX-License-Identifier: Apache-2.0
// Running a plan: places become buffers and offsets, launches are enqueued in order.
#include "plan/plan.h"
#include "plan/real.h"

static evn_status locate(const evn_plan *plan, const evn__bound *bound, const evn__place *place,
                         evn__argument *argument) {
    evn_binding at = {0};
    switch (place->home) {
    case EVN__HOME_INPUT:
        at = bound->inputs[place->index];
        break;
    case EVN__HOME_OUTPUT:
        at = bound->outputs[place->index];
        break;
    case EVN__HOME_TABLE:
        at.buffer = plan->tables;
        break;
    case EVN__HOME_SCRATCH:
        at.buffer = plan->memory;
        break;
    case EVN__HOME_SAVED:
        at = bound->saved;
        break;
    case EVN__HOME_NONE:
        EVN_FAIL(EVN_ERR_INTERNAL, "a kernel reads a value without memory");
    }
    EVN_CHECK(at.buffer, EVN_ERR_ARGUMENT, "nothing is bound to %s %d (%s)",
              place->home == EVN__HOME_INPUT ? "input" : "output", place->index,
              place->home == EVN__HOME_INPUT ? evn_graph_input_name(plan->graph, place->index)
                                             : evn_graph_output_name(plan->graph, place->index));
    *argument = (evn__argument){
        .kind = EVN__ARGUMENT_BUFFER, .buffer = at.buffer, .offset = at.offset + place->offset};
    return EVN_OK;
}

evn_status evn__plan_fill(const evn_plan *plan, const evn__bound *bound, const evn__slot *slot,
                          evn__argument *argument) {
    switch (slot->kind) {
    case EVN__OPERAND_INT:
        *argument = (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = slot->integer};
        return EVN_OK;
    case EVN__OPERAND_REAL:
        *argument = (evn__argument){.kind = EVN__ARGUMENT_REAL, .real = slot->real};
        return EVN_OK;
    case EVN__OPERAND_RUN_OFFSETS:
        *argument = (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = plan->one_run};
        return EVN_OK;
    default:
        return locate(plan, bound, &slot->place, argument);
    }
}

static evn_status run_launch(const evn_plan *plan, const evn__bound *bound,
                             const evn__launch *launch) {
    evn__argument arguments[EVN__OPERAND_CAPACITY];
    for (int i = 0; i < launch->slot_count; ++i) {
        EVN_TRY(evn__plan_fill(plan, bound, &plan->slots[launch->first_slot + i], &arguments[i]));
    }
    return evn__kernel_launch(launch->kernel, arguments, launch->slot_count, launch->range);
}

/// The plan's own memory for saved values, made when it is first asked for.
static evn_status own_saved(evn_plan *plan, evn_binding *saved) {
    if (!plan->saved && plan->saved_elements > 0) {
        EVN_TRY(evn__real_create(plan->device, plan->fp64, plan->saved_elements, &plan->saved));
    }
    *saved = (evn_binding){plan->saved, 0};
    return EVN_OK;
}

evn_status evn_plan_run_phase(evn_plan *plan, int phase, const evn_binding *inputs,
                              const evn_binding *outputs, const evn_binding *saved) {
    evn__bound bound = {inputs, outputs, {0}};
    if (saved) {
        bound.saved = *saved;
    } else {
        EVN_TRY(own_saved(plan, &bound.saved));
    }
    for (int i = 0; i < plan->launch_count; ++i) {
        if (plan->launches[i].phase == phase && !plan->launches[i].replaced) {
            EVN_TRY(run_launch(plan, &bound, &plan->launches[i]));
        }
    }
    return EVN_OK;
}

evn_status evn_plan_run(evn_plan *plan, const evn_binding *inputs, const evn_binding *outputs) {
    EVN_TRY(evn_plan_run_phase(plan, 0, inputs, outputs, NULL));
    return evn_plan_run_phase(plan, 1, inputs, outputs, NULL);
}
