// SPDX-License-Identifier: Apache-2.0
// Makes calls fail: NAME:K:CODE is the K-th call of an entry point, NAME:K:CODE:on that and all
// later ones, NAME:K:CODE:late an enqueue that is taken, whose error the next call that waits
// gives, NAME:K:CODE:hang one that never returns. NAME is any for the calls of all of them
// together, blocking for those in which the driver may work long.
#define _GNU_SOURCE
#include "../faults/places.h"
#include "layer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 1, WAITS = 2 | BLOCKS };

enum entry {
#define EXTENSION(name, type, parameters, arguments)     ENTRY_##name,
#define OBJECT(name, type, parameters, arguments, waits) ENTRY_##name,
#define POINTER(name, parameters, arguments)             ENTRY_##name,
#define STATUS(name, parameters, arguments, waits)       ENTRY_##name,
#include "entries.def"
    ANY,
    BLOCKING,
    ENTRIES
};

static const char *const names[ENTRIES] = {
#define EXTENSION(name, type, parameters, arguments)     #name,
#define OBJECT(name, type, parameters, arguments, waits) #name,
#define POINTER(name, parameters, arguments)             #name,
#define STATUS(name, parameters, arguments, waits)       #name,
#include "entries.def"
    "any",
    "blocking",
};

/// What becomes of the calls of an entry point; code 0: nothing.
static struct {
    long call;
    cl_int code;
    bool on, late, hangs;
    atomic_long calls;
} faults[ENTRIES];

static enum entry all = ANY; ///< whose calls are counted
static cl_icd_dispatch below;
static places_seen places;
static atomic_int pending;  ///< the code of a call that was taken; 0: none
static const char *counted; ///< where calls are counted; NULL: nowhere
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/// The code that a call fails with at once, by the fault of one entry point or of any.
static cl_int strike(enum entry entry) {
    long call = ++faults[entry].calls;
    if (counted && entry == all) {
        pthread_mutex_lock(&lock);
        places_note(&places, call);
        pthread_mutex_unlock(&lock);
    }
    bool meant = call == faults[entry].call || (faults[entry].on && call > faults[entry].call);
    if (!meant || !faults[entry].code) {
        return CL_SUCCESS;
    }
    while (faults[entry].hangs) {
        pause();
    }
    if (faults[entry].late) {
        pending = faults[entry].code;
        return CL_SUCCESS;
    }
    return faults[entry].code;
}

static cl_int begin(enum entry entry, int waits) {
    cl_int own = strike(entry), any = strike(ANY), blocking = waits ? strike(BLOCKING) : 0;
    return own ? own : any ? any : blocking;
}

__attribute__((destructor)) static void write_count(void) {
    if (counted) {
        places_write(&places, counted, faults[all].calls);
    }
}

/// What a call returns that went well, or did not, below. One that waits gives what is pending,
/// once.
static cl_int end(cl_int code, int waits) {
    bool told = waits == WAITS && code == CL_SUCCESS;
    return told ? atomic_exchange(&pending, CL_SUCCESS) : code;
}

#define STATUS(name, parameters, arguments, waits)                                                 \
    static cl_int CL_API_CALL faulty_##name parameters {                                           \
        cl_int fault = begin(ENTRY_##name, waits);                                                 \
        return fault ? fault : end(below.name arguments, waits);                                   \
    }
#define OBJECT(name, type, parameters, arguments, waits)                                           \
    static type CL_API_CALL faulty_##name parameters {                                             \
        cl_int fault = begin(ENTRY_##name, waits);                                                 \
        if (!fault) {                                                                              \
            fault = end(CL_SUCCESS, waits);                                                        \
        }                                                                                          \
        if (fault && code) {                                                                       \
            *code = fault;                                                                         \
        }                                                                                          \
        return fault ? NULL : below.name arguments;                                                \
    }
