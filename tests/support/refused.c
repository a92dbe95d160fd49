// SPDX-License-Identifier: Apache-2.0
#include "refused.h"

static evn_shape of_rank(int rank) {
    return (evn_shape){rank, {1, 1, 1, 1, 1, 1}};
}

evn_shape bad_shape(int index) {
    const evn_shape shapes[] = {of_rank(7),
                                of_rank(-1),
                                of_rank(1 << 30),
                                EVN_SHAPE(3, 0),
                                EVN_SHAPE(-3, -4),
                                EVN_SHAPE(INT64_MAX),
                                EVN_SHAPE(INT64_MAX / 2, INT64_MAX / 2),
                                EVN_SHAPE((int64_t)1 << 32, (int64_t)1 << 32)};
    return shapes[index];
}
