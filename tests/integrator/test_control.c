// SPDX-License-Identifier: Apache-2.0
// The step control on the device: against its twin on the host, for errors of all kinds; how often
// the host looks.
#include "integrator/control.h"
#include "integrator/integrator.h"
#include "integrator/lookahead.h"
#include "integrator/rounding.h"
#include "integrator/step_control.h"
#include "kernels/shared.h"
#include "methods/step.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Twin --------------------------------------------------------------------------------------------

/// The step control on the host, with a solve's intervals.
typedef struct twin {
    evn__step_rules rules;
    evn__step_control c;
    const evn__control *control; ///< for the ends
    int intervals;
    bool jumps;
    int interval, starts, took;
} twin;

static double last_end(const twin *w) {
    return evn__control_end(w->control, w->intervals - 1);
}

/// The longest step, in the direction of the solve.
static double longest(const twin *w) {
    return evn__step_rules_limit(&w->rules, last_end(w) - w->c.t0);
}

/// EVN_CONTROL_RUNNING, …
static int status_of(const twin *w) {
    static const int ends[] = {[EVN_OUTCOME_DONE] = EVN_CONTROL_DONE,
                               [EVN_OUTCOME_STEP_TOO_SMALL] = EVN_CONTROL_TOO_SMALL,
                               [EVN_OUTCOME_TOO_MANY_STEPS] = EVN_CONTROL_TOO_MANY,
                               [EVN_OUTCOME_NOT_FINITE] = EVN_CONTROL_NOT_FINITE};
    return w->c.goes ? EVN_CONTROL_RUNNING : ends[w->c.outcome];
}

static void judge(twin *w, double error) {
    w->took = EVN_CONTROL_NOTHING;
    if (!w->c.goes) {
        return;
    }
    if (error <= 1) {
        w->took = EVN_CONTROL_ACCEPT;
        evn__step_control_accept(&w->c, &w->rules, error);
    } else {
        w->took = EVN_CONTROL_REJECT;
        evn__step_control_reject(&w->c, &w->rules, error);
    }
    if (status_of(w) == EVN_CONTROL_DONE && w->interval + 1 < w->intervals) {
        w->starts += w->jumps;
        evn__step_control_go_on(&w->c, &w->rules, evn__control_end(w->control, ++w->interval));
    }
}

// Against the twin --------------------------------------------------------------------------------

enum { X = 5, JUMP = 3, SLOPES = 7, SERIES = 4 * X }; ///< JUMP: elements of x, the last ones

/// A control with memory to decide about.
typedef struct bench {
    evn__course course;
    evn_solver_options options;
    evn__control *control;
    evn_buffer *x[2], *slopes[2], *series;
    double value[2][X], slope[2][SLOPES]; ///< what is there
    double seen[SERIES];
    int now, first;
    twin twin;
    uint64_t random;
} bench;

/// A number that single precision has, too.
static double uniform(bench *b) {
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(b->random >> 40) / (double)(1 << 24);
}

static const double times[] = {0, 0.25, 0.2501, 0.8, 1};

static void create(bench *b, evn_solver_options options, bool backward, double t0, double t1) {
    if (options.fp64) {
        test_needs_fp64();
    }
    *b = (bench){.options = options, .random = 17};
    const evn__stepper *stepper = evn__stepper_find("dopri5");
    TRY(evn__course_create(&options, &b->course));
    TRY(evn__control_create(test_device(), &options, stepper, &b->course, backward, &b->control));
    TRY(evn__control_set(b->control, t0, t1, backward, 0));
    for (int i = 0; i < 2; ++i) {
        TRY(evn__real_create(test_device(), options.fp64, X, &b->x[i]));
        TRY(evn__real_create(test_device(), options.fp64, SLOPES, &b->slopes[i]));
    }
    TRY(evn__real_create(test_device(), options.fp64, SERIES, &b->series));
    for (int i = 0; i < SERIES && backward; ++i) {
        b->seen[i] = uniform(b);
    }
    TRY(evn__real_write((evn_binding){b->series, 0}, options.fp64, b->seen, SERIES));
    b->twin = (twin){.rules = evn__step_rules_of(&b->options, stepper),
                     .c = {.t0 = backward ? t1 : t0, .t = backward ? t1 : t0},
                     .control = b->control,
                     .intervals = b->course.intervals,
                     .jumps = backward,
                     .starts = 1};
    double most = options.dt_max > 0 ? options.dt_max : fabs(t1 - t0);
    b->twin.rules.longest = evn__rounded(options.fp64, most);
    b->twin.rules.rounds = false;
}

