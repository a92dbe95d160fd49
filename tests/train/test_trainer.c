// SPDX-License-Identifier: Apache-2.0
// Training on the built-in digits: it learns, twice alike, in memory that the adjoint keeps flat.
// TEST: label=quick timeout=300
#include "evonode/trainer.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COUNT = 8 };

typedef struct record {
    evn_epoch epochs[MAX_COUNT];
    int count, reports;
    double last_loss;
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

static void keep_progress(void *user, const evn_progress *progress) {
    record *r = user;
    ++r->reports;
    r->last_loss = progress->loss;
}

static bool stops(void *user) {
    return ((record *)user)->stop;
}

static evn_phase phase(const char *method, int steps, evn_gradient gradient, int epochs,
                       double rate) {
    evn_phase p = {.name = method,
                   .solver = evn_solver_options_default(),
                   .epochs = epochs,
                   .schedule = evn_schedule_default(rate)};
    p.solver.method = method;
    p.solver.steps = steps;
    p.solver.gradient = gradient;
    return p;
}

static evn_trainer_options options_for(evn_model_kind kind, const evn_phase *phases, int count,
                                       record *r) {
    evn_trainer_options o = {.model = evn_model_options_default(8, 8, 1, 10),
                             .phases = phases,
                             .phase_count = count,
                             .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                             .seed = 3,
                             .progress = keep_progress,
                             .epoch_done = keep_epoch,
                             .stop = stops,
                             .user = r};
    o.model.kind = kind;
    o.model.batch = 32;
    o.model.filters = 16;
    o.model.layers = 3;
    return o;
}

static evn_dataset *digits(int64_t limit) {
    evn_dataset *dataset = NULL;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, limit));
    TRY(evn_dataset_limit(dataset, EVN_TEST, 100));
    return dataset;
}

static evn_status train(const evn_trainer_options *o, int64_t limit) {
    evn_dataset *dataset = digits(limit);
    evn_trainer *trainer = NULL;
    TRY(evn_trainer_create(test_device(), dataset, o, &trainer));
    evn_status status = evn_trainer_run(trainer);
    evn_trainer_destroy(&trainer);
    evn_dataset_destroy(&dataset);
    return status;
}

/// What making a trainer ends with.
static evn_status train_status(const evn_trainer_options *o) {
    evn_dataset *dataset = digits(64);
    evn_trainer *trainer = NULL;
    evn_status status = evn_trainer_create(test_device(), dataset, o, &trainer);
    evn_trainer_destroy(&trainer);
    evn_dataset_destroy(&dataset);
    return status;
}

START_TEST(each_model_learns) {
    static const evn_model_kind kinds[] = {EVN_MODEL_RESNET, EVN_MODEL_NODE, EVN_MODEL_NODE_EW};
    record r = {0};
    evn_phase p = phase("euler", 4, EVN_GRADIENT_BACKPROP, MAX_COUNT, 0.1);
    evn_trainer_options o = options_for(kinds[_i], &p, 1, &r);
    TRY(train(&o, 512));
    const evn_epoch *last = &r.epochs[MAX_COUNT - 1];
    printf("model %d: loss %.3f → %.3f, test accuracy %.3f\n", _i, r.epochs[0].train_loss,
           last->train_loss, last->test_accuracy);
    ck_assert_int_eq(r.count, MAX_COUNT);
    ck_assert(last->train_loss < 0.6 * r.epochs[0].train_loss);
    ck_assert(last->test_accuracy > 0.7); // chance: 0.1
    ck_assert_int_eq(last->test_errors, (int64_t)lround(100 * (1 - last->test_accuracy)));
}
END_TEST

