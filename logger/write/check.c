/* SPDX-License-Identifier: MIT
 *
 * Errors, warnings and the checks that all kinds share.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "write/writer.h"

/* TensorBoard's server takes requests of 64 KiB, in which a byte of a tag or a run may take three. */
enum { TAG_LIMIT = 16384 };
static const double year_10000 = 253402300800.0;

/* ---- errors and warnings ------------------------------------------------------------------- */

/* With the mutex held: what the queue met came before whatever is noted now. A failed write says
 * more than the records that were refused because of it. */
static void note_queue_error(spur_writer *w) {
    if (w->first.status != SPUR_OK) return;
    if (w->queue.error)
        spur__fail_errno(&w->first, w->queue.error, "%s: cannot write", w->path);
    else if (w->queue.refused != SPUR_OK)
        w->first.status = w->queue.refused; /* its message tells a number: see describe_refusal */
}

/* With the mutex held: the message of an error that stands for all refused records. */
static void describe_refusal(const spur_writer *w, spur_error *err) {
    unsigned long long count = w->queue.dropped;
    if (err->status == SPUR_E_DROPPED)
        spur__fail(err, SPUR_E_DROPPED, "%s: records dropped because the queue was full: %llu",
                   w->path, count);
    else if (err->status == SPUR_E_STATE)
        spur__fail(err, SPUR_E_STATE,
                   "%s: records refused because they came after the exit handler, which closes "
                   "the file: %llu",
                   w->path, count);
}

spur_status spur__writer_fail(spur_writer *w, const spur_error *err) {
    pthread_mutex_lock(&w->queue.mutex);
    note_queue_error(w);
    if (w->first.status == SPUR_OK) w->first = *err;
    pthread_mutex_unlock(&w->queue.mutex);
    return err->status;
}

spur_status spur__writer_failf(spur_writer *w, spur_status status, const char *fmt, ...) {
    spur_error err = {.status = status};
    va_list args;
    va_start(args, fmt);
    vsnprintf(err.message, sizeof err.message, fmt, args);
    va_end(args);
    return spur__writer_fail(w, &err);
}

spur_status spur__point_fail(spur_writer *w, const char *tag, int64_t step, spur_error *err) {
    if (tag && spur__utf8_valid(tag, strlen(tag)))
        spur__error_prefix(err, "tag \"%.200s\", step %lld", tag, (long long)step);
    else
        spur__error_prefix(err, "step %lld", (long long)step);
    return spur__writer_fail(w, err);
}

spur_status spur__point_failf(spur_writer *w, const char *tag, int64_t step, spur_status status,
                              const char *fmt, ...) {
    spur_error err = {.status = status};
    va_list args;
    va_start(args, fmt);
    vsnprintf(err.message, sizeof err.message, fmt, args);
    va_end(args);
    return spur__point_fail(w, tag, step, &err);
}

spur_status spur__queue_result(spur_writer *w, spur_status status) {
    if (status != SPUR_E_IO) return status;
    pthread_mutex_lock(&w->queue.mutex);
    note_queue_error(w);
    pthread_mutex_unlock(&w->queue.mutex);
    return status;
}

spur_status spur_writer_error(spur_writer *w, spur_error *err) {
    spur__error_clear(err);
    if (!spur__alive(w)) return SPUR_OK;
    pthread_mutex_lock(&w->queue.mutex);
    note_queue_error(w);
    spur_status status = w->first.status;
    if (err) *err = w->first;
    if (err && !*err->message) describe_refusal(w, err);
    pthread_mutex_unlock(&w->queue.mutex);
    return status;
}

void spur__writer_warn(spur_writer *w, const char *fmt, ...) {
    char message[1024];
    va_list args;
    pthread_mutex_lock(&w->queue.mutex);
    w->warnings++;
    pthread_mutex_unlock(&w->queue.mutex);
    if (!w->options.on_warning) return;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    w->options.on_warning(w->options.user, message);
}

static const struct {
    unsigned flag;
    const char *text;
} point_warnings[] = {
    {SPUR__WARN_FALLING, "the step is below an earlier one: TensorBoard may forget the points from "
                         "it on"},
    {SPUR__WARN_REPEATED, "the step was used before: only the last value will be shown"},
    {SPUR__WARN_BIG_STEP, "a step of more than 32 bits stops the HParams tab"},
    {SPUR__WARN_HUGE, "a value near or beyond the range of float cannot be drawn"},
    {SPUR__WARN_METADATA,
     "another description or display name than at first: the first one is shown"},
};

void spur__tell(spur_writer *w, const char *tag, int64_t step, unsigned flags) {
    char message[512];
    if (!w->options.on_warning) return;
    for (size_t i = 0; i < sizeof point_warnings / sizeof point_warnings[0]; i++) {
        if (!(flags & point_warnings[i].flag)) continue;
        snprintf(message, sizeof message, "tag \"%.200s\", step %lld: %s", tag, (long long)step,
                 point_warnings[i].text);
        w->options.on_warning(w->options.user, message);
    }
}

/* ---- checks -------------------------------------------------------------------------------- */

