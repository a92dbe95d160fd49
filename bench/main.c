// SPDX-License-Identifier: Apache-2.0
// Kernels and training steps against the limits of the device, measured in the same run:
//     build/evonode-bench [FILE.json]
// Rows show the median of nine samples with its quartiles; a fraction of the limit is that of the
// larger of arithmetic and memory traffic. For bench/scoreboard:
//     build/evonode-bench --serve        answer its requests
//     build/evonode-bench --first-step   train on the digits for one step, and say when it is done
// For bench/decoding:
//     build/evonode-bench --decode FOLDER   read a folder of images, and print the seconds it took
#include "base/clock.h"
#include "bench/report.h"
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

int main(int argc, char **argv) {
    evn_device *device = NULL;
    bool decodes = argc == 3 && strcmp(argv[1], "--decode") == 0;
    evn_status status = decodes ? decode(argv[2]) : evn_device_open(NULL, &device);
    if (status == EVN_OK && !decodes) {
        status = run(device, argc > 1 ? argv[1] : NULL);
    }
    if (status != EVN_OK) {
        fprintf(stderr, "evonode-bench: %s\n", evn_error_message());
    }
    evn_device_close(&device);
    return (int)status;
}
