// SPDX-License-Identifier: Apache-2.0
#include "random_graph.h"

#include "graph/node.h"
#include "random_maker.h"
#include <stdio.h>

/// Shapes on both sides of what the planner looks at: 16 rows and columns, 2,048 and 16,384
/// elements.
static evn_shape draw_shape(random_maker *m) {
    const evn_shape shapes[] = {EVN_SCALAR,          EVN_SHAPE(1),        EVN_SHAPE(7),
                                EVN_SHAPE(16),       EVN_SHAPE(15, 16),   EVN_SHAPE(16, 16),
                                EVN_SHAPE(17, 15),   EVN_SHAPE(128, 16),  EVN_SHAPE(2049),
                                EVN_SHAPE(40, 33),   EVN_SHAPE(3, 5, 7),  EVN_SHAPE(2, 6, 5, 16),
                                EVN_SHAPE(127, 129), EVN_SHAPE(128, 128), EVN_SHAPE(4, 16, 16, 17)};
    evn_shape shape;
    do {
        shape = shapes[random_draw(m, sizeof(shapes) / sizeof(*shapes))];
    } while (evn_shape_count(shape) > m->elements);
    return shape;
}

static void start(random_maker *m) {
    const int64_t batches[] = {2, 15, 16, 33, 100};
    m->batch = batches[random_draw(m, 5)];
    const evn_shape rows[] = {EVN_SHAPE(m->batch, 1 + random_draw(m, 9)), EVN_SHAPE(m->batch, 1),
                              EVN_SCALAR};
    for (int i = 0; i < 3; ++i) {
        random_new_input(m, m->kind == RANDOM_SAMPLES ? rows[i] : draw_shape(m));
    }
}

/// The last value, most that nobody reads, and now and then one that is read too.
static void name_outputs(random_maker *m) {
    char name[16];
    for (int i = m->count - 1, named = 0; i >= 0 && named < 8; --i) {
        random_candidate *c = &m->known[i];
        int64_t often =
            random_count_of(m, c->value) == 1 ? 3 : 12; // scalars are planned unlike the rest
        bool taken = named == 0 || (c->read ? random_draw(m, often) == 0 : random_draw(m, 8) != 0);
        if (taken) {
            snprintf(name, sizeof(name), "y%d", named++);
            evn_output(m->graph, name, c->value);
        }
    }
}

evn_graph *random_graph(uint64_t seed, random_kind kind, int nodes, int64_t elements) {
    random_maker m = {.kind = kind, .state = seed * 1000003 + kind, .elements = elements};
    TRY(evn_graph_create(&m.graph));
    start(&m);
    for (int tries = 0; m.graph->node_count < nodes && tries < 4 * nodes; ++tries) {
        random_operation(&m);
    }
    name_outputs(&m);
    TRY(evn_graph_status(m.graph));
    return m.graph;
}
