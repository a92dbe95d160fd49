// SPDX-License-Identifier: Apache-2.0
// samples.cl — functions of the kernels that carry a sample in each lane (src/samples/emission.c),
// which follow this text.   Twin: src/ref/elementwise.c.   Relaxed math: none.
// Assumes: LANES is 8 or 16, SAMPLES that or twice that; or, on GPUs, LANES is 1 and SAMPLES the
// work-items of a group, a multiple of 4 and not less than EVN_SUM_SLOTS.

// A kernel does several runs of its plan one after the other, or, with as many work-items along the
// second axis, side by side: `run_offsets` is their number, two numbers for cooperation, then for each run
// how far every argument is from where it is in the first. A run may read what the one before
// wrote, hence no restrict.
#define RUNS_OFFSETS(x) __global long *x##_buffer, const ulong x##_offset
#define RUNS_INPUT(x)   __global const real *x##_buffer, const ulong x##_offset
#define RUNS_OUTPUT(x)  __global real *x##_buffer, const ulong x##_offset
#define RUN_INPUT(x)    __global const real *restrict x
#define RUN_OUTPUT(x)   __global real *restrict x
#define FOR_EACH_RUN(x, arguments)                                                                 \
    __global const long *x = x##_buffer + x##_offset;                                              \
    __global const long *run_offset = x + EVN_RUN_OFFSETS_FIRST + get_global_id(1) * arguments;    \
    for (long run = get_global_id(1); run < x[0];                                                  \
         run += get_global_size(1), run_offset += get_global_size(1) * arguments)

// An argument's place in this run. To NVIDIA's compilers it looks as if a run could have another buffer (none
// is the 2^62nd), for what LANE_IN below is too: they add the places of arrays to the buffer's before the first
// run. Intel's have addresses of 32 bits for what is plainly in an argument's buffer.
#define PLACE_IN_RUN(x, n) (x##_buffer + x##_offset + run_offset[n])
#if defined(__NVPTX__) || defined(cl_nv_pragma_unroll)
#define IN_RUN(x, n) (run >> 62 ? (__global real *)run_offsets_buffer : PLACE_IN_RUN(x, n))
#else
#define IN_RUN(x, n) PLACE_IN_RUN(x, n)
#endif

// Runs end where none of the samples of an item needs another: `active` [rows] is 0 for all of them.
// The work-items of a group wait for what the run before has left there.
static inline bool evn_is_idle(__global const real *active, const int row, const int rows) {
    bool idle = true;
    for (int i = 0; i < SAMPLES; i++) {
        idle = idle && !(active[min(row + i, rows - 1)] > 0);
    }
    return idle;
}

#define LEAVE_IF_IDLE(active, item, batch)                                                         \
    ALL_ARRIVE;                                                                                    \
    if (evn_is_idle(active, item * SAMPLES, batch)) {                                              \
        break;                                                                                     \
    }

#if LANES == 1

// GPUs: a sample in each work-item of a group of SAMPLES; `item` is the group's number. The samples
// of a group lie side by side in memory. Functions have `lane`, the work-item's number, which looks as
// if a run could change it (none is the 2^62nd): else compilers work out all addresses that are the same
// for all runs before the first one, and have registers for half of them.
#define LANE_IN(run) ((int)(ushort)(get_local_id(0) + (ulong)((run) >> 62)))
#define SHARE        barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define ALL_ARRIVE   SHARE
typedef real samples;
#define LOAD_SAMPLES(p)     ((p)[lane])
#define STORE_SAMPLES(v, p) ((p)[lane] = (v))
#define evn_tanh(x)         tanh(x)

// Iterations at once need as many times the registers: of loops that hold much, one; of sums, as many as
// hide the latency of what they read.
#define NOT_UNROLLED _Pragma("unroll 1")
#define FOUR_AT_ONCE _Pragma("unroll 4")

// The work-items of a group share `count` elements. The loop is as long for all of them: PoCL (3.1)
// has compiled wrongly, between barriers in a loop, what was not.
#define FOR_EACH(n, count, work_items)                                                             \
    NOT_UNROLLED for (int n = lane; n - lane < (count); n += (work_items)) if (n < (count))

