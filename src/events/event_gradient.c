// SPDX-License-Identifier: Apache-2.0
// A part of the way is a solve of its own, from the state that the search has found at its
// beginning. Each sample has as many parts as the one with the most; those that it lacks are at its
// end, where they have no length.
#include "events/event_gradient.h"

#include "base/memory.h"
#include "events/event_places.h"
#include "integrator/jump.h"
#include "integrator/layout.h"
#include "plan/real.h"
#include "solver/part.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct evn__event_gradient {
    const evn__problem *problem;
    const evn_dynamics *dynamics;
    const evn__event_system *system;
    const evn__event_search *search;
    evn__event_solve solve;
    evn_solver *solver;  ///< of a part
    bool solved;         ///< it has gone the whole way of the last search
    bool differentiated; ///< the last search has been, to the end
    evn_plan *through;   ///< at the events
    evn__layout layout;  ///< of a state
    evn_buffer *start;   ///< the state at t0
    evn_buffer *middle;  ///< that between two parts
    evn_buffer *bars;    ///< x_bar, those of the parameters, rates, multipliers
    evn_buffer *given;   ///< x_bar of all rows, times, their cotangents, which event, one row each
    evn_buffer *shares;  ///< of the parameters, of one part
    evn__jump *join;     ///< of x_bar
    evn__jump **sums;    ///< of each weight that is a parameter
    evn_binding *weights, *weights_bar, *carried; ///< of a part
    double *numbers;                              ///< what is written to `given` behind x_bar
    double *said;                                 ///< rates and multipliers
    double *state, *last; ///< [layout]: what is written to `middle`; where the search ended
    double *t0, *t1;      ///< of a part
    int *event;           ///< [rows]: whose time it is; −1: none
    double *observed;     ///< [observations, x]: their cotangents; NULL: there are none
    evn__event_places places;
    evn_solver_options options; ///< of a part, which has no observations
};

// Life --------------------------------------------------------------------------------------------

static int sample_count(const evn__event_gradient *g) {
    bool own = g->problem->options->per_sample;
    return own ? (int)evn_dynamics_state_shape(g->dynamics).dim[0] : 1;
}

/// Elements of x.
static size_t state_elements(const evn__event_gradient *g) {
    return (size_t)evn_shape_count(evn_dynamics_state_shape(g->dynamics));
}

static size_t parameter_elements(const evn__event_gradient *g, int index) {
    return (size_t)evn_shape_count(evn__system_parameter_shape(&g->system->system, index));
}

