// SPDX-License-Identifier: Apache-2.0
// A program's own task whose functions fail, each call in turn: training and evaluation end with
// that status, release what was compiled, and nothing of it is used again.
#include "evonode/evonode.h"
#include "refused.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 2, TRAIN_BATCHES = 5, TEST_BATCHES = 3, EPOCHS = 4, CALLS_MAX = 2000 };

/// Learns one tensor; its gradient is a constant, and its loss falls with each batch.
typedef struct toy {
    evn_parameters *parameters;
    int calls, fails_at; ///< of all functions that return a status; 0: none fails
    int programs;        ///< that are not released
    bool leaves_program; ///< what a failing compile names is no program
    double loss, weight; ///< of a batch
    int64_t train_batches;
    double decay; ///< that its solves found
} toy;

typedef struct program {
    toy *task;
    int loaded;
} program;

static evn_status call(toy *t) {
    if (++t->calls == t->fails_at) {
        return evn_error_set(EVN_ERR_SOLVER, "call %d fails", t->calls);
    }
    return EVN_OK;
}

static evn_parameters *parameters(void *self) {
    return ((toy *)self)->parameters;
}

static int64_t batches(void *self, evn_part part) {
    return part == EVN_TEST ? TEST_BATCHES : ((toy *)self)->train_batches;
}

static evn_status compile(void *self, const evn_solver_options *solver, bool trains,
                          void **compiled) {
    toy *t = self;
    program *p = malloc(sizeof(*p));
    (void)solver, (void)trains;
    ck_assert_ptr_nonnull(p);
    *p = (program){.task = t};
    *compiled = p; // as one does before the rest can fail
    evn_status status = call(t);
    if (status != EVN_OK) {
        free(p);
    } else {
        ++t->programs;
    }
    return status;
}

static void release(void *self) {
    program *p = self; // never NULL: there is nothing to release
    --p->task->programs;
    free(p);
}

static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    (void)batch;
    ck_assert(slot == 0 || slot == p->loaded);
    p->loaded = slot + 1;
    return call(p->task);
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    (void)slot;
    solution->nfe = 4;
    solution->decay = ((program *)self)->task->decay;
    return call(((program *)self)->task);
}

static evn_status gradient(void *self, evn_solution *solution) {
    toy *t = ((program *)self)->task;
    const double value = 1;
    evn_binding to = evn_parameters_gradient(t->parameters, 0);
    const float gradient_ = (float)value;
    solution->nfe = 5;
    TRY(evn_buffer_write(to.buffer, to.offset * sizeof(float), sizeof(float), &gradient_));
    return call(t);
}

static evn_status read_results(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    ck_assert_int_eq(first, 0);
    ck_assert_int_eq(count, p->loaded);
    p->loaded = 0;
    tally->loss += count * p->task->loss;
    tally->weight += count * p->task->weight;
    tally->samples += count;
    p->task->loss *= 0.9;
    return call(p->task);
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    *x_error = *theta_error = 0.01;
    return call(((program *)self)->task);
}

static size_t state_bytes(void *self) {
    (void)self;
    return sizeof(double);
}

static evn_status save(void *self, void *data) {
    toy *t = self;
    memcpy(data, &t->loss, sizeof(t->loss));
    return call(t);
}

static evn_status restore(void *self, const void *data) {
    toy *t = self;
    memcpy(&t->loss, data, sizeof(t->loss));
    return call(t);
}

static void destroy(void *self) {
    toy *t = self;
    ck_assert_int_eq(t->programs, 0);
    evn_parameters_destroy(&t->parameters);
}

static const evn_score scores[] = {{"score", "", EVN_BETTER_HIGHER, true}};

static const evn_task_methods methods = {.name = "toy",
                                         .slots = SLOTS,
                                         .scores = scores,
                                         .score_count = 1,
                                         .parameters = parameters,
                                         .batches = batches,
                                         .compile = compile,
                                         .release = release,
                                         .load = load,
                                         .forward = forward,
                                         .gradient = gradient,
                                         .read = read_results,
                                         .reconstruction = reconstruction,
                                         .state_bytes = state_bytes,
                                         .save = save,
                                         .restore = restore,
                                         .destroy = destroy};

static toy make_toy(int fails_at) {
    toy t = {.loss = 1, .weight = 1, .train_batches = TRAIN_BATCHES, .fails_at = fails_at};
    TRY(evn_parameters_create(&t.parameters));
    TRY(evn_parameters_add(t.parameters, "w", EVN_SCALAR, EVN_INITIAL_CONSTANT, 1));
    TRY(evn_parameters_allocate(t.parameters, test_device(), false, 1));
    return t;
}

// Training ----------------------------------------------------------------------------------------

typedef struct watcher {
    evn_trainer *trainer;
    evn_status saved; ///< of the first failure to save
    int stop_after;   ///< epochs; 0: at the end
    double decay;     ///< of the last epoch
    bool stops;
} watcher;

static const char *checkpoint_path(void) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/own.safetensors", test_folder());
    return path;
}

