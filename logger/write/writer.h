/* SPDX-License-Identifier: MIT
 *
 * The inside of a writer, and what the files of the kinds of summary need: checks, packing,
 * handing a record to the queue.
 */
#ifndef SPUR_LOGGER_WRITE_WRITER_H
#define SPUR_LOGGER_WRITE_WRITER_H

#include <stdatomic.h>
#include <sys/types.h>

#include <spur/log.h>

#include "event.pb-c.h"
#include "write/queue.h"
#include "write/tags.h"

/* How often this process is the child of a fork, as far as the library knows. */
extern _Atomic unsigned spur__generation;

struct spur_writer {
    unsigned generation; /* spur__generation when it was opened */
    spur__queue queue; /* its mutex guards everything below that changes */
    spur__tags tags;
    spur_writer_options options; /* strings: only filename_suffix, owned */
    char *directory, *path; /* as they are shown */
    char *place; /* the directory's absolute path: the program may change its own */
    char *stream; /* name of the first file of this run's chain of continued files */
    spur_error first;
    uint64_t warnings, falling, repeated, nonfinite;
    bool has_graph;
    bool fixed_time; /* options.wall_time came from the caller */
    bool told_removed; /* the warning that the file is gone */
    bool restarted; /* the directory has earlier files of which nothing is known here */
    pthread_mutex_t files; /* held while projector files are written */
    dev_t device; /* of the directory, to find a second writer on it */
    ino_t inode;
    bool ready; /* fully open; guarded by the registry's lock */
    struct spur_writer *next;
};

/* False for NULL and in a fork's child: then a call returns SPUR_OK at once. */
static inline bool spur__alive(const spur_writer *w) {
    return w && w->generation == atomic_load_explicit(&spur__generation, memory_order_relaxed);
}

/* ---- registry.c: all writers of the process ------------------------------------------------ */

/* E_EXISTS if a writer on the same directory is there. */
spur_status spur__registry_add(spur_writer *w, spur_error *err);
void spur__registry_ready(spur_writer *w);
void spur__registry_remove(spur_writer *w);

/* ---- errors and warnings ------------------------------------------------------------------- */

/* Makes *err the writer's first error if it is, and returns its status. */
spur_status spur__writer_fail(spur_writer *w, const spur_error *err);

/* The same, with the message made here. */
spur_status spur__writer_failf(spur_writer *w, spur_status status, const char *fmt, ...)
    SPUR_PRINTF(3, 4);

/* The same for a point that is refused: the message gets the tag and the step in front. */
spur_status spur__point_fail(spur_writer *w, const char *tag, int64_t step, spur_error *err);
spur_status spur__point_failf(spur_writer *w, const char *tag, int64_t step, spur_status status,
                              const char *fmt, ...) SPUR_PRINTF(5, 6);

/* Counts a warning and tells it. */
void spur__writer_warn(spur_writer *w, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* Turns the queue's answer into the caller's: E_IO gets its message. */
spur_status spur__queue_result(spur_writer *w, spur_status status);

/* Warnings that a point may cause, by bit. */
enum {
    SPUR__WARN_FALLING = 1,
    SPUR__WARN_REPEATED = 2,
    SPUR__WARN_BIG_STEP = 4,
    SPUR__WARN_HUGE = 8,
    SPUR__WARN_METADATA = 16,
    SPUR__WARN_NOT_FINITE = 32 /* told by the histogram, which knows how many */
};

/* ---- checks; all fill *err ----------------------------------------------------------------- */

/* The wall time that options ask for, or now. */
spur_status spur__wall_time_of(const spur_log_options *options, double *out, spur_error *err);

/* UTF-8, not NULL. `what` names it in the message. */
spur_status spur__check_text(const char *text, const char *what, spur_error *err);

/* description and display_name. */
spur_status spur__check_options(const spur_log_options *options, spur_error *err);

/* With the mutex held: whether a point of this kind may go under the tag. E_TYPE if it belongs to
 * another kind. */
spur_status spur__tag_check(const spur_writer *w, const char *name, size_t length, uint64_t hash,
                            spur__kind_of_tag kind, spur_error *err);

/* With the mutex held: the tag's entry, made if it is new, after the same check. */
spur_status spur__tag_entry(spur_writer *w, const char *name, size_t length, uint64_t hash,
                            spur__kind_of_tag kind, spur__tag **out, spur_error *err);

/* With the mutex held, before the point is noted: the warning, if any, that these options describe the
 * tag in another way than its first point did. */
unsigned spur__tag_metadata(spur__tag *tag, const spur_log_options *options);

/* Of the n bytes of a description and the m bytes of a display name. */
uint64_t spur__metadata_hash(const char *description, size_t n, const char *display_name, size_t m);

/* With the mutex held: notes a point at `step`; returns the warnings to tell. */
unsigned spur__tag_point(spur_writer *w, spur__tag *tag, int64_t step, unsigned flags);

/* Without it: tells them. */
void spur__tell(spur_writer *w, const char *tag, int64_t step, unsigned flags);

/* ---- packing ------------------------------------------------------------------------------- */

/* A record (spur__free) of this event, payload checksum not yet in place. */
spur_status spur__event_pack(const Spur__Tb__Event *event, unsigned char **record, size_t *size,
                             spur_error *err);

/* One value in tensor form. */
typedef struct spur__entry {
    spur__kind_of_tag kind;
    const char *tag;
    int64_t step;
    Spur__Tb__TensorProto *tensor;
    ProtobufCBinaryData content; /* of the plugin's metadata */
    const spur_log_options *options; /* may be NULL */
    bool once; /* E_STATE if the tag has a point already */
    const char *after; /* E_STATE unless this tag has one; NULL: any time */
    size_t parts; /* audio: clips; others 0 */
} spur__entry;

/* Checks, packs and queues it. */
spur_status spur__log_entry(spur_writer *w, const spur__entry *entry);

/* The event of an entry, for packing; `parts` holds the messages that it points to. */
typedef struct spur__event_parts {
    Spur__Tb__Event event;
    Spur__Tb__Summary summary;
    Spur__Tb__Summary__Value value, *values[1];
    Spur__Tb__SummaryMetadata metadata;
    Spur__Tb__SummaryMetadata__PluginData plugin;
} spur__event_parts;

void spur__event_of_entry(const spur__entry *entry, double wall_time, spur__event_parts *parts);

/* The events at a file's beginning. Exposed for tests: `writer` is the source name. */
spur_status spur__pack_version(double wall_time, const char *writer, unsigned char **record,
                               size_t *size, spur_error *err);
spur_status spur__pack_start(double wall_time, int64_t step, const char *stream,
                             unsigned char **record, size_t *size, spur_error *err);

/* Queues a record that belongs to no tag. */
spur_status spur__push_record(spur_writer *w, unsigned char *record, size_t size);

/* ---- resume.c ------------------------------------------------------------------------------ */

/* Makes w's event file by continuing an earlier one. *fd and *length: the new file, open. */
spur_status spur__continue_file(spur_writer *w, const char *name, uint64_t length, double now,
                                int *fd, uint64_t *written, spur_error *err);

#endif
