// SPDX-License-Identifier: Apache-2.0
// Wrong arguments of public functions: an error of its own, never a signal.
#include "evonode/cl.h"
#include "evonode/evonode.h"
#include "refused.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t far = INT64_MAX;

// device.h, buffer.h, cl.h, status.h --------------------------------------------------------------

static void devices(void) {
    evn_device_info *infos = NULL;
    evn_device *device = test_device(), *none = NULL;
    int count;
    REFUSED(evn_device_list(NULL, &count));
    REFUSED(evn_device_list(&infos, NULL));
    REFUSED(evn_device_open("auto", NULL));
    ck_assert_int_eq(evn_device_open("no such device", &none), EVN_ERR_DEVICE_NAME);
    ck_assert_ptr_null(none);
    evn_device_close(NULL);
    evn_device_close(&none);
    ck_assert_ptr_null(evn_device_get_info(NULL));
    ck_assert_uint_eq(evn_device_get_stats(NULL).launches, 0);
    evn_device_reset_peak(NULL);
    REFUSED(evn_device_finish(NULL));
    REFUSED(evn_device_flush(NULL));
    ck_assert_str_eq(evn_device_type_name((evn_device_type)99), "unknown");
    REFUSED(evn_device_adopt(NULL, evn_device_queue(device), &none));
    REFUSED(evn_device_adopt(NULL, NULL, NULL));
    ck_assert_ptr_null(evn_device_queue(NULL));
    ck_assert_ptr_null(evn_buffer_mem(NULL));
    ck_assert_str_eq(evn_status_name((evn_status)99), "unknown");
    ck_assert_str_eq(evn_status_text((evn_status)99), "unknown status");
    ck_assert_ptr_nonnull(evn_error_message());
    ck_assert_ptr_nonnull(evn_error_place());
    ck_assert_int_eq(evn_error_set(EVN_ERR_DATA, "%s", "mine"), EVN_ERR_DATA);
}

static void buffers(void) {
    evn_buffer *b = NULL, *none = NULL;
    char data[8] = {0};
    const size_t over = (size_t)-4;
    REFUSED(evn_buffer_create(NULL, 8, &none));
    REFUSED(evn_buffer_create(test_device(), 8, NULL));
    REFUSED(evn_buffer_create(test_device(), 0, &none));
    ck_assert_int_eq(evn_buffer_create(test_device(), (size_t)-1, &none), EVN_ERR_DEVICE_MEMORY);
    evn_buffer_destroy(NULL);
    evn_buffer_destroy(&none);
    ck_assert_uint_eq(evn_buffer_bytes(NULL), 0);
    TRY(evn_buffer_create(test_device(), 8, &b));
    REFUSED(evn_buffer_write(NULL, 0, 8, data));
    REFUSED(evn_buffer_write(b, 0, 8, NULL));
    REFUSED(evn_buffer_write(b, over, 8, data));
    REFUSED(evn_buffer_write(b, 4, over, data));
    REFUSED(evn_buffer_read(NULL, 0, 8, data));
    REFUSED(evn_buffer_read(b, 0, 8, NULL));
    REFUSED(evn_buffer_read(b, over, 8, data));
    REFUSED(evn_buffer_read(b, 8, over, data));
    REFUSED(evn_buffer_copy(NULL, 0, b, 0, 8));
    REFUSED(evn_buffer_copy(b, 0, NULL, 0, 8));
    REFUSED(evn_buffer_copy(b, over, b, 0, 4));
    REFUSED(evn_buffer_copy(b, 0, b, over, 8));
    REFUSED(evn_buffer_copy(b, 0, b, 4, over));
    REFUSED(evn_buffer_zero(NULL, 0, 8));
    REFUSED(evn_buffer_zero(b, over, 8));
    REFUSED(evn_buffer_zero(b, 4, over));
    evn_buffer_destroy(&b);
}

// plan.h, dynamics.h, solver.h --------------------------------------------------------------------

