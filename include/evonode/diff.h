// SPDX-License-Identifier: Apache-2.0
/// @file
/// The two transforms: graph → graph. Both are closed, so they compose: vjp of jvp, vjp of vjp.
#ifndef EVONODE_DIFF_H
#define EVONODE_DIFF_H

#include "evonode/graph.h"

EVN_API_BEGIN

/// Cotangents. The new graph has the inputs of `graph`, then one input "<output>_bar" for each of
/// its outputs; the outputs of `graph`, then one output "<input>_bar" for each input in `wrt`.
/// @param[in]  graph   borrowed, unchanged
/// @param[in]  wrt     NULL-ended input names; NULL: all inputs
/// @param[out] result  owned by the caller
/// An input that no output depends on gets a zero cotangent. Where a name is taken, as in a
/// transform of a transform, its suffix is repeated; positions are what to rely on there.
/// @return EVN_ERR_ARGUMENT for a name in `wrt` that is no input
evn_status evn_vjp(const evn_graph *graph, const char *const *wrt, evn_graph **result);

/// Tangents. The new graph has the inputs of `graph`, then one input "<input>_dot" for each input
/// in `wrt`; the outputs of `graph`, then one output "<output>_dot" for each of its outputs.
/// @return EVN_ERR_ARGUMENT for a name in `wrt` that is no input
evn_status evn_jvp(const evn_graph *graph, const char *const *wrt, evn_graph **result);

/// Within one graph: the cotangents of `wrt` for the cotangents `y_bar` of the values `y`.
/// @param[out] x_bar  one value per entry of wrt, zeros where y does not depend on it
/// @return EVN_ERR_ARGUMENT for a value that the graph does not have; EVN_ERR_SHAPE for a cotangent
///         of another shape than its value
evn_status evn_pullback(evn_graph *graph, const evn_value *y, const evn_value *y_bar, int y_count,
                        const evn_value *wrt, int wrt_count, evn_value *x_bar);

/// Within one graph: the tangents of `y` when the values `wrt` have the tangents x_dot.
/// @param[out] y_dot  one value per entry of y, zeros where it does not depend on wrt
/// @return as evn_pullback
evn_status evn_pushforward(evn_graph *graph, const evn_value *wrt, const evn_value *x_dot,
                           int wrt_count, const evn_value *y, int y_count, evn_value *y_dot);

EVN_API_END

#endif
