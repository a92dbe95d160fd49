// SPDX-License-Identifier: Apache-2.0
// What is missing where a device is not to be had, and the command that mends it (host/advice.def).
#ifndef EVN_HOST_DIAGNOSIS_H
#define EVN_HOST_DIAGNOSIS_H

#include "base/memory.h"
#include "host/list.h"

typedef enum evn__cause {
#define EVN_CAUSE(name, word) EVN__CAUSE_##name,
#define EVN_ADVICE(cause, system, text)
#include "host/advice.def"
#undef EVN_CAUSE
#undef EVN_ADVICE
    EVN__CAUSE_COUNT
} evn__cause;

/// One thing that was found, such as a device node that may not be opened.
typedef struct evn__finding {
    evn__cause cause;
    char what[2 * EVN_DEVICE_TEXT]; ///< a clause, without a full stop
} evn__finding;

/// What the diagnosis looks at; tests give it others.
typedef struct evn__surroundings {
    const char *devices; ///< "/dev"
    const char *vendors; ///< the loader's folder of .icd files, or one such file
    const char *release; ///< "/etc/os-release"
    bool chosen;         ///< the folder was named by OCL_ICD_VENDORS
    const char *rusticl; ///< RUSTICL_ENABLE, NULL: not set
    bool wsl;            ///< a Linux within Windows, whose GPU is the node dxg
    int (*reach)(const char *path, int mode); ///< access
} evn__surroundings;

evn__surroundings evn__surroundings_here(void);

typedef struct evn__findings {
    evn__finding *rows;
    int count, capacity;
} evn__findings;

void evn__findings_free(evn__findings *findings);

/// Append one. `format` gives its `what`.
evn_status evn__findings_add(evn__findings *findings, evn__cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Everything that the surroundings and the platforms show; none where all is well.
/// @return EVN_ERR_MEMORY
evn_status evn__diagnose(const evn__surroundings *here, const evn__platform *platforms, int count,
                         evn__findings *findings);

/// "no-driver" and so on, for programs that read --json.
const char *evn__cause_word(evn__cause cause);

/// Append what mends `cause` on this system; on one that is not known, for each system by name.
void evn__advice_text(const evn__surroundings *here, evn__cause cause, evn__text *text);

/// Append findings with their advice, as one sentence after the other.
void evn__findings_text(const evn__surroundings *here, const evn__findings *findings,
                        evn__text *text);

/// Append all that the diagnosis finds; its failure is the text's.
void evn__diagnosis_text(const evn__surroundings *here, const evn__platform *platforms, int count,
                         evn__text *text);

/// Call `use` with the path of each .icd file of the surroundings, in the order of their names.
evn_status evn__vendor_files(const evn__surroundings *here,
                             evn_status (*use)(void *user, const char *path), void *user);

#endif
