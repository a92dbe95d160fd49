// SPDX-License-Identifier: Apache-2.0
// Network files: JSON into lists of layers.
#include "base/embedded.h"
#include "base/files.h"
#include "base/json.h"
#include "base/names.h"
#include "base/nearest.h"
#include "evonode/model.h"
#include "nn/description.h"
#include "nn/evolution.h"
#include "nn/layering.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING = 8, NAME_MAX = 32, LAYERS_MAX = 1000 };

evn_status evn__network_place(const evn_network *network, const char *path, evn_status status) {
    int line = evn__json_line(network->text, path);
    return path[0] ? evn__prepend(status, "%s:%d: %s", network->name, line, path)
                   : evn__prepend(status, "%s:%d", network->name, line); // the file as a whole
}

/// A list of words with commas between them, at the end of a message.
typedef struct words {
    char text[400];
    size_t used;
} words;

static void add_word(words *list, const char *word) {
    if (list->used < sizeof(list->text)) {
        list->used += (size_t)snprintf(list->text + list->used, sizeof(list->text) - list->used,
                                       "%s%s", list->used ? ", " : "", word);
    }
}

#define WRONG(network, place, ...)                                                                 \
    return (evn__fail(__FILE__, __LINE__, EVN_ERR_FORMAT, __VA_ARGS__),                            \
            evn__network_place(network, place, EVN_ERR_FORMAT))

// Words -------------------------------------------------------------------------------------------

static evn_status copy_text(evn_network *network, const char *text, const char **copy) {
    *copy = evn__arena_string(&network->arena, text);
    EVN_CHECK(*copy, EVN_ERR_MEMORY, "no memory for what the network file says");
    return EVN_OK;
}

/// A place under a place, "stem[0]" and "size" to "stem[0].size"; in the arena.
static const char *below(evn_network *network, const char *place, const char *key) {
    size_t size = strlen(place) + strlen(key) + sizeof(".");
    char *text = evn__arena_alloc(&network->arena, size);
    if (!text) {
        return place;
    }
    snprintf(text, size, "%s%s%s", place, *place && *key != '[' ? "." : "", key);
    return text;
}

static const char *kind_text(const json_t *value) {
    static const char *const texts[] = {"an object", "a list", "a text", "a whole number",
                                        "a number",  "true",   "false",  "null"};
    return texts[json_typeof(value)];
}

/// Letters, digits, _ and -, few enough: they become names of tensors.
static evn_status read_name(evn_network *network, const json_t *value, const char *place,
                            const char **name) {
    const char *text = json_string_value(value);
    size_t length = text ? strlen(text) : 0;
    bool good =
        length > 0 && length <= NAME_MAX &&
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
    if (!text || !good) {
        WRONG(network, place, "a name has 1 to %d letters, digits, _ or -", NAME_MAX);
    }
    return copy_text(network, text, name);
}

static evn_status read_evolve(evn_network *network, const json_t *value, const char *place,
                              const char **evolve) {
    const char *text = json_string_value(value);
    evn__evolves evolves;
    evn_status status =
        text ? evn__evolves_read(text, evn_evolution_name(0), &evolves) : EVN_ERR_FORMAT;
    if (status != EVN_OK && text && evolves.kind) { // with another number
        return evn__network_place(network, place, EVN_ERR_FORMAT);
    }
    if (status != EVN_OK) {
        words list = {0};
        for (int i = 0; evn_evolution_name(i); ++i) {
            add_word(&list, evn_evolution_name(i));
        }
        WRONG(network, place,
              "%s%s is no kind of weight evolution; it should be one of %s, none, or fit (the one "
              "that --weights names)",
              text ? text : kind_text(value), text ? "" : " here", list.text);
    }
    return copy_text(network, text, evolve);
}

// Keys --------------------------------------------------------------------------------------------

static bool key_value(const evn__layer_key *key, const json_t *value, int64_t *result) {
    const char *text = json_string_value(value);
    if (text && key->fit && strcmp(text, key->fit) == 0) {
        *result = EVN__LAYER_FIT;
        return true;
    }
    if (text && key->state && strcmp(text, "state") == 0) {
        *result = EVN__LAYER_STATE;
        return true;
    }
    if (key->kind == EVN__KEY_FLAG) {
        *result = json_is_true(value);
        return json_is_boolean(value);
    }
    if (key->kind == EVN__KEY_NUMBER) {
        *result = json_integer_value(value);
        return json_is_integer(value) && *result >= key->low && *result <= key->high;
    }
    for (*result = 0; text && key->choices[*result]; ++*result) {
        if (strcmp(key->choices[*result], text) == 0) {
            return true;
        }
    }
    return false;
}

