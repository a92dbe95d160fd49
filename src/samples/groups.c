// SPDX-License-Identifier: Apache-2.0
// Which values one kernel computes: those of a phase and level, uniform ones and rows apart.
#include "samples/samples.h"

#include "host/quirks.h"
#include <limits.h>
#include <stdlib.h>

static int find_level(const evn__samples *s, evn_value value) {
    evn_value source;
    int level = 0;
    for (int k = 0; (source = evn__samples_reads(s, value, k)) != EVN_NONE; ++k) {
        if (s->computed[source] && s->request->late[source] == s->request->late[value]) {
            bool waits = s->kind[source] == EVN__SAMPLES_CONTRACTION || s->large[source];
            int after = s->level[source] + waits;
            level = after > level ? after : level;
        }
    }
    return level;
}

/// Uniform values wait for the first that reads them: fewer levels then have a kernel for them.
/// Going back, the level of all that read a value is known before its own.
static evn_status sink_uniform(evn__samples *s) {
    enum { NEVER = -1 }; // read in the other phase
    int *first = NULL;
    EVN_TRY(EVN_NEW(&first, s->graph->node_count + 1));
    for (int v = 0; v < s->graph->node_count; ++v) {
        first[v] = INT_MAX;
    }
    for (int v = s->graph->node_count - 1; v >= 0; --v) {
        bool waits = s->computed[v] && s->kind[v] == EVN__SAMPLES_UNIFORM && !s->large[v] &&
                     !s->stored[v] && first[v] != INT_MAX;
        s->level[v] = waits && first[v] > s->level[v] ? first[v] : s->level[v];
        evn_value source;
        for (int k = 0; s->computed[v] && (source = evn__samples_reads(s, v, k)) != EVN_NONE; ++k) {
            bool here = s->request->late[v] == s->request->late[source];
            int level = here ? s->level[v] : NEVER;
            first[source] = level < first[source] ? level : first[source];
        }
    }
    free(first);
    return EVN_OK;
}

/// Who reads each value, in the order of the graph.
static evn_status list_readers(evn__samples *s) {
    int *end = s->first_reader + 1; // the next row begins where this one has come to
    for (int pass = 0; pass < 2; ++pass) {
        for (int v = 0; v < s->graph->node_count; ++v) {
            const evn__node *node = evn__node_at(s->graph, v);
            for (int k = 0; s->computed[v] && k < node->operand_count; ++k) {
                int *row = &end[evn__samples_source(s, node->operands[k])];
                if (pass == 0) {
                    ++row[1];
                } else {
                    s->readers[(*row)++] = v;
                }
            }
        }
        for (int v = 0; v < s->graph->node_count && pass == 0; ++v) {
            end[v + 1] += end[v];
        }
        if (pass == 0) {
            EVN_TRY(EVN_NEW(&s->readers, end[s->graph->node_count] + 1));
        }
    }
    return EVN_OK;
}

static bool belongs(const evn__samples *s, evn_value value, int level, bool rows) {
    if (!rows && evn__samples_added_up(s, value)) {
        return s->level[value] + 1 == level;
    }
    return s->level[value] == level && (s->kind[value] != EVN__SAMPLES_UNIFORM) == rows &&
           !s->large[value];
}

static evn_status open_group(evn__samples *s, evn__sample_group group) {
    EVN_TRY(EVN_RESERVE(s->groups, s->group_capacity, s->group_count + 1));
    EVN_TRY(EVN_NEW(&group.member, s->graph->node_count));
    s->groups[s->group_count++] = group;
    return EVN_OK;
}

/// Values come in the order of the graph: what is behind them reads no value of a later piece.
static evn_status add_group(evn__samples *s, int phase, int level, bool rows, int max_members) {
    const evn__sample_group empty = {
        .phase = phase, .level = level, .rows = rows, .large = EVN_NONE};
    int room = 0, pieces = 0;
    for (int v = 0; v < s->graph->node_count; ++v) {
        if (!s->computed[v] || s->request->late[v] != phase || !belongs(s, v, level, rows)) {
            continue;
        }
        if (room-- == 0) {
            EVN_TRY(open_group(s, empty));
            room = max_members - 1;
            s->cut = s->cut || ++pieces > 1;
        }
        evn__sample_group *group = &s->groups[s->group_count - 1];
        group->first = group->end == 0 ? v : group->first;
        group->end = v + 1;
        group->member[v] = true;
        s->group[v] = rows || !evn__samples_added_up(s, v) ? s->group_count - 1 : s->group[v];
    }
    return EVN_OK;
}

