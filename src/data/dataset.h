// SPDX-License-Identifier: Apache-2.0
// What a data set is made of, for the files that read one.
#ifndef EVN_DATA_DATASET_H
#define EVN_DATA_DATASET_H

#include "base/hash.h"
#include "base/memory.h"
#include "data/idx.h"
#include "data/pack.h"

enum { EVN__PARTS = 2 }; // indexed by evn_part

typedef struct evn__part {
    evn__idx images;   ///< [N, H, W] or [N, H, W, C]
    evn__idx labels;   ///< [N], as files have them; released by evn__dataset_describe
    uint16_t *classes; ///< [N], the same, or what the folders say
} evn__part;

struct evn_dataset {
    evn_dataset_info info;
    evn__part parts[EVN__PARTS];
    const char **classes; ///< names, in the arena
    evn__arena arena;
};

/// "data set kind: parts do not fit together" as EVN_ERR_DATA: ranks, counts, shapes. `names` are
/// those of the parts.
evn_status evn__dataset_check(const evn__part *parts, const char *const *names);

/// Fill in `info` from the parts, and `classes` of each from its labels.
evn_status evn__dataset_describe(evn_dataset *dataset, const char *name, int classes);

/// Name the classes by their numbers, from `first` on.
evn_status evn__dataset_number(evn_dataset *dataset, int first);

/// Hand on, one by one, the lines of a text beside the data, which need not be there; without
/// their ends.
/// @return EVN_ERR_FILE when it is there and cannot be read; EVN_ERR_MEMORY; what `take` returns
evn_status evn__dataset_lines(const char *path,
                              evn_status (*take)(void *user, int index, const char *line),
                              void *user);

/// What distinguishes the images and labels that are left of a data set from all others.
void evn__dataset_digest(const evn_dataset *dataset, char digest[EVN__HASH_TEXT]);

/// Allocate parts[which] for `count` images.
evn_status evn__part_create(evn__part *part, int64_t count, int64_t height, int64_t width,
                            int64_t channels);

// Readers of evn_dataset_open_folder. Each leaves parts, classes and info.
/// Whether the folder, which may be missing, has such files; those whose names begin with `prefix`
/// alone count.
evn_status evn__has_idx(const char *folder, const char *prefix, bool *has);
evn_status evn__read_idx(const char *folder, const char *prefix, evn_dataset *dataset);
bool evn__has_cifar(const char *folder);
evn_status evn__read_cifar(const char *folder, evn_dataset *dataset);
/// Takes the pack's block.
evn_status evn__split(const evn__folder *folder, evn__pack *pack, const evn_folder_options *options,
                      evn_dataset *dataset);

#endif
