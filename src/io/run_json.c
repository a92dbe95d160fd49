// SPDX-License-Identifier: Apache-2.0
#include "io/run_json.h"

#include "base/files.h"
#include "base/json.h"
#include "base/json_hash.h"
#include "base/memory.h"
#include "io/run_directory.h"

#include <stdbool.h>
#include <stdlib.h>

enum { PATH_SIZE = 4096 };

// Writing -----------------------------------------------------------------------------------------

static evn_status write_text(const char *folder, const char *name, const char *json) {
    char path[PATH_SIZE];
    evn__text text = {0};
    evn__text_append(&text, "%s\n", json);
    evn_status status =
        text.status == EVN_OK ? evn__run_file(folder, name, path, PATH_SIZE) : text.status;
    if (status == EVN_OK) {
        status = evn__file_write_own(path, text.data, text.size);
    }
    free(text.data);
    return status;
}

evn_status evn__run_json_write(const char *folder, const char *name, json_t *object) {
    char *json;
    evn_status status = evn__json_print_hashed(object, JSON_INDENT(2), 15, &json);
    json_decref(object);
    if (status != EVN_OK) {
        return evn__prepend(status, "%s/%s", folder, name);
    }
    status = write_text(folder, name, json);
    free(json);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

static evn_status check_hash(json_t *value, const char *otherwise) {
    bool has, fits;
    EVN_TRY(evn__json_check_hash(value, &has, &fits));
    EVN_CHECK(fits || !has, EVN_ERR_FORMAT,
              "its hash does not fit its content: it was changed or damaged after it was written; "
              "bring it back from a copy, or %s, or, if the change is meant, delete its \"hash\"",
              otherwise);
    evn__json_drop_hash(value);
    return EVN_OK;
}

static evn_status parse(const char *text, size_t size, const char *otherwise, json_t **value) {
    evn_status status = evn__json_parse(text, size, value);
    EVN_CHECK(status != EVN_ERR_FORMAT, status, "%s; bring it back from a copy, or %s",
              evn_error_message(), otherwise);
    EVN_TRY(status);
    status = check_hash(*value, otherwise);
    if (status != EVN_OK) {
        json_decref(*value);
        *value = NULL;
    }
    return status;
}

evn_status evn__run_json_read(const char *folder, const char *name, const char *otherwise,
                              json_t **value) {
    char path[PATH_SIZE];
    unsigned char *text;
    size_t size;
    *value = NULL;
    EVN_TRY(evn__run_file(folder, name, path, PATH_SIZE));
    EVN_TRY(evn__file_read(path, &text, &size));
    evn_status status = parse((const char *)text, size, otherwise, value);
    free(text);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

evn_status evn__run_json_read_optional(const char *folder, const char *name, const char *otherwise,
                                       json_t **value) {
    bool has;
    *value = NULL;
    EVN_TRY(evn__run_has(folder, name, &has));
    return has ? evn__run_json_read(folder, name, otherwise, value) : EVN_OK;
}
