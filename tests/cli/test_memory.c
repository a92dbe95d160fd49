// SPDX-License-Identifier: Apache-2.0
// The device memory of a training: known before it starts, refused where it does not fit, and kept
// below a limit by computing batches in parts.
#include "base/files.h"
#include "layered.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double MIB = 1024 * 1024;

static void write_series(void) {
    static const char rows[] = "t,x,y\n0,1,0\n0.4,0.9,0.4\n1,,0.8\n1.3,0.3,1\n2.1,-0.5,0.9\n"
                               "2.4,-0.7,\n3,-1,0.1\n3.7,-0.8,-0.5\n4.4,-0.3,-1\n";
    test_write("s.csv", rows, strlen(rows));
}

/// MiB that a dry run says.
static double needed(const char *words) {
    test_outcome result = test_program("", "train %s --dry-run", words);
    ck_assert_msg(result.code == 0, "%s: %s", words, result.err);
    const char *line = strstr(result.out, "device memory  ");
    ck_assert_msg(line, "%s", result.out);
    return strtod(line + strlen("device memory  "), NULL);
}

/// MiB that the training into that folder takes.
static double measured(const char *words, const char *folder) {
    char name[64];
    test_outcome result = test_program("", "train %s --out %s", words, folder);
    ck_assert_msg(result.code == 0, "%s: %s", words, result.err);
    snprintf(name, sizeof(name), "%s/summary.json", folder);
    json_t *summary = test_json(name);
    double peak = test_number(summary, "peak_device_bytes") / MIB;
    json_decref(summary);
    return peak;
}

static void check_peak(const char *words, const char *folder) {
    double before = needed(words);
    double after = measured(words, folder);
    printf("%s: %.4g MiB said, %.4g MiB measured\n", words, before, after);
    ck_assert_double_eq_tol(before / after, 1, 1e-3); // it has four digits
}

/// The adjoint at tolerances at which it does not fall back, which needs more.
static void check_peaks(const char *task) {
    static const char *const gradients[] = {
        "--phase backprop:steps=2,epochs=1", "--phase checkpointed:steps=2,epochs=2",
        "--phase adjoint:epochs=1,rtol=1e-5,atol=1e-5",
        "--phase backprop:steps=4,epochs=1 --phase adjoint:epochs=1,rtol=1e-5,atol=1e-5"};
    char words[512], folder[32];
    for (int i = 0; i < 4; ++i) {
        snprintf(words, sizeof(words), "%s %s", task, gradients[i]);
        snprintf(folder, sizeof(folder), "r%d", i);
        check_peak(words, folder);
    }
}

START_TEST(peak_of_images) {
    check_peaks("digits --filters 8 --batch 32 --limit 64");
    ck_assert(!test_exists("runs")); // nor has a dry run left anything
}
END_TEST

START_TEST(peak_of_a_curve) {
    check_peaks("curve --width 16");
}
END_TEST

START_TEST(peak_of_a_flow) {
    check_peaks("flow --batch 32");
}
END_TEST

START_TEST(peak_of_series) {
    write_series();
    check_peaks("series --data s.csv --window 3 --f mlp:8");
}
END_TEST

/// Steps that are kept, whose number nobody knows before a batch is solved: many more than 16.
static void check_adaptive_peaks(const char *task, const char *const *gradients, int count) {
    char words[512], folder[32];
    for (int i = 0; i < count; ++i) {
        snprintf(words, sizeof(words),
                 "%s --phase %ssolver=dopri5,steps=0,rtol=1e-6,atol=1e-6,epochs=1", task,
                 gradients[i]);
        snprintf(folder, sizeof(folder), "r%d", i);
        check_peak(words, folder);
    }
}

START_TEST(adaptive_peaks_of_images) {
    static const char *const gradients[] = {"backprop:", "checkpointed:checkpoints=4,",
                                            "backprop:per-sample,"};
    check_adaptive_peaks("digits --filters 8 --batch 32 --limit 64", gradients, 3);
}
END_TEST

START_TEST(adaptive_peaks_of_a_flow) {
    static const char *const gradients[] = {
        "checkpointed:", "adjoint-quadrature:", "adjoint:fallback=checkpointed,"};
    check_adaptive_peaks("flow --batch 32", gradients, 3);
}
END_TEST

