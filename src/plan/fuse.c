// SPDX-License-Identifier: Apache-2.0
// Units: every kernel node is one; element-wise nodes over the same elements join when no path
// through another unit leads from one to the other. Then the order of execution.
#include "plan/fusion.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_MEMBERS = 48,   // keeps generated kernels small,
    MAX_READS = 10,     // and their arguments few,
    MAX_ARGUMENTS = 38, // so that sums find room among EVN__MAX_OPERANDS too
    SMALL = 2048,       // elements; less work than a launch
};

static bool is_kernel(const evn_plan *plan, evn_value value) {
    return evn__op_table[evn__node_at(plan->graph, value)->op].class == EVN__CLASS_KERNEL;
}

/// Whether a generated kernel computes the value: element-wise nodes, and views and literals that
/// must have memory.
static bool is_member(const evn_plan *plan, evn_value value) {
    const evn__node *node = evn__node_at(plan->graph, value);
    if (evn__op_table[node->op].class == EVN__CLASS_ELEMENT) {
        return plan->stored[value] || !evn__plan_is_inline_scalar(plan, value);
    }
    return plan->stored[value] && (evn__plan_is_moving(node) || node->op == EVN__OP_CONSTANT);
}

static int resolve(const evn_plan *plan, evn_value value) {
    return plan->unit_of[evn__plan_strip(plan->graph, value)];
}

static evn_status add_unit(evn_plan *plan, evn_value value) {
    EVN_TRY(EVN_RESERVE(plan->units, plan->unit_capacity, plan->unit_count + 1));
    plan->units[plan->unit_count] = (evn__unit){.first = value,
                                                .family = is_kernel(plan, value) ? value : EVN_NONE,
                                                .generated = !is_kernel(plan, value),
                                                .phase = plan->late[value]};
    plan->unit_of[value] = plan->unit_count++;
    return EVN_OK;
}

/// Append the units that `value` reads, through views and inline scalars.
static void push_sources(evn__fusion *f, evn_value value, int *depth) {
    const evn__node *node = evn__node_at(f->plan->graph, value);
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value operand = evn__plan_strip(f->plan->graph, node->operands[k]);
        int unit = f->plan->unit_of[operand];
        if (unit < 0) {
            push_sources(f, operand, depth); // a view, an inline scalar, a leaf
        } else if (!f->seen[unit]) {
            f->seen[unit] = true;
            f->stack[(*depth)++] = unit;
        }
    }
}

/// Whether `value` reads of unit `from` under another index than its own, or a scalar made of it.
static bool reads_moved(const evn_plan *plan, evn_value value, int from) {
    const evn__node *node = evn__node_at(plan->graph, value);
    bool moved = evn__plan_is_moving(node) || plan->unit_of[value] < 0;
    for (int k = 0; k < node->operand_count; ++k) {
        int unit = resolve(plan, node->operands[k]);
        if ((moved && unit == from) ||
            (unit < 0 &&
             reads_moved(plan, evn__plan_strip(plan->graph, node->operands[k]), from))) {
            return true;
        }
    }
    return false;
}

bool evn__fusion_has_detour(evn__fusion *f, int from, int to) {
    const evn_plan *plan = f->plan;
    int depth = 0;
    memset(f->seen, 0, sizeof(bool) * (size_t)plan->unit_count);
    f->seen[to] = true;
    f->seen[from] = true; // a direct edge is no detour
    for (int v = 0; v < plan->graph->node_count; ++v) {
        if (plan->unit_of[v] == to) {
            if (reads_moved(plan, v, from)) {
                return true;
            }
            push_sources(f, v, &depth);
        }
    }
    f->seen[from] = false;
    while (depth > 0) {
        int unit = f->stack[--depth];
        if (unit == from) {
            return true;
        }
        for (int v = plan->units[unit].first; v < plan->graph->node_count; ++v) {
            if (plan->unit_of[v] == unit) {
                push_sources(f, v, &depth);
            }
        }
    }
    return false;
}

static int64_t elements(const evn_plan *plan, int unit) {
    return evn_shape_count(evn_value_shape(plan->graph, plan->units[unit].first));
}

