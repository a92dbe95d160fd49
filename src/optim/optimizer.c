// SPDX-License-Identifier: Apache-2.0
#include "evonode/optimizer.h"
#include "base/memory.h"
#include "host/items.h"
#include "host/kernel.h"
#include "optim/lbfgs.h"
#include "plan/real.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    GROUP = 64,       // work-group of devices other than CPUs
    MIN_RUN = 1024,   // elements that a CPU work-item should at least update
    NORM_PARTS = 1024 // partial sums of the norm: one work-item each
};

struct evn_optimizer {
    evn_device *device;
    evn_optimizer_options options;
    size_t count, run;
    int64_t steps;
    evn_buffer *state; // [1 or 2, count]
    evn_buffer *parts; // [NORM_PARTS]
    evn__lbfgs *lbfgs; // all of the state, where it is the kind
    evn__kernel *step, *squares;
};

evn_optimizer_options evn_optimizer_options_default(evn_optimizer_kind kind) {
    return (evn_optimizer_options){.kind = kind,
                                   .momentum = 0.9,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .epsilon = 1e-8,
                                   .history = 20};
}

static bool below_one(double x) {
    return x >= 0 && x < 1;
}

static evn_status check_options(const evn_optimizer_options *o) {
    EVN_CHECK(o->kind == EVN_OPTIMIZER_SGD || o->kind == EVN_OPTIMIZER_ADAM ||
                  o->kind == EVN_OPTIMIZER_LBFGS,
              EVN_ERR_ARGUMENT, "optimizer: unknown kind %d", (int)o->kind);
    EVN_CHECK(below_one(o->momentum), EVN_ERR_ARGUMENT,
              "optimizer: momentum %g; give a number >= 0 and < 1", o->momentum);
    EVN_CHECK(below_one(o->beta1) && below_one(o->beta2), EVN_ERR_ARGUMENT,
              "optimizer: beta1 %g, beta2 %g; give numbers >= 0 and < 1", o->beta1, o->beta2);
    EVN_CHECK(o->epsilon > 0 && isfinite(o->epsilon), EVN_ERR_ARGUMENT,
              "optimizer: epsilon %g is not positive", o->epsilon);
    EVN_CHECK(o->weight_decay >= 0 && isfinite(o->weight_decay), EVN_ERR_ARGUMENT,
              "optimizer: weight decay %g is not a number >= 0", o->weight_decay);
    EVN_CHECK(o->kind != EVN_OPTIMIZER_LBFGS || o->weight_decay == 0, EVN_ERR_ARGUMENT,
              "optimizer: lbfgs has no weight decay; add the penalty to the loss, or take sgd or "
              "adam");
    EVN_CHECK(o->history >= 1 && o->history <= EVN__LBFGS_HISTORY, EVN_ERR_ARGUMENT,
              "optimizer: history %d; give 1 to %d", o->history, EVN__LBFGS_HISTORY);
    return EVN_OK;
}

static size_t real_bytes(const evn_optimizer *o) {
    return o->options.fp64 ? sizeof(double) : sizeof(float);
}

size_t evn_optimizer_state_bytes(const evn_optimizer *o) {
    if (!o) {
        return 0;
    }
    if (o->lbfgs) {
        return evn__lbfgs_state_bytes(o->lbfgs);
    }
    return o->count * (o->options.kind == EVN_OPTIMIZER_ADAM ? 2 : 1) * real_bytes(o);
}

static bool is_wide(const evn_optimizer *o) {
    return evn__items_are_wide(evn_device_get_info(o->device));
}

/// Elements a work-item: a CPU gets a few runs a compute unit, so that the load evens out.
static size_t choose_run(const evn_optimizer *o) {
    size_t items = 4 * (size_t)evn_device_get_info(o->device)->compute_units;
    size_t run = (o->count + items - 1) / items;
    return !is_wide(o) ? 1 : run > MIN_RUN ? run : MIN_RUN;
}

