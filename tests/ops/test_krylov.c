// SPDX-License-Identifier: Apache-2.0
#include "check_op.h"

#include "diff/krylov.h"

/// v ↦ v M + 3 v, M [n, n] small: far from singular.
typedef struct product {
    evn_graph *graph;
    evn_value matrix;
} product;

static evn_status multiply(void *context, evn_value v, evn_value *image) {
    const product *p = context;
    evn_value moved = evn_matmul(p->graph, v, p->matrix, false, false);
    *image = evn_add(p->graph, moved, evn_scale(p->graph, v, 3));
    return evn_graph_status(p->graph);
}

static evn_graph *system_of(int64_t rows, int64_t n, int vectors, evn_value *x,
                            evn_value *residual) {
    evn_value b;
    evn_graph *g = graph_with_input(EVN_SHAPE(rows, n), &b);
    evn_value matrix = evn_scale(g, evn_input(g, "m", EVN_SHAPE(n, n)), 1 / (double)n);
    product p = {g, matrix};
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

static Suite *suite(void) {
    Suite *s = suite_create("krylov");
    TCase *shapes = tcase_create("shapes");
    tcase_add_loop_test(shapes, kernels_are_their_twins, 0, 4);
    suite_add_tcase(s, shapes);
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, nothing_is_solved_by_nothing);
    tcase_add_test(numbers, not_a_number);
    suite_add_tcase(s, numbers);
    return s;
}

int main(void) {
    return test_run(suite());
}
