/* SPDX-License-Identifier: MIT
 *
 * Overrides, configurations and directories of the commands; see setup.h.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "engine_commands/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "output/text.h"

bool overrides_add(overrides *o, const char *key, const char *value) {
    if (o->count == sizeof o->items / sizeof o->items[0]) return false;
    size_t n = strlen(key) + strlen(value) + 2;
    char *text = spur__malloc(n);
    if (!text) return false;
    snprintf(text, n, "%s=%s", key, value);
    o->items[o->count++] = text;
    return true;
}

void overrides_free(overrides *o) {
    for (size_t i = 0; i < o->count; i++) spur__free(o->items[i]);
    o->count = 0;
}

int command_refuse(const command *self, const spur_error *err) {
    text_complain("%s: %s", self->name, err->message);
    return EXIT_USAGE;
}

int command_fail(const command *self, const spur_error *err) {
    command_refuse(self, err);
    return EXIT_FAILED;
}

int command_give_up(const command *self, const spur_error *err) {
    bool denied = err->status == SPUR_E_IO || err->status == SPUR_E_MEMORY;
    return denied ? command_fail(self, err) : command_refuse(self, err);
}

int print_config(const config *cfg) {
    spur__str text;
    spur__str_init(&text, 1 << 22);
    config_format(cfg, &text);
    bool whole = spur__str_status(&text) == SPUR_OK;
    fputs(spur__str_text(&text), stdout);
    spur__str_free(&text);
    return whole && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* "section.key=value" rather than a file's name. */
static bool is_override(const char *word) {
    const char *equals = strchr(word, '='), *dot = strchr(word, '.');
    return equals && dot && dot < equals;
}

int load_config(const command *self, config *cfg, char *const *words, int count, overrides *o) {
    spur_error err = {.status = SPUR_OK};
    if (count < 1) return command_misuse(self, "expected an INI file");
    if (is_override(words[0]) && !spur__exists(words[0]))
        return command_misuse(self, "'%s': expected an INI file before the first section.key=value",
                              words[0]);
    for (int i = 1; i < count; i++) {
        if (!is_override(words[i]))
            return command_misuse(self, "'%s': expected section.key=value", words[i]);
        size_t length = strcspn(words[i], "=");
        char *key = spur__strndup(words[i], length);
        bool added = key && overrides_add(o, key, words[i] + length + 1);
        spur__free(key);
        if (!added) return command_misuse(self, "too many overrides");
    }
    if (config_load(cfg, words[0], o->items, o->count, &err) != SPUR_OK)
        return command_refuse(self, &err);
    return EXIT_DONE;
}

/* A run stands for its config.ini. */
static char *config_of(const char *word) {
    char *inside = spur__path_join(word, "config.ini");
    if (inside && spur__exists(inside)) return inside;
    spur__free(inside);
    return spur__strdup(word);
}

int load_config_of(const command *self, char **words, int count, config *cfg) {
    overrides o = {.count = 0};
    if (count < 1) return command_misuse(self, "expected %s", self->usage);
    char *word = words[0], *path = config_of(word);
    if (!path) return EXIT_FAILED;
    words[0] = path;
    int status = load_config(self, cfg, words, count, &o);
    words[0] = word;
    overrides_free(&o);
    spur__free(path);
    return status;
}

/* Where the run was started, as env.ini tells; NULL if it does not. */
static char *start_directory(const char *run) {
    document doc;
    document_init(&doc);
    char *path = spur__path_join(run, "env.ini"), *found = NULL;
    const document_entry *entry = NULL;
    if (path && document_read(&doc, path, NULL) == SPUR_OK)
        entry = document_find(&doc, "start", "directory");
    if (entry) found = spur__strdup(entry->value);
    if (found) document_decode_text(found);
    document_free(&doc);
    spur__free(path);
    return found;
}

char *path_by_name(const char *path) {
    char *plain = spur__path_plain(path), *real = NULL;
    const char *name = plain ? spur__path_name(plain) : "";
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) real = realpath(plain, NULL);
    if (!real) return plain;
    spur__free(plain);
    plain = spur__strdup(real);
    free(real);
    return plain;
}

/* To where the run was started. */
static char *enter(const command *self, const char *run) {
    char here[4096], *start = start_directory(run);
    bool elsewhere = start && getcwd(here, sizeof here) && strcmp(start, here) != 0;
    if (elsewhere && chdir(start) != 0) {
        text_complain("%s: %s is gone; relative paths count from here", self->name, start);
        elsewhere = false;
    }
    spur__free(start);
    return elsewhere && run[0] != '/' ? spur__path_join(here, run) : spur__strdup(run);
}

char *enter_start_directory(const command *self, const char *run) {
    char *named = path_by_name(run), *there = named ? enter(self, named) : NULL;
    spur__free(named);
    return there;
}

static char *weights_path(const char *run, const char *which) {
    char relative[128];
    snprintf(relative, sizeof relative, "checkpoints/%s/weights.safetensors", which);
    return spur__path_join(run, relative);
}

spur_status find_weights(const char *run, const char *which, char **path, spur_error *err) {
    *path = weights_path(run, which);
    if (!*path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    if (spur__exists(*path)) return SPUR_OK;
    spur__free(*path);
    *path = weights_path(run, "last");
    bool last = *path && spur__exists(*path);
    spur__free(*path);
    *path = NULL;
    return spur__fail(err, SPUR_E_NOTFOUND, "%s: no %s checkpoint%s", run, which,
                      last ? ", no epoch has ended; --weights last takes what there is" : "");
}
