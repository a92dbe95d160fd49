// SPDX-License-Identifier: Apache-2.0
// The series that is built in: a Neural ODE that follows the paper's curve.
#include "cli/series.h"
#include "study/curve_pictures.h"

#include <string.h>

static evn_status open_data(evn__session *session, evn__settings *settings) {
    evn__time_series *series;
    const char *name = session->row->name;
    EVN_CHECK(!settings->data || strcmp(settings->data, name) == 0, EVN_ERR_USAGE,
              "%s is a formula's; for a file write: evonode train series --data %s", name,
              settings->data);
    settings->data = NULL; // a run says it by its task
    EVN_CHECK(strcmp(settings->model, "node") == 0 || strcmp(settings->model, "node-ew") == 0,
              EVN_ERR_USAGE, "a curve has no model '%s'; it should be node or node-ew",
              settings->model);
    EVN_TRY(evn__series_curve(&series));
    return evn__series_take(session, series);
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    const int widths[] = {(int)settings->width, (int)settings->width};
    evn_trajectory_options options = evn_trajectory_options_default();
    options.widths = widths;
    options.evolution = strcmp(settings->model, "node-ew") == 0 ? settings->evolution : NULL;
    options.seed = (uint64_t)settings->seed;
    return evn__series_task(session->device, &session->source, session->data, &options,
                            &session->task);
}

static evn_status draw(const evn__session *session, const evn__settings *settings,
                       const char *folder) {
    int count;
    evn__trajectory_fit fit = {0};
    (void)settings;
    const double *losses = evn_trainer_losses(session->trainer, &count);
    EVN_TRY(evn__curve_draw_losses(losses, count, session->phases, session->options.phase_count,
                                   "loss Σ‖x(tᵢ) − s(tᵢ)‖²  (no unit)", folder));
    const evn__series_model model = evn__series_get_model(&session->task);
    evn_status status = evn__trajectory_evaluate(model.windows, evn__session_solver(session), &fit);
    if (status == EVN_OK) {
        status = evn__curve_pictures(&fit, folder);
    }
    evn__trajectory_fit_free(&fit);
    return status;
}

static const char *const options[] = {"data", "model", "weights", "basis", "width", NULL};

static const evn__default defaults[] = {
    {"paper", "width", "1000"},
    {"paper", "phase", "backprop:solver=euler,steps=100,epochs=5000"},
    {"paper", "phase", "adjoint:solver=dopri5,epochs=100"},
    {NULL, "width", "300"},
    {NULL, "model", "node"},
    {NULL, "phase", "backprop:epochs=2000"},
    {NULL, "phase", "adjoint:epochs=60"},
    {NULL, "optimizer", "lbfgs"},
    {NULL, "rtol", "1e-5"},
    {NULL, "atol", "1e-6"},
    {0},
};

static const evn__exportation exportation = {"x0: float32 [batch, 3], the state at t = 0",
                                             evn__series_unroll};

static const evn__column none[] = {{0}};

static const evn__column results[] = {
    {"loss", "loss", "%.4g", 1, 0, false}, {"max_error", "max error", "%.4g", 1, 0, false}, {0}};

static const evn__column compared[] = {
    {"loss", "loss", "%.3g", 1, 0, true}, {"max_error", "max error", "%.3g", 1, 0, true}, {0}};

const evn__task_row evn__task_curve = {
    .name = "curve",
    .text = "a Neural ODE that follows a curve in space, the series that is built in",
    .note = "not the paper's schedule (width 1000; 5000 iterations of backprop, 100 of the "
            "adjoint): --preset paper",
    .steps = 100,
    .iterates = true,
    .renew = true,
    .options = options,
    .defaults = defaults,
    .progress = none,
    .results = results,
    .compared = compared,
    .style = {NULL, "curve: training loss, mean over the seeds",
              "loss Σ‖x(tᵢ) − s(tᵢ)‖²  (no unit)", 1, true},
    .open = open_data,
    .create = create,
    .ode = evn__series_ode,
    .draw = draw,
    .export = &exportation,
    .predict = &evn__predict_series,
    .sample = evn__series_sample};
