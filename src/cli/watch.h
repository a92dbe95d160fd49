// SPDX-License-Identifier: Apache-2.0
// The page of a run while it is trained: train --watch.
#ifndef EVN_CLI_WATCH_H
#define EVN_CLI_WATCH_H

#include "cli/settings.h"

typedef struct evn__watch evn__watch;

/// Serve the run's page where the settings ask for it, and say where; *watch NULL where they do
/// not.
/// @param[in] folder  of the run; borrowed, and read from the first evn__watch_renew on
evn_status evn__watch_begin(const char *folder, const evn__settings *settings, evn__watch **watch);

/// Of these the watch may be NULL.
/// Say how far training is. Text is copied.
void evn__watch_tell(evn__watch *watch, const char *text);
/// The run directory has something new.
void evn__watch_renew(evn__watch *watch);
/// End, and let a page that is being looked at see the end before.
void evn__watch_end(evn__watch **watch);

#endif
