// SPDX-License-Identifier: Apache-2.0
// A model run backwards: features x(1) → x(0) by solving from t = 1 to 0, x(0) → images.
// The first is what a Neural ODE can do and a ResNet cannot; how well is a matter of tolerance.
// The second inverts the stem, which is not injective: images are sought whose x(0) is the one
// wanted, by L-BFGS on ‖stem(images) − x(0)‖², pixels as sigmoids, from dark grey.
#ifndef EVN_STUDY_INVERT_H
#define EVN_STUDY_INVERT_H

#include "evonode/model.h"
#include "evonode/solver.h"
#include "evonode/source.h"

enum { EVN__INVERT_TOLERANCES = 5, EVN__INVERT_ROWS = EVN__INVERT_TOLERANCES + 3 };
enum { EVN__INVERT_IMAGES = 32, EVN__INVERT_ITERATIONS = 200 };

/// One way there and back. Errors are ‖recovered − true‖/‖true‖ over all images, NaN where a solve
/// did not reach its end.
typedef struct evn__inversion {
    char name[32];
    double tolerance; ///< rtol and atol; 0: fixed steps, or no solve
    int nfe_forward, nfe_backward;
    double x_error, theta_error, pixel_error;
    double stopped_at; ///< t where a solve gave up; NaN: none did
    double *pixels;    ///< [images, H, W, C], recovered; owned
} evn__inversion;

/// Rows: x(0) itself given to the search for images (what the stem alone loses), dopri5 at 1e-2 …
/// 1e-6, Euler, the reversible midpoint rule. Zero-initialise.
typedef struct evn__inversions {
    evn__inversion rows[EVN__INVERT_ROWS];
    int64_t height, width, channels; ///< of an image
    evn_shape state;                 ///< [images, height, width, filters] of x
    double *pixels;                  ///< [images, H, W, C], true, in [0, 1]; owned
    double *features;                ///< x(1) with the smallest tolerance that got there; owned
} evn__inversions;

/// Invert the first images of the test part of a source of images.
/// @param[in] steps  of the last two
/// @return EVN_ERR_ARGUMENT for a model without dynamics; EVN_ERR_DATA for too few images. The
/// gradients of the model's parameters
///         are overwritten.
evn_status evn__invert_measure(evn_device *device, const evn_source *source, const evn_model *model,
                               int steps, evn__inversions *inversions);
void evn__inversions_free(evn__inversions *inversions);

/// Draw invert (images in, features, images back) and invert-errors (over the tolerance), .png and
/// .svg (tiles.h says up to which size), into the folder.
evn_status evn__invert_draw(const evn__inversions *inversions, const char *folder);

#endif
