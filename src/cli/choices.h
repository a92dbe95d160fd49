// SPDX-License-Identifier: Apache-2.0
// Words of the command line that stand for values of the library's enums: a list each, in the order
// of its enum, NULL past the last; and what is done with any such list.
#ifndef EVN_CLI_CHOICES_H
#define EVN_CLI_CHOICES_H

#include <stddef.h>

const char *evn__model_name(int index);     ///< evn_model_kind, then those of flows alone
const char *evn__optimizer_name(int index); ///< evn_optimizer_kind
const char *evn__schedule_name(int index);  ///< evn_schedule_kind
const char *evn__trace_name(int index);     ///< evn_trace
const char *evn__fit_name(int index);       ///< evn_fit

/// How a choice is listed in help and messages: "a, b or c" into `text`; returns text.
enum { EVN__CHOICE_TEXT = 512 }; ///< bytes that hold any
const char *evn__choice_text(const char *(*list)(int index), char *text, size_t size);

/// Number of a name in such a list; 0 for NULL, and their count for one that is not among them.
int evn__choice_find(const char *(*list)(int index), const char *name);

#endif
