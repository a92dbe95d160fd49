// SPDX-License-Identifier: Apache-2.0
// The tuner: for each shape of a list, the candidates of its operation (src/ops/variant.h) against
// the family's own choice. A candidate that differs from the reference, on the shape itself or on
// odd ones, is out; one that is not clearly faster than the default does not replace it.
#ifndef EVN_TUNE_TUNER_H
#define EVN_TUNE_TUNER_H

#include "ops/variant.h"

enum { EVN__TUNER_REASON = 160 };

typedef struct evn__tuner_options {
    const char *family; ///< "matmul" or "conv2d"; NULL: all
    bool quick;         ///< few shapes and a short time
    double seconds;     ///< time for all; > 0. A kernel that is being compiled is waited for
} evn__tuner_options;

/// What came of one shape.
typedef struct evn__tuner_row {
    const char *title;               ///< for the user; static
    char winner[EVN__VARIANT_NAME];  ///< "" where the default stays
    double default_seconds, seconds; ///< of one run of the default, of the winner
    int tried;                       ///< candidates that were timed
    int wrong;                       ///< that differed from the reference
    int skipped;                     ///< not for this device, or did not compile
    bool complete;                   ///< false: the time was over before all had their turn
    char reason[EVN__TUNER_REASON];  ///< of the last wrong one, or else of the last skipped
} evn__tuner_row;

/// Families that can be tuned: name of number `index`; NULL past the last.
const char *evn__tuner_family(int index);

/// Why there is nothing to choose on the device; NULL: there is. Static.
const char *evn__tuner_idle(const evn_device *device, const evn__tuner_options *options);

/// Tune `device`: winners go into its table (host/tuning.h), in memory alone.
/// `report` is called after each shape.
evn_status evn__tuner_run(evn_device *device, const evn__tuner_options *options,
                          void (*report)(void *user, const evn__tuner_row *row), void *user);

#endif
