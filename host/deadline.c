// SPDX-License-Identifier: Apache-2.0
#include "host/deadline.h"

#include "base/clock.h"
#include "base/memory.h"
#include "host/runtime.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static const double LOOKS = 8, LOOK_MAX = 1; // in a deadline; seconds between two

typedef struct evn__deadline {
    double seconds;
    evn__late *late;
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; ///< of what follows
    pthread_cond_t over;
    bool ended;
    const char *what; ///< NULL: nothing is waited for
    double lasted;    ///< seconds in which this process ran, too
    double seen;      ///< when that was added up last
} evn__deadline;

static double pause_of(const evn__deadline *d) {
    return d->seconds / LOOKS < LOOK_MAX ? d->seconds / LOOKS : LOOK_MAX;
}

static void wait_for_look(evn__deadline *d, double pause) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    long long nanoseconds = until.tv_nsec + (long long)(pause * 1e9);
    until.tv_sec += (time_t)(nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(&d->over, &d->lock, &until);
}

/// A process that was stopped, or a machine that slept, did not wait: a look counts for its pause,
/// and for as much again on a busy machine.
static void add_up(evn__deadline *d, double pause) {
    double now = evn__now(), passed = now - d->seen;
    d->lasted += passed < 2 * pause ? passed : 2 * pause;
    d->seen = now;
}

static void *look(void *user) {
    evn__deadline *d = user;
    double pause = pause_of(d);
    bool told = false;
    pthread_mutex_lock(&d->lock);
    while (!d->ended && !told) {
        wait_for_look(d, pause);
        if (d->what) {
            add_up(d, pause);
            told = d->lasted > d->seconds;
        }
        if (told) {
            d->late(d->user, d->what, d->lasted);
        }
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

evn_status evn__device_set_deadline(evn_device *device, double seconds, evn__late *late,
                                    void *user) {
    evn__deadline *d;
    evn__deadline_free(device);
    if (seconds <= 0) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&d, 1));
    d->seconds = seconds;
    d->late = late;
    d->user = user;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->over, NULL);
    if (pthread_create(&d->thread, NULL, look, d) != 0) {
        pthread_cond_destroy(&d->over);
        pthread_mutex_destroy(&d->lock);
        free(d);
        EVN_FAIL(EVN_ERR_MEMORY, "no thread can be had to watch the device; close some programs");
    }
    device->deadline = d;
    return EVN_OK;
}

void evn__deadline_begin(const evn_device *device, const char *what) {
    evn__deadline *d = device->deadline;
    if (d) {
        pthread_mutex_lock(&d->lock);
        d->what = what;
        d->lasted = 0;
        d->seen = evn__now();
        pthread_mutex_unlock(&d->lock);
    }
}

void evn__deadline_end(const evn_device *device) {
    evn__deadline *d = device->deadline;
    if (d) {
        pthread_mutex_lock(&d->lock);
        d->what = NULL;
        pthread_mutex_unlock(&d->lock);
    }
}

void evn__deadline_free(evn_device *device) {
    evn__deadline *d = device->deadline;
    if (!d) {
        return;
    }
    pthread_mutex_lock(&d->lock);
    d->ended = true;
    pthread_cond_signal(&d->over);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->over);
    pthread_mutex_destroy(&d->lock);
    free(d);
    device->deadline = NULL;
}
