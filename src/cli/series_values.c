// SPDX-License-Identifier: Apache-2.0
// Values of a series at times that the user names, or that follow from its own.
#include "cli/answers.h"
#include "cli/series.h"
#include "cli/verb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES = 100, TIME_DIGITS = 15, DIGITS = 9, LIST = 256 };

/// Trajectories at times, in the order of the answers.
typedef struct question {
    const evn__time_series *series;
    evn__request *requests;
    int64_t count;
} question;

// Their own times ---------------------------------------------------------------------------------

static evn_status ask_own(question *q) {
    const evn__time_series *s = q->series;
    EVN_TRY(EVN_NEW(&q->requests, s->rows));
    for (int i = 0; i < s->track_count; ++i) {
        for (int64_t k = 0; k < s->tracks[i].count; ++k) {
            q->requests[q->count++] = (evn__request){i, s->t[s->tracks[i].first + k]};
        }
    }
    return EVN_OK;
}

/// Equally spaced ones, from the last row of each trajectory on.
static evn_status ask_ahead(question *q, const evn__settings *given) {
    const evn__time_series *s = q->series;
    int64_t count = given->count == INT64_MIN ? TIMES : given->count;
    EVN_TRY(EVN_NEW(&q->requests, evn__size_product((size_t)count, (size_t)s->track_count)));
    for (int i = 0; i < s->track_count; ++i) {
        double last = s->t[s->tracks[i].first + s->tracks[i].count - 1];
        EVN_CHECK(
            given->until > last, EVN_ERR_USAGE,
            "--until is %.12g, but the series goes on to %.12g; give a later time, or --times",
            given->until, last);
        for (int64_t k = 1; k <= count; ++k) {
            double t = last + (given->until - last) * (double)k / (double)count;
            q->requests[q->count++] = (evn__request){i, t};
        }
    }
    return EVN_OK;
}

// Those of a table --------------------------------------------------------------------------------

/// The column that is called as the times are, or the only one.
static evn_status find_times(const evn__time_series *s, const evn__data_table *table, int *column) {
    *column = evn__data_table_find(table, s->time_name);
    if (*column < 0 && table->column_count == 1) {
        *column = 0;
    }
    EVN_CHECK(*column >= 0, EVN_ERR_DATA,
              "%s has no column '%s', the times of the run; name it so in the first line, or give "
              "times alone",
              table->source, s->time_name);
    return evn__data_table_check_numbers(table, *column);
}

/// "a, b, c, …"
static const char *list_tracks(const evn__time_series *s, char list[LIST]) {
    enum { NAME = 64 }; // bytes of the longest that is shown whole
    int used = 0;
    for (int i = 0; i < s->track_count && used < LIST; ++i) {
        bool fits = strlen(s->tracks[i].name) <= NAME && used + 2 * NAME < LIST;
        used += snprintf(list + used, (size_t)(LIST - used), "%s%s", i > 0 ? ", " : "",
                         fits ? s->tracks[i].name : "…");
        if (!fits) {
            break;
        }
    }
    return list;
}

/// Rows of one trajectory mostly follow each other: looked for from the one before on.
static evn_status find_track(const evn__time_series *s, const evn__data_table *table, int64_t row,
                             int column, int *track) {
    char label[EVN__TABLE_LABEL], list[LIST];
    const char *name = evn__data_table_label(table, row, column, label);
    for (int i = 0; i < s->track_count; ++i) {
        int at = (*track + i) % s->track_count;
        if (strcmp(s->tracks[at].name, name) == 0) {
            *track = at;
            return EVN_OK;
        }
    }
    EVN_FAIL(
        EVN_ERR_DATA, "%s, line %lld, column '%s': the run has no trajectory '%.80s'; it has %s",
        table->source, (long long)table->lines[row], s->group_name, name, list_tracks(s, list));
}

/// A row that has no time would leave the answers without their place.
static evn_status read_time(const evn__data_table *table, int64_t row, int column, double *t) {
    *t = table->columns[column].values[row];
    EVN_CHECK(!isnan(*t), EVN_ERR_DATA, "%s, line %lld, column '%s': the time is missing",
              table->source, (long long)table->lines[row], table->columns[column].name);
    return EVN_OK;
}