static evn_status compile(evn__event_gradient *g) {
    static const char *const batch[] = {"x.0", "x_bar", NULL};
    static const char *const own[] = {"t", "x.0", "x_bar", "t_bar", "which", "first", NULL};
    bool lifted = g->problem->options->per_sample;
    const evn_plan_options options = {.fp64 = g->problem->options->fp64,
                                      .sample_inputs = lifted ? own : batch,
                                      .few_samples = lifted};
    evn_graph *graph = NULL;
    EVN_TRY(evn__event_gradient_graph(g->system, &graph));
    evn_status status = evn_plan_create(g->problem->device, graph, &options, &g->through);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status make(const evn__event_gradient *g, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(g->problem->device, EVN__USE_STATES, g->problem->options->fp64,
                                count, buffer);
}

/// Where number `index` of what the gradient at the events gives is; one behind the last: the end.
static size_t bar_at(const evn__event_gradient *g, int index) {
    size_t at = index > 0 ? evn__real_aligned(g->layout.size[0]) : 0;
    for (int i = 1; i < index; ++i) {
        at += evn__real_aligned(parameter_elements(g, i - 1));
    }
    return at;
}

/// Elements of x of a row.
static size_t row_elements(const evn__event_gradient *g) {
    return g->layout.size[0] / (size_t)g->system->rows;
}

/// Elements of x at all observations.
static size_t observed_count(const evn__event_gradient *g) {
    return evn__size_product((size_t)g->problem->options->observations, state_elements(g));
}

/// Numbers for each row: times, their cotangents, and both tables.
static size_t number_count(const evn__event_gradient *g) {
    return (size_t)g->system->rows * (2 + 2 * (size_t)g->system->count);
}

static evn_status make_device_memory(evn__event_gradient *g) {
    size_t rows = (size_t)g->system->rows;
    size_t rates = bar_at(g, g->system->system.parameter_count + 1);
    EVN_TRY(make(g, g->layout.total, &g->start));
    EVN_TRY(make(g, g->layout.total, &g->middle));
    EVN_TRY(make(g, rates + evn__real_aligned(rows) + rows, &g->bars));
    EVN_TRY(make(g, rates - bar_at(g, 1), &g->shares));
    return make(g, evn__real_aligned(g->layout.size[0]) + number_count(g), &g->given);
}

static evn_status make_host_memory(evn__event_gradient *g) {
    size_t samples = (size_t)sample_count(g), weights = (size_t)g->dynamics->weight_count;
    EVN_TRY(EVN_NEW(&g->numbers, number_count(g)));
    EVN_TRY(EVN_NEW(&g->said, 2 * (size_t)g->system->rows));
    EVN_TRY(EVN_NEW(&g->state, g->layout.total));
    EVN_TRY(EVN_NEW(&g->last, g->layout.total));
    EVN_TRY(EVN_NEW(&g->t0, samples));
    EVN_TRY(EVN_NEW(&g->t1, samples));
    EVN_TRY(EVN_NEW(&g->event, g->system->rows));
    EVN_TRY(EVN_NEW(&g->weights, weights + 1));
    EVN_TRY(EVN_NEW(&g->weights_bar, weights + 1));
    EVN_TRY(EVN_NEW(&g->carried, g->layout.count));
    EVN_TRY(observed_count(g) > 0 ? EVN_NEW(&g->observed, observed_count(g)) : EVN_OK);
    return evn__event_places_create((int)samples, row_elements(g), &g->places);
}

static evn_status make_sums(evn__event_gradient *g) {
    const evn_dynamics *d = g->dynamics;
    bool fp64 = g->problem->options->fp64;
    EVN_TRY(evn__jump_create(g->problem->device, evn_dynamics_state_shape(d), fp64, &g->join));
    EVN_TRY(EVN_NEW(&g->sums, d->weight_count));
    for (int i = 0; i < d->weight_count; ++i) {
        if (!d->weights[i].evolves) {
            EVN_TRY(evn__jump_create(g->problem->device, evn_dynamics_weight_shape(d, i), fp64,
                                     &g->sums[i]));
        }
    }
    return EVN_OK;
}

static evn_status create(evn__event_gradient *g) {
    const evn__problem *p = g->problem;
    EVN_TRY(evn__layout_create(&g->system->system, &g->layout));
    g->options = *p->options;
    g->options.observations = 0;
    g->options.dt_min = 0; // of the search: parts begin anew, with steps as short as they need
    EVN_TRY(evn_solver_create(p->device, g->dynamics, &g->options, &g->solver));
    EVN_TRY(compile(g));
    EVN_TRY(make_device_memory(g));
    EVN_TRY(make_host_memory(g));
    return make_sums(g);
}

evn_status evn__event_gradient_create(const evn__problem *problem, const evn_dynamics *dynamics,
                                      const evn__event_system *system,
                                      const evn__event_search *search,
                                      const evn__event_solve *solve,
                                      evn__event_gradient **gradient) {
    EVN_TRY(EVN_NEW(gradient, 1));
    (*gradient)->problem = problem;
    (*gradient)->dynamics = dynamics;
    (*gradient)->system = system;
    (*gradient)->search = search;
    (*gradient)->solve = *solve;
    evn_status status = create(*gradient);
    if (status != EVN_OK) {
        evn__event_gradient_destroy(gradient);
    }
    return status;
}

void evn__event_gradient_destroy(evn__event_gradient **gradient) {
    evn__event_gradient *g = *gradient;
    if (!g) {
        return;
    }
    evn_buffer **const buffers[] = {&g->start, &g->middle, &g->bars, &g->given, &g->shares};
    void *const arrays[] = {g->sums,    g->weights, g->weights_bar, g->carried,
                            g->numbers, g->said,    g->state,       g->last,
                            g->t0,      g->t1,      g->event,       g->observed};
    for (int i = 0; g->sums && i < g->dynamics->weight_count; ++i) {
        evn__jump_destroy(&g->sums[i]);
    }
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) {
        evn_buffer_destroy(buffers[i]);
    }
    for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); ++i) {
        free(arrays[i]);
    }
    evn__event_places_free(&g->places);
    evn__jump_destroy(&g->join);
    evn_plan_destroy(&g->through);
    evn_solver_destroy(&g->solver);
    evn__layout_free(&g->layout);
    free(g);
    *gradient = NULL;
}

