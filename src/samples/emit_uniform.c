// SPDX-License-Identifier: Apache-2.0
// The kernel of a group of values that are the same for all samples: one work-item, one value after
// the other, vectors along the last axis where the elements lie side by side. Element-wise values
// of one shape share a loop. On a GPU it is one work-group: its work-items divide the elements, or
// the terms of few elements, and scalars are computed by each.
#include "samples/emission.h"

#include "ops/tasks.h"
#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_JOINED = 256,
    PARTS = 4, ///< of a sum of scalars
};

/// The elements of a value as rows i and columns j.
typedef struct domain {
    int64_t rows, columns;
    evn__index index; ///< of element i, j
    bool fits;
} domain;

static const evn__node *node_of(const evn__emission *e, evn_value value) {
    return evn__node_at(e->s->graph, value);
}

static domain domain_of_shape(evn_shape shape) {
    domain d = {.rows = 1, .columns = 1, .fits = true};
    int column = -1;
    for (int axis = shape.rank - 1; axis >= 0; --axis) {
        if (shape.dim[axis] == 1) {
            continue;
        }
        if (column < 0) {
            column = axis;
            d.columns = shape.dim[axis];
            d.index.at[axis] = evn__affine_of(EVN__VAR_J, 0);
        } else {
            d.fits = d.rows == 1;
            d.rows = shape.dim[axis];
            d.index.at[axis] = evn__affine_of(EVN__VAR_I, 0);
        }
    }
    return d;
}

static domain domain_of(const evn__emission *e, evn_value value) {
    return domain_of_shape(node_of(e, value)->shape);
}

static void set_range(evn__emission *e, int64_t rows, int64_t columns, int64_t terms) {
    e->range[EVN__VAR_I] = rows;
    e->range[EVN__VAR_J] = columns;
    e->range[EVN__VAR_K] = terms;
}

static evn__affine flat_element(int64_t columns) {
    evn__affine flat = evn__affine_of(EVN__VAR_J, 0);
    flat.c[EVN__VAR_I] = columns;
    return flat;
}

// Memory of a value -------------------------------------------------------------------------------

/// Declare vN: in a slab, in an output, or private.
static void declare(evn__emission *e, evn_value value) {
    int number = evn__emission_number(e, value);
    if (e->s->slab[value] >= 0) {
        const evn__sample_slab *slab = &e->s->slabs[e->s->slab[value]];
        evn__text_append(&e->body, "    __global real *const v%d = a%d + %lld;\n", number,
                         evn__emission_argument(e, "OUTPUT", slab->memory),
                         (long long)e->s->offset[value]);
    } else {
        evn__emission_declare(e, value, evn__samples_count(e->s, value), e->s->stored[value]);
    }
}

/// Where it lies in a slab and is an output too.
static void copy_out(evn__emission *e, evn_value value) {
    if (e->s->slab[value] >= 0 && e->s->stored[value]) {
        evn__emission_copy(e, value);
    }
}

// Loops -------------------------------------------------------------------------------------------

/// Over rows i and columns j, `wide` by vectors of columns: the last one begins early enough to be
/// whole, and its first elements are computed twice.
static void open_loops(evn__emission *e, int64_t rows, int64_t columns, bool wide) {
    bool whole = columns % e->s->lanes == 0;
    if (e->s->simt) {
        evn__text_append(&e->body,
                         "    FOR_EACH(n, %lld, %d) {\n"
                         "        const int i = n / %lld, j = n %% %lld;\n    {\n",
                         (long long)(rows * columns), evn__emission_items(e), (long long)columns,
                         (long long)columns);
        return;
    }
    evn__text_append(&e->body, "    for (int i = 0; i < %lld; ++i) {\n", (long long)rows);
    if (wide && !whole) {
        evn__text_append(&e->body,
                         "    for (int j0 = 0; j0 < %lld; j0 += LANES) {\n"
                         "        const int j = min(j0, %lld - LANES);\n",
                         (long long)columns, (long long)columns);
    } else {
        evn__text_append(&e->body, "    for (int j = 0; j < %lld; j += %s) {\n", (long long)columns,
                         wide ? "LANES" : "1");
    }
}

/// What the loops have stored is there for all.
static void close_loops(evn__emission *e) {
    evn__text_append(&e->body, "    }\n    }\n%s", e->s->simt ? "    SHARE;\n" : "");
}

// Scalars -----------------------------------------------------------------------------------------

