// SPDX-License-Identifier: Apache-2.0
// What the host writes for kernels is there when they read it, and is not copied on the way where
// memory is shared; waits that do not burn the processor; the account of a device that only counts.
#include "evonode/device.h"
#include "host/counting.h"
#include "host/inbox.h"
#include "host/priority.h"
#include "host/timing.h"
#include "host/wait.h"
#include "sweep.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1000, ROUNDS = 9 };

/// Each round's contents are read by a copy on the device, which no one waits for.
START_TEST(contents_arrive) {
    evn_device *device = test_device();
    evn__inbox *inbox;
    evn_buffer *kept, *from;
    static float out[ROUNDS * COUNT];
    TRY(evn__inbox_create(device, COUNT * sizeof(float), &inbox));
    TRY(evn_buffer_create(device, sizeof(out), &kept));
    evn_device_stats before = evn_device_get_stats(device);
    for (int round = 0; round < ROUNDS; ++round) {
        float *memory;
        TRY(evn__inbox_open(inbox, (void **)&memory));
        TRY(evn__inbox_open(inbox, (void **)&memory)); // as after a source that failed
        for (int i = 0; i < COUNT; ++i) {
            memory[i] = (float)(round * COUNT + i);
        }
        TRY(evn__inbox_close(inbox, &from));
        TRY(evn_buffer_copy(kept, (size_t)round * COUNT * sizeof(float), from, 0,
                            COUNT * sizeof(float)));
    }
    evn_device_stats after = evn_device_get_stats(device);
    TRY(evn_buffer_read(kept, 0, sizeof(out), out));
    for (int i = 0; i < ROUNDS * COUNT; ++i) {
        ck_assert_float_eq(out[i], (float)i);
    }
    bool shared = evn_device_get_info(device)->unified;
    ck_assert_uint_eq(after.writes - before.writes, shared ? 0 : ROUNDS);
    ck_assert_uint_eq(after.maps - before.maps, shared ? ROUNDS + 1 : 0);
    ck_assert_uint_eq(after.reads, before.reads);
    evn__inbox_destroy(&inbox);
    evn_buffer_destroy(&kept);
}
END_TEST

/// Also open, and never used.
START_TEST(inboxes_end) {
    evn__inbox *inbox;
    void *memory;
    uint64_t held = evn_device_get_stats(test_device()).bytes_now;
    TRY(evn__inbox_create(test_device(), 64, &inbox));
    evn__inbox_destroy(&inbox);
    TRY(evn__inbox_create(test_device(), 64, &inbox));
    TRY(evn__inbox_open(inbox, &memory));
    evn__inbox_destroy(&inbox);
    ck_assert_ptr_null(inbox);
    ck_assert_uint_eq(evn_device_get_stats(test_device()).bytes_now, held);
}
END_TEST

/// A call that fails is said, and when it no longer does, contents arrive as before.
START_TEST(faults) {
    static const struct {
        const char *fault;
        bool at_open; ///< else where it is closed
    } rows[] = {{"clEnqueueMapBuffer:1:-12", true},
                {"clGetEventInfo:1:-5", true},
                {"clWaitForEvents:1:-36", true},
                {"clEnqueueUnmapMemObject:1:-5", false}};
    test_sweep_opencl_begin();
    if (!evn_device_get_info(test_device())->unified) {
        exit(TEST_SKIPPED);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
        float *memory = NULL, seen = 0;
        evn__inbox *inbox;
        evn_buffer *from;
        TRY(evn__inbox_create(test_device(), sizeof(seen), &inbox));
        test_plan_opencl(rows[i].fault);
        evn_status opened = evn__inbox_open(inbox, (void **)&memory);
        evn_status closed = opened == EVN_OK ? evn__inbox_close(inbox, &from) : opened;
        test_plan_opencl(NULL);
        ck_assert_msg((opened != EVN_OK) == rows[i].at_open && closed != EVN_OK, "%s: %d, %d",
                      rows[i].fault, opened, closed);
        TRY(evn__inbox_open(inbox, (void **)&memory));
        ck_assert_ptr_nonnull(memory);
        *memory = 7;
        TRY(evn__inbox_close(inbox, &from));
        TRY(evn_buffer_read(from, 0, sizeof(seen), &seen));
        ck_assert_float_eq(seen, 7);
        evn__inbox_destroy(&inbox);
    }
}
END_TEST

