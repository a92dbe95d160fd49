// SPDX-License-Identifier: Apache-2.0
// Classes of image files, by a trained run.
#include "base/files.h"
#include "base/json.h"
#include "base/names.h"
#include "cli/choices.h"
#include "cli/console.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "data/image_files.h"
#include "data/pixels.h"
#include "task/classifier.h"
#include "task/images.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 5, SHOWN = 4096, NAME = 512, FILES_MAX = 1 << 26, CLASSES_MAX = 1 << 20 };

typedef struct inputs {
    evn__image_file *files;
    int count, capacity;
    unsigned char *given; ///< what standard input or the list of names gave
    evn__image_shape shape;
    const json_t *names; ///< of the classes, run.json's; NULL: they are numbers
    evn__pixels pixels;  ///< of the files that are being answered
    uint8_t *bytes;      ///< [room, H, W, C]
    int64_t room;
    double *logits; ///< [room, classes]
    int64_t bad;    ///< files without an answer so far
    evn_status first_bad;
} inputs;

// What the run takes ------------------------------------------------------------------------------

static int64_t read_extent(const json_t *run, const char *key, size_t index, size_t rank) {
    const json_t *shape = json_object_get(run, key);
    const json_t *extent = json_array_size(shape) == rank ? json_array_get(shape, index) : NULL;
    return json_is_integer(extent) ? json_integer_value(extent) : 0;
}

static evn_status read_shape(const json_t *run, const evn__settings *settings, inputs *in) {
    enum { SIDE_MAX = 1 << 14 };
    int64_t height = read_extent(run, "sample", 0, 3), width = read_extent(run, "sample", 1, 3);
    int64_t channels = read_extent(run, "sample", 2, 3), classes = read_extent(run, "target", 0, 1);
    EVN_CHECK(
        height > 0 && height <= SIDE_MAX && width > 0 && width <= SIDE_MAX && channels > 0 &&
            channels <= CLASSES_MAX && classes > 0 && classes <= CLASSES_MAX,
        EVN_ERR_FORMAT,
        "run.json does not say what images the model takes (\"sample\", \"target\"): train it "
        "again with this version");
    EVN_CHECK(channels == 1 || channels == 3, EVN_ERR_DATA,
              "the model takes images of %lld channels; files can give 1 or 3",
              (long long)channels);
    evn_fit fit = (evn_fit)evn__choice_find(evn__fit_name, settings->fit);
    in->shape = (evn__image_shape){height, width, (int)channels, fit};
    in->pixels.shape = EVN_SHAPE(height, width, channels);
    in->pixels.classes = (int)classes;
    const json_t *names = json_object_get(run, "classes");
    in->names = json_array_size(names) == (size_t)classes ? names : NULL;
    return EVN_OK;
}

/// Name of a class as it can be shown; its number where it has none.
static const char *class_name(const inputs *in, int index, char shown[NAME]) {
    const char *name = json_string_value(json_array_get(in->names, (size_t)index));
    snprintf(shown, NAME, "%d", index);
    return name ? evn__printable(name, shown, NAME) : shown;
}

// The files ---------------------------------------------------------------------------------------

static evn_status add_file(inputs *in, const char *path) {
    EVN_CHECK(in->count < FILES_MAX, EVN_ERR_USAGE, "there are more than %d files", FILES_MAX);
    EVN_TRY(EVN_RESERVE(in->files, in->capacity, in->count + 1));
    in->files[in->count++] = (evn__image_file){.path = path};
    return EVN_OK;
}

/// One image that standard input gives.
static evn_status add_stream(inputs *in) {
    size_t size;
    EVN_CHECK(!in->given, EVN_ERR_USAGE, "standard input can be read once only");
    EVN_TRY(evn__stream_read(stdin, "standard input", EVN__IMAGE_FILE_MAX, &in->given, &size));
    EVN_TRY(add_file(in, "standard input"));
    in->files[in->count - 1].data = in->given;
    in->files[in->count - 1].size = size;
    return EVN_OK;
}

