// SPDX-License-Identifier: Apache-2.0
#include "evonode/cl.h"
#include "host/runtime.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(listing_is_in_order) {
    evn_device_info *infos;
    int count;
    TRY(evn_device_list(&infos, &count));
    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; ++i) {
        ck_assert_int_eq(infos[i].index, i);
        ck_assert_int_eq(infos[i].usable, infos[i].unusable[0] == 0);
        ck_assert_str_ne(infos[i].name, "");
        ck_assert_str_ne(infos[i].platform_name, "");
        bool follows = i == 0 ? infos[i].platform >= 0 && infos[i].device == 0
                       : infos[i].platform == infos[i - 1].platform
                           ? infos[i].device == infos[i - 1].device + 1
                           : infos[i].platform > infos[i - 1].platform && infos[i].device == 0;
        ck_assert_msg(follows, "%d:%d at %d", infos[i].platform, infos[i].device, i);
    }
    free(infos);
}
END_TEST

START_TEST(machine_opens_by_place_index_and_name) {
    evn_device_info first = *evn_device_get_info(test_device());
    char selectors[4][EVN_DEVICE_TEXT];
    snprintf(selectors[0], EVN_DEVICE_TEXT, "%d:%d", first.platform, first.device);
    snprintf(selectors[1], EVN_DEVICE_TEXT, "%d", first.index);
    snprintf(selectors[2], EVN_DEVICE_TEXT, "%s", first.name);
    snprintf(selectors[3], EVN_DEVICE_TEXT, "%s", evn_device_type_name(first.type));
    for (int i = 0; i < 4; ++i) {
        evn_device *device;
        TRY(evn_device_open(selectors[i], &device));
        ck_assert_str_eq(evn_device_get_info(device)->name, first.name);
        evn_device_close(&device);
        ck_assert_ptr_null(device);
    }
}
END_TEST

START_TEST(machine_default_is_the_environment) {
    evn_device *device;
    evn_device_info first = *evn_device_get_info(test_device());
    char place[64];
    setenv("EVONODE_DEVICE", "there is no such device", 1);
    ck_assert_int_eq(evn_device_open(NULL, &device), EVN_ERR_DEVICE_NAME);
    ck_assert_ptr_null(device);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "there is no such device"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), first.name));
    snprintf(place, sizeof(place), "%d:%d", first.platform, first.device);
    setenv("EVONODE_DEVICE", place, 1);
    TRY(evn_device_open(NULL, &device));
    evn_device_close(&device);
    setenv("EVONODE_DEVICE", "", 1);
    TRY(evn_device_open(NULL, &device)); // empty is auto
    evn_device_close(&device);
    evn_device_close(&device);
}
END_TEST

// Selection among devices that this machine need not have -----------------------------------------

#define POCL  "Portable Computing Language"
#define INTEL "Intel(R) OpenCL"
#define AMD   "AMD Accelerated Parallel Processing"
#define USABLE(platform, device, index, type, name, of)                                            \
    { platform, device, index, type, name, .platform_name = of, .usable = true }

static const evn_device_info shop[] = {
    USABLE(0, 0, 0, EVN_DEVICE_CPU, "Ryzen", POCL),
    {.platform = 0,
     .device = 1,
     .index = 1,
     .type = EVN_DEVICE_GPU,
     .name = "Old Radeon",
     .platform_name = POCL,
     .unusable = "it is older than OpenCL 1.2"},
    USABLE(1, 0, 2, EVN_DEVICE_GPU_INTEGRATED, "Iris Xe", INTEL),
    USABLE(2, 0, 3, EVN_DEVICE_GPU, "Radeon RX", AMD),
    USABLE(2, 1, 4, EVN_DEVICE_GPU, "Radeon RX 2", AMD),
};

enum { SHOP = sizeof(shop) / sizeof(shop[0]) };

