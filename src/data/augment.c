// SPDX-License-Identifier: Apache-2.0
#include "data/augment.h"

#include "base/random.h"
#include "base/status.h"

#include <math.h>

enum { LEVELS = 256 };

/// The streams of epoch 0; far from the small numbers that parameters have, and from the order's.
#define CROP_STREAM   ((uint64_t)3 << 62)
#define ROTATE_STREAM ((uint64_t)5 << 61)
#define SCALE_STREAM  ((uint64_t)7 << 61)
#define BEND_STREAM   ((uint64_t)9 << 60)
#define FLIP_STREAM   ((uint64_t)13 << 60)

evn_status evn__augmentation_check(const evn_augmentation *augmentation,
                                   const evn_dataset_info *info) {
    int64_t side = info->height < info->width ? info->height : info->width;
    EVN_CHECK(augmentation->crop >= 0 && augmentation->crop < side, EVN_ERR_ARGUMENT,
              "a crop of %d pixels: for images of %lld x %lld it should be from 0 to %lld",
              augmentation->crop, (long long)info->height, (long long)info->width,
              (long long)(side - 1));
    EVN_CHECK(augmentation->rotate >= 0 && augmentation->rotate <= 180, EVN_ERR_ARGUMENT,
              "a rotation by up to %g degrees: it should be from 0 to 180", augmentation->rotate);
    EVN_CHECK(augmentation->scale >= 0 && augmentation->scale <= 1, EVN_ERR_ARGUMENT,
              "a scaling by up to a factor of 1 + %g: it should be 1 + (0 to 1)",
              augmentation->scale);
    EVN_CHECK(
        augmentation->elastic >= 0 && 4 * augmentation->elastic <= (double)side, EVN_ERR_ARGUMENT,
        "an elastic distortion of %g pixels: for images of %lld x %lld it should be from 0 to %g",
        augmentation->elastic, (long long)info->height, (long long)info->width,
        0.25 * (double)side);
    EVN_CHECK(augmentation->jitter >= 0 && augmentation->jitter <= 1, EVN_ERR_ARGUMENT,
              "a colour jitter of %g: it should be from 0 to 1", augmentation->jitter);
    EVN_CHECK(augmentation->jitter == 0 || info->channels == 3, EVN_ERR_ARGUMENT,
              "colour jitter is for images of three colours; these have %lld",
              (long long)info->channels);
    return EVN_OK;
}

// Drawing -----------------------------------------------------------------------------------------

/// Uniform in [−1, 1).
static double draw_signed(uint64_t seed, uint64_t stream, int64_t sample) {
    return 2 * evn__random_uniform(seed, stream, (uint64_t)sample) - 1;
}

static void draw_bend(evn__placement *placement, double deviation, uint64_t seed, uint64_t stream,
                      int64_t sample) {
    const double of_spline = 151.0 / 315; // the mean over a cell of the sum of its squared weights
    enum { COUNT = 2 * EVN__BEND_NODES * EVN__BEND_NODES };
    float *bend = &placement->bend[0][0][0];
    for (int i = 0; i < COUNT; ++i) {
        double normal = evn__random_normal(seed, stream, (uint64_t)sample * COUNT + (uint64_t)i);
        bend[i] = (float)(deviation / of_spline * normal);
    }
    placement->bent = true;
}

evn__placement evn__placement_draw(const evn_augmentation *augmentation, uint64_t seed,
                                   int64_t epoch, int64_t sample) {
    const double degree = 3.14159265358979323846 / 180;
    uint64_t of_epoch = (uint64_t)epoch, side = 2 * (uint64_t)augmentation->crop + 1;
    uint64_t window =
        evn__random_below(seed, CROP_STREAM ^ of_epoch, (uint64_t)sample, side * side);
    evn__placement placement = {
        .factor = 1,
        .top = (int64_t)(window / side) - augmentation->crop,
        .left = (int64_t)(window % side) - augmentation->crop,
    };
    if (augmentation->rotate > 0) {
        placement.angle =
            augmentation->rotate * degree * draw_signed(seed, ROTATE_STREAM ^ of_epoch, sample);
    }
    if (augmentation->scale > 0) { // as often enlarged as shrunk
        placement.factor =
            pow(1 + augmentation->scale, draw_signed(seed, SCALE_STREAM ^ of_epoch, sample));
    }
    if (augmentation->elastic > 0) {
        draw_bend(&placement, augmentation->elastic, seed, BEND_STREAM ^ of_epoch, sample);
    }
    placement.flipped = augmentation->flip &&
                        evn__random_below(seed, FLIP_STREAM ^ of_epoch, (uint64_t)sample, 2) == 1;
    return placement;
}

