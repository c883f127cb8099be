/* SPDX-License-Identifier: MIT
 *
 * csv: tables of numbers with one or more target columns. Numbers to predict make a regression,
 * words (or task = classification) classes. The input of the network is 1 x 1 x features.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/codecs/csvfile.h"
#include "data/formats/folder.h"

typedef enum csv_task { TASK_AUTO, TASK_REGRESSION, TASK_CLASSIFICATION } csv_task;

typedef struct csv_options {
    spur__data_common common;
    char *target, *leave_out;
    int64_t header, separator, task;
} csv_options;

static const spur__option rows[] = {
    SPUR__DATA_ROW_PATH("the file, or a folder with train.csv and perhaps val.csv and test.csv"),
    SPUR__ROW(
        TEXT, csv_options, target, "",
        .help =
            "column to predict, by name or number from 1, several separated by commas; empty: the "
            "last one"),
    SPUR__ROW(TEXT, csv_options, leave_out, "",
              .help = "columns that are no features, by name or number from 1"),
    SPUR__ROW(CHOICE, csv_options, header, "auto", .choices = "auto|yes|no",
              .help = "whether the first line holds names"),
    SPUR__ROW(CHOICE, csv_options, separator, "auto", .choices = "auto|comma|semicolon|tab",
              .help = "what stands between cells"),
    SPUR__ROW(CHOICE, csv_options, task, "auto", .choices = "auto|regression|classification",
              .help = "auto: a regression when all targets are numbers"),
    SPUR__DATA_ROW_VAL_SPLIT,
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, csv_options);

/* One file, parsed. */
typedef struct part {
    char *path, *text;
    spur__csv csv;
    bool header;
} part;

typedef struct csv_state {
    part parts[SPUR_SPLIT_COUNT];
    size_t features, targets;
    size_t *feature_columns, *target_columns;
    char **feature_names; /* [features], or NULL where columns have no names */
    float *values; /* [items][features] */
    float *wanted; /* [items][targets], for a regression */
    uint8_t *part_of; /* [items] */
} csv_state;

/* ---- files ----------------------------------------------------------------------------------- */

static bool is_number(const char *cell) {
    double number;
    return spur__parse_double(cell, &number);
}

/* The first line holds names when one of its cells is no number but the one below is. */
static bool has_header(const spur__csv *csv, int64_t option) {
    if (option > 0) return option == 1;
    bool any_number = false, turns_number = false;
    for (size_t c = 0; c < csv->columns; c++) {
        bool first = is_number(csv->cells[c]);
        bool second = csv->rows > 1 && is_number(csv->cells[csv->columns + c]);
        any_number = any_number || first;
        turns_number = turns_number || (!first && second);
    }
    return turns_number || !any_number;
}

static spur_status load_part(const csv_options *o, part *p, spur_error *err) {
    static const char separators[] = {0, ',', ';', '\t'};
    size_t size;
    SPUR__TRY(spur__file_read(p->path, (size_t)1 << 30, &p->text, &size, err));
    SPUR__TRY(spur__csv_parse(p->text, size, separators[o->separator], p->path, &p->csv, err));
    p->header = has_header(&p->csv, o->header);
    if (p->csv.rows <= (size_t)p->header)
        return spur__fail(err, SPUR_E_FORMAT, "%s: no line of data in it", p->path);
    return SPUR_OK;
}

/* The files' names, where there are any. */
static spur_status find_parts(spur_data *data, spur_error *err) {
    static const char *const names[] = {"train.csv", "val.csv", "test.csv"};
    csv_state *s = data->state;
    const char *path = data->common->path;
    if (path[0] == '\0')
        return spur__fail(err, SPUR_E_ARGUMENT, "data.path: empty, expected a CSV file");
    if (!spur__exists(path))
        return spur__fail(err, SPUR_E_NOTFOUND, "data.path: %s: no such file", path);
    bool folder = spur__is_folder(path);
    for (int i = 0; i < (folder ? SPUR_SPLIT_COUNT : 1); i++) {
        char *name = folder ? spur__path_join(path, names[i]) : spur__strdup(path);
        if (!name) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        if (spur__exists(name))
            s->parts[i].path = name;
        else
            spur__free(name);
    }
    if (s->parts[0].path) return SPUR_OK;
    return spur__fail(err, SPUR_E_NOTFOUND, "%s: no train.csv in it", path);
}

