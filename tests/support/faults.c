// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include "evonode/status.h"
#include "layered.h"
#include "program.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { NAMES_MAX = 64, NAME_SIZE = 256, TEXT = 2048 };

#define TASK "curve --width 8 --phase backprop:epochs=3"

/// In the folder r, which is "made" (a finished run), "half" (one that was killed), or not there.
typedef struct scenario {
    const char *name;
    const char *from;    ///< what r is a copy of; NULL: it is not there
    const char *command; ///< the verb and what follows
    bool trains;         ///< its result is the model, else what it prints
    const char *said;    ///< what it prints where it goes on without something; NULL: it does not
} scenario;

static const scenario scenarios[TEST_SCENARIOS] = {
    {"train", NULL, "train " TASK " --out r", true, NULL},
    {"resume", "half", "resume r", true, NULL},
    {"eval", "made", "eval r --json", false, NULL},
    {"compare", "made", "compare r --json", false, NULL},
    {"predict", "made", "sample r --times times.csv", false, NULL},
    {"report", "made", "report r --out -", false, "cannot read"},
};

const char *test_scenario_name(int which) {
    return scenarios[which].name;
}

// Folders -----------------------------------------------------------------------------------------

static void shell(const char *format, const char *a, const char *b) {
    char command[TEXT], line[TEXT];
    snprintf(command, sizeof(command), format, a, b);
    int length = snprintf(line, sizeof(line), "cd '%s' && %s", test_folder(), command);
    ck_assert_int_lt(length, (int)sizeof(line));
    ck_assert_msg(system(line) == 0, "%s", line);
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

/// The names in a folder, in order, with a blank between them.
static void list(const char *folder, char text[TEXT]) {
    char path[TEST_PATH], names[NAMES_MAX][NAME_SIZE];
    int count = 0;
    DIR *stream = opendir(test_path(path, "%s", folder));
    ck_assert_msg(stream, "%s is missing", folder);
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ck_assert_int_lt(count, NAMES_MAX);
            snprintf(names[count++], NAME_SIZE, "%s", entry->d_name);
        }
    }
    closedir(stream);
    qsort(names, (size_t)count, NAME_SIZE, by_name);
    text[0] = 0;
    for (int i = 0; i < count; ++i) {
        snprintf(text + strlen(text), TEXT - strlen(text), "%s ", names[i]);
    }
}

static void prepare(const scenario *s) {
    shell("rm -rf r", "", "");
    if (s->from) {
        shell("cp -a %s r", s->from, "");
    }
}

// What is compared --------------------------------------------------------------------------------

/// What an undisturbed run leaves.
typedef struct expectation {
    char *out;        ///< NULL of a training
    char names[TEXT]; ///< in r
    long calls;       ///< of the program
} expectation;

static bool same_file(const char *a, const char *b) {
    size_t size, other;
    if (!test_exists(a) || !test_exists(b)) {
        return false;
    }
    char *one = test_read(a, &size), *two = test_read(b, &other);
    bool same = size == other && memcmp(one, two, size) == 0;
    free(one);
    free(two);
    return same;
}

/// Whether the result is that of the undisturbed run.
static void check_result(const scenario *s, const expectation *e, const char *out,
                         const char *what) {
    if (s->trains) {
        ck_assert_msg(same_file("r/model.safetensors", "made/model.safetensors"),
                      "%s: another model", what);
        ck_assert_msg(test_exists("r/summary.json"), "%s: no summary", what);
        json_decref(test_json("r/summary.json"));
        return;
    }
    size_t at = 0;
    if (s->said && strstr(out, s->said)) {
        return;
    }
    while (out[at] && out[at] == e->out[at]) {
        ++at;
    }
    ck_assert_msg(out[at] == e->out[at], "%s: prints …%.200s instead of …%.200s", what, out + at,
                  e->out + at);
}

static bool is_documented(int code) {
    return code > 0 && strcmp(evn_status_name((evn_status)code), "unknown") != 0 &&
           code != EVN_ERR_INTERNAL && code != EVN_ERR_USAGE;
}

/// Without faults, from where the fault left it, all comes to its end.
static void recover(const scenario *s, const expectation *e, const char *what) {
    char names[TEXT];
    const char *command = s->command;
    if (s->trains && test_exists("r/run.json")) {
        command = "resume r";
    }
    test_outcome result = test_program("", "%s", command);
    ck_assert_msg(result.code == 0, "%s, then %s: %d, %s", what, command, result.code, result.err);
    check_result(s, e, result.out, what);
    list("r", names);
    ck_assert_msg(strcmp(names, e->names) == 0, "%s: leaves %s instead of %s", what, names,
                  e->names);
}

/// One run with a fault, by these variables; what it ends with is either right, or said.
static void run(const scenario *s, const expectation *e, const char *variables, const char *what,
                bool killed) {
    prepare(s);
    test_note(what);
    test_outcome result = test_program(variables, "%s", s->command);
    if (result.code == 0) {
        check_result(s, e, result.out, what);
    } else if (!killed || result.code != -1) {
        ck_assert_msg(is_documented(result.code), "%s: ended with %d: %s", what, result.code,
                      result.err);
        ck_assert_msg(strstr(result.err, "evonode: "), "%s: no message: %s", what, result.err);
    }
    recover(s, e, what);
}