static void on_epoch(void *user, const evn_epoch *epoch) {
    watcher *w = user;
    evn_status status = evn_trainer_save(w->trainer, checkpoint_path());
    w->saved = w->saved == EVN_OK ? status : w->saved;
    w->stops = epoch->epoch + 1 == w->stop_after;
    w->decay = evn_metrics_value(&epoch->metrics, "decay_forward");
}

static bool on_stop(void *user) {
    return ((watcher *)user)->stops;
}

/// An automatic phase and an adjoint one, with two batches a step.
static evn_status make_trainer(const evn_task *task, watcher *w) {
    evn_phase phases[2] = {{.name = "first", .epochs = EPOCHS, .automatic = true},
                           {.name = "second", .epochs = 1}};
    for (int i = 0; i < 2; ++i) {
        phases[i].solver = evn_solver_options_default();
        phases[i].solver.gradient = i == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_ADJOINT;
        phases[i].schedule = evn_schedule_default(0.125);
    }
    const evn_trainer_options options = {.phases = phases,
                                         .phase_count = 2,
                                         .accumulate = 2,
                                         .epoch_done = on_epoch,
                                         .stop = on_stop,
                                         .user = w,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_ADAM)};
    return evn_trainer_create(test_device(), task, &options, &w->trainer);
}

/// All that a trainer does; what failed first is in *failed.
static void use(const evn_task *task, bool resumes, evn_status *failed) {
    watcher w = {.stop_after = 2};
    evn_metrics metrics = {0};
    int epochs;
    *failed = make_trainer(task, &w);
    if (*failed == EVN_OK && resumes) {
        *failed = evn_trainer_restore(w.trainer, checkpoint_path(), &epochs);
        w.stop_after = 0;
    }
    if (*failed == EVN_OK) {
        *failed = evn_trainer_run(w.trainer);
    }
    *failed = w.saved != EVN_OK ? w.saved : *failed;
    if (*failed == EVN_OK || *failed == EVN_ERR_INTERRUPTED) {
        evn_status measured = evn_trainer_evaluate(w.trainer, 0, EVN_TEST, &metrics);
        *failed = measured == EVN_OK ? *failed : measured;
    }
    evn_trainer_destroy(&w.trainer);
}

START_TEST(every_call_fails_once) {
    for (int resumes = 0; resumes < 2; ++resumes) {
        evn_status status = EVN_ERR_SOLVER;
        int calls = 0;
        while (status == EVN_ERR_SOLVER) {
            ck_assert_int_lt(calls, CALLS_MAX);
            toy t = make_toy(0);
            evn_task task = {&methods, &t};
            if (resumes) { // from a whole checkpoint, whatever the last round left
                use(&task, false, &status);
                ck_assert_int_eq(status, EVN_ERR_INTERRUPTED);
            }
            t.calls = 0;
            t.fails_at = ++calls;
            use(&task, resumes, &status);
            ck_assert_msg(status == EVN_ERR_SOLVER || t.calls < calls, "call %d: %s", calls,
                          evn_status_name(status));
            ck_assert_msg(t.programs == 0, "call %d leaves %d programs", calls, t.programs);
            evn_task_destroy(&task);
        }
        printf("%d calls failed\n", calls - 1);
        ck_assert_int_eq(status, resumes ? EVN_OK : EVN_ERR_INTERRUPTED);
        ck_assert_int_gt(calls, 30);
    }
}
END_TEST

START_TEST(every_call_of_an_evaluation_fails_once) {
    const evn_solver_options solver = evn_solver_options_default();
    evn_status status = EVN_ERR_SOLVER;
    int calls = 0;
    while (status == EVN_ERR_SOLVER) {
        toy t = make_toy(++calls);
        evn_task task = {&methods, &t};
        evn_metrics metrics = {0};
        status = evn_task_evaluate(&task, &solver, EVN_TEST, 0, &metrics);
        ck_assert_int_eq(t.programs, 0);
        evn_task_destroy(&task);
    }
    ck_assert_int_eq(status, EVN_OK);
    ck_assert_int_eq(calls, 1 + 2 * TEST_BATCHES + 2 + 1);
}
END_TEST

/// A trainer whose task failed within a step goes on from a checkpoint alone, with nothing of the
/// step.
START_TEST(a_failed_step_leaves_nothing_behind) {
    double values[2];
    for (int fails = 0; fails < 2; ++fails) {
        toy t = make_toy(0);
        evn_task task = {&methods, &t};
        watcher w = {.stop_after = 1};
        TRY(make_trainer(&task, &w));
        if (fails) { // in the second batch of the first step
            t.fails_at = t.calls + 5;
            char path[512];
            int epochs;
            snprintf(path, sizeof(path), "%s/before.safetensors", test_folder());
            TRY(evn_trainer_save(w.trainer, path));
            ck_assert_int_eq(evn_trainer_run(w.trainer), EVN_ERR_SOLVER);
            ck_assert_int_eq(evn_trainer_run(w.trainer), EVN_ERR_ARGUMENT);
            TRY(evn_trainer_restore(w.trainer, path, &epochs));
            ck_assert_int_eq(epochs, 0);
        }
        ck_assert_int_eq(evn_trainer_run(w.trainer), EVN_ERR_INTERRUPTED);
        TRY(evn_parameters_read(t.parameters, 0, &values[fails]));
        evn_trainer_destroy(&w.trainer);
        evn_task_destroy(&task);
    }
    ck_assert_double_eq(values[0], values[1]);
}
END_TEST

