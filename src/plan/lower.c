// SPDX-License-Identifier: Apache-2.0
// Units → launches.
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The pass: what it reads and what it leaves.
typedef struct evn__lowering_pass {
    const evn__plan_input *in;
    evn__units *units;
    evn__launches *launches;
} evn__lowering_pass;

static evn__operand scratch(evn__lowering *lowering, int64_t elements) {
    evn__lowering_pass *pass = lowering->pass;
    evn__operand operand = {.kind = EVN__OPERAND_SCRATCH, .scratch = -1};
    if (EVN_RESERVE(pass->launches->scratch, pass->launches->scratch_capacity,
                    pass->launches->scratch_count + 1) == EVN_OK) {
        operand.scratch = pass->launches->scratch_count++;
        pass->launches->scratch[operand.scratch] = elements;
    }
    return operand; // emit reports the failure
}

static evn_status add_slots(evn__lowering_pass *pass, const evn__call *call) {
    EVN_TRY(EVN_RESERVE(pass->launches->slots, pass->launches->slot_capacity,
                        pass->launches->slot_count + call->operand_count));
    for (int i = 0; i < call->operand_count; ++i) {
        const evn__operand *operand = &call->operands[i];
        EVN_CHECK(operand->kind != EVN__OPERAND_SCRATCH || operand->scratch >= 0, EVN_ERR_MEMORY,
                  "no memory for the scratch list of %s", call->kernel);
        pass->launches->slots[pass->launches->slot_count++] =
            (evn__slot){.kind = operand->kind,
                        .value = operand->kind == EVN__OPERAND_VALUE
                                     ? evn__strip(pass->in->graph, operand->value)
                                     : EVN_NONE,
                        .scratch = operand->scratch,
                        .integer = operand->integer,
                        .real = operand->real,
                        .written = operand->written};
    }
    return EVN_OK;
}

static evn_status copy_text(evn__lowering_pass *pass, const char *text, const char **copy) {
    *copy = text ? evn__arena_string(pass->in->arena, text) : NULL;
    EVN_CHECK(!text || *copy, EVN_ERR_MEMORY, "no memory for the text of a kernel");
    return EVN_OK;
}

static evn_status emit(evn__lowering *lowering, const evn__call *call) {
    evn__lowering_pass *pass = lowering->pass;
    EVN_TRY(EVN_RESERVE(pass->launches->rows, pass->launches->capacity, pass->launches->count + 1));
    evn__launch *launch = &pass->launches->rows[pass->launches->count];
    *launch = (evn__launch){.range = call->range,
                            .first_slot = pass->launches->slot_count,
                            .slot_count = call->operand_count,
                            .phase = pass->units->rows[lowering->unit].phase,
                            .source = call->source,
                            .unit = lowering->unit,
                            .claims = call->claims,
                            .replaced = pass->units->rows[lowering->unit].replaced};
    launch->source.fp64 = pass->in->fp64;
    EVN_TRY(copy_text(pass, call->kernel, &launch->name));
    EVN_TRY(copy_text(pass, call->source.text, &launch->source.text));
    EVN_TRY(copy_text(pass, call->source.options, &launch->source.options));
    EVN_TRY(add_slots(pass, call));
    ++pass->launches->count;
    return EVN_OK;
}

static evn_status emit_result(evn__lowering *lowering, const evn__call *call) {
    evn__lowering_pass *pass = lowering->pass;
    const evn__unit *unit = &pass->units->rows[lowering->unit];
    if (!unit->epilogue) {
        return emit(lowering, call);
    }
    evn__call whole = *call;
    EVN_TRY(evn__elements_epilogue(&pass->units->elements, &unit->group, lowering, &whole));
    return emit(lowering, &whole);
}

/// As evn__lower_partial.
static bool begun(const evn__lowering *lowering, evn_value sum, evn__operand *rows,
                  int64_t *count) {
    const evn__partial *partial = &lowering->pass->units->elements.partials[sum];
    if (partial->begun) {
        *rows = partial->rows;
        *count = partial->count;
    }
    return partial->begun;
}

static evn__lowering lowering_of(evn__lowering_pass *pass, int unit) {
    static const evn__emitter emitter = {emit, emit_result, begun, scratch};
    return (evn__lowering){.emitter = &emitter,
                           .device = pass->in->device,
                           .fp64 = pass->in->fp64,
                           .pass = pass,
                           .unit = unit};
}

static evn_status lower_unit(evn__lowering_pass *pass, int unit) {
    evn__lowering lowering = lowering_of(pass, unit);
    if (pass->units->rows[unit].call) {
        return evn__lower_emit(&lowering, pass->units->rows[unit].call);
    }
    evn_value family = pass->units->rows[unit].group.family;
    if (family != EVN_NONE) {
        evn__op op = evn__node_at(pass->in->graph, family)->op;
        EVN_TRY(evn__lower_table[op](&lowering, pass->in->graph, family));
    }
    bool left = pass->units->rows[unit].epilogue && !lowering.attached;
    return pass->units->rows[unit].generated || left
               ? evn__elements_kernel(&pass->units->elements, &pass->units->rows[unit].group,
                                      &lowering)
               : EVN_OK;
}

/// The calls of prepared units number these.
static evn_status add_scratch(evn__lowering_pass *pass) {
    EVN_TRY(EVN_RESERVE(pass->launches->scratch, pass->launches->scratch_capacity,
                        pass->units->scratch_count));
    for (int i = 0; i < pass->units->scratch_count; ++i) {
        pass->launches->scratch[pass->launches->scratch_count++] = pass->units->scratch[i];
    }
    return EVN_OK;
}

evn_status evn__plan_lower(const evn__plan_input *in, evn__units *units, evn__launches *launches) {
    evn__lowering_pass pass = {in, units, launches};
    EVN_TRY(add_scratch(&pass));
    for (int i = 0; i < units->order_count; ++i) {
        EVN_TRY(lower_unit(&pass, units->order[i]));
    }
    return EVN_OK;
}

evn_status evn__plan_check_reads(const evn__plan_input *in, const evn__units *units,
                                 const evn__launches *launches) {
    int count = in->graph->node_count;
    bool *written = NULL;
    if (units->lanes) {
        return EVN_OK; // kernels over samples belong to no unit's values
    }
    EVN_TRY(EVN_NEW(&written, count + 1));
    evn_value missing = EVN_NONE;
    for (int i = 0; i < launches->count; ++i) {
        const evn__launch *launch = &launches->rows[i];
        for (int k = 0; k < launch->slot_count; ++k) {
            const evn__slot *slot = &launches->slots[launch->first_slot + k];
            if (slot->kind == EVN__OPERAND_VALUE && units->elements.unit_of[slot->value] >= 0) {
                written[slot->value] |= launch->unit == units->elements.unit_of[slot->value];
                missing = written[slot->value] ? missing : slot->value;
            }
        }
    }
    free(written);
    EVN_CHECK(missing == EVN_NONE, EVN_ERR_INTERNAL,
              "the plan reads value %d before a kernel writes it", missing);
    return EVN_OK;
}
