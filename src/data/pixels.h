// SPDX-License-Identifier: Apache-2.0
// Images in memory as the test part of a source: what a trained model answers.
#ifndef EVN_DATA_PIXELS_H
#define EVN_DATA_PIXELS_H

#include "evonode/source.h"

/// What the source reads. The images may change between two fills.
typedef struct evn__pixels {
    evn_shape shape;      ///< [H, W, C]
    int classes;          ///< of the labels, which are all 0
    int64_t batch, count; ///< images in a batch, and in all
    const uint8_t *bytes; ///< [count, H, W, C]
} evn__pixels;

/// @param[in] pixels  borrowed; outlives the source
void evn__source_pixels(evn__pixels *pixels, evn_source *source);

#endif
