// SPDX-License-Identifier: Apache-2.0
// The tuner: variants that are wrong cannot win, however fast they are; what wins is right.
// TEST: timeout=900 serial
#include "base/embedded.h"
#include "base/files.h"
#include "host/tuning.h"
#include "host/wait.h"
#include "plan/plan.h"
#include "samples/form.h"
#include "test.h"
#include "tune/subject.h"
#include "tune/tuner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Tiles that no device takes by default, one for CPUs, one for others.
#define FAULTY "#if ROWS == 12 || ROWS == 2\n#undef fma\n"

/// A folder of kernels in which those of one family, or two, begin with `fault`.
static void plant_in(const char *family, const char *other, const char *fault) {
    for (const evn__embedded *file = evn__embedded_kernels; file->name; ++file) {
        bool faulty = strcmp(file->name, family) == 0 || strcmp(file->name, other) == 0;
        char path[1024];
        evn__text whole = {0};
        evn__text_append(&whole, "%s\n%s", faulty ? fault : "", (const char *)file->data);
        TRY(whole.status);
        snprintf(path, sizeof(path), "%s/%s", test_folder(), file->name);
        TRY(evn__file_write(path, whole.data, whole.size));
        free(whole.data);
    }
    setenv("EVONODE_KERNEL_DIR", test_folder(), 1);
}

/// In those of products.
static void plant(const char *fault) {
    plant_in("matmul.cl", "tiled.cl", fault);
}

typedef struct tally {
    int shapes, tried, wrong, won, faulty_won;
} tally;

static void count(void *user, const evn__tuner_row *row) {
    tally *t = user;
    ++t->shapes;
    t->tried += row->tried;
    t->wrong += row->wrong;
    t->won += row->winner[0] != 0;
    t->faulty_won += strstr(row->winner, "s 12x") || strstr(row->winner, "s 2x");
    ck_assert_double_gt(row->seconds, 0);
    ck_assert_int_eq(evn__device_wait_as(test_device(), EVN__WAITING_SPINS), EVN__WAITING_SPINS);
    if (row->wrong > 0) {
        ck_assert(strstr(row->reason, "differs from the reference") ||
                  strstr(row->reason, "other bits the second time"));
    }
}

static tally tune_quickly(void) {
    setenv("EVONODE_TUNE", "off", 1); // what the user's own file says is not wanted here
    tally t = {0};
    evn__tuner_options options = {.family = "matmul", .quick = true, .seconds = 60};
    evn__waiting before = evn__device_wait_as(test_device(), EVN__WAITING_UNKNOWN);
    TRY(evn__tuner_run(test_device(), &options, count, &t));
    ck_assert_int_eq(evn__device_wait_as(test_device(), before), EVN__WAITING_UNKNOWN);
    ck_assert_int_ge(t.shapes, 2);
    return t;
}

/// No arithmetic at all in tiles of 12 rows: nothing is faster. The defaults stay right.
START_TEST(always_wrong) {
    plant(FAULTY "#define fma(a, b, c) (c)\n#endif\n");
    tally t = tune_quickly();
    ck_assert_int_eq(t.wrong, t.shapes);
    ck_assert_int_eq(t.faulty_won, 0);
    ck_assert_int_gt(t.tried, 0);
}
END_TEST

/// Right at the shapes that are timed, all of even sizes. Blocks, which have no n_count, are left
/// out.
START_TEST(wrong_at_odd_shapes) {
    plant(FAULTY "#undef BLOCK_COLUMNS\n#define fma(a, b, c) (n_count % 2 ? (c) : (a) * (b) + "
                 "(c))\n#endif\n");
    tally t = tune_quickly();
    ck_assert_int_eq(t.wrong, t.shapes);
    ck_assert_int_eq(t.faulty_won, 0);
}
END_TEST

/// Where the default is slowed down, another variant wins, and plans take it.
START_TEST(right_and_faster) {
    char fault[256];
    const evn_device_info *info = evn_device_get_info(test_device());
    int rows = info->type == EVN_DEVICE_CPU ? evn__tile_wide(info).rows : evn__tile_small().rows;
    snprintf(fault, sizeof(fault),
             "#if ROWS == %d\n#undef fma\n#define more(a, b, c) mad(b, R(0.0) * (b), c)\n"
             "#define four(a, b, c) more(a, b, more(a, b, more(a, b, more(a, b, c))))\n"
             "#define fma(a, b, c) mad(a, b, four(a, b, four(a, b, c)))\n#endif\n",
             rows);
    plant(fault);
    tally t = tune_quickly();
    ck_assert_int_eq(t.wrong, 0);
    ck_assert_int_gt(t.won, 0);
}
END_TEST

static const int64_t sizes[EVN__PRODUCT_SIZES] = {65, 70, 64};

static evn_graph *product(char key[EVN__VARIANT_KEY]) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    evn_value c = evn__product_build(graph, EVN__OP_MATMUL, sizes);
    evn__variant_key(graph, c, false, key);
    return graph;
}

/// Work-items along the columns of c: which tile a new plan takes shows in it.
static size_t columns(const evn_graph *graph) {
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), graph, &(evn_plan_options){0}, &plan));
    ck_assert_int_eq(plan->launches.count, 1);
    size_t items = plan->launches.rows[0].range.global[0];
    evn_plan_destroy(&plan);
    return items;
}

