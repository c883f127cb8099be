/* SPDX-License-Identifier: MIT
 *
 * Every option of every table for people: `spur help SECTION [KIND]` and docs/options.md.
 */
#ifndef SPUR_TRAINER_CONFIG_REFERENCE_H
#define SPUR_TRAINER_CONFIG_REFERENCE_H

#include "config/config.h"

/* The options of a section, and its kinds; with `kind`, that kind's options only. */
void reference_section(section_id section, spur__str *out);
void reference_kind(section_id section, const spur__kind *kind, spur__str *out);

/* One option under that title: its default, help and domain. */
void reference_row(const char *title, const spur__option *row, spur__str *out);

/* The metrics of [train]; with `kind`, that one's options. */
void reference_metrics(const spur__kind *kind, spur__str *out);

/* All of it as Markdown: what docs/options.md holds. */
void reference_markdown(spur__str *out);

#endif
