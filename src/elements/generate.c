// SPDX-License-Identifier: Apache-2.0
// Source of the kernel of a group of element-wise nodes.
//
// The elements are seen as rows of `columns`, chosen as long as possible such that every operand
// lies at a fixed stride within a row (1, or 0 where it is broadcast): the inner loop then has no
// index arithmetic and becomes vector code. On a CPU a work-item takes many rows, on other devices
// one element.
//
// Compiling costs far more than a launch, so equal work must give equal text: values are numbered
// within the kernel, and coefficients and the element count are arguments. The stages of a solver
// step then share their kernels.
#include "elements/generation.h"

#include "base/hash.h"
#include "host/items.h"
#include "kernels/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Not on record; rows norm_vjp and mnist_* of `evonode bench` show it.
enum {
    CHUNK = 2048, // elements of one work-item on a CPU: amortises its start, leaves enough items
    MIN_ROWS = 8, // of a work-item that leaves their sums as one row,
    MAX_PARTIALS = 128, // and how many such rows there are at most
};

static bool is_member(const evn__generation *g, evn_value value) {
    return g->elements->unit_of[value] == g->lowering->unit && g->group->family != value;
}

/// The first member from `value` on, in the order of the graph; EVN_NONE: none.
static evn_value member_from(const evn__generation *g, evn_value value) {
    return value != EVN_NONE && !is_member(g, value) ? g->elements->next[value] : value;
}

static evn_value first_member(const evn__generation *g) {
    return member_from(g, g->group->first);
}

static evn_value next_member(const evn__generation *g, evn_value value) {
    return member_from(g, g->elements->next[value]);
}

// Scalars that every work-item computes for itself ------------------------------------------------

static int number_of(evn__generation *g, evn_value value) {
    evn__elements *e = g->elements;
    if (evn__mark(&e->numbered, value)) {
        e->number[value] = e->numbered.count - 1;
    }
    return e->number[value];
}

static evn_status emit_scalar(evn__generation *g, evn_value value, char text[64]);

static evn_status emit_scalar_formula(evn__generation *g, evn_value value) {
    const evn__node *node = evn__node_at(g->graph, value);
    char a[64] = "", b[64] = "";
    EVN_TRY(emit_scalar(g, node->operands[0], a));
    if (node->operand_count > 1) {
        EVN_TRY(emit_scalar(g, node->operands[1], b));
    }
    evn__text_append(&g->scalars, "    const real s%d = ", number_of(g, value));
    evn__text_append(&g->scalars, evn__formula(node->op), a, b);
    evn__text_append(&g->scalars, ";\n");
    return EVN_OK;
}

static evn_status emit_scalar(evn__generation *g, evn_value value, char text[64]) {
    evn__access access = evn__access_of(g->graph, value);
    const evn__node *source = evn__node_at(g->graph, access.source);
    if (source->op == EVN__OP_CONSTANT) {
        return evn__generation_literal(g, source->attributes.scalar, text);
    }
    if (evn__elements_inline(g->graph, g->elements->held, access.source)) {
        if (!evn__is_marked(&g->elements->numbered, access.source)) {
            EVN_TRY(emit_scalar_formula(g, access.source));
        }
        snprintf(text, 64, "s%d", number_of(g, access.source));
        return EVN_OK;
    }
    int argument;
    EVN_TRY(evn__generation_argument(g, access.source, &argument));
    snprintf(text, 64, "a%d[%lld]", argument, (long long)access.start);
    return EVN_OK;
}

// Elements ----------------------------------------------------------------------------------------

/// An operand that is the same for all elements; an epilogue makes a vector of it.
static evn_status emit_broadcast(evn__generation *g, evn_value value, char text[64]) {
    char scalar[64];
    EVN_TRY(emit_scalar(g, value, scalar));
    snprintf(text, 64, g->result == EVN_NONE ? "%s" : "(TYPE)(%.50s)", scalar);
    return EVN_OK;
}

/// Operand `index` at the column: an element, or as many as an epilogue's TYPE has.
static void write_read(const evn__generation *g, int index, int64_t stride, char text[64]) {
    bool single = g->result == EVN_NONE;
    int argument = g->reads[index].argument;
    if (stride == 0) {
        snprintf(text, 64, single ? "a%d[base%d]" : "(TYPE)(a%d[base%d])", argument, index);
    } else if (stride == 1) {
        snprintf(text, 64, single ? "a%d[base%d + column]" : "READ(a%d + base%d + column)",
                 argument, index);
    } else {
        snprintf(text, 64, "a%d[base%d + column * %lld]", argument, index, (long long)stride);
    }
}

