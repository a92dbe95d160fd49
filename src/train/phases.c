// SPDX-License-Identifier: Apache-2.0
#include "train/phases.h"

#include "task/evaluate.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

evn_phase evn_phase_default(const char *method, int steps, evn_gradient gradient, int epochs,
                            double rate) {
    evn_phase phase = {.name = method,
                       .solver = evn_solver_options_default(),
                       .epochs = epochs,
                       .schedule = evn_schedule_default(rate)};
    phase.solver.method = method;
    phase.solver.steps = steps;
    phase.solver.gradient = gradient;
    // Each step is held to that alone; a phase's own bound looks at several, warns or falls back.
    // Another number would be another training to resume.
    phase.solver.reconstruction = 1;
    return phase;
}

static evn_status check_phase(const evn_trainer_options *options, const evn_task *task, int index) {
    const evn_phase *phase = &options->phases[index];
    EVN_CHECK(phase->name, EVN_ERR_ARGUMENT, "phase %d has no name", index + 1);
    EVN_CHECK(phase->epochs >= 0, EVN_ERR_ARGUMENT, "phase %d (%s) has %d epochs; give 0 or more",
              index + 1, phase->name, phase->epochs);
    EVN_CHECK(!phase->held_out || task->methods->batches(task->self, EVN_TEST) > 0,
              EVN_ERR_ARGUMENT,
              "phase %d (%s) cannot end by what is held out: the task %s has no test part",
              index + 1, phase->name, task->methods->name);
    EVN_CHECK(!phase->held_out || !phase->automatic, EVN_ERR_ARGUMENT,
              "phase %d (%s) is automatic and ends by what is held out; choose one", index + 1,
              phase->name);
    EVN_CHECK(!phase->automatic || index + 1 < options->phase_count, EVN_ERR_ARGUMENT,
              "phase %d (%s) cannot end automatically: no phase follows it", index + 1,
              phase->name);
    EVN_CHECK(
        !phase->automatic || !task->methods->iterates, EVN_ERR_ARGUMENT,
        "phase %d (%s) cannot end automatically: the task %s iterates, and has no epochs whose "
        "losses could be compared",
        index + 1, phase->name, task->methods->name);
    return EVN_OK;
}

static evn_status check(const evn_trainer_options *options, const evn_task *task) {
    int64_t epochs = 0;
    EVN_CHECK(options->phase_count >= 1 && options->phases, EVN_ERR_ARGUMENT,
              "training needs at least one phase");
    EVN_CHECK(options->accumulate >= 0, EVN_ERR_ARGUMENT,
              "gradients of %d batches cannot be accumulated; give 1 or more", options->accumulate);
    int64_t batches = (options->accumulate ? options->accumulate : 1) *
                      (int64_t)(options->micro_batches ? options->micro_batches : 1);
    EVN_CHECK(options->micro_batches >= 0 && batches <= INT_MAX, EVN_ERR_ARGUMENT,
              "%d batches in %d parts each cannot be accumulated; give 1 or more, and at most %d "
              "parts in all",
              options->accumulate, options->micro_batches, INT_MAX);
    for (int i = 0; i < options->phase_count; ++i) {
        EVN_TRY(check_phase(options, task, i));
        epochs += options->phases[i].epochs;
    }
    EVN_CHECK(epochs <= INT_MAX, EVN_ERR_ARGUMENT, "the phases have %lld epochs; give at most %d",
              (long long)epochs, INT_MAX);
    return EVN_OK;
}

/// The texts belong to the caller, and may be gone when they are read.
static evn_status copy_texts(evn__arena *arena, evn_phase *phase) {
    const char *method = phase->solver.method;
    phase->name = evn__arena_string(arena, phase->name);
    phase->solver.method = method ? evn__arena_string(arena, method) : NULL;
    EVN_CHECK(phase->name && (!method || phase->solver.method), EVN_ERR_MEMORY,
              "no memory for the texts of a phase");
    return EVN_OK;
}

/// So do the times of observations.
static evn_status copy_times(evn__arena *arena, evn_solver_options *solver) {
    if (!solver->times || solver->observations <= 0) {
        return EVN_OK; // without observations they are refused with the solver
    }
    size_t bytes = sizeof(double) * (size_t)solver->observations;
    double *times = evn__arena_alloc(arena, bytes);
    EVN_CHECK(times, EVN_ERR_MEMORY, "no memory for the times of a phase");
    memcpy(times, solver->times, bytes);
    solver->times = times;
    return EVN_OK;
}

/// A schedule without a length has that of the phase.
static evn_status complete_schedule(evn_phase *phase, int index) {
    if (phase->schedule.epochs == 0) {
        phase->schedule.epochs = phase->epochs;
    }
    evn_status status = phase->epochs > 0 ? evn_schedule_check(&phase->schedule) : EVN_OK;
    return status == EVN_OK ? status
                            : evn__prepend(status, "phase %d (%s)", index + 1, phase->name);
}