evn_binding evn__event_gradient_start(const evn__event_gradient *g, int index) {
    return (evn_binding){g->start, g->layout.offset[index]};
}

void evn__event_gradient_forget(evn__event_gradient *g) {
    g->solved = g->differentiated = false;
}

// Places ------------------------------------------------------------------------------------------

static const evn__event_place *find_place(const evn__event_gradient *g, int sample, int index) {
    return evn__event_places_find(&g->places, sample, index);
}

static double time_of(const evn__event_gradient *g, int sample, int index) {
    const evn__event_place *p = find_place(g, sample, index);
    return p ? p->t : g->solve.t1[sample];
}

static evn_status gather(evn__event_gradient *g, const evn_event_bars *bars) {
    bool observed = g->observed && bars->observations.buffer;
    EVN_TRY(observed ? evn__real_read(bars->observations, g->problem->options->fp64, g->observed,
                                      observed_count(g))
                     : EVN_OK);
    return evn__event_places_gather(&g->places, g->search, g->solve.t0, bars,
                                    observed ? g->observed : NULL);
}

/// The states at the places with one number.
static evn_status load_states(const evn__event_gradient *g, int index) {
    memcpy(g->state, g->last, sizeof(*g->state) * g->layout.total);
    for (int row = 0; row < sample_count(g); ++row) {
        const evn__event_place *p = find_place(g, row, index);
        const double *from = p ? p->x : NULL;
        for (int i = 0; p && i < g->layout.count; ++i) {
            size_t size = g->layout.size[i] / (size_t)g->system->rows;
            double *to = g->state + g->layout.offset[i] + (size_t)row * size;
            memcpy(to, from, sizeof(*to) * size);
            from += size;
        }
    }
    return evn__real_write((evn_binding){g->middle, 0}, g->problem->options->fp64, g->state,
                           g->layout.total);
}

// Through the times of events ---------------------------------------------------------------------

/// Which event each row is at; of each event the first row that is.
static void fill_which(const evn__event_gradient *g, double *which) {
    size_t rows = (size_t)g->system->rows, count = (size_t)g->system->count;
    double *first = which + rows * count;
    bool met[EVN_MAX_INPUTS] = {false};
    memset(which, 0, sizeof(*which) * 2 * rows * count);
    for (size_t i = 0; i < rows; ++i) {
        int event = g->event[i];
        if (event >= 0) {
            which[i * count + (size_t)event] = 1;
            first[i * count + (size_t)event] = !met[event];
            met[event] = true;
        }
    }
}

/// Where the rows are at the end: times, their cotangents, events. Rows that are there only to be
/// many have none.
static void set_end(const evn__event_gradient *g) {
    int rows = g->system->rows, samples = sample_count(g);
    double *t = g->numbers, *t_bar = t + rows;
    for (int i = 0; i < rows; ++i) {
        bool counts = i < samples;
        g->event[i] = counts ? evn__event_search_terminal(g->search, i) : -1;
        t[i] = g->solve.t1[counts ? i : 0];
        t_bar[i] = counts ? g->places.t_bar[i] : 0;
    }
}

