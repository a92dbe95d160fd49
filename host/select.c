// SPDX-License-Identifier: Apache-2.0
// Which device a selector names. Pure: it sees descriptions only.
#include "base/memory.h"
#include "host/list.h"
#include "host/runtime.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/// Types a word accepts, the most preferred first; ends at TYPE_END.
enum { TYPE_END = -1 };

static const struct {
    const char *word;
    int types[5];
} words[] = {
    {"auto",
     {EVN_DEVICE_GPU, EVN_DEVICE_GPU_INTEGRATED, EVN_DEVICE_CPU, EVN_DEVICE_ACCELERATOR, TYPE_END}},
    {"gpu", {EVN_DEVICE_GPU, EVN_DEVICE_GPU_INTEGRATED, TYPE_END}},
    {"igpu", {EVN_DEVICE_GPU_INTEGRATED, TYPE_END}},
    {"cpu", {EVN_DEVICE_CPU, TYPE_END}},
};

/// "0:0 name (cpu of platform); 1:0 name (gpu of platform, unusable: why)" of those for which
/// `keep` holds, or of all.
static void describe(evn__text *text, const evn_device_info *infos, int count, const bool *keep) {
    const char *between = "";
    for (int i = 0; i < count; ++i) {
        if (keep && !keep[i]) {
            continue;
        }
        const evn_device_info *info = &infos[i];
        evn__text_append(text, "%s%d:%d %s (%s of %s%s%s)", between, info->platform, info->device,
                         info->name, evn_device_type_name(info->type), info->platform_name,
                         info->usable ? "" : ", unusable: ", info->unusable);
        between = "; ";
    }
}

/// Fail with the list of devices behind `reason`.
static evn_status fail(evn_status status, const evn_device_info *infos, int count, const bool *keep,
                       const char *selector, const char *reason) {
    evn__text list = {0};
    describe(&list, infos, count, keep);
    if (list.status == EVN_OK) {
        status = evn__fail(__FILE__, __LINE__, status, "device \"%s\" %s: %s", selector, reason,
                           list.data ? list.data : "");
    } else {
        status = list.status;
    }
    free(list.data);
    return status;
}

static evn_status check_usable(const evn_device_info *infos, int count, const char *selector,
                               int chosen) {
    if (!infos[chosen].usable) {
        return fail(EVN_ERR_DEVICE_NAME, infos, count, NULL, selector,
                    "cannot be used; choose another of");
    }
    return EVN_OK;
}

static evn_status select_place(const evn_device_info *infos, int count, const char *selector,
                               int platform, int device, int *chosen) {
    for (int i = 0; i < count; ++i) {
        if (infos[i].platform == platform && infos[i].device == device) {
            *chosen = i;
            return check_usable(infos, count, selector, i);
        }
    }
    return fail(EVN_ERR_DEVICE_NAME, infos, count, NULL, selector,
                "does not exist; there are (platform:device)");
}

static evn_status select_index(const evn_device_info *infos, int count, const char *selector,
                               int index, int *chosen) {
    if (index >= count) {
        return fail(EVN_ERR_DEVICE_NAME, infos, count, NULL, selector,
                    "is past the last index; there are, counted from 0");
    }
    *chosen = index;
    return check_usable(infos, count, selector, index);
}

/// The first usable device of the most preferred type that has one.
static evn_status select_type(const evn_device_info *infos, int count, const char *selector,
                              const int *types, int *chosen) {
    bool any = false;
    for (; *types != TYPE_END; ++types) {
        for (int i = 0; i < count; ++i) {
            if ((int)infos[i].type == *types && infos[i].usable) {
                *chosen = i;
                return EVN_OK;
            }
        }
    }
    for (int i = 0; i < count; ++i) {
        any = any || infos[i].usable;
    }
    return fail(any ? EVN_ERR_DEVICE_NAME : EVN_ERR_NO_DEVICE, infos, count, NULL, selector,
                any ? "is not in this machine; choose one of" : "found no usable device among");
}

static bool contains(const char *text, const char *part) {
    size_t length = strlen(part);
    for (; *text; ++text) {
        if (strncasecmp(text, part, length) == 0) {
            return true;
        }
    }
    return false;
}

/// What a word can be a part of.
typedef const char *text_of(const evn_device_info *info);

static const char *device_name(const evn_device_info *info) {
    return info->name;
}

/// PoCL's platform has the name that nobody calls it by.
static const char *platform_name(const evn_device_info *info) {
    bool pocl = strstr(info->platform_name, "Portable Computing Language");
    return pocl ? "PoCL (Portable Computing Language)" : info->platform_name;
}

/// A name written in full beats names that only contain it; unusable devices count only when no
/// usable one matches.
static int name_rank(const evn_device_info *info, text_of *of, const char *part) {
    if (!contains(of(info), part)) {
        return 0;
    }
    return 1 + (strcasecmp(of(info), part) == 0) + 2 * info->usable;
}

