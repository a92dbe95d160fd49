// SPDX-License-Identifier: Apache-2.0
#include "study/gradcheck.h"

#include "base/files.h"
#include "base/json.h"
#include "cli/open_device.h"
#include "cli/reopen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const DEFAULT_TASK = "digits"; // which needs no files

enum { SAMPLES = 8 }; // in x: differences are solves in double precision, two a direction

// Output ------------------------------------------------------------------------------------------

static void print_number(const char *format, int width, double value) {
    isnan(value) ? (void)printf("  %*s", width, "-") : (void)printf(format, width, value);
}

/// What the dynamics or the method do not go with: nothing was measured, and nothing is wrong.
static bool is_refused(const evn__gradcheck_row *row) {
    return row->status == EVN_ERR_ARGUMENT;
}

static void print_row(const evn__gradcheck_row *row) {
    printf("  %-24s", row->name);
    print_number("  %*.1e", 9, row->own);
    print_number("  %*.1e", 9, row->exact);
    print_number("  %*.4f", 8, row->seconds);
    printf("  %4d+%-4d  %5d  %9.3f", row->nfe, row->nfe_back, row->waits,
           (double)row->bytes / (1024.0 * 1024.0));
    print_number("  %*.1e", 9, row->reconstruction);
    printf("%s\n", is_refused(row)              ? "  refused"
                   : evn__gradcheck_trusts(row) ? ""
                                                : "  not to be trusted");
    if (row->message[0]) {
        printf("      %s\n", row->message);
    } else if (row->apart > EVN_MOST_APART) {
        printf("      its two states end %.2g times the size of x, or of evolving weights, apart\n",
               row->apart);
    } else if (row->status == EVN_OK && !evn__gradcheck_is_exact(row)) {
        printf("      more than %d times rtol, %g, off the solution: try norm=mixed, or a smaller "
               "rtol\n",
               EVN__GRADCHECK_TOLERANCES, row->options.rtol);
    }
}

/// Where that is the fault there is one thing to do about it.
static bool goes_back(const evn__gradcheck_row *row) {
    return row->status == EVN_OK && !(row->reconstruction > EVN__GRADCHECK_RECONSTRUCTION);
}

static void print(const evn__gradcheck_row *rows) {
    bool rebuilt = true;
    printf("  %-24s  %9s  %9s  %8s  %9s  %5s  %9s  %9s\n", "gradient", "own steps", "solution",
           "seconds", "NFE", "waits", "MiB", "rebuilt");
    for (int i = 0; i < EVN__GRADCHECK_ROWS; ++i) {
        print_row(&rows[i]);
        rebuilt = rebuilt && (is_refused(&rows[i]) || goes_back(&rows[i]));
    }
    printf("\n  relative errors of derivatives along %d directions, single precision: own steps "
           "against\n  central differences of the same steps, where these are fixed, in double "
           "precision, solution against\n  forward mode by dopri5 at 1e-10, which is "
           "known to %.1e; rebuilt: how far solving backwards\n  ends from the true start\n",
           EVN__GRADCHECK_DIRECTIONS, rows[0].floor);
    if (!rebuilt) {
        printf("  rebuilt beyond %g it is not to be trusted: use a checkpointed phase, or give an "
               "adjoint phase\n  reconstruction=%g,fallback=checkpointed\n",
               EVN__GRADCHECK_RECONSTRUCTION, EVN__GRADCHECK_RECONSTRUCTION);
    }
}

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *show_row(const evn__gradcheck_row *row) {
    json_t *object = json_object();
    evn__json_put(object, "gradient", json_string(row->name));
    evn__json_put(object, "method", json_string(row->options.method));
    evn__json_put(object, "steps", json_integer(row->options.steps));
    evn__json_put(object, "error_own_steps", number(row->own));
    evn__json_put(object, "error_solution", number(row->exact));
    evn__json_put(object, "error_reference", number(row->floor));
    evn__json_put(object, "seconds", number(row->seconds));
    evn__json_put(object, "nfe_forward", json_integer(row->nfe));
    evn__json_put(object, "nfe_backward", json_integer(row->nfe_back));
    evn__json_put(object, "waits", json_integer(row->waits));
    evn__json_put(object, "peak_bytes", json_integer((json_int_t)row->bytes));
    evn__json_put(object, "reconstruction", number(row->reconstruction));
    evn__json_put(object, "states_apart", number(row->apart));
    evn__json_put(object, "trusted", json_boolean(evn__gradcheck_trusts(row)));
    if (row->message[0]) {
        evn__json_put(object, "message", json_string(row->message));
    }
    return object;
}

