// SPDX-License-Identifier: Apache-2.0
// The paper's first experiment: a Neural ODE whose solution follows a given curve
//     s(t) = [sin t cos t, sin² t + cosh² t, eᵗ],   t ∈ [0, 1],
// from s(0) on, trained on Σ ‖x(tᵢ) − s(tᵢ)‖² over 100 equally spaced times tᵢ.
// f(x) has no time: s never comes back to a point, so an autonomous f can trace it (Theorem 1).
#ifndef EVN_TRAIN_CURVE_H
#define EVN_TRAIN_CURVE_H

#include "evonode/trainer.h"

enum { EVN__CURVE_POINTS = 100, EVN__CURVE_DIMENSIONS = 3 };

typedef struct evn__curve evn__curve;

/// s(t).
void evn__curve_target(double t, double s[EVN__CURVE_DIMENSIONS]);

/// Build f of two hidden layers of `width` units, allocate, compile the first phase. Of the options
/// `model` is not read. An epoch of a phase is one iteration, its epoch_done comes every ten of
/// them, and what an evn_epoch has about accuracies does not apply (NaN, −1).
/// Fixed steps of a phase must be a multiple of the points.
/// @return EVN_ERR_ARGUMENT
evn_status evn__curve_create(evn_device *device, int width, const evn_trainer_options *options,
                             evn__curve **curve);
void evn__curve_destroy(evn__curve **curve); ///< nulls; accepts NULL

/// Train all phases, or what is left of them. Failures as of evn_trainer_run.
evn_status evn__curve_run(evn__curve *curve);

/// As evn_trainer_save and evn_trainer_restore; a training that was stopped can be saved too.
evn_status evn__curve_save(evn__curve *curve, const char *path);
evn_status evn__curve_restore(evn__curve *curve, const char *path, int *iterations);

/// Loss and gradient of the first phase, as an iteration has them before its update; the gradient
/// is in the parameters. Waits for the loss.
evn_status evn__curve_gradient(evn__curve *curve, double *loss);

/// How near the curve is with the solver of a phase.
typedef struct evn__curve_fit {
    double loss;      ///< Σ ‖x(tᵢ) − s(tᵢ)‖²
    double max_error; ///< max ‖x(tᵢ) − s(tᵢ)‖
    int nfe;
    double x[EVN__CURVE_POINTS][EVN__CURVE_DIMENSIONS]; ///< x(tᵢ), tᵢ = (i + 1)/100
} evn__curve_fit;

evn_status evn__curve_evaluate(evn__curve *curve, int phase, evn__curve_fit *fit);

/// The loss of every iteration so far, before its update; *count of them, owned by the curve.
const double *evn__curve_losses(const evn__curve *curve, int *count);

evn_parameters *evn__curve_parameters(const evn__curve *curve); ///< owned by the curve

#endif
