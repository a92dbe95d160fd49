// SPDX-License-Identifier: Apache-2.0
// A folder of images as a data set, whatever is in it.
#include "base/files.h"
#include "base/names.h"
#include "data/dataset.h"
#include "data/image_files.h"
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MIN = 4, SIDE_MAX = 1024, SHOWN = 512 };

evn_folder_options evn_folder_options_default(void) {
    return (evn_folder_options){.seed = 1};
}

static evn_status check_options(const evn_folder_options *o) {
    EVN_CHECK((o->height == 0 && o->width == 0) ||
                  (o->height >= SIDE_MIN && o->height <= SIDE_MAX && o->width >= SIDE_MIN &&
                   o->width <= SIDE_MAX),
              EVN_ERR_ARGUMENT, "a size of %lld x %lld pixels: sides should be from %d to %d",
              (long long)o->height, (long long)o->width, SIDE_MIN, SIDE_MAX);
    EVN_CHECK(o->fit >= EVN_FIT_CROP && o->fit <= EVN_FIT_STRETCH, EVN_ERR_ARGUMENT,
              "there is no fit %d", (int)o->fit);
    EVN_CHECK(o->holdout >= 0 && o->holdout < 1, EVN_ERR_ARGUMENT,
              "a fraction of %g to hold out: it should be above 0 and below 1", o->holdout);
    EVN_CHECK(o->limit >= 0 && o->skip_bad >= 0, EVN_ERR_ARGUMENT,
              "a limit of %lld images, %lld bad files: they should be 0 or more",
              (long long)o->limit, (long long)o->skip_bad);
    return EVN_OK;
}

// Sets in files of their own ----------------------------------------------------------------------

/// Bring a part to the size that was asked for.
static evn_status resize_part(evn__part *part, const evn_dataset_info *info,
                              const evn_folder_options *options) {
    int64_t count = part->images.extent[0];
    size_t from = (size_t)(info->height * info->width * info->channels);
    size_t to = (size_t)(options->height * options->width * info->channels);
    evn__idx resized = {.rank = 4,
                        .extent = {count, options->height, options->width, info->channels}};
    EVN_TRY(EVN_NEW(&resized.bytes, (size_t)count * to));
    evn_status status = EVN_OK;
    for (int64_t i = 0; i < count && status == EVN_OK; ++i) {
        const evn__image image = {info->height, info->width, (int)info->channels,
                                  part->images.bytes + (size_t)i * from};
        status = evn__image_fit(&image, evn__fit_of(options->fit), options->height, options->width,
                                image.channels, resized.bytes + (size_t)i * to);
    }
    evn__idx_free(status == EVN_OK ? &part->images : &resized);
    if (status == EVN_OK) {
        part->images = resized;
    }
    return status;
}

static evn_status fit_set(evn_dataset *dataset, const evn_folder_options *options) {
    const evn_dataset_info info = dataset->info;
    bool differs = info.height != options->height || info.width != options->width;
    EVN_CHECK(info.channels == 1 || info.channels == 3, EVN_ERR_DATA,
              "the images have %lld channels; 1 or 3 are read", (long long)info.channels);
    if (options->height > 0 && differs) {
        for (int which = 0; which < EVN__PARTS; ++which) {
            EVN_TRY(resize_part(&dataset->parts[which], &info, options));
        }
        dataset->info.height = options->height;
        dataset->info.width = options->width;
    }
    EVN_CHECK(dataset->info.height >= SIDE_MIN && dataset->info.width >= SIDE_MIN, EVN_ERR_DATA,
              "images of %lld x %lld pixels are too small; give a larger --size",
              (long long)info.height, (long long)info.width);
    return options->limit > 0 ? evn_dataset_limit(dataset, EVN_TRAIN, options->limit) : EVN_OK;
}

/// FOLDER/PREFIX as two; the prefix is "" for an existing folder.
static evn_status cut_prefix(char *path, const char **prefix) {
    char shown[SHOWN];
    *prefix = "";
    if (evn__is_folder(path)) {
        return EVN_OK;
    }
    evn__printable(path, shown, sizeof(shown));
    EVN_CHECK(!evn__is_regular_file(path), EVN_ERR_FILE,
              "%s is a file; give the folder with the images, unpacked", shown);
    char *slash = strrchr(path, '/');
    if (slash && slash > path) {
        *slash = 0;
        *prefix = slash + 1;
    }
    bool has = false;
    if (slash > path && evn__is_folder(path)) {
        EVN_TRY(evn__has_idx(path, *prefix, &has));
    }
    EVN_CHECK(has, EVN_ERR_FILE,
              "there is no folder %s, and no IDX files whose paths begin so; check --data", shown);
    return EVN_OK;
}

/// IDX files or CIFAR's batches; *is_there tells whether there are any.
static evn_status read_set(const char *folder, const evn_folder_options *options,
                           evn_dataset *dataset, bool *is_there) {
    const char *prefix;
    char *path = strdup(folder);
    EVN_CHECK(path, EVN_ERR_MEMORY, "no memory for a path");
    evn_status status = cut_prefix(path, &prefix);
    bool has_idx = status == EVN_OK && prefix[0];
    if (status == EVN_OK && !has_idx) {
        status = evn__has_idx(path, "", &has_idx);
    }
    bool has_cifar = status == EVN_OK && !has_idx && evn__has_cifar(path);
    *is_there = has_idx || has_cifar;
    if (*is_there) {
        status = has_idx ? evn__read_idx(path, prefix, dataset) : evn__read_cifar(path, dataset);
    }
    free(path);
    EVN_TRY(status);
    EVN_CHECK(!*is_there || options->holdout == 0, EVN_ERR_ARGUMENT,
              "%s has a test part of its own: leave --holdout out", folder);
    return *is_there ? fit_set(dataset, options) : EVN_OK;
}

// A folder of files -------------------------------------------------------------------------------

static evn_status read_listed(const evn__folder *folder, const evn_folder_options *options,
                              evn_dataset *dataset) {
    evn__pack pack = {0};
    EVN_CHECK(folder->file_count > 0, EVN_ERR_DATA, "the class folders of %s are empty",
              folder->path);
    EVN_CHECK(!folder->has_parts || options->holdout == 0, EVN_ERR_ARGUMENT,
              "%s has a test part of its own: leave --holdout out", folder->path);
    EVN_TRY(evn__import(folder, options, &pack));
    evn_status status = evn__split(folder, &pack, options, dataset);
    evn__pack_free(&pack);
    return status;
}

static evn_status read_folder(const char *path, const evn_folder_options *options,
                              evn_dataset *dataset) {
    evn__folder folder;
    evn_status status = evn__folder_open(path, &folder);
    if (status == EVN_OK) {
        status = read_listed(&folder, options, dataset);
    }
    evn__folder_close(&folder);
    return status;
}

static evn_status read(const char *folder, const evn_folder_options *options,
                       evn_dataset *dataset) {
    bool is_set;
    EVN_TRY(check_options(options));
    EVN_TRY(read_set(folder, options, dataset, &is_set));
    return is_set ? EVN_OK : read_folder(folder, options, dataset);
}

evn_status evn_dataset_open_folder(const char *folder, const evn_folder_options *options,
                                   evn_dataset **dataset) {
    const evn_folder_options own = evn_folder_options_default();
    EVN_REQUIRE(dataset);
    *dataset = NULL;
    EVN_REQUIRE(folder);
    EVN_TRY(EVN_NEW(dataset, 1));
    evn_status status = read(folder, options ? options : &own, *dataset);
    if (status != EVN_OK) {
        evn_dataset_destroy(dataset);
    }
    return status;
}
