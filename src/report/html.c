// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include "base/json.h"
#include "base/names.h"
#include "base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void evn__html_text(evn__text *html, const char *text) {
    static const struct {
        char character;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    size_t size = 4 * strlen(text) + 16;
    char *shown = malloc(size);
    if (!shown) {
        html->status = evn__fail(__FILE__, __LINE__, EVN_ERR_MEMORY, "no memory for a page");
        return;
    }
    for (const char *at = evn__printable(text, shown, size); *at; ++at) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); ++i) {
            entity = entities[i].character == *at ? entities[i].entity : entity;
        }
        if (entity) {
            evn__text_append(html, "%s", entity);
        } else {
            evn__text_append(html, "%c", *at);
        }
    }
    free(shown);
}

void evn__html_number(evn__text *html, double value, const char *unit) {
    static const struct {
        const char *unit, *format;
        double scale;
    } formats[] = {{"fraction", "%.2f %%", 100},
                   {"s", "%.4g s", 1},
                   {"count", "%.0f", 1},
                   {"bytes", "%.4g MiB", 1.0 / (1 << 20)},
                   {"nats", "%.4g nats", 1}};
    if (!isfinite(value)) {
        evn__text_append(html, "–");
        return;
    }
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); ++i) {
        if (strcmp(formats[i].unit, unit) == 0) {
            // The formats are those above: one double each.
            char text[64];
            evn__print(text, sizeof(text), formats[i].format, formats[i].scale * value);
            evn__text_append(html, "%s", text);
            return;
        }
    }
    evn__text_append(html, "%.4g ", value);
    evn__html_text(html, unit);
}

void evn__html_value(evn__text *html, const json_t *value) {
    if (json_is_string(value)) {
        evn__html_text(html, json_string_value(value));
        return;
    }
    evn__text text = {0};
    if (value && !json_is_null(value)) {
        evn__json_show(value, 0, 6, &text);
    } else {
        evn__text_append(&text, "–");
    }
    evn__text_need(html, &text);
    evn__html_text(html, text.status == EVN_OK ? text.data : "");
    free(text.data);
}

void evn__html_base64(evn__text *html, const unsigned char *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { BLOCK = 1024 };
    char block[BLOCK + 1];
    size_t used = 0;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned value = (unsigned)data[i] << 16 | (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        block[used++] = digits[value >> 18];
        block[used++] = digits[value >> 12 & 63];
        block[used++] = left > 1 ? digits[value >> 6 & 63] : '=';
        block[used++] = left > 2 ? digits[value & 63] : '=';
        if (used == BLOCK || left <= 3) {
            block[used] = 0;
            evn__text_append(html, "%s", block);
            used = 0;
        }
    }
}
