// SPDX-License-Identifier: Apache-2.0
// What C and C++ both must be able to write with the macros of the public headers.
#include "evonode/cl.h"
#include "evonode/evonode.h"

#if EVN_VERSION_MAJOR * 10000 + EVN_VERSION_MINOR * 100 + EVN_VERSION_PATCH < 100
#error the version macros are no numbers
#endif

static const char version[] = "evonode " EVN_VERSION_STRING;

static evn_value use(evn_graph *graph, int64_t rows, int columns) {
    evn_shape shape = EVN_SHAPE(rows, columns, 2);
    evn_value x = evn_input(graph, version, EVN_SHAPE(rows, 3));
    evn_value y = evn_broadcast(graph, evn_constant(graph, 2), EVN_SHAPE(rows, 3));
    if (!evn_shape_equal(EVN_SCALAR, shape) && EVN_SHAPE(5).dim[0] == 5) {
        return evn_add(graph, x, y);
    }
    return EVN_NONE;
}

int64_t use_count(void);
int64_t use_count(void) {
    return use(NULL, 2, 3) == EVN_NONE ? EVN_SHAPE(4, 5, 6).rank : evn_shape_count(EVN_SCALAR);
}
