// SPDX-License-Identifier: Apache-2.0
// Wrong arguments of the functions of source.h, task.h, tasks.h and trainer.h, as in
// test_arguments.c.
#include "evonode/evonode.h"
#include "refused.h"
#include <math.h>

static evn_source_info no_batches(const void *self) {
    (void)self;
    return (evn_source_info){.sample = EVN_SHAPE(2)};
}

static evn_status no_fill(void *self, const evn_batch *batch, float *samples, float *targets,
                          float *weights, int64_t *filled) {
    (void)self, (void)batch, (void)samples, (void)targets, (void)weights, (void)filled;
    return EVN_OK;
}

START_TEST(sources) {
    static const evn_augmentation bad = {.crop = -1};
    evn_dataset *data = NULL;
    evn_source source = {0};
    evn_source_destroy(NULL);
    evn_source_destroy(&source);
    TRY(evn_dataset_open("digits", NULL, &data));
    REFUSED(evn_source_images(NULL, 4, NULL, 1, &source));
    REFUSED(evn_source_images(data, 0, NULL, 1, &source));
    REFUSED(evn_source_images(data, INT64_MAX, NULL, 1, &source));
    REFUSED(evn_source_images(data, 4, &bad, 1, &source));
    REFUSED(evn_source_images(data, 4, NULL, 1, NULL));
    evn_dataset_destroy(&data);
    REFUSED(evn_source_density(NULL, 4, 1, &source));
    REFUSED(evn_source_density("nobody", 4, 1, &source));
    REFUSED(evn_source_density("moons", 0, 1, &source));
    REFUSED(evn_source_density("moons", INT64_MAX, 1, &source));
    REFUSED(evn_source_density("moons", 4, 1, NULL));
    const float rows[] = {0, 1, NAN};
    REFUSED(evn_source_points(NULL, 2, 1, 4, 0, 1, &source));
    REFUSED(evn_source_points(rows, 0, 1, 4, 0, 1, &source));
    REFUSED(evn_source_points(rows, 2, 0, 4, 0, 1, &source));
    REFUSED(evn_source_points(rows, INT64_MAX, INT64_MAX, 4, 0, 1, &source));
    REFUSED(evn_source_points(rows, 2, 1, 0, 0, 1, &source));
    REFUSED(evn_source_points(rows, 2, 1, 4, 1, 1, &source));
    REFUSED(evn_source_points(rows, 2, 1, 4, NAN, 1, &source));
    REFUSED(evn_source_points(rows, 2, 1, 4, 0, 1, NULL));
    ck_assert_int_eq(evn_source_points(rows, 3, 1, 4, 0, 1, &source), EVN_ERR_NOT_FINITE);
    REFUSED(evn_source_curve(NULL));
    ck_assert_ptr_null(source.methods);
    ck_assert_ptr_null(evn_density_name(-1));
    ck_assert_ptr_null(evn_density_name(99));
    ck_assert(isnan(evn_density_entropy(NULL)));
}
END_TEST

START_TEST(tasks) {
    static const evn_source_methods empty = {0}, broken = {.info = no_batches, .fill = no_fill};
    const evn_source none = {0}, hollow = {&empty, NULL}, small = {&broken, NULL};
    const evn_source *const sources_[] = {NULL, &none, &hollow, &small};
    const evn_model_options model = evn_model_options_default(8, 8, 1, 10);
    evn_flow_options flow = {.model = "node", .entropy = NAN, .trace = EVN_TRACE_EXACT};
    const evn_trajectory_options trajectory = evn_trajectory_options_default();
    evn_source points;
    evn_task task = {0};
    for (int i = 0; i < 4; ++i) {
        REFUSED(evn_task_images(test_device(), sources_[i], &model, 1, &task));
        REFUSED(evn_task_trajectory(test_device(), sources_[i], &trajectory, &task));
        REFUSED(evn_task_flow(test_device(), sources_[i], &flow, &task));
    }
    TRY(evn_source_density("moons", 4, 1, &points));
    REFUSED(evn_task_images(NULL, &points, &model, 1, &task));
    REFUSED(evn_task_images(test_device(), &points, NULL, 1, &task));
    REFUSED(evn_task_images(test_device(), &points, &model, 1, &task)); // points are no images
    REFUSED(evn_task_trajectory(NULL, &points, &trajectory, &task));
    REFUSED(evn_task_trajectory(test_device(), &points, &trajectory, &task));
    REFUSED(evn_task_trajectory(test_device(), &points, &trajectory, NULL));
    REFUSED(evn_task_trajectory(test_device(), &points, NULL, &task));
    REFUSED(evn_task_flow(NULL, &points, &flow, &task));
    REFUSED(evn_task_flow(test_device(), &points, NULL, &task));
    REFUSED(evn_task_flow(test_device(), &points, &flow, NULL));
    flow.model = NULL;
    REFUSED(evn_task_flow(test_device(), &points, &flow, &task));
    flow.model = "nothing";
    REFUSED(evn_task_flow(test_device(), &points, &flow, &task));
    flow = (evn_flow_options){.model = "node", .trace = (evn_trace)99};
    REFUSED(evn_task_flow(test_device(), &points, &flow, &task));
    const evn_loss_options loss = {0};
    REFUSED(evn_task_loss(NULL, &loss, &task));
    REFUSED(evn_task_loss(test_device(), NULL, &task));
    REFUSED(evn_task_loss(test_device(), &loss, NULL));
    REFUSED(evn_task_loss(test_device(), &loss, &task));
    ck_assert_ptr_null(task.methods);
    ck_assert_ptr_null(evn_flow_model_name(-1));
    ck_assert_ptr_null(evn_flow_model_name(99));
    ck_assert_ptr_null(evn_activation_name(-1));
    ck_assert_ptr_null(evn_activation_name(99));
    evn_source_destroy(&points);
}
END_TEST

