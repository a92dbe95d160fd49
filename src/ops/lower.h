// SPDX-License-Identifier: Apache-2.0
// Lowering: a kernel family turns one node of a graph into kernel calls of a plan.
#ifndef EVN_OPS_LOWER_H
#define EVN_OPS_LOWER_H

#include "graph/node.h"
#include "host/kernel.h"

typedef enum evn__operand_kind {
    EVN__OPERAND_VALUE,   ///< the memory of a graph value (operand or result of the node)
    EVN__OPERAND_SCRATCH, ///< memory for this node's calls only
    EVN__OPERAND_INT,
    EVN__OPERAND_REAL,
    EVN__OPERAND_RUN_OFFSETS, ///< of a kernel that does several runs of its plan (plan/repeat.h)
} evn__operand_kind;

typedef struct evn__operand {
    evn__operand_kind kind;
    evn_value value;
    int scratch;
    int64_t integer;
    double real;
    bool written; ///< VALUE, SCRATCH of a kernel with RUN_OFFSETS
} evn__operand;

enum {
    EVN__OPERAND_CAPACITY = 128,
    EVN__MAX_OPERANDS = 48, ///< of a kernel that may run on any device: 16 bytes each of 1024
};

/// One launch. Operands become kernel arguments in order: VALUE and SCRATCH as INPUT/OUTPUT pairs
/// of kernels/common.cl, INT as int, REAL as real.
typedef struct evn__call {
    evn__source source; ///< fp64 is filled in by the plan
    const char *kernel;
    evn__range range;
    int claims; ///< integers behind the RUN_OFFSETS of each run, where work-items cooperate
    int operand_count;
    evn__operand operands[EVN__OPERAND_CAPACITY];
} evn__call;

typedef struct evn__lowering evn__lowering;

/// What takes the calls: the plan that is being built, which no family knows.
typedef struct evn__emitter {
    evn_status (*emit)(evn__lowering *lowering, const evn__call *call);
    evn_status (*emit_result)(evn__lowering *lowering, const evn__call *call);
    bool (*partial)(const evn__lowering *lowering, evn_value sum, evn__operand *rows,
                    int64_t *count);
    evn__operand (*scratch)(evn__lowering *lowering, int64_t elements);
} evn__emitter;

/// One node on its way to calls.
struct evn__lowering {
    const evn__emitter *emitter;
    evn_device *device;
    bool fp64;
    // the emitter's own
    struct evn__lowering_pass *pass;
    int unit;
    bool attached; ///< the family has taken the unit's epilogue
};

typedef evn_status evn__lower(evn__lowering *lowering, const evn_graph *graph, evn_value value);

/// Append a call; it runs after those emitted before. Strings are copied. A source without a family
/// is generated: its text is one kernel, whose name nobody else uses for another text.
static inline evn_status evn__lower_emit(evn__lowering *lowering, const evn__call *call) {
    return lowering->emitter->emit(lowering, call);
}

/// Append the call that writes the node's result, where its kernel has EPILOGUE of
/// kernels/variant.cl: the plan may add generated code and arguments to it.
static inline evn_status evn__lower_emit_result(evn__lowering *lowering, const evn__call *call) {
    return lowering->emitter->emit_result(lowering, call);
}

/// Whether the plan has begun a sum over rows: then *rows, of which there are *count, are to be
/// added up in place of its operand's.
static inline bool evn__lower_partial(const evn__lowering *lowering, evn_value sum,
                                      evn__operand *rows, int64_t *count) {
    return lowering->emitter->partial(lowering, sum, rows, count);
}

/// Memory of `elements` reals that lives for the calls of the node being lowered.
static inline evn__operand evn__lower_scratch(evn__lowering *lowering, int64_t elements) {
    return lowering->emitter->scratch(lowering, elements);
}

static inline const evn_device_info *evn__lower_device(const evn__lowering *lowering) {
    return evn_device_get_info(lowering->device);
}

static inline evn__operand evn__operand_value(evn_value value) {
    return (evn__operand){.kind = EVN__OPERAND_VALUE, .value = value};
}

static inline evn__operand evn__operand_int(int64_t integer) {
    return (evn__operand){.kind = EVN__OPERAND_INT, .integer = integer};
}

static inline evn__operand evn__operand_real(double real) {
    return (evn__operand){.kind = EVN__OPERAND_REAL, .real = real};
}

/// The family of each KERNEL operation; NULL for the other classes.
extern evn__lower *const evn__lower_table[EVN__OP_COUNT];

// One function per file of this folder.
evn__lower evn__lower_pad, evn__lower_concat;                   // layout.c
evn__lower evn__lower_sum;                                      // reduce.c
evn__lower evn__lower_matmul;                                   // matmul.c
evn__lower evn__lower_solve;                                    // solve.c
evn__lower evn__lower_krylov_extend, evn__lower_krylov_combine; // krylov.c
evn__lower evn__lower_conv2d, evn__lower_conv2d_input_grad, evn__lower_conv2d_weight_grad;
evn__lower evn__lower_normalize, evn__lower_normalize_grad;     // normalize.c
evn__lower evn__lower_log_softmax;                              // softmax.c
evn__lower evn__lower_mean_pool2d, evn__lower_mean_pool2d_grad; // pool2d.c
evn__lower evn__lower_max_pool2d_select, evn__lower_max_pool2d_scatter;

#endif
