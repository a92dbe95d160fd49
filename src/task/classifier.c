// SPDX-License-Identifier: Apache-2.0
#include "task/classifier.h"

#include "base/memory.h"
#include "evonode/diff.h"
#include "host/inbox.h"
#include "plan/real.h"
#include "task/bound_plan.h"
#include "task/chain.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Inputs of the head that are no weights, behind x.
enum { HEAD_LABELS = 1, HEAD_WEIGHTS = 2 };

struct evn__classifier {
    evn_device *device;
    const evn_model *model;
    evn_parameters *parameters;
    bool trains;
    evn__chain *chain;
    evn__bound_plan head;
    evn__inbox *batch;   ///< images, labels, sample weights
    float *opened;       ///< where the next batch is written
    evn_buffer *results; ///< [slots] losses, [slots, B, N] logits
    evn_buffer *x_bar;   ///< the cotangent of what the head takes
    evn_binding images;  ///< of the loaded batch
    size_t image_count, label_count;
    int64_t batch_size;
};

// The head with its gradient ----------------------------------------------------------------------

static evn_status head_pullback(evn_graph *graph, const evn_graph *head, evn_value *values) {
    int inputs = evn_graph_input_count(head);
    evn_value *outputs = values + inputs, *bars = outputs + evn_graph_output_count(head);
    evn_value one = EVN_NONE;
    for (int i = 0; i < inputs; ++i) {
        values[i] = evn_input(graph, evn_graph_input_name(head, i),
                              evn_value_shape(head, evn_graph_input(head, i)));
    }
    EVN_TRY(evn_graph_status(graph));
    EVN_TRY(evn_graph_inline(graph, head, values, outputs));
    one = evn_constant(graph, 1);
    EVN_TRY(evn_pullback(graph, outputs, &one, 1, values, inputs, bars));
    for (int i = 0; i < evn_graph_output_count(head); ++i) {
        evn_output(graph, evn_graph_output_name(head, i), outputs[i]);
    }
    for (int i = 0; i < inputs; ++i) {
        char name[256];
        snprintf(name, sizeof(name), "%s_bar", evn_graph_input_name(head, i));
        bool data = i == HEAD_LABELS || i == HEAD_WEIGHTS; // they are not learnt
        if (!data) {
            evn_output(graph, name, bars[i]);
        }
    }
    return evn_graph_status(graph);
}

/// The head with the cotangents of x and of its weights for a loss cotangent of 1.
static evn_status head_graph(const evn__classifier *c, evn_graph **graph) {
    const evn_graph *head = evn_model_head(c->model);
    evn_value *values = NULL;
    EVN_TRY(evn_graph_create(graph));
    EVN_TRY(EVN_NEW(&values, 2 * evn_graph_input_count(head) + evn_graph_output_count(head)));
    evn_status status = head_pullback(*graph, head, values);
    free(values);
    return status;
}

// Plans -------------------------------------------------------------------------------------------

static evn_status make_head(evn__classifier *c) {
    evn_graph *own = NULL;
    if (c->trains) {
        EVN_TRY(head_graph(c, &own));
    }
    const evn_graph *graph = own ? own : evn_model_head(c->model);
    evn_status status = evn__bound_plan_create(c->device, graph, NULL, c->parameters, &c->head);
    if (status == EVN_OK) {
        evn__bound_plan_output(&c->head, graph, "x_bar", (evn_binding){c->x_bar, 0});
    }
    evn_graph_destroy(&own);
    return status;
}

static evn_status make_memory(evn__classifier *c) {
    const evn_model_options *o = evn_model_get_options(c->model);
    const evn_graph *head = evn_model_head(c->model);
    c->batch_size = o->batch;
    c->image_count = (size_t)(o->batch * o->height * o->width * o->channels);
    c->label_count = (size_t)o->batch * (size_t)o->classes;
    size_t batch = c->image_count + c->label_count + (size_t)o->batch;
    size_t state = (size_t)evn_shape_count(evn_value_shape(head, evn_graph_input(head, 0)));
    EVN_TRY(evn__inbox_create(c->device, batch * sizeof(float), &c->batch));
    EVN_TRY(evn__real_create_for(c->device, EVN__USE_BATCHES, false, state, &c->x_bar));
    EVN_TRY(evn__real_create_for(c->device, EVN__USE_BATCHES, false,
                                 EVN__CLASSIFIER_SLOTS * (1 + c->label_count), &c->results));
    return EVN_OK;
}

static evn_status make(evn__classifier *c, const evn_solver_options *solver) {
    EVN_TRY(make_memory(c));
    EVN_TRY(evn__chain_create(c->device, c->model, solver, c->trains, &c->chain));
    return make_head(c);
}

