// SPDX-License-Identifier: Apache-2.0
// Four IDX files of any prefix, as MNIST and the sets in its form have them: which file is what,
// names (train, test or t10k) and content (rank) say.
#include "base/files.h"
#include "base/names.h"
#include "data/dataset.h"
#include "data/unpack.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, HEAD = 1024, LABELS = 256, NAME = 8, SHOWN = 512 };

/// The four files, by part, images first.
typedef struct set {
    char *paths[EVN__PARTS][2];
} set;

// Which file is what ------------------------------------------------------------------------------

/// The rank that an IDX file of bytes states; 0 for any other file.
static evn_status find_rank(const char *path, int *rank) {
    unsigned char *head, magic[4] = {0xff};
    evn__unpack unpack;
    size_t size;
    *rank = 0;
    EVN_TRY(evn__file_read_head(path, HEAD, &head, &size)); // no answer is not "no IDX file"
    evn_status read = evn__unpack_open(&unpack, head, size);
    if (read == EVN_OK) {
        read =
            size < sizeof(magic) ? EVN_ERR_FORMAT : evn__unpack_read(&unpack, magic, sizeof(magic));
        evn__unpack_close(&unpack);
    }
    free(head);
    if (read == EVN_ERR_MEMORY) {
        return read;
    }
    bool is_idx = read == EVN_OK && magic[0] == 0 && magic[1] == 0 && magic[2] == 8;
    *rank = is_idx && magic[3] >= 1 && magic[3] <= EVN__IDX_MAX_RANK ? magic[3] : 0;
    return EVN_OK;
}

/// Where ".gz" begins at the end of the name, or the end.
static size_t without_gz(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && strcmp(dot, ".gz") == 0 ? (size_t)(dot - name) : strlen(name);
}

/// The same file, gzipped or not.
static bool is_same(const char *a, const char *b) {
    size_t length = without_gz(a);
    return length == without_gz(b) && strncmp(a, b, length) == 0;
}

static bool names_test(const char *name) {
    return strstr(name, "test") || strstr(name, "t10k");
}

static bool names_part(const char *name) {
    return names_test(name) || strstr(name, "train");
}

static evn_status add_file(set *s, const char *path, const char *name, int rank) {
    bool tests = names_test(name);
    EVN_CHECK(names_part(name), EVN_ERR_DATA,
              "%s: the name has neither 'train' nor 'test' or 't10k', so that its part is unclear",
              path);
    char **place = &s->paths[tests ? EVN_TEST : EVN_TRAIN][rank == 1];
    EVN_CHECK(!*place || is_same(*place, path), EVN_ERR_DATA,
              "%s and %s are of two sets: give the folder with the beginning of the names of one, "
              "as in --data FOLDER/emnist-letters",
              *place, path);
    if (!*place ||
        without_gz(*place) < strlen(*place)) { // two of the same name: the one that is unpacked
        free(*place);
        *place = strdup(path);
    }
    EVN_CHECK(*place, EVN_ERR_MEMORY, "no memory for a path");
    return EVN_OK;
}

/// Look at all files of the folder whose names begin with `prefix`; *count of them are IDX files.
static evn_status list(const char *folder, const char *prefix, set *s, int *count) {
    DIR *stream = opendir(folder);
    const struct dirent *next = NULL;
    evn_status status = EVN_OK;
    *count = 0;
    while (stream && status == EVN_OK && (errno = 0, next = readdir(stream))) {
        char path[PATH_SIZE];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, next->d_name);
        bool wanted = length < PATH_SIZE && next->d_name[0] != '.' &&
                      strncmp(next->d_name, prefix, strlen(prefix)) == 0 &&
                      evn__is_regular_file(path);
        int rank = 0;
        status = wanted ? find_rank(path, &rank) : EVN_OK;
        if (status != EVN_OK && status != EVN_ERR_MEMORY && !names_part(next->d_name)) {
            status = EVN_OK; // a stray file that cannot be read is none of the set
        }
        if (rank > 0) {
            ++*count;
            status = s ? add_file(s, path, next->d_name, rank) : EVN_OK;
        }
    }
    int error = status == EVN_OK ? errno : 0;
    if (stream) {
        closedir(stream);
    }
    EVN_CHECK(error == 0, evn__file_status(error, EVN_ERR_FILE), "cannot read the folder %s: %s",
              folder, strerror(error));
    return status;
}

evn_status evn__has_idx(const char *folder, const char *prefix, bool *has) {
    int count;
    EVN_TRY(list(folder, prefix, NULL, &count));
    *has = count > 0;
    return EVN_OK;
}

// Labels ------------------------------------------------------------------------------------------

