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
    return EVN_OK;
}

// Drawing -----------------------------------------------------------------------------------------

/// Uniform in [−1, 1).
static double draw_signed(uint64_t seed, uint64_t stream, int64_t sample) {
    return 2 * evn__random_uniform(seed, stream, (uint64_t)sample) - 1;
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
    return placement;
}

// Writing -----------------------------------------------------------------------------------------

/// An image that is read from.
typedef struct source {
    const evn_dataset_info *info;
    const uint8_t *pixels;
    const float *levels;
} source;

static float read_pixel(const source *from, int64_t row, int64_t column, int64_t channel) {
    const evn_dataset_info *info = from->info;
    bool inside = row >= 0 && row < info->height && column >= 0 && column < info->width;
    int64_t at = (row * info->width + column) * info->channels + channel;
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

static void write_turned(const source *from, const evn__placement *placement, float *image) {
    const evn_dataset_info *info = from->info;
    double cosine = cos(placement->angle) / placement->factor;
    double sine = sin(placement->angle) / placement->factor;
    double middle_y = 0.5 * (double)(info->height - 1), middle_x = 0.5 * (double)(info->width - 1);
    for (int64_t row = 0; row < info->height; ++row) {
        double v = (double)(placement->top + row) - middle_y;
        for (int64_t column = 0; column < info->width; ++column) {
            double u = (double)(placement->left + column) - middle_x;
            double y = middle_y + cosine * v + sine * u, x = middle_x - sine * v + cosine * u;
            for (int64_t channel = 0; channel < info->channels; ++channel) {
                *image++ = read_between(from, y, x, channel);
            }
        }
    }
}

void evn__placement_write(const evn__placement *placement, const evn_dataset_info *info,
                          const uint8_t *pixels, const float *levels, float *image) {
    source from = {info, pixels, levels};
    if (placement->angle == 0 && placement->factor == 1) {
        write_window(&from, placement, image);
    } else {
        write_turned(&from, placement, image);
    }
}
