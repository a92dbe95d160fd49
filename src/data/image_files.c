// SPDX-License-Identifier: Apache-2.0
#include "data/image_files.h"

#include "base/files.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

typedef struct job {
    evn__image_file *files;
    const evn__image_shape *shape;
    uint8_t *pixels;
    size_t bytes; ///< of an image
} job;

evn__fit evn__fit_of(evn_fit fit) {
    static const evn__fit fits[] = {EVN__FIT_CROP, EVN__FIT_PAD, EVN__FIT_STRETCH};
    return fits[fit];
}

static evn_status decode(const evn__image_file *file, evn__image *image) {
    unsigned char *read = NULL;
    size_t size = file->size;
    if (!file->data) {
        EVN_TRY(evn__file_read_most(file->path, EVN__IMAGE_FILE_MAX, &read, &size));
    }
    evn_status status = evn__image_decode(read ? read : file->data, size, image);
    free(read);
    return status == EVN_OK ? status : evn__prepend(status, "%s", file->path);
}

static evn_status bring(const job *j, const evn__image_file *file, uint8_t *pixels) {
    const evn__image_shape *shape = j->shape;
    evn__image image = {0};
    EVN_TRY(decode(file, &image));
    if (shape->channels == 1) {
        evn__image_make_grey(&image);
    }
    evn_status status = evn__image_fit(&image, evn__fit_of(shape->fit), shape->height, shape->width,
                                       shape->channels, pixels);
    evn__image_free(&image);
    return status;
}

static bool work(void *user, int64_t index) {
    const job *j = user;
    evn__image_file *file = &j->files[index];
    uint8_t *pixels = j->pixels + (size_t)index * j->bytes;
    file->status = bring(j, file, pixels);
    if (file->status != EVN_OK) {
        file->problem = strdup(evn_error_message());
        memset(pixels, 0, j->bytes);
    }
    return true;
}

void evn__image_files_decode(evn__image_file *files, int64_t count, const evn__image_shape *shape,
                             uint8_t *pixels) {
    size_t bytes = (size_t)(shape->height * shape->width * shape->channels);
    job j = {files, shape, pixels, bytes};
    const evn__parallel all = {.count = count, .work = work, .user = &j};
    evn__parallel_run(&all);
}
