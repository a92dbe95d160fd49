// SPDX-License-Identifier: Apache-2.0
// 2,000 random graphs, each planned in every way. EVONODE_SEED repeats one of them.
// TEST: label=long timeout=7200
#include "check_random.h"
#include "test.h"
#include <stdlib.h>

enum { FIRST = 50, GRAPHS = 1000 };

static void check_seeds(uint64_t first) {
    random_tally tally = {0};
    const char *one = getenv("EVONODE_SEED");
    uint64_t end = one ? strtoull(one, NULL, 10) + 1 : first + GRAPHS;
    for (uint64_t seed = one ? end - 1 : first; seed < end; ++seed) {
        check_random(seed, true, &tally);
    }
}

START_TEST(first) {
    check_seeds(FIRST);
}
END_TEST

START_TEST(second) {
    check_seeds(FIRST + GRAPHS);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("random_long");
    test_add(suite, tcase_create("first"), first);
    test_add(suite, tcase_create("second"), second);
    return test_run(suite);
}