// Work-items behind the last row repeat it, so that they stay as finite as it is.
#define evn_gather(x, row, stride, rows) ((x)[(long)min((row) + lane, (rows)-1) * (stride)])

#define evn_scatter(value, x, row, stride, rows)                                                   \
    if ((row) + lane < (rows)) {                                                                   \
        (x)[(long)((row) + lane) * (stride)] = (value);                                            \
    }

// 1 where there is a sample.
#define evn_live(row, rows) ((row) + lane < (rows) ? R(1.0) : R(0.0))

// Sums over the group's samples: up to EVN_SUM_SLOTS wait in `tile`, [slots, samples] with a column
// more so that no two work-items need the same bank. Then each is made by a work-item, always in the
// same order, and left at its target: an element of `sums`, as half a pointer. All work-items get here.
#define LEAVE_SUM(place, x)                                                                        \
    {                                                                                              \
        tile[slot * (SAMPLES + 1) + lane] = (x);                                                   \
        target = lane == slot ? (place) : target;                                                  \
        slot++;                                                                                    \
    }

#define FLUSH_SUMS(sums)                                                                           \
    {                                                                                              \
        evn_flush_sums(lane, tile, slot, (sums) + target);                                         \
        slot = 0;                                                                                  \
    }

INLINE void evn_flush_sums(const int lane, __local const real *tile, const int slots,
                           __global real *target) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < slots) {
        __local const real *row = tile + lane * (SAMPLES + 1);
        real part[4] = {R(0.0), R(0.0), R(0.0), R(0.0)}; // they hide the latency of an addition
        for (int i = 0; i < SAMPLES; i += 4) {
#pragma unroll
            for (int p = 0; p < 4; p++) {
                part[p] += row[i + p];
            }
        }
        *target = (part[0] + part[1]) + (part[2] + part[3]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

// Sum of what the groups for `rows` samples have left, [groups, stride], in their order, for all
// work-items of this group.
#define evn_add_partial(sum, partial, count, stride, rows)                                         \
    {                                                                                              \
        FOR_EACH(j, count, (int)get_local_size(0)) {                                               \
            real total = (partial)[j];                                                             \
            for (int group = 1; group * SAMPLES < (rows); group++) {                               \
                total += (partial)[(long)group * (stride) + j];                                    \
            }                                                                                      \
            (sum)[j] = total;                                                                      \
        }                                                                                          \
        SHARE;                                                                                     \
    }

#else

#define ALL_ARRIVE

// Cooperation: a stage is a number of items that any work-item can compute; the next one begins when
// all are done. Nobody waits for an item that no work-item has claimed, so it does not matter how
// many of them run at the same time, only that those that have begun go on (host/quirks.h). All
// stages do run_offsets[1] runs, before these do the next ones: a stage one after the other in each of its
// items, or, where its bit of run_offsets[2] is set, side by side, with an item of its own for each run.
// Several runs of an item are two segments, so that two work-items can share an item that is left
// over. Behind the offsets, all zero between launches: how many work-items have left, then for each
// stage how many segments are done, and whether each is claimed (1) or done (2).

// The first of a work-item's own segments; that of the work-item behind the last is `all`.
static inline int evn_first(const int work_item, const int all) {
    return work_item * all / (int)get_global_size(0);
}

// A work-item takes its own segments first, from the last one on, which another may wait to go on with;
// in the other direction after each pass: what was read last is still in the cache. Then those of others.
static inline int evn_turn(const int n, const int first, const int own, const int all, const long pass) {
    const int turn = first + (pass % 2 == 0 && n < own ? own - 1 - n : n);
    return turn < all ? turn : turn - all;
}

static inline bool evn_claim(volatile __global int *stage, const int turn, const int segments) {
    volatile __global int *const state = stage + 1 + turn;
    const bool first = turn % segments == 0;
    return *state == 0 && (first || state[-1] == 2) && atomic_cmpxchg(state, 0, 1) == 0;
}

static inline void evn_done(volatile __global int *stage, const int turn) {
    mem_fence(CLK_GLOBAL_MEM_FENCE);
    atomic_xchg(stage + 1 + turn, 2);
    atomic_inc(stage);
}

// After the last segment of a stage is done: nothing behind it is read before.
static inline void evn_pass(volatile __global int *stage) {
    atomic_or(stage, 0);
    mem_fence(CLK_GLOBAL_MEM_FENCE);
}

// The last one to leave clears the claims.
static inline void evn_leave(volatile __global int *claims, const long count) {
    if (atomic_inc(claims) == (int)get_global_size(0) - 1) {
        for (long i = 0; i <= count; i++) {
            claims[i] = 0;
        }
    }
}

// A loop over passes, in each of which come all stages: STAGE, a call with `item` and `run_offset`, STAGE_END.
#define COOPERATE(x, arguments)                                                                    \
    __global long *const x = x##_buffer + x##_offset;                                              \
    const long runs = x[0], together = x[1];                                                       \
    volatile __global int *const claims =                                                          \
        (volatile __global int *)(x + EVN_RUN_OFFSETS_FIRST + runs * arguments);                   \
    volatile __global int *stage = claims + 1;                                                     \
    for (long first = 0, pass = 0; first < runs; first += together, pass++)

#define STAGE(x, number, items, arguments)                                                         \
    {                                                                                              \
        const int side = x[2] >> number & 1 ? (int)together : 1;                                   \
        const int segments = side == 1 && together > 1 ? 2 : 1, all = items * side * segments;     \
        const int mine = evn_first((int)get_global_id(0), all);                                    \
        const int own = evn_first((int)get_global_id(0) + 1, all) - mine;                          \
        for (int n = 0; *stage < all; n = n + 1 < all ? n + 1 : 0) {                               \
            const int turn = evn_turn(n, mine, own, all, pass);                                    \
            if (evn_claim(stage, turn, segments)) {                                                \
                const int part = turn / segments, item = part % items;                             \
                const long begin = first + together * (turn % segments) / segments;                \
                const long end = first + together * (turn % segments + 1) / segments;              \
                for (long run = begin + part / items; run < min(end, runs); run += side) {         \
                    __global const long *run_offset = x + EVN_RUN_OFFSETS_FIRST + run * arguments;

#define STAGE_END(stage_claims)                                                                    \
                }                                                                                  \
                evn_done(stage, turn);                                                             \
            }                                                                                      \
        }                                                                                          \
        evn_pass(stage);                                                                           \
        stage += stage_claims * together;                                                          \
    }

// A sample in each of SAMPLES lanes: one vector, or two as one, which share what they read and the end of
// their sums over lanes. Of more than 16 elements only where the compiler knows such vectors
// (host/quirks.h); functions that it does not know of these are those of the halves.
#if SAMPLES == LANES
typedef lanes samples;
#define LOAD_SAMPLES(p)     LOAD_LANES(p)
#define STORE_SAMPLES(v, p) STORE_LANES(v, p)
#elif SAMPLES == 16
typedef real16 samples;
#define LOAD_SAMPLES(p)     load_16(p)
#define STORE_SAMPLES(v, p) store_16(v, p)
#else
typedef real samples __attribute__((ext_vector_type(SAMPLES)));
typedef real unaligned_samples __attribute__((ext_vector_type(SAMPLES), aligned(sizeof(real))));
MOVES(samples, unaligned_samples, LOAD_SAMPLES, STORE_SAMPLES, __global)
MOVES(samples, unaligned_samples, LOAD_SAMPLES, STORE_SAMPLES, __private)
#define IN_HALVES(function)                                                                        \
    inline samples __attribute__((overloadable)) function(const samples x) {                       \
        return (samples)(function(x.lo), function(x.hi));                                          \
    }
IN_HALVES(fabs)
IN_HALVES(sign)
IN_HALVES(exp)
IN_HALVES(log)
IN_HALVES(log1p)
IN_HALVES(sqrt)
IN_HALVES(sin)
IN_HALVES(cos)
IN_HALVES(tanh)
FUNCTIONS(samples)
#endif

#if LANES != 16
FUNCTIONS(lanes)
#endif

// tanh within 4.5 ulp, where OpenCL asks for 5 (tests/plan/test_samples.c): x p(x²) / q(x²), a minimax fit of
// relative error up to 9, where tanh rounds to 1, whose coefficients were then moved by a few ulp for
// the least error in single precision. A third of the operations of exp and a division; NaN stays NaN. Without fused
// multiply-adds (x86-64 that has none) it would be within 5.4.
// Compilers for another machine than this one's take vectors apart: that many scalars cost Mesa minutes.
#if LANES == 16 && (defined(__FMA__) || defined(__aarch64__))
#define TANH(type)                                                                                 \
    inline type __attribute__((overloadable)) evn_tanh(const type x) {                             \
        const type square = x * x, z = square > 81 ? (type)(81) : square;                          \
        type p = z * (z * (type)(1.33546791e-08f) + 2.06090954e-05f) + 0.0034955889f;              \
        type q = z * (z * (type)(7.77656567e-07f) + 0.000328563532f) + 0.0258769915f;              \
        p = z * (z * p + 0.133810282f) + 1;                                                        \
        q = z * (z * q + 0.467143416f) + 1;                                                        \
        const type y = x * p / q;                                                                  \
        return y > 1 ? (type)(1) : y < -1 ? (type)(-1) : y;                                        \
    }
TANH(lanes)
#if SAMPLES != LANES
TANH(samples)
#endif
#else
#define evn_tanh(x) tanh(x)
#endif

static inline real evn_lane_sum(const lanes x) {
#if LANES == 16
    const real8 eight = x.lo + x.hi;
#else
    const real8 eight = x;
#endif
    const real4 four = eight.lo + eight.hi;
    const real2 two = four.lo + four.hi;
    return two.x + two.y;
}

static inline real evn_sum_samples(const samples x) {
#if SAMPLES == LANES
    return evn_lane_sum(x);
#else
    return evn_lane_sum(x.lo + x.hi);
#endif
}

// Rows from `row` on; lanes behind the last row repeat it, so that they stay as finite as it is.
static inline samples evn_gather(__global const real *x, const int row, const int stride, const int rows) {
    real sample[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        sample[i] = x[(long)min(row + i, rows - 1) * stride];
    }
    return LOAD_SAMPLES(sample);
}

static inline void evn_scatter(const samples value, __global real *x, const int row, const int stride,
                        const int rows) {
    real sample[SAMPLES];
    STORE_SAMPLES(value, sample);
    for (int i = 0; i < min(SAMPLES, rows - row); i++) {
        x[(long)(row + i) * stride] = sample[i];
    }
}

// 1 in the lanes that have a sample.
static inline samples evn_live(const int row, const int rows) {
    real sample[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        sample[i] = row + i < rows ? R(1.0) : R(0.0);
    }
    return LOAD_SAMPLES(sample);
}

// Sum of what the work-items for `rows` samples have left, [items, stride], in their order.
static inline void evn_add_partial(real *sum, __global const real *partial, const int count,
                            const int stride, const int rows) {
    for (int j = 0; j < count; j += LANES) {
        lanes total = LOAD_LANES(partial + j);
        for (int item = 1; item * SAMPLES < rows; item++) {
            total += LOAD_LANES(partial + (long)item * stride + j);
        }
        STORE_LANES(total, sum + j);
    }
}

// Products with a vector need not read those rows of the matrix whose terms are 0 or whose result
// meets a gate that is shut; ReLUs leave half of them so. The numbers of the others, from `first`
// to `end`.
static inline int evn_nonzeros(__global const real *x, const int first, const int end, const bool sparse,
                        int *numbers) {
    int count = 0;
    for (int k = first; k < end; k++) {
        numbers[count] = k;
        count += !sparse || x[k] != 0; // NaN counts
    }
    return count;
}

static inline int evn_open(__global const real *gates, const int first, const int end, int *numbers) {
    int count = 0;
    for (int n = first; n < end; n++) {
        numbers[count] = n;
        count += !gates || gates[n] > 0;
    }
    return count;
}

// An item of a product with a vector, c[n] = sum of x[k] b[k, n] over k: TILE columns. The last
// item begins early enough to be whole; what belongs to the one before is not stored. n_count >=
// TILE. Where x is sparse its zeros are skipped.
#define TILE           (EVN_TILE_VECTORS * LANES)
#define RUN_OF_FACTORS 256
static void evn_product_columns(const int item, __global const real *restrict x, const bool sparse,
                                __global const real *restrict b, __global real *restrict c,
                                const int n_count, const int k_count) {
    const int n0 = item * TILE, first = min(n0, n_count - TILE);
    lanes sum[EVN_TILE_VECTORS];
#pragma unroll
    for (int j = 0; j < EVN_TILE_VECTORS; j++) {
        sum[j] = (lanes)(R(0.0));
    }
    for (int k0 = 0; k0 < k_count; k0 += RUN_OF_FACTORS) {
        int factors[RUN_OF_FACTORS];
        const int count = evn_nonzeros(x, k0, min(k0 + RUN_OF_FACTORS, k_count), sparse, factors);
        for (int i = 0; i < count; i++) {
            __global const real *row = b + (long)factors[i] * n_count + first;
            const lanes left = (lanes)(x[factors[i]]);
#pragma unroll
            for (int j = 0; j < EVN_TILE_VECTORS; j++) {
                sum[j] = MULTIPLY_ADD(left, LOAD_LANES(row + j * LANES), sum[j]);
            }
        }
    }
    real tile[TILE];
#pragma unroll
    for (int j = 0; j < EVN_TILE_VECTORS; j++) {
        STORE_LANES(sum[j], tile + j * LANES);
    }
    for (int n = n0; n < first + TILE; n++) {
        c[n] = tile[n - first];
    }
}

// An item of c[n] = sum of x[k] b[n, k] over k: EVN_RUN_OF_DOTS elements, EVN_DOT_ROWS at a time. With
// gates, c[n] is 0 where gates[n] is not above 0.
static void evn_product_dots(const int item, __global const real *restrict x,
                             __global const real *gates, __global const real *restrict b,
                             __global real *restrict c, const int n_count, const int k_count) {
    const int first = item * EVN_RUN_OF_DOTS, end = min(first + EVN_RUN_OF_DOTS, n_count);
    int open[EVN_RUN_OF_DOTS];
    const int count = evn_open(gates, first, end, open);
    for (int n = first; n < end; n++) {
        c[n] = R(0.0);
    }
    for (int n0 = 0; n0 < count; n0 += EVN_DOT_ROWS) {
        __global const real *row[EVN_DOT_ROWS];
        lanes sum[EVN_DOT_ROWS];
#pragma unroll
        for (int i = 0; i < EVN_DOT_ROWS; i++) {
            row[i] = b + (long)open[min(n0 + i, count - 1)] * k_count;
            sum[i] = (lanes)(R(0.0));
        }
        int k = 0;
        for (; k + LANES <= k_count; k += LANES) {
            const lanes left = LOAD_LANES(x + k);
#pragma unroll
            for (int i = 0; i < EVN_DOT_ROWS; i++) {
                sum[i] = MULTIPLY_ADD(left, LOAD_LANES(row[i] + k), sum[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < EVN_DOT_ROWS; i++) {
            real total = evn_lane_sum(sum[i]);
            for (int t = k; t < k_count; t++) {
                total = MULTIPLY_ADD(x[t], row[i][t], total);
            }
            if (n0 + i < count) {
                c[open[n0 + i]] = total;
            }
        }
    }
}

#endif

// Linear systems, each sample its own: m [n, n] and x [n] by elimination in place. The larger pivot
// comes up row by row, where it is the larger one.
INLINE void evn_solve_samples(samples *m, samples *x, const int n) {
    for (int k = 0; k < n; k++) {
        for (int i = k + 1; i < n; i++) {
            const samples here = fabs(m[k * n + k]), there = fabs(m[i * n + k]);
            for (int j = k; j < n; j++) {
                const samples a = m[k * n + j], b = m[i * n + j];
                m[k * n + j] = there > here ? b : a;
                m[i * n + j] = there > here ? a : b;
            }
            const samples a = x[k], b = x[i];
            x[k] = there > here ? b : a;
            x[i] = there > here ? a : b;
        }
        for (int i = k + 1; i < n; i++) {
            const samples factor = m[i * n + k] / m[k * n + k];
            for (int j = k + 1; j < n; j++) {
                m[i * n + j] -= factor * m[k * n + j];
            }
            x[i] -= factor * x[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++) {
            x[k] -= m[k * n + j] * x[j];
        }
        x[k] /= m[k * n + k];
    }
}
