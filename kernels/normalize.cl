// SPDX-License-Identifier: Apache-2.0
// normalize.cl — x [samples, positions, channels]; a group is `width` adjacent channels of a sample.
//   normalize_groups:      y = (x − mean)/σ, σ = sqrt(variance + epsilon), over the group
//   normalize_groups_grad: y = (v − mean(v) − x̂·mean(x̂·v))/σ with x̂ = (x − mean)/σ
// Twin: src/ref/normalize.c.   Relaxed math: none.
// Assumes: VECTORS · LANES adjacent channels are whole groups, in lanes or in vectors, or a group is a
// multiple of them (width divides LANES, or LANES divides width); they divide channels. A task is one
// sample and as many channels as the larger of the two. Mean first, then the squares of the distances to
// it: no cancellation.
// The kernels named _shared, for GPUs, have a work-group of ITEMS for a task instead of a work-item.
// Tuned: VECTORS: sums at once, which hide the latency of an addition and read whole lines.

#define BLOCK            (VECTORS * LANES)
#define FOR_EACH(j)      _Pragma("unroll") for (int j = 0; j < VECTORS; ++j)
#define LOAD_BLOCK(j, p) LOAD_LANES((p) + (j) * LANES)

// Every lane gets the sum over the lanes of its group.
static lanes lane_sum(lanes s, const int width) {
#if LANES == 16
    if (width > 1) {
        s += s.s1032547698badcfe;
    }
    if (width > 2) {
        s += s.s23016745ab89efcd;
    }
    if (width > 4) {
        s += s.s45670123cdef89ab;
    }
    if (width > 8) {
        s += s.s89abcdef01234567;
    }
#endif
    return s;
}

// Every lane of every vector gets the mean over its group.
static void group_mean(lanes s[VECTORS], const int width, const real scale) {
    if (width > LANES) {
        lanes total = 0;
        FOR_EACH(j) {
            total += s[j];
        }
        FOR_EACH(j) {
            s[j] = total;
        }
    }
    FOR_EACH(j) {
        s[j] = lane_sum(s[j], width) * scale;
    }
}

// `squares` becomes 1/σ, from the sums of squared and of plain distances to `mean`. The plain ones would
// be zero but for the rounding of the mean: they correct it, which matters where it is far above the
// spread.
static void refine(lanes mean[VECTORS], lanes rest[VECTORS], lanes squares[VECTORS], const int width,
                   const real scale, const real epsilon) {
    group_mean(rest, width, scale);
    group_mean(squares, width, scale);
    FOR_EACH(j) {
        mean[j] += rest[j];
        squares[j] = R(1.0) / sqrt(squares[j] - rest[j] * rest[j] + epsilon);
    }
}

// FOR_EACH_BLOCK: `i` is the index of each block of the task's channels, position by position.
#define FOR_EACH_BLOCK                                                                             \
    for (int p = 0; p < positions; ++p)                                                            \
        for (size_t i = first + (size_t)p * channels, row_end = i + span; i < row_end; i += BLOCK)

// `first` is the index of the task's first element.
#define LOCATE_GROUP                                                                               \
    const int span = max(width, BLOCK), spans = channels / span;                                   \
    const size_t first =                                                                           \
        (size_t)(task / spans) * positions * channels + (size_t)(task % spans) * span;             \
    const real scale = R(1.0) / ((real)positions * width)

// Run the epilogue on the block at `i`, which is stored.
#define ROW              ((long)(task / spans) * positions + p)
#define COLUMN           ((int)(i - (size_t)ROW * channels))
#define FINISH_BLOCK(y)  EPILOGUE(y, ROW, COLUMN, COLUMN + BLOCK)

__kernel void normalize_groups(INPUT(x), OUTPUT(y), const int positions, const int channels,
                               const int width, const real epsilon, TASKS EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    EPILOGUE_BEGIN;
    FOR_EACH_TASK {
        LOCATE_GROUP;
        lanes mean[VECTORS] = {0}, squares[VECTORS] = {0}, rest[VECTORS] = {0};
        FOR_EACH_BLOCK {
            FOR_EACH(j) {
                mean[j] += LOAD_BLOCK(j, x + i);
            }
        }
        group_mean(mean, width, scale);
        FOR_EACH_BLOCK {
            FOR_EACH(j) {
                const lanes d = LOAD_BLOCK(j, x + i) - mean[j];
                squares[j] += d * d;
                rest[j] += d;
            }
        }
        refine(mean, rest, squares, width, scale, epsilon);
        FOR_EACH_BLOCK {
            FOR_EACH(j) {
                const lanes d = LOAD_BLOCK(j, x + i) - mean[j];
                STORE_LANES(d * squares[j], y + i + j * LANES);
            }
            FINISH_BLOCK(y);
        }
    }
}

