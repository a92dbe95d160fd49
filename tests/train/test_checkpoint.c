// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"
#include "io/safetensors.h"
#include "plan/real.h"
#include "sweep.h"
#include "test.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EPOCHS = 5, ITEMS_MAX = 8, STEPS = 2, ELEMENTS = 256 };
static const evn_phase phases[] = {{.name = "a", .epochs = 3}, {.name = "b", .epochs = 2}};

/// A training of two small tensors, with a task that has some state of its own.
typedef struct training {
    evn__position position;
    evn_parameters *parameters;
    evn_optimizer *optimizer;
    double losses[EPOCHS];
    bool has_state, refuses; ///< state of its own, and what it is given
    int state;
    float best[ELEMENTS]; ///< parameters
    bool keeps_best;
} training;

static evn_parameters *parameters(void *self) {
    return ((training *)self)->parameters;
}

static size_t state_bytes(void *self) {
    return ((training *)self)->has_state ? sizeof(int) : 0;
}

static evn_status save_state(void *self, void *data) {
    memcpy(data, &((training *)self)->state, sizeof(int));
    return EVN_OK;
}

static evn_status restore_state(void *self, const void *data) {
    if (((training *)self)->refuses) {
        return evn_error_set(EVN_ERR_DATA, "no state of this task");
    }
    memcpy(&((training *)self)->state, data, sizeof(int));
    return EVN_OK;
}

static const evn_task_methods methods = {.name = "small",
                                         .slots = 1,
                                         .parameters = parameters,
                                         .state_bytes = state_bytes,
                                         .save = save_state,
                                         .restore = restore_state};

static const char *path_of(const char *name) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    return path;
}

static training open_training(uint64_t seed) {
    training t = {0};
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    TRY(evn_parameters_create(&t.parameters));
    TRY(evn_parameters_add(t.parameters, "f.weight", EVN_SHAPE(3, 5), EVN_INITIAL_NORMAL, 1));
    TRY(evn_parameters_add(t.parameters, "f.rate", EVN_SCALAR, EVN_INITIAL_UNIFORM, 1));
    TRY(evn_parameters_allocate(t.parameters, test_device(), false, seed));
    TRY(evn_optimizer_create(test_device(), &options, evn_parameters_element_count(t.parameters),
                             &t.optimizer));
    return t;
}

static void close_training(training *t) {
    evn_optimizer_destroy(&t->optimizer);
    evn_parameters_destroy(&t->parameters);
}

static evn__checkpoint checkpoint_of(training *t, evn_task *task) {
    *task = (evn_task){&methods, t};
    return (evn__checkpoint){.position = &t->position,
                             .phases = phases,
                             .phase_count = 2,
                             .task = task,
                             .optimizer = t->optimizer,
                             .training = "digest",
                             .losses = t->losses,
                             .best = t->keeps_best ? t->best : NULL};
}

/// Steps along gradients that depend on the parameters.
static void step(training *t) {
    double weight[15];
    TRY(evn_parameters_read(t->parameters, 0, weight));
    TRY(evn__real_write(evn_parameters_gradient(t->parameters, 0), false, weight, 15));
    TRY(evn_optimizer_step(t->optimizer, evn_parameters_values(t->parameters),
                           evn_parameters_gradients(t->parameters), 0.1));
}

static training stand(bool has_state, const char *name) {
    training t = open_training(1);
    evn_task task;
    t.position =
        (evn__position){1, 1, 4, {.best = 0.1, .epochs = 2, .stalled = 1}, EVN__FALLBACK_DUE};
    t.has_state = has_state;
    t.state = 42;
    for (int i = 0; i < t.position.epoch; ++i) {
        t.losses[i] = 1.0 / (i + 3);
    }
    for (int i = 0; i < STEPS; ++i) {
        step(&t);
    }
    evn__checkpoint checkpoint = checkpoint_of(&t, &task);
    TRY(evn__checkpoint_write(path_of(name), &checkpoint));
    return t;
}

