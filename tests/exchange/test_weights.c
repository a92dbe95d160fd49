// SPDX-License-Identifier: Apache-2.0
// Maps of names, and parameters by them.
#include "exchange/weights.h"
#include "io/safetensors.h"
#include "sweep.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *path_of(const char *name) {
    static char path[1024];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    return path;
}

static evn__weight_map *read_map(const char *text) {
    char path[1024];
    evn__weight_map *map;
    snprintf(path, sizeof(path), "%s", path_of("map.json"));
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    TRY(evn__weight_map_read(path, &map));
    return map;
}

static void refuses_map(const char *text, const char *why) {
    evn__weight_map *map = NULL;
    FILE *file = fopen(path_of("bad.json"), "w");
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(evn__weight_map_read(path_of("bad.json"), &map), EVN_ERR_FORMAT);
    ck_assert_ptr_null(map);
    ck_assert_msg(strstr(evn_error_message(), why) && strstr(evn_error_message(), "bad.json"), "%s",
                  evn_error_message());
}

START_TEST(bad_maps) {
    evn__weight_map *map = NULL;
    refuses_map("{\n\"layout\": ", "line 2");
    refuses_map("[]", "no JSON object");
    refuses_map("{}", "layout should be");
    refuses_map("{\"layout\": \"jax\"}", "layout should be");
    refuses_map("{\"layout\": \"torch\", \"nmaes\": []}", "no key 'nmaes'");
    refuses_map("{\"layout\": \"torch\", \"names\": {}}", "names is no array");
    refuses_map("{\"layout\": \"torch\", \"names\": [[\"a\"]]}", "names[0]");
    refuses_map("{\"layout\": \"torch\", \"names\": [[\"a\", 1]]}", "no text");
    refuses_map("{\"layout\": \"torch\", \"names\": [[\"a\", \"b\"], [\"*a*\", \"b\"]]}",
                "names[1]");
    refuses_map("{\"layout\": \"torch\", \"names\": [[\"a\", \"*\"]]}", "ours has none");
    refuses_map("{\"layout\": \"torch\", \"names\": [[\"a\", \"b\", -1]]}", "channel");
    refuses_map("{\"layout\": \"torch\", \"keep\": [7]}", "keep[0]");
    ck_assert_int_eq(evn__weight_map_read("nowhere", &map), EVN_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "odenet-mnist"));
}
END_TEST

/// Names that grow beyond what a tensor's may have, and names of maps beyond those of shipped ones.
START_TEST(long_names) {
    char long_name[EVN_MAX_NAME], name[80];
    evn__weight_place place;
    evn__weight_map *map = read_map("{\"layout\": \"torch\", \"names\": [[\"*\", \"model.*\"]]}");
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = 0;
    ck_assert_int_eq(evn__weight_map_place(map, long_name, EVN_SHAPE(3), &place), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "is too long"));
    evn__weight_map_destroy(&map);
    evn__weight_map_destroy(&map);
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = 0;
    ck_assert_int_eq(evn__weight_map_read(name, &map), EVN_ERR_FILE);
    ck_assert_ptr_null(map);
    ck_assert_ptr_null(evn__weight_map_name(-1));
    ck_assert_ptr_null(evn__weight_map_text(-1));
    ck_assert_ptr_null(evn__weight_map_text(99));
}
END_TEST

static char swept[1024];

static evn_status read_swept(void) {
    evn__weight_map *map = NULL;
    EVN_TRY(evn__weight_map_read(swept, &map));
    bool right = evn__weight_map_ignores(map, "a.n") && !evn__weight_map_ignores(map, "a.m");
    evn__weight_map_destroy(&map);
    return right ? EVN_OK : evn_error_set(EVN_ERR_INTERNAL, "the map is read wrongly");
}

START_TEST(faults) {
    test_sweep_begin();
    evn__weight_map *map = read_map("{\"layout\": \"torch\", \"ignore\": [\"*.n\"]}");
    evn__weight_map_destroy(&map);
    snprintf(swept, sizeof(swept), "%s", path_of("map.json"));
    test_sweep(&(test_deed){.name = "map", .run = read_swept});
}
END_TEST

START_TEST(shipped) {
    for (int i = 0; evn__weight_map_name(i); ++i) {
        evn__weight_map *map;
        TRY(evn__weight_map_read(evn__weight_map_name(i), &map));
        ck_assert_ptr_nonnull(evn__weight_map_text(i));
        evn__weight_map_destroy(&map);
        ck_assert_ptr_null(map);
    }
}
END_TEST