static evn_status prepare(evn_optimizer *o) {
    evn__source source = {.family = "optimizer", .options = "", .fp64 = o->options.fp64};
    const char *name = o->options.kind == EVN_OPTIMIZER_SGD ? "sgd" : "adam";
    EVN_TRY(evn__kernel_get(o->device, &source, "squares", &o->squares));
    EVN_TRY(evn__buffer_create_for(o->device, EVN__USE_OPTIMIZER, NORM_PARTS * real_bytes(o),
                                   &o->parts));
    if (o->options.kind == EVN_OPTIMIZER_LBFGS) {
        return evn__lbfgs_create(o->device, &o->options, o->count, &o->lbfgs);
    }
    EVN_TRY(evn__kernel_get(o->device, &source, name, &o->step));
    EVN_TRY(evn__buffer_create_for(o->device, EVN__USE_OPTIMIZER, evn_optimizer_state_bytes(o),
                                   &o->state));
    return evn_buffer_zero(o->state, 0, evn_optimizer_state_bytes(o));
}

evn_status evn_optimizer_create(evn_device *device, const evn_optimizer_options *options,
                                size_t count, evn_optimizer **optimizer) {
    EVN_REQUIRE(optimizer);
    *optimizer = NULL;
    EVN_REQUIRE(device);
    EVN_REQUIRE(options);
    EVN_TRY(check_options(options));
    EVN_CHECK(count > 0 && count < SIZE_MAX / 1024, EVN_ERR_ARGUMENT,
              "optimizer: %zu parameters to optimise", count);
    EVN_CHECK(!options->fp64 || evn_device_get_info(device)->has_fp64, EVN_ERR_ARGUMENT,
              "optimizer: %s has no double precision", evn_device_get_info(device)->name);
    evn_optimizer *o = NULL;
    EVN_TRY(EVN_NEW(&o, 1));
    o->device = device;
    o->options = *options;
    o->count = count;
    o->run = choose_run(o);
    evn_status status = prepare(o);
    if (status != EVN_OK) {
        evn_optimizer_destroy(&o);
    }
    *optimizer = o;
    return status;
}

void evn_optimizer_destroy(evn_optimizer **optimizer) {
    if (!optimizer || !*optimizer) {
        return;
    }
    evn_buffer_destroy(&(*optimizer)->state);
    evn_buffer_destroy(&(*optimizer)->parts);
    evn__lbfgs_destroy(&(*optimizer)->lbfgs);
    free(*optimizer);
    *optimizer = NULL;
}

// Arguments of a launch ---------------------------------------------------------------------------

static evn__argument tensor(evn_binding binding) {
    return (evn__argument){
        .kind = EVN__ARGUMENT_BUFFER, .buffer = binding.buffer, .offset = binding.offset};
}

static evn__argument number(double real) {
    return (evn__argument){.kind = EVN__ARGUMENT_REAL, .real = real};
}

static evn__argument size(size_t integer) {
    return (evn__argument){.kind = EVN__ARGUMENT_UINT64, .integer = (int64_t)integer};
}

static evn__range range_of(const evn_optimizer *o, size_t items) {
    return (evn__range){1, {items}, {is_wide(o) ? 1 : GROUP}};
}

static evn_status launch_sgd(evn_optimizer *o, evn_binding p, evn_binding g, double rate) {
    evn__argument arguments[] = {tensor(p),
                                 tensor(g),
                                 tensor((evn_binding){o->state, 0}),
                                 size(o->count),
                                 size(o->run),
                                 number(rate),
                                 number(o->options.momentum),
                                 number(o->options.weight_decay)};
    return evn__kernel_launch(o->step, arguments, sizeof(arguments) / sizeof(*arguments),
                              range_of(o, (o->count + o->run - 1) / o->run));
}

