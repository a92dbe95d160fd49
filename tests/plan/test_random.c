// SPDX-License-Identifier: Apache-2.0
// Random graphs, planned in every way, against the reference. EVONODE_SEED repeats one of them.
// TEST: timeout=600
#include "check_random.h"
#include "graph/node.h"
#include "test.h"
#include <stdlib.h>

static void check_seeds(uint64_t first, uint64_t end) {
    random_tally tally = {0};
    const char *one = getenv("EVONODE_SEED");
    if (one) {
        check_random(strtoull(one, NULL, 10), false, &tally);
        return;
    }
    for (uint64_t seed = first; seed < end; ++seed) {
        check_random(seed, false, &tally);
    }
    ck_assert_int_ge(tally.by_sample, test_is_whole() ? 3 : 1);
    ck_assert_int_ge(tally.epilogues, test_is_whole() ? 10 : 4);
}

START_TEST(first) {
    check_seeds(0, test_is_whole() ? 25 : 10);
}
END_TEST

START_TEST(second) {
    check_seeds(25, test_is_whole() ? 50 : 35);
}
END_TEST

/// Every operation is in one of the graphs at least, where it is needed.
START_TEST(operations) {
    int seen[EVN__OP_COUNT] = {0};
    for (uint64_t seed = 0; seed < 50; ++seed) {
        evn_graph *graph = random_graph(seed, RANDOM_ANY, 60, 2049);
        bool needed[4096];
        ck_assert_int_le(graph->node_count, 4096);
        evn__graph_needed(graph, needed);
        for (int v = 0; v < graph->node_count; ++v) {
            seen[graph->nodes[v].op] += needed[v];
        }
        evn_graph_destroy(&graph);
    }
    for (int op = 0; op < EVN__OP_COUNT; ++op) {
        ck_assert_msg(seen[op] > 0, "no graph has %s", evn__op_table[op].text);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("random");
    test_add(suite, tcase_create("first"), first);   // whole: long
    test_add(suite, tcase_create("second"), second); // whole: long
    test_add(suite, tcase_create("operations"), operations);
    return test_run(suite);
}
