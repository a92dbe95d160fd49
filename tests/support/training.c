// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#include "test.h"

static void keep(void *user, const evn_epoch *epoch) {
    test_record *r = user;
    ck_assert_int_lt(r->count, TEST_REPORTS);
    r->reports[r->count++] = *epoch;
}

static bool stops(void *user) {
    return ((test_record *)user)->stop;
}

evn_trainer_options test_trainer_options(const evn_phase *phases, int count,
                                         evn_optimizer_kind optimizer, test_record *record) {
    return (evn_trainer_options){.phases = phases,
                                 .phase_count = count,
                                 .optimizer = evn_optimizer_options_default(optimizer),
                                 .epoch_done = record ? keep : NULL,
                                 .stop = record ? stops : NULL,
                                 .user = record};
}

void test_training_of_digits(test_training *training, evn_model_kind kind, int filters,
                             int64_t limit, int64_t tested, uint64_t seed) {
    evn_model_options model = evn_model_options_default(8, 8, 1, 10);
    model.kind = kind;
    model.filters = filters > 0 ? filters : model.filters;
    TRY(evn_dataset_open("digits", NULL, &training->dataset));
    TRY(evn_dataset_limit(training->dataset, EVN_TRAIN, limit));
    TRY(evn_dataset_limit(training->dataset, EVN_TEST, tested));
    TRY(evn_source_images(training->dataset, 32, NULL, seed, &training->source));
    TRY(evn_task_images(test_device(), &training->source, &model, seed, &training->task));
}

void test_training_begin(test_training *training, const evn_trainer_options *options) {
    TRY(evn_trainer_create(test_device(), &training->task, options, &training->trainer));
}

void test_training_end(test_training *training) {
    evn_trainer_destroy(&training->trainer);
    evn_task_destroy(&training->task);
    evn_source_destroy(&training->source);
    evn_dataset_destroy(&training->dataset);
}
