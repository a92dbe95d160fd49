// SPDX-License-Identifier: Apache-2.0
#include "samples/samples.h"

#include "host/items.h"
#include "host/quirks.h"
#include "ops/tasks.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_LEVELS = 64,
    // Values of one phase. One kernel for more would run no slower, but nothing would bound what a
    // compiler has to hold: they are cut (docs/performance/notes.md, Many operations).
    MAX_WHOLE = 2048,
    MAX_PIECE = 256, // of those of one kernel: as many as a loop has room for
};

static const evn__node *node_at(const evn__samples *s, evn_value value) {
    return evn__node_at(s->graph, value);
}

static evn__op_class class_of(const evn__samples *s, evn_value value) {
    return evn__op_table[node_at(s, value)->op].class;
}

evn_value evn__samples_source(const evn__samples *s, evn_value value) {
    while (!s->computed[value] && class_of(s, value) == EVN__CLASS_VIEW) {
        value = node_at(s, value)->operands[0];
    }
    return value;
}

evn_value evn__samples_reads(const evn__samples *s, evn_value value, int k) {
    const evn__node *node = node_at(s, value);
    if (k < node->operand_count) {
        return evn__samples_source(s, node->operands[k]);
    }
    return k == node->operand_count ? s->gate[value] : EVN_NONE;
}

int64_t evn__samples_count(const evn__samples *s, evn_value value) {
    int64_t count = evn_shape_count(node_at(s, value)->shape);
    bool rows = s->kind[value] == EVN__SAMPLES_ROWS || s->sampled[value];
    return rows && s->kind[value] != EVN__SAMPLES_CONTRACTION ? count / s->batch : count;
}

// Kinds -------------------------------------------------------------------------------------------

static bool has_rows(const evn__samples *s, evn_value value) {
    evn_shape shape = node_at(s, value)->shape;
    return shape.rank >= 1 && shape.rank <= 2 && shape.dim[0] == s->batch;
}

static bool is_supported(evn__op op) {
    return evn__op_table[op].class != EVN__CLASS_KERNEL || op == EVN__OP_PAD ||
           op == EVN__OP_CONCAT || op == EVN__OP_SUM || op == EVN__OP_MATMUL || op == EVN__OP_SOLVE;
}

static bool keeps_samples_apart(const evn__samples *s, const evn__node *node) {
    switch (node->op) {
    case EVN__OP_PAD:
        return node->attributes.start[0] == 0;
    case EVN__OP_CONCAT:
        return node->attributes.axis != 0;
    case EVN__OP_MATMUL:
        return !node->attributes.transpose_a && !s->sampled[node->operands[1]];
    default:
        return true;
    }
}

/// Linear systems are each sample's own, both sides of them, and small.
static bool solves_for_samples(const evn__samples *s, evn_value value) {
    const evn__node *node = node_at(s, value);
    return node->op != EVN__OP_SOLVE ||
           (s->sampled[node->operands[0]] && s->sampled[node->operands[1]] &&
            evn__samples_count(s, value) <= EVN__SAMPLES_MAX_SYSTEM);
}

static bool is_contraction(const evn__samples *s, const evn__node *node) {
    bool matmul =
        node->op == EVN__OP_MATMUL && node->attributes.transpose_a && !node->attributes.transpose_b;
    bool sum = node->op == EVN__OP_SUM && node->attributes.axis == 0;
    return (matmul || sum) && has_rows(s, node->operands[0]);
}

/// Set kind and sampled of `value`; false where the samples meet in another way.
static bool find_kind(evn__samples *s, evn_value value) {
    const evn__node *node = node_at(s, value);
    bool sampled = false;
    for (int k = 0; k < node->operand_count; ++k) {
        sampled = sampled || s->sampled[node->operands[k]];
    }
    if (!sampled) {
        return true;
    }
    if (s->computed[value] && is_contraction(s, node)) {
        s->kind[value] = EVN__SAMPLES_CONTRACTION;
        return true;
    }
    s->sampled[value] = true;
    if (!s->computed[value]) {
        return true; // a view: judged where it is read
    }
    s->kind[value] = EVN__SAMPLES_ROWS;
    return has_rows(s, value) && keeps_samples_apart(s, node) &&
           evn__samples_count(s, value) <= (int64_t)s->form->room * EVN__SAMPLES_MAX_ROW;
}