static evn_status add_large(evn__samples *s, int phase, int level) {
    for (int v = 0; v < s->graph->node_count; ++v) {
        if (s->large[v] && s->request->late[v] == phase && s->level[v] == level) {
            EVN_TRY(open_group(
                s, (evn__sample_group){
                       .phase = phase, .level = level, .large = v, .first = v, .end = v + 1}));
            s->group[v] = s->group_count - 1;
            s->groups[s->group[v]].member[v] = true;
        }
    }
    return EVN_OK;
}

evn_status evn__samples_find_levels(evn__samples *s) {
    EVN_TRY(list_readers(s));
    for (int v = 0; v < s->graph->node_count; ++v) {
        bool gated =
            s->large[v] && !s->simt && evn__device_quirks(s->request->device)->groups_progress;
        s->gate[v] = gated ? evn__samples_gate(s, v) : EVN_NONE;
        s->level[v] = s->computed[v] ? find_level(s, v) : 0;
    }
    EVN_TRY(sink_uniform(s));
    s->levels = 1;
    for (int v = 0; v < s->graph->node_count; ++v) {
        int after = s->level[v] + 1 + evn__samples_added_up(s, v);
        s->levels = after > s->levels ? after : s->levels;
    }
    return EVN_OK;
}

/// Rows that cost less to compute again than to write and read.
static bool is_cheap(const evn__samples *s, evn_value value) {
    switch (evn__node_at(s->graph, value)->op) {
    case EVN__OP_EXP:
    case EVN__OP_LOG:
    case EVN__OP_SQRT:
    case EVN__OP_SIN:
    case EVN__OP_COS:
    case EVN__OP_TANH:
    case EVN__OP_SIGMOID:
    case EVN__OP_SOFTPLUS:
    case EVN__OP_DIV:
    case EVN__OP_SUM:
    case EVN__OP_SOLVE:
        return false;
    case EVN__OP_MATMUL:
        return evn__samples_work(s, value) <= 2 * evn__samples_count(s, value);
    default:
        return true;
    }
}

/// Whether a group computes again what `source` is, in place of reading it. Not what a piece of its
/// own level computes: pieces bound what a kernel holds.
static bool is_repeated(const evn__samples *s, const evn__sample_group *group, evn_value source) {
    bool piece = s->level[source] == group->level && s->request->late[source] == group->phase;
    return s->computed[source] && s->kind[source] == EVN__SAMPLES_ROWS && !group->member[source] &&
           !piece && is_cheap(s, source);
}

static void repeat_cheap(const evn__samples *s, evn__sample_group *group, int max_members) {
    int room = max_members;
    for (int v = group->end - 1; v >= group->first && group->rows; --v) {
        const evn__node *node = evn__node_at(s->graph, v);
        for (int k = 0; group->member[v] && k < node->operand_count; ++k) {
            evn_value source = evn__samples_source(s, node->operands[k]);
            if (room > 0 && is_repeated(s, group, source)) {
                group->member[source] = true;
                group->first = source < group->first ? source : group->first;
                --room;
            }
        }
    }
}

evn_status evn__samples_make_groups(evn__samples *s, int max_members) {
    evn__samples_drop_groups(s);
    for (int phase = 0; phase < 2; ++phase) {
        for (int level = 0; level < s->levels; ++level) {
            EVN_TRY(add_group(s, phase, level, false, max_members));
            EVN_TRY(add_group(s, phase, level, true, max_members));
            EVN_TRY(add_large(s, phase, level));
        }
    }
    for (int i = 0; i < s->group_count; ++i) {
        repeat_cheap(s, &s->groups[i], max_members);
    }
    return EVN_OK;
}

void evn__samples_drop_groups(evn__samples *s) {
    for (int i = 0; i < s->group_count; ++i) {
        free(s->groups[i].member);
    }
    s->group_count = 0;
    s->cut = false;
}