/* ---- columns --------------------------------------------------------------------------------- */

static const char *cell_at(const void *cells, size_t i) {
    return ((char *const *)cells)[i];
}

/* A column by its name, which no other one may have. */
static spur_status find_named(const part *p, const char *option, size_t column, size_t *out,
                              spur_error *err) {
    const char *name = p->csv.cells[column];
    for (size_t c = column + 1; c < p->csv.columns; c++)
        if (strcmp(p->csv.cells[c], name) == 0)
            return spur__fail(
                err, SPUR_E_EXISTS,
                "data.%s: columns %zu and %zu of %s are both called '%.60s', expected "
                "a name of one column; its number chooses one",
                option, column + 1, c + 1, p->path, name);
    return *out = column, SPUR_OK;
}

/* A column by name or by number from 1. */
static spur_status find_column(const part *p, const char *option, const char *text, size_t *out,
                               spur_error *err) {
    long long number;
    for (size_t c = 0; p->header && c < p->csv.columns; c++)
        if (strcmp(p->csv.cells[c], text) == 0) return find_named(p, option, c, out, err);
    if (spur__parse_int(text, &number) && number >= 1 && (size_t)number <= p->csv.columns)
        return *out = (size_t)number - 1, SPUR_OK;
    const char *near =
        p->header ? spur__nearest(text, p->csv.columns, cell_at, p->csv.cells) : NULL;
    return spur__fail(err, SPUR_E_NOTFOUND, "data.%s: %s has no column '%s'%s%s%s", option, p->path,
                      text, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Marks the columns of a list with `mark`; the count in *count. */
static spur_status mark_columns(const part *p, const char *option, const char *list, uint8_t mark,
                                uint8_t *marks, spur_error *err) {
    char *copy = spur__strdup(list);
    spur_status status = copy ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (char *at = copy; at && status == SPUR_OK;) {
        char *comma = strchr(at, ',');
        size_t column = 0;
        if (comma) *comma = '\0';
        status = find_column(p, option, spur__trim(at), &column, err);
        if (status == SPUR_OK && marks[column])
            status = spur__fail(err, SPUR_E_EXISTS, "data.%s: column '%s' stands twice", option,
                                spur__trim(at));
        if (status == SPUR_OK) marks[column] = mark;
        at = comma ? comma + 1 : NULL;
    }
    spur__free(copy);
    return status;
}

enum { FEATURE = 0, TARGET = 1, LEFT_OUT = 2 };

static spur_status collect_columns(csv_state *s, const uint8_t *marks, spur_error *err) {
    size_t columns = s->parts[0].csv.columns;
    s->feature_columns = spur__malloc_array(columns, sizeof *s->feature_columns);
    s->target_columns = spur__malloc_array(columns, sizeof *s->target_columns);
    if (!s->feature_columns || !s->target_columns)
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t c = 0; c < columns; c++) {
        if (marks[c] == FEATURE) s->feature_columns[s->features++] = c;
        if (marks[c] == TARGET) s->target_columns[s->targets++] = c;
    }
    if (s->features > 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "%s: no column is left as a feature", s->parts[0].path);
}

static spur_status choose_columns(spur_data *data, spur_error *err) {
    const csv_options *o = data->options;
    csv_state *s = data->state;
    const part *p = &s->parts[0];
    uint8_t *marks = spur__calloc(p->csv.columns, 1);
    if (!marks) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = SPUR_OK;
    if (o->leave_out[0]) status = mark_columns(p, "leave_out", o->leave_out, LEFT_OUT, marks, err);
    if (status == SPUR_OK && o->target[0])
        status = mark_columns(p, "target", o->target, TARGET, marks, err);
    else if (status == SPUR_OK)
        marks[p->csv.columns - 1] = TARGET;
    if (status == SPUR_OK) status = collect_columns(s, marks, err);
    spur__free(marks);
    return status;
}

static spur_status name_features(spur_data *data, spur_error *err) {
    csv_state *s = data->state;
    const part *p = &s->parts[0];
    if (!p->header) return SPUR_OK;
    s->feature_names = spur__calloc(s->features, sizeof *s->feature_names);
    for (size_t f = 0; s->feature_names && f < s->features; f++)
        if (!(s->feature_names[f] = spur__strdup(p->csv.cells[s->feature_columns[f]])))
            return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    data->info.feature_names = (const char *const *)s->feature_names;
    return s->feature_names ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

/* ---- values ---------------------------------------------------------------------------------- */

static spur_status parse_cell(const part *p, size_t row, size_t column, float *out,
                              spur_error *err) {
    const char *cell = p->csv.cells[row * p->csv.columns + column];
    double number;
    if (spur__parse_double(cell, &number) && number == number && number < 3e38 && number > -3e38) {
        *out = (float)number;
        return SPUR_OK;
    }
    return spur__fail_at(err, SPUR_E_TYPE, p->path, (int)p->csv.lines[row], (int)column + 1,
                         "cell '%.40s'%s%.60s: expected a number", cell,
                         p->header ? " of column " : "", p->header ? p->csv.cells[column] : "");
}

/* The first target that is no number, and how many are numbers. */
typedef struct target_census {
    const part *part; /* of the first one; NULL: all are numbers */
    size_t row, column;
    size_t numbers, others;
} target_census;

static target_census take_census(const csv_state *s) {
    target_census c = {NULL, 0, 0, 0, 0};
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++) {
        const part *p = &s->parts[i];
        for (size_t r = p->header; r < p->csv.rows; r++)
            for (size_t t = 0; t < s->targets; t++) {
                size_t column = s->target_columns[t];
                bool number = is_number(p->csv.cells[r * p->csv.columns + column]);
                if (!number && !c.part) c.part = p, c.row = r, c.column = column;
                c.numbers += number;
                c.others += !number;
            }
    }
    return c;
}

/* Regression or classification. A word among many numbers is rather a gap or a slip than a class. */
static spur_status choose_task(const csv_state *s, int64_t option, bool *numbers, spur_error *err) {
    target_census c = take_census(s);
    *numbers = option == TASK_AUTO ? c.others == 0 : option == TASK_REGRESSION;
    if (option != TASK_AUTO || c.others == 0 || c.numbers <= c.others) return SPUR_OK;
    return spur__fail_at(
        err, SPUR_E_TYPE, c.part->path, (int)c.part->csv.lines[c.row], (int)c.column + 1,
        "target '%.40s': expected a number, as %zu of the %zu targets are; if they "
        "are classes, set task = classification",
        c.part->csv.cells[c.row * c.part->csv.columns + c.column], c.numbers, c.numbers + c.others);
}

/* Numbers by value, then words by their bytes. */
static int compare_names(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    double p, q;
    bool first = spur__parse_double(x, &p) && p == p, second = spur__parse_double(y, &q) && q == q;
    if (first != second) return first ? -1 : 1;
    if (first && p != q) return p < q ? -1 : 1;
    return strcmp(x, y);
}

/* The different words of the target column of the training file. */
static spur_status find_classes(spur_data *data, spur_error *err) {
    csv_state *s = data->state;
    const part *p = &s->parts[0];
    size_t count = 0, rows_of_data = p->csv.rows - p->header;
    if (s->targets != 1)
        return spur__fail(err, SPUR_E_SHAPE, "data.target: %zu columns, but classes want one",
                          s->targets);
    const char **names = spur__malloc_array(rows_of_data, sizeof *names);
    if (!names) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t r = 0; r < rows_of_data; r++)
        names[r] = p->csv.cells[(r + p->header) * p->csv.columns + s->target_columns[0]];
    qsort(names, rows_of_data, sizeof *names, compare_names);
    for (size_t r = 0; r < rows_of_data; r++)
        if (count == 0 || strcmp(names[count - 1], names[r]) != 0) names[count++] = names[r];
    spur_status status = SPUR_OK;
    if (count < 2)
        status = spur__fail(err, SPUR_E_RANGE, "%s: one class only ('%s')", p->path, names[0]);
    else
        status = spur__data_set_classes(data, count, names, err);
    spur__free(names);
    return status;
}

