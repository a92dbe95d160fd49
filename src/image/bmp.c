// SPDX-License-Identifier: Apache-2.0
#include "image/formats.h"

enum { FILE_HEADER = 14, OLD_HEADER = 12, NEW_HEADER = 40 };

static uint32_t little_endian(const uint8_t *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static uint32_t little_endian_16(const uint8_t *at) {
    return (uint32_t)at[1] << 8 | at[0];
}

static bool is_header(uint32_t bytes) {
    return bytes == OLD_HEADER || bytes == NEW_HEADER || bytes == 56 || bytes == 108 ||
           bytes == 124;
}

bool evn__is_bmp(const uint8_t *data, size_t size) {
    return size > FILE_HEADER + OLD_HEADER && data[0] == 'B' && data[1] == 'M' &&
           is_header(little_endian(data + FILE_HEADER));
}

static bool is_depth(uint32_t bits) {
    return bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
}

evn_status evn__bmp_walk(const uint8_t *data, size_t size, evn__image_info *info) {
    const uint8_t *header = data + FILE_HEADER;
    uint32_t offset = little_endian(data + 10), bytes = little_endian(header), bits;
    *info = (evn__image_info){0};
    EVN_CHECK(size > FILE_HEADER + (size_t)bytes, EVN_ERR_FORMAT, "the BMP file is truncated");
    if (bytes == OLD_HEADER) {
        info->width = little_endian_16(header + 4);
        info->height = little_endian_16(header + 6);
        bits = little_endian_16(header + 10);
    } else {
        int32_t height = (int32_t)little_endian(header + 8); // below 0: from the top down
        uint32_t compression = little_endian(header + 16);
        EVN_CHECK(compression == 0 || compression == 3, EVN_ERR_FORMAT,
                  "it is a compressed BMP, which is not read; convert it");
        info->width = (int32_t)little_endian(header + 4);
        info->height = height < 0 ? -(int64_t)height : height;
        bits = little_endian_16(header + 14);
    }
    EVN_CHECK(is_depth(bits), EVN_ERR_FORMAT, "BMP has no pixels of %u bits", bits);
    EVN_TRY(evn__image_check_size(info->width, info->height));
    uint64_t needed = ((uint64_t)info->width * bits + 31) / 32 * 4 * (uint64_t)info->height;
    EVN_CHECK(offset >= FILE_HEADER + bytes && offset <= size && needed <= size - offset,
              EVN_ERR_FORMAT, "the BMP file is truncated");
    return EVN_OK;
}
