// SPDX-License-Identifier: Apache-2.0
#include "gradients/time_gradient.h"

#include "gradients/rates.h"
#include "gradients/time_parts.h"
#include "integrator/integrator.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

/// A moment is t0, or a time at which the solve gives x: that of an observation, or t1. Where the
/// problem goes on, t1 is one more, the last, with what comes from behind it.
struct evn__time_gradient {
    const evn__problem *problem;
    evn__layout layout;
    int moments;
    size_t samples;               ///< times of a moment
    double *at;                   ///< host, [moments, samples]
    double t0, t1;                ///< of the last solve
    bool own;                     ///< its samples have times of their own,
    bool given;                   ///< and their observations, too, no fractions
    const evn__scheme *steps;     ///< whose steps the last gradient went along; NULL: rates
    const evn__time_parts *parts; ///< of the last gradient, whose way went in parts, or NULL
    const evn__scheme *along;     ///< of the last gradient, along weights by themselves, or NULL
    double *end_bars;             ///< host, [samples]: what t1 has and no moment is
    bool carries;                 ///< something came from behind its end
    evn__rates *rates;            ///< once they are needed
    evn_buffer *start;            ///< [total], where the scheme's gradients are none of steps
};

// Life --------------------------------------------------------------------------------------------

static int observations(const evn__time_gradient *tg) {
    return tg->problem->options->observations;
}

/// The moments of the last solve, but that of what comes from behind.
static int given_moments(const evn__time_gradient *tg) {
    return 1 + (observations(tg) > 0 ? evn__scheme_observations(tg->problem) : 1);
}

static size_t time_count(const evn__time_gradient *tg) {
    return evn__size_product((size_t)tg->moments, tg->samples);
}

/// One sample alone has the time of the batch.
static size_t sample_count(const evn__problem *p) {
    evn_shape x = evn__system_state_shape(p->system, 0);
    return p->options->per_sample && x.dim[0] > 1 ? (size_t)x.dim[0] : 1;
}

static evn_status need_rates(evn__time_gradient *tg) {
    return tg->rates ? EVN_OK
                     : evn__rates_create(tg->problem, tg->moments, tg->samples, &tg->rates);
}

static evn_status create_start(evn__time_gradient *tg) {
    const evn__problem *p = tg->problem;
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64, tg->layout.total,
                                 &tg->start));
    return need_rates(tg);
}

static evn_status create(evn__time_gradient *tg, const evn__scheme_methods *methods) {
    tg->moments = 1 + (observations(tg) > 0 ? observations(tg) : 1) + tg->problem->goes_on;
    tg->samples = sample_count(tg->problem);
    EVN_TRY(EVN_NEW(&tg->at, time_count(tg)));
    EVN_TRY(EVN_NEW(&tg->end_bars, tg->samples));
    EVN_TRY(evn__layout_create(tg->problem->system, &tg->layout));
    bool by_rates = !methods->time_bars && !methods->time_parts && !methods->take_times;
    return by_rates ? create_start(tg) : EVN_OK;
}

evn_status evn__time_gradient_create(const evn__problem *problem,
                                     const evn__scheme_methods *methods,
                                     evn__time_gradient **gradient) {
    EVN_TRY(EVN_NEW(gradient, 1));
    (*gradient)->problem = problem;
    evn_status status = create(*gradient, methods);
    if (status != EVN_OK) {
        evn__time_gradient_destroy(gradient);
    }
    return status;
}

void evn__time_gradient_destroy(evn__time_gradient **gradient) {
    evn__time_gradient *tg = *gradient;
    if (!tg) {
        return;
    }
    evn__rates_destroy(&tg->rates);
    evn_buffer_destroy(&tg->start);
    evn__layout_free(&tg->layout);
    free(tg->at);
    free(tg->end_bars);
    free(tg);
    *gradient = NULL;
}

evn_status evn__time_gradient_start(const evn__time_gradient *tg, int index, evn_binding state) {
    return tg->start ? evn__real_copy((evn_binding){tg->start, tg->layout.offset[index]}, state,
                                      tg->problem->options->fp64, tg->layout.size[index])
                     : EVN_OK;
}

// Times -------------------------------------------------------------------------------------------

/// Observation `index` as a fraction of the way.
static double fraction(const evn__time_gradient *tg, int index) {
    const evn__course *course = tg->problem->course;
    int interval = index - course->starts;
    return interval < 0 ? 0 : evn__course_end(course, interval, 0, 1);
}

