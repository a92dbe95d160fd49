// SPDX-License-Identifier: Apache-2.0
// optimizer.cl — one step of all parameters p [count] from gradients g [count]; state v, m [count].
// Twin: tests/optim/test_optimizer.c.   Relaxed math: none.
// A work-item does elements i·run … (i + 1)·run − 1: long runs on a CPU, one element elsewhere.
#define FOR_EACH_ELEMENT                                                                           \
    for (ulong i = get_global_id(0) * run, end_ = i + run < count ? i + run : count; i < end_; ++i)

// v = momentum·v + g + decay·p; p −= rate·v
__kernel void sgd(OUTPUT(p), INPUT(g), OUTPUT(v), const ulong count, const ulong run,
                  const real rate, const real momentum, const real decay) {
    OUTPUT_OF(p);
    INPUT_OF(g);
    OUTPUT_OF(v);
    FOR_EACH_ELEMENT {
        v[i] = momentum * v[i] + (g[i] + decay * p[i]);
        p[i] -= rate * v[i];
    }
}

// m = beta1·m + fresh1·g; v = beta2·v + fresh2·g²; p = keep·p − rate·m/(sqrt(v)·lift + epsilon).
// The host folds the bias corrections into rate and lift, and the weight decay into keep.
__kernel void adam(OUTPUT(p), INPUT(g), OUTPUT(m), OUTPUT(v), const ulong count, const ulong run,
                   const real rate, const real lift, const real epsilon, const real keep,
                   const real beta1, const real fresh1, const real beta2, const real fresh2) {
    OUTPUT_OF(p);
    INPUT_OF(g);
    OUTPUT_OF(m);
    OUTPUT_OF(v);
    FOR_EACH_ELEMENT {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
        p[i] = keep * p[i] - rate * m[i] / (sqrt(v[i]) * lift + epsilon);
    }
}

// y[k] = Σ g² over `length` elements from k·first on, `stride` apart: neighbours in memory belong to
// one work-item on a CPU, to neighbouring ones elsewhere. The host sums y [global size].
__kernel void squares(INPUT(g), OUTPUT(y), const ulong count, const ulong first,
                      const ulong stride, const ulong length) {
    INPUT_OF(g);
    OUTPUT_OF(y);
    const ulong part = get_global_id(0), end = min(count, part * first + stride * length);
    real sum = 0;
    for (ulong i = part * first; i < end; i += stride) {
        sum += g[i] * g[i];
    }
    y[part] = sum;
}

#ifndef LANES // of a sum in lbfgs_dots: a CPU's vector, or 1
#define LANES 16
#endif
#if LANES == 16
typedef real16 lanes;
#define FIRST(sum) (sum).s0

static real across(const lanes v) {
    const real8 w = v.lo + v.hi;
    const real4 u = w.lo + w.hi;
    const real2 t = u.lo + u.hi;
    return t.x + t.y;
}
#else
typedef real lanes;
#define FIRST(sum)  (sum)
#define across(sum) (sum)
#endif

// L-BFGS (src/optim/lbfgs.c): `rows` is [2·history + 3, count]: the s, the y, then g, p and d.

// s = p − its last value, y = g − its last value, at row `slot` of theirs; p and g are kept.
__kernel void lbfgs_store(INPUT(p), INPUT(g), OUTPUT(rows), const ulong count, const ulong run,
                          const ulong history, const ulong slot) {
    INPUT_OF(p);
    INPUT_OF(g);
    OUTPUT_OF(rows);
    __global real *s = rows + slot * count, *y = s + history * count;
    __global real *last_g = rows + 2 * history * count, *last_p = last_g + count;
    FOR_EACH_ELEMENT {
        s[i] = p[i] - last_p[i];
        y[i] = g[i] - last_g[i];
        last_p[i] = p[i];
        last_g[i] = g[i];
    }
}