/// Names that end in newlines, CR LF among them, or in NUL bytes where there is one.
static evn_status add_names(inputs *in, char *text, size_t size) {
    char end = memchr(text, 0, size) ? 0 : '\n';
    char *stop = text + size;
    while (text < stop) {
        char *next = memchr(text, end, (size_t)(stop - text));
        next = next ? next : stop; // a NUL byte follows the contents
        *next = 0;
        if (end && next > text && next[-1] == '\r') {
            next[-1] = 0;
        }
        EVN_TRY(text[0] ? add_file(in, text) : EVN_OK);
        text = next + 1;
    }
    return EVN_OK;
}

static evn_status add_list(inputs *in, const char *path) {
    size_t size;
    EVN_CHECK(!in->given, EVN_ERR_USAGE, "standard input can be read once only");
    EVN_TRY(strcmp(path, "-") == 0
                ? evn__stream_read(stdin, "standard input", EVN__FILE_BYTES_MAX, &in->given, &size)
                : evn__file_read(path, &in->given, &size));
    return add_names(in, (char *)in->given, size);
}

static evn_status list_files(inputs *in, const evn__settings *given) {
    for (int i = 1; i < given->subject_count; ++i) {
        const char *word = given->subjects[i];
        EVN_TRY(strcmp(word, "-") == 0 ? add_stream(in) : add_file(in, word));
    }
    EVN_TRY(given->files_from ? add_list(in, given->files_from) : EVN_OK);
    EVN_CHECK(in->count > 0, EVN_ERR_USAGE,
              "predict needs images: evonode predict %s FILE..., - for one from standard input, or "
              "--files-from FILE",
              given->subject);
    return EVN_OK;
}

/// Few images are answered one by one, many in batches of the run's size: any other size would have
/// kernels of its own, which are compiled for seconds. Room for as many batches as the task keeps
/// results of.
static evn_status make_room(inputs *in, int64_t batch) {
    enum { FEW = 4 }; // parts of a batch
    evn__pixels *p = &in->pixels;
    p->batch = in->count <= batch / FEW ? 1 : batch;
    in->room = p->batch * EVN__CLASSIFIER_SLOTS;
    in->room = in->room < in->count ? in->room : in->count;
    p->count = in->room;
    EVN_TRY(EVN_NEW(&in->bytes, in->room * evn_shape_count(p->shape)));
    EVN_TRY(EVN_NEW(&in->logits, in->room * p->classes));
    p->bytes = in->bytes;
    return EVN_OK;
}

static void close_inputs(evn__session *session) {
    inputs *in = session->data;
    for (int i = 0; i < in->count; ++i) {
        free(in->files[i].problem);
    }
    free(in->files);
    free(in->given);
    free(in->bytes);
    free(in->logits);
    free(in);
    session->data = NULL;
}

static evn_status open_shape(evn__session *session, const evn__settings *settings,
                             const json_t *run, inputs **in) {
    EVN_TRY(EVN_NEW(in, 1));
    session->data = *in;
    session->close = close_inputs;
    return read_shape(run, settings, *in);
}

evn_status evn__images_open_none(evn__session *session, evn__settings *settings,
                                 const json_t *run) {
    inputs *in = NULL;
    EVN_TRY(open_shape(session, settings, run, &in));
    in->pixels.batch = in->pixels.count = 1;
    evn__source_pixels(&in->pixels, &session->source);
    return EVN_OK;
}

/// There is room for more batches then.
static void narrow(evn__session *session, int64_t batch) {
    ((inputs *)session->data)->pixels.batch = batch;
}

static evn_status open_inputs(evn__session *session, evn__settings *settings, const json_t *run,
                              const evn__command *command) {
    inputs *in = NULL;
    EVN_TRY(open_shape(session, settings, run, &in));
    EVN_TRY(list_files(in, command->settings));
    EVN_TRY(make_room(in, settings->batch));
    session->narrow = narrow;
    evn__source_pixels(&in->pixels, &session->source);
    return EVN_OK;
}

