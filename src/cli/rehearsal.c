// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearsal.h"

#include "base/number.h"
#include "data/parts.h"
#include "integrator/options.h"
#include "study/gradcheck.h"
#include "task/evaluate.h"

uint64_t evn__needs_bytes(const evn__needs *needs) {
    return needs->measuring > needs->training.peak ? needs->measuring : needs->training.peak;
}

static double mebibytes(uint64_t bytes) {
    return (double)bytes / (1024 * 1024);
}

const char *evn__needs_text(const evn__needs *needs, char *text, size_t size) {
    int used = evn__print(text, size, "%.4g MiB", mebibytes(needs->training.peak));
    for (int use = 0; use < EVN__USES && used < (int)size; ++use) {
        used += evn__print(text + used, size - (size_t)used, "%s %s %.3g", use > 0 ? "," : ":",
                           evn__use_name((evn__use)use), mebibytes(needs->training.uses[use]));
    }
    if (needs->measuring > needs->training.peak && used < (int)size) {
        used += evn__print(text + used, size - (size_t)used,
                           "; %.4g MiB while results are measured", mebibytes(needs->measuring));
    }
    if (needs->steps > 0 && used < (int)size) {
        used += evn__print(text + used, size - (size_t)used,
                           "; for solves of up to %d steps, %.3g MiB for each one more",
                           needs->steps, mebibytes(needs->step));
    }
    if (needs->fallen > needs->training.peak && used < (int)size) {
        evn__print(text + used, size - (size_t)used,
                   "; %.4g MiB where the adjoint falls back on checkpoints",
                   mebibytes(needs->fallen));
    }
    return text;
}

// A rehearsal -------------------------------------------------------------------------------------

/// The gradient that keeps less takes the place of one that keeps more.
static void vary_phases(const evn__variation *variation, evn__session *own) {
    for (int i = 0; i < own->options.phase_count; ++i) {
        evn_phase *phase = &own->phases[i];
        phase->epochs = phase->epochs > 0;
        if (variation->gradient > phase->solver.gradient) {
            phase->solver = evn_solver_options_with(&phase->solver, variation->gradient);
            bool adjoint = variation->gradient == EVN_GRADIENT_ADJOINT; // it is watched, as usual
            phase->reconstruction = adjoint ? EVN__GRADCHECK_RECONSTRUCTION : 0;
        }
        if (variation->fallen && phase->reconstruction > 0) {
            phase->solver = evn_solver_options_with(&phase->solver, EVN_GRADIENT_CHECKPOINTED);
            phase->reconstruction = 0;
        }
        int more = variation->more_steps;
        phase->solver.expected_steps =
            more > 0 ? evn__expected_steps(&phase->solver) + more : phase->solver.expected_steps;
    }
    own->options.phases = own->phases;
    own->options.progress = NULL;
    own->options.epoch_done = NULL;
    own->options.stop = NULL;
    own->options.pause_seconds = own->options.pause_share = 0;
}

static evn_status measure_results(const evn__session *own) {
    evn_metrics metrics = {0};
    const evn_task *task = &own->task;
    int last = own->options.phase_count - 1;
    for (int part = 0; part < 2; ++part) {
        if (task->methods->batches(task->self, (evn_part)part) > 0) {
            EVN_TRY(evn_trainer_evaluate(own->trainer, last, (evn_part)part, &metrics));
        }
    }
    return EVN_OK;
}

/// Who is told of a summary.
typedef struct listener {
    const evn_device *device;
    evn__needs *needs;
} listener;

/// The peak of training is that of its summaries, as metrics.jsonl has it.
static void on_summary(void *user, const evn_epoch *epoch) {
    const listener *l = user;
    evn__memory_use use = evn__device_memory_use(l->device);
    (void)epoch;
    if (use.peak > l->needs->training.peak) {
        l->needs->training = use;
    }
}

static evn_status train(evn__session *own, const evn__settings *settings, evn__needs *needs) {
    listener told = {own->device, needs};
    own->options.epoch_done = on_summary;
    own->options.user = &told;
    EVN_TRY(own->row->create(own, settings));
    EVN_TRY(evn_trainer_create(own->device, &own->task, &own->options, &own->trainer));
    EVN_TRY(evn_trainer_run(own->trainer));
    evn_device_reset_peak(own->device);
    EVN_TRY(measure_results(own));
    evn__memory_use use = evn__device_memory_use(own->device);
    needs->measuring = use.peak;
    needs->largest = use.largest;
    return EVN_OK;
}

/// @param[in] counts  whether the device only counts
static evn_status rehearse(const evn__session *session, const evn__settings *settings,
                           const evn__variation *variation, bool counts, evn__needs *needs) {
    evn__session own = *session;
    const evn_source *like = &session->source;
    int64_t batch = like->methods->info(like->self).batch;
    *needs = (evn__needs){0};
    own.task = (evn_task){0};
    own.trainer = NULL;
    vary_phases(variation, &own);
    if (variation->parts && own.options.micro_batches < 2) {
        own.options.micro_batches = 2;
    }
    EVN_TRY(evn__source_blank(like, variation->batch > 0 ? variation->batch : batch, &own.source));
    if (counts) {
        evn__device_count_begin(own.device);
    }
    evn_status status = train(&own, settings, needs);
    evn_trainer_destroy(&own.trainer);
    evn_task_destroy(&own.task);
    if (counts) {
        evn__device_count_end(own.device);
    }
    evn_source_destroy(&own.source);
    return status;
}

evn_status evn__rehearse(const evn__session *session, const evn__settings *settings,
                         const evn__variation *variation, evn__needs *needs) {
    return rehearse(session, settings, variation, true, needs);
}

evn_status evn__rehearse_computed(const evn__session *session, const evn__settings *settings,
                                  const evn__variation *variation) {
    evn__needs needs;
    return rehearse(session, settings, variation, false, &needs);
}

// Use ---------------------------------------------------------------------------------------------

static evn_status run(const evn_task *task, void *program, evn_solution *solution) {
    const evn_batch first = {.part = EVN_TRAIN, .training = true};
    evn_tally tally = {0};
    EVN_TRY_TASK(task, load, program, &first, 0);
    EVN_TRY_TASK(task, forward, program, 0, solution);
    EVN_TRY_TASK(task, read, program, 0, 1, &tally);
    return EVN_OK;
}

evn_status evn__rehearse_forward(const evn_task *task, const evn_solver_options *solver,
                                 evn_solution *solution) {
    const evn_solver_options forward = evn_solver_options_forward(solver);
    void *program = NULL;
    EVN_TRY_TASK(task, compile, task->self, &forward, false, &program);
    evn_status status = run(task, program, solution);
    task->methods->release(program);
    return status;
}

evn_status evn__rehearse_use(const evn__session *session, const evn__settings *settings,
                             int64_t batch) {
    evn__session own = *session;
    evn_solution solution = {0};
    own.task = (evn_task){0};
    EVN_TRY(evn__source_blank(&session->source, batch, &own.source));
    evn_status status = own.row->create(&own, settings);
    if (status == EVN_OK && !own.task.methods->evaluate) {
        status = evn__rehearse_forward(&own.task, evn__session_solver(&own), &solution);
    }
    evn_task_destroy(&own.task);
    evn_source_destroy(&own.source);
    return status;
}
