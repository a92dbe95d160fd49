// SPDX-License-Identifier: Apache-2.0
// Image files as bytes of one size: decoded, laid on white where they are transparent, resized.
#ifndef EVN_IMAGE_IMAGE_H
#define EVN_IMAGE_IMAGE_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/// Largest file that is decoded.
#define EVN__IMAGE_FILE_MAX ((size_t)64 << 20)

typedef struct evn__image {
    int64_t height, width;
    int channels;    ///< 1 grey, 3 red, green and blue
    uint8_t *pixels; ///< [height, width, channels]; owned
} evn__image;

/// Decode a PNG, JPEG, BMP, TGA or binary PNM file, which is told by its content. Alpha is laid on
/// white; 16 bits are rounded to 8; what Exif says of the camera's position is undone. Safe for any
/// bytes; messages say what is wrong, not where.
/// @param[in] size  1 … EVN__IMAGE_FILE_MAX
/// @return EVN_ERR_FORMAT; EVN_ERR_MEMORY
evn_status evn__image_decode(const uint8_t *data, size_t size, evn__image *image);
void evn__image_free(evn__image *image); ///< nulls pixels; accepts NULL pixels

/// Make a colour image grey, in place: its luma (ITU-R BT.601), of equal colours their value.
void evn__image_make_grey(evn__image *image);

/// How an image comes to a size of another shape.
typedef enum evn__fit {
    EVN__FIT_CROP,    ///< what is too long is cut off on both sides
    EVN__FIT_PAD,     ///< black is put on both sides of what is too short
    EVN__FIT_STRETCH, ///< it is distorted
} evn__fit;

/// Write an image in the size [height, width, channels], grey as three equal colours where
/// `channels` is 3.
/// @param[in]  channels  1 for a grey image alone, or 3
/// @param[out] pixels    [height, width, channels]
evn_status evn__image_fit(const evn__image *image, evn__fit fit, int64_t height, int64_t width,
                          int channels, uint8_t *pixels);

#endif
