// SPDX-License-Identifier: Apache-2.0
#include "data/points.h"

#include "base/hash.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Columns -----------------------------------------------------------------------------------------

evn_status evn__points_describe(const char *const *names, int dimensions, evn__points **points) {
    *points = NULL;
    EVN_TRY(EVN_NEW(points, 1));
    evn__points *p = *points;
    p->dimensions = dimensions;
    p->names = evn__arena_alloc(&p->arena, (size_t)dimensions * sizeof(*p->names));
    bool good = p->names;
    for (int i = 0; i < dimensions && good; ++i) {
        p->names[i] = evn__arena_string(&p->arena, names[i]);
        good = p->names[i];
    }
    if (!good) {
        evn__points_destroy(points);
        EVN_FAIL(EVN_ERR_MEMORY, "no memory for the names of %d columns", dimensions);
    }
    return EVN_OK;
}

void evn__points_destroy(evn__points **points) {
    evn__points *p = *points;
    if (!p) {
        return;
    }
    evn__standardisation_free(&p->standard);
    evn__arena_free(&p->arena);
    free(p->rows);
    free(p);
    *points = NULL;
}

/// Columns with numbers. Where others have names, one without is the number that many programs
/// write before each row.
static int choose(const evn__data_table *table, int *columns) {
    int count = 0;
    for (int i = 0; i < table->column_count; ++i) {
        const evn__data_column *c = &table->columns[i];
        if (c->numbers > 0 && (c->named || !table->has_header)) {
            columns[count++] = i;
        }
    }
    return count;
}

static evn_status select_columns(const evn__data_table *table, const char *names, int most,
                                 int *columns, int *count) {
    if (names) {
        EVN_TRY(evn__data_table_select(table, "--columns", names, columns, count));
    } else {
        *count = choose(table, columns);
    }
    EVN_CHECK(*count > 0, EVN_ERR_DATA, "%s has no column of numbers", table->source);
    EVN_CHECK(*count <= most, EVN_ERR_DATA,
              "%s has %d columns of numbers, and %d are the most there may be; name some with "
              "--columns",
              table->source, *count, most);
    return EVN_OK;
}

// Rows --------------------------------------------------------------------------------------------

/// Of a row that lacks a number: why, unless it may be left out.
static evn_status refuse(const evn__data_table *table, int64_t row, int column) {
    const evn__data_column *c = &table->columns[column];
    EVN_TRY(evn__data_table_check_numbers(table, column));
    EVN_FAIL(EVN_ERR_DATA,
             "%s, line %lld, column '%s': the value is missing; mend it, or leave such rows out "
             "with --skip-bad N",
             table->source, (long long)table->lines[row], c->name);
}

/// A row of the columns into row [count]; the first column without a number, −1: all have one.
static int take_row(const evn__data_table *table, const int *columns, int count, int64_t row,
                    double *to) {
    int lacks = -1;
    for (int k = 0; k < count; ++k) {
        to[k] = table->columns[columns[k]].values[row];
        lacks = lacks < 0 && isnan(to[k]) ? columns[k] : lacks;
    }
    return lacks;
}

static evn_status take_rows(const evn__data_table *table, const int *columns, int64_t skip_bad,
                            evn__points *p) {
    size_t size = evn__size_product((size_t)table->row_count, (size_t)p->dimensions);
    EVN_TRY(EVN_NEW(&p->rows, size));
    for (int64_t i = 0; i < table->row_count; ++i) {
        int lacks = take_row(table, columns, p->dimensions, i, p->rows + p->count * p->dimensions);
        if (lacks < 0) {
            ++p->count;
        } else if (++p->left_out > skip_bad) {
            return refuse(table, i, lacks);
        }
    }
    EVN_CHECK(p->count > 0, EVN_ERR_DATA, "%s has no row with all its numbers", table->source);
    return EVN_OK;
}

/// Where the points' columns are in a table.
static evn_status find_columns(const evn__points *p, const evn__data_table *table, int *columns) {
    bool ordered = !table->has_header && table->column_count == p->dimensions;
    for (int k = 0; k < p->dimensions; ++k) {
        columns[k] = ordered ? k : evn__data_table_find(table, p->names[k]);
        EVN_CHECK(columns[k] >= 0, EVN_ERR_DATA,
                  "%s has no column '%s', which the run was trained on (a table without a header "
                  "needs its %d columns, in their order)",
                  table->source, p->names[k], p->dimensions);
    }
    return EVN_OK;
}

static evn_status name(const evn__data_table *table, const int *columns, int count,
                       evn__points **points) {
    const char **names;
    EVN_TRY(EVN_NEW(&names, count));
    for (int i = 0; i < count; ++i) {
        names[i] = table->columns[columns[i]].name;
    }
    evn_status status = evn__points_describe(names, count, points);
    free(names);
    return status;
}

