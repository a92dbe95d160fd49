// SPDX-License-Identifier: Apache-2.0
#include "plan/repeat.h"

#include "plan/plan.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

// Elements, of the runs of one launch: not on record; rows flow_* of `evonode bench` show it.
enum { MAX_SCRATCH = 1 << 22 };

/// The memory that a slot is in, over all runs.
typedef struct extent {
    int launch;
    int64_t size;    ///< elements of one run
    int64_t *offset; ///< per run
    bool written;
    const evn_buffer *buffer;
    int64_t low, high; ///< elements, over all runs
    bool apart;        ///< no two runs share elements
} extent;

struct evn__repeat {
    evn_plan *plan;
    int phase, count;
    evn_binding *inputs, *outputs, *saved;
    int cooperative;     ///< the launch that replaces the phase's others; −1: none
    bool merges;         ///< launch after launch, or stage after stage, instead of run after run
    int together;        ///< runs of a launch; 1: each alone
    bool *side_by_side;  ///< per launch of the plan: its runs do not need each other
    evn_buffer *scratch; ///< [together, or 1 unless merged][scratch elements of the plan]
    evn_buffer *run_offsets; ///< per group of runs and launch: evn__plan_run_offset_count
    size_t *run_offsets_at;  ///< [groups][launches of the plan]
};

static int groups(const evn__repeat *r) {
    return (r->count + r->together - 1) / r->together;
}

static int first_of(int group, const evn__repeat *r) {
    return group * r->together;
}

static int size_of(int group, const evn__repeat *r) {
    int left = r->count - first_of(group, r);
    return left < r->together ? left : r->together;
}

static evn__bound bound_at(const evn__repeat *r, int run) {
    const evn_graph *g = r->plan->in.graph;
    return (evn__bound){r->inputs + (size_t)run * (size_t)g->input_count,
                        r->outputs + (size_t)run * (size_t)g->output_count, r->saved[run]};
}

static bool in_phase(const evn__repeat *r, int launch) {
    return r->plan->launches.rows[launch].phase == r->phase;
}

/// Whether it is enqueued.
static bool is_used(const evn__repeat *r, int launch) {
    return in_phase(r, launch) && !r->plan->launches.rows[launch].replaced;
}

/// Whether it does one thing: a stage of the cooperative launch, or a launch of its own.
static bool is_stage(const evn__repeat *r, int launch) {
    return in_phase(r, launch) && launch != r->cooperative;
}

static int find_cooperative(const evn__repeat *r) {
    int i = r->plan->launches.count - 1;
    while (i >= 0 && !(in_phase(r, i) && r->plan->launches.rows[i].claims > 0)) {
        --i;
    }
    return i;
}

static const evn__slot *slot_at(const evn__repeat *r, int launch, int k) {
    return &r->plan->launches.slots[r->plan->launches.rows[launch].first_slot + k];
}

// Whether runs can go together --------------------------------------------------------------------

static bool is_memory(const evn__slot *slot) {
    return slot->kind == EVN__OPERAND_VALUE || slot->kind == EVN__OPERAND_SCRATCH;
}

/// Memory that every run has for itself, or that nothing writes.
static bool is_own(const evn__repeat *r, const evn__slot *slot) {
    evn__home home = evn__plan_place_of(r->plan, slot)->home;
    return !is_memory(slot) || home == EVN__HOME_SCRATCH || home == EVN__HOME_SAVED ||
           home == EVN__HOME_TABLE;
}

static bool find_extent(const evn__repeat *r, int launch, const evn__slot *slot, extent *e) {
    int64_t size = evn_shape_count(evn_value_shape(r->plan->in.graph, slot->value));
    int64_t before = 0, way = 0;
    *e = (extent){.launch = launch,
                  .size = size,
                  .offset = e->offset,
                  .written = slot->written,
                  .apart = true};
    for (int run = 0; run < r->count; ++run) {
        evn__bound bound = bound_at(r, run);
        evn__argument at;
        if (evn__plan_fill(r->plan, &bound, slot, &at) != EVN_OK ||
            (run > 0 && at.buffer != e->buffer)) {
            return false;
        }
        int64_t offset = (int64_t)at.offset, step = offset - before;
        e->buffer = at.buffer;
        e->offset[run] = offset;
        e->low = run == 0 || offset < e->low ? offset : e->low;
        e->high = run == 0 || offset + size > e->high ? offset + size : e->high;
        way = run == 1 ? step : way;
        e->apart = e->apart && (run == 0 || (llabs(step) >= size && (step > 0) == (way > 0)));
        before = offset;
    }
    return true;
}

static bool meet(const extent *a, const extent *b) {
    return (a->written || b->written) && a->buffer == b->buffer && a->low < b->high &&
           b->low < a->high;
}

