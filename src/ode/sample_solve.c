// SPDX-License-Identifier: Apache-2.0
#include "ode/sample_solve.h"

#include "base/number.h"
#include "host/counting.h"
#include "host/kernel.h"
#include "ode/by_sample.h"
#include "ode/integrator.h"
#include "ode/integrator_state.h"
#include "ode/sample_step.h"
#include "plan/real.h"
#include "plan/repeat.h"
#include "plan/skip.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    // Attempts between two looks; even, so that what they leave is where the next ones begin. Those
    // of samples that need none cost next to nothing where kernels leave them out.
    MANY_ATTEMPTS = 64,
    FEW_ATTEMPTS = 8,
    MAX_DENSE_BYTES = 32 << 20, // of interpolants between two looks
    GROUP_ITEMS = 64,
    MAX_OBSERVATION_ITEMS = 64
};

struct evn__sample_solve {
    const evn__problem *problem;
    const evn__tableau *tableau;
    evn__system system; ///< with a time for each sample
    bool fp64, dense;
    int samples, rows; ///< B; rows in memory, of which there are more where B is 1
    size_t size;       ///< elements of a sample
    evn_plan *start, *attempt;
    evn_buffer *x[2], *slope[2], *record[2], *active[2]; ///< exchanged by each attempt
    evn_buffer *limits;                                  ///< [EVN__SAMPLE_LIMITS]
    evn_buffer *ends;                                    ///< [rows, EVN_SAMPLE_ENDS]
    evn_buffer *times;                                   ///< [observations, B, 2]
    evn_buffer *steps, *terms; ///< of the attempts between two looks (kernels/interpolate.cl)
    int together;              ///< attempts between two looks
    evn_binding *inputs, *outputs, *saved; ///< of each of them
    evn__repeat *attempts;
    evn__kernel *interpolate_begin, *interpolate_steps;
    double *host_ends, *host_times, *host_record; ///< as on the device, in double precision
    bool written;                                 ///< so they are
};

// Life --------------------------------------------------------------------------------------------

static size_t observations(const evn__sample_solve *s) {
    return (size_t)s->problem->options->observations;
}

static evn_status make_buffer(const evn__sample_solve *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem->device, EVN__USE_STATES, s->fp64, count, buffer);
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
    const evn__controller *controller = &evn__controller_elementary;
    evn_graph *graph = NULL;
    EVN_TRY(evn__system_by_sample(s->problem->system, &s->system));
    s->rows = (int)evn__system_state_shape(&s->system, 0).dim[0];
    EVN_TRY(evn__sample_start_graph(&s->system, s->tableau, controller, &graph));
    EVN_TRY(compile(s, graph, &s->start));
    EVN_TRY(evn__sample_attempt_graph(&s->system, s->tableau, controller, s->dense, &graph));
    return compile(s, graph, &s->attempt);
}

/// Reals of an attempt's interpolants.
static size_t dense_size(const evn__sample_solve *s) {
    return (size_t)s->rows * s->size * EVN_SAMPLE_TERMS;
}

static void choose_together(evn__sample_solve *s) {
    size_t most = MAX_DENSE_BYTES / (dense_size(s) * evn__real_bytes(s->fp64)) / 2 * 2;
    s->together = evn__plan_runs(s->attempt) ? MANY_ATTEMPTS : FEW_ATTEMPTS;
    if (s->dense && most < (size_t)s->together) {
        s->together = most > 2 ? (int)most : 2;
    }
}

static evn_status make_dense(evn__sample_solve *s) {
    evn_device *device = s->problem->device;
    const evn__source source = {.family = "interpolate", .options = "", .fp64 = s->fp64};
    size_t attempts = (size_t)s->together, count = observations(s) * (size_t)s->samples;
    EVN_TRY(make_buffer(s, 2 * count, &s->times));
    EVN_TRY(make_buffer(s, attempts * (size_t)s->rows * EVN_SAMPLE_STEP, &s->steps));
    EVN_TRY(make_buffer(s, evn__size_product(attempts, dense_size(s)), &s->terms));
    EVN_TRY(EVN_NEW(&s->host_times, 2 * count));
    EVN_TRY(evn__kernel_get(device, &source, "interpolate_begin", &s->interpolate_begin));
    return evn__kernel_get(device, &source, "interpolate_steps", &s->interpolate_steps);
}

