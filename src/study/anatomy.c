// SPDX-License-Identifier: Apache-2.0
#include "study/anatomy.h"

#include "base/number.h"
#include "gradients/adjoint.h"
#include "graph/node.h"
#include "methods/step.h"
#include "nn/evolving.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double REAL = 4; // bytes of a float

void evn__anatomy_free(evn__anatomy *anatomy) {
    free(anatomy->parts);
    free(anatomy->sections);
    evn__arena_free(&anatomy->arena);
    *anatomy = (evn__anatomy){0};
}

const char *evn__anatomy_bytes(double bytes, char text[32]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; ++unit) {
        bytes /= 1024;
    }
    evn__print(text, 32, bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

const char *evn__anatomy_count(double count, char text[32]) {
    static const char *const units[] = {"", " k", " M", " G", " T"};
    int unit = 0;
    for (; count >= 1e4 && unit < 4; ++unit) {
        count /= 1e3;
    }
    evn__print(text, 32, count < 100 && unit > 0 ? "%.1f%s" : "%.0f%s", count, units[unit]);
    return text;
}

// Parts -------------------------------------------------------------------------------------------

/// Whether g moves a weight of the layer.
static bool evolves(const evn_model *model, const char *prefix) {
    size_t length = strlen(prefix);
    for (int i = 0; length > 0 && i < evn_model_stage_count(model); ++i) {
        const evn_dynamics *dynamics = evn_model_stage(model, i).dynamics;
        for (int k = 0; dynamics && k < evn_dynamics_weight_count(dynamics); ++k) {
            const char *name = evn_dynamics_weight_name(dynamics, k);
            if (strncmp(name, prefix, length) == 0 && name[length] == '.' &&
                evn_dynamics_weight_evolves(dynamics, k)) {
                return true;
            }
        }
    }
    return false;
}

/// The part of that layer in the section, where it is there already.
static evn__part *find_part(const evn__anatomy *a, const evn__section *section,
                            const evn__layer_record *record) {
    for (int i = section->first; i < section->first + section->count; ++i) {
        if (strcmp(a->parts[i].place, record->layer->path) == 0) {
            return &a->parts[i];
        }
    }
    return NULL;
}

static evn_status add_part(evn__anatomy *a, evn__section *section, const evn_model *model,
                           const evn__layer_record *record) {
    char weights[EVN_MAX_NAME];
    evn__part *part = find_part(a, section, record);
    if (part) {
        ++part->times;
        part->to = record->to;
        part->parameters += record->parameters;
        part->products += record->products;
        return EVN_OK;
    }
    EVN_TRY(EVN_RESERVE(a->parts, a->part_capacity, a->part_count + 1));
    part = &a->parts[a->part_count++];
    snprintf(weights, sizeof(weights), "%s%s%s", record->name[0] ? record->scope : "",
             record->name[0] ? "." : "", record->name);
    *part = (evn__part){.place = evn__arena_string(&a->arena, record->layer->path),
                        .layer = record->layer->kind->name,
                        .weights = evn__arena_string(&a->arena, weights),
                        .times = 1,
                        .depth = record->depth,
                        .evolves = record->expanded || evolves(model, weights),
                        .timed = evn__layer_takes_time(record->layer),
                        .nests = record->layer->kind->nests,
                        .from = record->from,
                        .to = record->to,
                        .parameters = record->parameters,
                        .products = record->products};
    EVN_CHECK(part->place && part->weights, EVN_ERR_MEMORY, "no memory for a layer");
    ++section->count;
    return EVN_OK;
}

// Sections ----------------------------------------------------------------------------------------

/// Length of the section's place in that of a layer: "stem" of "stem[2]", "blocks[1]" of
/// "blocks[1].ode[0]".
static size_t section_length(const char *place) {
    bool block = strncmp(place, "blocks", 6) == 0;
    return strcspn(place, block ? "." : "[");
}

static evn_status add_section(evn__anatomy *a, const evn__layer_record *record) {
    const char *path = record->layer->path;
    char place[64], name[64];
    EVN_TRY(EVN_RESERVE(a->sections, a->section_capacity, a->section_count + 1));
    evn__section *section = &a->sections[a->section_count++];
    snprintf(place, sizeof(place), "%.*s", (int)section_length(path), path);
    snprintf(name, sizeof(name), "%s", record->scope);
    *section = (evn__section){.name = evn__arena_string(&a->arena, name),
                              .place = evn__arena_string(&a->arena, place),
                              .is_ode = strncmp(path + strlen(place), ".ode", 4) == 0,
                              .first = a->part_count};
    EVN_CHECK(section->name && section->place, EVN_ERR_MEMORY, "no memory for a block");
    return EVN_OK;
}

static bool same_section(const evn__anatomy *a, const evn__layer_record *record) {
    const evn__section *last = a->section_count ? &a->sections[a->section_count - 1] : NULL;
    size_t length = section_length(record->layer->path);
    return last && strlen(last->place) == length &&
           strncmp(last->place, record->layer->path, length) == 0;
}

static evn_status add_layers(evn__anatomy *a, const evn_model *model) {
    const evn__layer_records *records = evn__model_records(model);
    for (int i = 0; i < records->count; ++i) {
        const evn__layer_record *record = &records->items[i];
        EVN_TRY(same_section(a, record) ? EVN_OK : add_section(a, record));
        evn__section *section = &a->sections[a->section_count - 1];
        EVN_TRY(add_part(a, section, model, record));
        section->products += record->depth == 0 ? record->products : 0;
        section->to = record->to;
    }
    return EVN_OK;
}

/// What the dynamics add to the ODEs' sections, in order.
static void add_evolution(evn__anatomy *a, const evn_model *model) {
    int stage = 0;
    for (int i = 0; i < a->section_count; ++i) {
        evn__section *section = &a->sections[i];
        if (!section->is_ode) {
            continue;
        }
        while (!evn_model_stage(model, stage).dynamics) {
            ++stage;
        }
        for (int k = section->first; k < section->first + section->count; ++k) {
            section->evolves = section->evolves || a->parts[k].evolves;
        }
        const evn_dynamics *dynamics = evn_model_stage(model, stage++).dynamics;
        for (int k = 0; k < evn_dynamics_weight_count(dynamics); ++k) {
            bool of_g = evn_dynamics_weight_name(dynamics, k)[0] == 'g';
            section->evolution_parameters +=
                of_g ? evn_shape_count(evn_dynamics_weight_shape(dynamics, k)) : 0;
        }
    }
}

// Memory ------------------------------------------------------------------------------------------

/// Numbers that the values of a graph take: all of them, and the most that are needed at once.
typedef struct extent {
    double all, peak;
} extent;

/// What a view shows.
static int viewed(const evn_graph *graph, int value) {
    while (evn__op_table[evn__node_at(graph, value)->op].class == EVN__CLASS_VIEW) {
        value = evn__node_at(graph, value)->operands[0];
    }
    return value;
}

/// written[v]: v is in memory. Results of kernels are, and those of element-wise chains that a
/// kernel or several others take; the insides of chains are not.
static void find_written(const evn_graph *graph, bool *written, int *last_use) {
    for (int i = 0; i < graph->node_count; ++i) {
        const evn__node *node = evn__node_at(graph, i);
        bool kernel = evn__op_table[node->op].class == EVN__CLASS_KERNEL;
        written[i] = kernel;
        for (int k = 0; k < node->operand_count; ++k) {
            int operand = viewed(graph, node->operands[k]);
            evn__op_class class = evn__op_table[evn__node_at(graph, operand)->op].class;
            bool again = last_use[operand] > 0 && last_use[operand] != i;
            last_use[operand] = i;
            written[operand] =
                written[operand] || ((kernel || again) && class == EVN__CLASS_ELEMENT);
        }
    }
    for (int i = 0; i < evn_graph_output_count(graph); ++i) {
        last_use[viewed(graph, evn_graph_output(graph, i))] = graph->node_count;
    }
}

static double size_of(const evn_graph *graph, int value) {
    return (double)evn_shape_count(evn__node_at(graph, value)->shape);
}

static void walk(const evn_graph *graph, bool *written, const int *last_use, extent *e) {
    double now = 0;
    for (int i = 0; i < graph->node_count; ++i) {
        const evn__node *node = evn__node_at(graph, i);
        double size = written[i] ? size_of(graph, i) : 0;
        now += size;
        e->all += size;
        e->peak = now > e->peak ? now : e->peak;
        for (int k = 0; k < node->operand_count; ++k) {
            int operand = viewed(graph, node->operands[k]);
            now -= written[operand] && last_use[operand] == i ? size_of(graph, operand) : 0;
            written[operand] = written[operand] && last_use[operand] != i;
        }
    }
}

static evn_status measure(const evn_graph *graph, extent *e) {
    bool *written = NULL;
    int *last_use = NULL;
    *e = (extent){0};
    EVN_TRY(EVN_NEW(&written, graph->node_count));
    evn_status status = EVN_NEW(&last_use, graph->node_count);
    if (status == EVN_OK) {
        find_written(graph, written, last_use);
        walk(graph, written, last_use, e);
    }
    free(written);
    free(last_use);
    return status;
}

static double state_numbers(const evn__system *system) {
    double sum = 0;
    for (int i = 0; i < system->state_count; ++i) {
        sum += (double)evn_shape_count(evn__system_state_shape(system, i));
    }
    return sum;
}

typedef evn_status step_builder(const evn__system *system, const evn__stepper *stepper,
                                evn_graph **graph);

/// A step by a method, as the solver compiles it.
static evn_status measure_step(const evn__system *system, step_builder *build, const char *method,
                               extent *e) {
    evn_graph *step = NULL;
    evn_status status = build(system, evn__stepper_find(method), &step);
    if (status == EVN_OK) {
        status = measure(step, e);
    }
    evn_graph_destroy(&step);
    return status;
}

/// An adaptive solve: the step, what chooses the first, states and slopes of two steps.
static evn_status measure_adaptive(const evn__system *system, double *numbers) {
    extent step, start;
    EVN_TRY(measure_step(system, evn__adaptive_step_graph, "dopri5", &step));
    EVN_TRY(measure_step(system, evn__start_graph, "dopri5", &start));
    *numbers = step.peak + start.peak + 4 * state_numbers(system);
    return EVN_OK;
}

static evn_status add_ode(evn__anatomy *a, const evn_dynamics *dynamics) {
    extent step;
    evn__system adjoint = {0};
    double forward, back = 0, state = state_numbers(&dynamics->system);
    EVN_TRY(measure_step(&dynamics->system, evn__step_graph, "euler", &step));
    EVN_TRY(measure_adaptive(&dynamics->system, &forward));
    evn_status status = evn__system_adjoint(&dynamics->system, true, &adjoint);
    if (status == EVN_OK) {
        status = measure_adaptive(&adjoint, &back);
    }
    evn__system_free(&adjoint);
    EVN_TRY(status);
    a->forward += REAL * (2 * state + step.peak);
    a->backprop += REAL * EVN__ANATOMY_STEPS * (state + step.all);
    a->checkpointed += REAL * (EVN__ANATOMY_STEPS * state + 2 * step.all);
    a->adjoint += REAL * (forward + back);
    return EVN_OK;
}

/// With a gradient all values are kept, and their cotangents come and go.
static evn_status add_graph(evn__anatomy *a, const evn_graph *graph, bool images) {
    extent e;
    EVN_TRY(measure(graph, &e));
    double taken = size_of(graph, evn_graph_input(graph, 0));
    double given = size_of(graph, evn_graph_output(graph, 0));
    double forward = REAL * (e.peak + given + (images ? taken : 0));
    double training = REAL * (e.all + e.peak + given + taken);
    a->forward += forward;
    a->backprop += training;
    a->checkpointed += training;
    a->adjoint += training;
    return EVN_OK;
}

static evn_status add_memory(evn__anatomy *a, const evn_model *model) {
    double parameters = REAL * (double)a->parameters;
    a->forward = parameters;
    a->backprop = a->checkpointed = a->adjoint = 3 * parameters; // with gradients and momentum
    for (int i = 0; i < evn_model_stage_count(model); ++i) {
        evn_stage stage = evn_model_stage(model, i);
        EVN_TRY(stage.graph ? add_graph(a, stage.graph, i == 0) : add_ode(a, stage.dynamics));
    }
    return add_graph(a, evn_model_head(model), false);
}

// All of it ---------------------------------------------------------------------------------------

evn_status evn__anatomy_make(const evn_model *model, evn__anatomy *anatomy) {
    evn__anatomy *a = anatomy;
    double batch = (double)evn_model_get_options(model)->batch;
    a->parameters = evn_parameters_scalar_count(evn_model_parameters(model));
    EVN_TRY(add_layers(a, model));
    add_evolution(a, model);
    for (int i = 0; i < a->section_count; ++i) {
        const evn__section *section = &a->sections[i];
        a->products += section->products * (section->is_ode ? EVN__ANATOMY_STEPS : 1) / batch;
    }
    return add_memory(a, model);
}
