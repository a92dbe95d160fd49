// SPDX-License-Identifier: Apache-2.0
// Plans whose values are small for each sample. The first axis of some inputs counts samples, which
// do not meet but in sums over all of them; one work-item then carries as many samples as one
// vector, or two, have lanes through the whole graph, and everything between its first read and its
// last write stays in registers and in the nearest cache.
//
// Values are of three kinds: uniform ones are the same for all samples; rows have one row a sample;
// contractions are sums over the samples. What the sums lead to waits for them: that is its level.
// Each phase and level has at most two kernels, one for the uniform values (one work-item) and one
// for the rows. Contractions leave a partial sum for each work-item, which their reader adds up in
// order: results do not depend on who does what. A uniform product that is large has the
// kernels of its family, between two levels.
//
// A phase of several kernels can be one, whose work-items cooperate: they divide rows, and large
// products of a vector, and wait for each other between levels, which takes far less than a launch.
// Only where work-groups are known to go on while others wait (host/quirks.h).
//
// Groups of very many values are cut into pieces, so that the time to compile them grows with their
// number: what a piece computes for another one has memory.
//
// A single sample is no sample: all values are then uniform, and what lies between the large
// products of a step is one launch.
//
// On a GPU the lanes are the work-items of a group (SIMT): what is said of an item's samples is
// said of a work-group's, whose sums over them go through local memory. Uniform values are those of
// one work-group, which divides the elements of each and waits for itself between them. Kernels do
// not cooperate there.
//
// form.c: whether, and how; samples.c: kinds, launches; groups.c: levels, groups; slabs.c: memory;
// index.c: where an element of a view lies; emission.c, emit_rows.c with row_terms.c and
// row_loop.c, emit_system.c, emit_uniform.c, emit_product.c: a function for each group; kernels.c:
// the kernels that call them.
#ifndef EVN_SAMPLES_SAMPLES_H
#define EVN_SAMPLES_SAMPLES_H

#include "elements/elements.h"
#include "samples/form.h"

enum {
    EVN__SAMPLES_SMALL = 8, ///< elements of a row that are unrolled: registers
    // Beyond these the kernels for matrices are faster, although they are many; not on record where
    // exactly, rows flow_* and curve_* of `evonode bench` show it.
    EVN__SAMPLES_MAX_ROW = 256,       ///< elements of a row
    EVN__SAMPLES_MAX_PRODUCT = 16384, ///< multiplications, of one sample or of a uniform product;
                                      ///< elements of a uniform value
    EVN__SAMPLES_MAX_SYSTEM = 16,     ///< unknowns of a sample's linear system, kept in an array
    EVN__SAMPLES_MAX_SUMS = 1 << 19,  ///< multiplications of a contraction with two long axes
    EVN__SAMPLES_MAX_UNROLLED = 4096, ///< terms of a plan that are written one by one: what more
                                      ///< take to compile
};

/// The same for GPUs. None was at hand: the limits are estimates of what takes as long as the
/// launch that it saves, 5 to 10 µs at 2 GHz: 4 clocks a multiplication of a sample, 10 a sum over
/// samples.
enum {
    EVN__SIMT_SAMPLES = 32,        ///< samples of a work-group, and the least that are worth it: a
                                   ///< few hundred are then on as many units as there are groups
    EVN__SIMT_UNIFORM_ITEMS = 128, ///< work-items for uniform values, at most: more have too few
                                   ///< registers each
    EVN__SIMT_MAX_PRODUCT = 4096,  ///< multiplications of one sample
    EVN__SIMT_MAX_UNIFORM_PRODUCT = 1 << 16,
    EVN__SIMT_MAX_SUMS = 1024,        ///< elements of a contraction
    EVN__SIMT_MAX_PRIVATE = 2048,     ///< elements of a work-item's arrays
    EVN__SIMT_LOCAL_BYTES = 16 << 10, ///< of a work-group, or half of what the device has
};