static spur_status find_label(const spur_data *data, const part *p, size_t row, int32_t *out,
                              spur_error *err) {
    const csv_state *s = data->state;
    const char *cell = p->csv.cells[row * p->csv.columns + s->target_columns[0]];
    if (cell[0] == '\0')
        return spur__fail_at(err, SPUR_E_TYPE, p->path, (int)p->csv.lines[row],
                             (int)s->target_columns[0] + 1, "an empty cell, expected a class");
    const char *const *found = bsearch(&cell, data->class_names, data->info.classes,
                                       sizeof *data->class_names, compare_names);
    if (!found)
        return spur__fail_at(err, SPUR_E_NOTFOUND, p->path, (int)p->csv.lines[row],
                             (int)s->target_columns[0] + 1,
                             "class '%.60s' does not occur in training", cell);
    *out = (int32_t)(found - (const char *const *)data->class_names);
    return SPUR_OK;
}

static spur_status add_row(spur_data *data, int split, size_t row, spur_error *err) {
    csv_state *s = data->state;
    const part *p = &s->parts[split];
    size_t item = data->item_count;
    int32_t label = 0;
    for (size_t f = 0; f < s->features; f++)
        SPUR__TRY(
            parse_cell(p, row, s->feature_columns[f], &s->values[item * s->features + f], err));
    for (size_t t = 0; s->wanted && t < s->targets; t++)
        SPUR__TRY(parse_cell(p, row, s->target_columns[t], &s->wanted[item * s->targets + t], err));
    if (!s->wanted && s->targets > 0) SPUR__TRY(find_label(data, p, row, &label, err));
    s->part_of[item] = (uint8_t)split;
    return spur__data_add(data, (spur_split)split, label, (uint32_t)item, err);
}

