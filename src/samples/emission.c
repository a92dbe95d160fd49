// SPDX-License-Identifier: Apache-2.0
#include "samples/emission.h"

#include "kernels/shared.h"
#include "ops/tasks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Elements of a work-item: the second-level cache, the stack (docs/performance/notes.md, Many
// operations).
enum { MAX_PRIVATE = 1 << 17 };

/// The type of a vector along that variable: samples, or elements of a uniform value.
static const char *type_along(evn__lanes_along along) {
    return along == EVN__VAR_SAMPLE ? "samples" : "lanes";
}

/// Vectors have a tanh of their own (kernels/samples.cl).
static const char *formula_along(evn__lanes_along along, evn__op op) {
    return op == EVN__OP_TANH && along != EVN__VAR_ONE ? "evn_tanh(%s)" : evn__formula(op);
}

evn__affine evn__affine_of(int variable, int64_t constant) {
    evn__affine affine = {{constant}};
    if (variable != EVN__VAR_ONE) {
        affine.c[variable] = 1;
    }
    return affine;
}

int evn__emission_number(evn__emission *e, evn_value value) {
    if (e->number[value] < 0) {
        e->number[value] = e->numbers++;
    }
    return e->number[value];
}

int evn__emission_argument(evn__emission *e, const char *direction, evn__operand operand) {
    int number = evn__samples_find(e->operands, e->operand_count, &operand);
    if (number == EVN__MAX_OPERANDS) {
        e->fits = false;
        return 0;
    }
    if (number == e->operand_count) {
        e->operands[e->operand_count++] = operand;
    }
    e->operands[number].written |= strcmp(direction, "OUTPUT") == 0;
    return number;
}

// Reading -----------------------------------------------------------------------------------------

static void write_literal(double value, evn__lanes_along along, evn__text *text) {
    char literal[64];
    evn__literal(value, literal);
    if (along == EVN__VAR_ONE) {
        evn__text_append(text, "%s", literal);
    } else {
        evn__text_append(text, "(%s)(%s)", type_along(along), literal);
    }
}

/// The element `flat` of an array that is the same for all samples, or has a row a sample.
static bool read_array(const char *base, const evn__affine *flat, evn__lanes_along along,
                       evn__text *text) {
    char at[160];
    evn__affine_text(flat, at);
    int64_t stride = along == EVN__VAR_ONE ? 0 : flat->c[along];
    if (along == EVN__VAR_ONE) {
        evn__text_append(text, "%s[%s]", base, at);
    } else if (stride == 0) {
        evn__text_append(text, "(%s)(%s[%s])", type_along(along), base, at);
    } else if (along == EVN__VAR_SAMPLE) {
        evn__text_append(text, "evn_gather(%s + %s, row, %lld, batch)", base, at,
                         (long long)stride);
    } else if (stride == 1) {
        evn__text_append(text, "LOAD_LANES(%s + %s)", base, at);
    }
    return stride <= 1 || along == EVN__VAR_SAMPLE;
}

static bool is_constant(const evn__affine *flat) {
    bool constant = true;
    for (int v = EVN__VAR_SAMPLE; v < EVN__VARS; ++v) {
        constant = constant && flat->c[v] == 0;
    }
    return constant;
}

static bool read_small(const evn__emission *e, evn_value value, const evn__affine *flat,
                       evn__lanes_along along, evn__text *text) {
    bool widen = !e->group->rows && along != EVN__VAR_ONE;
    evn__text_append(text, widen ? "(lanes)(v%d_%lld)" : "v%d_%lld", e->number[value],
                     (long long)flat->c[EVN__VAR_ONE]);
    return is_constant(flat);
}

/// A value that this kernel has computed: rows have lost the sample's part of `flat`.
static bool read_own(const evn__emission *e, evn_value value, const evn__affine *flat,
                     evn__lanes_along along, evn__text *text) {
    char at[160], base[32];
    switch (e->state[value]) {
    case EVN__EMITTED_SMALL:
        return read_small(e, value, flat, along, text);
    case EVN__EMITTED_LOCAL:
        evn__text_append(text, "l%d", e->number[value]);
        return memcmp(flat, &e->here, sizeof(*flat)) == 0;
    case EVN__EMITTED_ARRAY:
        snprintf(base, sizeof(base), "v%d", e->number[value]);
        if (!e->group->rows || e->s->kind[value] == EVN__SAMPLES_CONTRACTION) {
            return read_array(base, flat, along, text);
        }
        evn__affine_text(flat, at);
        evn__text_append(text, "%s[%s]", base, at);
        return true;
    default:
        return false;
    }
}