static evn_status read_key(evn_network *network, const evn__layer_kind *kind,
                           const evn__layer_key *key, const json_t *value, const char *place,
                           int64_t *result) {
    char takes[160];
    if (!value) {
        if (key->value == EVN__LAYER_UNSET && !strstr(key->text, "left out")) {
            WRONG(network, place, "%s needs \"%s\": %s", kind->name, key->name, key->text);
        }
        *result = key->value;
        return EVN_OK;
    }
    if (!key_value(key, value, result)) {
        evn__text given = {0};
        evn__json_show(value, JSON_COMPACT, 17, &given);
        evn_status status = given.status;
        if (status == EVN_OK) {
            status = evn__fail(__FILE__, __LINE__, EVN_ERR_FORMAT,
                               "%s of %s is %.60s, but should be %s", key->name, kind->name,
                               given.data, evn__layer_key_text(key, takes, sizeof(takes)));
        }
        free(given.data);
        return evn__network_place(network, below(network, place, key->name), status);
    }
    return EVN_OK;
}

static bool has_key(const evn__layer_kind *kind, const char *name, words *known) {
    bool found = strcmp(name, "layer") == 0;
    for (int i = 0; evn__layer_key_at(kind, i); ++i) {
        found = found || strcmp(evn__layer_key_at(kind, i)->name, name) == 0;
        add_word(known, evn__layer_key_at(kind, i)->name);
    }
    if (kind->weights) {
        found = found || strcmp(name, "name") == 0 || strcmp(name, "evolve") == 0;
        add_word(known, "name");
        add_word(known, "evolve");
    }
    if (kind->nests) {
        found = found || strcmp(name, "layers") == 0;
        add_word(known, "layers");
    }
    return found;
}

static evn_status check_keys(evn_network *network, const evn__layer_kind *kind,
                             const json_t *object, const char *place) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        words known = {0};
        if (!has_key(kind, name, &known)) {
            WRONG(network, below(network, place, name), "%s has no key \"%.*s\"; its keys are %s",
                  kind->name, NAME_MAX, name, known.used ? known.text : "none");
        }
    }
    return EVN_OK;
}

// Layers ------------------------------------------------------------------------------------------

static evn_status read_list(evn_network *network, const json_t *array, const char *place, int depth,
                            bool in_ode, evn__layer_list *list);

static evn_status find_kind(const evn_network *network, const json_t *item, const char *place,
                            const evn__layer_kind **kind) {
    const json_t *value = json_is_object(item) ? json_object_get(item, "layer") : item;
    const char *name = json_string_value(value);
    if (!name) {
        WRONG(network, place,
              "a layer is a name, such as \"relu\", or an object with its name, such as "
              "{\"layer\": \"conv\", \"filters\": 32}; there is %s here",
              json_is_object(item) ? "an object without the text \"layer\"" : kind_text(item));
    }
    *kind = evn__layer_kind_find(name);
    if (!*kind) {
        words list = {0};
        for (int i = 0; evn_layer_name(i); ++i) {
            add_word(&list, evn_layer_name(i));
        }
        const char *near = evn__nearest_choice(name, evn_layer_name);
        WRONG(network, place, "no layer is named '%.40s'%s%s%s; there are %s", name,
              near ? "; did you mean " : "", near ? near : "", near ? "?" : "", list.text);
    }
    return EVN_OK;
}

static evn_status read_nested(evn_network *network, const json_t *item, const char *place,
                              int depth, bool in_ode, evn__layer *layer) {
    const json_t *layers = json_is_object(item) ? json_object_get(item, "layers") : NULL;
    if (!layers) {
        WRONG(network, place, "%s needs a list \"layers\"", layer->kind->name);
    }
    return read_list(network, layers, below(network, place, "layers"), depth + 1, in_ode,
                     &layer->layers);
}

/// What a layer with weights may say besides its keys.
static evn_status read_words(evn_network *network, const json_t *item, const char *place,
                             bool in_ode, evn__layer *layer) {
    const json_t *name = json_object_get(item, "name"), *evolve = json_object_get(item, "evolve");
    if (name) {
        EVN_TRY(read_name(network, name, below(network, place, "name"), &layer->name));
    }
    if (evolve) {
        const char *at = below(network, place, "evolve");
        if (!in_ode) {
            WRONG(network, at, "weights evolve along the t of an ODE; here is none");
        }
        return read_evolve(network, evolve, at, &layer->evolve);
    }
    return EVN_OK;
}

