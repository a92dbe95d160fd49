// SPDX-License-Identifier: Apache-2.0
// What rows are held against: gradients by name, and the largest difference over the largest
// number, which wrong numbers of the device do not escape.
#include "bench/reference.h"
#include "plan/real.h"
#include "test.h"

#include <math.h>

enum { SIZE = 3 };

/// loss = Σ a w², b; the parameter "other" is not in it.
static void make(evn_parameters **parameters, evn__bench_reference *r) {
    TRY(evn_parameters_create(parameters));
    TRY(evn_parameters_add(*parameters, "other", EVN_SHAPE(2), EVN_INITIAL_CONSTANT, 1));
    TRY(evn_parameters_add(*parameters, "w", EVN_SHAPE(SIZE), EVN_INITIAL_CONSTANT, 2));
    TRY(evn_parameters_allocate(*parameters, test_device(), false, 1));
    TRY(evn_graph_create(&r->graph));
    evn_value a = evn_input(r->graph, "a", EVN_SHAPE(SIZE));
    evn_value w = evn_input(r->graph, "w", EVN_SHAPE(SIZE));
    evn_value loss = evn_sum_all(r->graph, evn_mul(r->graph, a, evn_mul(r->graph, w, w)));
    evn_output(r->graph, "loss", loss);
    TRY(evn__bench_reference_gradients(r->graph, loss, evn_constant(r->graph, 1), *parameters));
    TRY(evn__bench_reference_make(r, *parameters));
}

static double difference_of(const evn__bench_reference *r, const evn_parameters *parameters,
                            const double *gradient) {
    evn__bench_agreement agreement = {0};
    TRY(evn__real_write(evn_parameters_gradient(parameters, 1), false, gradient, SIZE));
    TRY(evn__bench_agree_gradients(&agreement, r, parameters));
    return evn__bench_difference(&agreement);
}

START_TEST(gradients) {
    evn_parameters *parameters;
    evn__bench_reference r = {0};
    make(&parameters, &r);
    for (int i = 0; i < SIZE; ++i) {
        evn__bench_reference_input(&r, "a")[i] = i;
    }
    TRY(evn__bench_reference_run(&r));
    ck_assert_double_eq(evn__bench_reference_output(&r, "loss")[0], 4 * (1 + 2));
    ck_assert_int_lt(evn_graph_find_output(r.graph, "other_bar"), 0);
    double gradient[SIZE] = {0, 4, 8};
    ck_assert_double_eq(difference_of(&r, parameters, gradient), 0);
    gradient[1] = 6;
    ck_assert_double_eq(difference_of(&r, parameters, gradient), 2. / 8);
    gradient[1] = NAN;
    ck_assert(isinf(difference_of(&r, parameters, gradient)));
    evn__bench_reference_free(&r);
    evn_parameters_destroy(&parameters);
}
END_TEST

START_TEST(samples) {
    const double all[] = {0, 1, 10, 11, 20, 21, 30, 31, 40, 41};
    double some[6];
    evn__bench_gather(all, 5, 3, 2, some);
    const double expected[] = {0, 1, 20, 21, 40, 41};
    ck_assert_mem_eq(some, expected, sizeof(some));
    ck_assert_int_eq(evn__bench_sample(0, 1, 5), 0);
    evn__bench_agreement nothing = {0};
    ck_assert(isinf(evn__bench_difference(&nothing))); // zeros alone say nothing
}
END_TEST

int main(void) {
    Suite *s = suite_create("reference");
    test_add(s, tcase_create("gradients"), gradients);
    test_add(s, tcase_create("samples"), samples);
    return test_run(s);
}
