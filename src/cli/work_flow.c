// SPDX-License-Identifier: Apache-2.0
// Flows on densities in the plane, and the pictures of them.
#include "cli/report.h"
#include "cli/work.h"
#include "plot/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEST_POINTS = 10000, SHOWN = 1000, TIMES = 5, PANELS = TIMES + 1, PANELS_A_ROW = 3 };
static const uint64_t SHOWN_SEED = 1;

static evn_status open_data(evn__session *session, const char *task, evn__settings *settings) {
    char list[256];
    (void)task;
    session->density = evn__density_find(settings->data);
    EVN_CHECK(session->density, EVN_ERR_USAGE, "there is no density '%s'; --data should be %s",
              settings->data, evn__choice_text(evn__density_name, list, sizeof(list)));
    EVN_CHECK(evn__flow_find(settings->model), EVN_ERR_USAGE,
              "a flow has no model '%s'; it should be node-ew, node or hypernet", settings->model);
    return EVN_OK;
}

static evn__flow_noise noise_of(const char *trace) {
    if (strcmp(trace, "rademacher") == 0) {
        return EVN__NOISE_RADEMACHER;
    }
    return strcmp(trace, "gaussian") == 0 ? EVN__NOISE_GAUSSIAN : EVN__NOISE_NONE;
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    evn__flow_options options = {session->density, evn__flow_find(settings->model), settings->batch,
                                 noise_of(settings->trace)};
    return evn__flow_create(session->device, &options, &session->options, &session->flow);
}

static evn_status run(evn__session *session) {
    return evn__flow_run(session->flow);
}

static evn_status save(evn__session *session, const char *path) {
    return evn__flow_save(session->flow, path);
}

static evn_status restore(evn__session *session, const char *path, int *epochs) {
    return evn__flow_restore(session->flow, path, epochs);
}

static evn_parameters *parameters(const evn__session *session) {
    return evn__flow_get_model(session->flow).parameters;
}

static const evn_solver_options *solver_of(const evn__session *session) {
    return &session->phases[session->phase].solver;
}

static evn_status measure(const evn__session *session, double *nll, double *nfe) {
    evn__flow_model model = evn__flow_get_model(session->flow);
    return evn__flow_nll(&model, solver_of(session), session->density, TEST_POINTS, nll, nfe);
}

static evn_status summarize(evn__session *session, const evn_epoch *last, evn__summary *summary) {
    double nfe;
    EVN_TRY(measure(session, &summary->test_nll, &nfe));
    summary->gap_nats = summary->test_nll - session->density->floor;
    summary->nfe_forward = last->nfe_forward;
    summary->nfe_backward = last->nfe_backward;
    return EVN_OK;
}

static evn_status evaluate(evn__session *session, const char *folder) {
    double nll, nfe;
    EVN_TRY(measure(session, &nll, &nfe));
    evn__report_flow(folder, session->device, solver_of(session), nll,
                     nll - session->density->floor, nfe);
    return EVN_OK;
}

// Pictures ----------------------------------------------------------------------------------------

/// Points of each time as coordinates, those of the data last.
typedef struct cloud {
    double x[PANELS + 1][SHOWN], y[PANELS + 1][SHOWN];
} cloud;

static evn_status find_points(const evn__session *session, cloud *c) {
    static const uint64_t stream = 9; // of points that no training has
    double *points;
    EVN_TRY(EVN_NEW(&points, PANELS * SHOWN * 3));
    evn__flow_model model = evn__flow_get_model(session->flow);
    evn_status status =
        evn__flow_sample(&model, solver_of(session), SHOWN_SEED, SHOWN, TIMES, points);
    for (int i = 0; i < PANELS * SHOWN; ++i) {
        c->x[i / SHOWN][i % SHOWN] = points[3 * i];
        c->y[i / SHOWN][i % SHOWN] = points[3 * i + 1];
    }
    evn__density_sample(session->density, SHOWN_SEED, stream, 0, SHOWN, points);
    for (int i = 0; i < SHOWN; ++i) {
        c->x[PANELS][i] = points[2 * i];
        c->y[PANELS][i] = points[2 * i + 1];
    }
    free(points);
    return status;
}