static bool read_slab(evn__emission *e, evn_value value, const evn__affine *flat,
                      evn__lanes_along along, evn__text *text) {
    const evn__sample_slab *slab = &e->s->slabs[e->s->slab[value]];
    char at[160], base[32];
    evn__affine moved = *flat;
    int argument = evn__emission_argument(e, "INPUT", slab->memory);
    moved.c[EVN__VAR_ONE] += e->s->offset[value];
    if (slab->kind == EVN__SAMPLES_ROWS) {
        evn__affine_text(&moved, at);
        evn__text_append(text, "LOAD_SAMPLES(a%d + ((long)item * %lld + %s) * SAMPLES)", argument,
                         (long long)slab->total, at);
        return true;
    }
    snprintf(base, sizeof(base), "a%d", argument);
    return read_array(base, &moved, along, text);
}

bool evn__emission_read(evn__emission *e, evn_value value, const evn__index *index,
                        evn__lanes_along along, evn__text *text) {
    evn_value source;
    evn__affine flat;
    if (!evn__samples_locate(e->s, value, index, e->range, &source, &flat)) {
        return false;
    }
    const evn__node *node = evn__node_at(e->s->graph, source);
    if (node->op == EVN__OP_CONSTANT && !e->s->computed[source]) {
        write_literal(node->attributes.scalar, along, text);
        return true;
    }
    bool rows = e->s->kind[source] == EVN__SAMPLES_ROWS || e->s->sampled[source];
    if (rows) {
        if (flat.c[EVN__VAR_SAMPLE] != evn__samples_count(e->s, source)) {
            return false; // an element of another sample
        }
        flat.c[EVN__VAR_SAMPLE] = 0;
    }
    if (e->state[source] != EVN__EMITTED_NOT || e->group->member[source]) {
        return read_own(e, source, &flat, along, text);
    }
    if (e->s->slab[source] >= 0) {
        return read_slab(e, source, &flat, along, text);
    }
    char base[32];
    snprintf(base, sizeof(base), "a%d",
             evn__emission_argument(e, "INPUT", evn__operand_value(source)));
    return read_array(base, &flat, along, text);
}

bool evn__emission_element(evn__emission *e, evn_value value, const evn__index *index,
                           evn__lanes_along along, evn__text *text) {
    const evn__node *node = evn__node_at(e->s->graph, value);
    evn__text operand[2] = {{0}};
    bool fits = true;
    if (node->op == EVN__OP_CONSTANT) {
        write_literal(node->attributes.scalar, along, text);
        return true;
    }
    if (evn__is_moving(node)) {
        evn__index behind;
        return evn__samples_behind(e->s, value, index, e->range, &behind) &&
               evn__emission_read(e, node->operands[0], &behind, along, text);
    }
    for (int k = 0; k < node->operand_count && fits; ++k) {
        fits = evn__emission_read(e, node->operands[k], index, along, &operand[k]);
    }
    evn__text_need(text, &operand[0]);
    evn__text_need(text, &operand[1]);
    if (fits && text->status == EVN_OK) {
        evn__text_append(text, formula_along(along, node->op), operand[0].data, operand[1].data);
    }
    free(operand[0].data);
    free(operand[1].data);
    return fits;
}

bool evn__emission_product(evn__emission *e, evn_value matmul, const evn__affine index[3],
                           evn__lanes_along along, evn__text *text) {
    const evn__node *node = evn__node_at(e->s->graph, matmul);
    int ta = node->attributes.transpose_a, tb = node->attributes.transpose_b;
    evn__index a = {{index[ta ? 2 : 0], index[ta ? 0 : 2]}};
    evn__index b = {{index[tb ? 1 : 2], index[tb ? 2 : 1]}};
    if (!evn__emission_read(e, node->operands[0], &a, along, text)) {
        return false;
    }
    evn__text_append(text, " * ");
    return evn__emission_read(e, node->operands[1], &b, along, text);
}

// Order -------------------------------------------------------------------------------------------

