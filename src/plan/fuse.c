// SPDX-License-Identifier: Apache-2.0
// Units: every kernel node is one; element-wise nodes over the same elements join when no path
// through another unit leads from one to the other. Then the order of execution.
#include "plan/fusion.h"

#include <stdlib.h>
#include <string.h>

// Not on record but for what they are for; rows of `evonode bench`, the adaptive steps and
// "kernels from nothing" of bench/scoreboard, show a change of the first three.
enum {
    MAX_MEMBERS = 48,   // keeps generated kernels small,
    MAX_READS = 10,     // and their arguments few,
    MAX_ARGUMENTS = 38, // so that sums find room among EVN__MAX_OPERANDS too
    SMALL = 2048,       // elements; less work than a launch
    MAX_REFUSED = 128,  // small units that do not join before the search for one that does ends
};

static bool is_kernel(const evn__fusion *f, evn_value value) {
    return evn__op_table[evn__node_at(f->in->graph, value)->op].class == EVN__CLASS_KERNEL;
}

/// Whether a generated kernel computes the value: element-wise nodes, and views and literals that
/// must have memory.
static bool is_member(const evn__fusion *f, evn_value value) {
    const evn__node *node = evn__node_at(f->in->graph, value);
    if (evn__op_table[node->op].class == EVN__CLASS_ELEMENT) {
        return f->classes->stored[value] ||
               !evn__elements_inline(f->in->graph, f->classes->held, value);
    }
    return f->classes->stored[value] && (evn__is_moving(node) || node->op == EVN__OP_CONSTANT);
}

static int resolve(const evn__fusion *f, evn_value value) {
    return f->units->elements.unit_of[evn__strip(f->in->graph, value)];
}

static evn_status add_unit(const evn__fusion *f, evn_value value) {
    EVN_TRY(EVN_RESERVE(f->units->rows, f->units->capacity, f->units->count + 1));
    f->units->rows[f->units->count] = (evn__unit){
        .group = {value, is_kernel(f, value) ? value : EVN_NONE, 0, EVN_NONE, EVN_NONE, 0},
        .generated = !is_kernel(f, value),
        .phase = f->classes->late[value]};
    f->units->elements.unit_of[value] = f->units->count++;
    return EVN_OK;
}

static int64_t elements(const evn__fusion *f, int unit) {
    return evn_shape_count(evn_value_shape(f->in->graph, f->units->rows[unit].group.first));
}

/// Values from elsewhere that the generated code of the two units reads, and the arguments that
/// this takes: those of a family are its kernel's.
static int reads(evn__fusion *f, int a, int b, int *arguments) {
    const int units[] = {a, b};
    *arguments = 0;
    evn__marks_clear(&f->read);
    evn__marks_clear(&f->met);
    for (int i = 0; i < (a == b ? 1 : 2); ++i) {
        for (int v = f->units->rows[units[i]].group.first; v != EVN_NONE;
             v = f->units->elements.next[v]) {
            const evn__node *node = evn__node_at(f->in->graph, v);
            bool family = f->units->rows[units[i]].group.family == v;
            for (int k = 0; !family && k < node->operand_count; ++k) {
                evn_value operand = evn__strip(f->in->graph, node->operands[k]);
                int unit = f->units->elements.unit_of[operand];
                if (unit < 0 || (unit != a && unit != b)) {
                    evn_value read = evn__read_by(f->in->graph, v, k);
                    evn__mark(&f->read, operand);
                    *arguments += evn__plan_arguments(f->in, f->classes, read, &f->met);
                }
            }
        }
    }
    return f->read.count;
}

static bool is_read_elsewhere(const evn__fusion *f, evn_value value, int a, int b) {
    for (int i = f->classes->first_reader[value]; i < f->classes->first_reader[value + 1]; ++i) {
        int unit = f->units->elements.unit_of[f->classes->readers[i]];
        if (unit != a && unit != b) {
            return true;
        }
    }
    return false;
}

/// Values of the two units that need memory: outputs, and what others read, as far as those are not
/// going to join. Each is an argument too.
static int writes(const evn__fusion *f, int a, int b) {
    const int units[] = {a, b};
    int count = 0;
    for (int i = 0; i < (a == b ? 1 : 2); ++i) {
        for (int v = f->units->rows[units[i]].group.first; v != EVN_NONE;
             v = f->units->elements.next[v]) {
            count += f->classes->stored[v] || is_read_elsewhere(f, v, a, b);
        }
    }
    return count;
}

