// SPDX-License-Identifier: Apache-2.0
// Image files, wherever they stand, as pixels of the size that a model takes: decoded and resized
// as a folder of images is, by a thread for each processor.
#ifndef EVN_DATA_IMAGE_FILES_H
#define EVN_DATA_IMAGE_FILES_H

#include "evonode/dataset.h"
#include "image/image.h"

/// What the images become.
typedef struct evn__image_shape {
    int64_t height, width;
    int channels; ///< 1: grey, images in colour too; 3
    evn_fit fit;
} evn__image_shape;

/// One file. Contents that are there already are not read.
typedef struct evn__image_file {
    const char *path;
    const unsigned char *data; ///< NULL: read from `path`
    size_t size;
    evn_status status; ///< of reading and decoding it
    char *problem;     ///< "path: why" it is no good image; NULL where it is one; for free()
} evn__image_file;

/// The image room's name of a fit.
evn__fit evn__fit_of(evn_fit fit);

/// Decode files, as far as they are images: the status of each says whether it is one.
/// @param[out] pixels  [count, height, width, channels]; zeros where a file is none
void evn__image_files_decode(evn__image_file *files, int64_t count, const evn__image_shape *shape,
                             uint8_t *pixels);

#endif
