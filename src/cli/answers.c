// SPDX-License-Identifier: Apache-2.0
#include "cli/answers.h"

#include "base/files.h"
#include "base/json.h"
#include "base/number.h"
#include "cli/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Answers -----------------------------------------------------------------------------------------

static void fail(evn__answers *a, evn_status status) {
    a->csv.text.status = a->csv.text.status == EVN_OK ? status : a->csv.text.status;
}

static evn_status add_key(evn__answers *a, const char *name) {
    EVN_TRY(EVN_RESERVE(a->keys, a->capacity, a->count + 1));
    a->keys[a->count] = (evn__text){0};
    evn__json_quote(name, &a->keys[a->count++]);
    return a->keys[a->count - 1].status;
}

void evn__answers_column(evn__answers *answers, const char *name) {
    if (answers->json) {
        fail(answers, add_key(answers, name));
    } else {
        evn__csv_put_text(&answers->csv, name);
    }
}

void evn__answers_begin(evn__answers *answers) {
    if (!answers->json) {
        evn__csv_end_row(&answers->csv);
    }
}

/// What stands before a cell's value in JSON.
static void begin_member(evn__answers *a) {
    const char *key = a->cell < a->count ? a->keys[a->cell].data : NULL;
    evn__text_append(&a->csv.text, "%s%s: ", a->cell > 0 ? ", " : "{", key ? key : "\"\"");
    ++a->cell;
}

void evn__answers_text(evn__answers *answers, const char *text) {
    if (answers->json) {
        begin_member(answers);
        evn__json_quote(text, &answers->csv.text);
    } else {
        evn__csv_put_text(&answers->csv, text);
    }
}

/// Of a model whose states overflow; the other numbers are no answers, either.
static evn_status check_finite(const evn__answers *a, double value) {
    EVN_CHECK(isfinite(value), EVN_ERR_NOT_FINITE,
              "row %lld of the answers is not finite: the states of the model overflow with this "
              "solver; try more --steps, another --solver or a smaller --rtol, or train it again "
              "with a lower rate",
              (long long)a->rows + 1);
    return EVN_OK;
}

void evn__answers_number(evn__answers *answers, double value, int digits) {
    char text[32];
    if (answers->csv.text.status == EVN_OK) {
        fail(answers, check_finite(answers, value));
    }
    evn__print(text, sizeof(text), "%.*g", digits, value);
    if (answers->json) {
        begin_member(answers);
        evn__text_append(&answers->csv.text, "%s", text);
    } else {
        evn__csv_put_text(&answers->csv, text);
    }
}

void evn__answers_end_row(evn__answers *answers) {
    ++answers->rows;
    if (answers->json) {
        evn__text_append(&answers->csv.text, "}\n");
        answers->cell = 0;
    } else {
        evn__csv_end_row(&answers->csv);
    }
}

evn_status evn__answers_write(evn__answers *answers, const char *path) {
    evn_status status = evn__output_write(&answers->csv.text, path);
    evn__answers_free(answers);
    return status;
}

void evn__answers_free(evn__answers *answers) {
    for (int i = 0; i < answers->count; ++i) {
        free(answers->keys[i].data);
    }
    free(answers->keys);
    free(answers->csv.text.data);
    *answers = (evn__answers){0};
}

// Questions ---------------------------------------------------------------------------------------

evn_status evn__question_check(const evn__settings *given) {
    const char *option = given->files_from              ? "files-from"
                         : given->top != INT64_MIN      ? "top"
                         : given->skip_bad != INT64_MIN ? "skip-bad"
                                                        : NULL;
    EVN_CHECK(!option, EVN_ERR_USAGE, "--%s is for runs on images, and %s is none; leave it out",
              option, given->subject);
    EVN_CHECK(given->subject_count == 2, EVN_ERR_USAGE,
              "%s is asked by one table: evonode predict %s FILE.csv (- is standard input)",
              given->subject, given->subject);
    return EVN_OK;
}

evn_status evn__question_read(const char *path, evn__data_table **table) {
    unsigned char *data;
    size_t size;
    if (strcmp(path, "-") != 0) {
        return evn__data_table_read(path, table);
    }
    EVN_TRY(evn__stream_read(stdin, "standard input", EVN__FILE_BYTES_MAX, &data, &size));
    evn_status status = evn__data_table_parse("standard input", data, size, table);
    free(data);
    return status;
}