static void plans(void) {
    evn_graph *g = NULL;
    evn_plan *plan = NULL;
    char *text = NULL;
    evn_binding bound[2] = {{NULL, 0}, {NULL, 0}};
    TRY(evn_graph_create(&g));
    evn_output(g, "y", evn_tanh(g, evn_input(g, "x", EVN_SHAPE(3, 4))));
    REFUSED(evn_plan_create(NULL, g, NULL, &plan));
    REFUSED(evn_plan_create(test_device(), NULL, NULL, &plan));
    REFUSED(evn_plan_create(test_device(), g, NULL, NULL));
    ck_assert_ptr_null(plan);
    evn_plan_destroy(NULL);
    evn_plan_destroy(&plan);
    REFUSED(evn_plan_run(NULL, bound, bound));
    REFUSED(evn_plan_run_phase(NULL, 0, bound, bound, NULL));
    ck_assert_uint_eq(evn_plan_saved_element_count(NULL), 0);
    ck_assert_int_eq(evn_plan_launch_count(NULL), 0);
    ck_assert_uint_eq(evn_plan_bytes(NULL), 0);
    REFUSED(evn_plan_print(NULL, &text));
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    REFUSED(evn_plan_print(plan, NULL));
    REFUSED(evn_plan_run(plan, NULL, NULL));
    REFUSED(evn_plan_run(plan, bound, bound));
    REFUSED(evn_plan_run_phase(plan, -1, bound, bound, NULL));
    evn_plan_destroy(&plan);
    evn_graph_destroy(&g);
}

/// x' = x.
static evn_dynamics *growth(void) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_output(f, "dx", evn_input(f, "x", EVN_SHAPE(3)));
    REFUSED(evn_dynamics_create(f, NULL, NULL));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return dynamics;
}

static void dynamics(void) {
    evn_dynamics *none = NULL, *d = growth();
    evn_graph *empty = NULL;
    TRY(evn_graph_create(&empty));
    REFUSED(evn_dynamics_create(NULL, NULL, &none));
    REFUSED(evn_dynamics_tangent(NULL, &none));
    REFUSED(evn_dynamics_tangent(d, NULL));
    REFUSED(evn_dynamics_create(empty, NULL, &none));
    evn_graph_destroy(&empty);
    evn_dynamics_destroy(NULL);
    evn_dynamics_destroy(&none);
    ck_assert_int_eq(evn_dynamics_state_shape(NULL).rank, 0);
    ck_assert_int_eq(evn_dynamics_weight_count(NULL), 0);
    const int bad[] = {-1, 0, INT32_MAX};
    for (int k = 0; k < 3; ++k) {
        ck_assert_ptr_null(evn_dynamics_weight_name(d, bad[k]));
        ck_assert_int_eq(evn_dynamics_weight_shape(d, bad[k]).rank, 0);
        ck_assert(!evn_dynamics_weight_evolves(d, bad[k]));
    }
    ck_assert_ptr_null(evn_dynamics_weight_name(NULL, 0));
    ck_assert_int_eq(evn_dynamics_weight_shape(NULL, 0).rank, 0);
    ck_assert(!evn_dynamics_weight_evolves(NULL, 0));
    evn_dynamics_destroy(&d);
}

/// Solves in which each sample has times of its own.
static void samples(void) {
    evn_dynamics *d = growth();
    evn_solver_options options = evn_solver_options_default();
    evn_solver *whole = NULL, *own = NULL;
    evn_binding at = {NULL, 0}, out;
    evn_solution solution;
    const double t0[3] = {0, 0, 0}, t1[3] = {1, 2, 3}, bad[3] = {1, NAN, 3};
    const evn_sample_times times = {t0, t1, NULL}, half = {t0, NULL, NULL}, wrong = {t0, bad, NULL};
    TRY(evn_solver_create(test_device(), d, &options, &whole));
    options.per_sample = true;
    TRY(evn_solver_create(test_device(), d, &options, &own));
    REFUSED(evn_solve_samples(NULL, &times, at, NULL, &out, NULL));
    REFUSED(evn_solve_samples(own, NULL, at, NULL, &out, NULL));
    REFUSED(evn_solve_samples(own, &half, at, NULL, &out, NULL));
    REFUSED(evn_solve_samples(own, &wrong, at, NULL, &out, NULL));
    REFUSED(evn_solve_samples(own, &times, at, NULL, &out, NULL));
    REFUSED(evn_solve_samples(whole, &times, at, NULL, &out, NULL));
    REFUSED(evn_solver_sample_solution(NULL, 0, &solution));
    REFUSED(evn_solver_sample_solution(own, 0, NULL));
    REFUSED(evn_solver_sample_solution(own, -1, &solution));
    REFUSED(evn_solver_sample_solution(whole, 0, &solution));
    evn_solver_destroy(&whole);
    evn_solver_destroy(&own);
    evn_dynamics_destroy(&d);
}

