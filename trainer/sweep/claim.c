/* SPDX-License-Identifier: MIT
 *
 * Claims by exclusive creation; see claim.h.
 */
#include "sweep/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/stop.h"

enum { LINE = 200 };

/* Whether an errno of link(2) says that this file system has no hard links. */
static bool lacks_links(int errnum) {
    return errnum == EPERM || errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == EMLINK;
}

static bool is_same(const process_id *a, const process_id *b) {
    return a->pid == b->pid && a->start == b->start && strcmp(a->host, b->host) == 0 &&
           strcmp(a->boot, b->boot) == 0;
}

/* Fills a new file; an errno on failure. */
static int write_and_close(int fd, const char *path, const char *line) {
    int failed = spur__write_all(fd, line, strlen(line));
    if (close(fd) != 0 && !failed) failed = errno;
    if (failed) unlink(path);
    return failed;
}

/* A file of our own beside `path` with that line: the caller frees its name, and unlinks it. */
static int write_beside(const char *path, const char *line, char **name) {
    *name = NULL;
    int fd = spur__temporary_open(path, name);
    return fd < 0 ? errno : write_and_close(fd, *name, line);
}

static void format_line(const process_id *owner, char line[LINE]) {
    process_format(owner, line, LINE - 1);
    size_t length = strlen(line);
    memcpy(line + length, "\n", 2);
}

/* Creates the claim in one step that only one process can win: a temporary file of our own, linked
 * to the name; where there are no links in place, which a rival may have replaced before it was written.
 * Returns 0, EEXIST or another errno. */
static int create_exclusive(const char *path, const process_id *owner) {
    char line[LINE], *temporary;
    process_id now;
    format_line(owner, line);
    int failed = write_beside(path, line, &temporary);
    if (!failed && spur__link(temporary, path) != 0) failed = errno;
    if (temporary) unlink(temporary);
    spur__free(temporary);
    if (!lacks_links(failed)) return failed;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    failed = fd < 0 ? errno : write_and_close(fd, path, line);
    return failed || (claim_owner(path, &now) && is_same(&now, owner)) ? failed : EEXIST;
}

/* ---- whose it is --------------------------------------------------------------------------- */

typedef enum claim_state { CLAIM_NONE, CLAIM_DEAD, CLAIM_ALIVE } claim_state;

/* What time it is by the clock that the file system stamps files with, which may be another machine's: ours
 * may be ahead of it. */
static time_t time_there(const char *path) {
    char *name = NULL;
    struct stat info;
    time_t now = time(NULL);
    int fd = spur__temporary_open(path, &name);
    if (fd < 0) return now;
    if (fstat(fd, &info) == 0) now = info.st_mtime;
    close(fd);
    unlink(name);
    spur__free(name);
    return now;
}

/* What one look at one file says, whatever has its name afterwards. `known`: `owner` was read. */
static claim_state look(const char *path, process_id *owner, bool *known) {
    char text[LINE];
    struct stat info;
    *known = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? CLAIM_NONE : CLAIM_ALIVE;
    ssize_t n = fstat(fd, &info) == 0 ? read(fd, text, sizeof text - 1) : -1;
    close(fd);
    if (n < 0) return CLAIM_ALIVE; /* what cannot be read is nobody's to take */
    text[n] = '\0';
    *known = process_parse(text, owner);
    process_state state = *known ? process_check(owner) : PROCESS_ELSEWHERE;
    if (state != PROCESS_ELSEWHERE) return state == PROCESS_ALIVE ? CLAIM_ALIVE : CLAIM_DEAD;
    time_t limit = *known ? CLAIM_DEAD_AFTER_SECONDS : CLAIM_WRITTEN_AFTER_SECONDS;
    bool fresh = time(NULL) - info.st_mtime < limit || time_there(path) - info.st_mtime < limit;
    return fresh ? CLAIM_ALIVE : CLAIM_DEAD;
}

