// SPDX-License-Identifier: Apache-2.0
// Plans against the reference: generated kernels, fusion, views, phases, memory.
#include "evonode/diff.h"
#include "graph/node.h"
#include "plan/real.h"
#include "ref/ref.h"
#include "run_plan.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_graph *new_graph(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    return g;
}

START_TEST(every_elementwise_operation) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", EVN_SHAPE(3, 37)), b = evn_input(g, "b", EVN_SHAPE(3, 37));
    evn_value positive = evn_add(g, evn_abs(g, a), evn_constant(g, 0.5));
    evn_output(g, "add", evn_add(g, a, b));
    evn_output(g, "sub", evn_sub(g, a, b));
    evn_output(g, "mul", evn_mul(g, a, b));
    evn_output(g, "div", evn_div(g, a, positive));
    evn_output(g, "maximum", evn_maximum(g, a, b));
    evn_output(g, "mask", evn_mask(g, a, b));
    evn_output(g, "neg", evn_neg(g, a));
    evn_output(g, "sign", evn_sign(g, a));
    evn_output(g, "step", evn_step(g, a));
    evn_output(g, "exp", evn_exp(g, a));
    evn_output(g, "log", evn_log(g, positive));
    evn_output(g, "sqrt", evn_sqrt(g, positive));
    evn_output(g, "sin", evn_sin(g, a));
    evn_output(g, "cos", evn_cos(g, a));
    evn_output(g, "tanh", evn_tanh(g, a));
    evn_output(g, "sigmoid", evn_sigmoid(g, a));
    evn_output(g, "softplus", evn_softplus(g, evn_scale(g, a, 30)));
    evn_output(g, "relu", evn_relu(g, a));
    check_plan(g, 1, -2, 2);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(views_are_read_in_place) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(5, 3, 4, 16));
    evn_value map = evn_input(g, "map", EVN_SHAPE(1, 3, 4, 16));
    evn_value channel = evn_input(g, "channel", EVN_SHAPE(16));
    evn_value column = evn_input(g, "column", EVN_SHAPE(5, 1, 4, 1));
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    evn_value y = evn_add(g, evn_mul(g, x, channel), evn_mul(g, map, t));
    y = evn_tanh(g, evn_sub(g, y, column));
    evn_output(g, "y", evn_relu(g, evn_add(g, y, evn_mul(g, t, evn_add(g, t, t)))));
    evn_output(g, "turned", evn_permute(g, x, (int[]){3, 0, 2, 1}));
    evn_output(g, "part",
               evn_exp(g, evn_slice(g, x, (int64_t[]){1, 0, 2, 3}, EVN_SHAPE(2, 3, 2, 7))));
    evn_output(g, "wide", evn_broadcast(g, evn_input(g, "v", EVN_SHAPE(3, 1)), EVN_SHAPE(2, 3, 5)));
    evn_output(g, "flat", evn_reshape(g, evn_exp(g, x), EVN_SHAPE(60, 16)));
    check_plan(g, 2, -1, 1);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(outputs_that_are_inputs_or_equal) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(7)), t = evn_input(g, "t", EVN_SCALAR);
    const double data[] = {1, 2, 3};
    evn_value y = evn_exp(g, x), table = evn_table(g, EVN_SHAPE(3), data);
    evn_output(g, "x", x);
    evn_output(g, "again", x);
    evn_output(g, "y", y);
    evn_output(g, "y_again", evn_reshape(g, y, EVN_SHAPE(7, 1)));
    evn_output(g, "t", t);
    evn_output(g, "table", table);
    evn_output(g, "zeros", evn_full(g, EVN_SHAPE(2, 2), 0));
    evn_output(g, "constant", evn_constant(g, 3.5));
    evn_output(g, "scalar", evn_mul(g, t, evn_add(g, t, evn_constant(g, 1))));
    check_plan(g, 3, -1, 1);
    evn_graph_destroy(&g);
}
END_TEST