/// The same at the places with one number, and the cotangents of x there.
static void set_places(const evn__event_gradient *g, int index) {
    size_t size = row_elements(g);
    int rows = g->system->rows, samples = sample_count(g);
    double *t = g->numbers, *t_bar = t + rows;
    memset(g->state, 0, sizeof(*g->state) * g->layout.total);
    for (int i = 0; i < rows; ++i) {
        const evn__event_place *p = i < samples ? find_place(g, i, index) : NULL;
        g->event[i] = p ? p->event : -1;
        t[i] = p ? p->t : g->solve.t1[i < samples ? i : 0];
        t_bar[i] = p ? p->t_bar : 0;
        if (p && p->x_bar) {
            memcpy(g->state + (size_t)i * size, p->x_bar, sizeof(*g->state) * size);
        }
    }
}

static evn_binding state_at(const evn__event_gradient *g, bool ends, int index) {
    return ends ? evn__event_search_state(g->search, index)
                : (evn_binding){g->middle, g->layout.offset[index]};
}

static evn_binding rates(const evn__event_gradient *g) {
    return (evn_binding){g->bars, bar_at(g, g->system->system.parameter_count + 1)};
}

static evn_binding multipliers(const evn__event_gradient *g) {
    evn_binding at = rates(g);
    at.offset += evn__real_aligned((size_t)g->system->rows);
    return at;
}

static evn_status run_through(const evn__event_gradient *g, bool ends) {
    int states = g->layout.count, parameters = g->system->system.parameter_count;
    size_t rows = (size_t)g->system->rows, numbers = evn__real_aligned(g->layout.size[0]);
    size_t table = rows * (size_t)g->system->count;
    evn_binding *in = NULL, *out = NULL;
    EVN_TRY(EVN_NEW(&in, 2 * (states + parameters) + 10));
    out = in + states + parameters + 5;
    evn_binding *to = in, *from = out;
    *to++ = (evn_binding){g->given, numbers};
    for (int i = 0; i < states; ++i) {
        *to++ = state_at(g, ends, i);
    }
    memcpy(to, g->solve.parameters, sizeof(*to) * (size_t)parameters);
    to += parameters;
    *to++ = (evn_binding){g->given, 0};
    *to++ = (evn_binding){g->given, numbers + rows};
    *to++ = (evn_binding){g->given, numbers + 2 * rows};
    *to++ = (evn_binding){g->given, numbers + 2 * rows + table};
    for (int i = 0; i < parameters + 2; ++i) { // x_bar, parameters, rates
        *from++ = (evn_binding){g->bars, bar_at(g, i)};
    }
    *from = multipliers(g);
    evn_status status = evn_plan_run(g->through, in, out);
    free(in);
    return status;
}

static evn_status check_row(int event, double t, double rate, double multiplier) {
    EVN_CHECK(event < 0 || (isfinite(rate) && rate != 0), EVN_ERR_NOT_FINITE,
              "at event %d, t = %.9g, its function changes at a rate of %g: it only touches 0, and "
              "its time has no derivative; leave its cotangents out",
              event, t, rate);
    EVN_CHECK(event < 0 || isfinite(multiplier), EVN_ERR_NOT_FINITE,
              "at event %d, t = %.9g, where its function changes at a rate of %g, the derivative "
              "by its time is %g: look at the cotangents there, or leave those of events that only "
              "graze 0 out",
              event, t, rate, multiplier);
    return EVN_OK;
}

