// SPDX-License-Identifier: Apache-2.0
// The affine map between points in their user's units and points with mean 0 and covariance I: what
// of a density needs no learning. It is fitted to rows, and kept with what is trained on them.
#ifndef EVN_DATA_STANDARDISATION_H
#define EVN_DATA_STANDARDISATION_H

#include "base/status.h"
#include <stdint.h>

/// x = mean + factor · z. Zero-initialise, free with evn__standardisation_free.
typedef struct evn__standardisation {
    int dimensions;    ///< D
    double *mean;      ///< [D]
    double *factor;    ///< [D, D], lower triangle, what is above it 0; its diagonal is above 0
    double log_volume; ///< ln det factor: what it adds to −log p
} evn__standardisation;

/// Mean and covariance of rows [count, D]. Correlations are shrunk towards 0 by as much as suits
/// their number (oracle approximating shrinkage: Chen, Wiesel, Eldar, Hero 2010), so that there may
/// be fewer rows than columns.
/// @param[in] names  [D] of the columns, for messages
/// @return EVN_ERR_DATA for a column that is constant, or that follows from those before it
evn_status evn__standardisation_fit(const double *rows, int64_t count, int dimensions,
                                    const char *const *names, evn__standardisation *s);

/// From a mean [D] and a factor [D, D], which are copied.
/// @return EVN_ERR_FORMAT for one that is not finite or no such factor
evn_status evn__standardisation_set(const double *mean, const double *factor, int dimensions,
                                    evn__standardisation *s);

void evn__standardisation_free(evn__standardisation *s);

/// z of x, and x of z, [D] each; both may be the same array.
void evn__standardisation_apply(const evn__standardisation *s, const double *x, double *z);
void evn__standardisation_undo(const evn__standardisation *s, const double *z, double *x);

#endif
