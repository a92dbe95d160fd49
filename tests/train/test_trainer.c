// SPDX-License-Identifier: Apache-2.0
// Training on the built-in digits: it learns, twice alike, in memory that the adjoint keeps flat.
// TEST: label=quick timeout=300
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "test.h"
#include "training.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COUNT = 8 };

typedef struct record {
    evn_epoch epochs[MAX_COUNT];
    int count;
    bool stop;
    const evn_trainer *saves; ///< after epoch `save_after`, and then stops; NULL: does not
    int save_after;
} record;

static const char *checkpoint_path(void) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/checkpoint.safetensors", test_folder());
    return path;
}

static void keep_epoch(void *user, const evn_epoch *epoch) {
    record *r = user;
    ck_assert_int_lt(r->count, MAX_COUNT);
    r->epochs[r->count++] = *epoch;
    if (r->saves && epoch->epoch == r->save_after) {
        TRY(evn_trainer_save(r->saves, checkpoint_path()));
        r->stop = true;
    }
}

static void check_progress(void *user, const evn_progress *progress) {
    (void)user;
    ck_assert_int_lt(progress->phase, progress->phases);
    ck_assert_int_le(progress->epoch, progress->epochs);
}

static bool stops(void *user) {
    return ((record *)user)->stop;
}

/// What a training is made of besides its data.
typedef struct setup {
    evn_trainer_options trainer;
    evn_model_options model;
    evn_augmentation augmentation;
    int64_t batch;
    uint64_t seed;
} setup;

static setup setup_for(evn_model_kind kind, const evn_phase *phases, int count, record *r) {
    setup s = {.trainer = {.phases = phases,
                           .phase_count = count,
                           .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                           .progress = check_progress,
                           .epoch_done = keep_epoch,
                           .stop = stops,
                           .user = r},
               .model = evn_model_options_default(8, 8, 1, 10),
               .batch = 32,
               .seed = 3};
    s.model.kind = kind;
    s.model.filters = 16;
    s.model.layers = 3;
    return s;
}

static evn_dataset *digits(int64_t limit) {
    evn_dataset *dataset = NULL;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, limit));
    TRY(evn_dataset_limit(dataset, EVN_TEST, 100));
    return dataset;
}

/// What making the trainer ends with; the training is closed in any case.
static evn_status open_training(const setup *s, int64_t limit, test_training *t) {
    *t = (test_training){.dataset = digits(limit)};
    TRY(evn_source_images(t->dataset, s->batch, &s->augmentation, s->seed, &t->source));
    TRY(evn_task_images(test_device(), &t->source, &s->model, s->seed, &t->task));
    return evn_trainer_create(test_device(), &t->task, &s->trainer, &t->trainer);
}

static evn_status train(const setup *s, int64_t limit) {
    test_training t;
    TRY(open_training(s, limit, &t));
    evn_status status = evn_trainer_run(t.trainer);
    test_training_end(&t);
    return status;
}

static evn_status train_status(const setup *s) {
    test_training t;
    evn_status status = open_training(s, 64, &t);
    test_training_end(&t);
    return status;
}

static double metric(const evn_epoch *epoch, const char *name) {
    return evn_metrics_value(&epoch->metrics, name);
}

static void same_metric(const evn_epoch *a, const evn_epoch *b, const char *name) {
    double x = metric(a, name), y = metric(b, name);
    ck_assert(!isnan(x));
    ck_assert_mem_eq(&x, &y, sizeof(x));
}