static evn_status read_layer(evn_network *network, const json_t *item, const char *place, int depth,
                             bool in_ode, evn__layer *layer) {
    EVN_TRY(find_kind(network, item, place, &layer->kind));
    EVN_TRY(copy_text(network, place, &layer->path));
    for (int i = 0; i < EVN__LAYER_KEYS; ++i) {
        layer->values[i] = EVN__LAYER_UNSET;
    }
    if (json_is_object(item)) {
        EVN_TRY(check_keys(network, layer->kind, item, place));
        EVN_TRY(read_words(network, item, place, in_ode, layer));
    }
    for (int i = 0; evn__layer_key_at(layer->kind, i); ++i) {
        const evn__layer_key *key = evn__layer_key_at(layer->kind, i);
        const json_t *value = json_is_object(item) ? json_object_get(item, key->name) : NULL;
        EVN_TRY(read_key(network, layer->kind, key, value, place, &layer->values[i]));
    }
    return layer->kind->nests ? read_nested(network, item, place, depth, in_ode, layer) : EVN_OK;
}

static evn_status read_list(evn_network *network, const json_t *array, const char *place, int depth,
                            bool in_ode, evn__layer_list *list) {
    if (!json_is_array(array)) {
        WRONG(network, place, "layers are a list, [ ... ]; there is %s here", kind_text(array));
    }
    size_t count = json_array_size(array);
    if (count == 0) {
        WRONG(network, place, "the list is empty; it should have 1 to %d layers", LAYERS_MAX);
    }
    if (count > LAYERS_MAX || depth > NESTING) {
        WRONG(network, place, "%zu layers, %d lists deep; it should be 1 to %d, %d deep at most",
              count, depth, LAYERS_MAX, NESTING);
    }
    list->items = evn__arena_alloc(&network->arena, count * sizeof(*list->items));
    EVN_CHECK(list->items, EVN_ERR_MEMORY, "no memory for %zu layers", count);
    list->count = (int)count;
    for (size_t i = 0; i < count; ++i) {
        char item[24];
        snprintf(item, sizeof(item), "[%zu]", i);
        EVN_TRY(read_layer(network, json_array_get(array, i), below(network, place, item), depth,
                           in_ode, &list->items[i]));
    }
    return EVN_OK;
}

// Blocks ------------------------------------------------------------------------------------------

/// Only the keys of the list, up to NULL, are there.
static evn_status check_members(evn_network *network, const json_t *object, const char *const *keys,
                                const char *place) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        words known = {0};
        bool found = false;
        for (int i = 0; keys[i]; ++i) {
            found = found || strcmp(keys[i], name) == 0;
            add_word(&known, keys[i]);
        }
        if (!found) {
            WRONG(network, below(network, place, name), "there is no such key; here are %s",
                  known.text);
        }
    }
    return EVN_OK;
}

static evn_status read_ode(evn_network *network, const json_t *object, const char *place,
                           evn__block *block) {
    static const char *const keys[] = {"ode", "evolve", NULL};
    const json_t *evolve = json_object_get(object, "evolve");
    EVN_TRY(check_members(network, object, keys, place));
    block->is_ode = true;
    ++network->ode_count;
    if (evolve) {
        EVN_TRY(read_evolve(network, evolve, below(network, place, "evolve"), &block->evolve));
    }
    return read_list(network, json_object_get(object, "ode"), below(network, place, "ode"), 1, true,
                     &block->layers);
}

/// A scope of weights must not be another's, nor that of an ODE.
static evn_status check_scope(const evn_network *network, const evn__block *block, int index,
                              const char *place) {
    static const char *const taken[] = {"stem", "head", NULL};
    size_t digits = strspn(block->name + 1, "0123456789");
    bool bad = (block->name[0] == 'f' || block->name[0] == 'g') && block->name[1 + digits] == 0;
    for (int i = 0; taken[i]; ++i) {
        bad = bad || strcmp(taken[i], block->name) == 0;
    }
    for (int i = 0; i < index; ++i) {
        bad = bad || (network->blocks[i].name && strcmp(network->blocks[i].name, block->name) == 0);
    }
    if (bad) {
        WRONG(network, place,
              "the name '%s' is taken; take another than stem, head, f, g and those "
              "of other blocks",
              block->name);
    }
    return EVN_OK;
}

static evn_status read_repeat(const evn_network *network, const json_t *value, const char *place,
                              int64_t *repeat) {
    static const evn__layer_key key = {"repeat",         "how often", EVN__KEY_NUMBER, 1,    1000,
                                       EVN__LAYER_UNSET, NULL,        "fit",           false};
    char takes[64];
    if (value && !key_value(&key, value, repeat)) {
        WRONG(network, place, "repeat should be %s",
              evn__layer_key_text(&key, takes, sizeof(takes)));
    }
    return EVN_OK;
}