static void set_time(const evn__time_gradient *tg, size_t moment, size_t sample, double t) {
    tg->at[moment * tg->samples + sample] = t;
}

/// Of sample `sample`, of its own way or the batch's.
static void set_times(const evn__time_gradient *tg, const evn__passage *passage, size_t sample) {
    const evn_sample_times *own = passage->samples;
    size_t count = (size_t)observations(tg), last = (size_t)tg->moments - 1;
    double t0 = own ? own->t0[sample] : passage->t0, t1 = own ? own->t1[sample] : passage->t1;
    set_time(tg, 0, sample, t0);
    set_time(tg, last, sample, t1);
    if (count == 0) {
        set_time(tg, 1, sample, t1);
    }
    for (size_t i = 0; count > 0 && i + 1 < (size_t)given_moments(tg); ++i) {
        double part = fraction(tg, (int)i), t = part == 1 ? t1 : t0 + part * (t1 - t0);
        set_time(tg, 1 + i, sample, tg->given ? own->times[sample * count + i] : t);
    }
}

void evn__time_gradient_begin(evn__time_gradient *tg, const evn__passage *passage) {
    tg->t0 = passage->t0;
    tg->t1 = passage->t1;
    tg->own = passage->samples != NULL;
    tg->given = tg->own && passage->samples->times;
    for (size_t i = 0; i < tg->samples; ++i) {
        set_times(tg, passage, i);
    }
}

// Rates -------------------------------------------------------------------------------------------

/// Whether a moment is the end, and no observation: of a part of a batch's way, whose end need not
/// be one, or without any.
static bool is_end(const evn__time_gradient *tg, int moment) {
    const evn__problem *p = tg->problem;
    bool last = moment + 1 >= given_moments(tg);
    return observations(tg) == 0 || moment >= given_moments(tg) ||
           (p->goes_on && !p->options->per_sample && last);
}

/// State `index` at a moment. A scheme of steps has no rates but where there is no way, and so all
/// moments are the end.
static evn_binding state_at(const evn__time_gradient *tg, const evn__scheme *scheme,
                            const evn__passage *passage, int moment, int index) {
    if (tg->start && moment == 0) {
        return (evn_binding){tg->start, tg->layout.offset[index]};
    }
    if (!tg->start || is_end(tg, moment)) {
        return scheme->methods->end(scheme, index);
    }
    evn_binding at = evn__scheme_place(tg->problem, passage->series, moment - 1);
    at.offset += tg->layout.offset[index];
    return at;
}

/// What the loss has of state `index` at a moment.
static evn_binding bar_at(const evn__time_gradient *tg, const evn__scheme *scheme,
                          const evn__passage *passage, int moment, int index) {
    if (moment == 0) {
        return scheme->methods->state_bar(scheme, index);
    }
    if (moment >= given_moments(tg)) { // of x where it is observed; else x1_bar has it
        return index > 0 || observations(tg) > 0 ? passage->carried_bar[index]
                                                 : evn__rates_zero(tg->rates, index);
    }
    return index > 0 ? evn__rates_zero(tg->rates, index)
                     : evn__scheme_observation(tg->problem, passage->x1_bar, moment - 1);
}

static evn_status run_moment(const evn__time_gradient *tg, const evn__scheme *scheme,
                             const evn__passage *passage, int moment) {
    evn_binding *in = evn__rates_inputs(tg->rates);
    for (int i = 0; i < tg->layout.count; ++i) {
        *in++ = state_at(tg, scheme, passage, moment, i);
    }
    for (int i = 0; i < tg->problem->system->parameter_count; ++i) {
        *in++ = passage->parameters[i];
    }
    for (int i = 0; i < tg->layout.count; ++i) {
        *in++ = bar_at(tg, scheme, passage, moment, i);
    }
    return evn__rates_run(tg->rates, moment);
}

