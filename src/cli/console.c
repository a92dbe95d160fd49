// SPDX-License-Identifier: Apache-2.0
#include "cli/console.h"

#include "base/names.h"
#include "base/number.h"
#include "host/list.h"
#include "study/paper.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 79 }; // one less than the narrowest usual terminal has

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

void evn__console_activity(const char *text) {
    rewrite(text);
}

void evn__console_clear(void) {
    rewrite("");
}

void evn__console_device(const evn_device *device) {
    evn__console_clear();
    fprintf(stderr, "device  %s (%s)\n", evn_device_get_info(device)->name,
            evn__device_choice(device));
}

void evn__console_distrust(const char *what) {
    fprintf(stderr, "warning: --force: the device computes wrongly: %s\n", what);
}

void evn__console_note(const char *text) {
    evn__console_clear();
    fprintf(stderr, "data  %s\n", text);
}

void evn__console_line(const char *text) {
    evn__console_clear();
    fprintf(stderr, "%s\n", text);
}

void evn__console_warning(const char *text) {
    evn__console_clear();
    fprintf(stderr, "warning: %s\n", text);
}

void evn__console_memory(const char *needs, int micro_batches, bool result) {
    FILE *to = result ? stdout : stderr;
    evn__console_clear();
    fprintf(to, "device memory  %s\n", needs);
    if (micro_batches > 1) {
        fprintf(to, "device memory  each batch is computed in %d parts\n", micro_batches);
    }
}

void evn__console_dataset(const evn_dataset *dataset) {
    enum { NAMED = 20 };
    evn_dataset_info info = evn_dataset_get_info(dataset);
    evn__console_clear();
    fprintf(stderr, "data  %lld images to train on, %lld to test on, of %lld x %lld pixels, %s\n",
            (long long)info.count[EVN_TRAIN], (long long)info.count[EVN_TEST],
            (long long)info.height, (long long)info.width,
            info.channels == 1 ? "grey" : "in colour");
    fprintf(stderr, "data  %d classes: ", info.classes);
    for (int i = 0; i < info.classes && i < NAMED; ++i) {
        fprintf(stderr, "%s%s", i ? ", " : "", evn_dataset_class_name(dataset, i));
    }
    fprintf(stderr, "%s\n", info.classes > NAMED ? ", …" : "");
}

void evn__console_watch(const char *url) {
    evn__console_clear();
    fprintf(stderr, "watch  %s\n", url);
}

void evn__console_progress_text(const evn_phase *phases, const evn_progress *progress,
                                char line[EVN__PROGRESS]) {
    const evn_progress *p = progress;
    char left[32], loss[32] = "", steps[96] = "";
    bool has_steps = p->steps > 0;
    if (!isnan(p->loss)) {
        evn__print(loss, sizeof(loss), "loss %.4g  ", p->loss);
    }
    if (has_steps) {
        snprintf(steps, sizeof(steps), "step %lld/%lld  ", (long long)p->step, (long long)p->steps);
    }
    int length = snprintf(line, EVN__PROGRESS, "%s  %s %d/%d  %s%s", phases[p->phase].name,
                          has_steps ? "epoch" : "iteration", p->epoch + 1, p->epochs, steps, loss);
    if (has_steps) {
        length += evn__print(line + length, EVN__PROGRESS - (size_t)length, "%.0f samples/s  ",
                             p->samples_per_second);
    }
    snprintf(line + length, EVN__PROGRESS - (size_t)length, "%s left",
             duration(p->seconds_left, left));
}

static void tell_switch(const char *phase, const evn_epoch *epoch) {
    if (epoch->ended == EVN_SWITCH_APART) {
        fprintf(stderr, "%s  ends here: loss %.4g with its solver, %.4g with the next phase's\n",
                phase, evn_metrics_value(&epoch->metrics, "own_loss"),
                evn_metrics_value(&epoch->metrics, "next_loss"));
    } else if (epoch->ended == EVN_SWITCH_STALLED) {
        fprintf(stderr, "%s  ends here: the training loss no longer falls\n", phase);
    } else if (epoch->ended == EVN_SWITCH_HELD_OUT) {
        fprintf(stderr, "%s  ends here: the loss of what is held out no longer falls\n", phase);
    }
}

/// Solves that came to their ends by many more steps than they need.
static void tell_stiffness(const evn_epoch *epoch) {
    double decay = evn_metrics_value(&epoch->metrics, "decay_forward");
    if (!isnan(decay)) {
        fprintf(stderr,
                "evonode: warning: the dynamics look stiff: what decays at a rate of %.2g keeps "
                "the steps short, whatever the tolerances are; --solver kennedy_carpenter5 or "
                "rosenbrock23 takes fewer\n",
                decay);
    }
}

