// SPDX-License-Identifier: Apache-2.0
#include "study/anatomy.h"

#include "base/embedded.h"
#include "base/files.h"
#include "base/json.h"
#include "base/names.h"
#include "cli/kept_network.h"
#include "cli/output.h"
#include "cli/reopen.h"
#include "cli/table.h"
#include "cli/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, CHANNELS = 1, CLASSES = 10, BATCH = 128, SIDE_MAX = 1 << 14 };

// What is described -------------------------------------------------------------------------------

/// "64x96x3", "64x96" or "64".
static evn_status read_size(const char *text, int64_t size[3]) {
    char *end = (char *)text;
    int given = 0;
    int64_t sides[3] = {0};
    while (given < 3 && *end >= '0' && *end <= '9') {
        sides[given++] = strtol(end, &end, 10);
        end += *end == 'x' && end[1] >= '0' && end[1] <= '9';
    }
    bool good = given > 0 && *end == 0;
    for (int i = 0; i < given; ++i) {
        good = good && sides[i] >= 1 && sides[i] <= SIDE_MAX;
    }
    EVN_CHECK(good, EVN_ERR_USAGE,
              "--size is '%s', but should be HxWxC, height and width in pixels and channels, such "
              "as 32x32x3",
              text);
    size[0] = sides[0];
    size[1] = given > 1 ? sides[1] : sides[0];
    size[2] = given > 2 ? sides[2] : size[2];
    return EVN_OK;
}

/// What the command line says instead.
static evn_status apply(const evn__settings *settings, evn_model_options *options) {
    if (settings->size) {
        int64_t size[] = {options->height, options->width, options->channels};
        EVN_TRY(read_size(settings->size, size));
        evn_model_options made =
            evn_model_options_default(size[0], size[1], size[2], options->classes);
        made.batch = options->batch;
        made.weights = options->weights;
        made.layers = options->layers;
        *options = made;
    }
    if (settings->classes != INT64_MIN) {
        options->classes = (int)settings->classes;
    }
    if (settings->batch != INT64_MIN) {
        options->batch = settings->batch;
    }
    if (settings->layers != INT64_MIN) {
        options->layers = (int)settings->layers;
    }
    if (settings->filters != INT64_MIN) {
        options->filters = (int)settings->filters;
    }
    options->weights = settings->evolution ? settings->evolution : options->weights;
    return EVN_OK;
}

/// A network by its file or its name, or that of a run.
typedef struct subject {
    evn_network *network;
    evn_model *model;
    evn_model_options options;
    json_t *run;            ///< NULL: it is no run
    evn__settings settings; ///< the run's
} subject;

static int64_t item(const json_t *array, size_t index) {
    return json_integer_value(json_array_get(array, index));
}

static evn_status read_run(const evn__settings *given, subject *s) {
    const evn__task_row *row;
    EVN_TRY(evn__reopen_settings(given->subject, given, false, &s->run, &row, &s->settings));
    const json_t *sample = json_object_get(s->run, "sample");
    const json_t *target = json_object_get(s->run, "target");
    const char *model = s->settings.model;
    bool images = json_array_size(sample) == 3 && json_array_size(target) == 1;
    EVN_CHECK(images && (model || s->settings.network), EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; describe shows the layers of models for images",
              given->subject, row->name);
    s->options = evn_model_options_default(item(sample, 0), item(sample, 1), item(sample, 2),
                                           (int)item(target, 0));
    s->settings.size = NULL; // the sample has it
    EVN_TRY(apply(&s->settings, &s->options));
    return s->settings.network ? evn__kept_network_read(&s->settings, &s->network)
                               : evn_network_shipped(model, &s->network);
}

static bool is_shipped(const char *name) {
    char file[64];
    snprintf(file, sizeof(file), "%.50s.json", name);
    return evn__embedded_find(evn__embedded_networks, file) != NULL;
}

static evn_status read_subject(const evn__settings *given, subject *s) {
    const char *name = given->subject;
    if (evn__is_folder(name)) {
        return read_run(given, s);
    }
    s->options = evn_model_options_default(SIDE, SIDE, CHANNELS, CLASSES);
    s->options.batch = BATCH;
    return is_shipped(name) ? evn_network_shipped(name, &s->network)
                            : evn_network_read(name, &s->network);
}

// Text --------------------------------------------------------------------------------------------

/// Without the batch: "13x13x64".
static const char *shape_text(evn_shape shape, char text[96]) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 1; i < shape.rank && used < 96; ++i) {
        used += (size_t)snprintf(text + used, 96 - used, "%s%lld", i > 1 ? "x" : "",
                                 (long long)shape.dim[i]);
    }
    return text;
}

