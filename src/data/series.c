// SPDX-License-Identifier: Apache-2.0
#include "data/series.h"

#include "base/names.h"
#include "base/random.h"
#include "data/series_layout.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOLDOUT_STREAM = 21, LEAST = 2 }; // rows of a trajectory

/// A file on its way into series.
typedef struct reading {
    const evn__data_table *table;
    const evn__series_options *options;
    evn__time_series *series;
    int time, group; ///< columns; group −1: there is none
    int *columns;    ///< [dimensions], of the quantities
    struct row {
        const char *group;
        int64_t row; ///< of the table
    } * rows;        ///< that are kept, by group, then in the order of the file
} reading;

// Columns -----------------------------------------------------------------------------------------

static evn_status find_one(const reading *r, const char *option, const char *name, int *column) {
    *column = evn__data_table_find(r->table, name);
    int columns[EVN__TABLE_COLUMNS_MAX], count; // for the message with the names that there are
    if (*column < 0) {
        EVN_TRY(evn__data_table_select(r->table, option, name, columns, &count));
        EVN_CHECK(count == 1, EVN_ERR_USAGE, "%s is '%s', but should be one column", option, name);
        *column = columns[0];
    }
    return EVN_OK;
}

/// "t" or "time", else the first column that is not the group; −1: there is none.
static int guess_time(const reading *r) {
    static const char *const names[] = {"t", "time"};
    for (int i = 0; i < r->table->column_count; ++i) {
        const evn__data_column *column = &r->table->columns[i];
        for (int k = 0; k < 2 && column->named && i != r->group; ++k) {
            if (strcasecmp(column->name, names[k]) == 0) {
                return i;
            }
        }
    }
    return r->group != 0 ? 0 : r->table->column_count > 1 ? 1 : -1;
}

static evn_status find_columns(reading *r) {
    const evn__data_table *table = r->table;
    const evn__series_options *o = r->options;
    evn__time_series *s = r->series;
    r->group = -1;
    EVN_TRY(o->group ? find_one(r, "--group", o->group, &r->group) : EVN_OK);
    r->time = guess_time(r);
    EVN_TRY(o->time ? find_one(r, "--time", o->time, &r->time) : EVN_OK);
    EVN_TRY(EVN_NEW(&r->columns, EVN__TABLE_COLUMNS_MAX));
    if (o->columns) {
        EVN_TRY(evn__data_table_select(table, "--columns", o->columns, r->columns, &s->dimensions));
    }
    for (int i = 0; i < table->column_count && !o->columns; ++i) {
        if (i != r->time && i != r->group) {
            r->columns[s->dimensions++] = i;
        }
    }
    EVN_CHECK(s->dimensions > 0 && r->time >= 0, EVN_ERR_DATA,
              "%s has too few columns; a series needs a column of times and one for each quantity",
              table->source);
    return EVN_OK;
}

/// Such as 2024-01-31, 31.1.2024 or 1/31/24: three numbers, of which the last may go on.
static bool is_date(const char *text) {
    int numbers[3];
    char one, two;
    return sscanf(text, "%4d%c%2d%c%4d", &numbers[0], &one, &numbers[1], &two, &numbers[2]) == 5 &&
           one == two && strchr("-./", one);
}

/// The times are numbers; a word says whether they are dates, or another column was meant.
static evn_status check_times(const reading *r) {
    const evn__data_column *column = &r->table->columns[r->time];
    char word[64], name[64];
    if (column->words == 0) {
        return EVN_OK;
    }
    long long line = r->table->lines[column->first_word];
    evn__printable(column->texts[column->first_word], word, sizeof(word));
    evn__printable(column->name, name, sizeof(name));
    EVN_CHECK(!is_date(word), EVN_ERR_DATA,
              "%s, line %lld, column %s: '%s' is a date, which is not read; write the times as "
              "numbers, such as days since the first or years with a fraction",
              r->table->source, line, name, word);
    EVN_CHECK(r->options->time, EVN_ERR_DATA,
              "%s, line %lld: '%s' is no number, but the column %s was taken for the times; name "
              "theirs by --time, and one that tells trajectories apart by --group",
              r->table->source, line, word, name);
    return evn__data_table_check_numbers(r->table, r->time);
}

