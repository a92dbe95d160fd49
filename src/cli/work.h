// SPDX-License-Identifier: Apache-2.0
// What the tasks of a kind do with a session: one file each, one column of the table of tasks.
#ifndef EVN_CLI_WORK_H
#define EVN_CLI_WORK_H

#include "cli/session.h"
#include "train/record.h"

struct evn__work {
    unsigned kind; ///< EVN__IMAGES, …

    /// Read data and fill in what depends on it, before there is a device.
    evn_status (*open)(evn__session *session, const char *task, evn__settings *settings);
    /// Build and compile what is trained, on the session's device from its options.
    evn_status (*create)(evn__session *session, const evn__settings *settings);
    evn_status (*run)(evn__session *session); ///< train all phases, or what is left of them
    /// Write a checkpoint, and read one; epochs: that are done.
    evn_status (*save)(evn__session *session, const char *path);
    evn_status (*restore)(evn__session *session, const char *path, int *epochs);
    evn_parameters *(*parameters)(const evn__session *session);
    /// Fill in the results of the training that are not about time and memory.
    evn_status (*summarize)(evn__session *session, const evn_epoch *last, evn__summary *summary);
    /// Draw the pictures into the run folder.
    evn_status (*draw)(const evn__session *session, const char *folder);
    /// Evaluate with the session's phase and print the results.
    evn_status (*evaluate)(evn__session *session, const char *folder);
};

extern const evn__work evn__work_images; // work_images.c
extern const evn__work evn__work_curve;  // work_curve.c
extern const evn__work evn__work_flow;   // work_flow.c

#endif
