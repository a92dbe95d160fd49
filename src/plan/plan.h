// SPDX-License-Identifier: Apache-2.0
// The passes of a plan, in order: classify → fuse, or by sample → lower → compile → lay out memory.
// Each leaves a result of its own, a type below; plan.c calls them one after the other.
#ifndef EVN_PLAN_PLAN_H
#define EVN_PLAN_PLAN_H

#include "elements/elements.h"
#include "evonode/plan.h"
#include "graph/node.h"
#include "kernels/shared.h"
#include "ops/lower.h"

/// What is planned, and for what: all passes read it.
typedef struct evn__plan_input {
    evn_device *device;
    const evn_graph *graph;
    evn__arena *arena; ///< for what passes leave
    bool fp64, fuse, all_epilogues;
} evn__plan_input;

/// What classify.c leaves: per value whether it is needed at all, and in which phase, and what must
/// have memory whatever is fused.
typedef struct evn__classes {
    bool *needed;
    bool *late;         ///< phase 1
    bool *stored;       ///< has memory
    bool *held;         ///< a scalar that is not computed on the spot
    int *first_reader;  ///< [values + 1], into `readers`
    evn_value *readers; ///< needed values that read this one, behind reshapes
} evn__classes;

/// How a value comes to its consumers.
typedef enum evn__home {
    EVN__HOME_NONE,    ///< not needed, or seen only inside one kernel (a fused value, a view, a
                       ///< literal)
    EVN__HOME_INPUT,   ///< bound by the caller: input `index`
    EVN__HOME_OUTPUT,  ///< bound by the caller: output `index`
    EVN__HOME_TABLE,   ///< constant memory of the plan
    EVN__HOME_SCRATCH, ///< arena, within one phase
    EVN__HOME_SAVED,   ///< memory that carries values from phase 0 to phase 1
} evn__home;

typedef struct evn__place {
    evn__home home;
    int index;     ///< INPUT, OUTPUT
    size_t offset; ///< TABLE, SCRATCH, SAVED: in elements
} evn__place;

/// One kernel node, or a group of element-wise nodes that become one generated kernel, or both: the
/// group is then the kernel's epilogue.
typedef struct evn__unit {
    evn__group group;
    bool generated; ///< a group alone
    bool epilogue;  ///< a kernel node with a group
    bool dead;      ///< merged into another unit
    bool replaced;  ///< as in evn__launch
    int phase;
    int place;             ///< position in the order of execution
    const evn__call *call; ///< prepared, in the plan's arena; NULL: made by lowering
} evn__unit;

/// What fuse.c or by_sample.c leaves: units, each of which becomes launches.
typedef struct evn__units {
    evn__unit *rows;
    int count, capacity;
    int *order; ///< unit numbers in order of execution
    int order_count;
    evn__elements elements; ///< fused: which unit each value is in
    int lanes;              ///< by sample: of a vector, on GPUs 1; fused: 0
    int samples_per_item;   ///< by sample; on GPUs of a work-group
    const int64_t *scratch; ///< by sample: elements of what the prepared calls number
    int scratch_count;
    int64_t steps; ///< of fusion, for tests: grows as the graph does
} evn__units;

/// A launch argument before binding.
typedef struct evn__slot {
    evn__operand_kind kind;
    evn_value value; ///< VALUE
    int scratch;     ///< SCRATCH
    int64_t integer;
    double real;
    bool written; ///< as in evn__operand
} evn__slot;

typedef struct evn__launch {
    const char *name;   ///< owned by the plan's arena
    evn__source source; ///< strings but the family's name in the plan's arena
    evn__range range;
    int first_slot, slot_count;
    int phase, unit;
    int claims;    ///< as in evn__call
    bool replaced; ///< a stage of the launch before, in which work-items cooperate: never enqueued
} evn__launch;

/// What lower.c leaves: launches in order, and what they are to be given.
typedef struct evn__launches {
    evn__launch *rows;
    int count, capacity;
    evn__slot *slots;
    int slot_count, slot_capacity;
    int64_t *scratch; ///< elements of what SCRATCH numbers
    int scratch_count, scratch_capacity;
} evn__launches;

/// What memory.c leaves.
typedef struct evn__memory {
    evn__place *slots;          ///< per slot of the launches
    evn__place *places;         ///< per value
    evn__place *scratch_places; ///< per scratch of the launches
    size_t scratch_elements, saved_elements, table_elements;
    evn_buffer *scratch, *tables;
    evn_buffer *one_run; ///< RUN_OFFSETS of a single run; NULL without kernels that take any
} evn__memory;