/// A value as its column shows it, "" where it was not measured.
static const char *show(const evn__column *column, const evn_metrics *metrics, char text[64]) {
    double value = evn_metrics_value(metrics, column->metric);
    text[0] = 0;
    if (!isnan(value)) {
        evn__print(text, 64, column->format, evn__column_value(column, value));
    }
    return text;
}

void evn__console_epoch(const evn__task_row *row, const evn_phase *phases, int epochs,
                        const evn_epoch *epoch) {
    const evn_metrics *m = &epoch->metrics;
    const char *name = phases[epoch->phase].name;
    double nfe = evn_metrics_value(m, "nfe_forward");
    char text[64];
    evn__console_clear();
    fprintf(stderr, "%s  %s %d/%d  loss ", name, row->iterates ? "iteration" : "epoch",
            epoch->epoch + 1, epochs);
    fprintf(stderr, row->iterates ? "%.4g" : "%.4f", evn_metrics_value(m, "train_loss"));
    for (const evn__column *column = row->progress; column->metric; ++column) {
        show(column, m, text);
        fprintf(stderr, "%s%s", text[0] == '(' ? " " : "  ", text); // a bracket goes on
    }
    if (!isnan(nfe)) {
        fprintf(stderr, "  NFE %.0f+%.0f", nfe, evn_metrics_value(m, "nfe_backward"));
    }
    fprintf(stderr, "  %.2f s\n", evn_metrics_value(m, "seconds"));
    tell_stiffness(epoch);
    tell_switch(name, epoch);
}

bool evn__console_fallback(const evn_phase *phases, const evn_epoch *epoch) {
    double far = evn_metrics_value(&epoch->metrics, "fell_back");
    if (isnan(far)) {
        return false;
    }
    fprintf(stderr,
            "evonode: warning: epoch %d, phase %s: the backward solve ended %.0f %% away from "
            "the true start, so that its gradient is not to be trusted: from here on the gradients "
            "of this phase are taken from checkpoints; fallback=none ends the training instead\n",
            epoch->epoch + 1, phases[epoch->phase].name, 100 * far);
    return true;
}

static bool tell_apart(const evn_phase *phases, const evn_epoch *epoch) {
    double apart = evn_metrics_value(&epoch->metrics, "states_apart");
    if (!(apart > EVN_MOST_APART)) { // also where there is none
        return false;
    }
    fprintf(
        stderr,
        "evonode: warning: epoch %d, phase %s: the two states of the reversible method end %.3g "
        "times their size apart, so that neither is to be trusted, nor their gradient: it is not "
        "for what decays; use a checkpointed phase\n",
        epoch->epoch + 1, phases[epoch->phase].name, apart);
    return true;
}

bool evn__console_reconstruction(const evn_phase *phases, const evn_epoch *epoch) {
    double x = evn_metrics_value(&epoch->metrics, "x_reconstruction");
    double theta = evn_metrics_value(&epoch->metrics, "theta_reconstruction");
    double worst = fmax(x, theta);
    if (!(worst > RECONSTRUCTION_LIMIT)) { // also where there is none
        return tell_apart(phases, epoch);
    }
    char far[64] = "does not stay finite on its way to";
    if (isfinite(worst)) {
        evn__print(far, sizeof(far), "ends %.0f %% away from", 100 * worst);
    }
    fprintf(stderr,
            "evonode: warning: epoch %d, phase %s: the backward solve %s the true %s at t = 0, so "
            "that its gradient is not to be trusted; use a checkpointed phase, or give this one "
            "reconstruction=%g,fallback=checkpointed\n",
            epoch->epoch + 1, phases[epoch->phase].name, far,
            x >= theta ? "state" : "evolving weights", RECONSTRUCTION_LIMIT);
    return true;
}

void evn__console_resumed(const char *unit, int done, int all) {
    evn__console_clear();
    if (done == 0) {
        fprintf(stderr, "begins again: no checkpoint was written yet\n");
    } else {
        fprintf(stderr, "resumes after %s %d of %d\n", unit, done, all);
    }
}

void evn__console_finished(const char *folder) {
    fprintf(stderr, "the run in %s is finished: nothing is left to do; evonode eval %s tests it\n",
            folder, folder);
}