__kernel void normalize_groups_grad(INPUT(x), INPUT(v), OUTPUT(y), const int positions,
                                    const int channels, const int width, const real epsilon,
                                    TASKS EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    INPUT_OF(v);
    OUTPUT_OF(y);
    EPILOGUE_BEGIN;
    FOR_EACH_TASK {
        LOCATE_GROUP;
        lanes mean[VECTORS] = {0}, mean_v[VECTORS] = {0}, squares[VECTORS] = {0};
        lanes rest[VECTORS] = {0}, slope[VECTORS] = {0};
        FOR_EACH_BLOCK {
            FOR_EACH(j) {
                mean[j] += LOAD_BLOCK(j, x + i);
                mean_v[j] += LOAD_BLOCK(j, v + i);
            }
        }
        group_mean(mean, width, scale);
        group_mean(mean_v, width, scale);
        FOR_EACH_BLOCK {
            FOR_EACH(j) {
                const lanes d = LOAD_BLOCK(j, x + i) - mean[j];
                squares[j] += d * d;
                rest[j] += d;
                slope[j] += d * (LOAD_BLOCK(j, v + i) - mean_v[j]);
            }
        }
        refine(mean, rest, squares, width, scale, epsilon);
        group_mean(slope, width, scale);
        FOR_EACH(j) {
            slope[j] *= squares[j] * squares[j];
        }
        FOR_EACH_BLOCK {
            FOR_EACH(j) {
                const lanes d = LOAD_BLOCK(j, x + i) - mean[j];
                const lanes w = LOAD_BLOCK(j, v + i) - mean_v[j] - d * slope[j];
                STORE_LANES(w * squares[j], y + i + j * LANES);
            }
            FINISH_BLOCK(y);
        }
    }
}

#ifdef ITEMS
// A task is a work-group's: one sample and `span` channels, whole groups or one. Its items lie as rows of
// `across` channels, so that neighbours read neighbours; those that do not fill a row are idle.
#define LOCATE_ITEM                                                                                \
    const int down = ITEMS / across;                                                               \
    const int own_c = ITEM % across, own_p = ITEM < down * across ? ITEM / across : positions;     \
    const int spans = channels / span, sample = (int)get_group_id(0) / spans;                      \
    const int block = (int)get_group_id(0) % spans * span;                                         \
    const size_t first = (size_t)sample * positions * channels + block;                            \
    const real scale = R(1.0) / ((real)positions * width)

#define FOR_EACH_OWN                                                                               \
    for (int p = own_p; p < positions; p += down)                                                  \
        for (int c = own_c; c < span; c += across)

// Of distances to the mean.
#define REST    0
#define SQUARES 1
#define SLOPE   2 // times those of v

// own [count] become the means over the item's group, from all items' sums.
INLINE void group_means(real *own, const int count, __local real *room, const int across, const int width,
                        const real scale) {
    group_sums(own, count, room, across, width);
    EACH_SUM(k) {
        own[k] *= scale;
    }
}

GROUP __kernel void normalize_groups_shared(INPUT(x), OUTPUT(y), const int positions,
                                            const int channels, const int width,
                                            const real epsilon, const int span,
                                            const int across EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    __local real room[GROUP_ROOM(3)];
    LOCATE_ITEM;
    real mean = R(0.0), spread[2] = {R(0.0), R(0.0)};
    FOR_EACH_OWN {
        mean += x[first + (size_t)p * channels + c];
    }
    group_means(&mean, 1, room, across, width, scale);
    FOR_EACH_OWN {
        const real d = x[first + (size_t)p * channels + c] - mean;
        spread[SQUARES] += d * d;
        spread[REST] += d;
    }
    group_means(spread, 2, GROUP_ROOM_AT(room, 1), across, width, scale);
    const real inverse =
        R(1.0) / sqrt(spread[SQUARES] - spread[REST] * spread[REST] + epsilon);
    mean += spread[REST];
    FOR_EACH_OWN {
        const size_t i = first + (size_t)p * channels + c;
        y[i] = (x[i] - mean) * inverse;
        EPILOGUE(y, (long)sample * positions + p, block + c, block + c + 1);
    }
}

GROUP __kernel void normalize_groups_grad_shared(INPUT(x), INPUT(v), OUTPUT(y),
                                                 const int positions, const int channels,
                                                 const int width, const real epsilon,
                                                 const int span,
                                                 const int across EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    INPUT_OF(v);
    OUTPUT_OF(y);
    __local real room[GROUP_ROOM(5)];
    LOCATE_ITEM;
    real means[2] = {R(0.0), R(0.0)}, spread[3] = {R(0.0), R(0.0), R(0.0)};
    FOR_EACH_OWN {
        const size_t i = first + (size_t)p * channels + c;
        means[0] += x[i];
        means[1] += v[i];
    }
    group_means(means, 2, room, across, width, scale);
    const real mean_v = means[1];
    FOR_EACH_OWN {
        const size_t i = first + (size_t)p * channels + c;
        const real d = x[i] - means[0];
        spread[SQUARES] += d * d;
        spread[REST] += d;
        spread[SLOPE] += d * (v[i] - mean_v);
    }
    group_means(spread, 3, GROUP_ROOM_AT(room, 2), across, width, scale);
    const real inverse =
        R(1.0) / sqrt(spread[SQUARES] - spread[REST] * spread[REST] + epsilon);
    const real slope = spread[SLOPE] * inverse * inverse, mean = means[0] + spread[REST];
    FOR_EACH_OWN {
        const size_t i = first + (size_t)p * channels + c;
        y[i] = (v[i] - mean_v - (x[i] - mean) * slope) * inverse;
        EPILOGUE(y, (long)sample * positions + p, block + c, block + c + 1);
    }
}
#endif
