// SPDX-License-Identifier: Apache-2.0
#include "exchange/weight_map.h"

#include "base/embedded.h"
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const evn__embedded evn__embedded_maps[];

struct evn__weight_map {
    json_t *root;
    bool torch; ///< layout
};

static const char SUFFIX[] = ".json";

// Shipped maps ------------------------------------------------------------------------------------

static const struct {
    const char *name, *text;
} shipped[] = {
    {"evonode", "model.safetensors of a run: its own names and layout"},
    {"torch", "the same models in PyTorch's layout"},
    {"odenet-mnist", "the Neural ODE on MNIST of torchdiffeq's examples"},
};
enum { SHIPPED = sizeof(shipped) / sizeof(shipped[0]) };

const char *evn__weight_map_name(int index) {
    return index >= 0 && index < SHIPPED ? shipped[index].name : NULL;
}

const char *evn__weight_map_text(int index) {
    return index >= 0 && index < SHIPPED ? shipped[index].text : NULL;
}

static const evn__embedded *find_shipped(const char *name) {
    char file[64];
    int length = snprintf(file, sizeof(file), "%s%s", name, SUFFIX);
    return length < (int)sizeof(file) ? evn__embedded_find(evn__embedded_maps, file) : NULL;
}

// Checks ------------------------------------------------------------------------------------------

static evn_status check_pattern(const json_t *value, const char *where, size_t index) {
    const char *text = json_string_value(value);
    EVN_CHECK(text && text[0] && strlen(text) < EVN_MAX_NAME, EVN_ERR_FORMAT,
              "%s[%zu]: a name is no text of 1 to %d bytes", where, index, EVN_MAX_NAME - 1);
    const char *star = strchr(text, '*');
    EVN_CHECK(!star || !strchr(star + 1, '*'), EVN_ERR_FORMAT, "%s[%zu]: '%s' has more than one *",
              where, index, text);
    return EVN_OK;
}

static evn_status check_row(const json_t *row, size_t index) {
    size_t size = json_array_size(row);
    EVN_CHECK(size == 2 || size == 3, EVN_ERR_FORMAT,
              "names[%zu] should be [ours, theirs] or [ours, theirs, channel]", index);
    const json_t *ours = json_array_get(row, 0), *theirs = json_array_get(row, 1);
    EVN_TRY(check_pattern(ours, "names", index));
    EVN_TRY(check_pattern(theirs, "names", index));
    EVN_CHECK(!strchr(json_string_value(theirs), '*') || strchr(json_string_value(ours), '*'),
              EVN_ERR_FORMAT, "names[%zu]: theirs has a *, ours has none", index);
    const json_t *channel = json_array_get(row, 2);
    EVN_CHECK(!channel || (json_is_integer(channel) && json_integer_value(channel) >= 0 &&
                           json_integer_value(channel) < INT32_MAX),
              EVN_ERR_FORMAT, "names[%zu]: the channel is no number from 0 on", index);
    return EVN_OK;
}

static evn_status check_list(const json_t *root, const char *key) {
    const json_t *list = json_object_get(root, key);
    EVN_CHECK(!list || json_is_array(list), EVN_ERR_FORMAT, "%s is no array", key);
    for (size_t i = 0; i < json_array_size(list); ++i) {
        const json_t *item = json_array_get(list, i);
        EVN_TRY(strcmp(key, "names") == 0 ? check_row(item, i) : check_pattern(item, key, i));
    }
    return EVN_OK;
}

/// A key that is not known is a mistake in one that is.
static evn_status check_keys(json_t *root) {
    static const char *const known[] = {"about", "layout", "names", "keep", "ignore"};
    enum { KEYS = sizeof(known) / sizeof(known[0]) };
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        bool found = false;
        for (int i = 0; i < KEYS; ++i) {
            found = found || strcmp(known[i], key) == 0;
        }
        EVN_CHECK(found, EVN_ERR_FORMAT,
                  "there is no key '%.40s'; it should be about, layout, names, keep or ignore",
                  key);
    }
    return EVN_OK;
}

static evn_status check(evn__weight_map *map) {
    EVN_CHECK(json_is_object(map->root), EVN_ERR_FORMAT, "the map is no JSON object");
    EVN_TRY(check_keys(map->root));
    const char *layout = json_string_value(json_object_get(map->root, "layout"));
    map->torch = layout && strcmp(layout, "torch") == 0;
    EVN_CHECK(map->torch || (layout && strcmp(layout, "evonode") == 0), EVN_ERR_FORMAT,
              "layout should be \"torch\" or \"evonode\"");
    EVN_TRY(check_list(map->root, "names"));
    EVN_TRY(check_list(map->root, "keep"));
    return check_list(map->root, "ignore");
}