START_TEST(round_trip) {
    training first = stand(_i, "c"), second = open_training(2);
    evn_task task;
    second.has_state = _i;
    evn__checkpoint checkpoint = checkpoint_of(&second, &task);
    TRY(evn__checkpoint_read(path_of("c"), &checkpoint));
    ck_assert_int_eq(second.position.phase, 1);
    ck_assert_int_eq(second.position.in_phase, 1);
    ck_assert_int_eq(second.position.epoch, 4);
    ck_assert_double_eq(second.position.automatic.best, 0.1);
    ck_assert_int_eq(second.position.automatic.epochs, 2);
    ck_assert_int_eq(second.position.automatic.stalled, 1);
    ck_assert_int_eq(second.position.fallback, EVN__FALLBACK_DUE);
    ck_assert_int_eq(second.state, _i ? 42 : 0);
    for (int i = 0; i < EPOCHS; ++i) {
        ck_assert_double_eq(second.losses[i], first.losses[i]);
    }
    step(&first); // the optimisers' states are alike
    step(&second);
    double a[15], b[15];
    TRY(evn_parameters_read(first.parameters, 0, a));
    TRY(evn_parameters_read(second.parameters, 0, b));
    ck_assert_mem_eq(a, b, sizeof(a));
    close_training(&first);
    close_training(&second);
}
END_TEST

/// The least loss so far may have been at other parameters than the newest.
START_TEST(best_parameters) {
    training first = stand(true, "c"), second = open_training(2);
    evn_task task;
    size_t elements = (size_t)evn_parameters_element_count(first.parameters);
    ck_assert_uint_le(elements, ELEMENTS);
    first.keeps_best = second.keeps_best = second.has_state = true;
    for (int i = 0; i < ELEMENTS; ++i) {
        first.best[i] = (float)i / 4;
    }
    evn__checkpoint checkpoint = checkpoint_of(&second, &task);
    ck_assert_int_eq(evn__checkpoint_read(path_of("c"), &checkpoint), EVN_ERR_DATA); // has none
    checkpoint = checkpoint_of(&first, &task);
    TRY(evn__checkpoint_write(path_of("c"), &checkpoint));
    checkpoint = checkpoint_of(&second, &task);
    TRY(evn__checkpoint_read(path_of("c"), &checkpoint));
    ck_assert_mem_eq(second.best, first.best, elements * sizeof(float));
    close_training(&first);
    close_training(&second);
}
END_TEST

/// For what is no training: the parameters alone, whatever else is there.
START_TEST(parameters_alone) {
    training first = stand(_i, "c"), second = open_training(2);
    double a[15], b[15];
    TRY(evn__checkpoint_parameters(path_of("c"), second.parameters));
    TRY(evn_parameters_read(first.parameters, 0, a));
    TRY(evn_parameters_read(second.parameters, 0, b));
    ck_assert_mem_eq(a, b, sizeof(a));
    ck_assert_int_eq(evn__checkpoint_parameters(path_of("none"), second.parameters), EVN_ERR_FILE);
    evn_parameters *other;
    TRY(evn_parameters_create(&other));
    TRY(evn_parameters_add(other, "f.weight", EVN_SHAPE(5, 3), EVN_INITIAL_NORMAL, 1));
    TRY(evn_parameters_allocate(other, test_device(), false, 1));
    ck_assert_int_eq(evn__checkpoint_parameters(path_of("c"), other), EVN_ERR_DATA);
    evn_parameters_destroy(&other);
    close_training(&first);
    close_training(&second);
}
END_TEST

/// The same file with one value of its metadata changed, or left out.
static void rewrite(const char *key, const char *value) {
    static const char *const keys[] = {
        "format",         "phase",           "epochs of the phase", "epochs", "switch epochs",
        "switch stalled", "optimizer steps", "switch best",         "task",   "training"};
    enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
    evn__safetensors *file;
    evn__tensor items[ITEMS_MAX];
    evn__key_value metadata[KEYS];
    int count = 0;
    TRY(evn__safetensors_read(path_of("c"), &file));
    ck_assert_int_le(evn__safetensors_count(file), ITEMS_MAX);
    for (int i = 0; i < evn__safetensors_count(file); ++i) {
        items[i] = *evn__safetensors_tensor(file, i);
    }
    for (int i = 0; i < KEYS; ++i) {
        const char *old = evn__safetensors_metadata(file, keys[i]);
        ck_assert_msg(old, "%s", keys[i]);
        bool changed = strcmp(keys[i], key) == 0;
        if (!changed || value) {
            metadata[count++] = (evn__key_value){keys[i], changed ? value : old};
        }
    }
    TRY(evn__safetensors_write(path_of("changed"), items, evn__safetensors_count(file), metadata,
                               count));
    evn__safetensors_destroy(&file);
}