/// A diamond: fusing both arms with the tip would need the product in the middle of the kernel.
START_TEST(fusion_never_makes_a_cycle) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(6, 6));
    evn_value a = evn_tanh(g, x), m = evn_matmul(g, a, x, false, false);
    evn_value b = evn_add(g, m, a), c = evn_mul(g, b, evn_sum(g, a, 1));
    evn_output(g, "y", evn_add(g, c, evn_exp(g, evn_matmul(g, c, m, true, false))));
    check_plan(g, 4, -1, 1);
    evn_graph_destroy(&g);
}
END_TEST

/// A view of what the same kernel would have to compute first.
START_TEST(fusion_stops_at_moved_results) {
    evn_graph *g = new_graph();
    evn_value e = evn_exp(g, evn_input(g, "x", EVN_SHAPE(90, 90)));
    evn_output(g, "y", evn_add(g, e, evn_permute(g, e, (int[]){1, 0})));
    check_plan(g, 6, -1, 1);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(chains_become_one_launch) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(4, 8)), y = x;
    for (int i = 0; i < 10; ++i) {
        y = evn_tanh(g, evn_add(g, y, x));
    }
    evn_output(g, "y", y);
    evn_plan *fused = NULL, *single = NULL;
    TRY(evn_plan_create(test_device(), g, NULL, &fused));
    TRY(evn_plan_create(test_device(), g, &(evn_plan_options){.no_fuse = true}, &single));
    ck_assert_int_eq(evn_plan_launch_count(fused), 1);
    ck_assert_int_eq(evn_plan_launch_count(single), 20);
    evn_plan_destroy(&fused);
    evn_plan_destroy(&single);
    evn_graph_destroy(&g);
}
END_TEST

