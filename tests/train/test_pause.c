// SPDX-License-Identifier: Apache-2.0
// Pauses between steps: as long as asked for, and nothing else.
#include "base/clock.h"
#include "test.h"
#include "train/pause.h"

START_TEST(pauses) {
    evn_device *device = test_device();
    evn_trainer_options options = {0};
    uint64_t waits = evn_device_get_stats(device).waits;
    double begun = evn__now();
    TRY(evn__pause(device, &options, begun));
    ck_assert_uint_eq(evn_device_get_stats(device).waits, waits);
    options.pause_seconds = 0.05;
    TRY(evn__pause(device, &options, evn__now()));
    ck_assert_double_ge(evn__now() - begun, 0.05);
    ck_assert_uint_eq(evn_device_get_stats(device).waits, waits + 1);
    options = (evn_trainer_options){.pause_share = 0.75};
    begun = evn__now();
    TRY(evn__pause(device, &options, begun - 0.02)); // three times what was worked
    ck_assert_double_ge(evn__now() - begun, 0.06);
}
END_TEST

START_TEST(wrong_pauses) {
    const evn_trainer_options wrong[] = {
        {.pause_seconds = -1}, {.pause_share = 1}, {.pause_share = -0.1}};
    for (int i = 0; i < 3; ++i) {
        ck_assert_int_eq(evn__pause_check(&wrong[i]), EVN_ERR_ARGUMENT);
    }
    TRY(evn__pause_check(&(evn_trainer_options){.pause_share = 0.5}));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("pause");
    TCase *c;
    c = tcase_create("pauses");
    tcase_add_test(c, pauses);
    suite_add_tcase(s, c);
    c = tcase_create("wrong_pauses");
    tcase_add_test(c, wrong_pauses);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
