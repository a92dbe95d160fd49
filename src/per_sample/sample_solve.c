// SPDX-License-Identifier: Apache-2.0
#include "per_sample/sample_solve.h"

#include "base/number.h"
#include "dynamics/by_sample.h"
#include "host/counting.h"
#include "integrator/integrator.h"
#include "integrator/integrator_state.h"
#include "integrator/options.h"
#include "methods/interpolant.h"
#include "per_sample/sample_state.h"
#include "per_sample/sample_step.h"
#include "plan/real.h"
#include "plan/skip.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    // Attempts between two looks; even, so that what they leave is where the next ones begin. Those
    // of samples that need none cost next to nothing where kernels leave them out.
    MANY_ATTEMPTS = EVN__SAMPLE_FIRST_BACK << (EVN__SAMPLE_BACK - 1),
    FEW_ATTEMPTS = 8,
    MAX_DENSE_BYTES = 32 << 20 // of interpolants between two looks
};

// Life --------------------------------------------------------------------------------------------

static size_t observations(const evn__sample_solve *s) {
    return (size_t)s->problem->options->observations;
}

static evn_status make_buffer(const evn__sample_solve *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem->device, EVN__USE_STATES, s->fp64, count, buffer);
}

bool evn__sample_solve_observes(const evn__sample_solve *s) {
    return observations(s) > 0;
}

size_t evn__sample_solve_elements(const evn__sample_solve *s) {
    return (size_t)s->rows * s->size;
}

static evn_status make_halves(const evn__sample_solve *s, size_t count, evn_buffer **buffer) {
    return make_buffer(s, 2 * evn__real_aligned(count), buffer);
}

static evn_status compile(evn__sample_solve *s, evn_graph *graph, evn_plan **plan) {
    static const char *const samples[] = {"active", "ends", "record", "x", "slope", NULL};
    const evn_plan_options options = {
        .fp64 = s->fp64, .sample_inputs = samples, .few_samples = true, .active_input = "active"};
    evn_status status = evn_plan_create(s->problem->device, graph, &options, plan);
    evn_graph_destroy(&graph);
    return status;
}

static evn_status compile_all(evn__sample_solve *s) {
    const evn__controller controller = evn__controller_create(s->problem->options);
    evn_graph *graph = NULL;
    EVN_TRY(evn__system_by_sample(s->problem->system, &s->system));
    s->rows = (int)evn__system_state_shape(&s->system, 0).dim[0];
    EVN_TRY(evn__sample_start_graph(&s->system, s->stepper, &controller, &graph));
    EVN_TRY(compile(s, graph, &s->start));
    EVN_TRY(evn__sample_attempt_graph(&s->system, s->stepper, &controller, s->terms, &graph));
    return compile(s, graph, &s->attempt);
}

static void choose_together(evn__sample_solve *s) {
    size_t one = evn__sample_solve_elements(s) * (size_t)s->terms * evn__real_bytes(s->fp64);
    size_t most = one > 0 ? MAX_DENSE_BYTES / one / 2 * 2 : MANY_ATTEMPTS;
    s->together = evn__plan_runs(s->attempt) ? MANY_ATTEMPTS : FEW_ATTEMPTS;
    if (most < (size_t)s->together) {
        s->together = most > 2 ? (int)most : 2;
    }
}

static evn_status make_terms(const evn__sample_solve *s, evn_buffer **terms) {
    size_t each = evn__sample_solve_elements(s) * (size_t)(s->terms - 1);
    return make_buffer(s, evn__size_product((size_t)s->together, each), terms);
}

static evn_status make_observations(evn__sample_solve *s) {
    size_t count = observations(s) * (size_t)s->samples;
    EVN_TRY(make_buffer(s, 2 * count, &s->times));
    EVN_TRY(s->problem->options->dense ? EVN_OK : make_terms(s, &s->later_terms));
    EVN_TRY(EVN_NEW(&s->host_times, 2 * count));
    s->interpolation = (evn__interpolation){.device = s->problem->device,
                                            .fp64 = s->fp64,
                                            .samples = s->samples,
                                            .rows = s->rows,
                                            .observations = (int)observations(s),
                                            .size = (int)s->size,
                                            .terms = s->terms,
                                            .attempts = s->together};
    return evn__interpolation_get(&s->interpolation);
}

