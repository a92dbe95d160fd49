// SPDX-License-Identifier: Apache-2.0
// Densities in the plane to learn from samples: the usual toy sets, whose entropy is known, so that
// a model's distance from the optimum is known in nats.
#ifndef EVN_DATA_DENSITY_H
#define EVN_DATA_DENSITY_H

#include "base/status.h"
#include "evonode/source.h"
#include <stdint.h>

/// Where the random numbers of a point come from.
typedef struct evn__draws {
    uint64_t seed, stream, counter;
} evn__draws;

typedef struct evn__density {
    const char *name;
    void (*draw)(evn__draws *draws, double point[2]);
    double floor;       ///< its entropy in nats: no model's mean negative log-likelihood is below
    const char *source; ///< where the floor is from
    double extent;      ///< practically all of it is in [−extent, extent]²
} evn__density;

/// NULL past the last.
const evn__density *evn__density_at(int index);
/// NULL when there is none of that name.
const evn__density *evn__density_find(const char *name);

/// Points first … first + count − 1 of a stream of independent samples: points [count, 2]. The same
/// seed, stream and number give the same point.
void evn__density_sample(const evn__density *density, uint64_t seed, uint64_t stream,
                         uint64_t first, int64_t count, double *points);

#endif
