// SPDX-License-Identifier: Apache-2.0
// A run that is ended before its time and resumed, twice, ends with the bits of one that was not.
#include "io/run_directory.h"
#include "program.h"
#include "test.h"
#include "train/checkpoint.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLLS = 12000 }; // of 10 ms: two minutes, of which most would be compiling

static const char IMAGES[] = "digits --filters 8 --batch 32 --limit 64 --crop 1 --elastic 0.3 "
                             "--phase backprop:steps=2,epochs=60,lr=0.05,schedule=cosine "
                             "--phase adjoint:epochs=2,rtol=1e-2,lr=0.01";
static const char CURVE[] = "curve --width 16 --phase backprop:epochs=3000 "
                            "--phase adjoint:epochs=20";
static const char FLOW[] = "flow --data circles --batch 32 "
                           "--phase backprop:solver=rk4,steps=4,epochs=6000 "
                           "--phase adjoint:epochs=10,rtol=1e-3,atol=1e-3";
static const char SERIES[] = "series --data s.csv --window 3 --f mlp:8 "
                             "--phase backprop:solver=rk4,steps=6,epochs=6000 "
                             "--phase adjoint:epochs=10,rtol=1e-3,atol=1e-3";
/// Weights with a solve of their own, on steps, then to the tolerances.
static const char OWN_WEIGHTS[] = "curve --model node-ew --width 8 "
                                  "--phase backprop:weight-steps=200,epochs=800 "
                                  "--phase adjoint:weight-terms=24,epochs=10";
static const char *const tasks[] = {IMAGES, CURVE, FLOW, SERIES, OWN_WEIGHTS};

/// Data of the user's: something is missing, and the times are irregular.
static void write_series(void) {
    static const char rows[] = "t,x,y\n0,1,0\n0.4,0.9,0.4\n1,,0.8\n1.3,0.3,1\n2.1,-0.5,0.9\n"
                               "2.4,-0.7,\n3,-1,0.1\n3.7,-0.8,-0.5\n4.4,-0.3,-1\n";
    test_write("s.csv", rows, strlen(rows));
}

static int count_lines(const char *name) {
    size_t size;
    int lines = 0;
    if (!test_exists(name)) {
        return 0;
    }
    char *text = test_read(name, &size);
    for (size_t i = 0; i < size; ++i) {
        lines += text[i] == '\n';
    }
    free(text);
    return lines;
}

/// End the process once the run has a checkpoint and more lines than `lines`.
static test_outcome end_after(pid_t process, int lines, int signal) {
    const struct timespec pause = {0, 10000000};
    bool began = false;
    for (int i = 0; i < POLLS && !began; ++i) {
        began = count_lines("r/metrics.jsonl") > lines && test_exists("r/checkpoint.safetensors");
        nanosleep(&pause, NULL);
    }
    kill(process, began ? signal : SIGKILL);
    test_outcome outcome = test_program_end(process);
    ck_assert_msg(began, "no epoch or no checkpoint: %s", outcome.err);
    ck_assert_msg(!test_exists("r/summary.json"), "it was over too soon");
    return outcome;
}

static void assert_same_files(const char *a, const char *b) {
    size_t size, other;
    char *one = test_read(a, &size), *two = test_read(b, &other);
    ck_assert_uint_eq(size, other);
    ck_assert_msg(memcmp(one, two, size) == 0, "%s and %s differ", a, b);
    free(one);
    free(two);
}

/// Each epoch once, in order, to the last.
static void check_metrics(void) {
    size_t size;
    char *text = test_read("r/metrics.jsonl", &size), *line = text;
    double before = -1;
    for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        *end = 0;
        json_t *object = json_loads(line, 0, NULL);
        ck_assert_msg(object, "%s", line);
        ck_assert_double_gt(test_number(object, "epoch"), before);
        before = test_number(object, "epoch");
        json_decref(object);
        line = end + 1;
    }
    free(text);
    text = test_read("whole/metrics.jsonl", &size);
    text[size - 1] = 0; // of the last line
    const char *last = strrchr(text, '\n');
    json_t *object = json_loads(last ? last + 1 : text, 0, NULL);
    ck_assert_double_eq(before, test_number(object, "epoch"));
    json_decref(object);
    free(text);
}