evn_status evn__points_take(const evn__data_table *table, const char *columns, int64_t skip_bad,
                            int most, evn__points **points) {
    int chosen[EVN__TABLE_COLUMNS_MAX], count;
    *points = NULL;
    EVN_TRY(select_columns(table, columns, most, chosen, &count));
    EVN_TRY(name(table, chosen, count, points));
    evn_status status = take_rows(table, chosen, skip_bad, *points);
    if (status != EVN_OK) {
        evn__points_destroy(points);
    }
    return status;
}

evn_status evn__points_take_like(const evn__data_table *table, const evn__points *like,
                                 int64_t skip_bad, evn__points **points) {
    int columns[EVN__TABLE_COLUMNS_MAX];
    *points = NULL;
    EVN_TRY(find_columns(like, table, columns));
    EVN_TRY(evn__points_describe(like->names, like->dimensions, points));
    evn_status status = take_rows(table, columns, skip_bad, *points);
    if (status != EVN_OK) {
        evn__points_destroy(points);
    }
    return status;
}

evn_status evn__points_match(const evn__points *points, const evn__data_table *table,
                             double **rows) {
    int columns[EVN__TABLE_COLUMNS_MAX];
    size_t size = evn__size_product((size_t)table->row_count, (size_t)points->dimensions);
    *rows = NULL;
    EVN_TRY(find_columns(points, table, columns));
    EVN_TRY(EVN_NEW(rows, size));
    for (int64_t i = 0; i < table->row_count; ++i) {
        int lacks = take_row(table, columns, points->dimensions, i, *rows + i * points->dimensions);
        if (lacks >= 0) {
            free(*rows);
            *rows = NULL;
            EVN_TRY(evn__data_table_check_numbers(table, lacks));
            EVN_FAIL(EVN_ERR_DATA, "%s, line %lld, column '%s': the value is missing",
                     table->source, (long long)table->lines[i], table->columns[lacks].name);
        }
    }
    return EVN_OK;
}

// Use ---------------------------------------------------------------------------------------------

static evn_status fit(evn__points *p, double holdout, uint64_t seed, int64_t *order,
                      double *train) {
    int64_t count = evn__points_split(seed, holdout, p->count, order);
    size_t row = (size_t)p->dimensions;
    EVN_CHECK(count >= 2, EVN_ERR_DATA, "there is %lld row to train on; two are the least",
              (long long)count);
    for (int64_t i = 0; i < count; ++i) {
        memcpy(train + (size_t)i * row, p->rows + (size_t)order[i] * row, row * sizeof(*train));
    }
    return evn__standardisation_fit(train, count, p->dimensions, p->names, &p->standard);
}

evn_status evn__points_fit(evn__points *points, double holdout, uint64_t seed) {
    int64_t *order = NULL;
    double *train = NULL;
    EVN_TRY(EVN_NEW(&order, points->count));
    evn_status status = EVN_NEW(&train, points->count * points->dimensions);
    status = status == EVN_OK ? fit(points, holdout, seed, order, train) : status;
    free(order);
    free(train);
    return status;
}

evn_status evn__points_standardise(const evn__points *points, float **standard) {
    const int d = points->dimensions;
    double *z;
    EVN_TRY(EVN_NEW(&z, d));
    evn_status status = EVN_NEW(standard, points->count * d);
    for (int64_t i = 0; i < points->count && status == EVN_OK; ++i) {
        evn__standardisation_apply(&points->standard, points->rows + i * d, z);
        for (int k = 0; k < d; ++k) {
            (*standard)[i * d + k] = (float)z[k];
        }
    }
    free(z);
    return status;
}

uint64_t evn__points_checksum(const evn__points *points) {
    size_t bytes = (size_t)(points->count * points->dimensions) * sizeof(double);
    uint64_t sum = evn__checksum(points->rows, bytes);
    for (int i = 0; i < points->dimensions; ++i) {
        sum = 31 * sum + evn__checksum(points->names[i], strlen(points->names[i]));
    }
    return sum;
}

static int compare_hashes(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

evn_status evn__points_repeated(const evn__points *points, int64_t *repeated) {
    size_t bytes = (size_t)points->dimensions * sizeof(double);
    uint64_t *hashes;
    *repeated = 0;
    EVN_TRY(EVN_NEW(&hashes, points->count));
    for (int64_t i = 0; i < points->count; ++i) {
        hashes[i] = evn__checksum(points->rows + i * points->dimensions, bytes);
    }
    qsort(hashes, (size_t)points->count, sizeof(*hashes), compare_hashes);
    for (int64_t i = 1; i < points->count; ++i) {
        *repeated += hashes[i] == hashes[i - 1];
    }
    free(hashes);
    return EVN_OK;
}
