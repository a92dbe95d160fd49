// SPDX-License-Identifier: Apache-2.0
#include "bench/reference.h"

#include "base/memory.h"
#include "evonode/diff.h"
#include "plan/real.h"
#include "ref/ref.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 256 };

static void name_bar(const evn_parameters *parameters, int index, char name[NAME]) {
    snprintf(name, NAME, "%s_bar", evn_parameters_name(parameters, index));
}

evn_status evn__bench_reference_gradients(evn_graph *graph, evn_value y, evn_value y_bar,
                                          const evn_parameters *parameters) {
    int count = evn_parameters_count(parameters), wrt = 0;
    evn_value *values = NULL;
    EVN_TRY(EVN_NEW(&values, 2 * count));
    evn_value *bars = values + count;
    for (int i = 0; i < count; ++i) {
        int input = evn_graph_find_input(graph, evn_parameters_name(parameters, i));
        if (input >= 0) {
            values[wrt++] = evn_graph_input(graph, input);
        }
    }
    evn_status status = evn_pullback(graph, &y, &y_bar, 1, values, wrt, bars);
    for (int i = 0; i < count && status == EVN_OK; ++i) {
        char name[NAME];
        name_bar(parameters, i, name);
        if (evn_graph_find_input(graph, evn_parameters_name(parameters, i)) >= 0) {
            evn_output(graph, name, *bars++);
        }
    }
    free(values);
    return status == EVN_OK ? evn_graph_status(graph) : status;
}

// Numbers -----------------------------------------------------------------------------------------

static size_t count_of(const evn_graph *graph, evn_value value) {
    return (size_t)evn_shape_count(evn_value_shape(graph, value));
}

static size_t place_ports(evn__bench_reference *r) {
    const evn_graph *g = r->graph;
    size_t at = 0;
    for (int i = 0; i < evn_graph_input_count(g); ++i) {
        r->inputs[i] = r->memory ? r->memory + at : NULL;
        at += count_of(g, evn_graph_input(g, i));
    }
    for (int i = 0; i < evn_graph_output_count(g); ++i) {
        r->outputs[i] = r->memory ? r->memory + at : NULL;
        at += count_of(g, evn_graph_output(g, i));
    }
    return at;
}

evn_status evn__bench_reference_make(evn__bench_reference *reference,
                                     const evn_parameters *parameters) {
    evn__bench_reference *r = reference;
    EVN_TRY(evn_graph_status(r->graph));
    EVN_TRY(EVN_NEW(&r->inputs, evn_graph_input_count(r->graph)));
    EVN_TRY(EVN_NEW(&r->outputs, evn_graph_output_count(r->graph)));
    EVN_TRY(EVN_NEW(&r->memory, place_ports(r)));
    place_ports(r);
    for (int i = 0; parameters && i < evn_parameters_count(parameters); ++i) {
        int input = evn_graph_find_input(r->graph, evn_parameters_name(parameters, i));
        EVN_TRY(input >= 0 ? evn_parameters_read(parameters, i, r->inputs[input]) : EVN_OK);
    }
    return EVN_OK;
}

void evn__bench_reference_free(evn__bench_reference *reference) {
    evn_graph_destroy(&reference->graph);
    free(reference->inputs);
    free(reference->outputs);
    free(reference->memory);
    *reference = (evn__bench_reference){0};
}

double *evn__bench_reference_input(const evn__bench_reference *reference, const char *name) {
    return reference->inputs[evn_graph_find_input(reference->graph, name)];
}

double *evn__bench_reference_output(const evn__bench_reference *reference, const char *name) {
    return reference->outputs[evn_graph_find_output(reference->graph, name)];
}

evn_status evn__bench_reference_run(const evn__bench_reference *reference) {
    return evn__ref_run(reference->graph, (const double *const *)reference->inputs,
                        reference->outputs);
}

// Agreement ---------------------------------------------------------------------------------------

void evn__bench_agree(evn__bench_agreement *agreement, const double *got, const double *expected,
                      size_t count) {
    for (size_t i = 0; i < count; ++i) {
        bool finite = isfinite(got[i]) && isfinite(expected[i]);
        agreement->worst = fmax(agreement->worst, finite ? fabs(got[i] - expected[i]) : INFINITY);
        agreement->largest = fmax(agreement->largest, finite ? fabs(expected[i]) : 0);
    }
}

evn_status evn__bench_agree_gradient(evn__bench_agreement *agreement, const double *expected,
                                     const evn_parameters *parameters, int index) {
    double *got = NULL;
    size_t count = (size_t)evn_shape_count(evn_parameters_shape(parameters, index));
    EVN_TRY(EVN_NEW(&got, count));
    evn_status status =
        evn__real_read(evn_parameters_gradient(parameters, index), false, got, count);
    if (status == EVN_OK) {
        evn__bench_agree(agreement, got, expected, count);
    }
    free(got);
    return status;
}

evn_status evn__bench_agree_gradients(evn__bench_agreement *agreement,
                                      const evn__bench_reference *reference,
                                      const evn_parameters *parameters) {
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        char name[NAME];
        name_bar(parameters, i, name);
        int output = evn_graph_find_output(reference->graph, name);
        EVN_TRY(output >= 0 ? evn__bench_agree_gradient(agreement, reference->outputs[output],
                                                        parameters, i)
                            : EVN_OK);
    }
    return EVN_OK;
}

double evn__bench_difference(const evn__bench_agreement *agreement) {
    return agreement->largest > 0 ? agreement->worst / agreement->largest : INFINITY;
}

void evn__bench_gather(const double *from, int64_t all, int64_t some, int64_t size, double *to) {
    for (int64_t i = 0; i < some; ++i) {
        memcpy(to + i * size, from + evn__bench_sample(i, some, all) * size,
               sizeof(double) * (size_t)size);
    }
}