static evn_status write_limits(evn__sample_solve *s) {
    const evn_solver_options *o = s->problem->options;
    const double unbounded = FLT_MAX; // in both precisions
    const double limits[EVN__SAMPLE_LIMITS] = {
        [EVN__SAMPLE_RTOL] = o->rtol,
        [EVN__SAMPLE_ATOL] = o->atol,
        [EVN__SAMPLE_DT_FIRST] = o->dt_first,
        [EVN__SAMPLE_DT_MIN] = o->dt_min,
        [EVN__SAMPLE_DT_MAX] = o->dt_max > 0 ? o->dt_max : unbounded,
        [EVN__SAMPLE_MAX_STEPS] = o->max_steps,
    };
    EVN_TRY(make_buffer(s, EVN__SAMPLE_LIMITS, &s->limits));
    return evn__real_write((evn_binding){s->limits, 0}, s->fp64, limits, EVN__SAMPLE_LIMITS);
}

static evn_status make_memory(evn__sample_solve *s) {
    size_t rows = (size_t)s->rows;
    EVN_TRY(make_halves(s, rows * s->size, &s->x));
    EVN_TRY(make_halves(s, rows * s->size, &s->slope));
    EVN_TRY(make_halves(s, rows * EVN_SAMPLE_RECORD, &s->record));
    EVN_TRY(make_halves(s, rows, &s->active));
    EVN_TRY(make_buffer(s, rows * EVN_SAMPLE_ENDS, &s->ends));
    EVN_TRY(EVN_NEW(&s->host_ends, rows * EVN_SAMPLE_ENDS));
    EVN_TRY(EVN_NEW(&s->host_record, rows * EVN_SAMPLE_RECORD));
    EVN_TRY(EVN_NEW(&s->decay, rows));
    EVN_TRY(write_limits(s));
    choose_together(s);
    size_t ports = 16 + EVN__INTERPOLANT_TERMS + (size_t)s->system.parameter_count;
    EVN_TRY(EVN_NEW(&s->inputs, (size_t)s->together * ports));
    EVN_TRY(EVN_NEW(&s->outputs, (size_t)s->together * ports));
    EVN_TRY(EVN_NEW(&s->saved, s->together));
    EVN_TRY(s->problem->options->dense ? make_buffer(s, evn__sample_solve_elements(s), &s->begin)
                                       : EVN_OK);
    return observations(s) > 0 ? make_observations(s) : EVN_OK;
}

static evn_status create(evn__sample_solve *s) {
    const evn_solver_options *options = s->problem->options;
    evn_shape shape = evn__system_state_shape(s->problem->system, 0);
    EVN_TRY(evn__check_options(options, &s->stepper));
    s->fp64 = options->fp64;
    s->keeps = options->gradient != EVN_GRADIENT_NONE || options->dense || options->keep_steps;
    s->terms = options->observations > 0 || options->dense
                   ? evn__interpolant_terms(s->stepper->interpolant)
                   : s->keeps;
    s->samples = shape.rank > 0 ? (int)shape.dim[0] : 1;
    s->size = (size_t)(evn_shape_count(shape) / s->samples);
    EVN_TRY(compile_all(s));
    return make_memory(s);
}

evn_status evn__sample_solve_create(const evn__problem *problem, evn__sample_solve **solve) {
    EVN_TRY(EVN_NEW(solve, 1));
    (*solve)->problem = problem;
    evn_status status = create(*solve);
    if (status != EVN_OK) {
        evn__sample_solve_destroy(solve);
    }
    return status;
}