static evn_status write_limits(evn__sample_solve *s) {
    const evn_solver_options *o = s->problem->options;
    const double limits[EVN__SAMPLE_LIMITS] = {o->rtol, o->atol, o->dt_min, o->max_steps};
    EVN_TRY(make_buffer(s, EVN__SAMPLE_LIMITS, &s->limits));
    return evn__real_write((evn_binding){s->limits, 0}, s->fp64, limits, EVN__SAMPLE_LIMITS);
}

static evn_status make_memory(evn__sample_solve *s) {
    size_t rows = (size_t)s->rows;
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(make_buffer(s, rows * s->size, &s->x[i]));
        EVN_TRY(make_buffer(s, rows * s->size, &s->slope[i]));
        EVN_TRY(make_buffer(s, rows * EVN_SAMPLE_RECORD, &s->record[i]));
        EVN_TRY(make_buffer(s, rows, &s->active[i]));
    }
    EVN_TRY(make_buffer(s, rows * EVN_SAMPLE_ENDS, &s->ends));
    EVN_TRY(EVN_NEW(&s->host_ends, rows * EVN_SAMPLE_ENDS));
    EVN_TRY(EVN_NEW(&s->host_record, rows * EVN_SAMPLE_RECORD));
    EVN_TRY(write_limits(s));
    choose_together(s);
    size_t ports = 16 + EVN_SAMPLE_TERMS + (size_t)s->system.parameter_count;
    EVN_TRY(EVN_NEW(&s->inputs, (size_t)s->together * ports));
    EVN_TRY(EVN_NEW(&s->outputs, (size_t)s->together * ports));
    EVN_TRY(EVN_NEW(&s->saved, s->together));
    return s->dense ? make_dense(s) : EVN_OK;
}

static evn_status create(evn__sample_solve *s) {
    const evn_solver_options *options = s->problem->options;
    evn_shape shape = evn__system_state_shape(s->problem->system, 0);
    EVN_TRY(evn__check_options(options, &s->tableau));
    s->fp64 = options->fp64;
    s->dense = options->observations > 0;
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

void evn__sample_solve_destroy(evn__sample_solve **solve) {
    evn__sample_solve *s = *solve;
    if (!s) {
        return;
    }
    evn__repeat_destroy(&s->attempts);
    evn_plan_destroy(&s->start);
    evn_plan_destroy(&s->attempt);
    evn__system_free(&s->system);
    for (int i = 0; i < 2; ++i) {
        evn_buffer_destroy(&s->x[i]);
        evn_buffer_destroy(&s->slope[i]);
        evn_buffer_destroy(&s->record[i]);
        evn_buffer_destroy(&s->active[i]);
    }
    evn_buffer **const others[] = {&s->limits, &s->ends, &s->times, &s->steps, &s->terms};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); ++i) {
        evn_buffer_destroy(others[i]);
    }
    free(s->inputs);
    free(s->outputs);
    free(s->saved);
    free(s->host_ends);
    free(s->host_times);
    free(s->host_record);
    free(s);
    *solve = NULL;
}

evn_binding evn__sample_solve_state(const evn__sample_solve *solve) {
    return (evn_binding){solve->x[0], 0};
}

// Times -------------------------------------------------------------------------------------------

/// As two reals, the second beyond the first one's last digit.
static bool set_pair(bool fp64, double value, double pair[2]) {
    const double high = fp64 ? value : (double)(float)value, low = value - high;
    bool is_new = pair[0] != high || pair[1] != low;
    pair[0] = high;
    pair[1] = low;
    return is_new;
}

static void ends_of(const evn__passage *passage, int sample, double *t0, double *t1) {
    *t0 = passage->samples ? passage->samples->t0[sample] : passage->t0;
    *t1 = passage->samples ? passage->samples->t1[sample] : passage->t1;
}

static double observation_of(const evn__sample_solve *s, const evn__passage *passage, int sample,
                             int index) {
    const evn__course *course = s->problem->course;
    double t0, t1;
    ends_of(passage, sample, &t0, &t1);
    if (passage->samples && passage->samples->times) {
        return passage->samples->times[(size_t)sample * observations(s) + (size_t)index];
    }
    return evn__course_begin(course, index + 1 - course->starts, t0, t1);
}

