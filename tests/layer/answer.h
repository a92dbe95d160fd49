// SPDX-License-Identifier: Apache-2.0
// Answers in the manner of OpenCL's queries.
#ifndef EVN_LAYER_ANSWER_H
#define EVN_LAYER_ANSWER_H

#include "profile.h"

/// Give `bytes` of `data` to a query.
cl_int layer_answer(const void *data, size_t bytes, size_t size, void *value, size_t *size_out);

/// Give what a profile says of a key. Not for keys about which it says nothing.
cl_int layer_answer_key(const profile *profile, profile_key key, size_t size, void *value,
                        size_t *size_out);

#endif