static evn_status emit_access(evn__generation *g, evn_value value, char text[64]) {
    evn__access access = evn__access_of(g->graph, value);
    if (access.source == g->result) {
        snprintf(text, 64, "READ(result + column)");
        return EVN_OK;
    }
    if (evn__node_at(g->graph, access.source)->op == EVN__OP_CONSTANT ||
        evn_shape_count(evn_value_shape(g->graph, access.source)) == 1) {
        return emit_broadcast(g, value, text);
    }
    int index;
    int64_t stride;
    EVN_TRY(evn__generation_read(g, &access, &index));
    evn__access_split(&access, g->columns, &stride);
    write_read(g, index, stride, text);
    return EVN_OK;
}

/// The C expression of an operand for the element at row, column.
static evn_status emit_operand(evn__generation *g, evn_value value, char text[64]) {
    evn_value stripped = evn__strip(g->graph, value);
    if (is_member(g, stripped)) {
        snprintf(text, 64, "v%d", number_of(g, stripped));
        return EVN_OK;
    }
    return emit_access(g, value, text);
}

static evn_status emit_member(evn__generation *g, evn_value value) {
    const evn__node *node = evn__node_at(g->graph, value);
    char a[64] = "", b[64] = "";
    if (node->op == EVN__OP_CONSTANT) {
        EVN_TRY(emit_broadcast(g, value, a));
    } else if (evn__is_moving(node)) {
        EVN_TRY(emit_access(g, value, a)); // the member itself: what is behind it
    } else {
        EVN_TRY(emit_operand(g, node->operands[0], a));
        if (node->operand_count > 1) {
            EVN_TRY(emit_operand(g, node->operands[1], b));
        }
    }
    const char *formula = evn__formula(node->op);
    evn__text_append(&g->body,
                     "            const %s v%d = ", g->result == EVN_NONE ? "real" : "TYPE",
                     number_of(g, value));
    evn__text_append(&g->body, formula ? formula : "%s", a, b);
    evn__text_append(&g->body, g->result == EVN_NONE ? ";\n" : "; \\\n");
    return EVN_OK;
}

static evn_status emit_store(evn__generation *g, evn_value value) {
    int number = -1, from = number_of(g, value);
    if (value == g->carrier) {
        evn__text_append(&g->body, "            WRITE(result + column, v%d); \\\n", from);
        return EVN_OK;
    }
    EVN_TRY(evn__generation_bind(g, "OUTPUT", evn__operand_value(value), &number));
    evn__text_append(&g->body,
                     g->result == EVN_NONE ? "            a%d[row * COLUMNS + column] = v%d;\n"
                                           : "            WRITE(a%d + start + column, v%d); \\\n",
                     number, from);
    return EVN_OK;
}

static evn_status emit_stores(evn__generation *g) {
    for (evn_value v = first_member(g); v != EVN_NONE; v = next_member(g, v)) {
        if (g->elements->stored[v]) {
            EVN_TRY(emit_store(g, v));
        }
    }
    return EVN_OK;
}

// Sums over rows ----------------------------------------------------------------------------------

/// The work-item's row of partial sums, which it adds each row to.
static evn_status emit_partial(evn__generation *g, evn_value sum) {
    int number;
    char operand[64];
    evn__partial *partial = &g->elements->partials[sum];
    EVN_TRY(emit_operand(g, evn__node_at(g->graph, sum)->operands[0], operand));
    partial->count = g->items;
    partial->rows = evn__lower_scratch(g->lowering, g->items * g->columns);
    EVN_TRY(evn__generation_bind(g, "OUTPUT", partial->rows, &number));
    evn__text_append(&g->zeros, "        a%d[slot + column] = 0;\n", number);
    if (g->result == EVN_NONE) {
        evn__text_append(&g->body, "            a%d[slot + column] += %s;\n", number, operand);
    } else {
        evn__text_append(
            &g->body,
            "            WRITE(a%d + slot + column, READ(a%d + slot + column) + %s); \\\n", number,
            number, operand);
    }
    return EVN_OK;
}

static evn_status emit_partials(evn__generation *g) {
    if (g->group->sums > 0) {
        evn__text_append(&g->scalars, "    const long slot = (long)get_global_id(0) * %lldL;\n",
                         (long long)g->columns);
    }
    evn_value sum = g->group->first_sum;
    for (int i = 0; i < g->group->sums; ++i) {
        EVN_TRY(emit_partial(g, sum));
        sum = g->elements->partials[sum].next;
    }
    return g->zeros.status;
}

// Rows and columns --------------------------------------------------------------------------------

