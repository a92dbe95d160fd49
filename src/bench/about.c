// SPDX-License-Identifier: Apache-2.0
#include "bench/about.h"

#include "base/json.h"
#include "base/names.h"
#include "evonode/version.h"
#include "host/device_json.h"
#include "host/tuning.h"
#include "tune/selftest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/// What the program was compiled by, and for.
static json_t *show_compiler(void) {
#if defined(__clang__)
    const char *compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
    const char *compiler = "gcc " __VERSION__;
#else
    const char *compiler = "unknown";
#endif
#if defined(__x86_64__)
    const char *machine = "x86-64";
#elif defined(__aarch64__)
    const char *machine = "arm64";
#else
    const char *machine = "unknown";
#endif
#if defined(__linux__)
    const char *system = "Linux";
#elif defined(__APPLE__)
    const char *system = "macOS";
#else
    const char *system = "unknown";
#endif
    return json_pack("{s:s, s:s, s:s}", "compiler", compiler, "machine", machine, "system", system);
}

static json_t *show_host(void) {
    json_t *host = show_compiler();
    evn__json_put(host, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    return host;
}

void evn__bench_hide_paths(char *text) {
    char shown[512];
    size_t used = 0;
    for (const char *at = text; *at && used + 8 < sizeof(shown);) {
        size_t space = strspn(at, " \n\t\"'(),"), word = strcspn(at + space, " \n\t\"'(),");
        const char *from = at + space;
        bool path = word > 1 && (memchr(from, '/', word) || memchr(from, '\\', word));
        used += (size_t)snprintf(shown + used, sizeof(shown) - used, "%.*s%.*s", (int)space, at,
                                 path ? (int)strlen("…") : (int)word, path ? "…" : from);
        used = used < sizeof(shown) ? used : sizeof(shown) - 1;
        at = from + word;
    }
    size_t length = strlen(text);
    snprintf(text, length + 1, "%s", used ? shown : "");
}

static void add_selftest_row(void *user, const evn__selftest_row *row) {
    json_t *rows = user;
    char reason[sizeof(row->reason)];
    evn__printable(row->reason, reason, sizeof(reason));
    evn__bench_hide_paths(reason);
    evn__json_append(rows, json_pack("{s:s, s:s, s:i, s:i, s:o, s:f, s:s}", "family", row->family,
                                     "precision", row->fp64 ? "fp64" : "fp32", "cases", row->cases,
                                     "wrong", row->wrong, "difference",
                                     isfinite(row->error) ? json_real(row->error) : json_null(),
                                     "tolerance", row->tolerance, "reason", reason));
}

static evn_status run_selftest(evn_device *device, json_t *about) {
    int wrong = 0;
    json_t *rows = json_array();
    evn_status status = evn__selftest(device, NULL, add_selftest_row, rows, &wrong);
    evn__json_put(about, "selftest", json_pack("{s:i, s:o}", "wrong", wrong, "families", rows));
    return status;
}

static json_t *show_date(void) {
    char text[16] = "";
    time_t now = time(NULL);
    strftime(text, sizeof(text), "%Y-%m-%d", gmtime(&now));
    return json_string(text);
}

evn_status evn__bench_about(evn_device *device, bool quick, bool selftest, json_t **about) {
    char digest[33];
    EVN_TRY(evn__tuning_digest(device, digest));
    json_t *root =
        json_pack("{s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "evonode", evn_version(), "date",
                  show_date(), "quick", quick, "device", evn__device_json_open(device), "host",
                  show_host(), "tuning", digest[0] ? json_string(digest) : json_null(), "tuned",
                  evn__tuning_json(device), "power", evn__bench_power(evn__bench_power_folder));
    EVN_CHECK(root, EVN_ERR_MEMORY, "no memory for what is said of the device");
    evn_status status = selftest ? run_selftest(device, root) : EVN_OK;
    if (status != EVN_OK) {
        json_decref(root);
        return status;
    }
    *about = root;
    return EVN_OK;
}
