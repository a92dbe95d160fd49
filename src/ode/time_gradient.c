// SPDX-License-Identifier: Apache-2.0
#include "ode/time_gradient.h"

#include "base/number.h"
#include "ode/by_sample.h"
#include "ode/integrator.h"
#include "plan/build.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

/// A moment is t0, or a time at which the solve gives x: that of an observation, or t1.
struct evn__time_gradient {
    const evn__problem *problem;
    evn__system lifted;        ///< with a time for each sample, where they have their own
    const evn__system *system; ///< that, or the problem's
    evn__layout layout;
    int moments;
    size_t samples;            ///< times of a moment
    evn_buffer *start, *zeros; ///< [total]
    evn_buffer *times, *rates; ///< [moments, samples]
    evn_plan *plan;            ///< from a moment's time, states, parameters and the states'
                               ///< cotangents to its rates
    evn_binding *inputs;       ///< of the plan
    double *at;                ///< host, [moments, samples]
    bool written;              ///< so are the times on the device
    double t0, t1;             ///< of the last solve
    bool given;                ///< its observations have times of their own, no fractions
    const evn__scheme *steps;  ///< whose steps the last gradient went along; NULL: rates
};

// Life --------------------------------------------------------------------------------------------

static int observations(const evn__time_gradient *tg) {
    return tg->problem->options->observations;
}

static evn_value declare(evn_graph *graph, const evn__system *system, int input,
                         const char *suffix) {
    char name[64];
    evn__print(name, sizeof(name), "%s%s", evn_graph_input_name(system->graph, input), suffix);
    return evn_input(graph, name,
                     evn_value_shape(system->graph, evn_graph_input(system->graph, input)));
}

static evn_status add_rates(evn_graph *graph, const evn__system *system, evn_value *values) {
    int inputs = evn_graph_input_count(system->graph);
    evn_value *slopes = values + inputs, sum = EVN_NONE;
    for (int i = 0; i < inputs; ++i) {
        values[i] = declare(graph, system, i, "");
    }
    EVN_TRY(evn_graph_inline(graph, system->graph, values, slopes));
    for (int i = 0; i < system->state_count; ++i) {
        evn_value bar = declare(graph, system, evn__system_state(i), "_bar");
        evn_value product = evn_mul(graph, slopes[i], bar);
        evn_value rate = evn_sum_to(graph, product, evn__system_time_shape(system));
        sum = sum == EVN_NONE ? rate : evn_add(graph, sum, rate);
    }
    evn_output(graph, "rate", sum);
    return evn_graph_status(graph);
}

static evn_status build(evn_graph *graph, const evn__system *system) {
    evn_value *values = NULL;
    EVN_TRY(EVN_NEW(&values, evn_graph_input_count(system->graph) + system->state_count));
    evn_status status = add_rates(graph, system, values);
    free(values);
    return status;
}

static evn_status compile(evn__time_gradient *tg) {
    const evn_plan_options options = {.fp64 = tg->problem->options->fp64};
    evn_graph *graph = NULL;
    EVN_TRY(evn_graph_create(&graph));
    evn_status status = build(graph, tg->system);
    if (status == EVN_OK) {
        status = evn_plan_create(tg->problem->device, graph, &options, &tg->plan);
    }
    evn_graph_destroy(&graph);
    return status;
}

/// One sample alone has the time of the batch.
static evn_status choose_system(evn__time_gradient *tg) {
    const evn__problem *p = tg->problem;
    evn_shape x = evn__system_state_shape(p->system, 0);
    bool own = p->options->per_sample && x.dim[0] > 1;
    EVN_TRY(own ? evn__system_by_sample(p->system, &tg->lifted) : EVN_OK);
    tg->system = own ? &tg->lifted : p->system;
    tg->samples = own ? (size_t)x.dim[0] : 1;
    return EVN_OK;
}

static evn_status make(const evn__time_gradient *tg, size_t count, evn_buffer **buffer) {
    const evn__problem *p = tg->problem;
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64, count, buffer);
}

static evn_status create(evn__time_gradient *tg) {
    EVN_TRY(choose_system(tg));
    EVN_TRY(evn__layout_create(tg->system, &tg->layout));
    tg->moments = 1 + (observations(tg) > 0 ? observations(tg) : 1);
    size_t times = evn__size_product((size_t)tg->moments, tg->samples);
    EVN_TRY(compile(tg));
    EVN_TRY(make(tg, tg->layout.total, &tg->start));
    EVN_TRY(make(tg, tg->layout.total, &tg->zeros));
    EVN_TRY(make(tg, times, &tg->times));
    EVN_TRY(make(tg, times, &tg->rates));
    EVN_TRY(EVN_NEW(&tg->at, times));
    EVN_TRY(EVN_NEW(&tg->inputs, 1 + 2 * tg->layout.count + tg->system->parameter_count));
    return evn__real_zero((evn_binding){tg->zeros, 0}, tg->problem->options->fp64,
                          tg->layout.total);
}