static evn_status parse(const char *data, size_t size, evn__weight_map *map) {
    EVN_TRY(evn__json_parse(data, size, &map->root));
    return check(map);
}

static evn_status fail_missing(evn_status status, const char *path) {
    evn__text names = {0};
    for (int i = 0; i < SHIPPED; ++i) {
        evn__text_append(&names, "%s%s", i ? ", " : "", shipped[i].name);
    }
    status = evn__prepend(status, "no map '%s' is shipped (there are %s)", path,
                          names.data ? names.data : "some");
    free(names.data);
    return status;
}

static evn_status read_file(const char *path, evn__weight_map *map) {
    unsigned char *data;
    size_t size;
    evn_status status = evn__file_read(path, &data, &size);
    EVN_TRY(status == EVN_ERR_FILE ? fail_missing(status, path) : status);
    status = parse((const char *)data, size, map);
    free(data);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

evn_status evn__weight_map_read(const char *name, evn__weight_map **map) {
    const evn__embedded *file = find_shipped(name);
    EVN_TRY(EVN_NEW(map, 1));
    evn_status status =
        file ? parse((const char *)file->data, file->size, *map) : read_file(name, *map);
    if (status != EVN_OK) {
        evn__weight_map_destroy(map);
    }
    return status;
}

void evn__weight_map_destroy(evn__weight_map **map) {
    if (*map) {
        json_decref((*map)->root);
        free(*map);
        *map = NULL;
    }
}

// Names -------------------------------------------------------------------------------------------

/// Whether `name` fits; what the star stands for.
static bool fits(const char *pattern, const char *name, const char **star, size_t *star_length) {
    size_t length = strlen(name), before = strcspn(pattern, "*");
    *star = name;
    *star_length = 0;
    if (!pattern[before]) {
        return strcmp(pattern, name) == 0;
    }
    size_t after = strlen(pattern) - before - 1;
    if (length < before + after || strncmp(pattern, name, before) != 0 ||
        strcmp(pattern + before + 1, name + length - after) != 0) {
        return false;
    }
    *star = name + before;
    *star_length = length - before - after;
    return true;
}

static bool fits_any(const evn__weight_map *map, const char *key, const char *name) {
    const json_t *list = json_object_get(map->root, key);
    const char *star;
    size_t length, index;
    const json_t *pattern;
    json_array_foreach(list, index, pattern) {
        if (fits(json_string_value(pattern), name, &star, &length)) {
            return true;
        }
    }
    return false;
}

bool evn__weight_map_ignores(const evn__weight_map *map, const char *name) {
    return fits_any(map, "ignore", name);
}

static evn_status rename_by(const evn__weight_map *map, const char *name,
                            evn__weight_place *place) {
    const json_t *list = json_object_get(map->root, "names"), *row;
    const char *theirs = name, *star = "";
    size_t star_length = 0, index;
    json_array_foreach(list, index, row) {
        if (fits(json_string_value(json_array_get(row, 0)), name, &star, &star_length)) {
            theirs = json_string_value(json_array_get(row, 1));
            place->channel = json_array_size(row) > 2 ? json_integer_value(json_array_get(row, 2))
                                                      : place->channel;
            break;
        }
    }
    int before = (int)strcspn(theirs, "*");
    bool has_star = theirs[before] != 0;
    int length =
        snprintf(place->name, sizeof(place->name), "%.*s%.*s%s", before, theirs,
                 has_star ? (int)star_length : 0, star, has_star ? theirs + before + 1 : "");
    EVN_CHECK(length < (int)sizeof(place->name), EVN_ERR_FORMAT,
              "the name that the map gives %s is too long", name);
    return EVN_OK;
}

evn_status evn__weight_map_place(const evn__weight_map *map, const char *name, evn_shape shape,
                                 evn__weight_place *place) {
    static const int kernel[] = {3, 2, 0, 1}, dense[] = {1, 0};
    bool matrix = shape.rank == 2 && strstr(name, "weight") != NULL;
    *place = (evn__weight_place){.channel = -1, .inputs = shape.rank == 4 ? 2 : 0};
    for (int i = 0; i < shape.rank; ++i) {
        bool turned = map->torch && (shape.rank == 4 || matrix);
        place->order[i] = !turned ? i : shape.rank == 4 ? kernel[i] : dense[i];
    }
    place->optional = fits_any(map, "keep", name);
    return rename_by(map, name, place);
}
