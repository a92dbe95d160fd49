// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/console.h"
#include "cli/task.h"
#include "report/page.h"
#include "serve/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT = 256 };
static const double LOOKED_AT = 3, LINGER = 3; // seconds since a page asked; to wait for it

struct evn__watch {
    const char *folder;
    evn__server *server;
    pthread_mutex_t lock; ///< of what follows
    char text[TEXT];
    int version, shown; ///< of the run directory, and which the last page got
    bool ended;
    double asked_at; ///< when a page asked last
};

// Documents, on the server's thread
// -----------------------------------------------------------------

/// Read the run; of which version of its directory, or an older one than what is read.
static evn_status read_page(evn__watch *w, evn__page **page, int *version) {
    pthread_mutex_lock(&w->lock);
    *version = w->version;
    pthread_mutex_unlock(&w->lock);
    EVN_CHECK(*version > 0, EVN_ERR_FILE, "the run has not begun; load this page again");
    return evn__page_read(&w->folder, 1, evn__task_iterates, page);
}

static evn_status write_page(void *user, evn__text *html) {
    evn__page *page;
    int version;
    EVN_TRY(read_page(user, &page, &version));
    evn__page_put(page, true, html);
    evn__page_destroy(&page);
    return html->status;
}

static evn_status write_main(void *user, evn__text *html) {
    evn__watch *w = user;
    evn__page *page;
    int version;
    EVN_TRY(read_page(w, &page, &version));
    evn__page_put_main(page, html);
    evn__page_destroy(&page);
    pthread_mutex_lock(&w->lock);
    w->shown = version;
    pthread_mutex_unlock(&w->lock);
    return html->status;
}

static evn_status write_progress(void *user, evn__text *text) {
    evn__watch *w = user;
    pthread_mutex_lock(&w->lock);
    json_t *state = json_pack("{s:s, s:i, s:b}", "text", w->text, "version", w->version, "ended",
                              (int)w->ended);
    w->asked_at = evn__now();
    pthread_mutex_unlock(&w->lock);
    evn__json_show(state, JSON_COMPACT, 17, text);
    json_decref(state);
    evn__text_append(text, "\n");
    return text->status;
}

static const evn__document documents[] = {
    {"/", "text/html; charset=utf-8", write_page},
    {"/main.html", "text/html; charset=utf-8", write_main},
    {"/progress.json", "application/json", write_progress},
};

// Beginning and end -------------------------------------------------------------------------------

evn_status evn__watch_begin(const char *folder, const evn__settings *settings, evn__watch **watch) {
    evn__watch *w = NULL;
    char note[TEXT];
    *watch = NULL;
    if (settings->watch == INT64_MIN) {
        EVN_CHECK(!settings->watch_address, EVN_ERR_USAGE,
                  "--watch-address is where --watch serves; give --watch too");
        return EVN_OK;
    }
    const char *address = settings->watch_address ? settings->watch_address : "127.0.0.1";
    EVN_TRY(EVN_NEW(&w, 1));
    *w = (evn__watch){.folder = folder, .text = "begins"};
    pthread_mutex_init(&w->lock, NULL);
    evn_status status = evn__server_open(address, (int)settings->watch, documents,
                                         sizeof(documents) / sizeof(documents[0]), w, &w->server);
    if (status != EVN_OK) {
        evn__watch_end(&w);
        return status;
    }
    bool six = strchr(address, ':') != NULL;
    snprintf(note, sizeof(note), "http://%s%s%s:%d/", six ? "[" : "", address, six ? "]" : "",
             evn__server_port(w->server));
    evn__console_watch(note);
    *watch = w;
    return EVN_OK;
}

void evn__watch_tell(evn__watch *watch, const char *text) {
    if (watch) {
        pthread_mutex_lock(&watch->lock);
        snprintf(watch->text, sizeof(watch->text), "%s", text);
        pthread_mutex_unlock(&watch->lock);
    }
}

void evn__watch_renew(evn__watch *watch) {
    if (watch) {
        pthread_mutex_lock(&watch->lock);
        ++watch->version;
        pthread_mutex_unlock(&watch->lock);
    }
}

/// Whether a page is being looked at that has not seen the end.
static bool is_awaited(evn__watch *w) {
    pthread_mutex_lock(&w->lock);
    bool awaited = w->shown < w->version && evn__now() - w->asked_at < LOOKED_AT && w->asked_at > 0;
    pthread_mutex_unlock(&w->lock);
    return awaited;
}

static void linger(evn__watch *w) {
    const struct timespec pause = {0, 50000000};
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    ++w->version;
    snprintf(w->text, sizeof(w->text), "training has ended");
    pthread_mutex_unlock(&w->lock);
    for (double begun = evn__now(); is_awaited(w) && evn__now() - begun < LINGER;) {
        nanosleep(&pause, NULL);
    }
}

void evn__watch_end(evn__watch **watch) {
    evn__watch *w = *watch;
    if (!w) {
        return;
    }
    if (w->server) {
        linger(w);
    }
    evn__server_close(&w->server);
    pthread_mutex_destroy(&w->lock);
    free(w);
    *watch = NULL;
}
