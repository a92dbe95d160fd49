// SPDX-License-Identifier: Apache-2.0
// The lines of metrics.jsonl as charts: training and test of one metric in one chart, all runs in
// it.
#ifndef EVN_REPORT_CURVES_H
#define EVN_REPORT_CURVES_H

#include "report/runs.h"

/// Append the section; nothing where no run has two lines.
void evn__curves_put(const evn__reported *runs, int count, evn__text *html);

#endif
