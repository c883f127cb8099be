/* SPDX-License-Identifier: MIT
 *
 * spur(1): what the table of commands says, as a manual page (man macros, roff).
 */
#include "commands/manual.h"

#include <string.h>

#include "command.h"

void manual_title(const char *name, const char *section, spur__str *out) {
    spur__str_printf(out, ".TH %s %s \"\" \"spur %s\" \"Spur\"\n", name, section, spur_version());
}

void manual_text(const char *text, spur__str *out) {
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) spur__str_puts(out, "\\&");
        start = *text == '\n';
        if (*text == '\\')
            spur__str_puts(out, "\\e");
        else if (*text == '-')
            spur__str_puts(out, "\\-");
        else
            spur__str_putc(out, *text);
    }
}

static void put_heading(const char *title, spur__str *out) {
    spur__str_printf(out, ".SH %s\n", title);
}

/* Lines as they are. */
static void put_verbatim(const char *text, spur__str *out) {
    spur__str_puts(out, ".nf\n");
    manual_text(text, out);
    spur__str_puts(out, "\n.fi\n");
}

/* ".TP", a term in bold, and what it means. */
static void put_term(const char *term, const char *meaning, spur__str *out) {
    spur__str_puts(out, ".TP\n.B ");
    manual_text(term, out);
    spur__str_putc(out, '\n');
    manual_text(meaning, out);
    spur__str_putc(out, '\n');
}

static void put_command(const command *c, spur__str *out) {
    spur__str_printf(out, ".SS spur %s\n.nf\n.B spur %s ", c->name, c->name);
    for (const char *p = c->usage; *p; p++) { /* bold ends with the line */
        char one[2] = {*p, '\0'};
        manual_text(one, out);
        if (*p == '\n') spur__str_puts(out, ".B ");
    }
    spur__str_puts(out, "\n.fi\n.PP\n");
    manual_text(c->summary, out);
    spur__str_putc(out, '\n');
    if (!c->help) return;
    spur__str_puts(out, ".PP\n");
    put_verbatim(c->help, out);
}

static void put_environment(spur__str *out) {
    static const char *const rows[][2] = {
        {"NO_COLOR", "Not empty: no colours on a terminal."},
        {"XDG_CACHE_HOME",
         "Below it, spur/ remembers which data were checked (default: ~/.cache)."},
        {"GOMP_SPINCOUNT",
         "How long threads spin while they wait; 3000 unless this or OMP_WAIT_POLICY says otherwise."},
        {"SPUR_CPU", "generic, avx2 or avx512: the instruction set to use, if the CPU has it."},
        {"SPUR_RUN_DIR", "The run's directory, in place of a dated one; set by a sweep."},
        {"SPUR_HPARAMS",
         "The options that the HParams tab shows, section.key separated by blanks; set by a sweep."},
        {"SPUR_HPARAMS_GROUP", "The name under which runs share a row there; set by a sweep."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) put_term(rows[i][0], rows[i][1], out);
}

static void put_statuses(spur__str *out) {
    static const char *const rows[][2] = {
        {"0", "Done."},
        {"1", "Failed while running."},
        {"2", "Wrong use or wrong input: nothing was started or created."},
        {"130",
         "Interrupted; the state is saved, and spur resume (or the same spur sweep) goes on."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) put_term(rows[i][0], rows[i][1], out);
}

void manual_program(spur__str *out) {
    manual_title("SPUR", "1", out);
    put_heading("NAME", out);
    spur__str_puts(out, "spur \\- train networks, log and compare experiments\n");
    put_heading("SYNOPSIS", out);
    spur__str_puts(out,
                   ".B spur\n.I COMMAND\n\\&...\n.br\n.B spur help\n.RI [ COMMAND | SECTION ]\n"
                   ".br\n.B spur \\-\\-version\n");
    put_heading("DESCRIPTION", out);
    spur__str_puts(
        out, "An INI file\n.RB ( spur.ini (5))\ndescribes a training, or a sweep over several; "
             "every run leaves a directory below ./my_logs with the configuration, "
             "checkpoints, tables, and event files that TensorBoard shows.\n");
    put_heading("COMMANDS", out);
    for (size_t i = 0; i < command_count; i++) put_command(commands[i], out);
    put_heading("ENVIRONMENT", out);
    put_environment(out);
    put_heading("EXIT STATUS", out);
    put_statuses(out);
    put_heading("SEE ALSO", out);
    spur__str_puts(out, ".BR spur.ini (5),\n.BR tensorboard (1)\n");
}