static const struct {
    const char *key, *value;
    evn_status status;
} changes[] = {
    {"format", "evonode checkpoint 1", EVN_ERR_FORMAT},
    {"task", "large", EVN_ERR_DATA},
    {"task", NULL, EVN_ERR_DATA},
    {"training", "other", EVN_ERR_DATA},
    {"format", NULL, EVN_ERR_FORMAT},
    {"phase", "2", EVN_ERR_DATA},
    {"phase", "-1", EVN_ERR_DATA},
    {"phase", "1x", EVN_ERR_FORMAT},
    {"phase", "", EVN_ERR_FORMAT},
    {"phase", NULL, EVN_ERR_FORMAT},
    {"epochs of the phase", "3", EVN_ERR_DATA},
    {"epochs", "6", EVN_ERR_DATA},
    {"epochs", "3", EVN_ERR_DATA}, // the losses are of four
    {"epochs", "99999999999999999999", EVN_ERR_FORMAT},
    {"optimizer steps", "-5", EVN_ERR_DATA},
    {"switch epochs", "6", EVN_ERR_DATA},
    {"switch stalled", "many", EVN_ERR_FORMAT},
    {"switch best", "nan", EVN_ERR_FORMAT},
    {"switch best", NULL, EVN_ERR_FORMAT},
};
enum { CHANGES = sizeof(changes) / sizeof(changes[0]) };

/// A file that does not fit changes nothing.
START_TEST(refuses) {
    training first = stand(true, "c"), second = open_training(2);
    evn_task task;
    second.has_state = true;
    evn__checkpoint checkpoint = checkpoint_of(&second, &task);
    double before[15], after[15];
    TRY(evn_parameters_read(second.parameters, 0, before));
    for (int i = 0; i < CHANGES; ++i) {
        rewrite(changes[i].key, changes[i].value);
        evn_status status = evn__checkpoint_read(path_of("changed"), &checkpoint);
        ck_assert_msg(status == changes[i].status, "%d: %s", i, evn_error_message());
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "changed"));
    }
    second.has_state = false;
    ck_assert_int_eq(evn__checkpoint_read(path_of("c"), &checkpoint), EVN_ERR_DATA);
    TRY(evn_parameters_read(second.parameters, 0, after));
    ck_assert_mem_eq(before, after, sizeof(before));
    ck_assert_int_eq(second.position.epoch, 0);
    close_training(&first);
    close_training(&second);
}
END_TEST

START_TEST(says_which_version) {
    training t = stand(false, "c");
    evn_task task;
    evn__checkpoint checkpoint = checkpoint_of(&t, &task);
    rewrite("format", "evonode checkpoint 1");
    ck_assert_int_eq(evn__checkpoint_read(path_of("changed"), &checkpoint), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "'evonode checkpoint 1'"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "train again"));
    close_training(&t);
}
END_TEST

