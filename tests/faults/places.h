// SPDX-License-Identifier: Apache-2.0
// The calls of a process that come from somewhere new: by another way through the program, or from
// another line, than any before. Where each call cannot be made to fail, one of each place can.
#ifndef EVN_TEST_PLACES_H
#define EVN_TEST_PLACES_H

#include <stdint.h>
#include <stdio.h>
#include <unwind.h>

enum { PLACES = 1 << 14, PLACES_DEPTH = 24 };

typedef struct places_seen {
    uintptr_t hash[PLACES]; ///< open addressing; 0: free
    long call[PLACES];      ///< the first from there, in the order of places
    long count;
} places_seen;

typedef struct places_walk {
    uintptr_t hash;
    int depth;
} places_walk;

static _Unwind_Reason_Code places_step(struct _Unwind_Context *frame, void *self) {
    places_walk *walk = self;
    walk->hash = (walk->hash ^ (uintptr_t)_Unwind_GetIP(frame)) * (uintptr_t)0x9E3779B97F4A7C15u;
    walk->hash ^= walk->hash >> 29;
    return ++walk->depth < PLACES_DEPTH ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/// Of a call's number, from 1, with the caller's lock.
static void places_note(places_seen *places, long call) {
    places_walk walk = {.hash = 1};
    _Unwind_Backtrace(places_step, &walk);
    uintptr_t hash = walk.hash ? walk.hash : 1, at = hash % PLACES;
    while (places->hash[at] && places->hash[at] != hash) {
        at = (at + 1) % PLACES;
    }
    if (!places->hash[at] && places->count < PLACES - 1) {
        places->hash[at] = hash;
        places->call[places->count++] = call;
    }
}

/// The number of calls in the first line, then the first from each place, a line each.
static void places_write(const places_seen *places, const char *path, long calls) {
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file, "%ld\n", calls);
        for (long i = 0; i < places->count; ++i) {
            fprintf(file, "%ld\n", places->call[i]);
        }
        fclose(file);
    }
}

#endif
