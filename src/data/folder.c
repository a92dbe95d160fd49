// SPDX-License-Identifier: Apache-2.0
#include "data/folder.h"

#include "base/files.h"
#include "base/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__ // POSIX alone leaves it this name there
#define NANOSECONDS st_mtimensec
#else
#define NANOSECONDS st_mtim.tv_nsec
#endif

enum { SHOWN = 512 };

// A folder's entries ------------------------------------------------------------------------------

typedef struct entry {
    const char *name;
    struct stat info;
} entry;

typedef struct entries {
    entry *items;
    int count, capacity;
} entries;

static int by_name(const void *a, const void *b) {
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

/// Hidden files and what file managers leave behind.
static bool is_ignored(const char *name) {
    return name[0] == '.' || strcasecmp(name, "Thumbs.db") == 0 ||
           strcasecmp(name, "desktop.ini") == 0;
}

static const char *advice(int error) {
    static const struct {
        int error;
        const char *text;
    } all[] = {{EACCES, "; check its permissions"},
               {ELOOP, "; symbolic links inside a data set are not followed"},
               {EMFILE, "; allow more open files (ulimit -n)"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); ++i) {
        text = all[i].error == error ? all[i].text : text;
    }
    return text;
}

static evn_status fail_reading(const evn__folder *folder, const char *below, int error) {
    char shown[SHOWN], part[SHOWN];
    EVN_FAIL(evn__file_status(error, EVN_ERR_FILE), "cannot read the folder %s%s%s: %s%s",
             evn__printable(folder->path, shown, sizeof(shown)), below[0] ? "/" : "",
             evn__printable(below, part, sizeof(part)), strerror(error), advice(error));
}

/// −1, with errno, where it cannot be opened.
static int open_folder(int above, const char *name, int flags) {
    int file;
    EVN_RETRY(file, openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
    return file;
}

static evn_status add_entry(evn__folder *folder, entries *list, int file, const char *below,
                            const char *name) {
    entry one = {.name = evn__arena_string(&folder->arena, name)};
    EVN_CHECK(one.name, EVN_ERR_MEMORY, "no memory for the list of files");
    EVN_CHECK(list->count < EVN__FILES_MAX - folder->file_count, EVN_ERR_DATA, // untested: millions
              "%s has more than %d files", folder->path, EVN__FILES_MAX);
    if (fstatat(file, name, &one.info, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_reading(folder, below, errno);
    }
    EVN_TRY(EVN_RESERVE(list->items, list->capacity, list->count + 1));
    list->items[list->count++] = one;
    return EVN_OK;
}

static evn_status read_entries(evn__folder *folder, DIR *stream, const char *below, entries *list) {
    for (;;) {
        errno = 0;
        const struct dirent *next = readdir(stream);
        if (!next && errno != 0) {
            return fail_reading(folder, below, errno);
        }
        if (!next) {
            break;
        }
        if (!is_ignored(next->d_name)) {
            EVN_TRY(add_entry(folder, list, dirfd(stream), below, next->d_name));
        }
    }
    if (list->count > 0) {
        qsort(list->items, (size_t)list->count, sizeof(*list->items), by_name);
    }
    return EVN_OK;
}

/// The entries of the open folder `file`, sorted; list->items is freed by the caller.
static evn_status list_entries(evn__folder *folder, int file, const char *below, entries *list) {
    int copy = open_folder(file, ".", 0);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    if (!stream) {
        int error = errno;
        if (copy >= 0) {
            close(copy);
        }
        return fail_reading(folder, below, error);
    }
    evn_status status = read_entries(folder, stream, below, list);
    closedir(stream);
    return status;
}

static int count_folders(const entries *list) {
    int count = 0;
    for (int i = 0; i < list->count; ++i) {
        count += S_ISDIR(list->items[i].info.st_mode);
    }
    return count;
}

// Classes -----------------------------------------------------------------------------------------

static const char *why_no_image(const struct stat *info) {
    if (S_ISLNK(info->st_mode)) {
        return "it is a symbolic link, which is not followed";
    }
    if (S_ISDIR(info->st_mode)) {
        return "it is a folder; the images of a class lie in the class's folder itself";
    }
    return S_ISREG(info->st_mode) ? NULL : "it is no regular file";
}

static evn_status add_files(evn__folder *folder, const entries *list, int index) {
    EVN_TRY(EVN_RESERVE(folder->files, folder->file_capacity, folder->file_count + list->count));
    for (int i = 0; i < list->count; ++i) {
        const entry *from = &list->items[i];
        folder->files[folder->file_count++] = (evn__folder_file){
            .name = from->name,
            .folder = index,
            .size = from->info.st_size,
            .seconds = from->info.st_mtime,
            .nanoseconds = from->info.NANOSECONDS,
            .problem = why_no_image(&from->info),
        };
    }
    return EVN_OK;
}

/// Open the folder of a class and list what it has.
static evn_status add_folder(evn__folder *folder, int parent, const char *below, const char *name,
                             int label, int part) {
    evn__text path = {0};
    entries list = {0};
    evn__text_append(&path, "%s%s%s", below, below[0] ? "/" : "", name);
    const char *kept = path.data ? evn__arena_string(&folder->arena, path.data) : NULL;
    free(path.data);
    EVN_CHECK(kept, EVN_ERR_MEMORY, "no memory for the list of classes");
    EVN_TRY(EVN_RESERVE(folder->folders, folder->folder_capacity, folder->folder_count + 1));
    int file = open_folder(parent, name, O_NOFOLLOW);
    if (file < 0) {
        return fail_reading(folder, kept, errno);
    }
    int index = folder->folder_count++;
    const char *last = strrchr(kept, '/');
    folder->folders[index] = (evn__class_folder){kept, last ? last + 1 : kept, parent, label, part};
    evn_status status = list_entries(folder, file, kept, &list);
    close(file); // there can be more classes than files may be open
    if (status == EVN_OK) {
        status = add_files(folder, &list, index);
    }
    free(list.items);
    return status;
}

static int find_class(const evn__folder *folder, const char *shown) {
    for (int i = 0; i < folder->class_count; ++i) {
        if (strcmp(folder->classes[i], shown) == 0) {
            return i;
        }
    }
    return -1;
}

/// The folders in `list`, which stand in `parent`, as classes: new ones, or for the test part those
/// that training has.
static evn_status add_classes(evn__folder *folder, const entries *list, int parent,
                              const char *below, int part) {
    char shown[SHOWN];
    for (int i = 0; i < list->count; ++i) {
        if (!S_ISDIR(list->items[i].info.st_mode)) {
            EVN_CHECK(!S_ISLNK(list->items[i].info.st_mode), EVN_ERR_DATA,
                      "%s/%s%s%s is a symbolic link, which is not followed: put the folder itself "
                      "there",
                      folder->path, below, below[0] ? "/" : "",
                      evn__printable(list->items[i].name, shown, sizeof(shown)));
            continue; // a file beside the classes, such as a licence
        }
        evn__printable(list->items[i].name, shown, sizeof(shown));
        int label = find_class(folder, shown);
        EVN_CHECK(label >= 0 || part != EVN_TEST, EVN_ERR_DATA,
                  "%s: the test part has a class '%s' that the training part lacks", folder->path,
                  shown);
        if (label < 0) {
            EVN_CHECK(folder->class_count < EVN__CLASSES_MAX, EVN_ERR_DATA,
                      "%s has more than the %d classes that can be trained", folder->path,
                      EVN__CLASSES_MAX);
            label = folder->class_count++;
            folder->classes[label] = evn__arena_string(&folder->arena, shown);
            EVN_CHECK(folder->classes[label], EVN_ERR_MEMORY, "no memory for the classes");
        }
        EVN_TRY(add_folder(folder, parent, below, list->items[i].name, label, part));
    }
    return EVN_OK;
}

// The layout --------------------------------------------------------------------------------------

static const char *const training_names[] = {"train", "training", NULL};
static const char *const test_names[] = {"test", "testing", "val", "valid", "validation", NULL};

/// The folder of the first of `names` that is there.
static const char *find_part(const entries *list, const char *const *names) {
    for (; *names; ++names) {
        for (int i = 0; i < list->count; ++i) {
            if (strcasecmp(list->items[i].name, *names) == 0 &&
                S_ISDIR(list->items[i].info.st_mode)) {
                return list->items[i].name;
            }
        }
    }
    return NULL;
}

static evn_status add_part(evn__folder *folder, int top, const char *name, int part) {
    entries list = {0};
    int file = open_folder(top, name, O_NOFOLLOW);
    if (file < 0) {
        return fail_reading(folder, name, errno);
    }
    folder->parents[folder->parent_count++] = file;
    evn_status status = list_entries(folder, file, name, &list);
    if (status == EVN_OK) {
        status = add_classes(folder, &list, file, name, part);
    }
    free(list.items);
    return status;
}

static evn_status add_all(evn__folder *folder, int top, const entries *list) {
    char shown[SHOWN];
    evn__printable(folder->path, shown, sizeof(shown));
    const char *training = find_part(list, training_names), *test = find_part(list, test_names);
    EVN_CHECK(list->count > 0, EVN_ERR_DATA, "the folder %s is empty", shown);
    EVN_CHECK(count_folders(list) > 0, EVN_ERR_DATA,
              "the folder %s has no sub-folders: a data set of images has one for each class, or "
              "the four IDX files of a set like MNIST, or CIFAR's binary batches",
              shown);
    if (training) {
        folder->has_parts = test != NULL;
        EVN_TRY(add_part(folder, top, training, test ? EVN_TRAIN : EVN__PART_EITHER));
        return test ? add_part(folder, top, test, EVN_TEST) : EVN_OK;
    }
    int parent = open_folder(top, ".", 0);
    if (parent < 0) {
        return fail_reading(folder, "", errno);
    }
    folder->parents[folder->parent_count++] = parent;
    return add_classes(folder, list, parent, "", EVN__PART_EITHER);
}

static evn_status check_counts(const evn__folder *folder) {
    char shown[SHOWN];
    evn__printable(folder->path, shown, sizeof(shown));
    EVN_CHECK(folder->class_count != 0, EVN_ERR_DATA,
              "the training part of %s has no sub-folders: it has one for each class", shown);
    EVN_CHECK(folder->class_count != 1, EVN_ERR_DATA,
              "%s has one class, '%s'; there must be two at least. Where the classes are folders "
              "in '%s', give --data %s/%s",
              shown, folder->classes[0], folder->classes[0], shown, folder->folders[0].path);
    return EVN_OK;
}

static evn_status list_all(evn__folder *folder, int top) {
    entries list = {0};
    folder->classes = evn__arena_alloc(&folder->arena, EVN__CLASSES_MAX * sizeof(char *));
    EVN_CHECK(folder->classes, EVN_ERR_MEMORY, "no memory for the classes");
    evn_status status = list_entries(folder, top, "", &list);
    if (status == EVN_OK) {
        status = add_all(folder, top, &list);
    }
    free(list.items);
    return status == EVN_OK ? check_counts(folder) : status;
}

// Order -------------------------------------------------------------------------------------------

/// By name, then by class, then training before test: files that are numbered over all classes keep
/// their order.
static int by_place(const void *a, const void *b) {
    const evn__folder_file *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->folder > y->folder) - (x->folder < y->folder);
}

evn_status evn__folder_open(const char *path, evn__folder *folder) {
    *folder = (evn__folder){.path = path};
    int top = open_folder(AT_FDCWD, path, 0);
    if (top < 0) {
        return fail_reading(folder, "", errno);
    }
    evn_status status = list_all(folder, top);
    close(top);
    if (folder->file_count > 0) {
        qsort(folder->files, (size_t)folder->file_count, sizeof(*folder->files), by_place);
    }
    return status;
}

void evn__folder_close(evn__folder *folder) {
    for (int i = 0; i < folder->parent_count; ++i) {
        close(folder->parents[i]);
    }
    free(folder->folders);
    free(folder->files);
    evn__arena_free(&folder->arena);
    *folder = (evn__folder){0};
}

// Files -------------------------------------------------------------------------------------------

static bool is_as_listed(int file, const evn__folder_file *listed) {
    struct stat info;
    return fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == listed->size &&
           info.st_mtime == listed->seconds && info.NANOSECONDS == listed->nanoseconds;
}

static evn_status read_open(int file, const evn__folder_file *listed, unsigned char *data) {
    EVN_CHECK(is_as_listed(file, listed), EVN_ERR_FILE, "it changed after the folder was listed");
    bool whole = evn__read_all(file, data, (size_t)listed->size);
    int error = errno;
    EVN_CHECK(is_as_listed(file, listed), EVN_ERR_FILE, "it changed while it was read");
    EVN_CHECK(whole, EVN_ERR_FILE, "it cannot be read: %s", strerror(error));
    return EVN_OK;
}

/// −1, with errno, where it cannot be opened.
static int open_listed(const evn__class_folder *folder, const char *name) {
    int above = open_folder(folder->parent, folder->name, O_NOFOLLOW), file;
    if (above < 0) {
        return above;
    }
    EVN_RETRY(file, openat(above, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    int error = errno;
    close(above);
    errno = error;
    return file;
}

evn_status evn__folder_read(const evn__folder *folder, const evn__folder_file *listed, size_t most,
                            unsigned char **data, size_t *size) {
    EVN_CHECK(!listed->problem, EVN_ERR_FORMAT, "%s", listed->problem);
    EVN_CHECK(listed->size > 0, EVN_ERR_FORMAT, "the file is empty");
    EVN_CHECK((uint64_t)listed->size <= most, EVN_ERR_FORMAT,
              "the file has %lld bytes; images of up to %zu are read", (long long)listed->size,
              most);
    int file = open_listed(&folder->folders[listed->folder], listed->name);
    EVN_CHECK(file >= 0, EVN_ERR_FILE, "it cannot be opened: %s", strerror(errno));
    *size = (size_t)listed->size;
    evn_status status = EVN_ERR_MEMORY;
    *data = malloc(*size);
    if (*data) {
        status = read_open(file, listed, *data);
    } else {
        evn__fail(__FILE__, __LINE__, status, "no memory for its %zu bytes", *size);
    }
    close(file);
    if (status != EVN_OK) {
        free(*data);
        *data = NULL;
    }
    return status;
}

const char *evn__folder_show(const evn__folder *folder, const evn__folder_file *file, char *shown,
                             size_t size) {
    char path[3 * SHOWN];
    snprintf(path, sizeof(path), "%s/%s/%s", folder->path, folder->folders[file->folder].path,
             file->name);
    return evn__printable(path, shown, size);
}
