// SPDX-License-Identifier: Apache-2.0
// stb_image and stb_image_resize behind guards: they are no hardened parsers, as they say
// themselves. Each call has a budget of zeroed memory, a failed assertion ends it as a corrupt file
// does, and a success with an error noted on the way counts as none. What is given to them was
// checked by the walks of formats.h before.
#ifndef EVN_IMAGE_STB_H
#define EVN_IMAGE_STB_H

#include "image/formats.h"

typedef enum evn__stb_format {
    EVN__STB_PNG,
    EVN__STB_JPEG,
    EVN__STB_BMP,
    EVN__STB_TGA
} evn__stb_format;

/// Decode a file of a format whose walk found `info`.
/// @param[out] raw  pixels freed by the caller with free()
/// @return EVN_ERR_FORMAT with stb's reason; EVN_ERR_MEMORY
evn_status evn__stb_decode(evn__stb_format format, const uint8_t *data, size_t size,
                           const evn__image_info *info, evn__raw_image *raw);

/// Resample [height, width, channels] bytes, of which `stride` bytes make a row, to
/// [out_height, out_width, channels]. Edges are continued by their own pixels.
/// @return EVN_ERR_MEMORY
evn_status evn__stb_resize(const uint8_t *pixels, int64_t height, int64_t width, int64_t stride,
                           int channels, int64_t out_height, int64_t out_width, uint8_t *out,
                           int64_t out_stride);

#endif
