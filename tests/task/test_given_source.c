// SPDX-License-Identifier: Apache-2.0
// The built-in tasks with sources of a program's own that say too much, too little or nothing.
// TEST: label=quick timeout=300
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4, SIDE = 8, CLASSES = 3 };

typedef struct given {
    evn_source_info info;
    int64_t filled;   ///< what fill says
    float value;      ///< of every number
    evn_status fails; ///< of fill
} given;

static evn_source_info info(const void *self) {
    return ((const given *)self)->info;
}

static evn_status fill(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled) {
    const given *s = self;
    int64_t numbers = s->info.batch * evn_shape_count(s->info.sample);
    int64_t wanted = s->info.has_target ? s->info.batch * evn_shape_count(s->info.target) : 0;
    (void)batch;
    for (int64_t i = 0; i < numbers; ++i) {
        samples[i] = s->value;
    }
    for (int64_t i = 0; i < wanted; ++i) {
        targets[i] = s->value;
    }
    for (int64_t i = 0; i < s->info.batch; ++i) {
        weights[i] = i < s->filled;
    }
    *filled = s->filled;
    return s->fails == EVN_OK ? EVN_OK : evn_error_set(s->fails, "the source is empty");
}

static void destroy(void *self) {
    (void)self;
}

static const evn_source_methods methods = {info, fill, destroy};

static given of_images(void) {
    return (given){.info = {.sample = EVN_SHAPE(SIDE, SIDE, 1),
                            .target = EVN_SHAPE(CLASSES),
                            .has_target = true,
                            .batch = BATCH,
                            .batches = {2, 2}},
                   .filled = BATCH,
                   .value = 0.5F};
}

static given of_points(void) {
    return (given){.info = {.sample = EVN_SHAPE(2), .batch = BATCH, .batches = {0, 2}},
                   .filled = BATCH,
                   .value = 0.5F};
}

static given of_trajectory(void) {
    return (given){.info = {.sample = EVN_SHAPE(2),
                            .target = EVN_SHAPE(5, 2),
                            .has_target = true,
                            .batch = 1,
                            .batches = {1, 1}},
                   .filled = 1,
                   .value = 0.5F};
}

typedef evn_status make_task(const evn_source *source, evn_task *task);

static evn_status make_images(const evn_source *source, evn_task *task) {
    evn_model_options model = evn_model_options_default(SIDE, SIDE, 1, CLASSES);
    model.kind = EVN_MODEL_NODE;
    model.filters = 8;
    return evn_task_images(test_device(), source, &model, 1, task);
}

static evn_status make_flow(const evn_source *source, evn_task *task) {
    const evn_flow_options flow = {.model = "node", .entropy = NAN};
    return evn_task_flow(test_device(), source, &flow, task);
}

static evn_status make_trajectory(const evn_source *source, evn_task *task) {
    const int widths[] = {8, 8};
    evn_trajectory_options options = evn_trajectory_options_default();
    options.widths = widths;
    return evn_task_trajectory(test_device(), source, &options, task);
}

static evn_solver_options euler(void) {
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "euler";
    solver.steps = 5;
    return solver;
}

static evn_status train(const evn_task *task) {
    evn_phase phase = {.name = "p", .epochs = 1, .schedule = evn_schedule_default(0.01)};
    phase.solver = euler();
    phase.solver.gradient = EVN_GRADIENT_BACKPROP;
    const evn_trainer_options options = {.phases = &phase,
                                         .phase_count = 1,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_ADAM)};
    evn_trainer *trainer;
    evn_status status = evn_trainer_create(test_device(), task, &options, &trainer);
    if (status == EVN_OK) {
        status = evn_trainer_run(trainer);
    }
    evn_trainer_destroy(&trainer);
    return status;
}

/// What training ends with, and what measuring does.
static void use(make_task *make, given s, evn_status *trained, evn_status *measured) {
    const evn_source source = {&methods, &s};
    const evn_solver_options solver = euler();
    evn_task task;
    evn_metrics metrics = {0};
    TRY(make(&source, &task));
    *trained = train(&task);
    *measured = evn_task_evaluate(&task, &solver, EVN_TEST, 0, &metrics);
    evn_task_destroy(&task);
}

