// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "data/augment.h"

#include <math.h>

enum { LEVELS = 256, BRIGHTNESS = 0, CONTRAST, SATURATION, CHANGES };

/// The streams of epoch 0, one for each change.
#define JITTER_STREAM ((uint64_t)15 << 60)
#define BETWEEN       ((uint64_t)1 << 56)

/// Of a colour, by how bright it looks (ITU-R BT.601).
static double grey(double red, double green, double blue) {
    return 0.299 * red + 0.587 * green + 0.114 * blue;
}

static double mean_grey(const uint8_t *pixels, int64_t count) {
    int64_t sums[3] = {0};
    for (int64_t i = 0; i < count; ++i) {
        for (int c = 0; c < 3; ++c) {
            sums[c] += pixels[3 * i + c];
        }
    }
    return grey((double)sums[0], (double)sums[1], (double)sums[2]) / (double)count;
}

static uint8_t to_byte(double value) {
    return (uint8_t)(value <= 0 ? 0 : value >= LEVELS - 1 ? LEVELS - 1 : value + 0.5);
}

void evn__jitter_write(double jitter, uint64_t seed, int64_t epoch, int64_t sample,
                       const evn_dataset_info *info, const uint8_t *pixels, uint8_t *changed) {
    double factors[CHANGES];
    int64_t count = info->height * info->width;
    for (int i = 0; i < CHANGES; ++i) {
        uint64_t stream = (JITTER_STREAM + (uint64_t)i * BETWEEN) ^ (uint64_t)epoch;
        factors[i] = 1 + jitter * (2 * evn__random_uniform(seed, stream, (uint64_t)sample) - 1);
    }
    double gain = factors[BRIGHTNESS] * factors[CONTRAST];
    double offset = factors[BRIGHTNESS] * (1 - factors[CONTRAST]) * mean_grey(pixels, count);
    for (int64_t i = 0; i < count; ++i, pixels += 3, changed += 3) {
        double own = (1 - factors[SATURATION]) * grey(pixels[0], pixels[1], pixels[2]);
        for (int c = 0; c < 3; ++c) {
            changed[c] = to_byte(gain * (factors[SATURATION] * pixels[c] + own) + offset);
        }
    }
}