/// Sixty outputs, each made of the one before: more arguments than a kernel may have, and with
/// numbers in between as many as it may.
START_TEST(outputs_are_shared_out_among_kernels) {
    for (int numbers = 0; numbers < 8; numbers += 7) {
        evn_graph *g = new_graph();
        evn_value a = evn_input(g, "a", EVN_SHAPE(5, 7)), b = evn_input(g, "b", EVN_SHAPE(5, 7));
        for (int i = 0; i < 60; ++i) {
            char name[32];
            snprintf(name, sizeof(name), "y%d", i);
            a = i < numbers ? evn_scale(g, a, 0.9 + 0.001 * i) : evn_sub(g, b, a);
            evn_output(g, name, a);
        }
        check_plan(g, 8, -1, 1);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// A scalar made of sixty others, which is an output or not, as a factor of a tensor and in another
/// scalar: it would be computed on the spot, from more arguments than a kernel may have.
START_TEST(scalars_of_many_scalars) {
    for (int shown = 0; shown < 2; ++shown) {
        evn_graph *g = new_graph();
        evn_value x = evn_input(g, "x", EVN_SHAPE(5, 7)), sum = evn_constant(g, 0);
        for (int i = 0; i < 60; ++i) {
            char name[32];
            snprintf(name, sizeof(name), "s%d", i);
            sum = evn_add(g, sum, evn_input(g, name, EVN_SCALAR));
        }
        evn_value root = evn_sqrt(g, evn_abs(g, evn_add(g, sum, sum)));
        evn_output(g, "y", evn_mul(g, x, root));
        evn_output(g, "z", evn_tanh(g, evn_scale(g, root, 0.1)));
        if (shown) {
            evn_output(g, "sum", sum);
        }
        check_plan(g, 9, -1, 1);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// Elements of `v` [ELEMENTS, 2], each behind views of views, which have memory of their own: one
/// tensor by where they come from, and an argument each.
enum { ELEMENTS = 60 };

static evn_value behind_views(evn_graph *g, evn_value v, int element) {
    evn_value row = evn_slice(g, v, (int64_t[]){element, 0}, EVN_SHAPE(1, 2));
    evn_value turned = evn_permute(g, row, (int[]){1, 0});
    return evn_slice(g, turned, (int64_t[]){1, 0}, EVN_SHAPE(1, 1));
}

START_TEST(scalars_of_many_views) {
    for (int each = 3; each <= ELEMENTS; each *= 2) {
        evn_graph *g = new_graph();
        evn_value v = evn_input(g, "v", EVN_SHAPE(ELEMENTS, 2));
        evn_value x = evn_input(g, "x", EVN_SHAPE(5, 7)), sum = evn_constant(g, 0), all = sum;
        for (int i = 0; i < ELEMENTS; ++i) {
            sum = evn_add(g, sum, evn_sin(g, behind_views(g, v, i)));
            if ((i + 1) % each == 0) {
                char name[32];
                snprintf(name, sizeof(name), "y%d", i);
                evn_output(g, name, sum);
                all = evn_add(g, all, sum);
                sum = evn_constant(g, 0);
            }
        }
        evn_output(g, "y", evn_mul(g, x, evn_sqrt(g, evn_abs(g, all))));
        check_plan(g, 10, -1, 1);
        evn_graph_destroy(&g);
    }
}
END_TEST

START_TEST(nan_passes_through) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(2)), y = evn_input(g, "y", EVN_SHAPE(2));
    evn_output(g, "relu", evn_relu(g, x));
    evn_output(g, "left", evn_maximum(g, x, y));
    evn_output(g, "right", evn_maximum(g, y, x));
    double nan_first[] = {NAN, 1}, numbers[] = {2, 3};
    double *inputs[] = {nan_first, numbers}, results[3][2];
    double *outputs[] = {results[0], results[1], results[2]};
    run_plan(g, NULL, inputs, outputs);
    for (int i = 0; i < 3; ++i) {
        ck_assert(isnan(results[i][0]) && !isnan(results[i][1]));
    }
    evn_graph_destroy(&g);
}
END_TEST

/// y = tanh(x w) with its vjp: phase 0 gives y, phase 1 the cotangents, from any saved memory.
START_TEST(two_phases_agree_with_one) {
    evn_graph *g = new_graph(), *vjp = NULL;
    evn_value x = evn_input(g, "x", EVN_SHAPE(9, 5)), w = evn_input(g, "w", EVN_SHAPE(5, 7));
    evn_output(g, "y", evn_tanh(g, evn_matmul(g, evn_exp(g, x), w, false, false)));
    TRY(evn_vjp(g, NULL, &vjp));
    check_phases(vjp, (const char *const[]){"y_bar", NULL}, 5);
    evn_graph_destroy(&vjp);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(running_allocates_and_waits_for_nothing) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(9, 9));
    evn_output(g, "y", evn_matmul(g, evn_tanh(g, x), x, false, false));
    evn_plan *plan = NULL;
    evn_buffer *buffer = NULL;
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    TRY(evn__real_create(test_device(), false, 162, &buffer));
    TRY(evn_buffer_zero(buffer, 0, 162 * sizeof(float)));
    evn_binding in = {buffer, 0}, out = {buffer, 81};
    TRY(evn_plan_run(plan, &in, &out));
    evn_device_stats before = evn_device_get_stats(test_device());
    for (int i = 0; i < 10; ++i) {
        TRY(evn_plan_run(plan, &in, &out));
    }
    evn_device_stats after = evn_device_get_stats(test_device());
    ck_assert_uint_eq(after.allocations, before.allocations);
    ck_assert_uint_eq(after.waits, before.waits);
    ck_assert_uint_eq(after.launches, before.launches + 10 * (uint64_t)evn_plan_launch_count(plan));
    evn_plan_destroy(&plan);
    evn_buffer_destroy(&buffer);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(mistakes_are_reported) {
    evn_graph *g = new_graph();
    evn_plan *plan = NULL;
    evn_value x = evn_input(g, "x", EVN_SHAPE(2, 3));
    ck_assert_int_eq(evn_matmul(g, x, x, false, false), EVN_NONE);
    evn_output(g, "y", EVN_NONE);
    ck_assert_int_eq(evn_plan_create(test_device(), g, NULL, &plan), EVN_ERR_SHAPE);
    ck_assert_ptr_null(plan);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "[2, 3]"));
    evn_graph_destroy(&g);
    g = new_graph();
    evn_output(g, "y", evn_exp(g, evn_input(g, "x", EVN_SHAPE(2))));
    evn_plan_options late = {.late_inputs = (const char *const[]){"nobody", NULL}};
    ck_assert_int_eq(evn_plan_create(test_device(), g, &late, &plan), EVN_ERR_ARGUMENT);
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    evn_binding none = {NULL, 0};
    ck_assert_int_eq(evn_plan_run(plan, &none, &none), EVN_ERR_ARGUMENT);
    evn_plan_destroy(&plan);
    evn_graph_destroy(&g);
}
END_TEST

