// SPDX-License-Identifier: Apache-2.0
// Reverse and forward sweeps over a graph (Griewank, Walther: Evaluating Derivatives, 2nd ed.,
// chapter 3). The sweeps append to the graph they read, up to the node count at their start.
#include "diff/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const evn__rule evn__rule_table[EVN__OP_COUNT] = {
#define EVN_OP(name, text, arity, class) {evn__vjp_##name, evn__jvp_##name},
#include "graph/op.def"
#undef EVN_OP
};

evn_value evn__add_tangents(evn_graph *graph, evn_value a, evn_value b) {
    return a == EVN_NONE ? b : b == EVN_NONE ? a : evn_add(graph, a, b);
}

static evn_status check_values(const evn_graph *graph, const evn_value *values, int count) {
    EVN_TRY(evn_graph_status(graph));
    EVN_CHECK(count >= 0 && (values || count == 0), EVN_ERR_ARGUMENT,
              "%d values, of which the array is %s", count, values ? "given" : "NULL");
    for (int i = 0; i < count; ++i) {
        EVN_CHECK(evn__graph_has(graph, values[i]), EVN_ERR_ARGUMENT,
                  "value %d of %d is not in the graph", i, count);
    }
    return EVN_OK;
}

/// Cotangents or tangents, of the shapes of the values that they belong to.
static evn_status check_tangents(const evn_graph *graph, const evn_value *of,
                                 const evn_value *tangents, int count) {
    EVN_TRY(check_values(graph, of, count));
    EVN_TRY(check_values(graph, tangents, count));
    for (int i = 0; i < count; ++i) {
        char want[128], have[128];
        evn_shape shape = evn_value_shape(graph, of[i]);
        evn_shape given = evn_value_shape(graph, tangents[i]);
        EVN_CHECK(evn_shape_equal(shape, given), EVN_ERR_SHAPE,
                  "value %d of %d has shape %s, its tangent or cotangent %s", i, count,
                  evn__shape_text(shape, want), evn__shape_text(given, have));
    }
    return EVN_OK;
}

/// Zero for every value without a tangent, so that callers never see EVN_NONE.
static void fill_zeros(evn_graph *graph, const evn_value *like, int count, evn_value *values) {
    for (int i = 0; i < count; ++i) {
        if (values[i] == EVN_NONE) {
            values[i] = evn_full(graph, evn_value_shape(graph, like[i]), 0);
        }
    }
}

static evn_status new_values(evn_value **values, int count) {
    EVN_TRY(EVN_NEW(values, count));
    memset(*values, 0xff, sizeof(**values) * (size_t)count); // EVN_NONE everywhere
    return EVN_OK;
}

/// active[v]: v depends on one of `wrt`.
static void mark_active(const evn_graph *graph, const evn_value *wrt, int count, bool *active) {
    for (int i = 0; i < count; ++i) {
        active[wrt[i]] = true;
    }
    for (int i = 0; i < graph->node_count; ++i) {
        const evn__node *node = evn__node_at(graph, i);
        for (int k = 0; k < node->operand_count && !active[i]; ++k) {
            active[i] = active[node->operands[k]];
        }
    }
}

static void pull_node(evn_graph *graph, evn_value y, const bool *active, evn_value *bar) {
    evn__site site = {graph, *evn__node_at(graph, y), y};
    evn_value x_bar[EVN_MAX_INPUTS];
    memset(x_bar, 0xff, sizeof(x_bar));
    evn__rule_table[site.node.op].vjp(&site, bar[y], x_bar);
    for (int k = 0; k < site.node.operand_count; ++k) {
        evn_value x = site.node.operands[k];
        if (active[x] && x_bar[k] != EVN_NONE) {
            bar[x] = evn__add_tangents(graph, bar[x], x_bar[k]);
        }
    }
}

static bool is_any(evn_value value, const evn_value *values, int count) {
    for (int i = 0; i < count; ++i) {
        if (values[i] == value) {
            return true;
        }
    }
    return false;
}

static evn_status sweep_back(evn_graph *graph, const evn_value *y, const evn_value *y_bar,
                             int y_count, const evn_value *wrt, int wrt_count, evn_value *x_bar,
                             evn_value *bar, bool *active) {
    int count = graph->node_count; // what bar and active have room for: seeds may add nodes
    mark_active(graph, wrt, wrt_count, active);
    for (int i = 0; i < y_count; ++i) {
        bar[y[i]] = evn__add_tangents(graph, bar[y[i]], y_bar[i]);
    }
    for (int i = count - 1; i >= 0; --i) {
        // A value of wrt may be computed from another one: the sweep passes through it.
        if (bar[i] != EVN_NONE && active[i] && evn__node_at(graph, i)->operand_count > 0 &&
            graph->status == EVN_OK) {
            pull_node(graph, i, active, bar);
        }
    }
    for (int i = 0; i < wrt_count; ++i) {
        x_bar[i] = bar[wrt[i]];
    }
    fill_zeros(graph, wrt, wrt_count, x_bar);
    return evn_graph_status(graph);
}

