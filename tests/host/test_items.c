// SPDX-License-Identifier: Apache-2.0
// What devices say of themselves, and whether their work-items are wide.
#include "host/items.h"
#include "test.h"

/// PoCL and Intel's runtime, a CPU whose compiler fills lanes with work-items, GPUs.
START_TEST(widths) {
    static const struct {
        evn_device_type type;
        int vector_width;
        bool wide;
    } rows[] = {{EVN_DEVICE_CPU, 16, true},
                {EVN_DEVICE_CPU, 4, true},
                {EVN_DEVICE_CPU, 1, false},
                {EVN_DEVICE_GPU, 1, false},
                {EVN_DEVICE_GPU_INTEGRATED, 4, false},
                {EVN_DEVICE_ACCELERATOR, 16, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
        evn_device_info info = {.type = rows[i].type, .vector_width = rows[i].vector_width};
        ck_assert_int_eq(evn__items_are_wide(&info), rows[i].wide);
    }
}
END_TEST

int main(void) {
    Suite *s = suite_create("items");
    test_add(s, tcase_create("widths"), widths);
    return test_run(s);
}
