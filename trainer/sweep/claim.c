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

/* Writes a new file; an errno on failure. */
static int write_new(const char *path, int flag, const char *line) {
    int fd = open(path, O_WRONLY | O_CREAT | flag | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    int failed = spur__write_all(fd, line, strlen(line));
    if (close(fd) != 0 && !failed) failed = errno;
    if (failed) unlink(path);
    return failed;
}

/* Creates the claim in one step that only one process can win: a temporary file of our own, linked
 * to the name; where there are no links in place, which a rival may have buried before it was written.
 * Returns 0, EEXIST or another errno. */
static int create_exclusive(const char *path, const process_id *owner) {
    char line[LINE];
    process_id now;
    size_t n = strlen(path) + LINE;
    char *temporary = spur__malloc(n);
    if (!temporary) return ENOMEM;
    process_format(owner, line, sizeof line - 1);
    size_t length = strlen(line);
    memcpy(line + length, "\n", 2);
    snprintf(temporary, n, "%s.%s.%ld.tmp", path, owner->host, (long)getpid());
    int failed = write_new(temporary, O_TRUNC, line);
    if (!failed && spur__link(temporary, path) != 0) failed = errno;
    unlink(temporary);
    spur__free(temporary);
    if (!lacks_links(failed)) return failed;
    failed = write_new(path, O_EXCL, line);
    return failed || (claim_owner(path, &now) && is_same(&now, owner)) ? failed : EEXIST;
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
    if (!claim_owner(path, &owner)) return time(NULL) - info.st_mtime < CLAIM_WRITTEN_AFTER_SECONDS;
    process_state state = process_check(&owner);
    if (state != PROCESS_ELSEWHERE) return state == PROCESS_ALIVE;
    return time(NULL) - info.st_mtime < CLAIM_DEAD_AFTER_SECONDS;
}

bool claim_bury(const char *path) {
    size_t n = strlen(path) + LINE;
    char *grave = spur__malloc(n);
    if (!grave) return false;
    process_id self = process_self(), owner;
    snprintf(grave, n, "%s.%s.%ld.dead", path, self.host, self.pid);
    bool mine = rename(path, grave) == 0;
    /* A rival may have buried the old claim and made a new one between our look and our rename:
     * then we hold a living claim in our hands and put it back. One that is not written yet nobody
     * has won. */
    if (mine && claim_alive(grave) && claim_owner(grave, &owner)) {
        (void)create_exclusive(path, &owner);
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
        if (claim_owner(path, &now) && is_same(&now, owner)) return SPUR_OK;
        if (claim_alive(path)) break;
        claim_bury(path);
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
        claim_release(claim);
    }
    spur__free(claim);
    return status;
}