// Writing -----------------------------------------------------------------------------------------

/// An image that is read from.
typedef struct source {
    const evn_dataset_info *info;
    const uint8_t *pixels;
    const float *levels;
    bool flipped;
} source;

static float read_pixel(const source *from, int64_t row, int64_t column, int64_t channel) {
    const evn_dataset_info *info = from->info;
    bool inside = row >= 0 && row < info->height && column >= 0 && column < info->width;
    int64_t from_left = from->flipped ? info->width - 1 - column : column;
    int64_t at = (row * info->width + from_left) * info->channels + channel;
    return from->levels[channel * LEVELS + (inside ? from->pixels[at] : 0)];
}

static void write_window(const source *from, const evn__placement *placement, float *image) {
    const evn_dataset_info *info = from->info;
    for (int64_t row = 0; row < info->height; ++row) {
        for (int64_t column = 0; column < info->width; ++column) {
            for (int64_t channel = 0; channel < info->channels; ++channel) {
                *image++ =
                    read_pixel(from, placement->top + row, placement->left + column, channel);
            }
        }
    }
}

/// Bilinear between the four pixels around (y, x).
static float read_between(const source *from, double y, double x, int64_t channel) {
    double row = floor(y), column = floor(x);
    float down = (float)(y - row), right = (float)(x - column);
    int64_t r = (int64_t)row, c = (int64_t)column;
    float above =
        (1 - right) * read_pixel(from, r, c, channel) + right * read_pixel(from, r, c + 1, channel);
    float below = (1 - right) * read_pixel(from, r + 1, c, channel) +
                  right * read_pixel(from, r + 1, c + 1, channel);
    return (1 - down) * above + down * below;
}

/// A place between the nodes of a bend: the first of the four that count, and their weights.
typedef struct cell {
    int first;
    float weights[4];
} cell;

/// The cell of pixel `index` of `count`.
static cell find_cell(int64_t index, int64_t count) {
    double at = ((double)index + 0.5) * EVN__BEND_CELLS / (double)count;
    int first = (int)at;
    float s = (float)(at - first), r = 1 - s;
    return (cell){first,
                  {r * r * r / 6, (4 - 6 * s * s + 3 * s * s * s) / 6,
                   (4 - 6 * r * r + 3 * r * r * r) / 6, s * s * s / 6}};
}

/// A bend along one row: the coefficients that are left are splines over the columns.
typedef struct row_bend {
    float of[2][EVN__BEND_NODES];
} row_bend;

static row_bend bend_row(const evn__placement *placement, int64_t row, int64_t height) {
    row_bend along = {0};
    if (placement->bent) {
        cell here = find_cell(row, height);
        for (int axis = 0; axis < 2; ++axis) {
            for (int k = 0; k < 4; ++k) {
                for (int node = 0; node < EVN__BEND_NODES; ++node) {
                    along.of[axis][node] +=
                        here.weights[k] * placement->bend[axis][here.first + k][node];
                }
            }
        }
    }
    return along;
}

static double displacement(const float *of_row, const cell *here) {
    float sum = 0;
    for (int k = 0; k < 4; ++k) {
        sum += here->weights[k] * of_row[here->first + k];
    }
    return sum;
}

static void write_moved(const source *from, const evn__placement *placement, float *image) {
    const evn_dataset_info *info = from->info;
    double cosine = cos(placement->angle) / placement->factor;
    double sine = sin(placement->angle) / placement->factor;
    double middle_y = 0.5 * (double)(info->height - 1), middle_x = 0.5 * (double)(info->width - 1);
    for (int64_t row = 0; row < info->height; ++row) {
        row_bend along = bend_row(placement, row, info->height);
        for (int64_t column = 0; column < info->width; ++column) {
            cell here = find_cell(column, info->width);
            double v = (double)(placement->top + row) - middle_y + displacement(along.of[0], &here);
            double u =
                (double)(placement->left + column) - middle_x + displacement(along.of[1], &here);
            double y = middle_y + cosine * v + sine * u, x = middle_x - sine * v + cosine * u;
            for (int64_t channel = 0; channel < info->channels; ++channel) {
                *image++ = read_between(from, y, x, channel);
            }
        }
    }
}

void evn__placement_write(const evn__placement *placement, const evn_dataset_info *info,
                          const uint8_t *pixels, const float *levels, float *image) {
    source from = {info, pixels, levels, placement->flipped};
    if (placement->angle == 0 && placement->factor == 1 && !placement->bent) {
        write_window(&from, placement, image);
    } else {
        write_moved(&from, placement, image);
    }
}