int64_t evn__samples_work(const evn__samples *s, evn_value value) {
    const evn__node *node = node_at(s, value);
    evn_shape a = evn_value_shape(s->graph, node->operands[0]);
    return evn__samples_count(s, value) * a.dim[!node->attributes.transpose_a];
}

static int64_t max_product(const evn__samples *s, evn_value value) {
    bool uniform = s->kind[value] == EVN__SAMPLES_UNIFORM;
    int64_t simt = uniform ? EVN__SIMT_MAX_UNIFORM_PRODUCT : EVN__SIMT_MAX_PRODUCT;
    return s->form->room * (s->simt ? simt : EVN__SAMPLES_MAX_PRODUCT);
}

/// Whether one work-item, or a work-group, computes it soon enough.
static bool is_small(const evn__samples *s, evn_value value) {
    const evn__node *node = node_at(s, value);
    evn_shape shape = node->shape;
    if (node->op != EVN__OP_MATMUL) {
        evn_shape read =
            node->op == EVN__OP_SUM ? evn_value_shape(s->graph, node->operands[0]) : shape;
        return s->kind[value] != EVN__SAMPLES_UNIFORM ||
               evn_shape_count(read) <= EVN__SAMPLES_MAX_PRODUCT;
    }
    if (s->kind[value] != EVN__SAMPLES_CONTRACTION) {
        return evn__samples_work(s, value) <= max_product(s, value);
    }
    if (s->simt) {
        return evn_shape_count(shape) <= (int64_t)s->form->room * EVN__SIMT_MAX_SUMS;
    }
    bool thin = shape.dim[0] <= EVN__SAMPLES_SMALL || shape.dim[1] <= EVN__SAMPLES_SMALL;
    return thin || evn__samples_work(s, value) <= (int64_t)s->form->room * EVN__SAMPLES_MAX_SUMS;
}

/// Give a uniform product kernels of its own; false where it reads what has no memory.
static bool make_large(evn__samples *s, evn_value value) {
    const evn__node *node = node_at(s, value);
    for (int k = 0; k < 2; ++k) {
        evn_value read = evn__strip(s->graph, node->operands[k]);
        evn__op op = node_at(s, read)->op;
        bool uniform = s->kind[read] == EVN__SAMPLES_UNIFORM && !s->sampled[read];
        if (!uniform || (!s->computed[read] && op != EVN__OP_INPUT && op != EVN__OP_TABLE)) {
            return false;
        }
    }
    s->large[value] = true;
    return true;
}

/// Large products of a phase that their families compute: memory for what these read and write.
static void store_large(const evn__samples *s, int phase) {
    for (int v = 0; v < s->graph->node_count; ++v) {
        if (s->large[v] && s->request->late[v] == phase) {
            s->stored[v] = true;
            s->stored[evn__strip(s->graph, node_at(s, v)->operands[0])] = true;
            s->stored[evn__strip(s->graph, node_at(s, v)->operands[1])] = true;
        }
    }
}

static bool find_samples(evn__samples *s, const char *const *names) {
    for (; *names; ++names) {
        int index = evn_graph_find_input(s->graph, *names);
        if (index < 0) {
            continue;
        }
        evn_value value = s->graph->inputs[index].value;
        evn_shape shape = node_at(s, value)->shape;
        s->batch = s->batch || shape.rank == 0 ? s->batch : shape.dim[0];
        if (s->batch < 1 || !has_rows(s, value)) {
            return false;
        }
        s->sampled[value] = s->batch > 1;
        bool active = s->request->active && strcmp(*names, s->request->active) == 0;
        s->active = active && s->sampled[value] ? value : s->active;
    }
    return s->batch > 0;
}