static void add_part(evn__table *table, const evn__part *part, double batch) {
    char shape[96], count[32];
    evn__table_add(table, "%s", part->place);
    const char *input = part->timed ? " (x, t)" : "";
    if (part->times > 1) {
        evn__table_add(table, "%s%s, %d times", part->layer, input, part->times);
    } else {
        evn__table_add(table, "%s%s", part->layer, input);
    }
    evn__table_add(table, "%s%s", part->weights, part->evolves ? " θ(t)" : "");
    evn__table_add(table, "%s", shape_text(part->to, shape));
    if (part->nests || part->parameters == 0) {
        evn__table_add(table, "%s", "");
    } else {
        evn__table_add(table, "%lld", (long long)part->parameters);
    }
    double products = part->products / batch;
    evn__table_add(table, "%s",
                   part->nests || products == 0 ? "" : evn__anatomy_count(products, count));
}

static evn_status print_table(const evn__anatomy *a, const evn_model_options *o) {
    static const char *const titles[] = {"place", "layer",      "weights",
                                         "gives", "parameters", "multiply-adds"};
    evn__table table = {.columns = 6};
    for (int i = 0; i < table.columns; ++i) {
        evn__table_add(&table, "%s", titles[i]);
    }
    for (int i = 0; i < a->part_count; ++i) {
        add_part(&table, &a->parts[i], (double)o->batch);
    }
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    return status;
}

static void print_line(const char *name, const char *value) {
    printf("  %-24s  %s\n", name, value);
}

static void print_memory(const char *name, double bytes) {
    char text[32];
    print_line(name, evn__anatomy_bytes(bytes, text));
}

static evn_status print_text(const evn__anatomy *a, const evn_model_options *o) {
    char text[96];
    EVN_TRY(print_table(a, o));
    printf("\n");
    snprintf(text, sizeof(text), "%lldx%lldx%lld, %d classes", (long long)o->height,
             (long long)o->width, (long long)o->channels, o->classes);
    print_line("images", text);
    snprintf(text, sizeof(text), "%lld", (long long)a->parameters);
    print_line("parameters", text);
    for (int i = 0; i < a->section_count; ++i) {
        const evn__section *section = &a->sections[i];
        if (section->evolution_parameters > 0) {
            char name[64];
            snprintf(name, sizeof(name), "of which g of %s", section->name);
            snprintf(text, sizeof(text), "%lld", (long long)section->evolution_parameters);
            print_line(name, text);
        }
    }
    print_line("multiply-adds", evn__anatomy_count(a->products, text));
    printf("\nDevice memory for a batch of %lld, estimated:\n", (long long)o->batch);
    print_memory("forward", a->forward);
    print_memory("backprop", a->backprop);
    print_memory("checkpointed", a->checkpointed);
    print_memory("adjoint", a->adjoint);
    printf("\n  multiply-adds are those of an image, of an ODE's layers for one evaluation; in "
           "all and for\n  backprop and checkpointed at %d steps of Euler's method; θ(t): weights "
           "that evolve;\n  (x, t): t is an input too\n",
           EVN__ANATOMY_STEPS);
    return EVN_OK;
}

// JSON --------------------------------------------------------------------------------------------

static json_t *shape_array(evn_shape shape) {
    json_t *array = json_array();
    for (int i = 0; i < shape.rank; ++i) {
        evn__json_append(array, json_integer(shape.dim[i]));
    }
    return array;
}

/// As much of a number as JSON's integers hold.
static json_int_t whole(double value) {
    const double most = 9e18;
    return (json_int_t)(value < most ? value : most);
}

static json_t *layer_objects(const evn__anatomy *a) {
    json_t *layers = json_array();
    for (int i = 0; i < a->part_count; ++i) {
        const evn__part *p = &a->parts[i];
        evn__json_append(
            layers, json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:o, s:o, s:I, s:I}", "place",
                              p->place, "layer", p->layer, "weights", p->weights, "times", p->times,
                              "evolves", p->evolves, "time", p->timed, "from", shape_array(p->from),
                              "to", shape_array(p->to), "parameters", (json_int_t)p->parameters,
                              "multiply_adds", whole(p->products / (double)p->to.dim[0])));
    }
    return layers;
}

