/* SPDX-License-Identifier: MIT
 *
 * Mapping and audit of mask values; see masks.h.
 */
#include "data/formats/masks.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Label of ignored pixels where values and classes differ: there are fewer classes then. Elsewhere the
 * ignored value stays what it is: no other one has its number. */
enum { IGNORED = 255 };

/* What `threshold` makes of pixels that do not count; dark is 0 and bright is 1. */
enum { NEITHER = 2 };

/* ---- rules ----------------------------------------------------------------------------------- */

/* Parses one "RRGGBB" at *text and steps over it and its comma. */
static bool parse_color(const char **text, uint32_t *out) {
    const char *p = *text + strspn(*text, " \t");
    if (strspn(p, "0123456789abcdefABCDEF") != 6) return false;
    *out = (uint32_t)strtoul(p, NULL, 16);
    p += 6;
    p += strspn(p, " \t");
    if (*p != ',' && *p != '\0') return false;
    *text = *p == ',' ? p + 1 : p;
    return true;
}

/* The colours of a list and their count, which stops at the first that is malformed or one too many;
 * *rest is what was not read. */
static int parse_colors(const char *text, uint32_t colors[256], const char **rest) {
    int count = 0;
    *rest = text ? text + strspn(text, " \t") : "";
    while (**rest && count < 256 && parse_color(rest, &colors[count])) count++;
    return count;
}

spur_status spur__check_colors(const char *value, spur_error *err) {
    uint32_t colors[256];
    const char *rest;
    int count = parse_colors(value, colors, &rest);
    rest += strspn(rest, " \t");
    if (!*rest) return SPUR_OK;
    if (count == 256)
        return spur__fail(err, SPUR_E_FORMAT, "more than 256 colours, expected one per class");
    return spur__fail(err, SPUR_E_FORMAT,
                      "found '%.*s' for class %d, expected colours as RRGGBB, separated by commas, "
                      "one per class",
                      (int)strcspn(rest, ","), rest, count);
}

static bool contains(const spur__ints *list, int64_t value) {
    for (size_t i = 0; i < list->count; i++)
        if (list->values[i] == value) return true;
    return false;
}

/* Fills the table from file values to classes. */
static void fill_table(spur__mask_rule *rule, const spur__mask_options *o) {
    int known = rule->form == SPUR__MASK_COLOR    ? rule->color_count
                : rule->form == SPUR__MASK_BINARY ? 2
                                                  : 256;
    int classes = o->classes && !rule->positive ? (int)o->classes : 256;
    int ignored = (int)o->ignore_index;
    if (rule->form == SPUR__MASK_BINARY) ignored = ignored < 0 ? -1 : NEITHER;
    for (int v = 0; v < 256; v++) {
        int mapped = v - rule->first_class;
        if (v == ignored)
            mapped = rule->ignore;
        else if (mapped < 0)
            mapped = rule->ignore >= 0 ? rule->ignore : SPUR__MASK_INVALID;
        else if (v >= known || mapped >= classes)
            mapped = SPUR__MASK_INVALID;
        else if (rule->positive)
            mapped = contains(&o->positive, v) ? 1 : 0;
        rule->table[v] = (uint16_t)mapped;
    }
}

static spur_status check_list(const spur__mask_rule *rule, const spur__mask_options *o,
                              spur_error *err) {
    if (rule->form != SPUR__MASK_COLOR)
        return rule->color_count == 0
                   ? SPUR_OK
                   : spur__fail(err, SPUR_E_ARGUMENT, "data.colors: only with masks = color");
    if (rule->color_count < 2)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "data.colors: expected the colours of at least two classes, as RRGGBB");
    for (int i = 0; i < rule->color_count; i++)
        for (int k = 0; k < i; k++)
            if (rule->colors[i] == rule->colors[k])
                return spur__fail(err, SPUR_E_EXISTS, "data.colors: %06x stands twice",
                                  rule->colors[i]);
    if (o->ignore_index >= rule->color_count)
        return spur__fail(err, SPUR_E_RANGE,
                          "data.ignore_index: found %d, expected the number of a colour, 0 to %d",
                          (int)o->ignore_index, rule->color_count - 1);
    return SPUR_OK;
}

