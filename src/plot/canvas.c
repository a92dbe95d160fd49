// SPDX-License-Identifier: Apache-2.0
#include "plot/canvas.h"

#include "base/files.h"
#include "base/number.h"
#include "host/child.h"
#include <errno.h>
#include <plplot/plplot.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEVICES_MAX = 64, FORMATS = 2, PATH_SIZE = 4096 };

static const double SECONDS = 300; // that drawing may last; it takes one or two

/// What a file's name ends in, and what PLplot calls the device that draws it.
static const struct {
    const char *end, *device;
} formats[FORMATS] = {{".png", "pngcairo"}, {".svg", "svgcairo"}};

/// One page, drawn in formats first … last.
typedef struct page {
    int first, last;
    int width, height;
    void (*draw)(const void *user);
    const void *user;
} page;

// In a child process ------------------------------------------------------------------------------

/// What a child says of each format, before the file's contents.
typedef struct head {
    evn_status status;
    size_t size;
    char message[512];
} head;

/// PLplot's first complaint.
static char problem[256];
static int said_to; ///< where a fatal one is said, which would end the process

static void keep_problem(const char *message) {
    if (problem[0] == 0) {
        snprintf(problem, sizeof(problem), "%s", message);
    }
}

static void say(int out, evn_status status, const char *data, size_t size) {
    head h = {.status = status, .size = status == EVN_OK ? size : 0};
    if (status != EVN_OK) {
        snprintf(h.message, sizeof(h.message), "%s", evn_error_message());
    }
    evn__child_write(out, &h, sizeof(h));
    evn__child_write(out, data, h.size);
}

/// Of what PLplot said; "Insufficient memory", "Out of memory", "cannot allocate memory".
static evn_status fail_drawing(void) {
    EVN_FAIL(strstr(problem, "memory") ? EVN_ERR_MEMORY : EVN_ERR_OUTPUT,
             "PLplot cannot draw the picture: %s",
             problem[0] ? problem : "it gives no reason; end other programs, then try again");
}