static void solvers(void) {
    evn_dynamics *d = growth();
    evn_solver_options options = evn_solver_options_default();
    evn_solver *solver = NULL;
    evn_binding at = {NULL, 0}, out;
    double error;
    REFUSED(evn_solver_create(NULL, d, &options, &solver));
    REFUSED(evn_solver_create(test_device(), NULL, &options, &solver));
    REFUSED(evn_solver_create(test_device(), d, NULL, &solver));
    REFUSED(evn_solver_create(test_device(), d, &options, NULL));
    REFUSED(evn_solver_options_check(NULL));
    ck_assert_str_eq(evn_solver_options_forward(NULL).method, options.method);
    ck_assert_str_eq(evn_solver_options_with(NULL, EVN_GRADIENT_ADJOINT).method, options.method);
    options.method = NULL;
    REFUSED(evn_solver_options_check(&options));
    REFUSED(evn_solver_create(test_device(), d, &options, &solver));
    ck_assert_ptr_null(solver);
    evn_solver_destroy(NULL);
    evn_solver_destroy(&solver);
    options.method = "dopri5";
    options.gradient = EVN_GRADIENT_ADJOINT;
    TRY(evn_solver_create(test_device(), d, &options, &solver));
    REFUSED(evn_solve(NULL, 0, 1, at, NULL, &out, NULL));
    REFUSED(evn_solve(solver, 0, 1, at, NULL, &out, NULL));
    REFUSED(evn_solve(solver, 0, 1, at, NULL, NULL, NULL));
    REFUSED(evn_solve(solver, NAN, 1, at, NULL, &out, NULL));
    REFUSED(evn_solve(solver, 0, INFINITY, at, NULL, &out, NULL));
    const double times[] = {1};
    REFUSED(evn_solve_times(NULL, 0, times, at, NULL, &out, NULL));
    REFUSED(evn_solve_times(solver, 0, NULL, at, NULL, &out, NULL));
    REFUSED(evn_solve_times(solver, 0, times, at, NULL, &out, NULL)); // without times_vary
    REFUSED(evn_solver_at(NULL, times, 1, at, NULL));
    REFUSED(evn_solver_at(solver, NULL, 1, at, NULL));
    REFUSED(evn_solver_at(solver, times, 1, at, NULL)); // without dense
    REFUSED(evn_solve_gradient(NULL, at, &out, NULL, NULL));
    REFUSED(evn_solve_gradient(solver, at, NULL, NULL, NULL));
    REFUSED(evn_solve_gradient(solver, at, &out, NULL, NULL));
    REFUSED(evn_solver_grid(NULL, &error, 1));
    REFUSED(evn_solver_sample_grid(NULL, 0, &error, 1));
    REFUSED(evn_solver_sample_grid(solver, 0, NULL, 1));
    REFUSED(evn_solver_grid(solver, NULL, 1));
    REFUSED(evn_solver_grid(solver, &error, 1)); // before a solve
    REFUSED(evn_solver_outcome(NULL, NULL));
    REFUSED(evn_solver_outcome(solver, NULL)); // before a solve
    REFUSED(evn_solver_time_gradient(NULL, &error, &error, NULL));
    REFUSED(evn_solver_time_gradient(solver, &error, &error, NULL)); // without one
    REFUSED(evn_solver_jump_gradient(NULL, &error));
    REFUSED(evn_solver_jump_gradient(solver, NULL));
    REFUSED(evn_solver_jump_gradient(solver, &error)); // without jumps
    REFUSED(evn_solver_weight(NULL, 0, -1, &out));
    REFUSED(evn_solver_weight(solver, 0, -1, NULL));
    REFUSED(evn_solver_weight(solver, 0, -1, &out)); // before a solve
    REFUSED(evn_solver_reconstruction(NULL, &error, &error));
    REFUSED(evn_solver_reconstruction(solver, NULL, &error));
    REFUSED(evn_solver_reconstruction(solver, &error, NULL));
    REFUSED(evn_solver_apart(NULL, &error, &error));
    REFUSED(evn_solver_apart(solver, NULL, &error));
    REFUSED(evn_solver_apart(solver, &error, NULL));
    REFUSED(evn_solver_apart(solver, &error, &error)); // of another gradient
    REFUSED(evn_solver_watched(NULL, &error));
    REFUSED(evn_solver_watched(solver, NULL));
    REFUSED(evn_solver_watched(solver, &error)); // which does not watch
    REFUSED(evn_solver_reconstructed(NULL, &out));
    REFUSED(evn_solver_reconstructed(solver, NULL));
    const int bad[] = {-1, 99, INT32_MAX, INT32_MIN};
    for (int k = 0; k < 4; ++k) {
        ck_assert_ptr_null(evn_method_name(bad[k]));
        ck_assert_int_eq(evn_method_order(bad[k]), 0);
        ck_assert(!evn_method_is_adaptive(bad[k]));
        ck_assert(!evn_method_takes_steps(bad[k]));
        ck_assert_ptr_null(evn_gradient_name(bad[k]));
        ck_assert_ptr_null(evn_controller_name(bad[k]));
        ck_assert_ptr_null(evn_norm_name(bad[k]));
    }
    evn_solver_destroy(&solver);
    evn_dynamics_destroy(&d);
}