spur_status spur__mask_rule_init(spur__mask_rule *rule, const spur__mask_options *o,
                                 spur_error *err) {
    memset(rule, 0, sizeof *rule);
    rule->form = (spur__mask_form)o->form;
    rule->first_class = (int)o->first_class;
    rule->positive = o->positive.count > 0;
    const char *rest; /* the option was checked */
    rule->color_count = parse_colors(o->colors, rule->colors, &rest);
    SPUR__TRY(check_list(rule, o, err));
    if (rule->first_class > 0 && rule->form != SPUR__MASK_INDEX)
        return spur__fail(err, SPUR_E_ARGUMENT,
                          "data.first_class: found %d, expected 0 unless masks = index",
                          rule->first_class);
    bool renumbered = rule->positive || rule->first_class > 0 || rule->form == SPUR__MASK_BINARY;
    rule->ignored_value = (int)o->ignore_index;
    rule->ignore = o->ignore_index < 0 ? -1 : renumbered ? IGNORED : (int)o->ignore_index;
    rule->classes = (int)o->classes;
    if (rule->form == SPUR__MASK_BINARY || rule->positive) rule->classes = 2;
    if (rule->form == SPUR__MASK_COLOR && !rule->positive && !rule->classes)
        rule->classes = rule->color_count - (o->ignore_index == rule->color_count - 1);
    if (rule->form == SPUR__MASK_BINARY && o->classes > 2)
        return spur__fail(err, SPUR_E_RANGE, "data.classes: %d, but binary masks have 2",
                          (int)o->classes);
    fill_table(rule, o);
    return SPUR_OK;
}

void spur__mask_rule_settle(spur__mask_rule *rule, int classes) {
    rule->classes = classes;
    for (int v = 0; v < 256; v++)
        if (rule->table[v] >= classes && rule->table[v] != rule->ignore)
            rule->table[v] = SPUR__MASK_INVALID;
}

/* ---- decoding -------------------------------------------------------------------------------- */

static spur_status bad_value(const spur__mask_rule *rule, const spur__image *image, size_t at,
                             const char *name, spur_error *err) {
    int value = image->data[at], width = image->width;
    int low = rule->first_class, high = rule->classes ? low + rule->classes - 1 : 255;
    const char *hint = "";
    if (value == 255 && rule->ignore < 0)
        hint = "; masks of 0 and 255 want masks = binary, a border marked 255 wants "
               "ignore_index = 255";
    else if (value == high + 1 && low == 0)
        hint = "; if the classes of the files count from 1, set first_class = 1";
    return spur__fail(err, SPUR_E_RANGE,
                      "%s: mask value %d at row %zu, column %zu, expected a class from %d to %d%s",
                      name, value, at / (size_t)width, at % (size_t)width, low, high, hint);
}

static spur_status map_values(const spur__mask_rule *rule, spur__image *image, const char *name,
                              spur_error *err) {
    size_t n = spur__image_bytes(image);
    for (size_t i = 0; i < n; i++) {
        uint16_t mapped = rule->table[image->data[i]];
        if (mapped == SPUR__MASK_INVALID) return bad_value(rule, image, i, name, err);
        image->data[i] = (uint8_t)mapped;
    }
    return SPUR_OK;
}

/* Colours where greys are expected: channels that differ by more than `tolerance`. */
static spur_status check_grey(const spur__image *image, int tolerance, const char *name,
                              spur_error *err) {
    size_t pixels = (size_t)image->height * (size_t)image->width;
    size_t channels = (size_t)image->channels;
    for (size_t i = 0; i < pixels && channels > 2; i++) {
        const uint8_t *p = image->data + i * channels;
        if (abs(p[0] - p[1]) > tolerance || abs(p[0] - p[2]) > tolerance)
            return spur__fail(err, SPUR_E_FORMAT,
                              "%s: a coloured mask (%02x%02x%02x at row %zu, column %zu); set "
                              "masks = color and list the colours of the classes in colors",
                              name, p[0], p[1], p[2], i / (size_t)image->width,
                              i % (size_t)image->width);
    }
    return SPUR_OK;
}

/* Three equal channels are as good as one. */
static spur_status squeeze(spur__image *image, const char *name, spur_error *err) {
    size_t pixels = (size_t)image->height * (size_t)image->width;
    size_t channels = (size_t)image->channels;
    SPUR__TRY(check_grey(image, 0, name, err));
    for (size_t i = 0; i < pixels; i++) image->data[i] = image->data[i * channels];
    image->channels = 1;
    return SPUR_OK;
}

static void threshold(const spur__mask_rule *rule, spur__image *image) {
    size_t n = spur__image_bytes(image);
    for (size_t i = 0; i < n; i++) {
        uint8_t v = image->data[i];
        image->data[i] = v == rule->ignored_value ? NEITHER : v >= 128;
    }
}

static spur_status number_colors(const spur__mask_rule *rule, spur__image *image, const char *name,
                                 spur_error *err) {
    size_t pixels = (size_t)image->height * (size_t)image->width;
    int last = 0;
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *p = image->data + 3 * i;
        uint32_t color = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        if (rule->colors[last] != color) {
            for (last = 0; last < rule->color_count && rule->colors[last] != color;) last++;
            if (last == rule->color_count)
                return spur__fail(err, SPUR_E_RANGE,
                                  "%s: colour %06x at row %zu, column %zu is none of the %d in "
                                  "data.colors",
                                  name, color, i / (size_t)image->width, i % (size_t)image->width,
                                  rule->color_count);
        }
        image->data[i] = (uint8_t)last;
    }
    image->channels = 1;
    return SPUR_OK;
}

