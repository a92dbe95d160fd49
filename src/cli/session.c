// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "base/files.h"
#include "base/number.h"
#include "cli/choices.h"
#include "cli/console.h"
#include "cli/kept_network.h"
#include "cli/open_device.h"
#include "data/parts.h"
#include "host/forecast.h"
#include "host/priority.h"
#include "host/wait.h"
#include "nn/description.h"
#include "study/gradcheck.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// "30/60" → 30, 60.
static evn_status read_milestones(const char *text, evn_schedule *schedule) {
    const char *at = text;
    while (at && *at) {
        char *end;
        EVN_CHECK(schedule->milestone_count < EVN_SCHEDULE_MILESTONES, EVN_ERR_USAGE,
                  "milestones %s are more than %d", text, EVN_SCHEDULE_MILESTONES);
        double epoch = evn__read_real(at, &end);
        EVN_CHECK(end != at && (*end == 0 || *end == '/'), EVN_ERR_USAGE,
                  "milestones are '%s', but should be epochs, as in 30/60", text);
        schedule->milestones[schedule->milestone_count++] = epoch;
        at = *end ? end + 1 : end;
    }
    return EVN_OK;
}

static evn_status make_schedule(const evn__phase_settings *from, evn_schedule *schedule) {
    *schedule = evn_schedule_default(from->lr);
    schedule->kind = (evn_schedule_kind)evn__choice_find(evn__schedule_name, from->schedule);
    schedule->epochs = (double)from->epochs;
    schedule->warmup = from->warmup;
    schedule->factor = from->factor;
    schedule->final = from->final;
    EVN_TRY(read_milestones(from->milestones, schedule));
    evn_status status = from->epochs > 0 ? evn_schedule_check(schedule) : EVN_OK;
    return status == EVN_OK ? status : evn__prepend(EVN_ERR_USAGE, "phase %s", from->name);
}

/// What was not given stays as the library has it.
static void make_control(const evn__phase_settings *from, evn_solver_options *solver) {
    solver->controller = (evn_controller)evn__choice_find(evn_controller_name, from->controller);
    solver->norm =
        from->norm ? (evn_norm)evn__choice_find(evn_norm_name, from->norm) : solver->norm;
    solver->safety = isnan(from->safety) ? solver->safety : from->safety;
    solver->min_factor = isnan(from->min_factor) ? solver->min_factor : from->min_factor;
    solver->max_factor = isnan(from->max_factor) ? solver->max_factor : from->max_factor;
    solver->dt_first = isnan(from->dt_first) ? solver->dt_first : from->dt_first;
    solver->dt_min = isnan(from->dt_min) ? solver->dt_min : from->dt_min;
    solver->dt_max = isnan(from->dt_max) ? solver->dt_max : from->dt_max;
    solver->max_steps = from->max_steps == INT64_MIN ? solver->max_steps : (int)from->max_steps;
    solver->per_sample = from->per_sample;
    solver->weight_terms = from->weight_terms == INT64_MIN ? 0 : (int)from->weight_terms;
    solver->weight_steps = from->weight_steps == INT64_MIN ? 0 : (int)from->weight_steps;
}

/// A solve backwards that ends elsewhere is seen late, without a wait, and the phase goes on from
/// checkpoints; or, where anything is said of it, at once.
static void make_trust(const evn__phase_settings *from, evn_phase *phase) {
    bool bounded = !isnan(from->reconstruction), late = !bounded && !from->fallback;
    bool adjoint = phase->solver.gradient == EVN_GRADIENT_ADJOINT;
    double usual = adjoint ? EVN__GRADCHECK_RECONSTRUCTION : 0;
    phase->reconstruction = late ? usual : 0;
    phase->solver.reconstruction = bounded ? from->reconstruction : late ? 0 : usual;
    phase->solver.fall_back = from->fallback && strcmp(from->fallback, "checkpointed") == 0;
}

static evn_status make_phase(const evn__phase_settings *from, evn_phase *phase) {
    phase->name = from->name;
    phase->solver = evn_solver_options_default();
    phase->solver.method = from->solver;
    phase->solver.steps = (int)from->steps;
    phase->solver.rtol = from->rtol;
    phase->solver.atol = from->atol;
    phase->solver.gradient = evn__phase_gradient(from->name);
    make_control(from, &phase->solver);
    phase->solver.krylov = from->krylov == INT64_MIN ? 0 : (int)from->krylov;
    phase->solver.checkpoints = (int)from->checkpoints.count;
    phase->solver.checkpoint_bytes = (size_t)from->checkpoints.bytes;
    phase->solver.coupling = from->coupling;
    make_trust(from, phase);
    phase->epochs = (int)from->epochs;
    phase->automatic = strcmp(from->until, "automatic") == 0;
    phase->held_out = strcmp(from->until, "held-out") == 0;
    return make_schedule(from, &phase->schedule);
}

static evn_optimizer_options make_optimizer(const evn__settings *settings) {
    evn_optimizer_options optimizer = evn_optimizer_options_default(
        (evn_optimizer_kind)evn__choice_find(evn__optimizer_name, settings->optimizer));
    optimizer.momentum = settings->momentum;
    optimizer.weight_decay = settings->weight_decay;
    return optimizer;
}

