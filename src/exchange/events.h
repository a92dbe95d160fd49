// SPDX-License-Identifier: Apache-2.0
// Event files of TensorBoard: a training's metrics as they come. Each process writes a file of its
// own into the run's folder.
#ifndef EVN_EXCHANGE_EVENTS_H
#define EVN_EXCHANGE_EVENTS_H

#include "base/status.h"
#include "evonode/metrics.h"
#include <stdbool.h>

typedef struct evn__events evn__events;

/// Whether this build can (it needs protobuf-c).
/// @return EVN_ERR_ARGUMENT with what it lacks
evn_status evn__events_check(void);

/// Begin a file. A training from its beginning (`done` 0) removes those of another one that was
/// there; one that goes on makes what they have of later steps count no more.
/// @param[in] done     steps (epochs, iterations) that are done
/// @param[in] options  shown as text, Markdown; NULL: none
/// @return EVN_ERR_OUTPUT
evn_status evn__events_create(const char *folder, int done, const char *options,
                              evn__events **events);
void evn__events_destroy(evn__events **events); ///< nulls; accepts NULL

/// The metrics after so many steps; train_… and test_… become groups. What is not finite is left
/// out.
/// @return EVN_ERR_OUTPUT
evn_status evn__events_write(evn__events *events, int done, const evn_metrics *metrics);

/// Put what was written onto the disk: a checkpoint must not know of more steps.
/// @return EVN_ERR_OUTPUT
evn_status evn__events_flush(const evn__events *events);

#endif
