// SPDX-License-Identifier: Apache-2.0
// Where the power comes from: a laptop on its battery computes slower.
#include "bench/about.h"

#include "base/json.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 1024, VALUE = 32 };

const char evn__bench_power_folder[] = "/sys/class/power_supply";

/// A line of a supply's; "" where it has none.
static const char *read_line(const char *folder, const char *supply, const char *name,
                             char value[VALUE]) {
    char path[PATH_SIZE];
    value[0] = 0;
    int length = snprintf(path, sizeof(path), "%s/%s/%s", folder, supply, name);
    FILE *file = length < (int)sizeof(path) ? fopen(path, "r") : NULL;
    if (file) {
        value[fread(value, 1, VALUE - 1, file)] = 0;
        value[strcspn(value, "\n")] = 0;
        fclose(file);
    }
    return value;
}

typedef struct power {
    json_t *batteries;
    bool mains, discharging;
} power;

static void add_supply(power *p, const char *folder, const char *supply) {
    char type[VALUE], value[VALUE];
    read_line(folder, supply, "type", type);
    if (strcmp(read_line(folder, supply, "scope", value), "Device") == 0) {
        return; // of a mouse or the like
    }
    if (strcmp(type, "Battery") == 0) {
        json_t *battery = json_object();
        read_line(folder, supply, "status", value);
        p->discharging = p->discharging || strcmp(value, "Discharging") == 0;
        evn__json_put(battery, "status", json_string(value));
        read_line(folder, supply, "capacity", value);
        evn__json_put(battery, "percent",
                      value[0] ? json_integer(strtol(value, NULL, 10)) : json_null());
        evn__json_append(p->batteries, battery);
    } else if (strcmp(type, "Mains") == 0 || strcmp(type, "USB") == 0) {
        read_line(folder, supply, "online", value); // 0: no; 1, 2: at a fixed, a chosen voltage
        p->mains = p->mains || (value[0] && strcmp(value, "0") != 0);
    }
}

json_t *evn__bench_power(const char *folder) {
    power p = {.batteries = json_array()};
    DIR *stream = opendir(folder);
    for (struct dirent *entry = stream ? readdir(stream) : NULL; entry; entry = readdir(stream)) {
        if (entry->d_name[0] != '.') {
            add_supply(&p, folder, entry->d_name);
        }
    }
    if (stream) {
        closedir(stream);
    }
    const char *source = p.discharging ? "battery" : p.mains ? "mains" : "unknown";
    return json_pack("{s:s, s:o}", "source", source, "batteries", p.batteries);
}