// Answers -----------------------------------------------------------------------------------------

/// The classes of an image, the most probable ones first.
typedef struct answer {
    int count;
    const double *probabilities; ///< [classes]
    const int *classes;          ///< [count]
} answer;

/// Of equal ones the first.
static void rank(const double *probabilities, int classes, int count, int *top) {
    for (int i = 0; i < count; ++i) {
        int best = -1;
        for (int c = 0; c < classes; ++c) {
            bool taken = false;
            for (int k = 0; k < i; ++k) {
                taken = taken || top[k] == c;
            }
            if (!taken && (best < 0 || probabilities[c] > probabilities[best])) {
                best = c;
            }
        }
        top[i] = best;
    }
}

static void put_text(const inputs *in, const char *path, const answer *a, evn__text *text) {
    char name[NAME];
    evn__text_append(text, "%s:", path);
    for (int i = 0; i < a->count; ++i) {
        evn__text_append(text, "%s %s %.2f %%", i ? "," : "", class_name(in, a->classes[i], name),
                         100 * a->probabilities[a->classes[i]]);
    }
    evn__text_append(text, "\n");
}

static json_t *show_class(const inputs *in, const answer *a, int place) {
    char name[NAME];
    int index = a->classes[place];
    return json_pack("{s:s, s:i, s:f}", "class", class_name(in, index, name), "index", index,
                     "probability", a->probabilities[index]);
}

/// Takes the object.
static void put_object(json_t *object, evn__text *text) {
    char *line;
    evn_status status = evn__json_print(object, JSON_COMPACT, 9, &line);
    json_decref(object);
    if (status == EVN_OK) {
        evn__text_append(text, "%s\n", line);
    }
    text->status = text->status == EVN_OK ? status : text->status;
    free(line);
}

/// A name that is no UTF-8 as it can be shown, with its bytes in hexadecimal: other names may be
/// shown the same.
static json_t *show_file(const char *path, const char *shown) {
    if (evn__is_utf8(path)) {
        return json_pack("{s:s}", "file", path);
    }
    evn__text bytes = {0};
    for (const char *at = path; *at; ++at) {
        evn__text_append(&bytes, "%02x", (unsigned char)*at);
    }
    json_t *object = json_pack("{s:s}", "file", shown);
    evn__json_put_text(object, "file_bytes", &bytes);
    return object;
}

static void put_json(const inputs *in, const char *path, const char *shown, const answer *a,
                     evn__text *text) {
    json_t *object = show_file(path, shown), *top = json_array();
    evn__json_put_all(object, show_class(in, a, 0));
    for (int i = 0; i < a->count; ++i) {
        evn__json_append(top, show_class(in, a, i));
    }
    evn__json_put(object, "top", top);
    put_object(object, text);
}

static const char *problem_of(const evn__image_file *file) {
    return file->problem ? file->problem : "no memory to say what is wrong with a file";
}

/// A file that gives no answer, which alone or after the others ends the program.
static void put_problem(inputs *in, const evn__image_file *file, bool json, evn__text *text) {
    char shown[SHOWN], name[SHOWN];
    evn__printable(problem_of(file), shown, sizeof(shown));
    in->first_bad = in->bad++ ? in->first_bad : file->status;
    if (in->count > 1) {
        fprintf(stderr, "evonode: %s\n", shown);
    }
    if (json) {
        json_t *object = show_file(file->path, evn__printable(file->path, name, sizeof(name)));
        evn__json_put(object, "error", json_string(shown));
        put_object(object, text);
    }
}

typedef struct printing {
    bool json;
    int top; ///< classes of each
    double *probabilities;
    int *ranked; ///< [top]
} printing;