evn_status evn_pullback(evn_graph *graph, const evn_value *y, const evn_value *y_bar, int y_count,
                        const evn_value *wrt, int wrt_count, evn_value *x_bar) {
    EVN_TRY(check_tangents(graph, y, y_bar, y_count));
    EVN_TRY(check_values(graph, wrt, wrt_count));
    EVN_CHECK(x_bar || wrt_count == 0, EVN_ERR_ARGUMENT, "evn_pullback: x_bar is NULL");
    evn_value *bar = NULL;
    bool *active = NULL;
    evn_status status = new_values(&bar, graph->node_count);
    if (status == EVN_OK) {
        status = EVN_NEW(&active, graph->node_count);
    }
    if (status == EVN_OK) {
        status = sweep_back(graph, y, y_bar, y_count, wrt, wrt_count, x_bar, bar, active);
    }
    free(bar);
    free(active);
    return status;
}

static evn_value push_node(evn_graph *graph, evn_value y, const evn_value *dot) {
    evn__site site = {graph, *evn__node_at(graph, y), y};
    evn_value x_dot[EVN_MAX_INPUTS];
    bool any = false;
    for (int k = 0; k < site.node.operand_count; ++k) {
        x_dot[k] = dot[site.node.operands[k]];
        any = any || x_dot[k] != EVN_NONE;
    }
    return any ? evn__rule_table[site.node.op].jvp(&site, x_dot) : EVN_NONE;
}

/// needed[v]: one of `y` is computed from v without going through `wrt`, whose tangents are given.
static void mark_needed(const evn_graph *graph, const evn_value *wrt, int wrt_count,
                        const evn_value *y, int y_count, bool *needed) {
    for (int i = 0; i < y_count; ++i) {
        needed[y[i]] = true;
    }
    for (int i = graph->node_count - 1; i >= 0; --i) {
        const evn__node *node = evn__node_at(graph, i);
        bool passes = needed[i] && !is_any(i, wrt, wrt_count);
        for (int k = 0; k < node->operand_count && passes; ++k) {
            needed[node->operands[k]] = true;
        }
    }
}

static evn_status sweep_forward(evn_graph *graph, const evn_value *wrt, const evn_value *x_dot,
                                int wrt_count, const evn_value *y, int y_count, evn_value *y_dot,
                                evn_value *dot, bool *needed) {
    int count = graph->node_count;
    mark_needed(graph, wrt, wrt_count, y, y_count, needed);
    for (int i = 0; i < count && graph->status == EVN_OK; ++i) {
        // What y does not need has no tangent: those of sweeps before would have their own.
        if (needed[i] && !is_any(i, wrt, wrt_count)) {
            dot[i] = push_node(graph, i, dot);
        }
        for (int k = 0; k < wrt_count; ++k) {
            if (wrt[k] == i) {
                dot[i] = x_dot[k];
            }
        }
    }
    for (int i = 0; i < y_count; ++i) {
        y_dot[i] = dot[y[i]];
    }
    fill_zeros(graph, y, y_count, y_dot);
    return evn_graph_status(graph);
}

evn_status evn_pushforward(evn_graph *graph, const evn_value *wrt, const evn_value *x_dot,
                           int wrt_count, const evn_value *y, int y_count, evn_value *y_dot) {
    EVN_TRY(check_tangents(graph, wrt, x_dot, wrt_count));
    EVN_TRY(check_values(graph, y, y_count));
    EVN_CHECK(y_dot || y_count == 0, EVN_ERR_ARGUMENT, "evn_pushforward: y_dot is NULL");
    evn_value *dot = NULL;
    bool *needed = NULL;
    evn_status status = new_values(&dot, graph->node_count);
    if (status == EVN_OK) {
        status = EVN_NEW(&needed, graph->node_count);
    }
    if (status == EVN_OK) {
        status = sweep_forward(graph, wrt, x_dot, wrt_count, y, y_count, y_dot, dot, needed);
    }
    free(dot);
    free(needed);
    return status;
}

// Graph → graph -----------------------------------------------------------------------------------

/// What both transforms need: a copy of the graph and the selected inputs.
typedef struct copy {
    evn_graph *graph;
    evn_value *inputs, *outputs;      ///< of the copy
    evn_value *wrt, *seeds, *results; ///< selected inputs; further inputs; further outputs
    const char **wrt_names;           ///< borrowed from the source
    int wrt_count;
} copy;

static void copy_free(copy *c) {
    evn_graph_destroy(&c->graph);
    free(c->inputs);
    free(c->outputs);
    free(c->wrt);
    free(c->seeds);
    free(c->results);
    free(c->wrt_names);
}

