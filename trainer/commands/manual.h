/* SPDX-License-Identifier: MIT
 *
 * Manual pages, made of the tables that `spur help` prints: spur(1) and, with the engine, spur.ini(5).
 */
#ifndef SPUR_TRAINER_COMMANDS_MANUAL_H
#define SPUR_TRAINER_COMMANDS_MANUAL_H

#include "base/str.h"

/* The line that begins a page: "SPUR.INI", "5". */
void manual_title(const char *name, const char *section, spur__str *out);

/* Text with what roff would take for its own escaped: backslashes, dashes, and a dot or quote at the start of
 * a line. Lines are kept. */
void manual_text(const char *text, spur__str *out);

/* spur(1). */
void manual_program(spur__str *out);

/* spur.ini(5). */
void manual_options(spur__str *out);

#endif
