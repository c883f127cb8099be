/* SPDX-License-Identifier: MIT
 *
 * Records of one event file (the TFRecord framing): length, its masked CRC, payload, its masked
 * CRC. Memory is one buffer of 256 KiB, larger only for a record that does not fit.
 *
 * The file is read, not mapped: a mapped file that shrinks kills the process. A length is believed
 * only after its checksum, and memory for it is taken only after the file turned out to be that
 * long. Nothing behind damaged framing can be found, so such a file is stuck at that place.
 */
#include "read/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "framing.h"

enum { BUFFER = 1 << 18 };
static const uint64_t payload_limit = INT32_MAX; /* protobuf's own */

struct spur_records {
    char *path;
    int fd;
    char *buffer;
    size_t capacity;
    size_t begin, end; /* unread bytes in the buffer */
    uint64_t file_offset; /* of buffer[end] */
    uint64_t offset; /* of the current record */
    spur_status stuck; /* SPUR_OK, or what every further call returns */
    spur_error stuck_error;
};

bool spur_slice_is(spur_slice slice, const char *text) {
    return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

static spur_status open_file(spur_records *r, spur_error *err) {
    struct stat info;
    /* not blocking: opening a pipe without a writer would wait for one */
    r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (r->fd < 0) return spur__fail_errno(err, errno, "%s: cannot open", r->path);
    if (fstat(r->fd, &info) != 0) return spur__fail_errno(err, errno, "%s: cannot stat", r->path);
    if (!S_ISREG(info.st_mode))
        return spur__fail(err, SPUR_E_TYPE, "%s: not a regular file", r->path);
    return SPUR_OK;
}

spur_status spur_records_open(spur_records **out, const char *path, spur_error *err) {
    if (out) *out = NULL;
    SPUR__TRY(spur__check_open(path, out, err));
    spur_records *r = spur__calloc(1, sizeof *r);
    if (r) r->fd = -1;
    if (r) r->path = spur__strdup(path);
    if (r) r->buffer = spur__malloc(BUFFER);
    if (!r || !r->path || !r->buffer) {
        spur_records_close(r);
        return spur__fail(err, SPUR_E_MEMORY, "%s: out of memory", path);
    }
    r->capacity = BUFFER;
    spur_status status = open_file(r, err);
    if (status != SPUR_OK) {
        spur_records_close(r);
        return status;
    }
    *out = r;
    return SPUR_OK;
}

void spur_records_close(spur_records *r) {
    if (!r) return;
    if (r->fd >= 0) close(r->fd);
    spur__free(r->buffer);
    spur__free(r->path);
    spur__free(r);
}

uint64_t spur_records_offset(const spur_records *r) {
    return r->offset;
}

bool spur_records_stuck(const spur_records *r) {
    return r->stuck != SPUR_OK;
}

void spur__records_seek(spur_records *r, uint64_t offset) {
    r->begin = r->end = 0;
    r->file_offset = r->offset = offset;
}

uint64_t spur__records_size(const spur_records *r) {
    struct stat info;
    return fstat(r->fd, &info) == 0 ? (uint64_t)info.st_size : 0;
}

const char *spur_records_path(const spur_records *r) {
    return r->path;
}

/* Remembers *err as the answer to every further call. */
static spur_status get_stuck(spur_records *r, spur_error *err) {
    r->stuck = r->stuck_error.status;
    if (err) *err = r->stuck_error;
    return r->stuck;
}

/* At the end of the file: END or AGAIN, or the file is shorter than what was already read. */
static spur_status at_end(spur_records *r, spur_error *err) {
    struct stat info;
    if (fstat(r->fd, &info) != 0) return spur__fail_errno(err, errno, "%s: cannot stat", r->path);
    if ((uint64_t)info.st_size < r->file_offset) {
        spur__fail(&r->stuck_error, SPUR_E_DAMAGED,
                   "%s: has shrunk to %" PRIu64 " bytes, %" PRIu64 " were already read", r->path,
                   (uint64_t)info.st_size, r->file_offset);
        return get_stuck(r, err);
    }
    return r->begin == r->end ? SPUR_E_END : SPUR_E_AGAIN;
}

/* Makes room for `need` bytes from r->begin on, moving or growing the buffer. */
static spur_status make_room(spur_records *r, size_t need, spur_error *err) {
    if (r->begin > 0) memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
    r->end -= r->begin;
    r->begin = 0;
    if (need <= r->capacity) return SPUR_OK;
    struct stat info;
    if (fstat(r->fd, &info) != 0) return spur__fail_errno(err, errno, "%s: cannot stat", r->path);
    if ((uint64_t)info.st_size < r->offset + need) return SPUR_E_AGAIN;
    char *larger = spur__realloc(r->buffer, need);
    if (!larger)
        return spur__fail(err, SPUR_E_MEMORY,
                          "%s: out of memory for the record of %zu bytes at byte %" PRIu64, r->path,
                          need, r->offset);
    r->buffer = larger;
    r->capacity = need;
    return SPUR_OK;
}

/* Has at least `need` bytes ready at r->begin, or says why not. */
static spur_status fill(spur_records *r, size_t need, spur_error *err) {
    if (r->end - r->begin >= need) return SPUR_OK;
    SPUR__TRY(make_room(r, need, err));
    while (r->end < need) {
        ssize_t n = pread(r->fd, r->buffer + r->end, r->capacity - r->end, (off_t)r->file_offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            return spur__fail_errno(err, errno, "%s: cannot read at byte %" PRIu64, r->path,
                                    r->file_offset);
        if (n == 0) return at_end(r, err);
        r->end += (size_t)n;
        r->file_offset += (uint64_t)n;
    }
    return SPUR_OK;
}

static bool all_zero(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i]) return false;
    return true;
}