/// Whether every operand of the members lies at a fixed stride within rows of `columns`.
static bool columns_fit(const evn__generation *g, int64_t columns) {
    int64_t stride;
    for (evn_value v = first_member(g); v != EVN_NONE; v = next_member(g, v)) {
        const evn__node *node = evn__node_at(g->graph, v);
        bool view = evn__is_moving(node);
        for (int k = 0; k < node->operand_count; ++k) {
            evn__access access = evn__access_of(g->graph, view ? v : node->operands[k]);
            if (evn_shape_count(evn_value_shape(g->graph, view ? v : node->operands[k])) ==
                    g->count &&
                !evn__access_split(&access, columns, &stride)) {
                return false;
            }
        }
    }
    return true;
}

/// The longest row among the trailing products of the members' and their operands' shapes.
static int64_t choose_columns(const evn__generation *g) {
    int64_t best = 1;
    if (g->group->sums > 0) {
        return g->group->columns;
    }
    for (evn_value v = first_member(g); v != EVN_NONE; v = next_member(g, v)) {
        const evn__node *node = evn__node_at(g->graph, v);
        for (int k = -1; k < node->operand_count; ++k) {
            evn_shape shape = k < 0 ? node->shape : evn_value_shape(g->graph, node->operands[k]);
            int64_t columns = 1;
            for (int i = shape.rank - 1; i >= 0; --i) {
                columns *= shape.dim[i];
                if (columns > best && g->count % columns == 0 && columns_fit(g, columns)) {
                    best = columns;
                }
            }
        }
    }
    return best;
}

static void emit_bases(evn__generation *g) {
    for (int i = 0; i < g->read_count; ++i) {
        evn__text_append(&g->bases, "        const long base%d = ", i);
        evn__access_base(&g->reads[i].access, g->columns, "row", &g->bases);
        evn__text_append(&g->bases, ";\n");
    }
}

/// The texts of all members.
static evn_status emit_members(evn__generation *g) {
    for (evn_value v = first_member(g); v != EVN_NONE; v = next_member(g, v)) {
        EVN_TRY(emit_member(g, v));
    }
    EVN_TRY(emit_partials(g)); // first: a store may take the memory of what they read
    EVN_TRY(emit_stores(g));
    emit_bases(g);
    EVN_TRY(g->body.status);
    EVN_TRY(g->head.status);
    EVN_TRY(g->formals.status);
    EVN_TRY(g->pass.status);
    EVN_TRY(g->scalars.status);
    EVN_TRY(g->bases.status);
    return g->pointers.status;
}

/// One row is everything: the CPU's work-items take pieces of it.
static const char flat_frame[] = //
    "    const long row = 0;\n"
    "    {\n%s"
    "        const int begin = (int)get_global_id(0) * CHUNK;\n"
    "        const int end = min(begin + CHUNK, elements);\n"
    "        for (int column = begin; column < end; ++column) {\n%s";

static const char rows_frame[] = //
    "    const long first = (long)get_global_id(0) * rows;\n"
    "    const long last = min(first + rows, (long)(elements / COLUMNS));\n"
    "    for (long row = first; row < last; ++row) {\n%s"
    "        for (int column = 0; column < COLUMNS; ++column) {\n%s";

static const char elements_frame[] = //
    "    const int element = (int)get_global_id(0);\n"
    "    if (element < elements) {\n"
    "        const long row = element / COLUMNS;\n"
    "        const int column = element %% COLUMNS;\n%s"
    "        {\n%s";

/// Rows of a work-item on a CPU. The batch stays out of the text: where it matters, as with partial
/// sums, the number is an argument.
static evn_status choose_rows(evn__generation *g, int64_t *rows, char text[64]) {
    int64_t each = CHUNK / g->columns, all = g->count / g->columns;
    *rows = each > 1 ? each : 1;
    snprintf(text, 64, "%lld", (long long)*rows);
    if (g->group->sums > 0) {
        int number;
        int64_t min_rows = (all + MAX_PARTIALS - 1) / MAX_PARTIALS;
        *rows = *rows > MIN_ROWS ? *rows : MIN_ROWS;
        *rows = *rows > min_rows ? *rows : min_rows;
        EVN_TRY(evn__generation_add(g, evn__operand_int(*rows), &number));
        evn__text_append(&g->head, ", const int a%d", number);
        snprintf(text, 64, "a%d", number);
    }
    return EVN_OK;
}

static void set_range(evn__generation *g, int64_t items, size_t local) {
    g->items = items;
    g->call.range = (evn__range){1, {(size_t)items}, {local}};
}

