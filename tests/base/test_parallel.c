// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"
#include "test.h"

#include <stdatomic.h>

enum { COUNT = 10000 };

typedef struct counts {
    atomic_int done[COUNT];
    int64_t last; ///< −1: all are done
    int ticks;
} counts;

static bool work(void *user, int64_t index) {
    counts *c = user;
    atomic_fetch_add(&c->done[index], 1);
    return index != c->last;
}

static void tick(void *user, int64_t done) {
    ck_assert(done >= 0 && done <= COUNT);
    ++((counts *)user)->ticks;
}

START_TEST(each_once) {
    static counts c = {.last = -1};
    evn__parallel_run(&(evn__parallel){COUNT, work, tick, &c});
    for (int i = 0; i < COUNT; ++i) {
        ck_assert_int_eq(atomic_load(&c.done[i]), 1);
    }
    evn__parallel_run(&(evn__parallel){.count = 0, .work = work, .user = &c});
    evn__parallel_run(&(evn__parallel){.count = 1, .work = work, .user = &c});
    ck_assert_int_eq(atomic_load(&c.done[0]), 2);
}
END_TEST

/// All before the one that stops are done, few after it.
START_TEST(stops) {
    static counts c = {.last = 100};
    int done = 0;
    evn__parallel_run(&(evn__parallel){COUNT, work, NULL, &c});
    for (int i = 0; i < COUNT; ++i) {
        ck_assert(i > 100 || atomic_load(&c.done[i]) == 1);
        done += atomic_load(&c.done[i]);
    }
    ck_assert_int_lt(done, COUNT);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("parallel");
    test_add(s, tcase_create("each_once"), each_once);
    test_add(s, tcase_create("stops"), stops);
    return s;
}

int main(void) {
    return test_run(suite());
}
