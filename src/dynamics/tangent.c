// SPDX-License-Identifier: Apache-2.0
// Forward mode: the jvp of a system is a system, whose states and parameters have their tangents
// beside them. As a dynamics has one x, its tangent is joined to it.
#include "base/number.h"
#include "dynamics/system.h"
#include "evonode/diff.h"

#include <stdlib.h>
#include <string.h>

/// A tangent dynamics under construction. Arrays are over the source's states, then its parameters.
typedef struct build {
    const evn_dynamics *source;
    evn_dynamics *made;
    evn_graph *graph;
    int states, parameters;
    evn_value t;
    evn_value *values, *tangents;
    evn_value *slopes, *slopes_dot; ///< of the states
} build;

// x and its tangent in one ------------------------------------------------------------------------

/// Of x where it has an axis to join along; else with one more.
static evn_shape part_shape(evn_shape x) {
    if (x.rank < 2) {
        x.dim[x.rank++] = 1;
    }
    return x;
}

static evn_shape joined_shape(evn_shape x) {
    x = part_shape(x);
    x.dim[x.rank - 1] *= 2;
    return x;
}

/// x, or what is behind it.
static evn_value take_part(evn_graph *graph, evn_value joined, evn_shape x, bool second) {
    evn_shape part = part_shape(x);
    int64_t start[EVN_MAX_RANK] = {0};
    start[part.rank - 1] = second ? part.dim[part.rank - 1] : 0;
    return evn_reshape(graph, evn_slice(graph, joined, start, part), x);
}

static evn_value join(evn_graph *graph, evn_value x, evn_value x_dot) {
    evn_shape part = part_shape(evn_value_shape(graph, x));
    const evn_value parts[] = {evn_reshape(graph, x, part), evn_reshape(graph, x_dot, part)};
    return evn_concat(graph, parts, 2, part.rank - 1);
}

// Ports -------------------------------------------------------------------------------------------

static evn_value declare(const build *b, const char *letter, int index, evn_shape shape) {
    char name[32];
    evn__print(name, sizeof(name), "%s%d", letter, index);
    return evn_input(b->graph, name, shape);
}

/// x with its tangent, evolving weights, their tangents; then the same of parameters.
static void declare_all(build *b) {
    const evn__system *s = &b->source->system;
    evn_shape x = evn__system_state_shape(s, 0);
    b->t = evn_input(b->graph, "t", evn__system_time_shape(s));
    evn_value joined = evn_input(b->graph, "x", joined_shape(x));
    b->values[0] = take_part(b->graph, joined, x, false);
    b->tangents[0] = take_part(b->graph, joined, x, true);
    for (int dot = 0; dot < 2; ++dot) {
        evn_value *to = dot ? b->tangents : b->values;
        for (int i = 1; i < b->states; ++i) {
            int index = dot * (b->states - 1) + i;
            to[i] = declare(b, "w", index, evn__system_state_shape(s, i));
        }
    }
    for (int dot = 0; dot < 2; ++dot) {
        evn_value *to = (dot ? b->tangents : b->values) + b->states;
        for (int i = 0; i < b->parameters; ++i) {
            int index = dot * b->parameters + i;
            to[i] = declare(b, "p", index, evn__system_parameter_shape(s, i));
        }
    }
}

static void output_slopes(const build *b) {
    evn_output(b->graph, "dx", join(b->graph, b->slopes[0], b->slopes_dot[0]));
    for (int dot = 0; dot < 2; ++dot) {
        for (int i = 1; i < b->states; ++i) {
            char name[32];
            evn__print(name, sizeof(name), "dw%d", dot * (b->states - 1) + i);
            evn_output(b->graph, name, dot ? b->slopes_dot[i] : b->slopes[i]);
        }
    }
}

/// The source's values as its graph has them: t, states, parameters.
static evn_status push(build *b, evn_value *inputs) {
    int count = b->states + b->parameters;
    inputs[0] = b->t;
    for (int i = 0; i < count; ++i) {
        inputs[1 + i] = b->values[i];
    }
    EVN_TRY(evn_graph_inline(b->graph, b->source->system.graph, inputs, b->slopes));
    return evn_pushforward(b->graph, b->values, b->tangents, count, b->slopes, b->states,
                           b->slopes_dot);
}