static void destroy(bench *b) {
    evn__control_destroy(&b->control);
    for (int i = 0; i < 2; ++i) {
        evn_buffer_destroy(&b->x[i]);
        evn_buffer_destroy(&b->slopes[i]);
    }
    evn_buffer_destroy(&b->series);
    evn__course_free(&b->course);
}

static evn__decided decided(const bench *b) {
    return (evn__decided){.x = {b->x[b->now], 0},
                          .x_next = {b->x[!b->now], 0},
                          .x_count = X,
                          .slopes = {b->slopes[b->first], 0},
                          .slopes_next = {b->slopes[!b->first], 0},
                          .slopes_count = SLOPES,
                          .series = {b->series, 0},
                          .observed = b->twin.jumps ? JUMP : X,
                          .jump = X - JUMP};
}

/// What a step would leave, which is the next state only if it is accepted.
static void write_next(bench *b) {
    for (int i = 0; i < X; ++i) {
        b->value[!b->now][i] = uniform(b);
    }
    for (int i = 0; i < SLOPES; ++i) {
        b->slope[!b->first][i] = uniform(b);
    }
    TRY(evn__real_write((evn_binding){b->x[!b->now], 0}, b->options.fp64, b->value[!b->now], X));
    TRY(evn__real_write((evn_binding){b->slopes[!b->first], 0}, b->options.fp64,
                        b->slope[!b->first], SLOPES));
}

static void check_memory(const bench *b) {
    double x[X], slopes[SLOPES], series[SERIES];
    TRY(evn__real_read((evn_binding){b->x[b->now], 0}, b->options.fp64, x, X));
    TRY(evn__real_read((evn_binding){b->slopes[b->first], 0}, b->options.fp64, slopes, SLOPES));
    TRY(evn__real_read((evn_binding){b->series, 0}, b->options.fp64, series, SERIES));
    ck_assert_mem_eq(x, b->value[b->now], sizeof(x));
    ck_assert_mem_eq(slopes, b->slope[b->first], sizeof(slopes));
    int landed = b->twin.interval + (status_of(&b->twin) == EVN_CONTROL_DONE);
    for (int i = 0; i < X * landed && !b->twin.jumps; ++i) {
        ck_assert(series[i] == b->seen[i]);
    }
}

/// A factor that the device computes as a pair, or as a real.
static double digits_of(const evn_solver_options *options) {
    bool pairs = options->controller == EVN_CONTROLLER_I;
    return options->fp64 ? 1e-14 : pairs ? 1e-12 : 1e-7;
}

/// Equal to a few units of what a pair of reals can tell; what the kernels see, to one of a real.
static void check_record(const bench *b, const evn__record *r) {
    const twin *w = &b->twin;
    const evn__step_control *c = &w->c;
    int status = status_of(w);
    double all = w->rules.longest + fabs(c->t), digits = digits_of(&b->options);
    ck_assert_int_eq(r->status, status);
    ck_assert_int_eq(r->took, w->took);
    ck_assert_int_eq(r->accepted, c->accepted);
    ck_assert_int_eq(r->rejected, c->rejected);
    ck_assert_int_eq(r->interval, w->interval);
    ck_assert_int_eq(r->starts, w->starts);
    ck_assert_msg(fabs(r->t - c->t) <= digits * all, "t %.17g, not %.17g", r->t, c->t);
    if (status != EVN_CONTROL_NOT_FINITE) {
        ck_assert_msg(fabs(r->wanted - c->wanted) <= digits * fabs(c->wanted) * 20,
                      "wanted %.17g, not %.17g", r->wanted, c->wanted);
        ck_assert_double_le(fabs(r->dt - c->dt), digits * all);
    }
    if (status == EVN_CONTROL_RUNNING) {
        // The record's has the digits of t that the stages do not see.
        double seen = c->t + (c->seen - evn__rounded(b->options.fp64, c->t));
        ck_assert(r->lands == c->lands);
        ck_assert_msg(fabs(r->seen - seen) <= digits * all, "seen at %.17g, not %.17g", r->seen,
                      seen);
    }
}

