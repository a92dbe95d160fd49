// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"
#include "layered.h"
#include "plan/plan.h"
#include "run_plan.h"
#include "variants.h"

#include "diff/krylov.h"
#include "ref/ref.h"
#include <math.h>
#include <string.h>

/// v ↦ v M + own v.
typedef struct product {
    evn_graph *graph;
    evn_value matrix;
    double own;
} product;

static evn_status multiply(void *context, evn_value v, evn_value *image) {
    const product *p = context;
    evn_value moved = evn_matmul(p->graph, v, p->matrix, false, false);
    *image = evn_add(p->graph, moved, evn_scale(p->graph, v, p->own));
    return evn_graph_status(p->graph);
}

static evn_graph *system_of(int64_t rows, int64_t n, int vectors, evn_value *x,
                            evn_value *residual) {
    evn_value b;
    evn_graph *g = graph_with_input(EVN_SHAPE(rows, n), &b);
    evn_value matrix = evn_scale(g, evn_input(g, "m", EVN_SHAPE(n, n)), 1 / (double)n);
    product p = {g, matrix, 3}; // far from singular
    const evn__krylov krylov = {g, multiply, &p, vectors, 2};
    TRY(evn__krylov_solve(&krylov, b, x, residual));
    return g;
}

START_TEST(kernels_are_their_twins) {
    const int64_t sizes[][2] = {{1, 1}, {3, 5}, {2, 33}, {1, 130}};
    evn_value x, residual;
    evn_graph *g = system_of(sizes[_i][0], sizes[_i][1], 5, &x, &residual);
    evn_output(g, "residual", residual);
    check_value(g, x, fill_uniform);
}
END_TEST

static void fill_first(uint64_t seed, double *data, int64_t count) {
    (void)seed;
    for (int64_t i = 0; i < count; ++i) {
        data[i] = i == 0;
    }
}

static void fill_zero_row(uint64_t seed, double *data, int64_t count) {
    fill_uniform(seed, data, count);
    for (int64_t i = 0; i < 7 && i < count; ++i) {
        data[i] = 0;
    }
}

/// Of b = 0 there is no first vector, and none after it; the solution is 0, not 0 / 0.
START_TEST(nothing_is_solved_by_nothing) {
    evn_value x, residual;
    evn_graph *g = system_of(3, 7, 4, &x, &residual);
    evn_output(g, "residual", residual);
    check_value(g, x, fill_zero_row);
}
END_TEST

/// Not hidden where lengths are compared.
START_TEST(not_a_number) {
    evn_value x, residual;
    evn_graph *g = system_of(20, 3, 3, &x, &residual);
    check_value(g, x, fill_with_nan);
}
END_TEST

// Systems with and without a solution
// -------------------------------------------------------------------

enum { N = 4 };

typedef struct system_case {
    double matrix[N * N], own; ///< A = matrix + own
    int vectors, cycles;
    double solved; ///< what is left of b, by the length of it
} system_case;

// b = (1, 0, 0, 0); v ↦ v M takes the first number to where row 0 has its 1.
static const system_case cases[] = {
    {{0}, 0, 1, 1, 1},                                                // 0
    {{0}, 0, N, 2, 1},                                                // 0
    {{0, 1, 0, 0, 0, 0, 1}, 0, N, 1, 1},                              // nilpotent
    {{0, 1}, 0, 3, 2, 1},                                             // nilpotent, of two
    {{0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1}, 0, N, 1, 0},            // a cycle: n of them, all
    {{0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1}, 0, N - 1, 1, 1},        // or nothing
    {{1, 2, 0, 0, 2, 1, 0, 0, 0, 0, 5}, 0, N, 1, 0},                  // singular, b in its range
    {{1, 1, 0, 0, 1, 1, 0, 0}, 0, N, 1, 0.70710678118654752},         // singular, b is not
    {{0}, 2, N, 1, 0},                                                // solved by one
    {{1, 2, 3, 4, 0, 1, 2, 3, 5, 0, 1, 2, 3, 0, 2, 1}, 3, N, 1, 0},   // by all
    {{1, 2, 3, 4, 0, 1, 2, 3, 5, 0, 1, 2, 3, 0, 2, 1}, 3, 2, 1, NAN}, // by less than all, somewhat
};

