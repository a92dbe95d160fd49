// SPDX-License-Identifier: Apache-2.0
#include "events/event_found.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void evn__event_list_clear(evn__event_list *list) {
    for (int i = 0; i < list->count; ++i) {
        free(list->all[i].x);
    }
    list->count = 0;
}

void evn__event_list_free(evn__event_list *list) {
    evn__event_list_clear(list);
    free(list->all);
    *list = (evn__event_list){0};
}

evn_status evn__event_list_add(evn__event_list *list, int row, int event, double t, size_t size,
                               double **x) {
    EVN_TRY(EVN_RESERVE(list->all, list->capacity, list->count + 1));
    EVN_TRY(EVN_NEW(x, size));
    list->all[list->count++] = (evn__event_found){.row = row, .event = event, .t = t, .x = *x};
    return EVN_OK;
}

void evn__event_list_drop(evn__event_list *list, int row, int count) {
    for (int i = list->count - 1; i >= 0 && count > 0; --i) {
        if (list->all[i].row == row) {
            free(list->all[i].x);
            memmove(list->all + i, list->all + i + 1,
                    sizeof(*list->all) * (size_t)(--list->count - i));
            --count;
        }
    }
}

void evn__event_list_close(evn__event_list *list, int row, double t0, double t, int event,
                           double width) {
    double way = fabs(t - t0);
    int kept = 0;
    for (int i = 0; i < list->count; ++i) {
        evn__event_found one = list->all[i];
        if (one.row == row) {
            double over = fabs(one.t - t0) - way;
            one.t = over > 0 ? t : one.t;
            one.way = fabs(one.t - t0);
            one.ends = one.event == event && one.way == way;
            if (over > width) {
                free(one.x);
                continue;
            }
        }
        list->all[kept++] = one;
    }
    list->count = kept;
}

static int compare(const void *a, const void *b) {
    const evn__event_found *p = a, *q = b;
    if (p->row != q->row) {
        return p->row < q->row ? -1 : 1;
    }
    if (p->way != q->way) {
        return p->way < q->way ? -1 : 1;
    }
    return p->ends != q->ends ? p->ends - q->ends : p->event - q->event;
}

void evn__event_list_sort(evn__event_list *list) {
    if (list->count > 0) {
        qsort(list->all, (size_t)list->count, sizeof(*list->all), compare);
    }
}
