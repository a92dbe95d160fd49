// SPDX-License-Identifier: Apache-2.0
#include "bench/comparison.h"
#include "bench/submission.h"
#include "cli/bench.h"
#include "cli/output.h"
#include "cli/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 0.1;

// Printing ----------------------------------------------------------------------------------------

static evn_status print_results(const evn__bench_comparison *c, const char *begin) {
    for (int k = 0; k < c->count; ++k) {
        evn__text line = {0};
        evn__bench_comparison_describe(c, k, &line);
        if (line.status == EVN_OK) {
            printf("%s%s: %s\n", begin, evn__bench_comparison_letter(k), line.data);
        }
        free(line.data);
        EVN_TRY(line.status);
    }
    printf("\n");
    return EVN_OK;
}

static void add_cell(void *user, const char *text) {
    evn__table_add(user, "%s", text);
}

static evn_status print_table(const evn__bench_comparison *c) {
    evn__table table = {0};
    evn__bench_comparison_cells(c, &table.columns, add_cell, &table);
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    return status;
}

typedef struct markdown {
    int columns, at;
} markdown;

static void print_cell(void *user, const char *text) {
    markdown *m = user;
    printf("| ");
    for (; *text; ++text) {
        printf(*text == '|' ? "\\%c" : "%c", *text);
    }
    printf(" ");
    if (++m->at % m->columns == 0) {
        printf("|\n");
    }
    for (int i = 0; m->at == m->columns && i < m->columns; ++i) {
        printf(i == 0 ? "| --- " : i == m->columns - 1 ? "| ---: |\n" : "| ---: ");
    }
}

static void print_markdown(const evn__bench_comparison *c) {
    markdown m = {0};
    evn__bench_comparison_cells(c, &m.columns, print_cell, &m);
}

static void print_reasons(const evn__bench_comparison *c, const char *begin) {
    for (int i = 0; i < c->row_count * c->count; ++i) {
        const evn__bench_result *row = c->cells[i].row;
        if (row && row->time.count == 0) {
            printf("%s%s, %s: not measured: %s\n", begin,
                   evn__bench_comparison_letter(i % c->count), row->name, row->reason);
        }
    }
}

// Comparing ---------------------------------------------------------------------------------------

static evn_status write_page(const evn__bench_comparison *c, const char *path) {
    evn__text html = {0};
    evn__bench_comparison_page(c, &html);
    return evn__output_write(&html, path);
}

static evn_status check_regressions(const evn__bench_comparison *c, double tolerance) {
    char list[256] = "";
    for (int i = 0; i < c->row_count * c->count; ++i) {
        size_t used = strlen(list);
        if (i % c->count > 0 && c->cells[i].regression) {
            snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
                     c->cells[i].row->key);
        }
    }
    EVN_CHECK(c->regressions == 0, EVN_ERR_SLOWER,
              "%d rows are slower than the baseline by more than %.0f %%, or fail: %s",
              c->regressions, 100 * tolerance, list);
    return EVN_OK;
}

static evn_status print(const evn__bench_comparison *c, bool as_markdown) {
    EVN_TRY(print_results(c, as_markdown ? "- " : "  "));
    if (as_markdown) {
        print_markdown(c);
    } else {
        EVN_TRY(print_table(c));
    }
    print_reasons(c, as_markdown ? "\n" : "  ");
    return EVN_OK;
}

static evn_status compare(const evn__bench_comparison *c, double tolerance,
                          const evn__settings *given) {
    if (given->html) {
        EVN_TRY(write_page(c, given->html));
    }
    if (!evn__output_is_standard(given->html)) { // which has the page in the place of the table
        EVN_TRY(print(c, given->markdown));
    }
    return given->baseline ? check_regressions(c, tolerance) : EVN_OK;
}

evn_status evn__bench_compare_files(evn_device *device, const evn__settings *given) {
    const char **paths = NULL;
    int files = given->subject_count - 1, based = given->baseline != NULL;
    double tolerance = isnan(given->tolerance) ? TOLERANCE : given->tolerance;
    evn__bench_comparison comparison;
    (void)device;
    EVN_CHECK(based || isnan(given->tolerance), EVN_ERR_USAGE,
              "--tolerance needs a --baseline, the result that others must not be slower than");
    EVN_CHECK(!given->markdown || !evn__output_is_standard(given->html), EVN_ERR_USAGE,
              "--markdown and --html - both write to standard output; give --html a file");
    EVN_TRY(EVN_NEW(&paths, files + based));
    if (based) {
        paths[0] = given->baseline;
    }
    for (int i = 0; i < files; ++i) {
        paths[based + i] = given->subjects[1 + i];
    }
    evn_status status =
        evn__bench_compare(paths, files + based, based ? tolerance : NAN, &comparison);
    if (status == EVN_OK) {
        status = compare(&comparison, tolerance, given);
        evn__bench_comparison_free(&comparison);
    }
    free(paths);
    return status;
}

// Checking ----------------------------------------------------------------------------------------

static evn_status check_file(const char *path) {
    evn__bench_record record;
    EVN_TRY(evn__bench_record_read(path, &record));
    evn_status status = evn__bench_submission_check(path, &record);
    evn__bench_record_free(&record);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

evn_status evn__bench_check_files(evn_device *device, const evn__settings *given) {
    evn_status first = EVN_OK;
    int bad = 0;
    (void)device;
    for (int i = 1; i < given->subject_count; ++i) {
        evn_status status = check_file(given->subjects[i]);
        if (status == EVN_OK) {
            printf("%s: can be taken\n", given->subjects[i]);
        } else {
            fprintf(stderr, "evonode: %s\n", evn_error_message());
            first = first == EVN_OK ? status : first;
            ++bad;
        }
    }
    EVN_CHECK(bad == 0, first, "%d of %d files cannot be taken", bad, given->subject_count - 1);
    return EVN_OK;
}
