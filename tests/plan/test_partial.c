// SPDX-License-Identifier: Apache-2.0
// Sums over rows that the kernels of their operands begin: results, and when they are begun.
#include "evonode/diff.h"
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

static bool on_cpu(void) {
    return evn_device_get_info(test_device())->type == EVN_DEVICE_CPU;
}

/// Elements of memory for what the plan computes on its way, and its launches.
static size_t scratch(const evn_graph *g, int *launches) {
    evn_plan *plan = NULL;
    char *text = NULL;
    TRY(evn_plan_create(test_device(), g, NULL, &plan));
    TRY(evn_plan_print(plan, &text));
    size_t elements = strtoul(strstr(text, "\nscratch ") + strlen("\nscratch "), NULL, 10);
    *launches = evn_plan_launch_count(plan);
    free(text);
    evn_plan_destroy(&plan);
    return elements;
}

/// Where sums are begun, what they add up has no memory; the partial sums are fewer.
static void check(evn_graph *g, int64_t rows, int64_t columns, bool begun) {
    int launches;
    TRY(evn_graph_status(g));
    ck_assert_int_eq(scratch(g, &launches) < (size_t)(rows * columns), begun && on_cpu());
    check_plan(g, 1, -1, 1);
    evn_graph_destroy(&g);
}

/// Σ over rows of x·y and of tanh(x): two sums of one kernel.
static evn_graph *two_sums(int64_t rows, int64_t columns) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(rows, columns));
    evn_value y = evn_input(g, "y", EVN_SHAPE(columns));
    evn_value product = evn_mul(g, x, y);
    evn_output(g, "a", evn_sum(g, product, 1));
    evn_output(g, "b", evn_sum(g, evn_tanh(g, evn_add(g, product, x)), 1));
    return g;
}

/// One work-item, some, as many as there are at most with a rest; the bounds on rows and columns.
START_TEST(sizes) {
    check(two_sums(16, 16), 16, 16, true);
    check(two_sums(700, 48), 700, 48, true);
    check(two_sums(5003, 64), 5003, 64, true);
    check(two_sums(33, 1000), 33, 1000, true);
    check(two_sums(15, 64), 15, 64, false);
    check(two_sums(700, 15), 700, 15, false);
}
END_TEST

/// Rows of several axes, reshaped between the product and the sum.
START_TEST(axes) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(9, 5, 3, 24));
    evn_value y = evn_mul(g, x, x);
    evn_output(g, "a", evn_sum(g, y, 7));
    evn_output(g, "b", evn_sum(g, evn_reshape(g, y, EVN_SHAPE(45, 72)), 1)); // other rows
    evn_output(g, "c", evn_sum(g, y, 8));                                    // not over rows
    check_plan(g, 2, -1, 1);
    evn_graph_destroy(&g);
    g = new_graph();
    x = evn_input(g, "x", EVN_SHAPE(40, 18));
    y = evn_permute(g, x, (int[]){1, 0}); // columns at a distance: no rows of vectors
    evn_output(g, "a", evn_sum(g, evn_mul(g, y, evn_input(g, "y", EVN_SHAPE(18, 40))), 1));
    check(g, 18, 40, false);
}
END_TEST