/// Each pass fills one of these from those before it, and later ones read it: lowering alone adds
/// to the units what their kernels begin (evn__partial).
struct evn_plan {
    evn_graph *graph; ///< own copy
    evn__arena arena;
    evn__plan_input in;     ///< made of these and the options
    bool phased;            ///< of the options: phase 0 is not all of it
    evn__classes classes;   ///< classify.c
    evn__units units;       ///< by_sample.c or fuse.c
    evn__launches launches; ///< lower.c
    evn__kernel **kernels;  ///< compile.c: per launch; NULL where it is replaced
    evn__memory memory;     ///< memory.c
    size_t *port_elements;  ///< run.c: of the inputs, then of the outputs
    evn_buffer *saved;      ///< of runs that bring none
};

/// Where what the slot is given stands.
static inline const evn__place *evn__plan_place_of(const evn_plan *plan, const evn__slot *slot) {
    return &plan->memory.slots[slot - plan->launches.slots];
}

/// How many arguments a generated kernel needs to read `value`, through a view and scalars that it
/// computes for itself, besides sources (evn__source_of) that are `seen`; marks what it meets. It
/// goes where generate.c goes when it writes the kernel. (classify.c)
int evn__plan_arguments(const evn__plan_input *in, const evn__classes *classes, evn_value value,
                        evn__marks *seen);

/// Judge every value. (classify.c)
/// @param late_inputs  NULL-ended; NULL: none
evn_status evn__plan_classify(const evn__plan_input *in, const char *const *late_inputs,
                              evn__classes *classes);

/// Make units of kernels over samples, in order, where the graph suits; else units->lanes is 0.
/// (by_sample.c)
evn_status evn__plan_by_sample(const evn__plan_input *in, const evn__classes *classes,
                               const evn_plan_options *options, evn__units *units);

/// Make units, merging element-wise ones; order them. (fuse.c)
evn_status evn__plan_fuse(const evn__plan_input *in, const evn__classes *classes,
                          evn__units *units);

/// List the launches of every unit. (lower.c)
evn_status evn__plan_lower(const evn__plan_input *in, evn__units *units, evn__launches *launches);

/// Fail where a launch reads a value of another unit before that has written it. (lower.c)
evn_status evn__plan_check_reads(const evn__plan_input *in, const evn__units *units,
                                 const evn__launches *launches);

/// Compile the kernels of the launches. (compile.c)
/// @param[out] kernels  per launch, in the input's arena
evn_status evn__plan_compile(const evn__plan_input *in, const evn__units *units,
                             const evn__launches *launches, evn__kernel ***kernels);

/// Give every stored value and scratch its memory, create the buffers. (memory.c)
/// @param[in,out] memory  zeroed; what it holds is the caller's also where this fails
evn_status evn__plan_place(const evn__plan_input *in, const evn__launches *launches,
                           evn__memory *memory);

/// The memory for RUN_OFFSETS: these, [runs][slots], the claims, all 64-bit integers.
enum {
    EVN__RUN_OFFSETS_RUNS,
    EVN__RUN_OFFSETS_TOGETHER,     ///< cooperation: runs that each stage does before the next one
    EVN__RUN_OFFSETS_SIDE_BY_SIDE, ///< cooperation: bit s: stage s does them at the same time
    EVN__RUN_OFFSETS_FIRST = EVN_RUN_OFFSETS_FIRST
};

/// Its size for so many runs.
static inline size_t evn__plan_run_offset_count(const evn__launch *launch, int runs) {
    size_t claims = launch->claims > 0 ? ((size_t)runs * (size_t)launch->claims + 1) / 2 + 1 : 0;
    return EVN__RUN_OFFSETS_FIRST + (size_t)runs * (size_t)launch->slot_count + claims;
}

/// Note what bindings are compared with. (run.c)
evn_status evn__plan_measure_ports(const evn__plan_input *in, size_t **port_elements);

/// What a run is bound to.
typedef struct evn__bound {
    const evn_binding *inputs, *outputs;
    evn_binding saved;
} evn__bound;

/// The argument that a slot is in a run. (run.c)
evn_status evn__plan_fill(const evn_plan *plan, const evn__bound *bound, const evn__slot *slot,
                          evn__argument *argument);

#endif
