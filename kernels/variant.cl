// SPDX-License-Identifier: Apache-2.0
// variant.cl — what a kernel file is compiled for: the widths that its options choose, and the place
// of an epilogue; it stands before each kernel file or generated text (host/program.c).

// With -DLANES=n a text works on vectors of n reals (n = 1, 2, 4, 8, 16).
#ifdef LANES
#if LANES == 1
typedef real lanes;
#define LOAD_LANES(p)     (*(p))
#define STORE_LANES(v, p) (*(p) = (v))
#else
#define JOIN_(a, b)       a##b
#define JOIN(a, b)        JOIN_(a, b)
typedef JOIN(real, LANES) lanes;
#if LANES == 16
#define LOAD_LANES(p)     load_16(p)
#define STORE_LANES(v, p) store_16(v, p)
#else
#define LOAD_LANES(p)     JOIN(vload, LANES)(0, p)
#define STORE_LANES(v, p) JOIN(vstore, LANES)(v, 0, p)
#endif
#endif
#endif

// A kernel that ends in EPILOGUE(result, row, begin, end) lets the plan work on the elements [begin, end)
// of that row of its result, the last axis being the columns, once it has stored them all. It takes
// what that needs in EPILOGUE_PARAMETERS. Where no other work-item has elements of the same row, it may
// have EPILOGUE_BEGIN before its first task: the plan can then add up rows. A generated text redefines
// all three (src/plan/epilogue.c, partial.c).
#define EPILOGUE_PARAMETERS
#define EPILOGUE_BEGIN
#define EPILOGUE(result, row, begin, end)

// With -DITEMS=n a work-group of n work-items computes a result together. Its items lie as rows of `across`,
// and group_sums gives each of them the sum over its block of `width` adjacent columns in all whole rows, or
// over all items where width >= across (items of no row have zeros), always added up in the same order.
// own [count] are as many sums at once, which share their barriers.
#ifdef ITEMS
#define GROUP __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
#if ITEMS > 1
#define EACH_SUM(k) _Pragma("unroll") for (int k = 0; k < count; k++)

// How is for src/ops/group_sum.h to choose. Each way has the number of an item, ITEM, the local memory of
// `sums` sums, and of those behind the first n of them.
#ifndef ONE_BARRIER
#define ITEM                   ((int)get_local_id(0))
#define GROUP_ROOM(sums)       ITEMS
#define GROUP_ROOM_AT(room, n) (room)

// Rows are added up by halves, a barrier each, then the columns of a block.
INLINE real group_sum(const real own, __local real *room, const int across, const int width) {
    const int row = ITEM / across;
    room[ITEM] = own;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int rows = ITEMS / across; rows > 1; rows = (rows + 1) / 2) {
        const int half_rows = (rows + 1) / 2;
        if (row < rows - half_rows) {
            room[ITEM] += room[ITEM + half_rows * across];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const int begin = width < across ? ITEM % across / width * width : 0;
    real sum = R(0.0);
    for (int c = begin; c < begin + min(width, across); c++) {
        sum += room[c];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

INLINE void group_sums(real *own, const int count, __local real *room, const int across, const int width) {
    EACH_SUM(k) {
        own[k] = group_sum(own[k], room, across, width);
    }
}
#else
// Each item adds up what it needs, after one barrier; no place is written twice but by sums in turn. Before
// it sub-groups add up what is theirs, where their functions are named: SHUFFLE_XOR, with widths and rows
// that are powers of two or one block of all, in an order that follows from the size of a sub-group, which is
// the device's; or REDUCE_ADD, whose order is the device's too. Sub-groups are full, of a power of two; which
// item is where in them is theirs to say.
#define GROUP_ROOM(sums)       ((sums)*ITEMS)
#define GROUP_ROOM_AT(room, n) ((room) + (n)*ITEMS)
#ifdef cl_khr_subgroups
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
#endif
#if defined(SHUFFLE_XOR)
#ifdef cl_khr_subgroup_shuffle
#pragma OPENCL EXTENSION cl_khr_subgroup_shuffle : enable
#endif
#ifdef cl_intel_subgroups
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
#endif
#define SUB_GROUP                  ((int)get_max_sub_group_size())
#define SUMMED_COLUMNS(block)      min(SUB_GROUP, block)
#define SUMMED_ROWS(block, across) max(SUB_GROUP, across)
INLINE real sub_group_sum(real own, const int block, const int across) {
    for (int mask = 1; mask < min(SUB_GROUP, ITEMS); mask *= 2) {
        if (mask < block || mask >= across) {
            own += SHUFFLE_XOR(own, (uint)mask);
        }
    }
    return own;
}
#elif defined(REDUCE_ADD)
#define SUB_GROUP                  ((int)get_max_sub_group_size())
#define IS_OF_SUB_GROUPS(block)    ((block) % SUB_GROUP == 0)
#define SUMMED_COLUMNS(block)      (IS_OF_SUB_GROUPS(block) ? SUB_GROUP : 1)
#define SUMMED_ROWS(block, across) (across)
INLINE real sub_group_sum(const real own, const int block, const int across) {
    return IS_OF_SUB_GROUPS(block) ? REDUCE_ADD(own) : own;
}
#else
#define SUMMED_COLUMNS(block)      1
#define SUMMED_ROWS(block, across) (across)
INLINE real sub_group_sum(const real own, const int block, const int across) {
    return own;
}
#endif
#ifdef SUB_GROUP
#define ITEM ((int)get_sub_group_id() * SUB_GROUP + (int)get_sub_group_local_id())
#else
#define ITEM ((int)get_local_id(0))
#endif

INLINE void group_sums(real *own, const int count, __local real *room, int across, int width) {
    width = width < across ? width : ITEMS;
    across = width < ITEMS ? across : ITEMS;
    const int item = ITEM, begin = item % across / width * width;
    EACH_SUM(k) {
        own[k] = sub_group_sum(own[k], width, across);
        room[k * ITEMS + item] = own[k];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    EACH_SUM(k) {
        real sum = R(0.0);
        for (int r = 0; r + across <= ITEMS; r += SUMMED_ROWS(width, across)) {
            for (int c = begin; c < begin + width; c += SUMMED_COLUMNS(width)) {
                sum += room[k * ITEMS + r + c];
            }
        }
        own[k] = sum;
    }
}
#endif
#endif
#endif

// With -DROWS=r -DVECTORS=v -DWIDTH=w (w = 4, 8 or 16) it computes tiles of r × (v · w) elements in
// registers.
#ifdef ROWS
#if WIDTH == 16
typedef real16 vector;
#define LOAD(i, p)     load_16((p) + 16 * (i))
#define STORE(x, i, p) store_16(x, (p) + 16 * (i))
#elif WIDTH == 8
typedef real8 vector;
#define LOAD(i, p)     vload8(i, p)
#define STORE(x, i, p) vstore8(x, i, p)
#else
typedef real4 vector;
#define LOAD(i, p)     vload4(i, p)
#define STORE(x, i, p) vstore4(x, i, p)
#endif
#define COLUMNS (VECTORS * WIDTH)

// row[n + t] = x[t] for those t with low <= n + t < high. Inlined into each of the unrolled stores
// it would double the time to compile.
__attribute__((noinline)) void store(const vector x, __global real *row, const int n, const int low,
                                     const int high) {
    if (n >= low && n + WIDTH <= high) {
        STORE(x, 0, row + n);
        return;
    }
    real lanes[WIDTH];
    STORE(x, 0, lanes);
    for (int t = max(0, low - n); t < min(WIDTH, high - n); t++) {
        row[n + t] = lanes[t];
    }
}
#endif
