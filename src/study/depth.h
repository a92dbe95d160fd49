// SPDX-License-Identifier: Apache-2.0
// Depth to infinity: one trained model, seen as ResNets of more and more layers (Euler steps) and
// as the limit of them (an adaptive solve). The paper's claim is that they agree.
#ifndef EVN_STUDY_DEPTH_H
#define EVN_STUDY_DEPTH_H

#include "evonode/tasks.h"

enum { EVN__DEPTHS = 6 };

typedef struct evn__depth {
    int steps; ///< of Euler's method; 0: dopri5
    double nfe, accuracy;
    int64_t errors;
    double difference; ///< mean |logit − logit of the limit|
    int64_t changed;   ///< test samples whose class is not that of the limit
} evn__depth;

/// Evaluate on the test part with 5, 10, 20, 40 and 80 Euler steps and with dopri5 at `tolerance`
/// (rtol and atol), which comes last and is the limit that the others are compared with.
/// @param[in]  task     evn_task_images
/// @param[out] samples  of the test part
/// @return EVN_ERR_ARGUMENT for a model without dynamics
evn_status evn__depth_measure(const evn_task *task, double tolerance,
                              evn__depth depths[EVN__DEPTHS], int64_t *samples);

/// Draw depth-logits and depth-errors (.png, .svg) over the number of steps into the folder.
evn_status evn__depth_draw(const evn__depth depths[EVN__DEPTHS], int64_t samples,
                           const char *folder);

#endif
