/* SPDX-License-Identifier: MIT
 *
 * Reading INI files with inih, over a line reader of our own.
 *
 * inih as packaged takes an indented key for a continuation, cuts lines at 199 bytes, does not see
 * empty sections, and knows no columns. So the reader hands it one clean line at a time, without
 * indentation and comment, keeps the place of everything in it, and shortens a long value (the
 * handler then takes the kept one). What is malformed is an error here, before inih sees it.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include <ini.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/document_lines.h"

enum {
    LINE_LIMIT = 4 << 20, /* means of as many channels as there can be: data.ini */
    FILE_LIMIT = 16 << 20,
    NAME_LIMIT = 48, /* inih cuts names at 49 bytes */
    INCLUDE_DEPTH = 16
};

typedef struct reader {
    document *doc;
    const char *text;
    size_t size, at;
    document_entry place; /* of the line read last */
    char *line; /* clean copy of that line */
    char *value; /* in `line`, behind the '=' */
    const struct reader *parent; /* the file that includes this one */
    char *real_path; /* for finding cycles; NULL for text from memory */
    bool in_section;
    spur_status status;
    spur_error *err;
} reader;

static spur_status read_file(document *doc, const char *path, const reader *parent,
                             spur_error *err);

static char *fail(reader *r, int column, const char *message, const char *what) {
    r->status = spur__fail_at(r->err, SPUR_E_FORMAT, r->place.file, r->place.line, column, "%s%s",
                              message, what);
    return NULL;
}

/* Column, in characters, of the byte at `p`. */
static int column_of(const char *line, const char *p) {
    int column = 1;
    for (; line < p; line++) column += ((unsigned char)*line & 0xc0) != 0x80;
    return column;
}

/* Takes the next line out of the text; false at the end or on an error. */
static bool next_line(reader *r) {
    if (r->at >= r->size) return false;
    const char *start = r->text + r->at;
    const char *end = memchr(start, '\n', r->size - r->at);
    size_t n = end ? (size_t)(end - start) : r->size - r->at;
    r->at += n + 1;
    r->place.line++;
    if (n > 0 && start[n - 1] == '\r') n--;
    if (n >= LINE_LIMIT) return fail(r, 1, "line of 4 MiB or more", "") != NULL;
    if (memchr(start, '\0', n)) return fail(r, 1, "NUL byte: this is no text file", "") != NULL;
    if (!spur__utf8_valid(start, n)) return fail(r, 1, "not valid UTF-8", "") != NULL;
    memcpy(r->line, start, n);
    r->line[n] = '\0';
    return true;
}

/* Cuts a comment off: the whole line if it begins with one, else from " ;" or " #" on. Right behind
 * the '=' or ':' the blank may be missing: no value can begin with a comment sign. */
static void strip_comment(char *line) {
    char *first = line + strspn(line, " \t");
    const char *separator = first + strcspn(first, "=:");
    for (char *p = first; *p; p++) {
        bool begins = p == first || p[-1] == ' ' || p[-1] == '\t' || p - 1 == separator;
        if (begins && (*p == ';' || *p == '#')) {
            *p = '\0';
            return;
        }
    }
}

static char *read_section(reader *r, char *start, char *out, size_t room) {
    char *close = strchr(start, ']');
    if (!close) return fail(r, column_of(r->line, start), "expected ']' after ", start);
    if (close[1] != '\0')
        return fail(r, column_of(r->line, close + 1), "expected nothing behind the section, found ",
                    close + 1);
    *close = '\0';
    char *name = spur__trim(start + 1);
    if (*name == '\0') return fail(r, column_of(r->line, start), "empty section name", "");
    if (strlen(name) > NAME_LIMIT || strlen(name) + 3 > room)
        return fail(r, column_of(r->line, start), "section name too long: ", name);
    r->place.column = column_of(r->line, start);
    r->in_section = true;
    r->status = document_add(r->doc, &r->place, name, NULL, NULL, r->err);
    if (r->status != SPUR_OK) return NULL;
    size_t n = strlen(name);
    out[0] = '[';
    memcpy(out + 1, name, n);
    memcpy(out + 1 + n, "]", 2);
    return out;
}

static char *read_key(reader *r, char *start, char *out, size_t room) {
    size_t name = strcspn(start, "=:");
    int column = column_of(r->line, start);
    if (start[name] == '\0') return fail(r, column, "expected 'key = value', found ", start);
    r->value = start + name + 1;
    start[name] = '\0';
    r->place.column = column;
    r->value += strspn(r->value, " \t");
    r->place.value_column = column_of(r->line, r->value);
    const char *key = spur__trim(start);
    size_t n = strlen(key);
    if (n == 0) return fail(r, column, "no key before '='", "");
    if (n > NAME_LIMIT || n + 8 > room) return fail(r, column, "key too long: ", key);
    memcpy(out, key, n);
    memcpy(out + n, " = .", 5); /* the handler takes the value from here, whatever its length */
    return out;
}