/// What runs save must not be in each other's place.
static bool saves_apart(const evn__repeat *r) {
    size_t size = r->plan->memory.saved_elements;
    for (int run = 1; run < r->count && size > 0; ++run) {
        size_t a = r->saved[run - 1].offset, b = r->saved[run].offset;
        bool forward = r->saved[1].offset > r->saved[0].offset;
        if (r->saved[run].buffer != r->saved[0].buffer || (forward ? b < a + size : a < b + size)) {
            return false;
        }
    }
    return true;
}

/// All memory of the phase's launches that is bound; false where it cannot be described.
static bool collect(const evn__repeat *r, extent *extents, int *count) {
    *count = 0;
    for (int i = 0; i < r->plan->launches.count; ++i) {
        const evn__launch *launch = &r->plan->launches.rows[i];
        bool run_offsets = false;
        for (int k = 0; is_stage(r, i) && k < launch->slot_count; ++k) {
            const evn__slot *slot = slot_at(r, i, k);
            run_offsets = run_offsets || slot->kind == EVN__OPERAND_RUN_OFFSETS;
            if (!is_own(r, slot) && !find_extent(r, i, slot, &extents[(*count)++])) {
                return false;
            }
        }
        if (is_stage(r, i) && !run_offsets) {
            return false;
        }
    }
    return saves_apart(r);
}

/// Whether a run of `first` shares no memory with an earlier run of `second`, which it would
/// overtake.
static bool overtakes_none(const evn__repeat *r, const extent *first, const extent *second) {
    for (int run = 0; run < r->count; ++run) {
        for (int later = run + 1; later < r->count; ++later) {
            if (first->offset[later] < second->offset[run] + second->size &&
                second->offset[run] < first->offset[later] + first->size) {
                return false;
            }
        }
    }
    return true;
}

/// Stage after stage instead of run after run: a stage's later runs then come before the earlier
/// ones of the stages behind it.
static bool may_merge(const evn__repeat *r, const extent *extents, int count) {
    for (int a = 0; a < count; ++a) {
        for (int b = 0; b < count; ++b) {
            if (extents[a].launch < extents[b].launch && meet(&extents[a], &extents[b]) &&
                !overtakes_none(r, &extents[a], &extents[b])) {
                return false;
            }
        }
    }
    return true;
}

/// Runs of one stage at the same time: only of kernels of one work-item, or on a GPU one
/// work-group, which then have as many.
static void find_side_by_side(evn__repeat *r, const extent *extents, int count) {
    for (int i = 0; i < r->plan->launches.count; ++i) {
        const evn__launch *launch = &r->plan->launches.rows[i];
        r->side_by_side[i] = launch->range.global[0] == launch->range.local[0] && is_stage(r, i);
    }
    for (int a = 0; a < count; ++a) {
        bool *side = &r->side_by_side[extents[a].launch];
        *side = *side && (extents[a].apart || !extents[a].written);
        for (int b = 0; b < a; ++b) {
            *side = *side &&
                    (extents[a].launch != extents[b].launch || !meet(&extents[a], &extents[b]));
        }
    }
}

/// Whether each argument of the launch is in one buffer in all runs, so that it can move.
static bool stays_in_buffers(const evn__repeat *r, int launch) {
    for (int k = 0; k < r->plan->launches.rows[launch].slot_count; ++k) {
        const evn__slot *slot = slot_at(r, launch, k);
        const evn_buffer *first = NULL;
        for (int run = 0; is_memory(slot) && run < r->count; ++run) {
            evn__bound bound = bound_at(r, run);
            evn__argument at;
            if (evn__plan_fill(r->plan, &bound, slot, &at) != EVN_OK ||
                (run > 0 && at.buffer != first)) {
                return false;
            }
            first = at.buffer;
        }
    }
    return true;
}

static evn_status choose_together(evn__repeat *r) {
    extent *extents = NULL;
    int64_t *offsets = NULL; // [slots][runs]
    int count = 0;
    int64_t scratch = (int64_t)r->plan->memory.scratch_elements;
    r->together = 1;
    if (!r->plan->units.lanes || r->count < 2) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&extents, r->plan->launches.slot_count));
    evn_status status = EVN_NEW(&offsets, (int64_t)r->plan->launches.slot_count * r->count);
    for (int i = 0; i < r->plan->launches.slot_count && status == EVN_OK; ++i) {
        extents[i].offset = offsets + (int64_t)i * r->count;
    }
    if (status == EVN_OK && collect(r, extents, &count) && may_merge(r, extents, count)) {
        find_side_by_side(r, extents, count);
        int64_t max_together = scratch > 0 ? MAX_SCRATCH / scratch : r->count;
        r->together =
            max_together < r->count ? (int)(max_together > 1 ? max_together : 1) : r->count;
        r->merges = r->together > 1;
    } else if (status == EVN_OK && r->cooperative >= 0 && stays_in_buffers(r, r->cooperative)) {
        r->together = r->count; // run after run, within the launch
    }
    free(extents);
    free(offsets);
    return status;
}