START_TEST(selection_finds) {
    static const struct {
        const char *selector;
        int count, expected;
    } cases[] = {
        {"auto", SHOP, 3},     {"gpu", SHOP, 3}, {"GPU", SHOP, 3},
        {"igpu", SHOP, 2},     {"cpu", SHOP, 0}, {"auto", 3, 2},
        {"gpu", 3, 2},         {"auto", 2, 0},   {"2:1", SHOP, 4},
        {"0:0", SHOP, 0},      {"4", SHOP, 4},   {"0", SHOP, 0},
        {"xe", SHOP, 2},       {"ryz", SHOP, 0}, {"RADEON rx", SHOP, 3},
        {"rx 2", SHOP, 4},     {"Radeon", 4, 3}, // the usable one of two
        {"intel", SHOP, 2},    {INTEL, SHOP, 2}, {"POCL", SHOP, 0},
        {"portable", SHOP, 0}, // platforms
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        int chosen = -1;
        TRY(evn__device_select(shop, cases[i].count, cases[i].selector, &chosen));
        ck_assert_msg(chosen == cases[i].expected, "%s: %d", cases[i].selector, chosen);
    }
}
END_TEST

START_TEST(selection_refuses) {
    static const struct {
        const char *selector;
        int count;
        evn_status status;
        const char *said;
    } cases[] = {
        {"radeon", SHOP, EVN_ERR_DEVICE_NAME, "2:1 Radeon RX 2"}, // two of them
        {"old", SHOP, EVN_ERR_DEVICE_NAME, "older than OpenCL 1.2"},
        {"0:1", SHOP, EVN_ERR_DEVICE_NAME, "older than OpenCL 1.2"},
        {"1", SHOP, EVN_ERR_DEVICE_NAME, "older than OpenCL 1.2"},
        {"5", SHOP, EVN_ERR_DEVICE_NAME, "0:0 Ryzen"},
        {"3:0", SHOP, EVN_ERR_DEVICE_NAME, "1:0 Iris Xe"},
        {"0:", SHOP, EVN_ERR_DEVICE_NAME, "0:0 Ryzen"},
        {"99999999999999999999", SHOP, EVN_ERR_DEVICE_NAME, "0:0 Ryzen"},
        {"-1", SHOP, EVN_ERR_DEVICE_NAME, "0:0 Ryzen"},
        {"igpu", 2, EVN_ERR_DEVICE_NAME, "0:0 Ryzen"},
        {"geforce", SHOP, EVN_ERR_DEVICE_NAME, "\"geforce\""},
        {"accelerated", SHOP, EVN_ERR_DEVICE_NAME, "2:1 Radeon RX 2"}, // two of the platform
        {"nvidia", SHOP, EVN_ERR_DEVICE_NAME, "igpu of Intel(R) OpenCL"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        int chosen = -1;
        evn_status status = evn__device_select(shop, cases[i].count, cases[i].selector, &chosen);
        ck_assert_msg(status == cases[i].status, "%s: %d", cases[i].selector, (int)status);
        ck_assert_msg(strstr(evn_error_message(), cases[i].said) != NULL, "%s: %s",
                      cases[i].selector, evn_error_message());
    }
    int chosen;
    ck_assert_int_eq(evn__device_select(shop, SHOP, "radeon", &chosen), EVN_ERR_DEVICE_NAME);
    ck_assert_ptr_null(strstr(evn_error_message(), "Ryzen")); // candidates only
    ck_assert_int_eq(evn__device_select(shop + 1, 1, "auto", &chosen), EVN_ERR_NO_DEVICE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "Old Radeon"));
}
END_TEST

// Life --------------------------------------------------------------------------------------------