// The paper's strategy: the switch from backprop to the adjoint costs no accuracy.
START_TEST(the_adjoint_continues_from_backprop) {
    record r = {0};
    evn_phase phases[] = {phase("euler", 10, EVN_GRADIENT_BACKPROP, 5, 0.1),
                          phase("dopri5", 0, EVN_GRADIENT_ADJOINT, 2, 0.01)};
    evn_trainer_options o = options_for(EVN_MODEL_NODE_EW, phases, 2, &r);
    TRY(train(&o, 640));
    printf("test accuracy %.3f, after the switch %.3f; NFE %.1f and %.1f\n",
           r.epochs[4].test_accuracy, r.epochs[6].test_accuracy, r.epochs[6].nfe_forward,
           r.epochs[6].nfe_backward);
    ck_assert(r.epochs[6].train_loss < r.epochs[4].train_loss);
    ck_assert(r.epochs[6].test_accuracy > r.epochs[4].test_accuracy - 0.05);
    ck_assert(r.epochs[6].nfe_forward > 10 && r.epochs[6].nfe_backward > 6);
    ck_assert(r.epochs[6].x_reconstruction > 0 && r.epochs[6].x_reconstruction < 0.1);
}
END_TEST

// A coarse grid and a fine tolerance fall apart, and the automatic phase sees it.
START_TEST(an_automatic_phase_ends_by_itself) {
    record r = {0};
    evn_phase phases[] = {phase("euler", 1, EVN_GRADIENT_BACKPROP, MAX_COUNT - 1, 0.2),
                          phase("dopri5", 0, EVN_GRADIENT_ADJOINT, 1, 0.01)};
    phases[0].automatic = true;
    evn_trainer_options o = options_for(EVN_MODEL_NODE, phases, 2, &r);
    TRY(train(&o, 640));
    for (int i = 0; i < r.count; ++i) {
        printf("phase %d: loss %.4f, with its solver %.4f, with the next %.4f\n", r.epochs[i].phase,
               r.epochs[i].train_loss, r.epochs[i].own_loss, r.epochs[i].next_loss);
    }
    const evn_epoch *last = &r.epochs[r.count - 2]; // of the automatic phase
    ck_assert_int_eq(r.epochs[r.count - 1].phase, 1);
    ck_assert_int_lt(r.count, MAX_COUNT);
    ck_assert_int_eq(last->ended, EVN_SWITCH_APART);
    ck_assert_int_eq(r.epochs[r.count - 3].ended, EVN_SWITCH_NONE);
    ck_assert(last->next_loss > 1.1 * last->own_loss + 1e-3);
    ck_assert(r.epochs[r.count - 1].own_loss == 0);
    phases[1].automatic = true; // nothing follows it
    ck_assert_int_eq(train_status(&o), EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits) {
    record runs[2] = {0};
    evn_phase phases[] = {phase("euler", 5, EVN_GRADIENT_BACKPROP, 1, 0.1),
                          phase("dopri5", 0, EVN_GRADIENT_ADJOINT, 1, 0.05)};
    for (int i = 0; i < 2; ++i) {
        evn_trainer_options o = options_for(EVN_MODEL_NODE_EW, phases, 2, &runs[i]);
        TRY(train(&o, 160));
    }
    for (int i = 0; i < 2; ++i) {
        const evn_epoch *a = &runs[0].epochs[i], *b = &runs[1].epochs[i];
        ck_assert_mem_eq(&a->train_loss, &b->train_loss, sizeof(double));
        ck_assert_mem_eq(&a->test_loss, &b->test_loss, sizeof(double));
    }
    record other = {0};
    evn_trainer_options o = options_for(EVN_MODEL_NODE_EW, phases, 2, &other);
    o.seed = 4;
    TRY(train(&o, 160));
    ck_assert(other.epochs[0].train_loss != runs[0].epochs[0].train_loss);
}
END_TEST

// Whatever epoch it is stopped after, also an automatic phase's last one, the epochs that a new
// trainer then adds are those of a run that was not stopped.
START_TEST(a_checkpoint_goes_on) {
    record whole = {0};
    evn_phase phases[] = {phase("euler", 1, EVN_GRADIENT_BACKPROP, 4, 0.2),
                          phase("dopri5", 0, EVN_GRADIENT_ADJOINT, 2, 0.01)};
    phases[0].automatic = true;
    evn_trainer_options o = options_for(EVN_MODEL_NODE_EW, phases, 2, &whole);
    o.augmentation = (evn_augmentation){.crop = 1, .elastic = 0.5};
    TRY(train(&o, 320));
    ck_assert_int_ge(whole.count, 4);
    for (int after = 0; after < whole.count - 1; ++after) {
        record first = {.save_after = after}, rest = {0};
        evn_dataset *dataset = digits(320);
        evn_trainer *trainer = NULL;
        int epochs;
        o.user = &first;
        TRY(evn_trainer_create(test_device(), dataset, &o, &trainer));
        first.saves = trainer;
        ck_assert_int_eq(evn_trainer_run(trainer), EVN_ERR_INTERRUPTED);
        ck_assert_int_eq(evn_trainer_save(trainer, checkpoint_path()), EVN_ERR_ARGUMENT);
        evn_trainer_destroy(&trainer);
        o.user = &rest;
        TRY(evn_trainer_create(test_device(), dataset, &o, &trainer));
        TRY(evn_trainer_restore(trainer, checkpoint_path(), &epochs));
        ck_assert_int_eq(epochs, after + 1);
        TRY(evn_trainer_run(trainer));
        ck_assert_int_eq(rest.count, whole.count - epochs);
        for (int i = 0; i < rest.count; ++i) {
            const evn_epoch *a = &whole.epochs[epochs + i], *b = &rest.epochs[i];
            ck_assert_int_eq(a->phase, b->phase);
            ck_assert_int_eq(a->ended, b->ended);
            ck_assert_mem_eq(&a->train_loss, &b->train_loss, sizeof(double));
            ck_assert_mem_eq(&a->test_loss, &b->test_loss, sizeof(double));
            ck_assert_mem_eq(&a->learning_rate, &b->learning_rate, sizeof(double));
        }
        evn_trainer_destroy(&trainer);
        evn_dataset_destroy(&dataset);
    }
}
END_TEST

// Ended after its last epoch, before anything was made of it.
START_TEST(a_checkpoint_of_all_epochs) {
    record r = {.save_after = 1}, none = {0};
    evn_phase p = phase("euler", 2, EVN_GRADIENT_BACKPROP, 2, 0.1);
    evn_trainer_options o = options_for(EVN_MODEL_NODE, &p, 1, &r);
    evn_dataset *dataset = digits(330); // the last ten are in no batch
    evn_trainer *trainer = NULL;
    evn_epoch wanted, found;
    int epochs;
    TRY(evn_trainer_create(test_device(), dataset, &o, &trainer));
    r.saves = trainer;
    TRY(evn_trainer_run(trainer));
    TRY(evn_trainer_evaluate(trainer, 0, EVN_TRAIN, &wanted));
    evn_trainer_destroy(&trainer);
    o.user = &none;
    TRY(evn_trainer_create(test_device(), dataset, &o, &trainer));
    TRY(evn_trainer_restore(trainer, checkpoint_path(), &epochs));
    ck_assert_int_eq(epochs, 2);
    TRY(evn_trainer_run(trainer));
    ck_assert_int_eq(none.count, 0);
    TRY(evn_trainer_evaluate(trainer, 0, EVN_TRAIN, &found));
    ck_assert_mem_eq(&wanted.test_loss, &found.test_loss, sizeof(double));
    evn_trainer_destroy(&trainer);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(a_checkpoint_of_another_training) {
    record r = {0};
    evn_phase p = phase("euler", 4, EVN_GRADIENT_BACKPROP, 3, 0.1);
    evn_trainer_options o = options_for(EVN_MODEL_NODE, &p, 1, &r);
    evn_dataset *dataset = digits(64);
    evn_trainer *trainer = NULL;
    int epochs;
    r.save_after = 1;
    TRY(evn_trainer_create(test_device(), dataset, &o, &trainer));
    ck_assert_int_eq(evn_trainer_restore(trainer, checkpoint_path(), &epochs), EVN_ERR_FILE);
    r.saves = trainer;
    ck_assert_int_eq(evn_trainer_run(trainer), EVN_ERR_INTERRUPTED);
    evn_trainer_destroy(&trainer);
    for (int i = 0; i < 3; ++i) { // another model, another optimiser, fewer epochs
        evn_trainer_options other = o;
        evn_phase shorter = p;
        shorter.epochs = 1;
        other.model.kind = i == 0 ? EVN_MODEL_NODE_EW : o.model.kind;
        other.optimizer =
            evn_optimizer_options_default(i == 1 ? EVN_OPTIMIZER_ADAM : EVN_OPTIMIZER_SGD);
        other.phases = i == 2 ? &shorter : &p;
        TRY(evn_trainer_create(test_device(), dataset, &other, &trainer));
        ck_assert_int_eq(evn_trainer_restore(trainer, checkpoint_path(), &epochs), EVN_ERR_DATA);
        evn_trainer_destroy(&trainer);
    }
    evn_dataset_destroy(&dataset);
}
END_TEST

static uint64_t peak_with(evn_gradient gradient, int steps) {
    record r = {0};
    evn_phase p = phase("euler", steps, gradient, 1, 0.05);
    evn_trainer_options o = options_for(EVN_MODEL_NODE_EW, &p, 1, &r);
    TRY(train(&o, 32));
    return r.epochs[0].peak_device_bytes;
}

START_TEST(memory_of_the_adjoint_is_flat) {
    uint64_t few = peak_with(EVN_GRADIENT_ADJOINT, 10),
             many = peak_with(EVN_GRADIENT_ADJOINT, 1000);
    uint64_t stored_few = peak_with(EVN_GRADIENT_BACKPROP, 10);
    uint64_t stored_many = peak_with(EVN_GRADIENT_BACKPROP, 40);
    printf("peak device bytes, adjoint: %llu with 10 steps, %llu with 1000\n",
           (unsigned long long)few, (unsigned long long)many);
    printf("peak device bytes, backprop: %llu with 10 steps, %llu with 40\n",
           (unsigned long long)stored_few, (unsigned long long)stored_many);
    ck_assert(fabs((double)many / (double)few - 1) < 0.01);
    ck_assert((double)stored_many > 1.5 * (double)stored_few);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_ends_training) {
    record r = {0};
    evn_phase p = phase("euler", 4, EVN_GRADIENT_BACKPROP, 3, 1e30);
    evn_trainer_options o = options_for(EVN_MODEL_NODE, &p, 1, &r);
    ck_assert_int_eq(train(&o, 256), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "learning rate"));
}
END_TEST

START_TEST(training_can_be_stopped) {
    record r = {.stop = true};
    evn_phase p = phase("euler", 4, EVN_GRADIENT_BACKPROP, 3, 0.1);
    evn_trainer_options o = options_for(EVN_MODEL_NODE, &p, 1, &r);
    ck_assert_int_eq(train(&o, 256), EVN_ERR_INTERRUPTED);
    ck_assert_int_eq(r.count, 0);
}
END_TEST

START_TEST(mistakes_are_reported) {
    record r = {0};
    evn_trainer *trainer = NULL;
    evn_phase p = phase("euler", 4, EVN_GRADIENT_BACKPROP, 0, 0.1);
    evn_trainer_options o = options_for(EVN_MODEL_NODE, &p, 1, &r);
    evn_dataset *dataset = digits(64);
    ck_assert_int_eq(evn_trainer_create(test_device(), dataset, &o, &trainer), EVN_ERR_ARGUMENT);
    p.epochs = 1;
    o.model.batch = 128; // more than there are samples
    ck_assert_int_eq(evn_trainer_create(test_device(), dataset, &o, &trainer), EVN_ERR_DATA);
    ck_assert_ptr_null(trainer);
    evn_dataset_destroy(&dataset);
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
    TCase *memory = tcase_create("memory");
    tcase_add_test(memory, memory_of_the_adjoint_is_flat);
    suite_add_tcase(s, memory);
    TCase *endings = tcase_create("endings");
    tcase_add_test(endings, a_loss_that_is_not_finite_ends_training);
    tcase_add_test(endings, training_can_be_stopped);
    tcase_add_test(endings, mistakes_are_reported);
    suite_add_tcase(s, endings);
    return s;
}

int main(void) {
    return test_run(suite());
}
