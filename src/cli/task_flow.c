// SPDX-License-Identifier: Apache-2.0
// Flows on densities in the plane.
#include "cli/session.h"
#include "study/flow_pictures.h"

#include <string.h>

static evn_status open_data(evn__session *session, evn__settings *settings) {
    char list[256];
    EVN_CHECK(evn__density_find(settings->data), EVN_ERR_USAGE,
              "there is no density '%s'; --data should be %s", settings->data,
              evn__choice_text(evn_density_name, list, sizeof(list)));
    EVN_CHECK(evn__flow_find(settings->model), EVN_ERR_USAGE,
              "a flow has no model '%s'; it should be %s", settings->model,
              evn__choice_text(evn_flow_model_name, list, sizeof(list)));
    return evn_source_density(settings->data, settings->batch, (uint64_t)settings->seed,
                              &session->source);
}

static evn_trace trace_of(const char *name) {
    if (strcmp(name, "rademacher") == 0) {
        return EVN_TRACE_RADEMACHER;
    }
    return strcmp(name, "gaussian") == 0 ? EVN_TRACE_GAUSSIAN : EVN_TRACE_EXACT;
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    const evn_flow_options options = {.model = settings->model,
                                      .trace = trace_of(settings->trace),
                                      .entropy = evn_density_entropy(settings->data),
                                      .seed = (uint64_t)settings->seed};
    return evn_task_flow(session->device, &session->source, &options, &session->task);
}

static evn_status draw(const evn__session *session, const evn__settings *settings,
                       const char *folder) {
    int count;
    const evn__density *density = evn__density_find(settings->data);
    const double *losses = evn_trainer_losses(session->trainer, &count);
    evn__flow_model model = evn__flow_get_model(&session->task);
    EVN_TRY(evn__flow_draw_losses(losses, count, density, folder));
    return evn__flow_pictures(&model, evn__session_solver(session), density, folder);
}

static evn_status unroll(const evn__session *session, const evn__unroll_options *options,
                         evn__unrolled *unrolled) {
    evn__flow_model model = evn__flow_get_model(&session->task);
    return evn__unrolled_flow(model.kind, &model.size, model.parameters, options, unrolled);
}

static const char *const options[] = {"model", "batch", "data", "trace", NULL};

static const evn__default defaults[] = {
    {"paper", "batch", "100"}, // the schedule is that by default
    {"long", "batch", "250"},
    {"long", "phase", "backprop:solver=rk4,steps=24,epochs=3000,lr=0.05,schedule=cosine"},
    {"long", "phase", "adjoint:epochs=300,lr=5e-4,schedule=cosine"},
    {NULL, "data", "moons"},
    {NULL, "batch", "100"},
    {NULL, "phase", "backprop:solver=rk4,epochs=900,lr=0.1,schedule=cosine"},
    {NULL, "phase", "adjoint:epochs=100,lr=2e-4,schedule=cosine"},
    {NULL, "optimizer", "adam"},
    {NULL, "rtol", "1e-5"},
    {NULL, "atol", "1e-5"},
    {NULL, "trace", "exact"},
    {0},
};

static const evn__exportation exportation = {"x: float32 [batch, 2], points of the plane", unroll,
                                             NULL};

static const evn__column none[] = {{0}};

static const evn__column report[] = {{"test_nll", "test NLL", "%.4g nats", 1, 0, false},
                                     {"gap_nats", "gap to the entropy", "%.4g nats", 1, 0, false},
                                     {0}};

static const evn__column compared[] = {{"test_nll", "test NLL, nats", "%.3f", 1, 0, false},
                                       {"gap_nats", "gap, nats", "%.4f", 1, 0, true},
                                       {0}};

const evn__task_row evn__task_flow = {
    .name = "flow",
    .text = "a density in the plane (--data NAME), by maximum likelihood",
    .steps = 16,
    .iterates = true,
    .options = options,
    .defaults = defaults,
    .progress = none,
    .report = report,
    .compared = compared,
    .style = {NULL, "%s: training loss, mean over the seeds", "−log p  (nats)", 1, false},
    .open = open_data,
    .create = create,
    .draw = draw,
    .export = &exportation};