static void run_call(const scenario *s, const expectation *e, const char *kind, long call,
                     const char *manner) {
    char variables[TEXT], what[TEXT];
    snprintf(variables, sizeof(variables), "LD_PRELOAD=%s EVN_FAULTS=%s:%ld:%s",
             getenv("EVONODE_FAULTS"), kind, call, manner);
    snprintf(what, sizeof(what), "%s, %s call %ld: %s", s->name, kind, call, manner);
    run(s, e, variables, what, strncmp(manner, "kill", 4) == 0);
}

// Scenarios ---------------------------------------------------------------------------------------

/// How many calls a command makes; fails unless it goes well.
static long count_calls(const char *kind, const char *command, test_outcome *result) {
    char variables[TEXT];
    snprintf(variables, sizeof(variables),
             "LD_PRELOAD=%s EVN_FAULTS=%s:0:EIO EVN_FAULTS_COUNT=count", getenv("EVONODE_FAULTS"),
             kind);
    *result = test_program(variables, "%s", command);
    ck_assert_msg(result->code == 0, "%s: %s", command, result->err);
    char *count = test_read("count", NULL);
    long calls = strtol(count, NULL, 10);
    free(count);
    ck_assert_int_gt(calls, 0);
    return calls;
}

/// The folders that scenarios begin with: a finished run, and one that was killed as late as can be
/// with a checkpoint.
static void make_folders(void) {
    test_outcome result;
    test_write("times.csv", "t\n0.1\n0.7\n", 10);
    count_calls("files", "train " TASK " --out made", &result); // compiles
    shell("rm -rf made", "", "");
    long calls = count_calls("files", "train " TASK " --out made", &result);
    for (int tenth = 9; tenth > 2; --tenth) {
        char variables[TEXT];
        shell("rm -rf half", "", "");
        snprintf(variables, sizeof(variables), "LD_PRELOAD=%s EVN_FAULTS=files:%ld:kill",
                 getenv("EVONODE_FAULTS"), calls * tenth / 10);
        test_program(variables, "train " TASK " --out half");
        if (test_exists("half/checkpoint.safetensors") && !test_exists("half/summary.json")) {
            return;
        }
    }
    ck_abort_msg("no run could be killed between a checkpoint and its end");
}

static void expect(const scenario *s, const char *kind, expectation *e) {
    test_outcome result;
    prepare(s);
    e->calls = count_calls(kind, s->command, &result);
    e->out = strdup(result.out);
    list("r", e->names);
    check_result(s, e, e->out, s->name);
}

/// Which calls, and of them which manners, a mixture of both and the seed says.
static bool is_chosen(test_choice choice, long call, int manner, int manners) {
    unsigned mixed = ((unsigned)call * 2654435761u + choice.seed * 40503u) >> 8;
    return choice.every == 1 ||
           (mixed % (unsigned)choice.every == 0 &&
            mixed / (unsigned)choice.every % (unsigned)manners == (unsigned)manner);
}

static void begin(const scenario *s, const char *kind, test_choice *choice, expectation *e) {
    const char *seed = getenv("EVN_FAULTS_SEED");
    choice->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : choice->seed;
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
    exit(TEST_SKIPPED); // the shim is for glibc; the sanitizer wants to be loaded first
#endif
    make_folders();
    expect(s, kind, e);
}

void test_scenario(int which, const char *kind, const char *const *manners, test_choice choice) {
    const scenario *s = &scenarios[which];
    expectation e;
    int count = 0;
    while (manners[count]) {
        ++count;
    }
    begin(s, kind, &choice, &e);
    for (long call = 1; call <= e.calls; ++call) {
        for (int m = 0; m < count; ++m) {
            if (is_chosen(choice, call, m, count)) {
                run_call(s, &e, kind, call, manners[m]);
            }
        }
    }
    free(e.out);
}

// OpenCL ------------------------------------------------------------------------------------------

static const char *const entries[] = {
#define OBJECT(name, type, parameters, arguments, waits) #name,
#define STATUS(name, parameters, arguments, waits)       #name,
#include "tests/layer/entries.def"
};
enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

void test_scenario_opencl(int which, test_choice choice) {
    static const char *const manners[] = {"-5", "-6", "-36", "-5:on", "-6:on", "-36:on"};
    static const int calls[] = {1, 2, 3, 5, 9, 20, 60, 200};
    enum { CALLS = sizeof(calls) / sizeof(calls[0]), MANNERS = sizeof(manners) / sizeof(char *) };
    const scenario *s = &scenarios[which];
    expectation e;
    begin(s, "files", &choice, &e);
    for (int i = 0; i < ENTRIES * CALLS * MANNERS; ++i) {
        const char *entry = entries[i / (CALLS * MANNERS)];
        int call = calls[i / MANNERS % CALLS], m = i % MANNERS;
        char what[TEXT];
        if (!is_chosen(choice, i / MANNERS, m, MANNERS)) {
            continue;
        }
        snprintf(what, sizeof(what), "%s:%d:%s", entry, call, manners[m]);
        run(s, &e, test_layer_variables("EVONODE_CACHE_DIR=off EVN_LAYER_FAULT=%s", what), what,
            false);
    }
    free(e.out);
}