START_TEST(places) {
    evn__weight_place place;
    evn__weight_map *map = read_map(
        "{\"layout\": \"torch\", \"names\": [[\"f.*.bias\", \"net.*.b\"], [\"f.c.time_weight\", "
        "\"net.c.weight\", 0], [\"f.*\", \"net.*\", 1]], \"keep\": [\"g.*\"], \"ignore\": "
        "[\"*.n\"]}");
    TRY(evn__weight_map_place(map, "f.c.bias", EVN_SHAPE(3), &place));
    ck_assert_str_eq(place.name, "net.c.b");
    ck_assert_int_eq(place.channel, -1);
    TRY(evn__weight_map_place(map, "f.c.time_weight", EVN_SHAPE(3, 3, 1, 2), &place));
    ck_assert_str_eq(place.name, "net.c.weight");
    ck_assert_int_eq(place.channel, 0);
    ck_assert_int_eq(place.order[0], 3);
    TRY(evn__weight_map_place(map, "f.c.weight", EVN_SHAPE(3, 3, 1, 2), &place));
    ck_assert_str_eq(place.name, "net.c.weight");
    ck_assert_int_eq(place.channel, 1);
    TRY(evn__weight_map_place(map, "g.a", EVN_SHAPE(2, 3), &place));
    ck_assert_str_eq(place.name, "g.a");
    ck_assert(place.optional);
    ck_assert_int_eq(place.order[0], 0);
    TRY(evn__weight_map_place(map, "h.weight", EVN_SHAPE(2, 3), &place));
    ck_assert_int_eq(place.order[0], 1);
    ck_assert(!place.optional);
    ck_assert(evn__weight_map_ignores(map, "a.n"));
    ck_assert(!evn__weight_map_ignores(map, "a.m"));
    evn__weight_map_destroy(&map);
}
END_TEST

// Loading -----------------------------------------------------------------------------------------

/// A convolution [1, 1, 2, 3] with time, its bias, a dense layer [2, 3], and what g has.
static evn_parameters *make_parameters(void) {
    evn_parameters *p;
    TRY(evn_parameters_create(&p));
    TRY(evn_parameters_add(p, "f.c.weight", EVN_SHAPE(1, 1, 2, 3), EVN_INITIAL_CONSTANT, -1));
    TRY(evn_parameters_add(p, "f.c.time_weight", EVN_SHAPE(1, 1, 1, 3), EVN_INITIAL_CONSTANT, -1));
    TRY(evn_parameters_add(p, "f.c.scale", EVN_SHAPE(3), EVN_INITIAL_CONSTANT, -1));
    TRY(evn_parameters_add(p, "d.weight", EVN_SHAPE(2, 3), EVN_INITIAL_CONSTANT, -1));
    TRY(evn_parameters_add(p, "g.a", EVN_SHAPE(2), EVN_INITIAL_CONSTANT, -1));
    TRY(evn_parameters_allocate(p, test_device(), false, 1));
    return p;
}

static const char MAP[] = "{\"layout\": \"torch\", \"names\": [[\"*.scale\", \"*.gain\"], "
                          "[\"f.c.time_weight\", \"f.c.w\", 0], [\"f.c.weight\", \"f.c.w\"]], "
                          "\"keep\": [\"g.*\"]}";

enum { FILE_TENSORS = 4 };
static const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const double wide[] = {0, 1, 2, 3, 4, 5};

/// The file's: w [3, 1 + 2, 1, 1] whose first channel is the time's, a gain, a dense layer in
/// double precision; one more.
static void fill_tensors(evn__tensor *t) {
    t[0] = (evn__tensor){"f.c.w", EVN__F32, 4, {3, 3, 1, 1}, numbers, 0};
    t[1] = (evn__tensor){"f.c.gain", EVN__F32, 1, {3}, numbers, 0};
    t[2] = (evn__tensor){"d.weight", EVN__F64, 2, {3, 2}, wide, 0};
    t[3] = (evn__tensor){"other", EVN__F32, 1, {2}, numbers, 0};
}

static evn_status load(const evn__tensor *tensors, int count, evn_parameters *p) {
    evn__weight_map *map = read_map(MAP);
    TRY(evn__safetensors_write(path_of("w.safetensors"), tensors, count, NULL, 0));
    evn_status status = evn__weights_load(path_of("w.safetensors"), map, p);
    evn__weight_map_destroy(&map);
    return status;
}

static void check_values(const evn_parameters *p, const char *name, const double *right,
                         int count) {
    double values[16];
    TRY(evn_parameters_read(p, evn_parameters_find(p, name), values));
    for (int i = 0; i < count; ++i) {
        ck_assert_msg(values[i] == right[i], "%s[%d] is %g", name, i, values[i]);
    }
}

