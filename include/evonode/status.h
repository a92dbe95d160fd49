// SPDX-License-Identifier: Apache-2.0
/// @file
/// Status codes. Every fallible function returns evn_status; the message of the last failure is
/// kept per thread, with the place where it arose.
///
/// Arguments. A pointer is NULL or points to what the documentation of its function says. NULL
/// where that does not allow it, a number or enum out of its range, and an index out of range are
/// EVN_ERR_ARGUMENT, and nothing has happened. Functions that return something else then return
/// nothing: NULL, 0, false, −1 as an index or value, a shape of rank 0, a binding without a buffer,
/// a struct of zeros. What a function would have created is NULL after a failure. Destroy functions
/// accept NULL, and a pointer to NULL.
#ifndef EVONODE_STATUS_H
#define EVONODE_STATUS_H

#include "evonode/api.h"

EVN_API_BEGIN

/// What a call ended with. EVN_OK is 0; the numbers are the exit codes of the command line
/// (src/base/status.def lists them) and never change their meaning.
typedef enum evn_status {
    EVN_OK = 0,
    EVN_ERR_INTERNAL = 1,
    EVN_ERR_USAGE = 2,
    EVN_ERR_ARGUMENT = 3,
    EVN_ERR_MEMORY = 4,
    EVN_ERR_NO_DEVICE = 5,
    EVN_ERR_DEVICE_NAME = 6,
    EVN_ERR_DEVICE = 7,
    EVN_ERR_BUILD = 8,
    EVN_ERR_DEVICE_MEMORY = 9,
    EVN_ERR_FILE = 10,
    EVN_ERR_FORMAT = 11,
    EVN_ERR_DATA = 12,
    EVN_ERR_OUTPUT = 13,
    EVN_ERR_NOT_FINITE = 14,
    EVN_ERR_SOLVER = 15,
    EVN_ERR_SHAPE = 16,
    EVN_ERR_INTERRUPTED = 17,
    EVN_ERR_SLOWER = 18,
    EVN_ERR_DEADLINE = 19,
} evn_status;

/// Short name of a status, "ERR_FILE"; static storage; "unknown" for a value not in the list.
const char *evn_status_name(evn_status status);

/// One-line description of a status; static storage.
const char *evn_status_text(evn_status status);

/// What, where and what to do about the last failure on this thread; "" when there was none.
/// Valid until the next failing call on the thread.
const char *evn_error_message(void);

/// Record the message of a failure, as printf, for a function of one's own that the library calls
/// (task.h, source.h): return evn_error_set(EVN_ERR_DATA, "…").
/// @return status
evn_status evn_error_set(evn_status status, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/// Source position "file:line" of the last failure on this thread, for bug reports; "" if none.
const char *evn_error_place(void);

EVN_API_END

#endif