static evn_status print_json(const evn__gradcheck_row *rows) {
    json_t *array = json_array();
    char *text;
    for (int i = 0; i < EVN__GRADCHECK_ROWS; ++i) {
        evn__json_append(array, show_row(&rows[i]));
    }
    evn_status status = evn__json_print(array, JSON_INDENT(2), 6, &text);
    json_decref(array);
    EVN_TRY(status);
    printf("%s\n", text);
    free(text);
    return EVN_OK;
}

// The verb ----------------------------------------------------------------------------------------

static evn_status check(const evn__session *session, const evn__settings *given,
                        const evn_dynamics *dynamics) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    const evn_task *task = &session->task;
    EVN_CHECK(dynamics, EVN_ERR_ARGUMENT,
              "%s has no ODE: there is nothing to solve; take a model node or node-ew",
              given->subject);
    EVN_TRY(evn__gradcheck_measure(session->device, dynamics, task->methods->parameters(task->self),
                                   evn__session_solver(session), rows));
    if (given->json) {
        return print_json(rows);
    }
    print(rows);
    return EVN_OK;
}

static evn_status measure(evn__session *session, const evn__command *command) {
    evn_dynamics *dynamics;
    EVN_TRY(session->row->ode(&session->task, SAMPLES, &dynamics));
    evn_status status = check(session, command->settings, dynamics);
    evn_dynamics_destroy(&dynamics);
    return status;
}

/// A task as it begins to be trained.
static evn_status open_task(const evn__task_row *row, const evn__command *command) {
    evn__session session = {0};
    evn__settings *settings = command->settings;
    row = evn__task_for(row, settings);
    EVN_TRY(evn__settings_complete(settings, row));
    evn_status status = evn__session_open(&session, row, settings);
    if (status == EVN_OK) {
        status = row->create(&session, settings);
    }
    if (status == EVN_OK) {
        status = measure(&session, command);
    }
    evn__session_close(&session);
    return status;
}

static evn_status run(const evn__command *command) {
    evn__settings *given = command->settings;
    const char *named = given->subject = given->subject ? given->subject : DEFAULT_TASK;
    const evn__task_row *row;
    evn_status status = evn__task_find(named, EVN_ERR_FILE, &row);
    if (status == EVN_OK) {
        return open_task(row, command);
    }
    return evn__is_folder(named) ? evn__reopen_learnt(command, measure)
                                 : evn__prepend(status, "%s is neither a run nor a task", named);
}

const evn__verb evn__verb_gradcheck = {
    "gradcheck",
    "[RUN|TASK]",
    "compare the gradients that there are: error, cost, and which can be trusted",
    EVN__VERB_GRADCHECK,
    run,
    "\nOf the ODE of a run, or of a task as its training begins (digits): 8 samples with a random\n"
    "x(0), and as loss the product of x(1) and random numbers. Each gradient in single precision\n"
    "against central differences of its steps, and forward mode along the solution, in double\n"
    "precision along three directions; time, evaluations\n"
    "forward and backward, waits, device memory; and how far solving backwards ends from the true\n"
    "start, of the adjoint and of the reversible method. Forward is a solve with a tangent, one "
    "of\n"
    "those directions. The device needs double precision.\n"};