evn_value evn__emission_next(const evn__emission *e, evn_value from) {
    for (int v = from > e->group->first ? from : e->group->first; v < e->group->end; ++v) {
        if (e->group->member[v] && e->state[v] == EVN__EMITTED_NOT) {
            return v;
        }
    }
    return EVN_NONE;
}

bool evn__emission_ready(const evn__emission *e, evn_value value) {
    const evn__node *node = evn__node_at(e->s->graph, value);
    for (int k = 0; k < node->operand_count; ++k) {
        evn_value source = evn__samples_source(e->s, node->operands[k]);
        if (e->group->member[source] &&
            (e->state[source] == EVN__EMITTED_NOT || e->state[source] == EVN__EMITTED_PENDING)) {
            return false;
        }
    }
    return true;
}

bool evn__emission_read_later(const evn__emission *e, evn_value value) {
    for (int i = e->s->first_reader[value]; i < e->s->first_reader[value + 1]; ++i) {
        evn_value reader = e->s->readers[i];
        if (e->group->member[reader] && e->state[reader] == EVN__EMITTED_NOT) {
            return true;
        }
    }
    return false;
}

// Memory ------------------------------------------------------------------------------------------

void evn__emission_take_private(evn__emission *e, int64_t elements) {
    int64_t most = e->s->simt ? EVN__SIMT_MAX_PRIVATE * e->s->per_item : MAX_PRIVATE;
    e->private_elements += elements;
    evn__emission_demand(e, e->private_elements <= most);
}

void evn__emission_take_block(evn__emission *e, int64_t elements) {
    int64_t more = elements > e->block_elements ? elements - e->block_elements : 0;
    e->block_elements += more;
    evn__emission_take_private(e, more);
}

int evn__emission_items(const evn__emission *e) {
    if (!e->s->simt) {
        return 1;
    }
    int items = EVN__SIMT_UNIFORM_ITEMS;
    while ((uint64_t)items > evn_device_get_info(e->s->request->device)->max_work_group) {
        items /= 2;
    }
    return e->group->rows ? e->s->per_item : items;
}

static int64_t max_local(const evn__emission *e) {
    uint64_t half = evn_device_get_info(e->s->request->device)->local_bytes / 2;
    uint64_t bytes = half < EVN__SIMT_LOCAL_BYTES ? half : EVN__SIMT_LOCAL_BYTES;
    return (int64_t)(bytes / (e->s->request->fp64 ? sizeof(double) : sizeof(float)));
}

/// Declare vN as the group's, in local memory or, where that is full, in scratch: uniform groups
/// are one work-group.
static void share(evn__emission *e, int number, int64_t count) {
    evn__samples_result *result = e->s->result;
    if (e->local_elements + count <= max_local(e)) {
        evn__text_append(&e->body, "    __local real *const v%d = tile + %lld;\n", number,
                         (long long)e->local_elements);
        e->local_elements += count;
        return;
    }
    if (e->work < 0) {
        e->work = result->scratch_count++; // slabs.c has left room
        result->scratch[e->work] = 0;
    }
    evn__operand memory = {.kind = EVN__OPERAND_SCRATCH, .scratch = e->work};
    evn__text_append(&e->body, "    __global real *const v%d = a%d + %lld;\n", number,
                     evn__emission_argument(e, "OUTPUT", memory),
                     (long long)result->scratch[e->work]);
    result->scratch[e->work] += count;
    evn__emission_demand(e, !e->group->rows); // work-groups would write to the same place
}

void evn__emission_declare(evn__emission *e, evn_value value, int64_t count, bool in_output) {
    int number = e->number[value];
    if (in_output) {
        evn__text_append(&e->body, "    __global real *const v%d = a%d;\n", number,
                         evn__emission_argument(e, "OUTPUT", evn__operand_value(value)));
    } else if (e->s->simt) {
        share(e, number, count);
    } else {
        evn__text_append(&e->body, "    real v%d[%lld];\n", number, (long long)count);
        evn__emission_take_private(e, count);
    }
}

