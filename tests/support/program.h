// SPDX-License-Identifier: Apache-2.0
// Running the real program ($EVONODE_PROGRAM) as a user would, in the test's own folder.
#ifndef EVN_TEST_PROGRAM_H
#define EVN_TEST_PROGRAM_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

enum { TEST_PATH = 1024 };

/// What a run ended with. The texts are valid until the next run.
typedef struct test_outcome {
    int code; ///< exit code; −1 when a signal ended it
    const char *out, *err;
    int signal; ///< that ended it; 0: none
} test_outcome;

/// Run with these arguments, parsed by the shell. What stands before the program's name, as
/// variables for it ("A=b"), comes first; "" for none.
test_outcome test_program(const char *variables, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// The same, without waiting for its end.
pid_t test_program_start(const char *variables, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
test_outcome test_program_end(pid_t process);

/// Fails the test unless the run ended with `code` and standard error has `text` in it.
void test_fails_with(test_outcome result, int code, const char *text);

/// folder/name of the test's folder into `path`; returns path.
const char *test_path(char path[TEST_PATH], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool test_exists(const char *name);

/// A file of the test's folder as JSON; fails when it is not. Released with json_decref.
json_t *test_json(const char *name);

/// A member of an object; fails unless it is a number.
double test_number(const json_t *object, const char *name);

/// A JSON file of a run without the hash that is its last member, if it has one, so that a change
/// of it counts as meant. Freed by the caller.
char *test_read_unhashed(const char *name, size_t *size);

/// What a printed table says in the row of that name; fails without the row.
double test_row(const char *table, const char *name);

/// Write a file of the test's folder.
void test_write(const char *name, const void *data, size_t size);

/// A whole file of the test's folder, NUL-ended, freed by the caller; fails when it is missing.
char *test_read(const char *name, size_t *size);

#endif
