// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

// Decimal numbers ---------------------------------------------------------------------------------

enum { DIGITS_MAX = 19, EXACT_TENS = 22, DIVISIBLE_TENS = 19 }; // of 64 bits; of a double; of both

/// digits · 10^exponent.
typedef struct decimal {
    uint64_t digits;
    int digit_count; ///< without leading zeros; only DIGITS_MAX of them are in `digits`
    int64_t exponent;
    bool negative;
} decimal;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *take_digits(const char *at, const char *end, decimal *d) {
    for (; at < end && is_digit(*at); ++at) {
        if (d->digit_count < DIGITS_MAX) {
            d->digits = 10 * d->digits + (uint64_t)(*at - '0');
        }
        d->digit_count += d->digits > 0;
    }
    return at;
}

/// Behind the exponent, which is taken up to what no double reaches; NULL where there is none.
static const char *take_exponent(const char *at, const char *end, decimal *d) {
    const int64_t most = 1000000;
    int64_t exponent = 0;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end) {
        return NULL;
    }
    for (; at < end && is_digit(*at); ++at) {
        exponent = exponent < most ? 10 * exponent + (*at - '0') : exponent;
    }
    d->exponent += negative ? -exponent : exponent;
    return at;
}

static bool scan(const char *at, const char *end, char point, decimal *d) {
    d->negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    const char *begin = at, *fraction;
    at = take_digits(at, end, d);
    bool any = at > begin;
    if (at < end && *at == point) {
        fraction = ++at;
        at = take_digits(at, end, d);
        d->exponent = fraction - at;
        any = any || at > fraction;
    }
    if (any && at < end && (*at == 'e' || *at == 'E')) {
        at = take_exponent(at + 1, end, d);
    }
    return any && at == end;
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

/// digits / 10^tens, rounded once: 62 bits or more of the quotient, the last of which stands for
/// all that follow.
static double divide(uint64_t digits, int tens) {
    static const uint64_t powers[DIVISIBLE_TENS + 1] = {1ull,
                                                        10ull,
                                                        100ull,
                                                        1000ull,
                                                        10000ull,
                                                        100000ull,
                                                        1000000ull,
                                                        10000000ull,
                                                        100000000ull,
                                                        1000000000ull,
                                                        10000000000ull,
                                                        100000000000ull,
                                                        1000000000000ull,
                                                        10000000000000ull,
                                                        100000000000000ull,
                                                        1000000000000000ull,
                                                        10000000000000000ull,
                                                        100000000000000000ull,
                                                        1000000000000000000ull,
                                                        10000000000000000000ull};
    uint64_t divisor = powers[tens];
    int up = __builtin_clzll(digits), down = __builtin_clzll(divisor);
    wide dividend = (wide)(digits << up) << 63;
    divisor <<= down;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    quotient |= (wide)quotient * divisor != dividend;
    return ldexp((double)quotient, down - up - 63);
}
#endif

/// Whether the number is one that takes no more than a rounding.
static bool convert(const decimal *d, double *value) {
    static const double tens[EXACT_TENS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->digits == 0) {
        *value = 0;
        return true;
    }
    if (d->digit_count > DIGITS_MAX) {
        return false;
    }
    if (d->digits <= (uint64_t)1 << 53 && d->exponent >= -EXACT_TENS && d->exponent <= EXACT_TENS) {
        double digits = (double)d->digits;
        *value = d->exponent < 0 ? digits / tens[-d->exponent] : digits * tens[d->exponent];
        return true;
    }
#ifdef __SIZEOF_INT128__
    if (d->exponent <= 0 && d->exponent >= -DIVISIBLE_TENS) {
        *value = divide(d->digits, (int)-d->exponent);
        return true;
    }
#endif
    return false;
}

/// As strtod has it, of a copy with its own point.
static bool convert_slowly(const char *text, size_t length, char point, double *value) {
    enum { SIZE = 1024 };
    char copy[SIZE], *end;
    if (length >= SIZE) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    char *comma = memchr(copy, point, length);
    if (comma) {
        *comma = '.';
    }
    *value = evn__read_real(copy, &end);
    return *end == 0;
}

bool evn__read_decimal(const char *text, size_t length, char point, double *value) {
    decimal d = {0};
    if (!scan(text, text + length, point, &d)) {
        return false;
    }
    if (!convert(&d, value)) {
        return convert_slowly(text, length, point, value);
    }
    *value = d.negative ? -*value : *value;
    return true;
}
