// SPDX-License-Identifier: Apache-2.0
// Every kernel family on a device, as it is tuned, against the reference (tune/samples.h).
#ifndef EVN_TUNE_SELFTEST_H
#define EVN_TUNE_SELFTEST_H

#include "evonode/device.h"

typedef struct evn__selftest_row {
    const char *family;
    bool fp64;
    int cases, wrong;
    double error;     ///< largest of the cases, relative to the largest result (or to 1)
    double tolerance; ///< that it must not exceed
    char reason[160]; ///< "", or the last failure to compile or to run; such a case is wrong too
} evn__selftest_row;

/// Some cases of some families: for a device that is used for the first time.
typedef struct evn__selftest_part {
    bool (*uses)(void *user, const char *operation); ///< as evn__sample has it
    void *user;
} evn__selftest_part;

/// Run all in single and, where the device has it, double precision; `report` is called after each
/// family.
/// @param[in] part  NULL: all; else two cases, in single precision, of each family that it uses
/// @param[out] wrong  cases that differ or fail; 0: the device can be trusted
evn_status evn__selftest(evn_device *device, const evn__selftest_part *part,
                         void (*report)(void *user, const evn__selftest_row *row), void *user,
                         int *wrong);

#endif
