// SPDX-License-Identifier: Apache-2.0
#include "image/formats.h"

#include <stdlib.h>

typedef struct header {
    evn__image_info info;
    uint32_t highest; ///< value of a sample
    size_t before;    ///< of the samples
} header;

static bool is_space(int c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

bool evn__is_pnm(const uint8_t *data, size_t size) {
    return size > 3 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6' &&
           (is_space(data[2]) || data[2] == '#');
}

/// The number after spaces and comments at *at, which moves behind it; -1 when there is none.
static int64_t read_number(const uint8_t *data, size_t size, size_t *at) {
    while (*at < size && (is_space(data[*at]) || data[*at] == '#')) {
        bool comment = data[*at] == '#';
        while (comment && *at < size && data[*at] != '\n') {
            ++*at;
        }
        *at += *at < size;
    }
    int64_t value = *at < size && data[*at] >= '0' && data[*at] <= '9' ? 0 : -1;
    for (; *at < size && data[*at] >= '0' && data[*at] <= '9' && value < INT32_MAX / 10; ++*at) {
        value = 10 * value + (data[*at] - '0');
    }
    return value;
}

static size_t sample_bytes(const header *h) {
    return h->highest > 255 ? 2 : 1;
}

static evn_status read_header(const uint8_t *data, size_t size, header *h) {
    size_t at = 2;
    EVN_CHECK(data[1] == '5' || data[1] == '6', EVN_ERR_FORMAT,
              "it is a PNM file of the kind P%c; P5 and P6 are read: convert it", data[1]);
    h->info = (evn__image_info){.channels = data[1] == '6' ? 3 : 1};
    h->info.width = read_number(data, size, &at);
    h->info.height = read_number(data, size, &at);
    int64_t highest = read_number(data, size, &at);
    EVN_CHECK(at < size && is_space(data[at]) && highest >= 1 && highest <= 65535, EVN_ERR_FORMAT,
              "its PNM header is malformed");
    h->highest = (uint32_t)highest;
    h->before = at + 1;
    return evn__image_check_size(h->info.width, h->info.height);
}

static evn_status walk(const uint8_t *data, size_t size, header *h) {
    EVN_TRY(read_header(data, size, h));
    uint64_t samples =
        (uint64_t)h->info.width * (uint64_t)h->info.height * (uint64_t)h->info.channels;
    EVN_CHECK(samples * sample_bytes(h) <= size - h->before, EVN_ERR_FORMAT,
              "the PNM file is truncated");
    return EVN_OK;
}

evn_status evn__pnm_walk(const uint8_t *data, size_t size, evn__image_info *info) {
    header h;
    EVN_TRY(walk(data, size, &h));
    *info = h.info;
    return EVN_OK;
}

evn_status evn__pnm_decode(const uint8_t *data, size_t size, evn__raw_image *raw) {
    header h;
    EVN_TRY(walk(data, size, &h));
    size_t samples = (size_t)(h.info.width * h.info.height * h.info.channels);
    size_t width = sample_bytes(&h);
    const uint8_t *from = data + h.before;
    uint8_t *bytes = malloc(samples);
    EVN_CHECK(bytes, EVN_ERR_MEMORY, "no memory for an image of %zu bytes", samples);
    for (size_t i = 0; i < samples; ++i, from += width) {
        uint32_t value = width == 2 ? (uint32_t)from[0] << 8 | from[1] : from[0];
        value = value < h.highest ? value : h.highest;
        bytes[i] = (uint8_t)((value * 255 + h.highest / 2) / h.highest);
    }
    *raw = (evn__raw_image){h.info.width, h.info.height, h.info.channels, 8, bytes};
    return EVN_OK;
}
