// SPDX-License-Identifier: Apache-2.0
#include "cli/choices.h"
#include "cli/task.h"
#include "cli/verb.h"
#include "evonode/model.h"
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 26 };

static void print_line(const char *left, const char *text) {
    if (strlen(left) < COLUMN) {
        printf("  %-*s%s\n", COLUMN, left, text);
    } else {
        printf("  %s\n  %-*s%s\n", left, COLUMN, "", text);
    }
}

static void print_options(const evn__option *table, unsigned verb) {
    char left[128], right[256], list[EVN__CHOICE_TEXT];
    for (const evn__option *row = table; row->name; ++row) {
        if (row->verbs & verb) {
            const char *value = evn__settings_default(row->name);
            bool stated = value && verb == EVN__VERB_TRAIN;
            snprintf(left, sizeof(left), "--%s %s", row->name, row->argument ? row->argument : "");
            snprintf(right, sizeof(right), "%s%s%s%s%s", row->help, row->kind->note,
                     stated ? " [" : "", stated ? value : "", stated ? "]" : "");
            print_line(left, right);
            if (row->choice) {
                print_line("", evn__choice_text(row->choice, list, sizeof(list)));
            }
        }
    }
}

/// What training does where nothing is said, as options.
static void print_tasks(void) {
    static const char *const shown[] = {"data", "batch", "width", "optimizer", "rtol", "atol"};
    const evn__task_row *task;
    for (int i = 0; (task = evn__task_at(i)); ++i) {
        print_line(task->name, task->text);
        print_line("", "by default:");
        for (int phase = 0; evn__task_default(task, "phase", phase); ++phase) {
            printf("  %-*s--phase %s\n", COLUMN, "", evn__task_default(task, "phase", phase));
        }
        for (size_t option = 0; option < sizeof(shown) / sizeof(shown[0]); ++option) {
            const char *value = evn__task_default(task, shown[option], 0);
            if (value) {
                printf("  %-*s--%s %s\n", COLUMN, "", shown[option], value);
            }
        }
    }
}

/// What network files may say.
static void print_layers(void) {
    char takes[128], line[256];
    const evn__layer_kind *kind;
    for (int i = 0; (kind = evn__layer_kind_at(i)); ++i) {
        print_line(kind->name, kind->text);
        for (int k = 0; evn__layer_key_at(kind, k); ++k) {
            const evn__layer_key *key = evn__layer_key_at(kind, k);
            snprintf(line, sizeof(line), "%s: %s", key->name, key->text);
            print_line("", line);
            snprintf(line, sizeof(line), "  %s", evn__layer_key_text(key, takes, sizeof(takes)));
            print_line("", line);
        }
    }
}

void evn__help_verb(const evn__verb *verb) {
    bool trains = verb->bit == EVN__VERB_TRAIN;
    printf("evonode %s%s%s [options]\n%s\n", verb->name, verb->subject ? " " : "",
           verb->subject ? verb->subject : "", verb->text);
    if (trains) {
        printf("\nTasks:\n");
        print_tasks();
    }
    printf("\nOptions (--name value, or --name=value):\n");
    print_options(evn__settings_options, verb->bit);
    print_line("--help", "print this help");
    if (evn__options_any(evn__phase_options, verb->bit)) {
        printf("\n%s:\n", trains ? "For all phases, and the keys of --phase" : "Solver");
        print_options(evn__phase_options, verb->bit);
    }
    if (trains) {
        printf("\nKinds of --weights:\n");
        for (int i = 0; evn_evolution_name(i); ++i) {
            print_line(evn_evolution_name(i), evn_evolution_text(i));
        }
    }
    if (verb->bit == EVN__VERB_DESCRIBE) {
        printf("\nLayers:\n");
        print_layers();
    }
    printf("%s", verb->notes);
}

void evn__help_program(const evn__verb *const *verbs) {
    char left[128];
    printf("evonode: neural ODEs with evolving weights, on any OpenCL device\n\nVerbs:\n");
    for (; *verbs; ++verbs) {
        snprintf(left, sizeof(left), "%s %s", (*verbs)->name,
                 (*verbs)->subject ? (*verbs)->subject : "");
        print_line(left, (*verbs)->text);
    }
    print_line("VERB --help", "the options of a verb");
    print_line("--version", "print the version");
    printf("\nExit codes:\n");
#define EVN_STATUS(name, value, text) printf("  %2d  %s\n", value, text);
#include "base/status.def"
#undef EVN_STATUS
    printf("\nEnvironment: EVONODE_DEVICE is the default of --device, EVONODE_DATA the directory "
           "that\nholds the data sets' directories; man evonode lists the others.\n");
}
