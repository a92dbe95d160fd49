// SPDX-License-Identifier: Apache-2.0
// The jump of a cotangent at an observation, where no kernel of a step or a step control adds it.
#ifndef EVN_INTEGRATOR_JUMP_H
#define EVN_INTEGRATOR_JUMP_H

#include "evonode/plan.h"

typedef struct evn__jump evn__jump;

evn_status evn__jump_create(evn_device *device, evn_shape shape, bool fp64, evn__jump **jump);
void evn__jump_destroy(evn__jump **jump); ///< nulls; accepts NULL

/// cotangent += share; enqueues only.
evn_status evn__jump_add(const evn__jump *jump, evn_binding cotangent, evn_binding share);

#endif
