/* SPDX-License-Identifier: MIT
 *
 * HParams as one table over all runs: a row per session (a run with a session start record), its
 * hyper-parameters, and the last value of every scalar in the session's run and the runs below it
 * that are no sessions of their own. Columns appear in order of first appearance.
 */
#include "commands/export.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

/* One named value of a run: a hyper-parameter, or the last value of a scalar. */
typedef struct item {
    char *name;
    cell value; /* its text belongs to the item */
    bool metric;
} item;

typedef struct run_items {
    char *run;
    bool session;
    char *group;
    int status; /* -1: no session end */
    double start, end;
    item *items;
    size_t count, capacity;
} run_items;

typedef struct found_column {
    char *name;
    bool metric, numeric;
} found_column;

typedef struct collection {
    run_items *runs;
    size_t count, capacity;
    found_column *columns;
    size_t column_count, column_capacity;
    exporting *ex;
} collection;

static spur_status out_of_memory(collection *c) {
    return spur__fail(c->ex->err, SPUR_E_MEMORY, "%s: out of memory", c->ex->path);
}

static bool grow(void **array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return true;
    size_t more = *capacity ? 2 * *capacity : 16;
    void *moved = spur__realloc_array(*array, more, size);
    if (!moved) return false;
    *array = moved;
    *capacity = more;
    return true;
}

static void free_collection(collection *c) {
    for (size_t i = 0; i < c->count; i++) {
        run_items *r = &c->runs[i];
        for (size_t k = 0; k < r->count; k++) {
            spur__free(r->items[k].name);
            if (r->items[k].value.type == CELL_TEXT)
                spur__free((void *)(uintptr_t)r->items[k].value.text.data);
        }
        spur__free(r->items);
        spur__free(r->group);
        spur__free(r->run);
    }
    for (size_t i = 0; i < c->column_count; i++) spur__free(c->columns[i].name);
    spur__free(c->columns);
    spur__free(c->runs);
}

/* ---- collecting ----------------------------------------------------------------------------- */

/* The entry of a run; runs come one after the other. */
static run_items *entry_of(collection *c, const char *run) {
    if (c->count > 0 && strcmp(c->runs[c->count - 1].run, run) == 0) return &c->runs[c->count - 1];
    void *runs = c->runs;
    bool fits = grow(&runs, c->count, &c->capacity, sizeof *c->runs);
    c->runs = runs;
    char *name = fits ? spur__strdup(run) : NULL;
    if (!name) return NULL;
    c->runs[c->count] = (run_items){.run = name, .status = -1};
    return &c->runs[c->count++];
}

/* The item of a name, made if it is not there yet. */
static item *item_of(run_items *r, spur_slice name, bool metric) {
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].metric == metric && spur_slice_is(name, r->items[i].name))
            return &r->items[i];
    void *items = r->items;
    bool fits = grow(&items, r->count, &r->capacity, sizeof *r->items);
    r->items = items;
    char *copy = fits ? spur__strndup(name.data, name.size) : NULL;
    if (!copy) return NULL;
    r->items[r->count] = (item){.name = copy, .metric = metric};
    return &r->items[r->count++];
}

static bool set_hparam(item *to, const spur_hparam *h) {
    if (h->type == SPUR_HPARAM_NUMBER) to->value = cell_number(h->number);
    if (h->type == SPUR_HPARAM_BOOL) to->value = cell_bool(h->number != 0);
    if (h->type != SPUR_HPARAM_TEXT) return true;
    char *copy = spur__strndup(h->text.data, h->text.size);
    if (copy) to->value = cell_text(copy, strlen(copy));
    return copy != NULL;
}

static spur_status take_start(collection *c, run_items *r, const spur_hparams_record *record) {
    if (r->session) return SPUR_OK; /* the first one counts, as in TensorBoard */
    r->session = true;
    r->start = record->time;
    r->group = spur__strndup(record->group.data, record->group.size);
    if (!r->group) return out_of_memory(c);
    for (size_t i = 0; i < record->count; i++) {
        item *to = item_of(r, record->values[i].name, false);
        if (!to || !set_hparam(to, &record->values[i])) return out_of_memory(c);
    }
    return SPUR_OK;
}

