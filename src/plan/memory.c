// SPDX-License-Identifier: Apache-2.0
// Where every value lives. Values of one phase share an arena: largest first, each at the lowest
// offset where nothing that lives at the same time stands (Pisarchyk, Lee 2020: greedy by size).
// Values that cross from phase 0 to 1 have a memory of their own, without reuse.
#include "plan/plan.h"
#include "plan/real.h"

#include <stdlib.h>
#include <string.h>

/// The pass: what it reads and what it leaves.
typedef struct placing {
    const evn__plan_input *in;
    const evn__launches *launches;
    evn__memory *memory;
} placing;

/// A piece of the arena and the launches during which it is in use.
typedef struct piece {
    int64_t elements;
    int first, last; ///< launch numbers, inclusive
    size_t *offset;
} piece;

typedef struct life {
    int first, last; ///< launches that touch the value; first −1: none
    int first_phase, last_phase;
} life;

static size_t aligned(int64_t elements) {
    return evn__real_aligned((size_t)elements);
}

static void bind_ports(const placing *pass) {
    const evn_graph *g = pass->in->graph;
    for (int i = 0; i < g->input_count; ++i) {
        pass->memory->places[g->inputs[i].value] = (evn__place){EVN__HOME_INPUT, i, 0};
    }
    for (int i = 0; i < g->output_count; ++i) {
        evn_value value = evn__strip(g, g->outputs[i].value);
        if (pass->memory->places[value].home == EVN__HOME_NONE &&
            evn__node_at(g, value)->op != EVN__OP_TABLE) {
            pass->memory->places[value] = (evn__place){EVN__HOME_OUTPUT, i, 0};
        }
    }
}

static void touch(life *l, int launch, int phase) {
    if (l->first < 0) {
        l->first = launch;
        l->first_phase = phase;
    }
    l->last = launch;
    l->last_phase = phase;
}

static void measure_lives(const placing *pass, life *values, life *scratch) {
    for (int i = 0; i < pass->launches->count; ++i) {
        const evn__launch *launch = &pass->launches->rows[i];
        for (int k = 0; k < launch->slot_count; ++k) {
            const evn__slot *slot = &pass->launches->slots[launch->first_slot + k];
            if (slot->kind == EVN__OPERAND_VALUE) {
                touch(&values[slot->value], i, launch->phase);
            } else if (slot->kind == EVN__OPERAND_SCRATCH) {
                touch(&scratch[slot->scratch], i, launch->phase);
            }
        }
    }
}

static int larger_first(const void *a, const void *b) {
    const piece *x = a, *y = b;
    if (x->elements != y->elements) {
        return x->elements < y->elements ? 1 : -1;
    }
    return (x->first > y->first) - (x->first < y->first); // the same order on every C library
}

/// The pieces at one offset, in the order of time: no two of them are in use at once.
typedef struct shelf {
    size_t offset;
    const piece **pieces;
    int count, capacity;
} shelf;

/// Where pieces stand, lowest offset first.
typedef struct shelves {
    shelf *rows;
    int count, capacity;
} shelves;

