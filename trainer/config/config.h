/* SPDX-License-Identifier: MIT
 *
 * A configuration: what every option is, after files, defaults and overrides.
 *
 * Each section has a table of options of its own, or a family of kinds chosen by a key (`name =
 * adam`) whose options then join, or both. Everything is checked here: sections, keys, values and
 * ranges, with the place in the file and the nearest valid name. [sweep], [program] and [param] are
 * kept as text for `spur sweep`; only that what is swept exists is checked.
 */
#ifndef SPUR_TRAINER_CONFIG_CONFIG_H
#define SPUR_TRAINER_CONFIG_CONFIG_H

#include "base/options.h"
#include "config/document.h"

typedef enum section_id {
    SECTION_RUN,
    SECTION_DATA,
    SECTION_AUGMENT,
    SECTION_BALANCE,
    SECTION_MODEL,
    SECTION_LOSS,
    SECTION_OPTIMIZER,
    SECTION_SCHEDULER,
    SECTION_TRAIN,
    SECTION_LOG,
    SECTION_TYPED, /* the sections before have options; those from here on are text */
    SECTION_SWEEP = SECTION_TYPED,
    SECTION_PROGRAM,
    SECTION_PARAM,
    SECTION_COUNT
} section_id;

typedef struct section_spec {
    const char *name;
    const char *help;
    const spur__options *common; /* NULL: none */
    const spur__family *family; /* NULL: none */
    const char *selector; /* the key that chooses the kind */
    const char *initial; /* the kind when none is chosen */
} section_spec;

/* SECTION_COUNT rows, in trainer/section.c. */
extern const section_spec section_specs[];

typedef struct config_part {
    void *common; /* a struct as described by the spec's table */
    const spur__kind *kind; /* the chosen row of the family */
    void *options; /* a struct as described by the kind's table; NULL when it has none */
} config_part;

typedef struct config {
    document doc;
    config_part parts[SECTION_TYPED];
    bool sweeps; /* there is a [sweep] */
    bool program; /* there is a [program]: nothing for `spur train` */
} config;

/* Reads `path` (NULL: defaults only), applies `section.key=value` overrides, checks everything.
 * Frees itself on error. */
spur_status config_load(config *cfg, const char *path, char *const *overrides, size_t count,
                        spur_error *err);

/* The same from a document, which the configuration then owns (also on error). */
spur_status config_resolve(config *cfg, document *doc, spur_error *err);

void config_free(config *cfg);

/* Appends every option of every section in canonical form: an INI file that gives the same
 * configuration again. */
void config_format(const config *cfg, spur__str *out);

/* Calls visit for every option: its section, key, value as text, and default as text. */
typedef void config_visit(void *user, const char *section, const char *key, const char *value,
                          const char *initial);
void config_each(const config *cfg, config_visit *visit, void *user);

/* The text of an option, newly allocated; NULL when there is no such one (or no memory). */
char *config_option(const config *cfg, const char *section, const char *key);

/* The row of `key` in a section, looking in every kind of its family; *kind (may be NULL) gets the
 * kind that has it, NULL when it is common to all. NULL if there is no such key. */
const spur__option *config_find_row(section_id section, const char *key, const spur__kind **kind);

/* Appends what an option is called where nobody sees its section: "lr"; "optimizer" for
 * optimizer.name; the full "scheduler.gamma" where another section has a key of that name, so that
 * the name of an option is the same in every run. run.seed is "seed". */
void config_short_name(const char *section, const char *key, spur__str *out);

/* The same from "section.key". */
void config_short_path(const char *name, spur__str *out);

/* SECTION_COUNT when there is none of this name. */
section_id section_find(const char *name);

/* The name most like `name`, or NULL. */
const char *section_nearest(const char *name);

/* An error that belongs to an option: at its place in the file if it stands in one, else
 * "section.key: ...". */
spur_status config_fail(const config *cfg, section_id section, const char *key, spur_status status,
                        spur_error *err, const char *fmt, ...) SPUR_PRINTF(6, 7);

/* The structs of the fixed tables. */
#define config_common(cfg, section, type) ((const type *)(cfg)->parts[section].common)

#endif
