// SPDX-License-Identifier: Apache-2.0
#include "study/depth.h"

#include "cli/reopen.h"
#include "nn/evolving.h"
#include "study/kernels.h"
#include "task/images.h"

#include <stdio.h>

static void print_row(const evn__depth *depth) {
    char name[32] = "dopri5";
    if (depth->steps > 0) {
        snprintf(name, sizeof(name), "Euler, %d steps", depth->steps);
    }
    printf("  %-16s  %5.1f  %8.2f %%  %6lld  %12.3g  %8lld\n", name, depth->nfe,
           100 * depth->accuracy, (long long)depth->errors, depth->difference,
           (long long)depth->changed);
}

static evn_status measure(evn__session *session, const evn__command *command) {
    evn__depth depths[EVN__DEPTHS];
    int64_t samples;
    const char *folder = command->settings->subject;
    const evn_model *model = evn__images_model(&session->task);
    EVN_CHECK(model, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; depth compares what a model says of images", folder,
              session->row->name);
    const evn_solver_options *solver = evn__session_solver(session);
    double tolerance = solver->steps > 0 ? evn_solver_options_default().rtol : solver->rtol;
    EVN_TRY(evn__depth_measure(&session->task, tolerance, depths, &samples));
    printf("  %-16s  %5s  %10s  %6s  %12s  %8s\n", "solver", "NFE", "accuracy", "errors",
           "difference", "changed");
    for (int i = 0; i < EVN__DEPTHS; ++i) {
        print_row(&depths[i]);
    }
    printf("\n  difference: mean over the logits against dopri5 at %g; changed: samples of another "
           "class than there\n",
           tolerance);
    EVN_TRY(evn__depth_draw(depths, samples, folder));
    printf("  pictures: %s/depth-logits.png, %s/depth-errors.png\n", folder, folder);
    if (evn__evolving_count(model) == 0) {
        return EVN_OK;
    }
    EVN_TRY(evn__kernels_draw(session->device, model, tolerance, folder));
    printf("            %s/kernels-*.png, %s/kernel-lines-*.png\n", folder, folder);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    return evn__reopen(command, measure);
}

const evn__verb evn__verb_depth = {
    "depth",
    "RUN",
    "compare a trained model at increasing numbers of steps",
    EVN__VERB_DEPTH,
    run,
    "\nEuler's method with 5, 10, 20, 40 and 80 steps against dopri5 at rtol = atol = --rtol.\n"
    "Draws depth-logits and depth-errors (png and svg) into the run directory; of node-ew also, "
    "for\n"
    "each convolution, kernels-LAYER and kernel-lines-LAYER: the weights of a few kernels over "
    "t.\n"};
