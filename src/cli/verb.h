// SPDX-License-Identifier: Apache-2.0
// The verbs of the command line: one file each.
#ifndef EVN_CLI_VERB_H
#define EVN_CLI_VERB_H

#include "cli/task.h"

/// A finished command line: what was typed, and what it means.
struct evn__command {
    int count;
    char *const *words;      ///< all of it, the program's name first; borrowed
    evn__settings *settings; ///< as given, without defaults
    unsigned verb;           ///< EVN__VERB_…; 0: none that is known
};

typedef struct evn__verb {
    const char *name;
    const char *subject; ///< what follows: NULL, nothing; "RUN", one word; "RUN FILE", several
    const char *text;
    unsigned bit; ///< EVN__VERB_…
    evn_status (*run)(const evn__command *command);
    const char *notes; ///< further lines of its help, "" for none
} evn__verb;

extern const evn__verb evn__verb_devices;   // devices.c
extern const evn__verb evn__verb_train;     // train.c
extern const evn__verb evn__verb_resume;    // resume.c
extern const evn__verb evn__verb_eval;      // eval.c
extern const evn__verb evn__verb_predict;   // predict.c
extern const evn__verb evn__verb_depth;     // depth.c
extern const evn__verb evn__verb_invert;    // invert.c
extern const evn__verb evn__verb_gradcheck; // gradcheck.c
extern const evn__verb evn__verb_sample;    // sample.c
extern const evn__verb evn__verb_density;   // density.c
extern const evn__verb evn__verb_export;    // export.c
extern const evn__verb evn__verb_compress;  // compress.c
extern const evn__verb evn__verb_compare;   // compare.c
extern const evn__verb evn__verb_report;    // page.c
extern const evn__verb evn__verb_describe;  // describe.c
extern const evn__verb evn__verb_tune;      // tune.c
extern const evn__verb evn__verb_selftest;  // selftest.c
extern const evn__verb evn__verb_bench;     // bench.c

/// Print the help of the program, or of one verb, to standard output.
void evn__help_program(const evn__verb *const *verbs);
void evn__help_verb(const evn__verb *verb);

/// Write the manual pages, evonode.1 and evonode-VERB.1, into an existing folder.
/// @param[in] version, date  shown on them, as in "0.1.0", "November 29, 2026"
/// @return EVN_ERR_OUTPUT
evn_status evn__manual_write(const evn__verb *const *verbs, const char *folder, const char *version,
                             const char *date);

#endif
