// SPDX-License-Identifier: Apache-2.0
// What the targets share: promises, and a folder for what is read by its path.
#ifndef EVN_FUZZ_PLACE_H
#define EVN_FUZZ_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/// A promise of a reader is broken.
#define PROMISE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/// Every byte that is promised is there.
uint64_t touch(const void *data, size_t size);

/// A folder of its own, where files are read by their paths; removed with all that is in it.
typedef struct place {
    char folder[1024], path[1152];
} place;

void open_place(place *p);
void close_place(place *p);

/// folder/name, valid until the next call; and a file of that name.
const char *in_place(place *p, const char *name);
const char *put_file(place *p, const char *name, const void *data, size_t size);

#endif
