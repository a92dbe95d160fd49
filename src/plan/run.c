// SPDX-License-Identifier: Apache-2.0
// Running a plan: bindings are checked, places become buffers and offsets, launches are enqueued in
// order.
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
        at.buffer = plan->memory.tables;
        break;
    case EVN__HOME_SCRATCH:
        at.buffer = plan->memory.scratch;
        break;
    case EVN__HOME_SAVED:
        at = bound->saved;
        break;
    case EVN__HOME_NONE:
        EVN_FAIL(EVN_ERR_INTERNAL, "a kernel reads a value without memory");
    }
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
        *argument = (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = plan->memory.one_run};
        return EVN_OK;
    default:
        return locate(plan, bound, evn__plan_place_of(plan, slot), argument);
    }
}

static evn_status run_launch(const evn_plan *plan, const evn__bound *bound, int index) {
    const evn__launch *launch = &plan->launches.rows[index];
    evn__argument arguments[EVN__OPERAND_CAPACITY];
    for (int i = 0; i < launch->slot_count; ++i) {
        EVN_TRY(evn__plan_fill(plan, bound, &plan->launches.slots[launch->first_slot + i],
                               &arguments[i]));
    }
    return evn__kernel_launch(plan->kernels[index], arguments, launch->slot_count, launch->range);
}

// Bindings are checked before anything is enqueued ------------------------------------------------

evn_status evn__plan_measure_ports(const evn__plan_input *in, size_t **port_elements) {
    const evn_graph *g = in->graph;
    int count = g->input_count + g->output_count;
    size_t *elements = evn__arena_alloc(in->arena, sizeof(size_t) * ((size_t)count + 1));
    EVN_CHECK(elements, EVN_ERR_MEMORY, "no memory for a plan of %d ports", count);
    for (int i = 0; i < count; ++i) {
        const evn__port *port =
            i < g->input_count ? &g->inputs[i] : &g->outputs[i - g->input_count];
        elements[i] = (size_t)evn_shape_count(evn__node_at(g, port->value)->shape);
    }
    *port_elements = elements;
    return EVN_OK;
}

/// A run takes a few microseconds: this takes a few nanoseconds a port.
static inline bool has_room(const evn_plan *plan, const evn_binding *at, size_t count) {
    if (!at->buffer) {
        return false;
    }
    size_t elements = evn_buffer_bytes(at->buffer) >> (plan->in.fp64 ? 3 : 2);
    return at->offset <= elements && count <= elements - at->offset;
}

/// Those that phase 0 ignores may be anything: `early` leaves them out.
static evn_status check_ports(const evn_plan *plan, const evn__port *ports, int count,
                              const size_t *elements, bool early, const evn_binding *bindings,
                              const char *kind) {
    EVN_CHECK(bindings || count == 0, EVN_ERR_ARGUMENT, "a plan runs without bindings of its %ss",
              kind);
    for (int i = 0; i < count; ++i) {
        if (!has_room(plan, &bindings[i], elements[i]) &&
            !(early && plan->classes.late[ports[i].value])) {
            EVN_TRY(evn__real_check(bindings[i], plan->in.fp64, elements[i], kind, ports[i].name));
        }
    }
    return EVN_OK;
}

/// Index of the first of `count` bindings that shares memory with `at`; −1: none does.
static int find_overlap(evn_binding at, size_t size, const evn_binding *bindings,
                        const size_t *elements, int count) {
    for (int i = 0; i < count; ++i) {
        if (evn__real_overlap(at, size, bindings[i], elements[i])) {
            return i;
        }
    }
    return -1;
}

/// Every output against all inputs and the outputs before it: only where that takes no time that
/// could be measured beside the launches.
static evn_status check_overlaps(const evn_plan *plan, const evn_binding *inputs,
                                 const evn_binding *outputs) {
    enum { MAX_PAIRS = 128 };
    const evn_graph *g = plan->in.graph;
    const size_t *in = plan->port_elements, *out = in + g->input_count;
    int count =
        g->output_count * (g->input_count + g->output_count) <= MAX_PAIRS ? g->output_count : 0;
    for (int i = 0; i < count; ++i) {
        int input = find_overlap(outputs[i], out[i], inputs, in, g->input_count);
        int output = input < 0 ? find_overlap(outputs[i], out[i], outputs, out, i) : -1;
        EVN_CHECK(input < 0 && output < 0, EVN_ERR_ARGUMENT,
                  "output %s is bound to memory of %s %s; bind memory of its own",
                  g->outputs[i].name, input >= 0 ? "input" : "output",
                  input >= 0 ? g->inputs[input].name : g->outputs[output].name);
    }
    return EVN_OK;
}

static evn_status check(const evn_plan *plan, bool early, const evn_binding *inputs,
                        const evn_binding *outputs) {
    const evn_graph *g = plan->in.graph;
    const size_t *in = plan->port_elements, *out = in + g->input_count;
    EVN_TRY(check_ports(plan, g->inputs, g->input_count, in, early, inputs, "input"));
    EVN_TRY(check_ports(plan, g->outputs, g->output_count, out, early, outputs, "output"));
    return early ? EVN_OK : check_overlaps(plan, inputs, outputs);
}

// Running -----------------------------------------------------------------------------------------

/// The plan's own memory for saved values, made when it is first asked for.
static evn_status own_saved(evn_plan *plan, evn_binding *saved) {
    if (!plan->saved && plan->memory.saved_elements > 0) {
        EVN_TRY(evn__real_create(plan->in.device, plan->in.fp64, plan->memory.saved_elements,
                                 &plan->saved));
    }
    *saved = (evn_binding){plan->saved, 0};
    return EVN_OK;
}

static evn_status run_phase(const evn_plan *plan, int phase, const evn__bound *bound) {
    for (int i = 0; i < plan->launches.count; ++i) {
        if (plan->launches.rows[i].phase == phase && !plan->launches.rows[i].replaced) {
            EVN_TRY(run_launch(plan, bound, i));
        }
    }
    return EVN_OK;
}

evn_status evn_plan_run_phase(evn_plan *plan, int phase, const evn_binding *inputs,
                              const evn_binding *outputs, const evn_binding *saved) {
    EVN_REQUIRE(plan);
    EVN_CHECK(phase == 0 || phase == 1, EVN_ERR_ARGUMENT, "a plan has phases 0 and 1, not %d",
              phase);
    EVN_TRY(check(plan, phase == 0 && plan->phased, inputs, outputs));
    evn__bound bound = {inputs, outputs, {0}};
    if (!saved) {
        EVN_TRY(own_saved(plan, &bound.saved));
    } else if (plan->memory.saved_elements > 0) {
        EVN_TRY(
            evn__real_check(*saved, plan->in.fp64, plan->memory.saved_elements, "memory", "saved"));
        bound.saved = *saved;
    }
    return run_phase(plan, phase, &bound);
}

evn_status evn_plan_run(evn_plan *plan, const evn_binding *inputs, const evn_binding *outputs) {
    EVN_REQUIRE(plan);
    EVN_TRY(check(plan, false, inputs, outputs));
    evn__bound bound = {inputs, outputs, {0}};
    EVN_TRY(own_saved(plan, &bound.saved));
    EVN_TRY(run_phase(plan, 0, &bound));
    return run_phase(plan, 1, &bound);
}
