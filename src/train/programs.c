// SPDX-License-Identifier: Apache-2.0
#include "train/programs.h"

#include "task/evaluate.h"

static void release(const evn_task *task, void **program) {
    if (*program) {
        task->methods->release(*program);
    }
    *program = NULL;
}

void evn__programs_release(evn__programs *programs) {
    release(programs->task, &programs->training);
    release(programs->task, &programs->testing);
    release(programs->task, &programs->ahead);
}

/// What a compile that fails leaves in its result is no program.
static evn_status compile(const evn_task *task, const evn_solver_options *solver, bool train,
                          void **program) {
    void *made = NULL;
    release(task, program);
    EVN_TRY_TASK(task, compile, task->self, solver, train, &made);
    *program = made;
    return EVN_OK;
}

static evn_status compile_phase(const evn__programs *p, int phase, const evn_solver_options *solver,
                                bool train, void **program) {
    evn_status status = compile(p->task, solver, train, program);
    return status == EVN_ERR_ARGUMENT
               ? evn__prepend(status, "phase %d (%s)", phase + 1, p->phases[phase].name)
               : status;
}

static bool fell_back(evn__fallback state) {
    return state == EVN__FALLBACK_TAKEN;
}

evn_status evn__programs_train(evn__programs *p, int phase, evn__fallback state) {
    if (p->training && p->training_phase == phase &&
        fell_back(p->training_fallback) == fell_back(state)) {
        return EVN_OK;
    }
    const evn_solver_options solver = evn__fallback_solver(&p->phases[phase], p->task, state);
    p->training_phase = phase;
    p->training_fallback = state;
    return compile_phase(p, phase, &solver, true, &p->training);
}

evn_status evn__programs_test(evn__programs *p, int phase) {
    if (p->testing && p->testing_phase == phase) {
        return EVN_OK;
    }
    const evn_solver_options solver = evn_solver_options_forward(&p->phases[phase].solver);
    p->testing_phase = phase;
    return compile_phase(p, phase, &solver, false, &p->testing);
}

evn_status evn__programs_look_ahead(evn__programs *p, int phase) {
    if (!p->phases[phase].automatic) {
        release(p->task, &p->ahead);
        return EVN_OK;
    }
    const evn_solver_options solver = evn_solver_options_forward(&p->phases[phase + 1].solver);
    return compile(p->task, &solver, false, &p->ahead);
}

evn_status evn__programs_forget(evn__programs *p) {
    return evn__fallback_forget(&p->phases[p->training_phase], p->task, p->training,
                                p->training_fallback);
}
