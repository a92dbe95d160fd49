// SPDX-License-Identifier: Apache-2.0
// A device as a file describes it: lines "key = value", comments from '#' on.
#ifndef EVN_LAYER_PROFILE_H
#define EVN_LAYER_PROFILE_H

#include "layer.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum profile_kind {
    PROFILE_TEXT,
    PROFILE_UINT,
    PROFILE_ULONG,
    PROFILE_SIZE,
    PROFILE_SIZES, ///< several, with spaces between
    PROFILE_BOOL,  ///< yes or no
    PROFILE_TYPE,  ///< gpu, cpu or accelerator
} profile_kind;

typedef enum profile_key {
#define ROW(key, kind, needed, parameter) PROFILE_KEY_##key,
#include "profile.def"
#undef ROW
    PROFILE_KEYS
} profile_key;

/// The row of a key.
typedef struct profile_row {
    const char *name;
    profile_kind kind;
    bool needed;
    cl_device_info parameter;
} profile_row;
extern const profile_row profile_rows[PROFILE_KEYS];

enum { PROFILE_NUMBERS = 8 };

/// What the file says of a key; count 0 and text NULL where it says nothing.
typedef struct profile_value {
    char *text;
    uint64_t numbers[PROFILE_NUMBERS];
    int count;
} profile_value;

typedef struct profile {
    profile_value values[PROFILE_KEYS];
} profile;

/// Read a file; layer_fail with file and line where it cannot be.
void profile_read(const char *path, profile *profile);

/// The first number of a key; 0 where it has none.
uint64_t profile_number(const profile *profile, profile_key key);

/// Whether a word stands in a list of words.
bool profile_lists(const char *words, const char *word);

#endif