static bool set_ends(evn__sample_solve *s, const evn__passage *passage) {
    bool is_new = false;
    for (int row = 0; row < s->rows; ++row) {
        double *ends = s->host_ends + (size_t)row * EVN_SAMPLE_ENDS, t0, t1;
        ends_of(passage, row < s->samples ? row : 0, &t0, &t1);
        is_new |= set_pair(s->fp64, t0, ends + EVN_SAMPLE_BEGIN);
        is_new |= set_pair(s->fp64, t1, ends + EVN_SAMPLE_END);
        ends[EVN_SAMPLE_WAY] = t1 - t0;
    }
    return is_new;
}

static bool set_times(evn__sample_solve *s, const evn__passage *passage) {
    bool is_new = false;
    for (int sample = 0; sample < s->samples && s->dense; ++sample) {
        for (int j = 0; j < (int)observations(s); ++j) {
            double *to = s->host_times + 2 * ((size_t)j * (size_t)s->samples + (size_t)sample);
            is_new |= set_pair(s->fp64, observation_of(s, passage, sample, j), to);
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
    if (s->dense && (times || all)) {
        EVN_TRY(evn__real_write((evn_binding){s->times, 0}, s->fp64, s->host_times,
                                2 * observations(s) * (size_t)s->samples));
    }
    s->written = true;
    return EVN_OK;
}

// Interpolation -----------------------------------------------------------------------------------

static evn__argument memory(evn_buffer *buffer, size_t offset) {
    return (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = buffer, .offset = offset};
}

static evn__argument number(int64_t value) {
    return (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = value};
}

static evn_status launch(const evn__sample_solve *s, evn__kernel *kernel,
                         const evn__argument *arguments, int count) {
    bool cpu = evn_device_get_info(s->problem->device)->type == EVN_DEVICE_CPU;
    size_t group = cpu ? 1 : GROUP_ITEMS, many = observations(s);
    size_t items = ((size_t)s->samples + group - 1) / group * group;
    many = cpu ? 1 : many < MAX_OBSERVATION_ITEMS ? many : MAX_OBSERVATION_ITEMS;
    return evn__kernel_launch(kernel, arguments, count, (evn__range){2, {items, many}, {group, 1}});
}

static evn_status observe_begin(const evn__sample_solve *s, evn_binding series) {
    const evn__argument arguments[] = {
        memory(s->ends, 0),      memory(s->times, 0),
        memory(s->x[0], 0),      memory(series.buffer, series.offset),
        number(s->samples),      number((int64_t)observations(s)),
        number((int64_t)s->size)};
    return launch(s, s->interpolate_begin, arguments, sizeof(arguments) / sizeof(*arguments));
}

static evn_status observe_steps(const evn__sample_solve *s, evn_binding series, int first) {
    const evn__argument arguments[] = {
        memory(s->ends, 0),       memory(s->times, 0), memory(s->record[0], 0),
        memory(s->steps, 0),      memory(s->terms, 0), memory(series.buffer, series.offset),
        number(s->samples),       number(s->rows),     number((int64_t)observations(s)),
        number((int64_t)s->size), number(first),       number(s->together)};
    return launch(s, s->interpolate_steps, arguments, sizeof(arguments) / sizeof(*arguments));
}

// Attempts ----------------------------------------------------------------------------------------

static evn_binding whole(evn_buffer *buffer) {
    return (evn_binding){buffer, 0};
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

static evn_status run_start(const evn__sample_solve *s, const evn__passage *passage) {
    const evn_binding outputs[] = {whole(s->slope[0]), whole(s->record[0]), whole(s->active[0])};
    s->inputs[0] = whole(s->ends);
    s->inputs[1] = whole(s->x[0]);
    bind_rest(s, passage, s->inputs + 2);
    return evn_plan_run(s->start, s->inputs, outputs);
}

/// What attempt `index` between two looks leaves for interpolation.
static evn_binding *bind_dense(const evn__sample_solve *s, int index, evn_binding *to) {
    size_t row = (size_t)s->rows, at = (size_t)index;
    *to++ = (evn_binding){s->steps, at * row * EVN_SAMPLE_STEP};
    for (int p = 0; p < EVN_SAMPLE_TERMS; ++p) {
        size_t term = (size_t)p * (size_t)s->together;
        *to++ = (evn_binding){s->terms, (term + at) * row * s->size};
    }
    return to;
}

static void bind_attempts(const evn__sample_solve *s, const evn__passage *passage) {
    evn_binding *in = s->inputs, *out = s->outputs;
    for (int i = 0; i < s->together; ++i) {
        int now = i % 2, next = !now;
        *in++ = whole(s->active[now]);
        *in++ = whole(s->ends);
        *in++ = whole(s->record[now]);
        *in++ = whole(s->x[now]);
        *in++ = whole(s->slope[now]);
        in = bind_rest(s, passage, in);
        *out++ = whole(s->active[next]);
        *out++ = whole(s->record[next]);
        *out++ = whole(s->x[next]);
        *out++ = whole(s->slope[next]);
        out = s->dense ? bind_dense(s, i, out) : out;
    }
}

static evn_status run_attempts(evn__sample_solve *s, const evn__passage *passage) {
    bind_attempts(s, passage);
    const evn__runs runs = {0, s->together, s->inputs, s->outputs, s->saved};
    if (s->attempts && !evn__repeat_is(s->attempts, &runs)) {
        evn__repeat_destroy(&s->attempts);
    }
    if (!s->attempts) {
        EVN_TRY(evn__repeat_create(s->attempt, &runs, &s->attempts));
    }
    return evn__repeat_run(s->attempts);
}

/// Wait, and see whether any sample has to go on. Where nothing is computed (host/counting.h) none
/// has.
static evn_status look(evn__sample_solve *s, bool *running) {
    size_t count = (size_t)s->rows * EVN_SAMPLE_RECORD;
    EVN_TRY(evn__real_read(whole(s->record[0]), s->fp64, s->host_record, count));
    *running = false;
    for (int row = 0; row < s->rows && !evn__device_is_counting(s->problem->device); ++row) {
        double status = s->host_record[(size_t)row * EVN_SAMPLE_RECORD + EVN_SAMPLE_STATUS];
        *running = *running || status == EVN_CONTROL_RUNNING;
    }
    return EVN_OK;
}

// A solve -----------------------------------------------------------------------------------------

evn_solution evn__sample_solve_solution(const evn__sample_solve *s, int sample) {
    const double *record = s->host_record + (size_t)sample * EVN_SAMPLE_RECORD;
    bool imagined = evn__device_is_counting(s->problem->device);
    int accepted = (int)record[EVN_SAMPLE_ACCEPTED], rejected = (int)record[EVN_SAMPLE_REJECTED];
    int status = imagined ? EVN_CONTROL_DONE : (int)record[EVN_SAMPLE_STATUS];
    return (evn_solution){.outcome = evn__outcome_of(status),
                          .t = record[EVN_SAMPLE_T] + record[EVN_SAMPLE_T + 1],
                          .dt = record[EVN_SAMPLE_WANTED],
                          .accepted = accepted,
                          .rejected = rejected,
                          .nfe = 2 + evn__tableau_adaptive_evaluations(s->tableau) *
                                         (accepted + rejected)};
}

/// Say of all samples what there is to say.
static evn_status finish(const evn__sample_solve *s, const evn__passage *passage, int attempts,
                         int waits, evn_solution *solution) {
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
    solution->surplus = attempts - most;
    solution->waits = waits;
    if (failed == 0) {
        return EVN_OK;
    }
    const evn_solution stopped = evn__sample_solve_solution(s, first);
    double t0, t1;
    ends_of(passage, first, &t0, &t1);
    solution->outcome = stopped.outcome;
    return evn__prepend(evn__outcome_fail(s->problem->options, &stopped, t0, t1, stopped.dt),
                        "sample %d (%d of %d samples came to a stop, the others are solved)", first,
                        failed, s->samples);
}

evn_status evn__sample_solve_run(evn__sample_solve *s, const evn__passage *passage,
                                 evn_solution *solution) {
    int attempts = 0, waits = 0;
    bool running = true;
    EVN_TRY(write_times(s, passage));
    for (int row = s->samples; row < s->rows; ++row) { // what is there only to be many
        const evn_binding copy = {s->x[0], (size_t)row * s->size};
        EVN_TRY(evn__real_copy(copy, whole(s->x[0]), s->fp64, s->size));
    }
    EVN_TRY(run_start(s, passage));
    EVN_TRY(s->dense ? observe_begin(s, passage->series) : EVN_OK);
    for (; running; attempts += s->together, ++waits) {
        EVN_TRY(run_attempts(s, passage));
        EVN_TRY(s->dense ? observe_steps(s, passage->series, attempts) : EVN_OK);
        EVN_TRY(look(s, &running));
    }
    return finish(s, passage, attempts, waits, solution);
}