START_TEST(layouts) {
    evn__tensor t[FILE_TENSORS];
    evn_parameters *p = make_parameters();
    fill_tensors(t);
    TRY(load(t, 3, p));
    check_values(p, "f.c.time_weight", (const double[]){0, 3, 6}, 3);
    check_values(p, "f.c.weight", (const double[]){1, 4, 7, 2, 5, 8}, 6);
    check_values(p, "f.c.scale", (const double[]){0, 1, 2}, 3);
    check_values(p, "d.weight", (const double[]){0, 2, 4, 1, 3, 5}, 6);
    check_values(p, "g.a", (const double[]){-1, -1}, 2);
    evn_parameters_destroy(&p);
}
END_TEST

static void refuses(const evn__tensor *t, int count, evn_status status, const char *why) {
    evn_parameters *p = make_parameters();
    ck_assert_int_eq(load(t, count, p), status);
    ck_assert_msg(strstr(evn_error_message(), why) && strstr(evn_error_message(), "w.safetensors"),
                  "%s", evn_error_message());
    check_values(p, "f.c.scale", (const double[]){-1, -1, -1}, 3); // nothing was written
    evn_parameters_destroy(&p);
}

START_TEST(misfits) {
    evn__tensor t[FILE_TENSORS];
    const float bad[] = {1, 2, (float)(1e308 * 10)};
    fill_tensors(t);
    refuses(t, 2, EVN_ERR_DATA, "d.weight [3, 2] for d.weight is missing");
    refuses(t, 4, EVN_ERR_DATA, "other [2] is part of no parameter");
    t[2].extent[0] = 2;
    t[2].extent[1] = 3;
    refuses(t, 3, EVN_ERR_DATA, "d.weight [3, 2] for d.weight is there as [2, 3]");
    fill_tensors(t);
    t[0].extent[1] = 2;
    refuses(t, 3, EVN_ERR_DATA, "f.c.w [3, 3, 1, 1] for f.c.weight is there as [3, 2, 1, 1]");
    fill_tensors(t);
    t[0] = (evn__tensor){"f.c.w", EVN__F32, 4, {1, 9, 1, 1}, numbers, 0};
    refuses(t, 3, EVN_ERR_DATA, "f.c.w [3, 3, 1, 1]");
    fill_tensors(t);
    t[1].data = bad;
    refuses(t, 3, EVN_ERR_NOT_FINITE, "f.c.gain");
}
END_TEST

/// Channels that no parameter takes.
START_TEST(left_channels) {
    static const float more[12];
    evn__tensor t[FILE_TENSORS];
    fill_tensors(t);
    t[0] = (evn__tensor){"f.c.w", EVN__F32, 4, {3, 4, 1, 1}, more, 0};
    refuses(t, 3, EVN_ERR_DATA, "f.c.w [3, 4, 1, 1] has channels that no parameter takes");
}
END_TEST

/// What was read is written again, to the bit, in the file's layout.
START_TEST(round_trip) {
    evn__tensor t[FILE_TENSORS];
    evn__safetensors *file;
    evn__weight_map *map = read_map(MAP);
    evn_parameters *p = make_parameters();
    fill_tensors(t);
    TRY(load(t, 3, p));
    TRY(evn__weights_save(path_of("back.safetensors"), map, p));
    TRY(evn__safetensors_read(path_of("back.safetensors"), &file));
    ck_assert_int_eq(evn__safetensors_count(file), 4); // and g's
    const evn__tensor *w = evn__safetensors_find(file, "f.c.w");
    ck_assert_ptr_nonnull(w);
    ck_assert_int_eq(w->extent[1], 3);
    ck_assert_mem_eq(w->data, numbers, sizeof(numbers));
    ck_assert_mem_eq(evn__safetensors_find(file, "f.c.gain")->data, numbers, 3 * sizeof(float));
    evn__safetensors_destroy(&file);
    evn__weight_map_destroy(&map);
    map = read_map("{\"layout\": \"torch\", \"names\": [[\"f.c.weight\", \"f.c.w\", 1]]}");
    ck_assert_int_eq(evn__weights_save(path_of("hole.safetensors"), map, p), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "f.c.w"));
    evn__weight_map_destroy(&map);
    evn_parameters_destroy(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("weights");
    test_add(suite, tcase_create("bad_maps"), bad_maps);
    test_add(suite, tcase_create("long_names"), long_names);
    test_add(suite, tcase_create("faults"), faults);
    test_add(suite, tcase_create("shipped"), shipped);
    test_add(suite, tcase_create("places"), places);
    test_add(suite, tcase_create("layouts"), layouts);
    test_add(suite, tcase_create("misfits"), misfits);
    test_add(suite, tcase_create("left_channels"), left_channels);
    test_add(suite, tcase_create("round_trip"), round_trip);
    return test_run(suite);
}