/// Where the statement that stores a scalar begins: one work-item's.
static const char *alone(const evn__emission *e) {
    return e->s->simt ? "if (lane == 0) " : "";
}

static void write_scalar(evn__emission *e, evn_value value) {
    const evn__index first = {0};
    int number = evn__emission_number(e, value);
    evn__text_append(&e->body, "    const real v%d_0 = ", number);
    evn__emission_demand(e, evn__emission_element(e, value, &first, EVN__VAR_ONE, &e->body));
    evn__text_append(&e->body, ";\n");
    if (e->s->slab[value] >= 0) {
        const evn__sample_slab *slab = &e->s->slabs[e->s->slab[value]];
        evn__text_append(&e->body, "    %sa%d[%lld] = v%d_0;\n", alone(e),
                         evn__emission_argument(e, "OUTPUT", slab->memory),
                         (long long)e->s->offset[value], number);
    }
    if (e->s->stored[value]) {
        evn__text_append(&e->body, "    %sa%d[0] = v%d_0;\n", alone(e),
                         evn__emission_argument(e, "OUTPUT", evn__operand_value(value)), number);
    }
    e->state[value] = EVN__EMITTED_SMALL;
}

// Element-wise values -----------------------------------------------------------------------------

static bool is_elementwise(const evn__emission *e, evn_value value) {
    evn__op op = node_of(e, value)->op;
    return op != EVN__OP_MATMUL && op != EVN__OP_SUM && op != EVN__OP_PAD && op != EVN__OP_CONCAT;
}

static bool join(evn__emission *e, evn_value value, const domain *d, evn__lanes_along along,
                 evn__text *loop) {
    evn__text text = {0};
    evn__text_append(&text, "const %s l%d = ", along == EVN__VAR_ONE ? "real" : "lanes",
                     evn__emission_number(e, value));
    bool fits = evn__emission_element(e, value, &d->index, along, &text) && text.status == EVN_OK;
    evn__text_need(&e->body, &text); // what does not fit has not failed
    if (fits) {
        evn__text_append(loop, "%s;\n", text.data);
        e->state[value] = EVN__EMITTED_LOCAL;
    }
    free(text.data);
    return fits;
}

/// Values that share a loop; of each, where the statement that computes it ends.
typedef struct joined_values {
    evn_value value[MAX_JOINED];
    size_t end[MAX_JOINED];
    int count;
} joined_values;

static void collect(evn__emission *e, evn_value first, evn__lanes_along along, evn__text *loop,
                    joined_values *joined) {
    domain shape = domain_of(e, first);
    joined->count = 0;
    for (evn_value v = first; v != EVN_NONE && joined->count < MAX_JOINED;
         v = evn__emission_next(e, v + 1)) {
        domain d = domain_of(e, v);
        if (is_elementwise(e, v) && d.rows == shape.rows && d.columns == shape.columns &&
            evn__emission_ready(e, v) && join(e, v, &d, along, loop)) {
            joined->value[joined->count] = v;
            joined->end[joined->count++] = loop->size;
        } else if (v == first) {
            break;
        }
    }
}

static void keep(evn__emission *e, evn_value value, bool wide, evn__text *loop) {
    char at[160];
    evn__affine_text(&e->here, at);
    if (e->s->slab[value] >= 0 || e->s->stored[value] || evn__emission_read_later(e, value)) {
        declare(e, value);
        int n = e->number[value];
        if (wide) {
            evn__text_append(loop, "STORE_LANES(l%d, v%d + %s);\n", n, n, at);
        } else {
            evn__text_append(loop, "v%d[%s] = l%d;\n", n, at, n);
        }
    }
    e->state[value] = EVN__EMITTED_ARRAY;
}

/// What keeps the joined values: behind all statements, on a GPU each behind its own, so that fewer
/// values need a register at a time.
static void keep_joined(evn__emission *e, const joined_values *joined, bool wide,
                        const evn__text *loop, evn__text *kept) {
    size_t written = 0;
    for (int i = 0; i < joined->count; ++i) {
        size_t end = e->s->simt ? joined->end[i] : loop->size;
        evn__text_append_bytes(kept, loop->data + written, end - written);
        keep(e, joined->value[i], wide, kept);
        written = end;
    }
}