START_TEST(stats_count_what_happens) {
    evn_device *device;
    evn_buffer *buffer;
    enum { LARGE = 1 << 21 };
    static float data[LARGE / sizeof(float)];
    TRY(evn_device_open(NULL, &device));
    evn_device_stats stats = evn_device_get_stats(device), none = {0};
    ck_assert_int_eq(memcmp(&stats, &none, sizeof(none)), 0);
    TRY(evn_buffer_create(device, sizeof(data), &buffer));
    TRY(evn_buffer_write(buffer, 0, sizeof(data), data));
    TRY(evn_buffer_write(buffer, 0, 3 * sizeof(*data), data)); // small: does not wait
    TRY(evn_buffer_write(buffer, 0, 4 * sizeof(*data), data));
    TRY(evn_buffer_read(buffer, 0, sizeof(data), data));
    TRY(evn_buffer_zero(buffer, 0, sizeof(data)));
    TRY(evn_device_finish(device));
    stats = evn_device_get_stats(device);
    ck_assert_uint_eq(stats.writes, 3);
    ck_assert_uint_eq(stats.reads, 1);
    ck_assert_uint_eq(stats.waits, 3);
    ck_assert_uint_eq(stats.allocations, 1);
    ck_assert_uint_eq(stats.launches, 0);
    evn_buffer_destroy(&buffer);
    evn_device_close(&device);
}
END_TEST

static cl_uint references_of(cl_context context) {
    cl_uint count;
    ck_assert_int_eq(
        clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof(count), &count, NULL), 0);
    return count;
}

START_TEST(adopted_context_works_and_is_given_back) {
    cl_context context;
    cl_command_queue queue = evn_device_queue(test_device());
    ck_assert_int_eq(
        clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(context), &context, NULL), 0);
    cl_uint before = references_of(context);
    evn_device *device;
    evn_buffer *buffer;
    TRY(evn_device_adopt(context, queue, &device));
    ck_assert_ptr_eq(evn_device_queue(device), queue);
    ck_assert_int_eq(evn_device_get_info(device)->index, evn_device_get_info(test_device())->index);
    float in[2] = {3, 4}, out[2] = {0};
    TRY(evn_buffer_create(device, sizeof(in), &buffer));
    TRY(evn_buffer_write(buffer, 0, sizeof(in), in));
    ck_assert_int_eq(clEnqueueReadBuffer(queue, evn_buffer_mem(buffer), CL_TRUE, 0, sizeof(out),
                                         out, 0, NULL, NULL),
                     0);
    ck_assert_mem_eq(in, out, sizeof(in));
    evn_buffer_destroy(&buffer);
    evn_device_close(&device);
    ck_assert_uint_eq(references_of(context), before);
    ck_assert_int_eq(evn_device_adopt(context, NULL, &device), EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(errors_have_names) {
    ck_assert_str_eq(evn__cl_name(CL_OUT_OF_RESOURCES), "CL_OUT_OF_RESOURCES");
    ck_assert_str_eq(evn__cl_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    ck_assert_str_eq(evn__cl_name(-9999), "unknown OpenCL error");
    ck_assert_int_eq(evn__cl_status(CL_MEM_OBJECT_ALLOCATION_FAILURE), EVN_ERR_DEVICE_MEMORY);
    ck_assert_int_eq(evn__cl_status(CL_INVALID_VALUE), EVN_ERR_DEVICE);
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("device");
    TCase *machine = tcase_create("machine");
    tcase_add_test(machine, listing_is_in_order);
    tcase_add_test(machine, machine_opens_by_place_index_and_name);
    tcase_add_test(machine, machine_default_is_the_environment);
    suite_add_tcase(all, machine);
    TCase *selection = tcase_create("selection");
    tcase_add_test(selection, selection_finds);
    tcase_add_test(selection, selection_refuses);
    suite_add_tcase(all, selection);
    TCase *life = tcase_create("life");
    tcase_add_test(life, stats_count_what_happens);
    tcase_add_test(life, adopted_context_works_and_is_given_back);
    tcase_add_test(life, errors_have_names);
    suite_add_tcase(all, life);
    return all;
}

int main(void) {
    return test_run(suite());
}
