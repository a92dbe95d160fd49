// SPDX-License-Identifier: Apache-2.0
// The one list of what devices and drivers do differently from what the standard leads to expect.
#ifndef EVN_HOST_QUIRKS_H
#define EVN_HOST_QUIRKS_H

#include "evonode/device.h"

typedef struct evn__quirks {
    bool caches_programs; ///< the implementation keeps compiled programs itself: ours is bypassed
    bool costly_programs; ///< each program costs much, however small: sources share them
    bool compiles_at_launch; ///< a kernel is compiled at its first launch, not with its program
    bool reads_builtins;     ///< it reads clang's opencl-c.h before each program, cached ones too
    bool short_loops;        ///< the loops of a work-item end, without a word, after some 65,000
                             ///< iterations in all
    bool known;              ///< the following two are, without probes (host/probe.h)
    bool groups_progress;    ///< a work-group that has begun makes progress while others wait
    bool long_vectors;       ///< the compiler knows vectors of more than 16 elements, by clang's
                             ///< ext_vector_type
} evn__quirks;

/// Whether loads and stores of the host's processor, and so of a device that is this processor, are
/// seen in their order by others.
bool evn__memory_is_ordered(void);

evn__quirks evn__quirks_of(const evn_device_info *info);

/// Those of an open device.
const evn__quirks *evn__device_quirks(const evn_device *device);

#endif
