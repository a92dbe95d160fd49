// SPDX-License-Identifier: Apache-2.0
// The self-test at the first use: the very plans that a program made on a device, run with numbers
// and compared with the reference, once for each plan, device, driver and version. What was right
// is kept (host/checked.h), so that a second start costs a look at that file.
#ifndef EVN_TUNE_FIRST_USE_H
#define EVN_TUNE_FIRST_USE_H

#include "evonode/device.h"

enum { EVN__FIRST_USE_WHAT = 512 };

typedef struct evn__first_use evn__first_use;

typedef struct evn__first_use_result {
    int plans;     ///< there are
    int known;     ///< are not to be checked again
    int checked;   ///< were compared now
    int wrong;     ///< of those differ from the reference
    int families;  ///< kernel families compared by small cases, for large plans
    int left;      ///< plans of which nothing is known: their results hang on rounding, or they are
                   ///< large, in double precision or by sample
    int unchecked; ///< plans that there was no memory to check; the next run tries again
    char what[EVN__FIRST_USE_WHAT]; ///< of the first wrong one
} evn__first_use_result;

/// Whether EVONODE_SELFTEST is off, 0 or none.
bool evn__selftest_is_off(void);

/// From here on remember the plans that are made on the device.
evn_status evn__first_use_begin(evn_device *device, evn__first_use **use);

/// Check the plans that there are now, as far as they are not known. They must not be in use: their
/// memory is overwritten. EVONODE_SELFTEST=off: check nothing.
/// @return EVN_OK also where some are wrong; another status where the device fails
evn_status evn__first_use_check(evn__first_use *use, evn__first_use_result *result);

/// While it is on, the plans that are made while the device counts (host/counting.h) are those that
/// a program is going to make, all of them; those before are forgotten.
void evn__first_use_foresee(evn__first_use *use, bool on);

/// Whether any of these may be unknown: as a whole they were not kept by an earlier run.
evn_status evn__first_use_foresees(const evn__first_use *use, bool *fresh);

/// Keep them as a whole, once they were checked.
evn_status evn__first_use_keep_foreseen(const evn__first_use *use);

/// Nulls; accepts NULL. The device must still be open.
void evn__first_use_end(evn__first_use **use);

#endif
