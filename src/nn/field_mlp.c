// SPDX-License-Identifier: Apache-2.0
#include "nn/evolution.h"
#include "nn/field.h"

#include "base/status.h"
#include <stdio.h>
#include <string.h>

evn_value evn__field_mlp(evn__network *network, const evn__field *field, evn_value x) {
    evn_shape shape = evn_value_shape(network->graph, x);
    int units = shape.rank == 2 ? (int)shape.dim[1] : 1; // another rank is a failure of matmul
    for (int i = 0; i <= field->hidden; ++i) {
        char layer[32];
        snprintf(layer, sizeof(layer), "dense%d", i + 1);
        x = evn__layer_dense(network, layer, x, i < field->hidden ? field->widths[i] : units);
        x = i < field->hidden ? field->activation(network->graph, x) : x;
    }
    return x;
}

static evn_status build_f(const evn__field *field, evn_shape state, const evn__evolves *evolves,
                          evn__network *f) {
    evn__expansions expansions = {.t = evn_input(f->graph, "t", EVN_SCALAR)};
    evn_value x = evn_input(f->graph, "x", state);
    EVN_TRY(evn__network_expand(f, &expansions, evolves->kind ? evolves->kind->basis : NULL,
                                evolves->count));
    evn_output(f->graph, "dx", evn__field_mlp(f, field, x));
    return evn_graph_status(f->graph);
}

/// g moves the matrices of the layers, which it sees as kernels of one place.
static evn_status build_g(const evn_graph *f, const evn__evolution_kind *kind, evn__network *g) {
    evn_value t = evn_input(g->graph, "t", EVN_SCALAR);
    for (int i = 0; i < evn_graph_input_count(f); ++i) {
        const char *name = evn_graph_input_name(f, i), *kernel = strstr(name, ".weight");
        evn_shape shape = evn_value_shape(f, evn_graph_input(f, i));
        if (!kernel || shape.rank != 2) {
            continue;
        }
        char layer[64], slope[96];
        snprintf(layer, sizeof(layer), "%.*s", (int)(kernel - name - 2), name + strlen("f."));
        snprintf(slope, sizeof(slope), "d%s", name);
        evn_value w = evn_input(g->graph, name, shape);
        w = evn_reshape(g->graph, w, EVN_SHAPE(1, 1, shape.dim[0], shape.dim[1]));
        evn_output(g->graph, slope, evn_reshape(g->graph, kind->slope(g, layer, t, w), shape));
    }
    return evn_graph_status(g->graph);
}

static evn_status make(const evn__field *field, evn_shape state, evn__network *f, evn__network *g,
                       evn_dynamics **dynamics) {
    evn__evolves evolves;
    EVN_TRY(evn__evolves_read(field->evolution, NULL, &evolves));
    EVN_TRY(evn_graph_create(&f->graph));
    EVN_TRY(build_f(field, state, &evolves, f));
    if (evolves.kind && evolves.kind->slope) {
        EVN_TRY(evn_graph_create(&g->graph));
        EVN_TRY(build_g(f->graph, evolves.kind, g));
    }
    return evn_dynamics_create(f->graph, g->graph, dynamics);
}

evn_status evn__field_dynamics(const evn__field *field, evn_shape state, evn_parameters *parameters,
                               evn_dynamics **dynamics) {
    if (field->network) {
        return evn_network_dynamics(field->network, state, parameters, dynamics);
    }
    evn__network f = {NULL, parameters, "f", NULL}, g = {NULL, parameters, "g", NULL};
    evn_status status = make(field, state, &f, &g, dynamics);
    evn_graph_destroy(&f.graph);
    evn_graph_destroy(&g.graph);
    return status;
}
