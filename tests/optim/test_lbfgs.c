// SPDX-License-Identifier: Apache-2.0
// L-BFGS on the device against the two-loop recursion on whole vectors in plain C, and on functions
// whose minimum is known.
#include "evonode/optimizer.h"
#include "host/guard.h"
#include "plan/real.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFSET = 3, MAX_COUNT = 3001, HISTORY = 5 };

typedef void gradient(const double *p, double *g, int count);

/// Σ wᵢ (pᵢ − 1)² / 2 + (pᵢ − 1)⁴ / 4, w from 1 to 100.
static void bowl(const double *p, double *g, int count) {
    for (int i = 0; i < count; ++i) {
        double x = p[i] - 1, w = 1 + 99.0 * i / count;
        g[i] = w * x + x * x * x;
    }
}

/// Rosenbrock's function of pairs: Σ 100 (y − x²)² + (1 − x)².
static void valley(const double *p, double *g, int count) {
    for (int i = 0; i + 1 < count; i += 2) {
        double x = p[i], rise = p[i + 1] - x * x;
        g[i] = -400 * x * rise - 2 * (1 - x);
        g[i + 1] = 200 * rise;
    }
}

// The twin ----------------------------------------------------------------------------------------

typedef struct twin {
    double p[MAX_COUNT], last_p[MAX_COUNT], last_g[MAX_COUNT], d[MAX_COUNT];
    double s[HISTORY][MAX_COUNT], y[HISTORY][MAX_COUNT]; ///< oldest first
    int pairs, count;
    bool started;
    double length;
} twin;

static double dot(const double *a, const double *b, int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void twin_pair(twin *t, const double *g) {
    if (t->pairs == HISTORY) {
        memmove(t->s[0], t->s[1], sizeof(t->s[0]) * (HISTORY - 1));
        memmove(t->y[0], t->y[1], sizeof(t->y[0]) * (HISTORY - 1));
        --t->pairs;
    }
    for (int i = 0; i < t->count; ++i) {
        t->s[t->pairs][i] = t->p[i] - t->last_p[i];
        t->y[t->pairs][i] = g[i] - t->last_g[i];
    }
    t->pairs += dot(t->s[t->pairs], t->y[t->pairs], t->count) > 0;
}

static void twin_direction(twin *t, const double *g) {
    double alpha[HISTORY];
    int n = t->count, last = t->pairs - 1;
    for (int i = 0; i < n; ++i) {
        t->d[i] = -g[i];
    }
    for (int k = last; k >= 0; --k) {
        alpha[k] = dot(t->s[k], t->d, n) / dot(t->s[k], t->y[k], n);
        for (int i = 0; i < n; ++i) {
            t->d[i] -= alpha[k] * t->y[k][i];
        }
    }
    double scale = last < 0 ? 0.01 / sqrt(dot(g, g, n))
                            : dot(t->s[last], t->y[last], n) / dot(t->y[last], t->y[last], n);
    for (int i = 0; i < n; ++i) {
        t->d[i] *= scale;
    }
    for (int k = 0; k <= last; ++k) {
        double beta = dot(t->y[k], t->d, n) / dot(t->s[k], t->y[k], n);
        for (int i = 0; i < n; ++i) {
            t->d[i] += (alpha[k] - beta) * t->s[k][i];
        }
    }
}

static void twin_step(twin *t, const double *g, double rate) {
    int n = t->count;
    double start = t->started ? -dot(t->last_g, t->d, n) : 0, end = dot(g, t->d, n);
    if (t->started && end > 0.9 * start && t->length > 1e-4 * rate) {
        t->length *= fmax(start / (start + end), 0.1);
    } else {
        if (t->started) {
            twin_pair(t, g);
        }
        memcpy(t->last_p, t->p, sizeof(t->p));
        memcpy(t->last_g, g, sizeof(double) * (size_t)n);
        twin_direction(t, g);
        int last = t->pairs - 1;
        double last_step = last < 0 ? 0 : dot(t->s[last], t->s[last], n);
        t->started = true;
        double longest = last_step > 0 ? 10 * sqrt(last_step / dot(t->d, t->d, n)) : 1;
        t->length = rate * fmin(1, longest);
    }
    for (int i = 0; i < n; ++i) {
        t->p[i] = t->last_p[i] + t->length * t->d[i];
    }
}

// Tests -------------------------------------------------------------------------------------------

typedef struct problem {
    evn_optimizer *optimizer;
    evn_binding parameters, gradients;
    bool fp64;
    int count;
} problem;

static problem open_problem(bool fp64, int count, const double *start) {
    problem p = {.fp64 = fp64, .count = count};
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_LBFGS);
    options.history = HISTORY;
    options.fp64 = fp64;
    evn__device_guard(test_device(), true);
    TRY(evn_optimizer_create(test_device(), &options, (size_t)count, &p.optimizer));
    TRY(evn__real_create(test_device(), fp64, OFFSET + (size_t)count, &p.parameters.buffer));
    TRY(evn__real_create(test_device(), fp64, OFFSET + (size_t)count, &p.gradients.buffer));
    evn__device_guard(test_device(), false);
    p.parameters.offset = p.gradients.offset = OFFSET;
    TRY(evn__real_write(p.parameters, fp64, start, (size_t)count));
    return p;
}

static void close_problem(problem *p) {
    evn_optimizer_destroy(&p->optimizer);
    evn_buffer_destroy(&p->parameters.buffer);
    evn_buffer_destroy(&p->gradients.buffer);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), 0);
}

