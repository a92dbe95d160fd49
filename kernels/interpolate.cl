// SPDX-License-Identifier: Apache-2.0
// interpolate.cl — x of each sample at its observations, from the interpolants of the steps of its own
// (src/per_sample/sample_solve.c): series [observations, samples, size]; and what the whole batch is at
// times of its steps (src/gradients/dense.c).   Relaxed math: none.
// Twin: evn__interpolant_value of src/methods/interpolant.c, as a graph.
// Times are pairs of reals: ends [samples, EVN_SAMPLE_ENDS], times [observations, samples, 2]. A
// work-item has a sample and every so many of its observations.

static inline real2 evn_pair(__global const real *x) {
    return (real2)(x[0], x[1]);
}

// How far b is behind a in the direction of the way.
static inline real evn_ahead(const real2 a, const real2 b, const real way) {
    const real distance = (b.x - a.x) + (b.y - a.y);
    return way < 0 ? -distance : distance;
}

#define FOR_EACH_OBSERVATION                                                                       \
    for (int j = get_global_id(1); j < observations; j += get_global_size(1))

// Before the first step: x where the start is observed, NaN elsewhere, which stays where a sample does
// not get to.
__kernel void interpolate_begin(INPUT(ends), INPUT(times), INPUT(x), OUTPUT(series),
                                const int samples, const int observations, const int size) {
    INPUT_OF(ends);
    INPUT_OF(times);
    INPUT_OF(x);
    OUTPUT_OF(series);
    const int sample = get_global_id(0);
    if (sample >= samples) {
        return;
    }
    const real2 begin = evn_pair(ends + sample * EVN_SAMPLE_ENDS + EVN_SAMPLE_BEGIN);
    FOR_EACH_OBSERVATION {
        const long at = (long)j * samples + sample;
        const real2 t = evn_pair(times + 2 * at);
        const bool starts = t.x == begin.x && t.y == begin.y;
        for (int d = 0; d < size; d++) {
            series[at * size + d] = starts ? x[(long)sample * size + d] : (real)NAN;
        }
    }
}

static inline bool evn_begins_before(__global const real *steps, const long rows, const int step,
                              const real2 t, const real way) {
    const real2 begin = evn_pair(steps + step * rows * EVN_SAMPLE_STEP + EVN_SAMPLE_STEP_T);
    return evn_ahead(begin, t, way) > 0;
}