/// Frame, range, and the constants of the frame.
static evn_status choose_frame(evn__generation *g, const char **frame, evn__text *constants) {
    if (g->columns == g->count) { // one row: no count in the text, COLUMNS only has to divide
        evn__text_append(constants, "    enum { CHUNK = %d, COLUMNS = INT_MAX };\n", CHUNK);
    } else {
        evn__text_append(constants, "    enum { COLUMNS = %lld };\n", (long long)g->columns);
    }
    if (!evn__items_are_wide(evn__lower_device(g->lowering))) {
        set_range(g, g->count, 64);
        *frame = elements_frame;
    } else if (g->columns == g->count) {
        set_range(g, (g->count + CHUNK - 1) / CHUNK, 1);
        *frame = flat_frame;
    } else {
        char text[64];
        int64_t rows;
        EVN_TRY(choose_rows(g, &rows, text));
        evn__text_append(constants, "    const int rows = %s;\n", text);
        set_range(g, (g->count / g->columns + rows - 1) / rows, 1);
        *frame = rows_frame;
    }
    return constants->status;
}

static const char *or_empty(const evn__text *text) {
    return text->data ? text->data : "";
}

static const char zeros_frame[] = //
    "    for (int column = 0; column < COLUMNS; ++column) {\n%s    }\n";

/// The parts that a kernel or an epilogue is put together of.
#define PARTS(g)                                                                                   \
    {                                                                                              \
        &(g)->scalars, &(g)->bases, &(g)->body, &(g)->zeros, &(g)->head, &(g)->pointers,           \
            &(g)->formals, &(g)->pass                                                              \
    }

static evn_status check_parts(const evn__generation *g) {
    const evn__text *const texts[] = PARTS(g);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); ++i) {
        EVN_TRY(texts[i]->status);
    }
    return EVN_OK;
}

/// All of the kernel behind its name.
static void write_tail(const evn__generation *g, const char *frame, const char *constants,
                       evn__text *text) {
    evn__text_append(text, "(const int elements%s) {\n%s%s%s", or_empty(&g->head),
                     or_empty(&g->pointers), or_empty(&g->scalars), constants);
    if (g->zeros.data) {
        evn__text_append(text, zeros_frame, g->zeros.data);
    }
    evn__text_append(text, frame, or_empty(&g->bases), or_empty(&g->body));
    evn__text_append(text, "        }\n    }\n}\n");
}

/// The kernel's name is a hash of its text: equal kernels of all plans of a device are one.
static evn_status emit_kernel(evn__generation *g, const char *tail) {
    char digest[EVN__HASH_TEXT], name[64];
    evn__text source = {0};
    evn__hash_print(evn__hash_of(tail, strlen(tail)), digest);
    snprintf(name, sizeof(name), "fused_%s", digest);
    evn__text_append(&source, "__kernel void %s%s", name, tail);
    g->call.kernel = name;
    g->call.source.text = source.data;
    evn_status status =
        source.status == EVN_OK ? evn__lower_emit(g->lowering, &g->call) : source.status;
    free(source.data);
    return status;
}

// Epilogues ---------------------------------------------------------------------------------------

/// No `restrict`: Oclgrind does not know what the inlined function makes of it. `result` points to
/// the row; 16 elements at a time where there are as many.
static const char epilogue_frame[] = //
    "#define EPILOGUE_BODY(TYPE, READ, WRITE) { \\\n%s        }\n"
    "static inline void evn_epilogue(__global real *result%s,\n"
    "                                const long row, const int begin, const int end) {\n"
    "%s    const long start = row * %lldL;\n    result += start;\n%s"
    "    int column = begin;\n"
    "%s"
    "    for (; column < end; ++column)\n"
    "        EPILOGUE_BODY(real, EPILOGUE_READ_ONE, EPILOGUE_WRITE_ONE)\n"
    "}\n"
    "#undef EPILOGUE_PARAMETERS\n#undef EPILOGUE\n"
    "#define EPILOGUE_PARAMETERS %s\n"
    "#define EPILOGUE(result, row, begin, end) evn_epilogue(result%s, row, begin, end)\n";

static const char begin_frame[] = //
    "static inline void evn_epilogue_begin(const long slot%s) {\n"
    "    for (int column = 0; column < %lld; ++column) {\n%s    }\n}\n"
    "#undef EPILOGUE_BEGIN\n"
    "#define EPILOGUE_BEGIN evn_epilogue_begin((long)get_global_id(0) * %lldL%s)\n";

static const char epilogue_vectors[] =
    "    for (; column + EVN_EPILOGUE_LANES <= end; column += EVN_EPILOGUE_LANES)\n"
    "        EPILOGUE_BODY(epilogue_lanes, EPILOGUE_READ, EPILOGUE_WRITE)\n";

