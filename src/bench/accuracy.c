// SPDX-License-Identifier: Apache-2.0
// Whole trainings: the seconds until enough of the test part are right. What is trained is fixed
// here, and not by the program's defaults, so that results stay comparable.
#include "bench/rows.h"

#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include <stdlib.h>

enum { BATCH = 32, STEPS = 10, EPOCHS = 20 };
static const double RATE = 0.1;

typedef struct accuracy_job {
    evn_device *device;
    evn_dataset *dataset;
    uint64_t seed;
    double accuracy, seconds, reached; ///< of the last repetition
    bool warming;                      ///< the first step compiles all there is
} accuracy_job;

static void note_epoch(void *user, const evn_epoch *epoch) {
    accuracy_job *j = user;
    j->seconds += evn_metrics_value(&epoch->metrics, "seconds");
    j->reached = evn_metrics_value(&epoch->metrics, "test_accuracy");
}

static bool is_enough(void *user) {
    const accuracy_job *j = user;
    return j->warming || j->reached >= j->accuracy;
}

static evn_status train(accuracy_job *j, const evn_task *task) {
    evn_phase phase = evn_phase_default("euler", STEPS, EVN_GRADIENT_BACKPROP, EPOCHS, RATE);
    phase.schedule.kind = EVN_SCHEDULE_COSINE;
    evn_trainer_options options = {.phases = &phase,
                                   .phase_count = 1,
                                   .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                                   .epoch_done = note_epoch,
                                   .stop = is_enough,
                                   .user = j};
    evn_trainer *trainer = NULL;
    EVN_TRY(evn_trainer_create(j->device, task, &options, &trainer));
    evn_status status = evn_trainer_run(trainer);
    evn_trainer_destroy(&trainer);
    return status == EVN_ERR_INTERRUPTED ? EVN_OK : status;
}

static evn_status run(void *user) {
    accuracy_job *j = user;
    evn_source source = {0};
    evn_task task = {0};
    j->seconds = j->reached = 0;
    ++j->seed;
    EVN_TRY(evn_source_images(j->dataset, BATCH, NULL, j->seed, &source));
    evn_source_info info = source.methods->info(source.self);
    evn_model_options model = evn_model_options_default(
        info.sample.dim[0], info.sample.dim[1], info.sample.dim[2], (int)info.target.dim[0]);
    evn_status status = evn_task_images(j->device, &source, &model, j->seed, &task);
    if (status == EVN_OK) {
        status = train(j, &task);
    }
    evn_task_destroy(&task);
    evn_source_destroy(&source);
    EVN_TRY(status);
    EVN_CHECK(j->warming || j->reached >= j->accuracy, EVN_ERR_DATA,
              "after %d epochs %.2f %% of the test part are right (seed %d), not %.1f", EPOCHS,
              100 * j->reached, (int)j->seed, 100 * j->accuracy);
    return EVN_OK;
}

static double seconds_of(void *user) {
    const accuracy_job *j = user;
    return j->seconds;
}

static void destroy(void *user) {
    accuracy_job *j = user;
    evn_dataset_destroy(&j->dataset);
    free(j);
}

evn_status evn__bench_accuracy(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_accuracy_options *o = options;
    accuracy_job *j = NULL;
    EVN_TRY(EVN_NEW(&j, 1));
    *job = (evn__bench_job){.work = run, .user = j, .seconds = seconds_of, .destroy = destroy};
    *j = (accuracy_job){.device = device, .accuracy = o->accuracy, .warming = true};
    EVN_TRY(evn_dataset_open("digits", NULL, &j->dataset));
    EVN_TRY(run(j));
    j->warming = false;
    j->seed = 0;
    return EVN_OK;
}