START_TEST(counting) {
    evn_device *device = test_device();
    evn_buffer *held, *a, *b;
    float ones[3] = {0};
    TRY(evn_buffer_create(device, 100, &held));
    evn_device_stats before = evn_device_get_stats(device);
    evn__device_count_begin(device);
    ck_assert(evn__device_is_counting(device));
    uint64_t large = 2 * evn_device_get_info(device)->global_bytes;
    TRY(evn__buffer_create_for(device, EVN__USE_STATES, large, &a));
    TRY(evn_buffer_create(device, 1000, &b));
    TRY(evn_buffer_zero(b, 0, 1000));
    TRY(evn_buffer_copy(b, 0, a, 0, 1000));
    TRY(evn_buffer_read(b, 0, sizeof(ones), ones));
    ck_assert(ones[0] == 1 && ones[2] == 1);
    evn_buffer_destroy(&b);
    evn__memory_use use = evn__device_memory_use(device);
    ck_assert_uint_eq(use.peak, large + 1000);
    ck_assert_uint_eq(use.uses[EVN__USE_STATES], large);
    ck_assert_uint_eq(use.uses[EVN__USE_PLANS], 1000);
    ck_assert_uint_eq(use.largest, large);
    evn_buffer_destroy(&a);
    evn__device_count_end(device);
    evn_device_stats after = evn_device_get_stats(device);
    ck_assert_mem_eq(&before, &after, sizeof(before));
    ck_assert_int_eq(evn_buffer_create(device, large, &a), EVN_ERR_DEVICE_MEMORY);
    ck_assert_uint_gt(evn__device_room(device), 0);
    ck_assert_uint_le(evn__device_room(device), evn_device_get_info(device)->global_bytes);
    evn_buffer_destroy(&held);
}
END_TEST

/// Waits of either kind are for all that was enqueued; a queue of low priority computes as well.
START_TEST(waits_and_queues) {
    evn_device *device = test_device();
    evn_buffer *buffer;
    float in[3] = {1, 2, 3}, out[3];
    TRY(evn_buffer_create(device, sizeof(in), &buffer));
    for (int way = EVN__WAITING_UNKNOWN; way <= EVN__WAITING_SPINS; ++way) {
        evn__device_wait_as(device, (evn__waiting)way);
        in[0] += 1;
        TRY(evn_buffer_write(buffer, 0, sizeof(in), in));
        TRY(evn_device_finish(device));
        TRY(evn_buffer_read(buffer, 0, sizeof(out), out));
        ck_assert_mem_eq(in, out, sizeof(in));
    }
    evn__device_wait_as(device, EVN__WAITING_UNKNOWN);
    printf("low priority: %d\n", evn__device_lower_priority(device));
    TRY(evn_buffer_zero(buffer, 0, sizeof(in)));
    TRY(evn_buffer_read(buffer, 0, sizeof(out), out));
    ck_assert(out[0] == 0 && out[2] == 0);
    evn_buffer_destroy(&buffer);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("inbox");
    TCase *c;
    c = tcase_create("contents_arrive");
    tcase_add_test(c, contents_arrive);
    suite_add_tcase(s, c);
    c = tcase_create("inboxes_end");
    tcase_add_test(c, inboxes_end);
    suite_add_tcase(s, c);
    c = tcase_create("faults");
    tcase_add_test(c, faults);
    suite_add_tcase(s, c);
    c = tcase_create("counting");
    tcase_add_test(c, counting);
    suite_add_tcase(s, c);
    c = tcase_create("waits_and_queues");
    tcase_add_test(c, waits_and_queues);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
