// SPDX-License-Identifier: Apache-2.0
// The points that columns of a table are, in their own units, and how they are standardised.
#ifndef EVN_DATA_POINTS_H
#define EVN_DATA_POINTS_H

#include "data/standardisation.h"
#include "data/table.h"

/// Columns by name, and rows of them.
typedef struct evn__points {
    int dimensions;     ///< D
    const char **names; ///< [D]; in the arena
    evn__arena arena;
    double *rows; ///< [count, D]; NULL where there are none
    int64_t count;
    int64_t left_out;              ///< rows of the table that lack a number
    evn__standardisation standard; ///< zeros before it is fitted or set
} evn__points;

/// Take the points of a table: the columns of a list of names, or else all columns that have a name
/// (where any has) and numbers in them.
/// @param[in] columns   names as evn__data_table_select wants them, or NULL
/// @param[in] skip_bad  rows that may be left out since they lack a number
/// @param[in] most      columns
/// @return EVN_ERR_DATA with the place of what is missing or no number, and for too many columns
evn_status evn__points_take(const evn__data_table *table, const char *columns, int64_t skip_bad,
                            int most, evn__points **points);

/// The same with the columns of other points by their names.
evn_status evn__points_take_like(const evn__data_table *table, const evn__points *like,
                                 int64_t skip_bad, evn__points **points);

/// Points without rows: names [D], which are copied.
evn_status evn__points_describe(const char *const *names, int dimensions, evn__points **points);

/// Take rows of a table for the points of another one: its columns by their names, or by their
/// order where the table has no header and as many of them.
/// @param[out] rows  [table's rows, D]; freed by the caller
/// @return EVN_ERR_DATA
evn_status evn__points_match(const evn__points *points, const evn__data_table *table,
                             double **rows);

void evn__points_destroy(evn__points **points); ///< nulls; accepts a pointer to NULL

/// A random order of `count` (>= 1) rows, as evn_source_points takes them: the first ones are to
/// train on, the others, a fraction `holdout` rounded, are held out; one at least of those asked
/// for.
/// @return rows to train on, 1 or more
int64_t evn__points_split(uint64_t seed, double holdout, int64_t count, int64_t *order);

/// Fit the standardisation to the rows that are trained on.
/// @return EVN_ERR_DATA also for fewer than two of them
evn_status evn__points_fit(evn__points *points, double holdout, uint64_t seed);

/// The rows, standardised [count, D]; freed by the caller.
evn_status evn__points_standardise(const evn__points *points, float **standard);

/// A checksum of names and rows.
uint64_t evn__points_checksum(const evn__points *points);

/// How many rows are the same as an earlier one.
evn_status evn__points_repeated(const evn__points *points, int64_t *repeated);

#endif