static bool write_elements(evn__emission *e, evn_value first, bool wide) {
    domain d = domain_of(e, first);
    joined_values joined;
    evn__text loop = {0}, kept = {0};
    set_range(e, d.rows, d.columns, 1);
    e->here = flat_element(d.rows > 1 ? d.columns : 0);
    collect(e, first, wide ? EVN__VAR_J : EVN__VAR_ONE, &loop, &joined);
    evn__text_need(&e->body, &loop);
    if (joined.count > 0 && loop.status == EVN_OK) {
        keep_joined(e, &joined, wide, &loop, &kept);
        open_loops(e, d.rows, d.columns, wide);
        evn__text_need(&e->body, &kept);
        evn__text_append(&e->body, "%s", kept.data ? kept.data : "");
        close_loops(e);
    }
    for (int i = 0; i < joined.count; ++i) {
        copy_out(e, joined.value[i]);
    }
    free(loop.data);
    free(kept.data);
    return joined.count > 0;
}

// Products and sums -------------------------------------------------------------------------------

/// A sum over k for every element i, j.
typedef struct reduction {
    evn_value value;
    domain d;
    evn__index operand; ///< SUM: of its operand, with k in it
    int64_t terms;
} reduction;

static bool describe(const evn__emission *e, evn_value value, reduction *r) {
    const evn__node *node = node_of(e, value);
    evn_shape from = evn_value_shape(e->s->graph, node->operands[0]);
    *r = (reduction){.value = value, .d = domain_of(e, value), .terms = 1};
    if (node->op == EVN__OP_MATMUL) {
        // By axes, not by extents: one of them may be 1.
        r->d = (domain){.rows = node->shape.dim[0], .columns = node->shape.dim[1], .fits = true};
        r->terms = from.dim[!node->attributes.transpose_a];
        return node->shape.rank == 2;
    }
    // Axes that are summed follow each other in memory, unless a view turns them: they are one.
    bool plain = evn__samples_source(e->s, node->operands[0]) == node->operands[0];
    int last = node->attributes.axis;
    r->operand = r->d.index;
    for (int axis = last; axis < node->attributes.axis + node->attributes.axes; ++axis) {
        if (from.dim[axis] > 1) {
            r->d.fits = r->d.fits && (plain || r->terms == 1);
            r->operand.at[last] = (evn__affine){0};
            r->operand.at[axis] = evn__affine_of(EVN__VAR_K, 0);
            r->terms *= from.dim[axis];
            last = axis;
        }
    }
    return r->d.fits;
}

static bool term(evn__emission *e, const reduction *r, evn__lanes_along along, evn__text *text) {
    const evn__node *node = node_of(e, r->value);
    if (node->op == EVN__OP_MATMUL) {
        const evn__affine index[] = {evn__affine_of(EVN__VAR_I, 0), evn__affine_of(EVN__VAR_J, 0),
                                     evn__affine_of(EVN__VAR_K, 0)};
        return evn__emission_product(e, r->value, index, along, text);
    }
    return evn__emission_read(e, node->operands[0], &r->operand, along, text);
}

/// The vector's axis: columns, else terms, else none.
static evn__lanes_along choose_lanes(evn__emission *e, const reduction *r) {
    const int64_t extent[] = {r->d.columns, r->terms};
    for (int i = 0; i < 2; ++i) {
        evn__text text = {0};
        evn__lanes_along along = i == 0 ? EVN__VAR_J : EVN__VAR_K;
        bool fits = extent[i] >= e->s->lanes && term(e, r, along, &text);
        free(text.data);
        if (fits) {
            return along;
        }
    }
    return EVN__VAR_ONE;
}

/// `sum` += the terms `first` … `last` − 1, where a vector has LANES of them.
static void add_terms(evn__emission *e, const reduction *r, evn__lanes_along along, const char *sum,
                      int64_t first, int64_t last) {
    if (first == last) {
        return;
    }
    evn__text_append(&e->body,
                     "        for (int k = %lld; k < %lld; k += %s) {\n            %s += ",
                     (long long)first, (long long)last, along == EVN__VAR_K ? "LANES" : "1", sum);
    evn__emission_demand(e, term(e, r, along, &e->body));
    evn__text_append(&e->body, ";\n        }\n");
}

