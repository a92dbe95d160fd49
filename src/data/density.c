// SPDX-License-Identifier: Apache-2.0
// The sets as FFJORD (Grathwohl et al. 2019) generates and scales them; angles are drawn where
// samples there stand on a fixed grid of angles.
#include "data/density.h"

#include "base/random.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
enum { DRAWS = 8 }; // random numbers kept for a point

static double uniform(evn__draws *d) {
    return evn__random_uniform(d->seed, d->stream, d->counter++);
}

static double normal(evn__draws *d) {
    return evn__random_normal(d->seed, d->stream, d->counter++);
}

/// A whole number in 0 … bound − 1.
static int below(evn__draws *d, uint64_t bound) {
    return (int)evn__random_below(d->seed, d->stream, d->counter++, bound);
}

static void moons(evn__draws *d, double point[2]) {
    int inner = below(d, 2);
    double angle = PI * uniform(d), c = cos(angle), s = sin(angle);
    double x = (inner ? 1 - c : c) + 0.1 * normal(d);
    double y = (inner ? 0.5 - s : s) + 0.1 * normal(d);
    point[0] = 2 * x - 1;
    point[1] = 2 * y - 0.2;
}

static void on_circle(evn__draws *d, double radius, double noise, double point[2]) {
    double angle = 2 * PI * uniform(d);
    point[0] = radius * cos(angle) + noise * normal(d);
    point[1] = radius * sin(angle) + noise * normal(d);
}

static void circles(evn__draws *d, double point[2]) {
    on_circle(d, below(d, 2) ? 3 : 1.5, 0.24, point);
}

static void rings(evn__draws *d, double point[2]) {
    on_circle(d, 0.75 * (1 + below(d, 4)), 0.08, point);
}

static void eight_gaussians(evn__draws *d, double point[2]) {
    double angle = PI / 4 * below(d, 8);
    point[0] = (4 * cos(angle) + 0.5 * normal(d)) / 1.414;
    point[1] = (4 * sin(angle) + 0.5 * normal(d)) / 1.414;
}

/// Uniform on the squares of one colour of a 4×4 board, squares of side 2.
static void checkerboard(evn__draws *d, double point[2]) {
    double x = 4 * uniform(d) - 2, y = uniform(d) - 2 * below(d, 2);
    bool odd = fmod(floor(x) + 4, 2) != 0;
    point[0] = 2 * x;
    point[1] = 2 * (y + odd);
}

static void two_spirals(evn__draws *d, double point[2]) {
    double side = below(d, 2) ? 1 : -1, angle = 3 * PI * sqrt(uniform(d));
    double x = -cos(angle) * angle + 0.5 * uniform(d), y = sin(angle) * angle + 0.5 * uniform(d);
    point[0] = side * x / 3 + 0.1 * normal(d);
    point[1] = side * y / 3 + 0.1 * normal(d);
}

static void pinwheel(evn__draws *d, double point[2]) {
    double blade = 2 * PI / 5 * below(d, 5);
    double radius = 1 + 0.3 * normal(d), across = 0.1 * normal(d);
    double angle = blade + 0.25 * exp(radius);
    point[0] = 2 * (radius * cos(angle) + across * sin(angle));
    point[1] = 2 * (across * cos(angle) - radius * sin(angle));
}

static void swiss_roll(evn__draws *d, double point[2]) {
    double angle = 1.5 * PI * (1 + 2 * uniform(d));
    point[0] = (angle * cos(angle) + normal(d)) / 5;
    point[1] = (angle * sin(angle) + normal(d)) / 5;
}

#define MONTE_CARLO "Monte Carlo with the exact density, standard error below 0.002"

static const evn__density densities[] = {
    {"moons", moons, 2.3925, MONTE_CARLO, 5},
    {"circles", circles, 3.2692, MONTE_CARLO, 5},
    {"rings", rings, 2.6248, MONTE_CARLO, 4},
    {"8gaussians", eight_gaussians, 2.8326, MONTE_CARLO, 5},
    {"checkerboard", checkerboard, 3.4657, "ln 32, the logarithm of its area", 5},
    {"2spirals", two_spirals, 2.6440, MONTE_CARLO, 5},
    {"pinwheel", pinwheel, 2.3191, MONTE_CARLO, 6},
    {"swissroll", swiss_roll, 2.6708, MONTE_CARLO, 4.5},
};
enum { DENSITIES = sizeof(densities) / sizeof(densities[0]) };

const evn__density *evn__density_at(int index) {
    return index >= 0 && index < DENSITIES ? &densities[index] : NULL;
}

const char *evn_density_name(int index) {
    return evn__density_at(index) ? densities[index].name : NULL;
}

const evn__density *evn__density_find(const char *name) {
    for (int i = 0; name && i < DENSITIES; ++i) {
        if (strcmp(densities[i].name, name) == 0) {
            return &densities[i];
        }
    }
    return NULL;
}

void evn__density_sample(const evn__density *density, uint64_t seed, uint64_t stream,
                         uint64_t first, int64_t count, double *points) {
    for (int64_t i = 0; i < count; ++i) {
        evn__draws draws = {seed, stream, (first + (uint64_t)i) * DRAWS};
        density->draw(&draws, points + 2 * i);
    }
}
