// SPDX-License-Identifier: Apache-2.0
// Phases that solve backwards what cannot be: they go on from checkpoints; others have the same
// bits and waits as unwatched ones.
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "test.h"
#include "train/fallback.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ITERATIONS = 40 }; // two of them a summary

/// x' = −rate w x, x(0) = 1, and x(1) is to be 0.05.
typedef struct decay {
    evn_parameters *parameters;
    evn_task task;
} decay;

static decay decay_of(double rate) {
    static const float start[] = {1};
    decay d = {0};
    evn_graph *f = NULL, *loss = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, 1)), w = evn_input(f, "w", EVN_SHAPE(1, 1));
    evn_output(f, "dx", evn_scale(f, evn_mul(f, w, x), -rate));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    TRY(evn_graph_create(&loss));
    evn_value last = evn_input(loss, "x", EVN_SHAPE(1, 1));
    evn_value error = evn_sub(loss, last, evn_constant(loss, 0.05));
    evn_output(loss, "loss", evn_sum_all(loss, evn_mul(loss, error, error)));
    TRY(evn_parameters_create(&d.parameters));
    TRY(evn_parameters_add(d.parameters, "w", EVN_SHAPE(1, 1), EVN_INITIAL_CONSTANT, 1));
    TRY(evn_parameters_allocate(d.parameters, test_device(), false, 1));
    const evn_loss_options options = {
        .parameters = d.parameters, .dynamics = dynamics, .start = start, .loss = loss};
    TRY(evn_task_loss(test_device(), &options, &d.task));
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&f);
    evn_graph_destroy(&loss);
    return d;
}

static void decay_free(decay *d) {
    evn_task_destroy(&d->task);
    evn_parameters_destroy(&d->parameters);
}

/// What a training has told.
typedef struct story {
    int fell_back, summaries; ///< summaries that say so, and all
    double far;
    evn_trainer *trainer;
    const char *path; ///< of a checkpoint after five summaries, or behind a stop; NULL: none
    int stop;         ///< behind so many iterations; 0: never
} story;

static void on_summary(void *user, const evn_epoch *epoch) {
    story *s = user;
    double far = evn_metrics_value(&epoch->metrics, "fell_back");
    s->fell_back += !isnan(far);
    s->far = isnan(far) ? s->far : far;
    if ((++s->summaries == 5 || s->stop) && s->path) {
        TRY(evn_trainer_save(s->trainer, s->path));
    }
}

static bool is_over(void *user) {
    const story *s = user;
    int done; // but the one under way
    evn_trainer_losses(s->trainer, &done);
    return s->stop > 0 && done + 1 >= s->stop;
}

/// How training ended, and w then; `from`: a checkpoint to go on with, or NULL.
static evn_status end_of(double rate, const evn_phase *phases, int count, const char *from,
                         story *told, double *w) {
    decay d = decay_of(rate);
    int epochs;
    evn_trainer_options options = {.phases = phases,
                                   .phase_count = count,
                                   .epoch_done = on_summary,
                                   .stop = is_over,
                                   .user = told};
    options.optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    TRY(evn_trainer_create(test_device(), &d.task, &options, &told->trainer));
    TRY(from ? evn_trainer_restore(told->trainer, from, &epochs) : EVN_OK);
    evn_status status = evn_trainer_run(told->trainer);
    evn_trainer_destroy(&told->trainer);
    TRY(evn_parameters_read(d.parameters, 0, w));
    decay_free(&d);
    return status;
}

/// w after the phases.
static double train(double rate, const evn_phase *phases, int count, const char *from,
                    story *told) {
    double w;
    TRY(end_of(rate, phases, count, from, told, &w));
    return w;
}

static evn_phase watched(evn_gradient gradient, int epochs, double reconstruction) {
    evn_phase phase = evn_phase_default("dopri5", 0, gradient, epochs, 0.01);
    phase.solver.reconstruction = 0;
    phase.reconstruction = reconstruction;
    return phase;
}

/// From the second step of the optimiser on the gradients are those of checkpoints.
START_TEST(falls_back) {
    const evn_phase own = watched(EVN_GRADIENT_ADJOINT, 6, 0.05);
    evn_phase two[] = {watched(EVN_GRADIENT_ADJOINT, 1, 0),
                       watched(EVN_GRADIENT_CHECKPOINTED, 5, 0)};
    const evn_phase bad = watched(EVN_GRADIENT_ADJOINT, 6, 0);
    story told = {0}, other = {0}, silent = {0};
    double w = train(12, &own, 1, NULL, &told);
    printf("off by %.3g\n", told.far);
    ck_assert_int_eq(told.fell_back, 1);
    ck_assert_double_gt(told.far, 0.05);
    ck_assert_double_eq(w, train(12, two, 2, NULL, &other));
    ck_assert_int_eq(other.fell_back, 0);
    ck_assert_double_ne(w, train(12, &bad, 1, NULL, &silent));
}
END_TEST

/// Where it was at a checkpoint, it still is behind it.
START_TEST(is_resumed) {
    const evn_phase phase = watched(EVN_GRADIENT_ADJOINT, ITERATIONS, 0.05);
    story told = {.path = "checkpoint"}, again = {0};
    double w = train(12, &phase, 1, NULL, &told);
    ck_assert_int_eq(told.fell_back, 1);
    ck_assert_double_eq(w, train(12, &phase, 1, "checkpoint", &again));
    ck_assert_int_eq(again.fell_back, 0);
    ck_assert_int_eq(again.summaries, told.summaries - 5);
}
END_TEST

