// SPDX-License-Identifier: Apache-2.0
#include "data/density.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { COUNT = 100000 };
static double points[COUNT][2];
static const double PI = 3.14159265358979323846;

static void sample(const char *name, uint64_t seed) {
    const evn__density *density = evn__density_find(name);
    ck_assert_ptr_nonnull(density);
    evn__density_sample(density, seed, 0, 0, COUNT, points[0]);
}

/// Mean of each coordinate, and of their squares and product.
static void moments(double mean[2], double square[3]) {
    double sums[5] = {0};
    for (int i = 0; i < COUNT; ++i) {
        double x = points[i][0], y = points[i][1];
        double terms[] = {x, y, x * x, y * y, x * y};
        for (int k = 0; k < 5; ++k) {
            sums[k] += terms[k] / COUNT;
        }
    }
    memcpy(mean, sums, 2 * sizeof(double));
    memcpy(square, sums + 2, 3 * sizeof(double));
}

static void check_moments(const char *name, double mean_x, double mean_y, double xx, double yy) {
    double mean[2], square[3];
    sample(name, 3);
    moments(mean, square);
    ck_assert_msg(fabs(mean[0] - mean_x) < 0.03 && fabs(mean[1] - mean_y) < 0.03, "%s: mean %g, %g",
                  name, mean[0], mean[1]);
    ck_assert_msg(fabs(square[0] - xx) < 0.05 && fabs(square[1] - yy) < 0.05, "%s: squares %g, %g",
                  name, square[0], square[1]);
}

/// Closed forms: means and mean squares of each coordinate.
START_TEST(moments_are_right) {
    check_moments("8gaussians", 0, 0, 8.25 / 1.999396, 8.25 / 1.999396);
    check_moments("circles", 0, 0, (9 + 2.25) / 4 + 0.0576, (9 + 2.25) / 4 + 0.0576);
    check_moments("rings", 0, 0, 0.5625 * 7.5 / 2 + 0.0064, 0.5625 * 7.5 / 2 + 0.0064);
    check_moments("checkerboard", 0, 0, 16.0 / 3, 16.0 / 3);
    check_moments("moons", 0, 0.3, 3.04, 4 * (0.51 + 0.125 - 1 / PI) - 0.8 * 0.25 + 0.04);
    check_moments("pinwheel", 0, 0, 2 * 1.1, 2 * 1.1);
}
END_TEST

START_TEST(a_board_has_two_colours) {
    sample("checkerboard", 1);
    for (int i = 0; i < COUNT; ++i) {
        double column = floor(points[i][0] / 2), row = floor(points[i][1] / 2);
        ck_assert(fabs(points[i][0]) <= 4 && fabs(points[i][1]) <= 4);
        ck_assert_double_eq(fmod(column + row + 8, 2), 0);
    }
}
END_TEST

START_TEST(all_stay_within_their_extent) {
    for (int k = 0; evn__density_at(k); ++k) {
        const evn__density *density = evn__density_at(k);
        int outside = 0;
        sample(density->name, 2);
        for (int i = 0; i < COUNT; ++i) {
            outside += !(fmax(fabs(points[i][0]), fabs(points[i][1])) <= density->extent);
        }
        ck_assert_msg(outside <= COUNT / 10000, "%s: %d outside", density->name, outside);
    }
}
END_TEST

START_TEST(a_point_depends_on_seed_stream_and_number) {
    double some[4][2], other[4][2];
    for (int k = 0; evn__density_at(k); ++k) {
        const evn__density *density = evn__density_at(k);
        evn__density_sample(density, 5, 1, 0, 4, some[0]);
        evn__density_sample(density, 5, 1, 2, 2, other[0]);
        ck_assert_mem_eq(some[2], other[0], 2 * sizeof(other[0]));
        evn__density_sample(density, 6, 1, 0, 4, other[0]);
        ck_assert(memcmp(some, other, sizeof(some)) != 0);
        evn__density_sample(density, 5, 2, 0, 4, other[0]);
        ck_assert(memcmp(some, other, sizeof(some)) != 0);
    }
}
END_TEST

static double log_eight_gaussians(const double point[2]) {
    double sum = 0, variance = 0.25 / 1.999396;
    for (int k = 0; k < 8; ++k) {
        double x = point[0] - 4 / 1.414 * cos(PI / 4 * k);
        double y = point[1] - 4 / 1.414 * sin(PI / 4 * k);
        sum += exp(-(x * x + y * y) / (2 * variance)) / 8;
    }
    return log(sum) - log(2 * PI * variance);
}

START_TEST(floor_of_the_gaussians_by_monte_carlo) {
    double sum = 0;
    sample("8gaussians", 7);
    for (int i = 0; i < COUNT; ++i) {
        sum -= log_eight_gaussians(points[i]) / COUNT;
    }
    ck_assert_double_eq_tol(sum, evn__density_find("8gaussians")->floor, 0.01);
}
END_TEST

static double log_circles(const double point[2]) {
    enum { ANGLES = 400 };
    double sum = 0, variance = 0.0576;
    for (int k = 0; k < 2 * ANGLES; ++k) {
        double radius = k % 2 ? 3 : 1.5, angle = 2 * PI * k / (2 * ANGLES);
        double x = point[0] - radius * cos(angle), y = point[1] - radius * sin(angle);
        sum += exp(-(x * x + y * y) / (2 * variance)) / (2 * ANGLES);
    }
    return log(sum) - log(2 * PI * variance);
}

START_TEST(floor_of_the_circles_by_monte_carlo) {
    enum { SOME = 10000 };
    double sum = 0;
    sample("circles", 7);
    for (int i = 0; i < SOME; ++i) {
        sum -= log_circles(points[i]) / SOME;
    }
    ck_assert_double_eq_tol(sum, evn__density_find("circles")->floor, 0.03);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("density");
    TCase *c = tcase_create("samples");
    tcase_add_test(c, moments_are_right);
    tcase_add_test(c, a_board_has_two_colours);
    tcase_add_test(c, all_stay_within_their_extent);
    tcase_add_test(c, a_point_depends_on_seed_stream_and_number);
    suite_add_tcase(s, c);
    c = tcase_create("floors");
    tcase_add_test(c, floor_of_the_gaussians_by_monte_carlo);
    tcase_add_test(c, floor_of_the_circles_by_monte_carlo);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
