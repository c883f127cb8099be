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

/* Creates the file with its content in one step that only one process can win: a temporary file
 * of our own, linked to the name. Returns 0, EEXIST or another errno. */
static int create_exclusive(const char *path, const process_id *owner) {
    char line[LINE];
    size_t n = strlen(path) + LINE;
    char *temporary = spur__malloc(n);
    if (!temporary) return ENOMEM;
    process_format(owner, line, sizeof line - 1);
    size_t length = strlen(line);
    line[length++] = '\n';
    snprintf(temporary, n, "%s.%s.%ld.tmp", path, owner->host, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = fd < 0 ? errno : spur__write_all(fd, line, length);
    if (fd >= 0 && close(fd) != 0 && !failed) failed = errno;
    if (!failed && link(temporary, path) != 0) failed = errno;
    unlink(temporary);
    spur__free(temporary);
    return failed;
}

bool claim_owner(const char *path, process_id *owner) {
    char *text;
    size_t size;
    if (spur__file_read(path, LINE, &text, &size, NULL) != SPUR_OK) return false;
    bool known = process_parse(text, owner);
    spur__free(text);
    return known;
}

bool claim_alive(const char *path) {
    process_id owner;
    struct stat info;
    if (stat(path, &info) != 0) return false;
    process_state state = claim_owner(path, &owner) ? process_check(&owner) : PROCESS_DEAD;
    if (state != PROCESS_ELSEWHERE) return state == PROCESS_ALIVE;
    return time(NULL) - info.st_mtime < CLAIM_DEAD_AFTER_SECONDS;
}

/* Moves a dead owner's file away; exactly one of several rivals succeeds. */
static bool bury(const char *path) {
    size_t n = strlen(path) + LINE;
    char *grave = spur__malloc(n);
    if (!grave) return false;
    process_id self = process_self();
    snprintf(grave, n, "%s.%s.%ld.dead", path, self.host, self.pid);
    bool mine = rename(path, grave) == 0;
    /* A rival may have buried the old claim and made a new one between our look and our rename:
     * then we hold a living claim in our hands and put it back. */
    if (mine && claim_alive(grave)) {
        if (link(grave, path) != 0) mine = false;
        unlink(grave);
        spur__free(grave);
        return false;
    }
    if (mine) unlink(grave);
    spur__free(grave);
    return mine;
}

spur_status claim_take(const char *path, const process_id *owner, spur_error *err) {
    for (int attempt = 0; attempt < 100; attempt++) {
        int failed = create_exclusive(path, owner);
        if (failed == 0) return SPUR_OK;
        if (failed != EEXIST) return spur__fail_errno(err, failed, "%s: cannot claim", path);
        process_id now;
        if (claim_owner(path, &now) && now.pid == owner->pid && now.start == owner->start &&
            strcmp(now.host, owner->host) == 0 && strcmp(now.boot, owner->boot) == 0)
            return SPUR_OK;
        if (claim_alive(path)) break;
        bury(path);
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

void claim_release(const char *path) {
    unlink(path);
}

void claim_touch(const char *path) {
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}