static evn_status print_json(const evn__anatomy *a, const subject *s) {
    const evn_model_options *o = &s->options;
    EVN_CHECK(evn__is_utf8(evn_network_name(s->network)), EVN_ERR_USAGE,
              "the network's name is not UTF-8, which JSON needs");
    json_t *root = json_pack(
        "{s:s, s:o, s:i, s:o, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "network",
        evn_network_name(s->network), "images",
        shape_array(EVN_SHAPE(o->batch, o->height, o->width, o->channels)), "classes", o->classes,
        "layers", layer_objects(a), "parameters", (json_int_t)a->parameters, "multiply_adds",
        whole(a->products), "estimated_bytes", "forward", whole(a->forward), "backprop",
        whole(a->backprop), "checkpointed", whole(a->checkpointed), "adjoint", whole(a->adjoint));
    char *text;
    evn_status status = evn__json_print(root, JSON_INDENT(2), 17, &text);
    json_decref(root);
    EVN_TRY(status);
    printf("%s\n", text);
    free(text);
    return EVN_OK;
}

// The verb ----------------------------------------------------------------------------------------

static evn_status show(const evn__settings *given, const subject *s, evn__anatomy *a) {
    EVN_TRY(evn__anatomy_make(s->model, a));
    if (given->svg) {
        EVN_TRY(evn__anatomy_draw(a, s->model, given->svg));
    }
    if (evn__output_is_standard(given->svg)) { // the drawing in the place of the text
        return EVN_OK;
    }
    return given->json ? print_json(a, s) : print_text(a, &s->options);
}

static evn_status describe(evn__settings *given, subject *s) {
    evn__anatomy anatomy = {0};
    EVN_CHECK(!given->json || !evn__output_is_standard(given->svg), EVN_ERR_USAGE,
              "--json and --svg - both write to standard output; give --svg a file");
    EVN_TRY(evn__settings_evolve(given));
    EVN_TRY(read_subject(given, s));
    EVN_TRY(evn__session_check_sizes(given->filters, given->layers, s->network));
    EVN_TRY(apply(given, &s->options));
    s->options.network = s->network;
    EVN_TRY(evn_model_create(&s->options, &s->model));
    evn_status status = show(given, s, &anatomy);
    evn__anatomy_free(&anatomy);
    return status;
}

static evn_status run(const evn__command *command) {
    subject s = {0};
    evn__settings_clear(&s.settings);
    evn_status status = describe(command->settings, &s);
    evn_model_destroy(&s.model);
    evn_network_destroy(&s.network);
    evn__settings_free(&s.settings);
    json_decref(s.run);
    return status;
}

const evn__verb evn__verb_describe = {
    "describe",
    "NETWORK",
    "show the layers, shapes, parameters and needs of a network",
    EVN__VERB_DESCRIBE,
    run,
    "\nNETWORK is a network file, the name of a shipped network (node-ew, node, resnet) or a run\n"
    "directory. Nothing is trained, and no device is asked.\n"
    "\n"
    "A network file is JSON: a list of layers as stem, blocks, and a list of layers as head. A\n"
    "block is an ODE, {\"ode\": [ ... ]}, whose layers are f and must keep the state's shape, or\n"
    "{\"layers\": [ ... ]}, perhaps with \"repeat\" and a \"name\" for the weights. A layer is "
    "its\n"
    "name, or an object with its name and keys:\n"
    "  {\"stem\": [{\"layer\": \"conv\", \"filters\": 32}, \"relu\"],\n"
    "   \"blocks\": [{\"ode\": [\"norm\", \"silu\", {\"layer\": \"conv\", \"time\": true}],\n"
    "               \"evolve\": \"rda\"},\n"
    "              {\"layers\": [{\"layer\": \"conv\", \"size\": 4, \"stride\": 2}]},\n"
    "              {\"ode\": [\"norm\", \"silu\", \"conv\"]}],\n"
    "   \"head\": [\"global-pool\", {\"layer\": \"dense\", \"units\": \"classes\"}]}\n"
    "Layers with weights also take \"name\", and in an ODE \"evolve\": a kind of --weights, none, "
    "or\n"
    "fit, the one that --weights names. Of an ODE it holds for all its layers that do not say\n"
    "otherwise. \"fit\" as a number is what fits the images: --filters, the padding and the\n"
    "down-samplings of the shipped stems, --layers; \"classes\" is how many there are, and\n"
    "\"state\" the channels or features of an ODE's state.\n"
    "\n"
    "Over the batch, a norm has mean and variance of the batch at hand, in a test too: along an "
    "ODE\n"
    "running means would be functions of t. An image's answer then depends on its batch.\n"};