// What a task says of itself ----------------------------------------------------------------------

static evn_status run_toy(toy *t, const evn_task_methods *m) {
    evn_task task = {m, t};
    watcher w = {0};
    evn_status status = make_trainer(&task, &w);
    if (status == EVN_OK) {
        status = evn_trainer_run(w.trainer);
    }
    if (status == EVN_OK) {
        status = w.saved;
    }
    evn_trainer_destroy(&w.trainer);
    evn_task_destroy(&task);
    return status;
}

START_TEST(stiffness_is_a_metric) {
    toy t = make_toy(0);
    evn_task task = {&methods, &t};
    watcher w = {.stop_after = 1};
    t.decay = _i ? 1e4 : 0;
    TRY(make_trainer(&task, &w));
    ck_assert_int_eq(evn_trainer_run(w.trainer), EVN_ERR_INTERRUPTED);
    ck_assert(_i ? w.decay == 1e4 : isnan(w.decay));
    evn_trainer_destroy(&w.trainer);
    evn_task_destroy(&task);
}
END_TEST

START_TEST(odd_tallies) {
    static const double numbers[][2] = {{1, 0}, {1, NAN}, {1, INFINITY}, {1, -1}, {NAN, 1}, {0, 0}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); ++i) {
        toy t = make_toy(0);
        t.loss = numbers[i][0];
        t.weight = numbers[i][1];
        evn_status status = run_toy(&t, &methods);
        printf("loss %g, weight %g: %s: %s\n", numbers[i][0], numbers[i][1],
               evn_status_name(status), evn_error_message());
        ck_assert_int_ne(status, EVN_OK);
    }
}
END_TEST

START_TEST(no_training_part) {
    for (int i = 0; i < 2; ++i) {
        toy t = make_toy(0);
        t.train_batches = -i;
        ck_assert_int_eq(run_toy(&t, &methods), EVN_ERR_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "toy"));
    }
}
END_TEST

static evn_parameters *no_parameters(void *self) {
    (void)self;
    return NULL;
}

START_TEST(parameters_that_cannot_be_trained) {
    evn_task_methods m = methods;
    toy t = make_toy(0);
    m.parameters = no_parameters;
    ck_assert_int_eq(run_toy(&t, &m), EVN_ERR_ARGUMENT);
    t = (toy){.loss = 1, .weight = 1, .train_batches = 1};
    TRY(evn_parameters_create(&t.parameters));
    TRY(evn_parameters_add(t.parameters, "w", EVN_SCALAR, EVN_INITIAL_CONSTANT, 1));
    ck_assert_int_eq(run_toy(&t, &methods), EVN_ERR_ARGUMENT); // not allocated
    if (evn_device_get_info(test_device())->has_fp64) {
        t = (toy){.loss = 1, .weight = 1, .train_batches = 1};
        TRY(evn_parameters_create(&t.parameters));
        TRY(evn_parameters_add(t.parameters, "w", EVN_SHAPE(9), EVN_INITIAL_CONSTANT, 1));
        TRY(evn_parameters_allocate(t.parameters, test_device(), true, 1));
        ck_assert_int_eq(run_toy(&t, &methods), EVN_ERR_ARGUMENT);
        printf("%s\n", evn_error_message());
    }
}
END_TEST

START_TEST(scores_without_a_name) {
    const evn_score nameless[] = {{NULL, "", EVN_BETTER_HIGHER, true}};
    const evn_score unitless[] = {{"score", NULL, EVN_BETTER_HIGHER, true}};
    const evn_score wordy[] = {
        {"a score whose name has more letters than a metric can have", "", EVN_BETTER_LOWER, true}};
    const evn_score *const lists[] = {nameless, unitless, wordy};
    for (int i = 0; i < 3; ++i) {
        evn_task_methods m = methods;
        toy t = make_toy(0);
        m.scores = lists[i];
        ck_assert_int_eq(run_toy(&t, &m), EVN_ERR_ARGUMENT);
        printf("%s\n", evn_error_message());
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("own_task");
    TCase *failing = tcase_create("failing");
    tcase_add_test(failing, every_call_fails_once);
    tcase_add_test(failing, every_call_of_an_evaluation_fails_once);
    tcase_add_test(failing, a_failed_step_leaves_nothing_behind);
    suite_add_tcase(s, failing);
    TCase *odd = tcase_create("odd");
    tcase_add_test(odd, odd_tallies);
    tcase_add_test(odd, no_training_part);
    tcase_add_test(odd, parameters_that_cannot_be_trained);
    tcase_add_test(odd, scores_without_a_name);
    tcase_add_loop_test(odd, stiffness_is_a_metric, 0, 2);
    suite_add_tcase(s, odd);
    return s;
}

int main(void) {
    return test_run(suite());
}
