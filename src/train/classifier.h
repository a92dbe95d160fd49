// SPDX-License-Identifier: Apache-2.0
// A model compiled for a device: stem, solver, head, and their gradients, over one batch.
#ifndef EVN_TRAIN_CLASSIFIER_H
#define EVN_TRAIN_CLASSIFIER_H

#include "evonode/model.h"
#include "evonode/solver.h"

typedef struct evn__classifier evn__classifier;

/// Results of the last steps stay on the device in this many slots, so that they are read, and the
/// device waited for, once in that many steps.
enum { EVN__CLASSIFIER_SLOTS = 16 };

/// @param[in] model   with allocated parameters; borrowed
/// @param[in] solver  with its gradient; EVN_GRADIENT_NONE makes a classifier that cannot train
evn_status evn__classifier_create(evn_device *device, const evn_model *model,
                                  const evn_solver_options *solver, evn__classifier **classifier);
void evn__classifier_destroy(evn__classifier **classifier);

/// Copy a batch to the device: images [B, H, W, C], labels [B, N] one-hot, weights [B].
evn_status evn__classifier_load(evn__classifier *classifier, const float *images,
                                const float *labels, const float *weights);

/// Loss and logits of the loaded batch into `slot`.
evn_status evn__classifier_forward(evn__classifier *classifier, int slot, evn_solution *forward);

/// The same, and the gradient of the loss into the model's gradient buffer.
evn_status evn__classifier_gradient(evn__classifier *classifier, int slot, evn_solution *forward,
                                    evn_solution *backward);

/// Read slots 0 … count − 1: losses [count], logits [count, B, N]. Waits.
evn_status evn__classifier_read(evn__classifier *classifier, int count, double *losses,
                                double *logits);

/// The class that logits [classes] speak for: the largest, of equal ones the first.
int evn__classifier_choice(const double *logits, int classes);

/// As evn_solver_reconstruction; zeros for a model without a solver or another gradient.
evn_status evn__classifier_reconstruction(evn__classifier *classifier, double *x_error,
                                          double *theta_error);

#endif
