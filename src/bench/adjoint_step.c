// SPDX-License-Identifier: Apache-2.0
#include "bench/adjoint_step.h"

#include "bench/reference.h"
#include "gradients/adjoint.h"
#include "methods/step.h"
#include <math.h>
#include <string.h>

enum { T, DT, X, X_BAR };  // inputs; behind them quadratures, which begin at 0, and weights
enum { X_BAR_BEFORE = 1 }; // among the outputs

static evn_status run(const evn__bench_adjoint_step *s, const evn__system *adjoint,
                      const evn__bench_reference *r) {
    const evn_dynamics *d = s->dynamics;
    double **weights = r->inputs + X + adjoint->state_count;
    size_t size = sizeof(double) * (size_t)evn_shape_count(evn_dynamics_state_shape(d));
    r->inputs[T][0] = s->t;
    r->inputs[DT][0] = s->dt;
    memcpy(r->inputs[X], s->x, size);
    memcpy(r->inputs[X_BAR], s->x_bar, size);
    for (int i = 0; i < d->weight_count; ++i) {
        int index = evn_parameters_find(s->parameters, d->weights[i].name);
        EVN_TRY(evn_parameters_read(s->parameters, index, weights[d->weights[i].index]));
    }
    return evn__bench_reference_run(r);
}

static evn_status compare(const evn__bench_adjoint_step *s, const evn__system *adjoint,
                          const evn__bench_reference *r, double *difference) {
    const evn_dynamics *d = s->dynamics;
    evn__bench_agreement states = {0}, gradients = {0};
    EVN_TRY(run(s, adjoint, r));
    evn__bench_agree(&states, s->before, r->outputs[X_BAR_BEFORE],
                     (size_t)evn_shape_count(evn_dynamics_state_shape(d)));
    for (int i = 0; i < d->weight_count; ++i) {
        int state = adjoint->quadrature[d->weights[i].index];
        int index = evn_parameters_find(s->parameters, d->weights[i].name);
        EVN_TRY(evn__bench_agree_gradient(&gradients, r->outputs[state], s->parameters, index));
    }
    *difference = fmax(evn__bench_difference(&states), evn__bench_difference(&gradients));
    return EVN_OK;
}

evn_status evn__bench_adjoint_compare(const evn__bench_adjoint_step *step, double *difference) {
    evn__bench_reference r = {0};
    evn__system adjoint = {0};
    const evn__stepper *stepper;
    EVN_TRY(evn__stepper_need(step->method, &stepper));
    EVN_TRY(evn__system_adjoint(&step->dynamics->system, false, &adjoint));
    evn_status status = evn__step_graph(&adjoint, stepper, &r.graph);
    status = status == EVN_OK ? evn__bench_reference_make(&r, NULL) : status;
    status = status == EVN_OK ? compare(step, &adjoint, &r, difference) : status;
    evn__bench_reference_free(&r);
    evn__system_free(&adjoint);
    return status;
}
