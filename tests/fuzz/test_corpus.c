// SPDX-License-Identifier: Apache-2.0
// Each file of the corpus, and many changed ones made of it, the same in every run, through what
// reads such files: nothing crashes, and what is accepted keeps its promises (targets.c aborts).
#include "targets.h"
#include "test.h"

#include "base/files.h"
#include "base/random.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 1024, CHANGES = 150, SIZE_MAX_FED = 1 << 16 };

static uint64_t state;

static uint64_t next(uint64_t below) { // xorshift64
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? state % below : 0;
}

/// One to four changes: bits, bytes, numbers that are limits, pieces left out or doubled.
static size_t change(uint8_t *data, size_t size) {
    static const char *const words[] = {
        "-1",          "1e999", "null", "{", "]",   "18446744073709551616",
        "\"\\u0000\"", "\xff",  "NaN",  ",", "0.5", "\"\""};
    for (uint64_t left = 1 + next(4); left > 0 && size > 0; --left) {
        size_t at = next(size), length = 1 + next(size - at < 16 ? size - at : 16);
        const char *word = words[next(sizeof(words) / sizeof(words[0]))];
        switch (next(5)) {
        case 0:
            data[at] ^= (uint8_t)(1 << next(8));
            break;
        case 1:
            data[at] = (uint8_t)next(256);
            break;
        case 2:
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
            break;
        case 3:
            if (size + length <= SIZE_MAX_FED) {
                memmove(data + at + length, data + at, size - at);
                size += length;
            }
            break;
        default:
            if (size + strlen(word) <= SIZE_MAX_FED) {
                memmove(data + at + strlen(word), data + at, size - at);
                memcpy(data + at, word, strlen(word));
                size += strlen(word);
            }
        }
    }
    return size;
}

static void feed_changed(const fuzz_target *target, const uint8_t *seed, size_t size) {
    static uint8_t data[SIZE_MAX_FED];
    ck_assert_uint_le(size, SIZE_MAX_FED);
    target->feed(seed, size);
    for (int i = 0; i < CHANGES; ++i) {
        memcpy(data, seed, size);
        size_t changed = change(data, size);
        uint8_t *exact = malloc(changed ? changed : 1); // reading beyond it is seen by ASan
        memcpy(exact, data, changed);
        if (target->mend && i % 4 > 0) {
            target->mend(exact, changed);
        }
        target->feed(exact, changed);
        free(exact);
    }
}

START_TEST(corpus) {
    const fuzz_target *target = &fuzz_targets[_i];
    char folder[PATH], path[2 * PATH];
    int files = 0;
    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", getenv("EVONODE_SOURCE"),
             target->name);
    DIR *stream = opendir(folder);
    ck_assert_msg(stream, "%s is missing", folder);
    test_folder_in_memory();
    setenv("TMPDIR", test_folder(), 1); // of the targets' own folders
    state = 88172645463325252u;
    for (struct dirent *entry; (entry = readdir(stream));) {
        unsigned char *data;
        size_t size;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.') {
            continue;
        }
        test_note(path);
        TRY(evn__file_read(path, &data, &size));
        feed_changed(target, data, size);
        free(data);
        ++files;
    }
    closedir(stream);
    ck_assert_int_gt(files, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("corpus");
    TCase *tcase = tcase_create("targets");
    int count = 0;
    while (fuzz_targets[count].name) {
        ++count;
    }
    tcase_add_loop_test(tcase, corpus, 0, count);
    suite_add_tcase(suite, tcase);
    return test_run(suite);
}
