// SPDX-License-Identifier: Apache-2.0
#include "study/invert.h"

#include "cli/reopen.h"
#include "task/images.h"

#include <math.h>
#include <stdio.h>

enum { STEPS = 10 }; // of Euler's method, for a run that chose its steps

static void print_row(const evn__inversion *row) {
    printf("  %-16s  %5d  %8d  %10.2e  %10.2e  %8.3f", row->name, row->nfe_forward,
           row->nfe_backward, row->x_error, row->theta_error, row->pixel_error);
    if (!isnan(row->stopped_at)) {
        printf("  stopped at t = %.3g", row->stopped_at);
    }
    printf("\n");
}

static void print(const evn__inversions *inversions) {
    printf("  %-16s  %5s  %8s  %10s  %10s  %8s\n", "solver", "NFE", "NFE back", "x(0)", "theta(0)",
           "pixels");
    for (int i = 0; i < EVN__INVERT_ROWS; ++i) {
        print_row(&inversions->rows[i]);
    }
    printf("\n  relative errors of what is recovered, over %d test images; x(0) itself: what the "
           "search for\n  the images leaves; Euler's steps backwards do not undo those forwards, "
           "those of the\n  "
           "reversible midpoint rule do\n",
           EVN__INVERT_IMAGES);
}

/// Where no solver comes there and back, there is nothing to show.
static evn_status check_finite(const evn__inversions *inversions) {
    bool found = false;
    for (int i = 1; i < EVN__INVERT_ROWS; ++i) { // the first is of x(0) itself
        found = found || isfinite(inversions->rows[i].x_error);
    }
    EVN_CHECK(found, EVN_ERR_NOT_FINITE,
              "the states of the model overflow with every solver: there is nothing to invert; "
              "train it again with a lower rate");
    return EVN_OK;
}

static evn_status measure(evn__session *session, const evn__command *command) {
    const char *folder = command->settings->subject;
    evn__inversions inversions = {0};
    const evn_model *model = evn__images_model(&session->task);
    EVN_CHECK(
        model, EVN_ERR_ARGUMENT,
        "%s is a run of the task %s; invert recovers images: take a run on digits, mnist or images",
        folder, session->row->name);
    int steps = evn__session_solver(session)->steps;
    evn_status status = evn__invert_measure(session->device, &session->source, model,
                                            steps > 0 ? steps : STEPS, &inversions);
    if (status == EVN_ERR_ARGUMENT) {
        status = evn__prepend(status, "%s", folder);
    }
    if (status == EVN_OK) {
        status = check_finite(&inversions);
    }
    if (status == EVN_OK) {
        print(&inversions);
        status = evn__invert_draw(&inversions, folder);
    }
    evn__inversions_free(&inversions);
    EVN_TRY(status);
    printf("  pictures: %s/invert.png, %s/invert-errors.png\n", folder, folder);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    return evn__reopen(command, measure);
}

const evn__verb evn__verb_invert = {
    "invert",
    "RUN",
    "recover inputs from outputs by solving backwards",
    EVN__VERB_INVERT,
    run,
    "\nSolves test images from t = 0 to 1 and back, with dopri5 at tolerances from 1e-2 to 1e-6,\n"
    "with Euler's method at the run's steps, whose steps backwards are not exact, and with as "
    "many\n"
    "of the reversible midpoint rule, which are undone to rounding. The stem, which makes x(0) of\n"
    "an image, is not injective: the image is sought by L-BFGS, in 200 iterations from dark grey,\n"
    "as one whose x(0) is near the recovered one. Draws invert (images in, features out, images\n"
    "back) and invert-errors (png and svg) into the run directory.\n"};