static spur_status add_rows(spur_data *data, spur_error *err) {
    csv_state *s = data->state;
    size_t total = 0, numbers;
    bool wanted = data->info.task == SPUR_REGRESSION && s->targets > 0;
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++)
        if (s->parts[i].path) total += s->parts[i].csv.rows - s->parts[i].header;
    if (spur__mul(total, s->features, &numbers))
        s->values = spur__malloc_array(numbers, sizeof *s->values);
    s->part_of = spur__malloc(total);
    if (wanted) s->wanted = spur__malloc_array(total * s->targets, sizeof *s->wanted);
    if (!s->values || !s->part_of || (wanted && !s->wanted))
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++)
        for (size_t r = s->parts[i].header; s->parts[i].path && r < s->parts[i].csv.rows; r++)
            SPUR__TRY(add_row(data, i, r, err));
    return SPUR_OK;
}

/* The texts are not needed any more. */
static void drop_texts(csv_state *s) {
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++) {
        spur__csv_free(&s->parts[i].csv);
        spur__free(s->parts[i].text);
        s->parts[i].text = NULL;
    }
}

/* The columns of all files are those of the training file. */
static spur_status check_columns(const part *p, const part *train, spur_error *err) {
    if (p->csv.columns != train->csv.columns)
        return spur__fail(err, SPUR_E_SHAPE, "%s: %zu columns, expected %zu as in %s", p->path,
                          p->csv.columns, train->csv.columns, train->path);
    for (size_t c = 0; p->header && train->header && c < p->csv.columns; c++)
        if (strcmp(p->csv.cells[c], train->csv.cells[c]) != 0)
            return spur__fail_at(err, SPUR_E_SHAPE, p->path, (int)p->csv.lines[0], (int)c + 1,
                                 "column '%.60s', expected '%.60s' as in %s", p->csv.cells[c],
                                 train->csv.cells[c], train->path);
    return SPUR_OK;
}

static spur_status csv_open(spur_data *data, spur_error *err) {
    const csv_options *o = data->options;
    csv_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    SPUR__TRY(find_parts(data, err));
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++) {
        if (!s->parts[i].path) continue;
        SPUR__TRY(load_part(o, &s->parts[i], err));
        SPUR__TRY(check_columns(&s->parts[i], &s->parts[0], err));
    }
    bool numbers;
    SPUR__TRY(choose_columns(data, err));
    SPUR__TRY(name_features(data, err));
    SPUR__TRY(choose_task(s, o->task, &numbers, err));
    data->info.task = numbers ? SPUR_REGRESSION : SPUR_CLASSIFICATION;
    data->info.targets = numbers ? s->targets : 0;
    data->info.height = data->info.width = 1;
    data->info.channels = (int)s->features;
    if (!numbers) SPUR__TRY(find_classes(data, err));
    SPUR__TRY(add_rows(data, err));
    drop_texts(s);
    return SPUR_OK;
}