void evn__emission_store(evn__emission *e, evn_value value, evn__affine element,
                         const char *variable, evn__text *text) {
    char at[160];
    int64_t count = evn__samples_count(e->s, value);
    if (e->s->group[value] != e->index) {
        return; // computed again, for this kernel alone
    }
    if (e->s->slab[value] >= 0) {
        const evn__sample_slab *slab = &e->s->slabs[e->s->slab[value]];
        evn__affine moved = element;
        moved.c[EVN__VAR_ONE] += e->s->offset[value];
        evn__affine_text(&moved, at);
        evn__text_append(text, "STORE_SAMPLES(%s, a%d + ((long)item * %lld + %s) * SAMPLES);\n",
                         variable, evn__emission_argument(e, "OUTPUT", slab->memory),
                         (long long)slab->total, at);
    }
    if (e->s->stored[value]) {
        evn__affine_text(&element, at);
        evn__text_append(text, "evn_scatter(%s, a%d + %s, row, %lld, batch);\n", variable,
                         evn__emission_argument(e, "OUTPUT", evn__operand_value(value)), at,
                         (long long)count);
    }
}

void evn__emission_flush(evn__emission *e, evn__text *text) {
    const evn__sample_slab *slab = e->sums.slab;
    if (e->sums.count > 0) {
        evn__text_append(text, "    FLUSH_SUMS(a%d + (long)item * %lld)\n",
                         evn__emission_argument(e, "OUTPUT", slab->memory), (long long)slab->total);
    }
    e->sums.count = 0;
}

// Before the members ------------------------------------------------------------------------------

/// Add up the partial sums that the work-items, or work-groups, have left.
static void add_partial(evn__emission *e, evn_value value) {
    const evn__sample_slab *slab = &e->s->slabs[e->s->slab[value]];
    int argument = evn__emission_argument(e, "INPUT", slab->memory);
    int64_t count = evn__divide_up(evn__samples_count(e->s, value), e->s->lanes) * e->s->lanes;
    int number = evn__emission_number(e, value);
    bool in_output = e->s->simt && !e->group->rows && e->s->stored[value];
    evn__emission_declare(e, value, count, in_output);
    evn__text_append(&e->body, "    evn_add_partial(v%d, a%d + %lld, %lld, %lld, batch);\n", number,
                     argument, (long long)e->s->offset[value], (long long)count,
                     (long long)slab->total);
    e->state[value] = EVN__EMITTED_ARRAY;
}

void evn__emission_copy(evn__emission *e, evn_value value) {
    long long count = evn__samples_count(e->s, value);
    if (e->s->simt) {
        evn__text_append(&e->body, "    FOR_EACH(j, %lld, %d) {\n", count, evn__emission_items(e));
    } else {
        evn__text_append(&e->body, "    for (int j = 0; j < %lld; ++j) {\n", count);
    }
    evn__text_append(&e->body, "        a%d[j] = v%d[j];\n    }\n",
                     evn__emission_argument(e, "OUTPUT", evn__operand_value(value)),
                     e->number[value]);
}

static void gather_input(evn__emission *e, evn_value value) {
    int64_t count = evn__samples_count(e->s, value);
    int argument = evn__emission_argument(e, "INPUT", evn__operand_value(value));
    int number = evn__emission_number(e, value);
    bool small = count <= EVN__SAMPLES_SMALL;
    for (int64_t c = 0; small && c < count; ++c) {
        evn__text_append(&e->body,
                         "    const samples v%d_%lld = evn_gather(a%d + %lld, row, %lld, batch);\n",
                         number, (long long)c, argument, (long long)c, (long long)count);
    }
    if (!small) {
        evn__text_append(&e->body,
                         "    samples v%d[%lld];\n"
                         "    for (int j = 0; j < %lld; ++j) {\n"
                         "        v%d[j] = evn_gather(a%d + j, row, %lld, batch);\n    }\n",
                         number, (long long)count, (long long)count, number, argument,
                         (long long)count);
        evn__emission_take_private(e, count * e->s->per_item);
    }
    e->state[value] = small ? EVN__EMITTED_SMALL : EVN__EMITTED_ARRAY;
}

/// A contraction that is an output, in the kernel that adds it up.
static void output_sum(evn__emission *e, evn_value value) {
    add_partial(e, value);
    if (!e->s->simt) {
        evn__emission_copy(e, value);
    }
}