#define EXTENSION(name, type, parameters, arguments)                                               \
    static type(CL_API_CALL *below_##name) parameters;                                             \
    static type CL_API_CALL faulty_##name parameters {                                             \
        cl_int fault = begin(ENTRY_##name, 0);                                                     \
        if (fault && code) {                                                                       \
            *code = fault;                                                                         \
        }                                                                                          \
        return fault ? NULL : below_##name arguments;                                              \
    }
#include "entries.def"

/// What is asked for by name: with faults where they know it, else as it is.
static void *with_faults(const char *asked, void *found) {
#define EXTENSION(name, type, parameters, arguments)                                               \
    if (found && strcmp(asked, #name) == 0) {                                                      \
        memcpy(&below_##name, &found, sizeof(found));                                              \
        type(CL_API_CALL *own) parameters = faulty_##name;                                         \
        memcpy(&found, &own, sizeof(found));                                                       \
    }
#include "entries.def"
    return found;
}

#define POINTER(entry, parameters, arguments)                                                      \
    static void *CL_API_CALL faulty_##entry parameters {                                           \
        return begin(ENTRY_##entry, 0) ? NULL : with_faults(name, below.entry arguments);          \
    }
#include "entries.def"

static enum entry find(const char *name, const char *fault) {
    for (int i = 0; name && i < ENTRIES; ++i) {
        if (strcmp(name, names[i]) == 0) {
            return (enum entry)i;
        }
    }
    layer_fail("EVN_LAYER_FAULT: %s: entries.def has no %s", fault,
               name ? name : "name that is empty");
}

static long parse(const char *text, const char *fault) {
    char *rest;
    long number = text ? strtol(text, &rest, 10) : 0;
    if (!text || rest == text || *rest) {
        layer_fail("EVN_LAYER_FAULT: %s is no NAME:K:CODE, with :on or :late behind it or not",
                   fault);
    }
    return number;
}

static void add(const char *fault) {
    char *words = strdup(fault), *rest = words;
    if (!words) {
        layer_fail("no memory for a fault");
    }
    enum entry entry = find(strtok_r(rest, ":", &rest), fault);
    long call = parse(strtok_r(NULL, ":", &rest), fault);
    long code = parse(strtok_r(NULL, ":", &rest), fault);
    const char *manner = strtok_r(NULL, ":", &rest);
    if (faults[entry].code) {
        layer_fail("EVN_LAYER_FAULT: %s: %s has a fault already", fault, names[entry]);
    }
    if (strtok_r(NULL, ":", &rest)) {
        layer_fail("EVN_LAYER_FAULT: %s: nothing comes behind on or late", fault);
    }
    faults[entry].call = call;
    faults[entry].code = (cl_int)code;
    faults[entry].on = manner && strcmp(manner, "on") == 0;
    faults[entry].late = manner && strcmp(manner, "late") == 0;
    faults[entry].hangs = manner && strcmp(manner, "hang") == 0;
    if (call < 1 || code >= 0) {
        layer_fail("EVN_LAYER_FAULT: %s: calls count from 1, codes are below 0", fault);
    }
    if (manner && !faults[entry].on && !faults[entry].late && !faults[entry].hangs) {
        layer_fail("EVN_LAYER_FAULT: %s: \"%s\" is neither on nor late", fault, manner);
    }
    if (faults[entry].late && entry != ANY && strncmp(names[entry], "clEnqueue", 9) != 0) {
        layer_fail("EVN_LAYER_FAULT: %s: only what is enqueued can fail late", fault);
    }
    free(words);
}

static void add_all(const char *value) {
    char *list = strdup(value), *rest = list;
    if (!list) {
        layer_fail("no memory for a fault");
    }
    for (const char *fault; (fault = strtok_r(rest, ",", &rest));) {
        add(fault);
    }
    free(list);
}

long evn_layer_plan(const char *value) {
    long calls = faults[ANY].calls;
    memset(faults, 0, sizeof(faults));
    pending = CL_SUCCESS;
    if (value) {
        add_all(value);
    }
    return calls;
}

void layer_fault_begin(const char *value, cl_icd_dispatch *table) {
    add_all(value);
    all = faults[BLOCKING].code ? BLOCKING : ANY;
    counted = getenv("EVN_LAYER_FAULT_COUNT");
    unsetenv("EVN_LAYER_FAULT_COUNT"); // of this process alone
    below = *table;
#define OBJECT(name, type, parameters, arguments, waits) table->name = faulty_##name;
#define POINTER(name, parameters, arguments)             table->name = faulty_##name;
#define STATUS(name, parameters, arguments, waits)       table->name = faulty_##name;
#include "entries.def"
}
