// SPDX-License-Identifier: Apache-2.0
// JSON that is built piece by piece. A piece that cannot be made or put is not left out in silence:
// the first failure is remembered, per thread, until it is asked for, which whoever writes or
// prints JSON does, through evn__json_print.
#ifndef EVN_BASE_JSON_H
#define EVN_BASE_JSON_H

#include "base/status.h"
#include <jansson.h>

/// Notice each allocation of Jansson's that fails, within what it reads and packs, too. Of the
/// whole process, so that it is for programs: the library leaves its caller's settings alone.
void evn__json_watch(void);

/// Put `value`, which is taken, also when it is NULL since it could not be made.
void evn__json_put(json_t *object, const char *key, json_t *value);
void evn__json_append(json_t *array, json_t *value);

/// Put all members of `from`, which is taken.
void evn__json_put_all(json_t *object, json_t *from);

/// What has failed since the last call, which is forgotten.
/// @return EVN_ERR_MEMORY
evn_status evn__json_check(void);

/// As text, which is freed by the caller. Real numbers have `digits` digits.
/// @param[in] flags  Jansson's, without the precision
/// @return EVN_ERR_MEMORY, also when what was put into it is not there
evn_status evn__json_print(const json_t *value, size_t flags, int digits, char **text);

/// Read a text.
/// @return EVN_ERR_FORMAT with the line; EVN_ERR_MEMORY
evn_status evn__json_parse(const char *text, size_t size, json_t **value);

#endif
