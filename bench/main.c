// SPDX-License-Identifier: Apache-2.0
// Kernels and training steps against the limits of the device, measured in the same run:
//     build/evonode-bench [FILE.json]
// Rows show the median of nine samples with its quartiles; a fraction of the limit is that of the
// larger of arithmetic and memory traffic. For bench/scoreboard:
//     build/evonode-bench --serve        answer its requests
//     build/evonode-bench --first-step   train on the digits for one step, and say when it is done
// For bench/decoding:
//     build/evonode-bench --decode FOLDER   read a folder of images, and print the seconds it took
// For bench/tables:
//     build/evonode-bench --table FILE      read a CSV file, and print the seconds and the sum of
//     it
#include "base/clock.h"
#include "bench/report.h"
#include "data/table.h"
#include "evonode/dataset.h"

#include <stdio.h>
#include <string.h>

static evn_status measure(evn_device *device, const bench_row *row, bench_result *result) {
    bench_job job;
    EVN_TRY(bench_job_create(device, row, &job));
    *result = (bench_result){
        .name = row->name, .flops = job.flops, .bytes = job.bytes, .nodes = job.nodes};
    evn_status status = bench_measure(device, job.work, job.user, &result->time);
    bench_job_destroy(&job);
    return status;
}

/// @param[in] path  of the JSON; NULL: the table alone
static evn_status report(evn_device *device, const char *path) {
    enum { MAX_COUNT = 32 };
    bench_result results[MAX_COUNT];
    bench_limits limits;
    int count = 0;
    const bench_row *row;
    printf("device: %s\n", evn_device_get_info(device)->name);
    EVN_TRY(bench_limits_measure(device, &limits));
    for (int i = 0; (row = bench_row_at(i)) && count < MAX_COUNT; ++i) {
        if (row->name) {
            EVN_TRY(measure(device, row, &results[count++]));
        }
    }
    bench_report_print(results, count, &limits);
    return path ? bench_report_write(path, device, results, count, &limits) : EVN_OK;
}

static evn_status run(evn_device *device, const char *argument) {
    if (argument && strcmp(argument, "--serve") == 0) {
        return bench_serve(device);
    }
    if (argument && strcmp(argument, "--first-step") == 0) {
        EVN_TRY(bench_first_step(device));
        return puts("done") < 0 || fflush(stdout) ? EVN_ERR_OUTPUT : EVN_OK;
    }
    EVN_CHECK(!argument || argument[0] != '-', EVN_ERR_USAGE,
              "unknown option '%s'; use --serve, --first-step or the name of a file", argument);
    return report(device, argument);
}

static evn_status decode(const char *folder) {
    evn_dataset *dataset;
    double begun = evn__now();
    EVN_TRY(evn_dataset_open_folder(folder, NULL, &dataset));
    printf("%.6f\n", evn__now() - begun);
    evn_dataset_destroy(&dataset);
    return EVN_OK;
}

static evn_status read_table(const char *path) {
    evn__data_table *table;
    double begun = evn__now(), seconds, sum = 0;
    EVN_TRY(evn__data_table_read(path, &table));
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

/// What needs no device: an option, and what it does with the word behind it.
static const struct {
    const char *option;
    evn_status (*run)(const char *argument);
} readers[] = {{"--decode", decode}, {"--table", read_table}};

static evn_status start(int argc, char **argv, evn_device **device) {
    for (size_t i = 0; argc == 3 && i < sizeof(readers) / sizeof(readers[0]); ++i) {
        if (strcmp(argv[1], readers[i].option) == 0) {
            return readers[i].run(argv[2]);
        }
    }
    EVN_TRY(evn_device_open(NULL, device));
    return run(*device, argc > 1 ? argv[1] : NULL);
}

int main(int argc, char **argv) {
    evn_device *device = NULL;
    evn_status status = start(argc, argv, &device);
    if (status != EVN_OK) {
        fprintf(stderr, "evonode-bench: %s\n", evn_error_message());
    }
    evn_device_close(&device);
    return (int)status;
}
