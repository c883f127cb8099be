/* SPDX-License-Identifier: MIT
 *
 * INI files as text: what stands where. A document is the list of all `key = value` lines and
 * section headings of a file and of the files it includes, in rising priority, each with its place;
 * what the keys mean is the business of config.h.
 *
 * The syntax: `[section]`, `key = value`, comments in lines of their own or behind a value after a
 * blank (` ;` or ` #`), indentation without meaning, lines up to 4 MiB, UTF-8. Before the first
 * section only `include = other.ini` may stand; its path is relative to the including file.
 */
#ifndef SPUR_TRAINER_CONFIG_DOCUMENT_H
#define SPUR_TRAINER_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <spur/status.h>

#include "base/str.h"

typedef struct document_entry {
    char *section;
    char *key; /* NULL: this is the heading of a section */
    char *value; /* NULL for a heading */
    const char *file; /* as the user typed it; "command line" for an override */
    unsigned source; /* number of the file, in the order of reading */
    int line, column, value_column; /* from 1; 0 on the command line */
    size_t older; /* number from 1 of the last entry before with this section and key; 0: none */
} document_entry;

typedef struct document {
    document_entry *entries;
    size_t count, capacity;
    size_t *
        latest; /* hash table of 2 * capacity: numbers from 1 of the entries that decide; 0: free */
    char **files; /* every name that an entry may point to */
    size_t file_count;
} document;

void document_init(document *doc);
void document_free(document *doc);

/* Reads a file and what it includes. On error the document keeps what was read before. */
spur_status document_read(document *doc, const char *path, spur_error *err);

/* The same from memory; `name` stands in the messages, and includes are relative to it. */
spur_status document_parse(document *doc, const char *name, const char *text, size_t size,
                           spur_error *err);

/* False for a value that a file cannot hold: a line break, a comment sign at its beginning or behind
 * a blank, or no UTF-8. It would be another one when config.ini is read again. */
bool document_can_hold(const char *value);

/* Appends a text as a value that a file can hold: what would be lost (comment signs, blanks at the ends,
 * control characters, bytes of what is not UTF-8) and the backslash as \xNN. */
void document_put_text(spur__str *out, const char *text);

/* The text of such a value again, in place. */
char *document_decode_text(char *text);

/* Adds `section.key=value` from the command line; it wins over every file. */
spur_status document_override(document *doc, const char *assignment, spur_error *err);

/* The entry that decides `section.key`, or NULL. */
const document_entry *document_find(const document *doc, const char *section, const char *key);

/* An error at the key (or value) of an entry: "file:line:column: ..." or "command line: ...". */
spur_status document_fail(const document_entry *entry, bool at_value, spur_status status,
                          spur_error *err, const char *fmt, ...) SPUR_PRINTF(5, 6);

#endif