static bool find_kinds(evn__samples *s) {
    const evn__samples_request *r = s->request;
    for (int i = 0; i < s->graph->output_count; ++i) {
        s->stored[evn__strip(s->graph, s->graph->outputs[i].value)] = true;
    }
    for (int v = 0; v < s->graph->node_count; ++v) {
        const evn__node *node = node_at(s, v);
        evn__op_class class = class_of(s, v);
        bool copied = s->stored[v] && (evn__is_moving(node) || node->op == EVN__OP_CONSTANT);
        s->computed[v] =
            r->needed[v] && (class == EVN__CLASS_ELEMENT || class == EVN__CLASS_KERNEL || copied);
        if (!r->needed[v]) {
            continue;
        }
        if (!is_supported(node->op) || !find_kind(s, v) || !solves_for_samples(s, v)) {
            return false;
        }
        bool product = node->op == EVN__OP_MATMUL && s->kind[v] == EVN__SAMPLES_UNIFORM;
        if (s->computed[v] && !is_small(s, v) && !(product && make_large(s, v))) {
            return false;
        }
    }
    return true;
}

// Cooperation -------------------------------------------------------------------------------------

/// Groups of a phase are numbered one after the other: the first of them.
static int first_group(const evn__samples *s, int phase) {
    int first = 0;
    while (first < s->group_count && s->groups[first].phase < phase) {
        ++first;
    }
    return first;
}

/// Whether work-items can cooperate in a phase of several kernels; not where they may leave.
static bool can_cooperate(const evn__samples *s, int phase) {
    int first = first_group(s, phase), end = first_group(s, phase + 1);
    bool progress = !s->simt && evn__device_quirks(s->request->device)->groups_progress;
    bool divides = progress && end - first > 1 && s->active == EVN_NONE;
    for (int i = first; i < end; ++i) {
        evn_value large = s->groups[i].large;
        divides = divides && (large == EVN_NONE || evn__samples_divides(s, large));
    }
    return divides;
}

// Kernels and launches
// -------------------------------------------------------------------------------

/// What is unrolled is bounded for all groups together: pieces of one are compiled no less.
static evn_status emit_groups(const evn__samples *s, evn__sample_function *functions, bool *fits) {
    int64_t unrolled = 0;
    for (int i = 0; i < s->group_count && *fits; ++i) {
        if (s->groups[i].large == EVN_NONE || s->cooperates[s->groups[i].phase]) {
            EVN_TRY(evn__samples_emit(s, i, &functions[i], fits));
            unrolled += functions[i].unrolled;
            *fits = *fits && unrolled <= EVN__SAMPLES_MAX_UNROLLED;
        }
    }
    return EVN_OK;
}

static void add_launch(const evn__samples *s, int phase, evn_value large, const evn__call *call,
                       bool replaced) {
    evn__samples_result *result = s->result;
    result->launches[result->launch_count++] = (evn__sample_launch){phase, large, call, replaced};
}

/// Where it is `replaced`, a large product too is the call of its function, which tells what it
/// reads and writes.
static evn_status add_each(const evn__samples *s, int group, const evn__sample_function *function,
                           bool replaced, evn__call *call, bool *fits) {
    evn_value large = replaced ? EVN_NONE : s->groups[group].large;
    if (large == EVN_NONE) {
        EVN_TRY(evn__samples_kernel(s, function, call, fits));
    }
    add_launch(s, s->groups[group].phase, large, large == EVN_NONE ? call : NULL, replaced);
    return EVN_OK;
}