// parameters.h, model.h, optimizer.h --------------------------------------------------------------

static void parameters(void) {
    evn_parameters *p = NULL;
    double data[12];
    REFUSED(evn_parameters_create(NULL));
    evn_parameters_destroy(NULL);
    evn_parameters_destroy(&p);
    TRY(evn_parameters_create(&p));
    REFUSED(evn_parameters_allocate(p, test_device(), false, 1)); // there are none
    REFUSED(evn_parameters_add(NULL, "w", EVN_SHAPE(3), EVN_INITIAL_NORMAL, 1));
    REFUSED(evn_parameters_add(p, NULL, EVN_SHAPE(3), EVN_INITIAL_NORMAL, 1));
    REFUSED(evn_parameters_add(p, "w", EVN_SHAPE(3), (evn_initial)7, 1));
    REFUSED(evn_parameters_add(p, "w", EVN_SHAPE(3), EVN_INITIAL_NORMAL, NAN));
    for (int k = 0; k < BAD_SHAPES; ++k) {
        REFUSED(evn_parameters_add(p, "w", bad_shape(k), EVN_INITIAL_NORMAL, 1));
    }
    TRY(evn_parameters_add(p, "w", EVN_SHAPE(3, 4), EVN_INITIAL_NORMAL, 1));
    REFUSED(evn_parameters_add(p, "w", EVN_SHAPE(3), EVN_INITIAL_NORMAL, 1));
    REFUSED(evn_parameters_read(p, 0, data)); // not allocated
    REFUSED(evn_parameters_read_gradient(p, 0, data));
    REFUSED(evn_parameters_write(p, 0, data));
    REFUSED(evn_parameters_allocate(NULL, test_device(), false, 1));
    REFUSED(evn_parameters_allocate(p, NULL, false, 1));
    TRY(evn_parameters_allocate(p, test_device(), false, 1));
    REFUSED(evn_parameters_allocate(p, test_device(), false, 1));
    const int bad[] = {-1, 1, INT32_MAX};
    for (int k = 0; k < 3; ++k) {
        REFUSED(evn_parameters_read(p, bad[k], data));
        REFUSED(evn_parameters_read_gradient(p, bad[k], data));
        REFUSED(evn_parameters_write(p, bad[k], data));
        ck_assert_ptr_null(evn_parameters_name(p, bad[k]));
        ck_assert_int_eq(evn_parameters_shape(p, bad[k]).rank, 0);
        ck_assert_ptr_null(evn_parameters_value(p, bad[k]).buffer);
        ck_assert_ptr_null(evn_parameters_gradient(p, bad[k]).buffer);
    }
    REFUSED(evn_parameters_read(p, 0, NULL));
    REFUSED(evn_parameters_read_gradient(p, 0, NULL));
    REFUSED(evn_parameters_write(p, 0, NULL));
    ck_assert_int_eq(evn_parameters_find(p, NULL), -1);
    evn_parameters_destroy(&p);
}

