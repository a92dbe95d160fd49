// SPDX-License-Identifier: Apache-2.0
#include "study/anatomy.h"

#include "base/files.h"
#include "graph/node.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 24,
    BOX = 300,   ///< width of a layer
    ROW = 30,    ///< height of a layer, with the gap below
    HEIGHT = 24, ///< of its box
    INDENT = 16, ///< of a layer within a layer
    NOTES = 330, ///< width of what stands beside
    NAMES = 170, ///< columns: names of weights, shapes, numbers
    SHAPES = 328,
    COUNTS = 430,
    PRODUCTS = 530,
    GAP = 34,   ///< between two sections, with an arrow
    TITLE = 28, ///< height of a section's title
};

/// The first row that fits; a fill, and the layers that have it.
static const struct {
    const char *fill, *layers;
} fills[] = {
    {"#cfe2f3", " dense conv "},
    {"#fce5cd", " norm "},
    {"#d9ead3", " mean-pool max-pool global-pool flatten "},
    {"#eeeeee", " residual repeat beside "},
    {"#ead1dc", ""}, // activations and the rest
};

static const char *fill_of(const char *layer) {
    char word[40];
    int i = 0;
    snprintf(word, sizeof(word), " %s ", layer);
    while (fills[i].layers[0] && !strstr(fills[i].layers, word)) {
        ++i;
    }
    return fills[i].fill;
}

/// A shape without the batch: "13×13×64".
static const char *shape_text(evn_shape shape, char text[96]) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 1; i < shape.rank && used < 96; ++i) {
        used += (size_t)snprintf(text + used, 96 - used, "%s%lld", i > 1 ? "×" : "",
                                 (long long)shape.dim[i]);
    }
    return text;
}

static void add_text(evn__text *svg, int x, int y, const char *class, const char *text) {
    evn__text_append(svg, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
    for (; *text; ++text) {
        evn__text_append(svg, *text == '<' ? "&lt;" : *text == '&' ? "&amp;" : "%c", *text);
    }
    evn__text_append(svg, "</text>\n");
}

static void draw_part(evn__text *svg, const evn__part *part, int y) {
    char text[96], count[32], label[64];
    int x = MARGIN + 12 + part->depth * INDENT;
    evn__text_append(
        svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\"%s/>\n", x, y,
        BOX - part->depth * INDENT, HEIGHT, fill_of(part->layer),
        part->evolves ? " stroke=\"#990000\" stroke-width=\"2\"" : "");
    const char *input = part->timed ? " (x, t)" : "";
    snprintf(label, sizeof(label), part->times > 1 ? "%s%s × %d" : "%s%s", part->layer, input,
             part->times);
    add_text(svg, x + 10, y + 17, "layer", label);
    add_text(svg, MARGIN + NAMES, y + 17, "note", part->weights);
    add_text(svg, MARGIN + SHAPES, y + 17, "note", shape_text(part->to, text));
    if (part->parameters > 0 && !part->nests) {
        add_text(svg, MARGIN + COUNTS, y + 17, "note",
                 evn__anatomy_count((double)part->parameters, count));
    }
    if (part->products > 0 && !part->nests) {
        double products = part->products / (double)part->to.dim[0];
        add_text(svg, MARGIN + PRODUCTS, y + 17, "note", evn__anatomy_count(products, count));
    }
}

static int section_height(const evn__section *section) {
    return TITLE + section->count * ROW + 8;
}

static void title_of(const evn__section *section, char title[160]) {
    char count[32];
    if (!section->is_ode) {
        snprintf(title, 160, "%s", section->name);
        return;
    }
    snprintf(title, 160, "%s: dx/dt = f(t, x, θ%s), t = 0 … 1", section->name,
             section->evolves ? "(t)" : "");
    if (section->evolution_parameters > 0) {
        size_t used = strlen(title);
        snprintf(title + used, 160 - used, ",  dθ/dt = g: %s parameters",
                 evn__anatomy_count((double)section->evolution_parameters, count));
    }
}

static void draw_arrow(evn__text *svg, int y, evn_shape shape) {
    char text[96];
    int x = MARGIN + 12 + BOX / 2;
    evn__text_append(svg,
                     "<path d=\"M%d %d v%d m-4 -6 l4 6 l4 -6\" fill=\"none\" stroke=\"#444\"/>\n",
                     x, y + 3, GAP - 8);
    add_text(svg, x + 10, y + GAP / 2 + 4, "note", shape_text(shape, text));
}

static void draw_section(evn__text *svg, const evn__anatomy *a, const evn__section *section,
                         int y) {
    char title[160];
    evn__text_append(svg,
                     "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"%s\" "
                     "stroke=\"%s\"/>\n",
                     MARGIN, y, BOX + NOTES, section_height(section),
                     section->is_ode ? "#fff8e1" : "#fafafa",
                     section->is_ode ? "#b45f06" : "#bbbbbb");
    title_of(section, title);
    add_text(svg, MARGIN + 12, y + 19, "title", title);
    for (int i = 0; i < section->count; ++i) {
        draw_part(svg, &a->parts[section->first + i], y + TITLE + i * ROW);
    }
}

static void draw(evn__text *svg, const evn__anatomy *a, const evn_model *model) {
    const evn_model_options *o = evn_model_get_options(model);
    int height = 2 * MARGIN + 30, y = MARGIN + 22;
    for (int i = 0; i < a->section_count; ++i) {
        height += section_height(&a->sections[i]) + GAP;
    }
    evn__text_append(svg,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                     "viewBox=\"0 0 %d %d\">\n<style>text{font:13px sans-serif;fill:#222}"
                     ".title{font-weight:bold}.note{font-size:12px;fill:#555}</style>\n"
                     "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                     2 * MARGIN + BOX + NOTES, height, 2 * MARGIN + BOX + NOTES, height);
    add_text(svg, MARGIN, y - 6, "title", evn_network_name(evn_model_network(model)));
    add_text(svg, MARGIN + SHAPES, y - 6, "note", "gives");
    add_text(svg, MARGIN + COUNTS, y - 6, "note", "parameters");
    add_text(svg, MARGIN + PRODUCTS, y - 6, "note", "multiply-adds");
    add_text(svg, MARGIN + SHAPES, y + 22, "note", "framed in red: the weights evolve");
    evn_shape shape = EVN_SHAPE(o->batch, o->height, o->width, o->channels);
    for (int i = 0; i < a->section_count; ++i) {
        draw_arrow(svg, y, shape);
        y += GAP;
        draw_section(svg, a, &a->sections[i], y);
        y += section_height(&a->sections[i]);
        shape = a->sections[i].to;
    }
    evn__text_append(svg, "</svg>\n");
}

evn_status evn__anatomy_draw(const evn__anatomy *anatomy, const evn_model *model,
                             const char *path) {
    evn__text svg = {0};
    draw(&svg, anatomy, model);
    evn_status status = svg.status;
    if (status == EVN_OK) {
        status = evn__file_write(path, svg.data, svg.size);
    }
    free(svg.data);
    return status;
}