/// name + suffix; where that is taken, as in a transform of a transform, the suffix is repeated.
static void derived_name(const evn_graph *graph, const char *name, const char *suffix,
                         int (*find)(const evn_graph *, const char *), char text[256]) {
    int used = snprintf(text, 256, "%s%s", name, suffix);
    while (find(graph, text) >= 0 && used < 240) {
        used += snprintf(text + used, 256 - (size_t)used, "%s", suffix);
    }
}

static evn_value add_input(evn_graph *graph, const char *name, const char *suffix,
                           evn_shape shape) {
    char text[256];
    derived_name(graph, name, suffix, evn_graph_find_input, text);
    return evn_input(graph, text, shape);
}

static void add_output(evn_graph *graph, const char *name, const char *suffix, evn_value value) {
    char text[256];
    derived_name(graph, name, suffix, evn_graph_find_output, text);
    evn_output(graph, text, value);
}

static evn_status select_wrt(copy *c, const evn_graph *source, const char *const *wrt) {
    for (int i = 0; wrt ? wrt[i] != NULL : i < source->input_count; ++i) {
        int index = wrt ? evn_graph_find_input(source, wrt[i]) : i;
        EVN_CHECK(index >= 0, EVN_ERR_ARGUMENT, "the graph has no input %s", wrt[i]);
        EVN_CHECK(c->wrt_count < source->input_count, EVN_ERR_ARGUMENT,
                  "more names than the graph has inputs");
        c->wrt[c->wrt_count] = c->inputs[index];
        c->wrt_names[c->wrt_count++] = source->inputs[index].name;
    }
    return EVN_OK;
}

static evn_status copy_make(copy *c, const evn_graph *source, const char *const *wrt) {
    EVN_TRY(evn_graph_status(source));
    int ports = source->input_count + source->output_count;
    EVN_TRY(evn_graph_create(&c->graph));
    EVN_TRY(EVN_NEW(&c->inputs, ports));
    EVN_TRY(EVN_NEW(&c->outputs, ports));
    EVN_TRY(EVN_NEW(&c->wrt, ports));
    EVN_TRY(EVN_NEW(&c->seeds, ports));
    EVN_TRY(EVN_NEW(&c->results, ports));
    EVN_TRY(EVN_NEW(&c->wrt_names, ports));
    for (int i = 0; i < source->input_count; ++i) {
        evn_shape shape = evn_value_shape(source, source->inputs[i].value);
        c->inputs[i] = evn_input(c->graph, source->inputs[i].name, shape);
    }
    EVN_TRY(evn_graph_status(c->graph));
    EVN_TRY(evn_graph_inline(c->graph, source, c->inputs, c->outputs));
    for (int i = 0; i < source->output_count; ++i) {
        evn_output(c->graph, source->outputs[i].name, c->outputs[i]);
    }
    return select_wrt(c, source, wrt);
}

static evn_status vjp_into(copy *c, const evn_graph *source, const char *const *wrt) {
    EVN_TRY(copy_make(c, source, wrt));
    for (int i = 0; i < source->output_count; ++i) {
        c->seeds[i] = add_input(c->graph, source->outputs[i].name, "_bar",
                                evn_value_shape(c->graph, c->outputs[i]));
    }
    EVN_TRY(evn_pullback(c->graph, c->outputs, c->seeds, source->output_count, c->wrt, c->wrt_count,
                         c->results));
    for (int i = 0; i < c->wrt_count; ++i) {
        add_output(c->graph, c->wrt_names[i], "_bar", c->results[i]);
    }
    return evn_graph_status(c->graph);
}

static evn_status jvp_into(copy *c, const evn_graph *source, const char *const *wrt) {
    EVN_TRY(copy_make(c, source, wrt));
    for (int i = 0; i < c->wrt_count; ++i) {
        c->seeds[i] =
            add_input(c->graph, c->wrt_names[i], "_dot", evn_value_shape(c->graph, c->wrt[i]));
    }
    EVN_TRY(evn_pushforward(c->graph, c->wrt, c->seeds, c->wrt_count, c->outputs,
                            source->output_count, c->results));
    for (int i = 0; i < source->output_count; ++i) {
        add_output(c->graph, source->outputs[i].name, "_dot", c->results[i]);
    }
    return evn_graph_status(c->graph);
}

static evn_status transform(evn_status (*into)(copy *, const evn_graph *, const char *const *),
                            const evn_graph *graph, const char *const *wrt, evn_graph **result) {
    copy c = {0};
    EVN_REQUIRE(result);
    *result = NULL;
    evn_status status = into(&c, graph, wrt);
    if (status == EVN_OK) {
        *result = c.graph;
        c.graph = NULL;
    }
    copy_free(&c);
    return status;
}

evn_status evn_vjp(const evn_graph *graph, const char *const *wrt, evn_graph **result) {
    return transform(vjp_into, graph, wrt, result);
}

evn_status evn_jvp(const evn_graph *graph, const char *const *wrt, evn_graph **result) {
    return transform(jvp_into, graph, wrt, result);
}