/// What a phase by default is wrong in, the trainer says.
START_TEST(phases) {
    evn_phase phase = evn_phase_default(NULL, -1, (evn_gradient)99, -1, NAN);
    ck_assert_ptr_null(phase.name);
    phase = evn_phase_default("rk4", 7, EVN_GRADIENT_BACKPROP, 3, 0.5);
    ck_assert_str_eq(phase.name, "rk4");
    ck_assert_int_eq(phase.solver.steps, 7);
    ck_assert(phase.epochs == 3 && evn_schedule_rate(&phase.schedule, 2) == 0.5);
}
END_TEST

START_TEST(trainers) {
    static const evn_task_methods empty = {.name = "empty", .slots = 1};
    evn_phase phase = {.name = "p", .solver = evn_solver_options_default(), .epochs = 1};
    evn_trainer_options options = {.phases = &phase, .phase_count = 1};
    evn_solver_options solver = evn_solver_options_default();
    const evn_flow_options flow = {.model = "node", .entropy = NAN};
    evn_metrics metrics = {0};
    evn_source points;
    evn_task task = {0}, hollow = {&empty, NULL};
    evn_trainer *trainer = NULL;
    int count = 7;
    phase.solver.gradient = EVN_GRADIENT_ADJOINT;
    phase.schedule = evn_schedule_default(0.1);
    options.optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    evn_task_destroy(NULL);
    evn_task_destroy(&task);
    REFUSED(evn_task_evaluate(NULL, &solver, EVN_TEST, 0, &metrics));
    REFUSED(evn_task_evaluate(&task, &solver, EVN_TEST, 0, &metrics));
    REFUSED(evn_task_evaluate(&hollow, &solver, EVN_TEST, 0, &metrics));
    REFUSED(evn_trainer_create(test_device(), NULL, &options, &trainer));
    REFUSED(evn_trainer_create(test_device(), &hollow, &options, &trainer));
    TRY(evn_source_density("moons", 4, 1, &points));
    TRY(evn_task_flow(test_device(), &points, &flow, &task));
    REFUSED(evn_task_evaluate(&task, NULL, EVN_TEST, 0, &metrics));
    REFUSED(evn_task_evaluate(&task, &solver, (evn_part)7, 0, &metrics));
    REFUSED(evn_task_evaluate(&task, &solver, EVN_TRAIN, 0, &metrics));
    REFUSED(evn_task_evaluate(&task, &solver, EVN_TEST, 0, NULL));
    REFUSED(evn_trainer_create(NULL, &task, &options, &trainer));
    REFUSED(evn_trainer_create(test_device(), &task, NULL, &trainer));
    REFUSED(evn_trainer_create(test_device(), &task, &options, NULL));
    options.phases = NULL;
    REFUSED(evn_trainer_create(test_device(), &task, &options, &trainer));
    options.phases = &phase;
    phase.solver.method = NULL;
    REFUSED(evn_trainer_create(test_device(), &task, &options, &trainer));
    ck_assert_ptr_null(trainer);
    phase.solver.method = "dopri5";
    TRY(evn_trainer_create(test_device(), &task, &options, &trainer));
    REFUSED(evn_trainer_evaluate(NULL, 0, EVN_TEST, &metrics));
    REFUSED(evn_trainer_evaluate(trainer, 1, EVN_TEST, &metrics));
    REFUSED(evn_trainer_evaluate(trainer, -1, EVN_TEST, &metrics));
    REFUSED(evn_trainer_evaluate(trainer, 0, EVN_TEST, NULL));
    REFUSED(evn_trainer_run(NULL));
    REFUSED(evn_trainer_save(NULL, "x"));
    REFUSED(evn_trainer_save(trainer, NULL));
    REFUSED(evn_trainer_restore(NULL, "x", &count));
    REFUSED(evn_trainer_restore(trainer, NULL, &count));
    REFUSED(evn_trainer_restore(trainer, "x", NULL));
    ck_assert_ptr_null(evn_trainer_losses(NULL, &count));
    ck_assert_int_eq(count, 0);
    ck_assert_ptr_nonnull(evn_trainer_losses(trainer, NULL));
    evn_trainer_destroy(NULL);
    evn_trainer_destroy(&trainer);
    evn_trainer_destroy(&trainer);
    evn_task_destroy(&task);
    evn_source_destroy(&points);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("training");
    TCase *refused = tcase_create("refused");
    tcase_add_test(refused, sources);
    tcase_add_test(refused, tasks);
    tcase_add_test(refused, phases);
    tcase_add_test(refused, trainers);
    suite_add_tcase(s, refused);
    return s;
}

int main(void) {
    return test_run(suite());
}
