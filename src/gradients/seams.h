// SPDX-License-Identifier: Apache-2.0
// What is kept where the parts of a way meet: the states there, and on the way back their
// cotangents, and those of the parameters so far.
#ifndef EVN_GRADIENTS_SEAMS_H
#define EVN_GRADIENTS_SEAMS_H

#include "gradients/scheme.h"
#include "integrator/jump.h"
#include "integrator/layout.h"

/// Zero-initialise.
typedef struct evn__seams {
    const evn__problem *problem; ///< of a part
    evn__layout layout;
    evn_buffer *states; ///< [parts + 1][layout.total]: before each part, and at the end
    evn_buffer *bars;   ///< [layout.total]
    evn_binding *bar;   ///< where the cotangent of each component is
    evn_buffer *shares; ///< cotangents of the parameters of one part
    evn_binding *share; ///< where each is
    evn__jump **sums;   ///< of each
} evn__seams;

/// @param[in] problem  outlives it
/// @param     parts    at most
evn_status evn__seams_create(const evn__problem *problem, size_t parts, evn__seams *seams);
void evn__seams_free(evn__seams *seams);

typedef evn_binding evn__place_of(const evn__scheme *scheme, int index);

/// Component `index` of the state before part `place`.
evn_binding evn__seams_state(const evn__seams *seams, int place, int index);

/// Keep all components as a scheme has them at its begin or end, or have it begin or end with them.
evn_status evn__seams_keep(const evn__seams *seams, int place, const evn__scheme *scheme,
                           evn__place_of *of);
evn_status evn__seams_restore(const evn__seams *seams, int place, const evn__scheme *scheme,
                              evn__place_of *of);

/// After the gradient of a part, whose parameters' cotangents are in `share` unless it was the
/// `last` one, the first to be gone back: keep the cotangents of its start, and add these up.
evn_status evn__seams_pass(const evn__seams *seams, const evn__scheme *scheme, bool last,
                           const evn_binding *parameters_bar);

#endif
