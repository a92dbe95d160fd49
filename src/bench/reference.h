// SPDX-License-Identifier: Apache-2.0
// What rows of steps and trainings are held against: the same work as one graph, evaluated in plain
// C in double precision (ref/ref.h). Where that would take long it is the work of a few samples.
#ifndef EVN_BENCH_REFERENCE_H
#define EVN_BENCH_REFERENCE_H

#include "evonode/graph.h"
#include "evonode/parameters.h"

/// Zero-initialise, make the graph, then evn__bench_reference_make.
typedef struct evn__bench_reference {
    evn_graph *graph;           ///< owned
    double **inputs, **outputs; ///< the numbers of its ports
    double *memory;             ///< what these point into
} evn__bench_reference;

/// To a graph with a loss, whose inputs have parameters' names: outputs NAME_bar, the gradients of
/// the parameters that are inputs.
/// @param[in] y, y_bar  the loss and 1; or values and their cotangents
evn_status evn__bench_reference_gradients(evn_graph *graph, evn_value y, evn_value y_bar,
                                          const evn_parameters *parameters);

/// Make room for the numbers; those of parameters are read from the device. Waits.
evn_status evn__bench_reference_make(evn__bench_reference *reference,
                                     const evn_parameters *parameters);
void evn__bench_reference_free(evn__bench_reference *reference);

/// The numbers of the port of that name, which must be there.
double *evn__bench_reference_input(const evn__bench_reference *reference, const char *name);
double *evn__bench_reference_output(const evn__bench_reference *reference, const char *name);

evn_status evn__bench_reference_run(const evn__bench_reference *reference);

// Agreement ---------------------------------------------------------------------------------------

/// The largest difference of numbers of one kind, and the largest of those. Zero-initialise.
typedef struct evn__bench_agreement {
    double worst, largest;
} evn__bench_agreement;

/// Numbers of the device against those of the reference.
void evn__bench_agree(evn__bench_agreement *agreement, const double *got, const double *expected,
                      size_t count);
/// The gradient of a parameter on the device. Waits.
evn_status evn__bench_agree_gradient(evn__bench_agreement *agreement, const double *expected,
                                     const evn_parameters *parameters, int index);
/// The gradients of the parameters on the device against the outputs NAME_bar. Waits.
evn_status evn__bench_agree_gradients(evn__bench_agreement *agreement,
                                      const evn__bench_reference *reference,
                                      const evn_parameters *parameters);
/// The largest difference over the largest number; infinite where one was no number.
double evn__bench_difference(const evn__bench_agreement *agreement);

// Some samples ------------------------------------------------------------------------------------

/// Index number `index` of `some` among `all` samples: from the first to the last.
static inline int64_t evn__bench_sample(int64_t index, int64_t some, int64_t all) {
    return some > 1 ? index * (all - 1) / (some - 1) : 0;
}

/// Rows of `size` numbers of `some` among `all` samples; `to` may not be `from`.
void evn__bench_gather(const double *from, int64_t all, int64_t some, int64_t size, double *to);

#endif
