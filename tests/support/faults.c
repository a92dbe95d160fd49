// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include "evonode/status.h"
#include "layered.h"
#include "program.h"
#include "test.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { NAMES_MAX = 64, NAME_SIZE = 256, TEXT = 2048, LAST = 12 };

#define TASK "curve --width 8 --phase backprop:epochs=3"
#define MOVES                                                                                      \
    "curve --width 8 --model node-ew --weights fourier --basis 5 --phase backprop:epochs=3"

/// Pieces of what is printed, from `begin` to `end`, that may be other where they hold `said`.
typedef struct leeway {
    const char *begin, *end, *said;
} leeway;

static const leeway pictures = {"<figure>", "</figure>", "cannot read"};
static const leeway seconds = {"\"seconds\": ", ",", ""};

/// In the folder r, which is "made" (a finished run), "half" (one that was killed), or not there.
typedef struct scenario {
    const char *name;
    const char *from;     ///< what r is a copy of; NULL: it is not there
    const char *command;  ///< the verb and what follows
    bool trains;          ///< its result is a model, else what it prints
    bool resumes;         ///< what it leaves half done is gone on with, else it is done again
    const leeway *leeway; ///< NULL: all that it prints has to be the same
} scenario;

static const scenario scenarios[] = {
    {"train", NULL, "train " TASK " --out r", true, true, NULL},
    {"resume", "half", "resume r", true, true, NULL},
    {"eval", "made", "eval r --json", false, false, NULL},
    {"compare", "made", "compare r --json", false, false, NULL},
    {"sample", "made", "sample r --times times.csv", false, false, NULL},
    {"report", "made", "report r --out -", false, false, &pictures},
    {"compress", NULL, "compress moves --basis 3 --out r", true, false, NULL},
    {"export", "made", "export r --onnx -", false, false, NULL},
    {"gradcheck", "made", "gradcheck r --steps 4 --json", false, false, &seconds},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

static const struct {
    const char *name;
    const char *const *manners;
    int part; ///< so many faults, about, of a seeded part
} kinds[] = {
    [TEST_FILES] = {"files",
                    (const char *const[]){"EIO", "ENOSPC", "EINTR", "short", "kill", "EIO:on",
                                          "ENOSPC:on", NULL},
                    10},
    [TEST_MEMORY] = {"memory", (const char *const[]){"ENOMEM", "ENOMEM:on", NULL}, 6},
    [TEST_OPENCL] = {"opencl",
                     (const char *const[]){"-5", "-6", "-36", "-5:on", "-6:on", "-36:on", NULL}, 6},
};

int test_scenario_find(test_fault_kind kind, const char *verb) {
    for (int i = 0; i < SCENARIOS; ++i) {
        if (strcmp(scenarios[i].name, verb) == 0) {
            return (int)kind * SCENARIOS + i;
        }
    }
    ck_abort_msg("no scenario is called %s", verb);
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

/// A scenario under faults of a kind: what an undisturbed run leaves, and what became of the
/// others.
typedef struct trial {
    const scenario *scenario;
    test_fault_kind kind;
    const char *what; ///< the fault
    char *out;        ///< what is printed
    char names[TEXT]; ///< in r
    long calls;       ///< of the program
    long *places;     ///< the first call from each place
    long place_count;
    long tried, right, said, killed, wrong;
    long finished; ///< that said that the run is
} trial;

/// Notes what went wrong, once for each fault.
static bool wrong(trial *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("WRONG: %s, %s: %s: ", t->scenario->name, kinds[t->kind].name, t->what);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
    ++t->wrong;
    return false;
}

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

/// Where a piece that may be other ends, if one begins here; else NULL.
static const char *end_of_piece(const leeway *l, const char *at) {
    bool begins = l && strncmp(at, l->begin, strlen(l->begin)) == 0;
    return begins ? strstr(at, l->end) : NULL;
}

static bool is_said(const leeway *l, const char *at, const char *end) {
    const char *said = strstr(at, l->said);
    return said && said < end;
}

/// Go on to where two texts differ; whether that is nowhere.
static bool same_text(const leeway *l, const char **text, const char **right) {
    while (**right) {
        const char *end = end_of_piece(l, *text), *right_end = end_of_piece(l, *right);
        if (end && right_end && is_said(l, *text, end)) {
            *text = end;
            *right = right_end;
        } else if (**text != **right) {
            return false;
        } else {
            ++*text;
            ++*right;
        }
    }
    return !**text;
}

/// Whether the result is that of the undisturbed run.
static bool is_right(trial *t, const char *out) {
    const scenario *s = t->scenario;
    const char *right = t->out;
    if (s->trains && !same_file("r/model.safetensors", "right.safetensors")) {
        return wrong(t, "another model");
    }
    if (s->trains) {
        return test_exists("r/summary.json") || wrong(t, "no summary");
    }
    return same_text(s->leeway, &out, &right) ||
           wrong(t, "prints …%.200s instead of …%.200s", out, right);
}

static bool is_documented(int code) {
    return code > 0 && strcmp(evn_status_name((evn_status)code), "unknown") != 0 &&
           code != EVN_ERR_INTERNAL && code != EVN_ERR_USAGE;
}

/// Nothing in r is other than the scenario began with, which the undisturbed run shows to be whole.
static bool is_untouched(const scenario *s) {
    char line[TEXT];
    const char *how =
        s->from ? "cd '%s' && diff -rq %s r >/dev/null 2>&1" : "cd '%s' && test ! -e r";
    snprintf(line, sizeof(line), how, test_folder(), s->from);
    return system(line) == 0;
}

/// Without faults, from where the fault left it, all comes to its end.
static bool recover(trial *t) {
    char names[TEXT];
    const scenario *s = t->scenario;
    bool begun = s->trains && s->resumes && test_exists("r/run.json");
    const char *command = begun ? "resume r" : s->command;
    if (!(s->trains && !s->resumes && test_exists("r/summary.json"))) {
        test_outcome result = test_program("", "%s", command);
        if (result.code != 0) {
            return wrong(t, "then %s: %d, %s", command, result.code, result.err);
        }
        if (!is_right(t, result.out)) {
            return false;
        }
    }
    list("r", names);
    return strcmp(names, t->names) == 0 || wrong(t, "leaves %s instead of %s", names, t->names);
}

/// A training that could but not remove its checkpoints any more says so.
static bool says_finished(trial *t, const test_outcome *result) {
    bool left =
        test_exists("r/checkpoint.safetensors") || test_exists("r/checkpoint-best.safetensors");
    if (!t->scenario->resumes || !left || !test_exists("r/summary.json")) {
        return true;
    }
    ++t->finished;
    return strstr(result->err, "the run is finished") || wrong(t, "says: %s", result->err);
}

/// One run with a fault, by these variables; what it ends with is either right, or said.
static void run(trial *t, const char *variables, const char *what) {
    bool may_be_killed = strstr(what, "kill") != NULL;
    t->what = what;
    prepare(t->scenario);
    test_note(what);
    test_outcome result = test_program(variables, "%s", t->scenario->command);
    ++t->tried;
    if (result.code == 0) {
        ++t->right;
        if (!is_right(t, result.out)) {
            return;
        }
    } else if (may_be_killed && result.code == -1) {
        ++t->killed;
    } else {
        ++t->said;
        if (!is_documented(result.code) || !strstr(result.err, "evonode: ")) {
            wrong(t, "ended with %d: %s", result.code, result.err);
            return;
        }
        if (!says_finished(t, &result)) {
            return;
        }
    }
    if (result.code == 0 || !is_untouched(t->scenario)) {
        recover(t);
    }
}

// Scenarios ---------------------------------------------------------------------------------------

/// Variables for a fault, which is K:MANNER.
static const char *variables(test_fault_kind kind, const char *fault, const char *more) {
    static char text[TEXT];
    if (kind == TEST_OPENCL) {
        return test_layer_variables("EVONODE_CACHE_DIR=off EVN_LAYER_FAULT=any:%s %s", fault, more);
    }
    snprintf(text, sizeof(text), "LD_PRELOAD=%s EVN_FAULTS=%s:%s %s", getenv("EVONODE_FAULTS"),
             kinds[kind].name, fault, more);
    return text;
}

/// Count the calls that the undisturbed command makes, and find its places.
static void count_calls(trial *t) {
    const char *none = t->kind == TEST_OPENCL ? "999999999:-5" : "0:EIO";
    const char *more = "EVN_FAULTS_COUNT=count EVN_LAYER_FAULT_COUNT=count";
    prepare(t->scenario);
    test_outcome result = test_program(variables(t->kind, none, more), "%s", t->scenario->command);
    ck_assert_msg(result.code == 0, "%s: %s", t->scenario->command, result.err);
    t->out = strdup(result.out);
    char *count = test_read("count", NULL), *rest = count;
    t->calls = strtol(rest, &rest, 10);
    t->places = calloc((size_t)t->calls + 1, sizeof(long));
    while (*rest && rest[1]) {
        t->places[t->place_count++] = strtol(rest, &rest, 10);
    }
    free(count);
    ck_assert_int_gt(t->place_count, 0);
}

static void make(const char *command) {
    test_outcome result = test_program("", "%s", command);
    ck_assert_msg(result.code == 0, "%s: %s", command, result.err);
}

/// A run that was killed as late as can be with a checkpoint.
static void make_half(void) {
    char fault[64];
    trial t = {.scenario = &scenarios[0], .kind = TEST_FILES};
    count_calls(&t);
    for (int tenth = 9; tenth > 2; --tenth) {
        shell("rm -rf half r", "", "");
        snprintf(fault, sizeof(fault), "%ld:kill", t.calls * tenth / 10);
        test_program(variables(TEST_FILES, fault, ""), "train " TASK " --out half");
        if (test_exists("half/checkpoint.safetensors") && !test_exists("half/summary.json")) {
            break;
        }
        ck_assert_msg(tenth > 3, "no run could be killed between a checkpoint and its end");
    }
    free(t.out);
    free(t.places);
}

/// What the scenario begins with, and what an undisturbed run of it leaves.
static void begin(trial *t) {
    const scenario *s = t->scenario;
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
    exit(TEST_SKIPPED); // the shim is for glibc; the sanitizer wants to be loaded first
#endif
    test_write("times.csv", "t\n0.1\n0.7\n", 10);
    if (s->from && strcmp(s->from, "half") == 0) {
        make_half();
    } else if (s->from) {
        make("train " TASK " --out made");
    } else if (strstr(s->command, "moves")) {
        make("train " MOVES " --out moves");
    }
    prepare(s);
    make(s->command); // compiles
    if (s->trains) {
        shell("cp %s right.safetensors", "r/model.safetensors", "");
    }
    count_calls(t);
    ck_assert(is_right(t, t->out));
    list("r", t->names);
}

static unsigned variable(const char *name, unsigned usual) {
    const char *value = getenv(name);
    return value ? (unsigned)strtoul(value, NULL, 10) : usual;
}

/// Which calls, and of them which manners: of a part a mixture of both and the seed says.
static bool is_chosen(const trial *t, test_choice choice, long call, int manner, int manners) {
    unsigned every = (unsigned)(t->place_count / kinds[t->kind].part) + 1;
    unsigned mixed = ((unsigned)call * 2654435761u + variable("EVN_FAULTS_SEED", 1) * 40503u) >> 8;
    if (choice != TEST_PART) {
        return (unsigned)call % variable("EVN_FAULTS_PARTS", 1) + 1 ==
               variable("EVN_FAULTS_PART", 1);
    }
    return mixed % every == 0 && mixed / every % (unsigned)manners == (unsigned)manner;
}

static void try_fault(trial *t, long call, const char *manner) {
    char fault[64];
    snprintf(fault, sizeof(fault), "%ld:%s", call, manner);
    run(t, variables(t->kind, fault, ""), fault);
}

static void try_call(trial *t, test_choice choice, long call) {
    const char *const *manners = kinds[t->kind].manners;
    int count = 0;
    while (manners[count]) {
        ++count;
    }
    for (int m = 0; m < count; ++m) {
        if (is_chosen(t, choice, call, m, count)) {
            try_fault(t, call, manners[m]);
        }
    }
}

/// From the last call back, until one has left a run that is finished with its checkpoints.
static void try_end(trial *t) {
    for (long i = 0; i < LAST && t->finished == 0; ++i) {
        try_fault(t, t->calls - i, kinds[t->kind].manners[0]);
    }
    ck_assert_int_gt(t->finished, 0);
}

static void try_calls(trial *t, test_choice choice) {
    for (long i = 0; i < (choice == TEST_EVERY ? t->calls : t->place_count); ++i) {
        try_call(t, choice, choice == TEST_EVERY ? i + 1 : t->places[i]);
    }
    if (t->tried == 0) { // the seed, or the part, chose none
        try_fault(t, t->places[0], kinds[t->kind].manners[0]);
    }
}

void test_scenario(int number, test_choice choice) {
    trial t = {.scenario = &scenarios[number % SCENARIOS],
               .what = "none",
               .kind = (test_fault_kind)(number / SCENARIOS)};
    begin(&t);
    if (choice == TEST_END) {
        try_end(&t);
    } else {
        try_calls(&t, choice);
    }
    printf("%s, %s: %ld calls from %ld places, %ld faults: %ld right, %ld said so, %ld killed, "
           "%ld WRONG\n",
           t.scenario->name, kinds[t.kind].name, t.calls, t.place_count, t.tried, t.right, t.said,
           t.killed, t.wrong);
    free(t.out);
    free(t.places);
    ck_assert_msg(t.wrong == 0, "%ld faults ended wrongly (above)", t.wrong);
}
