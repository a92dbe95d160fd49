// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "io/run_directory.h"
#include "io/run_output.h"
#include "report/page.h"

#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

/// Where the page goes: into the run's own directory, or where several runs are shown, here.
static evn_status choose_path(const evn__settings *given, char path[PATH_SIZE]) {
    int size = given->out ? snprintf(path, PATH_SIZE, "%s", given->out)
               : given->subject_count == 1
                   ? snprintf(path, PATH_SIZE, "%s/report.html", given->subject)
                   : snprintf(path, PATH_SIZE, "report.html");
    EVN_CHECK(size < PATH_SIZE, EVN_ERR_OUTPUT, "the path of the page is too long: %.80s…", path);
    return EVN_OK;
}

/// Claim the place where the page goes by itself; what --out names has been claimed, and a folder
/// that is missing is told of where it is read.
static evn_status claim_own(const evn__settings *given, const char *path, evn__run_lock *lock) {
    bool claimed = given->out || !evn__is_folder(given->subject);
    *lock = (evn__run_lock){0};
    evn_status status = claimed ? EVN_OK : evn__run_output_claim(path, lock);
    EVN_CHECK(status == EVN_OK, status, "%s; --out FILE.html puts the page elsewhere",
              evn_error_message());
    return EVN_OK;
}

/// Takes the page.
static evn_status write_page(const char *path, evn__text *html) {
    EVN_TRY(evn__output_write(html, path));
    if (!evn__output_is_standard(path)) {
        printf("%s\n", path);
    }
    return EVN_OK;
}

static evn_status make_page(const evn__settings *given, const char *path) {
    evn__page *page = NULL;
    evn__text html = {0};
    EVN_TRY(evn__page_read(given->subjects, given->subject_count, evn__task_iterates, &page));
    evn__page_put(page, false, &html);
    evn__page_destroy(&page);
    return write_page(path, &html);
}

static evn_status run(const evn__command *command) {
    const evn__settings *given = command->settings;
    char path[PATH_SIZE];
    evn__run_lock lock;
    EVN_TRY(evn__run_check_different(given->subjects, given->subject_count));
    EVN_TRY(choose_path(given, path));
    EVN_TRY(claim_own(given, path, &lock));
    evn_status status = make_page(given, path);
    evn__run_lock_release(&lock);
    return status;
}

const evn__verb evn__verb_report = {
    "report",
    "RUN...",
    "runs as one HTML page, side by side",
    EVN__VERB_REPORT,
    run,
    "\nThe page has the results, the course of training, what eval and the other verbs left in "
    "the\n"
    "run directories, options, commands and devices. It is one file that loads nothing, for a\n"
    "browser of any width. --out - prints it; by default it is report.html in the run directory, "
    "of\n"
    "several runs in the current one. While a run is trained no page goes into its "
    "directory:\n"
    "--out puts the page elsewhere, and train --watch serves one.\n"};