// y[part, right, k] = sum over a part of the elements of left row a, b or c (k = 0, 1, 2) times row
// `right`, parts as in `squares`. Parts of adjacent elements are summed by vectors, where these have LANES. The order of every
// sum is fixed by the arguments; the host adds up the parts. A work-item has EVN_LBFGS_ROWS of `rights` rows:
// the left ones, which then are read a quarter as often, come from a cache, and these from memory.
__kernel void lbfgs_dots(INPUT(left), INPUT(right), OUTPUT(y), const ulong count, const ulong a,
                         const ulong b, const ulong c, const ulong first, const ulong stride,
                         const ulong length, const ulong rights) {
    INPUT_OF(left);
    INPUT_OF(right);
    OUTPUT_OF(y);
    const ulong part = get_global_id(1), row = get_global_id(0) * EVN_LBFGS_ROWS;
    __global const real *x[3] = {left + a * count, left + b * count, left + c * count};
    __global const real *z[EVN_LBFGS_ROWS];
    lanes sum[EVN_LBFGS_ROWS][3];
#pragma unroll
    for (int r = 0; r < EVN_LBFGS_ROWS; r++) {
        z[r] = right + min(row + r, rights - 1) * count;
        sum[r][0] = sum[r][1] = sum[r][2] = 0;
    }
    ulong i = part * first;
    const ulong end = min(count, i + stride * length);
#if LANES == 16
    for (; stride == 1 && i + 16 <= end; i += 16) {
        const real16 u = load_16(x[0] + i), v = load_16(x[1] + i), w = load_16(x[2] + i);
#pragma unroll
        for (int r = 0; r < EVN_LBFGS_ROWS; r++) {
            const real16 factor = load_16(z[r] + i);
            sum[r][0] = MULTIPLY_ADD(u, factor, sum[r][0]);
            sum[r][1] = MULTIPLY_ADD(v, factor, sum[r][1]);
            sum[r][2] = MULTIPLY_ADD(w, factor, sum[r][2]);
        }
    }
#endif
    for (; i < end; i += stride) {
#pragma unroll
        for (int r = 0; r < EVN_LBFGS_ROWS; r++) {
            for (int k = 0; k < 3; k++) {
                FIRST(sum[r][k]) = MULTIPLY_ADD(x[k][i], z[r][i], FIRST(sum[r][k]));
            }
        }
    }
#pragma unroll
    for (int r = 0; r < EVN_LBFGS_ROWS; r++) {
        for (int k = 0; k < 3 && row + r < rights; k++) {
            y[(part * rights + row + r) * 3 + k] = across(sum[r][k]);
        }
    }
}

// d = Σ factors[k] · row k over the first `terms` rows, in their order. Blocks keep d near the core.
#define BLOCK 4096
__kernel void lbfgs_combine(INPUT(rows), INPUT(factors), OUTPUT(d), const ulong count,
                            const ulong run, const ulong terms) {
    INPUT_OF(rows);
    INPUT_OF(factors);
    OUTPUT_OF(d);
    const ulong begin = get_global_id(0) * run, end = min(count, begin + run);
    for (ulong first = begin; first < end; first += BLOCK) {
        const ulong last = min(end, first + BLOCK);
        for (ulong k = 0; k < terms; k += EVN_LBFGS_ROWS) {
            __global const real *row[EVN_LBFGS_ROWS];
            real factor[EVN_LBFGS_ROWS];
#pragma unroll
            for (int r = 0; r < EVN_LBFGS_ROWS; r++) {
                row[r] = rows + min(k + r, terms - 1) * count;
                factor[r] = k + r < terms ? factors[k + r] : R(0.0);
            }
            for (ulong i = first; i < last; ++i) {
                real sum = k == 0 ? R(0.0) : d[i];
#pragma unroll
                for (int r = 0; r < EVN_LBFGS_ROWS; r++) {
                    sum = MULTIPLY_ADD(factor[r], row[r][i], sum);
                }
                d[i] = sum;
            }
        }
    }
}

// p = its last value + length · d
__kernel void lbfgs_move(OUTPUT(p), INPUT(last), INPUT(d), const ulong count, const ulong run,
                         const real length) {
    OUTPUT_OF(p);
    INPUT_OF(last);
    INPUT_OF(d);
    FOR_EACH_ELEMENT {
        p[i] = MULTIPLY_ADD(length, d[i], last[i]);
    }
}
