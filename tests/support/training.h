// SPDX-License-Identifier: Apache-2.0
// A training as tests need it: data, a task, a trainer, and what it reported.
#ifndef EVN_TEST_TRAINING_H
#define EVN_TEST_TRAINING_H

#include "evonode/tasks.h"
#include "evonode/trainer.h"

enum { TEST_REPORTS = 64 };

/// What a trainer reported.
typedef struct test_record {
    evn_epoch reports[TEST_REPORTS]; ///< the first `count`
    int count;
    bool stop; ///< ends the training
} test_record;

/// Zero-initialise; what a test does not need stays so.
typedef struct test_training {
    evn_dataset *dataset;
    evn_source source;
    evn_task task;
    evn_trainer *trainer;
} test_training;

/// Options of a trainer that keeps its reports in the record; NULL: it keeps none.
evn_trainer_options test_trainer_options(const evn_phase *phases, int count,
                                         evn_optimizer_kind optimizer, test_record *record);

/// The digits as data set, source and task: `limit` of them to train on in batches of 32, `tested`
/// to test on.
/// @param[in] filters  0: as many as the model takes by itself
void test_training_of_digits(test_training *training, evn_model_kind kind, int filters,
                             int64_t limit, int64_t tested, uint64_t seed);

/// Make the trainer of the task.
void test_training_begin(test_training *training, const evn_trainer_options *options);

/// Destroy what there is.
void test_training_end(test_training *training);

#endif
