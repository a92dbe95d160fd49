// SPDX-License-Identifier: Apache-2.0
// What a model consists of and what it will need, found from its graphs alone: no device is asked.
#ifndef EVN_STUDY_ANATOMY_H
#define EVN_STUDY_ANATOMY_H

#include "base/memory.h"
#include "evonode/model.h"

enum { EVN__ANATOMY_STEPS = 10 }; // of Euler's method, for what backprop keeps

/// A layer, or several that repeat it, each with weights of its own.
typedef struct evn__part {
    const char *place;           ///< in the network file: "blocks[0].ode[2]"
    const char *layer, *weights; ///< "conv", and the scope of the (first) weights or ""
    int times, depth;            ///< how often it is there; how many lists it is in
    bool evolves;                ///< some of its weights do
    bool timed;                  ///< has t as an input
    bool nests;                  ///< it consists of the layers that follow
    evn_shape from, to;          ///< of the first and of the last
    int64_t parameters;          ///< in all
    double products;             ///< multiply-adds for a batch, in all
} evn__part;

/// What lies between: the stem, a block, the head.
typedef struct evn__section {
    const char *name, *place; ///< "stem", "f1", "layer"; its place in the file
    bool is_ode;
    bool evolves;
    int first, count;             ///< of its parts
    int64_t evolution_parameters; ///< g's own
    double products;              ///< of a batch; of an ODE for an evaluation of f
    evn_shape to;
} evn__section;

typedef struct evn__anatomy {
    evn__part *parts;
    int part_count, part_capacity;
    evn__section *sections;
    int section_count, section_capacity;
    int64_t parameters;
    double products; ///< forward for one sample, at EVN__ANATOMY_STEPS steps of Euler's method
    // Estimated bytes on the device for a batch: what the values take that kernels or several
    // element-wise chains read, as if each plan fused what it could; without scratch of kernels.
    double forward, backprop, checkpointed, adjoint;
    evn__arena arena;
} evn__anatomy;

/// Zero-initialise, free with evn__anatomy_free, also after a failure.
evn_status evn__anatomy_make(const evn_model *model, evn__anatomy *anatomy);
void evn__anatomy_free(evn__anatomy *anatomy);

/// Draw it as SVG: each layer a box, with what it gives, what it takes to compute and which weights
/// evolve.
/// @return EVN_ERR_OUTPUT
evn_status evn__anatomy_draw(const evn__anatomy *anatomy, const evn_model *model, const char *path);

/// Bytes as "3.4 MiB", numbers as "208,266" and "1.2 M", into `text`; return text.
const char *evn__anatomy_bytes(double bytes, char text[32]);
const char *evn__anatomy_count(double count, char text[32]);

#endif
