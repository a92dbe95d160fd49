// SPDX-License-Identifier: Apache-2.0
// Steps on the device against the same in plain C.
#include "evonode/optimizer.h"
#include "host/guard.h"
#include "plan/real.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { STEPS = 7, OFFSET = 3, MAX_COUNT = 5003 };

typedef struct problem {
    evn_optimizer *optimizer;
    evn_binding parameters, gradients;
    size_t count;
    bool fp64;
} problem;

/// The twin: double state of the plain C steps.
typedef struct twin {
    double p[MAX_COUNT], m[MAX_COUNT], v[MAX_COUNT];
    int steps;
} twin;

static void twin_sgd(twin *t, const evn_optimizer_options *o, const double *g, size_t count,
                     double rate) {
    for (size_t i = 0; i < count; ++i) {
        t->v[i] = o->momentum * t->v[i] + g[i] + o->weight_decay * t->p[i];
        t->p[i] -= rate * t->v[i];
    }
}

static void twin_adam(twin *t, const evn_optimizer_options *o, const double *g, size_t count,
                      double rate) {
    ++t->steps;
    for (size_t i = 0; i < count; ++i) {
        t->m[i] = o->beta1 * t->m[i] + (1 - o->beta1) * g[i];
        t->v[i] = o->beta2 * t->v[i] + (1 - o->beta2) * g[i] * g[i];
        double m = t->m[i] / (1 - pow(o->beta1, t->steps));
        double v = t->v[i] / (1 - pow(o->beta2, t->steps));
        t->p[i] -= rate * o->weight_decay * t->p[i];
        t->p[i] -= rate * m / (sqrt(v) + o->epsilon);
    }
}

static problem open_problem(const evn_optimizer_options *options, size_t count) {
    problem p = {.count = count, .fp64 = options->fp64};
    evn__device_guard(test_device(), true);
    TRY(evn_optimizer_create(test_device(), options, count, &p.optimizer));
    TRY(evn__real_create(test_device(), p.fp64, OFFSET + count, &p.parameters.buffer));
    TRY(evn__real_create(test_device(), p.fp64, OFFSET + count, &p.gradients.buffer));
    evn__device_guard(test_device(), false);
    p.parameters.offset = p.gradients.offset = OFFSET;
    return p;
}

static void close_problem(problem *p) {
    evn_optimizer_destroy(&p->optimizer);
    evn_buffer_destroy(&p->parameters.buffer);
    evn_buffer_destroy(&p->gradients.buffer);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), 0);
}

static void gradients_of_step(int step, double *g, size_t count) {
    test_uniform((uint64_t)step + 10, -1, 1, g, (int64_t)count);
}

static double rate_of_step(int step) {
    return 0.1 / (1 + step);
}

static void step(problem *p, int number) {
    double g[MAX_COUNT];
    gradients_of_step(number, g, p->count);
    TRY(evn__real_write(p->gradients, p->fp64, g, p->count));
    TRY(evn_optimizer_step(p->optimizer, p->parameters, p->gradients, rate_of_step(number)));
}

static void check_steps(const evn_optimizer_options *options, size_t count) {
    static twin t;
    static double g[MAX_COUNT], got[MAX_COUNT];
    t = (twin){.steps = 0};
    problem p = open_problem(options, count);
    test_uniform(1, -1, 1, t.p, (int64_t)count);
    TRY(evn__real_write(p.parameters, p.fp64, t.p, count));
    for (int i = 0; i < STEPS; ++i) {
        step(&p, i);
        gradients_of_step(i, g, count);
        (options->kind == EVN_OPTIMIZER_SGD ? twin_sgd : twin_adam)(&t, options, g, count,
                                                                    rate_of_step(i));
    }
    TRY(evn__real_read(p.parameters, p.fp64, got, count));
    ck_assert_double_le(test_difference(got, t.p, (int64_t)count), p.fp64 ? 1e-14 : 2e-6);
    close_problem(&p);
}

static void check_both_precisions(evn_optimizer_options options) {
    const size_t counts[] = {1, 17, 1023, 1024, 1025, MAX_COUNT};
    for (int i = 0; i < 12; ++i) {
        options.fp64 = i % 2;
        if (!options.fp64 || evn_device_get_info(test_device())->has_fp64) {
            check_steps(&options, counts[i / 2]);
        }
    }
}

START_TEST(sgd) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_SGD);
    check_both_precisions(options);
    options.weight_decay = 0.01;
    check_both_precisions(options);
    options.momentum = 0;
    check_both_precisions(options);
}
END_TEST

START_TEST(adam) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    check_both_precisions(options);
    options.weight_decay = 0.1;
    options.beta2 = 0.99;
    options.epsilon = 1e-3;
    check_both_precisions(options);
}
END_TEST

/// One launch a step, no wait, no allocation.
START_TEST(cost) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    problem p = open_problem(&options, MAX_COUNT);
    step(&p, 0);
    evn_device_stats before = evn_device_get_stats(test_device());
    TRY(evn_optimizer_step(p.optimizer, p.parameters, p.gradients, 0.1));
    evn_device_stats after = evn_device_get_stats(test_device());
    ck_assert_uint_eq(after.launches, before.launches + 1);
    ck_assert_uint_eq(after.waits, before.waits);
    ck_assert_uint_eq(after.allocations, before.allocations);
    close_problem(&p);
}
END_TEST

