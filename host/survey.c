// SPDX-License-Identifier: Apache-2.0
#define _DEFAULT_SOURCE // mkdtemp
#include "host/survey.h"

#include "base/files.h"
#include "base/status.h"
#include "host/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A list through a pipe ---------------------------------------------------------------------------

/// What a child writes first; platforms and infos follow, as they stand in memory: both ends are
/// the same program.
typedef struct head {
    evn_status status;
    int platforms, count;
    char message[1024];
} head;

/// `user`: the folder of .icd files to load; NULL: as the environment says.
static void list_in_child(void *user, int out) {
    evn__listing list;
    head h = {0};
    if (user) {
        setenv("OCL_ICD_VENDORS", user, 1);
    }
    h.status = evn__listing_make(&list);
    if (h.status != EVN_OK) {
        snprintf(h.message, sizeof(h.message), "%s", evn_error_message());
    }
    h.platforms = list.platform_count;
    h.count = list.count;
    evn__child_write(out, &h, sizeof(h));
    evn__child_write(out, list.platforms, (size_t)h.platforms * sizeof(*list.platforms));
    evn__child_write(out, list.infos, (size_t)h.count * sizeof(*list.infos));
}

static evn_status copy(void **array, const char *data, size_t bytes) {
    *array = NULL;
    if (bytes > 0) {
        EVN_CHECK(*array = malloc(bytes), EVN_ERR_MEMORY, "no memory for the list of devices");
        memcpy(*array, data, bytes);
    }
    return EVN_OK;
}

/// Bytes of the arrays behind the head.
static size_t platform_bytes(const head *h) {
    return (size_t)h->platforms * sizeof(evn__platform);
}

static size_t info_bytes(const head *h) {
    return (size_t)h->count * sizeof(evn_device_info);
}

/// A driver may end the process that asks it, too, with whatever exit code.
static bool is_whole(const evn__text *data) {
    head h;
    if (data->size < sizeof(h)) {
        return false;
    }
    memcpy(&h, data->data, sizeof(h));
    return data->size == sizeof(h) + platform_bytes(&h) + info_bytes(&h);
}

static evn_status take(const evn__text *data, evn__survey *survey) {
    head h;
    memcpy(&h, data->data, sizeof(h));
    size_t platforms = platform_bytes(&h), infos = info_bytes(&h);
    EVN_CHECK(h.status == EVN_OK, h.status, "%s", h.message);
    EVN_TRY(copy((void **)&survey->platforms, data->data + sizeof(h), platforms));
    survey->platform_count = h.platforms;
    EVN_TRY(copy((void **)&survey->infos, data->data + sizeof(h) + platforms, infos));
    survey->count = h.count;
    return EVN_OK;
}

/// Where there are no children: at the risk of the process.
static evn_status list_here(evn__survey *survey) {
    evn__listing list;
    EVN_TRY(evn__listing_make(&list));
    survey->infos = list.infos;
    survey->count = list.count;
    survey->platforms = list.platforms;
    survey->platform_count = list.platform_count;
    list.infos = NULL;
    list.platforms = NULL;
    evn__listing_free(&list);
    return EVN_OK;
}

/// List with the drivers of `folder` (NULL: all) into an empty survey; `result` says what became of
/// it, and has no data any more.
static evn_status list_with(char *folder, double seconds, evn__survey *survey,
                            evn__child_result *result) {
    EVN_TRY(evn__child_run(list_in_child, folder, seconds, result));
    evn_status status = EVN_OK;
    if (result->end == EVN__CHILD_DONE && !is_whole(&result->data)) {
        result->end = EVN__CHILD_CRASHED;
    }
    if (result->end == EVN__CHILD_DONE) {
        status = take(&result->data, survey);
    } else if (result->end == EVN__CHILD_NONE && !folder) {
        status = list_here(survey);
    }
    free(result->data.data);
    result->data = (evn__text){0};
    return status;
}

// The driver at fault -----------------------------------------------------------------------------

enum { PATH_SIZE = 1024 };

/// A search among the drivers: those that are good by themselves are collected in a folder.
typedef struct search {
    evn__survey *survey;
    double seconds;
    int files;
    char folder[PATH_SIZE], good[PATH_SIZE], alone[PATH_SIZE];
} search;

/// The file of that name in another folder.
static void move_path(const char *from, const char *folder, char path[PATH_SIZE]) {
    const char *slash = strrchr(from, '/');
    snprintf(path, PATH_SIZE, "%.700s/%.300s", folder, slash ? slash + 1 : from);
}

static evn_status copy_file(const char *from, const char *folder, char path[PATH_SIZE]) {
    unsigned char *data;
    size_t bytes;
    move_path(from, folder, path);
    EVN_TRY(evn__file_read(from, &data, &bytes));
    evn_status status = evn__file_write(path, data, bytes);
    free(data);
    return status;
}

/// The library that an .icd file names, for the reader.
static void read_library(const char *path, char name[EVN_DEVICE_TEXT]) {
    unsigned char *data = NULL;
    size_t bytes = 0;
    name[0] = 0;
    if (evn__file_read_most(path, EVN_DEVICE_TEXT - 1, &data, &bytes) == EVN_OK) {
        snprintf(name, EVN_DEVICE_TEXT, "%.*s", (int)strcspn((char *)data, "\r\n"), (char *)data);
    }
    free(data);
}