/// @param inputs  arguments that they read
static bool have_room(const evn__fusion *f, int a, int b, int inputs) {
    return f->members[a] + f->members[b] + inputs <= MAX_ARGUMENTS ||
           writes(f, a, b) + inputs <= MAX_ARGUMENTS;
}

bool evn__fusion_has_room(evn__fusion *f, int a, int b) {
    int inputs;
    reads(f, a, b, &inputs);
    return have_room(f, a, b, inputs);
}

static bool stays_small(evn__fusion *f, int a, int b) {
    int inputs;
    return f->members[a] + f->members[b] <= MAX_MEMBERS && reads(f, a, b, &inputs) <= MAX_READS &&
           have_room(f, a, b, inputs);
}

static bool may_merge(evn__fusion *f, int a, int b) {
    bool in_order = f->label[a] < f->label[b];
    ++f->units->steps;
    return f->units->rows[a].generated && f->units->rows[b].generated &&
           f->units->rows[a].phase == f->units->rows[b].phase && elements(f, a) == elements(f, b) &&
           stays_small(f, a, b) && !evn__fusion_has_detour(f, in_order ? a : b, in_order ? b : a);
}

static evn_status merge_with_operands(evn__fusion *f, evn_value value) {
    const evn__node *node = evn__node_at(f->in->graph, value);
    if (evn__op_table[node->op].class != EVN__CLASS_ELEMENT) {
        return EVN_OK;
    }
    for (int k = 0; k < node->operand_count; ++k) {
        int own = f->units->elements.unit_of[value], other = resolve(f, node->operands[k]);
        if (other >= 0 && other != own && may_merge(f, other, own)) {
            EVN_TRY(evn__fusion_merge(f, other, own));
        }
    }
    return EVN_OK;
}

static evn_status make_units(evn__fusion *f) {
    const evn_graph *g = f->in->graph;
    for (int v = 0; v < g->node_count; ++v) {
        if (!f->classes->needed[v] || !(is_kernel(f, v) || is_member(f, v))) {
            continue;
        }
        EVN_TRY(add_unit(f, v));
        f->members[f->units->elements.unit_of[v]] = 1;
        evn__fusion_append(f, f->units->elements.unit_of[v]);
        if (f->in->fuse && !evn__elements_inline(f->in->graph, f->classes->held, v)) {
            EVN_TRY(merge_with_operands(f, v));
        }
    }
    return EVN_OK;
}

/// A small unit and its shape.
typedef struct small {
    int phase;
    evn_shape shape;
    int unit;
} small;

static int compare_shapes(const small *a, const small *b) {
    if (a->phase != b->phase || a->shape.rank != b->shape.rank) {
        return a->phase != b->phase ? a->phase - b->phase : a->shape.rank - b->shape.rank;
    }
    for (int i = 0; i < a->shape.rank; ++i) {
        if (a->shape.dim[i] != b->shape.dim[i]) {
            return a->shape.dim[i] < b->shape.dim[i] ? -1 : 1;
        }
    }
    return 0;
}

static int compare_small(const void *a, const void *b) {
    const small *x = a, *y = b;
    int order = compare_shapes(x, y);
    return order ? order : x->unit - y->unit;
}

/// next[unit]: the next small unit of the same phase and shape; −1: none.
static evn_status list_small(const evn__fusion *f, int *next) {
    small *rows = NULL;
    int count = 0;
    EVN_TRY(EVN_NEW(&rows, f->units->count + 1));
    for (int unit = 0; unit < f->units->count; ++unit) {
        const evn__unit *u = &f->units->rows[unit];
        next[unit] = -1;
        if (!u->dead && u->generated && elements(f, unit) <= SMALL) {
            rows[count++] = (small){u->phase, evn_value_shape(f->in->graph, u->group.first), unit};
        }
    }
    qsort(rows, (size_t)count, sizeof(*rows), compare_small);
    for (int i = 1; i < count; ++i) {
        if (compare_shapes(&rows[i - 1], &rows[i]) == 0) {
            next[rows[i - 1].unit] = rows[i].unit;
        }
    }
    free(rows);
    return EVN_OK;
}

/// Small units side by side, such as updates of many biases: one launch, where several would cost
/// more than the work.
static evn_status merge_neighbours(evn__fusion *f) {
    int *next = NULL;
    EVN_TRY(EVN_NEW(&next, f->units->count + 1));
    evn_status status = list_small(f, next);
    for (int a = 0; a < f->units->count && status == EVN_OK; ++a) {
        int refused = 0;
        evn__marks_clear(&f->behind);
        f->behind_of = a;
        for (int last = a, b = next[a]; b >= 0 && !f->units->rows[a].dead && refused < MAX_REFUSED;
             b = next[last]) {
            if (!may_merge(f, a, b)) {
                last = b;
                ++refused;
                continue;
            }
            status = evn__fusion_merge(f, a, b);
            next[last] = next[b];
        }
    }
    free(next);
    return status;
}

