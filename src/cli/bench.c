// SPDX-License-Identifier: Apache-2.0
// Measuring a device, and what the scripts of bench/ ask for. Comparing: bench_compare.c.
#include "cli/bench.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/number.h"
#include "bench/about.h"
#include "bench/submission.h"
#include "bench/suite.h"
#include "cli/open_device.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "data/table.h"
#include "evonode/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Rows as they come -------------------------------------------------------------------------------

/// "539.2 GF/s" of arithmetic, else "50.1 GB/s" of memory; "" where neither is known.
static void print_rate(const evn__bench_result *row, char *text, size_t size) {
    bool arithmetic = row->flops > 0;
    double rate = (arithmetic ? row->flops : row->bytes) / row->time.median;
    text[0] = 0;
    if (rate > 0) {
        evn__print(text, size, "%.1f %s", 1e-9 * rate, arithmetic ? "GF/s" : "GB/s");
    }
}

static const char *number(char *text, size_t size, const char *format, double value) {
    evn__print(text, size, format, value);
    return isnan(value) ? "" : text;
}

static void print_row(void *user, const evn__bench_record *record, const evn__bench_result *row) {
    char rate[24], share[16], difference[16], drift[24] = "";
    FILE *notes = user;
    (void)record;
    if (row->time.count == 0) {
        fprintf(notes, "  %-38s %s%s\n", row->name,
                row->lacking ? "not measured: " : "FAILED: ", row->reason);
        return;
    }
    print_rate(row, rate, sizeof(rate));
    if (fabs(row->time.drift) > EVN__BENCH_DRIFT) {
        evn__print(drift, sizeof(drift), "  drift %+.0f %%", 100 * row->time.drift);
    }
    fprintf(notes, "  %-38s %10.4g  %9.4g-%-9.4g %13s %6s %7.0f %8s%s%s", row->name,
            1e3 * row->time.median, 1e3 * row->time.low, 1e3 * row->time.high, rate,
            number(share, sizeof(share), "%.0f %%", 100 * row->fraction), row->time.launches,
            number(difference, sizeof(difference), "%.0e", row->difference),
            row->difference > row->tolerance ? " WRONG" : "", drift);
    if (row->time.count < EVN__BENCH_SAMPLES) {
        fprintf(notes, "  %d samples", row->time.count);
    }
    fprintf(notes, "\n");
    fflush(notes);
}

// What the whole says -----------------------------------------------------------------------------

/// n of time ∝ nodesⁿ, from the smallest graph to the largest; NaN where there are not two.
static double planning_exponent(const evn__bench_record *record) {
    const evn__bench_result *first = NULL, *last = NULL;
    for (int i = 0; i < record->count; ++i) {
        if (record->rows[i].nodes > 0) {
            first = first ? first : &record->rows[i];
            last = &record->rows[i];
        }
    }
    return first == last
               ? NAN
               : log(last->time.median / first->time.median) / log(last->nodes / first->nodes);
}

static void print_end(const evn__bench_record *record, FILE *notes) {
    double exponent = planning_exponent(record), steady = evn__bench_steadiness(record);
    const json_t *power = json_object_get(record->about, "power");
    const char *source = json_string_value(json_object_get(power, "source"));
    const json_t *selftest = json_object_get(record->about, "selftest");
    fprintf(notes, "\n");
    if (!isnan(exponent)) {
        fprintf(notes, "  time to plan grows as nodes to the %.2f\n", exponent);
    }
    if (steady < 1 - EVN__BENCH_DRIFT) {
        fprintf(notes,
                "  the device's own speed fell to %.0f %% of its best between rows: clocks, heat, "
                "or others who compute\n",
                100 * steady);
    }
    if (source && strcmp(source, "battery") == 0) {
        fprintf(notes, "  measured on a battery: plug it in to measure again\n");
    }
    if (selftest) {
        fprintf(notes, "  self-test: %d wrong\n",
                (int)json_integer_value(json_object_get(selftest, "wrong")));
    }
}

/// The first row that is wrong, after all of them were told.
static evn_status check_right(const evn__bench_record *record) {
    for (int i = 0; i < record->count; ++i) {
        const evn__bench_result *row = &record->rows[i];
        EVN_CHECK(!(row->difference > row->tolerance), EVN_ERR_DEVICE,
                  "the row %s differs from the reference by %.1e, over %.1e: the device computes "
                  "wrongly; see evonode selftest",
                  row->key, row->difference, row->tolerance);
    }
    return EVN_OK;
}

