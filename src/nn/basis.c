// SPDX-License-Identifier: Apache-2.0
#include "nn/basis.h"

#include "base/status.h"
#include <math.h>

double evn__basis_scale(const evn__basis *basis, int count) {
    return basis->partition ? sqrt((double)count) : 1;
}

evn_status evn__network_expand(evn__network *network, evn__expansions *expansions,
                               const evn__basis *basis, int count) {
    network->expansion = NULL;
    for (int i = 0; basis && i < expansions->count; ++i) {
        const evn__expansion *item = &expansions->items[i];
        if (item->basis == basis && item->count == count) {
            network->expansion = item;
        }
    }
    if (!basis || network->expansion) {
        return EVN_OK;
    }
    EVN_CHECK(expansions->count < EVN__EXPANSIONS_MAX, EVN_ERR_ARGUMENT,
              "the weights of an ODE have more than %d bases; let layers share them",
              EVN__EXPANSIONS_MAX);
    evn__expansion *made = &expansions->items[expansions->count++];
    evn_value functions = basis->functions(network, expansions->t, count);
    functions = evn_scale(network->graph, functions, evn__basis_scale(basis, count));
    *made = (evn__expansion){basis, count, functions};
    network->expansion = made;
    return EVN_OK;
}

evn_value evn__basis_places(evn_graph *graph, evn_value t, int count, double scale, double first,
                            double step) {
    double shift[EVN__BASIS_MOST];
    for (int k = 0; k < count; ++k) {
        shift[k] = first + k * step;
    }
    evn_value shifts = evn_table(graph, EVN_SHAPE(1, count), shift);
    return evn_add(graph, evn_scale(graph, t, scale), shifts);
}

/// φ with one value in column k, and zeros.
static evn_value in_column(evn_graph *graph, evn_value value, int count, int k) {
    double row[EVN__BASIS_MOST] = {0};
    row[k] = 1;
    return evn_mul(graph, evn_table(graph, EVN_SHAPE(1, count), row), value);
}

evn_value evn__basis_recurrence(evn_graph *graph, evn_value t, int count, double (*a)(int k),
                                double (*b)(int k)) {
    // All of the row's elements take the same steps: one kernel, where a join of scalars has many.
    evn_shape row = EVN_SHAPE(1, count);
    evn_value x = evn_add(graph, evn_scale(graph, t, 2), evn_full(graph, row, -1));
    evn_value before = evn_full(graph, row, 1), last = x, sum = in_column(graph, before, count, 0);
    for (int k = 1; k < count; ++k) {
        sum = evn_add(graph, sum, in_column(graph, last, count, k));
        evn_value next = evn_sub(graph, evn_scale(graph, evn_mul(graph, x, last), a(k)),
                                 evn_scale(graph, before, b(k)));
        before = last;
        last = next;
    }
    return sum;
}