evn_status evn__time_gradient_create(const evn__problem *problem, evn__time_gradient **gradient) {
    EVN_TRY(EVN_NEW(gradient, 1));
    (*gradient)->problem = problem;
    evn_status status = create(*gradient);
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
    evn_plan_destroy(&tg->plan);
    evn_buffer *buffers[] = {tg->start, tg->zeros, tg->times, tg->rates};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) {
        evn_buffer_destroy(&buffers[i]);
    }
    evn__layout_free(&tg->layout);
    evn__system_free(&tg->lifted);
    free(tg->inputs);
    free(tg->at);
    free(tg);
    *gradient = NULL;
}

evn_binding evn__time_gradient_start(const evn__time_gradient *gradient, int index) {
    return (evn_binding){gradient->start, gradient->layout.offset[index]};
}

// Times -------------------------------------------------------------------------------------------

/// Observation `index` as a fraction of the way.
static double fraction(const evn__time_gradient *tg, int index) {
    const evn__course *course = tg->problem->course;
    int interval = index - course->starts;
    return interval < 0 ? 0 : evn__course_end(course, interval, 0, 1);
}

static void set_time(evn__time_gradient *tg, size_t moment, size_t sample, double t) {
    double *at = &tg->at[moment * tg->samples + sample];
    tg->written = tg->written && *at == t;
    *at = t;
}

/// Of sample `sample`, of its own way or the batch's.
static void set_times(evn__time_gradient *tg, const evn__passage *passage, size_t sample) {
    const evn_sample_times *own = passage->samples;
    size_t count = (size_t)observations(tg);
    double t0 = own ? own->t0[sample] : passage->t0, t1 = own ? own->t1[sample] : passage->t1;
    set_time(tg, 0, sample, t0);
    if (count == 0) {
        set_time(tg, 1, sample, t1);
    }
    for (size_t i = 0; i < count; ++i) {
        double part = fraction(tg, (int)i), t = part == 1 ? t1 : t0 + part * (t1 - t0);
        set_time(tg, 1 + i, sample, tg->given ? own->times[sample * count + i] : t);
    }
}

void evn__time_gradient_begin(evn__time_gradient *tg, const evn__passage *passage) {
    tg->t0 = passage->t0;
    tg->t1 = passage->t1;
    tg->given = passage->samples && passage->samples->times;
    for (size_t i = 0; i < tg->samples; ++i) {
        set_times(tg, passage, i);
    }
}

// Rates -------------------------------------------------------------------------------------------

