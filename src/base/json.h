// SPDX-License-Identifier: Apache-2.0
// JSON that is built piece by piece. A piece that cannot be made or put is not left out in silence:
// the first failure is remembered, per thread, until it is asked for, which whoever writes or
// prints JSON does, through evn__json_print.
#ifndef EVN_BASE_JSON_H
#define EVN_BASE_JSON_H

#include "base/memory.h"
#include "base/status.h"
#include <jansson.h>

/// Notice each allocation of Jansson's that fails, within what it reads and packs, too. Of the
/// whole process, so that it is for programs: the library leaves its caller's settings alone. What
/// is read then never lacks memory halfway, where Jansson would end the process.
void evn__json_watch(void);

/// Put `value`, which is taken, also when it is NULL since it could not be made.
void evn__json_put(json_t *object, const char *key, json_t *value);
void evn__json_append(json_t *array, json_t *value);

/// Put a text, which is freed; one that has failed cannot be put.
void evn__json_put_text(json_t *object, const char *key, evn__text *text);

/// Put all members of `from`, which is taken.
void evn__json_put_all(json_t *object, json_t *from);

/// Put those members of `from`, which stays the caller's, whose keys are not there yet.
void evn__json_put_missing(json_t *object, json_t *from);

/// What has failed since the last call, which is forgotten.
/// @return EVN_ERR_MEMORY
evn_status evn__json_check(void);

/// As text, which is freed by the caller. Real numbers have `digits` digits.
/// @param[in] flags  Jansson's, without the precision
/// @return EVN_ERR_MEMORY, also when what was put into it is not there
evn_status evn__json_print(const json_t *value, size_t flags, int digits, char **text);

/// Append a value of any kind, as evn__json_print prints it; a failure becomes the text's.
void evn__json_show(const json_t *value, size_t flags, int digits, evn__text *text);

/// Append a text in the quotes of JSON, likewise.
void evn__json_quote(const char *value, evn__text *text);

/// Read a text.
/// @param[out] value  NULL after a failure
/// @param[out] error  of _at: where and why it is not valid
/// @return EVN_ERR_FORMAT with the line; EVN_ERR_MEMORY
evn_status evn__json_parse(const char *text, size_t size, json_t **value);
evn_status evn__json_parse_at(const char *text, size_t size, json_t **value, json_error_t *error);

#endif