static void no_parameters(void) {
    double data[1];
    REFUSED(evn_parameters_read(NULL, 0, data));
    REFUSED(evn_parameters_read_gradient(NULL, 0, data));
    REFUSED(evn_parameters_write(NULL, 0, data));
    ck_assert_int_eq(evn_parameters_count(NULL), 0);
    ck_assert_int_eq(evn_parameters_find(NULL, "w"), -1);
    ck_assert_ptr_null(evn_parameters_name(NULL, 0));
    ck_assert_int_eq(evn_parameters_shape(NULL, 0).rank, 0);
    ck_assert_int_eq(evn_parameters_scalar_count(NULL), 0);
    ck_assert_ptr_null(evn_parameters_value(NULL, 0).buffer);
    ck_assert_ptr_null(evn_parameters_gradient(NULL, 0).buffer);
    ck_assert_ptr_null(evn_parameters_values(NULL).buffer);
    ck_assert_ptr_null(evn_parameters_gradients(NULL).buffer);
    ck_assert_uint_eq(evn_parameters_element_count(NULL), 0);
}

static void network_files(void) {
    evn_network *network = NULL, *fine = NULL;
    evn_parameters *parameters = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_parameters_create(&parameters));
    REFUSED(evn_network_read(NULL, &network));
    REFUSED(evn_network_read("no such file", NULL));
    ck_assert_int_eq(evn_network_read("no such file", &network), EVN_ERR_FILE);
    REFUSED(evn_network_parse(NULL, "name", &network));
    REFUSED(evn_network_parse("{}", NULL, &network));
    REFUSED(evn_network_parse("{}", "name", NULL));
    ck_assert_int_eq(evn_network_parse("{}", "name", &network), EVN_ERR_FORMAT);
    REFUSED(evn_network_shipped(NULL, &network));
    REFUSED(evn_network_shipped("node", NULL));
    REFUSED(evn_network_shipped("none of them", &network));
    ck_assert_ptr_null(network);
    TRY(evn_network_shipped("node", &fine));
    REFUSED(evn_network_dynamics(NULL, EVN_SHAPE(2, 3), parameters, &dynamics));
    REFUSED(evn_network_dynamics(fine, EVN_SHAPE(2, 3), NULL, &dynamics));
    REFUSED(evn_network_dynamics(fine, EVN_SHAPE(2, 3), parameters, NULL));
    for (int k = 0; k < BAD_SHAPES; ++k) {
        REFUSED(evn_network_dynamics(fine, bad_shape(k), parameters, &dynamics));
    }
    REFUSED(evn_network_dynamics(fine, EVN_SHAPE(2, 3, 4, 5, 6), parameters, &dynamics));
    evn_network_destroy(NULL);
    evn_network_destroy(&network);
    evn_network_destroy(&fine);
    evn_parameters_destroy(&parameters);
    ck_assert_ptr_null(evn_network_name(NULL));
    ck_assert_ptr_null(evn_network_text(NULL));
    ck_assert_ptr_null(evn_layer_name(-1));
    ck_assert_ptr_null(evn_layer_name(1000));
    ck_assert_ptr_null(evn_layer_text(-1));
    ck_assert_ptr_null(evn_model_network(NULL));
}

static void models(void) {
    evn_model *model = NULL;
    const evn_model_options fine = evn_model_options_default(8, 8, 1, 10);
    evn_model_options bad[10];
    for (int k = 0; k < 10; ++k) {
        bad[k] = fine;
    }
    bad[0].kind = (evn_model_kind)7;
    bad[1].weights = "nobody";
    bad[2].weights = NULL;
    bad[3].height = far;
    bad[4].width = -8;
    bad[5].channels = 0;
    bad[6].classes = -1;
    bad[7].filters = 0;
    bad[8].batch = 0;
    bad[9].batch = far;
    for (int k = 0; k < 10; ++k) {
        REFUSED(evn_model_create(&bad[k], &model));
        ck_assert_ptr_null(model);
    }
    REFUSED(evn_model_create(NULL, &model));
    REFUSED(evn_model_create(&fine, NULL));
    evn_model_options_default(-1, far, 0, -3);
    evn_model_destroy(NULL);
    evn_model_destroy(&model);
    ck_assert_ptr_null(evn_model_parameters(NULL));
    ck_assert_ptr_null(evn_model_get_options(NULL));
    ck_assert_int_eq(evn_model_stage_count(NULL), 0);
    ck_assert_ptr_null(evn_model_stage(NULL, 0).graph);
    ck_assert_ptr_null(evn_model_stem(NULL));
    ck_assert_ptr_null(evn_model_dynamics(NULL));
    ck_assert_ptr_null(evn_model_head(NULL));
    ck_assert_ptr_null(evn_evolution_name(-1));
    ck_assert_ptr_null(evn_evolution_text(99));
}

