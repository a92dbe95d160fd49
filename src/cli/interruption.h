// SPDX-License-Identifier: Apache-2.0
// Signals that ask the program to end: SIGINT, SIGTERM and SIGHUP. However they come, it ends with
// EVN_ERR_INTERRUPTED.
#ifndef EVN_CLI_INTERRUPTION_H
#define EVN_CLI_INTERRUPTION_H

#include <stdbool.h>

/// From here on a signal ends the program at once, with what is on the disk. One that was ignored
/// when the program was started (nohup, a script's `&`) stays so.
void evn__interruption_begin(void);

/// From here on there is something to keep: the first signal is only remembered, the second ends
/// the program at once. SIGINT and SIGTERM count also where they were ignored.
void evn__interruption_defer(void);

/// Whether a signal has come since it was deferred.
bool evn__interruption_asked(void);

#endif