static int on_fatal(const char *message) {
    keep_problem(message);
    say(said_to, fail_drawing(), NULL, 0);
    _exit(0);
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

static void draw_page(const char *device, const page *p, FILE *file) {
    plsdev(device);
    plsfile(file);
    plspage(0, 0, p->width, p->height, 0, 0);
    set_colours();
    plinit();
    pladv(0);
    p->draw(p->user);
}

/// Draw into memory: the file's contents, freed with free().
static evn_status draw_file(const char *device, const page *p, char **data, size_t *size) {
    EVN_CHECK(
        has_device(device), EVN_ERR_OUTPUT,
        "PLplot cannot draw as %s; install its cairo driver (plplot-driver-cairo), or, where it "
        "is installed, end what keeps files open",
        device);
    FILE *file = open_memstream(data, size);
    EVN_CHECK(file, EVN_ERR_MEMORY, "no memory for a picture");
    draw_page(device, p, file);
    plend(); // closes the file, which completes data and size
    return problem[0] == 0 && *size > 0 ? EVN_OK : fail_drawing();
}

static void draw_formats(void *user, int out) {
    const page *p = user;
    said_to = out;
    plsexit(on_fatal);
    plsabort(keep_problem);
    for (int i = p->first; i <= p->last; ++i) {
        char *data = NULL;
        size_t size = 0;
        evn_status status = draw_file(formats[i].device, p, &data, &size);
        say(out, status, data, size);
        if (status != EVN_OK) {
            return;
        }
    }
}

// Files -------------------------------------------------------------------------------------------

/// How long drawing may last: no longer than calls of OpenCL.
static double limit(void) {
    const char *text = getenv("EVONODE_DEADLINE");
    char *end;
    double seconds = text ? evn__read_real(text, &end) : SECONDS;
    return seconds > 0 && seconds < SECONDS ? seconds : SECONDS;
}

static evn_status check_child(const evn__child_result *child, const char *path, double seconds) {
    static const char more[] =
        "PLplot does not look whether it was given memory: end other programs, then try again";
    EVN_CHECK(child->end != EVN__CHILD_NONE, evn__file_status(child->error, EVN_ERR_OUTPUT),
              "no process can be had to draw %s: %s; end other programs, then try again", path,
              strerror(child->error));
    EVN_CHECK(child->end != EVN__CHILD_LATE, EVN_ERR_OUTPUT,
              "cannot write %s: it was not drawn within %.3g seconds; %s", path, seconds, more);
    EVN_CHECK(child->end != EVN__CHILD_CRASHED, EVN_ERR_OUTPUT,
              "cannot write %s: drawing it ended in a crash (signal %d); %s", path, child->signal,
              more);
    return EVN_OK;
}

/// Take the next format off what the child said.
static evn_status take(evn__text *said, const char *path) {
    head h;
    bool whole = said->size >= sizeof(h);
    memcpy(&h, whole ? said->data : (const char *)&(head){0}, sizeof(h));
    EVN_CHECK(whole && said->size - sizeof(h) >= h.size, EVN_ERR_OUTPUT,
              "cannot write %s: what drew it ended too early; try again", path);
    EVN_CHECK(h.status == EVN_OK, h.status, "%s", h.message);
    EVN_TRY(evn__file_write_own(path, said->data + sizeof(h), h.size));
    said->data += sizeof(h) + h.size;
    said->size -= sizeof(h) + h.size;
    return EVN_OK;
}

/// Into the files of these names, a format each.
static evn_status draw_files(page *p, char paths[][PATH_SIZE]) {
    evn__child_result child;
    double seconds = limit();
    EVN_TRY(evn__child_run(draw_formats, p, seconds, &child));
    evn_status status = check_child(&child, paths[0], seconds);
    evn__text rest = child.data;
    for (int i = p->first; i <= p->last && status == EVN_OK; ++i) {
        status = take(&rest, paths[i - p->first]);
    }
    free(child.data.data);
    return status;
}

static evn_status copy_path(char path[PATH_SIZE], const char *folder, const char *name,
                            const char *end) {
    int length = snprintf(path, PATH_SIZE, "%s%s%s", folder, name, end);
    EVN_CHECK(length < PATH_SIZE, EVN_ERR_OUTPUT, "the path of the picture %.80s… is too long",
              path);
    return EVN_OK;
}

/// By the name's end; FORMATS: another.
static int format_of(const char *path) {
    const char *end = strrchr(path, '.');
    int format = 0;
    while (format < FORMATS && (!end || strcmp(end, formats[format].end) != 0)) {
        ++format;
    }
    return format;
}

evn_status evn__canvas_write(const char *path, int width, int height, void (*draw)(const void *),
                             const void *user) {
    int format = format_of(path);
    char paths[1][PATH_SIZE];
    EVN_CHECK(format < FORMATS, EVN_ERR_ARGUMENT, "a picture's name ends in .png or .svg: %s",
              path);
    EVN_TRY(copy_path(paths[0], "", path, ""));
    return draw_files(&(page){format, format, width, height, draw, user}, paths);
}

/// Formats 0 … last.
static evn_status save(int last, const char *folder, const char *stem, int width, int height,
                       void (*draw)(const void *), const void *user) {
    char paths[FORMATS][PATH_SIZE], name[PATH_SIZE];
    EVN_TRY(copy_path(name, "/", stem, ""));
    for (int i = 0; i <= last; ++i) {
        EVN_TRY(copy_path(paths[i], folder, name, formats[i].end));
    }
    return draw_files(&(page){0, last, width, height, draw, user}, paths);
}

evn_status evn__canvas_save_png(const char *folder, const char *stem, int width, int height,
                                void (*draw)(const void *), const void *user) {
    return save(0, folder, stem, width, height, draw, user);
}

evn_status evn__canvas_save(const char *folder, const char *stem, int width, int height,
                            void (*draw)(const void *), const void *user) {
    return save(FORMATS - 1, folder, stem, width, height, draw, user);
}