void evn__console_lost(const char *folder, int listed, int done) {
    if (listed < done) {
        fprintf(stderr,
                "evonode: warning: %s/metrics.jsonl has only the first %d of the %d that are done; "
                "the lines of the others are lost\n",
                folder, listed, done);
    }
}

void evn__console_older(const char *reason) {
    evn__console_clear();
    fprintf(stderr, "evonode: warning: %s; the run goes on from the checkpoint before\n", reason);
}

void evn__console_unfinished(const char *folder) {
    fprintf(stderr,
            "evonode: warning: the run in %s is not finished: its parameters are those where it "
            "was stopped\n",
            folder);
}

void evn__console_unsaved(const char *reason) {
    evn__console_clear();
    fprintf(stderr, "evonode: warning: no checkpoint: %s; training continues and will try again\n",
            reason);
}

// Tables ------------------------------------------------------------------------------------------

static void print_text(const char *name, const char *text) {
    printf("  %-24s %s\n", name, text);
}

/// All metrics whose names begin like that of the column, which ends in a star; the rest of a name
/// is a part of its title.
static void print_family(const evn__column *column, const evn_metrics *metrics) {
    size_t length = strlen(column->metric) - 1;
    char text[64], title[128], rest[EVN_METRIC_NAME];
    for (int i = 0; i < metrics->count; ++i) {
        const char *name = metrics->items[i].name;
        if (strncmp(name, column->metric, length) == 0) {
            evn__column one = *column;
            one.metric = name;
            snprintf(title, sizeof(title), "%s %s", column->title,
                     evn__printable(name + length, rest, sizeof(rest)));
            print_text(title, show(&one, metrics, text));
        }
    }
}

static void print_columns(const evn__column *columns, const evn_metrics *metrics) {
    char text[64];
    for (; columns->metric; ++columns) {
        if (columns->metric[strlen(columns->metric) - 1] == '*') {
            print_family(columns, metrics);
        } else if (show(columns, metrics, text)[0]) {
            print_text(columns->title, text);
        }
    }
}

void evn__console_summary(const evn__task_row *row, const char *folder, const evn_device *device,
                          const evn_metrics *metrics, const char *note) {
    printf("\n");
    print_columns(row->results, metrics);
    print_columns(evn__console_columns, metrics);
    print_text("device", evn_device_get_info(device)->name);
    print_text("run directory", folder);
    if (note) {
        print_text("note", note);
    }
}

static void print_figure(const evn__paper_figure *figure) {
    char text[256] = "", name[64];
    int length = 0;
    if (!isnan(figure->test_error)) {
        length = evn__print(text, sizeof(text), "%.2f %% test error, ", figure->test_error);
    }
    if (!isnan(figure->seconds_per_epoch)) {
        length += evn__print(text + length, sizeof(text) - (size_t)length, "%.2f s an epoch, ",
                             figure->seconds_per_epoch);
    }
    if (!isnan(figure->speedup)) {
        length += evn__print(text + length, sizeof(text) - (size_t)length,
                             "%.0f times as fast as the adjoint alone, ", figure->speedup);
    }
    snprintf(text + length, sizeof(text) - (size_t)length, "%s%s%s",
             figure->text ? figure->text : "", figure->text ? ", " : "", figure->source);
    snprintf(name, sizeof(name), "paper: %s", figure->name);
    print_text(name, text);
}

void evn__console_paper(const char *task, const char *model) {
    const evn__paper_figure *figure;
    for (int i = 0; (figure = evn__paper_figure_at(task, i)); ++i) {
        if (strcmp(figure->model, model ? model : "node") == 0) {
            print_figure(figure);
        }
    }
}

/// How it was solved, and where.
static void print_where(const char *folder, const char *checkpoint, const evn_device *device,
                        const evn_solver_options *solver) {
    char method[64];
    if (solver->steps > 0) {
        snprintf(method, sizeof(method), "%s, %d steps", solver->method, solver->steps);
    } else {
        evn__print(method, sizeof(method), "%s, rtol %g, atol %g", solver->method, solver->rtol,
                   solver->atol);
    }
    print_text("solver", method);
    print_text("device", evn_device_get_info(device)->name);
    print_text("run directory", folder);
    if (checkpoint) {
        print_text("checkpoint", checkpoint);
    }
}

void evn__console_evaluation(const evn__task_row *row, const char *folder, const char *checkpoint,
                             const evn_device *device, const evn_solver_options *solver,
                             const evn_metrics *metrics) {
    print_columns(row->results, metrics);
    print_columns(evn__console_columns, metrics);
    print_where(folder, checkpoint, device, solver);
}
