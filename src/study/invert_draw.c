// SPDX-License-Identifier: Apache-2.0
// The pictures of an inversion.
#include "base/memory.h"
#include "base/number.h"
#include "plot/plot.h"
#include "plot/tiles.h"
#include "study/invert.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 8, IN = 0, FEATURES = 1, BACK = 2, ROWS = 5 };

/// Rows of evn__inversions that are shown as images back.
static const struct {
    int row;
    const char *label;
} backs[ROWS - BACK] = {{EVN__INVERT_TOLERANCES, "back, 1e-6"},
                        {2, "back, 1e-3"},
                        {EVN__INVERT_TOLERANCES + 1, "back, Euler"}};

// Digits and features -----------------------------------------------------------------------------

/// Channel `channel` of the first SHOWN arrays of [images, size, channels].
static void take_channel(const double *from, int64_t size, int64_t channels, int64_t channel,
                         double *to) {
    for (int64_t i = 0; i < SHOWN * size; ++i) {
        to[i] = from[i * channels + channel];
    }
}

static double variance(const double *values, int64_t count) {
    double mean = 0, sum = 0;
    for (int64_t i = 0; i < count; ++i) {
        mean += values[i] / (double)count;
    }
    for (int64_t i = 0; i < count; ++i) {
        sum += pow(values[i] - mean, 2);
    }
    return sum / (double)count;
}

/// The channel of the features that differs most over positions and images.
static int64_t choose_channel(const evn__inversions *v, double *work) {
    int64_t size = v->state.dim[1] * v->state.dim[2], best = 0;
    double most = -1;
    for (int64_t channel = 0; channel < v->state.dim[3]; ++channel) {
        take_channel(v->features, size, v->state.dim[3], channel, work);
        double now = variance(work, SHOWN * size);
        if (now > most) {
            most = now;
            best = channel;
        }
    }
    take_channel(v->features, size, v->state.dim[3], best, work);
    return best;
}

static void set_tiles(const double *values, int64_t height, int64_t width, double low, double high,
                      evn__tile *tiles) {
    for (int i = 0; i < SHOWN; ++i) {
        tiles[i] = (evn__tile){values + i * height * width, (int)height, (int)width, low, high};
    }
}

static evn_status draw_tiles(const evn__inversions *v, double *work, const char *folder) {
    evn__tile tiles[ROWS * SHOWN];
    const char *labels[ROWS] = {"images in", "features x(1)"}, *columns[SHOWN];
    char note[128], low_text[32], high_text[32];
    int64_t image = v->height * v->width, size = v->state.dim[1] * v->state.dim[2];
    int64_t channel = choose_channel(v, work);
    double low = work[0], high = work[0];
    for (int64_t i = 0; i < SHOWN * size; ++i) {
        low = fmin(low, work[i]);
        high = fmax(high, work[i]);
    }
    set_tiles(work, v->state.dim[1], v->state.dim[2], low, high, tiles + FEATURES * SHOWN);
    work += SHOWN * size;
    take_channel(v->pixels, image, v->channels, 0, work);
    set_tiles(work, v->height, v->width, 0, 1, tiles + IN * SHOWN);
    for (int i = BACK; i < ROWS; ++i) {
        const evn__inversion *row = &v->rows[backs[i - BACK].row];
        work += SHOWN * image;
        take_channel(row->pixels, image, v->channels, 0, work);
        set_tiles(work, v->height, v->width, 0, 1, tiles + i * SHOWN);
        labels[i] = backs[i - BACK].label;
    }
    for (int i = 0; i < SHOWN; ++i) {
        columns[i] = "";
    }
    snprintf(
        note, sizeof(note),
        "images: %lld × %lld pixels%s; features: %lld × %lld, channel %lld; numbers: tolerance "
        "of dopri5",
        (long long)v->height, (long long)v->width, v->channels == 3 ? ", red" : "",
        (long long)v->state.dim[1], (long long)v->state.dim[2], (long long)channel);
    evn__print(low_text, sizeof(low_text), "0; %.2g", low);
    evn__print(high_text, sizeof(high_text), "1; %.2g", high);
    const evn__tiles picture = {"Images in, features out, images back",
                                tiles,
                                ROWS,
                                SHOWN,
                                labels,
                                columns,
                                note,
                                EVN__PALETTE_GREY,
                                low_text,
                                "pixel; feature  (no units)",
                                high_text};
    return evn__tiles_save(&picture, folder, "invert");
}

// Errors ------------------------------------------------------------------------------------------

static evn_status draw_errors(const evn__inversions *v, const char *folder) {
    enum { COUNT = EVN__INVERT_TOLERANCES };
    double tolerance[COUNT], x[COUNT], theta[COUNT], pixels[COUNT];
    bool evolves = false;
    for (int i = 0; i < COUNT; ++i) {
        const evn__inversion *row = &v->rows[1 + i];
        tolerance[i] = row->tolerance;
        x[i] = row->x_error;
        theta[i] = row->theta_error;
        pixels[i] = row->pixel_error;
        evolves = evolves || theta[i] > 0;
    }
    const evn__series series[] = {
        {.label = "x(0)", .style = EVN__LINE, .x = tolerance, .y = x, .count = COUNT},
        {.label = "pixels", .style = EVN__LINE, .x = tolerance, .y = pixels, .count = COUNT},
        {.label = "as the tolerance",
         .style = EVN__DASHED,
         .x = tolerance,
         .y = tolerance,
         .count = COUNT},
        {.label = "θ(0)", .style = EVN__LINE, .x = tolerance, .y = theta, .count = COUNT}};
    const evn__plot plot = {.title = "Recovered by solving from t = 1 to 0 with dopri5",
                            .x = {"rtol = atol  (no unit)", true},
                            .y = {"relative error  (no unit)", true},
                            .series = series,
                            .count = evolves ? 4 : 3};
    return evn__plot_save(&plot, folder, "invert-errors");
}

evn_status evn__invert_draw(const evn__inversions *inversions, const char *folder) {
    int64_t features = inversions->state.dim[1] * inversions->state.dim[2];
    int64_t image = inversions->height * inversions->width;
    double *work = NULL;
    EVN_TRY(EVN_NEW(&work, SHOWN * (features + (ROWS - 1) * image)));
    evn_status status = draw_tiles(inversions, work, folder);
    free(work);
    EVN_TRY(status);
    return draw_errors(inversions, folder);
}