/* ---- predictions ----------------------------------------------------------------------------- */

/* The columns with the names of the training's features, wherever they are. */
static spur_status find_features(csv_state *s, const spur_data_info *info, spur_error *err) {
    const part *p = &s->parts[0];
    s->features = (size_t)info->channels;
    s->feature_columns = spur__malloc_array(s->features, sizeof *s->feature_columns);
    if (!s->feature_columns) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t f = 0; f < s->features; f++) {
        size_t *found = &s->feature_columns[f], count = 0;
        for (size_t c = 0; c < p->csv.columns; c++)
            if (strcmp(p->csv.cells[c], info->feature_names[f]) == 0) *found = c, count++;
        if (count != 1)
            return spur__fail(err, count ? SPUR_E_EXISTS : SPUR_E_NOTFOUND,
                              "%s: found %s column called '%.60s', expected one as in the training",
                              p->path, count ? "more than one" : "no", info->feature_names[f]);
    }
    return SPUR_OK;
}

/* By position: the features alone, or all columns of the training. */
static spur_status place_features(spur_data *data, spur_error *err) {
    csv_state *s = data->state;
    const part *p = &s->parts[0];
    size_t expected = (size_t)data->info.channels;
    if (p->csv.columns != expected) {
        SPUR__TRY(choose_columns(data, err));
        if (s->features == expected) return SPUR_OK;
        return spur__fail(
            err, SPUR_E_SHAPE,
            "%s: found %zu columns, %zu of them features, expected the %zu features of "
            "the training, or all its columns",
            p->path, p->csv.columns, s->features, expected);
    }
    s->features = expected;
    s->feature_columns = spur__malloc_array(expected, sizeof *s->feature_columns);
    if (!s->feature_columns) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t f = 0; f < expected; f++) s->feature_columns[f] = f;
    return SPUR_OK;
}

static spur_status csv_open_file(spur_data *data, const char *path, spur_error *err) {
    csv_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    part *p = &s->parts[0];
    p->path = spur__strdup(path);
    if (!p->path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    SPUR__TRY(load_part(data->options, p, err));
    bool named = p->header && data->info.feature_names;
    SPUR__TRY(named ? find_features(s, &data->info, err) : place_features(data, err));
    s->targets = 0;
    SPUR__TRY(add_rows(data, err));
    drop_texts(s);
    return SPUR_OK;
}

static spur_status csv_read(const spur_data *data, uint32_t item, spur__sample *out,
                            spur_error *err) {
    const csv_state *s = data->state;
    SPUR__TRY(spur__pixels_shape(&out->values, 1, 1, (int)s->features, err));
    memcpy(out->values.data, s->values + item * s->features, s->features * sizeof(float));
    return SPUR_OK;
}

static const float *csv_targets(const spur_data *data, uint32_t item) {
    const csv_state *s = data->state;
    return s->wanted + item * s->targets;
}

static const char *csv_file(const spur_data *data, uint32_t item) {
    const csv_state *s = data->state;
    return s->parts[s->part_of[item]].path;
}

static void csv_close(spur_data *data) {
    csv_state *s = data->state;
    if (!s) return;
    drop_texts(s);
    for (int i = 0; i < SPUR_SPLIT_COUNT; i++) spur__free(s->parts[i].path);
    spur__free(s->feature_columns);
    spur__free(s->target_columns);
    for (size_t f = 0; s->feature_names && f < s->features; f++) spur__free(s->feature_names[f]);
    spur__free(s->feature_names);
    spur__free(s->values);
    spur__free(s->wanted);
    spur__free(s->part_of);
    spur__free(s);
}

static const char *const endings[] = {".csv", NULL};

extern const spur__dataset_kind spur__data_csv;
const spur__dataset_kind spur__data_csv = {
    .kind = {"csv", "tables of numbers, for regression and classification", &table},
    .inputs = "tables",
    .open = csv_open,
    .read = csv_read,
    .close = csv_close,
    .targets = csv_targets,
    .file = csv_file,
    .open_file = csv_open_file,
    .endings = endings,
    .files = "CSV files",
    .many = true,
};
