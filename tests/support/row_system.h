// SPDX-License-Identifier: Apache-2.0
// Linear systems for random graphs, by matrices and without.
#ifndef EVN_TEST_ROW_SYSTEM_H
#define EVN_TEST_ROW_SYSTEM_H

#include "evonode/graph.h"

/// Of each row by a matrix from the elements of a's, n 1 or 4: the identity, and a [rows, n²], of
/// which |a| n is at most 1/2; b [rows, n].
evn_value row_system_of_each(evn_graph *graph, evn_value a, evn_value b, bool transposed);

/// The solution x of 3 x + a mean(x) / 2 = b over all rows, a and b [rows, 1], without a matrix,
/// with its derivatives by both. Two vectors are enough for that; it has a third one, with nothing
/// left.
/// @return EVN_NONE where that fails
evn_value row_system_of_all(evn_graph *graph, evn_value a, evn_value b);

#endif
