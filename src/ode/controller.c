// SPDX-License-Identifier: Apache-2.0
#include "ode/controller.h"

#include <math.h>

static double elementary(const evn__controller *controller, const evn__tableau *tableau,
                         double error) {
    if (!isfinite(error)) {
        return controller->least;
    }
    double factor = error > 0 ? controller->safety * pow(error, -1.0 / (tableau->error_order + 1))
                              : controller->most;
    return fmin(controller->most, fmax(controller->least, factor));
}

const evn__controller evn__controller_elementary = {0.9, 0.2, 10, elementary};
