// SPDX-License-Identifier: Apache-2.0
// Memory for what groups of a plan over samples read of each other.
#include "samples/samples.h"

#include "ops/tasks.h"
#include <stdlib.h>
#include <string.h>

static void need(evn__samples *s, evn_value value, bool *crosses, int reader) {
    if (s->stored[value] && s->kind[value] == EVN__SAMPLES_UNIFORM) {
        return; // read where it is stored
    }
    crosses[value] |= s->groups[s->group[value]].phase != s->groups[reader].phase;
    s->slab[value] = 0; // wanted
}

static void find_needed(evn__samples *s, bool *crosses) {
    for (int i = 0; i < s->group_count; ++i) {
        for (int v = s->groups[i].first; v < s->groups[i].end; ++v) {
            evn_value source;
            if (s->groups[i].member[v] && s->group[v] != i && evn__samples_added_up(s, v)) {
                need(s, v, crosses, i);
            }
            // What it adds up it does not compute.
            bool computes =
                s->groups[i].member[v] && (s->groups[i].rows || !evn__samples_added_up(s, v));
            for (int k = 0; computes && (source = evn__samples_reads(s, v, k)) != EVN_NONE; ++k) {
                if (s->computed[source] && !s->groups[i].member[source]) {
                    need(s, source, crosses, i);
                }
            }
        }
    }
}

/// Whether two groups share slabs.
static bool share_slabs(const evn__samples *s, int a, int b) {
    int phase = s->groups[a].phase;
    return a == b || (phase == s->groups[b].phase && s->cooperates[phase]);
}

static evn__sample_slab *slab_for(evn__samples *s, evn_value value, bool crosses) {
    for (int i = s->slab_count - 1; i >= 0; --i) {
        evn__sample_slab *slab = &s->slabs[i];
        if (share_slabs(s, slab->group, s->group[value]) && slab->kind == s->kind[value] &&
            slab->crosses == crosses) {
            return slab;
        }
    }
    s->slabs[s->slab_count] =
        (evn__sample_slab){.group = s->group[value], .kind = s->kind[value], .crosses = crosses};
    return &s->slabs[s->slab_count++];
}

static void fill_slabs(evn__samples *s, const bool *crosses) {
    for (int v = 0; v < s->graph->node_count; ++v) {
        if (s->slab[v] < 0) {
            continue;
        }
        evn__sample_slab *slab = slab_for(s, v, crosses[v]);
        int64_t count = evn__samples_count(s, v);
        s->slab[v] = (int)(slab - s->slabs);
        s->offset[v] = slab->total;
        // Vectors begin at cache lines; within rows every element is a vector.
        slab->total +=
            s->kind[v] == EVN__SAMPLES_ROWS ? count : evn__divide_up(count, s->lanes) * s->lanes;
    }
}

static evn_status allocate_slabs(evn__samples *s) {
    int64_t items = evn__divide_up(s->batch, s->per_item);
    s->result->scratch = evn__arena_alloc(
        s->request->arena, sizeof(int64_t) * (size_t)(s->slab_count + s->group_count + 1));
    EVN_CHECK(s->result->scratch, EVN_ERR_MEMORY, "no memory for %d slabs", s->slab_count);
    s->result->scratch_count = s->slab_count;
    for (int i = 0; i < s->slab_count; ++i) {
        evn__sample_slab *slab = &s->slabs[i];
        int64_t elements = slab->total;
        elements *= slab->kind == EVN__SAMPLES_UNIFORM ? 1 : items;
        elements *= slab->kind == EVN__SAMPLES_ROWS ? s->per_item : 1;
        s->result->scratch[i] = elements;
        slab->memory = (evn__operand){.kind = EVN__OPERAND_SCRATCH, .scratch = i};
    }
    return EVN_OK;
}

evn_status evn__samples_make_slabs(evn__samples *s) {
    bool *crosses;
    EVN_TRY(EVN_NEW(&crosses, s->graph->node_count));
    evn_status status = EVN_NEW(&s->slabs, 6 * s->group_count);
    if (status == EVN_OK) {
        find_needed(s, crosses);
        fill_slabs(s, crosses);
        status = allocate_slabs(s);
    }
    free(crosses);
    return status;
}

void evn__samples_drop_slabs(evn__samples *s) {
    free(s->slabs);
    s->slabs = NULL;
    s->slab_count = 0;
    memset(s->slab, 0xff, sizeof(int) * (size_t)s->graph->node_count); // −1
}
