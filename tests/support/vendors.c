// SPDX-License-Identifier: Apache-2.0
#include "vendors.h"

#include "base/files.h"
#include "host/diagnosis.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void copy(const char *from, const char *to) {
    unsigned char *data;
    size_t bytes;
    TRY(evn__file_read(from, &data, &bytes));
    TRY(evn__file_write(to, data, bytes));
    free(data);
}

static evn_status copy_vendor(void *user, const char *path) {
    char to[TEST_PATH];
    copy(path, test_path(to, "%s/%s", (const char *)user, strrchr(path, '/') + 1));
    return EVN_OK;
}

/// A library of its own: the loader takes two names of one file for one library.
static void break_one(const char *folder, const char *word) {
    char library[TEST_PATH], name[TEST_PATH];
    const char *built = getenv("EVONODE_TEST_VENDOR");
    ck_assert_msg(built != NULL, "EVONODE_TEST_VENDOR names no library; run by CTest");
    copy(built, test_path(library, "broken-%s.so", word));
    snprintf(name, sizeof(name), "%s/%s.icd", folder, word);
    test_write(name, library, strlen(library));
}

const char *test_vendors(const char *words) {
    static char variable[TEST_PATH + 32];
    char folder[TEST_PATH], name[32], copied[256], *rest = copied;
    evn__surroundings here = evn__surroundings_here();
    static int made; // a folder for each set
    snprintf(name, sizeof(name), "vendors-%d", ++made);
    TRY(evn__folder_make(test_path(folder, "%s", name), 0700));
    snprintf(copied, sizeof(copied), "%s", words);
    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        if (strcmp(word, "own") == 0) {
            TRY(evn__vendor_files(&here, copy_vendor, name));
        } else if (strcmp(word, "dangling") == 0) {
            char link[TEST_PATH];
            snprintf(link, sizeof(link), "%.500s/dangling.icd", folder);
            ck_assert_int_eq(symlink("/nonexistent.icd", link), 0);
        } else {
            break_one(name, word);
        }
    }
    snprintf(variable, sizeof(variable), "OCL_ICD_VENDORS=%s", folder);
    return variable;
}
