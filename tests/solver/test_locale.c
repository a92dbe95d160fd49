// SPDX-License-Identifier: Apache-2.0
// A program that sets a locale with a decimal comma gets the same kernels, and the same bits.
#include "comma.h"
#include "evonode/evonode.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Many numbers in the text of generated kernels: as few as fit are arguments.
static double *run_numbers(int *count) {
    enum { OUTPUTS = 40, SIZE = 5 };
    evn_graph *g = NULL;
    evn_plan *plan = NULL;
    evn_buffer *buffer = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(SIZE)), y = x;
    for (int i = 0; i < OUTPUTS; ++i) {
        y = evn_add(g, evn_scale(g, evn_sin(g, y), 0.5), evn_constant(g, 0.125 + i / 7.0));
    }
    evn_output(g, "y", y);
    char *text = NULL;
    TRY(evn_graph_print(g, &text));
    ck_assert_ptr_nonnull(strstr(text, "value=0.5 "));
    free(text);
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    TRY(evn__real_create(test_device(), false, 2 * SIZE, &buffer));
    double *data = calloc(SIZE, sizeof(*data));
    const double start[SIZE] = {-1, -0.5, 0, 0.5, 1};
    evn_binding in = {buffer, 0}, out = {buffer, SIZE};
    TRY(evn__real_write(in, false, start, SIZE));
    TRY(evn_plan_run(plan, &in, &out));
    TRY(evn__real_read(out, false, data, SIZE));
    evn_buffer_destroy(&buffer);
    evn_plan_destroy(&plan);
    evn_graph_destroy(&g);
    *count = SIZE;
    return data;
}

static double *run_solves(int *count) {
    problem p = problem_node_ew(3);
    evn_solver_options options = evn_solver_options_default();
    options.gradient = EVN_GRADIENT_ADJOINT;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    *count = p.x_count + p.weight_size[0];
    double *data = calloc((size_t)*count, sizeof(*data));
    memcpy(data, p.x0_bar, sizeof(*data) * (size_t)p.x_count);
    memcpy(data + p.x_count, p.weight_bar_host[0], sizeof(*data) * (size_t)p.weight_size[0]);
    problem_free(&p);
    return data;
}

/// Epsilon of the normalisations, factors of f's time, seeds: kernels of a model on digits.
static double *run_stem(int *count) {
    evn_model_options options = evn_model_options_default(8, 8, 1, 10);
    evn_model *model = NULL;
    evn_plan *plan = NULL;
    evn_buffer *buffer = NULL;
    options.batch = 2;
    options.filters = 8;
    TRY(evn_model_create(&options, &model));
    const evn_graph *stem = evn_model_stem(model);
    evn_parameters *parameters = evn_model_parameters(model);
    TRY(evn_parameters_allocate(parameters, test_device(), false, 7));
    TRY(evn_plan_create(test_device(), stem, NULL, &plan));
    TRY(evn__real_create(test_device(), false, 128 + 2 * 4 * 4 * 8, &buffer));
    TRY(evn_buffer_zero(buffer, 0, 4 * 128));
    evn_binding in[16] = {{buffer, 0}}, out = {buffer, 128};
    for (int i = 1; i < evn_graph_input_count(stem); ++i) {
        int index = evn_parameters_find(parameters, evn_graph_input_name(stem, i));
        in[i] = evn_parameters_value(parameters, index);
    }
    TRY(evn_plan_run(plan, in, &out));
    *count = (int)evn_shape_count(evn_value_shape(stem, evn_graph_output(stem, 0)));
    double *data = calloc((size_t)*count, sizeof(*data));
    TRY(evn__real_read(out, false, data, (size_t)*count));
    evn_buffer_destroy(&buffer);
    evn_plan_destroy(&plan);
    evn_model_destroy(&model);
    return data;
}

static double *(*const runs[])(int *) = {run_numbers, run_solves, run_stem};

/// With the comma first: nothing may have been compiled before.
START_TEST(kernels_have_points) {
    int count = 0, with_point = 0;
    if (!comma_enter()) {
        return;
    }
    double *with_comma = runs[_i](&count);
    comma_leave();
    double *data = runs[_i](&with_point);
    ck_assert_int_eq(count, with_point);
    ck_assert(memcmp(with_comma, data, sizeof(*data) * (size_t)count) == 0);
    ck_assert(isfinite(data[0]) && data[0] != 0);
    free(with_comma);
    free(data);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/locale");
    TCase *comma = tcase_create("comma");
    tcase_add_loop_test(comma, kernels_have_points, 0, 3);
    suite_add_tcase(s, comma);
    return s;
}

int main(void) {
    return test_run(suite());
}
