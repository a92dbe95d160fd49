// SPDX-License-Identifier: Apache-2.0
#include "train/fallback.h"

#include "task/evaluate.h"

static bool watches(const evn_phase *phase, const evn_task *task, bool fell_back) {
    return phase->reconstruction > 0 && phase->solver.gradient == EVN_GRADIENT_ADJOINT &&
           task->methods->watched && !fell_back;
}

evn_solver_options evn__fallback_solver(const evn_phase *phase, const evn_task *task,
                                        bool fell_back) {
    evn_solver_options solver = phase->solver;
    solver.watch = watches(phase, task, fell_back);
    return fell_back ? evn_solver_options_with(&solver, EVN_GRADIENT_CHECKPOINTED) : solver;
}

evn_status evn__fallback_look(const evn_phase *phase, const evn_task *task, void *program,
                              bool *fell_back, evn_metrics *metrics) {
    double worst = 0;
    if (!watches(phase, task, *fell_back)) {
        return EVN_OK;
    }
    EVN_TRY_TASK(task, watched, program, &worst);
    *fell_back = worst > phase->reconstruction;
    return *fell_back ? evn_metrics_set(metrics, "fell_back", "", EVN_BETTER_LOWER, worst) : EVN_OK;
}
