// SPDX-License-Identifier: Apache-2.0
#include "variants.h"

#include "graph/node.h"
#include "host/guard.h"
#include "host/tuning.h"
#include "test.h"

void choose_variant(const evn_graph *graph, evn_value node, const char *name) {
    char key[EVN__VARIANT_KEY];
    for (int fp64 = 0; fp64 < 2; ++fp64) {
        evn__variant_key(graph, node, fp64, key);
        TRY(evn__tuning_set(test_device(), key, name));
    }
}

static bool is_possible(const evn__variant *variant) {
    return !evn__variant_unfit(variant, evn_device_get_info(test_device()));
}

int check_variants(const evn_graph *graph, evn_value node, evn__algorithm algorithm,
                   variant_check *check) {
    const evn__space *space = evn__space_table[evn__node_at(graph, node)->op];
    int possible = 0;
    evn_device_type own = test_act_as(EVN_DEVICE_GPU);
    evn__device_guard(test_device(), true);
    for (int i = 0; i < space->count; ++i) {
        const evn__variant *variant = &space->rows[i];
        char name[EVN__VARIANT_NAME];
        if (variant->algorithm != algorithm || !is_possible(variant)) {
            continue;
        }
        if (possible++ % 3 == 0 || test_is_whole()) {
            choose_variant(graph, node, evn__variant_name(variant, name));
            test_note(name);
            check(graph, i);
        }
    }
    choose_variant(graph, node, NULL);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), 0);
    test_act_as(own);
    return possible;
}