/// A choice counts for its shape class alone; a name that no variant has is as good as none.
START_TEST(choices) {
    char key[EVN__VARIANT_KEY];
    setenv("EVONODE_TUNE", "off", 1);
    evn_graph *graph = product(key);
    ck_assert_str_eq(key, "fp32 matmul nn 128x64 64x128 128x128");
    size_t untuned = columns(graph);
    const char *narrow = "tiles 6x2x4 in 1x1", *wide = "tiles 4x4x16 in 1x1";
    TRY(evn__tuning_set(test_device(), key, "tiles 1000x2x4 in 1x1"));
    ck_assert_uint_eq(columns(graph), untuned);
    TRY(evn__tuning_set(test_device(), "fp32 matmul tn 128x64 64x128 128x128", wide));
    ck_assert_uint_eq(columns(graph), untuned);
    TRY(evn__tuning_set(test_device(), key, narrow));
    ck_assert_uint_eq(columns(graph), 9);
    TRY(evn__tuning_set(test_device(), key, wide));
    ck_assert_uint_eq(columns(graph), 2);
    TRY(evn__tuning_set(test_device(), key, NULL));
    ck_assert_uint_eq(columns(graph), untuned);
    evn_graph_destroy(&graph);
}
END_TEST

/// Every row of a space has a name of its own, which finds it again.
START_TEST(names) {
    char name[EVN__VARIANT_NAME];
    for (int op = 0; op < EVN__OP_COUNT; ++op) {
        const evn__space *space = evn__space_table[op];
        for (int i = 0; space && i < space->count; ++i) {
            evn__variant_name(&space->rows[i], name);
            ck_assert_ptr_eq(evn__variant_find((evn__op)op, name), &space->rows[i]);
        }
    }
}
END_TEST

/// Each has a graph, a class, choices and a family that can be named.
START_TEST(subjects) {
    char key[EVN__VARIANT_KEY], room[EVN__VARIANT_NAME];
    for (const evn__subject *s = evn__subjects; s->kind; ++s) {
        evn_graph *graph = NULL;
        bool known = false;
        TRY(evn_graph_create(&graph));
        s->kind->build(graph, s);
        TRY(evn_graph_status(graph));
        ck_assert(s->kind->key(graph, key)[0]);
        for (int i = 0; evn__tuner_family(i); ++i) {
            known = known || strcmp(evn__tuner_family(i), s->family) == 0;
        }
        ck_assert(known);
        ck_assert_ptr_nonnull(s->kind->choice(s, 0, room));
        evn_graph_destroy(&graph);
    }
}
END_TEST

/// Forms of plans over samples are right at their odd shapes, and no time at all is no failure.
START_TEST(forms) {
    setenv("EVONODE_TUNE", "off", 1);
    tally t = {0};
    evn__tuner_options options = {.family = "samples", .quick = true, .seconds = 1e-3};
    TRY(evn__tuner_run(test_device(), &options, count, &t));
    ck_assert_int_eq(t.shapes, 2);
    options.seconds = 120;
    t = (tally){0};
    TRY(evn__tuner_run(test_device(), &options, count, &t));
    ck_assert_int_eq(t.wrong, 0);
    ck_assert_int_gt(t.tried, 0);
}
END_TEST

static tally tune_sums(evn_device_type type) {
    setenv("EVONODE_TUNE", "off", 1);
    tally t = {0};
    evn__tuner_options options = {.family = "normalize", .quick = true, .seconds = 120};
    evn_device_type own = test_act_as(type);
    TRY(evn__tuner_run(test_device(), &options, count, &t));
    test_act_as(own);
    return t;
}

/// Sums over work-groups are a GPU's to choose, and right at their odd shapes.
START_TEST(sums) {
    ck_assert_int_eq(tune_sums(EVN_DEVICE_CPU).shapes, 0);
    tally t = tune_sums(EVN_DEVICE_GPU);
    ck_assert_int_eq(t.shapes, 1);
    ck_assert_int_gt(t.tried, 0);
    ck_assert_int_eq(t.wrong, 0);
}
END_TEST

/// Right within the tolerance, but not the same twice: what is there already changes it. (Where
/// there is no y, a y is; sqrt may be a macro already.)
START_TEST(other_bits) {
    plant_in("normalize.cl", "",
             "#ifdef ONE_BARRIER\n__constant real y[1] = {0};\n"
             "#undef sqrt\n#define sqrt(v) (exp(R(0.5) * log(v)) * (y[0] == y[0] ? R(1.000004) : "
             "R(1.0)))\n#endif\n");
    tally t = tune_sums(EVN_DEVICE_GPU);
    ck_assert_int_gt(t.wrong, 0);
    ck_assert_int_eq(t.tried, 0);
    ck_assert_int_eq(t.won, 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("tuner");
    test_add(s, tcase_create("always_wrong"), always_wrong);
    test_add(s, tcase_create("wrong_at_odd_shapes"), wrong_at_odd_shapes);
    test_add(s, tcase_create("right_and_faster"), right_and_faster);
    test_add(s, tcase_create("choices"), choices);
    test_add(s, tcase_create("names"), names);
    test_add(s, tcase_create("subjects"), subjects);
    test_add(s, tcase_create("forms"), forms);
    test_add(s, tcase_create("sums"), sums);
    test_add(s, tcase_create("other_bits"), other_bits);
    return s;
}

int main(void) {
    return test_run(suite());
}