START_TEST(each_model_learns) {
    static const evn_model_kind kinds[] = {EVN_MODEL_RESNET, EVN_MODEL_NODE, EVN_MODEL_NODE_EW};
    record r = {0};
    evn_phase p = evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, MAX_COUNT, 0.1);
    setup s = setup_for(kinds[_i], &p, 1, &r);
    TRY(train(&s, 512));
    const evn_epoch *last = &r.epochs[MAX_COUNT - 1];
    printf("model %d: loss %.3f → %.3f, test accuracy %.3f\n", _i,
           metric(&r.epochs[0], "train_loss"), metric(last, "train_loss"),
           metric(last, "test_accuracy"));
    ck_assert_int_eq(r.count, MAX_COUNT);
    ck_assert(metric(last, "train_loss") < 0.6 * metric(&r.epochs[0], "train_loss"));
    ck_assert(metric(last, "test_accuracy") > 0.7); // chance: 0.1
    ck_assert_double_eq(metric(last, "test_errors"),
                        round(100 * (1 - metric(last, "test_accuracy"))));
}
END_TEST

// The paper's strategy: the switch from backprop to the adjoint costs no accuracy.
START_TEST(the_adjoint_continues_from_backprop) {
    record r = {0};
    evn_phase phases[] = {evn_phase_default("euler", 10, EVN_GRADIENT_BACKPROP, 5, 0.1),
                          evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 2, 0.01)};
    setup s = setup_for(EVN_MODEL_NODE_EW, phases, 2, &r);
    TRY(train(&s, 640));
    printf("test accuracy %.3f, after the switch %.3f; NFE %.1f and %.1f\n",
           metric(&r.epochs[4], "test_accuracy"), metric(&r.epochs[6], "test_accuracy"),
           metric(&r.epochs[6], "nfe_forward"), metric(&r.epochs[6], "nfe_backward"));
    ck_assert(metric(&r.epochs[6], "train_loss") < metric(&r.epochs[4], "train_loss"));
    ck_assert(metric(&r.epochs[6], "test_accuracy") > metric(&r.epochs[4], "test_accuracy") - 0.05);
    double waited = metric(&r.epochs[6], "data_wait_seconds");
    ck_assert(waited > 0 && waited < metric(&r.epochs[6], "seconds"));
    ck_assert(metric(&r.epochs[6], "nfe_forward") > 10 && metric(&r.epochs[6], "nfe_backward") > 6);
    ck_assert(metric(&r.epochs[6], "x_reconstruction") > 0 &&
              metric(&r.epochs[6], "x_reconstruction") < 0.1);
}
END_TEST

// A coarse grid and a fine tolerance fall apart, and the automatic phase sees it.
START_TEST(an_automatic_phase_ends_by_itself) {
    record r = {0};
    evn_phase phases[] = {evn_phase_default("euler", 1, EVN_GRADIENT_BACKPROP, MAX_COUNT - 1, 0.2),
                          evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 1, 0.01)};
    phases[0].automatic = true;
    setup s = setup_for(EVN_MODEL_NODE, phases, 2, &r);
    TRY(train(&s, 640));
    for (int i = 0; i < r.count; ++i) {
        printf("phase %d: loss %.4f, with its solver %.4f, with the next %.4f\n", r.epochs[i].phase,
               metric(&r.epochs[i], "train_loss"), metric(&r.epochs[i], "own_loss"),
               metric(&r.epochs[i], "next_loss"));
    }
    const evn_epoch *last = &r.epochs[r.count - 2]; // of the automatic phase
    ck_assert_int_eq(r.epochs[r.count - 1].phase, 1);
    ck_assert_int_lt(r.count, MAX_COUNT);
    ck_assert_int_eq(last->ended, EVN_SWITCH_APART);
    ck_assert_int_eq(r.epochs[r.count - 3].ended, EVN_SWITCH_NONE);
    ck_assert(metric(last, "next_loss") > 1.1 * metric(last, "own_loss") + 1e-3);
    ck_assert_ptr_null(evn_metrics_find(&r.epochs[r.count - 1].metrics, "own_loss"));
    phases[1].automatic = true; // nothing follows it
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits) {
    record runs[2] = {0};
    evn_phase phases[] = {evn_phase_default("euler", 5, EVN_GRADIENT_BACKPROP, 1, 0.1),
                          evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 1, 0.05)};
    for (int i = 0; i < 2; ++i) {
        setup s = setup_for(EVN_MODEL_NODE_EW, phases, 2, &runs[i]);
        TRY(train(&s, 160));
    }
    for (int i = 0; i < 2; ++i) {
        const evn_epoch *a = &runs[0].epochs[i], *b = &runs[1].epochs[i];
        same_metric(a, b, "train_loss");
        same_metric(a, b, "test_loss");
    }
    record other = {0};
    setup s = setup_for(EVN_MODEL_NODE_EW, phases, 2, &other);
    s.seed = 4;
    TRY(train(&s, 160));
    ck_assert(metric(&other.epochs[0], "train_loss") != metric(&runs[0].epochs[0], "train_loss"));
}
END_TEST

