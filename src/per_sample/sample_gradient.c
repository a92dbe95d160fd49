// SPDX-License-Identifier: Apache-2.0
// All samples go back together, attempt by attempt: one that took no step there hands its cotangent
// on. Chunk by chunk the cotangents of the observations become those of the steps' interpolants.
#include "per_sample/sample_gradient.h"

#include "per_sample/sample_state.h"
#include "per_sample/sample_step.h"
#include "plan/real.h"
#include <stdlib.h>

struct evn__sample_gradient {
    evn__sample_solve *solve; ///< borrowed
    evn_plan *plan;           ///< of one attempt, backward
    evn_buffer *x_bar;        ///< two halves [rows, …], exchanged by each attempt
    evn_buffer *bar;          ///< cotangents of the parameters so far, in two halves as well
    size_t *bar_at, *bar_size, bar_total;
    evn_buffer *term_bar;                  ///< with observations: [terms][together, rows, …]
    size_t input_count, output_count;      ///< of an attempt
    evn_binding *inputs, *outputs, *saved; ///< of the attempts of a chunk
};

// Life --------------------------------------------------------------------------------------------

/// Terms whose cotangents come from observations.
static int term_count(const evn__sample_solve *s) {
    return evn__sample_solve_observes(s) ? s->terms : 0;
}

_Static_assert(EVN__INTERPOLANT_TERMS == 8, "sample_inputs names each term's cotangent");

