// SPDX-License-Identifier: Apache-2.0
#include "train/phases.h"

#include "base/memory.h"
#include <stdlib.h>

static evn_status check(const evn_trainer_options *options) {
    EVN_CHECK(options->phase_count >= 1, EVN_ERR_ARGUMENT, "training needs at least one phase");
    for (int i = 0; i < options->phase_count; ++i) {
        EVN_CHECK(options->phases[i].epochs >= 1, EVN_ERR_ARGUMENT,
                  "phase %d (%s) has %d epochs; give 1 or more", i + 1, options->phases[i].name,
                  options->phases[i].epochs);
        EVN_TRY(evn_schedule_check(&options->phases[i].schedule));
        EVN_CHECK(!options->phases[i].automatic || i + 1 < options->phase_count, EVN_ERR_ARGUMENT,
                  "phase %d (%s) cannot end by itself: no phase follows it", i + 1,
                  options->phases[i].name);
    }
    return EVN_OK;
}

evn_status evn__phases_copy(const evn_trainer_options *options, evn_phase **phases) {
    EVN_TRY(check(options));
    EVN_TRY(EVN_NEW(phases, options->phase_count));
    for (int i = 0; i < options->phase_count; ++i) {
        (*phases)[i] = options->phases[i];
    }
    return EVN_OK;
}

int evn__phases_epochs(const evn_phase *phases, int count) {
    int epochs = 0;
    for (int i = 0; i < count; ++i) {
        epochs += phases[i].epochs;
    }
    return epochs;
}

evn_status evn__learnt_solver_create(evn_device *device, const evn_dynamics *dynamics,
                                     const evn_parameters *parameters,
                                     const evn_solver_options *options,
                                     evn__learnt_solver *learnt) {
    int count = evn_dynamics_weight_count(dynamics);
    EVN_TRY(evn_solver_create(device, dynamics, options, &learnt->solver));
    EVN_TRY(EVN_NEW(&learnt->weights, count));
    EVN_TRY(EVN_NEW(&learnt->weights_bar, count));
    for (int i = 0; i < count; ++i) {
        int index = evn_parameters_find(parameters, evn_dynamics_weight_name(dynamics, i));
        learnt->weights[i] = evn_parameters_value(parameters, index);
        learnt->weights_bar[i] = evn_parameters_gradient(parameters, index);
    }
    return EVN_OK;
}

void evn__learnt_solver_free(evn__learnt_solver *learnt) {
    evn_solver_destroy(&learnt->solver);
    free(learnt->weights);
    free(learnt->weights_bar);
    *learnt = (evn__learnt_solver){0};
}
