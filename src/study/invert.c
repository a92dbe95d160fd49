// SPDX-License-Identifier: Apache-2.0
#include "study/invert.h"

#include "base/memory.h"
#include "evonode/diff.h"
#include "evonode/optimizer.h"
#include "plan/real.h"
#include "task/bound_plan.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double DARK = -2;  // logit of the pixels that the search begins with, 0.12 of white
static const double RATE = 0.3; // of L-BFGS; at 1 the error of the pixels was twice as large

/// The model for EVN__INVERT_IMAGES images; its weights are the trained model's.
typedef struct inverter {
    evn_device *device;
    evn_model *model;
    evn_parameters *parameters; ///< of the trained model
    evn__bound_plan stem;       ///< images → x(0)
    evn__bound_plan search; ///< logits of pixels, x(0) → pixels, loss, cotangent of the logits
    size_t image_count, state_count;
    evn_buffer *images; ///< [image blocks, images, H, W, C]
    evn_buffer *state;  ///< x(0); then zeros, the cotangent of x(1)
    evn_buffer *loss;   ///< of the search
    evn__inversions *result;
} inverter;

// Graphs ------------------------------------------------------------------------------------------

/// pixels = sigmoid(logits); loss = ‖stem(pixels) − x‖²/2, its gradient is logits_bar.
static evn_status build_search(evn_graph *graph, const evn_graph *stem, evn_value *inputs) {
    evn_shape shape = evn_value_shape(stem, evn_graph_input(stem, 0));
    evn_value logits = evn_input(graph, "logits", shape), x = EVN_NONE, bar = EVN_NONE;
    evn_value wanted = evn_input(graph, "x", evn_value_shape(stem, evn_graph_output(stem, 0)));
    inputs[0] = evn_sigmoid(graph, logits);
    for (int i = 1; i < evn_graph_input_count(stem); ++i) {
        inputs[i] = evn_input(graph, evn_graph_input_name(stem, i),
                              evn_value_shape(stem, evn_graph_input(stem, i)));
    }
    EVN_TRY(evn_graph_status(graph));
    EVN_TRY(evn_graph_inline(graph, stem, inputs, &x));
    evn_value difference = evn_sub(graph, x, wanted);
    EVN_TRY(evn_pullback(graph, &x, &difference, 1, &logits, 1, &bar));
    evn_output(graph, "pixels", inputs[0]);
    evn_output(graph, "loss",
               evn_scale(graph, evn_sum_all(graph, evn_mul(graph, difference, difference)), 0.5));
    evn_output(graph, "logits_bar", bar);
    return evn_graph_status(graph);
}

static evn_status search_graph(const inverter *in, evn_graph **graph) {
    const evn_graph *stem = evn_model_stem(in->model);
    evn_value *inputs = NULL;
    EVN_TRY(evn_graph_create(graph));
    EVN_TRY(EVN_NEW(&inputs, evn_graph_input_count(stem)));
    evn_status status = build_search(*graph, stem, inputs);
    free(inputs);
    return status;
}

static evn_status make_plans(inverter *in) {
    evn_graph *graph = NULL;
    EVN_TRY(evn__bound_plan_create(in->device, evn_model_stem(in->model), NULL, in->parameters,
                                   &in->stem));
    evn_status status = search_graph(in, &graph);
    if (status == EVN_OK) {
        status = evn__bound_plan_create(in->device, graph, NULL, in->parameters, &in->search);
    }
    evn_graph_destroy(&graph);
    return status;
}

// Images and states -------------------------------------------------------------------------------

enum { TRUE_PIXELS, LOGITS, LOGITS_BAR, PIXELS, BEST_PIXELS, IMAGE_BLOCKS };

static evn_binding image_block(const inverter *in, int block) {
    return (evn_binding){in->images, (size_t)block * in->image_count};
}

static evn_binding initial_state(const inverter *in) {
    return (evn_binding){in->state, 0};
}

static evn_status make_memory(inverter *in) {
    evn__inversions *r = in->result;
    const evn_model_options *o = evn_model_get_options(in->model);
    r->height = o->height;
    r->width = o->width;
    r->channels = o->channels;
    r->state = evn_dynamics_state_shape(evn_model_dynamics(in->model));
    in->image_count = (size_t)(o->batch * o->height * o->width * o->channels);
    in->state_count = (size_t)evn_shape_count(r->state);
    EVN_TRY(EVN_NEW(&r->pixels, in->image_count));
    EVN_TRY(EVN_NEW(&r->features, in->state_count));
    EVN_TRY(evn__real_create(in->device, false, IMAGE_BLOCKS * in->image_count, &in->images));
    EVN_TRY(evn__real_create(in->device, false, 1, &in->loss));
    return evn__real_create(in->device, false, 2 * in->state_count, &in->state);
}

