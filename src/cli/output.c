// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "base/files.h"
#include <stdlib.h>
#include <string.h>

const char evn__standard_output[] = "/dev/stdout";

bool evn__output_is_standard(const char *path) {
    return path && strcmp(path, evn__standard_output) == 0;
}

FILE *evn__output_notes(const char *path) {
    return evn__output_is_standard(path) ? stderr : stdout;
}

static evn_status print(const evn__text *text) {
    size_t written = fwrite(text->data, 1, text->size, stdout);
    EVN_CHECK(written == text->size && fflush(stdout) == 0, EVN_ERR_OUTPUT,
              "standard output cannot be written");
    return EVN_OK;
}

evn_status evn__output_write(evn__text *text, const char *path) {
    evn_status status = text->status;
    if (status == EVN_OK) {
        status = path && !evn__output_is_standard(path)
                     ? evn__file_write(path, text->data, text->size)
                     : print(text);
    }
    free(text->data);
    *text = (evn__text){0};
    return status;
}