static spur_status take_hparams(collection *c, run_items *r, const spur_value *value) {
    spur_hparams_record record;
    spur_error local;
    spur_status status = spur_value_hparams(value, &record, &local);
    if (status != SPUR_OK) return export_skip(c->ex, status, r->run, &local);
    if (record.what == SPUR_HPARAMS_START) status = take_start(c, r, &record);
    if (record.what == SPUR_HPARAMS_END && r->status < 0) {
        r->status = record.status;
        r->end = record.time;
    }
    spur_hparams_record_free(&record);
    return status;
}

static spur_status visit_value(exporting *ex, void *user, const char *run, const spur_event *event,
                               const spur_value *value) {
    collection *c = user;
    double number;
    (void)ex;
    (void)event;
    if (value->kind != SPUR_KIND_HPARAMS && value->kind != SPUR_KIND_SCALAR) return SPUR_OK;
    run_items *r = entry_of(c, run);
    if (!r) return out_of_memory(c);
    if (value->kind == SPUR_KIND_HPARAMS) return take_hparams(c, r, value);
    if (spur_value_scalar(value, &number, NULL) != SPUR_OK) return SPUR_OK;
    item *to = item_of(r, (spur_slice){value->info->name, strlen(value->info->name)}, true);
    if (!to) return out_of_memory(c);
    to->value = cell_number(number);
    return SPUR_OK;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* True when `run` is `session` or below it. *rest is the part below ("" or "train"). */
static bool belongs(const char *run, const char *session, const char **rest) {
    size_t n = strlen(session);
    if (strcmp(run, session) == 0) {
        *rest = "";
        return true;
    }
    *rest = run;
    if (strcmp(session, ".") == 0) return true;
    if (strncmp(run, session, n) != 0 || run[n] != '/') return false;
    *rest = run + n + 1;
    return true;
}

/* The session that a run belongs to: the nearest one above it, or itself; NULL: none. */
static const run_items *session_of(const collection *c, const char *run) {
    const run_items *best = NULL;
    const char *rest, *shortest = NULL;
    for (size_t i = 0; i < c->count; i++)
        if (c->runs[i].session && belongs(run, c->runs[i].run, &rest) &&
            (!best || strlen(rest) < strlen(shortest))) {
            best = &c->runs[i];
            shortest = rest;
        }
    return best;
}

static const column fixed[] = {
    {"run", false}, {"group", false}, {"status", false}, {"start", false}, {"end", false}};
enum { FIXED = sizeof fixed / sizeof fixed[0] };

/* True when another column than the item's own has this name already. */
static bool is_taken(const collection *c, const char *name, bool metric) {
    for (size_t i = 0; i < FIXED; i++)
        if (strcmp(fixed[i].name, name) == 0) return true;
    for (size_t i = 0; i < c->column_count; i++)
        if (c->columns[i].metric != metric && strcmp(c->columns[i].name, name) == 0) return true;
    return false;
}

/* The name of an item's column: its own, behind the run's place below the session, and with a note
 * if that is taken. NULL when out of memory. */
static char *column_name(const collection *c, const char *below, const item *it) {
    char *name = *below ? spur__path_join(below, it->name) : spur__strdup(it->name);
    if (!name || !is_taken(c, name, it->metric)) return name;
    spur__str noted;
    spur__str_init(&noted, (size_t)1 << 31);
    spur__str_printf(&noted, "%s (%s)", name, it->metric ? "metric" : "hparam");
    spur__free(name);
    return spur__str_take(&noted);
}

static spur_status column_of(collection *c, const char *below, const item *it, size_t *out) {
    char *name = column_name(c, below, it);
    if (!name) return out_of_memory(c);
    for (size_t i = 0; i < c->column_count; i++)
        if (c->columns[i].metric == it->metric && strcmp(c->columns[i].name, name) == 0) {
            spur__free(name);
            *out = i;
            return SPUR_OK;
        }
    void *columns = c->columns;
    bool fits = grow(&columns, c->column_count, &c->column_capacity, sizeof *c->columns);
    c->columns = columns;
    if (!fits) {
        spur__free(name);
        return out_of_memory(c);
    }
    c->columns[c->column_count] = (found_column){name, it->metric, it->value.type == CELL_NUMBER};
    *out = c->column_count++;
    return SPUR_OK;
}

/* Calls column_of for all items of all sessions, hyper-parameters before metrics; fills `cells` of
 * one session if given. */
static spur_status place_items(collection *c, const run_items *session, cell *cells) {
    for (int metric = 0; metric < 2; metric++)
        for (size_t i = 0; i < c->count; i++) {
            const run_items *r = &c->runs[i], *owner = session_of(c, r->run);
            const char *below = "";
            if (!owner || (session && owner != session)) continue;
            if (!metric && r != owner) continue;
            belongs(r->run, owner->run, &below);
            for (size_t k = 0; k < r->count; k++) {
                size_t at = 0;
                const item *it = &r->items[k];
                if (it->metric != (bool)metric) continue;
                if (it->metric && !export_wants(c->ex->tag, it->name)) continue;
                SPUR__TRY(column_of(c, below, it, &at));
                if (cells) cells[at] = it->value;
            }
        }
    return SPUR_OK;
}

static void put_fixed(cell *cells, const run_items *r) {
    static const char *const statuses[] = {"unknown", "success", "failure", "running"};
    const char *status = r->status >= 0 && r->status < 4 ? statuses[r->status] : "";
    cells[0] = cell_text(r->run, strlen(r->run));
    cells[1] = cell_text(r->group, strlen(r->group));
    cells[2] = cell_text(status, strlen(status));
    cells[3] = r->start > 0 ? cell_seconds(r->start) : (cell){.type = CELL_NONE};
    cells[4] = r->end > 0 ? cell_seconds(r->end) : (cell){.type = CELL_NONE};
}

static spur_status write_rows(collection *c, column *columns, cell *cells) {
    size_t count = FIXED + c->column_count;
    table t;
    memcpy(columns, fixed, sizeof fixed);
    for (size_t i = 0; i < c->column_count; i++)
        columns[FIXED + i] = (column){c->columns[i].name, c->columns[i].numeric};
    table_begin(&t, c->ex->file, c->ex->format, columns, count);
    spur_status status = SPUR_OK;
    for (size_t i = 0; status == SPUR_OK && i < c->count; i++) {
        if (!c->runs[i].session) continue;
        memset(cells, 0, count * sizeof *cells);
        put_fixed(cells, &c->runs[i]);
        status = place_items(c, &c->runs[i], cells + FIXED);
        table_row(&t, cells);
        c->ex->values++;
    }
    spur_status ended = table_end(&t);
    if (status != SPUR_OK || ended == SPUR_OK) return status;
    return spur__fail(c->ex->err, ended, "cannot write the table: %s", spur_strstatus(ended));
}

static spur_status write_sessions(collection *c) {
    SPUR__TRY(place_items(c, NULL, NULL)); /* names the columns */
    size_t count = FIXED + c->column_count;
    column *columns = spur__malloc_array(count, sizeof *columns);
    cell *cells = spur__malloc_array(count, sizeof *cells);
    spur_status status = columns && cells ? write_rows(c, columns, cells) : out_of_memory(c);
    spur__free(columns);
    spur__free(cells);
    return status;
}

spur_status export_hparams(exporting *ex) {
    collection c = {.ex = ex};
    exporting all = *ex; /* values of every kind and tag are looked at */
    all.kind = SPUR_KIND_NONE;
    all.tag = NULL;
    spur_status status = export_walk(&all, visit_value, &c);
    ex->problems = all.problems;
    if (status == SPUR_OK) status = write_sessions(&c);
    free_collection(&c);
    return status;
}