evn_status evn__time_gradient_take(evn__time_gradient *tg, const evn__scheme *scheme,
                                   const evn__passage *passage) {
    const evn__scheme_methods *methods = scheme->methods;
    bool moves = passage->samples || tg->own || evn__passage_moves(passage);
    tg->steps = evn__passage_moves(passage) && methods->time_bars ? scheme : NULL;
    tg->parts = moves && methods->time_parts ? methods->time_parts(scheme) : NULL;
    tg->carries = tg->problem->goes_on && passage->carried_bar;
    tg->along = methods->take_times ? scheme : NULL;
    if (tg->along) {
        return methods->take_times(scheme, passage);
    }
    if (tg->steps || tg->parts) {
        return EVN_OK;
    }
    EVN_TRY(need_rates(tg));
    EVN_TRY(evn__rates_set_times(tg->rates, tg->at));
    for (int i = 0; i < given_moments(tg); ++i) {
        EVN_TRY(run_moment(tg, scheme, passage, i));
    }
    return tg->carries ? run_moment(tg, scheme, passage, tg->moments - 1) : EVN_OK;
}

/// bars [moments, samples]: of each time by itself.
static evn_status read_rates(const evn__time_gradient *tg, double *bars) {
    EVN_TRY(evn__rates_read(tg->rates, bars));
    for (size_t i = 0; i < tg->samples; ++i) {
        bars[i] = -bars[i];
    }
    size_t carried = (size_t)(tg->moments - 1) * tg->samples;
    for (size_t i = 0; tg->problem->goes_on && !tg->carries && i < tg->samples; ++i) {
        bars[carried + i] = 0;
    }
    return EVN_OK;
}

// Steps -------------------------------------------------------------------------------------------

/// The steps of the last solve.
static evn_status copy_trail(const evn__time_gradient *tg, evn__trail *trail) {
    const evn__problem *p = tg->problem;
    const evn__trail *chosen =
        tg->steps->methods->trail ? tg->steps->methods->trail(tg->steps) : NULL;
    for (int i = 0; chosen && i < chosen->count; ++i) {
        const evn__tread *step = &chosen->steps[i];
        EVN_TRY(evn__trail_add(trail, step->t, step->dt, step->observation));
    }
    return chosen ? EVN_OK : evn__trail_set(trail, p->course, p->options->fp64, tg->t0, tg->t1);
}

/// Steps of an interval are at t = (1 − φ) begin + φ end and of length ψ (end − begin), φ and ψ
/// constant: the parts that they make of the sum of their lengths. That has no difference of two
/// times, which can be 0 in double where the way is not; steps without lengths are equal.
static void add_interval(const evn__tread *steps, int count, const double *t_bar,
                         const double *dt_bar, double *begin_bar, double *end_bar) {
    double way = 0, phi = 0;
    for (int i = 0; i < count; ++i) {
        way += steps[i].dt;
    }
    for (int i = 0; i < count; ++i) {
        double psi = way != 0 ? steps[i].dt / way : 1.0 / count;
        *begin_bar += (1 - phi) * t_bar[i] - psi * dt_bar[i];
        *end_bar += phi * t_bar[i] + psi * dt_bar[i];
        phi += psi;
    }
}

/// Interval by interval, each of which ends at an observation.
static void add_steps(const evn__time_gradient *tg, const evn__trail *trail, const double *t_bar,
                      const double *dt_bar, double *bars) {
    int first = 0, moment = 0;
    memset(bars, 0, sizeof(*bars) * (size_t)tg->moments);
    for (int i = 0; i < trail->count; ++i) {
        int observation = trail->steps[i].observation;
        if (observation >= 0) {
            add_interval(trail->steps + first, i + 1 - first, t_bar + first, dt_bar + first,
                         &bars[moment], &bars[1 + observation]);
            moment = 1 + observation;
            first = i + 1;
        }
    }
}

static evn_status read_of_trail(const evn__time_gradient *tg, const evn__trail *trail,
                                double *step_bars, double *bars) {
    const evn__time_bars from = tg->steps->methods->time_bars(tg->steps);
    size_t count = (size_t)trail->count;
    for (int i = 0; i < EVN__TIME_BARS; ++i) {
        EVN_TRY(evn__real_read(evn__time_bars_at(from, i, 0), tg->problem->options->fp64,
                               step_bars + (size_t)i * count, count));
    }
    add_steps(tg, trail, step_bars, step_bars + count, bars);
    return EVN_OK;
}

static evn_status read_steps(const evn__time_gradient *tg, double *bars) {
    evn__trail trail = {0};
    double *step_bars = NULL;
    evn_status status = copy_trail(tg, &trail);
    status = status == EVN_OK ? EVN_NEW(&step_bars, EVN__TIME_BARS * trail.count) : status;
    status = status == EVN_OK ? read_of_trail(tg, &trail, step_bars, bars) : status;
    free(step_bars);
    evn__trail_free(&trail);
    return status;
}

