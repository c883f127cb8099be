/* SPDX-License-Identifier: MIT
 *
 * Remembered statistics; see statistics_cache.h. The file is text: a version line, then numbers, one a line,
 * in their shortest exact form, and an end mark.
 */
#include "data/statistics_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"

static const char version[] = "spur data statistics 3";

/* FNV-1a twice, with different starting values: 128 bits. */
typedef struct digest {
    uint64_t a, b;
} digest;

static void add_bytes(digest *d, const void *data, size_t n) {
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++) {
        d->a = (d->a ^ p[i]) * 0x100000001b3u;
        d->b = (d->b ^ p[i]) * 0x100000001b3u;
    }
}

static void add_text(digest *d, const char *text) {
    add_bytes(d, text, strlen(text) + 1);
}

/* Options that change nothing in the statistics. */
static bool irrelevant(const char *name) {
    static const char *const names[] = {"batch_size",    "workers", "drop_last",
                                        "normalization", "verify",  "cache"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static bool add_options(digest *d, const spur_data *data) {
    const spur__options *table = data->kind->kind.options;
    spur__str text;
    spur__str_init(&text, 1 << 20);
    for (size_t i = 0; i < table->count; i++) {
        if (irrelevant(table->rows[i].name)) continue;
        spur__str_puts(&text, table->rows[i].name);
        spur__str_putc(&text, '=');
        spur__option_format(&table->rows[i], data->options, &text);
        spur__str_putc(&text, '\n');
    }
    bool good = spur__str_status(&text) == SPUR_OK;
    add_text(d, spur__str_text(&text));
    spur__str_free(&text);
    return good;
}

static bool add_file(digest *d, const char *path) {
    struct stat info;
    if (!path) return true;
    if (stat(path, &info) != 0) return false;
    int64_t facts[3] = {(int64_t)info.st_size, (int64_t)info.st_mtim.tv_sec,
                        (int64_t)info.st_mtim.tv_nsec};
    add_text(d, path);
    add_bytes(d, facts, sizeof facts);
    return true;
}

/* Name, size and time of every file, once even if many items come from it. */
static bool add_files(digest *d, const spur_data *data) {
    const char *last = NULL;
    for (size_t i = 0; i < data->item_count; i++) {
        uint32_t item = (uint32_t)i;
        const char *file = data->kind->file(data, item);
        if (file != last && !add_file(d, file)) return false;
        if (file != last && data->kind->label_file &&
            !add_file(d, data->kind->label_file(data, item)))
            return false;
        last = file;
    }
    return true;
}

/* The name of the cache file, new memory; NULL when these data are not to be remembered. */
static char *cache_path(const spur_data *data, bool everything) {
    char name[64];
    digest d = {0xcbf29ce484222325u, 0x84222325cbf29ce4u};
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path = NULL, *folder = NULL;
    if (!data->kind->file) return NULL;
    add_text(&d, version);
    add_text(&d, data->kind->kind.name);
    add_text(&d, everything ? "all" : "train");
    if (!add_options(&d, data) || !add_files(&d, data)) return NULL;
    snprintf(name, sizeof name, "data-%016" PRIx64 "%016" PRIx64 ".txt", d.a, d.b);
    if (base && base[0] == '/')
        folder = spur__path_join(base, "spur");
    else if (home && home[0] == '/')
        folder = spur__path_join(home, ".cache/spur");
    if (folder) path = spur__path_join(folder, name);
    spur__free(folder);
    return path;
}

/* Reads the next line as a number; false at the end or when it is none. */
static bool next_number(char **at, double *out) {
    char *line = *at, *end = strchr(line, '\n');
    if (!end) return false;
    *end = '\0';
    *at = end + 1;
    return spur__parse_double(line, out) && *out == *out;
}

static bool next_count(char **at, uint64_t *out) {
    double number;
    if (!next_number(at, &number) || number < 0 || number > 9e15) return false;
    *out = (uint64_t)number;
    return true;
}

static bool parse(spur_data *data, char *text) {
    spur__statistics *s = &data->statistics;
    size_t channels = (size_t)data->info.channels, length = strlen(version);
    bool good = strncmp(text, version, length) == 0 && text[length] == '\n';
    text += good ? length + 1 : 0;
    for (size_t c = 0; good && c < channels; c++)
        good = next_number(&text, &s->mean[c]) && next_number(&text, &s->std[c]);
    if (data->info.task == SPUR_SEGMENTATION) {
        for (size_t i = 0; good && i < (size_t)SPUR_SPLIT_COUNT * 256; i++)
            good = next_count(&text, &s->values[i / 256][i % 256]);
        for (size_t i = 0; good && i < data->splits[SPUR_SPLIT_TRAIN].count; i++)
            good = next_number(&text, &s->item_weights[i]);
    }
    return good && strcmp(text, "end\n") == 0;
}

bool spur__statistics_cache_load(spur_data *data, bool everything) {
    char *text = NULL, *path = cache_path(data, everything);
    size_t size;
    if (path && spur__file_read(path, (size_t)1 << 30, &text, &size, NULL) == SPUR_OK)
        data->statistics.known = parse(data, text);
    spur__free(text);
    spur__free(path);
    return data->statistics.known;
}

static void format(const spur_data *data, spur__str *out) {
    const spur__statistics *s = &data->statistics;
    spur__str_printf(out, "%s\n", version);
    for (int c = 0; c < data->info.channels; c++) {
        spur__str_double(out, s->mean[c]);
        spur__str_putc(out, '\n');
        spur__str_double(out, s->std[c]);
        spur__str_putc(out, '\n');
    }
    if (data->info.task == SPUR_SEGMENTATION) {
        for (size_t i = 0; i < (size_t)SPUR_SPLIT_COUNT * 256; i++)
            spur__str_printf(out, "%" PRIu64 "\n", s->values[i / 256][i % 256]);
        for (size_t i = 0; i < data->splits[SPUR_SPLIT_TRAIN].count; i++) {
            spur__str_double(out, s->item_weights[i]);
            spur__str_putc(out, '\n');
        }
    }
    spur__str_puts(out, "end\n");
}

void spur__statistics_cache_store(const spur_data *data, bool everything) {
    spur__str text;
    char *path = cache_path(data, everything), *folder = NULL;
    if (!path) return;
    spur__str_init(&text, (size_t)1 << 30);
    format(data, &text);
    folder = spur__path_directory(path);
    if (folder && spur__str_status(&text) == SPUR_OK && spur__mkdirs(folder, NULL) == SPUR_OK)
        (void)spur__file_write(path, text.data, text.length, NULL);
    spur__str_free(&text);
    spur__free(folder);
    spur__free(path);
}