/// @param whole  room for the call in which work-items cooperate
static evn_status add_phase(const evn__samples *s, int phase, const evn__sample_function *functions,
                            evn__call *calls, evn__call *whole, bool *fits) {
    int first = first_group(s, phase), end = first_group(s, phase + 1);
    bool cooperates = s->cooperates[phase];
    if (cooperates) {
        EVN_TRY(evn__samples_cooperate(s, functions + first, end - first, whole, fits));
        add_launch(s, phase, EVN_NONE, whole, false);
    }
    for (int i = first; i < end && *fits; ++i) {
        EVN_TRY(add_each(s, i, &functions[i], cooperates, &calls[i], fits));
    }
    return EVN_OK;
}

static evn_status make_launches(const evn__samples *s, const evn__sample_function *functions,
                                bool *fits) {
    evn__samples_result *result = s->result;
    size_t count = (size_t)s->group_count + 2; // and what replaces the groups of each phase
    evn__call *calls = evn__arena_alloc(s->request->arena, sizeof(*calls) * count);
    result->launches = evn__arena_alloc(s->request->arena, sizeof(*result->launches) * count);
    EVN_CHECK(calls && result->launches, EVN_ERR_MEMORY, "no memory for %d kernels",
              s->group_count);
    for (int phase = 0; phase < 2; ++phase) {
        EVN_TRY(add_phase(s, phase, functions, calls, calls + s->group_count + phase, fits));
    }
    result->lanes = s->lanes;
    result->per_item = s->per_item;
    return EVN_OK;
}

static evn_status generate(evn__samples *s, bool *fits) {
    evn__sample_function *functions = NULL;
    EVN_TRY(EVN_NEW(&functions, s->group_count));
    evn_status status = emit_groups(s, functions, fits);
    if (status == EVN_OK && *fits) {
        status = make_launches(s, functions, fits);
    }
    free(functions);
    return status;
}

/// With or without cooperation; where it does not fit, everything is as before.
static evn_status try_to_compile(evn__samples *s, bool cooperation, bool *fits) {
    for (int phase = 0; phase < 2; ++phase) {
        s->cooperates[phase] = cooperation && !s->cut && can_cooperate(s, phase);
        if (!s->cooperates[phase]) {
            store_large(s, phase);
        }
    }
    *fits = true;
    EVN_TRY(evn__samples_make_slabs(s));
    EVN_TRY(generate(s, fits));
    if (!*fits) {
        evn__samples_drop_slabs(s);
        s->result->launch_count = 0;
    }
    return EVN_OK;
}

/// Two vectors as one where that leaves an item for each compute unit, and a register holds a
/// vector. More registers than that for a value are more than there are: four were slower than one
/// (docs/performance/notes.md, Flow).
static int widest_item(const evn__samples *s) {
    enum { VECTOR_BYTES = 64 }; // of lanes, in both precisions
    if (s->simt) {
        return EVN__SIMT_SAMPLES;
    }
    const evn_device *device = s->request->device;
    const evn_device_info *info = evn_device_get_info(device);
    int64_t vectors = evn__divide_up(s->batch, s->lanes);
    bool fits = info->vector_width * (int)sizeof(float) >= VECTOR_BYTES;
    bool enough = vectors >= 2 * (int64_t)info->compute_units;
    bool pairs = s->form->pairs && evn__device_quirks(device)->long_vectors;
    return pairs && fits && enough ? 2 * s->lanes : s->lanes;
}

/// Groups of at most so many members, for items of one width after the other.
static evn_status try_groups(evn__samples *s, int max_members, bool *fits) {
    EVN_TRY(evn__samples_make_groups(s, max_members));
    bool again = max_members < INT_MAX && !s->cut; // what did not fit whole
    int widest = widest_item(s), least = s->simt ? widest : s->lanes;
    for (int per_item = widest; !*fits && !again && per_item >= least; per_item /= 2) {
        s->per_item = per_item;
        EVN_TRY(try_to_compile(s, s->form->cooperates, fits));
        if (!*fits && (s->cooperates[0] || s->cooperates[1])) {
            EVN_TRY(try_to_compile(s, false, fits));
        }
    }
    return EVN_OK;
}