START_TEST(goes_on_as_if_nothing_had_been) {
    const char *task = tasks[_i];
    write_series();
    test_outcome result = test_program("", "train %s --out whole", task);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert(!test_exists("whole/checkpoint.safetensors"));

    result = end_after(test_program_start("", "train %s --out r", task), 2, SIGTERM);
    test_fails_with(result, EVN_ERR_INTERRUPTED, "evonode resume r");
    ck_assert_int_eq(test_program("", "eval r").code, 0);
    test_fails_with(test_program("", "train %s --out r", task), EVN_ERR_OUTPUT, "resume r");
    result =
        end_after(test_program_start("", "resume r"), count_lines("r/metrics.jsonl") + 2, SIGKILL);
    ck_assert_int_eq(result.code, -1);
    result = test_program("", "resume r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "resumes after"));
    assert_same_files("r/model.safetensors", "whole/model.safetensors");
    check_metrics();
    ck_assert(!test_exists("r/checkpoint.safetensors"));
    result = test_program("", "resume r");
    ck_assert_int_eq(result.code, 0);
    ck_assert_ptr_nonnull(strstr(result.err, "nothing is left to do"));
}
END_TEST

/// A directory that is gone ends the training: it would learn for nothing.
START_TEST(removed_meanwhile) {
    const struct timespec pause = {0, 1000000};
    char from[TEST_PATH], to[TEST_PATH];
    pid_t process = test_program_start("", "train curve --epochs 100000 --out gone");
    for (int i = 0; i < 10 * POLLS && !test_exists("gone/checkpoint.safetensors"); ++i) {
        nanosleep(&pause, NULL);
    }
    ck_assert_int_eq(rename(test_path(from, "gone"), test_path(to, "elsewhere")), 0);
    test_outcome result = test_program_end(process);
    test_fails_with(result, EVN_ERR_OUTPUT, "gone was removed or moved");
    ck_assert_ptr_null(strstr(result.err, "evonode resume"));
    ck_assert(!test_exists("gone"));
    // Where files alone are gone, there is nothing to go on with either.
    process = test_program_start("", "train %s --out less", IMAGES);
    for (int i = 0; i < 10 * POLLS && !test_exists("less/checkpoint.safetensors"); ++i) {
        nanosleep(&pause, NULL);
    }
    ck_assert_int_eq(unlink(test_path(from, "less/run.json")), 0);
    kill(process, SIGTERM);
    result = test_program_end(process);
    test_fails_with(result, EVN_ERR_INTERRUPTED, "its run.json is missing: bring it back");
    ck_assert_ptr_null(strstr(result.err, "evonode resume"));
    test_fails_with(test_program("", "train %s --out less", IMAGES), EVN_ERR_OUTPUT,
                    "whose run.json is missing; bring that back");
}
END_TEST

static const char PARTS[] = "digits --filters 8 --batch 64 --limit 128 "
                            "--phase backprop:steps=2,epochs=30,lr=0.05";

/// KiB that half of the device memory of that training is.
static double half_of_memory(const char *words) {
    test_outcome result = test_program("", "train %s --dry-run", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
    const char *line = strstr(result.out, "device memory  ");
    ck_assert_msg(line, "%s", result.out);
    return strtod(line + strlen("device memory  "), NULL) * 1024 / 2;
}

/// Interrupt and resume a run that a limit lets compute batches in parts; the whole run is told
/// their number, which a limit of time finds by measuring.
/// @return the number of parts
static int check_limit(const char *limit) {
    test_outcome result =
        end_after(test_program_start("", "train %s %s --out r", PARTS, limit), 2, SIGTERM);
    test_fails_with(result, EVN_ERR_INTERRUPTED, "evonode resume r");
    json_t *run = test_json("r/run.json");
    int parts = (int)test_number(json_object_get(run, "options"), "micro-batches");
    json_decref(run);
    result = test_program("", "resume r --memory-limit 64K");
    test_fails_with(result, EVN_ERR_DEVICE_MEMORY, "what fits: a larger --memory-limit, or off");
    result = test_program("", "resume r --memory-limit off");
    ck_assert_msg(result.code == 0, "%s", result.err);
    result = test_program("", "train %s --micro-batches %d --out whole", PARTS, parts);
    ck_assert_msg(result.code == 0, "%s", result.err);
    printf("%s: %d parts\n", limit, parts);
    assert_same_files("r/model.safetensors", "whole/model.safetensors");
    check_metrics();
    return parts;
}

START_TEST(parts_by_memory) {
    char limit[64];
    snprintf(limit, sizeof(limit), "--memory-limit %.0fK", half_of_memory(PARTS));
    ck_assert_int_ge(check_limit(limit), 2);
}
END_TEST

START_TEST(parts_by_time) {
    check_limit("--launch-limit 2e-4");
    json_t *summary = test_json("r/summary.json"); // of what the resumed run has timed itself
    ck_assert_double_gt(test_number(summary, "longest_launch"), 0);
    json_decref(summary);
}
END_TEST

/// Before the first epoch is over there is no checkpoint, and what resumes begins again, as the
/// message says.
START_TEST(stopped_in_the_first_epoch) {
    const struct timespec pause = {0, 1000000};
    pid_t process = test_program_start("", "train digits --limit 640 --epochs 1 --out r");
    for (int i = 0; i < 10 * POLLS && !test_exists("r/metrics.jsonl"); ++i) {
        nanosleep(&pause, NULL);
    }
    kill(process, SIGTERM);
    test_outcome result = test_program_end(process);
    test_fails_with(result, EVN_ERR_INTERRUPTED,
                    "r has the parameters, but no whole epoch yet; it has no checkpoint yet; to "
                    "begin again: evonode resume r)");
    ck_assert_ptr_null(strstr(result.err, "epochs so far"));
    result = test_program("", "resume r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "begins again"));
}
END_TEST

/// Lines that are lost are said, and do not count for the time of an epoch.
START_TEST(says_which_lines_are_lost) {
    test_outcome result = end_after(test_program_start("", "train %s --out r", IMAGES), 3, SIGKILL);
    ck_assert_int_eq(result.code, -1);
    test_write("r/metrics.jsonl", "", 0);
    result = test_program("", "resume r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "has only the first 0 of the"));
}
END_TEST

/// Files that a run folder may have after an accident.
START_TEST(says_what_is_wrong) {
    test_fails_with(test_program("", "resume"), EVN_ERR_USAGE, "resume needs a RUN");
    test_fails_with(test_program("", "resume none"), EVN_ERR_FILE, "none/run.json");
    test_fails_with(test_program("", "resume none --epochs 3"), EVN_ERR_USAGE, "--epochs");

    test_outcome result = end_after(test_program_start("", "train %s --out r", IMAGES), 2, SIGKILL);
    ck_assert_int_eq(result.code, -1);
    size_t size;
    char path[TEST_PATH], *checkpoint = test_read("r/checkpoint.safetensors", &size);
    checkpoint[size - 1] ^= 1;
    remove(test_path(path, "r/checkpoint-before.safetensors"));
    test_write("r/checkpoint.safetensors", checkpoint, size);
    remove(test_path(path, "r/checkpoint-best.safetensors"));
    test_fails_with(test_program("", "resume r"), EVN_ERR_FORMAT, "checksum");
    test_write("r/checkpoint.safetensors", checkpoint, size / 2);
    test_fails_with(test_program("", "resume r"), EVN_ERR_FORMAT,
                    "to begin again, remove r/checkpoint*.safetensors");
    checkpoint[size - 1] ^= 1;
    test_write("r/checkpoint-best.safetensors", checkpoint, size);
    test_fails_with(test_program("", "resume r"), EVN_ERR_FORMAT, "evonode resume r --best");
    free(checkpoint);

    result = test_program("", "train %s --out other", CURVE);
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *model = test_read("other/model.safetensors", &size);
    test_write("r/checkpoint.safetensors", model, size);
    test_fails_with(test_program("", "resume r"), EVN_ERR_FORMAT, "not a checkpoint");
    free(model);
    test_fails_with(test_program("", "resume other --memory-limit 64X"), EVN_ERR_USAGE,
                    "--memory-limit is '64X'"); // though it is finished
    ck_assert_int_eq(test_program("", "resume other --memory-limit off").code, 0);
}
END_TEST

static char *damage(const char *name) {
    size_t size;
    char *data = test_read(name, &size), path[TEST_PATH];
    remove(test_path(path, "%s", name)); // it may be one file with an older generation
    data[size / 2] ^= 4;
    test_write(name, data, size);
    return data;
}

/// A run that is killed once it has three checkpoints, or lines at least.
static void train_until_killed(void) {
    pid_t process = test_program_start("", "train %s --out r", IMAGES);
    for (int i = 0; i < POLLS && !test_exists("r/checkpoint-before.safetensors"); ++i) {
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    end_after(process, 4, SIGKILL);
}

static void resume_to_the_end(const char *option, const char *said) {
    test_outcome result = test_program("", "resume r %s", option);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(strstr(result.err, said), "%s", result.err);
    assert_same_files("r/model.safetensors", "whole/model.safetensors");
    check_metrics();
    for (int i = 0; i < EVN__CHECKPOINTS; ++i) {
        char path[TEST_PATH];
        const char *name = evn__run_checkpoint_name((evn__generation)i);
        ck_assert_int_ne(access(test_path(path, "r/%s", name), F_OK), 0);
    }
    char command[TEST_PATH];
    snprintf(command, sizeof(command), "rm -r '%s/r'", test_folder());
    ck_assert_int_eq(system(command), 0);
}

/// Which checkpoint it goes on from, to the same end: the one before where the newest is damaged;
/// none, where none was written; the best, where it is asked for.
START_TEST(generations) {
    test_outcome result = test_program("", "train %s --out whole", IMAGES);
    ck_assert_msg(result.code == 0, "%s", result.err);
    train_until_killed();
    free(damage("r/checkpoint.safetensors"));
    resume_to_the_end("", "goes on from the checkpoint before");
    train_until_killed();
    resume_to_the_end("--best", "resumes after epoch");
    train_until_killed();
    char path[TEST_PATH];
    for (int i = 0; i < EVN__CHECKPOINTS; ++i) {
        remove(test_path(path, "r/%s", evn__run_checkpoint_name((evn__generation)i)));
    }
    test_fails_with(test_program("", "resume r --best"), EVN_ERR_FILE, "no best checkpoint");
    resume_to_the_end("", "begins again");
}
END_TEST

static double loss_of(evn__generation generation) {
    char folder[TEST_PATH], path[TEST_PATH];
    int epochs;
    double loss;
    TRY(evn__run_checkpoint(test_path(folder, "r"), generation, path, sizeof(path)));
    TRY(evn__checkpoint_epochs(path, &epochs));
    TRY(evn__run_loss(folder, epochs, &loss));
    return loss;
}

static double evaluated(const char *option, bool best) {
    test_outcome result = test_program("", "eval r --json %s", option);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_eq(strstr(result.out, "\"checkpoint\": \"best\"") != NULL, best);
    json_t *report = test_json("printed.out");
    double loss = test_number(report, "test_nll");
    json_decref(report);
    return loss;
}

/// eval --best reads the best checkpoint, whichever it is, and keeps nothing.
static void check_evaluation_of_best(void) {
    size_t size;
    char path[TEST_PATH];
    ck_assert_double_le(evaluated("--best", true), INFINITY);
    ck_assert(!test_exists("r/evaluation.json"));
    test_outcome table = test_program("", "eval r --best");
    ck_assert_msg(strstr(table.out, "checkpoint-best.safetensors"), "%s", table.out);
    remove(test_path(path, "r/checkpoint-best.safetensors"));
    test_fails_with(test_program("", "eval r --best"), EVN_ERR_FILE, "no best checkpoint");
    char *newest = test_read("r/checkpoint.safetensors", &size);
    test_write("r/checkpoint-best.safetensors", newest, size);
    ck_assert_double_eq(evaluated("--best", true), evaluated("", false));
    newest[size / 2] ^= 4;
    test_write("r/checkpoint-best.safetensors", newest, size);
    test_fails_with(test_program("", "eval r --best"), EVN_ERR_FORMAT, "checksum");
    free(newest);
}

/// The best checkpoint is the best of those that were written, also of those before a resume.
START_TEST(best) {
    double before = INFINITY;
    for (int i = 0; i < 3; ++i) {
        pid_t process = test_program_start("", i == 0 ? "train %s --out r" : "resume r", FLOW);
        end_after(process, count_lines("r/metrics.jsonl") + 6, SIGTERM);
        double kept = loss_of(EVN__CHECKPOINT_BEST);
        ck_assert_double_le(kept, loss_of(EVN__CHECKPOINT_NEWEST));
        ck_assert_double_le(kept, loss_of(EVN__CHECKPOINT_BEFORE));
        ck_assert_double_le(kept, before);
        before = kept;
    }
    check_evaluation_of_best();
}
END_TEST

/// Neither a second resume nor what looks at the run comes beside a training.
START_TEST(one_at_a_time) {
    pid_t process = test_program_start("", "train %s --out r", IMAGES);
    const struct timespec pause = {0, 10000000};
    for (int i = 0; i < POLLS && !test_exists("r/run.json"); ++i) {
        nanosleep(&pause, NULL);
    }
    char command[1024];
    snprintf(command, sizeof(command), "cd '%s' && '%s' resume r >/dev/null 2>&1", test_folder(),
             getenv("EVONODE_PROGRAM"));
    ck_assert_int_eq(WEXITSTATUS(system(command)), EVN_ERR_OUTPUT);
    kill(process, SIGHUP);
    test_outcome result = test_program_end(process);
    test_fails_with(result, EVN_ERR_INTERRUPTED, "stopped");
}
END_TEST

/// Output that nobody reads, or can be written nowhere, is no reason to stop, and never ends up in
/// the files of the run.
START_TEST(without_streams) {
    static const char *const streams[] = {"</dev/null 2>&-", ">&- 2>&-", "<&- >&- 2>&-",
                                          "2>&1 | true", ">/dev/full"};
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); ++i) {
        char command[1024];
        snprintf(
            command, sizeof(command),
            "cd '%s' && bash -c \"set -o pipefail; '%s' train curve --width 8 --epochs 40 --out "
            "s%zu %s\"",
            test_folder(), getenv("EVONODE_PROGRAM"), i, streams[i]);
        ck_assert_int_eq(WEXITSTATUS(system(command)), 0);
        char name[64];
        snprintf(name, sizeof(name), "s%zu/metrics.jsonl", i);
        ck_assert_int_eq(count_lines(name), 40);
        char *text = test_read(name, NULL);
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
            ck_assert_msg(*line == '{' && end[-1] == '}', "%s: %s", streams[i], line);
        }
        free(text);
    }
}
END_TEST

/// A run that goes on with something else says so, keeps it, and with --same refuses.
START_TEST(made_with_something_else) {
    test_outcome result = end_after(test_program_start("", "train %s --out r", IMAGES), 2, SIGKILL);
    json_t *run = test_json("r/run.json");
    json_object_set_new(json_object_get(run, "device"), "driver", json_string("another"));
    json_object_del(run, "hash"); // it is meant
    char path[TEST_PATH];
    ck_assert_int_eq(json_dump_file(run, test_path(path, "r/run.json"), 0), 0);
    json_decref(run);
    test_fails_with(test_program("", "resume r --same"), EVN_ERR_DATA, "driver: another, now");
    result = test_program("", "resume r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "warning: the run does not go on with what it began"));
    run = test_json("r/run.json");
    json_t *first = json_array_get(json_object_get(run, "resumed"), 0);
    ck_assert_double_ge(test_number(first, "epoch"), 1);
    json_t *differs = json_array_get(json_object_get(first, "differs"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(differs, "what")), "driver");
    json_decref(run);
}
END_TEST

/// Another series, of as many rows.
static void write_other_series(void) {
    size_t size;
    char *rows = test_read("s.csv", &size);
    rows[strlen("t,x,y\n0,")] = '2';
    test_write("s.csv", rows, size);
    free(rows);
}

/// A checkpoint of the same task and phases, but of another run: its seed, or its data, are others.
START_TEST(checkpoint_of_another_run) {
    size_t size;
    char command[2 * TEST_PATH];
    write_series();
    test_outcome killed = end_after(test_program_start("", "train %s --out r", SERIES), 0, SIGKILL);
    ck_assert(killed.code == -1 && killed.signal == SIGKILL);
    snprintf(command, sizeof(command), "cd '%s' && rm -rf own && mv r own", test_folder());
    ck_assert_int_eq(system(command), 0);
    if (_i == 1) {
        write_other_series();
    }
    end_after(test_program_start("", "train %s --seed %d --out r", SERIES, _i == 0 ? 2 : 1), 0,
              SIGKILL);
    char *newest = test_read("r/checkpoint.safetensors", &size), name[64];
    for (int k = 0; k < EVN__CHECKPOINTS; ++k) {
        snprintf(name, sizeof(name), "own/%s", evn__run_checkpoint_name((evn__generation)k));
        test_write(name, newest, size);
    }
    free(newest);
    write_series();
    test_fails_with(test_program("", "resume own"), EVN_ERR_DATA, "it is of another run");
    snprintf(command, sizeof(command), "rm -r '%s/r'", test_folder());
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/// A digit of metrics.jsonl that was changed is said, where the run ends with the right model.
START_TEST(changed_lines) {
    size_t size;
    end_after(test_program_start("", "train %s --out r", IMAGES), 2, SIGTERM);
    char *lines = test_read("r/metrics.jsonl", &size);
    char *at = strstr(lines, "\"seconds\":");
    ck_assert_ptr_nonnull(at);
    at += strcspn(at, "0123456789");
    *at = *at == '9' ? '8' : '9';
    test_write("r/metrics.jsonl", lines, size);
    free(lines);
    test_outcome result = test_program("", "resume r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_msg(strstr(result.err, "metrics.jsonl is not what the run wrote"), "%s", result.err);
}
END_TEST

/// In the run's run.json, for whom changes it by hand; NULL: none.
static void change_network_hash(const char *hash) {
    char path[TEST_PATH];
    json_t *run = test_json("r/run.json");
    ck_assert_int_eq(json_object_del(run, "network_hash"), 0);
    json_object_del(run, "hash");
    if (hash) {
        ck_assert_int_eq(json_object_set_new(run, "network_hash", json_string(hash)), 0);
    }
    ck_assert_int_eq(json_dump_file(run, test_path(path, "r/run.json"), 0), 0);
    json_decref(run);
}

#define NETWORK(activation)                                                                        \
    "{\"blocks\": [{\"ode\": [\"" activation "\", {\"layer\": \"conv\", \"filters\": 1}]}],\n"     \
    " \"head\": [\"global-pool\", {\"layer\": \"dense\", \"units\": \"classes\"}]}\n"

/// Who means it changes the network file as its refusal says, and the run goes on; a checkpoint
/// beside another file is one of another run.
START_TEST(changed_network) {
    static const char before[] = NETWORK("tanh"), after[] = NETWORK("silu");
    char hash[EVN__HASH_TEXT];
    test_write("n.json", before, strlen(before));
    end_after(test_program_start("", "train digits --network n.json --limit 64 --phase "
                                     "backprop:steps=2,epochs=200 --out r"),
              0, SIGTERM);
    test_write("r/network.json", after, strlen(after));
    evn__hash_print(evn__hash_of(after, strlen(after)), hash);
    change_network_hash(hash);
    test_fails_with(test_program("", "resume r"), EVN_ERR_DATA, "it is of another run");
    change_network_hash(NULL);
    test_outcome result = test_program("", "resume r");
    ck_assert_msg(result.code == 0, "%s", result.err);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("resume");
    TCase *c = tcase_create("images"); // each in a folder of its own
    tcase_add_loop_test(c, goes_on_as_if_nothing_had_been, 0, 1);
    suite_add_tcase(s, c);
    c = tcase_create("curve");
    tcase_add_loop_test(c, goes_on_as_if_nothing_had_been, 1, 2);
    suite_add_tcase(s, c);
    c = tcase_create("flow");
    tcase_add_loop_test(c, goes_on_as_if_nothing_had_been, 2, 3);
    suite_add_tcase(s, c);
    c = tcase_create("series");
    tcase_add_loop_test(c, goes_on_as_if_nothing_had_been, 3, 4);
    suite_add_tcase(s, c);
    c = tcase_create("own_weights");
    tcase_add_loop_test(c, goes_on_as_if_nothing_had_been, 4, 5);
    suite_add_tcase(s, c);
    c = tcase_create("memory_limit");
    tcase_add_test(c, parts_by_memory);
    suite_add_tcase(s, c);
    c = tcase_create("launch_limit");
    tcase_add_test(c, parts_by_time);
    suite_add_tcase(s, c);
    c = tcase_create("errors");
    tcase_add_test(c, says_what_is_wrong);
    suite_add_tcase(s, c);
    c = tcase_create("generations");
    tcase_add_test(c, generations);
    suite_add_tcase(s, c);
    c = tcase_create("best");
    tcase_add_test(c, best);
    suite_add_tcase(s, c);
    c = tcase_create("beside");
    tcase_add_test(c, one_at_a_time);
    tcase_add_test(c, without_streams);
    suite_add_tcase(s, c);
    c = tcase_create("made_with");
    tcase_add_test(c, made_with_something_else);
    suite_add_tcase(s, c);
    c = tcase_create("own_files");
    tcase_add_loop_test(c, checkpoint_of_another_run, 0, 2);
    tcase_add_test(c, changed_lines);
    suite_add_tcase(s, c);
    c = tcase_create("own_network");
    tcase_add_test(c, changed_network);
    suite_add_tcase(s, c);
    c = tcase_create("lost");
    tcase_add_test(c, says_which_lines_are_lost);
    suite_add_tcase(s, c);
    c = tcase_create("first_epoch");
    tcase_add_test(c, stopped_in_the_first_epoch);
    tcase_add_test(c, removed_meanwhile);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