bool claim_owner(const char *path, process_id *owner) {
    bool known;
    (void)look(path, owner, &known);
    return known;
}

bool claim_alive(const char *path) {
    process_id owner;
    bool known;
    return look(path, &owner, &known) == CLAIM_ALIVE;
}

/* ---- taking -------------------------------------------------------------------------------- */

/* Puts our claim in the place of a dead one. Nothing but the heir's claim gives the right to that, and
 * who has it looks again first: the name never lies free between the two, so no third can have made a
 * claim there. An heir that died is inherited from in the same way. `*ours`: it was dead, and is ours. */
static spur_status inherit(const char *path, const process_id *owner, bool *ours, spur_error *err) {
    *ours = false;
    size_t n = strlen(path) + sizeof ".heir";
    char line[LINE], *temporary = NULL, *heir = spur__malloc(n);
    if (!heir) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    snprintf(heir, n, "%s.heir", path);
    spur_status status = claim_take(heir, owner, err);
    if (status == SPUR_OK) {
        process_id now;
        bool known;
        int failed = 0;
        if (look(path, &now, &known) == CLAIM_DEAD) {
            format_line(owner, line);
            failed = write_beside(path, line, &temporary);
            if (!failed && rename(temporary, path) != 0) failed = errno;
            if (failed && temporary) unlink(temporary);
            *ours = !failed;
        }
        claim_release(heir, owner);
        if (failed) status = spur__fail_errno(err, failed, "%s: cannot claim", path);
    }
    spur__free(temporary);
    spur__free(heir);
    return status;
}

spur_status claim_take(const char *path, const process_id *owner, spur_error *err) {
    for (int attempt = 0; attempt < 100; attempt++) {
        process_id now;
        bool known, ours;
        int failed = create_exclusive(path, owner);
        if (failed == 0) return SPUR_OK;
        if (failed != EEXIST) return spur__fail_errno(err, failed, "%s: cannot claim", path);
        claim_state state = look(path, &now, &known);
        if (known && is_same(&now, owner)) return SPUR_OK;
        if (state == CLAIM_ALIVE) break;
        if (state == CLAIM_NONE) continue; /* given back since */
        spur_status status = inherit(path, owner, &ours, err);
        if (status == SPUR_E_EXISTS) break; /* a rival inherits it */
        if (status != SPUR_OK || ours) return status;
    }
    return spur__fail(err, SPUR_E_EXISTS, "%s: another process is at work on it", path);
}

spur_status claim_wait(const char *path, const process_id *owner, spur_error *err) {
    for (;;) {
        spur_status status = claim_take(path, owner, err);
        if (status != SPUR_E_EXISTS) return status;
        if (stop_requested()) return spur__fail(err, SPUR_E_INTERRUPTED, "interrupted");
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

bool claim_is_of(const char *path, const process_id *owner) {
    process_id now;
    return claim_owner(path, &now) && is_same(&now, owner);
}

void claim_release(const char *path, const process_id *owner) {
    if (claim_is_of(path, owner)) unlink(path);
}

void claim_touch(const char *path) {
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

spur_status claim_name(const char *temporary, const char *path, spur_error *err) {
    if (spur__link(temporary, path) == 0) return SPUR_OK;
    if (!lacks_links(errno)) return spur__fail_errno(err, errno, "%s: cannot make", path);
    process_id self = process_self();
    size_t n = strlen(path) + sizeof ".claim";
    char *claim = spur__malloc(n);
    if (!claim) return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    snprintf(claim, n, "%s.claim", path);
    spur_status status = claim_wait(claim, &self, err);
    if (status == SPUR_OK) {
        if (spur__exists(path))
            status = spur__fail_errno(err, EEXIST, "%s: cannot make", path);
        else if (rename(temporary, path) != 0)
            status = spur__fail_errno(err, errno, "%s: cannot make", path);
        claim_release(claim, &self);
    }
    spur__free(claim);
    return status;
}