static void read_first(evn__emission *e) {
    for (int v = e->group->first; v < e->group->end; ++v) {
        const evn__node *node = evn__node_at(e->s->graph, v);
        if (e->group->member[v] && e->s->group[v] != e->index &&
            e->s->kind[v] == EVN__SAMPLES_CONTRACTION) {
            output_sum(e, v);
            continue;
        }
        for (int k = 0; e->group->member[v] && k < node->operand_count; ++k) {
            evn_value source = evn__samples_source(e->s, node->operands[k]);
            if (e->state[source] != EVN__EMITTED_NOT || e->group->member[source]) {
                continue;
            }
            if (e->s->kind[source] == EVN__SAMPLES_CONTRACTION) {
                add_partial(e, source);
            } else if (e->s->sampled[source] && !e->s->computed[source]) {
                gather_input(e, source);
            }
        }
    }
}

// All of it ---------------------------------------------------------------------------------------

static evn_status copy_text(const evn__emission *e, const char *text, const char **copy) {
    *copy = evn__arena_string(e->s->request->arena, text ? text : "");
    EVN_CHECK(*copy, EVN_ERR_MEMORY, "no memory for the text of a kernel");
    return EVN_OK;
}

static evn_status finish(const evn__emission *e, evn__sample_function *function) {
    memcpy(function->operands, e->operands, sizeof(function->operands));
    function->operand_count = e->operand_count;
    function->unrolled = e->unrolled;
    return copy_text(e, e->body.data, &function->body);
}

static bool has_sums(const evn__emission *e) {
    bool found = false;
    for (int v = e->group->first; v < e->group->end; ++v) {
        found = found || (e->group->member[v] && e->s->kind[v] == EVN__SAMPLES_CONTRACTION);
    }
    return found;
}

/// Local memory of sums, and what they wait with.
static void start_sums(evn__emission *e) {
    if (!e->group->rows) {
        e->local_elements = evn__emission_items(e);
    } else if (has_sums(e)) {
        e->local_elements = EVN_SUM_SLOTS * (e->s->per_item + 1);
        evn__text_append(&e->body, "    int slot = 0, target = 0;\n");
    }
}

/// What the group shares is read no more before the next run writes it, and work-items behind the
/// last sample, which read its row, do so after it is written.
static void end_sharing(evn__emission *e, evn__sample_function *function) {
    bool part = e->group->rows && e->s->batch % e->s->per_item != 0;
    evn__emission_flush(e, &e->body);
    if (e->local_elements > 0 || part) {
        evn__text_append(&e->body, "    SHARE;\n");
    }
    function->local = e->local_elements;
}

static evn_status emit(evn__emission *e, evn__sample_function *function, bool *fits) {
    function->items = 1;
    function->group = evn__emission_items(e);
    if (e->s->simt) {
        start_sums(e);
    }
    if (e->group->large != EVN_NONE) {
        function->items = evn__emit_product(e);
    } else if (e->group->rows) {
        function->items = (int)evn__divide_up(e->s->batch, e->s->per_item);
        evn__text_append(&e->body, "    const int row = item * SAMPLES;\n"
                                   "    const samples live = evn_live(row, batch);\n");
        read_first(e);
        evn__emit_rows(e);
    } else {
        read_first(e);
        evn__emit_uniform(e);
    }
    if (e->s->simt) {
        end_sharing(e, function);
    }
    EVN_TRY(e->body.status);
    *fits = e->fits;
    return *fits ? finish(e, function) : EVN_OK;
}

static evn_status start(evn__emission *e) {
    int64_t nodes = e->s->graph->node_count;
    EVN_TRY(EVN_NEW(&e->state, nodes));
    EVN_TRY(EVN_NEW(&e->number, nodes));
    memset(e->number, 0xff, sizeof(int) * (size_t)nodes); // −1
    for (int v = 0; v < EVN__VARS; ++v) {
        e->range[v] = 1;
    }
    e->range[EVN__VAR_SAMPLE] = e->s->batch;
    return EVN_OK;
}

evn_status evn__samples_emit(const evn__samples *s, int index, evn__sample_function *function,
                             bool *fits) {
    evn__emission e = {
        .s = s, .group = &s->groups[index], .index = index, .work = -1, .fits = true};
    evn_status status = start(&e);
    if (status == EVN_OK) {
        status = emit(&e, function, fits);
    }
    free(e.state);
    free(e.number);
    free(e.body.data);
    return status;
}
