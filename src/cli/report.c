// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include "train/paper.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 256, COLUMNS = 79 }; // one less than the narrowest usual terminal has

static const double MIB = 1024.0 * 1024.0;
static const double RECONSTRUCTION_LIMIT = 0.05;

static bool on_terminal(void) {
    return isatty(STDERR_FILENO);
}

// Progress ----------------------------------------------------------------------------------------

static const char *duration(double seconds, char text[32]) {
    long whole = isfinite(seconds) && seconds > 0 ? lround(fmin(seconds, 3.6e8)) : 0;
    if (whole < 3600) {
        snprintf(text, 32, "%ld:%02ld", whole / 60, whole % 60);
    } else {
        snprintf(text, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    }
    return text;
}

static void rewrite(const char *line) {
    if (on_terminal()) {
        fprintf(stderr, "\r\033[K%.*s", COLUMNS, line);
        fflush(stderr);
    }
}

void evn__report_activity(const char *text) {
    rewrite(text);
}

void evn__report_clear(void) {
    rewrite("");
}

void evn__report_progress(const evn_phase *phases, const evn_progress *progress) {
    const evn_progress *p = progress;
    char line[LINE_SIZE], left[32], loss[32] = "", steps[96] = "";
    bool has_steps = p->steps > 0;
    if (!isnan(p->loss)) {
        snprintf(loss, sizeof(loss), "loss %.4g  ", p->loss);
    }
    if (has_steps) {
        snprintf(steps, sizeof(steps), "step %lld/%lld  ", (long long)p->step, (long long)p->steps);
    }
    int length = snprintf(line, sizeof(line), "%s  %s %d/%d  %s%s", phases[p->phase].name,
                          has_steps ? "epoch" : "iteration", p->epoch + 1, p->epochs, steps, loss);
    if (has_steps) {
        length += snprintf(line + length, sizeof(line) - (size_t)length, "%.0f images/s  ",
                           p->images_per_second);
    }
    snprintf(line + length, sizeof(line) - (size_t)length, "%s left",
             duration(p->seconds_left, left));
    rewrite(line);
}

static void report_switch(const char *phase, const evn_epoch *epoch) {
    if (epoch->ended == EVN_SWITCH_APART) {
        fprintf(stderr, "%s  ends here: loss %.4g with its solver, %.4g with the next phase's\n",
                phase, epoch->own_loss, epoch->next_loss);
    } else if (epoch->ended == EVN_SWITCH_STALLED) {
        fprintf(stderr, "%s  ends here: the training loss no longer falls\n", phase);
    }
}

void evn__report_epoch(const evn_phase *phases, int epochs, const evn_epoch *epoch) {
    evn__report_clear();
    const char *name = phases[epoch->phase].name;
    if (epoch->test_count >= 0) {
        fprintf(stderr,
                "%s  epoch %d/%d  loss %.4f  train %.2f %%  test %.2f %% (%lld errors)  "
                "NFE %.0f+%.0f  %.2f s\n",
                name, epoch->epoch + 1, epochs, epoch->train_loss, 100 * epoch->train_accuracy,
                100 * epoch->test_accuracy, (long long)epoch->test_errors, epoch->nfe_forward,
                epoch->nfe_backward, epoch->seconds);
    } else {
        fprintf(stderr, "%s  iteration %d/%d  loss %.4g  NFE %.0f+%.0f  %.2f s\n", name,
                epoch->epoch + 1, epochs, epoch->train_loss, epoch->nfe_forward,
                epoch->nfe_backward, epoch->seconds);
    }
    report_switch(name, epoch);
}

bool evn__report_reconstruction(const evn_phase *phases, const evn_epoch *epoch) {
    double worst = fmax(epoch->x_reconstruction, epoch->theta_reconstruction);
    if (worst <= RECONSTRUCTION_LIMIT) {
        return false;
    }
    const char *what =
        epoch->x_reconstruction >= epoch->theta_reconstruction ? "state" : "evolving weights";
    fprintf(stderr,
            "evonode: warning: epoch %d, phase %s: the backward solve ends %.0f %% away from the "
            "true %s at t = 0, so that the adjoint's gradient is unreliable; give the phase a "
            "smaller rtol and atol, or use a checkpointed phase\n",
            epoch->epoch + 1, phases[epoch->phase].name, 100 * worst, what);
    return true;
}

void evn__report_resumed(const char *unit, int done, int all) {
    evn__report_clear();
    fprintf(stderr, "goes on after %s %d of %d\n", unit, done, all);
}

void evn__report_unsaved(const char *reason) {
    evn__report_clear();
    fprintf(stderr, "evonode: warning: no checkpoint: %s; training goes on and will try again\n",
            reason);
}

// Tables ------------------------------------------------------------------------------------------

static void print_percent(const char *name, double fraction) {
    if (!isnan(fraction)) {
        printf("  %-24s %.2f %%\n", name, 100 * fraction);
    }
}

static void print_real(const char *name, double value, const char *unit) {
    if (!isnan(value)) {
        printf("  %-24s %.4g%s\n", name, value, unit);
    }
}

static void print_text(const char *name, const char *text) {
    printf("  %-24s %s\n", name, text);
}

void evn__report_summary(const char *folder, const evn_device *device, const evn__summary *summary,
                         const char *note) {
    printf("\n");
    print_percent("test accuracy", summary->test_accuracy);
    print_percent("train accuracy", summary->train_accuracy);
    print_real("loss", summary->loss, "");
    print_real("max error", summary->max_error, "");
    print_real("test NLL", summary->test_nll, " nats");
    print_real("gap to the entropy", summary->gap_nats, " nats");
    print_real("seconds an epoch", summary->seconds_per_epoch, "");
    print_real("seconds in all", summary->seconds_total, "");
    print_real("NFE forward", summary->nfe_forward, "");
    print_real("NFE backward", summary->nfe_backward, "");
    print_real("peak device memory", (double)summary->peak_device_bytes / MIB, " MiB");
    printf("  %-24s %lld\n", "parameters", (long long)summary->parameters);
    print_text("device", evn_device_get_info(device)->name);
    print_text("run folder", folder);
    if (note) {
        print_text("note", note);
    }
}

static void print_figure(const evn__paper_figure *figure) {
    char text[256] = "", name[64];
    int length = 0;
    if (!isnan(figure->test_error)) {
        length = snprintf(text, sizeof(text), "%.2f %% test error, ", figure->test_error);
    }
    if (!isnan(figure->seconds_per_epoch)) {
        length += snprintf(text + length, sizeof(text) - (size_t)length, "%.2f s an epoch, ",
                           figure->seconds_per_epoch);
    }
    if (!isnan(figure->speedup)) {
        length += snprintf(text + length, sizeof(text) - (size_t)length,
                           "%.0f times as fast as the adjoint alone, ", figure->speedup);
    }
    snprintf(text + length, sizeof(text) - (size_t)length, "%s%s%s",
             figure->text ? figure->text : "", figure->text ? ", " : "", figure->source);
    snprintf(name, sizeof(name), "paper: %s", figure->name);
    print_text(name, text);
}

void evn__report_paper(const char *task, const char *model) {
    const evn__paper_figure *figure;
    for (int i = 0; (figure = evn__paper_figure_at(task, i)); ++i) {
        if (strcmp(figure->model, model ? model : "node") == 0) {
            print_figure(figure);
        }
    }
}

/// How it was solved, and where.
static void print_where(const char *folder, const evn_device *device,
                        const evn_solver_options *solver) {
    char method[64];
    if (solver->steps > 0) {
        snprintf(method, sizeof(method), "%s, %d steps", solver->method, solver->steps);
    } else {
        snprintf(method, sizeof(method), "%s, rtol %g, atol %g", solver->method, solver->rtol,
                 solver->atol);
    }
    print_text("solver", method);
    print_text("device", evn_device_get_info(device)->name);
    print_text("run folder", folder);
}

void evn__report_evaluation(const char *folder, const evn_device *device,
                            const evn_solver_options *solver, const evn_epoch *result,
                            double max_error) {
    char errors[64];
    snprintf(errors, sizeof(errors), "%lld of %lld", (long long)result->test_errors,
             (long long)result->test_count);
    print_percent("test accuracy", result->test_accuracy);
    if (result->test_count >= 0) {
        print_text("test errors", errors);
    }
    print_real("loss", result->test_loss, "");
    print_real("max error", max_error, "");
    print_real("NFE forward", result->nfe_forward, "");
    print_where(folder, device, solver);
}

void evn__report_flow(const char *folder, const evn_device *device,
                      const evn_solver_options *solver, double nll, double gap, double nfe) {
    print_real("test NLL", nll, " nats");
    print_real("gap to the entropy", gap, " nats");
    print_real("NFE forward", nfe, "");
    print_where(folder, device, solver);
}
