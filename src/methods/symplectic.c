// SPDX-License-Identifier: Apache-2.0
#include "methods/symplectic.h"

#include "base/status.h"
#include "methods/step_build.h"

#define ARRAY(...)                                                                                 \
    { __VA_ARGS__ }

const evn__splitting evn__splittings[EVN__SPLITTINGS] = {
#define EVN_SYMPLECTIC(name, stages, order, c, d, interpolant) {stages, c, d, interpolant},
#include "methods/symplectic.def"
#undef EVN_SYMPLECTIC
};

static const evn__splitting *splitting_of(const evn__stepper *stepper) {
    return stepper->coefficients;
}

static int evaluations(const evn__stepper *stepper) {
    return splitting_of(stepper)->stages;
}

/// Nothing that decays is its business.
static double stability(const evn__stepper *stepper) {
    (void)stepper;
    return 0;
}

/// One: the mean of those of all stages.
static int slopes(const evn__stepper *stepper) {
    (void)stepper;
    return 1;
}

static double weight(const evn__stepper *stepper, int set) {
    (void)stepper, (void)set;
    return 0;
}

static evn_status check(const evn__stepper *stepper, const evn__system *system) {
    evn_shape x = evn__system_state_shape(system, 0);
    EVN_CHECK(
        system->state_count == 1, EVN_ERR_ARGUMENT,
        "solver %s moves the halves q and v of x, and nothing besides: where weights evolve take "
        "another one, or weight_terms with the gradient backprop or checkpointed; where none does "
        "take the gradient backprop, checkpointed or reversible",
        stepper->name);
    EVN_CHECK(x.rank > 0 && x.dim[x.rank - 1] % 2 == 0, EVN_ERR_ARGUMENT,
              "solver %s needs x = [q, v], two halves along its last axis, whose extent is %lld",
              stepper->name, (long long)(x.rank > 0 ? x.dim[x.rank - 1] : 1));
    return EVN_OK;
}

/// A half of x: 0, q, or 1, v.
static evn_value half_of(evn__step_build *step, evn_value x, int which) {
    evn_shape shape = evn_value_shape(step->graph, x);
    int64_t start[EVN_MAX_RANK] = {0};
    shape.dim[shape.rank - 1] /= 2;
    start[shape.rank - 1] = which * shape.dim[shape.rank - 1];
    return evn_slice(step->graph, x, start, shape);
}

/// The halves at a time, and their mean slopes so far; EVN_NONE: 0.
typedef struct halves {
    evn_value x[2], sum[2];
} halves;

static evn_value join(evn__step_build *step, const evn_value x[2]) {
    return evn_concat(step->graph, x, 2, evn_value_shape(step->graph, x[0]).rank - 1);
}

/// Move one half by what the slopes at both give for it.
static evn_status move(evn__step_build *step, halves *h, int which, double part, double c) {
    evn_graph *g = step->graph;
    evn_value x = join(step, h->x), slope, *sum = &h->sum[which];
    EVN_TRY(evn__step_evaluate(step, evn__step_time(step, c), &x, &slope));
    evn_value share = evn_scale(g, half_of(step, slope, which), part);
    *sum = *sum == EVN_NONE ? share : evn_add(g, *sum, share);
    h->x[which] = evn_add(g, half_of(step, step->states[0], which), evn_mul(g, step->dt, *sum));
    return evn_graph_status(g);
}

static evn_status advance(const evn__stepper *stepper, evn__step_build *step) {
    const evn__splitting *s = splitting_of(stepper);
    EVN_TRY(check(stepper, step->system));
    halves h = {{half_of(step, step->states[0], 0), half_of(step, step->states[0], 1)},
                {EVN_NONE, EVN_NONE}};
    double c = 0;
    for (int i = 0; i < s->stages; ++i) {
        EVN_TRY(move(step, &h, 0, s->c[i], c));
        c = i + 1 == s->stages ? 1 : c + s->c[i];
        EVN_TRY(s->d[i] != 0 ? move(step, &h, 1, s->d[i], c) : EVN_OK);
    }
    *evn__step_slopes(step, 0) = join(step, h.sum);
    step->next[0] = join(step, h.x);
    return evn_graph_status(step->graph);
}

static evn_value change(const evn__stepper *stepper, evn__step_build *step, int state) {
    (void)stepper, (void)state;
    return evn_mul(step->graph, step->dt, *evn__step_slopes(step, 0));
}

const evn__stepper_kind evn__symplectic = {.splits = true,
                                           .evaluations = evaluations,
                                           .stability = stability,
                                           .slopes = slopes,
                                           .weight = weight,
                                           .advance = advance,
                                           .change = change};
