// SPDX-License-Identifier: Apache-2.0
// Results side by side: how many times as fast as the first, whether that is more than the spread,
// the share of each device's own limits, and agreement with the reference.
#ifndef EVN_BENCH_COMPARISON_H
#define EVN_BENCH_COMPARISON_H

#include "bench/record.h"

typedef enum evn__bench_verdict {
    EVN__BENCH_UNKNOWN, ///< one of the two was not measured
    EVN__BENCH_SAME,    ///< within the spread
    EVN__BENCH_FASTER,
    EVN__BENCH_SLOWER,
    EVN__BENCH_FAILED, ///< the first was measured, this one failed
} evn__bench_verdict;

/// A row of one result against the first.
typedef struct evn__bench_cell {
    const evn__bench_result *row; ///< NULL: the result does not have it
    double ratio;                 ///< times as fast as the first; NaN: unknown
    double low, high;             ///< its spread: of the samples' inner four fifths
    evn__bench_verdict verdict;
    bool regression; ///< slower by more than is tolerated, or failed
} evn__bench_cell;

/// Zero-initialise; released with evn__bench_comparison_free.
typedef struct evn__bench_comparison {
    evn__bench_record *records; ///< [count]
    const char *const *paths;   ///< [count], borrowed
    int count;
    evn__bench_cell *cells; ///< [row_count, count]
    int row_count;
    int regressions;
} evn__bench_comparison;

/// Read results and compare them with the first.
/// @param[in] tolerance  fraction that a time may be longer; NaN: nothing is a regression
/// @return as evn__bench_record_read
evn_status evn__bench_compare(const char *const *paths, int count, double tolerance,
                              evn__bench_comparison *comparison);
void evn__bench_comparison_free(evn__bench_comparison *comparison);

/// The first result that has the row, for its name.
const evn__bench_result *evn__bench_comparison_row(const evn__bench_comparison *comparison,
                                                   int row);

/// Geometric mean of the ratios of result number `index`, without the limits'; NaN: there is none.
double evn__bench_comparison_mean(const evn__bench_comparison *comparison, int index);

/// "A" for the first result, and so on.
const char *evn__bench_comparison_letter(int index);

/// Result number `index` in a line: file, device, driver, version, date.
void evn__bench_comparison_describe(const evn__bench_comparison *comparison, int index,
                                    evn__text *line);

/// The comparison as cells of text, row after row, the header first; *columns of them in each.
void evn__bench_comparison_cells(const evn__bench_comparison *comparison, int *columns,
                                 void (*add)(void *user, const char *text), void *user);

/// Append it as one HTML document.
void evn__bench_comparison_page(const evn__bench_comparison *comparison, evn__text *html);

#endif