static evn_status fill(build *b) {
    evn_value *memory = NULL;
    int count = b->states + b->parameters;
    EVN_TRY(EVN_NEW(&memory, 3 * count + 1 + 2 * b->states));
    b->values = memory;
    b->tangents = b->values + count;
    b->slopes = b->tangents + count;
    b->slopes_dot = b->slopes + b->states;
    declare_all(b);
    evn_status status = evn_graph_status(b->graph);
    status = status == EVN_OK ? push(b, b->slopes_dot + b->states) : status;
    if (status == EVN_OK) {
        output_slopes(b);
        status = evn_graph_status(b->graph);
    }
    free(memory);
    return status;
}

// Weights -----------------------------------------------------------------------------------------

static const char suffix[] = "_dot";

/// Whether `name` is `stem` and so many suffixes.
static bool is_name(const char *name, const char *stem, int suffixes) {
    size_t length = strlen(stem);
    bool begins = strncmp(name, stem, length) == 0;
    name += begins ? length : 0;
    for (; suffixes > 0 && strncmp(name, suffix, strlen(suffix)) == 0; --suffixes) {
        name += strlen(suffix);
    }
    return begins && suffixes == 0 && *name == 0;
}

static bool is_taken(const evn_dynamics *source, int suffixes) {
    for (int i = 0; i < source->weight_count; ++i) {
        for (int k = 0; k < source->weight_count; ++k) {
            if (is_name(source->weights[i].name, source->weights[k].name, suffixes)) {
                return true;
            }
        }
    }
    return false;
}

/// As many for all weights, so that the name of a tangent is that of no other weight or tangent.
static int choose_suffixes(const evn_dynamics *source) {
    int suffixes = 1;
    while (is_taken(source, suffixes)) { // names end
        ++suffixes;
    }
    return suffixes;
}

static evn_status name_weight(evn_dynamics *d, int index, const char *stem, int suffixes) {
    size_t length = strlen(stem), each = strlen(suffix);
    char *name = evn__arena_alloc(&d->arena, length + (size_t)suffixes * each + 1);
    EVN_CHECK(name, EVN_ERR_MEMORY, "no memory for the name of a tangent of %s", stem);
    memcpy(name, stem, length);
    for (int i = 0; i < suffixes; ++i) {
        memcpy(name + length + (size_t)i * each, suffix, each); // the arena's memory ends with 0
    }
    d->weights[index].name = name;
    return EVN_OK;
}

static evn_status list_weights(const build *b) {
    const evn_dynamics *source = b->source;
    evn_dynamics *d = b->made;
    int count = source->weight_count, suffixes = choose_suffixes(source);
    EVN_TRY(EVN_NEW(&d->weights, 2 * count));
    for (int i = 0; i < 2 * count; ++i) {
        const evn__weight *w = &source->weights[i % count];
        bool dot = i >= count;
        int behind = w->evolves ? b->states - 1 : b->parameters;
        d->weights[i] = (evn__weight){NULL, w->evolves, w->index + (dot ? behind : 0)};
        EVN_TRY(name_weight(d, i, w->name, dot ? suffixes : 0));
        d->weight_count = i + 1;
    }
    return EVN_OK;
}

static evn_status make(build *b) {
    evn__system *s = &b->made->system;
    s->state_count = 1 + 2 * (b->states - 1);
    s->parameter_count = 2 * b->parameters;
    EVN_TRY(EVN_NEW(&s->controlled, s->state_count));
    evn__system_set_norm(s, EVN_NORM_STATE);
    EVN_TRY(evn_graph_create(&s->graph));
    b->graph = s->graph;
    EVN_TRY(fill(b));
    return list_weights(b);
}

evn_status evn_dynamics_tangent(const evn_dynamics *dynamics, evn_dynamics **tangent) {
    EVN_REQUIRE(tangent);
    *tangent = NULL;
    EVN_REQUIRE(dynamics);
    EVN_TRY(EVN_NEW(tangent, 1));
    build b = {.source = dynamics,
               .made = *tangent,
               .states = dynamics->system.state_count,
               .parameters = dynamics->system.parameter_count};
    evn_status status = make(&b);
    if (status != EVN_OK) {
        evn_dynamics_destroy(tangent);
    }
    return status;
}
