// SPDX-License-Identifier: Apache-2.0
#include "plot/canvas.h"

#include "base/files.h"
#include <plplot/plplot.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 64 };

/// Where a fatal error of PLplot returns to, instead of ending the process; its message.
static jmp_buf fatal;
static char problem[256];

static void keep_problem(const char *message) {
    if (problem[0] == 0) {
        snprintf(problem, sizeof(problem), "%s", message);
    }
}

static int on_fatal(const char *message) {
    keep_problem(message);
    longjmp(fatal, 1);
}

/// PLplot asks on standard input for a device that it does not know, so it is looked for first.
static bool has_device(const char *device) {
    const char *texts[DEVICES_MAX], *names[DEVICES_MAX];
    const char **text = texts, **name = names;
    int count = DEVICES_MAX;
    bool found = false;
    plgFileDevs(&text, &name, &count);
    for (int i = 0; i < count; ++i) {
        found = found || strcmp(names[i], device) == 0;
    }
    return found;
}

/// White, dark grey, light grey, then the colours of Okabe and Ito, which the colour-blind can
/// tell apart, then four more.
static void set_colours(void) {
    static const PLINT red[] = {255, 40, 220, 0, 213, 0, 204, 230, 86, 110, 130, 60, 160};
    static const PLINT green[] = {255, 40, 220, 114, 94, 158, 121, 159, 180, 110, 60, 60, 150};
    static const PLINT blue[] = {255, 40, 220, 178, 0, 115, 167, 0, 233, 110, 40, 60, 30};
    plscmap0(red, green, blue, sizeof(red) / sizeof(red[0]));
}

static void draw_page(const char *device, int width, int height, FILE *file,
                      void (*draw)(const void *), const void *user) {
    plsdev(device);
    plsfile(file);
    plspage(0, 0, width, height, 0, 0);
    set_colours();
    plinit();
    pladv(0);
    draw(user);
}

/// Draw into memory: the file's contents, freed with free().
static evn_status draw_file(const char *device, int width, int height, void (*draw)(const void *),
                            const void *user, char **data, size_t *size) {
    EVN_CHECK(
        has_device(device), EVN_ERR_OUTPUT,
        "PLplot cannot draw as %s; install its cairo driver (plplot-driver-cairo), or, where it "
        "is installed, end what keeps files open",
        device);
    FILE *file = open_memstream(data, size);
    EVN_CHECK(file, EVN_ERR_MEMORY, "no memory for a picture");
    problem[0] = 0;
    plsexit(on_fatal);
    plsabort(keep_problem);
    if (setjmp(fatal) == 0) {
        draw_page(device, width, height, file, draw, user);
    }
    plend(); // closes the file, which completes data and size
    plsexit(NULL);
    plsabort(NULL);
    if (problem[0] == 0 && *size > 0) {
        return EVN_OK;
    }
    free(*data);
    *data = NULL;
    EVN_FAIL(EVN_ERR_OUTPUT, "PLplot cannot draw the picture: %s", problem);
}

// Files -------------------------------------------------------------------------------------------

static const char *device_for(const char *path) {
    const char *end = strrchr(path, '.');
    if (end && strcmp(end, ".png") == 0) {
        return "pngcairo";
    }
    return end && strcmp(end, ".svg") == 0 ? "svgcairo" : NULL;
}

evn_status evn__canvas_write(const char *path, int width, int height, void (*draw)(const void *),
                             const void *user) {
    char *data;
    size_t size;
    const char *device = device_for(path);
    EVN_CHECK(device, EVN_ERR_ARGUMENT, "a picture's name ends in .png or .svg: %s", path);
    EVN_TRY(draw_file(device, width, height, draw, user, &data, &size));
    evn_status status = evn__file_write_own(path, data, size);
    free(data);
    return status;
}

static evn_status save_as(const char *end, const char *folder, const char *stem, int width,
                          int height, void (*draw)(const void *), const void *user) {
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%s%s", folder, stem, end);
    EVN_CHECK(length < (int)sizeof(path), EVN_ERR_OUTPUT,
              "the path of the folder %.80s… is too long", folder);
    return evn__canvas_write(path, width, height, draw, user);
}

evn_status evn__canvas_save_png(const char *folder, const char *stem, int width, int height,
                                void (*draw)(const void *), const void *user) {
    return save_as(".png", folder, stem, width, height, draw, user);
}

evn_status evn__canvas_save(const char *folder, const char *stem, int width, int height,
                            void (*draw)(const void *), const void *user) {
    EVN_TRY(save_as(".png", folder, stem, width, height, draw, user));
    return save_as(".svg", folder, stem, width, height, draw, user);
}
