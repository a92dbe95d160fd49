// SPDX-License-Identifier: Apache-2.0
#include "report/document.h"

#include "base/embedded.h"
#include "evonode/version.h"
#include "report/html.h"

static void put_embedded(const char *name, evn__text *html) {
    evn__text_append(html, "%s", (const char *)evn__embedded_find(evn__embedded_page, name)->data);
}

void evn__document_begin(const char *title, const char *policy, evn__text *html) {
    evn__text_append(html,
                     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "img-src data:; style-src 'unsafe-inline'%s\">\n<title>",
                     policy);
    evn__html_text(html, title);
    evn__text_append(html, " – evonode</title>\n<style>\n");
    put_embedded("page.css", html);
    evn__text_append(html, "</style>\n</head>\n<body>\n");
}

void evn__document_end(const char *script, evn__text *html) {
    evn__text_append(html, "<footer>evonode %s</footer>\n", evn_version());
    if (script) {
        evn__text_append(html, "<script>\n");
        put_embedded(script, html);
        evn__text_append(html, "</script>\n");
    }
    evn__text_append(html, "</body>\n</html>\n");
}
