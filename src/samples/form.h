// SPDX-License-Identifier: Apache-2.0
// Forms of a plan that could be computed by sample: what the tuner may choose for a shape class.
#ifndef EVN_SAMPLES_FORM_H
#define EVN_SAMPLES_FORM_H

#include "ops/variant.h"

typedef struct evn__sample_form {
    const char *name; ///< stable: it is in files
    bool by_sample;   ///< else by the kernels of the families
    bool cooperates;  ///< in one launch, where work-items can
    bool pairs;       ///< two vectors an item, where a compiler knows them as one
    int room;         ///< times the sizes of samples.h that a sample may have
} evn__sample_form;

/// The first is taken where nothing is tuned. Ends with a row whose name is NULL.
extern const evn__sample_form evn__sample_forms[];

/// The shape class of a graph over samples, with its precision: samples and elements of the widest
/// row, extents rounded as those of evn__variant_key; apart where it sums over samples. Stable: it
/// is in files.
/// @param[in] names  as in evn_plan_options; "" where none of them is an input with rows
const char *evn__sample_form_key(const evn_graph *graph, const char *const *names, bool fp64,
                                 char key[EVN__VARIANT_KEY]);

/// The tuned form, or the first.
const evn__sample_form *evn__sample_form_of(const evn_device *device, const evn_graph *graph,
                                            const char *const *names, bool fp64);

/// Why there is no use in trying it on the device; NULL: there is.
const char *evn__sample_form_unfit(const evn__sample_form *form, const evn_device *device);

#endif