evn_status evn__classifier_create(evn_device *device, const evn_model *model,
                                  const evn_solver_options *solver, bool trains,
                                  evn__classifier **classifier) {
    bool solves = evn_model_dynamics(model) != NULL;
    EVN_TRY(solves ? evn__learnt_solver_check(solver, trains) : EVN_OK);
    EVN_TRY(EVN_NEW(classifier, 1));
    (*classifier)->device = device;
    (*classifier)->model = model;
    (*classifier)->parameters = evn_model_parameters(model);
    (*classifier)->trains = trains;
    evn_status status = make(*classifier, solver);
    if (status != EVN_OK) {
        evn__classifier_destroy(classifier);
    }
    return status;
}

void evn__classifier_destroy(evn__classifier **classifier) {
    evn__classifier *c = *classifier;
    if (!c) {
        return;
    }
    evn__chain_destroy(&c->chain);
    evn__bound_plan_free(&c->head);
    evn__inbox_destroy(&c->batch);
    evn_buffer_destroy(&c->x_bar);
    evn_buffer_destroy(&c->results);
    free(c);
    *classifier = NULL;
}

// Running -----------------------------------------------------------------------------------------

evn_status evn__classifier_open(evn__classifier *classifier, float **images) {
    void *memory;
    EVN_TRY(evn__inbox_open(classifier->batch, &memory));
    *images = classifier->opened = memory;
    return EVN_OK;
}

evn_status evn__classifier_load(evn__classifier *classifier, const float *labels,
                                const float *weights) {
    evn__classifier *c = classifier;
    float *to = c->opened + c->image_count;
    evn_buffer *batch;
    memcpy(to, labels, c->label_count * sizeof(*to));
    memcpy(to + c->label_count, weights, (size_t)c->batch_size * sizeof(*to));
    EVN_TRY(evn__inbox_close(c->batch, &batch));
    c->images = (evn_binding){batch, 0};
    c->head.inputs[HEAD_LABELS] = (evn_binding){batch, c->image_count};
    c->head.inputs[HEAD_WEIGHTS] = (evn_binding){batch, c->image_count + c->label_count};
    return EVN_OK;
}

evn_status evn__classifier_forward(evn__classifier *classifier, int slot, evn_solution *forward) {
    evn__classifier *c = classifier;
    EVN_TRY(evn__chain_forward(c->chain, c->images, &c->head.inputs[0], forward));
    c->head.outputs[0] = (evn_binding){c->results, (size_t)slot};
    c->head.outputs[1] =
        (evn_binding){c->results, EVN__CLASSIFIER_SLOTS + (size_t)slot * c->label_count};
    return evn_plan_run(c->head.plan, c->head.inputs, c->head.outputs);
}

evn_status evn__classifier_gradient(evn__classifier *classifier, evn_solution *backward) {
    return evn__chain_gradient(classifier->chain, (evn_binding){classifier->x_bar, 0}, backward);
}

evn_status evn__classifier_read(evn__classifier *classifier, int first, int count, double *losses,
                                double *logits) {
    evn__classifier *c = classifier;
    size_t from = (size_t)first, length = (size_t)count;
    EVN_TRY(evn__real_read((evn_binding){c->results, from}, false, losses, length));
    return evn__real_read((evn_binding){c->results, EVN__CLASSIFIER_SLOTS + from * c->label_count},
                          false, logits, length * c->label_count);
}

int evn__classifier_choice(const double *logits, int classes) {
    int best = 0;
    for (int i = 1; i < classes; ++i) {
        best = logits[i] > logits[best] ? i : best;
    }
    return best;
}

void evn__classifier_probabilities(const double *logits, int classes, double *probabilities) {
    double largest = logits[evn__classifier_choice(logits, classes)], sum = 0;
    for (int i = 0; i < classes; ++i) {
        probabilities[i] = exp(logits[i] - largest);
        sum += probabilities[i];
    }
    for (int i = 0; i < classes; ++i) {
        probabilities[i] /= sum;
    }
}

evn_status evn__classifier_reconstruction(evn__classifier *classifier, double *x_error,
                                          double *theta_error) {
    return evn__chain_reconstruction(classifier->chain, x_error, theta_error);
}

evn_status evn__classifier_apart(evn__classifier *classifier, double *x_apart,
                                 double *theta_apart) {
    return evn__chain_apart(classifier->chain, x_apart, theta_apart);
}

evn_status evn__classifier_watched(evn__classifier *classifier, double *worst) {
    return evn__chain_watched(classifier->chain, worst);
}
