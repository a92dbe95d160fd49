// SPDX-License-Identifier: Apache-2.0
#include "study/comparison.h"

#include "plot/plot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAPER_MAX = 3, GROUPS_MAX = EVN__SERIES_MAX - PAPER_MAX, LABEL_SIZE = 64 };

/// A picture of the groups under way.
typedef struct picture {
    evn__series series[EVN__SERIES_MAX];
    int count;
    evn__arena arena; ///< of the lines
    double right;     ///< the largest x
    char labels[PAPER_MAX][LABEL_SIZE];
} picture;

static evn_status add_line(picture *p, const char *label, int count, double **x, double **y) {
    *x = evn__arena_alloc(&p->arena, (size_t)count * 2 * sizeof(**x) + 1);
    EVN_CHECK(*x, EVN_ERR_MEMORY, "no memory for a line of %d points", count);
    *y = *x + count;
    p->series[p->count++] = (evn__series){label, EVN__LINE, *x, *y, NULL, count};
    return EVN_OK;
}

/// What the paper reached, as dashed lines; the same figure only once.
static evn_status add_paper(picture *p, const evn__comparison *c) {
    const evn__paper_figure *figure;
    double last[PAPER_MAX], *x, *y;
    int count = 0;
    for (int i = 0; (figure = evn__comparison_figure(c, i)) && count < PAPER_MAX; ++i) {
        bool known = isnan(figure->test_error);
        for (int k = 0; k < count; ++k) {
            known = known || last[k] == figure->test_error;
        }
        if (known) {
            continue;
        }
        snprintf(p->labels[count], LABEL_SIZE, "paper: %s", figure->name);
        EVN_TRY(add_line(p, p->labels[count], 2, &x, &y));
        p->series[p->count - 1].style = EVN__DASHED;
        x[0] = 0;
        x[1] = p->right;
        y[0] = y[1] = 100 - figure->test_error;
        last[count++] = figure->test_error;
    }
    return EVN_OK;
}

// Images ------------------------------------------------------------------------------------------

static evn_status add_accuracies(picture *p, const evn__comparison *c, bool over_time) {
    double *x, *y;
    for (int i = 0; i < c->group_count && i < GROUPS_MAX; ++i) {
        const evn__history *h = &c->groups[i].mean;
        EVN_TRY(add_line(p, c->groups[i].label, h->count, &x, &y));
        for (int k = 0; k < h->count; ++k) {
            x[k] = over_time ? h->seconds[k] : h->epochs[k];
            y[k] = c->style->scale * h->metric[k];
            p->right = fmax(p->right, x[k]);
        }
    }
    return add_paper(p, c);
}

static evn_status draw_accuracies(const evn__comparison *c, bool over_time, const char *folder) {
    picture p = {0};
    evn_status status = add_accuracies(&p, c, over_time);
    const evn__plot plot = {.title = c->style->title,
                            .x = {over_time ? "training time  (s)" : "epoch", false},
                            .y = {c->style->axis, false},
                            .series = p.series,
                            .count = p.count};
    if (status == EVN_OK) {
        status = evn__plot_save(&plot, folder, over_time ? "accuracy-time" : "accuracy-epoch");
    }
    evn__arena_free(&p.arena);
    return status;
}

// Losses ------------------------------------------------------------------------------------------

static evn_status add_losses(picture *p, const evn__comparison *c, const evn__group *like) {
    double *x, *y;
    for (int i = 0; i < c->group_count && p->count < EVN__SERIES_MAX; ++i) {
        const evn__group *g = &c->groups[i];
        if (!evn__group_comparable(g, like)) {
            continue;
        }
        EVN_TRY(add_line(p, g->label, g->mean.count, &x, &y));
        for (int k = 0; k < g->mean.count; ++k) {
            x[k] = g->mean.epochs[k];
            y[k] = g->mean.loss[k];
        }
    }
    return EVN_OK;
}

/// The losses of the groups with the data of `like`.
static evn_status draw_losses(const evn__comparison *c, const evn__group *like, bool several,
                              const char *folder) {
    picture p = {0};
    char title[128], stem[64] = "loss";
    const char *data = evn__group_option(like, "data");
    snprintf(title, sizeof(title), c->style->title, data);
    if (several) {
        snprintf(stem, sizeof(stem), "loss-%s", data);
    }
    evn_status status = add_losses(&p, c, like);
    const evn__plot plot = {.title = title,
                            .x = {"iteration", false},
                            .y = {c->style->axis, c->style->logarithmic},
                            .series = p.series,
                            .count = p.count};
    if (status == EVN_OK) {
        status = evn__plot_save(&plot, folder, stem);
    }
    evn__arena_free(&p.arena);
    return status;
}

/// The first group with its data, to which its picture belongs.
static int first_like(const evn__comparison *c, int index) {
    int first = 0;
    while (!evn__group_comparable(&c->groups[first], &c->groups[index])) {
        ++first;
    }
    return first;
}

static evn_status draw_all_losses(const evn__comparison *c, const char *folder) {
    bool several = false;
    for (int i = 0; i < c->group_count; ++i) {
        several = several || first_like(c, i) > 0;
    }
    for (int i = 0; i < c->group_count; ++i) {
        if (first_like(c, i) == i) {
            EVN_TRY(draw_losses(c, &c->groups[i], several, folder));
        }
    }
    return EVN_OK;
}

evn_status evn__comparison_draw(const evn__comparison *comparison, const char *folder) {
    if (!comparison->style->metric) {
        return draw_all_losses(comparison, folder);
    }
    EVN_TRY(draw_accuracies(comparison, false, folder));
    return draw_accuracies(comparison, true, folder);
}
