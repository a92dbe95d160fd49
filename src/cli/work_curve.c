// SPDX-License-Identifier: Apache-2.0
// Following a curve, and the pictures of it.
#include "cli/report.h"
#include "cli/work.h"
#include "plot/plot.h"

#include <math.h>
#include <stdlib.h>

enum { MARKS = 20, STRIDE = EVN__CURVE_POINTS / MARKS };

static evn_status open_data(evn__session *session, const char *task, evn__settings *settings) {
    (void)session;
    (void)task;
    (void)settings; // the target is a formula
    return EVN_OK;
}

static evn_status create(evn__session *session, const evn__settings *settings) {
    return evn__curve_create(session->device, (int)settings->width, &session->options,
                             &session->curve);
}

static evn_status run(evn__session *session) {
    return evn__curve_run(session->curve);
}

static evn_status save(evn__session *session, const char *path) {
    return evn__curve_save(session->curve, path);
}

static evn_status restore(evn__session *session, const char *path, int *epochs) {
    return evn__curve_restore(session->curve, path, epochs);
}

static evn_parameters *parameters(const evn__session *session) {
    return evn__curve_parameters(session->curve);
}

static evn_status summarize(evn__session *session, const evn_epoch *last, evn__summary *summary) {
    evn__curve_fit fit;
    EVN_TRY(evn__curve_evaluate(session->curve, session->phase, &fit));
    summary->loss = fit.loss;
    summary->max_error = fit.max_error;
    summary->nfe_forward = last->nfe_forward;
    summary->nfe_backward = last->nfe_backward;
    return EVN_OK;
}

// Pictures ----------------------------------------------------------------------------------------

/// Target and learnt curve, a coordinate an array; the target from t = 0 on.
typedef struct pair {
    double target[EVN__CURVE_DIMENSIONS][EVN__CURVE_POINTS + 1];
    double learnt[EVN__CURVE_DIMENSIONS][MARKS];
    double t[EVN__CURVE_POINTS], error[EVN__CURVE_POINTS]; ///< ‖x − s‖
} pair;

static const char *const labels[] = {"x₁, target sin t cos t  (no unit)",
                                     "x₂, target sin² t + cosh² t  (no unit)",
                                     "x₃, target eᵗ  (no unit)"};

/// Shorter ones for three axes that meet.
static const char *const short_labels[] = {"x₁  (no unit)", "x₂  (no unit)", "x₃  (no unit)"};

static void split(const evn__curve_fit *fit, pair *p) {
    for (int i = 0; i <= EVN__CURVE_POINTS; ++i) {
        double s[EVN__CURVE_DIMENSIONS], sum = 0;
        evn__curve_target(i / (double)EVN__CURVE_POINTS, s);
        for (int k = 0; k < EVN__CURVE_DIMENSIONS; ++k) {
            p->target[k][i] = s[k];
            sum += i > 0 ? pow(fit->x[i - 1][k] - s[k], 2) : 0;
            if (i > 0 && i % STRIDE == 0) {
                p->learnt[k][i / STRIDE - 1] = fit->x[i - 1][k];
            }
        }
        if (i > 0) {
            p->t[i - 1] = i / (double)EVN__CURVE_POINTS;
            p->error[i - 1] = sqrt(sum);
        }
    }
}

/// Coordinates a and b of the curves against each other; c < 0: in two dimensions.
static evn_status draw_curve(const pair *p, int a, int b, int c, const char *folder,
                             const char *stem) {
    const double *up[] = {c < 0 ? NULL : p->target[c], c < 0 ? NULL : p->learnt[c]};
    const evn__series series[] = {
        {"target s(t)", EVN__LINE, p->target[a], p->target[b], up[0], EVN__CURVE_POINTS + 1},
        {"learnt x(t), every 5th point", EVN__MARKS, p->learnt[a], p->learnt[b], up[1], MARKS}};
    const evn__plot plot = {.title = "Neural ODE trained to follow a curve, t from 0 to 1",
                            .x = {(c < 0 ? labels : short_labels)[a], false},
                            .y = {(c < 0 ? labels : short_labels)[b], false},
                            .z = {c < 0 ? "" : short_labels[c], false},
                            .series = series,
                            .count = 2};
    return evn__plot_save(&plot, folder, stem);
}

static evn_status draw_error(const pair *p, const char *folder) {
    const evn__series series = {"‖x(t) − s(t)‖", EVN__LINE, p->t,
                                p->error,        NULL,      EVN__CURVE_POINTS};
    const evn__plot plot = {.title = "Distance of the learnt curve from its target",
                            .x = {"t  (no unit)", false},
                            .y = {"distance  (no unit)", true},
                            .series = &series,
                            .count = 1};
    return evn__plot_save(&plot, folder, "error");
}

/// The losses of each phase as a series.
static evn_status draw_losses(const evn__session *session, double *iterations, const char *folder) {
    evn__series series[EVN__SERIES_MAX];
    int done, first = 0, count = 0;
    const double *losses = evn__curve_losses(session->curve, &done);
    for (int i = 0; i < done; ++i) {
        iterations[i] = i + 1;
    }
    for (int i = 0; i < session->options.phase_count && i < EVN__SERIES_MAX; ++i) {
        bool rest = i == EVN__SERIES_MAX - 1;
        int length = rest ? done - first : session->phases[i].epochs;
        series[count++] = (evn__series){session->phases[i].name, EVN__LINE, iterations + first,
                                        losses + first,          NULL,      length};
        first += length;
    }
    const evn__plot plot = {.title = "Loss over the training",
                            .x = {"iteration", false},
                            .y = {"loss Σ‖x(tᵢ) − s(tᵢ)‖²  (no unit)", true},
                            .series = series,
                            .count = count};
    return evn__plot_save(&plot, folder, "loss");
}

static evn_status draw_all(const evn__session *session, const evn__curve_fit *fit,
                           const char *folder) {
    pair p;
    int done;
    double *iterations = NULL;
    split(fit, &p);
    EVN_TRY(draw_curve(&p, 0, 1, -1, folder, "curve_x1_x2"));
    EVN_TRY(draw_curve(&p, 0, 2, -1, folder, "curve_x1_x3"));
    EVN_TRY(draw_curve(&p, 1, 2, -1, folder, "curve_x2_x3"));
    EVN_TRY(draw_curve(&p, 0, 1, 2, folder, "curve_3d"));
    EVN_TRY(draw_error(&p, folder));
    evn__curve_losses(session->curve, &done);
    EVN_TRY(EVN_NEW(&iterations, done));
    evn_status status = draw_losses(session, iterations, folder);
    free(iterations);
    return status;
}

static evn_status draw(const evn__session *session, const char *folder) {
    evn__curve_fit fit;
    EVN_TRY(evn__curve_evaluate(session->curve, session->phase, &fit));
    return draw_all(session, &fit, folder);
}

// Evaluation --------------------------------------------------------------------------------------

static evn_status evaluate(evn__session *session, const char *folder) {
    evn__curve_fit fit;
    EVN_TRY(evn__curve_evaluate(session->curve, session->phase, &fit));
    evn_epoch result = {
        .test_loss = fit.loss, .test_accuracy = NAN, .test_count = -1, .nfe_forward = fit.nfe};
    evn__report_evaluation(folder, session->device, &session->phases[session->phase].solver,
                           &result, fit.max_error);
    return EVN_OK;
}

const evn__work evn__work_curve = {
    EVN__CURVE, open_data, create, run, save, restore, parameters, summarize, draw, evaluate,
};