/// A step is seen from the beginning of the solve on, and ends at t + dt, rounded.
static bool is_inside(const bench *b, const evn__record *r) {
    bool fp64 = b->options.fp64;
    double begin = evn__rounded(fp64, b->twin.c.t0), seen = evn__rounded(fp64, r->seen);
    return evn__rounded_over(fp64, r->seen, r->dt, last_end(&b->twin)) == 0 &&
           (r->dt > 0 ? seen >= begin : seen <= begin);
}

/// The twin goes on from where the device is, so that differences do not add up. After the end
/// there is one look, behind all that was enqueued.
static void look(bench *b) {
    evn__record records[EVN__CONTROL_ATTEMPTS + 1];
    int count;
    TRY(evn__control_look(b->control, records, &count));
    check_record(b, &records[count - 1]);
    ck_assert(status_of(&b->twin) != EVN_CONTROL_RUNNING || is_inside(b, &records[count - 1]));
    b->twin.c.t = records[count - 1].t;
    b->twin.c.dt = records[count - 1].dt;
    b->twin.c.wanted = records[count - 1].wanted;
}

static void begin(bench *b, double first) {
    write_next(b);
    b->now = !b->now;
    b->first = !b->first;
    TRY(evn__real_write(evn__control_result(b->control), b->options.fp64, &first, 1));
    TRY(evn__control_begin(b->control));
    evn__step_control_begin(&b->twin.c, &b->twin.rules, b->twin.c.t0, last_end(&b->twin),
                            evn__control_end(b->control, 0), evn__rounded(b->options.fp64, first));
    look(b);
}

/// What belongs to the beginning of an interval, which is counted backward.
static void jump(bench *b, int interval) {
    for (int i = 0; i < JUMP; ++i) {
        double *x = &b->value[!b->now][X - JUMP + i];
        double sum = *x + b->seen[(b->twin.intervals - 2 - interval) * JUMP + i];
        volatile float rounded = (float)sum; // or gcc 12 passes over it, in a loop of vectors
        *x = b->options.fp64 ? sum : (double)rounded;
    }
}

static void step(bench *b, double error) {
    int interval = b->twin.interval;
    bool lands = b->twin.c.lands;
    error = b->options.fp64 ? error : (double)(float)error;
    write_next(b);
    TRY(evn__real_write(evn__control_result(b->control), b->options.fp64, &error, 1));
    const evn__decided d = decided(b);
    TRY(evn__control_settle(b->control, &d));
    judge(&b->twin, error);
    bool accepted = b->twin.took == EVN_CONTROL_ACCEPT;
    if (!accepted) {
        memcpy(b->value[!b->now], b->value[b->now], sizeof(b->value[0]));
        memcpy(b->slope[!b->first], b->slope[b->first], sizeof(b->slope[0]));
    } else if (lands && !b->twin.jumps) {
        memcpy(b->seen + interval * X, b->value[!b->now], sizeof(b->value[0]));
    } else if (lands && interval + 1 < b->twin.intervals) {
        jump(b, interval);
    }
    b->now = !b->now;
    b->first = !b->first;
    if (status_of(&b->twin) == EVN_CONTROL_RUNNING) {
        look(b);
    }
    check_memory(b);
}

static evn_solver_options observed(bool fp64) {
    evn_solver_options options = evn_solver_options_default();
    options.observations = 5;
    options.times = times;
    options.fp64 = fp64;
    return options;
}