/// What is summed is an output as well, or read by another kernel, or by one that reads the sum.
START_TEST(other_readers) {
    for (int i = 0; i < 3; ++i) {
        evn_graph *g = new_graph();
        evn_value x = evn_input(g, "x", EVN_SHAPE(64, 20));
        evn_value y = evn_sigmoid(g, x), sum = evn_sum(g, y, 1);
        if (i == 1) {
            y = evn_matmul(g, y, evn_input(g, "w", EVN_SHAPE(20, 7)), false, false);
        } else if (i == 2) {
            y = evn_sub(g, y, evn_scale(g, sum, 1.0 / 64));
        }
        evn_output(g, "y", y);
        evn_output(g, "sum", sum);
        check_plan(g, 3, -1, 1);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// Scale, shift and ReLU after a normalisation, forward and back: what its kernel does, where the
/// groups are parts of a vector, vectors, and neither.
START_TEST(epilogues) {
    const int channels[] = {64, 96, 18}, groups[] = {32, 3, 2};
    for (int i = 0; i < 3; ++i) {
        evn_graph *g = new_graph(), *vjp = NULL;
        evn_value x = evn_input(g, "x", EVN_SHAPE(23, 6, 5, channels[i]));
        evn_value scale = evn_input(g, "scale", EVN_SHAPE(channels[i]));
        evn_value y = evn_mul(g, evn_normalize(g, x, groups[i], 1e-3), scale);
        y = evn_add(g, y, evn_input(g, "shift", EVN_SHAPE(channels[i])));
        evn_output(g, "y", evn_relu(g, y));
        TRY(evn_vjp(g, NULL, &vjp));
        int launches; // normalize with all that follows, two sums, normalize_grad
        scratch(vjp, &launches);
        ck_assert_int_eq(launches == 4, on_cpu() && channels[i] > 18);
        check_plan(vjp, 4, -1, 1);
        evn_graph_destroy(&vjp);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// The result of a normalisation's gradient itself, summed beside other work on it.
START_TEST(results) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(40, 3, 3, 32));
    evn_value v = evn_input(g, "v", EVN_SHAPE(40, 3, 3, 32));
    evn_value y = evn_normalize_grad(g, x, v, 8, 1e-3);
    evn_output(g, "sum", evn_sum(g, y, 7));
    evn_output(g, "z", evn_add(g, evn_tanh(g, y), x));
    check_plan(g, 5, -1, 1);
    evn_graph_destroy(&g);
}
END_TEST

/// A sum that is late, over what phase 0 computes.
START_TEST(phases) {
    evn_graph *g = two_sums(300, 32), *vjp = NULL;
    TRY(evn_vjp(g, NULL, &vjp));
    check_phases(vjp, (const char *const[]){"a_bar", "b_bar", NULL}, 6);
    evn_graph_destroy(&vjp);
    evn_graph_destroy(&g);
    g = new_graph();
    evn_value y = evn_tanh(g, evn_input(g, "x", EVN_SHAPE(64, 16)));
    evn_output(g, "y", y);
    evn_output(g, "z", evn_mul(g, evn_sum(g, y, 1), evn_input(g, "late", EVN_SHAPE(16))));
    check_phases(g, (const char *const[]){"late", NULL}, 7);
    evn_graph_destroy(&g);
}
END_TEST

/// Two scalars of 21 others each leave a kernel no arguments for six sums of what it computes.
START_TEST(no_arguments_left) {
    enum { ROWS = 64, COLUMNS = 32, PARTS = 2, OTHERS = 21 };
    evn_graph *g = new_graph();
    evn_value scalar[PARTS];
    char name[32];
    for (int i = 0; i < PARTS * OTHERS; ++i) {
        snprintf(name, sizeof(name), "s%d", i);
        evn_value s = evn_input(g, name, EVN_SCALAR), *sum = &scalar[i / OTHERS];
        *sum = i % OTHERS ? evn_add(g, *sum, s) : s;
    }
    evn_value x = evn_broadcast(g, scalar[0], EVN_SHAPE(ROWS, COLUMNS));
    evn_value y = evn_mul(g, x, evn_broadcast(g, scalar[1], EVN_SHAPE(ROWS, COLUMNS)));
    for (int split = 1; split <= COLUMNS; split *= 2) {
        evn_value cut = evn_reshape(g, y, EVN_SHAPE(ROWS, split, COLUMNS / split));
        snprintf(name, sizeof(name), "sum%d", split);
        evn_output(g, name, evn_sum(g, cut, 1));
    }
    check(g, ROWS, COLUMNS, false);
}
END_TEST

/// The same bits in each run, and a NaN in the column that has one.
START_TEST(repeated) {
    enum { ROWS = 1000, COLUMNS = 32 };
    evn_graph *g = two_sums(ROWS, COLUMNS);
    static double x[ROWS * COLUMNS], y[COLUMNS], a[2][COLUMNS], b[2][COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; ++i) {
        x[i] = sin(i);
        y[i % COLUMNS] = 1.0 / (1 + i % COLUMNS);
    }
    x[500 * COLUMNS + 3] = NAN;
    for (int i = 0; i < 2; ++i) {
        run_plan(g, NULL, (double *[]){x, y}, (double *[]){a[i], b[i]});
        for (int k = 0; k < COLUMNS; ++k) {
            ck_assert_int_eq(isnan(a[i][k]) && isnan(b[i][k]), k == 3);
            ck_assert(k == 3 || (a[i][k] == a[0][k] && b[i][k] == b[0][k]));
        }
    }
    evn_graph_destroy(&g);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("partial");
    TCase *sums = tcase_create("sums");
    tcase_add_test(sums, sizes);
    tcase_add_test(sums, axes);
    tcase_add_test(sums, other_readers);
    tcase_add_test(sums, epilogues);
    tcase_add_test(sums, results);
    tcase_add_test(sums, phases);
    tcase_add_test(sums, no_arguments_left);
    tcase_add_test(sums, repeated);
    suite_add_tcase(s, sums);
    return s;
}

int main(void) {
    return test_run(suite());
}
