// SPDX-License-Identifier: Apache-2.0
// The table of layers: name, keys, shapes that are taken, and how each is built. What network files
// may say, help, manual page and messages all follow from its rows (layer.c).
#ifndef EVN_NN_LAYER_H
#define EVN_NN_LAYER_H

#include "nn/network.h"

enum {
    EVN__LAYER_KEYS = 5,
    EVN__LAYER_NAME = 64, ///< bytes of a name, with its end
};

/// Values of a key that are no numbers.
#define EVN__LAYER_UNSET INT64_MIN       ///< left out, and the layer knows what that means
#define EVN__LAYER_FIT   (INT64_MIN + 1) ///< what fits the images or the classes
#define EVN__LAYER_STATE (INT64_MIN + 2) ///< as many as the state of the ODE has

typedef enum evn__key_kind {
    EVN__KEY_NUMBER, ///< a whole number from low to high
    EVN__KEY_FLAG,   ///< true or false
    EVN__KEY_CHOICE, ///< the number of one of the choices
} evn__key_kind;

typedef struct evn__layer_key {
    const char *name, *text; ///< text: a line of help
    evn__key_kind kind;
    int64_t low, high;
    int64_t value;              ///< where it is left out
    const char *const *choices; ///< NULL-ended
    const char *fit;            ///< the word for EVN__LAYER_FIT; NULL: there is none
    bool state;                 ///< takes "state", for EVN__LAYER_STATE
} evn__layer_key;

typedef struct evn__layer evn__layer;

typedef struct evn__layer_list {
    evn__layer *items;
    int count;
} evn__layer_list;

typedef struct evn__layering evn__layering;

/// Which x a layer takes.
enum { EVN__ROWS = 1 << 2, EVN__IMAGES = 1 << 4, EVN__ANY = 0x7c };

/// A row of the table.
typedef struct evn__layer_kind {
    const char *name, *text;
    const char *weights;        ///< names of those with weights begin so; NULL: it has none
    unsigned ranks;             ///< bit r: takes x of rank r
    bool nests;                 ///< has a list "layers"
    bool timed;                 ///< takes t in any case
    const evn__layer_key *keys; ///< at most EVN__LAYER_KEYS, ended by one without a name; or NULL
    /// x → its result. `name` is that of its weights.
    evn_value (*build)(evn__layering *at, const evn__layer *layer, const char *name, evn_value x);
} evn__layer_kind;

/// A layer of a network.
struct evn__layer {
    const evn__layer_kind *kind;
    const char *name;   ///< of its weights; NULL: by kind and number
    const char *evolve; ///< how its weights do; NULL: as the block says
    const char *path;   ///< where it is in the file: "stem[0]"
    int64_t values[EVN__LAYER_KEYS];
    evn__layer_list layers; ///< of one that nests
};

/// Row number `index`; NULL past the last.
const evn__layer_kind *evn__layer_kind_at(int index);
/// The row of that name; NULL when there is none.
const evn__layer_kind *evn__layer_kind_find(const char *name);

/// Key number `index` of a kind; NULL past the last.
const evn__layer_key *evn__layer_key_at(const evn__layer_kind *kind, int index);

/// What a key takes and what it is where it is left out, for help: "1 to 31 [3]", into `text`;
/// returns text.
const char *evn__layer_key_text(const evn__layer_key *key, char *text, size_t size);

#endif
