// SPDX-License-Identifier: Apache-2.0
// What the files of the costume share. One profile clothes each device of the process.
#ifndef EVN_LAYER_COSTUME_H
#define EVN_LAYER_COSTUME_H

#include "profile.h"

typedef struct costume {
    profile profile;
    cl_icd_dispatch below;
} costume;
extern costume layer_costume;

/// Put the functions of a part into the table: what a device is bounded by, and what it compiles.
void layer_costume_bound(cl_icd_dispatch *table);
void layer_costume_compile(cl_icd_dispatch *table);

/// Whether the profile has the extension.
bool layer_costume_has(const char *extension);

#endif
