// SPDX-License-Identifier: Apache-2.0
#include "layered.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A number of the summary that the last process of a run wrote; fails where it is missing.
static long long counted(const char *summary, const char *name) {
    char line[64] = "\n";
    strncat(strncat(line, name, 32), " ", 2);
    const char *last = NULL;
    for (const char *at = summary; (at = strstr(at, line)); ++at) {
        last = at;
    }
    ck_assert_msg(last, "no %s in\n%s", name, summary);
    return strtoll(last + strlen(line), NULL, 10);
}

static const char *self; ///< this program

static const char *const kinds[] = {"contexts", "queues",  "buffers",
                                    "programs", "kernels", "events"};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static long long counted_left(const char *summary, const char *kind) {
    char name[64];
    snprintf(name, sizeof(name), "%s_left", kind);
    return counted(summary, name);
}

/// Run another case in a process of its own, which ends with the summary; freed by the caller.
static char *summary_of(const char *name) {
    char path[TEST_PATH];
    char command[8 * TEST_PATH];
    snprintf(command, sizeof(command), "env %s CK_RUN_CASE=%s '%s'",
             test_layer_variables("EVN_LAYER_COUNT='%s'", test_path(path, "summary")), name, self);
    ck_assert_int_eq(system(command), 0);
    return test_read("summary", NULL);
}

// What runs there ---------------------------------------------------------------------------------

static const char TWICE[] = "__kernel void k(__global int *y) { y[get_global_id(0)] *= 2; }";

/// 64 ints to the device, doubled, and back; what is made is not released where `leak`.
static void work(bool leak) {
    int data[64] = {3};
    size_t items = 64;
    cl_int code;
    cl_event event;
    test_cl cl = test_cl_open();
    cl_kernel kernel = test_cl_kernel(&cl, TWICE, &code);
    cl_mem buffer = clCreateBuffer(cl.context, CL_MEM_READ_WRITE, sizeof(data), NULL, &code);
    clEnqueueWriteBuffer(cl.queue, buffer, CL_FALSE, 0, sizeof(data), data, 0, NULL, &event);
    clSetKernelArg(kernel, 0, sizeof(buffer), &buffer);
    clEnqueueNDRangeKernel(cl.queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL);
    clEnqueueReadBuffer(cl.queue, buffer, CL_TRUE, 0, sizeof(int), data, 0, NULL, NULL);
    void *mapped =
        clEnqueueMapBuffer(cl.queue, buffer, CL_TRUE, CL_MAP_READ, 0, 32, 0, NULL, NULL, &code);
    clEnqueueUnmapMemObject(cl.queue, buffer, mapped, 0, NULL, NULL);
    clFinish(cl.queue);
    ck_assert_int_eq(data[0], 6);
    if (!leak) {
        clReleaseEvent(event);
        clReleaseMemObject(buffer);
        clReleaseKernel(kernel);
        test_cl_close(&cl);
    }
}

START_TEST(clean) {
    work(false);
}
END_TEST

START_TEST(leak) {
    work(true);
}
END_TEST

// The tests ---------------------------------------------------------------------------------------

START_TEST(released) {
    char *summary = summary_of("clean");
    for (int i = 0; i < KINDS; ++i) {
        ck_assert_int_eq(counted_left(summary, kinds[i]), 0);
    }
    ck_assert_int_eq(counted(summary, "launches"), 1);
    ck_assert_int_eq(counted(summary, "builds"), 1);
    ck_assert_int_eq(counted(summary, "waits"), 3); // read, map, finish
    ck_assert_int_eq(counted(summary, "writes"), 1);
    ck_assert_int_eq(counted(summary, "bytes_written"), 256);
    ck_assert_int_eq(counted(summary, "bytes_read"), 4);
    ck_assert_int_eq(counted(summary, "maps"), 1);
    ck_assert_int_eq(counted(summary, "bytes_mapped"), 32);
    ck_assert_int_eq(counted(summary, "buffers_made"), 1);
    free(summary);
}
END_TEST

/// Of each kind one is left; the program was released by test_cl_kernel.
START_TEST(leaked) {
    char *summary = summary_of("leak");
    for (int i = 0; i < KINDS; ++i) {
        ck_assert_msg(counted_left(summary, kinds[i]) == (strcmp(kinds[i], "programs") != 0), "%s",
                      kinds[i]);
    }
    free(summary);
}
END_TEST