// Whatever epoch it is stopped after, also an automatic phase's last one, the epochs that a new
// trainer then adds are those of a run that was not stopped.
START_TEST(a_checkpoint_goes_on) {
    record whole = {0};
    evn_phase phases[] = {evn_phase_default("euler", 1, EVN_GRADIENT_BACKPROP, 4, 0.2),
                          evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 2, 0.01)};
    phases[0].automatic = true;
    setup s = setup_for(EVN_MODEL_NODE_EW, phases, 2, &whole);
    s.augmentation = (evn_augmentation){.crop = 1, .elastic = 0.5};
    TRY(train(&s, 320));
    ck_assert_int_ge(whole.count, 4);
    for (int after = 0; after < whole.count - 1; ++after) {
        record first = {.save_after = after}, rest = {0};
        test_training t;
        int epochs;
        s.trainer.user = &first;
        TRY(open_training(&s, 320, &t));
        first.saves = t.trainer;
        ck_assert_int_eq(evn_trainer_run(t.trainer), EVN_ERR_INTERRUPTED);
        ck_assert_int_eq(evn_trainer_save(t.trainer, checkpoint_path()), EVN_ERR_ARGUMENT);
        test_training_end(&t);
        s.trainer.user = &rest;
        TRY(open_training(&s, 320, &t));
        TRY(evn_trainer_restore(t.trainer, checkpoint_path(), &epochs));
        ck_assert_int_eq(epochs, after + 1);
        TRY(evn_trainer_run(t.trainer));
        ck_assert_int_eq(rest.count, whole.count - epochs);
        for (int i = 0; i < rest.count; ++i) {
            const evn_epoch *a = &whole.epochs[epochs + i], *b = &rest.epochs[i];
            ck_assert_int_eq(a->phase, b->phase);
            ck_assert_int_eq(a->ended, b->ended);
            same_metric(a, b, "train_loss");
            same_metric(a, b, "test_loss");
            same_metric(a, b, "learning_rate");
        }
        test_training_end(&t);
    }
}
END_TEST

// Ended after its last epoch, before anything was made of it.
START_TEST(a_checkpoint_of_all_epochs) {
    record r = {.save_after = 1}, none = {0};
    evn_phase p = evn_phase_default("euler", 2, EVN_GRADIENT_BACKPROP, 2, 0.1);
    setup s = setup_for(EVN_MODEL_NODE, &p, 1, &r);
    const int64_t limit = 330; // the last ten are in no batch
    test_training t;
    evn_metrics wanted = {0}, found = {0};
    int epochs;
    TRY(open_training(&s, limit, &t));
    r.saves = t.trainer;
    TRY(evn_trainer_run(t.trainer));
    TRY(evn_trainer_evaluate(t.trainer, 0, EVN_TRAIN, &wanted));
    test_training_end(&t);
    s.trainer.user = &none;
    TRY(open_training(&s, limit, &t));
    TRY(evn_trainer_restore(t.trainer, checkpoint_path(), &epochs));
    ck_assert_int_eq(epochs, 2);
    TRY(evn_trainer_run(t.trainer));
    ck_assert_int_eq(none.count, 0);
    TRY(evn_trainer_evaluate(t.trainer, 0, EVN_TRAIN, &found));
    ck_assert_double_gt(evn_metrics_value(&wanted, "train_loss"), 0);
    ck_assert_double_eq(evn_metrics_value(&wanted, "train_loss"),
                        evn_metrics_value(&found, "train_loss"));
    test_training_end(&t);
}
END_TEST