/// An optimiser that cannot give its state fails writing, and reading before anything is changed.
START_TEST(an_optimizer_that_fails) {
    training t = stand(false, "c");
    evn_task task;
    evn__checkpoint checkpoint = checkpoint_of(&t, &task);
    evn__safetensors *file;
    evn__tensor items[ITEMS_MAX];
    evn__key_value metadata[10];
    static const char *const keys[] = {
        "format",         "phase",           "epochs of the phase", "epochs", "switch epochs",
        "switch stalled", "optimizer steps", "switch best",         "task",   "training"};
    TRY(evn__safetensors_read(path_of("c"), &file));
    int count = evn__safetensors_count(file);
    for (int i = 0; i < count; ++i) {
        items[i] = *evn__safetensors_tensor(file, i);
        items[i].extent[0] = items[i].dtype == EVN__U8 ? 0 : items[i].extent[0]; // of no optimiser
    }
    for (int i = 0; i < 10; ++i) {
        metadata[i] = (evn__key_value){keys[i], evn__safetensors_metadata(file, keys[i])};
    }
    TRY(evn__safetensors_write(path_of("empty"), items, count, metadata, 10));
    evn__safetensors_destroy(&file);
    checkpoint.optimizer = NULL;
    t.position.epoch = 3;
    ck_assert_int_eq(evn__checkpoint_write(path_of("c"), &checkpoint), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn__checkpoint_read(path_of("empty"), &checkpoint), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(t.position.epoch, 3);
    close_training(&t);
}
END_TEST

/// A task that refuses its state leaves the optimiser with the one that it had.
START_TEST(a_task_that_refuses) {
    training first = stand(true, "c"), second = open_training(1), third = open_training(1);
    evn_task task;
    double a[15], b[15];
    second.has_state = second.refuses = true;
    evn__checkpoint checkpoint = checkpoint_of(&second, &task);
    ck_assert_int_eq(evn__checkpoint_read(path_of("c"), &checkpoint), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no state of this task"));
    step(&second);
    step(&third);
    TRY(evn_parameters_read(second.parameters, 0, a));
    TRY(evn_parameters_read(third.parameters, 0, b));
    ck_assert_mem_eq(a, b, sizeof(a));
    close_training(&first);
    close_training(&second);
    close_training(&third);
}
END_TEST

START_TEST(what_is_not_finite_is_not_written) {
    training t = stand(true, "c");
    double rate = INFINITY;
    evn_task task;
    t.position.epoch = 5;
    TRY(evn_parameters_write(t.parameters, 1, &rate));
    evn__checkpoint checkpoint = checkpoint_of(&t, &task);
    ck_assert_int_eq(evn__checkpoint_write(path_of("c"), &checkpoint), EVN_ERR_NOT_FINITE);
    TRY(evn__checkpoint_read(path_of("c"), &checkpoint)); // the old one
    ck_assert_int_eq(t.position.epoch, 4);
    close_training(&t);
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

static training one;

static evn_status write_one(void) {
    evn_task task;
    evn__checkpoint checkpoint = checkpoint_of(&one, &task);
    return evn__checkpoint_write(path_of("c"), &checkpoint);
}

static evn_status read_one(void) {
    evn_task task;
    evn__checkpoint checkpoint = checkpoint_of(&one, &task);
    return evn__checkpoint_read(path_of("c"), &checkpoint);
}

static evn_status read_epochs(void) {
    int epochs;
    EVN_TRY(evn__checkpoint_epochs(path_of("c"), &epochs));
    return epochs == 4 ? EVN_OK : evn_error_set(EVN_ERR_INTERNAL, "%d epochs", epochs);
}

static evn_status read_parameters(void) {
    return evn__checkpoint_parameters(path_of("c"), one.parameters);
}

START_TEST(every_fault) {
    static const test_deed deeds[] = {
        {.name = "write", .run = write_one, .uncounted = true},
        {.name = "read", .run = read_one, .uncounted = true},
        {.name = "epochs", .run = read_epochs},
        {.name = "parameters", .run = read_parameters, .uncounted = true},
    };
    test_sweep_begin();
    one = stand(true, "c");
    one.keeps_best = true;
    TRY(write_one());
    for (int i = 0; i < 4; ++i) {
        test_sweep(&deeds[i]);
        TRY(write_one());
    }
    close_training(&one);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("checkpoint");
    TCase *c = tcase_create("content");
    tcase_add_loop_test(c, round_trip, 0, 2);
    tcase_add_test(c, best_parameters);
    tcase_add_loop_test(c, parameters_alone, 0, 2);
    tcase_add_test(c, what_is_not_finite_is_not_written);
    suite_add_tcase(s, c);
    c = tcase_create("refusing");
    tcase_add_test(c, refuses);
    tcase_add_test(c, says_which_version);
    tcase_add_test(c, a_task_that_refuses);
    tcase_add_test(c, an_optimizer_that_fails);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("faults"), every_fault);
    return s;
}

int main(void) {
    return test_run(suite());
}