START_TEST(adaptive_peaks_of_a_curve) {
    static const char *const gradients[] = {"backprop:", "adjoint:fallback=checkpointed,"};
    check_adaptive_peaks("curve --width 16", gradients, 2);
}
END_TEST

/// Of rejected attempts memory is needed by sample alone: of this solve many are at first.
START_TEST(rejected_attempts_are_not_kept) {
    test_outcome result = test_program(
        "", "train digits --filters 2 --batch 4 --limit 8 --dry-run --phase backprop:epochs=1,"
            "solver=dopri5,steps=0,rtol=1e-6,atol=1e-6,dt-first=1,min-factor=0.95");
    ck_assert_msg(result.code == 0, "%s", result.err);
    const char *at = strstr(result.out, "for solves of up to ");
    ck_assert_msg(at, "%s", result.out);
    ck_assert_int_lt(strtol(at + strlen("for solves of up to "), NULL, 10), 40);
}
END_TEST

/// MiB that are said behind the words "; " and before others; 0: nothing is.
static double said_before(const char *text, const char *words) {
    const char *at = strstr(text, words);
    while (at && at > text && strncmp(at, "; ", 2) != 0) {
        --at;
    }
    return at && at > text ? strtod(at + 2, NULL) : 0;
}

/// An adjoint that cannot be trusted goes on from checkpoints: a dry run says what they take.
START_TEST(peak_behind_a_fall) {
    static const char words[] = "digits --limit 64 --filters 8 --phase "
                                "adjoint:epochs=3,rtol=1e-2,atol=1e-2,lr=0.5";
    test_outcome result = test_program("", "train %s --dry-run", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
    double said = said_before(result.out, " MiB where the adjoint falls back");
    double peak = measured(words, "r");
    char *lines = test_read("r/metrics.jsonl", NULL);
    ck_assert_msg(strstr(lines, "fell_back") != NULL, "%s", lines);
    free(lines);
    printf("%.4g MiB said, %.4g MiB measured\n", said, peak);
    ck_assert_double_eq_tol(said / peak, 1, 0.05);

    char limited[256]; // it has room as it is, not once it has fallen back
    snprintf(limited, sizeof(limited), "%s --memory-limit %.0fK", words, 0.9 * said * 1024);
    ck_assert_double_lt(needed(words), 0.9 * said);
    ck_assert_double_le(measured(limited, "s"), 0.9 * said);
    result = test_program("", "train %s --micro-batches 1 --dry-run", limited);
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "where the adjoint falls back on checkpoints");
    result = test_program("", "train digits --limit 64 --phase backprop:steps=2 --dry-run");
    ck_assert_double_eq(said_before(result.out, " MiB where the adjoint falls back"), 0);
}
END_TEST

/// The same of a device that has too little: who asks for no limit takes the chance.
START_TEST(auto_has_room_for_a_fall) {
    static const char words[] = "digits --limit 64 --filters 8 --micro-batches 1 --dry-run --phase "
                                "adjoint:epochs=3,rtol=1e-2,atol=1e-2";
    char path[TEST_PATH], line[64];
    const char *const costume = "EVN_LAYER_COSTUME='%s'";
    test_outcome result = test_program(
        test_layer_variables(costume, test_profile(path, "cpu_avx2")), "train %s", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
    double said = said_before(result.out, " MiB where the adjoint falls back");
    snprintf(line, sizeof(line), "global_bytes = %.0f", 0.95 * said * MIB * 4 / 3);
    test_changed_profile(path, "cpu_avx2", line);
    result = test_program(test_layer_variables(costume, path), "train %s", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
    result =
        test_program(test_layer_variables(costume, path), "train %s --memory-limit auto", words);
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "where the adjoint falls back on checkpoints");
}
END_TEST

/// An option's number in what a refusal says would fit.
static int64_t advised(const char *text, const char *option) {
    const char *at = strstr(text, option);
    ck_assert_msg(at, "no %s in: %s", option, text);
    return strtoll(at + strlen(option), NULL, 10);
}

START_TEST(what_does_not_fit_is_refused) {
    // Steps keep 80 GiB of batches, and of a batch of one little.
    static const char large[] = "digits --model node --filters 64 --phase backprop:steps=2000";
    char words[256];
    test_outcome result = test_program("", "train %s --batch 1024 --out r", large);
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "training needs device memory of");
    ck_assert_ptr_nonnull(strstr(result.err, "adjoint phases"));
    ck_assert(!test_exists("r"));
    int64_t batch = advised(result.err, "--batch ");
    ck_assert_int_ge(batch, 1);
    snprintf(words, sizeof(words), "%s --batch %lld", large, (long long)batch);
    ck_assert_double_gt(needed(words), 0);
    result = test_program("", "train %s --batch %lld --dry-run", large, (long long)batch * 2 + 2);
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "what fits: --batch ");

    result = test_program("", "train digits --memory-limit 64K");
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "with one sample at a time");
    result = test_program("", "train curve --memory-limit 64K");
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "--memory-limit is 64 KiB");
    result = test_program("", "train digits --memory-limit 64X");
    test_fails_with(result, EVN_ERR_USAGE, "--memory-limit is '64X'");
    result = test_program("", "train images --data /nonexistent --memory-limit off");
    test_fails_with(result, EVN_ERR_USAGE, "--memory-limit is 'off'"); // before anything is read
    result = test_program("", "train digits --micro-batches 3");
    test_fails_with(result, EVN_ERR_USAGE, "does not divide the batch of 32");
}
END_TEST

