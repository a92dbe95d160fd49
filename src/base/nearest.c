// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 31 };

static int lower(char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int least(int a, int b, int c) {
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/// Insertions, deletions and replacements that turn a into b, whatever their case; both at most
/// WORD_MAX long.
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
            row[j] =
                least(above + 1, row[j - 1] + 1, diagonal + (lower(a[i - 1]) != lower(b[j - 1])));
            diagonal = above;
        }
    }
    return row[columns];
}

/// Whether one begins or ends with the other, all of which says enough: tsit of tsit5, adams of
/// explicit_adams.
static bool is_part(const char *part, size_t length, const char *whole, size_t whole_length) {
    enum { ENOUGH = 3 };
    return length >= ENOUGH && length <= whole_length &&
           (strncasecmp(whole, part, length) == 0 ||
            strcasecmp(whole + whole_length - length, part) == 0);
}

/// Take `name` where it is nearer than `best`. Of a word that is wrong in more than a third of its
/// letters nobody knows what it was meant to be.
static void consider(const char *word, const char *name, const char **best, int *best_distance) {
    size_t length = strlen(word), name_length = strlen(name);
    if (length > WORD_MAX || name_length > WORD_MAX) {
        return;
    }
    int d = distance(word, name);
    bool begun = is_part(word, length, name, name_length);
    bool contained = is_part(name, name_length, word, length);
    int most = begun ? 1 : contained ? 2 : d;
    d = d < most ? d : most;
    if (d < *best_distance && d <= (int)(length + 1) / 3) {
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
