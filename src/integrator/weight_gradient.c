// SPDX-License-Identifier: Apache-2.0
#include "integrator/weight_gradient.h"

#include "graph/node.h"
#include "plan/build.h"
#include "plan/plan.h"
#include "plan/real.h"
#include <stdio.h>
#include <stdlib.h>

/// The products of one step for one parameter, all of one shape.
typedef struct entry {
    int parameter, terms;
    int64_t rows, columns[EVN__SIDES];
    int state[EVN__SIDES];    ///< the state that an operand is, -1: it is stacked
    size_t stack[EVN__SIDES]; ///< offsets in memory: [steps, terms, rows, columns]
    size_t sum, size;         ///< sums that are added up: before and after, [2][M, N]
} entry;

struct evn__weight_gradient {
    int steps, count;
    bool fp64;
    const evn__layout *layout; ///< of the states; NULL: sums of many times `steps` are added up
    int now;                   ///< which of two results
    entry *entries;
    evn_plan *plan;
    evn_buffer *memory;
    evn_binding *inputs, *outputs; ///< of the plan
};

// Finding the products ----------------------------------------------------------------------------

/// The value behind broadcasts and reshapes, if its elements are those of axis `axis` of a matrix.
static evn_value along(const evn_graph *graph, evn_value value, int axis) {
    const evn__node *node = evn__node_at(graph, value);
    if (node->op != EVN__OP_BROADCAST) {
        return EVN_NONE;
    }
    evn_shape from = evn_value_shape(graph, node->operands[0]);
    bool fits = from.rank == 2 && from.dim[axis] == node->shape.dim[axis] && from.dim[!axis] == 1;
    return fits ? evn__strip(graph, node->operands[0]) : EVN_NONE;
}

static bool find_product(const evn_graph *graph, const evn__node *node, evn__product *p) {
    if (node->shape.rank != 2) {
        return false;
    }
    *p = (evn__product){.rows = 1, .columns = {node->shape.dim[0], node->shape.dim[1]}};
    for (int i = 0; i < EVN__SIDES; ++i) {
        if (node->op == EVN__OP_MUL) { // how vjp writes a product of one row
            p->side[i] = along(graph, node->operands[i], i);
        } else if (node->op == EVN__OP_MATMUL && node->attributes.transpose_a &&
                   !node->attributes.transpose_b) {
            p->side[i] = node->operands[i];
            p->rows = evn_value_shape(graph, node->operands[i]).dim[0];
        } else {
            return false;
        }
    }
    return p->side[EVN__LEFT] != EVN_NONE && p->side[EVN__RIGHT] != EVN_NONE;
}

/// Appends the products that `value` is the sum of.
static bool find_sum(const evn_graph *graph, evn_value value, evn__product *terms, int *count) {
    const evn__node *node = evn__node_at(graph, value);
    if (node->op == EVN__OP_ADD) {
        return find_sum(graph, node->operands[0], terms, count) &&
               find_sum(graph, node->operands[1], terms, count);
    }
    if (*count == EVN__WEIGHT_GRADIENT_TERMS || !find_product(graph, node, &terms[*count])) {
        return false;
    }
    return terms[(*count)++].rows == terms[0].rows;
}

/// The operands of one step have to be smaller than its share.
static bool pays(const evn__product *terms, int count) {
    int64_t m = terms[0].columns[EVN__LEFT], n = terms[0].columns[EVN__RIGHT];
    return count * terms[0].rows * (m + n) < m * n;
}

static int find_state(const evn__weight_gradient *batched, const evn_value *states,
                      evn_value value) {
    for (int i = 0; i < batched->layout->count; ++i) {
        if (states[i] == value) {
            return i;
        }
    }
    return -1;
}

bool evn__weight_gradient_find(const evn_graph *graph, evn_value share, evn__product *terms,
                               int *count) {
    *count = 0;
    return find_sum(graph, share, terms, count) && pays(terms, *count);
}

void evn__weight_gradient_add(evn__weight_gradient *batched, int parameter, int terms,
                              const evn__product *product) {
    batched->entries[batched->count++] =
        (entry){.parameter = parameter,
                .terms = terms,
                .rows = product->rows,
                .columns = {product->columns[EVN__LEFT], product->columns[EVN__RIGHT]},
                .state = {-1, -1}};
}

