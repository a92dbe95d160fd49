// SPDX-License-Identifier: Apache-2.0
#include "image/formats.h"

enum { HEADER = 18, PALETTE = 1, COLOURS = 2, GREYS = 3, PACKED = 8 };

typedef struct header {
    size_t before; ///< of the pixels
    int kind;      ///< PALETTE, COLOURS or GREYS
    bool packed;   ///< run lengths
    size_t pixel;  ///< bytes of one
} header;

static uint32_t little_endian_16(const uint8_t *at) {
    return (uint32_t)at[1] << 8 | at[0];
}

static bool is_depth(int kind, int bits) {
    if (kind == COLOURS) {
        return bits == 15 || bits == 16 || bits == 24 || bits == 32;
    }
    return bits == 8 || (kind == GREYS && bits == 16);
}

static bool read_header(const uint8_t *data, size_t size, header *h) {
    if (size <= HEADER) {
        return false;
    }
    size_t entries = data[1] ? little_endian_16(data + 5) : 0;
    size_t entry = (size_t)(data[7] + 7) / 8;
    h->kind = data[2] & ~PACKED;
    h->packed = data[2] & PACKED;
    h->pixel = (size_t)(data[16] + 7) / 8;
    h->before = HEADER + data[0] + entries * entry;
    return data[1] <= 1 && h->kind >= PALETTE && h->kind <= GREYS &&
           (h->kind == PALETTE) == (data[1] == 1) && is_depth(h->kind, data[16]) &&
           (h->kind != PALETTE || (entries > 0 && is_depth(COLOURS, data[7])));
}

bool evn__is_tga(const uint8_t *data, size_t size) {
    header h;
    return read_header(data, size, &h);
}

/// Whether the packets from `at` on are of at least `pixels` pixels.
static bool has_packets(const header *h, const uint8_t *data, size_t size, size_t at,
                        uint64_t pixels) {
    while (pixels > 0 && at < size) {
        uint64_t run = (data[at] & 127u) + 1u;
        at += 1 + (data[at] & 128 ? h->pixel : run * h->pixel);
        pixels -= run < pixels ? run : pixels;
    }
    return pixels == 0 && at <= size;
}

evn_status evn__tga_walk(const uint8_t *data, size_t size, evn__image_info *info) {
    header h;
    EVN_CHECK(read_header(data, size, &h), EVN_ERR_FORMAT, "its TGA header is malformed");
    *info = (evn__image_info){.width = little_endian_16(data + 12),
                              .height = little_endian_16(data + 14)};
    EVN_TRY(evn__image_check_size(info->width, info->height));
    uint64_t pixels = (uint64_t)info->width * (uint64_t)info->height;
    bool whole = h.packed ? has_packets(&h, data, size, h.before, pixels)
                          : h.before <= size && pixels * h.pixel <= size - h.before;
    EVN_CHECK(whole, EVN_ERR_FORMAT, "the TGA file is truncated");
    return EVN_OK;
}
