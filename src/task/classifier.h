// SPDX-License-Identifier: Apache-2.0
// A model compiled for a device: the chain of its stages, its head, and their gradients, over one
// batch.
#ifndef EVN_TASK_CLASSIFIER_H
#define EVN_TASK_CLASSIFIER_H

#include "evonode/model.h"
#include "evonode/solver.h"

typedef struct evn__classifier evn__classifier;

/// Results of the last steps stay on the device in this many slots, so that they are read, and the
/// device waited for, once in that many steps.
enum { EVN__CLASSIFIER_SLOTS = 16 };

/// @param[in] model   with allocated parameters; borrowed
/// @param[in] trains  with the gradient that the solver's options name; a ResNet, which has no
///                    solver, trains by backprop
/// @return EVN_ERR_ARGUMENT for a model to be trained with a solver and EVN_GRADIENT_NONE
evn_status evn__classifier_create(evn_device *device, const evn_model *model,
                                  const evn_solver_options *solver, bool trains,
                                  evn__classifier **classifier);
void evn__classifier_destroy(evn__classifier **classifier);

/// Where the images [B, H, W, C] of the next batch are to be written.
evn_status evn__classifier_open(evn__classifier *classifier, float **images);

/// After that: let the device have the batch, with labels [B, N] one-hot and weights [B].
evn_status evn__classifier_load(evn__classifier *classifier, const float *labels,
                                const float *weights);

/// Loss and logits of the loaded batch into `slot`.
evn_status evn__classifier_forward(evn__classifier *classifier, int slot, evn_solution *forward);

/// After it: the gradient of the loss into the model's gradient buffer.
evn_status evn__classifier_gradient(evn__classifier *classifier, evn_solution *backward);

/// Read the slots first … first + count − 1: losses [count], logits [count, B, N]. Waits.
evn_status evn__classifier_read(evn__classifier *classifier, int first, int count, double *losses,
                                double *logits);

/// The class that logits [classes] speak for: the largest, of equal ones the first.
int evn__classifier_choice(const double *logits, int classes);

/// The probabilities [classes] that logits [classes] speak of (softmax).
void evn__classifier_probabilities(const double *logits, int classes, double *probabilities);

/// As evn_solver_reconstruction; zeros for a model without a solver or another gradient.
evn_status evn__classifier_reconstruction(evn__classifier *classifier, double *x_error,
                                          double *theta_error);
/// As evn_solver_apart, the largest over the ODEs.
evn_status evn__classifier_apart(evn__classifier *classifier, double *x_apart, double *theta_apart);
/// As evn_solver_watched, the worst over the ODEs.
evn_status evn__classifier_watched(evn__classifier *classifier, double *worst);

#endif