evn_status evn__weight_gradient_take(evn__weight_gradient *batched, evn_graph *graph, int parameter,
                                     evn_value share, const evn_value *states, bool *taken) {
    evn__product terms[EVN__WEIGHT_GRADIENT_TERMS];
    int count;
    *taken = evn__weight_gradient_find(graph, share, terms, &count);
    if (!*taken) {
        return EVN_OK;
    }
    evn__weight_gradient_add(batched, parameter, count, &terms[0]);
    entry *e = &batched->entries[batched->count - 1];
    for (int side = 0; side < EVN__SIDES; ++side) {
        e->state[side] = count == 1 ? find_state(batched, states, terms[0].side[side]) : -1;
        for (int i = 0; i < count && e->state[side] < 0; ++i) {
            char name[64];
            snprintf(name, sizeof(name), "weight_gradient.%d.%d.%d", parameter, side, i);
            evn_output(graph, name, terms[i].side[side]);
        }
    }
    return evn_graph_status(graph);
}

// Life --------------------------------------------------------------------------------------------

static evn_status allocate(evn__weight_gradient *batched, int parameters) {
    EVN_TRY(EVN_NEW(&batched->entries, parameters + 1));
    EVN_TRY(EVN_NEW(&batched->inputs, (EVN__SIDES + 1) * parameters + 1));
    return EVN_NEW(&batched->outputs, parameters + 1);
}

evn_status evn__weight_gradient_create(int parameters, int steps, const evn__layout *layout,
                                       evn__weight_gradient **batched) {
    EVN_TRY(EVN_NEW(batched, 1));
    (*batched)->steps = steps;
    (*batched)->layout = layout;
    evn_status status = allocate(*batched, parameters);
    if (status != EVN_OK) {
        evn__weight_gradient_destroy(batched);
    }
    return status;
}

void evn__weight_gradient_destroy(evn__weight_gradient **batched) {
    if (!*batched) {
        return;
    }
    evn_plan_destroy(&(*batched)->plan);
    evn_buffer_destroy(&(*batched)->memory);
    free((*batched)->entries);
    free((*batched)->inputs);
    free((*batched)->outputs);
    free(*batched);
    *batched = NULL;
}

static int64_t stack_rows(const evn__weight_gradient *batched, const entry *e) {
    return batched->steps * e->terms * e->rows;
}

static size_t lay_out(evn__weight_gradient *batched) {
    size_t total = 0;
    for (int i = 0; i < batched->count; ++i) {
        entry *e = &batched->entries[i];
        for (int side = 0; side < EVN__SIDES; ++side) {
            e->stack[side] = total;
            if (e->state[side] < 0) {
                size_t size =
                    evn__size_product((size_t)stack_rows(batched, e), (size_t)e->columns[side]);
                total = evn__size_sum(total, evn__real_aligned(size));
            }
        }
        e->sum = total;
        e->size = evn__real_aligned((size_t)(e->columns[EVN__LEFT] * e->columns[EVN__RIGHT]));
        total = evn__size_sum(total, e->size * (batched->layout ? 0 : 2));
    }
    return total;
}

/// The operand over all steps, [steps · terms · rows, columns].
static evn_value read_operand(const evn__weight_gradient *batched, evn_graph *graph, int index,
                              int side) {
    const entry *e = &batched->entries[index];
    evn_shape shape = EVN_SHAPE(stack_rows(batched, e), e->columns[side]);
    char name[64];
    snprintf(name, sizeof(name), "stack.%d.%d", index, side);
    if (e->state[side] < 0) {
        return evn_input(graph, name, shape);
    }
    const evn__layout *layout = batched->layout;
    const int64_t start[] = {0, (int64_t)layout->offset[e->state[side]]};
    evn_value all = evn_input(graph, name, EVN_SHAPE(batched->steps, (int64_t)layout->total));
    evn_shape own = EVN_SHAPE(batched->steps, (int64_t)layout->size[e->state[side]]);
    return evn_reshape(graph, evn_slice(graph, all, start, own), shape);
}

static void build(const void *self, evn_graph *graph) {
    const evn__weight_gradient *batched = self;
    for (int i = 0; i < batched->count; ++i) {
        evn_value value[EVN__SIDES];
        char name[64];
        for (int side = 0; side < EVN__SIDES; ++side) {
            value[side] = read_operand(batched, graph, i, side);
        }
        evn_value sum = evn_matmul(graph, value[EVN__LEFT], value[EVN__RIGHT], true, false);
        if (!batched->layout) {
            snprintf(name, sizeof(name), "before.%d", i);
            sum = evn_add(graph, evn_input(graph, name, evn_value_shape(graph, sum)), sum);
        }
        snprintf(name, sizeof(name), "sum.%d", i);
        evn_output(graph, name, sum);
    }
}

static evn_status compile_products(evn__weight_gradient *batched, evn_device *device, bool fp64) {
    const evn_plan_options options = {.fp64 = fp64};
    return evn__plan_build(device, build, batched, &options, &batched->plan);
}

static evn_binding sum_at(const evn__weight_gradient *batched, const entry *e, int which) {
    return (evn_binding){batched->memory, e->sum + (size_t)which * e->size};
}