/// Errors over and under 1, huge, tiny, none and not finite, to the end and behind it. Single
/// precision is given values that are its own.
START_TEST(errors_of_all_kinds) {
    static const double odd[] = {0, 1e-30, 1e-12, 1, 1.0001, 1e4, 1e30, INFINITY, NAN};
    bool fp64 = _i & 1, backward = _i & 2;
    bench b;
    evn_solver_options options = observed(fp64);
    options.controller = (evn_controller)(_i / 8);
    options.dt_max = _i / 8 == EVN_CONTROLLER_PI && !(_i & 4) ? 0.03 : 0;
    create(&b, options, backward, _i & 4 ? 7 : -0.1, _i & 4 ? -1e6 : 0.9);
    begin(&b, 1e-5 * longest(&b.twin));
    int attempts = 0;
    for (; status_of(&b.twin) != EVN_CONTROL_DONE; ++attempts) {
        ck_assert_int_lt(attempts, 5000);
        ck_assert_int_le(status_of(&b.twin), EVN_CONTROL_DONE);
        double u = uniform(&b);
        // With a history steps grow less, and bounded ones least.
        double mean = _i < 8 ? 0.75 : _i < 12 ? 0.92 : 0.87;
        step(&b, u < 0.1 ? odd[attempts % 9] : exp(8 * (uniform(&b) - mean)));
    }
    ck_assert(b.twin.c.t == (backward ? (_i & 4 ? 7 : -0.1) : (_i & 4 ? -1e6 : 0.9)) || !fp64);
    ck_assert(b.twin.c.accepted > 5 && b.twin.c.rejected > 5);
    for (int i = 0; i < 3; ++i) { // behind the end
        step(&b, i == 1 ? NAN : 0.1);
    }
    ck_assert_int_eq(b.twin.took, EVN_CONTROL_NOTHING);
    look(&b);
    destroy(&b);
}
END_TEST

static int end_with(evn_solver_options options, double t0, double t1, double first, double error) {
    bench b;
    create(&b, options, false, t0, t1);
    begin(&b, first);
    for (int i = 0; i < 1000 && status_of(&b.twin) == EVN_CONTROL_RUNNING; ++i) {
        step(&b, error);
    }
    int status = status_of(&b.twin);
    step(&b, 0.5);
    ck_assert_int_eq(status_of(&b.twin), status);
    look(&b);
    destroy(&b);
    return status;
}

START_TEST(failures_are_found) {
    evn_solver_options options = evn_solver_options_default();
    ck_assert_int_eq(end_with(options, 0, 1, NAN, 1), EVN_CONTROL_NOT_FINITE);
    ck_assert_int_eq(end_with(options, 0, 1, -INFINITY, 1), EVN_CONTROL_NOT_FINITE);
    ck_assert_int_eq(end_with(options, 1, 2, 0.01, NAN), EVN_CONTROL_TOO_SMALL);
    ck_assert_int_eq(end_with(options, 1.7e9, 1.7e9 + 1e4, 60, 0.5), EVN_CONTROL_TOO_SMALL);
    options.dt_min = 1e-3;
    ck_assert_int_eq(end_with(options, 0, 1, 0.01, 1e3), EVN_CONTROL_TOO_SMALL);
    ck_assert_int_eq(end_with(options, 0, 1, 0.9e-3, 0.5), EVN_CONTROL_TOO_SMALL);
    options.dt_min = 0;
    options.max_steps = 6;
    ck_assert_int_eq(end_with(options, 0, 1, 0.01, 0.6), EVN_CONTROL_TOO_MANY);
    ck_assert_int_eq(end_with(options, 0, 1, 0.2, 0.59), EVN_CONTROL_DONE);
}
END_TEST

/// No step is longer than the way, also where it would be larger than any number.
START_TEST(steps_stay_finite) {
    evn_solver_options options = evn_solver_options_default();
    ck_assert_int_eq(end_with(options, 0, 3e38, 2.9e38, 0), EVN_CONTROL_DONE);
    ck_assert_int_eq(end_with(options, 3e38, 0, -2e38, 1e-9), EVN_CONTROL_DONE);
}
END_TEST

/// One step from end to end, wherever these are.
START_TEST(whole_ways_end_inside) {
    int shortened = 0;
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = _i;
    for (int i = 0; i < 100; ++i) {
        bench b;
        create(&b, options, false, i * 0.37 - 11, exp(i % 7) / 3 - 1);
        begin(&b, 100 * longest(&b.twin));
        double left = evn__control_end(b.control, 0) - b.twin.c.t;
        shortened += b.twin.c.dt != left;
        destroy(&b);
    }
    ck_assert_int_gt(shortened, _i ? 0 : 5);
}
END_TEST

// Looks -------------------------------------------------------------------------------------------

static int fewest(const evn_solution *s, int each) {
    return (s->accepted + s->rejected + each - 1) / each;
}

/// @param jumps  of plans that cannot be passed over: the host must see where slopes are due
static int most_waits(const evn_solution *s, bool backward, bool jumps) {
    if (backward && jumps) {
        return s->accepted + s->rejected;
    }
    return fewest(s, backward ? 8 : EVN__LOOKAHEAD_MAX) + backward;
}

