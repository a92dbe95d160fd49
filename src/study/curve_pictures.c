// SPDX-License-Identifier: Apache-2.0
#include "study/curve_pictures.h"

#include "base/memory.h"
#include "data/curve.h"
#include "plot/plot.h"
#include <math.h>
#include <stdlib.h>

enum { MARKS = 20, STRIDE = EVN__CURVE_POINTS / MARKS };

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

static void split(const evn__trajectory_fit *fit, pair *p) {
    for (int i = 0; i <= EVN__CURVE_POINTS; ++i) {
        double s[EVN__CURVE_DIMENSIONS], sum = 0;
        evn__curve_at(i / (double)EVN__CURVE_POINTS, s);
        for (int k = 0; k < EVN__CURVE_DIMENSIONS; ++k) {
            p->target[k][i] = s[k];
            double x = i > 0 ? fit->x[(i - 1) * EVN__CURVE_DIMENSIONS + k] : s[k];
            sum += (x - s[k]) * (x - s[k]);
            if (i > 0 && i % STRIDE == 0) {
                p->learnt[k][i / STRIDE - 1] = x;
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
static evn_status draw_series(const double *losses, int done, const evn_phase *phases,
                              int phase_count, double *iterations, const char *label,
                              const char *folder) {
    evn__series series[EVN__SERIES_MAX];
    int first = 0, count = 0;
    for (int i = 0; i < done; ++i) {
        iterations[i] = i + 1;
    }
    for (int i = 0; i < phase_count && i < EVN__SERIES_MAX; ++i) {
        bool rest = i == EVN__SERIES_MAX - 1;
        int length = rest ? done - first : phases[i].epochs;
        series[count++] = (evn__series){phases[i].name, EVN__LINE, iterations + first,
                                        losses + first, NULL,      length};
        first += length;
    }
    const evn__plot plot = {.title = "Loss over the training",
                            .x = {"iteration", false},
                            .y = {label, true},
                            .series = series,
                            .count = count};
    return evn__plot_save(&plot, folder, "loss");
}

evn_status evn__curve_draw_losses(const double *losses, int count, const evn_phase *phases,
                                  int phase_count, const char *label, const char *folder) {
    double *iterations = NULL;
    EVN_TRY(EVN_NEW(&iterations, count));
    evn_status status = draw_series(losses, count, phases, phase_count, iterations, label, folder);
    free(iterations);
    return status;
}

evn_status evn__curve_pictures(const evn__trajectory_fit *fit, const char *folder) {
    pair p;
    split(fit, &p);
    EVN_TRY(draw_curve(&p, 0, 1, -1, folder, "curve_x1_x2"));
    EVN_TRY(draw_curve(&p, 0, 2, -1, folder, "curve_x1_x3"));
    EVN_TRY(draw_curve(&p, 1, 2, -1, folder, "curve_x2_x3"));
    EVN_TRY(draw_curve(&p, 0, 1, 2, folder, "curve_3d"));
    return draw_error(&p, folder);
}