static evn_status read_layers(evn_network *network, const json_t *object, const char *place,
                              int index, evn__block *block) {
    static const char *const keys[] = {"layers", "name", "repeat", NULL};
    char name[NAME_MAX];
    const char *at = below(network, place, "name");
    const json_t *given = json_object_get(object, "name");
    EVN_TRY(check_members(network, object, keys, place));
    EVN_TRY(read_repeat(network, json_object_get(object, "repeat"), below(network, place, "repeat"),
                        &block->repeat));
    snprintf(name, sizeof(name), "block%d", index + 1);
    EVN_TRY(given ? read_name(network, given, at, &block->name)
                  : copy_text(network, name, &block->name));
    EVN_TRY(check_scope(network, block, index, at));
    return read_list(network, json_object_get(object, "layers"), below(network, place, "layers"), 1,
                     false, &block->layers);
}

static evn_status read_block(evn_network *network, const json_t *object, int index) {
    char place[24];
    evn__block *block = &network->blocks[index];
    snprintf(place, sizeof(place), "blocks[%d]", index);
    EVN_TRY(copy_text(network, place, &block->path));
    block->repeat = EVN__LAYER_UNSET;
    bool ode = json_object_get(object, "ode") != NULL;
    if (!ode && !json_object_get(object, "layers")) {
        WRONG(network, place, "a block is an object with a list \"ode\" or a list \"layers\"");
    }
    return ode ? read_ode(network, object, place, block)
               : read_layers(network, object, place, index, block);
}

static evn_status read_blocks(evn_network *network, const json_t *array) {
    if (!json_is_array(array)) {
        WRONG(network, "blocks", "blocks are a list, [ ... ]; there is %s here", kind_text(array));
    }
    size_t count = json_array_size(array);
    if (count > LAYERS_MAX) {
        WRONG(network, "blocks", "%zu blocks are too many; there are %d at most", count,
              LAYERS_MAX);
    }
    network->blocks = evn__arena_alloc(&network->arena, (count + 1) * sizeof(*network->blocks));
    EVN_CHECK(network->blocks, EVN_ERR_MEMORY, "no memory for %zu blocks", count);
    for (size_t i = 0; i < count; ++i) {
        ++network->block_count;
        EVN_TRY(read_block(network, json_array_get(array, i), (int)i));
    }
    return EVN_OK;
}

// The file ----------------------------------------------------------------------------------------

static evn_status read_network(evn_network *network, const json_t *root) {
    static const char *const keys[] = {"stem", "blocks", "head", "text", NULL};
    const json_t *stem = json_object_get(root, "stem"), *head = json_object_get(root, "head");
    const json_t *blocks = json_object_get(root, "blocks");
    if (!json_is_object(root)) {
        WRONG(network, "",
              "a network is an object, {\"stem\": [ ... ], \"blocks\": [ ... ], "
              "\"head\": [ ... ]}; there is %s",
              kind_text(root));
    }
    EVN_TRY(check_members(network, root, keys, ""));
    if (!blocks && !stem) {
        WRONG(network, "",
              "there are neither \"stem\" nor \"blocks\", so that there is nothing to "
              "train");
    }
    EVN_TRY(stem ? read_list(network, stem, "stem", 1, false, &network->stem) : EVN_OK);
    EVN_TRY(blocks ? read_blocks(network, blocks) : EVN_OK);
    return head ? read_list(network, head, "head", 1, false, &network->head) : EVN_OK;
}

static evn_status read_only_list(evn_network *network, const json_t *root) {
    return read_list(network, root, "", 1, true, &network->stem);
}

/// Whether what a parser refused, which ends at `position`, closes a list behind a comma.
static bool ends_in_comma(const char *json, int position) {
    int at = position - 1;
    if (at < 0 || (size_t)at >= strlen(json) || !strchr("]}", json[at])) {
        return false;
    }
    do {
        --at;
    } while (at >= 0 && strchr(" \t\r\n", json[at]));
    return at >= 0 && json[at] == ',';
}