static const struct {
    make_task *make;
    given (*source)(void);
} tasks[] = {{make_images, of_images}, {make_flow, of_points}, {make_trajectory, of_trajectory}};

START_TEST(sound) {
    evn_status trained, measured;
    use(tasks[_i].make, tasks[_i].source(), &trained, &measured);
    ck_assert_int_eq(trained, EVN_OK);
    ck_assert_int_eq(measured, EVN_OK);
}
END_TEST

/// More samples than a batch has, fewer than none, and none at all.
START_TEST(filled) {
    static const int64_t counts[] = {BATCH + 1, INT64_MAX, -1, 0};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); ++i) {
        given s = tasks[_i].source();
        evn_status trained, measured;
        s.filled = counts[i];
        use(tasks[_i].make, s, &trained, &measured);
        ck_assert_msg(trained == EVN_ERR_DATA && measured == EVN_ERR_DATA, "%lld: %s and %s",
                      (long long)counts[i], evn_status_name(trained), evn_status_name(measured));
    }
}
END_TEST

START_TEST(not_finite) {
    static const float values[] = {NAN, INFINITY};
    for (int i = 0; i < 2; ++i) {
        given s = tasks[_i].source();
        evn_status trained, measured;
        s.value = values[i];
        use(tasks[_i].make, s, &trained, &measured);
        ck_assert_int_ne(trained, EVN_OK);
    }
}
END_TEST

START_TEST(failing) {
    given s = tasks[_i].source();
    evn_status trained, measured;
    s.fails = EVN_ERR_FILE;
    use(tasks[_i].make, s, &trained, &measured);
    ck_assert_int_eq(trained, EVN_ERR_FILE);
    ck_assert_int_eq(measured, EVN_ERR_FILE);
}
END_TEST

/// Extents that nothing has, and parts that are missing.
START_TEST(shapes) {
    given bad[7] = {of_trajectory(), of_trajectory(), of_trajectory(), of_points(),
                    of_images(),     of_images(),     of_points()};
    make_task *const makes[7] = {make_trajectory, make_trajectory, make_trajectory, make_flow,
                                 make_images,     make_images,     make_flow};
    bad[0].info.target = EVN_SHAPE(0, 2);
    bad[1].info.target = EVN_SHAPE(-5, 2);
    bad[2].info.target = EVN_SHAPE((int64_t)1 << 40, 2);
    bad[3].info.has_target = true; // a flow would give them no room
    bad[3].info.target = EVN_SHAPE(1);
    bad[4].info.target = EVN_SHAPE((int64_t)1 << 32); // 0 classes as an int
    bad[5].info.sample = EVN_SHAPE(SIDE, -SIDE, 1);
    bad[6].info.batch = (int64_t)1 << 60;
    for (int i = 0; i < 7; ++i) {
        const evn_source source = {&methods, &bad[i]};
        evn_task task;
        evn_status status = makes[i](&source, &task);
        ck_assert_msg(status != EVN_OK, "source %d is accepted", i);
        ck_assert_ptr_null(task.methods);
        evn_task_destroy(&task);
    }
}
END_TEST

/// A part of no batches cannot be measured.
START_TEST(no_test_part) {
    given s = of_points();
    evn_status trained, measured;
    s.info.batches[EVN_TEST] = 0;
    use(make_flow, s, &trained, &measured);
    ck_assert_int_eq(trained, EVN_OK);
    ck_assert_int_eq(measured, EVN_ERR_ARGUMENT);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("given_source");
    enum { TASKS = sizeof(tasks) / sizeof(tasks[0]) };
    TCase *batches = tcase_create("batches");
    tcase_add_loop_test(batches, sound, 0, TASKS);
    tcase_add_loop_test(batches, filled, 0, TASKS);
    tcase_add_loop_test(batches, not_finite, 0, TASKS);
    tcase_add_loop_test(batches, failing, 0, TASKS);
    suite_add_tcase(s, batches);
    TCase *saying = tcase_create("saying");
    tcase_add_test(saying, shapes);
    tcase_add_test(saying, no_test_part);
    suite_add_tcase(s, saying);
    return s;
}

int main(void) {
    return test_run(suite());
}
