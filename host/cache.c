// SPDX-License-Identifier: Apache-2.0
// An entry is a file <hash of the key>.bin: the header below, the key's text in full (two programs
// whose hashes agree are told apart), the binary. All numbers are in the host's byte order: a
// header written by another kind of machine does not match the magic.
#include "host/cache.h"
#include "base/files.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1 };

#define MAGIC 0x31434c434e5645ffu // "\xffEVNCLC1" on little-endian machines

typedef struct header {
    uint64_t magic, version;
    uint64_t key_bytes, binary_bytes;
    uint64_t checksum; ///< of key and binary
} header;

// Where -------------------------------------------------------------------------------------------

evn_status evn__cache_open(evn_device *device) {
    const char *mode = getenv("EVONODE_CACHE");
    bool forced = mode && strcasecmp(mode, "force") == 0;
    if (device->quirks.caches_programs && !forced) {
        return EVN_OK;
    }
    evn__text folder = {0};
    evn__cache_folder(&folder, "/cl-cache");
    if (folder.status == EVN_OK && folder.size > 0) {
        device->cache_folder = folder.data;
        return EVN_OK;
    }
    free(folder.data);
    return folder.status;
}

/// A binary runs with the user's rights: take it only from a folder that nobody else can fill.
static bool is_private(const char *folder) {
    struct stat info;
    return stat(folder, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
           !(info.st_mode & (S_IWGRP | S_IWOTH));
}

/// Everything that the compiled program depends on.
static void write_key(evn__text *key, const evn_device *device, const char *text,
                      const char *options) {
    const evn_device_info *info = &device->info;
    evn__text_append(key, "evonode program, format %d\n", FORMAT_VERSION);
    evn__text_append(key, "platform %s\nplatform version %s\n", info->platform_name,
                     info->platform_version);
    evn__text_append(key, "device %s\nvendor %s\nversion %s\ndriver %s\nunits %d\n", info->name,
                     info->vendor, info->version, info->driver, info->compute_units);
    evn__text_append(key, "options %s\nsource\n%s", options, text);
}

static void write_path(evn__text *path, const evn_device *device, const evn__text *key) {
    char name[EVN__HASH_TEXT];
    evn__hash_print(evn__hash_of(key->data, key->size), name);
    evn__text_append(path, "%s/%s.bin", device->cache_folder, name);
}

// Load --------------------------------------------------------------------------------------------

static cl_program build_binary(const evn_device *device, const unsigned char *binary, size_t bytes,
                               const char *options) {
    cl_int code, loaded;
    cl_program program;
    EVN__TIMED(device, "loading compiled kernels (clCreateProgramWithBinary)",
               program = clCreateProgramWithBinary(device->context, 1, &device->id, &bytes, &binary,
                                                   &loaded, &code));
    if (code != CL_SUCCESS) {
        return NULL;
    }
    code = loaded;
    if (code == CL_SUCCESS) {
        EVN__TIMED(device, "loading compiled kernels (clBuildProgram)",
                   code = clBuildProgram(program, 1, &device->id, options, NULL, NULL));
    }
    if (code != CL_SUCCESS) {
        EVN__TIMED(device, "releasing a program (clReleaseProgram)", clReleaseProgram(program));
        return NULL;
    }
    return program;
}

const unsigned char *evn__cache_find(const unsigned char *data, size_t bytes, const evn__text *key,
                                     size_t *binary_bytes) {
    header head;
    if (bytes < sizeof(head)) {
        return NULL;
    }
    memcpy(&head, data, sizeof(head));
    size_t rest = bytes - sizeof(head);
    const unsigned char *contents = data + sizeof(head);
    bool good = head.magic == MAGIC && head.version == FORMAT_VERSION &&
                head.key_bytes == key->size && head.key_bytes < rest &&
                head.binary_bytes == rest - head.key_bytes &&
                head.checksum == evn__checksum(contents, rest) &&
                memcmp(contents, key->data, key->size) == 0;
    *binary_bytes = good ? (size_t)head.binary_bytes : 0;
    return good ? contents + key->size : NULL;
}

static cl_program load(const evn_device *device, const char *path, const evn__text *key,
                       const char *options) {
    unsigned char *data;
    size_t bytes, binary_bytes;
    if (access(path, R_OK) != 0 || evn__file_read(path, &data, &bytes) != EVN_OK) {
        return NULL;
    }
    const unsigned char *binary = evn__cache_find(data, bytes, key, &binary_bytes);
    cl_program program = binary ? build_binary(device, binary, binary_bytes, options) : NULL;
    free(data);
    return program;
}

cl_program evn__cache_load(const evn_device *device, const char *text, const char *options) {
    if (!device->cache_folder || !is_private(device->cache_folder)) {
        return NULL;
    }
    evn__text key = {0}, path = {0};
    cl_program program = NULL;
    write_key(&key, device, text, options);
    if (key.status == EVN_OK) {
        write_path(&path, device, &key);
        program = path.status == EVN_OK ? load(device, path.data, &key, options) : NULL;
    }
    free(key.data);
    free(path.data);
    return program;
}

// Store -------------------------------------------------------------------------------------------

/// Ask for the binary of our device alone: an adopted context may hold several. NULL: none.
static unsigned char *get_binary(const evn_device *device, cl_program program, size_t *bytes) {
    enum { MAX_DEVICES = 64 };
    cl_device_id ids[MAX_DEVICES];
    size_t sizes[MAX_DEVICES] = {0}, got = 0;
    unsigned char *binaries[MAX_DEVICES] = {0};
    if (clGetProgramInfo(program, CL_PROGRAM_DEVICES, sizeof(ids), ids, &got) != CL_SUCCESS ||
        clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof(sizes), sizes, NULL) !=
            CL_SUCCESS) {
        return NULL;
    }
    size_t count = got / sizeof(ids[0]), ours = 0;
    while (ours < count && ids[ours] != device->id) {
        ours++;
    }
    if (ours == count || sizes[ours] == 0 || !(binaries[ours] = malloc(sizes[ours]))) {
        return NULL;
    }
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, count * sizeof(binaries[0]), binaries,
                         NULL) != CL_SUCCESS) {
        free(binaries[ours]);
        return NULL;
    }
    *bytes = sizes[ours];
    return binaries[ours];
}