static void free_chunk(evn__sample_chunk *chunk) {
    evn__repeat_destroy(&chunk->forward);
    for (int i = 0; i < EVN__SAMPLE_BACK; ++i) {
        evn__repeat_destroy(&chunk->backward[i]);
    }
    evn_buffer_destroy(&chunk->steps);
    evn_buffer_destroy(&chunk->starts);
    evn_buffer_destroy(&chunk->record);
    evn_buffer_destroy(&chunk->later_terms);
}

void evn__sample_solve_destroy(evn__sample_solve **solve) {
    evn__sample_solve *s = *solve;
    if (!s) {
        return;
    }
    for (int i = 0; i < s->chunk_count; ++i) {
        free_chunk(&s->chunks[i]);
    }
    evn_plan_destroy(&s->start);
    evn_plan_destroy(&s->attempt);
    evn__system_free(&s->system);
    evn_buffer **const others[] = {&s->x,    &s->slope, &s->record,      &s->active, &s->limits,
                                   &s->ends, &s->times, &s->later_terms, &s->begin};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); ++i) {
        evn_buffer_destroy(others[i]);
    }
    free(s->chunks);
    free(s->inputs);
    free(s->outputs);
    free(s->saved);
    free(s->host_ends);
    free(s->host_times);
    free(s->host_record);
    free(s->decay);
    free(s);
    *solve = NULL;
}

evn_binding evn__sample_solve_state(const evn__sample_solve *solve) {
    return (evn_binding){solve->x, 0};
}

// Times -------------------------------------------------------------------------------------------

bool evn__sample_pair(bool fp64, double value, double pair[2]) {
    const double high = fp64 ? value : (double)(float)value, low = value - high;
    bool is_new = pair[0] != high || pair[1] != low;
    pair[0] = high;
    pair[1] = low;
    return is_new;
}

static bool set_ends(evn__sample_solve *s, const evn__passage *passage) {
    bool is_new = false;
    for (int row = 0; row < s->rows; ++row) {
        double *ends = s->host_ends + (size_t)row * EVN_SAMPLE_ENDS, t0, t1;
        int sample = row < s->samples ? row : 0;
        const evn__rest *rest = passage->rest ? &passage->rest[sample] : NULL;
        double before = rest ? rest->accepted + rest->rejected : 0;
        evn__passage_ends(passage, sample, &t0, &t1);
        is_new |= evn__sample_pair(s->fp64, t0, ends + EVN_SAMPLE_BEGIN);
        is_new |= evn__sample_pair(s->fp64, t1, ends + EVN_SAMPLE_END);
        is_new |= before != ends[EVN_SAMPLE_BEFORE];
        ends[EVN_SAMPLE_WAY] = t1 - t0;
        ends[EVN_SAMPLE_BEFORE] = before;
    }
    return is_new;
}

static bool set_times(evn__sample_solve *s, const evn__passage *passage) {
    bool is_new = false;
    for (int sample = 0; sample < s->samples && s->host_times; ++sample) {
        for (int j = 0; j < (int)observations(s); ++j) {
            double *to = s->host_times + 2 * ((size_t)j * (size_t)s->samples + (size_t)sample);
            is_new |= evn__sample_pair(
                s->fp64, evn__passage_observation(s->problem, passage, sample, j), to);
        }
    }
    return is_new;
}

/// To the device, where they are not there already.
static evn_status write_times(evn__sample_solve *s, const evn__passage *passage) {
    bool ends = set_ends(s, passage), times = set_times(s, passage), all = !s->written;
    s->written = false;
    if (ends || all) {
        EVN_TRY(evn__real_write((evn_binding){s->ends, 0}, s->fp64, s->host_ends,
                                (size_t)s->rows * EVN_SAMPLE_ENDS));
    }
    if (s->host_times && (times || all)) {
        EVN_TRY(evn__real_write((evn_binding){s->times, 0}, s->fp64, s->host_times,
                                2 * observations(s) * (size_t)s->samples));
    }
    s->written = true;
    return EVN_OK;
}

// Attempts ----------------------------------------------------------------------------------------

static evn_binding whole(evn_buffer *buffer) {
    return (evn_binding){buffer, 0};
}

