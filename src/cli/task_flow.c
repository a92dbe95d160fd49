// SPDX-License-Identifier: Apache-2.0
// Flows on densities in the plane.
#include "cli/choices.h"
#include "cli/flow.h"
#include "study/flow_pictures.h"

static const evn__task_row *stand_in(const evn__settings *settings) {
    return settings->data && !evn__density_find(settings->data) ? &evn__task_points
                                                                : &evn__task_flow;
}

/// The plane's coordinates, which are their own units.
static evn_status describe_plane(evn__session *session) {
    static const char *const names[] = {"x", "y"};
    static const double mean[] = {0, 0}, factor[] = {1, 0, 0, 1};
    evn__points *points;
    EVN_TRY(evn__points_describe(names, 2, &points));
    session->data = points;
    session->points = points;
    return evn__standardisation_set(mean, factor, 2, &points->standard);
}

static evn_status open_data(evn__session *session, evn__settings *settings) {
    EVN_TRY(evn__flow_check_model(settings->model));
    EVN_TRY(describe_plane(session));
    return evn_source_density(settings->data, settings->batch, (uint64_t)settings->seed,
                              &session->source);
}

static void close_data(evn__session *session) {
    evn__points *points = session->data;
    evn__points_destroy(&points);
    session->data = NULL;
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    const evn_flow_options options = {
        .model = settings->model,
        .trace = (evn_trace)evn__choice_find(evn__trace_name, settings->trace),
        .entropy = evn_density_entropy(settings->data),
        .weights = settings->evolution,
        .seed = (uint64_t)settings->seed};
    return evn_task_flow(session->device, &session->source, &options, &session->task);
}

static evn_status draw(const evn__session *session, const evn__settings *settings,
                       const char *folder) {
    int count;
    const evn__density *density = evn__density_find(settings->data);
    const double *losses = evn_trainer_losses(session->trainer, &count);
    evn__flow_model model = evn__flow_get_model(&session->task);
    EVN_TRY(evn__flow_draw_losses(losses, count, density->floor, folder));
    return evn__flow_pictures(&model, evn__session_solver(session), density, folder);
}

static const char *const options[] = {"model", "weights", "basis",         "batch",
                                      "data",  "trace",   "micro-batches", NULL};

static const evn__default defaults[] = {
    {"paper", "batch", "100"}, // the schedule is that by default
    {"long", "batch", "250"},
    {"long", "phase", "backprop:solver=rk4,steps=24,epochs=3000,lr=0.05,schedule=cosine"},
    {"long", "phase", "adjoint:epochs=300,lr=5e-4,schedule=cosine"},
    {NULL, "data", "moons"},
    {NULL, "batch", "100"},
    {NULL, "phase", "backprop:solver=rk4,epochs=900,lr=0.1,schedule=cosine"},
    {NULL, "phase", "adjoint:epochs=100,lr=2e-4,schedule=cosine"},
    {NULL, "weights", NULL}, // in the flow's own way
    {NULL, "optimizer", "adam"},
    {NULL, "rtol", "1e-5"},
    {NULL, "atol", "1e-5"},
    {NULL, "trace", "exact"},
    {0},
};

static const evn__exportation exportation = {"x: float32 [batch, 2], points of the plane",
                                             evn__flow_unroll};

static const evn__column none[] = {{0}};

static const evn__column results[] = {{"test_nll", "test NLL", "%.4g nats", 1, 0, false},
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
    .results = results,
    .compared = compared,
    .style = {NULL, "%s: training loss, mean over the seeds", "−log p  (nats)", 1, false},
    .stand_in = stand_in,
    .open = open_data,
    .create = create,
    .ode = evn__flow_ode,
    .draw = draw,
    .predict = &evn__predict_points,
    .sample = evn__flow_sample_points,
    .export = &exportation,
    .close = close_data};