/// Image after image from the batches of the test part, until there are enough.
static evn_status fill(const evn_source *source, const evn_source_info *info, float *samples,
                       double *pixels) {
    int64_t size = evn_shape_count(info->sample), found = 0, filled = 0;
    float *targets = samples + info->batch * size;
    float *weights = targets + info->batch * evn_shape_count(info->target);
    for (int64_t i = 0; i < info->batches[EVN_TEST] && found < EVN__INVERT_IMAGES; ++i) {
        const evn_batch batch = {.part = EVN_TEST, .index = i};
        EVN_TRY(evn__source_fill(source, &batch, 1, samples, targets, weights, &filled));
        for (int64_t k = 0; k < filled * size && found * size + k < EVN__INVERT_IMAGES * size;
             ++k) {
            pixels[found * size + k] = (double)samples[k];
        }
        found += filled;
    }
    EVN_CHECK(found >= EVN__INVERT_IMAGES, EVN_ERR_DATA,
              "the test part has %lld images; %d are inverted", (long long)found,
              EVN__INVERT_IMAGES);
    return EVN_OK;
}

/// The first test images in the result and on the device.
static evn_status load_images(const inverter *in, const evn_source *source) {
    evn_source_info info = source->methods->info(source->self);
    float *samples = NULL;
    EVN_TRY(EVN_NEW(
        &samples, info.batch * (evn_shape_count(info.sample) + evn_shape_count(info.target) + 1)));
    evn_status status = fill(source, &info, samples, in->result->pixels);
    free(samples);
    EVN_TRY(status);
    return evn__real_write(image_block(in, TRUE_PIXELS), false, in->result->pixels,
                           in->image_count);
}

static evn_status find_initial_state(inverter *in) {
    evn_binding x0 = initial_state(in);
    in->stem.inputs[0] = image_block(in, TRUE_PIXELS);
    EVN_TRY(evn_plan_run(in->stem.plan, in->stem.inputs, &x0));
    return evn__real_zero((evn_binding){in->state, in->state_count}, false, in->state_count);
}

// Searching images --------------------------------------------------------------------------------

static evn_status start_dark(const inverter *in, double *work) {
    for (size_t i = 0; i < in->image_count; ++i) {
        work[i] = DARK;
    }
    return evn__real_write(image_block(in, LOGITS), false, work, in->image_count);
}

/// The last pixels may be a trial of the line search: the best ones are kept.
static evn_status descend(inverter *in, evn_binding x0, evn_optimizer *optimizer) {
    evn_binding logits = image_block(in, LOGITS), bar = image_block(in, LOGITS_BAR);
    evn_binding outputs[] = {image_block(in, PIXELS), {in->loss, 0}, bar};
    double loss, least = INFINITY;
    in->search.inputs[0] = logits;
    in->search.inputs[1] = x0;
    for (int i = 0; i < EVN__INVERT_ITERATIONS; ++i) {
        EVN_TRY(evn_plan_run(in->search.plan, in->search.inputs, outputs));
        EVN_TRY(evn__real_read(outputs[1], false, &loss, 1));
        if (i == 0 || loss < least) {
            least = loss;
            EVN_TRY(
                evn__real_copy(image_block(in, BEST_PIXELS), outputs[0], false, in->image_count));
        }
        EVN_TRY(evn_optimizer_step(optimizer, logits, bar, RATE));
    }
    return EVN_OK;
}

static double relative_error(const double *a, const double *truth, size_t count) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < count; ++i) {
        difference += pow(a[i] - truth[i], 2);
        norm += truth[i] * truth[i];
    }
    return sqrt(difference / norm);
}

/// The images whose state at t = 0 is near x0.
static evn_status search(inverter *in, evn_binding x0, evn__inversion *row) {
    evn_optimizer_options options = evn_optimizer_options_default(EVN_OPTIMIZER_LBFGS);
    evn_optimizer *optimizer = NULL;
    EVN_TRY(start_dark(in, row->pixels));
    EVN_TRY(evn_optimizer_create(in->device, &options, in->image_count, &optimizer));
    evn_status status = descend(in, x0, optimizer);
    evn_optimizer_destroy(&optimizer);
    EVN_TRY(status);
    EVN_TRY(evn__real_read(image_block(in, BEST_PIXELS), false, row->pixels, in->image_count));
    row->pixel_error = relative_error(row->pixels, in->result->pixels, in->image_count);
    return EVN_OK;
}

// There and back ----------------------------------------------------------------------------------

/// The adjoint of a cotangent of 0 is the backward solve of x and θ alone.
static evn_status there_and_back(inverter *in, evn__learnt_solver *learnt, evn_solution *last,
                                 evn__inversion *row) {
    evn_binding x1, x0, bar, zeros = {in->state, in->state_count};
    EVN_TRY(evn_solve(learnt->solver, 0, 1, initial_state(in), learnt->weights, &x1, last));
    row->nfe_forward = last->nfe;
    if (row->tolerance > 0) { // each is nearer to the solution than the one before
        EVN_TRY(evn__real_read(x1, false, in->result->features, in->state_count));
    }
    EVN_TRY(evn_solve_gradient(learnt->solver, zeros, &bar, learnt->weights_bar, last));
    row->nfe_backward = last->nfe;
    EVN_TRY(evn_solver_reconstruction(learnt->solver, &row->x_error, &row->theta_error));
    EVN_TRY(evn_solver_reconstructed(learnt->solver, &x0));
    return search(in, x0, row);
}