// Order -------------------------------------------------------------------------------------------

/// Depth-first: what a unit reads comes before it, in the order of the graph.
static void visit(evn__fusion *f, int unit);

static void visit_sources(evn__fusion *f, evn_value value) {
    const evn__node *node = evn__node_at(f->in->graph, value);
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value operand = evn__strip(f->in->graph, node->operands[k]);
        if (f->units->elements.unit_of[operand] >= 0) {
            visit(f, f->units->elements.unit_of[operand]);
        } else if (evn__mark(&f->met, operand)) {
            visit_sources(f, operand);
        }
    }
}

static void visit(evn__fusion *f, int unit) {
    if (!evn__mark(&f->seen, unit)) {
        return;
    }
    for (int v = f->units->rows[unit].group.first; v != EVN_NONE; v = f->units->elements.next[v]) {
        visit_sources(f, v);
    }
    f->units->rows[unit].place = f->units->order_count;
    f->units->order[f->units->order_count++] = unit;
}

static evn_status order_units(evn__fusion *f) {
    f->units->order = evn__arena_alloc(f->in->arena, sizeof(int) * (size_t)(f->units->count + 1));
    EVN_CHECK(f->units->order, EVN_ERR_MEMORY, "no memory to order %d kernels", f->units->count);
    evn__marks_clear(&f->seen);
    evn__marks_clear(&f->met);
    for (int phase = 0; phase < 2; ++phase) {
        for (int v = 0; v < f->in->graph->node_count; ++v) {
            int unit = f->units->elements.unit_of[v];
            if (unit >= 0 && f->units->rows[unit].phase == phase) {
                visit(f, unit);
            }
        }
    }
    return EVN_OK;
}

static evn_status allocate(evn__fusion *f) {
    int count = f->in->graph->node_count + 1;
    int **const numbers[] = {&f->behind.at, &f->read.at, &f->met.at, &f->seen.at,
                             &f->members,   &f->found,   &f->before, &f->after};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); ++i) {
        EVN_TRY(EVN_NEW(numbers[i], count));
    }
    return EVN_NEW(&f->label, count);
}

static void release(evn__fusion *f) {
    free(f->behind.at);
    free(f->read.at);
    free(f->met.at);
    free(f->seen.at);
    free(f->members);
    free(f->found);
    free(f->before);
    free(f->after);
    free(f->label);
}

/// What the pass leaves per value: nothing is in a unit yet.
static evn_status allocate_elements(evn__fusion *f) {
    size_t count = (size_t)f->in->graph->node_count + 1;
    evn__elements *e = &f->units->elements;
    evn__arena *arena = f->in->arena;
    int **const numbers[] = {&e->unit_of, &e->next, &e->number, &e->numbered.at};
    *e = (evn__elements){.graph = f->in->graph, .arena = arena, .held = f->classes->held};
    e->stored = evn__arena_alloc(arena, count * sizeof(bool));
    e->crosses = evn__arena_alloc(arena, count * sizeof(bool));
    e->partials = evn__arena_alloc(arena, count * sizeof(evn__partial));
    bool fits = e->stored && e->crosses && e->partials;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); ++i) {
        *numbers[i] = evn__arena_alloc(arena, count * sizeof(int));
        fits = fits && *numbers[i];
    }
    EVN_CHECK(fits, EVN_ERR_MEMORY, "no memory to fuse %zu nodes", count);
    memcpy(e->stored, f->classes->stored, (count - 1) * sizeof(bool));
    memset(e->unit_of, 0xff, count * sizeof(int)); // −1: none
    memset(e->next, 0xff, count * sizeof(int));
    return EVN_OK;
}

static evn_status fuse(evn__fusion *f) {
    EVN_TRY(allocate(f));
    EVN_TRY(allocate_elements(f));
    EVN_TRY(make_units(f));
    if (f->in->fuse) {
        EVN_TRY(evn__plan_attach(f));
        EVN_TRY(merge_neighbours(f));
        evn__plan_begin_sums(f);
    }
    EVN_TRY(evn__plan_store_crossing(f));
    return order_units(f);
}

evn_status evn__plan_fuse(const evn__plan_input *in, const evn__classes *classes,
                          evn__units *units) {
    evn__fusion f = {
        .in = in, .classes = classes, .units = units, .head = -1, .last = -1, .behind_of = -1};
    evn_status status = fuse(&f);
    release(&f);
    return status;
}