evn_status evn__phases_copy(const evn_trainer_options *options, const evn_task *task,
                            evn__arena *arena, evn_phase **phases) {
    EVN_TRY(check(options, task));
    size_t count = (size_t)options->phase_count;
    *phases = evn__arena_alloc(arena, count * sizeof(**phases));
    EVN_CHECK(*phases, EVN_ERR_MEMORY, "no memory for %zu phases", count);
    for (size_t i = 0; i < count; ++i) {
        (*phases)[i] = options->phases[i];
        EVN_TRY(copy_texts(arena, &(*phases)[i]));
        EVN_TRY(copy_times(arena, &(*phases)[i].solver));
        EVN_TRY(complete_schedule(&(*phases)[i], (int)i));
    }
    return EVN_OK;
}

static void append_phase(const evn_phase *p, evn__text *text) {
    const evn_solver_options *s = &p->solver;
    const evn_schedule *r = &p->schedule;
    evn__text_append(text, "%s %d %d|%s %d %.17g %.17g %.17g %d %d %d|", p->name, p->epochs,
                     p->automatic + 2 * p->held_out, s->method ? s->method : "", s->steps, s->rtol,
                     s->atol, s->dt_min, s->max_steps, s->observations, (int)s->gradient);
    evn__text_append(text, "%d %d %.17g %.17g %.17g %.17g %.17g|", (int)s->controller, (int)s->norm,
                     s->safety, s->min_factor, s->max_factor, s->dt_first, s->dt_max);
    if (s->steps == 0) { // the numbers of norms have changed; names stay
        const char *norm = evn_norm_name((int)s->norm);
        evn__text_append(text, "%s|", norm ? norm : "");
    }
    for (int i = 0; s->times && i < s->observations; ++i) {
        evn__text_append(text, "%.17g ", s->times[i]);
    }
    if (s->krylov > 0) { // runs from before it was there have none
        evn__text_append(text, "krylov %d|", s->krylov);
    }
    evn__text_append(text, "%d %.17g %.17g %d|", s->checkpoints, s->coupling, s->reconstruction,
                     s->fall_back);
    if (s->checkpoint_bytes > 0) {
        evn__text_append(text, "in %zu bytes|", s->checkpoint_bytes);
    }
    if (p->reconstruction > 0) {
        evn__text_append(text, "%.17g|", p->reconstruction);
    }
    if (s->per_sample) { // else as before there were any
        evn__text_append(text, "own %d|", s->weight_terms);
    } else if (s->weight_terms > 0) {
        evn__text_append(text, "terms %d|", s->weight_terms);
    }
    if (s->weight_steps > 0) {
        evn__text_append(text, "weight steps %d|", s->weight_steps);
    }
    evn__text_append(text, "%d %.17g %.17g %.17g %.17g %.17g %.17g", (int)r->kind, r->rate,
                     r->epochs, r->final, r->warmup, r->start, r->factor);
    for (int i = 0; i < r->milestone_count; ++i) {
        evn__text_append(text, " %.17g", r->milestones[i]);
    }
}

evn_status evn__phases_digest(const evn_trainer_options *options, char digest[EVN__HASH_TEXT]) {
    const evn_optimizer_options *o = &options->optimizer;
    evn__text text = {0};
    evn__text_append(&text, "%d %.17g %.17g %.17g %.17g %.17g %d|%d %d", (int)o->kind, o->momentum,
                     o->beta1, o->beta2, o->epsilon, o->weight_decay, o->history,
                     options->accumulate, options->renew_optimizer);
    for (int i = 0; i < options->phase_count; ++i) {
        evn__text_append(&text, "\n");
        append_phase(&options->phases[i], &text);
    }
    if (text.status == EVN_OK) {
        evn__hash_print(evn__hash_of(text.data, text.size), digest);
    }
    free(text.data);
    return text.status;
}

evn_status evn__phases_check_solvers(const evn_trainer_options *options, const evn_task *task) {
    for (int i = 0; i < options->phase_count && task->methods->check; ++i) {
        evn__error_clear();
        evn_status status = task->methods->check(task->self, &options->phases[i].solver, true);
        status = evn__task_result(task, "check", status);
        if (status != EVN_OK) {
            return evn__prepend(status, "phase %d (%s)", i + 1, options->phases[i].name);
        }
    }
    return EVN_OK;
}

int evn__phases_epochs(const evn_phase *phases, int count) {
    int epochs = 0;
    for (int i = 0; i < count; ++i) {
        epochs += phases[i].epochs;
    }
    return epochs;
}
