/* SPDX-License-Identifier: MIT
 *
 * The state file of a checkpoint; its form stands in state.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "weights/state.h"

enum { STATE_MAX = 256 * 1024 * 1024 };

static const char magic[] = "spur checkpoint 1\n";

static void put_escaped(spur__str *out, const char *value) {
    for (; *value; value++) {
        if (*value == '\\')
            spur__str_puts(out, "\\\\");
        else if (*value == '\n')
            spur__str_puts(out, "\\n");
        else
            spur__str_putc(out, *value);
    }
}

spur_status spur__state_write(const char *path, const spur__manifest *m, const spur_state *state,
                              bool sync_later, spur_error *err) {
    spur__file_writer writer;
    spur__str out;
    spur__str_init(&out, STATE_MAX);
    spur__str_printf(&out, "%sstep %" PRIu64 "\n", magic, m->step);
    for (size_t i = 0; i < m->file_count; i++)
        spur__str_printf(&out, "file %s %" PRIu64 " %08" PRIx32 "\n", m->files[i].name,
                         m->files[i].size, m->files[i].crc);
    for (size_t i = 0; i < spur__state_count(state); i++) {
        const char *key = spur__state_key(state, i);
        spur__str_printf(&out, "value %s ", key);
        put_escaped(&out, spur_state_get(state, key));
        spur__str_putc(&out, '\n');
    }
    uint32_t crc = spur__crc32c(0, spur__str_text(&out), out.length);
    spur__str_printf(&out, "end %08" PRIx32 "\n", crc);
    spur_status status = spur__str_status(&out);
    if (status != SPUR_OK) {
        spur__fail(err, status, "%s: %s", path, spur_strstatus(status));
        goto done;
    }
    SPUR__TRY_GOTO(spur__file_writer_open(&writer, path, err), done);
    writer.sync_later = sync_later;
    spur__file_writer_put(&writer, out.data, out.length);
    status = spur__file_writer_commit(&writer, err);
done:
    spur__str_free(&out);
    return status;
}

/* ---- parsing ------------------------------------------------------------------------------------- */

typedef struct parser {
    const char *path;
    const char *p, *end;
    int line;
    spur__manifest *manifest;
    spur_state *state;
    spur_error *err;
} parser;

static spur_status broken(const parser *s, const char *what) {
    return spur__fail_at(s->err, SPUR_E_FORMAT, s->path, s->line, 1, "%s", what);
}

/* The digits at *p in the given base; false when there are none, too many, or another follows. */
static bool number(const char **p, int base, char follow, uint64_t *out) {
    const char *digits = base == 16 ? "0123456789abcdef" : "0123456789";
    size_t n = strspn(*p, digits);
    if (n == 0 || n > (base == 16 ? 8u : 20u) || (*p)[n] != follow) return false;
    errno = 0;
    *out = strtoull(*p, NULL, base);
    if (errno == ERANGE) return false;
    *p += n + 1;
    return true;
}

static spur_status parse_file(parser *s, const char *line) {
    spur__manifest *m = s->manifest;
    uint64_t crc;
    size_t n = strcspn(line, " \n");
    if (m->file_count == SPUR__CHECKPOINT_FILES_MAX) return broken(s, "too many files");
    spur__checkpoint_file *file = &m->files[m->file_count];
    if (n == 0 || n >= sizeof file->name || line[n] != ' ' || memchr(line, '/', n) ||
        line[0] == '.')
        return broken(s, "expected: file NAME SIZE CRC");
    memcpy(file->name, line, n);
    file->name[n] = '\0';
    line += n + 1;
    if (!number(&line, 10, ' ', &file->size) || !number(&line, 16, '\n', &crc))
        return broken(s, "expected: file NAME SIZE CRC");
    file->crc = (uint32_t)crc;
    m->file_count++;
    return SPUR_OK;
}

/* Copies n bytes, undoing the escapes. */
static spur_status unescape(const parser *s, const char *from, size_t n, char **out) {
    char *text = spur__malloc(n + 1), *to = text;
    if (!text) return spur__fail(s->err, SPUR_E_MEMORY, "%s: out of memory", s->path);
    for (size_t i = 0; i < n; i++) {
        if (from[i] != '\\') {
            *to++ = from[i];
            continue;
        }
        i++;
        if (i == n || (from[i] != '\\' && from[i] != 'n')) {
            spur__free(text);
            return broken(s, "a backslash that begins no escape");
        }
        *to++ = from[i] == 'n' ? '\n' : '\\';
    }
    *to = '\0';
    *out = text;
    return SPUR_OK;
}

static spur_status parse_value(parser *s, const char *line) {
    char key[256];
    size_t n = strcspn(line, " \n"), length;
    if (n == 0 || n >= sizeof key || line[n] != ' ') return broken(s, "expected: value KEY TEXT");
    memcpy(key, line, n);
    key[n] = '\0';
    line += n + 1;
    length = strcspn(line, "\n");
    char *value = NULL;
    SPUR__TRY(unescape(s, line, length, &value));
    spur_status status = spur_state_get(s->state, key)
                             ? broken(s, "a key that is there twice")
                             : spur_state_set(s->state, key, value, s->err);
    spur__free(value);
    return status;
}

static spur_status parse_line(parser *s, const char *line) {
    if (strncmp(line, "file ", 5) == 0) return parse_file(s, line + 5);
    if (strncmp(line, "value ", 6) == 0) return parse_value(s, line + 6);
    return broken(s, "expected a line of file, value or end");
}

/* The last line, checked first: the rest is what was written, or it is not looked at. */
static spur_status check_end(parser *s, const char *text, size_t n) {
    const size_t length = 13; /* "end 89abcdef\n" */
    uint64_t crc;
    const char *p = text + n - length + 4;
    if (n < length || strncmp(text + n - length, "end ", 4) != 0 || !number(&p, 16, '\n', &crc))
        return spur__fail(s->err, SPUR_E_DAMAGED, "%s: cut short, it has no end line", s->path);
    s->end = text + n - length;
    if (crc != spur__crc32c(0, text, n - length))
        return spur__fail(s->err, SPUR_E_DAMAGED, "%s: wrong checksum", s->path);
    return SPUR_OK;
}

spur_status spur__state_parse(const char *path, const char *text, size_t n, spur__manifest *m,
                              spur_state *state, spur_error *err) {
    parser s = {.path = path, .line = 1, .manifest = m, .state = state, .err = err};
    *m = (spur__manifest){0};
    if (n < sizeof magic - 1 || memcmp(text, magic, sizeof magic - 1) != 0 || memchr(text, 0, n))
        return spur__fail(err, SPUR_E_FORMAT, "%s: not the state of a checkpoint", path);
    SPUR__TRY(check_end(&s, text, n));
    s.p = text + sizeof magic - 1;
    s.line = 2;
    if (strncmp(s.p, "step ", 5) != 0) return broken(&s, "expected the step");
    s.p += 5;
    if (!number(&s.p, 10, '\n', &m->step)) return broken(&s, "expected the step");
    while (s.p < s.end) {
        s.line++;
        SPUR__TRY(parse_line(&s, s.p));
        s.p += strcspn(s.p, "\n") + 1;
    }
    return SPUR_OK;
}
