// SPDX-License-Identifier: Apache-2.0
#include "cli/task.h"

#include "cli/choices.h"
#include <stdio.h>
#include <string.h>

static const evn__task_row *const rows[] = {&evn__task_digits, &evn__task_mnist, &evn__task_folder,
                                            &evn__task_series, &evn__task_curve, &evn__task_flow,
                                            &evn__task_points};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), STAND_INS = 1 }; // which come last

const evn__task_row *evn__task_at(int index) {
    return index < ROWS ? rows[index] : NULL;
}

static const char *name_at(int index) {
    return index < ROWS - STAND_INS ? rows[index]->name : NULL;
}

const evn__task_row *evn__task_for(const evn__task_row *row, const evn__settings *settings) {
    return row->stand_in ? row->stand_in(settings) : row;
}

static const evn__task_row *row_named(const char *name) {
    for (int i = 0; i < ROWS; ++i) {
        if (strcmp(rows[i]->name, name) == 0) {
            return rows[i];
        }
    }
    return NULL;
}

evn_status evn__task_find(const char *name, evn_status missing, const evn__task_row **row) {
    char list[256];
    const evn__task_row *found = row_named(name);
    EVN_CHECK(found, missing, "unknown task '%.64s'; it should be %s", name,
              evn__choice_text(name_at, list, sizeof(list)));
    *row = found;
    return EVN_OK;
}

bool evn__task_iterates(const char *name) {
    const evn__task_row *row = row_named(name);
    return row && row->iterates;
}

// Options -----------------------------------------------------------------------------------------

static bool is_in(const char *const *names, const char *name) {
    for (; *names; ++names) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/// An option that some task lists is only for those that do.
bool evn__task_has_option(const evn__task_row *row, const char *option) {
    bool limited = false;
    for (int i = 0; i < ROWS; ++i) {
        limited = limited || is_in(rows[i]->options, option);
    }
    return !limited || is_in(row->options, option);
}

const char *evn__task_default(const evn__task_row *row, const char *option, int index) {
    for (const evn__default *d = row->defaults; d->option; ++d) {
        if (!d->preset && strcmp(d->option, option) == 0 && index-- == 0) {
            return d->value;
        }
    }
    return NULL;
}

// Columns -----------------------------------------------------------------------------------------

#define MIB (1024.0 * 1024.0)

const evn__column evn__console_columns[] = {
    {"seconds_per_epoch", "seconds an epoch", "%.4g", 1, 0, false},
    {"seconds_total", "seconds in all", "%.4g", 1, 0, false},
    {"nfe_forward", "NFE forward", "%.4g", 1, 0, false},
    {"nfe_backward", "NFE backward", "%.4g", 1, 0, false},
    {"peak_device_bytes", "peak device memory", "%.4g MiB", 1 / MIB, 0, false},
    {"longest_launch", "longest launch", "%.3g s", 1, 0, false},
    {"parameters", "parameters", "%.0f", 1, 0, false},
    {0},
};

#define PARAMETERS                                                                                 \
    { "parameters", "parameters", "%.0f", 1, 0, false }
#define FORWARD                                                                                    \
    { "nfe_forward", "NFE forward", "%.1f", 1, 0, false }
#define BACKWARD                                                                                   \
    { "nfe_backward", "backward", "%.1f", 1, 0, false }
#define MEMORY                                                                                     \
    { "peak_device_bytes", "peak MiB", "%.4g", 1 / MIB, 0, false }

const evn__column evn__compared_columns[] = {
    PARAMETERS, FORWARD, BACKWARD, {"seconds_per_epoch", "s/epoch", "%.4g", 1, 0, false},
    MEMORY,     {0}};

const evn__column evn__compared_iteration_columns[] = {
    PARAMETERS,
    FORWARD,
    BACKWARD,
    {"seconds_per_epoch", "s/iteration", "%.3g", 1, 0, false},
    {"seconds_total", "s in all", "%.4g", 1, 0, false},
    MEMORY,
    {0}};

double evn__column_value(const evn__column *column, double value) {
    return column->scale * value + column->shift;
}