/// Each row is of the trajectory that it names; without such a column all of them are asked.
static evn_status ask_rows(question *q, const evn__data_table *table) {
    const evn__time_series *s = q->series;
    int times, group = s->group_name ? evn__data_table_find(table, s->group_name) : -1;
    int track = 0, all = group < 0 ? s->track_count : 1;
    EVN_TRY(find_times(s, table, &times));
    EVN_TRY(EVN_NEW(&q->requests, evn__size_product((size_t)table->row_count, (size_t)all)));
    for (int i = 0; i < all; ++i) {
        track = i;
        for (int64_t row = 0; row < table->row_count; ++row) {
            evn__request *r = &q->requests[q->count++];
            EVN_TRY(group < 0 ? EVN_OK : find_track(s, table, row, group, &track));
            r->track = track;
            EVN_TRY(read_time(table, row, times, &r->t));
        }
    }
    return EVN_OK;
}

static evn_status ask_table(question *q, const char *path) {
    evn__data_table *table;
    EVN_TRY(evn__question_read(path, &table));
    evn_status status = ask_rows(q, table);
    evn__data_table_destroy(&table);
    return status;
}

// Answers -----------------------------------------------------------------------------------------

static void put_head(const evn__time_series *s, evn__answers *answers) {
    if (s->group_name) {
        evn__answers_column(answers, s->group_name);
    }
    evn__answers_column(answers, s->time_name);
    for (int k = 0; k < s->dimensions; ++k) {
        evn__answers_column(answers, s->names[k]);
    }
    evn__answers_begin(answers);
}

/// Times with all digits that they may need: days of a long calendar, seconds since 1970.
static void put_row(const evn__time_series *s, const evn__request *request, const double *values,
                    evn__answers *answers) {
    if (s->group_name) {
        evn__answers_text(answers, s->tracks[request->track].name);
    }
    evn__answers_number(answers, request->t, TIME_DIGITS);
    for (int k = 0; k < s->dimensions; ++k) {
        evn__answers_number(answers, values[k], DIGITS);
    }
    evn__answers_end_row(answers);
}

static evn_status answer(const evn__session *session, const question *q,
                         const evn__settings *given) {
    const evn__series_model model = evn__series_get_model(&session->task);
    evn__answers answers = {.json = given->json};
    double *values = NULL;
    EVN_TRY(EVN_NEW(&values, evn__size_product((size_t)q->count, (size_t)q->series->dimensions)));
    evn_status status =
        evn__series_predict(&model, evn__session_solver(session), q->requests, q->count, values);
    if (status == EVN_OK) {
        put_head(q->series, &answers);
        for (int64_t i = 0; i < q->count; ++i) {
            put_row(q->series, &q->requests[i], values + i * q->series->dimensions, &answers);
        }
        status = evn__answers_write(&answers, given->out);
    }
    free(values);
    return status;
}

/// @param[in] path  of the table; NULL: times of the series' own
static evn_status ask(question *q, const char *path, const evn__settings *given) {
    if (path) {
        return ask_table(q, path);
    }
    return isnan(given->until) ? ask_own(q) : ask_ahead(q, given);
}

static evn_status ask_and_answer(const evn__session *session, const char *path,
                                 const evn__settings *given) {
    question q = {.series = session->data};
    evn_status status = ask(&q, path, given);
    status = status == EVN_OK ? answer(session, &q, given) : status;
    free(q.requests);
    return status;
}

evn_status evn__series_sample(const evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    EVN_CHECK(!given->times || isnan(given->until), EVN_ERR_USAGE,
              "--times and --until both say at which times; give one of them");
    return ask_and_answer(session, given->times, given);
}

static evn_status predict(evn__session *session, const evn__command *command) {
    return ask_and_answer(session, command->settings->subjects[1], command->settings);
}

const evn__prediction evn__predict_series = {evn__question_check, NULL, predict};