/// Without other readers of the result the first member that needs memory takes its place.
static evn_value choose_carrier(const evn__generation *g) {
    for (evn_value v = first_member(g); v != EVN_NONE && !g->elements->crosses[g->result];
         v = next_member(g, v)) {
        if (g->elements->stored[v]) {
            return v;
        }
    }
    return EVN_NONE;
}

static evn_status write_epilogue(evn__generation *g, evn__text *text) {
    evn__text_append(text, epilogue_frame, or_empty(&g->body), or_empty(&g->formals),
                     or_empty(&g->scalars), (long long)g->columns, or_empty(&g->bases),
                     g->columns < EVN_EPILOGUE_LANES ? "" : epilogue_vectors, or_empty(&g->head),
                     or_empty(&g->pass));
    if (g->zeros.data) {
        evn__text_append(text, begin_frame, or_empty(&g->formals), (long long)g->columns,
                         g->zeros.data, (long long)g->columns, or_empty(&g->pass));
    }
    return text->status;
}

/// Add text and arguments to the kernel's call.
static evn_status attach(evn__generation *g, const evn__text *text, evn__call *call) {
    if (call->operand_count + g->call.operand_count > EVN__MAX_OPERANDS) {
        return EVN_OK;
    }
    for (int i = 0; i < call->operand_count && g->carrier != EVN_NONE; ++i) {
        evn__operand *written = &call->operands[i];
        if (written->kind == EVN__OPERAND_VALUE && written->value == g->result) {
            written->value = g->carrier;
        }
    }
    for (int i = 0; i < g->call.operand_count; ++i) {
        call->operands[call->operand_count++] = g->call.operands[i];
    }
    call->source.text = evn__arena_string(g->elements->arena, text->data);
    EVN_CHECK(call->source.text, EVN_ERR_MEMORY, "no memory for the text of a kernel");
    g->lowering->attached = true;
    return EVN_OK;
}

static evn_status generate_epilogue(evn__generation *g, evn__call *call, evn__text *text) {
    EVN_TRY(emit_members(g));
    EVN_TRY(check_parts(g));
    EVN_TRY(write_epilogue(g, text));
    return attach(g, text, call);
}

static evn_status generate(evn__generation *g, evn__text *constants, evn__text *tail) {
    int elements_argument;
    const char *frame;
    g->columns = choose_columns(g);
    EVN_TRY(evn__generation_add(g, evn__operand_int(g->count), &elements_argument));
    EVN_TRY(choose_frame(g, &frame, constants));
    EVN_TRY(emit_members(g));
    EVN_TRY(check_parts(g));
    write_tail(g, frame, constants->data, tail);
    EVN_TRY(tail->status);
    return emit_kernel(g, tail->data);
}

static void start(evn__generation *g, evn__elements *elements, const evn__group *group,
                  evn__lowering *lowering) {
    *g = (evn__generation){.lowering = lowering,
                           .elements = elements,
                           .group = group,
                           .graph = elements->graph,
                           .result = EVN_NONE,
                           .carrier = EVN_NONE};
    g->count = evn_shape_count(evn_value_shape(g->graph, group->first));
    evn__marks_clear(&elements->numbered);
    g->reserved = group->sums;
    for (evn_value v = first_member(g); v != EVN_NONE; v = next_member(g, v)) {
        g->reserved += elements->stored[v];
    }
}

static void finish(evn__generation *g) {
    evn__text *const texts[] = PARTS(g);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); ++i) {
        free(texts[i]->data);
    }
}

evn_status evn__elements_kernel(evn__elements *elements, const evn__group *group,
                                evn__lowering *lowering) {
    evn__generation g;
    evn__text constants = {0}, tail = {0};
    start(&g, elements, group, lowering);
    evn_status status = generate(&g, &constants, &tail);
    finish(&g);
    free(constants.data);
    free(tail.data);
    return status;
}

evn_status evn__elements_epilogue(evn__elements *elements, const evn__group *group,
                                  evn__lowering *lowering, evn__call *call) {
    evn__generation g;
    evn__text text = {0};
    start(&g, elements, group, lowering);
    g.result = group->family;
    evn_shape shape = evn_value_shape(g.graph, g.result);
    g.columns = shape.rank > 0 ? shape.dim[shape.rank - 1] : 1;
    g.items = (int64_t)call->range.global[0];
    g.carrier = choose_carrier(&g);
    evn_status status = generate_epilogue(&g, call, &text);
    finish(&g);
    free(text.data);
    return status;
}
