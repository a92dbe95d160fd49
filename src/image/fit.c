// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include "base/memory.h"
#include "image/stb.h"

#include <stdlib.h>
#include <string.h>

/// The part of the image that is shown, and the part of the result where it is.
typedef struct frame {
    int64_t top, left, height, width;
} frame;

/// round(a·b/c), at least 1.
static int64_t scale(int64_t a, int64_t b, int64_t c) {
    int64_t scaled = (2 * a * b + c) / (2 * c);
    return scaled < 1 ? 1 : scaled;
}

static void centre(frame *inner, int64_t height, int64_t width) {
    inner->top = (height - inner->height) / 2;
    inner->left = (width - inner->width) / 2;
}

static void place(const evn__image *image, evn__fit fit, int64_t height, int64_t width, frame *from,
                  frame *to) {
    *from = (frame){0, 0, image->height, image->width};
    *to = (frame){0, 0, height, width};
    bool wide = image->width * height > width * image->height;
    if (fit == EVN__FIT_CROP && wide) {
        from->width = scale(image->height, width, height);
    } else if (fit == EVN__FIT_CROP) {
        from->height = scale(image->width, height, width);
    } else if (fit == EVN__FIT_PAD && wide) {
        to->height = scale(width, image->height, image->width);
    } else if (fit == EVN__FIT_PAD) {
        to->width = scale(height, image->width, image->height);
    }
    centre(from, image->height, image->width);
    centre(to, height, width);
}

static void copy(const uint8_t *from, int64_t stride, uint8_t *to, int64_t to_stride, int64_t rows,
                 int64_t bytes) {
    for (int64_t row = 0; row < rows; ++row) {
        memcpy(to + row * to_stride, from + row * stride, (size_t)bytes);
    }
}

/// The image in the frame `to` of the result, in its own channels.
static evn_status draw(const evn__image *image, const frame *from, const frame *to, int64_t width,
                       uint8_t *pixels) {
    int64_t channels = image->channels, stride = image->width * channels;
    int64_t to_stride = width * channels;
    const uint8_t *first = image->pixels + from->top * stride + from->left * channels;
    uint8_t *out = pixels + to->top * to_stride + to->left * channels;
    if (from->height == to->height && from->width == to->width) {
        copy(first, stride, out, to_stride, to->height, to->width * channels);
        return EVN_OK;
    }
    return evn__stb_resize(first, from->height, from->width, stride, image->channels, to->height,
                           to->width, out, to_stride);
}

/// Grey to three equal colours, in place from the end.
static void spread(uint8_t *pixels, int64_t count) {
    for (int64_t i = count - 1; i >= 0; --i) {
        uint8_t grey = pixels[i];
        pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = grey;
    }
}

evn_status evn__image_fit(const evn__image *image, evn__fit fit, int64_t height, int64_t width,
                          int channels, uint8_t *pixels) {
    frame from, to;
    EVN_CHECK(channels >= image->channels, EVN_ERR_ARGUMENT,
              "an image of %d channels does not fit into %d", image->channels, channels);
    place(image, fit, height, width, &from, &to);
    memset(pixels, 0, (size_t)(height * width * channels));
    EVN_TRY(draw(image, &from, &to, width, pixels));
    if (channels > image->channels) {
        spread(pixels, height * width);
    }
    return EVN_OK;
}