/// What is said to be left of b is b − A x.
START_TEST(residuals_are_what_is_left) {
    static const double b[N] = {1};
    const system_case *c = &cases[_i];
    double x[N], said[N], left[N], size = 0;
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value right = evn_table(g, EVN_SHAPE(1, N), b), at, residual;
    product p = {g, evn_table(g, EVN_SHAPE(N, N), c->matrix), c->own};
    const evn__krylov krylov = {g, multiply, &p, c->vectors, c->cycles};
    TRY(evn__krylov_solve(&krylov, right, &at, &residual));
    evn_output(g, "x", at);
    evn_output(g, "residual", residual);
    double *const outputs[] = {x, said};
    TRY(evn__ref_run(g, NULL, outputs));
    for (int j = 0; j < N; ++j) {
        left[j] = b[j] - c->own * x[j];
        for (int i = 0; i < N; ++i) {
            left[j] -= x[i] * c->matrix[i * N + j];
        }
        size += left[j] * left[j];
        ck_assert_double_eq_tol(said[j], left[j], 1e-13);
    }
    if (!isnan(c->solved)) {
        ck_assert_double_eq_tol(sqrt(size), c->solved, 1e-13);
    }
    evn_graph_destroy(&g);
}
END_TEST

/// The kernels leave what their twins do where vectors end before their number.
START_TEST(kernels_break_down_alike) {
    const system_case *c = &cases[_i];
    evn_value b;
    evn_graph *g = graph_with_input(EVN_SHAPE(1, N), &b);
    product p = {g, evn_table(g, EVN_SHAPE(N, N), c->matrix), c->own};
    const evn__krylov krylov = {g, multiply, &p, c->vectors, c->cycles};
    evn_value x, residual;
    TRY(evn__krylov_solve(&krylov, b, &x, &residual));
    evn_output(g, "residual", residual);
    check_value(g, x, fill_first);
}
END_TEST

// Dots by sub-groups ------------------------------------------------------------------------------

static void check_dots(const evn_graph *graph, int index) {
    evn_plan *plan = NULL;
    int taken = 0;
    TRY(evn_plan_create(test_device(), graph, NULL, &plan));
    for (int i = 0; i < plan->launches.count; ++i) {
        const char *options = plan->launches.rows[i].source.options;
        taken += options && strstr(options, "-DONE_BARRIER");
    }
    evn_plan_destroy(&plan);
    ck_assert_int_eq(taken, 1);
    check_options(graph, &(evn_plan_options){0}, (uint64_t)index);
    if (evn_device_get_info(test_device())->has_fp64) {
        check_options(graph, &(evn_plan_options){.fp64 = true}, (uint64_t)index);
    }
}

static void check_sub_groups(void) {
    static const int64_t sizes[][3] = {{3, 5, 2}, {2, 300, 5}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); ++i) {
        evn_graph *g = NULL;
        TRY(evn_graph_create(&g));
        evn_value node = evn__krylov_extend_build(g, EVN__OP_KRYLOV_EXTEND, sizes[i]);
        TRY(evn_graph_status(g));
        ck_assert_int_eq(check_variants(g, node, EVN__ALGORITHM_SUB_GROUPS, check_dots), 1);
        evn_graph_destroy(&g);
    }
}

/// On a device that has them.
START_TEST(sub_groups) {
    test_needs_sub_groups();
    check_sub_groups();
}
END_TEST

START_TEST(sub_groups_of_amd) {
    char path[TEST_PATH];
    test_under_layer("EVN_LAYER_COSTUME", test_profile(path, "rx7900xtx"));
    ck_assert_int_eq(evn_device_get_info(test_device())->sub_groups, EVN_SUB_GROUPS_REDUCE);
    check_sub_groups();
}
END_TEST

START_TEST(sub_groups_that_shuffle) {
    char path[TEST_PATH];
    const char *list = "extensions = cl_khr_subgroups cl_khr_subgroup_shuffle";
    test_under_layer("EVN_LAYER_COSTUME", test_changed_profile(path, "malig610", list));
    ck_assert_int_eq(evn_device_get_info(test_device())->sub_groups, EVN_SUB_GROUPS_SHUFFLE);
    check_sub_groups();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("krylov");
    TCase *shapes = tcase_create("shapes"); // whole: long
    test_add_share(shapes, kernels_are_their_twins, 0, 4, 3);
    suite_add_tcase(s, shapes);
    TCase *numbers = tcase_create("numbers"); // whole: long
    tcase_add_test(numbers, nothing_is_solved_by_nothing);
    tcase_add_test(numbers, not_a_number);
    enum { CASES = sizeof(cases) / sizeof(*cases) };
    test_add_share(numbers, residuals_are_what_is_left, 0, CASES, 3);
    test_add_share(numbers, kernels_break_down_alike, 0, CASES, 3);
    suite_add_tcase(s, numbers);
    test_add(s, tcase_create("sub_groups"), sub_groups);
    test_add(s, tcase_create("sub_groups_of_amd"), sub_groups_of_amd);
    test_add(s, tcase_create("sub_groups_that_shuffle"), sub_groups_that_shuffle);
    return s;
}

int main(void) {
    return test_run(suite());
}
