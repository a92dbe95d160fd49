// SPDX-License-Identifier: Apache-2.0
#include "task/learnt_solver.h"

#include "base/memory.h"
#include <stdlib.h>

evn_status evn__learnt_solver_check(const evn_solver_options *options, bool trains) {
    EVN_CHECK(!trains || options->gradient != EVN_GRADIENT_NONE, EVN_ERR_ARGUMENT,
              "the solver has no gradient, without which nothing can be trained; choose one");
    EVN_CHECK(
        !options->fp64, EVN_ERR_ARGUMENT,
        "the solver is in double precision, the task's parameters are floats; leave fp64 out");
    return evn_solver_options_check(options);
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
