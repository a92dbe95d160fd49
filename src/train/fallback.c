// SPDX-License-Identifier: Apache-2.0
#include "train/fallback.h"

#include "task/evaluate.h"
#include <math.h>

static bool watches(const evn_phase *phase, const evn_task *task, evn__fallback state) {
    return phase->reconstruction > 0 && phase->solver.gradient == EVN_GRADIENT_ADJOINT &&
           task->methods->watched && state != EVN__FALLBACK_TAKEN;
}

evn_solver_options evn__fallback_solver(const evn_phase *phase, const evn_task *task,
                                        evn__fallback state) {
    evn_solver_options solver = phase->solver;
    solver.watch = watches(phase, task, state);
    return state == EVN__FALLBACK_TAKEN
               ? evn_solver_options_with(&solver, EVN_GRADIENT_CHECKPOINTED)
               : solver;
}

evn_status evn__fallback_look(const evn_phase *phase, const evn_task *task, void *program,
                              bool take, evn__fallback *state, evn_metrics *metrics) {
    double worst = 0;
    if (!watches(phase, task, *state)) {
        return EVN_OK;
    }
    EVN_TRY_TASK(task, watched, program, &worst);
    EVN_CHECK(isfinite(worst), EVN_ERR_NOT_FINITE,
              "phase %s: a solve backwards of the adjoint did not stay finite, and the parameters "
              "have followed its gradient, so that training ends; take the gradient "
              "checkpointed, let each one that fails be taken from checkpoints "
              "(fallback=checkpointed; fall_back of the solver), or, where the loss grew, lower "
              "the learning rate",
              phase->name);
    if (worst > phase->reconstruction && *state == EVN__FALLBACK_NONE) {
        *state = EVN__FALLBACK_DUE;
        EVN_TRY(evn_metrics_set(metrics, "fell_back", "", EVN_BETTER_LOWER, worst));
    }
    *state = take && *state == EVN__FALLBACK_DUE ? EVN__FALLBACK_TAKEN : *state;
    return EVN_OK;
}

evn_status evn__fallback_forget(const evn_phase *phase, const evn_task *task, void *program,
                                evn__fallback state) {
    double worst;
    if (program && watches(phase, task, state)) {
        EVN_TRY_TASK(task, watched, program, &worst);
    }
    return EVN_OK;
}