/// One of two halves of a buffer of so many elements a row.
static evn_binding half_of(const evn__sample_solve *s, evn_buffer *buffer, size_t elements,
                           int which) {
    size_t count = evn__real_aligned((size_t)s->rows * elements);
    return (evn_binding){buffer, (size_t)which * count};
}

static evn_binding *bind_rest(const evn__sample_solve *s, const evn__passage *passage,
                              evn_binding *to) {
    for (int i = 0; i < s->system.parameter_count; ++i) {
        *to++ = passage->parameters[i];
    }
    for (int i = 0; i < EVN__SAMPLE_LIMITS; ++i) {
        *to++ = (evn_binding){s->limits, (size_t)i};
    }
    return to;
}

evn_status evn__sample_solve_start(const evn__sample_solve *s, const evn__passage *passage) {
    const evn_binding outputs[] = {whole(s->slope), whole(s->record), whole(s->active)};
    s->inputs[0] = whole(s->ends);
    s->inputs[1] = whole(s->x);
    bind_rest(s, passage, s->inputs + 2);
    return evn_plan_run(s->start, s->inputs, outputs);
}

/// What attempt `index` of the chunk leaves.
static evn_binding *bind_done(const evn__sample_solve *s, const evn__sample_chunk *chunk, int index,
                              evn_binding *to) {
    size_t elements = evn__sample_solve_elements(s), at = (size_t)index;
    evn_buffer *later = chunk->later_terms ? chunk->later_terms : s->later_terms;
    *to++ = (evn_binding){chunk->steps, at * (size_t)s->rows * EVN_SAMPLE_STEP};
    *to++ = (evn_binding){chunk->starts, at * elements};
    for (int p = 1; p < s->terms; ++p) {
        size_t term = (size_t)(p - 1) * (size_t)s->together;
        *to++ = (evn_binding){later, (term + at) * elements};
    }
    return to;
}

static void bind_attempts(const evn__sample_solve *s, const evn__passage *passage,
                          const evn__sample_chunk *chunk) {
    evn_binding *in = s->inputs, *out = s->outputs;
    for (int i = 0; i < s->together; ++i) {
        int now = i % 2, next = !now;
        *in++ = half_of(s, s->active, 1, now);
        *in++ = whole(s->ends);
        *in++ = half_of(s, s->record, EVN_SAMPLE_RECORD, now);
        *in++ = half_of(s, s->x, s->size, now);
        *in++ = half_of(s, s->slope, s->size, now);
        in = bind_rest(s, passage, in);
        *out++ = half_of(s, s->active, 1, next);
        *out++ = half_of(s, s->record, EVN_SAMPLE_RECORD, next);
        *out++ = half_of(s, s->x, s->size, next);
        *out++ = half_of(s, s->slope, s->size, next);
        out = s->terms > 0 ? bind_done(s, chunk, i, out) : out;
    }
}

evn_status evn__sample_chunk_run(evn_plan *plan, const evn__runs *runs, evn__repeat **repeat) {
    if (*repeat && !evn__repeat_is(*repeat, runs)) {
        evn__repeat_destroy(repeat);
    }
    if (!*repeat) {
        EVN_TRY(evn__repeat_create(plan, runs, repeat));
    }
    return evn__repeat_run(*repeat);
}

static evn_status make_chunk(const evn__sample_solve *s, evn__sample_chunk *chunk) {
    size_t attempts = s->terms > 0 ? (size_t)s->together : 0;
    EVN_TRY(make_buffer(s, attempts * (size_t)s->rows * EVN_SAMPLE_STEP, &chunk->steps));
    EVN_TRY(make_buffer(s, (size_t)s->rows * EVN_SAMPLE_RECORD, &chunk->record));
    EVN_TRY(s->problem->options->dense ? make_terms(s, &chunk->later_terms) : EVN_OK);
    return make_buffer(s, evn__size_product(attempts, evn__sample_solve_elements(s)),
                       &chunk->starts);
}