typedef enum evn__sample_kind {
    EVN__SAMPLES_UNIFORM,
    EVN__SAMPLES_ROWS,
    EVN__SAMPLES_CONTRACTION,
} evn__sample_kind;

/// The values of one kernel.
typedef struct evn__sample_group {
    int phase, level;
    bool rows;
    evn_value large;      ///< the only value, a large product; else EVN_NONE
    bool *member;         ///< per value; cheap rows may be members of several groups
    evn_value first, end; ///< members are among [first, end)
} evn__sample_group;

/// Memory for the values of one group, or of a phase in which work-items cooperate, that other
/// groups read. Rows lie as [items][total][per_item], partial sums of contractions as
/// [items][total], uniform values as [total].
typedef struct evn__sample_slab {
    int group; ///< the first
    evn__sample_kind kind;
    bool crosses;  ///< from phase 0 to 1
    int64_t total; ///< elements, of one sample for rows
    evn__operand memory;
} evn__sample_slab;

/// What is asked: a graph as the passes before have judged it.
typedef struct evn__samples_request {
    evn_device *device;
    const evn_graph *graph;
    evn__arena *arena; ///< for what the result points to
    bool fp64;
    const char *const *names; ///< inputs whose first axis counts samples, NULL-ended
    bool few;                 ///< also where there are fewer samples than are worth it
    const char *active;       ///< one of them, of one element a sample: where it is 0 for all
                              ///< samples of an item, its runs are left out; NULL: there is none
    // per value
    const bool *needed, *late;
    const int *first_reader;  ///< [values + 1], into `readers`
    const evn_value *readers; ///< needed values that read this one, behind reshapes
} evn__samples_request;

/// A call, or a large product that its family is to lower.
typedef struct evn__sample_launch {
    int phase;
    evn_value large;       ///< EVN_NONE: `call` is the launch
    const evn__call *call; ///< NULL: `large` is
    bool replaced;         ///< a stage of the launch before, in which work-items cooperate
} evn__sample_launch;

/// What comes of it.
typedef struct evn__samples_result {
    bool taken;
    int lanes, per_item;          ///< as in evn__samples
    evn__sample_launch *launches; ///< in order of execution
    int launch_count;
    int64_t *scratch; ///< elements of each: the calls' SCRATCH operands are numbers of these
    int scratch_count;
} evn__samples_result;

typedef struct evn__samples {
    const evn__samples_request *request;
    evn__samples_result *result;
    const evn_graph *graph;
    const evn__sample_form *form;
    int64_t batch;
    bool simt;    ///< a sample in each work-item
    int lanes;    ///< of a vector; simt: 1
    int per_item; ///< samples that a work-item carries together: lanes, or twice that; simt: that a
                  ///< work-group does
    // per value
    int *first_reader;  ///< [values + 1], into `readers`
    evn_value *readers; ///< computed values that read this one, behind views that none computes
    bool *computed;     ///< by a kernel: neither a leaf nor a view that is read in place
    bool *stored;       ///< in memory of its own: outputs, and what the families of large products
                        ///< read and write
    bool *sampled;      ///< an input with a row a sample, or a view of rows
    bool *large;        ///< a uniform product with kernels of its own
    evn__sample_kind *kind;
    int *level, *group, *slab; ///< −1: none
    int64_t *offset;           ///< in its slab
    evn_value *gate;           ///< of a large product: see evn__samples_gate
    evn__sample_group *groups;
    int group_count, group_capacity;
    int levels;
    evn_value active; ///< the input that says which samples need a run; EVN_NONE: all do
    bool cut;         ///< values of a phase, level and kind are in several groups
    evn__sample_slab *slabs;
    int slab_count;
    bool cooperates[2]; ///< per phase
} evn__samples;

