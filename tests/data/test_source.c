// SPDX-License-Identifier: Apache-2.0
// What the built-in sources say of themselves, and that a batch depends on its description alone.
#include "data/curve.h"
#include "data/density.h"
#include "data/parts.h"
#include "evonode/source.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { SIDE = 8, PIXELS = SIDE * SIDE, CLASSES = 10, BATCH = 32 };

typedef struct batch {
    float samples[BATCH * PIXELS], targets[BATCH * CLASSES], weights[BATCH];
    int64_t filled;
} batch;

static void fill(const evn_source *source, evn_batch which, batch *b) {
    TRY(source->methods->fill(source->self, &which, b->samples, b->targets, b->weights,
                              &b->filled));
}

static evn_source_info info(const evn_source *source) {
    return source->methods->info(source->self);
}

START_TEST(images) {
    static batch a, b;
    evn_dataset *dataset = NULL;
    evn_source source;
    const evn_augmentation crop = {.crop = 2}, wrong = {.crop = SIDE};
    TRY(evn_dataset_open("digits", NULL, &dataset));
    ck_assert_int_eq(evn_source_images(dataset, 0, NULL, 1, &source), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_source_images(dataset, BATCH, &wrong, 1, &source), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_source_images(dataset, 5000, NULL, 1, &source), EVN_ERR_DATA);
    TRY(evn_source_images(dataset, BATCH, &crop, 1, &source));
    evn_dataset_info d = evn_dataset_get_info(dataset);
    ck_assert(evn_shape_equal(info(&source).sample, EVN_SHAPE(SIDE, SIDE, 1)));
    ck_assert(evn_shape_equal(info(&source).target, EVN_SHAPE(CLASSES)));
    ck_assert_int_eq(info(&source).batches[EVN_TRAIN], d.count[EVN_TRAIN] / BATCH);
    ck_assert_int_eq(info(&source).batches[EVN_TEST], (d.count[EVN_TEST] + BATCH - 1) / BATCH);

    const evn_batch drawn = {.part = EVN_TRAIN, .training = true, .epoch = 3, .index = 2};
    evn_batch measured = drawn, other = drawn;
    fill(&source, drawn, &a);
    measured.training = false;
    fill(&source, measured, &b);
    ck_assert_mem_eq(a.targets, b.targets, sizeof(a.targets)); // the same images,
    ck_assert_mem_ne(a.samples, b.samples, sizeof(a.samples)); // as they are
    other.epoch = 4;
    fill(&source, other, &b);
    ck_assert_mem_ne(a.targets, b.targets, sizeof(a.targets));
    fill(&source, drawn, &b); // whatever came between
    ck_assert_mem_eq(&a, &b, sizeof(a));

    fill(&source, (evn_batch){.part = EVN_TEST, .index = info(&source).batches[EVN_TEST] - 1}, &a);
    ck_assert_int_eq(a.filled, d.count[EVN_TEST] % BATCH);
    ck_assert(a.weights[a.filled - 1] == 1 && a.weights[a.filled] == 0);
    evn_source_destroy(&source);
    ck_assert_ptr_null(source.methods);
    evn_source_destroy(&source);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(density) {
    static batch a, b;
    double points[2 * BATCH];
    evn_source source;
    TRY(evn_source_density("moons", BATCH, 5, &source));
    ck_assert(evn_shape_equal(info(&source).sample, EVN_SHAPE(2)));
    ck_assert(!info(&source).has_target);
    ck_assert_int_eq(info(&source).batches[EVN_TRAIN], 0);
    ck_assert_int_eq(info(&source).batches[EVN_TEST], (10000 + BATCH - 1) / BATCH);
    evn_batch drawn = {.part = EVN_TRAIN, .training = true, .epoch = 9, .number = 7};
    fill(&source, drawn, &a);
    evn__density_sample(evn__density_find("moons"), 5, 1, 7 * BATCH, BATCH, points);
    for (int i = 0; i < 2 * BATCH; ++i) {
        ck_assert(a.samples[i] == (float)points[i]);
    }
    drawn.epoch = 0; // it depends on the number alone
    fill(&source, drawn, &b);
    ck_assert_mem_eq(&a, &b, sizeof(a));
    int64_t last = info(&source).batches[EVN_TEST] - 1;
    fill(&source, (evn_batch){.part = EVN_TEST, .index = last}, &a);
    ck_assert_int_eq(a.filled, 10000 % BATCH);
    evn_source_destroy(&source);
    ck_assert(isnan(evn_density_entropy("none")));
    ck_assert_double_gt(evn_density_entropy("moons"), 0);
}
END_TEST

/// The parts of a batch are its samples in order, of training and of a test whose last batch is
/// short; a part without a sample is none.
START_TEST(parts) {
    enum { PART = BATCH / 4 };
    static batch whole, part;
    const evn_augmentation crop = {.crop = 2};
    evn_dataset *dataset = NULL;
    evn_source source, same, split;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    TRY(evn_source_images(dataset, BATCH, &crop, 1, &source));
    TRY(evn_source_images(dataset, BATCH, &crop, 1, &same));
    TRY(evn__source_parts(same, PART, &split));
    int64_t tested = evn_dataset_get_info(dataset).count[EVN_TEST];
    ck_assert_int_eq(info(&split).batch, PART);
    ck_assert_int_eq(info(&split).batches[EVN_TRAIN], 4 * info(&source).batches[EVN_TRAIN]);
    ck_assert_int_eq(info(&split).batches[EVN_TEST], (tested + PART - 1) / PART);
    for (int training = 0; training < 2; ++training) {
        evn_batch at = {.part = training ? EVN_TRAIN : EVN_TEST, .training = training, .epoch = 2};
        int64_t batches = info(&split).batches[at.part];
        for (int64_t i = 0; i < batches; ++i) {
            evn_batch all = at;
            all.index = all.number = i / 4;
            fill(&source, all, &whole);
            at.index = at.number = i;
            fill(&split, at, &part);
            size_t first = (size_t)(i % 4) * PART;
            ck_assert_mem_eq(part.samples, whole.samples + first * PIXELS,
                             PART * PIXELS * sizeof(float));
            ck_assert_mem_eq(part.targets, whole.targets + first * CLASSES,
                             PART * CLASSES * sizeof(float));
            ck_assert_mem_eq(part.weights, whole.weights + first, PART * sizeof(float));
            ck_assert_int_eq(part.filled, i == batches - 1 && !training ? tested % PART : PART);
        }
    }
    evn_source_destroy(&split);
    ck_assert_int_eq(evn__source_parts(source, 5, &split), EVN_ERR_ARGUMENT); // it took the source
    evn_dataset_destroy(&dataset);
}
END_TEST

/// Each pass has every row to train on once; the parts have the rest, each row in one of them.
START_TEST(points) {
    enum { ROWS = 25, TEST = 5, TRAIN = ROWS - TEST, SMALL = 8, PASSES = 6 };
    float rows[ROWS][2];
    static batch b;
    int seen[ROWS] = {0}, held[ROWS] = {0};
    evn_source source;
    for (int i = 0; i < ROWS; ++i) {
        rows[i][0] = (float)i;
        rows[i][1] = (float)-i;
    }
    TRY(evn_source_points(rows[0], ROWS, 2, SMALL, 0.2, 3, &source));
    ck_assert(evn_shape_equal(info(&source).sample, EVN_SHAPE(2)));
    ck_assert_int_eq(info(&source).batches[EVN_TRAIN], 3);
    ck_assert_int_eq(info(&source).batches[EVN_TEST], 1);
    fill(&source, (evn_batch){.part = EVN_TEST}, &b);
    ck_assert_int_eq(b.filled, TEST);
    ck_assert(b.weights[TEST - 1] == 1 && b.weights[TEST] == 0);
    for (int i = 0; i < TEST; ++i) {
        ++held[(int)b.samples[2 * i]];
        ck_assert(b.samples[2 * i + 1] == -b.samples[2 * i]);
    }
    for (int i = 0; i < 3; ++i) {
        fill(&source, (evn_batch){.part = EVN_TRAIN, .index = i}, &b);
        ck_assert_int_eq(b.filled, i < 2 ? SMALL : TRAIN - 2 * SMALL);
        for (int k = 0; k < b.filled; ++k) {
            ++held[(int)b.samples[2 * k]];
        }
    }
    for (int i = 0; i < PASSES * TRAIN / SMALL; ++i) {
        fill(&source, (evn_batch){.part = EVN_TRAIN, .training = true, .number = i}, &b);
        ck_assert_int_eq(b.filled, SMALL);
        for (int k = 0; k < SMALL; ++k) {
            ++seen[(int)b.samples[2 * k]];
        }
    }
    int trained = 0;
    for (int i = 0; i < ROWS; ++i) {
        ck_assert_int_eq(held[i], 1);
        ck_assert(seen[i] == 0 || seen[i] == PASSES);
        trained += seen[i] > 0;
    }
    ck_assert_int_eq(trained, TRAIN);
    static batch again;
    fill(&source, (evn_batch){.part = EVN_TRAIN, .training = true, .number = 4, .epoch = 9}, &b);
    fill(&source, (evn_batch){.part = EVN_TRAIN, .training = true, .number = 11}, &again);
    fill(&source, (evn_batch){.part = EVN_TRAIN, .training = true, .number = 4}, &again);
    ck_assert_mem_eq(&b, &again, sizeof(b)); // it depends on the number alone
    evn_source_destroy(&source);
}
END_TEST

START_TEST(curve) {
    float start[EVN__CURVE_DIMENSIONS], weight;
    static float targets[EVN__CURVE_POINTS][EVN__CURVE_DIMENSIONS];
    double s[EVN__CURVE_DIMENSIONS];
    int64_t filled;
    evn_source source;
    const evn_batch which = {.part = EVN_TRAIN};
    TRY(evn_source_curve(&source));
    TRY(source.methods->fill(source.self, &which, start, targets[0], &weight, &filled));
    ck_assert_int_eq(filled, 1);
    evn__curve_at(0, s);
    ck_assert(start[0] == (float)s[0] && start[1] == (float)s[1] && start[2] == (float)s[2]);
    evn__curve_at(0.5, s);
    ck_assert(targets[49][0] == (float)s[0] && targets[49][2] == (float)s[2]);
    evn_source_methods without = *source.methods; // nothing to release
    without.destroy = NULL;
    evn_source borrowed = {&without, source.self};
    evn_source_destroy(&borrowed);
    ck_assert_ptr_null(borrowed.methods);
    evn_source_destroy(&source);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("source");
    TCase *c = tcase_create("sources");
    tcase_add_test(c, images);
    tcase_add_test(c, density);
    tcase_add_test(c, points);
    tcase_add_test(c, parts);
    tcase_add_test(c, curve);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