enum { EPOCHS = 4 };

static void read_losses(const char *name, double losses[EPOCHS]) {
    char *lines = test_read(name, NULL);
    int count = 0;
    for (char *line = strtok(lines, "\n"); line && count < EPOCHS; line = strtok(NULL, "\n")) {
        json_t *epoch = json_loads(line, 0, NULL);
        losses[count++] = test_number(epoch, "train_loss");
        json_decref(epoch);
    }
    ck_assert_int_eq(count, EPOCHS);
    free(lines);
}

/// At a quarter of the peak, with the losses of whole batches.
static void check_parts(const char *trained, double tolerance) {
    double whole[EPOCHS], parts[EPOCHS];
    char words[512];
    double peak = measured(trained, "whole");
    read_losses("whole/metrics.jsonl", whole);
    snprintf(words, sizeof(words), "%s --memory-limit %.0fK", trained, peak / 4 * 1024);
    double less = measured(words, "parts");
    read_losses("parts/metrics.jsonl", parts);
    json_t *run = test_json("parts/run.json");
    double count = test_number(json_object_get(run, "options"), "micro-batches");
    json_decref(run);
    printf("%.4g MiB, then %.4g MiB in %.0f parts\n", peak, less, count);
    ck_assert_double_ge(count, 4);
    ck_assert_double_le(less, peak / 4);
    for (int i = 0; i < EPOCHS; ++i) {
        ck_assert_double_eq_tol(parts[i] / whole[i], 1, tolerance);
    }
    test_outcome result = test_program("", "eval parts");
    ck_assert_msg(result.code == 0, "%s", result.err);
}

/// With a short last batch to test on, augmentation, and steps of two batches.
START_TEST(parts_of_images) {
    check_parts("digits --filters 8 --batch 64 --limit 300 --crop 1 --elastic 0.3 --accumulate 2 "
                "--phase backprop:steps=2,epochs=4,lr=0.05",
                1e-5);
}
END_TEST

/// With noise, which has to be that of the whole batch.
START_TEST(parts_of_points) {
    check_parts("flow --batch 1024 --trace rademacher --phase backprop:steps=4,epochs=4", 1e-5);
}
END_TEST

/// Steps are chosen for a part, so that losses agree to the tolerances.
START_TEST(parts_with_adaptive_steps) {
    check_parts("flow --batch 1024 --phase "
                "backprop:solver=dopri5,steps=0,rtol=1e-5,atol=1e-5,epochs=4",
                1e-4);
}
END_TEST

/// A few images of the size of MNIST's, in grey.
START_TEST(parts_of_larger_images) {
    enum { IMAGES = 48, SIDE = 28 };
    static unsigned char pixels[64 + SIDE * SIDE];
    for (int i = 0; i < IMAGES; ++i) {
        char name[64], folder[TEST_PATH];
        TRY(evn__folder_make(test_path(folder, "images"), 0700));
        TRY(evn__folder_make(test_path(folder, "images/%c", 'a' + i % 2), 0700));
        size_t head = (size_t)sprintf((char *)pixels, "P5 %d %d 255\n", SIDE, SIDE);
        for (int k = 0; k < SIDE * SIDE; ++k) {
            pixels[head + (size_t)k] =
                (unsigned char)(i % 2 ? 8 * (k / SIDE) : (k * (i + 1)) % 256);
        }
        snprintf(name, sizeof(name), "images/%c/%d.pgm", 'a' + i % 2, i);
        test_write(name, pixels, head + SIDE * SIDE);
    }
    check_parts("images --data images --filters 16 --batch 16 --phase "
                "backprop:steps=4,epochs=4,lr=0.01",
                1e-5);
}
END_TEST