/// Classes are the labels that training has, in their order; numbers[] gets them.
static evn_status number_labels(evn_dataset *dataset, const set *s, int numbers[LABELS],
                                int *classes) {
    int label_of[LABELS];
    bool there[LABELS] = {false};
    const evn__idx *train = &dataset->parts[EVN_TRAIN].labels;
    *classes = 0;
    for (int64_t i = 0; i < train->extent[0]; ++i) {
        there[train->bytes[i]] = true;
    }
    for (int value = 0; value < LABELS; ++value) {
        label_of[value] = there[value] ? *classes : -1;
        if (there[value]) {
            numbers[(*classes)++] = value;
        }
    }
    EVN_CHECK(*classes >= 2, EVN_ERR_DATA, "%s: all labels are %d; there must be two classes",
              s->paths[EVN_TRAIN][1], numbers[0]);
    for (int which = 0; which < EVN__PARTS; ++which) {
        evn__idx *labels = &dataset->parts[which].labels;
        for (int64_t i = 0; i < labels->extent[0]; ++i) {
            int label = label_of[labels->bytes[i]];
            EVN_CHECK(label >= 0, EVN_ERR_DATA,
                      "%s: label %lld is %d, which the training part does not have",
                      s->paths[which][1], (long long)i, labels->bytes[i]);
            labels->bytes[i] = (uint8_t)label;
        }
    }
    return EVN_OK;
}

/// A line of a mapping: a label and its characters' codes.
static evn_status take_mapping(void *user, int index, const char *line) {
    (void)index;
    char(*names)[NAME] = user, *at;
    long label = strtol(line, &at, 10);
    for (size_t used = 0; label >= 0 && label < LABELS && used + 1 < NAME; ++used) {
        long code = strtol(at, &at, 10);
        if (code <= ' ' || code > '~') {
            break;
        }
        names[label][used] = (char)code;
    }
    return EVN_OK;
}

/// EMNIST's PREFIX-mapping.txt. Names stay "" where it says nothing.
static evn_status read_mapping(const char *labels_path, char names[LABELS][NAME]) {
    char path[PATH_SIZE];
    const char *end = strstr(labels_path, "-train-labels");
    memset(names, 0, LABELS * sizeof(names[0]));
    if (!end) {
        return EVN_OK;
    }
    snprintf(path, sizeof(path), "%.*s-mapping.txt", (int)(end - labels_path), labels_path);
    return evn__dataset_lines(path, take_mapping, names);
}

static evn_status name_classes(evn_dataset *dataset, const char *labels_path,
                               const int numbers[LABELS], int classes) {
    char known[LABELS][NAME], number[16];
    EVN_TRY(read_mapping(labels_path, known));
    dataset->classes = evn__arena_alloc(&dataset->arena, (size_t)classes * sizeof(char *));
    EVN_CHECK(dataset->classes, EVN_ERR_MEMORY, "no memory for the classes");
    for (int i = 0; i < classes; ++i) {
        snprintf(number, sizeof(number), "%d", numbers[i]);
        const char *name = known[numbers[i]][0] ? known[numbers[i]] : number;
        dataset->classes[i] = evn__arena_string(&dataset->arena, name);
        EVN_CHECK(dataset->classes[i], EVN_ERR_MEMORY, "no memory for the classes");
    }
    return EVN_OK;
}

// The set -----------------------------------------------------------------------------------------

static evn_status read_files(const set *s, const char *folder, evn__part *to,
                             evn_status (*read)(const char *path, evn__idx *idx)) {
    static const char *const parts[] = {"training", "test"}, *const kinds[] = {"images", "labels"};
    for (int which = 0; which < EVN__PARTS; ++which) {
        for (int kind = 0; kind < 2; ++kind) {
            const char *path = s->paths[which][kind];
            evn__part *part = &to[which];
            EVN_CHECK(path, EVN_ERR_FILE, "the folder %s has IDX files, but none with the %s %s",
                      folder, parts[which], kinds[kind]);
            EVN_TRY(read(path, kind == 0 ? &part->images : &part->labels));
        }
    }
    return EVN_OK;
}

static evn_status read_set(const set *s, const char *folder, evn_dataset *dataset) {
    const char *names[] = {s->paths[EVN_TRAIN][0], s->paths[EVN_TEST][0]};
    int numbers[LABELS], classes;
    evn__part stated[EVN__PARTS] = {0};
    EVN_TRY(read_files(s, folder, stated, evn__idx_outline));
    EVN_TRY(evn__dataset_check(stated, names));
    EVN_TRY(read_files(s, folder, dataset->parts, evn__idx_read));
    EVN_TRY(evn__dataset_check(dataset->parts, names)); // untested: changed meanwhile
    EVN_TRY(number_labels(dataset, s, numbers, &classes));
    EVN_TRY(evn__dataset_describe(dataset, "images", classes));
    return name_classes(dataset, s->paths[EVN_TRAIN][1], numbers, classes);
}

evn_status evn__read_idx(const char *folder, const char *prefix, evn_dataset *dataset) {
    set s = {0};
    int count;
    evn_status status = list(folder, prefix, &s, &count);
    if (status == EVN_OK) {
        status = read_set(&s, folder, dataset);
    }
    for (int i = 0; i < 2 * EVN__PARTS; ++i) {
        free(s.paths[i / 2][i % 2]);
    }
    return status;
}
