// SPDX-License-Identifier: Apache-2.0
#include "tune/trial.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "plan/real.h"
#include "plan/repeat.h"
#include "ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OFFSET = 3 }; // elements before each port: offsets must be honoured, aligned or not

struct evn__trial {
    evn_device *device;
    const evn_graph *graph;
    bool fp64;
    const char *const *samples; ///< inputs with a row a sample; NULL: none
    int inputs, ports;          ///< ports: inputs, then outputs
    evn_binding *binding;       ///< [ports]
    double **data;              ///< [ports]: inputs as given, outputs as the reference has them
    double *errors;             ///< [outputs], of the last check
};

static size_t count_of(const evn__trial *trial, int port) {
    evn_value value = port < trial->inputs ? evn_graph_input(trial->graph, port)
                                           : evn_graph_output(trial->graph, port - trial->inputs);
    return (size_t)evn_shape_count(evn_value_shape(trial->graph, value));
}

static evn_status open_port(evn__trial *trial, int port) {
    size_t count = count_of(trial, port);
    EVN_TRY(EVN_NEW(&trial->data[port], count));
    trial->binding[port].offset = OFFSET;
    return evn__real_create(trial->device, trial->fp64, OFFSET + count,
                            &trial->binding[port].buffer);
}

static evn_status fill_input(evn__trial *trial, int port, evn__fill *fill) {
    size_t count = count_of(trial, port);
    double *data = trial->data[port];
    fill((uint64_t)port + 1, data, (int64_t)count);
    for (size_t i = 0; i < count && !trial->fp64; ++i) {
        data[i] = (float)data[i];
    }
    return evn__real_write(trial->binding[port], trial->fp64, data, count);
}

static evn_status prepare(evn__trial *trial, evn__fill *fill) {
    EVN_TRY(evn_graph_status(trial->graph));
    EVN_TRY(EVN_NEW(&trial->binding, trial->ports));
    EVN_TRY(EVN_NEW(&trial->data, trial->ports));
    EVN_TRY(EVN_NEW(&trial->errors, trial->ports - trial->inputs));
    for (int i = 0; i < trial->ports; ++i) {
        EVN_TRY(open_port(trial, i));
    }
    for (int i = 0; i < trial->inputs; ++i) {
        EVN_TRY(fill_input(trial, i, fill));
    }
    return evn__ref_run(trial->graph, (const double *const *)trial->data,
                        trial->data + trial->inputs);
}

void evn__fill_uniform(uint64_t seed, double *data, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        data[i] = 2 * evn__random_uniform(seed, 0, (uint64_t)i) - 1;
    }
}

evn_status evn__trial_create(evn_device *device, const evn_graph *graph, bool fp64, evn__fill *fill,
                             evn__trial **trial) {
    EVN_TRY(EVN_NEW(trial, 1));
    **trial = (evn__trial){.device = device,
                           .graph = graph,
                           .fp64 = fp64,
                           .inputs = evn_graph_input_count(graph),
                           .ports = evn_graph_input_count(graph) + evn_graph_output_count(graph)};
    evn_status status = prepare(*trial, fill);
    if (status != EVN_OK) {
        evn__trial_destroy(trial);
    }
    return status;
}

void evn__trial_destroy(evn__trial **trial) {
    evn__trial *old = *trial;
    if (!old) {
        return;
    }
    for (int i = 0; i < old->ports && old->data; ++i) {
        evn_buffer_destroy(&old->binding[i].buffer);
        free(old->data[i]);
    }
    free(old->binding);
    free(old->data);
    free(old->errors);
    free(old);
    *trial = NULL;
}

void evn__trial_by_sample(evn__trial *trial, const char *const *names) {
    trial->samples = names;
}

evn_status evn__trial_plan(const evn__trial *trial, evn_plan **plan) {
    return evn_plan_create(trial->device, trial->graph,
                           &(evn_plan_options){.fp64 = trial->fp64,
                                               .all_epilogues = true,
                                               .sample_inputs = trial->samples},
                           plan);
}

static evn_status check_port(const evn__trial *trial, int port, double *error) {
    double *got;
    size_t count = count_of(trial, port);
    EVN_TRY(EVN_NEW(&got, count));
    evn_status status = evn__real_read(trial->binding[port], trial->fp64, got, count);
    if (status == EVN_OK) {
        *error = evn__ref_difference(got, trial->data[port], count);
    }
    free(got);
    return status;
}

/// Fill an output with NaN: a plan that writes nothing must not pass on an earlier plan's results.
static evn_status poison(const evn__trial *trial, int port) {
    double *nan;
    size_t count = count_of(trial, port);
    EVN_TRY(EVN_NEW(&nan, count));
    for (size_t i = 0; i < count; ++i) {
        nan[i] = NAN;
    }
    evn_status status = evn__real_write(trial->binding[port], trial->fp64, nan, count);
    free(nan);
    return status;
}

