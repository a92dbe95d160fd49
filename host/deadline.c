// SPDX-License-Identifier: Apache-2.0
#include "host/deadline.h"

#include "base/clock.h"
#include "base/memory.h"
#include "host/runtime.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static const double LOOKS = 8, LOOK_MAX = 1; // in a deadline; seconds between two

struct evn__deadline {
    double seconds;
    evn__late *late;
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; ///< of `ended`
    pthread_cond_t over;
    bool ended;
    _Atomic(const char *) what; ///< NULL: nothing is waited for
    atomic_uint turn;           ///< of the calls so far: another call is another turn
    unsigned looked;            ///< the rest is the thread's: the turn of its last look
    double lasted;              ///< seconds in which this process ran, too
    double seen;                ///< when that was added up last
};

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

/// Whether the call of the last look has lasted for too long. A new one counts from this look on.
static bool is_late(evn__deadline *d, const char *what, double pause) {
    unsigned turn = atomic_load(&d->turn);
    if (!what || turn != d->looked) {
        d->looked = turn;
        d->lasted = 0;
        d->seen = evn__now();
        return false;
    }
    add_up(d, pause);
    return d->lasted > d->seconds;
}

static void *look(void *user) {
    evn__deadline *d = user;
    double pause = pause_of(d);
    bool told = false;
    pthread_mutex_lock(&d->lock);
    while (!d->ended && !told) {
        wait_for_look(d, pause);
        const char *what = atomic_load(&d->what);
        told = is_late(d, what, pause);
        if (told) {
            d->late(d->user, what, d->lasted);
        }
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

evn_status evn__deadline_create(double seconds, evn__late *late, void *user,
                                evn__deadline **deadline) {
    evn__deadline *d;
    *deadline = NULL;
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
    *deadline = d;
    return EVN_OK;
}

void evn__deadline_destroy(evn__deadline **deadline) {
    evn__deadline *d = *deadline;
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
    *deadline = NULL;
}

void evn__deadline_enter(evn__deadline *deadline, const char *what) {
    if (deadline) {
        unsigned turn = atomic_load_explicit(&deadline->turn, memory_order_relaxed);
        atomic_store_explicit(&deadline->turn, turn + 1, memory_order_relaxed); // one thread writes
        atomic_store_explicit(&deadline->what, what, memory_order_release);
    }
}

void evn__deadline_leave(evn__deadline *deadline) {
    if (deadline) {
        atomic_store_explicit(&deadline->what, NULL, memory_order_release);
    }
}

// Of a device -------------------------------------------------------------------------------------

evn_status evn__device_set_deadline(evn_device *device, double seconds, evn__late *late,
                                    void *user) {
    evn__deadline_free(device);
    return evn__deadline_create(seconds, late, user, &device->deadline);
}

void evn__deadline_begin(const evn_device *device, const char *what) {
    evn__deadline_enter(device->deadline, what);
}

void evn__deadline_end(const evn_device *device) {
    evn__deadline_leave(device->deadline);
}

void evn__deadline_free(evn_device *device) {
    evn__deadline_destroy(&device->deadline);
}