/// Values from elsewhere that the two units read, and the arguments that this takes.
static int reads(evn__fusion *f, int a, int b, int *arguments) {
    const evn_plan *plan = f->plan;
    int count = 0;
    *arguments = 0;
    memset(f->read, 0, sizeof(bool) * (size_t)plan->graph->node_count);
    memset(f->met, 0, sizeof(bool) * (size_t)plan->graph->node_count);
    for (int v = 0; v < plan->graph->node_count; ++v) {
        const evn__node *node = evn__node_at(plan->graph, v);
        bool member = plan->unit_of[v] == a || plan->unit_of[v] == b;
        for (int k = 0; member && k < node->operand_count; ++k) {
            evn_value source = evn__plan_strip(plan->graph, node->operands[k]);
            int unit = plan->unit_of[source];
            bool elsewhere = unit < 0 || (unit != a && unit != b);
            count += !f->read[source] && elsewhere;
            f->read[source] = true;
            *arguments += elsewhere ? evn__plan_arguments(plan, source, f->met) : 0;
        }
    }
    return count;
}

/// Values of the two units that need memory: outputs, and what others read, as far as those are not
/// going to join. Each is an argument too.
static int writes(evn__fusion *f, int a, int b) {
    const evn_plan *plan = f->plan;
    int count = 0;
    memcpy(f->read, plan->stored, sizeof(bool) * (size_t)plan->graph->node_count);
    for (int v = 0; v < plan->graph->node_count; ++v) {
        const evn__node *node = evn__node_at(plan->graph, v);
        bool outside = plan->needed[v] && plan->unit_of[v] != a && plan->unit_of[v] != b;
        for (int k = 0; outside && k < node->operand_count; ++k) {
            f->read[evn__plan_strip(plan->graph, node->operands[k])] = true;
        }
    }
    for (int v = 0; v < plan->graph->node_count; ++v) {
        count += f->read[v] && (plan->unit_of[v] == a || plan->unit_of[v] == b);
    }
    return count;
}

static bool has_room(evn__fusion *f, int a, int b) {
    int inputs;
    return reads(f, a, b, &inputs) <= MAX_READS &&
           (f->members[a] + f->members[b] + inputs <= MAX_ARGUMENTS ||
            writes(f, a, b) + inputs <= MAX_ARGUMENTS);
}

static bool may_merge(evn__fusion *f, int a, int b) {
    const evn_plan *plan = f->plan;
    return plan->units[a].generated && plan->units[b].generated &&
           plan->units[a].phase == plan->units[b].phase && elements(plan, a) == elements(plan, b) &&
           f->members[a] + f->members[b] <= MAX_MEMBERS && has_room(f, a, b) &&
           !evn__fusion_has_detour(f, a, b) && !evn__fusion_has_detour(f, b, a);
}

void evn__fusion_merge(evn__fusion *f, int kept, int gone) {
    evn_plan *plan = f->plan;
    for (int v = plan->units[gone].first; v < plan->graph->node_count; ++v) {
        if (plan->unit_of[v] == gone) {
            plan->unit_of[v] = kept;
        }
    }
    if (plan->units[gone].first < plan->units[kept].first) {
        plan->units[kept].first = plan->units[gone].first;
    }
    plan->units[gone].dead = true;
    f->members[kept] += f->members[gone];
}

static void merge_with_operands(evn__fusion *f, evn_value value) {
    evn_plan *plan = f->plan;
    const evn__node *node = evn__node_at(plan->graph, value);
    if (evn__op_table[node->op].class != EVN__CLASS_ELEMENT) {
        return;
    }
    for (int k = 0; k < node->operand_count; ++k) {
        int own = plan->unit_of[value], other = resolve(plan, node->operands[k]);
        if (other >= 0 && other != own && may_merge(f, other, own)) {
            evn__fusion_merge(f, other, own);
        }
    }
}

