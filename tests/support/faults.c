// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include "evonode/status.h"
#include "layered.h"
#include "program.h"
#include "seed.h"
#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { NAMES_MAX = 64, NAME_SIZE = 256, TEXT = 2048, LAST = 12 };

/// Of all faults of a scenario, about a night's worth on one processor; of more, a seeded part.
enum { NIGHT = 20000 };

#define TASK "curve --width 8 --phase backprop:epochs=3"
#define MOVES                                                                                      \
    "curve --width 8 --model node-ew --weights fourier --basis 5 --phase backprop:epochs=3"

/// Pieces of what is printed, from `begin` to `end`, that may be other where they hold `said`.
typedef struct leeway {
    const char *begin, *end, *said;
} leeway;

static const leeway pictures = {"<figure>", "</figure>", "cannot read"};
static const leeway seconds = {"\"seconds\": ", ",", ""};

/// In the folder r, which is a copy of an origin (below), or not there.
typedef struct scenario {
    const char *name;
    const char *from;      ///< what r is a copy of; NULL: it is not there
    const char *command;   ///< the verb and what follows
    bool trains;           ///< its result is a model, else what it prints
    bool resumes;          ///< what it leaves half done is gone on with, else it is done again
    const leeway *leeway;  ///< NULL: all that it prints has to be the same
    int most;              ///< of the calls of one kind, in a seeded part: its run takes so long
    const char *variables; ///< of the program; NULL: none
    bool measures;         ///< it prints times, which nothing is compared with
} scenario;