// Offsets of the runs -----------------------------------------------------------------------------

/// How far slot `k` of the launch is in run `run` from where it is in run `first`.
static evn_status run_offset_of(const evn__repeat *r, int launch, int k, int first, int run,
                                int64_t *run_offset) {
    const evn__slot *slot = slot_at(r, launch, k);
    evn__argument from, to;
    *run_offset = 0;
    if (!is_memory(slot)) {
        return EVN_OK;
    }
    if (evn__plan_place_of(r->plan, slot)->home == EVN__HOME_SCRATCH) {
        *run_offset =
            r->merges ? (int64_t)(run - first) * (int64_t)r->plan->memory.scratch_elements : 0;
        return EVN_OK;
    }
    evn__bound a = bound_at(r, first), b = bound_at(r, run);
    EVN_TRY(evn__plan_fill(r->plan, &a, slot, &from));
    EVN_TRY(evn__plan_fill(r->plan, &b, slot, &to));
    *run_offset = (int64_t)to.offset - (int64_t)from.offset;
    return EVN_OK;
}

/// Bit s: of stage s, for kernels whose work-items cooperate.
static int64_t stages_side_by_side(const evn__repeat *r) {
    int64_t bits = 0;
    int stage = 0;
    for (int i = 0; i < r->plan->launches.count && r->cooperative >= 0; ++i) {
        if (is_stage(r, i)) {
            bits |= (int64_t)r->side_by_side[i] << stage++;
        }
    }
    return bits;
}

static evn_status write_run_offsets(const evn__repeat *r, int group, int launch,
                                    int64_t *run_offsets) {
    int first = first_of(group, r), slots = r->plan->launches.rows[launch].slot_count;
    run_offsets[EVN__RUN_OFFSETS_RUNS] = size_of(group, r);
    run_offsets[EVN__RUN_OFFSETS_TOGETHER] = r->merges ? size_of(group, r) : 1;
    run_offsets[EVN__RUN_OFFSETS_SIDE_BY_SIDE] = r->merges ? stages_side_by_side(r) : 0;
    run_offsets += EVN__RUN_OFFSETS_FIRST;
    for (int run = first; run < first + size_of(group, r); ++run) {
        for (int k = 0; k < slots; ++k) {
            EVN_TRY(run_offset_of(r, launch, k, first, run, run_offsets++));
        }
    }
    return EVN_OK;
}

/// Set run_offsets_at; the number of elements in all.
static size_t lay_out_run_offsets(evn__repeat *r) {
    size_t total = 0;
    for (int group = 0; group < groups(r); ++group) {
        for (int i = 0; i < r->plan->launches.count; ++i) {
            r->run_offsets_at[group * r->plan->launches.count + i] = total;
            int runs = size_of(group, r);
            total +=
                is_used(r, i) ? evn__plan_run_offset_count(&r->plan->launches.rows[i], runs) : 0;
        }
    }
    return total;
}

static evn_status fill_run_offsets(const evn__repeat *r, int64_t *run_offsets) {
    for (int group = 0; group < groups(r); ++group) {
        for (int i = 0; i < r->plan->launches.count; ++i) {
            size_t offset = r->run_offsets_at[group * r->plan->launches.count + i];
            if (is_used(r, i)) {
                EVN_TRY(write_run_offsets(r, group, i, run_offsets + offset));
            }
        }
    }
    return EVN_OK;
}

static evn_status write_all_run_offsets(evn__repeat *r, int64_t *run_offsets, size_t total) {
    size_t bytes = total * sizeof(*run_offsets);
    EVN_TRY(fill_run_offsets(r, run_offsets));
    EVN_TRY(evn_buffer_create(r->plan->in.device, bytes, &r->run_offsets));
    return evn_buffer_write(r->run_offsets, 0, bytes, run_offsets);
}

static evn_status create_run_offsets(evn__repeat *r) {
    int64_t *run_offsets = NULL;
    EVN_TRY(EVN_NEW(&r->run_offsets_at, groups(r) * r->plan->launches.count));
    size_t total = lay_out_run_offsets(r);
    EVN_TRY(EVN_NEW(&run_offsets, total));
    evn_status status = write_all_run_offsets(r, run_offsets, total);
    free(run_offsets);
    return status;
}

// Life --------------------------------------------------------------------------------------------

static evn_status copy(const evn_binding *from, size_t count, evn_binding **to) {
    EVN_TRY(EVN_NEW(to, count));
    if (count > 0) {
        memcpy(*to, from, count * sizeof(*from));
    }
    return EVN_OK;
}

