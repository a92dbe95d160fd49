// SPDX-License-Identifier: Apache-2.0
#include "comma.h"

#include "test.h"
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_set(const char *name) {
    char text[8];
    bool set = setlocale(LC_ALL, name) != NULL;
    snprintf(text, sizeof(text), "%.1f", 0.5);
    return set && strcmp(text, "0,5") == 0;
}

/// glibc takes locales from there; localedef comes with it, their sources with package locales.
static bool make(void) {
    char command[512];
    snprintf(command, sizeof(command),
             "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >/dev/null 2>&1", test_folder());
    int status = system(command); // ends with 1 for mere warnings
    setenv("LOCPATH", test_folder(), 1);
    return status != -1 && is_set("de_DE.UTF-8");
}

bool comma_enter(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "pl_PL.UTF-8", "ru_RU.UTF-8"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        if (is_set(names[i])) {
            return true;
        }
    }
    if (make()) {
        return true;
    }
    printf("skipped: there is no locale with a decimal comma\n");
    setlocale(LC_ALL, "C");
    return false;
}

void comma_leave(void) {
    setlocale(LC_ALL, "C");
}
