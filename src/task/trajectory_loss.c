// SPDX-License-Identifier: Apache-2.0
#include "task/trajectory_loss.h"

static evn_value rows(evn_graph *g, evn_value x, int64_t first, int64_t count) {
    const int64_t start[] = {first, 0};
    return evn_slice(g, x, start, EVN_SHAPE(count, evn_value_shape(g, x).dim[1]));
}

/// What ties the end of each trajectory to the start of the next, and its cotangents.
/// @param[in,out] x_bar  gets its share
static evn_value build_ties(const evn__trajectory_loss *t, evn_graph *g, evn_value x,
                            evn_value *x_bar) {
    int64_t batch = t->batch, last = batch - 1, columns = t->columns;
    evn_value ends = evn_input(g, "ends", EVN_SHAPE(t->times, batch, 1));
    evn_value joins = evn_input(g, "joins", EVN_SHAPE(batch, 1));
    evn_value starts = evn_input(g, "starts", EVN_SHAPE(batch, columns));
    evn_value none = evn_full(g, EVN_SHAPE(1, columns), 0);
    evn_value end = evn_reshape(g, evn_sum(g, evn_mul(g, x, ends), 1u), EVN_SHAPE(batch, columns));
    const evn_value next[] = {rows(g, starts, 1, last), none};
    evn_value gap = evn_mul(g, evn_sub(g, end, evn_concat(g, next, 2, 0)), joins);
    evn_value gap_bar = evn_scale(g, gap, 2 * t->continuity);
    evn_value at_end = evn_mul(g, evn_reshape(g, gap_bar, EVN_SHAPE(1, batch, columns)), ends);
    const evn_value start_bar[] = {none, rows(g, evn_neg(g, gap_bar), 0, last)};
    evn_output(g, "ties_bar", evn_concat(g, start_bar, 2, 0));
    *x_bar = evn_add(g, *x_bar, at_end);
    return evn_scale(g, evn_sum_all(g, evn_mul(g, gap, gap)), t->continuity);
}

void evn__trajectory_loss_build(const void *self, evn_graph *g) {
    const evn__trajectory_loss *t = self;
    const int64_t origin[] = {0, 0, 0};
    bool extra = t->columns > t->dimensions;
    evn_shape shape = EVN_SHAPE(t->times, t->batch, t->dimensions);
    evn_shape states = EVN_SHAPE(t->times, t->batch, t->columns);
    evn_value x = evn_input(g, "x", states), target = evn_input(g, "target", shape);
    evn_value seen = extra ? evn_slice(g, x, origin, shape) : x;
    evn_value error = evn_sub(g, seen, target);
    error = t->masked ? evn_mul(g, error, evn_input(g, "mask", shape)) : error;
    evn_value loss = evn_sum_all(g, evn_mul(g, error, error));
    evn_value x_bar = evn_scale(g, error, 2);
    x_bar = extra ? evn_pad(g, x_bar, origin, states) : x_bar;
    loss = t->joined ? evn_add(g, loss, build_ties(t, g, x, &x_bar)) : loss;
    evn_output(g, "loss", loss);
    evn_output(g, "x_bar", x_bar);
}

void evn__trajectory_ties_build(const void *self, evn_graph *g) {
    const evn__trajectory_loss *t = self;
    evn_shape shape = EVN_SHAPE(t->batch, t->columns);
    evn_output(g, "sum", evn_add(g, evn_input(g, "a", shape), evn_input(g, "b", shape)));
}
