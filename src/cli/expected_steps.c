// SPDX-License-Identifier: Apache-2.0
// Steps of adaptive solves, whose number decides over memory where the gradient keeps them: found
// by the first batch, which is solved once before training.
#include "cli/rehearsal.h"

#include "data/parts.h"
#include "host/forecast.h"
#include "integrator/options.h"

/// A session of its own, whose source is the training's, or gives its batches in parts.
typedef struct trial {
    evn__session own;
    const evn__settings *settings;
    evn_source_methods borrowed; ///< those of the training's source, which it keeps
} trial;

bool evn__phase_keeps_steps(const evn_phase *phase, bool fallen) {
    const evn_solver_options *s = &phase->solver;
    bool backwards = s->gradient == EVN_GRADIENT_ADJOINT && !s->per_sample && !s->fall_back;
    return phase->epochs > 0 && s->steps == 0 &&
           (!backwards || (fallen && phase->reconstruction > 0));
}

static bool any_keeps_steps(const evn__session *session, bool fallen) {
    bool any = false;
    for (int i = 0; i < session->options.phase_count; ++i) {
        any = any || evn__phase_keeps_steps(&session->phases[i], fallen);
    }
    return any;
}

// A phase -----------------------------------------------------------------------------------------

static evn_status solve(const evn_task *task, const evn_phase *phase, int *steps) {
    evn_solution solution = {0};
    evn_status status = evn__rehearse_forward(task, &phase->solver, &solution);
    int one = solution.accepted + (phase->solver.per_sample ? solution.rejected : 0);
    *steps = solution.most_steps > 0 ? solution.most_steps : one;
    return status;
}

// All phases --------------------------------------------------------------------------------------

/// @param[out] steps  [phases], 0 where none are kept
static evn_status solve_each(trial *t, bool fallen, int *steps) {
    evn__session *own = &t->own;
    EVN_TRY(own->row->create(own, t->settings));
    evn_status status = EVN_OK;
    for (int i = 0; i < own->options.phase_count && status == EVN_OK; ++i) {
        steps[i] = 0;
        status = evn__phase_keeps_steps(&own->phases[i], fallen)
                     ? solve(&own->task, &own->phases[i], &steps[i])
                     : EVN_OK;
    }
    evn_task_destroy(&own->task);
    return status;
}

/// Nothing is computed, but for bytes of the peak; kernels are compiled, which several processes
/// do.
static evn_status count(trial *t, bool fallen, uint64_t *bytes) {
    int steps[EVN__PHASES_MAX];
    evn_device *device = t->own.device;
    EVN_TRY(evn__forecast_begin(device));
    evn__device_count_begin(device);
    evn_status status = solve_each(t, fallen, steps);
    *bytes = evn__device_memory_use(device).peak;
    evn__device_count_end(device);
    evn_status compiled = evn__forecast_end(device, status == EVN_OK);
    return status == EVN_OK ? compiled : status;
}

static evn_status open_source(trial *t, const evn_source *source, int64_t part) {
    t->borrowed = *source->methods;
    t->borrowed.destroy = NULL;
    const evn_source whole = {&t->borrowed, source->self};
    if (part == source->methods->info(source->self).batch) {
        t->own.source = whole;
        return EVN_OK;
    }
    return evn__source_parts(whole, part, &t->own.source);
}

static int64_t smaller_part(int64_t batch, int64_t part) {
    int64_t smaller = part / 2;
    while (smaller > 1 && batch % smaller != 0) {
        --smaller;
    }
    return smaller;
}

/// Solve as large a part of the first batch as there is room for; where nothing fits, or the solve
/// fails, as training will then say, steps stay 0.
static evn_status find_steps(const evn__session *session, const evn__settings *settings,
                             bool fallen, uint64_t room, int *steps) {
    int64_t batch = session->source.methods->info(session->source.self).batch, part = batch;
    uint64_t bytes = UINT64_MAX;
    evn_status status = EVN_OK;
    while (part > 0 && bytes > room && status == EVN_OK) {
        trial t = {.own = *session, .settings = settings};
        t.own.task = (evn_task){0};
        EVN_TRY(open_source(&t, &session->source, part));
        status = count(&t, fallen, &bytes);
        status = status == EVN_OK && bytes <= room ? solve_each(&t, fallen, steps) : status;
        evn_source_destroy(&t.own.source);
        part = evn__session_splits(session) ? smaller_part(batch, part) : 0;
    }
    return status;
}

evn_status evn__expect_steps(evn__session *session, const evn__settings *settings, bool fallen,
                             uint64_t room) {
    int steps[EVN__PHASES_MAX] = {0};
    if (!any_keeps_steps(session, fallen)) {
        return EVN_OK;
    }
    if (find_steps(session, settings, fallen, room, steps) != EVN_OK) {
        evn__error_clear();
        return EVN_OK;
    }
    for (int i = 0; i < session->options.phase_count; ++i) {
        evn_phase *phase = &session->phases[i];
        int expected = steps[i] > 0 ? evn__steps_room(steps[i] + 1) : 0;
        int usual = evn__expected_steps(&phase->solver);
        // Runs that do not look so far have more; below a limit there is none to be found later.
        bool least = !evn__phase_keeps_steps(phase, false) || settings->memory_limit;
        phase->solver.expected_steps = least && expected < usual ? usual : expected;
    }
    return EVN_OK;
}