/// A solve that does not reach its end is a result, and no error.
static evn_status invert(inverter *in, const evn_solver_options *options, evn__inversion *row) {
    evn__learnt_solver learnt = {0};
    evn_solution last = {0};
    evn_status status = evn__learnt_solver_create(in->device, evn_model_dynamics(in->model),
                                                  in->parameters, options, &learnt);
    if (status == EVN_OK) {
        status = there_and_back(in, &learnt, &last, row);
    }
    evn__learnt_solver_free(&learnt);
    if (last.outcome != EVN_OUTCOME_DONE &&
        (status == EVN_ERR_SOLVER || status == EVN_ERR_NOT_FINITE)) {
        row->stopped_at = last.t;
        return EVN_OK;
    }
    return status;
}

static evn_status start_row(const inverter *in, const char *name, evn__inversion *row) {
    *row =
        (evn__inversion){.x_error = NAN, .theta_error = NAN, .pixel_error = NAN, .stopped_at = NAN};
    snprintf(row->name, sizeof(row->name), "%s", name);
    EVN_TRY(EVN_NEW(&row->pixels, in->image_count));
    for (size_t i = 0; i < in->image_count; ++i) {
        row->pixels[i] = NAN;
    }
    return EVN_OK;
}

static evn_status invert_all(inverter *in, int steps) {
    evn__inversion *row = in->result->rows;
    evn_solver_options options = evn_solver_options_default();
    char name[32];
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.reconstruction = 0; // which is what is measured
    EVN_TRY(start_row(in, "x(0) itself", row));
    row->x_error = row->theta_error = 0;
    EVN_TRY(search(in, initial_state(in), row));
    for (int i = 0; i < EVN__INVERT_TOLERANCES; ++i) {
        options.rtol = options.atol = pow(10, -2 - i);
        snprintf(name, sizeof(name), "dopri5 at 1e-%d", 2 + i);
        EVN_TRY(start_row(in, name, ++row));
        row->tolerance = options.rtol;
        EVN_TRY(invert(in, &options, row));
    }
    options.method = "euler";
    options.steps = steps;
    snprintf(name, sizeof(name), "Euler, %d steps", steps);
    EVN_TRY(start_row(in, name, ++row));
    EVN_TRY(invert(in, &options, row));
    options.method = "midpoint";
    options.gradient = EVN_GRADIENT_REVERSIBLE;
    snprintf(name, sizeof(name), "reversible, %d", steps);
    EVN_TRY(start_row(in, name, ++row));
    return invert(in, &options, row);
}

// Life --------------------------------------------------------------------------------------------

static evn_status run(inverter *in, const evn_source *source, const evn_model_options *trained,
                      int steps) {
    evn_model_options options = *trained;
    options.batch = EVN__INVERT_IMAGES;
    EVN_TRY(evn_model_create(&options, &in->model));
    EVN_TRY(make_memory(in));
    EVN_TRY(make_plans(in));
    EVN_TRY(load_images(in, source));
    EVN_TRY(find_initial_state(in));
    return invert_all(in, steps);
}

evn_status evn__invert_measure(evn_device *device, const evn_source *source, const evn_model *model,
                               int steps, evn__inversions *inversions) {
    EVN_CHECK(evn_model_dynamics(model), EVN_ERR_ARGUMENT,
              "a ResNet has layers that cannot be run backwards: take a run of node or node-ew");
    EVN_CHECK(
        evn_model_stage_count(model) == 2, EVN_ERR_ARGUMENT,
        "the network has %d stages; invert goes back from one ODE through the stem before it: "
        "take a run of a network with one ODE, and no layers between it and the head",
        evn_model_stage_count(model));
    EVN_CHECK(evn_dynamics_state_shape(evn_model_dynamics(model)).rank == 4, EVN_ERR_ARGUMENT,
              "the state of the network's ODE is no image, which invert could draw");
    inverter in = {
        .device = device, .parameters = evn_model_parameters(model), .result = inversions};
    evn_status status = run(&in, source, evn_model_get_options(model), steps);
    evn__bound_plan_free(&in.stem);
    evn__bound_plan_free(&in.search);
    evn_buffer_destroy(&in.images);
    evn_buffer_destroy(&in.state);
    evn_buffer_destroy(&in.loss);
    evn_model_destroy(&in.model);
    return status;
}

void evn__inversions_free(evn__inversions *inversions) {
    for (int i = 0; i < EVN__INVERT_ROWS; ++i) {
        free(inversions->rows[i].pixels);
    }
    free(inversions->pixels);
    free(inversions->features);
    *inversions = (evn__inversions){0};
}
