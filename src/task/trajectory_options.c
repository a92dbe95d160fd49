// SPDX-License-Identifier: Apache-2.0
#include "task/trajectory_options.h"

#include "base/memory.h"
#include "nn/activation.h"
#include "nn/description.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

evn_trajectory_options evn_trajectory_options_default(void) {
    static const int widths[] = {300, 300};
    return (evn_trajectory_options){.widths = widths, .layers = 2, .activation = "relu", .seed = 1};
}

const char *evn_activation_name(int index) {
    return index >= 0 ? evn__activation_name(index) : NULL;
}

/// States are what the source gives: nothing stands before the ODE, or behind it.
static evn_status check_network(const evn_network *network) {
    EVN_CHECK(
        network->block_count == 1 && network->ode_count == 1 && network->stem.count == 0 &&
            network->head.count == 0,
        EVN_ERR_SHAPE,
        "%s: for trajectories a network is one ODE, {\"blocks\": [{\"ode\": [ ... ]}]}; leave "
        "stem, head and other blocks out",
        network->name);
    return EVN_OK;
}

evn_status evn__trajectory_options_check(const evn_trajectory_options *o) {
    EVN_CHECK(o->layers >= 0 && o->layers <= 99 && (o->layers == 0 || o->widths), EVN_ERR_ARGUMENT,
              "f has %d hidden layers; give 0 to 99, and their widths", o->layers);
    for (int i = 0; i < o->layers; ++i) {
        EVN_CHECK(o->widths[i] >= 1, EVN_ERR_ARGUMENT,
                  "the width of hidden layer %d of f is %d; give 1 or more", i + 1, o->widths[i]);
    }
    EVN_TRY(o->network ? check_network(o->network) : EVN_OK);
    EVN_REQUIRE(o->activation);
    EVN_CHECK(evn__activation_find(o->activation), EVN_ERR_ARGUMENT,
              "there is no activation '%s'; evn_activation_name lists them", o->activation);
    EVN_CHECK(o->extra >= 0 && o->extra <= 1 << 16, EVN_ERR_ARGUMENT,
              "the state has %d extra columns; give 0 to 65536", o->extra);
    EVN_CHECK(o->continuity >= 0 && isfinite(o->continuity), EVN_ERR_ARGUMENT,
              "the factor of continuity is %g; give a number >= 0", o->continuity);
    EVN_CHECK(!o->continues || o->learn_starts, EVN_ERR_ARGUMENT,
              "trajectories that continue each other need starts that are learnt: learn_starts");
    return EVN_OK;
}

static evn_status check_continues(const evn_trajectory_options *o, int64_t times, int64_t batch) {
    for (int64_t b = 0; o->continues && b < batch; ++b) {
        int end = o->continues[b];
        EVN_CHECK(end < times && (end < 0 || b + 1 < batch), EVN_ERR_ARGUMENT,
                  "trajectory %lld ends at time %d where the next begins; there are %lld times and "
                  "%lld trajectories",
                  (long long)b, end, (long long)times, (long long)batch);
    }
    return EVN_OK;
}

static evn_status copy(const void *from, size_t size, int64_t count, void **to) {
    EVN_TRY(evn__new(to, (size_t)count, size));
    memcpy(*to, from, size * (size_t)count);
    return EVN_OK;
}

evn_status evn__trajectory_options_keep(const evn_trajectory_options *options, int64_t times,
                                        int64_t batch, evn_trajectory_options *kept) {
    const evn_trajectory_options *o = options;
    *kept = *o;
    kept->widths = NULL;
    kept->times = NULL;
    kept->continues = NULL;
    EVN_TRY(check_continues(o, times, batch));
    EVN_TRY(copy(o->widths, sizeof(int), o->layers, (void **)&kept->widths));
    EVN_TRY(o->times ? copy(o->times, sizeof(double), times, (void **)&kept->times) : EVN_OK);
    return o->continues ? copy(o->continues, sizeof(int), batch, (void **)&kept->continues)
                        : EVN_OK;
}

void evn__trajectory_options_free(evn_trajectory_options *kept) {
    free((void *)kept->widths);
    free((void *)kept->times);
    free((void *)kept->continues);
    *kept = (evn_trajectory_options){0};
}