/// Bytes that a training of so many iterations copies to the device, and the number of its maps.
static void counts_of(const char *task, int iterations, long long counts[2]) {
    char path[TEST_PATH], file[32];
    snprintf(file, sizeof(file), "copies%d", iterations);
    remove(test_path(path, "%s", file));
    test_outcome result =
        test_program(test_layer_variables("EVN_LAYER_COUNT='%s'", test_path(path, "%s", file)),
                     "train %s,epochs=%d --out %s.run", task, iterations, file);
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *summary = test_read(file, NULL);
    counts[0] = counted(summary, "bytes_written");
    counts[1] = counted(summary, "maps");
    free(summary);
    char command[2 * TEST_PATH];
    snprintf(command, sizeof(command), "rm -r '%s.run'", test_path(path, "%s", file));
    ck_assert_int_eq(system(command), 0);
}

/// Where the device shares the host's memory no batch is copied, in either direction: each is
/// mapped, and so are its results. What is read are checkpoints, which are written by time.
START_TEST(batches_are_not_copied) {
    enum { FEW = 2, MANY = 6 };
    static const char flow[] = "flow --batch 64 --phase backprop:solver=rk4,steps=2";
    if (!evn_device_get_info(test_device())->unified) {
        return;
    }
    long long few[2], many[2];
    counts_of(flow, FEW, few);
    counts_of(flow, MANY, many);
    ck_assert_int_eq(few[0], many[0]);
    ck_assert_int_eq(many[1] - few[1], 2 * (MANY - FEW));
}
END_TEST

enum { COLUMNS = 8 };

/// A series of so many rows; the bytes that its training copies to the device.
static long long series_bytes(int rows) {
    enum { LINE = 16 * (COLUMNS + 1) };
    char *text = calloc((size_t)rows + 1, LINE), *at = text;
    long long counts[2];
    at += sprintf(at, "t");
    for (int k = 0; k < COLUMNS; ++k) {
        at += sprintf(at, ",x%d", k);
    }
    for (int i = 0; i < rows; ++i) {
        at += sprintf(at, "\n%d", i);
        for (int k = 0; k < COLUMNS; ++k) {
            at += sprintf(at, ",%d", (7 * i + 3 * k) % 11);
        }
    }
    test_write("s.csv", text, (size_t)(at - text));
    free(text);
    counts_of(
        "series --data s.csv --window 0 --holdout 0 --phase checkpointed:solver=euler,steps=64", 2,
        counts);
    ck_assert_int_gt(counts[1], 0);
    return counts[0];
}

/// Neither are trajectories, which are loaded once: of one row more the device is told its time and
/// where its step begins.
START_TEST(trajectories_are_not_copied) {
    enum { FEW = 33, MANY = 65, ROW = COLUMNS * sizeof(float) };
    if (!evn_device_get_info(test_device())->unified) {
        return;
    }
    long long few = series_bytes(FEW), many = series_bytes(MANY);
    printf("%lld and %lld bytes\n", few, many);
    ck_assert_int_lt(many - few, (MANY - FEW) * ROW);
}
END_TEST

/// evonode releases what it makes, in training and after an error.
static void check_run(int code, const char *fault, const char *command) {
    char path[TEST_PATH];
    test_outcome result = test_program(
        test_layer_variables("%sEVN_LAYER_COUNT='%s'", fault, test_path(path, "summary")), "%s",
        command);
    ck_assert_msg(result.code == code, "%s", result.err);
    char *summary = test_read("summary", NULL);
    ck_assert_int_gt(counted(summary, "contexts_made"), 0);
    for (int i = 0; i < KINDS; ++i) {
        ck_assert_msg(counted_left(summary, kinds[i]) == 0, "%s: %lld %s are left", command,
                      counted_left(summary, kinds[i]), kinds[i]);
    }
    free(summary);
}

START_TEST(training) {
    check_run(0, "", "train curve --phase backprop:epochs=1 --phase adjoint:epochs=1 --out r");
    check_run(0, "", "eval r");
    check_run(EVN_ERR_DEVICE, "EVN_LAYER_FAULT=clEnqueueNDRangeKernel:2:-5 ",
              "train curve --phase backprop:epochs=1 --out failed");
}
END_TEST

int main(int count, char **arguments) {
    self = count > 0 ? arguments[0] : NULL;
    Suite *suite = suite_create("count");
    test_add(suite, tcase_create("clean"), clean);
    test_add(suite, tcase_create("leak"), leak);
    test_add(suite, tcase_create("released"), released);
    test_add(suite, tcase_create("leaked"), leaked);
    test_add(suite, tcase_create("training"), training);
    test_add(suite, tcase_create("batches_are_not_copied"), batches_are_not_copied);
    test_add(suite, tcase_create("trajectories_are_not_copied"), trajectories_are_not_copied);
    return test_run(suite);
}
