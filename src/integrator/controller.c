// SPDX-License-Identifier: Apache-2.0
#include "integrator/controller.h"

#include <math.h>
#include <stddef.h>

static const struct {
    const char *name, *kernel;
    double exponents[3];
} controllers[] = {
    // Hairer, Nørsett, Wanner: Solving ODEs I, II.4
    [EVN_CONTROLLER_I] = {"i", "evn_elementary", {1, 0, 0}},
    // Gustafsson 1991; Hairer, Wanner: Solving ODEs II, IV.2
    [EVN_CONTROLLER_PI] = {"pi", "evn_with_history", {0.7, -0.4, 0}},
    // Kennedy, Carpenter 2003
    [EVN_CONTROLLER_PID] = {"pid", "evn_with_history", {0.58, -0.21, 0.1}},
};

enum { CONTROLLERS = sizeof(controllers) / sizeof(controllers[0]) };

const char *evn_controller_name(int index) {
    return index >= 0 && index < CONTROLLERS ? controllers[index].name : NULL;
}

evn__controller evn__controller_create(const evn_solver_options *options) {
    const double *e = controllers[options->controller].exponents;
    return (evn__controller){.name = controllers[options->controller].name,
                             .kernel = controllers[options->controller].kernel,
                             .exponents = {e[0], e[1], e[2]},
                             .safety = options->safety,
                             .least = options->min_factor,
                             .most = options->max_factor,
                             // Hairer, Nørsett, Wanner: Solving ODEs I, the code DOPRI5
                             .remembered = 1e-4};
}

double evn__controller_factor(const evn__controller *c, const evn__stepper *stepper, double error,
                              const double errors[2]) {
    const double *e = c->exponents;
    double q = stepper->error_order + 1, factor = c->most;
    if (!isfinite(error)) {
        return c->least;
    }
    if (error > 1) {
        factor = c->safety * pow(error, -1 / q);
    } else if (error > 0) {
        factor = c->safety * pow(error, -e[0] / q) * pow(errors[0], -e[1] / q) *
                 pow(errors[1], -e[2] / q);
    }
    return fmin(c->most, fmax(c->least, factor));
}
