// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 31 };

static int least(int a, int b, int c) {
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/// Insertions, deletions and replacements that turn a into b; both at most WORD_MAX long.
static int distance(const char *a, const char *b) {
    int row[WORD_MAX + 1];
    int columns = (int)strlen(b);
    for (int j = 0; j <= columns; ++j) {
        row[j] = j;
    }
    for (int i = 1; a[i - 1]; ++i) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= columns; ++j) {
            int above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[columns];
}

/// Take `name` where it is nearer than `best`.
static void consider(const char *word, const char *name, const char **best, int *best_distance) {
    size_t length = strlen(word);
    if (length > WORD_MAX || strlen(name) > WORD_MAX) {
        return;
    }
    int d = length >= 3 && strncmp(name, word, length) == 0 ? 1 : distance(word, name);
    if (d < *best_distance && d <= (int)(length + 1) / 2) {
        *best = name;
        *best_distance = d;
    }
}

enum { FARTHEST = 4 };

const char *evn__nearest(const char *word, const char *const *names) {
    const char *best = NULL;
    int best_distance = FARTHEST;
    for (; *names; ++names) {
        consider(word, *names, &best, &best_distance);
    }
    return best;
}

const char *evn__nearest_choice(const char *word, const char *(*choice)(int index)) {
    const char *best = NULL;
    int best_distance = FARTHEST;
    for (int i = 0; choice(i); ++i) {
        consider(word, choice(i), &best, &best_distance);
    }
    return best;
}