/// Four steps, saved, restored into a new optimiser, three more: the bits of seven steps.
START_TEST(resume) {
    evn_optimizer_options options = evn_optimizer_options_default((evn_optimizer_kind)_i);
    static double start[MAX_COUNT], straight[MAX_COUNT], resumed[MAX_COUNT];
    test_uniform(1, -1, 1, start, MAX_COUNT);
    problem p = open_problem(&options, MAX_COUNT), q = open_problem(&options, MAX_COUNT);
    TRY(evn__real_write(p.parameters, false, start, MAX_COUNT));
    void *state = malloc(evn_optimizer_state_bytes(p.optimizer));
    int64_t steps = 0;
    for (int i = 0; i < STEPS; ++i) {
        if (i == 4) {
            TRY(evn_optimizer_save(p.optimizer, state, &steps));
            TRY(evn__real_copy(q.parameters, p.parameters, false, MAX_COUNT));
        }
        step(&p, i);
    }
    ck_assert_int_eq(steps, 4);
    TRY(evn_optimizer_restore(q.optimizer, state, steps));
    for (int i = 4; i < STEPS; ++i) {
        step(&q, i);
    }
    TRY(evn__real_read(p.parameters, false, straight, MAX_COUNT));
    TRY(evn__real_read(q.parameters, false, resumed, MAX_COUNT));
    ck_assert_mem_eq(straight, resumed, sizeof(straight));
    free(state);
    close_problem(&p);
    close_problem(&q);
}
END_TEST

START_TEST(gradient_norm) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_SGD);
    static double g[MAX_COUNT];
    double norm = 0, expected = 0;
    problem p = open_problem(&options, MAX_COUNT);
    gradients_of_step(0, g, MAX_COUNT);
    for (int i = 0; i < MAX_COUNT; ++i) {
        expected += g[i] * g[i];
    }
    TRY(evn__real_write(p.gradients, false, g, MAX_COUNT));
    TRY(evn_optimizer_gradient_norm(p.optimizer, p.gradients, &norm));
    ck_assert_double_eq_tol(norm / sqrt(expected), 1, 1e-6);
    g[MAX_COUNT - 1] = NAN;
    TRY(evn__real_write(p.gradients, false, g, MAX_COUNT));
    TRY(evn_optimizer_gradient_norm(p.optimizer, p.gradients, &norm));
    ck_assert(isnan(norm));
    close_problem(&p);
}
END_TEST

START_TEST(bad_options) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    double *fields[] = {&options.momentum, &options.beta1, &options.beta2, &options.epsilon,
                        &options.weight_decay};
    *fields[_i] = -0.5;
    evn_optimizer *optimizer = NULL;
    ck_assert_int_eq(evn_optimizer_create(test_device(), &options, 3, &optimizer),
                     EVN_ERR_ARGUMENT);
    ck_assert_ptr_null(optimizer);
    *fields[_i] = NAN;
    ck_assert_int_eq(evn_optimizer_create(test_device(), &options, 3, &optimizer),
                     EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(no_parameters) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_SGD);
    evn_optimizer *optimizer = NULL;
    ck_assert_int_eq(evn_optimizer_create(test_device(), &options, 0, &optimizer),
                     EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(bindings_are_checked) {
    const evn_optimizer_kind kinds[] = {EVN_OPTIMIZER_SGD, EVN_OPTIMIZER_ADAM, EVN_OPTIMIZER_LBFGS};
    evn_optimizer_options options = evn_optimizer_options_default(kinds[_i]);
    problem p = open_problem(&options, 100);
    TRY(evn_buffer_zero(p.parameters.buffer, 0, evn_buffer_bytes(p.parameters.buffer)));
    TRY(evn_buffer_zero(p.gradients.buffer, 0, evn_buffer_bytes(p.gradients.buffer)));
    const evn_binding wrong[] = {{NULL, 0},
                                 {p.parameters.buffer, OFFSET + 1},
                                 {p.parameters.buffer, (size_t)-1 / sizeof(float) + 1}};
    uint64_t before = evn_device_get_stats(test_device()).launches;
    for (int i = 0; i < 3; ++i) {
        double norm;
        ck_assert_int_eq(evn_optimizer_step(p.optimizer, wrong[i], p.gradients, 0.1),
                         EVN_ERR_ARGUMENT);
        ck_assert_int_eq(evn_optimizer_step(p.optimizer, p.parameters, wrong[i], 0.1),
                         EVN_ERR_ARGUMENT);
        ck_assert_int_eq(evn_optimizer_gradient_norm(p.optimizer, wrong[i], &norm),
                         EVN_ERR_ARGUMENT);
    }
    ck_assert_int_eq(evn_optimizer_step(p.optimizer, p.parameters, p.parameters, 0.1),
                     EVN_ERR_ARGUMENT);
    ck_assert_uint_eq(evn_device_get_stats(test_device()).launches, before);
    TRY(evn_optimizer_step(p.optimizer, p.parameters, p.gradients, 0.1));
    close_problem(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("optimizer");
    TCase *steps = tcase_create("steps");
    tcase_add_test(steps, sgd);
    tcase_add_test(steps, adam);
    tcase_add_test(steps, cost);
    tcase_add_loop_test(steps, resume, EVN_OPTIMIZER_SGD, EVN_OPTIMIZER_LBFGS + 1);
    suite_add_tcase(s, steps);
    TCase *norm = tcase_create("norm");
    tcase_add_test(norm, gradient_norm);
    suite_add_tcase(s, norm);
    TCase *options = tcase_create("options");
    tcase_add_loop_test(options, bad_options, 0, 5);
    tcase_add_test(options, no_parameters);
    tcase_add_loop_test(options, bindings_are_checked, 0, 3);
    suite_add_tcase(s, options);
    return s;
}

int main(void) {
    return test_run(suite());
}