// The number of the last of `count` steps [rows, EVN_SAMPLE_STEP] that begins before t; −1: none does.
// From the one of the observation before on, which is near where times are in order.
static inline int evn_find_step(__global const real *steps, const long rows, const int count, const real2 t,
                         const real way, const int before) {
    int low = before, high = count - 1;
    if (low >= 0 && low < count && evn_begins_before(steps, rows, low, t, way)) {
        while (low < high && evn_begins_before(steps, rows, low + 1, t, way)) {
            low++;
        }
        return low;
    }
    low = -1;
    while (low < high) {
        const int middle = low + (high - low + 1) / 2;
        if (evn_begins_before(steps, rows, middle, t, way)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

// Attempts of numbers `first` to `first` + `attempts` − 1 of a solve with this record have left steps
// [attempts, rows, EVN_SAMPLE_STEP]. Number of the one in which t is, and how far; −1: of none, as it
// lies in a step that was made before, or is still to be made.
static inline int evn_locate(__global const real *record, __global const real *steps, const long rows,
                      const int first, const int attempts, const real2 t, const real way,
                      const int before, real *theta) {
    const int made = (int)(record[EVN_SAMPLE_ACCEPTED] + record[EVN_SAMPLE_REJECTED]) - first;
    const int count = min(made, attempts);
    if (count <= 0 || evn_ahead(evn_pair(record + EVN_SAMPLE_T), t, way) > 0) {
        return -1;
    }
    const int step = evn_find_step(steps, rows, count, t, way, before);
    if (step < 0) {
        return -1;
    }
    __global const real *done = steps + step * rows * EVN_SAMPLE_STEP;
    const real2 begin = evn_pair(done + EVN_SAMPLE_STEP_T);
    *theta = ((t.x - begin.x) + (t.y - begin.y)) / done[EVN_SAMPLE_STEP_DT];
    return step;
}

static inline real evn_factor(const int terms, const int p, const real theta) {
    return EVN_FACTOR_MIRRORS(terms, p) ? R(1.0) - theta : theta;
}

#define LOCATED                                                                                    \
    INPUT(ends), INPUT(times), INPUT(record), INPUT(steps), const int samples, const int rows,     \
        const int observations, const int size, const int term_count, const int first,          \
        const int attempts
#define LOCATED_OF                                                                                 \
    INPUT_OF(ends);                                                                                \
    INPUT_OF(times);                                                                               \
    INPUT_OF(record);                                                                              \
    INPUT_OF(steps);                                                                               \
    const int sample = get_global_id(0);                                                           \
    if (sample >= samples) {                                                                       \
        return;                                                                                    \
    }                                                                                              \
    const real way = ends[sample * EVN_SAMPLE_ENDS + EVN_SAMPLE_WAY];

// What lies in steps whose interpolants are starts [attempts, rows, size], the first term, and terms
// [term_count − 1][attempts, rows, size].
__kernel void interpolate_steps(LOCATED, INPUT(starts), INPUT(terms), OUTPUT(series)) {
    LOCATED_OF;
    INPUT_OF(starts);
    INPUT_OF(terms);
    OUTPUT_OF(series);
    const long term = (long)attempts * rows * size;
    int step = -1;
    FOR_EACH_OBSERVATION {
        const long at = (long)j * samples + sample;
        real theta = R(0.0);
        step = evn_locate(record + sample * EVN_SAMPLE_RECORD, steps + sample * EVN_SAMPLE_STEP, rows,
                          first, attempts, evn_pair(times + 2 * at), way, step, &theta);
        for (int d = 0; d < size && step >= 0; d++) {
            const long from = ((long)step * rows + sample) * size + d;
            real value = terms[(term_count - 2) * term + from];
            for (int p = term_count - 3; p >= 0; p--) {
                value = value * evn_factor(term_count, p + 2, theta) + terms[p * term + from];
            }
            series[at * size + d] = value * theta + starts[from];
        }
    }
}

// Its transpose: cotangents of the series are added to those of the terms, term_bar [term_count]
// [attempts, rows, size]. Where the start is observed it is the first term of the first attempt. A
// work-item has a sample and every so many of its elements, for all observations.
__kernel void interpolate_back(LOCATED, INPUT(series_bar), OUTPUT(term_bar)) {
    LOCATED_OF;
    INPUT_OF(series_bar);
    OUTPUT_OF(term_bar);
    const real2 begin = evn_pair(ends + sample * EVN_SAMPLE_ENDS + EVN_SAMPLE_BEGIN);
    const long term = (long)attempts * rows * size;
    int step = -1;
    for (int j = 0; j < observations; j++) {
        const long at = (long)j * samples + sample;
        const real2 t = evn_pair(times + 2 * at);
        const bool starts = first == 0 && t.x == begin.x && t.y == begin.y;
        real theta = R(0.0);
        step = starts ? 0
                      : evn_locate(record + sample * EVN_SAMPLE_RECORD,
                                   steps + sample * EVN_SAMPLE_STEP, rows, first, attempts, t, way,
                                   step, &theta);
        for (int d = get_global_id(1); d < size && step >= 0; d += get_global_size(1)) {
            real share = series_bar[at * size + d];
            __global real *to = term_bar + ((long)step * rows + sample) * size + d;
            for (int p = 0; p < term_count; p++) {
                to[p * term] += share;
                share *= evn_factor(term_count, p + 1, theta);
            }
        }
    }
}

// Elements [size] of the state at places [count, EVN_DENSE_PLACE] of steps whose interpolants are terms
// [steps, term_count, total]. At the beginning of a step it is the state there: behind the last step
// there is nothing else. A work-item has an element of a place.
__kernel void interpolate_batch(INPUT(terms), INPUT(places), OUTPUT(states), const int size,
                                const int count, const int term_count, const ulong total) {
    INPUT_OF(terms);
    INPUT_OF(places);
    OUTPUT_OF(states);
    const int d = get_global_id(0);
    const int i = get_global_id(1);
    if (d >= size || i >= count) {
        return;
    }
    __global const real *place = places + (long)i * EVN_DENSE_PLACE;
    const long step = (long)place[0] * EVN_DENSE_RADIX + (long)place[1];
    const real theta = place[2];
    __global const real *from = terms + step * term_count * (long)total + d;
    real value = R(0.0);
    for (int p = term_count - 1; p > 0 && theta > R(0.0); p--) {
        value = (value + from[p * (long)total]) * evn_factor(term_count, p, theta);
    }
    states[(long)i * size + d] = value + from[0];
}