static evn_status launch_adam(evn_optimizer *o, evn_binding p, evn_binding g, double rate) {
    const evn_optimizer_options *options = &o->options;
    double correction1 = 1 - pow(options->beta1, (double)(o->steps + 1));
    double correction2 = 1 - pow(options->beta2, (double)(o->steps + 1));
    evn__argument arguments[] = {tensor(p),
                                 tensor(g),
                                 tensor((evn_binding){o->state, 0}),
                                 tensor((evn_binding){o->state, o->count}),
                                 size(o->count),
                                 size(o->run),
                                 number(rate / correction1),
                                 number(1 / sqrt(correction2)),
                                 number(options->epsilon),
                                 number(1 - rate * options->weight_decay),
                                 number(options->beta1),
                                 number(1 - options->beta1),
                                 number(options->beta2),
                                 number(1 - options->beta2)};
    return evn__kernel_launch(o->step, arguments, sizeof(arguments) / sizeof(*arguments),
                              range_of(o, (o->count + o->run - 1) / o->run));
}

evn_status evn_optimizer_step(evn_optimizer *o, evn_binding parameters, evn_binding gradients,
                              double rate) {
    EVN_REQUIRE(o);
    EVN_CHECK(isfinite(rate), EVN_ERR_ARGUMENT, "optimizer: the learning rate is %g", rate);
    EVN_TRY(evn__real_check(parameters, o->options.fp64, o->count, "optimizer:", "parameters"));
    EVN_TRY(evn__real_check(gradients, o->options.fp64, o->count, "optimizer:", "gradients"));
    EVN_CHECK(!evn__real_overlap(parameters, o->count, gradients, o->count), EVN_ERR_ARGUMENT,
              "optimizer: parameters and gradients share memory; bind gradients of their own");
    if (o->lbfgs) {
        EVN_TRY(evn__lbfgs_step(o->lbfgs, parameters, gradients, rate));
    } else if (o->options.kind == EVN_OPTIMIZER_SGD) {
        EVN_TRY(launch_sgd(o, parameters, gradients, rate));
    } else {
        EVN_TRY(launch_adam(o, parameters, gradients, rate));
    }
    ++o->steps;
    return EVN_OK;
}

// Norm and state ----------------------------------------------------------------------------------

evn_status evn_optimizer_gradient_norm(evn_optimizer *o, evn_binding gradients, double *norm) {
    union {
        float single[NORM_PARTS];
        double twofold[NORM_PARTS];
    } parts;
    EVN_REQUIRE(o);
    EVN_REQUIRE(norm);
    EVN_TRY(evn__real_check(gradients, o->options.fp64, o->count, "optimizer:", "gradients"));
    size_t length = (o->count + NORM_PARTS - 1) / NORM_PARTS;
    evn__argument arguments[] = {tensor(gradients),
                                 tensor((evn_binding){o->parts, 0}),
                                 size(o->count),
                                 size(is_wide(o) ? length : 1),
                                 size(is_wide(o) ? 1 : NORM_PARTS),
                                 size(length)};
    EVN_TRY(evn__kernel_launch(o->squares, arguments, sizeof(arguments) / sizeof(*arguments),
                               range_of(o, NORM_PARTS)));
    EVN_TRY(evn_buffer_read(o->parts, 0, NORM_PARTS * real_bytes(o), &parts));
    double sum = 0;
    for (int i = 0; i < NORM_PARTS; ++i) {
        sum += o->options.fp64 ? parts.twofold[i] : (double)parts.single[i];
    }
    *norm = sqrt(sum);
    return EVN_OK;
}

evn_status evn_optimizer_save(const evn_optimizer *o, void *data, int64_t *steps) {
    EVN_REQUIRE(o);
    EVN_REQUIRE(data);
    EVN_REQUIRE(steps);
    *steps = o->steps;
    return o->lbfgs ? evn__lbfgs_save(o->lbfgs, data)
                    : evn_buffer_read(o->state, 0, evn_optimizer_state_bytes(o), data);
}

evn_status evn_optimizer_restore(evn_optimizer *o, const void *data, int64_t steps) {
    EVN_REQUIRE(o);
    EVN_REQUIRE(data);
    EVN_CHECK(steps >= 0, EVN_ERR_ARGUMENT, "optimizer: %lld steps taken; give a number >= 0",
              (long long)steps);
    EVN_TRY(o->lbfgs ? evn__lbfgs_restore(o->lbfgs, data)
                     : evn_buffer_write(o->state, 0, evn_optimizer_state_bytes(o), data));
    o->steps = steps;
    return EVN_OK;
}