static void bind(evn__weight_gradient *batched) {
    evn_binding *in = batched->inputs, *out = batched->outputs;
    for (int i = 0; i < batched->count; ++i) {
        const entry *e = &batched->entries[i];
        for (int side = 0; side < EVN__SIDES; ++side) {
            *in++ = (evn_binding){batched->memory, e->stack[side]};
        }
        if (!batched->layout) {
            *in++ = sum_at(batched, e, batched->now);
            *out++ = sum_at(batched, e, !batched->now);
        }
    }
}

evn_status evn__weight_gradient_compile(evn__weight_gradient *batched, evn_device *device,
                                        bool fp64) {
    if (batched->count == 0) {
        return EVN_OK;
    }
    batched->fp64 = fp64;
    EVN_TRY(
        evn__real_create_for(device, EVN__USE_STATES, fp64, lay_out(batched), &batched->memory));
    return compile_products(batched, device, fp64);
}

// Running -----------------------------------------------------------------------------------------

static const entry *find(const evn__weight_gradient *batched, int parameter) {
    for (int i = 0; i < batched->count; ++i) {
        if (batched->entries[i].parameter == parameter) {
            return &batched->entries[i];
        }
    }
    return NULL;
}

bool evn__weight_gradient_has(const evn__weight_gradient *batched, int parameter) {
    return find(batched, parameter) != NULL;
}

evn_binding *evn__weight_gradient_bind(const evn__weight_gradient *batched, int parameter, int step,
                                       evn_binding *to) {
    const entry *e = find(batched, parameter);
    for (int side = 0; side < EVN__SIDES; ++side) {
        size_t size = (size_t)(e->rows * e->columns[side]);
        for (int i = 0; i < e->terms && e->state[side] < 0; ++i) {
            size_t place = (size_t)step * (size_t)e->terms + (size_t)i;
            *to++ = (evn_binding){batched->memory, e->stack[side] + place * size};
        }
    }
    return to;
}

evn_status evn__weight_gradient_move(const evn__weight_gradient *batched, int from, int to) {
    for (int i = 0; i < EVN__SIDES * batched->count; ++i) {
        const entry *e = &batched->entries[i / EVN__SIDES];
        int side = i % EVN__SIDES;
        size_t each = (size_t)(e->terms * e->rows * e->columns[side]);
        evn_binding target = {batched->memory, e->stack[side] + (size_t)to * each};
        evn_binding source = {batched->memory, e->stack[side] + (size_t)from * each};
        if (e->state[side] < 0) {
            EVN_TRY(evn__real_copy(target, source, batched->fp64, each));
        }
    }
    return EVN_OK;
}

evn_status evn__weight_gradient_multiply(evn__weight_gradient *batched, evn_binding trajectory,
                                         const evn_binding *results) {
    bind(batched);
    for (int i = 0; i < EVN__SIDES * batched->count; ++i) {
        if (batched->entries[i / EVN__SIDES].state[i % EVN__SIDES] >= 0) {
            batched->inputs[i] = trajectory;
        }
    }
    for (int i = 0; i < batched->count; ++i) {
        batched->outputs[i] = results[batched->entries[i].parameter];
    }
    return batched->count > 0 ? evn_plan_run(batched->plan, batched->inputs, batched->outputs)
                              : EVN_OK;
}

evn_binding evn__weight_gradient_sum(const evn__weight_gradient *batched, int parameter) {
    return sum_at(batched, find(batched, parameter), batched->now);
}

evn_status evn__weight_gradient_clear(evn__weight_gradient *batched) {
    for (int i = 0; i < batched->count; ++i) {
        const entry *e = &batched->entries[i];
        EVN_TRY(evn__real_zero(sum_at(batched, e, batched->now), batched->fp64, e->size));
    }
    return EVN_OK;
}

/// The operands of the steps from `steps` on become 0, on both sides: what is there may be NaN.
static evn_status zero_rest(const evn__weight_gradient *batched, const entry *e, int steps) {
    for (int side = 0; side < EVN__SIDES && steps < batched->steps; ++side) {
        size_t each = (size_t)(e->terms * e->rows * e->columns[side]);
        evn_binding at = {batched->memory, e->stack[side] + (size_t)steps * each};
        EVN_TRY(evn__real_zero(at, batched->fp64, (size_t)(batched->steps - steps) * each));
    }
    return EVN_OK;
}

evn_status evn__weight_gradient_flush(evn__weight_gradient *batched, int steps) {
    if (batched->count == 0 || steps == 0) {
        return EVN_OK;
    }
    for (int i = 0; i < batched->count; ++i) {
        EVN_TRY(zero_rest(batched, &batched->entries[i], steps));
    }
    bind(batched);
    EVN_TRY(evn_plan_run(batched->plan, batched->inputs, batched->outputs));
    batched->now = !batched->now;
    return EVN_OK;
}