static evn_status make_units(evn__fusion *f) {
    evn_plan *plan = f->plan;
    const evn_graph *g = plan->graph;
    memset(plan->unit_of, 0xff, sizeof(int) * (size_t)g->node_count); // −1: no unit
    for (int v = 0; v < g->node_count; ++v) {
        if (!plan->needed[v] || !(is_kernel(plan, v) || is_member(plan, v))) {
            continue;
        }
        EVN_TRY(add_unit(plan, v));
        f->members[plan->unit_of[v]] = 1;
        if (plan->fuse && !evn__plan_is_inline_scalar(plan, v)) {
            merge_with_operands(f, v);
        }
    }
    return EVN_OK;
}

static bool shares_shape(const evn_plan *plan, int a, int b) {
    return evn_shape_equal(evn_value_shape(plan->graph, plan->units[a].first),
                           evn_value_shape(plan->graph, plan->units[b].first));
}

/// Small units side by side, such as updates of many biases: one launch, where several would cost
/// more than the work.
static void merge_neighbours(evn__fusion *f) {
    evn_plan *plan = f->plan;
    for (int a = 0; a < plan->unit_count; ++a) {
        for (int b = a + 1; b < plan->unit_count && elements(plan, a) <= SMALL; ++b) {
            if (!plan->units[a].dead && !plan->units[b].dead && shares_shape(plan, a, b) &&
                may_merge(f, a, b)) {
                evn__fusion_merge(f, a, b);
            }
        }
    }
}

// Order -------------------------------------------------------------------------------------------

/// Depth-first: what a unit reads comes before it, in the order of the graph.
static void visit(evn_plan *plan, int unit, bool *done);

static void visit_sources(evn_plan *plan, evn_value value, bool *done) {
    const evn__node *node = evn__node_at(plan->graph, value);
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value operand = evn__plan_strip(plan->graph, node->operands[k]);
        if (plan->unit_of[operand] >= 0) {
            visit(plan, plan->unit_of[operand], done);
        } else {
            visit_sources(plan, operand, done);
        }
    }
}

static void visit(evn_plan *plan, int unit, bool *done) {
    if (done[unit]) {
        return;
    }
    done[unit] = true;
    for (int v = plan->units[unit].first; v < plan->graph->node_count; ++v) {
        if (plan->unit_of[v] == unit) {
            visit_sources(plan, v, done);
        }
    }
    plan->units[unit].place = plan->order_count;
    plan->order[plan->order_count++] = unit;
}

static evn_status order_units(evn_plan *plan, bool *done) {
    plan->order = evn__arena_alloc(&plan->arena, sizeof(int) * (size_t)(plan->unit_count + 1));
    EVN_CHECK(plan->order, EVN_ERR_MEMORY, "no memory to order %d kernels", plan->unit_count);
    memset(done, 0, sizeof(bool) * (size_t)plan->graph->node_count);
    for (int phase = 0; phase < 2; ++phase) {
        for (int v = 0; v < plan->graph->node_count; ++v) {
            int unit = plan->unit_of[v];
            if (unit >= 0 && plan->units[unit].phase == phase) {
                visit(plan, unit, done);
            }
        }
    }
    return EVN_OK;
}

evn_status evn__plan_fuse(evn_plan *plan) {
    evn__fusion f = {.plan = plan};
    size_t count = (size_t)plan->graph->node_count + 1;
    f.seen = evn__arena_alloc(&plan->arena, sizeof(bool) * count);
    f.read = evn__arena_alloc(&plan->arena, sizeof(bool) * count);
    f.met = evn__arena_alloc(&plan->arena, sizeof(bool) * count);
    f.stack = evn__arena_alloc(&plan->arena, sizeof(int) * count);
    f.members = evn__arena_alloc(&plan->arena, sizeof(int) * count);
    EVN_CHECK(f.seen && f.read && f.met && f.stack && f.members, EVN_ERR_MEMORY,
              "no memory to fuse %zu nodes", count);
    EVN_TRY(make_units(&f));
    if (plan->fuse) {
        evn__plan_attach(&f);
        merge_neighbours(&f);
        evn__plan_begin_sums(plan);
    }
    EVN_TRY(evn__plan_store_crossing(plan));
    return order_units(plan, f.seen);
}