/// State `index` at a moment; without a way all moments are the first.
static evn_binding state_at(const evn__time_gradient *tg, const evn__scheme *scheme,
                            const evn__passage *passage, int moment, int index) {
    if (moment == 0) {
        return evn__time_gradient_start(tg, index);
    }
    if (observations(tg) == 0) {
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
    return index > 0 ? (evn_binding){tg->zeros, tg->layout.offset[index]}
                     : evn__scheme_observation(tg->problem, passage->x1_bar, moment - 1);
}

static evn_status run_moment(evn__time_gradient *tg, const evn__scheme *scheme,
                             const evn__passage *passage, int moment) {
    evn_binding *in = tg->inputs, place = {NULL, (size_t)moment * tg->samples};
    const evn_binding rates = {tg->rates, place.offset};
    *in++ = (evn_binding){tg->times, place.offset};
    for (int i = 0; i < tg->layout.count; ++i) {
        *in++ = state_at(tg, scheme, passage, moment, i);
    }
    for (int i = 0; i < tg->system->parameter_count; ++i) {
        *in++ = passage->parameters[i];
    }
    for (int i = 0; i < tg->layout.count; ++i) {
        *in++ = bar_at(tg, scheme, passage, moment, i);
    }
    return evn_plan_run(tg->plan, tg->inputs, &rates);
}

static evn_status write_times(evn__time_gradient *tg) {
    EVN_TRY(evn__real_write((evn_binding){tg->times, 0}, tg->problem->options->fp64, tg->at,
                            (size_t)tg->moments * tg->samples));
    tg->written = true;
    return EVN_OK;
}

evn_status evn__time_gradient_take(evn__time_gradient *tg, const evn__scheme *scheme,
                                   const evn__passage *passage) {
    bool moves = passage->t0 != passage->t1;
    tg->steps = moves && scheme->methods->time_bars ? scheme : NULL;
    if (tg->steps) {
        return EVN_OK;
    }
    EVN_TRY(tg->written ? EVN_OK : write_times(tg));
    for (int i = 0; i < tg->moments; ++i) {
        EVN_TRY(run_moment(tg, scheme, passage, i));
    }
    return EVN_OK;
}

/// bars [moments, samples]: of each time by itself.
static evn_status read_rates(const evn__time_gradient *tg, double *bars) {
    EVN_TRY(evn__real_read((evn_binding){tg->rates, 0}, tg->problem->options->fp64, bars,
                           (size_t)tg->moments * tg->samples));
    for (size_t i = 0; i < tg->samples; ++i) {
        bars[i] = -bars[i];
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

/// A step at t = (1 − φ) begin + φ end, of length ψ (end − begin), φ and ψ constant.
static void add_step(double begin, double end, const evn__tread *step, double t_bar, double dt_bar,
                     double *begin_bar, double *end_bar) {
    double phi = (step->t - begin) / (end - begin), psi = step->dt / (end - begin);
    *begin_bar += (1 - phi) * t_bar - psi * dt_bar;
    *end_bar += phi * t_bar + psi * dt_bar;
}

static void add_steps(const evn__time_gradient *tg, const evn__trail *trail, const double *t_bar,
                      const double *dt_bar, double *bars) {
    const evn__course *course = tg->problem->course;
    int moment = 0;
    memset(bars, 0, sizeof(*bars) * (size_t)tg->moments);
    for (int i = 0; i < trail->count; ++i) {
        int interval = moment > 0 ? moment - course->starts : 0;
        int next = 1 + evn__course_observation(course, interval);
        double begin = evn__course_begin(course, interval, tg->t0, tg->t1);
        double end = evn__course_end(course, interval, tg->t0, tg->t1);
        add_step(begin, end, &trail->steps[i], t_bar[i], dt_bar[i], &bars[moment], &bars[next]);
        moment = trail->steps[i].observation >= 0 ? next : moment;
    }
}

static evn_status read_of_trail(const evn__time_gradient *tg, const evn__trail *trail,
                                double *step_bars, double *bars) {
    evn_binding at[2];
    size_t count = (size_t)trail->count;
    tg->steps->methods->time_bars(tg->steps, at);
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__real_read(at[i], tg->problem->options->fp64, step_bars + (size_t)i * count,
                               count));
    }
    add_steps(tg, trail, step_bars, step_bars + count, bars);
    return EVN_OK;
}

static evn_status read_steps(const evn__time_gradient *tg, double *bars) {
    evn__trail trail = {0};
    double *step_bars = NULL;
    evn_status status = copy_trail(tg, &trail);
    status = status == EVN_OK ? EVN_NEW(&step_bars, 2 * trail.count) : status;
    status = status == EVN_OK ? read_of_trail(tg, &trail, step_bars, bars) : status;
    free(step_bars);
    evn__trail_free(&trail);
    return status;
}

// What is asked for -------------------------------------------------------------------------------

/// Observations at fractions of the way move with its ends, an observed start with t0 alone.
static void deliver(const evn__time_gradient *tg, const double *bars, size_t sample, double *t0_bar,
                    double *t1_bar, double *times_bar) {
    size_t count = (size_t)observations(tg);
    double t0 = bars[sample], t1 = count > 0 ? 0 : bars[tg->samples + sample];
    for (size_t i = 0; i < count; ++i) {
        double bar = bars[(1 + i) * tg->samples + sample];
        double part = tg->given ? 0 : fraction(tg, (int)i);
        t0 += tg->given ? 0 : (1 - part) * bar;
        t1 += part * bar;
        if (times_bar) {
            times_bar[sample * count + i] = tg->given || part > 0 ? bar : 0;
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
    EVN_TRY(EVN_NEW(&bars, (size_t)tg->moments * tg->samples));
    evn_status status = tg->steps ? read_steps(tg, bars) : read_rates(tg, bars);
    for (size_t i = 0; i < tg->samples && status == EVN_OK; ++i) {
        deliver(tg, bars, i, t0_bar, t1_bar, times_bar);
    }
    free(bars);
    return status;
}