/* The fgets of ini_parse_stream. */
static char *read_line(char *out, int room, void *stream) {
    reader *r = stream;
    while (r->status == SPUR_OK && next_line(r)) {
        strip_comment(r->line);
        char *start = spur__trim(r->line);
        if (*start == '\0') continue;
        if (*start == '[') return read_section(r, start, out, (size_t)room);
        return read_key(r, start, out, (size_t)room);
    }
    return NULL;
}

/* The path of an included file: relative to the directory of the including one. */
static char *resolve(const char *from, const char *path) {
    if (path[0] == '/' || spur__path_name(from) == from) return spur__strdup(path);
    char *directory = spur__path_directory(from);
    char *joined = directory ? spur__path_join(directory, path) : NULL;
    spur__free(directory);
    return joined;
}

static spur_status include(reader *r, const char *value) {
    if (*value == '\0')
        return document_fail(&r->place, true, SPUR_E_FORMAT, r->err, "include needs a file name");
    char *path = resolve(r->place.file, value);
    if (!path) return spur__fail(r->err, SPUR_E_MEMORY, "%s: out of memory", r->place.file);
    spur_status status = read_file(r->doc, path, r, r->err);
    spur__free(path);
    return status;
}

/* inih's handler: 0 stops nothing (it goes on), so an error is kept and later lines are not read. */
static int handle(void *user, const char *section, const char *key, const char *unused) {
    reader *r = user;
    (void)unused;
    if (r->status != SPUR_OK) return 0;
    if (r->in_section)
        r->status = document_add(r->doc, &r->place, section, key, r->value, r->err);
    else if (strcmp(key, "include") == 0)
        r->status = include(r, r->value);
    else
        r->status =
            document_fail(&r->place, false, SPUR_E_FORMAT, r->err,
                          "key '%s' before any [section] (only 'include' may stand there)", key);
    return r->status == SPUR_OK;
}

static spur_status parse_text(reader *r, const char *name) {
    if (r->size >= 3 && memcmp(r->text, "\xef\xbb\xbf", 3) == 0) r->at = 3;
    r->place.file = document_add_file(r->doc, name);
    r->place.source = (unsigned)r->doc->file_count;
    r->line = spur__malloc(LINE_LIMIT);
    if (!r->place.file || !r->line) {
        spur__free(r->line);
        return spur__fail(r->err, SPUR_E_MEMORY, "%s: out of memory", name);
    }
    int line = ini_parse_stream(read_line, r, handle, r);
    if (line != 0 && r->status == SPUR_OK)
        r->status = spur__fail_at(r->err, SPUR_E_FORMAT, name, r->place.line, 1, "malformed line");
    spur__free(r->line);
    return r->status;
}

/* True when `real_path` is this file or one that includes it. */
static bool is_open(const reader *r, const char *real_path) {
    for (; r; r = r->parent)
        if (r->real_path && strcmp(r->real_path, real_path) == 0) return true;
    return false;
}

static spur_status check_nesting(const reader *parent, const char *path, const char *real_path,
                                 spur_error *err) {
    int depth = 0;
    for (const reader *r = parent; r; r = r->parent) depth++;
    if (parent && real_path && is_open(parent, real_path))
        return document_fail(&parent->place, true, SPUR_E_FORMAT, err,
                             "%s includes itself, here or through another file", path);
    if (depth > INCLUDE_DEPTH)
        return document_fail(&parent->place, true, SPUR_E_FORMAT, err, "more than %d files deep",
                             INCLUDE_DEPTH);
    return SPUR_OK;
}

static spur_status read_file(document *doc, const char *path, const reader *parent,
                             spur_error *err) {
    reader r = {.doc = doc, .parent = parent, .err = err};
    char *text = NULL;
    spur_error detail = {.status = SPUR_OK};
    spur_status status;
    r.real_path = realpath(path, NULL);
    SPUR__TRY_GOTO(check_nesting(parent, path, r.real_path, err), done);
    status = spur__file_read(path, FILE_LIMIT, &text, &r.size, &detail);
    if (status != SPUR_OK) {
        if (parent)
            document_fail(&parent->place, true, status, err, "%s", detail.message);
        else
            spur__fail(err, status, "%s", detail.message);
        goto done;
    }
    r.text = text;
    status = parse_text(&r, path);
done:
    spur__free(text);
    free(r.real_path);
    return status;
}

spur_status document_read(document *doc, const char *path, spur_error *err) {
    return read_file(doc, path, NULL, err);
}

spur_status document_parse(document *doc, const char *name, const char *text, size_t size,
                           spur_error *err) {
    reader r = {.doc = doc, .text = text, .size = size, .err = err};
    return parse_text(&r, name);
}