/// The first piece of the shelf that begins after `launch`.
static int first_after(const shelf *row, int launch) {
    int low = 0, high = row->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (row->pieces[middle]->first <= launch) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/// The end of the largest piece of the shelf that is in use while `p` is; 0: none.
static size_t find_end(const shelf *row, const piece *p) {
    size_t end = 0;
    for (int i = first_after(row, p->last) - 1; i >= 0 && row->pieces[i]->last >= p->first; --i) {
        size_t own = row->offset + aligned(row->pieces[i]->elements);
        end = own > end ? own : end;
    }
    return end;
}

/// The lowest offset for `p` among the pieces already placed.
static size_t find_gap(const piece *p, const shelves *placed) {
    size_t offset = 0;
    for (int i = 0; i < placed->count; ++i) {
        if (placed->rows[i].offset >= offset + aligned(p->elements)) {
            break;
        }
        size_t end = find_end(&placed->rows[i], p);
        offset = end > offset ? end : offset;
    }
    return offset;
}

/// The shelf at `offset`, which may be a new one.
static evn_status find_shelf(shelves *placed, size_t offset, shelf **row) {
    int low = 0, high = placed->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (placed->rows[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == placed->count || placed->rows[low].offset != offset) {
        EVN_TRY(EVN_RESERVE(placed->rows, placed->capacity, placed->count + 1));
        memmove(&placed->rows[low + 1], &placed->rows[low],
                sizeof(*placed->rows) * (size_t)(placed->count++ - low));
        placed->rows[low] = (shelf){.offset = offset};
    }
    *row = &placed->rows[low];
    return EVN_OK;
}

static evn_status add_piece(shelves *placed, const piece *p) {
    shelf *row;
    EVN_TRY(find_shelf(placed, *p->offset, &row));
    EVN_TRY(EVN_RESERVE(row->pieces, row->capacity, row->count + 1));
    int at = first_after(row, p->first);
    memmove(&row->pieces[at + 1], &row->pieces[at],
            sizeof(*row->pieces) * (size_t)(row->count++ - at));
    row->pieces[at] = p;
    return EVN_OK;
}

static evn_status place_pieces(const placing *pass, piece *pieces, int count) {
    shelves placed = {0};
    evn_status status = EVN_OK;
    qsort(pieces, (size_t)count, sizeof(*pieces), larger_first);
    for (int i = 0; i < count && status == EVN_OK; ++i) {
        *pieces[i].offset = find_gap(&pieces[i], &placed);
        status = add_piece(&placed, &pieces[i]);
        size_t end = *pieces[i].offset + aligned(pieces[i].elements);
        pass->memory->scratch_elements =
            end > pass->memory->scratch_elements ? end : pass->memory->scratch_elements;
    }
    for (int i = 0; i < placed.count; ++i) {
        free(placed.rows[i].pieces);
    }
    free(placed.rows);
    return status;
}

/// What crosses from phase to phase has its place at once, the rest becomes a piece of the arena.
static int place_or_collect(const placing *pass, const life *l, int64_t elements, evn__place *place,
                            piece *pieces, int count) {
    if (l->first_phase != l->last_phase) {
        *place = (evn__place){EVN__HOME_SAVED, 0, pass->memory->saved_elements};
        pass->memory->saved_elements += aligned(elements);
        return count;
    }
    place->home = EVN__HOME_SCRATCH;
    pieces[count] = (piece){elements, l->first, l->last, &place->offset};
    return count + 1;
}

static int collect(const placing *pass, const life *values, const life *scratch, piece *pieces) {
    int count = 0;
    for (int v = 0; v < pass->in->graph->node_count; ++v) {
        evn__place *place = &pass->memory->places[v];
        int64_t elements = evn_shape_count(evn_value_shape(pass->in->graph, v));
        if (values[v].first < 0 || place->home != EVN__HOME_NONE) {
            continue;
        }
        if (evn__node_at(pass->in->graph, v)->op == EVN__OP_TABLE) {
            *place = (evn__place){EVN__HOME_TABLE, 0, pass->memory->table_elements};
            pass->memory->table_elements += aligned(elements);
        } else {
            count = place_or_collect(pass, &values[v], elements, place, pieces, count);
        }
    }
    for (int i = 0; i < pass->launches->scratch_count; ++i) {
        count = place_or_collect(pass, &scratch[i], pass->launches->scratch[i],
                                 &pass->memory->scratch_places[i], pieces, count);
    }
    return count;
}

static void resolve_slots(const placing *pass) {
    for (int i = 0; i < pass->launches->slot_count; ++i) {
        const evn__slot *slot = &pass->launches->slots[i];
        if (slot->kind == EVN__OPERAND_VALUE) {
            pass->memory->slots[i] = pass->memory->places[slot->value];
        } else if (slot->kind == EVN__OPERAND_SCRATCH) {
            pass->memory->slots[i] = pass->memory->scratch_places[slot->scratch];
        }
    }
}

static evn_status write_table(const placing *pass, evn_value value) {
    const evn__node *node = evn__node_at(pass->in->graph, value);
    return evn__real_write((evn_binding){pass->memory->tables, pass->memory->places[value].offset},
                           pass->in->fp64, node->attributes.table,
                           (size_t)evn_shape_count(node->shape));
}

/// One run, whose offsets are 0; its claims come and go.
static evn_status create_one_run(const placing *pass) {
    size_t count = 0;
    int64_t *run_offsets = NULL;
    for (int i = 0; i < pass->launches->count; ++i) {
        size_t own = evn__plan_run_offset_count(&pass->launches->rows[i], 1);
        count = own > count ? own : count;
    }
    EVN_TRY(EVN_NEW(&run_offsets, count));
    run_offsets[EVN__RUN_OFFSETS_RUNS] = run_offsets[EVN__RUN_OFFSETS_TOGETHER] = 1;
    evn_status status =
        evn_buffer_create(pass->in->device, count * sizeof(*run_offsets), &pass->memory->one_run);
    if (status == EVN_OK) {
        status =
            evn_buffer_write(pass->memory->one_run, 0, count * sizeof(*run_offsets), run_offsets);
    }
    free(run_offsets);
    return status;
}

static bool take_run_offsets(const evn__launches *launches) {
    for (int i = 0; i < launches->slot_count; ++i) {
        if (launches->slots[i].kind == EVN__OPERAND_RUN_OFFSETS) {
            return true;
        }
    }
    return false;
}

static evn_status create_buffers(const placing *pass) {
    if (take_run_offsets(pass->launches)) {
        EVN_TRY(create_one_run(pass));
    }
    if (pass->memory->scratch_elements > 0) {
        EVN_TRY(evn__real_create(pass->in->device, pass->in->fp64, pass->memory->scratch_elements,
                                 &pass->memory->scratch));
    }
    if (pass->memory->table_elements == 0) {
        return EVN_OK;
    }
    EVN_TRY(evn__real_create(pass->in->device, pass->in->fp64, pass->memory->table_elements,
                             &pass->memory->tables));
    for (int v = 0; v < pass->in->graph->node_count; ++v) {
        if (pass->memory->places[v].home == EVN__HOME_TABLE) {
            EVN_TRY(write_table(pass, v));
        }
    }
    return EVN_OK;
}

static evn_status allocate(const placing *pass) {
    const size_t counts[] = {(size_t)pass->in->graph->node_count,
                             (size_t)pass->launches->scratch_count,
                             (size_t)pass->launches->slot_count};
    evn__place **const places[] = {&pass->memory->places, &pass->memory->scratch_places,
                                   &pass->memory->slots};
    for (int i = 0; i < 3; ++i) {
        *places[i] = evn__arena_alloc(pass->in->arena, (counts[i] + 1) * sizeof(**places[i]));
        EVN_CHECK(*places[i], EVN_ERR_MEMORY, "no memory to place %zu values", counts[i]);
    }
    return EVN_OK;
}

/// Find places; `lives` and `pieces` have room for all values and scratch.
static evn_status place(const placing *pass, life *lives, piece *pieces) {
    int values = pass->in->graph->node_count;
    for (int i = 0; i < values + pass->launches->scratch_count; ++i) {
        lives[i].first = -1;
    }
    measure_lives(pass, lives, lives + values);
    EVN_TRY(place_pieces(pass, pieces, collect(pass, lives, lives + values, pieces)));
    resolve_slots(pass);
    return create_buffers(pass);
}

evn_status evn__plan_place(const evn__plan_input *in, const evn__launches *launches,
                           evn__memory *memory) {
    const placing pass = {in, launches, memory};
    int all = in->graph->node_count + launches->scratch_count;
    life *lives = NULL;
    piece *pieces = NULL;
    EVN_TRY(allocate(&pass));
    bind_ports(&pass);
    EVN_TRY(EVN_NEW(&lives, all));
    evn_status status = EVN_NEW(&pieces, all);
    if (status == EVN_OK) {
        status = place(&pass, lives, pieces);
    }
    free(lives);
    free(pieces);
    return status;
}