static evn_status parse(evn_network *network, const char *json, const char *name,
                        evn_status (*read)(evn_network *network, const json_t *root)) {
    json_error_t error;
    network->name = name;
    EVN_TRY(copy_text(network, name, &network->name));
    EVN_TRY(copy_text(network, json, &network->text));
    json_t *root;
    evn_status status = evn__json_parse_at(json, strlen(json), &root, &error);
    if (status == EVN_ERR_FORMAT) {
        bool comma = ends_in_comma(json, error.position);
        EVN_FAIL(status, "%s:%d: it is not JSON: %s%s", name, error.line, error.text,
                 comma ? "; take out the comma before it: the last of a list has none" : "");
    }
    EVN_TRY(status);
    status = read(network, root);
    json_decref(root);
    return status;
}

static evn_status make(const char *json, const char *name,
                       evn_status (*read)(evn_network *network, const json_t *root),
                       evn_network **network) {
    EVN_REQUIRE(network);
    *network = NULL;
    EVN_REQUIRE(json);
    EVN_REQUIRE(name);
    EVN_TRY(EVN_NEW(network, 1));
    evn_status status = parse(*network, json, name, read);
    if (status != EVN_OK) {
        evn_network_destroy(network);
    }
    return status;
}

evn_status evn_network_parse(const char *json, const char *name, evn_network **network) {
    return make(json, name, read_network, network);
}

evn_status evn__network_parse_list(const char *json, const char *name, evn_network **network) {
    return make(json, name, read_only_list, network);
}

evn_status evn_network_read(const char *path, evn_network **network) {
    unsigned char *data;
    size_t bytes;
    EVN_REQUIRE(network);
    *network = NULL;
    EVN_REQUIRE(path);
    EVN_TRY(evn__file_read(path, &data, &bytes));
    evn_status status = strlen((const char *)data) == bytes
                            ? evn_network_parse((const char *)data, path, network)
                            : evn__fail(__FILE__, __LINE__, EVN_ERR_FORMAT,
                                        "%s:1: it is not JSON: there are NUL bytes in it", path);
    free(data);
    return status;
}

evn_status evn_network_shipped(const char *name, evn_network **network) {
    char file[64];
    EVN_REQUIRE(network);
    *network = NULL;
    EVN_REQUIRE(name);
    snprintf(file, sizeof(file), "%s.json", name);
    const evn__embedded *found = evn__embedded_find(evn__embedded_networks, file);
    if (!found) {
        words list = {0};
        for (const evn__embedded *row = evn__embedded_networks; row->name; ++row) {
            snprintf(file, sizeof(file), "%.*s", (int)(strlen(row->name) - strlen(".json")),
                     row->name);
            add_word(&list, file);
        }
        EVN_FAIL(EVN_ERR_ARGUMENT, "no network is named '%.60s'; there are %s", name, list.text);
    }
    return evn_network_parse((const char *)found->data, name, network);
}

/// @param choice  NULL: that takes what fits
static bool is_value(const evn__layer_key *key, int64_t value, const char *choice) {
    if (!choice) {
        return value == EVN__LAYER_FIT;
    }
    return key->kind == EVN__KEY_CHOICE && value >= 0 && strcmp(key->choices[value], choice) == 0;
}

static bool list_has(const evn__layer_list *list, const char *name, const char *choice) {
    bool has = false;
    for (int i = 0; i < list->count && !has; ++i) {
        const evn__layer *layer = &list->items[i];
        const evn__layer_key *key;
        for (int k = 0; (key = evn__layer_key_at(layer->kind, k)); ++k) {
            has = has || (strcmp(key->name, name) == 0 && is_value(key, layer->values[k], choice));
        }
        has = has || list_has(&layer->layers, name, choice);
    }
    return has;
}

static bool network_has(const evn_network *network, const char *key, const char *choice) {
    bool has = list_has(&network->stem, key, choice) || list_has(&network->head, key, choice);
    for (int i = 0; i < network->block_count; ++i) {
        has = has || list_has(&network->blocks[i].layers, key, choice);
    }
    return has;
}

bool evn__network_fits(const evn_network *network, const char *key) {
    bool repeats = false;
    for (int i = 0; i < network->block_count && strcmp(key, "repeat") == 0; ++i) {
        repeats = repeats || network->blocks[i].repeat == EVN__LAYER_FIT;
    }
    return repeats || network_has(network, key, NULL);
}

bool evn__network_chooses(const evn_network *network, const char *key, const char *choice) {
    return network_has(network, key, choice);
}

void evn_network_destroy(evn_network **network) {
    if (network && *network) {
        evn__arena_free(&(*network)->arena);
        free(*network);
        *network = NULL;
    }
}

const char *evn_network_name(const evn_network *network) {
    return network ? network->name : NULL;
}

const char *evn_network_text(const evn_network *network) {
    return network ? network->text : NULL;
}