/// Stops behind iterations that end no summary: before the fallback is taken, then, and later.
START_TEST(is_resumed_from_anywhere) {
    const evn_phase phase = watched(EVN_GRADIENT_ADJOINT, 5 * ITERATIONS, 0.05);
    double stopped, w;
    story all = {0}, until = {.path = "checkpoint", .stop = _i + 1}, again = {0};
    w = train(12, &phase, 1, NULL, &all);
    ck_assert_int_eq(all.fell_back, 1);
    ck_assert_int_eq(end_of(12, &phase, 1, NULL, &until, &stopped), EVN_ERR_INTERRUPTED);
    ck_assert_int_eq(until.summaries, 1);
    ck_assert_double_eq(w, train(12, &phase, 1, "checkpoint", &again));
    ck_assert_int_eq(until.fell_back + again.fell_back, 1);
}
END_TEST

/// A gradient that is not finite has ruined the parameters when it is seen: nothing goes on from
/// there, and nothing is told that would be kept. Summaries are of one iteration and of ten.
START_TEST(nothing_goes_on_from_what_is_not_finite) {
    evn_phase phase = watched(EVN_GRADIENT_ADJOINT, _i == 0 ? 6 : 200, 0.05);
    phase.solver.method = "rk4";
    phase.solver.steps = 60;
    story told = {0};
    double w;
    ck_assert_int_eq(end_of(150, &phase, 1, NULL, &told, &w), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "a solve backwards"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "take the gradient checkpointed"));
    ck_assert_int_eq(told.summaries, 0);
    phase.solver = evn_solver_options_with(&phase.solver, EVN_GRADIENT_CHECKPOINTED);
    TRY(end_of(150, &phase, 1, NULL, &told, &w));
    ck_assert(isfinite(w));
}
END_TEST

static evn_status tell_once(void *program, double *worst) {
    double *held = program;
    *worst = *held;
    *held = 0;
    return EVN_OK;
}

/// What a program has seen before a restore says nothing of what follows it.
START_TEST(forgets) {
    const evn_task_methods methods = {.name = "held", .watched = tell_once};
    const evn_task task = {.methods = &methods};
    const evn_phase phase = watched(EVN_GRADIENT_ADJOINT, 1, 0.05);
    evn__fallback state = EVN__FALLBACK_NONE;
    evn_metrics metrics = {0};
    double held = INFINITY;
    TRY(evn__fallback_forget(&phase, &task, &held, state));
    TRY(evn__fallback_look(&phase, &task, &held, true, &state, &metrics));
    ck_assert_int_eq(state, EVN__FALLBACK_NONE);
    held = 0.06;
    TRY(evn__fallback_look(&phase, &task, &held, false, &state, &metrics));
    ck_assert_int_eq(state, EVN__FALLBACK_DUE);
    ck_assert_double_eq(evn_metrics_value(&metrics, "fell_back"), 0.06);
    held = INFINITY; // of the gradient behind which it is taken
    ck_assert_int_eq(evn__fallback_look(&phase, &task, &held, true, &state, &metrics),
                     EVN_ERR_NOT_FINITE);
    TRY(evn__fallback_look(&phase, &task, &held, true, &state, &metrics));
    ck_assert_int_eq(state, EVN__FALLBACK_TAKEN);
    held = INFINITY; // a program that does not watch is not asked
    TRY(evn__fallback_forget(&phase, &task, &held, state));
    ck_assert_double_eq(held, INFINITY);
    TRY(evn__fallback_forget(&phase, &task, NULL, EVN__FALLBACK_NONE)); // there is none
}
END_TEST

/// What can be solved backwards has the same bits, and nothing more is waited for. Steps are fixed:
/// how often an adaptive solve is looked at depends on how long looks take.
START_TEST(costs_no_wait) {
    double w[2];
    uint64_t waits[2];
    for (int i = 0; i < 2; ++i) {
        evn_phase phase = watched(EVN_GRADIENT_ADJOINT, ITERATIONS, i * 0.05);
        phase.solver.steps = 20;
        story told = {0};
        uint64_t before = evn_device_get_stats(test_device()).waits;
        w[i] = train(1, &phase, 1, NULL, &told);
        waits[i] = evn_device_get_stats(test_device()).waits - before;
        ck_assert_int_eq(told.fell_back, 0);
    }
    printf("waits: %llu unwatched, %llu watched\n", (unsigned long long)waits[0],
           (unsigned long long)waits[1]);
    ck_assert_double_eq(w[0], w[1]);
    ck_assert_uint_eq(waits[0], waits[1]);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/fallback");
    TCase *c = tcase_create("fallback");
    tcase_add_test(c, falls_back);
    tcase_add_test(c, is_resumed);
    tcase_add_loop_test(c, is_resumed_from_anywhere, 0, 4);
    tcase_add_loop_test(c, nothing_goes_on_from_what_is_not_finite, 0, 2);
    tcase_add_test(c, forgets);
    tcase_add_test(c, costs_no_wait);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
