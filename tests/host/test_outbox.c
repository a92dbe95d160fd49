// SPDX-License-Identifier: Apache-2.0
// What kernels write for the host: as it was when it was sent, and nobody waits for it.
#include "evonode/status.h"
#include "host/outbox.h"
#include "sweep.h"
#include "test.h"

#include <string.h>

START_TEST(contents_are_those_of_the_last_send) {
    const float first[] = {1, 2, 3}, second[] = {4, 5, 6}, third[] = {7, 8, 9};
    float seen[] = {-1, -1, -1};
    evn_buffer *buffer = NULL;
    evn__outbox *outbox = NULL;
    TRY(evn_buffer_create(test_device(), sizeof(first), &buffer));
    TRY(evn__outbox_create(test_device(), sizeof(first), &outbox));
    TRY(evn__outbox_look(outbox, seen));
    ck_assert(seen[0] == 0 && seen[1] == 0 && seen[2] == 0); // nothing was sent
    TRY(evn_buffer_write(buffer, 0, sizeof(first), first));
    TRY(evn__outbox_send(outbox, buffer));
    TRY(evn_buffer_write(buffer, 0, sizeof(second), second));
    TRY(evn__outbox_send(outbox, buffer));
    TRY(evn_buffer_write(buffer, 0, sizeof(third), third)); // which is not sent
    TRY(evn__outbox_look(outbox, seen));
    ck_assert_mem_eq(seen, second, sizeof(seen));
    evn__outbox_destroy(&outbox);
    ck_assert_ptr_null(outbox);
    evn__outbox_destroy(&outbox);
    evn_buffer_destroy(&buffer);
}
END_TEST

/// Sending never waits, looking not where the device has come that far; what is under way may be
/// destroyed.
START_TEST(nobody_waits) {
    const double number = 2.5;
    double seen = 0;
    evn_buffer *buffer = NULL;
    evn__outbox *outbox = NULL;
    TRY(evn_buffer_create(test_device(), sizeof(number), &buffer));
    TRY(evn__outbox_create(test_device(), sizeof(number), &outbox));
    uint64_t before = evn_device_get_stats(test_device()).waits;
    TRY(evn_buffer_write(buffer, 0, sizeof(number), &number));
    TRY(evn__outbox_send(outbox, buffer));
    ck_assert_uint_eq(evn_device_get_stats(test_device()).waits, before);
    TRY(evn_device_finish(test_device()));
    before = evn_device_get_stats(test_device()).waits;
    TRY(evn__outbox_look(outbox, &seen));
    ck_assert_uint_eq(evn_device_get_stats(test_device()).waits, before);
    ck_assert_double_eq(seen, number);
    TRY(evn__outbox_send(outbox, buffer));
    evn__outbox_destroy(&outbox);
    evn_buffer_destroy(&buffer);
}
END_TEST

/// What was sent before is still there; a copy that cannot be waited for keeps its memory.
START_TEST(faults) {
    const double first = 1, second = 2;
    double seen = 0;
    evn_buffer *buffer = NULL;
    evn__outbox *outbox = NULL;
    test_sweep_opencl_begin();
    TRY(evn_buffer_create(test_device(), sizeof(first), &buffer));
    TRY(evn__outbox_create(test_device(), sizeof(first), &outbox));
    TRY(evn_buffer_write(buffer, 0, sizeof(first), &first));
    TRY(evn__outbox_send(outbox, buffer));
    TRY(evn_buffer_write(buffer, 0, sizeof(second), &second));
    test_plan_opencl("clEnqueueReadBuffer:1:-5");
    ck_assert_int_eq(evn__outbox_send(outbox, buffer), EVN_ERR_DEVICE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "clEnqueueReadBuffer"));
    TRY(evn__outbox_look(outbox, &seen));
    ck_assert_double_eq(seen, first);
    TRY(evn__outbox_send(outbox, buffer));
    test_plan_opencl("clWaitForEvents:1:-36");
    ck_assert_int_eq(evn__outbox_look(outbox, &seen), EVN_ERR_DEVICE);
    TRY(evn__outbox_look(outbox, &seen));
    ck_assert_double_eq(seen, second);
    test_plan_opencl("clWaitForEvents:1:-36");
    evn__outbox_destroy(&outbox);
    ck_assert_ptr_null(outbox);
    TRY(evn_device_finish(test_device()));
    evn_buffer_destroy(&buffer);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("host/outbox");
    TCase *c = tcase_create("outbox");
    tcase_add_test(c, contents_are_those_of_the_last_send);
    tcase_add_test(c, nobody_waits);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
