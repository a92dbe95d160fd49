// SPDX-License-Identifier: Apache-2.0
// Options as rows of tables: one row says how an option is called, what it takes, what it means and
// where its value lives. Parsing, help, run.json and its reading back all walk the same rows.
#ifndef EVN_CLI_OPTIONS_H
#define EVN_CLI_OPTIONS_H

#include "base/status.h"
#include "io/run_lock.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct evn__option evn__option;

/// How values of one C type are read, shown and compared with "not given".
typedef struct evn__option_kind {
    size_t size;
    void (*clear)(void *field); ///< to "not given"
    bool (*given)(const void *field);
    evn_status (*apply)(const evn__option *option, void *field, const char *value);
    evn_status (*read)(const evn__option *option, void *field, const json_t *value);
    json_t *(*show)(const void *field); ///< null when not given
    /// Of a place that the verb writes to: check it, and lock the run whose directory it is in (as
    /// evn__run_output_claim); NULL: it names none.
    evn_status (*claim)(const void *field, evn__run_lock *lock);
    const char *note; ///< for the help of each option of the kind; "" for none
} evn__option_kind;

extern const evn__option_kind evn__option_text; ///< const char *, borrowed
extern const evn__option_kind
    evn__option_output; ///< text: a file to write; "-" is evn__standard_output
extern const evn__option_kind evn__option_folder;  ///< text: a directory to write files into
extern const evn__option_kind evn__option_integer; ///< int64_t
extern const evn__option_kind evn__option_real;    ///< double
extern const evn__option_kind evn__option_flag;    ///< bool; takes no argument

/// For kinds that apply numbers as text.
evn_status evn__option_read_number(const evn__option *option, void *field, const json_t *value);

/// Among the verbs of an option: it is of this process alone, neither shown nor read back.
#define EVN__OPTION_PASSING (1u << 31)

/// One option. A table ends with a row whose name is NULL. An option that means different things to
/// different verbs has a row for each.
struct evn__option {
    const char *name;     ///< without dashes
    const char *argument; ///< "N", "NAME", …; NULL for a flag; "[N]" may be left out, and is 0
                          ///< then, "[DIR]" is "."
    const char *help;     ///< one line
    unsigned verbs;       ///< bits of the verbs that take it
    const evn__option_kind *kind;
    size_t offset;                    ///< of the field in the structure that the table is for
    double low, high;                 ///< numbers: allowed range, both ends included
    const char *(*choice)(int index); ///< text: what is allowed, NULL past the last; NULL: anything
};

/// The row of that name which any of `verbs` takes, NULL when there is none. `length` bytes of name
/// count.
const evn__option *evn__option_find(const evn__option *table, unsigned verbs, const char *name,
                                    size_t length);

/// Set the option's field of `target` from text.
/// @return EVN_ERR_USAGE with what is allowed
evn_status evn__option_apply(const evn__option *option, void *target, const char *value);

bool evn__option_given(const evn__option *option, const void *target);
void evn__option_copy(const evn__option *option, void *target, const void *source);

enum { EVN__CLAIMS_MAX = 4 }; ///< more than any verb has options that name places

/// Locks of the runs whose directories are written to; {0} is none.
typedef struct evn__claims {
    evn__run_lock locks[EVN__CLAIMS_MAX];
    int count;
} evn__claims;

/// Claim the places that the given options of `verbs` name (evn__option_kind).
/// @param[in,out] claims  released by the caller, also after a failure
/// @return EVN_ERR_OUTPUT
evn_status evn__options_claim(const evn__option *table, unsigned verbs, const void *target,
                              evn__claims *claims);
void evn__claims_release(evn__claims *claims);

/// Whether any of `verbs` takes an option of the table.
bool evn__options_any(const evn__option *table, unsigned verbs);

/// Set all fields of a table to "not given".
void evn__options_clear(const evn__option *table, void *target);

/// Put the fields of the options that any of `verbs` takes into `object`, by option name.
void evn__options_show(const evn__option *table, unsigned verbs, const void *target,
                       json_t *object);

/// Set the fields that `object` has a value for, of the options that any of `verbs` takes. Text is
/// borrowed from it.
/// @return EVN_ERR_FORMAT
evn_status evn__options_read(const evn__option *table, unsigned verbs, void *target,
                             const json_t *object);

#endif
