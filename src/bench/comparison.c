// SPDX-License-Identifier: Apache-2.0
#include "bench/comparison.h"

#include "bench/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/// Bounds of the samples without the tenth at either end.
static void find_spread(const evn__bench_time *time, double *low, double *high) {
    double sorted[EVN__BENCH_SAMPLES];
    int cut = time->count / 10;
    memcpy(sorted, time->samples, sizeof(sorted));
    qsort(sorted, (size_t)time->count, sizeof(*sorted), ascending);
    *low = sorted[cut];
    *high = sorted[time->count - 1 - cut];
}

/// What a repetition does, in a unit that is the row's: limits do as much as the device needs.
static double work_of(const evn__bench_result *row) {
    return row->flops > 0 ? row->flops : row->bytes > 0 ? row->bytes : 1;
}

static void weigh(const evn__bench_result *base, double tolerance, evn__bench_cell *cell) {
    double scale = work_of(cell->row) / work_of(base);
    double low, high, base_low, base_high;
    find_spread(&base->time, &base_low, &base_high);
    find_spread(&cell->row->time, &low, &high);
    cell->ratio = scale * base->time.median / cell->row->time.median;
    cell->low = scale * base_low / high;
    cell->high = scale * base_high / low;
    cell->verdict = cell->low > 1    ? EVN__BENCH_FASTER
                    : cell->high < 1 ? EVN__BENCH_SLOWER
                                     : EVN__BENCH_SAME;
    cell->regression = cell->verdict == EVN__BENCH_SLOWER && 1 / cell->ratio > 1 + tolerance;
}

static void fill_cell(const evn__bench_result *base, const evn__bench_result *row, double tolerance,
                      evn__bench_cell *cell) {
    *cell = (evn__bench_cell){.row = row, .ratio = NAN, .low = NAN, .high = NAN};
    bool had = base && base->time.count > 0;
    if (had && row && row->time.count > 0) {
        weigh(base, tolerance, cell);
    } else if (had && row && !row->lacking) {
        cell->verdict = EVN__BENCH_FAILED;
        cell->regression = !isnan(tolerance);
    }
}

/// The keys of all results, those of the first in its order; *count of them.
static evn_status list_keys(const evn__bench_comparison *c, const char ***keys, int *count) {
    int most = 0;
    for (int k = 0; k < c->count; ++k) {
        most += c->records[k].count;
    }
    *count = 0;
    EVN_TRY(EVN_NEW(keys, most));
    for (int k = 0; k < c->count; ++k) {
        for (int i = 0; i < c->records[k].count; ++i) {
            const char *key = c->records[k].rows[i].key;
            bool known = false;
            for (int j = 0; j < *count; ++j) {
                known = known || strcmp((*keys)[j], key) == 0;
            }
            if (!known) {
                (*keys)[(*count)++] = key;
            }
        }
    }
    return EVN_OK;
}

static evn_status compare(double tolerance, evn__bench_comparison *c) {
    const char **keys = NULL;
    EVN_TRY(list_keys(c, &keys, &c->row_count));
    evn_status status = EVN_NEW(&c->cells, c->row_count * c->count);
    for (int i = 0; i < c->row_count && status == EVN_OK; ++i) {
        const evn__bench_result *base = evn__bench_record_find(&c->records[0], keys[i]);
        for (int k = 0; k < c->count; ++k) {
            evn__bench_cell *cell = &c->cells[i * c->count + k];
            fill_cell(base, evn__bench_record_find(&c->records[k], keys[i]), tolerance, cell);
            c->regressions += k > 0 && cell->regression;
        }
    }
    free(keys);
    return status;
}

evn_status evn__bench_compare(const char *const *paths, int count, double tolerance,
                              evn__bench_comparison *comparison) {
    *comparison = (evn__bench_comparison){.paths = paths, .count = count};
    evn_status status = EVN_NEW(&comparison->records, count);
    for (int k = 0; k < count && status == EVN_OK; ++k) {
        status = evn__bench_record_read(paths[k], &comparison->records[k]);
    }
    if (status == EVN_OK) {
        status = compare(tolerance, comparison);
    }
    if (status != EVN_OK) {
        evn__bench_comparison_free(comparison);
    }
    return status;
}

void evn__bench_comparison_free(evn__bench_comparison *comparison) {
    for (int k = 0; k < comparison->count && comparison->records; ++k) {
        evn__bench_record_free(&comparison->records[k]);
    }
    free(comparison->records);
    free(comparison->cells);
    *comparison = (evn__bench_comparison){0};
}

const evn__bench_result *evn__bench_comparison_row(const evn__bench_comparison *comparison,
                                                   int row) {
    const evn__bench_cell *cells = &comparison->cells[row * comparison->count];
    int k = 0;
    while (!cells[k].row) {
        ++k;
    }
    return cells[k].row;
}

double evn__bench_comparison_mean(const evn__bench_comparison *comparison, int index) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < comparison->row_count; ++i) {
        double ratio = comparison->cells[i * comparison->count + index].ratio;
        const char *group = evn__bench_comparison_row(comparison, i)->group;
        bool counts = strcmp(group, evn__bench_group_name(EVN__BENCH_LIMITS)) != 0;
        sum += counts && !isnan(ratio) ? log(ratio) : 0;
        count += counts && !isnan(ratio);
    }
    return count > 0 ? exp(sum / count) : NAN;
}
