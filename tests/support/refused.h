// SPDX-License-Identifier: Apache-2.0
// What the tests of wrong arguments share.
#ifndef EVN_TEST_REFUSED_H
#define EVN_TEST_REFUSED_H

#include "evonode/graph.h"
#include "test.h"
#include <string.h>

/// The call ends with EVN_ERR_ARGUMENT or EVN_ERR_SHAPE, and says something about it.
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        evn_status refused_ = (call);                                                              \
        ck_assert_msg(refused_ == EVN_ERR_ARGUMENT || refused_ == EVN_ERR_SHAPE, "%s: %s", #call,  \
                      evn_status_name(refused_));                                                  \
        ck_assert_msg(strlen(evn_error_message()) > 5, "%s says nothing", #call);                  \
    } while (0)

/// Shapes that are none: ranks, extents, products.
enum { BAD_SHAPES = 8 };
evn_shape bad_shape(int index);

#endif
