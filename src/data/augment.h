// SPDX-License-Identifier: Apache-2.0
// Augmentation: an image as it is placed anew each time it is drawn for training.
#ifndef EVN_DATA_AUGMENT_H
#define EVN_DATA_AUGMENT_H

#include "evonode/dataset.h"

/// Elastic distortion: displacements are cubic B-splines whose coefficients stand on a grid, so
/// many cells to a side (free-form deformation: Rueckert et al. 1999). With four, what they have in
/// common over MNIST's 28 pixels is what Simard et al. (2003) get from noise under a Gaussian of 4
/// pixels.
enum { EVN__BEND_CELLS = 4, EVN__BEND_NODES = EVN__BEND_CELLS + 3 };

/// Where the drawn image's pixels lie in the stored one.
typedef struct evn__placement {
    double angle;      ///< radians, counter-clockwise as the image is seen, about its centre
    double factor;     ///< of enlargement, > 0
    bool flipped;      ///< mirrored before all else
    int64_t top, left; ///< of the window, in pixels from the turned image's corner
    bool bent;         ///< whether `bend` counts
    float bend[2][EVN__BEND_NODES][EVN__BEND_NODES]; ///< coefficients of the displacements down and
                                                     ///< to the right, in pixels of the window
} evn__placement;

/// @return EVN_ERR_ARGUMENT when it is out of the ranges that dataset.h gives
evn_status evn__augmentation_check(const evn_augmentation *augmentation,
                                   const evn_dataset_info *info);

/// The placement of a sample in an epoch: it depends on the arguments alone.
evn__placement evn__placement_draw(const evn_augmentation *augmentation, uint64_t seed,
                                   int64_t epoch, int64_t sample);

/// Write an image with its colours changed as they are for a sample in an epoch.
/// @param[in]  pixels  [H, W, 3]
/// @param[out] changed [H, W, 3]
void evn__jitter_write(double jitter, uint64_t seed, int64_t epoch, int64_t sample,
                       const evn_dataset_info *info, const uint8_t *pixels, uint8_t *changed);

/// Write an image as it is placed, bilinear between pixels where it is turned, enlarged or bent,
/// with bytes of 0 outside.
/// @param[in]  pixels  [H, W, C]
/// @param[in]  levels  [C, 256], what a byte of a channel becomes
/// @param[out] image   [H, W, C]
void evn__placement_write(const evn__placement *placement, const evn_dataset_info *info,
                          const uint8_t *pixels, const float *levels, float *image);

#endif
