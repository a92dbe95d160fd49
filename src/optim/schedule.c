// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"
#include "evonode/optimizer.h"
#include <math.h>

evn_schedule evn_schedule_default(double rate) {
    return (evn_schedule){
        .kind = EVN_SCHEDULE_CONSTANT, .rate = rate, .final = 0.01, .start = 0.1, .factor = 0.1};
}

static bool is_fraction(double x) {
    return x >= 0 && x <= 1;
}

static bool is_positive(double x) {
    return x > 0 && isfinite(x);
}

static evn_status check_step(const evn_schedule *s) {
    EVN_CHECK(is_positive(s->factor), EVN_ERR_ARGUMENT, "schedule: factor %g is not positive",
              s->factor);
    EVN_CHECK(s->milestone_count >= 0 && s->milestone_count <= EVN_SCHEDULE_MILESTONES,
              EVN_ERR_ARGUMENT, "schedule: %d milestones; at most %d fit", s->milestone_count,
              EVN_SCHEDULE_MILESTONES);
    for (int i = 0; i < s->milestone_count; ++i) {
        double before = i > 0 ? s->milestones[i - 1] : 0;
        EVN_CHECK(s->milestones[i] >= before && isfinite(s->milestones[i]), EVN_ERR_ARGUMENT,
                  "schedule: milestone %g is not in ascending order, or not finite",
                  s->milestones[i]);
    }
    return EVN_OK;
}

evn_status evn_schedule_check(const evn_schedule *s) {
    EVN_CHECK(s, EVN_ERR_ARGUMENT, "evn_schedule_check: schedule is NULL");
    EVN_CHECK(is_positive(s->rate), EVN_ERR_ARGUMENT,
              "schedule: learning rate %g is not a positive number", s->rate);
    EVN_CHECK(s->warmup >= 0 && isfinite(s->warmup) && is_fraction(s->start), EVN_ERR_ARGUMENT,
              "schedule: warm-up of %g epochs from a fraction of %g; give >= 0 and 0 to 1",
              s->warmup, s->start);
    switch (s->kind) {
    case EVN_SCHEDULE_CONSTANT:
        return EVN_OK;
    case EVN_SCHEDULE_STEP:
        return check_step(s);
    case EVN_SCHEDULE_COSINE:
        EVN_CHECK(s->epochs > s->warmup && isfinite(s->epochs) && is_fraction(s->final),
                  EVN_ERR_ARGUMENT,
                  "schedule: %g epochs down to a fraction of %g; give more epochs than the warm-up "
                  "has (%g) and 0 to 1",
                  s->epochs, s->final, s->warmup);
        return EVN_OK;
    }
    EVN_FAIL(EVN_ERR_ARGUMENT, "schedule: unknown kind %d", (int)s->kind);
}

static double stepped(const evn_schedule *s, double epoch) {
    double rate = s->rate;
    int count =
        s->milestone_count < EVN_SCHEDULE_MILESTONES ? s->milestone_count : EVN_SCHEDULE_MILESTONES;
    for (int i = 0; i < count && epoch >= s->milestones[i]; ++i) {
        rate *= s->factor;
    }
    return rate;
}

static double cosine(const evn_schedule *s, double epoch) {
    const double pi = 3.14159265358979323846;
    double done = fmin((epoch - s->warmup) / (s->epochs - s->warmup), 1);
    return s->rate * (s->final + (1 - s->final) * (1 + cos(pi * done)) / 2);
}

double evn_schedule_rate(const evn_schedule *s, double epoch) {
    if (!s) {
        return 0;
    }
    if (epoch < s->warmup) {
        return s->rate * (s->start + (1 - s->start) * epoch / s->warmup);
    }
    switch (s->kind) {
    case EVN_SCHEDULE_STEP:
        return stepped(s, epoch);
    case EVN_SCHEDULE_COSINE:
        return cosine(s, epoch);
    default:
        return s->rate;
    }
}
