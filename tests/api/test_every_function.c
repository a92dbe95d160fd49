// SPDX-License-Identifier: Apache-2.0
// A function that is in a public header, and in none of the files that call them with wrong
// arguments, fails the test.
#include "test.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_text(const char *name) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", getenv("EVONODE_SOURCE"), name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "no file %s", path);
    char *text = calloc(1, 1 << 20);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

/// What has calls with wrong arguments.
static const char *const files[] = {"tests/api/test_arguments.c", "tests/api/test_builders.c",
                                    "tests/api/test_training.c", "tests/api/test_events.c"};
enum { FILES = sizeof(files) / sizeof(files[0]) };

static bool is_in_any(const char *word, char *const *tables) {
    bool found = false;
    for (int i = 0; i < FILES; ++i) {
        found = found || strstr(tables[i], word);
    }
    return found;
}

/// Every "evn_name(" of a header's lines that are no comments.
static int check_header(const char *name, char *const *tables) {
    char path[512];
    int count = 0;
    snprintf(path, sizeof(path), "include/evonode/%s", name);
    char *text = read_text(path), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *comment = strstr(line, "//"), *at = strstr(line, "evn_");
        if (comment) {
            *comment = 0;
        }
        if (line[0] == '#' || strncmp(line, "template", 8) == 0) {
            continue; // what C++ has for a macro
        }
        for (; at && (!comment || at < comment); at = strstr(at, "evn_")) {
            size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
            if (at[length] == '(') {
                char word[128];
                snprintf(word, sizeof(word), "%.*s", (int)length, at);
                ck_assert_msg(is_in_any(word, tables), "%s of %s is not tested", word, name);
                ++count;
            }
            at += length;
        }
    }
    free(text);
    return count;
}

START_TEST(every_function_is_tested) {
    if (!getenv("EVONODE_SOURCE")) {
        return;
    }
    char path[1024], *tables[FILES];
    int count = 0;
    for (int i = 0; i < FILES; ++i) {
        tables[i] = read_text(files[i]);
    }
    snprintf(path, sizeof(path), "%s/include/evonode", getenv("EVONODE_SOURCE"));
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] != '.') {
            count += check_header(entry->d_name, tables);
        }
    }
    ck_assert_int_gt(count, 150);
    closedir(folder);
    for (int i = 0; i < FILES; ++i) {
        free(tables[i]);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("api/every_function");
    TCase *headers = tcase_create("headers");
    tcase_add_test(headers, every_function_is_tested);
    suite_add_tcase(s, headers);
    return s;
}

int main(void) {
    return test_run(suite());
}
