// SPDX-License-Identifier: Apache-2.0
// The one error regime: EVN_TRY passes a failure on, EVN_CHECK and EVN_FAIL raise one.
#ifndef EVN_BASE_STATUS_H
#define EVN_BASE_STATUS_H

#include "evonode/status.h"

/// Record message and place on this thread and return `status` (never EVN_OK).
evn_status evn__fail(const char *file, int line, evn_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/// Forget the last message.
void evn__error_clear(void);

/// Put "context: " before the recorded message, when a caller knows more (a file's name, say).
evn_status evn__prepend(evn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The status itself is returned, so that the compiler sees that a failure is not EVN_OK and that
// what the callee would have set is not used.
#define EVN_FAIL(status, ...)                                                                      \
    return (evn__fail(__FILE__, __LINE__, (status), __VA_ARGS__), (status))

#define EVN_CHECK(condition, status, ...)                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            EVN_FAIL((status), __VA_ARGS__);                                                       \
        }                                                                                          \
    } while (0)

/// Of a pointer that a caller gives and that must not be NULL.
#define EVN_REQUIRE(pointer)                                                                       \
    EVN_CHECK((pointer) != NULL, EVN_ERR_ARGUMENT, "%s: %s is NULL", __func__, #pointer)

#define EVN_TRY(call)                                                                              \
    do {                                                                                           \
        evn_status try_status_ = (call);                                                           \
        if (try_status_ != EVN_OK) {                                                               \
            return try_status_;                                                                    \
        }                                                                                          \
    } while (0)

/// As EVN_TRY, for functions that must release something: jumps to `label` with `status` set.
#define EVN_TRY_GOTO(status, call, label)                                                          \
    do {                                                                                           \
        (status) = (call);                                                                         \
        if ((status) != EVN_OK) {                                                                  \
            goto label;                                                                            \
        }                                                                                          \
    } while (0)

#endif
