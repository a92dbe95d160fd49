// SPDX-License-Identifier: Apache-2.0
// Work that falls into independent items, done by a thread for each processor.
#ifndef EVN_BASE_PARALLEL_H
#define EVN_BASE_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/// Items, and who does them.
typedef struct evn__parallel {
    int64_t count;
    /// Do an item; false: no item that was not begun is begun any more. Called on several threads
    /// at once; items are begun in their order.
    bool (*work)(void *user, int64_t index);
    /// How many are done, ten times a second on the caller's thread; NULL: not told.
    void (*tick)(void *user, int64_t done);
    void *user;
} evn__parallel;

/// Return when all items are done, or those that were begun before one said stop.
void evn__parallel_run(const evn__parallel *parallel);

#endif