static evn_status compile(evn__sample_gradient *g) {
    static const char *const samples[] = {"step",       "x",          "ends",       "x_end",
                                          "x_bar",      "term_bar.0", "term_bar.1", "term_bar.2",
                                          "term_bar.3", "term_bar.4", "term_bar.5", "term_bar.6",
                                          "term_bar.7", NULL};
    const evn__sample_solve *s = g->solve;
    const evn_plan_options options = {
        .fp64 = s->fp64, .sample_inputs = samples, .few_samples = true};
    evn_graph *graph = NULL;
    EVN_TRY(evn__sample_backward_graph(&s->system, s->stepper, term_count(s), &graph));
    evn_status status = evn_plan_create(s->problem->device, graph, &options, &g->plan);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status lay_out(evn__sample_gradient *g) {
    const evn__system *system = &g->solve->system;
    EVN_TRY(EVN_NEW(&g->bar_at, system->parameter_count));
    EVN_TRY(EVN_NEW(&g->bar_size, system->parameter_count));
    for (int i = 0; i < system->parameter_count; ++i) {
        g->bar_at[i] = g->bar_total;
        g->bar_size[i] = (size_t)evn_shape_count(evn__system_parameter_shape(system, i));
        g->bar_total += evn__real_aligned(g->bar_size[i]);
    }
    return EVN_OK;
}

static evn_status make(const evn__sample_gradient *g, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(g->solve->problem->device, EVN__USE_STATES, g->solve->fp64, count,
                                buffer);
}

static size_t term_bar_count(const evn__sample_solve *s) {
    return evn__size_product((size_t)term_count(s) * (size_t)s->together,
                             evn__sample_solve_elements(s));
}

static evn_status create(evn__sample_gradient *g) {
    const evn__sample_solve *s = g->solve;
    size_t parameters = (size_t)s->system.parameter_count;
    g->input_count = 5 + (size_t)term_count(s) + 2 * parameters;
    g->output_count = 1 + parameters;
    EVN_TRY(compile(g));
    EVN_TRY(lay_out(g));
    EVN_TRY(make(g, 2 * evn__real_aligned(evn__sample_solve_elements(s)), &g->x_bar));
    EVN_TRY(make(g, 2 * g->bar_total, &g->bar));
    EVN_TRY(make(g, term_bar_count(s), &g->term_bar));
    EVN_TRY(EVN_NEW(&g->inputs, (size_t)s->together * g->input_count));
    EVN_TRY(EVN_NEW(&g->outputs, (size_t)s->together * g->output_count));
    return EVN_NEW(&g->saved, s->together);
}

evn_status evn__sample_gradient_create(evn__sample_solve *solve, evn__sample_gradient **gradient) {
    EVN_TRY(EVN_NEW(gradient, 1));
    (*gradient)->solve = solve;
    evn_status status = create(*gradient);
    if (status != EVN_OK) {
        evn__sample_gradient_destroy(gradient);
    }
    return status;
}

void evn__sample_gradient_destroy(evn__sample_gradient **gradient) {
    evn__sample_gradient *g = *gradient;
    if (!g) {
        return;
    }
    evn_plan_destroy(&g->plan);
    evn_buffer_destroy(&g->x_bar);
    evn_buffer_destroy(&g->bar);
    evn_buffer_destroy(&g->term_bar);
    free(g->bar_at);
    free(g->bar_size);
    free(g->inputs);
    free(g->outputs);
    free(g->saved);
    free(g);
    *gradient = NULL;
}

evn_binding evn__sample_gradient_state_bar(const evn__sample_gradient *gradient) {
    return (evn_binding){gradient->x_bar, 0};
}

// Running -----------------------------------------------------------------------------------------

/// The runs of a chunk, its last attempt first. As even numbers of them go together, each time they
/// begin and end with the first of two buffers.
static void bind_chunk(const evn__sample_gradient *g, const evn__passage *passage,
                       const evn__sample_chunk *chunk) {
    const evn__sample_solve *s = g->solve;
    size_t elements = evn__sample_solve_elements(s), together = (size_t)s->together;
    evn_binding *in = g->inputs, *out = g->outputs;
    for (size_t run = 0; run < together; ++run) {
        size_t attempt = together - 1 - run, now = run % 2, next = 1 - now;
        *in++ = (evn_binding){chunk->steps, attempt * (size_t)s->rows * EVN_SAMPLE_STEP};
        *in++ = (evn_binding){chunk->starts, attempt * elements};
        *in++ = (evn_binding){s->ends, 0};
        *in++ = (evn_binding){s->x, 0};
        for (int i = 0; i < s->system.parameter_count; ++i) {
            *in++ = passage->parameters[i];
        }
        *in++ = (evn_binding){g->x_bar, now * evn__real_aligned(elements)};
        *out++ = (evn_binding){g->x_bar, next * evn__real_aligned(elements)};
        for (int p = 0; p < term_count(s); ++p) {
            *in++ = (evn_binding){g->term_bar, ((size_t)p * together + attempt) * elements};
        }
        for (int i = 0; i < s->system.parameter_count; ++i) {
            *in++ = (evn_binding){g->bar, now * g->bar_total + g->bar_at[i]};
            *out++ = (evn_binding){g->bar, next * g->bar_total + g->bar_at[i]};
        }
    }
}

/// Over the first `made` attempts of the chunk, the last ones first, and some that took no step.
static evn_status go_back(const evn__sample_gradient *g, evn__sample_chunk *chunk, int made) {
    int together = g->solve->together;
    for (int i = EVN__SAMPLE_BACK - 1; i >= 0; --i) {
        int first = i > 0 ? EVN__SAMPLE_FIRST_BACK << (i - 1) : 0;
        int end = EVN__SAMPLE_FIRST_BACK << i;
        end = end < together ? end : together;
        if (first < end && first < made) {
            size_t run = (size_t)(together - end);
            const evn__runs runs = {0, end - first, g->inputs + run * g->input_count,
                                    g->outputs + run * g->output_count, g->saved + run};
            EVN_TRY(evn__sample_chunk_run(g->plan, &runs, &chunk->backward[i]));
        }
    }
    return EVN_OK;
}

static evn_status run_chunk(evn__sample_gradient *g, const evn__passage *passage,
                            evn_binding observed, int index) {
    const evn__sample_solve *s = g->solve;
    evn__sample_chunk *chunk = &s->chunks[index];
    if (observed.buffer) {
        const evn__located located = evn__sample_solve_locate(s, index, chunk);
        EVN_TRY(evn__real_zero((evn_binding){g->term_bar, 0}, s->fp64, term_bar_count(s)));
        EVN_TRY(evn__interpolation_back(&s->interpolation, &located, observed, g->term_bar));
    }
    bind_chunk(g, passage, chunk);
    int made = s->made - index * s->together;
    bool first = index == 0 && observed.buffer; // which has what is observed at the start
    return go_back(g, chunk, first && made < 1 ? 1 : made);
}

/// Cotangents at the ends: of x, of rows that are there only to be many, of the parameters.
static evn_status load(evn__sample_gradient *g, const evn__passage *passage, bool observes) {
    const evn__sample_solve *s = g->solve;
    const evn_binding x_bar = {g->x_bar, 0};
    size_t given = (size_t)s->samples * s->size;
    EVN_TRY(observes ? evn__passage_load_bar(passage, 0, x_bar, s->fp64, given)
                     : evn__real_copy(x_bar, passage->x1_bar, s->fp64, given));
    EVN_TRY(evn__real_zero((evn_binding){g->x_bar, given}, s->fp64,
                           evn__sample_solve_elements(s) - given));
    return evn__real_zero((evn_binding){g->bar, 0}, s->fp64, g->bar_total);
}

/// What the sample says that took the most steps.
static void report(const evn__sample_solve *s, evn_solution *solution) {
    int longest = 0, most = 0;
    for (int i = 0; i < s->samples; ++i) {
        int accepted = evn__sample_solve_solution(s, i).accepted;
        longest = accepted > most ? i : longest;
        most = accepted > most ? accepted : most;
    }
    const double *begin =
        s->host_ends + (size_t)longest * EVN_SAMPLE_ENDS + EVN_SAMPLE_BEGIN; // a pair
    *solution = (evn_solution){.t = begin[0] + begin[1],
                               .accepted = most,
                               .nfe = most * (1 + evn__sample_solve_evaluations(s))};
}

evn_status evn__sample_gradient_run(evn__sample_gradient *g, const evn__passage *passage,
                                    evn_solution *solution) {
    const evn__sample_solve *s = g->solve;
    bool observes = evn__sample_solve_observes(s);
    const evn_binding observed = observes ? passage->x1_bar : (evn_binding){0};
    *solution = (evn_solution){0};
    EVN_TRY(load(g, passage, observes));
    for (int i = s->used - 1; i >= 0; --i) {
        EVN_TRY(run_chunk(g, passage, observed, i));
    }
    for (int i = 0; i < s->system.parameter_count; ++i) {
        EVN_TRY(evn__real_copy(passage->parameters_bar[i], (evn_binding){g->bar, g->bar_at[i]},
                               s->fp64, g->bar_size[i]));
    }
    report(s, solution);
    return EVN_OK;
}