/// One evaluation and step; `at` has the parameters before it.
static void step(problem *p, gradient *of, double rate, double *at, double *g) {
    TRY(evn__real_read(p->parameters, p->fp64, at, (size_t)p->count));
    of(at, g, p->count);
    TRY(evn__real_write(p->gradients, p->fp64, g, (size_t)p->count));
    TRY(evn_optimizer_step(p->optimizer, p->parameters, p->gradients, rate));
}

/// In double precision: the parameters of 30 steps, more than the history, some of them cut short.
START_TEST(follows_the_twin) {
    static twin t;
    static double at[MAX_COUNT], g[MAX_COUNT];
    gradient *of = _i % 2 ? valley : bowl;
    if (!evn_device_get_info(test_device())->has_fp64) {
        return;
    }
    t = (twin){.count = (const int[]){2, 17, 1024, MAX_COUNT}[_i / 2]};
    test_uniform(1, -1, 1, t.p, t.count);
    problem p = open_problem(true, t.count, t.p);
    int cuts = 0;
    for (int i = 0; i < 30; ++i) {
        step(&p, of, 1, at, g);
        double error = test_difference(at, t.p, t.count);
        ck_assert_msg(error < 1e-6, "step %d: %g", i, error);
        of(t.p, g, t.count);
        double before = t.length;
        twin_step(&t, g, 1);
        cuts += i > 0 && t.length < before;
    }
    printf("%d parameters: %d steps cut short\n", t.count, cuts);
    ck_assert_int_gt(cuts, 0);
    close_problem(&p);
}
END_TEST

/// In single precision: the minimum, (1, …, 1) of both functions.
START_TEST(finds_the_minimum) {
    static double start[MAX_COUNT], at[MAX_COUNT], g[MAX_COUNT];
    gradient *of = _i ? valley : bowl;
    int count = _i ? 2 : MAX_COUNT;
    test_uniform(1, -1, 1, start, count);
    problem p = open_problem(false, count, start);
    for (int i = 0; i < 100; ++i) {
        step(&p, of, 1, at, g);
    }
    TRY(evn__real_read(p.parameters, false, at, (size_t)count));
    for (int i = 0; i < count; ++i) {
        ck_assert_double_eq_tol(at[i], 1, 1e-4);
    }
    close_problem(&p);
}
END_TEST

/// A gradient of zero leaves the parameters; one that is not finite halves nothing into NaN.
START_TEST(extreme_gradients) {
    double start[] = {1, 2, 3}, at[3], bad[] = {INFINITY, NAN, 0}, good[] = {1, -1, 2};
    double zero[3] = {0};
    problem p = open_problem(false, 3, start);
    TRY(evn__real_write(p.gradients, false, zero, 3));
    TRY(evn_optimizer_step(p.optimizer, p.parameters, p.gradients, 1));
    TRY(evn__real_read(p.parameters, false, at, 3));
    ck_assert_mem_eq(at, start, sizeof(at));
    TRY(evn__real_write(p.gradients, false, good, 3));
    TRY(evn_optimizer_step(p.optimizer, p.parameters, p.gradients, 1));
    TRY(evn__real_write(p.gradients, false, bad, 3));
    TRY(evn_optimizer_step(p.optimizer, p.parameters, p.gradients, 1));
    TRY(evn__real_read(p.parameters, false, at, 3));
    for (int i = 0; i < 3; ++i) {
        ck_assert(isfinite(at[i]));
    }
    close_problem(&p);
}
END_TEST

/// A state from a file: what counts its rows must not lead beyond them.
START_TEST(bad_state) {
    const double start[] = {1, 2, 3};
    problem p = open_problem(false, 3, start);
    size_t bytes = evn_optimizer_state_bytes(p.optimizer);
    size_t rows = (2 * (size_t)HISTORY + 3) * 3 * sizeof(float);
    unsigned char *state = calloc(bytes, 1);
    int counts[] = {0, HISTORY}; // pairs, row of the next one
    memcpy(state + rows, counts, sizeof(counts));
    ck_assert_int_eq(evn_optimizer_restore(p.optimizer, state, 1), EVN_ERR_DATA);
    counts[0] = -1;
    counts[1] = 0;
    memcpy(state + rows, counts, sizeof(counts));
    ck_assert_int_eq(evn_optimizer_restore(p.optimizer, state, 1), EVN_ERR_DATA);
    free(state);
    close_problem(&p);
}
END_TEST

START_TEST(bad_history) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_LBFGS);
    evn_optimizer *optimizer = NULL;
    options.history = _i ? 65 : 0;
    ck_assert_int_eq(evn_optimizer_create(test_device(), &options, 3, &optimizer),
                     EVN_ERR_ARGUMENT);
    options.history = 5;
    options.weight_decay = 0.1;
    ck_assert_int_eq(evn_optimizer_create(test_device(), &options, 3, &optimizer),
                     EVN_ERR_ARGUMENT);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("lbfgs");
    TCase *steps = tcase_create("steps");
    tcase_add_loop_test(steps, follows_the_twin, 0, 8);
    tcase_add_loop_test(steps, finds_the_minimum, 0, 2);
    tcase_add_test(steps, extreme_gradients);
    suite_add_tcase(s, steps);
    TCase *options = tcase_create("options");
    tcase_add_test(options, bad_state);
    tcase_add_loop_test(options, bad_history, 0, 2);
    suite_add_tcase(s, options);
    return s;
}

int main(void) {
    return test_run(suite());
}