START_TEST(a_checkpoint_of_another_training) {
    record r = {.save_after = 1};
    evn_phase p = evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 3, 0.1);
    setup s = setup_for(EVN_MODEL_NODE, &p, 1, &r);
    test_training t;
    int epochs;
    TRY(open_training(&s, 64, &t));
    ck_assert_int_eq(evn_trainer_restore(t.trainer, checkpoint_path(), &epochs), EVN_ERR_FILE);
    r.saves = t.trainer;
    ck_assert_int_eq(evn_trainer_run(t.trainer), EVN_ERR_INTERRUPTED);
    test_training_end(&t);
    // Another model, another optimiser, fewer epochs, accumulation, another rate, one phase more.
    for (int i = 0; i < 6; ++i) {
        setup other = s;
        evn_phase shorter = p, two[] = {p, p};
        shorter.epochs = i == 2 ? 1 : p.epochs;
        shorter.schedule.rate = i == 4 ? 0.2 : p.schedule.rate;
        other.trainer.accumulate = i == 3 ? 2 : 0;
        other.trainer.phase_count = i == 5 ? 2 : 1;
        other.model.kind = i == 0 ? EVN_MODEL_NODE_EW : s.model.kind;
        other.trainer.optimizer =
            evn_optimizer_options_default(i == 1 ? EVN_OPTIMIZER_ADAM : EVN_OPTIMIZER_SGD);
        other.trainer.phases = i == 5 ? two : &shorter;
        TRY(open_training(&other, 64, &t));
        ck_assert_int_eq(evn_trainer_restore(t.trainer, checkpoint_path(), &epochs), EVN_ERR_DATA);
        test_training_end(&t);
    }
}
END_TEST

/// Losses and parameters of an epoch in steps of 32 samples, `accumulate` batches each.
static double accumulated(int accumulate, double *losses, double *weights, int64_t count) {
    record r = {0};
    evn_phase p = evn_phase_default("euler", 2, EVN_GRADIENT_BACKPROP, 2, 0.1);
    setup s = setup_for(EVN_MODEL_NODE_EW, &p, 1, &r);
    test_training t;
    s.batch = 32 / accumulate;
    s.trainer.accumulate = accumulate;
    TRY(open_training(&s, 160, &t));
    TRY(evn_trainer_run(t.trainer));
    const evn_parameters *parameters = t.task.methods->parameters(t.task.self);
    int index = evn_parameters_find(parameters, "f.conv1.weight");
    ck_assert_int_eq(evn_shape_count(evn_parameters_shape(parameters, index)), count);
    TRY(evn_parameters_read(parameters, index, weights));
    losses[0] = metric(&r.epochs[0], "train_loss");
    losses[1] = metric(&r.epochs[1], "train_loss");
    double peak = metric(&r.epochs[1], "peak_device_bytes");
    test_training_end(&t);
    return peak;
}

/// The mean over batches is the gradient of the batch that they make together, in less memory.
START_TEST(gradients_are_accumulated) {
    enum { COUNT = 3 * 3 * 16 * 16 };
    double losses[2][2];
    static double weights[2][COUNT];
    double whole = accumulated(1, losses[0], weights[0], COUNT);
    double parts = accumulated(4, losses[1], weights[1], COUNT);
    double difference = test_difference(weights[0], weights[1], COUNT);
    printf("peak %.0f bytes, in four parts %.0f; weights differ by %.2g\n", whole, parts,
           difference);
    ck_assert_double_eq_tol(losses[0][0] / losses[1][0], 1, 1e-4);
    ck_assert_double_eq_tol(losses[0][1] / losses[1][1], 1, 1e-3);
    ck_assert_double_lt(difference, 1e-4);
    ck_assert_double_gt(difference, 0); // it was summed in another order
    ck_assert_double_lt(parts, 0.6 * whole);
}
END_TEST

