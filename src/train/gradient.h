// SPDX-License-Identifier: Apache-2.0
// What happens to gradients between the task, which leaves those of a batch in the parameters'
// gradients, and the optimiser: those of several batches are averaged. Gradients of several devices
// will be added here too.
#ifndef EVN_TRAIN_GRADIENT_H
#define EVN_TRAIN_GRADIENT_H

#include "evonode/parameters.h"

typedef struct evn__gradient_mean evn__gradient_mean;

/// @param[in] batches     of a step, at most; 1: nothing is allocated
/// @param[in] parameters  borrowed
evn_status evn__gradient_mean_create(evn_device *device, const evn_parameters *parameters,
                                     int batches, evn__gradient_mean **mean);
void evn__gradient_mean_destroy(evn__gradient_mean **mean); ///< nulls; accepts NULL

/// Add the parameters' gradients as those of one of `batches` batches; enqueues only. The first
/// call after evn__gradient_mean_take begins a new mean.
evn_status evn__gradient_mean_add(evn__gradient_mean *mean, int batches);

/// The mean of what was added: where the optimiser finds it.
evn_binding evn__gradient_mean_take(evn__gradient_mean *mean);

#endif