static void put_answer(inputs *in, const printing *how, int64_t first, int64_t index,
                       evn__text *text) {
    char shown[SHOWN];
    const evn__image_file *file = &in->files[first + index];
    int classes = in->pixels.classes;
    if (file->status != EVN_OK) {
        put_problem(in, file, how->json, text);
        return;
    }
    evn__classifier_probabilities(in->logits + index * classes, classes, how->probabilities);
    rank(how->probabilities, classes, how->top, how->ranked);
    const answer a = {how->top, how->probabilities, how->ranked};
    evn__printable(file->path, shown, sizeof(shown));
    if (how->json) {
        put_json(in, file->path, shown, &a, text);
    } else {
        put_text(in, shown, &a, text);
    }
}

static evn_status print_answers(inputs *in, const printing *how, int64_t first) {
    evn__text text = {0};
    for (int64_t i = 0; i < in->pixels.count; ++i) {
        put_answer(in, how, first, i, &text);
    }
    if (text.status == EVN_OK && text.size > 0) {
        fwrite(text.data, 1, text.size, stdout);
    }
    fflush(stdout); // who reads it may wait for it
    free(text.data);
    return text.status;
}

static evn_status check_finite(const inputs *in) {
    int64_t count = in->pixels.count * in->pixels.classes;
    for (int64_t i = 0; i < count; ++i) {
        EVN_CHECK(isfinite(in->logits[i]), EVN_ERR_NOT_FINITE,
                  "an answer of the model is not finite; try another --solver, or smaller --rtol");
    }
    return EVN_OK;
}

/// Compiled when there is an image to answer.
static evn_status find_logits(evn__session *session, void **program) {
    const evn_task *task = &session->task;
    inputs *in = session->data;
    evn__pixels *p = &in->pixels;
    if (!*program) {
        const evn_solver_options solver = evn_solver_options_forward(evn__session_solver(session));
        EVN_TRY(task->methods->compile(task->self, &solver, false, program));
    }
    int64_t batches = (p->count + p->batch - 1) / p->batch;
    EVN_TRY(evn__images_answer(task, *program, batches, in->logits));
    return check_finite(in);
}

static bool any_good(const evn__image_file *files, int64_t count) {
    bool any = false;
    for (int64_t i = 0; i < count; ++i) {
        any = any || files[i].status == EVN_OK;
    }
    return any;
}

static evn_status answer_files(evn__session *session, void **program, const printing *how) {
    inputs *in = session->data;
    evn__pixels *p = &in->pixels;
    for (int64_t first = 0; first < in->count; first += p->count) {
        int64_t left = in->count - first;
        p->count = left < in->room ? left : in->room;
        evn__image_files_decode(in->files + first, p->count, &in->shape, in->bytes);
        if (any_good(in->files + first, p->count)) {
            EVN_TRY(find_logits(session, program));
        }
        EVN_TRY(print_answers(in, how, first));
    }
    return EVN_OK;
}

static evn_status check_bad(const inputs *in, const evn__settings *given) {
    int64_t allowed = given->skip_bad == INT64_MIN ? 0 : given->skip_bad;
    if (in->bad <= allowed) {
        return EVN_OK;
    }
    EVN_CHECK(in->count > 1, in->first_bad, "%s", problem_of(&in->files[0]));
    EVN_FAIL(in->first_bad,
             "%lld of %d files gave no answer, as said above; mend them, or let up to N pass with "
             "--skip-bad N",
             (long long)in->bad, in->count);
}

static evn_status answer_inputs(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    void *program = NULL;
    const inputs *in = session->data;
    int classes = in->pixels.classes;
    int64_t top = given->top == INT64_MIN ? TOP : given->top;
    printing how = {.json = given->json, .top = (int)(top < classes ? top : classes)};
    evn_status status = EVN_NEW(&how.probabilities, classes);
    if (status == EVN_OK) {
        status = EVN_NEW(&how.ranked, how.top);
    }
    if (status == EVN_OK) {
        status = answer_files(session, &program, &how);
    }
    if (program) {
        session->task.methods->release(program);
    }
    free(how.probabilities);
    free(how.ranked);
    return status == EVN_OK ? check_bad(in, given) : status;
}

const evn__prediction evn__predict_images = {NULL, open_inputs, answer_inputs};