static spur_status bad_length(spur_records *r, uint32_t found, uint32_t expected, spur_error *err) {
    if (all_zero(r->buffer + r->begin, SPUR__RECORD_HEAD))
        spur__fail(&r->stuck_error, SPUR_E_DAMAGED,
                   "%s: zeros at byte %" PRIu64 ", expected a record; nothing behind can be read",
                   r->path, r->offset);
    else
        spur__fail(&r->stuck_error, SPUR_E_DAMAGED,
                   "%s: damaged at byte %" PRIu64 ": checksum of the length is 0x%08x, expected "
                   "0x%08x; nothing behind can be read",
                   r->path, r->offset, found, expected);
    return get_stuck(r, err);
}

/* A record that is too large to be one: goes behind it without reading it. */
static spur_status skip_large(spur_records *r, uint64_t length, spur_error *err) {
    struct stat info;
    if (fstat(r->fd, &info) != 0) return spur__fail_errno(err, errno, "%s: cannot stat", r->path);
    if ((uint64_t)info.st_size < SPUR__RECORD_FRAME ||
        length > (uint64_t)info.st_size - SPUR__RECORD_FRAME ||
        r->offset > (uint64_t)info.st_size - SPUR__RECORD_FRAME - length)
        return SPUR_E_AGAIN;
    r->file_offset = r->offset + length + SPUR__RECORD_FRAME;
    r->begin = r->end = 0;
    return spur__fail(err, SPUR_E_RANGE,
                      "%s: record of %" PRIu64 " bytes at byte %" PRIu64
                      ", expected at most %" PRIu64 "; skipped",
                      r->path, length, r->offset, payload_limit);
}

static spur_status check_payload(spur_records *r, const char *payload, size_t length,
                                 spur_error *err) {
    uint32_t expected = spur__masked_crc(payload, length);
    uint32_t found = spur__load32(payload + length);
    if (found == expected) return SPUR_OK;
    return spur__fail(err, SPUR_E_DAMAGED,
                      "%s: damaged record of %zu bytes at byte %" PRIu64
                      ": checksum of the payload is 0x%08x, expected 0x%08x",
                      r->path, length, r->offset, found, expected);
}

spur_status spur_records_next(spur_records *r, spur_slice *payload, spur_error *err) {
    if (r->stuck != SPUR_OK) return get_stuck(r, err);
    r->offset = r->file_offset - (r->end - r->begin);
    SPUR__TRY(fill(r, SPUR__RECORD_HEAD, err));
    const char *header = r->buffer + r->begin;
    uint64_t length = spur__load64(header);
    uint32_t found = spur__load32(header + 8);
    uint32_t expected = spur__masked_crc(header, 8);
    if (found != expected) return bad_length(r, found, expected, err);
    if (length > payload_limit) return skip_large(r, length, err);
    size_t whole = (size_t)length + SPUR__RECORD_FRAME;
    SPUR__TRY(fill(r, whole, err));
    *payload = (spur_slice){r->buffer + r->begin + SPUR__RECORD_HEAD, (size_t)length};
    r->begin += whole;
    return check_payload(r, payload->data, payload->size, err);
}
