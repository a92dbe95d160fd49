// SPDX-License-Identifier: Apache-2.0
#include "methods/refinement.h"

#include "base/memory.h"
#include <stdlib.h>

static int states_of(const evn__refinement *r) {
    return r->step->system->state_count;
}

static evn_value *moved(const evn__refinement *r, int node) {
    return r->moved + (size_t)node * (size_t)states_of(r);
}

void evn__refinement_add(evn__refinement *r, double node, const evn_value *states) {
    for (int i = 0; i < states_of(r); ++i) {
        moved(r, r->count)[i] = evn_sub(r->step->graph, states[i], r->step->states[i]);
    }
    r->nodes[r->count++] = node;
}

evn_status evn__refinement_begin(evn__refinement *r) {
    enum { ARRAYS = 3 };
    int states = states_of(r);
    EVN_TRY(EVN_NEW(&r->memory, (EVN__REFINEMENT_NODES + ARRAYS) * states));
    r->moved = r->memory;
    r->right = moved(r, EVN__REFINEMENT_NODES);
    r->once = r->right + states;
    r->twice = r->once + states;
    evn__refinement_add(r, 0, r->step->states);
    evn__refinement_add(r, 1, r->step->next);
    return EVN_OK;
}

void evn__refinement_free(evn__refinement *r) {
    free(r->memory);
    r->memory = NULL;
}

// Parts of a span ---------------------------------------------------------------------------------

/// Displacements at places, then the rises.
static int parts_of(const evn__refinement *r) {
    return r->spans->places + 2;
}

static evn_value *part_of(const evn__refinement *r, int part, int state) {
    evn__span *span = &r->spans[state];
    return part < span->places    ? &span->inside[part]
           : part == span->places ? &span->rise
                                  : &span->rise_next;
}

/// What node `node` counts in a part of P.
static double weight_of(const evn__refinement *r, int part, int node) {
    int places = r->spans->places;
    double theta = part < places ? (part + 1.) / (places + 1) : part - places, value, slope;
    evn__lagrange(r->nodes, r->count, node, theta, &value, &slope);
    return part < places ? value : slope;
}

/// A part of P.
static evn_value through_nodes(const evn__refinement *r, int part, int state) {
    evn_graph *g = r->step->graph;
    evn_value sum = evn_constant(g, 0);
    for (int node = 1; node < r->count; ++node) { // at the beginning nothing has moved
        sum = evn_add(g, sum, evn_scale(g, moved(r, node)[state], weight_of(r, part, node)));
    }
    return sum;
}

/// (I − (I − W⁻¹)²) v = 2 W⁻¹ v − W⁻¹ W⁻¹ v.
static evn_status refine(evn__refinement *r, int part) {
    evn_graph *g = r->step->graph;
    for (int i = 0; i < states_of(r); ++i) {
        r->right[i] = evn_sub(g, *part_of(r, part, i), through_nodes(r, part, i));
    }
    EVN_TRY(evn__linear_solve(r->linear, &r->matrix, r->right, r->once));
    EVN_TRY(evn__linear_solve(r->linear, &r->matrix, r->once, r->twice));
    for (int i = 0; i < states_of(r); ++i) {
        if (r->linear->coupled[i]) {
            evn_value kept = evn_sub(g, evn_scale(g, r->once[i], 2), r->twice[i]);
            *part_of(r, part, i) = evn_add(g, through_nodes(r, part, i), kept);
        }
    }
    return evn_graph_status(g);
}

evn_status evn__refinement_apply(evn__refinement *r) {
    for (int part = 0; part < parts_of(r); ++part) {
        EVN_TRY(refine(r, part));
    }
    return evn_graph_status(r->step->graph);
}
