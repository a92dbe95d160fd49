// SPDX-License-Identifier: Apache-2.0
#include "image/formats.h"

#include <string.h>
#include <zlib.h>

enum { SIGNATURE = 8, FRAME = 12, HEADER = 13, DEFLATE_RATIO = 1032 };

static const uint8_t signature[SIGNATURE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

bool evn__is_png(const uint8_t *data, size_t size) {
    return size >= SIGNATURE && memcmp(data, signature, SIGNATURE) == 0;
}

/// What the walk has seen.
typedef struct walk {
    evn__image_info *info;
    int depth, colour;
    size_t image_bytes; ///< of all IDAT chunks
    bool palette, ended;
} walk;

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/// Samples of a pixel by colour type, and the depths that it may have as bits; 0: no such type.
static const struct {
    int samples, channels;
    unsigned depths;
} colours[] = {{1, 1, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16},
               {0, 0, 0},
               {3, 3, 1u << 8 | 1u << 16},
               {1, 3, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8},
               {2, 2, 1u << 8 | 1u << 16},
               {0, 0, 0},
               {4, 4, 1u << 8 | 1u << 16}};

static evn_status read_header(walk *w, const uint8_t *data, uint32_t length) {
    EVN_CHECK(length == HEADER && !w->info->channels, EVN_ERR_FORMAT,
              "its IHDR chunk is malformed");
    w->depth = data[8];
    w->colour = data[9];
    EVN_CHECK((size_t)w->colour < sizeof(colours) / sizeof(colours[0]) && w->depth <= 16 &&
                  (colours[w->colour].depths >> w->depth & 1),
              EVN_ERR_FORMAT, "PNG has no colour type %d with %d bits", w->colour, w->depth);
    EVN_CHECK(data[10] == 0 && data[11] == 0 && data[12] <= 1, EVN_ERR_FORMAT,
              "its compression, filter or interlace method is unknown");
    *w->info = (evn__image_info){.width = big_endian(data),
                                 .height = big_endian(data + 4),
                                 .channels = colours[w->colour].channels};
    return evn__image_check_size(w->info->width, w->info->height);
}

static evn_status read_palette(walk *w, uint32_t length) {
    EVN_CHECK(!w->palette && w->image_bytes == 0 && length % 3 == 0 && length >= 3 && length <= 768,
              EVN_ERR_FORMAT, "its PLTE chunk is malformed");
    w->palette = true;
    return EVN_OK;
}

static evn_status read_chunk(walk *w, const uint8_t *type, const uint8_t *data, uint32_t length) {
    EVN_CHECK((memcmp(type, "IHDR", 4) == 0) == !w->info->channels, EVN_ERR_FORMAT,
              "it does not begin with one IHDR chunk");
    if (!w->info->channels) {
        return read_header(w, data, length);
    }
    if (memcmp(type, "PLTE", 4) == 0) {
        return read_palette(w, length);
    }
    if (memcmp(type, "eXIf", 4) == 0) {
        w->info->orientation = evn__exif_orientation(data, length);
    }
    if (memcmp(type, "IDAT", 4) == 0) {
        EVN_CHECK(w->colour != 3 || w->palette, EVN_ERR_FORMAT, "it has no palette");
        w->image_bytes += length;
    }
    w->ended = memcmp(type, "IEND", 4) == 0;
    return EVN_OK;
}

/// The chunk at *at, which moves behind it.
static evn_status step(walk *w, const uint8_t *data, size_t size, size_t *at) {
    size_t left = size - *at;
    uint32_t length = left >= FRAME ? big_endian(data + *at) : 0;
    EVN_CHECK(left >= FRAME && length <= left - FRAME, EVN_ERR_FORMAT, "the PNG file is truncated");
    const uint8_t *type = data + *at + 4;
    uint32_t stated = big_endian(type + 4 + length);
    EVN_CHECK(crc32(0, type, length + 4) == stated, EVN_ERR_FORMAT,
              "the checksum of a PNG chunk is wrong: the file is damaged");
    *at += FRAME + length;
    return read_chunk(w, type, type + 4, length);
}

evn_status evn__png_walk(const uint8_t *data, size_t size, evn__image_info *info) {
    *info = (evn__image_info){0};
    walk w = {.info = info};
    size_t at = SIGNATURE;
    while (!w.ended) {
        EVN_TRY(step(&w, data, size, &at));
    }
    EVN_CHECK(at == size, EVN_ERR_FORMAT, "%zu bytes follow after the end of the PNG data",
              size - at);
    size_t bits = (size_t)(colours[w.colour].samples * w.depth);
    size_t raw = ((size_t)info->width * bits + 7) / 8 * (size_t)info->height;
    EVN_CHECK(w.image_bytes >= raw / DEFLATE_RATIO, EVN_ERR_FORMAT,
              "%zu bytes of image data cannot be %lld x %lld pixels", w.image_bytes,
              (long long)info->width, (long long)info->height);
    return EVN_OK;
}