static evn_status check_columns(const reading *r) {
    EVN_CHECK(r->time != r->group, EVN_ERR_USAGE, "--time and --group are the same column");
    EVN_TRY(check_times(r));
    for (int k = 0; k < r->series->dimensions; ++k) {
        EVN_CHECK(
            r->columns[k] != r->time && r->columns[k] != r->group, EVN_ERR_USAGE,
            "the column %s is a quantity, and the time or the group too; name these by --time "
            "and --group",
            r->table->columns[r->columns[k]].name);
        EVN_TRY(evn__data_table_check_numbers(r->table, r->columns[k]));
    }
    return EVN_OK;
}

static evn_status copy_text(evn__time_series *s, const char *text, const char **copy) {
    *copy = evn__arena_string(&s->arena, text);
    EVN_CHECK(*copy, EVN_ERR_MEMORY, "no memory for a name");
    return EVN_OK;
}

static evn_status copy_names(const reading *r) {
    evn__time_series *s = r->series;
    EVN_TRY(copy_text(s, r->table->columns[r->time].name, &s->time_name));
    if (r->group >= 0) {
        EVN_TRY(copy_text(s, r->table->columns[r->group].name, &s->group_name));
    }
    EVN_TRY(EVN__SERIES_NEW(s, &s->names, s->dimensions));
    for (int k = 0; k < s->dimensions; ++k) {
        EVN_TRY(copy_text(s, r->table->columns[r->columns[k]].name, &s->names[k]));
    }
    return EVN_OK;
}

// Rows --------------------------------------------------------------------------------------------

static bool has_value(const reading *r, int64_t row) {
    for (int k = 0; k < r->series->dimensions; ++k) {
        if (!isnan(r->table->columns[r->columns[k]].values[row])) {
            return true;
        }
    }
    return false;
}

