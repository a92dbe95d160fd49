// SPDX-License-Identifier: Apache-2.0
#include "methods/explicit.h"

#include "methods/step_build.h"

static const evn__tableau *tableau_of(const evn__stepper *stepper) {
    return stepper->coefficients;
}

static int evaluations(const evn__stepper *stepper) {
    return evn__tableau_evaluations(tableau_of(stepper));
}

/// The first stage is there already; the slope after the step is one more where no stage gives it.
static int adaptive_evaluations(const evn__stepper *stepper) {
    return tableau_of(stepper)->stages - stepper->fsal;
}

static double stability(const evn__stepper *stepper) {
    return evn__tableau_stability(tableau_of(stepper));
}

static bool overshoots(const evn__stepper *stepper) {
    return evn__tableau_overshoots(tableau_of(stepper));
}

static int slopes(const evn__stepper *stepper) {
    return tableau_of(stepper)->stages;
}

static evn_status advance(const evn__stepper *stepper, evn__step_build *step) {
    const evn__tableau *tableau = tableau_of(stepper);
    for (int i = step->adaptive ? 1 : 0; i < tableau->stages; ++i) {
        double a[EVN__MAX_STAGES];
        for (int j = 0; j < i; ++j) {
            a[j] = evn__tableau_a(tableau, i, j);
        }
        evn__step_advance(step, a, i, step->next);
        EVN_TRY(evn__step_evaluate(step, evn__step_time(step, tableau->c[i]), step->next,
                                   evn__step_slopes(step, i)));
    }
    evn__step_advance(step, tableau->b, tableau->stages, step->next);
    return evn_graph_status(step->graph);
}

static evn_value change(const evn__stepper *stepper, evn__step_build *step, int state) {
    const evn__tableau *tableau = tableau_of(stepper);
    return evn__step_combine(step, tableau->b, tableau->stages, state);
}

static evn_value error(const evn__stepper *stepper, evn__step_build *step, evn__estimate which,
                       int state) {
    const evn__tableau *tableau = tableau_of(stepper);
    const double *weights = which == EVN__ESTIMATE_FINE ? tableau->e : tableau->coarse;
    return evn__step_combine(step, weights, tableau->stages, state);
}

static double weight(const evn__stepper *stepper, int set) {
    return tableau_of(stepper)->b[set];
}

const evn__stepper_kind evn__explicit = {.evaluations = evaluations,
                                         .adaptive_evaluations = adaptive_evaluations,
                                         .stability = stability,
                                         .slopes = slopes,
                                         .weight = weight,
                                         .advance = advance,
                                         .change = change,
                                         .error = error,
                                         .overshoots = overshoots};