static const scenario scenarios[] = {
    {"train", NULL, "train " TASK " --out r", true, true, NULL, 12, NULL, false},
    {"resume", "half", "resume r", true, true, NULL, 12, NULL, false},
    {"resume_ended", "ended", "resume r", true, true, NULL, 12, NULL, false},
    {"eval", "made", "eval r --json", false, false, NULL, 48, NULL, false},
    {"compare", "made", "compare r --json", false, false, NULL, 48, NULL, false},
    {"predict", "rows", "predict r at.csv", false, false, NULL, 48, NULL, false},
    {"sample", "made", "sample r --times times.csv", false, false, NULL, 48, NULL, false},
    {"report", "made", "report r --out -", false, false, &pictures, 48, NULL, false},
    {"compress", NULL, "compress moves --basis 3 --out r", true, false, NULL, 16, NULL, false},
    {"export", "made", "export r --onnx -", false, false, NULL, 48, NULL, false},
    {"gradcheck", "made", "gradcheck r --steps 4 --json", false, false, &seconds, 8, NULL, false},
    {"depth", "images", "depth r", false, false, NULL, 8, NULL, false},
    {"invert", "images", "invert r", false, false, NULL, 8, NULL, false},
    {"bench", "made", "bench --quick --rows plan_1000,van_der_pol --json r/bench.json", false,
     false, NULL, 8, NULL, true},
    {"tune", NULL, "tune --quick --family matmul --seconds 1", false, false, NULL, 8,
     "EVONODE_TUNE=on EVONODE_CACHE_DIR=r", true},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/// Which calls go wrong, and how; of a seeded part a twentieth of the places, and so many at least.
static const struct {
    const char *name;
    const char *const *manners;
    int least;
    int code;          ///< what it ends with; 0: any code that is documented
    int exceptions[2]; ///< or with these; 0: none
} kinds[] = {
    [TEST_FILES] = {.name = "files",
                    .manners = (const char *const[]){"EIO", "ENOSPC", "EINTR", "short", "kill",
                                                     "term", "EMFILE", "EACCES", "ENOLCK", "EIO:on",
                                                     "ENOSPC:on", "EMFILE:on", "short:on", NULL},
                    .least = 10},
    [TEST_QUERIES] = {.name = "queries",
                      .manners = (const char *const[]){"EIO", "EACCES", "EMFILE", "ENOMEM",
                                                       "EIO:on", "EMFILE:on", NULL},
                      .least = 4},
    [TEST_MEMORY] = {.name = "memory",
                     .manners = (const char *const[]){"ENOMEM", "ENOMEM:on", NULL},
                     .least = 6,
                     .code = EVN_ERR_MEMORY,
                     .exceptions = {EVN_ERR_DEVICE}}, // OpenCL's loader crashes
    [TEST_DRAWING] = {.name = "drawing",
                      .manners = (const char *const[]){"ENOMEM", "ENOMEM:on", NULL},
                      .least = 4,
                      .code = EVN_ERR_MEMORY,
                      .exceptions = {EVN_ERR_OUTPUT}}, // PLplot says nothing
    [TEST_OPENCL] = {.name = "opencl",
                     .manners =
                         (const char *const[]){"-5", "-6", "-36", "-5:on", "-6:on", "-36:on", NULL},
                     .least = 6},
    [TEST_HANGING] = {.name = "blocking",
                      .manners = (const char *const[]){"-5:hang", NULL},
                      .least = 2,
                      .code = EVN_ERR_DEADLINE},
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

static const char *variables_of(const scenario *s) {
    return s->variables ? s->variables : "";
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
    return s->measures || same_text(s->leeway, &out, &right) ||
           wrong(t, "prints …%.200s instead of …%.200s", out, right);
}

static bool is_documented(const trial *t, int code) {
    int wanted = kinds[t->kind].code;
    return wanted ? code == wanted || code == kinds[t->kind].exceptions[0] ||
                        code == kinds[t->kind].exceptions[1]
                  : code > 0 && strcmp(evn_status_name((evn_status)code), "unknown") != 0 &&
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

/// Nothing is missing in r, and nothing in it that does not belong there.
static bool leaves_all(trial *t) {
    char names[TEXT];
    list("r", names);
    return strcmp(names, t->names) == 0 || wrong(t, "leaves %s instead of %s", names, t->names);
}

/// Without faults, from where the fault left it, all comes to its end.
static bool recover(trial *t) {
    const scenario *s = t->scenario;
    bool begun = s->trains && s->resumes && test_exists("r/run.json");
    const char *command = begun ? "resume r" : s->command;
    if (!(s->trains && !s->resumes && test_exists("r/summary.json"))) {
        test_outcome result = test_program(variables_of(s), "%s", command);
        if (result.code != 0) {
            return wrong(t, "then %s: %d, %s", command, result.code, result.err);
        }
        if (!is_right(t, result.out)) {
            return false;
        }
    }
    return leaves_all(t);
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

/// A call that is interrupted, or does a part of what it was asked for, is gone on with.
static bool may_fail_nothing(const char *what) {
    return strstr(what, "EINTR") || strstr(what, "short");
}

/// One run with a fault, by these variables; what it ends with is either right, or said.
static void run(trial *t, const char *variables, const char *what) {
    int sent = strstr(what, "kill") ? SIGKILL : strstr(what, "term") ? SIGTERM : 0;
    t->what = what;
    prepare(t->scenario);
    test_note(what);
    test_outcome result = test_program(variables, "%s", t->scenario->command);
    ++t->tried;
    if (result.code == 0) {
        ++t->right;
        if (!is_right(t, result.out) || !leaves_all(t)) {
            return;
        }
    } else if (sent && result.signal == sent) { // by another it has crashed
        ++t->killed;
    } else if (may_fail_nothing(what)) {
        wrong(t, "ended with %d (signal %d): %s", result.code, result.signal, result.err);
        return;
    } else {
        ++t->said;
        if (!is_documented(t, result.code) || !strstr(result.err, "evonode: ")) {
            wrong(t, "ended with %d (signal %d): %s", result.code, result.signal, result.err);
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
    static char text[2 * TEXT];
    if (kind == TEST_OPENCL) {
        return test_layer_variables("EVONODE_CACHE_DIR=off EVN_LAYER_FAULT=any:%s %s", fault, more);
    }
    if (kind == TEST_HANGING) { // with what is compiled, since that can last as long
        return test_layer_variables(
            "EVONODE_DEADLINE=4 EVN_LAYER_FAULT=%s:%s %s timeout -s KILL 90", kinds[kind].name,
            fault, more);
    }
    const char *deadline = kind == TEST_DRAWING ? "EVONODE_DEADLINE=5 " : ""; // PLplot may hang
    snprintf(text, sizeof(text), "%sLD_PRELOAD=%s EVN_FAULTS=%s:%s %s", deadline,
             getenv("EVONODE_FAULTS"), kinds[kind].name, fault, more);
    return text;
}

/// Count the calls that the undisturbed command makes, and find its places.
static void count_calls(trial *t) {
    bool layer = t->kind == TEST_OPENCL || t->kind == TEST_HANGING;
    const char *none = layer ? "999999999:-5" : "0:EIO";
    char more[TEXT / 2];
    snprintf(more, sizeof(more), "EVN_FAULTS_COUNT=count EVN_LAYER_FAULT_COUNT=count %s",
             variables_of(t->scenario));
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

static void make(const char *variables, const char *command) {
    test_outcome result = test_program(variables, "%s", command);
    ck_assert_msg(result.code == 0, "%s: %s", command, result.err);
}

/// A run that ended by a signal as late as can be with a checkpoint.
static void make_stopped(const char *signal, const char *folder) {
    char fault[64], path[TEXT];
    trial t = {.scenario = &scenarios[0], .kind = TEST_FILES};
    count_calls(&t);
    bool stopped = false; // most calls come after the training, with the pictures
    for (long call = t.calls * 9 / 10; !stopped; call = call * 7 / 8) {
        ck_assert_msg(call > 8, "no run could be ended between a checkpoint and its end");
        shell("rm -rf %s r", folder, "");
        snprintf(fault, sizeof(fault), "%ld:%s", call, signal);
        test_program(variables(TEST_FILES, fault, ""), "train " TASK " --out %s", folder);
        snprintf(path, sizeof(path), "%s/checkpoint.safetensors", folder);
        stopped = test_exists(path);
        snprintf(path, sizeof(path), "%s/summary.json", folder);
        stopped = stopped && !test_exists(path);
    }
    free(t.out);
    free(t.places);
}

/// What scenarios begin with: a run that is finished, or that a signal ended.
static const struct {
    const char *folder, *command, *signal;
} origins[] = {
    {"made", "train " TASK " --out made", NULL},
    {"moves", "train " MOVES " --out moves", NULL},
    {"rows", "train series --data rows.csv --epochs 2 --out rows", NULL},
    {"images",
     "train digits --model node --filters 8 --limit 32 --phase backprop:steps=1 --out images",
     NULL},
    {"half", NULL, "kill"},
    {"ended", NULL, "term"},
};

static void make_origin(const scenario *s) {
    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); ++i) {
        const char *folder = origins[i].folder;
        bool copied = s->from && strcmp(s->from, folder) == 0;
        if (copied && origins[i].signal) {
            make_stopped(origins[i].signal, folder);
        } else if (copied || strstr(s->command, folder)) {
            make("", origins[i].command);
        }
    }
}

static void write_inputs(void) {
    static const char rows[] = "t,x\n0,1\n1,0.6\n2,0.35\n3,0.2\n4,0.12\n5,0.08\n6,0.05\n";
    test_write("rows.csv", rows, sizeof(rows) - 1);
    test_write("at.csv", "t\n0.5\n4.5\n", 10);
    test_write("times.csv", "t\n0.1\n0.7\n", 10);
}

/// What the scenario begins with, and what an undisturbed run of it leaves.
static void begin(trial *t) {
    const scenario *s = t->scenario;
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
    exit(TEST_SKIPPED); // the shim is for glibc; the sanitizer wants to be loaded first
#endif
    write_inputs();
    make_origin(s);
    prepare(s);
    make(variables_of(s), s->command); // compiles
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

static int manner_count(test_fault_kind kind) {
    int count = 0;
    while (kinds[kind].manners[count]) {
        ++count;
    }
    return count;
}

/// One call of a seeded part in so many.
static unsigned part(const trial *t) {
    long least = kinds[t->kind].least, wanted = t->place_count / 20;
    wanted = wanted > t->scenario->most ? t->scenario->most : wanted;
    return (unsigned)(t->place_count / (wanted > least ? wanted : least)) + 1;
}

/// A number of a call in a manner, as good as drawn.
static unsigned mix(long call, int manner) {
    unsigned mixed = (unsigned)call * 2654435761u + (unsigned)manner * 2246822519u;
    mixed = (mixed ^ mixed >> 15) * 2246822519u + test_seed() * 40503u;
    return (mixed ^ mixed >> 13) * 3266489917u >> 8;
}

/// Which calls, of which this is the `index`-th, and of them which manners: of a part the seed
/// says.
static bool is_chosen(const trial *t, test_choice choice, long index, long call, int manner) {
    int manners = manner_count(t->kind);
    if (choice == TEST_PART) {
        return ((unsigned)index + test_seed()) % part(t) == 0 &&
               mix(call, 0) % (unsigned)manners == (unsigned)manner;
    }
    unsigned nights = choice == TEST_EVERY ? (unsigned)(t->calls * manners / NIGHT) + 1 : 1;
    return (unsigned)call % variable("EVN_FAULTS_PARTS", 1) + 1 == variable("EVN_FAULTS_PART", 1) &&
           mix(call, manner) % nights == 0;
}

static void try_fault(trial *t, long call, const char *manner) {
    char fault[64];
    snprintf(fault, sizeof(fault), "%ld:%s", call, manner);
    run(t, variables(t->kind, fault, variables_of(t->scenario)), fault);
}

static void try_call(trial *t, test_choice choice, long index, long call) {
    for (int m = 0; m < manner_count(t->kind); ++m) {
        if (is_chosen(t, choice, index, call, m)) {
            try_fault(t, call, kinds[t->kind].manners[m]);
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
        try_call(t, choice, i, choice == TEST_EVERY ? i + 1 : t->places[i]);
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