/// On any device where it is asked for: without effect where launches are short, with the longest
/// in the summary; parts where they help; a pause changes no bits.
START_TEST(launches_are_timed) {
    static const char run[] =
        "digits --filters 8 --limit 64 --phase backprop:steps=2,epochs=2,lr=0.05";
    char words[256];
    size_t size, other;
    measured(run, "a");
    snprintf(words, sizeof(words), "%s --launch-limit 100 --pause 20%% --spin", run);
    measured(words, "b");
    json_t *summary = test_json("b/summary.json");
    ck_assert_double_gt(test_number(summary, "longest_launch"), 0);
    json_decref(summary);
    char *one = test_read("a/model.safetensors", &size),
         *two = test_read("b/model.safetensors", &other);
    ck_assert_uint_eq(size, other);
    ck_assert_mem_eq(one, two, size);
    free(one);
    free(two);
    test_outcome result = test_program("", "train %s --launch-limit 1e-9 --out c", run);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "warning: a launch of "));
    result = test_program("", "train %s --launch-limit 0", run);
    test_fails_with(result, EVN_ERR_USAGE, "--launch-limit is '0'");
    result = test_program("", "train %s --pause 120%%", run);
    test_fails_with(result, EVN_ERR_USAGE, "--pause is '120%'");
}
END_TEST

/// What has statistics of the batch cannot be computed in parts of it.
START_TEST(norms_over_the_batch_are_not_split) {
    static const char network[] =
        "{\"stem\": [{\"layer\": \"conv\", \"filters\": 8}, {\"layer\": \"norm\", \"over\": "
        "\"batch\"}], \"head\": [\"global-pool\", {\"layer\": \"dense\", \"units\": "
        "\"classes\"}]}";
    test_write("n.json", network, strlen(network));
    test_outcome result = test_program("", "train digits --network n.json --micro-batches 2");
    test_fails_with(result, EVN_ERR_USAGE, "norm over the batch");
    result = test_program("", "train digits --network n.json --memory-limit 300K");
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "what fits: --batch ");
    ck_assert_ptr_null(strstr(result.err, "one sample at a time"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("memory");
    TCase *c;
    c = tcase_create("peak_of_images");
    tcase_add_test(c, peak_of_images);
    suite_add_tcase(s, c);
    c = tcase_create("peak_of_a_curve");
    tcase_add_test(c, peak_of_a_curve);
    suite_add_tcase(s, c);
    c = tcase_create("peak_of_a_flow");
    tcase_add_test(c, peak_of_a_flow);
    suite_add_tcase(s, c);
    c = tcase_create("peak_of_series");
    tcase_add_test(c, peak_of_series);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("adaptive_peaks_of_images"), adaptive_peaks_of_images);
    test_add(s, tcase_create("adaptive_peaks_of_a_flow"), adaptive_peaks_of_a_flow);
    test_add(s, tcase_create("adaptive_peaks_of_a_curve"), adaptive_peaks_of_a_curve);
    test_add(s, tcase_create("rejected_attempts_are_not_kept"), rejected_attempts_are_not_kept);
    test_add(s, tcase_create("peak_behind_a_fall"), peak_behind_a_fall);
    test_add(s, tcase_create("auto_has_room_for_a_fall"), auto_has_room_for_a_fall);
    c = tcase_create("what_does_not_fit_is_refused");
    tcase_add_test(c, what_does_not_fit_is_refused);
    suite_add_tcase(s, c);
    c = tcase_create("parts_of_images");
    tcase_add_test(c, parts_of_images);
    suite_add_tcase(s, c);
    c = tcase_create("parts_of_points");
    tcase_add_test(c, parts_of_points);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("parts_with_adaptive_steps"), parts_with_adaptive_steps);
    test_add(s, tcase_create("parts_of_larger_images"), parts_of_larger_images);
    c = tcase_create("launches_are_timed");
    tcase_add_test(c, launches_are_timed);
    suite_add_tcase(s, c);
    c = tcase_create("norms_over_the_batch_are_not_split");
    tcase_add_test(c, norms_over_the_batch_are_not_split);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
