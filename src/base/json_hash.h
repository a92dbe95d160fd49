// SPDX-License-Identifier: Apache-2.0
// Objects of JSON that carry a hash of themselves, "hash", by which a damaged file is told from the
// one that was written. Order and spacing do not count.
#ifndef EVN_BASE_JSON_HASH_H
#define EVN_BASE_JSON_HASH_H

#include "base/status.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/// As evn__json_print, with the hash of what a reader will see as a last member. Numbers have all
/// 17 digits where one of them, next to the largest that there is, would be no number with
/// `digits`.
/// @param[in] object  without a hash, or with one that is not printed
/// @param[out] text   freed by the caller; NULL after a failure
/// @return EVN_ERR_MEMORY
evn_status evn__json_print_hashed(const json_t *object, size_t flags, int digits, char **text);

/// Whether there is a hash, and whether it fits the rest.
/// @return EVN_ERR_MEMORY
evn_status evn__json_check_hash(const json_t *object, bool *has, bool *fits);

/// Take the hash away.
void evn__json_drop_hash(json_t *object);

#endif
