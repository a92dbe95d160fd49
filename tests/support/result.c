// SPDX-License-Identifier: Apache-2.0
#include "result.h"

#include "base/files.h"
#include "bench/suite.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *about(const char *vendor, const char *device) {
    json_t *all = json_pack("{s:s, s:s, s:b, s:n, s:{s:s, s:[]}, s:{s:s, s:s, s:s, s:i}}",
                            "evonode", "0.1.0", "date", "2026-11-29", "quick", false, "tuning",
                            "power", "source", "mains", "batteries", "host", "compiler", "gcc 12",
                            "machine", "x86-64", "system", "Linux", "processors", 2);
    json_t *info = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", device, "type", "gpu",
                             "vendor", vendor, "driver", "3.1", "version", "OpenCL 3.0", "platform",
                             "A platform", "platform_version", "OpenCL 3.0 / LLVM 15");
    json_t *numbers = json_pack("{s:i, s:i, s:I, s:I, s:b, s:b}", "compute_units", 8, "clock_mhz",
                                1500, "global_bytes", (json_int_t)8 << 30, "local_bytes",
                                (json_int_t)65536, "fp64", true, "fp16", false);
    json_object_update_new(info, numbers);
    json_object_set_new(all, "device", info);
    json_object_set_new(all, "selftest",
                        json_pack("{s:i, s:[{s:s, s:i, s:i}]}", "wrong", 0, "families", "family",
                                  "matmul", "cases", 5, "wrong", 0));
    ck_assert_ptr_nonnull(all);
    return all;
}

static void add(evn__bench_record *record, const char *key, const char *group, double seconds,
                double flops, double bytes) {
    evn__bench_result row = {.flops = flops,
                             .bytes = bytes,
                             .fraction = NAN,
                             .difference = NAN,
                             .tolerance = NAN,
                             .speed = 1e11};
    snprintf(row.key, sizeof(row.key), "%s", key);
    snprintf(row.name, sizeof(row.name), "the row %s", key);
    snprintf(row.group, sizeof(row.group), "%s", group);
    row.time.count = EVN__BENCH_SAMPLES;
    row.time.repetitions = 1;
    for (int i = 0; i < EVN__BENCH_SAMPLES; ++i) {
        row.time.samples[i] = seconds * (1 + 0.01 * (i % 5 - 2));
    }
    evn__bench_summarise(&row.time);
    TRY(evn__bench_record_add(record, &row));
}

evn__bench_result *test_result_row(evn__bench_record *record, const char *key) {
    for (int i = 0; i < record->count; ++i) {
        if (strcmp(record->rows[i].key, key) == 0) {
            return &record->rows[i];
        }
    }
    ck_abort_msg("there is no row %s", key);
    return NULL;
}

void test_result(const char *vendor, const char *device, double factor, evn__bench_record *record) {
    *record = (evn__bench_record){.about = about(vendor, device)};
    record->limits = (evn__bench_limits){1e12 / factor, 1e11 / factor};
    add(record, "limit_fp32", "limits", 1e-3 * factor, 1e9, 0);
    add(record, "limit_memory", "limits", 2e-3 * factor, 0, 2e8);
    add(record, "conv2d", "kernels", 1e-3 * factor, 5e8, 1e6);
    add(record, "mnist_euler", "training steps", 1e-2 * factor, 0, 0);
    evn__bench_result *kernel = test_result_row(record, "conv2d");
    kernel->difference = 1e-6;
    kernel->tolerance = 1e-5;
    kernel->fraction = 0.5;
    add(record, "limit_fp16", "limits", 1, 0, 0);
    evn__bench_result *lacking = test_result_row(record, "limit_fp16");
    lacking->time.count = 0;
    lacking->lacking = true;
    snprintf(lacking->reason, sizeof(lacking->reason), "the device does not compute in fp16");
}

void test_result_write(const evn__bench_record *record, const char *path) {
    char folder[1024], *text;
    snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = 0;
    TRY(evn__folder_make(folder, 0777));
    TRY(evn__bench_record_print(record, &text));
    TRY(evn__file_write(path, text, strlen(text)));
    free(text);
}
