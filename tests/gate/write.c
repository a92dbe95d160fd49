// SPDX-License-Identifier: Apache-2.0
// Write down programs:   gate_write FOLDER variants | train TASK [OPTIONS]
// Count launches:        gate_write launches | computed KEY...
#include "gate/write.h"

#include "base/files.h"
#include "host/build.h"
#include "host/forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn_status write_file(const char *folder, int number, const char *ending,
                             const evn__text *text) {
    evn__text path = {0};
    evn__text_append(&path, "%s/%d.%s", folder, number, ending);
    evn_status status = text->status != EVN_OK ? text->status : path.status;
    if (status == EVN_OK) {
        status = evn__file_write(path.data, text->data ? text->data : "", text->size);
    }
    free(path.data);
    return status;
}

static evn_status write_kernels(const evn_device *device, const char *folder, int number) {
    evn__text names = {0};
    for (int i = 0; i < device->kernel_count; ++i) {
        if (device->kernels[i]->build == device->builds[number]) {
            evn__text_append(&names, "%s %zu\n", device->kernels[i]->own_name,
                             evn__forecast_group(device, device->kernels[i]));
        }
    }
    evn_status status = write_file(folder, number, "kernels", &names);
    free(names.data);
    return status;
}

evn_status gate_write_programs(const evn_device *device, const char *folder) {
    for (int i = 0; i < device->build_count; ++i) {
        EVN_TRY(write_file(folder, i, "cl", &device->builds[i]->text));
        EVN_TRY(write_file(folder, i, "options", &device->builds[i]->options));
        EVN_TRY(write_kernels(device, folder, i));
    }
    return EVN_OK;
}

static evn_status run(int count, char **words) {
    EVN_CHECK(count >= 3, EVN_ERR_USAGE,
              "usage: gate_write FOLDER variants | train TASK ..., gate_write launches KEY...");
    bool computes = strcmp(words[1], "computed") == 0;
    if (computes || strcmp(words[1], "launches") == 0) {
        return gate_count_launches(count - 2, words + 2, computes);
    }
    if (strcmp(words[2], "variants") == 0) {
        return gate_write_variants(words[1]);
    }
    return gate_write_training(words[1], count - 3, words + 3);
}

int main(int argc, char **argv) {
    evn_status status = run(argc, argv);
    if (status != EVN_OK) {
        fprintf(stderr, "gate_write: %s\n", evn_error_message());
    }
    return (int)status;
}
