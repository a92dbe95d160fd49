// SPDX-License-Identifier: Apache-2.0
#include "io/run_lines.h"

#include "base/files.h"
#include "base/json.h"
#include "io/run_directory.h"

#include <stdlib.h>
#include <string.h>

const char evn__run_lines_name[] = "metrics.jsonl";

static const char HASH[] = "metrics_hash"; // member of the summary

enum { PATH_SIZE = 4096 };

evn_status evn__run_lines_read(const char *folder, char **text, size_t *size) {
    char path[PATH_SIZE];
    unsigned char *data;
    EVN_TRY(evn__run_file(folder, evn__run_lines_name, path, PATH_SIZE));
    EVN_TRY(evn__file_read(path, &data, size));
    *text = (char *)data;
    return EVN_OK;
}

evn_status evn__run_lines_hash(const char *folder, char digits[EVN__HASH_TEXT]) {
    char *text;
    size_t size;
    EVN_TRY(evn__run_lines_read(folder, &text, &size));
    evn__hash_print(evn__hash_of(text, size), digits);
    free(text);
    return EVN_OK;
}

evn_status evn__run_lines_put_hash(const char *folder, json_t *summary) {
    char digits[EVN__HASH_TEXT];
    EVN_TRY(evn__run_lines_hash(folder, digits));
    evn__json_put(summary, HASH, json_string(digits));
    return EVN_OK;
}

/// Of a finished run it is known what they were.
/// @param[in] summary  NULL: it is not finished
static evn_status check_lines(const char *path, const json_t *summary, const char *text,
                              size_t size) {
    char digits[EVN__HASH_TEXT];
    const char *hash = json_string_value(json_object_get(summary, HASH));
    evn__hash_print(evn__hash_of(text, size), digits);
    EVN_CHECK(!hash || strcmp(hash, digits) == 0, EVN_ERR_FORMAT,
              "%s is not what the run left when it ended: it was changed or damaged; bring it back "
              "from a copy, or, if the change is meant, delete \"%s\" and \"hash\" in the run's "
              "summary.json",
              path, HASH);
    return EVN_OK;
}

static evn_status parse_lines(const char *path, const char *text, json_t *lines) {
    const char *line = text;
    for (const char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        json_t *object;
        evn_status status = evn__json_parse(line, (size_t)(end - line), &object);
        if (status != EVN_OK) {
            return evn__prepend(status, "line %zu of %s", json_array_size(lines) + 1, path);
        }
        evn__json_append(lines, object);
        line = end + 1;
    }
    return evn__json_check();
}

static evn_status read_metrics(const char *folder, const json_t *summary, json_t *lines) {
    char path[PATH_SIZE], *text;
    size_t size;
    EVN_TRY(evn__run_file(folder, evn__run_lines_name, path, PATH_SIZE));
    EVN_TRY(evn__run_lines_read(folder, &text, &size));
    evn_status status = check_lines(path, summary, text, size);
    if (status == EVN_OK) {
        status = parse_lines(path, text, lines);
    }
    free(text);
    return status;
}

evn_status evn__run_metrics(const char *folder, json_t **lines) {
    json_t *summary;
    *lines = NULL;
    EVN_TRY(evn__run_summary(folder, &summary)); // first: behind it no line is added any more
    *lines = json_array();
    evn_status status = read_metrics(folder, summary, *lines);
    json_decref(summary);
    if (status != EVN_OK) {
        json_decref(*lines);
        *lines = NULL;
    }
    return status;
}
