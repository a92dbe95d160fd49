// SPDX-License-Identifier: Apache-2.0
// softmax.cl — log_softmax: y = x − log Σ exp x along the rows of x [rows, classes]; task: a row.
// Twin: src/ref/softmax.c.   Relaxed math: none.
// A NaN makes its whole row NaN: through the sum, whether or not it passes for the largest.
__kernel void log_softmax(INPUT(x), OUTPUT(y), const int classes, TASKS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    FOR_EACH_TASK {
        const size_t first = (size_t)task * classes;
        real largest = x[first];
        for (int i = 1; i < classes; ++i) {
            largest = x[first + i] > largest ? x[first + i] : largest;
        }
        real sum = 0;
        for (int i = 0; i < classes; ++i) {
            sum += exp(x[first + i] - largest);
        }
        const real shift = log(sum);
        for (int i = 0; i < classes; ++i) {
            y[first + i] = x[first + i] - largest - shift;
        }
    }
}