/// The first row that could not run, though the device has what it needs.
static evn_status check_whole(const evn__bench_record *record) {
    for (int i = 0; i < record->count; ++i) {
        const evn__bench_result *row = &record->rows[i];
        EVN_CHECK(row->time.count > 0 || row->lacking, row->status, "the row %s failed: %s",
                  row->key, row->reason);
    }
    return EVN_OK;
}

// Files -------------------------------------------------------------------------------------------

static evn_status write_record(const evn__bench_record *record, const char *path) {
    char *json = NULL;
    evn__text text = {0};
    EVN_TRY(evn__bench_record_print(record, &json));
    evn__text_append(&text, "%s\n", json);
    free(json);
    EVN_TRY(evn__output_write(&text, path));
    fprintf(evn__output_notes(path), "  written: %s\n", path);
    return EVN_OK;
}

static evn_status make_folder_of(const char *path) {
    char *folder = strdup(path);
    EVN_CHECK(folder, EVN_ERR_MEMORY, "no memory for a path");
    *strrchr(folder, '/') = 0;
    evn_status status = evn__folder_make(folder, 0777);
    free(folder);
    return status;
}

static evn_status submit(const evn__bench_record *record, const char *folder) {
    evn__text path = {0};
    evn_status status = evn__bench_submission_place(folder, record->about, &path);
    if (status == EVN_OK) {
        status = evn__bench_submission_check(path.data, record);
    }
    if (status == EVN_OK) {
        status = make_folder_of(path.data);
    }
    if (status == EVN_OK) {
        status = write_record(record, path.data);
    }
    free(path.data);
    return status;
}

/// Whether there will be a place for the result, before minutes are spent on it.
static evn_status check_place(evn_device *device, const evn__settings *given) {
    json_t *about = NULL;
    evn__text path = {0};
    if (!given->submit) {
        return EVN_OK;
    }
    EVN_TRY(evn__bench_about(device, false, false, &about));
    evn_status status = evn__bench_submission_place(given->submit, about, &path);
    free(path.data);
    json_decref(about);
    return status;
}

// Measuring ---------------------------------------------------------------------------------------

/// A row that says why it could not run belongs into a result, and ends the command with its code
/// all the same; what is wrong is not handed in.
static evn_status finish(const evn__bench_record *record, const evn__settings *given) {
    print_end(record, evn__output_notes(given->json_file));
    EVN_TRY(given->json_file ? write_record(record, given->json_file) : EVN_OK);
    EVN_TRY(check_right(record));
    EVN_TRY(given->submit ? submit(record, given->submit) : EVN_OK);
    return check_whole(record);
}

static evn_status measure(evn_device *device, const evn__settings *given) {
    const evn_device_info *info = evn_device_get_info(device);
    FILE *notes = evn__output_notes(given->json_file);
    evn__bench_record record;
    const evn__bench_options options = {.rows = given->rows,
                                        .quick = given->quick,
                                        .selftest = given->json_file || given->submit,
                                        .report = print_row,
                                        .user = notes};
    EVN_TRY(evn__bench_options_check(&options));
    EVN_TRY(check_place(device, given));
    fprintf(notes, "%s, driver %s\n\n  %-38s %10s  %-19s %13s %6s %7s %8s\n", info->name,
            info->driver, "row", "median ms", "    quartiles", "rate", "limit", "launch", "error");
    fflush(notes);
    evn_status status = evn__bench_run(device, &options, &record);
    if (status == EVN_OK) {
        status = finish(&record, given);
    }
    evn__bench_record_free(&record);
    return status;
}

// For the scripts of bench/ -----------------------------------------------------------------------

static evn_status serve(evn_device *device, const evn__settings *given) {
    (void)given;
    return evn__bench_serve(device);
}

static evn_status first_step(evn_device *device, const evn__settings *given) {
    (void)given;
    EVN_TRY(evn__bench_first_step(device));
    printf("done\n");
    EVN_CHECK(fflush(stdout) == 0, EVN_ERR_OUTPUT, "standard output cannot be written");
    return EVN_OK;
}

static evn_status decode(evn_device *device, const evn__settings *given) {
    evn_dataset *dataset;
    double begun = evn__now();
    (void)device;
    EVN_TRY(evn_dataset_open_folder(given->subjects[1], NULL, &dataset));
    printf("%.6f\n", evn__now() - begun);
    evn_dataset_destroy(&dataset);
    return EVN_OK;
}

