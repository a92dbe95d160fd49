// SPDX-License-Identifier: Apache-2.0
// What stands in the files of runs, as tables: a row each, a column for each run.
#ifndef EVN_REPORT_TABLES_H
#define EVN_REPORT_TABLES_H

#include "report/runs.h"

/// Append what each run is and how it ended, the best of each metric marked.
void evn__tables_put_results(const evn__reported *runs, int count, evn__text *html);

/// Append classes, confusion and calibration of the runs that were evaluated.
void evn__tables_put_evaluations(const evn__reported *runs, int count, evn__text *html);

/// Append command, device and options, those that differ first.
void evn__tables_put_settings(const evn__reported *runs, int count, evn__text *html);

#endif