evn_status evn__trial_check(evn__trial *trial, evn_plan *plan, double *error) {
    *error = 0;
    for (int i = trial->inputs; i < trial->ports; ++i) {
        EVN_TRY(poison(trial, i));
    }
    EVN_TRY(evn_plan_run(plan, trial->binding, trial->binding + trial->inputs));
    for (int i = trial->inputs; i < trial->ports; ++i) {
        double *own = &trial->errors[i - trial->inputs];
        EVN_TRY(check_port(trial, i, own));
        *error = fmax(*error, *own);
    }
    return EVN_OK;
}

const double *evn__trial_errors(const evn__trial *trial) {
    return trial->errors;
}

/// Into hashes [outputs].
static evn_status hash_outputs(const evn__trial *trial, evn__hash *hashes) {
    evn_status status = EVN_OK;
    for (int i = trial->inputs; i < trial->ports && status == EVN_OK; ++i) {
        double *got;
        size_t count = count_of(trial, i);
        EVN_TRY(EVN_NEW(&got, count));
        status = evn__real_read(trial->binding[i], trial->fp64, got, count);
        hashes[i - trial->inputs] = evn__hash_of(got, count * sizeof(*got));
        free(got);
    }
    return status;
}

evn_status evn__trial_repeats(evn__trial *trial, evn_plan *plan, bool *same) {
    evn__hash *hashes;
    int outputs = trial->ports - trial->inputs;
    EVN_TRY(EVN_NEW(&hashes, 2 * outputs));
    evn_status status = hash_outputs(trial, hashes);
    if (status == EVN_OK) {
        status = evn_plan_run(plan, trial->binding, trial->binding + trial->inputs);
    }
    if (status == EVN_OK) {
        status = hash_outputs(trial, hashes + outputs);
    }
    *same = true;
    for (int i = 0; i < outputs && status == EVN_OK; ++i) {
        *same = *same && evn__hash_equal(hashes[i], hashes[outputs + i]);
    }
    free(hashes);
    return status;
}

evn_status evn__trial_sensitivity(const evn__trial *trial, double *changes) {
    static const double PART = 1e-6;
    double **results;
    int outputs = trial->ports - trial->inputs;
    evn_status status = EVN_OK;
    EVN_TRY(EVN_NEW(&results, outputs));
    for (int i = 0; i < outputs && status == EVN_OK; ++i) {
        status = EVN_NEW(&results[i], count_of(trial, trial->inputs + i));
    }
    if (status == EVN_OK) {
        status =
            evn__ref_run_rounded(trial->graph, (const double *const *)trial->data, PART, results);
    }
    for (int i = 0; i < outputs; ++i) {
        int port = trial->inputs + i;
        if (status == EVN_OK) {
            changes[i] = evn__ref_difference(results[i], trial->data[port], count_of(trial, port));
        }
        free(results[i]);
    }
    free(results);
    return status;
}

/// Bindings of `count` runs, all the same; what they save for a second phase is nothing.
static evn__runs bind_runs(const evn__trial *trial, int count, evn_binding *bound) {
    int outputs = trial->ports - trial->inputs;
    const evn__runs runs = {.count = count,
                            .inputs = bound,
                            .outputs = bound + (size_t)count * (size_t)trial->inputs,
                            .saved = bound + (size_t)count * (size_t)trial->ports};
    evn_binding *next = bound;
    for (int part = 0; part < 3; ++part) {
        const evn_binding *from = trial->binding + (part == 1 ? trial->inputs : 0);
        int each = part == 0 ? trial->inputs : part == 1 ? outputs : 1;
        for (int run = 0; run < count; ++run, next += each) {
            memcpy(next, from, sizeof(*next) * (size_t)each);
        }
    }
    return runs;
}

/// Seconds of `count` runs in a row.
static evn_status time_steps(evn__trial *trial, evn_plan *plan, int count, double *seconds) {
    evn_binding *bound = NULL;
    evn__repeat *repeat = NULL;
    EVN_TRY(EVN_NEW(&bound, (size_t)count * (size_t)(trial->ports + 1)));
    const evn__runs runs = bind_runs(trial, count, bound);
    evn_status status = evn__repeat_create(plan, &runs, &repeat);
    double started = evn__now();
    if (status == EVN_OK) {
        status = evn__repeat_run(repeat);
    }
    if (status == EVN_OK) {
        status = evn_device_finish(trial->device);
    }
    *seconds = (evn__now() - started) / count;
    evn__repeat_destroy(&repeat);
    free(bound);
    return status;
}

evn_status evn__trial_time(evn__trial *trial, evn_plan *plan, int count, double *seconds) {
    EVN_TRY(evn_device_finish(trial->device));
    if (trial->samples) {
        return time_steps(trial, plan, count, seconds);
    }
    double started = evn__now();
    for (int i = 0; i < count; ++i) {
        EVN_TRY(evn_plan_run(plan, trial->binding, trial->binding + trial->inputs));
    }
    EVN_TRY(evn_device_finish(trial->device));
    *seconds = (evn__now() - started) / count;
    return EVN_OK;
}
