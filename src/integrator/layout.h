// SPDX-License-Identifier: Apache-2.0
// Where the components of a state stand in one buffer.
#ifndef EVN_INTEGRATOR_LAYOUT_H
#define EVN_INTEGRATOR_LAYOUT_H

#include "dynamics/system.h"
#include "evonode/plan.h"

/// In elements.
typedef struct evn__layout {
    int count;
    size_t *offset; ///< per component
    size_t *size;   ///< elements of each component
    size_t total;   ///< elements, each component aligned
} evn__layout;

/// Of the states of a system, or of all that its graph gives.
evn_status evn__layout_create(const evn__system *system, evn__layout *layout);
evn_status evn__layout_create_outputs(const evn__system *system, evn__layout *layout);
void evn__layout_free(evn__layout *layout);
/// Where each component is in a buffer; returns the place after.
evn_binding *evn__layout_bind(const evn__layout *layout, evn_buffer *buffer, evn_binding *to);

#endif