/// What computes a group, item by item, and its arguments: memory.
typedef struct evn__sample_function {
    const char *body; ///< in the arena
    int items;        ///< for each of which it is to be called, simt: by a work-group
    int group;        ///< work-items of a group
    int64_t local;    ///< reals in local memory
    int64_t unrolled; ///< terms of the elements that are written one by one
    evn__operand operands[EVN__OPERAND_CAPACITY];
    int operand_count;
} evn__sample_function;

/// Take the graph if it suits; else result->taken is false.
evn_status evn__samples_plan(const evn__samples_request *request, evn__samples_result *result);

/// The value that is read where `value` is: behind views that no kernel computes.
evn_value evn__samples_source(const evn__samples *s, evn_value value);

/// What is read, behind views, as operand k of `value`; as the last one its gate; EVN_NONE behind
/// it.
evn_value evn__samples_reads(const evn__samples *s, evn_value value, int k);

/// Elements of a sample's row, or of a uniform value.
int64_t evn__samples_count(const evn__samples *s, evn_value value);

/// Multiplications of a product, of one sample or of a uniform one.
int64_t evn__samples_work(const evn__samples *s, evn_value value);

/// A contraction that is an output is added up by the uniform values of the next level.
static inline bool evn__samples_added_up(const evn__samples *s, evn_value value) {
    return s->kind[value] == EVN__SAMPLES_CONTRACTION && s->stored[value];
}

/// Set levels. (groups.c)
evn_status evn__samples_find_levels(evn__samples *s);

/// Set groups, with at most so many members each and as many that are computed again, in place of
/// what they were; undo it. (groups.c)
evn_status evn__samples_make_groups(evn__samples *s, int max_members);
void evn__samples_drop_groups(evn__samples *s);

/// Set slabs, and of values slab and offset; undo it. (slabs.c)
evn_status evn__samples_make_slabs(evn__samples *s);
void evn__samples_drop_slabs(evn__samples *s);

/// The function of group `index`: *fits is false where its text cannot be written.
evn_status evn__samples_emit(const evn__samples *s, int index, evn__sample_function *function,
                             bool *fits);

/// The call of a kernel for one function, with a work-item for each of its items.
evn_status evn__samples_kernel(const evn__samples *s, const evn__sample_function *function,
                               evn__call *call, bool *fits);

/// The call of a kernel whose work-items cooperate in one function after the other; *fits is false
/// where they have too many arguments.
evn_status evn__samples_cooperate(const evn__samples *s, const evn__sample_function *functions,
                                  int count, evn__call *call, bool *fits);

/// Whether work-items can divide a large product: it is that of a vector.
bool evn__samples_divides(const evn__samples *s, evn_value product);

/// What decides which elements of a large product are needed: all that read it multiply it by the
/// step function of this value. EVN_NONE where there is no such value, or where the rest cannot be
/// left out.
evn_value evn__samples_gate(const evn__samples *s, evn_value product);

// Where elements lie (index.c)
// ------------------------------------------------------------------

enum { EVN__VAR_ONE, EVN__VAR_SAMPLE, EVN__VAR_I, EVN__VAR_J, EVN__VAR_K, EVN__VARS };

/// Σ c[var] · var over the loop variables, c[EVN__VAR_ONE] being the constant.
typedef struct evn__affine {
    int64_t c[EVN__VARS];
} evn__affine;

/// An index into a value, one affine form a dimension.
typedef struct evn__index {
    evn__affine at[EVN_MAX_RANK];
} evn__index;

/// Follow views from `value` to what is read there. *flat is the element of *source.
/// @return whether the place is affine
/// @param range  extents of the loop variables
bool evn__samples_locate(const evn__samples *s, evn_value value, const evn__index *index,
                         const int64_t range[EVN__VARS], evn_value *source, evn__affine *flat);

/// The index into the operand of the view `value` that belongs to `index`.
bool evn__samples_behind(const evn__samples *s, evn_value value, const evn__index *index,
                         const int64_t range[EVN__VARS], evn__index *behind);

/// The C expression of `affine`, without the sample's part.
void evn__affine_text(const evn__affine *affine, char text[160]);

#endif