/// What is wrong with a binding is said before anything is enqueued.
START_TEST(bindings_are_checked) {
    const size_t count = 4000, huge = (size_t)-1 / sizeof(float) + 1;
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(4000)), s = evn_input(g, "s", EVN_SCALAR);
    evn_output(g, "y", evn_mul(g, x, s));
    evn_output(g, "z", evn_sum_all(g, x));
    evn_plan *plan = NULL;
    evn_buffer *large = NULL, *small = NULL;
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    TRY(evn__real_create(test_device(), false, 2 * count + 2, &large));
    TRY(evn_buffer_zero(large, 0, evn_buffer_bytes(large)));
    TRY(evn__real_create(test_device(), false, 16, &small));
    const evn_binding in[] = {{large, 0}, {large, 2 * count}};
    const evn_binding out[] = {{large, count}, {large, 2 * count + 1}};
    TRY(evn_plan_run(plan, in, out));
    static const char *const names[] = {"input x", "input s", "output y", "output z"};
    uint64_t before = evn_device_get_stats(test_device()).launches;
    for (int port = 0; port < 4; ++port) {
        const evn_binding wrong[] = {{NULL, 0},
                                     {large, 2 * count + 2},
                                     {large, huge},
                                     {small, port % 2 ? 16 : 0},
                                     {large, (size_t)-1}};
        for (int i = 0; i < 5; ++i) {
            evn_binding bound[] = {in[0], in[1], out[0], out[1]};
            bound[port] = wrong[i];
            ck_assert_int_eq(evn_plan_run(plan, bound, bound + 2), EVN_ERR_ARGUMENT);
            ck_assert_msg(strstr(evn_error_message(), names[port]) != NULL, "%s",
                          evn_error_message());
            ck_assert_int_eq(evn_plan_run_phase(plan, 1, bound, bound + 2, NULL), EVN_ERR_ARGUMENT);
        }
    }
    evn_binding y = {small, 0};
    ck_assert_int_eq(evn_plan_run(plan, in, (evn_binding[]){y, out[1]}), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "4000 elements"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "has 16"));
    evn_binding on_x = {large, count - 1}, on_y = {large, 2 * count - 1};
    ck_assert_int_eq(evn_plan_run(plan, in, (evn_binding[]){on_x, out[1]}), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_plan_run(plan, in, (evn_binding[]){out[0], on_y}), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_plan_run(plan, NULL, out), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_plan_run(plan, in, NULL), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_plan_run_phase(plan, 2, in, out, NULL), EVN_ERR_ARGUMENT);
    ck_assert_uint_eq(evn_device_get_stats(test_device()).launches, before);
    evn_plan_destroy(&plan);
    evn_buffer_destroy(&large);
    evn_buffer_destroy(&small);
    evn_graph_destroy(&g);
}
END_TEST

/// Without late inputs phase 0 is all, and checked as all.
START_TEST(one_phase_is_the_whole_plan) {
    evn_graph *g = new_graph();
    evn_output(g, "y", evn_tanh(g, evn_input(g, "x", EVN_SHAPE(9))));
    evn_plan *plan = NULL;
    evn_buffer *buffer = NULL;
    const double ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    double y[9];
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    TRY(evn__real_create(test_device(), false, 64, &buffer));
    const evn_binding x = {buffer, 0}, apart = {buffer, 32};
    TRY(evn__real_write(x, false, ones, 9));
    ck_assert_int_eq(evn_plan_run_phase(plan, 0, &x, &x, NULL), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "bound to memory of input x"));
    TRY(evn_plan_run_phase(plan, 0, &x, &apart, NULL));
    TRY(evn_plan_run_phase(plan, 1, &x, &apart, NULL));
    TRY(evn__real_read(apart, false, y, 9));
    ck_assert_double_eq_tol(y[8], tanh(1), 1e-6);
    evn_plan_destroy(&plan);
    evn_buffer_destroy(&buffer);
    evn_graph_destroy(&g);
}
END_TEST

