/* SPDX-License-Identifier: MIT
 *
 * spur tag, spur note: words and sentences on a run or a sweep. `spur list --tag` finds the words.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine_commands/setup.h"
#include "sweep/catalog.h"
#include "sweep/collect.h"

static int run_tag(int argc, char **argv);
static int run_note(int argc, char **argv);

extern const command command_tag, command_note;
const command command_tag = {
    .name = "tag",
    .usage = "RUN [+]TAG|-TAG ...",
    .summary = "Put words on a run, or take them off; `spur list --tag` finds them.",
    .run = run_tag,
};
const command command_note = {
    .name = "note",
    .usage = "RUN [TEXT]",
    .summary = "Add a line to a run's notes.md; without text, show them.",
    .run = run_note,
};

/* True when there is something at `path` that can carry tags and notes. */
static bool is_taggable(const command *self, const char *path) {
    bool found = is_run(path) || is_sweep(path);
    if (!found) command_misuse(self, "%s: neither a run nor a sweep", path);
    return found;
}

/* Tags and notes may begin with a dash, so that there are no flags; "--" before the run is fine. */
static int without_dashes(int argc, char ***argv) {
    bool dashes = argc > 1 && strcmp((*argv)[1], "--") == 0;
    *argv += dashes;
    return argc - dashes;
}

static int run_tag(int argc, char **argv) {
    char *tags = NULL;
    spur_error err = {.status = SPUR_OK};
    argc = without_dashes(argc, &argv);
    if (argc < 2) return command_misuse(&command_tag, "expected a run");
    if (!is_taggable(&command_tag, argv[1])) return EXIT_USAGE;
    spur_status status = SPUR_OK;
    if (argc > 2) status = tags_change(argv[1], argv + 2, (size_t)argc - 2, &err);
    if (status == SPUR_OK) status = tags_read(argv[1], &tags, &err);
    if (status != SPUR_OK) return command_give_up(&command_tag, &err);
    printf("%s\n", tags[0] ? tags : "(no tags)");
    spur__free(tags);
    return EXIT_DONE;
}

static int run_note(int argc, char **argv) {
    spur_error err = {.status = SPUR_OK};
    argc = without_dashes(argc, &argv);
    if (argc < 2 || argc > 3) return command_misuse(&command_note, "expected a run and a text");
    if (!is_taggable(&command_note, argv[1])) return EXIT_USAGE;
    char *path = spur__path_join(argv[1], "notes.md"), *text = NULL;
    size_t size;
    spur_status status = path ? SPUR_OK : spur__fail(&err, SPUR_E_MEMORY, "out of memory");
    if (status == SPUR_OK && argc == 3) status = notes_add(argv[1], argv[2], &err);
    if (status == SPUR_OK && argc == 2 && spur__exists(path))
        status = spur__file_read(path, 1 << 24, &text, &size, &err);
    if (text) fputs(text, stdout);
    spur__free(text);
    spur__free(path);
    return status == SPUR_OK ? EXIT_DONE : command_give_up(&command_note, &err);
}