/// Once solves have taken the same steps, the host looks as rarely as it may, and nothing is
/// enqueued behind the end. Gradients besides empty their stacks of at least 8 steps.
START_TEST(looks_become_rare) {
    problem p = _i == 2 ? problem_wide(3) : problem_node_ew(7);
    evn_solver_options options = evn_solver_options_default();
    // So few samples have kernels that look at their number of runs on CPUs alone.
    bool skips = _i == 2 && evn_device_get_info(test_device())->type == EVN_DEVICE_CPU;
    options.rtol = options.atol = 1e-6;
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.observations = _i ? 8 : 0;
    problem_prepare(&p, &options);
    double *first = calloc((size_t)p.x_count, sizeof(*first));
    for (int i = 0; i < 5; ++i) {
        problem_solve(&p, 0, 4);
        problem_gradient(&p);
        const evn_solution *s[] = {&p.solution, &p.backward};
        for (int k = 0; k < 2; ++k) {
            int attempts = s[k]->accepted + s[k]->rejected;
            ck_assert_int_ge(s[k]->waits, fewest(s[k], EVN__LOOKAHEAD_MAX));
            ck_assert_int_lt(s[k]->surplus, EVN__LOOKAHEAD_MAX * s[k]->waits);
            ck_assert_msg(i < 3 || (s[k]->surplus == 0 &&
                                    s[k]->waits <= most_waits(s[k], k, _i > 0 && !skips)),
                          "%d: %d waits for %d attempts, and %d for nothing", i, s[k]->waits,
                          attempts, s[k]->surplus);
        }
        // However many are enqueued together, bits are the same.
        ck_assert(i == 0 || memcmp(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count) == 0);
        memcpy(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count);
    }
    printf("attempts %d + %d, rejected %d + %d, waits %d + %d\n",
           p.solution.accepted + p.solution.rejected, p.backward.accepted + p.backward.rejected,
           p.solution.rejected, p.backward.rejected, p.solution.waits, p.backward.waits);
    free(first);
    problem_free(&p);
}
END_TEST

/// What a solve says that it waited is what the device has counted.
START_TEST(waits_are_counted) {
    problem p = problem_node_ew(7);
    evn_solver_options options = evn_solver_options_default();
    evn_binding x1;
    problem_prepare(&p, &options);
    for (int i = 0; i < 3; ++i) {
        uint64_t before = evn_device_get_stats(test_device()).waits;
        TRY(problem_try(&p, 0, 1, &x1));
        uint64_t waits = evn_device_get_stats(test_device()).waits - before - p.loads;
        ck_assert_int_eq((int)waits, p.solution.waits);
    }
    ck_assert_int_eq(p.solution.waits, 1);
    problem_free(&p);
}
END_TEST

/// No way takes no steps.
START_TEST(no_way) {
    problem p = problem_node_ew(7);
    evn_solver_options options = evn_solver_options_default();
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.observations = 3;
    problem_prepare(&p, &options);
    problem_solve(&p, 1, 1);
    problem_gradient(&p);
    for (int i = 0; i < p.x_count; ++i) {
        ck_assert(p.x1[i] == (double)(float)p.x0[i] && p.x1[2 * p.x_count + i] == p.x1[i]);
        double sum = p.x1_bar[i] + p.x1_bar[p.x_count + i] + p.x1_bar[2 * p.x_count + i];
        ck_assert_double_eq_tol(p.x0_bar[i], sum, 1e-6);
    }
    ck_assert_int_eq(p.solution.accepted + p.solution.nfe + p.backward.accepted, 0);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/control");
    TCase *twins = tcase_create("twin");
    tcase_add_loop_test(twins, errors_of_all_kinds, 0, 24);
    tcase_add_test(twins, failures_are_found);
    tcase_add_test(twins, steps_stay_finite);
    tcase_add_loop_test(twins, whole_ways_end_inside, 0, 2);
    suite_add_tcase(s, twins);
    TCase *looks = tcase_create("looks");
    tcase_add_loop_test(looks, looks_become_rare, 0, 3);
    tcase_add_test(looks, waits_are_counted);
    tcase_add_test(looks, no_way);
    suite_add_tcase(s, looks);
    return s;
}

int main(void) {
    return test_run(suite());
}