/// Phase 0 needs neither what comes late nor what depends on it; the saved memory is checked too.
START_TEST(bindings_of_phases_are_checked) {
    evn_graph *g = new_graph(), *vjp = NULL;
    evn_value x = evn_input(g, "x", EVN_SHAPE(9, 5)), w = evn_input(g, "w", EVN_SHAPE(5, 7));
    evn_output(g, "y", evn_tanh(g, evn_matmul(g, evn_exp(g, x), w, false, false)));
    TRY(evn_vjp(g, NULL, &vjp)); // x, w, y_bar → y, x_bar, w_bar
    evn_plan *plan = NULL;
    evn_buffer *buffer = NULL;
    evn_plan_options options = {.late_inputs = (const char *const[]){"y_bar", NULL}};
    TRY(evn_plan_create(test_device(), vjp, &options, &plan));
    TRY(evn__real_create(test_device(), false, 2000, &buffer));
    TRY(evn_buffer_zero(buffer, 0, evn_buffer_bytes(buffer)));
    evn_binding in[] = {{buffer, 0}, {buffer, 100}, {NULL, 0}};
    evn_binding out[] = {{buffer, 200}, {NULL, 0}, {NULL, 0}}, saved = {buffer, 1000};
    size_t elements = evn_plan_saved_element_count(plan);
    ck_assert(elements > 0 && elements < 1000);
    TRY(evn_plan_run_phase(plan, 0, in, out, &saved));
    uint64_t before = evn_device_get_stats(test_device()).launches;
    evn_binding short_one = {buffer, 2000 - elements + 1};
    ck_assert_int_eq(evn_plan_run_phase(plan, 0, in, out, &short_one), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "saved"));
    ck_assert_int_eq(evn_plan_run_phase(plan, 1, in, out, &saved), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "y_bar"));
    out[0].buffer = NULL;
    ck_assert_int_eq(evn_plan_run_phase(plan, 0, in, out, &saved), EVN_ERR_ARGUMENT);
    ck_assert_uint_eq(evn_device_get_stats(test_device()).launches, before);
    evn_plan_destroy(&plan);
    evn_buffer_destroy(&buffer);
    evn_graph_destroy(&vjp);
    evn_graph_destroy(&g);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("plan");
    TCase *generated = tcase_create("generated");
    tcase_add_test(generated, every_elementwise_operation);
    tcase_add_test(generated, views_are_read_in_place);
    tcase_add_test(generated, outputs_that_are_inputs_or_equal);
    tcase_add_test(generated, nan_passes_through);
    suite_add_tcase(s, generated);
    TCase *fusion = tcase_create("fusion");
    tcase_add_test(fusion, fusion_never_makes_a_cycle);
    tcase_add_test(fusion, fusion_stops_at_moved_results);
    tcase_add_test(fusion, chains_become_one_launch);
    tcase_add_test(fusion, outputs_are_shared_out_among_kernels);
    tcase_add_test(fusion, scalars_of_many_scalars);
    tcase_add_test(fusion, scalars_of_many_views);
    suite_add_tcase(s, fusion);
    TCase *running = tcase_create("running");
    tcase_add_test(running, two_phases_agree_with_one);
    tcase_add_test(running, running_allocates_and_waits_for_nothing);
    tcase_add_test(running, bindings_are_checked);
    tcase_add_test(running, bindings_of_phases_are_checked);
    tcase_add_test(running, one_phase_is_the_whole_plan);
    tcase_add_test(running, mistakes_are_reported);
    suite_add_tcase(s, running);
    return s;
}

int main(void) {
    return test_run(suite());
}
