// SPDX-License-Identifier: Apache-2.0
#include "report/page.h"

#include "report/curves.h"
#include "report/document.h"
#include "report/html.h"
#include "report/runs.h"
#include "report/tables.h"

#include <stdlib.h>

struct evn__page {
    evn__reported *runs;
    int count;
};

evn_status evn__page_read(const char *const *folders, int count, bool (*iterates)(const char *task),
                          evn__page **page) {
    evn__page *p = NULL;
    EVN_TRY(EVN_NEW(&p, 1));
    evn_status status = EVN_NEW(&p->runs, count);
    for (int i = 0; i < count && status == EVN_OK; ++i) {
        p->count = i + 1;
        status = evn__reported_read(folders[i], &p->runs[i]);
        const char *task = json_string_value(json_object_get(p->runs[i].run, "task"));
        p->runs[i].iterates = task && iterates(task);
    }
    if (status != EVN_OK) {
        evn__page_destroy(&p);
        return status;
    }
    *page = p;
    return EVN_OK;
}

void evn__page_destroy(evn__page **page) {
    evn__page *p = *page;
    if (!p) {
        return;
    }
    for (int i = 0; i < p->count; ++i) {
        evn__reported_free(&p->runs[i]);
    }
    free(p->runs);
    free(p);
    *page = NULL;
}

// Pictures ----------------------------------------------------------------------------------------

static void put_picture(const evn__reported *run, int index, evn__text *html) {
    unsigned char *data;
    size_t size;
    evn__text_append(html, "<figure><figcaption>");
    evn__html_text(html, run->pictures[index]);
    evn__text_append(html, "</figcaption>");
    evn_status status = evn__reported_picture(run, index, &data, &size);
    if (status == EVN_OK) {
        evn__text_append(html, "<img loading=\"lazy\" alt=\"");
        evn__html_text(html, run->pictures[index]);
        evn__text_append(html, "\" src=\"data:image/png;base64,");
        evn__html_base64(html, data, size);
        evn__text_append(html, "\">");
        free(data);
    } else if (status == EVN_ERR_MEMORY) {
        html->status = html->status == EVN_OK ? status : html->status;
    } else { // it went meanwhile, or is too large
        evn__text_append(html, "<p class=\"faint\">");
        evn__html_text(html, evn_error_message());
        evn__text_append(html, "</p>");
    }
    evn__text_append(html, "</figure>\n");
}

static void put_pictures(const evn__page *page, evn__text *html) {
    bool any = false;
    for (int i = 0; i < page->count; ++i) {
        const evn__reported *run = &page->runs[i];
        if (run->picture_count == 0) {
            continue;
        }
        evn__text_append(html, any ? "" : "<h2>Pictures</h2>\n");
        any = true;
        if (page->count > 1) {
            evn__text_append(html, "<h3>");
            evn__html_text(html, run->folder);
            evn__text_append(html, "</h3>");
        }
        evn__text_append(html, "<div class=\"grid pictures\">\n");
        for (int k = 0; k < run->picture_count; ++k) {
            put_picture(run, k, html);
        }
        evn__text_append(html, "</div>\n");
    }
}

// The document ------------------------------------------------------------------------------------

static void put_heading(const evn__page *page, evn__text *html) {
    if (page->count == 1) {
        evn__html_text(html, page->runs[0].folder);
    } else {
        evn__text_append(html, "%d runs", page->count);
    }
}

void evn__page_put_main(const evn__page *page, evn__text *html) {
    evn__text_append(html, "<h1>");
    put_heading(page, html);
    evn__text_append(html, "</h1>\n");
    evn__tables_put_results(page->runs, page->count, html);
    evn__curves_put(page->runs, page->count, html);
    evn__tables_put_evaluations(page->runs, page->count, html);
    put_pictures(page, html);
    evn__tables_put_settings(page->runs, page->count, html);
}

void evn__page_put(const evn__page *page, bool live, evn__text *html) {
    evn__text title = {0};
    if (page->count == 1) {
        evn__text_append(&title, "%s", page->runs[0].folder);
    } else {
        evn__text_append(&title, "%d runs", page->count);
    }
    evn__document_begin(title.data ? title.data : "",
                        live ? "; script-src 'unsafe-inline'; connect-src 'self'" : "", html);
    evn__text_need(html, &title);
    free(title.data);
    evn__text_append(html, "%s<main>\n", live ? "<p id=\"live\">…</p>\n" : "");
    evn__page_put_main(page, html);
    evn__text_append(html, "</main>\n");
    evn__document_end(live ? "page.js" : NULL, html);
}
