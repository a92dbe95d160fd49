// SPDX-License-Identifier: Apache-2.0
// Series: quantities that were observed at times, in one trajectory or several, from a CSV file.
// Inside, values have mean 0 and deviation 1 over what is trained on, and a trajectory is a chain
// of windows, each with its own time from 0 to at most 1.
#ifndef EVN_DATA_SERIES_H
#define EVN_DATA_SERIES_H

#include "base/memory.h"
#include "evonode/source.h"
#include <stdbool.h>

/// How a file is read. Texts may be NULL.
typedef struct evn__series_options {
    const char *time; ///< name of the column of times; NULL: "t" or "time", else the first but for
                      ///< the group
    const char *columns; ///< names of the quantities, with commas; NULL: all others
    const char *group;   ///< column whose values tell trajectories apart; NULL: there is one
    double holdout;      ///< part that is not trained on, below 1
    bool by_group;       ///< whole trajectories, chosen by the seed; else the last rows of each
    uint64_t seed;
    int64_t window; ///< intervals between rows in a window, at most; 0: each trajectory is one
} evn__series_options;

/// Rows first … first + count − 1.
typedef struct evn__track {
    const char *name; ///< of its group; "" where there is one
    int64_t first, count;
    int64_t trained;           ///< rows from the first on that are trained on
    int first_window, windows; ///< none where it is held out
} evn__track;

/// Rows first … last, both of it: it begins with the last row of the one before.
typedef struct evn__window {
    int track;
    int64_t first, last;
} evn__window;

typedef struct evn__time_series {
    const char *time_name;
    const char *group_name; ///< of the column that tells trajectories apart; NULL: there is none
    const char **names;     ///< [dimensions]
    int64_t rows;
    int dimensions;
    double *t;      ///< [rows], as in the file
    double *values; ///< [rows, dimensions], as in the file; NaN: missing
    evn__track *tracks;
    int track_count;
    evn__window *windows;
    int window_count;
    double *mean, *deviation; ///< [dimensions], of what is trained on
    double unit;              ///< of a window's time in that of the file: the longest one's length
    double *times;            ///< [time_count] of all windows, in units: from 0 to 1
    bool exact; ///< a formula's: one window that begins at its first row's values themselves, which
                ///< are no time of it; all others are known, at equal distances
    int64_t time_count;
    int *continues;   ///< [window_count], as in evn_trajectory_options
    evn__arena arena; ///< of all of it
} evn__time_series;

/// Read a file and lay out its windows. Rows without any value are left out.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA for a column that is not there, a word, a
///         time that is missing or does not increase, too few rows, with file and line
evn_status evn__series_read(const char *path, const evn__series_options *options,
                            evn__time_series **series);

/// What of a series is enough to go on from what was learnt of it: all but its values.
typedef struct evn__series_outline {
    const char *time_name, *group_name;
    const char *const *names;  ///< [dimensions]
    const char *const *tracks; ///< [track_count]
    int dimensions, track_count;
    int64_t rows;
    const double *t;                ///< [rows]
    const double *track_rows;       ///< [track_count, 2]: all, and those that are trained on
    const double *starts;           ///< [track_count, dimensions], scaled, at the first rows
    const double *mean, *deviation; ///< [dimensions]
} evn__series_outline;

/// The series again, laid out as it was; values but those at the first rows are NaN.
/// @param[in] outline  copied
/// @param[in] window   as in the options it was read with
/// @return EVN_ERR_DATA for what no series has
evn_status evn__series_recall(const evn__series_outline *outline, int64_t window,
                              evn__time_series **series);

/// The paper's curve (data/curve.h) as an exact series: t, and x1, x2, x3 in their own scale.
evn_status evn__series_curve(evn__time_series **series);

void evn__series_destroy(evn__time_series **series); ///< nulls; accepts NULL

/// The windows as one batch: samples [D], what is known at a window's start (between observations,
/// on the line from one to the next); targets [times, D], NaN where nothing was observed. Scaled.
/// @param[in] series  borrowed; outlives the source
evn_status evn__source_series(const evn__time_series *series, evn_source *source);

/// The same of a series that the source then owns.
evn_status evn__source_series_owned(evn__time_series *series, evn_source *source);

/// Values at a row, scaled; NaN where they are missing. On the line between the observations around
/// it where `fill`, and 0 where there are none.
void evn__series_scaled(const evn__time_series *series, int track, int64_t row, bool fill,
                        double *values);

/// Number of the time at which a window has a row.
int64_t evn__series_time(const evn__time_series *series, int window, int64_t row);

/// The first row of a window that is compared with the solution.
static inline int64_t evn__window_seen(const evn__time_series *series, int window) {
    return series->windows[window].first + series->exact;
}

/// The time at which a window begins.
static inline double evn__window_start(const evn__time_series *series, int window) {
    return series->t[series->windows[window].first];
}

#endif
