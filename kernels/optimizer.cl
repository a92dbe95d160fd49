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