static int by_group(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    int order = strcmp(x->group, y->group);
    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static evn_status collect_rows(reading *r) {
    evn__time_series *s = r->series;
    EVN_TRY(EVN_NEW(&r->rows, r->table->row_count));
    for (int64_t row = 0; row < r->table->row_count; ++row) {
        char label[EVN__TABLE_LABEL];
        const char *group = "";
        EVN_CHECK(!isnan(r->table->columns[r->time].values[row]), EVN_ERR_DATA,
                  "%s, line %lld: the time (column %s) is missing", r->table->source,
                  (long long)r->table->lines[row], s->time_name);
        if (!has_value(r, row)) {
            continue;
        }
        if (r->group >= 0) {
            group = evn__data_table_label(r->table, row, r->group, label);
            EVN_TRY(group == label ? copy_text(s, label, &group) : EVN_OK);
        }
        r->rows[s->rows++] = (struct row){group, row};
    }
    if (r->group >= 0) {
        qsort(r->rows, (size_t)s->rows, sizeof(*r->rows), by_group);
    }
    return EVN_OK;
}

/// The times of a trajectory increase.
static evn_status check_time(const reading *r, int64_t i) {
    const evn__time_series *s = r->series;
    bool first = i == 0 || strcmp(r->rows[i].group, r->rows[i - 1].group) != 0;
    EVN_CHECK(first || s->t[i] > s->t[i - 1], EVN_ERR_DATA,
              "%s, line %lld: the time %.12g %s line %lld (%.12g); times have to increase%s",
              r->table->source, (long long)r->table->lines[r->rows[i].row], s->t[i],
              s->t[i] == s->t[i - 1] ? "is that of" : "goes back behind",
              (long long)r->table->lines[r->rows[i - 1].row], s->t[i - 1],
              r->group >= 0 ? " within a group"
                            : "; name the column that tells trajectories apart by --group");
    return EVN_OK;
}

static evn_status copy_rows(const reading *r) {
    evn__time_series *s = r->series;
    EVN_TRY(EVN__SERIES_NEW(s, &s->t, s->rows));
    EVN_TRY(EVN__SERIES_NEW(s, &s->values, s->rows * s->dimensions));
    for (int64_t i = 0; i < s->rows; ++i) {
        s->t[i] = r->table->columns[r->time].values[r->rows[i].row];
        EVN_TRY(check_time(r, i));
        for (int k = 0; k < s->dimensions; ++k) {
            s->values[i * s->dimensions + k] =
                r->table->columns[r->columns[k]].values[r->rows[i].row];
        }
    }
    return EVN_OK;
}

// Trajectories ------------------------------------------------------------------------------------

static evn_status find_tracks(const reading *r) {
    evn__time_series *s = r->series;
    EVN_TRY(EVN__SERIES_NEW(s, &s->tracks, s->rows));
    for (int64_t i = 0; i < s->rows; ++i) {
        if (i == 0 || strcmp(r->rows[i].group, r->rows[i - 1].group) != 0) {
            evn__track *track = &s->tracks[s->track_count++];
            track->first = i;
            EVN_TRY(copy_text(s, r->rows[i].group, &track->name));
        }
        ++s->tracks[s->track_count - 1].count;
    }
    for (int i = 0; i < s->track_count; ++i) {
        char shown[128];
        evn__printable(s->tracks[i].name, shown, sizeof(shown));
        EVN_CHECK(s->tracks[i].count >= LEAST, EVN_ERR_DATA,
                  "%s, line %lld: the trajectory%s%s has one row; it needs %d", r->table->source,
                  (long long)r->table->lines[r->rows[s->tracks[i].first].row], shown[0] ? " " : "",
                  shown, LEAST);
    }
    EVN_CHECK(s->track_count > 0, EVN_ERR_DATA, "%s has no row with a value", r->table->source);
    return EVN_OK;
}

/// Part of `count` that is held out: at least one, but not all of them.
static int64_t held_out(double part, int64_t count, int64_t kept) {
    int64_t held = (int64_t)floor(part * (double)count + 0.5);
    held = held < 1 ? 1 : held;
    return part <= 0 ? 0 : held > count - kept ? count - kept : held;
}

static evn_status hold_out_groups(const reading *r) {
    evn__time_series *s = r->series;
    int64_t *order = NULL;
    EVN_CHECK(s->track_count > 1, EVN_ERR_DATA,
              "%s has one trajectory, which cannot be held out; name the column that tells "
              "trajectories apart by --group, or hold out by time",
              r->table->source);
    EVN_TRY(EVN_NEW(&order, s->track_count));
    for (int i = 0; i < s->track_count; ++i) {
        order[i] = i;
    }
    evn__random_permutation(r->options->seed, HOLDOUT_STREAM, order, s->track_count);
    int64_t held = held_out(r->options->holdout, s->track_count, 1);
    for (int64_t i = 0; i < held; ++i) {
        s->tracks[order[i]].trained = 0;
    }
    free(order);
    return EVN_OK;
}

static evn_status hold_out(const reading *r) {
    evn__time_series *s = r->series;
    for (int i = 0; i < s->track_count; ++i) {
        evn__track *track = &s->tracks[i];
        track->trained = track->count;
        if (!r->options->by_group) {
            track->trained -= held_out(r->options->holdout, track->count, LEAST);
        }
    }
    return r->options->by_group && r->options->holdout > 0 ? hold_out_groups(r) : EVN_OK;
}

static evn_status find_scale(const reading *r) {
    evn__time_series *s = r->series;
    EVN_TRY(EVN__SERIES_NEW(s, &s->mean, s->dimensions));
    EVN_TRY(EVN__SERIES_NEW(s, &s->deviation, s->dimensions));
    for (int k = 0; k < s->dimensions; ++k) {
        double count = 0, mean = 0, square = 0; // Welford's sums
        for (int i = 0; i < s->track_count; ++i) {
            const evn__track *track = &s->tracks[i];
            for (int64_t row = track->first; row < track->first + track->trained; ++row) {
                double value = s->values[row * s->dimensions + k];
                if (!isnan(value)) {
                    double before = value - mean;
                    mean += before / ++count;
                    square += before * (value - mean);
                }
            }
        }
        EVN_CHECK(count > 0, EVN_ERR_DATA, "%s: the column %s has no value to train on",
                  r->table->source, s->names[k]);
        EVN_CHECK(
            square > 0, EVN_ERR_DATA,
            "%s: the column %s is constant (%.9g) over the rows that are trained on; name the "
            "others by --columns",
            r->table->source, s->names[k], mean);
        s->mean[k] = mean;
        s->deviation[k] = sqrt(square / count);
    }
    return EVN_OK;
}

// The series --------------------------------------------------------------------------------------

static evn_status build(reading *r) {
    EVN_TRY(find_columns(r));
    EVN_TRY(check_columns(r));
    EVN_TRY(copy_names(r));
    EVN_TRY(collect_rows(r));
    EVN_TRY(copy_rows(r));
    EVN_TRY(find_tracks(r));
    EVN_TRY(hold_out(r));
    EVN_TRY(find_scale(r));
    return evn__series_lay_out(r->series, r->options->window);
}

evn_status evn__series_read(const char *path, const evn__series_options *options,
                            evn__time_series **series) {
    evn__data_table *table = NULL;
    *series = NULL;
    EVN_TRY(evn__data_table_read(path, &table));
    reading r = {.table = table, .options = options};
    evn_status status = EVN_NEW(series, 1);
    if (status == EVN_OK) {
        r.series = *series;
        status = build(&r);
    }
    free(r.columns);
    free(r.rows);
    evn__data_table_destroy(&table);
    if (status != EVN_OK) {
        evn__series_destroy(series);
    }
    return status;
}

void evn__series_destroy(evn__time_series **series) {
    if (*series) {
        evn__arena arena = (*series)->arena;
        evn__arena_free(&arena);
        free(*series);
        *series = NULL;
    }
}

/// The nearest row of the track that has a value of the column, from `row` on in steps of `way`
/// over what is trained on (all of what is held out); −1: there is none.
static int64_t next_known(const evn__time_series *s, const evn__track *track, int64_t row,
                          int column, int way) {
    int64_t count = track->trained > 0 ? track->trained : track->count;
    while (row >= track->first && row < track->first + count) {
        if (!isnan(s->values[row * s->dimensions + column])) {
            return row;
        }
        row += way;
    }
    return -1;
}

static double on_line(const evn__time_series *s, const evn__track *track, int64_t row, int column) {
    int64_t before = next_known(s, track, row, column, -1);
    int64_t after = next_known(s, track, row, column, 1);
    before = before < 0 ? after : before;
    after = after < 0 ? before : after;
    if (before < 0) {
        return s->mean[column];
    }
    double low = s->values[before * s->dimensions + column];
    double high = s->values[after * s->dimensions + column];
    double way = s->t[after] - s->t[before];
    return way > 0 ? low + (high - low) * (s->t[row] - s->t[before]) / way : low;
}

void evn__series_scaled(const evn__time_series *series, int track, int64_t row, bool fill,
                        double *values) {
    for (int k = 0; k < series->dimensions; ++k) {
        double value = series->values[row * series->dimensions + k];
        if (fill && isnan(value)) {
            value = on_line(series, &series->tracks[track], row, k);
        }
        values[k] = (value - series->mean[k]) / series->deviation[k];
    }
}
