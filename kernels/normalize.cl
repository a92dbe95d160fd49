// SPDX-License-Identifier: Apache-2.0
// normalize.cl — x [samples, positions, channels]; a group is `width` adjacent channels of a sample.
//   normalize_groups:      y = (x − mean)/σ, σ = sqrt(variance + epsilon), over the group
//   normalize_groups_grad: y = (v − mean(v) − x̂·mean(x̂·v))/σ with x̂ = (x − mean)/σ
// Twin: src/ref/normalize.c.   Relaxed math: none.
// Assumes: width divides LANES (a vector holds whole groups) or LANES divides width (a group is
// whole vectors); LANES divides channels. A task is one sample and as many channels as the larger
// of the two. Mean first, then the squares of the distances to it: no cancellation.

// Every lane gets the sum over the lanes of its group.
static lanes group_sum(lanes s, const int width) {
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

// 1/σ from the sums of squared and of plain distances to `mean`. The plain ones would be zero but for
// the rounding of the mean: they correct it, which matters where it is far above the spread.
static lanes refine(lanes *mean, const lanes rest, const lanes squares, const int width,
                    const real scale, const real epsilon) {
    const lanes shift = group_sum(rest, width) * scale;
    *mean += shift;
    return R(1.0) / sqrt(group_sum(squares, width) * scale - shift * shift + epsilon);
}

// FOR_EACH_VECTOR: `i` is the index of each vector of the task's group, position by position.
#define FOR_EACH_VECTOR                                                                            \
    for (int p = 0; p < positions; ++p)                                                            \
        for (size_t i = first + (size_t)p * channels, row_end = i + span; i < row_end; i += LANES)

// `first` is the index of the task's first element.
#define LOCATE_GROUP                                                                               \
    const int span = max(width, LANES), spans = channels / span;                                   \
    const size_t first =                                                                           \
        (size_t)(task / spans) * positions * channels + (size_t)(task % spans) * span;             \
    const real scale = R(1.0) / ((real)positions * width)

__kernel void normalize_groups(INPUT(x), OUTPUT(y), const int positions, const int channels,
                        const int width, const real epsilon, TASKS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    FOR_EACH_TASK {
        LOCATE_GROUP;
        lanes sum = 0;
        FOR_EACH_VECTOR {
            sum += LOAD_LANES(x + i);
        }
        lanes mean = group_sum(sum, width) * scale;
        lanes squares = 0, rest = 0;
        FOR_EACH_VECTOR {
            const lanes d = LOAD_LANES(x + i) - mean;
            squares += d * d;
            rest += d;
        }
        const lanes inverse = refine(&mean, rest, squares, width, scale, epsilon);
        FOR_EACH_VECTOR {
            STORE_LANES((LOAD_LANES(x + i) - mean) * inverse, y + i);
        }
    }
}

__kernel void normalize_groups_grad(INPUT(x), INPUT(v), OUTPUT(y), const int positions,
                             const int channels, const int width, const real epsilon, TASKS) {
    INPUT_OF(x);
    INPUT_OF(v);
    OUTPUT_OF(y);
    FOR_EACH_TASK {
        LOCATE_GROUP;
        lanes sum = 0, sum_v = 0;
        FOR_EACH_VECTOR {
            sum += LOAD_LANES(x + i);
            sum_v += LOAD_LANES(v + i);
        }
        lanes mean = group_sum(sum, width) * scale;
        const lanes mean_v = group_sum(sum_v, width) * scale;
        lanes squares = 0, rest = 0, products = 0;
        FOR_EACH_VECTOR {
            const lanes d = LOAD_LANES(x + i) - mean;
            squares += d * d;
            rest += d;
            products += d * (LOAD_LANES(v + i) - mean_v);
        }
        const lanes inverse = refine(&mean, rest, squares, width, scale, epsilon);
        const lanes slope = group_sum(products, width) * scale * inverse * inverse;
        FOR_EACH_VECTOR {
            const lanes d = LOAD_LANES(x + i) - mean;
            STORE_LANES((LOAD_LANES(v + i) - mean_v - d * slope) * inverse, y + i);
        }
    }
}
