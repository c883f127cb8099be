/* SPDX-License-Identifier: MIT
 *
 * From the values in mask files to classes, and the audit of what was found: masks of 0 and 255 read
 * as classes, or classes counted from 1, are the usual reasons why a segmentation does not train.
 */
#ifndef SPUR_DATA_FORMATS_MASKS_H
#define SPUR_DATA_FORMATS_MASKS_H

#include "data/dataset.h"

typedef enum spur__mask_form {
    SPUR__MASK_INDEX, /* a value is a class */
    SPUR__MASK_BINARY, /* dark is class 0, bright is class 1 */
    SPUR__MASK_COLOR /* a colour is a class */
} spur__mask_form;

enum { SPUR__MASK_INVALID = 256 };

/* How values become classes; see spur__mask_rule_init. */
typedef struct spur__mask_rule {
    spur__mask_form form;
    int classes; /* 0: to be found by the audit */
    int ignore; /* label of ignored pixels in the result, -1: none */
    int ignored_value; /* in the files, -1: none */
    int first_class;
    bool positive;
    uint16_t table[256]; /* class of each value or colour number; SPUR__MASK_INVALID */
    uint32_t colors[256]; /* 0xRRGGBB of each class, for SPUR__MASK_COLOR */
    int color_count;
} spur__mask_rule;

/* The options that a rule is made of. */
typedef struct spur__mask_options {
    int64_t form; /* spur__mask_form */
    int64_t classes, first_class, ignore_index;
    spur__ints positive;
    const char *colors;
} spur__mask_options;

spur_status spur__mask_rule_init(spur__mask_rule *rule, const spur__mask_options *options,
                                 spur_error *err);

/* Decodes a mask file's bytes and maps every value, giving [height][width][1]. */
spur_status spur__mask_decode(const spur__mask_rule *rule, const spur__bytes *file,
                              const char *name, spur__image *out, spur_error *err);

/* Judges the values found; finds the number of classes when the rule leaves it open. */
spur_status spur__mask_audit(const spur__mask_rule *rule, const uint64_t (*values)[256],
                             const char *path, int *classes, spur_error *err);

/* After the audit: files that are read from now on may hold these classes only. */
void spur__mask_rule_settle(spur__mask_rule *rule, int classes);

/* Checks data.colors: "000000, 800000, ...". */
spur_status spur__check_colors(const char *value, spur_error *err);

#endif