/// In as many sums at once as hide the latency of an addition.
static void add_in_parts(evn__emission *e, const reduction *r) {
    evn__text_append(&e->body,
                     "        real part[%d] = {R(0.0)};\n"
                     "        for (int k0 = 0; k0 < %lld; k0 += %d) {\n"
                     "        for (int p = 0; p < %d; ++p) {\n"
                     "            const int k = k0 + p;\n            part[p] += ",
                     PARTS, (long long)(r->terms / PARTS * PARTS), PARTS, PARTS);
    evn__emission_demand(e, term(e, r, EVN__VAR_ONE, &e->body));
    evn__text_append(&e->body, ";\n        }\n        }\n"
                               "        sum = (part[0] + part[1]) + (part[2] + part[3]);\n");
}

/// Declare and compute `sum`, a real.
static void write_sum(evn__emission *e, const reduction *r, evn__lanes_along along) {
    int64_t done = 0;
    evn__text_append(&e->body, "        real sum = R(0.0);\n");
    if (along == EVN__VAR_K) {
        done = r->terms / e->s->lanes * e->s->lanes;
        evn__text_append(&e->body, "        lanes sums = (lanes)(R(0.0));\n");
        add_terms(e, r, along, "sums", 0, done);
        evn__text_append(&e->body, "        sum = evn_lane_sum(sums);\n");
    } else if (r->terms >= 2 * PARTS) {
        done = r->terms / PARTS * PARTS;
        add_in_parts(e, r);
    }
    add_terms(e, r, EVN__VAR_ONE, "sum", done, r->terms);
}

/// Work-items for each element, a power of two: more than one where there are few elements.
static int parts_of(const evn__emission *e, const reduction *r) {
    enum { MOST = 64 }; // one work-item adds them up
    int64_t elements = r->d.rows * r->d.columns, parts = 1;
    while (parts < MOST && 2 * parts * elements <= evn__emission_items(e) &&
           2 * parts <= r->terms) {
        parts *= 2;
    }
    return (int)parts;
}

/// Work-items side by side take the terms of an element in turn.
static void divide_terms(evn__emission *e, const reduction *r, int parts) {
    long long elements = r->d.rows * r->d.columns, columns = r->d.columns;
    int number = evn__emission_number(e, r->value);
    declare(e, r->value);
    evn__text_append(&e->body,
                     "    {\n        const int n = lane / %d, i = n / %lld, j = n %% %lld;\n"
                     "        real sum = R(0.0);\n"
                     "        FOUR_AT_ONCE for (int k0 = 0; k0 < %lld; k0 += %d) {\n"
                     "            const int k = k0 + lane %% %d;\n"
                     "            if (n < %lld && k < %lld) {\n            sum += ",
                     parts, columns, columns, (long long)r->terms, parts, parts, elements,
                     (long long)r->terms);
    evn__emission_demand(e, term(e, r, EVN__VAR_ONE, &e->body));
    evn__text_append(&e->body,
                     ";\n        }\n        }\n        tile[lane] = sum;\n"
                     "        barrier(CLK_LOCAL_MEM_FENCE);\n"
                     "        if (lane < %lld) {\n            sum = tile[lane * %d];\n"
                     "            FOUR_AT_ONCE for (int p = 1; p < %d; ++p) {\n"
                     "                sum += tile[lane * %d + p];\n            }\n"
                     "            v%d[lane] = sum;\n",
                     elements, parts, parts, parts, number);
    close_loops(e);
    copy_out(e, r->value);
    e->state[r->value] = EVN__EMITTED_ARRAY;
}

static void write_reduction(evn__emission *e, evn_value value) {
    reduction r;
    if (!describe(e, value, &r)) {
        e->fits = false;
        return;
    }
    set_range(e, r.d.rows, r.d.columns, r.terms);
    int parts = parts_of(e, &r);
    if (parts > 1) {
        divide_terms(e, &r, parts);
        return;
    }
    evn__lanes_along along = e->s->simt ? EVN__VAR_ONE : choose_lanes(e, &r);
    int number = evn__emission_number(e, value);
    declare(e, value);
    open_loops(e, r.d.rows, r.d.columns, along == EVN__VAR_J);
    if (along == EVN__VAR_J) {
        evn__text_append(&e->body, "        lanes sum = (lanes)(R(0.0));\n");
        add_terms(e, &r, along, "sum", 0, r.terms);
        evn__text_append(&e->body, "        STORE_LANES(sum, v%d + i * %lld + j);\n", number,
                         (long long)r.d.columns);
    } else {
        write_sum(e, &r, along);
        evn__text_append(&e->body, "        v%d[i * %lld + j] = sum;\n", number,
                         (long long)r.d.columns);
    }
    close_loops(e);
    copy_out(e, value);
    e->state[value] = EVN__EMITTED_ARRAY;
}