spur_status spur__mask_decode(const spur__mask_rule *rule, const spur__bytes *file,
                              const char *name, spur__image *out, spur_error *err) {
    spur__decode how = rule->form == SPUR__MASK_INDEX ? SPUR__DECODE_LABELS : SPUR__DECODE_PICTURE;
    SPUR__TRY(spur__image_decode(file->data, file->size, how, name, out, err));
    switch (rule->form) {
    case SPUR__MASK_INDEX:
        SPUR__TRY(squeeze(out, name, err));
        break;
    case SPUR__MASK_BINARY: /* JPEG leaves a tinge of colour */
        SPUR__TRY(check_grey(out, 64, name, err));
        SPUR__TRY(spur__image_convert(out, 1, err));
        threshold(rule, out);
        break;
    case SPUR__MASK_COLOR:
        SPUR__TRY(spur__image_convert(out, 3, err));
        SPUR__TRY(number_colors(rule, out, name, err));
        break;
    }
    return map_values(rule, out, name, err);
}

/* ---- audit ----------------------------------------------------------------------------------- */

/* The values that occur: how many different ones, smallest, largest, and a list for messages. */
typedef struct census {
    int distinct, low, high;
    char list[160];
} census;

static census take_census(const uint64_t (*values)[256], int ignore) {
    census c = {0, -1, -1, ""};
    spur__str list;
    spur__str_init(&list, sizeof c.list - 1);
    for (int v = 0; v < 256; v++) {
        uint64_t count = 0;
        for (int split = 0; split < SPUR_SPLIT_COUNT; split++) count += values[split][v];
        if (count == 0 || v == ignore) continue;
        if (c.low < 0) c.low = v;
        c.high = v;
        if (c.distinct++ < 12) spur__str_printf(&list, "%s%d", c.distinct > 1 ? ", " : "", v);
    }
    if (c.distinct > 12) spur__str_puts(&list, ", ...");
    memcpy(c.list, spur__str_text(&list), strlen(spur__str_text(&list)) + 1);
    spur__str_free(&list);
    return c;
}

/* Traps of masks whose number of classes is to be found. */
static spur_status audit_open(const spur__mask_rule *rule, const census *c, const char *path,
                              spur_error *err) {
    if (c->distinct <= 2 && c->high == 255)
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: the masks hold only the values %s, which as classes would be 256 of "
                          "them: set masks = binary (255 becomes class 1), or ignore_index = 255",
                          path, c->list);
    if (c->high == 255 && rule->ignore < 0)
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: the masks hold the values %s: if 255 marks pixels without a class, "
                          "set ignore_index = 255",
                          path, c->list);
    if (c->low >= 1 && rule->first_class == 0 && !rule->positive)
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: the masks hold the values %s and never 0, but classes count from 0: "
                          "set first_class = %d, or classes = %d if class 0 just does not occur",
                          path, c->list, c->low, c->high + 1);
    if (c->high > 15 && c->high + 1 > 2 * c->distinct)
        return spur__fail(
            err, SPUR_E_RANGE,
            "%s: the masks hold the values %s, which do not look like classes: set "
            "classes = %d if they are, or masks = color and colors = ... to name them",
            path, c->list, c->high + 1);
    return SPUR_OK;
}

spur_status spur__mask_audit(const spur__mask_rule *rule, const uint64_t (*values)[256],
                             const char *path, int *classes, spur_error *err) {
    census c = take_census(values, rule->ignore);
    *classes = rule->classes;
    if (c.distinct == 0)
        return spur__fail(err, SPUR_E_RANGE, "%s: the masks hold no pixel of any class", path);
    if (!rule->classes) {
        SPUR__TRY(audit_open(rule, &c, path, err));
        *classes = c.high + 1;
    } else if (rule->form == SPUR__MASK_INDEX && !rule->positive && c.low >= 1 &&
               rule->first_class == 0 && c.high == rule->classes - 1 && c.distinct == c.high) {
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: the masks hold all of %s and never 0: if the classes count from 1, "
                          "set first_class = 1 and classes = %d",
                          path, c.list, c.high);
    }
    if (c.distinct == 1)
        return spur__fail(err, SPUR_E_RANGE,
                          "%s: all masks hold the one value %s%s: there is nothing to learn", path,
                          c.list,
                          rule->form == SPUR__MASK_BINARY
                              ? " (binary masks: 128 and above is class 1; masks of 0 and 1 want "
                                "masks = index)"
                              : "");
    return SPUR_OK;
}