static void optimizers(void) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_SGD);
    evn_optimizer *o = NULL;
    evn_binding at = {NULL, 0};
    double norm;
    char state[64];
    int64_t steps;
    REFUSED(evn_optimizer_create(NULL, &options, 4, &o));
    REFUSED(evn_optimizer_create(test_device(), NULL, 4, &o));
    REFUSED(evn_optimizer_create(test_device(), &options, 4, NULL));
    REFUSED(evn_optimizer_create(test_device(), &options, 0, &o));
    REFUSED(evn_optimizer_create(test_device(), &options, (size_t)-1, &o));
    options.kind = (evn_optimizer_kind)7;
    REFUSED(evn_optimizer_create(test_device(), &options, 4, &o));
    ck_assert_ptr_null(o);
    evn_optimizer_destroy(NULL);
    evn_optimizer_destroy(&o);
    REFUSED(evn_optimizer_step(NULL, at, at, 1));
    REFUSED(evn_optimizer_gradient_norm(NULL, at, &norm));
    REFUSED(evn_optimizer_save(NULL, state, &steps));
    REFUSED(evn_optimizer_restore(NULL, state, 0));
    ck_assert_uint_eq(evn_optimizer_state_bytes(NULL), 0);
    options = evn_optimizer_options_default((evn_optimizer_kind)7);
    options.kind = EVN_OPTIMIZER_SGD;
    TRY(evn_optimizer_create(test_device(), &options, 4, &o));
    REFUSED(evn_optimizer_step(o, at, at, NAN));
    REFUSED(evn_optimizer_step(o, at, at, 1));
    REFUSED(evn_optimizer_gradient_norm(o, at, &norm));
    REFUSED(evn_optimizer_gradient_norm(o, at, NULL));
    REFUSED(evn_optimizer_save(o, NULL, &steps));
    REFUSED(evn_optimizer_save(o, state, NULL));
    REFUSED(evn_optimizer_restore(o, NULL, 0));
    REFUSED(evn_optimizer_restore(o, state, -1));
    evn_optimizer_destroy(&o);
}

static void schedules(void) {
    evn_schedule bad = evn_schedule_default(NAN);
    REFUSED(evn_schedule_check(NULL));
    REFUSED(evn_schedule_check(&bad));
    bad = evn_schedule_default(1);
    bad.kind = (evn_schedule_kind)7;
    REFUSED(evn_schedule_check(&bad));
    bad.kind = EVN_SCHEDULE_STEP;
    bad.milestone_count = 1000;
    REFUSED(evn_schedule_check(&bad));
    ck_assert(evn_schedule_rate(NULL, 1) == 0);
    evn_schedule_rate(&bad, 1e9);
}

// dataset.h ---------------------------------------------------------------------------------------

static void datasets(void) {
    evn_dataset *data = NULL;
    evn_batches *batches = NULL;
    evn_batches_options options = {.size = 4};
    REFUSED(evn_dataset_open(NULL, NULL, &data));
    REFUSED(evn_dataset_open("nobody", NULL, &data));
    REFUSED(evn_dataset_open("digits", NULL, NULL));
    ck_assert_ptr_null(data);
    evn_dataset_destroy(NULL);
    evn_dataset_destroy(&data);
    ck_assert_int_eq(evn_dataset_get_info(NULL).classes, 0);
    REFUSED(evn_dataset_limit(NULL, EVN_TRAIN, 1));
    ck_assert_ptr_null(evn_dataset_pixels(NULL, EVN_TRAIN));
    ck_assert_ptr_null(evn_dataset_labels(NULL, EVN_TRAIN));
    REFUSED(evn_batches_create(NULL, &options, &batches));
    TRY(evn_dataset_open("digits", NULL, &data));
    REFUSED(evn_dataset_limit(data, (evn_part)2, 1));
    REFUSED(evn_dataset_limit(data, EVN_TRAIN, 0));
    ck_assert_ptr_null(evn_dataset_pixels(data, (evn_part)-1));
    ck_assert_ptr_null(evn_dataset_labels(data, (evn_part)2));
    REFUSED(evn_batches_create(data, NULL, &batches));
    REFUSED(evn_batches_create(data, &options, NULL));
    options.part = (evn_part)2;
    REFUSED(evn_batches_create(data, &options, &batches));
    options = (evn_batches_options){.size = 0};
    REFUSED(evn_batches_create(data, &options, &batches));
    options = (evn_batches_options){.size = 4, .augmentation.rotate = NAN};
    REFUSED(evn_batches_create(data, &options, &batches));
    ck_assert_ptr_null(batches);
    evn_batches_destroy(NULL);
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&data);
}

