// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include "image/stb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Formats -----------------------------------------------------------------------------------------

typedef struct format {
    bool (*is)(const uint8_t *data, size_t size);
    evn_status (*walk)(const uint8_t *data, size_t size, evn__image_info *info);
    int decoder; ///< evn__stb_format; -1: PNM's own
} format;

static const format formats[] = {{evn__is_png, evn__png_walk, EVN__STB_PNG},
                                 {evn__is_jpeg, evn__jpeg_walk, EVN__STB_JPEG},
                                 {evn__is_bmp, evn__bmp_walk, EVN__STB_BMP},
                                 {evn__is_pnm, evn__pnm_walk, -1},
                                 {evn__is_tga, evn__tga_walk, EVN__STB_TGA}};

evn_status evn__image_check_size(int64_t width, int64_t height) {
    EVN_CHECK(width >= 1 && height >= 1, EVN_ERR_FORMAT, "its header states %lld x %lld pixels",
              (long long)width, (long long)height);
    EVN_CHECK(width <= EVN__IMAGE_SIDE_MAX && height <= EVN__IMAGE_SIDE_MAX &&
                  width * height <= EVN__IMAGE_PIXELS_MAX,
              EVN_ERR_FORMAT,
              "its header states %lld x %lld pixels, more than are read (%d on a side, %d in all)",
              (long long)width, (long long)height, EVN__IMAGE_SIDE_MAX, EVN__IMAGE_PIXELS_MAX);
    return EVN_OK;
}

static evn_status find_format(const uint8_t *data, size_t size, const format **found) {
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); ++i) {
        if (formats[i].is(data, size)) {
            *found = &formats[i];
            return EVN_OK;
        }
    }
    char start[3 * 4 + 1] = "";
    for (size_t i = 0; i < 4 && i < size; ++i) {
        snprintf(start + 3 * i, 4, " %02x", data[i]);
    }
    EVN_FAIL(EVN_ERR_FORMAT, "it is no PNG, JPEG, BMP, TGA or PNM image: it begins with%s", start);
}

static evn_status decode(const uint8_t *data, size_t size, evn__raw_image *raw, int *orientation) {
    const format *found;
    evn__image_info info;
    EVN_TRY(find_format(data, size, &found));
    EVN_TRY(found->walk(data, size, &info));
    *orientation = info.orientation;
    if (found->decoder < 0) {
        return evn__pnm_decode(data, size, raw);
    }
    return evn__stb_decode((evn__stb_format)found->decoder, data, size, &info, raw);
}

// Bytes without alpha -----------------------------------------------------------------------------

/// 0 … 65535 → 0 … 255.
static void narrow(evn__raw_image *raw) {
    const uint16_t *from = raw->pixels;
    uint8_t *to = raw->pixels;
    size_t count = (size_t)(raw->width * raw->height * raw->channels);
    for (size_t i = 0; i < count; ++i) {
        uint32_t value = from[i];
        to[i] = (uint8_t)((value + 128) / 257);
    }
    raw->bits = 8;
}

/// As the image looks on a white page. In place: a pixel gets shorter.
static void lay_on_white(evn__raw_image *raw) {
    int colours = raw->channels - 1;
    const uint8_t *from = raw->pixels;
    uint8_t *to = raw->pixels;
    int64_t count = raw->width * raw->height;
    for (int64_t i = 0; i < count; ++i, from += colours + 1) {
        unsigned alpha = from[colours];
        for (int c = 0; c < colours; ++c) {
            *to++ = (uint8_t)((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
    raw->channels = colours;
}

evn_status evn__image_decode(const uint8_t *data, size_t size, evn__image *image) {
    evn__raw_image raw = {0};
    int orientation;
    *image = (evn__image){0};
    EVN_CHECK(size > 0, EVN_ERR_FORMAT, "the file is empty");
    EVN_CHECK(size <= EVN__IMAGE_FILE_MAX, EVN_ERR_FORMAT,
              "the file has %zu bytes; images of up to %zu are read", size, EVN__IMAGE_FILE_MAX);
    EVN_TRY(decode(data, size, &raw, &orientation));
    if (raw.bits == 16) {
        narrow(&raw);
    }
    if (raw.channels % 2 == 0) {
        lay_on_white(&raw);
    }
    evn_status status = evn__orient(orientation, &raw);
    *image = (evn__image){raw.height, raw.width, raw.channels, raw.pixels};
    if (status != EVN_OK) {
        evn__image_free(image);
    }
    return status;
}

void evn__image_make_grey(evn__image *image) {
    int64_t count = image->channels == 3 ? image->height * image->width : 0;
    for (int64_t i = 0; i < count; ++i) {
        const uint8_t *p = image->pixels + 3 * i;
        image->pixels[i] = (uint8_t)((299u * p[0] + 587u * p[1] + 114u * p[2] + 500) / 1000);
    }
    image->channels = 1;
}

void evn__image_free(evn__image *image) {
    free(image->pixels);
    image->pixels = NULL;
}
