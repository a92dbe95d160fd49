// SPDX-License-Identifier: Apache-2.0
#include "gradients/rates.h"

#include "base/number.h"
#include "dynamics/by_sample.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

struct evn__rates {
    const evn__problem *problem;
    evn__system lifted;        ///< with a time for each sample, where they have their own
    const evn__system *system; ///< that, or the problem's
    evn__layout layout;
    size_t moments, samples;
    evn_plan *plan;              ///< from the times of a moment and `inputs` to its rates
    evn_binding *inputs;         ///< the times first
    evn_buffer *zeros;           ///< [total]
    evn_buffer *times, *results; ///< [moments, samples]
    double *written;             ///< host, [moments, samples]: the times on the device,
    bool has_times;              ///< where there are any
};

// Life --------------------------------------------------------------------------------------------

static evn_value declare(evn_graph *graph, const evn__system *system, int input,
                         const char *suffix) {
    char name[64];
    evn__print(name, sizeof(name), "%s%s", evn_graph_input_name(system->graph, input), suffix);
    return evn_input(graph, name,
                     evn_value_shape(system->graph, evn_graph_input(system->graph, input)));
}

static evn_status add_rates(evn_graph *graph, const evn__system *system, evn_value *values) {
    int inputs = evn_graph_input_count(system->graph);
    evn_value *slopes = values + inputs, sum = EVN_NONE;
    for (int i = 0; i < inputs; ++i) {
        values[i] = declare(graph, system, i, "");
    }
    EVN_TRY(evn_graph_inline(graph, system->graph, values, slopes));
    for (int i = 0; i < system->state_count; ++i) {
        evn_value bar = declare(graph, system, evn__system_state(i), "_bar");
        evn_value product = evn_mul(graph, slopes[i], bar);
        evn_value rate = evn_sum_to(graph, product, evn__system_time_shape(system));
        sum = sum == EVN_NONE ? rate : evn_add(graph, sum, rate);
    }
    evn_output(graph, "rate", sum);
    return evn_graph_status(graph);
}

static evn_status build(evn_graph *graph, const evn__system *system) {
    evn_value *values = NULL;
    EVN_TRY(EVN_NEW(&values, evn_graph_input_count(system->graph) + system->state_count));
    evn_status status = add_rates(graph, system, values);
    free(values);
    return status;
}

static evn_status compile(evn__rates *r) {
    const evn_plan_options options = {.fp64 = r->problem->options->fp64};
    evn_graph *graph = NULL;
    EVN_TRY(evn_graph_create(&graph));
    evn_status status = build(graph, r->system);
    if (status == EVN_OK) {
        status = evn_plan_create(r->problem->device, graph, &options, &r->plan);
    }
    evn_graph_destroy(&graph);
    return status;
}

static evn_status make(const evn__rates *r, size_t count, evn_buffer **buffer) {
    const evn__problem *p = r->problem;
    return evn__real_create_for(p->device, EVN__USE_STATES, p->options->fp64, count, buffer);
}

static evn_status create(evn__rates *r) {
    bool own = r->samples > 1;
    size_t times = evn__size_product(r->moments, r->samples);
    EVN_TRY(own ? evn__system_by_sample(r->problem->system, &r->lifted) : EVN_OK);
    r->system = own ? &r->lifted : r->problem->system;
    EVN_TRY(evn__layout_create(r->system, &r->layout));
    EVN_TRY(compile(r));
    EVN_TRY(EVN_NEW(&r->inputs, 1 + 2 * r->layout.count + r->system->parameter_count));
    EVN_TRY(EVN_NEW(&r->written, times));
    EVN_TRY(make(r, times, &r->times));
    EVN_TRY(make(r, times, &r->results));
    EVN_TRY(make(r, r->layout.total, &r->zeros));
    return evn__real_zero((evn_binding){r->zeros, 0}, r->problem->options->fp64, r->layout.total);
}

evn_status evn__rates_create(const evn__problem *problem, int moments, size_t samples,
                             evn__rates **rates) {
    EVN_TRY(EVN_NEW(rates, 1));
    (*rates)->problem = problem;
    (*rates)->moments = (size_t)moments;
    (*rates)->samples = samples;
    evn_status status = create(*rates);
    if (status != EVN_OK) {
        evn__rates_destroy(rates);
    }
    return status;
}

void evn__rates_destroy(evn__rates **rates) {
    evn__rates *r = *rates;
    if (!r) {
        return;
    }
    evn_plan_destroy(&r->plan);
    evn_buffer_destroy(&r->zeros);
    evn_buffer_destroy(&r->times);
    evn_buffer_destroy(&r->results);
    evn__layout_free(&r->layout);
    evn__system_free(&r->lifted);
    free(r->inputs);
    free(r->written);
    free(r);
    *rates = NULL;
}

// Running -----------------------------------------------------------------------------------------

evn_status evn__rates_set_times(evn__rates *r, const double *times) {
    size_t count = r->moments * r->samples;
    if (r->has_times && memcmp(r->written, times, sizeof(*times) * count) == 0) {
        return EVN_OK;
    }
    r->has_times = false;
    memcpy(r->written, times, sizeof(*times) * count);
    EVN_TRY(evn__real_write((evn_binding){r->times, 0}, r->problem->options->fp64, times, count));
    r->has_times = true;
    return EVN_OK;
}

evn_binding *evn__rates_inputs(evn__rates *rates) {
    return rates->inputs + 1;
}

evn_binding evn__rates_zero(const evn__rates *rates, int index) {
    return (evn_binding){rates->zeros, rates->layout.offset[index]};
}

evn_status evn__rates_run(evn__rates *r, int moment) {
    size_t place = (size_t)moment * r->samples;
    const evn_binding result = {r->results, place};
    r->inputs[0] = (evn_binding){r->times, place};
    return evn_plan_run(r->plan, r->inputs, &result);
}

evn_status evn__rates_read(const evn__rates *r, double *values) {
    return evn__real_read((evn_binding){r->results, 0}, r->problem->options->fp64, values,
                          r->moments * r->samples);
}
