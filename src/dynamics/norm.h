// SPDX-License-Identifier: Apache-2.0
// Norms of ratios over the states of a system. Which there are is a table of names, of what has a
// say, and of how it is put together.
#ifndef EVN_DYNAMICS_NORM_H
#define EVN_DYNAMICS_NORM_H

#include "evonode/solver.h"

/// What has a say in an error norm, each with the cotangents that a gradient backwards has.
typedef enum evn__norm_reach {
    EVN__REACH_STATE,    ///< x
    EVN__REACH_EVOLVING, ///< evolving weights too
    EVN__REACH_CONSTANT, ///< constant weights too, which have a cotangent alone
} evn__norm_reach;

typedef struct evn__norm_kind {
    const char *name;
    evn__norm_reach reach;
    /// Joins the ratios of one more state, [each or more], to a norm, [each].
    evn_value (*add)(evn_graph *graph, evn_value norm, evn_value ratio, evn_shape each);
    /// The norm of `count` elements in all that have been joined.
    evn_value (*end)(evn_graph *graph, evn_value norm, double count);
} evn__norm_kind;

const evn__norm_kind *evn__norm_kind_of(evn_norm norm);

/// Elements of `ratio` that each norm of them joins.
double evn__norm_elements(evn_graph *graph, evn_value ratio, evn_shape each);

#endif