// Weights by themselves ---------------------------------------------------------------------------

/// Their way ends with t1, which observations at times of their own do not move.
static evn_status read_along(const evn__time_gradient *tg, double *bars) {
    bool apart = tg->given && observations(tg) > 0 && !tg->problem->goes_on;
    double *last = bars + (size_t)(tg->moments - 1) * tg->samples;
    EVN_TRY(tg->along->methods->read_times(tg->along, bars, tg->end_bars));
    for (size_t i = 0; i < tg->samples && !apart; ++i) {
        last[i] += tg->end_bars[i];
        tg->end_bars[i] = 0;
    }
    return EVN_OK;
}

evn_status evn__time_gradient_read_moments(const evn__time_gradient *tg, double *bars) {
    if (tg->parts) {
        memcpy(bars, tg->parts->bars, sizeof(*bars) * time_count(tg));
        return EVN_OK;
    }
    return tg->along   ? read_along(tg, bars)
           : tg->steps ? read_steps(tg, bars)
                       : read_rates(tg, bars);
}

void evn__time_gradient_read_jumps(const evn__time_gradient *tg, double *jumps_bar) {
    for (int i = 0; i < tg->problem->options->jump_count; ++i) {
        jumps_bar[i] = tg->parts ? tg->parts->jumps[i] : 0; // without a way none is crossed
    }
}

size_t evn__time_gradient_moments(const evn__time_gradient *tg) {
    return (size_t)tg->moments;
}

size_t evn__time_gradient_samples(const evn__time_gradient *tg) {
    return tg->samples;
}

// What is asked for -------------------------------------------------------------------------------

/// Where samples have no times of their own, what the time that all share has of each is added up.
/// @param[in,out] bars  [moments, samples], then [moments, the number that is returned]
static size_t share(const evn__time_gradient *tg, double *bars) {
    if (tg->own) {
        return tg->samples;
    }
    for (int i = 0; i < tg->moments; ++i) {
        double sum = 0;
        for (size_t k = 0; k < tg->samples; ++k) {
            sum += bars[(size_t)i * tg->samples + k];
        }
        bars[i] = sum;
    }
    return 1;
}

/// How an observation moves with both ends of what was asked for: one at a fraction of the way with
/// both, at a time of its own with none; an observed start with t0 alone, and not by itself.
typedef struct lever {
    double t0, t1;
    bool own;
} lever;

static lever lever_of(const evn__time_gradient *tg, int observation) {
    const evn__course *course = tg->problem->course;
    double part = tg->given ? 1 : fraction(tg, observation), whole = part * course->last;
    return tg->given || (course->varies && part > 0)
               ? (lever){.own = true}
               : (lever){.t0 = 1 - whole, .t1 = whole, .own = part > 0};
}

/// Of one of so many samples.
static void deliver(const evn__time_gradient *tg, const double *bars, size_t samples, size_t sample,
                    double *t0_bar, double *t1_bar, double *times_bar) {
    size_t count = (size_t)observations(tg);
    double t0 = bars[sample], t1 = count > 0 ? tg->end_bars[sample] : bars[samples + sample];
    for (size_t i = 0; i < count; ++i) {
        double bar = bars[(1 + i) * samples + sample];
        const lever moves = lever_of(tg, (int)i);
        t0 += moves.t0 * bar;
        t1 += moves.t1 * bar;
        if (times_bar) {
            times_bar[sample * count + i] = moves.own ? bar : 0;
        }
    }
    if (t0_bar) {
        t0_bar[sample] = t0;
    }
    if (t1_bar) {
        t1_bar[sample] = t1;
    }
}

evn_status evn__time_gradient_read(evn__time_gradient *tg, double *t0_bar, double *t1_bar,
                                   double *times_bar) {
    double *bars = NULL;
    EVN_TRY(EVN_NEW(&bars, time_count(tg)));
    evn_status status = evn__time_gradient_read_moments(tg, bars);
    size_t samples = status == EVN_OK ? share(tg, bars) : 0;
    for (size_t i = 0; i < samples; ++i) {
        deliver(tg, bars, samples, i, t0_bar, t1_bar, times_bar);
    }
    free(bars);
    return status;
}
