// SPDX-License-Identifier: Apache-2.0
// How the work-items of a group add up what they have, where they compute a result together
// (kernels/variant.cl): by halves in local memory, or as a variant has it.
#ifndef EVN_OPS_GROUP_SUM_H
#define EVN_OPS_GROUP_SUM_H

#include "ops/variant.h"
#include <stdio.h>

enum { EVN__GROUP_SUM_OPTIONS = 96 };

/// Their functions, as options of kernels/variant.cl.
static inline const char *evn__sub_group_function(evn_sub_groups sub_groups) {
    static const char *const functions[] = {
        [EVN_SUB_GROUPS_NONE] = "",
        [EVN_SUB_GROUPS_REDUCE] = "-DREDUCE_ADD=sub_group_reduce_add",
        [EVN_SUB_GROUPS_SHUFFLE] = "-DSHUFFLE_XOR=sub_group_shuffle_xor",
        [EVN_SUB_GROUPS_INTEL] = "-DSHUFFLE_XOR=intel_sub_group_shuffle_xor",
    };
    return functions[sub_groups];
}

/// The build options of a variant on a device that it is not unfit for, with a space before each;
/// NULL: none.
static inline const char *evn__group_sum_options(const evn__variant *variant,
                                                 const evn_device_info *device,
                                                 char options[EVN__GROUP_SUM_OPTIONS]) {
    options[0] = 0;
    if (variant && variant->algorithm == EVN__ALGORITHM_SUB_GROUPS) {
        int language = device->sub_group_language;
        snprintf(options, EVN__GROUP_SUM_OPTIONS, " -cl-std=CL%d.%d -DONE_BARRIER %s",
                 language / 100, language / 10 % 10, evn__sub_group_function(device->sub_groups));
    } else if (variant) {
        snprintf(options, EVN__GROUP_SUM_OPTIONS, " -DONE_BARRIER");
    }
    return options;
}

/// Whether rows of `across` items with blocks of `width` columns can be added up by sub-groups:
/// a block is all of a work-group's, or with shuffles both are powers of two. A device that reduces
/// whole sub-groups alone has no use for them in a part of one, and how large they are is not
/// known.
static inline bool evn__sub_groups_fit(const evn_device_info *device, int64_t across,
                                       int64_t width) {
    bool powers = (across & (across - 1)) == 0 && (width & (width - 1)) == 0;
    bool parts = device->sub_groups != EVN_SUB_GROUPS_REDUCE && powers;
    return device->sub_groups != EVN_SUB_GROUPS_NONE && (parts || width >= across);
}

#endif