/// Values that the kernels of a phase compute, of the phase that has more.
static int count_computed(const evn__samples *s) {
    int count[2] = {0};
    for (int v = 0; v < s->graph->node_count; ++v) {
        count[s->request->late[v]] += s->computed[v];
    }
    return count[0] > count[1] ? count[0] : count[1];
}

static evn_status compile(evn__samples *s, bool *fits) {
    static const int pieces[] = {MAX_PIECE, MAX_PIECE / 4};
    *fits = false;
    EVN_TRY(evn__samples_find_levels(s));
    if (s->levels > MAX_LEVELS) {
        return EVN_OK;
    }
    if (count_computed(s) <= MAX_WHOLE) {
        EVN_TRY(try_groups(s, INT_MAX, fits));
    }
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces) && !*fits; ++i) {
        EVN_TRY(try_groups(s, pieces[i], fits));
    }
    return EVN_OK;
}

static evn_status allocate(evn__samples *s) {
    int count = s->graph->node_count + 1;
    EVN_TRY(EVN_NEW(&s->first_reader, count + 1));
    EVN_TRY(EVN_NEW(&s->computed, count));
    EVN_TRY(EVN_NEW(&s->stored, count));
    EVN_TRY(EVN_NEW(&s->sampled, count));
    EVN_TRY(EVN_NEW(&s->large, count));
    EVN_TRY(EVN_NEW(&s->kind, count));
    EVN_TRY(EVN_NEW(&s->level, count));
    EVN_TRY(EVN_NEW(&s->group, count));
    EVN_TRY(EVN_NEW(&s->slab, count));
    EVN_TRY(EVN_NEW(&s->offset, count));
    EVN_TRY(EVN_NEW(&s->gate, count));
    memset(s->group, 0xff, sizeof(int) * (size_t)count); // −1
    memset(s->slab, 0xff, sizeof(int) * (size_t)count);
    return EVN_OK;
}

static void release(evn__samples *s) {
    evn__samples_drop_groups(s);
    free(s->groups);
    free(s->slabs);
    free(s->first_reader);
    free(s->readers);
    free(s->computed);
    free(s->stored);
    free(s->sampled);
    free(s->large);
    free(s->kind);
    free(s->level);
    free(s->group);
    free(s->slab);
    free(s->offset);
    free(s->gate);
}

/// Whether there are as many samples as a work-group of a GPU has, or few will do.
static bool fills_group(const evn__samples *s) {
    const evn_device_info *info = evn_device_get_info(s->request->device);
    bool enough = s->batch >= EVN__SIMT_SAMPLES || s->request->few;
    return enough && info->max_work_group >= EVN__SIMT_SAMPLES;
}

/// Where the bits of a sample must not hang on the batch, the tuned form of a class of batches is
/// not asked for.
static const evn__sample_form *choose_form(const evn__samples_request *r) {
    return r->few ? evn__sample_forms : evn__sample_form_of(r->device, r->graph, r->names, r->fp64);
}

evn_status evn__samples_plan(const evn__samples_request *request, evn__samples_result *result) {
    const evn_device_info *info = evn_device_get_info(request->device);
    bool simt = info->type == EVN_DEVICE_GPU || info->type == EVN_DEVICE_GPU_INTEGRATED;
    evn__samples s = {.request = request,
                      .result = result,
                      .graph = request->graph,
                      .form = choose_form(request),
                      .simt = simt,
                      .active = EVN_NONE,
                      .lanes = simt            ? 1
                               : request->fp64 ? 8
                                               : 16};
    *result = (evn__samples_result){0};
    if (!s.form->by_sample || (!simt && !evn__items_are_wide(info))) {
        return EVN_OK;
    }
    evn_status status = allocate(&s);
    if (status == EVN_OK && find_samples(&s, request->names) && (!simt || fills_group(&s)) &&
        find_kinds(&s)) {
        status = compile(&s, &result->taken);
    }
    release(&s);
    return status;
}