/// Where an event's function only touches 0, or nearly so, its time has no derivative.
static evn_status check_rates(const evn__event_gradient *g) {
    bool fp64 = g->problem->options->fp64;
    size_t rows = (size_t)g->system->rows;
    const double *t = g->numbers;
    double *rate = g->said, *multiplier = rate + rows;
    EVN_TRY(evn__real_read(rates(g), fp64, rate, rows));
    EVN_TRY(evn__real_read(multipliers(g), fp64, multiplier, rows));
    for (int i = 0; i < sample_count(g); ++i) {
        evn_status status = check_row(g->event[i], t[i], rate[i], multiplier[i]);
        bool names = status != EVN_OK && g->problem->options->per_sample;
        EVN_TRY(names ? evn__prepend(status, "sample %d", i) : status);
    }
    return EVN_OK;
}

/// Behind x_bar, which is given: the cotangents before the events, in `bars`.
static evn_status pass(const evn__event_gradient *g, bool ends) {
    const evn_binding to = {g->given, evn__real_aligned(g->layout.size[0])};
    fill_which(g, g->numbers + 2 * (size_t)g->system->rows);
    EVN_TRY(evn__real_write(to, g->problem->options->fp64, g->numbers, number_count(g)));
    EVN_TRY(run_through(g, ends));
    return check_rates(g);
}

/// x_bar += cotangents of x, one sample after the other, which go by `middle`.
static evn_status join(const evn__event_gradient *g, evn_binding x_bar, const double *more) {
    const evn_binding share = {g->middle, 0};
    EVN_TRY(evn__real_write(share, g->problem->options->fp64, more, state_elements(g)));
    return evn__jump_add(g->join, x_bar, share);
}

static evn_status pass_end(const evn__event_gradient *g, const evn_event_bars *bars) {
    bool fp64 = g->problem->options->fp64;
    const evn_binding x_bar = {g->given, 0};
    EVN_TRY(evn__real_zero(x_bar, fp64, g->layout.size[0]));
    EVN_TRY(evn__real_copy(x_bar, bars->x1_bar, fp64, state_elements(g)));
    EVN_TRY(g->places.ends ? join(g, x_bar, g->places.at_end) : EVN_OK);
    set_end(g);
    return pass(g, true);
}

/// At the places with one number, where x0_bar comes from behind.
static evn_status pass_places(const evn__event_gradient *g, int index, evn_binding x0_bar) {
    const evn_binding x_bar = {g->given, 0};
    EVN_TRY(evn__real_zero(x_bar, g->problem->options->fp64, g->layout.size[0]));
    set_places(g, index);
    EVN_TRY(evn__real_write(x_bar, g->problem->options->fp64, g->state, state_elements(g)));
    EVN_TRY(pass(g, false));
    return evn__jump_add(g->join, (evn_binding){g->bars, 0}, x0_bar);
}

// Parts -------------------------------------------------------------------------------------------

/// Where a part begins, from the state at t0 or `middle`.
static evn_status solve_part(evn__event_gradient *g, int part, evn_solution *solution) {
    evn_binding x1;
    const evn_buffer *from = part == 0 ? g->start : g->middle;
    const evn_sample_times times = {.t0 = g->t0, .t1 = g->t1};
    for (int i = 0; i < sample_count(g); ++i) {
        g->t0[i] = part == 0 ? g->solve.t0[i] : time_of(g, i, part - 1);
        g->t1[i] = time_of(g, i, part);
    }
    for (int i = 0; i < g->dynamics->weight_count; ++i) {
        const evn__weight *w = &g->dynamics->weights[i];
        g->weights[i] = w->evolves ? (evn_binding){(evn_buffer *)from, g->layout.offset[w->index]}
                                   : g->solve.weights[i];
    }
    const evn_binding x0 = {(evn_buffer *)from, 0};
    return g->problem->options->per_sample
               ? evn_solve_samples(g->solver, &times, x0, g->weights, &x1, solution)
               : evn_solve(g->solver, g->t0[0], g->t1[0], x0, g->weights, &x1, solution);
}