/// Memory for what the attempts of another chunk leave: all of it, or none, as the next solve may
/// find more room.
static evn_status add_chunk(evn__sample_solve *s) {
    EVN_TRY(EVN_RESERVE(s->chunks, s->chunk_capacity, s->chunk_count + 1));
    evn__sample_chunk *chunk = &s->chunks[s->chunk_count];
    *chunk = (evn__sample_chunk){0};
    evn_status status = make_chunk(s, chunk);
    if (status == EVN_OK) {
        ++s->chunk_count;
    } else {
        free_chunk(chunk);
    }
    return status;
}

/// Memory for the attempts that are expected, as far as there is any: a solve may take fewer.
static evn_status reserve(evn__sample_solve *s) {
    int expected = s->keeps ? s->problem->options->expected_steps : 0;
    evn_status status = EVN_OK;
    while (s->chunk_count * s->together < expected && status == EVN_OK) {
        status = add_chunk(s);
    }
    if (status == EVN_ERR_DEVICE_MEMORY || status == EVN_ERR_MEMORY) {
        evn__error_clear();
        return EVN_OK;
    }
    return status;
}

/// Chunk `index`, or where nothing is kept the same one again.
static evn_status get_chunk(evn__sample_solve *s, int index, evn__sample_chunk **chunk) {
    int own = s->keeps ? index : 0;
    if (own == s->chunk_count) {
        evn_status status = add_chunk(s);
        EVN_TRY(status == EVN_ERR_DEVICE_MEMORY
                    ? evn__prepend(status,
                                   "the states of %d steps, which the gradient, dense output or "
                                   "keep_steps needs: loosen rtol and atol",
                                   (index + 1) * s->together)
                    : status);
    }
    *chunk = &s->chunks[own];
    return EVN_OK;
}

static evn_status run_chunk(evn__sample_solve *s, const evn__passage *passage, int index) {
    evn__sample_chunk *chunk;
    EVN_TRY(get_chunk(s, index, &chunk));
    if (s->keeps) { // attempts that are left out took no step
        EVN_TRY(evn__real_zero(whole(chunk->steps), s->fp64,
                               (size_t)s->together * (size_t)s->rows * EVN_SAMPLE_STEP));
    }
    bind_attempts(s, passage, chunk);
    const evn__runs runs = {0, s->together, s->inputs, s->outputs, s->saved};
    EVN_TRY(evn__sample_chunk_run(s->attempt, &runs, &chunk->forward));
    EVN_TRY(evn__real_copy(whole(chunk->record), whole(s->record), s->fp64,
                           (size_t)s->rows * EVN_SAMPLE_RECORD));
    if (!evn__sample_solve_observes(s)) {
        return EVN_OK;
    }
    const evn__located located = evn__sample_solve_locate(s, index, chunk);
    return evn__interpolation_steps(&s->interpolation, &located, chunk->starts,
                                    chunk->later_terms ? chunk->later_terms : s->later_terms,
                                    passage->series);
}

evn__located evn__sample_solve_locate(const evn__sample_solve *s, int index,
                                      const evn__sample_chunk *chunk) {
    return (evn__located){s->ends, s->times, chunk->record, chunk->steps, index * s->together};
}

/// Wait, and see whether any sample has to go on. Where nothing is computed (host/counting.h) none
/// has.
static evn_status look(evn__sample_solve *s, bool *running) {
    size_t count = (size_t)s->rows * EVN_SAMPLE_RECORD;
    EVN_TRY(evn__real_read(whole(s->record), s->fp64, s->host_record, count));
    *running = false;
    for (int row = 0; row < s->rows && !evn__device_is_counting(s->problem->device); ++row) {
        double status = s->host_record[(size_t)row * EVN_SAMPLE_RECORD + EVN_SAMPLE_STATUS];
        *running = *running || status == EVN_CONTROL_RUNNING;
    }
    return EVN_OK;
}

// A solve -----------------------------------------------------------------------------------------

int evn__sample_solve_evaluations(const evn__sample_solve *solve) {
    return solve->terms > 1 ? evn__stepper_dense_evaluations(solve->stepper)
                            : evn__stepper_adaptive_evaluations(solve->stepper);
}