/// Marks those of the best rank. Returns how many.
static int keep_best(const evn_device_info *infos, int count, text_of *of, const char *part,
                     bool *keep, int *chosen) {
    int best = 0, matches = 0;
    for (int i = 0; i < count; ++i) {
        int rank = name_rank(&infos[i], of, part);
        best = rank > best ? rank : best;
    }
    for (int i = 0; best && i < count; ++i) {
        keep[i] = name_rank(&infos[i], of, part) == best;
        matches += keep[i];
        *chosen = keep[i] ? i : *chosen;
    }
    return matches;
}

/// By a device's name; where none has it, by its platform's.
static evn_status select_name(const evn_device_info *infos, int count, const char *selector,
                              int *chosen) {
    bool *keep;
    EVN_TRY(EVN_NEW(&keep, count));
    int matches = keep_best(infos, count, device_name, selector, keep, chosen);
    if (matches == 0) {
        matches = keep_best(infos, count, platform_name, selector, keep, chosen);
    }
    evn_status status;
    if (matches == 0) {
        status = fail(EVN_ERR_DEVICE_NAME, infos, count, NULL, selector,
                      "is no part of any device's or platform's name; there are");
    } else if (matches > 1) {
        status = fail(EVN_ERR_DEVICE_NAME, infos, count, keep, selector,
                      "fits several devices; write the platform:device of one of");
    } else {
        status = check_usable(infos, count, selector, *chosen);
    }
    free(keep);
    return status;
}

/// Decimal digits only, at most six of them, so that it fits an int; −1 otherwise.
static int parse_number(const char *text, const char **end) {
    int value = 0, digits = 0;
    for (; isdigit((unsigned char)*text) && digits < 6; ++text, ++digits) {
        value = value * 10 + (*text - '0');
    }
    *end = text;
    return digits > 0 ? value : -1;
}

evn_status evn__device_select(const evn_device_info *infos, int count, const char *selector,
                              int *chosen) {
    const char *end;
    int first = parse_number(selector, &end);
    if (first >= 0 && *end == 0) {
        return select_index(infos, count, selector, first, chosen);
    }
    if (first >= 0 && *end == ':') {
        int second = parse_number(end + 1, &end);
        if (second >= 0 && *end == 0) {
            return select_place(infos, count, selector, first, second, chosen);
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); ++i) {
        if (strcasecmp(selector, words[i].word) == 0) {
            return select_type(infos, count, selector, words[i].types, chosen);
        }
    }
    return select_name(infos, count, selector, chosen);
}

// Why it took what it took ------------------------------------------------------------------------

/// What people call devices of a type.
static const char *const kinds[] = {
    [EVN_DEVICE_CPU] = "CPU",
    [EVN_DEVICE_GPU] = "GPU with memory of its own",
    [EVN_DEVICE_GPU_INTEGRATED] = "integrated GPU",
    [EVN_DEVICE_ACCELERATOR] = "accelerator",
};

static int count_usable(const evn_device_info *infos, int count, evn_device_type type) {
    int usable = 0;
    for (int i = 0; i < count; ++i) {
        usable += infos[i].usable && infos[i].type == type;
    }
    return usable;
}

/// The first unusable GPU, which would have come before any other; −1: there is none.
static int find_lost_gpu(const evn_device_info *infos, int count) {
    for (int i = 0; i < count; ++i) {
        bool gpu = infos[i].type == EVN_DEVICE_GPU || infos[i].type == EVN_DEVICE_GPU_INTEGRATED;
        if (gpu && !infos[i].usable) {
            return i;
        }
    }
    return -1;
}

void evn__device_reason(const evn_device_info *infos, int count, int chosen, char *text,
                        size_t size) {
    const evn_device_info *info = &infos[chosen];
    int same = count_usable(infos, count, info->type), usable = 0;
    for (int i = 0; i < count; ++i) {
        usable += infos[i].usable;
    }
    int written = snprintf(text, size, "%s %s%s", same == 1 ? "the only" : "the first",
                           same == usable && same == 1 ? "usable device" : kinds[info->type],
                           same == usable                 ? ""
                           : info->type == EVN_DEVICE_GPU ? ", which comes before other devices"
                           : info->type == EVN_DEVICE_GPU_INTEGRATED ? ", which comes before CPUs"
                                                                     : "");
    int lost = info->type == EVN_DEVICE_GPU ? -1 : find_lost_gpu(infos, count);
    if (lost >= 0 && written > 0 && (size_t)written < size) {
        snprintf(text + written, size - (size_t)written, "; the GPU %s cannot be used: %s",
                 infos[lost].name, infos[lost].unusable);
    }
}

int evn__device_auto(const evn_device_info *infos, int count, char *reason, size_t size) {
    int chosen;
    if (evn__device_select(infos, count, "auto", &chosen) != EVN_OK) {
        return -1;
    }
    evn__device_reason(infos, count, chosen, reason, size);
    return chosen;
}
