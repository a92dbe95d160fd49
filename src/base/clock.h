// SPDX-License-Identifier: Apache-2.0
#ifndef EVN_BASE_CLOCK_H
#define EVN_BASE_CLOCK_H

/// Seconds since some moment, on a clock that is never set back.
double evn__now(void);

/// Seconds of processor time that this process has taken.
double evn__processor_seconds(void);

/// Seconds of processor time that the calling thread has taken.
double evn__thread_seconds(void);

#endif