static double peak_with(evn_gradient gradient, int steps) {
    record r = {0};
    evn_phase p = evn_phase_default("euler", steps, gradient, 1, 0.05);
    setup s = setup_for(EVN_MODEL_NODE_EW, &p, 1, &r);
    TRY(train(&s, 32));
    return metric(&r.epochs[0], "peak_device_bytes");
}

START_TEST(memory_of_the_adjoint_is_flat) {
    double few = peak_with(EVN_GRADIENT_ADJOINT, 10), many = peak_with(EVN_GRADIENT_ADJOINT, 1000);
    double stored_few = peak_with(EVN_GRADIENT_BACKPROP, 10);
    double stored_many = peak_with(EVN_GRADIENT_BACKPROP, 40);
    printf("peak device bytes, adjoint: %.0f with 10 steps, %.0f with 1000\n", few, many);
    printf("peak device bytes, backprop: %.0f with 10 steps, %.0f with 40\n", stored_few,
           stored_many);
    ck_assert(fabs(many / few - 1) < 0.01);
    ck_assert(stored_many > 1.5 * stored_few);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_ends_training) {
    record r = {0};
    evn_phase p = evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 3, 1e30);
    setup s = setup_for(EVN_MODEL_NODE, &p, 1, &r);
    ck_assert_int_eq(train(&s, 256), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "learning rate"));
}
END_TEST

START_TEST(training_can_be_stopped) {
    record r = {.stop = true};
    evn_phase p = evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 3, 0.1);
    setup s = setup_for(EVN_MODEL_NODE, &p, 1, &r);
    test_training t;
    TRY(open_training(&s, 256, &t));
    ck_assert_int_eq(evn_trainer_run(t.trainer), EVN_ERR_INTERRUPTED);
    ck_assert_int_eq(r.count, 0);
    ck_assert_int_eq(evn_trainer_run(t.trainer), EVN_ERR_ARGUMENT); // the epoch is half done
    test_training_end(&t);
}
END_TEST

START_TEST(mistakes_are_reported) {
    record r = {0};
    evn_phase p = evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, -1, 0.1);
    setup s = setup_for(EVN_MODEL_NODE, &p, 1, &r);
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
    p.epochs = 1;
    s.trainer.accumulate = -1;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
    s.trainer.accumulate = 0;
    s.trainer.micro_batches = -1;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
    s.trainer.accumulate = s.trainer.micro_batches = 1 << 16;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
    s.trainer.accumulate = s.trainer.micro_batches = 0;
    s.trainer.phase_count = 0;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
    s.trainer.phase_count = 1;
    p.name = NULL;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
}
END_TEST

/// A phase of no epochs is passed over, whatever its schedule.
START_TEST(no_epochs) {
    record r = {0};
    evn_phase p[] = {evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 0, 0.1),
                     evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 1, 0.1),
                     evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 0, 0.1)};
    setup s = setup_for(EVN_MODEL_NODE, p, 3, &r);
    p[0].schedule.kind = EVN_SCHEDULE_COSINE;
    TRY(train(&s, 64));
    ck_assert_int_eq(r.count, 1);
    ck_assert_int_eq(r.epochs[0].phase, 1);
    p[1].epochs = 0;
    TRY(train(&s, 64));
    ck_assert_int_eq(r.count, 1);
}
END_TEST