static evn_status name_culprit(search *s, const char *path, const evn__child_result *result) {
    char library[EVN_DEVICE_TEXT];
    read_library(path, library);
    ++s->survey->left_out;
    if (result->end == EVN__CHILD_LATE) {
        return evn__findings_add(&s->survey->findings, EVN__CAUSE_LIBRARY_HANGS,
                                 "the driver %.200s, which %.200s names, did not answer within "
                                 "%.0f seconds",
                                 library, path, s->seconds);
    }
    char how[32] = "";
    if (result->signal != 0) { // 0: it ends the process
        snprintf(how, sizeof(how), " (signal %d)", result->signal);
    }
    return evn__findings_add(&s->survey->findings, EVN__CAUSE_LIBRARY_CRASHES,
                             "the driver %.200s, which %.200s names, crashes while it is loaded "
                             "and asked for its devices%s",
                             library, path, how);
}

/// One driver by itself.
static evn_status try_alone(void *user, const char *path) {
    search *s = user;
    evn__child_result result;
    evn__survey own = {0};
    char copied[PATH_SIZE], kept[PATH_SIZE];
    ++s->files;
    evn_status status = copy_file(path, s->alone, copied);
    if (status == EVN_ERR_FILE) {
        return EVN_OK; // the loader passes over what cannot be read
    }
    EVN_TRY(status);
    status = list_with(s->alone, s->seconds, &own, &result);
    unlink(copied);
    evn__survey_free(&own);
    if (status == EVN_OK && (result.end == EVN__CHILD_CRASHED || result.end == EVN__CHILD_LATE)) {
        return name_culprit(s, path, &result);
    }
    return copy_file(path, s->good, kept); // a loader's error of its own is no crash
}

/// The list of those that are good; where they crash only together, none.
static evn_status list_good(search *s, const evn__surroundings *here) {
    evn__child_result result;
    EVN_TRY(list_with(s->good, s->seconds, s->survey, &result));
    if (result.end == EVN__CHILD_DONE || result.end == EVN__CHILD_NONE) {
        return EVN_OK;
    }
    return evn__findings_add(&s->survey->findings, EVN__CAUSE_LIBRARIES_CLASH,
                             "each of the%s drivers that %s names loads by itself, but together "
                             "they %s",
                             s->survey->left_out > 0 ? " other" : "", here->vendors,
                             result.end == EVN__CHILD_LATE ? "hang" : "crash");
}

static evn_status remove_kept(void *user, const char *path) {
    char kept[PATH_SIZE];
    const search *s = user;
    move_path(path, s->good, kept);
    unlink(kept);
    return EVN_OK;
}

static evn_status make_folders(search *s) {
    const char *base = getenv("TMPDIR");
    snprintf(s->folder, sizeof(s->folder), "%.600s/evonode-XXXXXX",
             base && base[0] ? base : "/tmp");
    EVN_CHECK(mkdtemp(s->folder), EVN_ERR_OUTPUT,
              "no temporary folder %s can be made; name another by TMPDIR", s->folder);
    snprintf(s->good, sizeof(s->good), "%.1000s/good", s->folder);
    snprintf(s->alone, sizeof(s->alone), "%.1000s/alone", s->folder);
    EVN_TRY(evn__folder_make(s->good, 0700));
    return evn__folder_make(s->alone, 0700);
}

/// All together crashed or hung: which one does by itself?
static evn_status search_culprits(double seconds, evn__survey *survey,
                                  const evn__child_result *all) {
    search s = {.survey = survey, .seconds = seconds};
    evn__surroundings here = evn__surroundings_here();
    EVN_TRY(make_folders(&s));
    evn_status status = evn__vendor_files(&here, try_alone, &s);
    if (status == EVN_OK && s.files > 0) {
        status = list_good(&s, &here);
    } else if (status == EVN_OK) { // a loader that finds its drivers elsewhere
        status = evn__findings_add(&survey->findings, EVN__CAUSE_LIBRARIES_CLASH,
                                   "a driver %s while all are loaded, and %s does not say which",
                                   all->end == EVN__CHILD_LATE ? "hangs" : "crashes", here.vendors);
    }
    evn__vendor_files(&here, remove_kept, &s);
    rmdir(s.good);
    rmdir(s.alone);
    rmdir(s.folder);
    return status;
}

// The survey --------------------------------------------------------------------------------------

static evn_status make(double seconds, evn__survey *survey) {
    evn__child_result all;
    EVN_TRY(list_with(NULL, seconds, survey, &all));
    if (all.end == EVN__CHILD_CRASHED || all.end == EVN__CHILD_LATE) {
        EVN_TRY(search_culprits(seconds, survey, &all));
        survey->unsafe = survey->findings.count > 0;
    }
    evn__surroundings here = evn__surroundings_here();
    bool known = survey->platform_count > 0 || survey->findings.count == 0;
    return known ? evn__diagnose(&here, survey->platforms, survey->platform_count,
                                 &survey->findings)
                 : EVN_OK; // that there is no platform is explained
}

evn_status evn__survey_make(double seconds, evn__survey *survey) {
    *survey = (evn__survey){0};
    evn_status status = make(seconds, survey);
    if (status != EVN_OK) {
        evn__survey_free(survey);
    }
    return status;
}

void evn__survey_free(evn__survey *survey) {
    free(survey->infos);
    free(survey->platforms);
    evn__findings_free(&survey->findings);
    *survey = (evn__survey){0};
}
