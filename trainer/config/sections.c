/* SPDX-License-Identifier: MIT
 *
 * Finding sections and the rows of their options, and short names for what is varied. The table
 * itself is trainer/section.c.
 */
#include <string.h>

#include "config/config.h"

section_id section_find(const char *name) {
    for (section_id i = 0; i < SECTION_COUNT; i++)
        if (strcmp(section_specs[i].name, name) == 0) return i;
    return SECTION_COUNT;
}

static const char *name_at(const void *unused, size_t i) {
    (void)unused;
    return section_specs[i].name;
}

const char *section_nearest(const char *name) {
    return spur__nearest(name, SECTION_COUNT, name_at, NULL);
}

const spur__option *config_find_row(section_id section, const char *key, const spur__kind **kind) {
    const section_spec *spec = &section_specs[section];
    const spur__option *row = spec->common ? spur__options_find(spec->common, key) : NULL;
    if (kind) *kind = NULL;
    for (size_t i = 0; !row && spec->family && i < spec->family->count; i++) {
        const spur__kind *one = spec->family->kinds[i];
        row = one->options ? spur__options_find(one->options, key) : NULL;
        if (row && kind) *kind = one;
    }
    return row;
}

/* Whether another section has such a key, or is called so. [log] and those after it say how a run
 * happens; what is learnt is told apart from the others only. */
static bool is_ambiguous(const char *section, const char *key) {
    for (section_id i = SECTION_RUN; i <= SECTION_TRAIN; i++) {
        if (strcmp(section_specs[i].name, section) == 0) continue;
        if (strcmp(section_specs[i].name, key) == 0 || config_find_row(i, key, NULL)) return true;
    }
    return false;
}

void config_short_name(const char *section, const char *key, spur__str *out) {
    bool own = strcmp(section, "run") == 0 || strcmp(section, "param") == 0;
    if (strcmp(key, "name") == 0 || strcmp(key, "method") == 0)
        spur__str_puts(out, own ? key : section);
    else if (own || !is_ambiguous(section, key))
        spur__str_puts(out, key);
    else
        spur__str_printf(out, "%s.%s", section, key);
}

void config_short_path(const char *name, spur__str *out) {
    char section[64];
    const char *dot = strchr(name, '.');
    if (!dot || (size_t)(dot - name) >= sizeof section) {
        spur__str_puts(out, name);
        return;
    }
    memcpy(section, name, (size_t)(dot - name));
    section[dot - name] = '\0';
    config_short_name(section, dot + 1, out);
}