// Parts -------------------------------------------------------------------------------------------

/// Copy operand `k` of a pad or concat to where it stands in the result, `start` elements on.
static void copy_part(evn__emission *e, evn_value value, int k, int64_t start, int64_t row) {
    const evn__node *node = node_of(e, value);
    domain d = domain_of_shape(evn_value_shape(e->s->graph, node->operands[k]));
    evn__text wide = {0}, text = {0};
    set_range(e, d.rows, d.columns, 1);
    bool lanes = !e->s->simt && d.columns >= e->s->lanes &&
                 evn__emission_read(e, node->operands[k], &d.index, EVN__VAR_J, &wide);
    evn__emission_demand(
        e, d.fits && evn__emission_read(e, node->operands[k], &d.index, EVN__VAR_ONE, &text));
    evn__text_need(&e->body, &wide);
    evn__text_need(&e->body, &text);
    open_loops(e, d.rows, d.columns, lanes);
    if (lanes) {
        evn__text_append(&e->body, "STORE_LANES(%s, v%d + %lld + i * %lld + j);\n",
                         wide.data ? wide.data : "", e->number[value], (long long)start,
                         (long long)row);
    } else {
        evn__text_append(&e->body, "v%d[%lld + i * %lld + j] = %s;\n", e->number[value],
                         (long long)start, (long long)row, text.data ? text.data : "");
    }
    close_loops(e);
    free(wide.data);
    free(text.data);
}

/// Elements from row to row of the result, for the rows of an operand of `from` in it.
static int64_t row_stride(evn_shape shape, evn_shape from) {
    int64_t stride = 1, row = 0;
    bool column = true;
    for (int axis = shape.rank - 1; axis >= 0; --axis) {
        if (from.dim[axis] > 1 && column) {
            column = false;
            row = stride == 1 ? 0 : -1; // −1: its columns do not lie side by side
        } else if (from.dim[axis] > 1) {
            row = row < 0 ? row : stride;
        }
        stride *= shape.dim[axis];
    }
    return row;
}

static void write_parts(evn__emission *e, evn_value value) {
    const evn__node *node = node_of(e, value);
    bool pad = node->op == EVN__OP_PAD;
    int64_t count = evn__samples_count(e->s, value), start = 0, stride = 1;
    int64_t along = 1; // elements from one index of the concatenated axis to the next
    for (int axis = node->shape.rank - 1; axis >= 0; --axis) {
        start += pad ? node->attributes.start[axis] * stride : 0;
        along = axis == node->attributes.axis ? stride : along;
        stride *= node->shape.dim[axis];
    }
    evn__emission_number(e, value);
    declare(e, value);
    if (pad) {
        open_loops(e, 1, count, false);
        evn__text_append(&e->body, "        v%d[j] = 0;\n", e->number[value]);
        close_loops(e);
    }
    for (int k = 0; k < node->operand_count; ++k) {
        evn_shape from = evn_value_shape(e->s->graph, node->operands[k]);
        int64_t row = row_stride(node->shape, from);
        evn__emission_demand(e, row >= 0);
        copy_part(e, value, k, start, row);
        start += pad ? 0 : from.dim[node->attributes.axis] * along;
    }
    copy_out(e, value);
    e->state[value] = EVN__EMITTED_ARRAY;
}

// All of them -------------------------------------------------------------------------------------

static void write_elementwise(evn__emission *e, evn_value value) {
    domain d = domain_of(e, value);
    bool wide = !e->s->simt && d.columns >= e->s->lanes;
    bool written =
        d.fits && ((wide && write_elements(e, value, true)) || write_elements(e, value, false));
    evn__emission_demand(e, written);
}

void evn__emit_uniform(evn__emission *e) {
    for (evn_value v = evn__emission_next(e, 0); v != EVN_NONE && e->fits;
         v = evn__emission_next(e, v + 1)) {
        evn__op op = node_of(e, v)->op;
        if (op == EVN__OP_MATMUL || op == EVN__OP_SUM) {
            write_reduction(e, v);
        } else if (op == EVN__OP_PAD || op == EVN__OP_CONCAT) {
            write_parts(e, v);
        } else if (evn__samples_count(e->s, v) == 1) {
            set_range(e, 1, 1, 1);
            write_scalar(e, v);
        } else {
            write_elementwise(e, v);
        }
    }
}