static void write_entry(const char *path, const evn__text *key, const unsigned char *binary,
                        size_t binary_bytes) {
    size_t rest = key->size + binary_bytes;
    unsigned char *data = malloc(sizeof(header) + rest);
    if (!data) {
        return;
    }
    memcpy(data + sizeof(header), key->data, key->size);
    memcpy(data + sizeof(header) + key->size, binary, binary_bytes);
    header head = {.magic = MAGIC,
                   .version = FORMAT_VERSION,
                   .key_bytes = key->size,
                   .binary_bytes = binary_bytes,
                   .checksum = evn__checksum(data + sizeof(header), rest)};
    memcpy(data, &head, sizeof(head));
    evn__file_write_own(path, data,
                        sizeof(head) + rest); // a failure is ignored: the cache is optional
    free(data);
}

void evn__cache_store(const evn_device *device, const char *text, const char *options,
                      cl_program program) {
    if (!device->cache_folder || evn__folder_make(device->cache_folder, 0700) != EVN_OK ||
        !is_private(device->cache_folder)) {
        return;
    }
    evn__text key = {0}, path = {0};
    size_t bytes = 0;
    unsigned char *binary;
    EVN__TIMED(device, "keeping compiled kernels (clGetProgramInfo)",
               binary = get_binary(device, program, &bytes));
    write_key(&key, device, text, options);
    if (binary && key.status == EVN_OK) {
        write_path(&path, device, &key);
        if (path.status == EVN_OK) {
            write_entry(path.data, &key, binary, bytes);
        }
    }
    free(binary);
    free(key.data);
    free(path.data);
}
