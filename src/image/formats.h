// SPDX-License-Identifier: Apache-2.0
// The formats of image files: how content is recognised, and a walk through the whole file that
// finds what is malformed, truncated or a bomb before any decoder sees it.
#ifndef EVN_IMAGE_FORMATS_H
#define EVN_IMAGE_FORMATS_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EVN__IMAGE_SIDE_MAX = 16384,
    EVN__IMAGE_PIXELS_MAX = 1 << 26, ///< of one image
};

/// What a file's header says.
typedef struct evn__image_info {
    int64_t width, height; ///< 1 … EVN__IMAGE_SIDE_MAX, their product within EVN__IMAGE_PIXELS_MAX
    int channels;          ///< as stored, palettes counted as colours; 0: left to the decoder
    int orientation;       ///< Exif's, 1 … 8; 0: not stated
} evn__image_info;

/// As a decoder leaves it.
typedef struct evn__raw_image {
    int64_t width, height;
    int channels; ///< 1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha
    int bits;     ///< 8: bytes; 16: uint16_t of this machine
    void *pixels; ///< [height, width, channels]
} evn__raw_image;

/// @return EVN_ERR_FORMAT for sides out of their ranges
evn_status evn__image_check_size(int64_t width, int64_t height);

// A format: whether the content is of it, and the walk (EVN_ERR_FORMAT).
bool evn__is_png(const uint8_t *data, size_t size);
evn_status evn__png_walk(const uint8_t *data, size_t size, evn__image_info *info);
bool evn__is_jpeg(const uint8_t *data, size_t size);
evn_status evn__jpeg_walk(const uint8_t *data, size_t size, evn__image_info *info);
bool evn__is_bmp(const uint8_t *data, size_t size);
evn_status evn__bmp_walk(const uint8_t *data, size_t size, evn__image_info *info);
bool evn__is_tga(const uint8_t *data, size_t size); ///< has no signature: to be asked last
evn_status evn__tga_walk(const uint8_t *data, size_t size, evn__image_info *info);
bool evn__is_pnm(const uint8_t *data, size_t size);
evn_status evn__pnm_walk(const uint8_t *data, size_t size, evn__image_info *info);

/// How Exif data say that the stored image is to be turned: 1 … 8. Anything malformed is upright.
enum { EVN__UPRIGHT = 1 };
int evn__exif_orientation(const uint8_t *data, size_t size);

/// Turn an image of bytes, so that it is seen upright.
/// @return EVN_ERR_MEMORY
evn_status evn__orient(int orientation, evn__raw_image *raw);

/// Binary PGM and PPM, which stb_image 2.27 reads wrongly with 16 bits. As evn__stb_decode.
evn_status evn__pnm_decode(const uint8_t *data, size_t size, evn__raw_image *raw);

#endif