static void folders(void) {
    evn_dataset *data = NULL;
    evn_folder_options options = evn_folder_options_default();
    REFUSED(evn_dataset_open_folder(NULL, &options, &data));
    REFUSED(evn_dataset_open_folder(test_folder(), &options, NULL));
    options.holdout = 2;
    REFUSED(evn_dataset_open_folder(test_folder(), &options, &data));
    options = evn_folder_options_default();
    options.fit = (evn_fit)7;
    options.height = options.width = 8;
    REFUSED(evn_dataset_open_folder(test_folder(), &options, &data));
    ck_assert_ptr_null(evn_dataset_class_name(NULL, 0));
    TRY(evn_dataset_open("digits", NULL, &data));
    ck_assert_ptr_null(evn_dataset_class_name(data, -1));
    ck_assert_ptr_null(evn_dataset_class_name(data, 10));
    ck_assert_str_eq(evn_dataset_class_name(data, 3), "3");
    evn_dataset_destroy(&data);
}

static void batches(void) {
    static float images[4 * 8 * 8], labels[4 * 10];
    evn_dataset *data = NULL;
    evn_batches *b = NULL;
    evn_batches_options options = {.size = 4};
    TRY(evn_dataset_open("digits", NULL, &data));
    TRY(evn_batches_create(data, &options, &b));
    const int64_t bad[] = {-1, evn_batches_batch_count(b), far, -far};
    for (int k = 0; k < 4; ++k) {
        ck_assert_int_eq(evn_batches_fill(b, bad[k], images, labels, NULL), 0);
    }
    ck_assert_int_eq(evn_batches_fill(b, 0, NULL, labels, NULL), 0);
    ck_assert_int_eq(evn_batches_fill(b, 0, images, NULL, NULL), 0);
    ck_assert_int_eq(evn_batches_fill(b, 0, images, labels, NULL), 4);
    evn_batches_set_epoch(b, -1);
    evn_batches_set_epoch(NULL, 0);
    ck_assert_int_eq(evn_batches_batch_count(NULL), 0);
    ck_assert_int_eq(evn_batches_fill(NULL, 0, images, labels, NULL), 0);
    evn_batches_destroy(&b);
    evn_dataset_destroy(&data);
}

// metrics.h, source.h -----------------------------------------------------------------------------

static void metrics(void) {
    evn_metrics list = {0};
    char name[EVN_METRIC_NAME + 1];
    memset(name, 'n', sizeof(name));
    name[EVN_METRIC_NAME] = 0;
    REFUSED(evn_metrics_set(NULL, "loss", "nats", EVN_BETTER_LOWER, 1));
    REFUSED(evn_metrics_set(&list, NULL, "nats", EVN_BETTER_LOWER, 1));
    REFUSED(evn_metrics_set(&list, "loss", NULL, EVN_BETTER_LOWER, 1));
    REFUSED(evn_metrics_set(&list, "", "nats", EVN_BETTER_LOWER, 1));
    REFUSED(evn_metrics_set(&list, name, "nats", EVN_BETTER_LOWER, 1));
    ck_assert_int_eq(list.count, 0);
    ck_assert_ptr_null(evn_metrics_find(NULL, "loss"));
    ck_assert_ptr_null(evn_metrics_find(&list, NULL));
    ck_assert(isnan(evn_metrics_value(NULL, "loss")));
    ck_assert(isnan(evn_metrics_value(&list, NULL)));
}

// All of them -------------------------------------------------------------------------------------

static void (*const all[])(void) = {
    devices, buffers,    plans,     dynamics, samples, solvers, parameters, no_parameters,
    models,  optimizers, schedules, datasets, folders, batches, metrics,    network_files};

START_TEST(wrong_arguments_are_refused) {
    all[_i]();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("arguments");
    TCase *refused = tcase_create("refused");
    tcase_add_loop_test(refused, wrong_arguments_are_refused, 0, sizeof(all) / sizeof(all[0]));
    suite_add_tcase(s, refused);
    return s;
}

int main(void) {
    return test_run(suite());
}
