// SPDX-License-Identifier: Apache-2.0
// Cubic B-splines over K − 3 equal intervals, K of them: θ has two continuous derivatives. With d
// the distance from a spline's centre, in intervals, it is ((2 − d)₊³ − 4 (1 − d)₊³) / 6.
#include "nn/basis.h"

enum { DEGREE = 3 };

/// max(0, width − d)³
static evn_value cube(evn_graph *g, evn_value distance, int count, double width) {
    evn_value inside = evn_sub(g, evn_full(g, EVN_SHAPE(1, count), width), distance);
    inside = evn_relu(g, inside);
    return evn_mul(g, evn_mul(g, inside, inside), inside);
}

static evn_value functions(evn__network *network, evn_value t, int count) {
    evn_graph *g = network->graph;
    evn_value places =
        evn__basis_places(g, t, count, count - DEGREE, 1, -1); // spline 1 begins at 0
    evn_value distance = evn_abs(g, places);
    evn_value wide = cube(g, distance, count, 2), narrow = cube(g, distance, count, 1);
    return evn_scale(g, evn_sub(g, wide, evn_scale(g, narrow, 4)), 1.0 / 6);
}

const evn__basis evn__basis_splines = {functions, true, false, DEGREE + 1, 8};