/// What solves something needs a gradient; a ResNet does not read the solver.
START_TEST(a_phase_without_a_gradient) {
    record r = {0};
    evn_phase p = evn_phase_default("dopri5", 0, EVN_GRADIENT_NONE, 1, 0.1);
    setup s = setup_for(EVN_MODEL_RESNET, &p, 1, &r);
    TRY(train(&s, 64));
    ck_assert_ptr_null(evn_metrics_find(&r.epochs[0].metrics, "nfe_forward"));
    s.model.kind = EVN_MODEL_NODE;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "phase 1"));
}
END_TEST

/// A cosine without a length has that of its phase: at the end the rate is its last.
START_TEST(a_schedule_of_the_phase) {
    record r = {0};
    evn_phase p = evn_phase_default("euler", 1, EVN_GRADIENT_BACKPROP, 3, 0.1);
    setup s = setup_for(EVN_MODEL_NODE, &p, 1, &r);
    p.schedule.kind = EVN_SCHEDULE_COSINE;
    TRY(train(&s, 320));
    p.schedule.epochs = 3;
    double rate = evn_schedule_rate(&p.schedule, 0.9);
    ck_assert_double_eq(metric(&r.epochs[0], "learning_rate"), rate); // ten steps an epoch
    p.schedule.warmup = 3;
    ck_assert_int_eq(train_status(&s), EVN_ERR_ARGUMENT);
}
END_TEST

/// Phases and their texts are borrowed during the creation alone.
START_TEST(phases_are_copied) {
    record r = {0};
    char method[8] = "euler", name[8] = "first";
    evn_phase phases[] = {evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 1, 0.05),
                          evn_phase_default(method, 2, EVN_GRADIENT_BACKPROP, 1, 0.05)};
    phases[0].name = name;
    setup s = setup_for(EVN_MODEL_NODE, phases, 2, &r);
    test_training t;
    TRY(open_training(&s, 64, &t));
    memset(method, 'x', sizeof(method));
    memset(name, 'x', sizeof(name));
    memset(phases, 0xff, sizeof(phases));
    TRY(evn_trainer_run(t.trainer));
    ck_assert_int_eq(r.count, 2);
    test_training_end(&t);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/trainer");
    TCase *learning = tcase_create("learning");
    tcase_add_loop_test(learning, each_model_learns, 0, 3);
    suite_add_tcase(s, learning);
    TCase *switching = tcase_create("switching");
    tcase_add_test(switching, the_adjoint_continues_from_backprop);
    tcase_add_test(switching, an_automatic_phase_ends_by_itself);
    suite_add_tcase(s, switching);
    TCase *repeating = tcase_create("repeating");
    tcase_add_test(repeating, the_same_seed_gives_the_same_bits);
    suite_add_tcase(s, repeating);
    TCase *checkpoints = tcase_create("checkpoints");
    tcase_add_test(checkpoints, a_checkpoint_goes_on);
    tcase_add_test(checkpoints, a_checkpoint_of_all_epochs);
    suite_add_tcase(s, checkpoints);
    TCase *others = tcase_create("others");
    tcase_add_test(others, a_checkpoint_of_another_training);
    suite_add_tcase(s, others);
    TCase *accumulating = tcase_create("accumulating");
    tcase_add_test(accumulating, gradients_are_accumulated);
    suite_add_tcase(s, accumulating);
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, memory_of_the_adjoint_is_flat);
    suite_add_tcase(s, memory);
    TCase *endings = tcase_create("endings");
    tcase_add_test(endings, a_loss_that_is_not_finite_ends_training);
    tcase_add_test(endings, training_can_be_stopped);
    tcase_add_test(endings, mistakes_are_reported);
    tcase_add_test(endings, no_epochs);
    tcase_add_test(endings, a_phase_without_a_gradient);
    tcase_add_test(endings, phases_are_copied);
    tcase_add_test(endings, a_schedule_of_the_phase);
    suite_add_tcase(s, endings);
    return s;
}

int main(void) {
    return test_run(suite());
}