static evn_status create(evn__repeat *r, const evn__runs *runs) {
    const evn_graph *g = r->plan->in.graph;
    size_t count = (size_t)runs->count;
    EVN_TRY(copy(runs->inputs, count * (size_t)g->input_count, &r->inputs));
    EVN_TRY(copy(runs->outputs, count * (size_t)g->output_count, &r->outputs));
    EVN_TRY(copy(runs->saved, count, &r->saved));
    EVN_TRY(EVN_NEW(&r->side_by_side, r->plan->launches.count));
    r->cooperative = find_cooperative(r);
    EVN_TRY(choose_together(r));
    if (r->together == 1) {
        return EVN_OK;
    }
    size_t copies = r->merges ? (size_t)r->together : 1;
    EVN_TRY(evn__real_create(r->plan->in.device, r->plan->in.fp64,
                             copies * r->plan->memory.scratch_elements, &r->scratch));
    return create_run_offsets(r);
}

evn_status evn__repeat_create(evn_plan *plan, const evn__runs *runs, evn__repeat **repeat) {
    EVN_TRY(EVN_NEW(repeat, 1));
    (*repeat)->plan = plan;
    (*repeat)->phase = runs->phase;
    (*repeat)->count = runs->count;
    evn_status status = create(*repeat, runs);
    if (status != EVN_OK) {
        evn__repeat_destroy(repeat);
    }
    return status;
}

void evn__repeat_destroy(evn__repeat **repeat) {
    evn__repeat *r = *repeat;
    if (!r) {
        return;
    }
    evn_buffer_destroy(&r->scratch);
    evn_buffer_destroy(&r->run_offsets);
    free(r->inputs);
    free(r->outputs);
    free(r->saved);
    free(r->side_by_side);
    free(r->run_offsets_at);
    free(r);
    *repeat = NULL;
}

static bool are_equal(const evn_binding *a, const evn_binding *b, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        if (a[i].buffer != b[i].buffer || a[i].offset != b[i].offset) {
            return false;
        }
    }
    return true;
}

bool evn__repeat_is(const evn__repeat *r, const evn__runs *runs) {
    const evn_graph *g = r->plan->in.graph;
    size_t count = (size_t)r->count;
    return r->phase == runs->phase && r->count == runs->count &&
           are_equal(r->inputs, runs->inputs, count * (size_t)g->input_count) &&
           are_equal(r->outputs, runs->outputs, count * (size_t)g->output_count) &&
           are_equal(r->saved, runs->saved, count);
}

// Running -----------------------------------------------------------------------------------------

static evn_status run_launch(const evn__repeat *r, int group, int index) {
    const evn__launch *launch = &r->plan->launches.rows[index];
    evn__bound bound = bound_at(r, first_of(group, r));
    evn__argument arguments[EVN__OPERAND_CAPACITY];
    for (int k = 0; k < launch->slot_count; ++k) {
        const evn__slot *slot = slot_at(r, index, k);
        EVN_TRY(evn__plan_fill(r->plan, &bound, slot, &arguments[k]));
        if (slot->kind == EVN__OPERAND_RUN_OFFSETS) {
            arguments[k].buffer = r->run_offsets;
            arguments[k].offset = r->run_offsets_at[group * r->plan->launches.count + index];
        } else if (is_memory(slot) &&
                   evn__plan_place_of(r->plan, slot)->home == EVN__HOME_SCRATCH) {
            arguments[k].buffer = r->scratch;
        }
    }
    evn__range range = launch->range;
    range.global[1] = r->side_by_side[index] ? (size_t)size_of(group, r) : 1;
    return evn__kernel_launch(r->plan->kernels[index], arguments, launch->slot_count, range);
}

static evn_status run_each(const evn__repeat *r) {
    for (int run = 0; run < r->count; ++run) {
        evn__bound bound = bound_at(r, run);
        EVN_TRY(evn_plan_run_phase(r->plan, r->phase, bound.inputs, bound.outputs, &bound.saved));
    }
    return EVN_OK;
}

evn_status evn__repeat_run(const evn__repeat *r) {
    if (r->together == 1) {
        return run_each(r);
    }
    for (int group = 0; group < groups(r); ++group) {
        for (int i = 0; i < r->plan->launches.count; ++i) {
            if (is_used(r, i)) {
                EVN_TRY(run_launch(r, group, i));
            }
        }
    }
    return EVN_OK;
}

int evn__repeat_launches(const evn__repeat *r) {
    int launches = 0;
    for (int i = 0; i < r->plan->launches.count; ++i) {
        launches += is_used(r, i);
    }
    return launches * groups(r);
}
