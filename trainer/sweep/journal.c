/* SPDX-License-Identifier: MIT
 *
 * Appending to and counting in the journal; see journal.h.
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "sweep/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/lock.h"
#include "run/process.h"

spur_status sweep_journal_open(sweep_journal *j, const sweep_dir *dir, spur_error *err) {
    process_id self = process_self();
    char *path = sweep_path(dir, "journal/%s-%ld-%llu.jsonl", self.host, self.pid, self.start);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", dir->path);
    j->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    spur_status status =
        j->fd < 0 ? spur__fail_errno(err, errno, "%s: cannot create", path) : SPUR_OK;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (j->fd >= 0)
        (void)fcntl(j->fd, F_OFD_SETLK, &whole); /* what a lock cannot tell is not told */
    spur__free(path);
    return status;
}

void sweep_journal_close(sweep_journal *j) {
    if (j->fd >= 0) close(j->fd);
    j->fd = -1;
}

static void begin(spur__str *line, const char *event, const char *trial) {
    spur__str_init(line, 4096);
    spur__str_printf(line, "{\"time\": %.3f, \"event\": \"%s\", \"trial\": \"%s\"",
                     spur__wall_time(), event, trial);
}

/* Closes the object and appends the line with one write. Half a line does not stay. */
static spur_status finish(sweep_journal *j, spur__str *line, spur_error *err) {
    spur__str_puts(line, "}\n");
    spur_status status = spur__str_status(line);
    if (status == SPUR_OK) {
        off_t end = lseek(j->fd, 0, SEEK_END);
        int failed = spur__write_all(j->fd, spur__str_text(line), line->length);
        if (failed && end >= 0) (void)!ftruncate(j->fd, end);
        if (failed) status = spur__fail_errno(err, failed, "sweep journal: cannot write");
    }
    spur__str_free(line);
    return status;
}

spur_status sweep_journal_event(sweep_journal *j, const char *event, const char *trial,
                                spur_error *err) {
    spur__str line;
    begin(&line, event, trial);
    return finish(j, &line, err);
}

spur_status sweep_journal_end(sweep_journal *j, const char *trial, const run_outcome *o,
                              spur_error *err) {
    spur__str line;
    begin(&line, "end", trial);
    spur__str_printf(&line, ", \"state\": \"%s\", \"exit\": %d", run_verdict_names[o->verdict],
                     o->exit_code);
    if (isfinite(o->best)) {
        spur__str_puts(&line, ", \"best\": ");
        spur__str_double(&line, o->best);
        spur__str_printf(&line, ", \"best_epoch\": %lld", o->best_epoch);
    }
    if (o->message[0]) {
        spur__str_puts(&line, ", \"message\": ");
        spur__str_json(&line, o->message);
    }
    return finish(j, &line, err);
}

/* Lines of one file that tell of a failed end of the trial. */
static size_t count_failures(const char *path, const char *trial) {
    char key[160], *text;
    size_t size, failures = 0;
    snprintf(key, sizeof key, "\"event\": \"end\", \"trial\": \"%s\", \"state\": \"failed\"",
             trial);
    if (spur__file_read(path, 1u << 30, &text, &size, NULL) != SPUR_OK) return 0;
    for (const char *p = text; (p = strstr(p, key)); p++) failures++;
    spur__free(text);
    return failures;
}

size_t sweep_journal_failures(const sweep_dir *dir, const char *trial) {
    size_t failures = 0;
    char *folder = sweep_path(dir, "journal");
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        char *path = strstr(e->d_name, ".jsonl") ? spur__path_join(folder, e->d_name) : NULL;
        if (path) failures += count_failures(path, trial);
        spur__free(path);
    }
    if (d) closedir(d);
    spur__free(folder);
    return failures;
}

bool sweep_journal_has_worker(const char *sweep) {
    bool found = false;
    char *folder = spur__path_join(sweep, "journal");
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && !found && (e = readdir(d));)
        found = strstr(e->d_name, ".jsonl") && lock_is_held(folder, e->d_name);
    if (d) closedir(d);
    spur__free(folder);
    return found;
}