static evn_status read_table(evn_device *device, const evn__settings *given) {
    evn__data_table *table;
    double begun = evn__now(), seconds, sum = 0;
    (void)device;
    EVN_TRY(evn__data_table_read(given->subjects[1], &table));
    seconds = evn__now() - begun;
    for (int i = 0; i < table->column_count; ++i) {
        for (int64_t row = 0; row < table->row_count; ++row) {
            sum += table->columns[i].values[row];
        }
    }
    printf("%.6f %.17g\n", seconds, sum);
    evn__data_table_destroy(&table);
    return EVN_OK;
}

// Modes -------------------------------------------------------------------------------------------

enum { MODE_MEASURES = 1, MODE_COMPARES = 2 };

static const struct mode {
    const char *name;
    int least, most; ///< files
    bool computes;   ///< on a device
    int takes;       ///< options of MODE_…
    evn_status (*run)(evn_device *device, const evn__settings *given);
} modes[] = {
    {"", 0, 0, true, MODE_MEASURES, measure},
    {"compare", 1, 25, false, MODE_COMPARES, evn__bench_compare_files},
    {"check", 1, 1000000, false, 0, evn__bench_check_files},
    {"serve", 0, 0, true, 0, serve},
    {"first-step", 0, 0, true, 0, first_step},
    {"decode", 1, 1, false, 0, decode},
    {"table", 1, 1, false, 0, read_table},
};
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static evn_status find_mode(const evn__settings *given, const struct mode **mode) {
    const char *word = given->subject ? given->subject : "";
    for (int i = 0; i < MODES; ++i) {
        if (strcmp(modes[i].name, word) == 0) {
            *mode = &modes[i];
            return EVN_OK;
        }
    }
    EVN_FAIL(EVN_ERR_USAGE, "bench has no '%s'; it should be nothing, compare or check", word);
}

static evn_status check_options(const struct mode *mode, const evn__settings *given) {
    bool measuring = given->rows || given->quick || given->json_file || given->submit;
    bool comparing = given->markdown || given->html || given->baseline || !isnan(given->tolerance);
    int files = given->subject_count > 0 ? given->subject_count - 1 : 0;
    EVN_CHECK(!measuring || mode->takes == MODE_MEASURES, EVN_ERR_USAGE,
              "--rows, --quick, --json and --submit are for measuring, not for bench %s",
              mode->name);
    EVN_CHECK(!comparing || mode->takes == MODE_COMPARES, EVN_ERR_USAGE,
              "--markdown, --html, --baseline and --tolerance are for evonode bench compare");
    EVN_CHECK(!given->submit || (!given->rows && !given->quick), EVN_ERR_USAGE,
              "--submit is of all rows at full length; leave --rows and --quick out");
    EVN_CHECK(files >= mode->least && files <= mode->most, EVN_ERR_USAGE,
              "bench %s takes %d to %d files; there are %d", mode->name, mode->least, mode->most,
              files);
    return EVN_OK;
}

static evn_status run(const evn__command *command) {
    const evn__settings *given = command->settings;
    const struct mode *mode;
    evn_device *device = NULL;
    EVN_TRY(find_mode(given, &mode));
    EVN_TRY(check_options(mode, given));
    EVN_TRY(mode->computes ? evn__open_device(given, &device) : EVN_OK);
    evn_status status = mode->run(device, given);
    evn_device_close(&device);
    return status;
}

const evn__verb evn__verb_bench = {
    "bench",
    "[compare FILE...]",
    "measure a device: limits, kernels, steps, training; compare results",
    EVN__VERB_BENCH,
    run,
    "\nEach row has the median and the quartiles of 20 samples after a warm-up, in milliseconds of "
    "a\n"
    "repetition; its share of the device's own limits, measured in the same run; launches; the\n"
    "largest difference from plain C, of kernels, steps and training steps; and a word where the "
    "last third of the samples\n"
    "differs from the first by more than 5 %. The last row is the time to 97.5 % of the built-in\n"
    "digits. What cannot run says why. Nothing else should compute meanwhile.\n"
    "\nbench compare FILE... shows results of --json side by side, with ratios to the first, or "
    "to\n"
    "the --baseline; with it a row that is slower by more than --tolerance and by more than the\n"
    "spread ends it with 18.\n"
    "\nbench --submit measures all rows and writes results/VENDOR/DEVICE-DRIVER-DATE.json, for a\n"
    "pull request; bench check FILE... says whether such files can be taken.\n"};