/// "0.2" seconds, or "50%" of the time.
static evn_status read_pause(const char *text, evn_trainer_options *options) {
    char *end;
    if (!text) {
        return EVN_OK;
    }
    double value = evn__read_real(text, &end);
    bool share = *end == '%';
    EVN_CHECK(end > text && end[share] == 0 && value >= 0 && value <= (share ? 99 : 3600),
              EVN_ERR_USAGE,
              "--pause is '%s', but should be seconds up to 3600, or a share of the time up to "
              "99%%, such as 50%%",
              text);
    *(share ? &options->pause_share : &options->pause_seconds) = share ? value / 100 : value;
    return EVN_OK;
}

evn_status evn__session_prepare(evn__session *session, const evn__task_row *row,
                                const evn__settings *settings) {
    session->row = row;
    for (int i = 0; i < settings->phase_count; ++i) {
        EVN_TRY(make_phase(&settings->phases[i], &session->phases[i]));
        EVN_CHECK(
            !session->phases[i].automatic || !row->iterates, EVN_ERR_USAGE,
            "until=automatic is for tasks whose epochs are passes over data; %s has iterations",
            row->name);
    }
    session->options = (evn_trainer_options){
        .phases = session->phases,
        .phase_count = settings->phase_count,
        .optimizer = make_optimizer(settings),
        .accumulate = (int)settings->accumulate,
        .renew_optimizer = row->renew,
    };
    EVN_TRY(read_pause(settings->pause, &session->options));
    return settings->network ? evn__kept_network_read(settings, &session->network) : EVN_OK;
}

evn_status evn__session_check_sizes(int64_t filters, int64_t layers, const evn_network *network) {
    EVN_CHECK(filters == INT64_MIN || !network || evn__network_fits(network, "filters"),
              EVN_ERR_USAGE,
              "--filters has no effect: every layer of %s names its own filters; leave it out, or "
              "write \"filters\": \"fit\" in the file",
              evn_network_name(network));
    EVN_CHECK(layers == INT64_MIN || !network || evn__network_fits(network, "repeat"),
              EVN_ERR_USAGE,
              "--layers has no effect: no block of %s is repeated that often; leave it out, or "
              "write \"repeat\": \"fit\" in a block of the file",
              evn_network_name(network));
    return EVN_OK;
}

/// This program, where the system gives it a name: it compiles kernels beside a run
/// (host/forecast.h).
#define SELF "/proc/self/exe"
enum { COMPILER_SECONDS = 180 }; // the largest kernel that is known takes 2 s, on a machine at rest

evn_status evn__session_open(evn__session *session, const evn__task_row *row,
                             evn__settings *settings) {
    EVN_TRY(evn__session_prepare(session, row, settings));
    session->close = row->close;
    EVN_TRY(row->open(session, settings));
    EVN_TRY(evn__session_split(session, settings->micro_batches));
    EVN_TRY(evn__open_device(settings, &session->device));
    evn__device_wait_as(session->device,
                        settings->spin ? EVN__WAITING_SPINS : EVN__WAITING_UNKNOWN);
    if (settings->low_priority && !evn__device_lower_priority(session->device)) {
        evn__console_warning("the platform has no hints of priority (cl_khr_priority_hints): "
                             "--low-priority changes nothing; --pause leaves others time");
    }
    return evn__is_regular_file(SELF)
               ? evn__device_set_compiler(session->device, SELF, COMPILER_SECONDS)
               : EVN_OK;
}

bool evn__session_splits(const evn__session *session) {
    return evn__task_has_option(session->row, "micro-batches") &&
           !(session->network && evn__network_chooses(session->network, "over", "batch"));
}

evn_status evn__session_split(evn__session *session, int64_t parts) {
    evn_source whole = session->source;
    if (parts <= 1) {
        return EVN_OK;
    }
    int64_t batch = whole.methods->info(whole.self).batch;
    EVN_CHECK(batch % parts == 0, EVN_ERR_USAGE,
              "--micro-batches is %lld, which does not divide the batch of %lld", (long long)parts,
              (long long)batch);
    EVN_CHECK(!session->network || !evn__network_chooses(session->network, "over", "batch"),
              EVN_ERR_USAGE,
              "%s has a norm over the batch, which cannot be computed in parts; let it be over "
              "groups, or leave out --micro-batches",
              evn_network_name(session->network));
    session->source = (evn_source){0};
    EVN_TRY(evn__source_parts(whole, batch / parts, &session->source));
    session->options.micro_batches = (int)parts;
    return EVN_OK;
}

void evn__session_close(evn__session *session) {
    evn_trainer_destroy(&session->trainer);
    evn_task_destroy(&session->task);
    evn_source_destroy(&session->source);
    evn_network_destroy(&session->network);
    if (session->close) {
        session->close(session);
    }
    evn__first_use_end(&session->first_use);
    evn_device_close(&session->device);
}

const evn_solver_options *evn__session_solver(const evn__session *session) {
    return &session->phases[session->phase].solver;
}