static evn_status draw_samples(const evn__session *session, const cloud *c, const char *folder) {
    char title[128];
    snprintf(title, sizeof(title), "%s: %d points of the data and of the flow",
             session->density->name, SHOWN);
    const evn__series series[] = {
        {"data", EVN__DOTS, c->x[PANELS], c->y[PANELS], NULL, SHOWN},
        {"flow", EVN__DOTS, c->x[PANELS - 1], c->y[PANELS - 1], NULL, SHOWN}};
    const evn__plot plot = {.title = title,
                            .x = {"z₁  (no unit)", false},
                            .y = {"z₂  (no unit)", false},
                            .series = series,
                            .count = 2};
    return evn__plot_save(&plot, folder, "samples");
}

/// Panels beside and below each other, from the base to the target; the points are moved.
static evn_status draw_strip(const evn__session *session, cloud *c, const char *folder) {
    evn__series series[PANELS];
    char labels[PANELS][16];
    double side = 2 * session->density->extent;
    for (int k = 0; k < PANELS; ++k) {
        for (int i = 0; i < SHOWN; ++i) {
            c->x[k][i] += side * (k % PANELS_A_ROW);
            c->y[k][i] -= side * (k / PANELS_A_ROW);
        }
        snprintf(labels[k], sizeof(labels[k]), "%.1f", 1 - k / (double)TIMES);
        series[k] = (evn__series){labels[k], EVN__DOTS, c->x[k], c->y[k], NULL, SHOWN};
    }
    const evn__plot plot = {.title = "From the base (t = 1) to the target (t = 0), t by colour",
                            .x = {"z₁, each time beside the one before  (no unit)", false},
                            .y = {"z₂, second row below the first  (no unit)", false},
                            .series = series,
                            .count = PANELS};
    return evn__plot_save(&plot, folder, "strip");
}

/// The loss averaged over `each` iterations, and the floor.
static evn_status draw_losses(const evn__session *session, const char *folder) {
    enum { POINTS = 100 };
    double at[POINTS], mean[POINTS] = {0}, ends[2], level[2];
    int done, points = 0;
    const double *losses = evn__flow_losses(session->flow, &done);
    int each = (done + POINTS - 1) / POINTS;
    for (int i = 0; i < done; i += each, ++points) {
        int length = done - i < each ? done - i : each;
        for (int k = 0; k < length; ++k) {
            mean[points] += losses[i + k] / length;
        }
        at[points] = i + (length + 1) / 2.0;
    }
    ends[0] = 1;
    ends[1] = done;
    level[0] = level[1] = session->density->floor;
    const evn__series series[] = {{"training loss", EVN__LINE, at, mean, NULL, points},
                                  {"entropy of the density", EVN__DASHED, ends, level, NULL, 2}};
    const evn__plot plot = {.title = "Loss over the training",
                            .x = {"iteration", false},
                            .y = {"−log p  (nats)", false},
                            .series = series,
                            .count = 2};
    return evn__plot_save(&plot, folder, "loss");
}

static evn_status draw(const evn__session *session, const char *folder) {
    cloud *c;
    EVN_TRY(draw_losses(session, folder));
    EVN_TRY(EVN_NEW(&c, 1));
    evn_status status = find_points(session, c);
    status = status == EVN_OK ? draw_samples(session, c, folder) : status;
    status = status == EVN_OK ? draw_strip(session, c, folder) : status;
    free(c);
    EVN_TRY(status);
    evn__flow_model model = evn__flow_get_model(session->flow);
    return evn__flow_draw_density(&model, solver_of(session), session->density->extent, folder);
}

const evn__work evn__work_flow = {
    EVN__FLOW, open_data, create, run, save, restore, parameters, summarize, draw, evaluate,
};