/// Where the cotangents of a part go: those of constants beside the sums, unless it is the last
/// part, which is the first one that is gone.
static void want(const evn__event_gradient *g, bool last, const evn_binding *weights_bar) {
    for (int i = 0; i < g->dynamics->weight_count; ++i) {
        const evn__weight *w = &g->dynamics->weights[i];
        bool beside = !last && !w->evolves;
        g->weights_bar[i] = beside
                                ? (evn_binding){g->shares, bar_at(g, 1 + w->index) - bar_at(g, 1)}
                                : weights_bar[i];
        if (w->evolves) {
            g->carried[w->index] = weights_bar[i];
        }
    }
}

/// Weights that are parameters get their share, of a part or of events.
static evn_status add_shares(const evn__event_gradient *g, const evn_buffer *from, size_t begin,
                             const evn_binding *weights_bar) {
    for (int i = 0; i < g->dynamics->weight_count; ++i) {
        const evn__weight *w = &g->dynamics->weights[i];
        if (!w->evolves) {
            const evn_binding share = {(evn_buffer *)from,
                                       begin + bar_at(g, 1 + w->index) - bar_at(g, 1)};
            EVN_TRY(evn__jump_add(g->sums[i], weights_bar[i], share));
        }
    }
    return EVN_OK;
}

static void add_solution(evn_solution *sum, const evn_solution *one) {
    evn_solution all = *one;
    all.accepted += sum->accepted;
    all.rejected += sum->rejected;
    all.nfe += sum->nfe;
    all.surplus += sum->surplus;
    all.waits += sum->waits;
    all.fell_back = all.fell_back || sum->fell_back;
    *sum = all;
}

/// Back along one part; the cotangent at its end is in `bars`.
static evn_status take_part(evn__event_gradient *g, int part, evn_binding *x0_bar,
                            const evn_binding *weights_bar, evn_solution *solution) {
    evn_solution ahead = {0}, back = {0};
    bool last = part == g->places.most;
    evn_status status = g->solved ? EVN_OK : solve_part(g, part, &ahead);
    if (status != EVN_OK) {
        add_solution(solution, &ahead);
        return status;
    }
    g->solved = g->places.most == 0;
    want(g, last, weights_bar);
    status = evn__solve_part_gradient(g->solver, (evn_binding){g->bars, 0},
                                      last ? NULL : g->carried, x0_bar, g->weights_bar, &back);
    back.nfe += ahead.nfe;
    add_solution(solution, &back);
    EVN_TRY(status);
    EVN_TRY(last ? EVN_OK : add_shares(g, g->shares, 0, weights_bar));
    return add_shares(g, g->bars, bar_at(g, 1), weights_bar);
}

evn_status evn__event_gradient_take(evn__event_gradient *g, const evn_event_bars *bars,
                                    evn_binding *x0_bar, const evn_binding *weights_bar,
                                    evn_solution *solution) {
    g->differentiated = false;
    EVN_TRY(gather(g, bars));
    if (g->places.most > 0) {
        g->solved = false;
        EVN_TRY(evn__real_read(evn__event_search_state(g->search, 0), g->problem->options->fp64,
                               g->last, g->layout.total));
    }
    EVN_TRY(pass_end(g, bars));
    for (int part = g->places.most; part >= 0; --part) {
        EVN_TRY(part > 0 ? load_states(g, part - 1) : EVN_OK);
        EVN_TRY(take_part(g, part, x0_bar, weights_bar, solution));
        EVN_TRY(part > 0 ? pass_places(g, part - 1, *x0_bar) : EVN_OK);
    }
    EVN_TRY(g->places.starts ? join(g, *x0_bar, g->places.at_start) : EVN_OK);
    g->differentiated = true;
    return EVN_OK;
}

evn_status evn__event_gradient_time(const evn__event_gradient *g, double *t0_bar) {
    EVN_CHECK(g->differentiated || !g->options.time_gradient, EVN_ERR_ARGUMENT,
              "there is no gradient of the last solve: call evn_solve_to_event_gradient first, and "
              "go on only if it is EVN_OK");
    return evn_solver_time_gradient(g->solver, t0_bar, NULL, NULL);
}
