// SPDX-License-Identifier: Apache-2.0
// Numbers as text, and back, with a decimal point whatever locale the program has set: generated
// code, files and messages must not change with it.
#ifndef EVN_BASE_NUMBER_H
#define EVN_BASE_NUMBER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/// snprintf and vsnprintf as in the C locale.
int evn__print(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int evn__print_list(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/// strtod as in the C locale.
double evn__read_real(const char *text, char **end);

/// Read `length` bytes of text, all of which have to be one decimal number (-12.5, 1e-3) with
/// `point` before its fraction; rounded as strtod does, and several times as fast.
/// @return whether they are; then *value is set: infinite where it is too large for a double
bool evn__read_decimal(const char *text, size_t length, char point, double *value);

#endif
