// SPDX-License-Identifier: Apache-2.0
#include "program.h"
#include "test.h"

#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { COMMAND_SIZE = 8192 };

static char *printed[2]; // standard output and error of the last run

static pid_t start(const char *variables, const char *format, va_list arguments) {
    char command[COMMAND_SIZE], words[COMMAND_SIZE / 2];
    const char *program = getenv("EVONODE_PROGRAM");
    ck_assert_msg(program, "EVONODE_PROGRAM must name the program");
    vsnprintf(words, sizeof(words), format, arguments);
    int length =
        snprintf(command, sizeof(command),
                 "exec </dev/null; cd '%s' && exec env %s '%s' %s >printed.out 2>printed.err",
                 test_folder(), variables, program, words);
    ck_assert_int_lt(length, COMMAND_SIZE);
    char *argv[] = {"sh", "-c", command, NULL};
    pid_t process;
    ck_assert_int_eq(posix_spawn(&process, "/bin/sh", NULL, NULL, argv, environ), 0);
    return process;
}

pid_t test_program_start(const char *variables, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pid_t process = start(variables, format, arguments);
    va_end(arguments);
    return process;
}

test_outcome test_program_end(pid_t process) {
    int status;
    ck_assert_int_eq(waitpid(process, &status, 0), process);
    const char *names[] = {"printed.out", "printed.err"};
    for (int i = 0; i < 2; ++i) {
        free(printed[i]);
        printed[i] = test_read(names[i], NULL);
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return (test_outcome){code, printed[0], printed[1], code == -1 ? WTERMSIG(status) : 0};
}

test_outcome test_program(const char *variables, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pid_t process = start(variables, format, arguments);
    va_end(arguments);
    return test_program_end(process);
}

void test_fails_with(test_outcome result, int code, const char *text) {
    ck_assert_msg(result.code == code && strstr(result.err, text),
                  "ended with %d instead of %d, or without '%s':\n%s", result.code, code, text,
                  result.err);
    ck_assert_msg(strncmp(result.err, "evonode: ", 9) == 0 || strstr(result.err, "\nevonode: "),
                  "not a message of the program: %s", result.err);
}

const char *test_path(char path[TEST_PATH], const char *format, ...) {
    int used = snprintf(path, TEST_PATH, "%s/", test_folder());
    va_list arguments;
    va_start(arguments, format);
    used += vsnprintf(path + used, (size_t)(TEST_PATH - used), format, arguments);
    va_end(arguments);
    ck_assert_int_lt(used, TEST_PATH);
    return path;
}

bool test_exists(const char *name) {
    char path[TEST_PATH];
    return access(test_path(path, "%s", name), F_OK) == 0;
}

char *test_read(const char *name, size_t *size) {
    char path[TEST_PATH];
    FILE *file = fopen(test_path(path, "%s", name), "rb");
    ck_assert_msg(file, "%s is missing", path);
    fseek(file, 0, SEEK_END);
    size_t bytes = (size_t)ftell(file);
    rewind(file);
    char *data = calloc(1, bytes + 1);
    ck_assert_uint_eq(fread(data, 1, bytes, file), bytes);
    fclose(file);
    if (size) {
        *size = bytes;
    }
    return data;
}

char *test_read_unhashed(const char *name, size_t *size) {
    char *text = test_read(name, NULL), *hash = strstr(text, ",\n  \"hash\": ");
    if (hash) {
        strcpy(hash, "\n}\n");
    }
    *size = strlen(text);
    return text;
}

json_t *test_json(const char *name) {
    json_error_t error;
    char *text = test_read(name, NULL);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(root, "%s is not JSON: %s\n%s", name, error.text, text);
    free(text);
    return root;
}

double test_number(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    ck_assert_msg(json_is_number(value), "%s is missing or not a number", name);
    return json_number_value(value);
}

double test_row(const char *table, const char *name) {
    const char *found = strstr(table, name);
    ck_assert_msg(found, "no %s in: %s", name, table);
    return strtod(found + strlen(name), NULL);
}

void test_write(const char *name, const void *data, size_t size) {
    char path[TEST_PATH];
    FILE *file = fopen(test_path(path, "%s", name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}