spur_status spur__wall_time_of(const spur_log_options *options, double *out, spur_error *err) {
    double t = options ? options->wall_time : 0.0;
    if (!isfinite(t))
        return spur__fail(err, SPUR_E_NUMERIC, "the wall time is not a finite number");
    if (t < 0.0) return spur__fail(err, SPUR_E_RANGE, "the wall time %.17g is before 1970", t);
    if (t >= year_10000)
        return spur__fail(err, SPUR_E_RANGE,
                          "the wall time %.17g is beyond the year 9999; it counts seconds", t);
    *out = t > 0.0 ? t : spur__wall_time();
    return SPUR_OK;
}

spur_status spur__check_text(const char *text, const char *what, spur_error *err) {
    if (!text) return spur__fail(err, SPUR_E_ARGUMENT, "%s is NULL", what);
    if (!spur__utf8_valid(text, strlen(text)))
        return spur__fail(err, SPUR_E_UTF8, "%s is not valid UTF-8", what);
    return SPUR_OK;
}

spur_status spur__check_options(const spur_log_options *options, spur_error *err) {
    if (options && options->description)
        SPUR__TRY(spur__check_text(options->description, "the description", err));
    if (options && options->display_name)
        SPUR__TRY(spur__check_text(options->display_name, "the display name", err));
    return SPUR_OK;
}

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A tag that was not used before. */
static spur_status check_new_tag(const char *name, size_t length, spur__kind_of_tag kind,
                                 spur_error *err) {
    if (length == 0) return spur__fail(err, SPUR_E_ARGUMENT, "the tag is empty");
    if (length > TAG_LIMIT)
        return spur__fail(err, SPUR_E_RANGE,
                          "a tag of %zu bytes; TensorBoard can be asked for one of %d at most",
                          length, TAG_LIMIT);
    SPUR__TRY(spur__check_text(name, "the tag", err));
    bool reserved =
        starts_with(name, "_hparams_/") || strcmp(name, "custom_scalars__config__") == 0;
    if (reserved && kind != SPUR__TAG_HPARAMS && kind != SPUR__TAG_LAYOUT)
        return spur__fail(err, SPUR_E_ARGUMENT, "the tag is TensorBoard's own");
    return SPUR_OK;
}

spur_status spur__tag_check(const spur_writer *w, const char *name, size_t length, uint64_t hash,
                            spur__kind_of_tag kind, spur_error *err) {
    const spur__tag *tag = spur__tags_find(&w->tags, hash, name, length);
    if (!tag) return check_new_tag(name, length, kind, err);
    if (tag->kind == kind) return SPUR_OK;
    return spur__fail(err, SPUR_E_TYPE, "the tag is a %s here, it was a %s before",
                      spur__kind_name(kind), spur__kind_name(tag->kind));
}

spur_status spur__tag_entry(spur_writer *w, const char *name, size_t length, uint64_t hash,
                            spur__kind_of_tag kind, spur__tag **out, spur_error *err) {
    SPUR__TRY(spur__tag_check(w, name, length, hash, kind, err));
    *out = spur__tags_find(&w->tags, hash, name, length);
    if (*out) return SPUR_OK;
    spur_status status = spur__tags_add(&w->tags, hash, name, length, kind, out);
    if (status == SPUR_E_RANGE)
        spur__fail(err, status, "there are %zu tags already (max_tags)", w->tags.limit);
    else if (status != SPUR_OK)
        spur__fail(err, status, "a new tag: out of memory");
    return status;
}

uint64_t spur__metadata_hash(const char *description, size_t n, const char *display_name,
                             size_t m) {
    return (n ? spur__tag_hash(description, n) * 31 : 0) +
           (m ? spur__tag_hash(display_name, m) : 0);
}

unsigned spur__tag_metadata(spur__tag *tag, const spur_log_options *options) {
    const char *description = options ? options->description : NULL;
    const char *name = options ? options->display_name : NULL;
    if (!description && !name) return 0;
    uint64_t hash = spur__metadata_hash(description, description ? strlen(description) : 0, name,
                                        name ? strlen(name) : 0);
    if (!tag->has_step) tag->metadata = hash;
    return hash != tag->metadata ? SPUR__WARN_METADATA : 0;
}

unsigned spur__tag_point(spur_writer *w, spur__tag *tag, int64_t step, unsigned flags) {
    if (tag->has_step && step <= tag->last_step) {
        if (step < tag->last_step)
            w->falling++;
        else
            w->repeated++;
        flags |= step < tag->last_step ? SPUR__WARN_FALLING : SPUR__WARN_REPEATED;
    }
    if (step > INT32_MAX || step < INT32_MIN) flags |= SPUR__WARN_BIG_STEP;
    tag->has_step = true;
    tag->last_step = step;
    if (flags == 0) return 0;
    /* Steps are counted each time, the rest once per tag; each is told once per tag. */
    unsigned counted = flags & (SPUR__WARN_FALLING | SPUR__WARN_REPEATED | ~tag->warned);
    for (unsigned bits = counted; bits; bits &= bits - 1) w->warnings++;
    unsigned fresh = flags & ~tag->warned;
    tag->warned |= flags;
    return fresh;
}
