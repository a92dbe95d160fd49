// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

/// The locale of this thread alone: that of the program stays as it is.
typedef struct numeric {
    locale_t c, before;
} numeric;

static numeric enter_c(void) {
    numeric n = {newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), (locale_t)0};
    if (n.c) {
        n.before = uselocale(n.c);
    }
    return n;
}

static void leave_c(numeric n) {
    if (n.c) {
        uselocale(n.before);
        freelocale(n.c);
    }
}

int evn__print_list(char *text, size_t size, const char *format, va_list arguments) {
    numeric n = enter_c();
    int length = vsnprintf(text, size, format, arguments);
    leave_c(n);
    return length;
}

int evn__print(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = evn__print_list(text, size, format, arguments);
    va_end(arguments);
    return length;
}

double evn__read_real(const char *text, char **end) {
    numeric n = enter_c();
    double value = strtod(text, end);
    leave_c(n);
    return value;
}
