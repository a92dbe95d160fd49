// SPDX-License-Identifier: Apache-2.0
// What the tuner has choices for: the products of the models, each a node with its family's
// variants (ops/variant.h), and plans over samples with their forms (samples/form.h).
#ifndef EVN_TUNE_SUBJECT_H
#define EVN_TUNE_SUBJECT_H

#include "ops/variant.h"
#include "tune/samples.h"

typedef struct evn__subject evn__subject;

typedef struct evn__subject_kind {
    /// Inputs and outputs of `graph`; a failure sticks.
    void (*build)(evn_graph *graph, const evn__subject *subject);
    /// The shape class of such a graph, under which a choice is kept.
    const char *(*key)(const evn_graph *graph, char key[EVN__VARIANT_KEY]);
    /// The name of choice number `index`; NULL past the last.
    const char *(*choice)(const evn__subject *subject, int index, char name[EVN__VARIANT_NAME]);
    /// Why there is no use in trying it; NULL: there is.
    const char *(*unfit)(const evn__subject *subject, int index, const evn_device *device);
    /// Build case `index` of odd shapes that a choice must be right at; what stays without an
    /// output is to be passed over.
    /// @return false past the last
    bool (*odd)(const evn__subject *subject, const char *name, int index, evn_graph *graph);
    const char *const *samples; ///< inputs with a row a sample, NULL-ended; NULL: none
} evn__subject_kind;

struct evn__subject {
    const evn__subject_kind *kind;
    const char *family;
    bool quick; ///< among the few of a quick run
    const char *title;
    evn__op op; ///< of products; of others EVN__OP_COUNT
    int64_t sizes[EVN__PRODUCT_SIZES];
};

/// Ends with a row whose kind is NULL.
extern const evn__subject evn__subjects[];

#endif