evn_solution evn__sample_solve_solution(const evn__sample_solve *s, int sample) {
    const double *record = s->host_record + (size_t)sample * EVN_SAMPLE_RECORD;
    bool imagined = evn__device_is_counting(s->problem->device);
    int accepted = (int)record[EVN_SAMPLE_ACCEPTED], rejected = (int)record[EVN_SAMPLE_REJECTED];
    int each = evn__sample_solve_evaluations(s);
    int status = imagined ? EVN_CONTROL_DONE : (int)record[EVN_SAMPLE_STATUS];
    return (evn_solution){.outcome = evn__outcome_of(status),
                          .t = record[EVN_SAMPLE_T] + record[EVN_SAMPLE_T + 1],
                          .dt = record[EVN_SAMPLE_WANTED],
                          .accepted = accepted,
                          .rejected = rejected,
                          .nfe = 2 + each * (accepted + rejected),
                          .decay = s->decay[sample]};
}

evn_status evn__sample_solve_fail(const evn_solver_options *options, const evn__passage *passage,
                                  const evn__stopped *stopped, const evn_solution *solution) {
    double t0, t1;
    evn__passage_ends(passage, stopped->first, &t0, &t1);
    return evn__prepend(evn__outcome_fail(options, solution, t0, t1, t1, solution->dt, false),
                        "sample %d (%d of %d samples came to a stop, the others are solved)",
                        stopped->first, stopped->count, stopped->samples);
}

/// Say of all samples what there is to say.
static evn_status finish(evn__sample_solve *s, const evn__passage *passage, int attempts, int waits,
                         evn_solution *solution) {
    int failed = 0, first = 0, most = 0;
    for (int i = 0; i < s->samples; ++i) {
        evn_solution one = evn__sample_solve_solution(s, i);
        int made = one.accepted + one.rejected;
        first = one.outcome != EVN_OUTCOME_DONE && failed++ == 0 ? i : first;
        if (i == 0 || made > most) {
            *solution = one;
            most = made;
        }
    }
    s->made = evn__device_is_counting(s->problem->device) ? attempts : most; // of any solve
    solution->surplus = attempts - most;
    solution->waits = waits;
    if (failed == 0) {
        return EVN_OK;
    }
    const evn_solution stopped = evn__sample_solve_solution(s, first);
    const evn__stopped what = {first, failed, s->samples};
    solution->outcome = stopped.outcome;
    return evn__sample_solve_fail(s->problem->options, passage, &what, &stopped);
}

/// The series before the first step.
static evn_status observe_begin(const evn__sample_solve *s, const evn__passage *passage) {
    const evn__located located = {.ends = s->ends, .times = s->times};
    return evn__sample_solve_observes(s) && !passage->continues
               ? evn__interpolation_begin(&s->interpolation, &located, s->x, passage->series)
               : EVN_OK;
}

evn_status evn__sample_solve_run(evn__sample_solve *s, const evn__passage *passage,
                                 evn_solution *solution) {
    bool running = true;
    EVN_TRY(reserve(s));
    memset(s->decay, 0, sizeof(*s->decay) * (size_t)s->rows);
    EVN_TRY(write_times(s, passage));
    for (int row = s->samples; row < s->rows; ++row) { // what is there only to be many
        const evn_binding copy = {s->x, (size_t)row * s->size};
        EVN_TRY(evn__real_copy(copy, whole(s->x), s->fp64, s->size));
    }
    EVN_TRY(evn__sample_solve_start(s, passage));
    EVN_TRY(observe_begin(s, passage));
    EVN_TRY(s->begin ? evn__real_copy(whole(s->begin), whole(s->x), s->fp64,
                                      evn__sample_solve_elements(s))
                     : EVN_OK);
    for (s->used = 0; running; ++s->used) {
        EVN_TRY(run_chunk(s, passage, s->used));
        EVN_TRY(look(s, &running));
    }
    EVN_TRY(evn__sample_solve_find_decay(s, passage));
    return finish(s, passage, s->used * s->together, s->used, solution);
}
