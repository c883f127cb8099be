/* SPDX-License-Identifier: MIT
 *
 * libspur-log, the writing half: TensorBoard event files from C and C++.
 *
 *     spur_writer *log;
 *     spur_writer_open(&log, NULL, NULL);            // ./my_logs/run_2026_11_22-09_31_07/
 *     for (int step = 1; step <= 1000; step++)
 *         spur_log_scalar(log, "loss", step, loss);
 *     spur_writer_close(log, NULL);                  // then: tensorboard --logdir=./my_logs
 *
 * Promises to the program that logs:
 * - Nothing here exits, aborts, prints, raises a signal or grows without bound. Records wait in a
 *   queue of fixed size; a background thread writes them. On top come the tags (max_tags) and, while
 *   a call is under way, what it encodes.
 * - Every call returns a status. The first error sticks to the writer (spur_writer_error), so that
 *   checking once, at spur_writer_close, is enough. That of a point names its tag and step.
 * - Any thread may call any function on the same writer at any time, except spur_writer_close,
 *   which must be a writer's last call.
 * - After fork() the child's copy of a writer does nothing; the child may open its own. What was
 *   logged before exit() is kept; after a kill, all but the last `flush_seconds` is. A thread that
 *   is cancelled finishes the call that it is in; spur_writer_flush alone is a cancellation point,
 *   at its end.
 * - A NULL writer is the no-op writer: every call on it returns SPUR_OK and does nothing. A failed
 *   open yields NULL, so a program whose log cannot be opened runs on without one.
 *
 * Option structs are made with designated initialisers; zero means the default, a NULL pointer all
 * defaults:
 *     spur_log_image(log, "in", step, &images, &(spur_log_image_options){.max_outputs = 8});
 * In C++ they are variables:
 *     spur_log_image_options options{};
 *     options.max_outputs = 8;
 *     spur_log_image(log, "in", step, &images, &options);
 *
 * Strings are UTF-8; others are refused with SPUR_E_UTF8. Nothing passed in is kept: data are
 * copied or encoded before a call returns.
 */
#ifndef SPUR_LOG_H
#define SPUR_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- writers ------------------------------------------------------------------------------- */

/* Writes one event file. */
typedef struct spur_writer spur_writer;

/* What happens to a record when the queue is full. */
typedef enum spur_log_full {
    SPUR_LOG_BLOCK = 0, /* the call waits for the background thread */
    SPUR_LOG_DROP = 1 /* the call returns SPUR_E_DROPPED at once; the record is counted and lost,
                         and spur_writer_close tells how many were if no other error came first */
} spur_log_full;

typedef struct spur_writer_options {
    /* Where. A relative path counts from the current directory at the open, also for what the
     * writer makes later. Either the exact `directory` (made if missing), or else a new run
     * directory `<logdir>/run_%Y_%m_%d-%H_%M_%S[_name]` (local time), created exclusively: a clash
     * gets "_1", "_2", ... Without `directory`, the environment variable SPUR_RUN_DIR, if set and
     * not empty, names the exact directory: so a sweep hands a trial its place. Only the first such
     * open of a program takes it; later ones make run directories inside it. */
    const char *directory;
    const char *logdir; /* default "./my_logs" */
    const char *name; /* no '/' */

    /* The file is events.out.tfevents.<seconds>.<host>.<pid>.<counter><filename_suffix>. */
    const char *filename_suffix; /* default ".v2" */

    /* Bytes of records that may wait, and so the memory that the writer takes for them; default
     * 8 MiB, at least 64 KiB. A record larger than that waits until the queue is empty and is then
     * written from its own memory (with SPUR_LOG_DROP it is dropped). */
    size_t queue_bytes;
    spur_log_full when_full;

    /* A record is in the file after at most this many seconds; default 2. Negative: only when much
     * is waiting, at flush and at close. */
    double flush_seconds;
    bool sync; /* fdatasync at each flush, names at the open: survives power cuts, not only kills */

    /* Different tags that the writer accepts (each takes some 300 bytes); default 100000. */
    size_t max_tags;

    /* Seconds since the epoch, up to the year 9999, that count as "now" for names and for the
     * file's first records; default: the clock. Each logging call has its own `wall_time` to
     * override. */
    double wall_time;

    /* Restarting a run in its old directory: points at steps >= purge_step, written by an earlier
     * process, are to be forgotten. TensorBoard's slow loader obeys at once, its fast loader tag by
     * tag as new points arrive. */
    bool purge;
    int64_t purge_step;

    /* Continuing a run from a checkpoint, without a trace of what came after it: the name of the
     * event file in `directory` and its flushed length, as spur_writer_checkpoint told them. A new
     * file with a later name takes over the records up to that length and is synced; then the old
     * one is emptied but for its first records (and removed by a later resume). One checkpoint may
     * be continued from any number of times. Needs `directory`; not together with `purge`. It goes
     * for one file: sub-writers have positions of their own (see spur_writer_open_sub). */
    const char *continue_file; /* NULL or "": no */
    uint64_t continue_length;

    /* Told about every warning (see spur_writer_stats), on the thread whose call caused it, with
     * no lock held. The text is valid during the call only. */
    void (*on_warning)(void *user, const char *message);
    void *user;
} spur_writer_options;

/* Opens a writer; `options` may be NULL. The directory and the file exist, with the file's first
 * records in it, when the call returns. On failure *out is NULL (the no-op writer), nothing is left
 * behind but directories, and *err says why: SPUR_E_EXISTS for a directory on which this program has a
 * writer already, SPUR_E_ARGUMENT for a name that cannot be one. */
SPUR_API spur_status spur_writer_open(spur_writer **out, const spur_writer_options *options,
                                      spur_error *err);

/* A writer on <parent's directory>/<name>, with the parent's options: "train", "validation"; also a
 * path below it, "fold_1/train". The same tag in both gives two lines in one chart. It is closed on its own; the parent may be closed
 * before. A sub-writer of a no-op writer is a no-op writer.
 * Of a run that continues from a checkpoint each sub-writer is continued, too: by spur_writer_open
 * with .directory = "<run>/train" and the position that spur_writer_checkpoint told of it. */
SPUR_API spur_status spur_writer_open_sub(spur_writer **out, spur_writer *parent, const char *name,
                                          spur_error *err);

/* Writes everything out, closes the file and frees the writer, in every case. Returns the first
 * error of the writer's life (also an error of an earlier call), SPUR_OK if there was none.
 * exit() writes everything out and closes the file, too, in a handler that the first open installs;
 * records that come later are refused with SPUR_E_STATE. */
SPUR_API spur_status spur_writer_close(spur_writer *writer, spur_error *err);

/* A barrier: when it returns SPUR_OK, all records whose calls returned before are in the file (on
 * the disk with `sync`). After a failed write (a full disk) it tries again; nothing is lost while
 * the queue has room. */
SPUR_API spur_status spur_writer_flush(spur_writer *writer);

/* The first error that the writer met; SPUR_OK if none. *err (may be NULL) gets its message. */
SPUR_API spur_status spur_writer_error(spur_writer *writer, spur_error *err);

/* The directory as it should be shown ("./my_logs/run_..."), and the event file's path. "" for
 * a no-op writer. Valid until close. */
SPUR_API const char *spur_writer_directory(const spur_writer *writer);
SPUR_API const char *spur_writer_path(const spur_writer *writer);

/* True for NULL and in the child of a fork. */
SPUR_API bool spur_writer_is_noop(const spur_writer *writer);

typedef struct spur_writer_stats {
    uint64_t records; /* accepted, the file's first records included */
    uint64_t bytes; /* in the file */
    uint64_t dropped; /* records lost: queue full, a write failed for good, or after exit() */
    uint64_t warnings; /* everything below, and the rarer ones; on_warning has the texts */
    uint64_t falling_steps; /* a step below the tag's last one: TensorBoard's fast loader deletes
                               the tag's points from that step on */
    uint64_t repeated_steps; /* a step equal to the tag's last one: only the last value is shown */
    uint64_t nonfinite; /* NaN and infinite values left out of histograms */
    uint64_t queue_peak; /* most bytes that ever waited; never above queue_bytes */
    uint64_t write_errors; /* failed writes, retries included */
} spur_writer_stats;

SPUR_API void spur_writer_get_stats(spur_writer *writer, spur_writer_stats *stats);

/* Flushes, then tells what a later spur_writer_open needs to continue from this point. */
typedef struct spur_writer_position {
    char file[256]; /* the event file's name, without directory */
    uint64_t length; /* its flushed length in bytes */
} spur_writer_position;

SPUR_API spur_status spur_writer_checkpoint(spur_writer *writer, spur_writer_position *position);

/* ---- common to all kinds ------------------------------------------------------------------- */

/* A tag belongs to the kind that used it first; another kind gets SPUR_E_TYPE. Cards are grouped by
 * the text before the first '/'. At most 16384 bytes: TensorBoard refuses longer requests. Steps
 * should rise within a tag. */

typedef struct spur_log_options {
    double wall_time; /* seconds since the epoch; 0 = now. NaN and infinity are SPUR_E_NUMERIC,
                         before 1970 or after 9999 SPUR_E_RANGE */
    const char *description; /* Markdown, shown with the card; the tag's first call decides */
    const char *display_name; /* shown instead of the tag by the older dashboards; likewise */
} spur_log_options;

/* Element types of arrays. */
typedef enum spur_log_type {
    SPUR_LOG_U8,
    SPUR_LOG_I16,
    SPUR_LOG_I32,
    SPUR_LOG_I64,
    SPUR_LOG_F32,
    SPUR_LOG_F64
} spur_log_type;

/* `count` elements of one type. */
typedef struct spur_log_array {
    const void *data;
    size_t count;
    spur_log_type type;
} spur_log_array;

static inline spur_log_array spur_log_floats(const float *data, size_t count) {
    spur_log_array a = {data, count, SPUR_LOG_F32};
    return a;
}
static inline spur_log_array spur_log_doubles(const double *data, size_t count) {
    spur_log_array a = {data, count, SPUR_LOG_F64};
    return a;
}
static inline spur_log_array spur_log_ints(const int32_t *data, size_t count) {
    spur_log_array a = {data, count, SPUR_LOG_I32};
    return a;
}

/* Bytes of a file that is already encoded. */
typedef struct spur_log_bytes {
    const void *data;
    size_t size;
} spur_log_bytes;

/* ---- scalars ------------------------------------------------------------------------------- */

/* One point of a line. TensorBoard keeps values as float; NaN and infinities are written. */
SPUR_API spur_status spur_log_scalar(spur_writer *writer, const char *tag, int64_t step,
                                     double value);

/* The same with a wall time, description or display name. */
SPUR_API spur_status spur_log_scalar_with(spur_writer *writer, const char *tag, int64_t step,
                                          double value, const spur_log_options *options);

/* ---- histograms ---------------------------------------------------------------------------- */

typedef struct spur_log_histogram_options {
    int buckets; /* default 30; negative: none (an empty histogram) */
    spur_log_options log;
} spur_log_histogram_options;

/* Equally wide buckets from the smallest to the largest value, as tf.summary.histogram makes them.
 * NaN and infinite values are left out and counted. Also feeds the Distributions tab. */
SPUR_API spur_status spur_log_histogram(spur_writer *writer, const char *tag, int64_t step,
                                        spur_log_array values,
                                        const spur_log_histogram_options *options);

typedef struct spur_log_bucket {
    double left, right, count;
} spur_log_bucket;

/* Ready buckets, in rising order; empty ones at both ends are left off (TensorBoard would stretch
 * them). SPUR_E_RANGE if they overlap, run backwards or count below zero. */
SPUR_API spur_status spur_log_histogram_buckets(spur_writer *writer, const char *tag, int64_t step,
                                                const spur_log_bucket *buckets, size_t count,
                                                const spur_log_options *options);

/* ---- images -------------------------------------------------------------------------------- */

/* `count` images of one size, pixels [count, height, width, channels] without gaps. Channels: 1
 * gray, 2 gray + alpha, 3 RGB, 4 RGBA. U8, or F32/F64 in [0, 1] (others are clamped, NaN is 0). */
typedef struct spur_log_images {
    const void *pixels;
    spur_log_type type;
    int count; /* 0 means 1, or none if there are no pixels */
    int height, width, channels;
    bool channels_first; /* pixels are [count, channels, height, width], as PyTorch has them */
} spur_log_images;

/* A rectangle drawn on one image of a batch. Sides are in pixels from the image's upper left corner, so
 * that an image as a whole is (0, 0, width, height); what lies outside is cut off. They are finite
 * (SPUR_E_NUMERIC), left < right and top < bottom, and the image is one of the batch (SPUR_E_RANGE). */
typedef struct spur_log_box {
    size_t image; /* which one, from 0 */
    double left, top, right, bottom;
    const char
        *label; /* above it, in small letters (ASCII; others become empty frames); NULL: none */
    unsigned char color[3]; /* red, green, blue; all 0: pure red */
} spur_log_box;

typedef struct spur_log_image_options {
    int max_outputs; /* images written, at most; default 3, as in tf.summary.image */
    int compression; /* zlib level 1..9; default 3 */
    const spur_log_box
        *boxes; /* drawn on the images, in this order; gray ones become RGB then, gray
                                  ones with alpha RGBA */
    size_t box_count;
    spur_log_options log;
} spur_log_image_options;

/* Encodes as PNG; one slider position per image. */
SPUR_API spur_status spur_log_image(spur_writer *writer, const char *tag, int64_t step,
                                    const spur_log_images *images,
                                    const spur_log_image_options *options);

/* Images that are already PNG, JPEG or GIF files (anything else: SPUR_E_FORMAT), all of one size.
 * max_outputs as above; no boxes. */
SPUR_API spur_status spur_log_image_encoded(spur_writer *writer, const char *tag, int64_t step,
                                            const spur_log_bytes *images, size_t count,
                                            const spur_log_image_options *options);

typedef struct spur_log_animation_options {
    double frames_per_second; /* default 4 */
    int compression; /* as above */
    spur_log_options log;
} spur_log_animation_options;

/* The images are the frames of one animation that plays in a loop in the Images tab (an animated
 * PNG). */
SPUR_API spur_status spur_log_animation(spur_writer *writer, const char *tag, int64_t step,
                                        const spur_log_images *frames,
                                        const spur_log_animation_options *options);

/* ---- text ---------------------------------------------------------------------------------- */

/* One Markdown document. A single newline is no line break there: leave a blank line. */
SPUR_API spur_status spur_log_text(spur_writer *writer, const char *tag, int64_t step,
                                   const char *markdown, const spur_log_options *options);

/* Markdown cells, shown as a table. columns = 0: a list of `rows` cells, one per row (rank 1). */
typedef struct spur_log_cells {
    const char *const *cells; /* row by row */
    size_t rows, columns;
} spur_log_cells;

SPUR_API spur_status spur_log_text_table(spur_writer *writer, const char *tag, int64_t step,
                                         const spur_log_cells *cells,
                                         const spur_log_options *options);

/* ---- audio --------------------------------------------------------------------------------- */

/* `count` clips, samples [count, frames, channels]: I16, or F32/F64 in [-1, 1] (others are clamped,
 * NaN is 0). */
typedef struct spur_log_clips {
    const void *samples;
    spur_log_type type;
    int count; /* 0 means 1 */
    size_t frames;
    int channels; /* 0 means 1; at most 32767 */
    double sample_rate; /* per second */
} spur_log_clips;

typedef struct spur_log_audio_options {
    int max_outputs; /* clips written, at most; default 3 */
    spur_log_options log;
} spur_log_audio_options;

/* Encodes as 16-bit WAV. A tag must have the same number of clips at every step (SPUR_E_SHAPE
 * otherwise: TensorBoard answers "500" for such a tag). */
SPUR_API spur_status spur_log_audio(spur_writer *writer, const char *tag, int64_t step,
                                    const spur_log_clips *clips,
                                    const spur_log_audio_options *options);

/* ---- hyper-parameters ---------------------------------------------------------------------- */

typedef enum spur_log_value_kind {
    SPUR_LOG_NUMBER,
    SPUR_LOG_TEXT,
    SPUR_LOG_BOOL
} spur_log_value_kind;

typedef struct spur_log_value {
    spur_log_value_kind kind;
    double number;
    const char *text;
    bool boolean;
} spur_log_value;

typedef struct spur_log_hparam {
    const char *name;
    spur_log_value value;
} spur_log_hparam;

static inline spur_log_value spur_log_number(double number) {
    spur_log_value v = {SPUR_LOG_NUMBER, 0.0, NULL, false};
    v.number = number;
    return v;
}
static inline spur_log_value spur_log_string(const char *text) {
    spur_log_value v = {SPUR_LOG_TEXT, 0.0, NULL, false};
    v.text = text;
    return v;
}
static inline spur_log_value spur_log_boolean(bool boolean) {
    spur_log_value v = {SPUR_LOG_BOOL, 0.0, NULL, false};
    v.boolean = boolean;
    return v;
}

typedef struct spur_log_hparams_options {
    const char *group; /* runs with one group name share a row; default: a hash of the values */
    const char *model_uri, *monitor_url;
    double start_time; /* default now */
    double wall_time; /* of the record; default now */
} spur_log_hparams_options;

/* Starts a session: this writer's run, with these values. Once per run (SPUR_E_STATE after that);
 * TensorBoard finds the metrics by itself: all scalars of the run and the runs below it. The run
 * should have a directory of its own below --logdir. */
SPUR_API spur_status spur_log_hparams(spur_writer *writer, const spur_log_hparam *hparams,
                                      size_t count, const spur_log_hparams_options *options);

typedef enum spur_log_outcome {
    SPUR_LOG_SUCCESS = 1,
    SPUR_LOG_FAILURE = 2,
    SPUR_LOG_RUNNING = 3
} spur_log_outcome;

/* Ends the session, for good: the first call wins, a later one gets SPUR_E_STATE, as one before
 * spur_log_hparams does (unless an earlier process has left event files in the directory). */
SPUR_API spur_status spur_log_hparams_end(spur_writer *writer, spur_log_outcome outcome,
                                          const spur_log_options *options);

/* What may vary and what is measured. Optional: without it TensorBoard derives both from the
 * sessions. If there is more than one under a logdir TensorBoard shows one of them at random, so
 * write it in one place above all sessions, or the same complete one everywhere. */
typedef struct spur_log_hparam_info {
    const char *name, *display_name, *description;
    spur_log_value_kind kind;
    const spur_log_value *choices; /* a discrete domain, or ... */
    size_t choice_count;
    bool has_range; /* ... an interval of numbers */
    double min, max;
} spur_log_hparam_info;

typedef struct spur_log_metric_info {
    const char *tag;
    const char *group; /* the run below the session that holds the tag: "validation"; default "" */
    const char *display_name, *description;
    bool validation; /* measured on validation data, not on training data */
} spur_log_metric_info;

typedef struct spur_log_experiment {
    const char *name, *description, *user;
    double created; /* seconds since the epoch; 0: not said */
    const spur_log_hparam_info *hparams;
    size_t hparam_count;
    const spur_log_metric_info *metrics;
    size_t metric_count;
} spur_log_experiment;

SPUR_API spur_status spur_log_hparams_experiment(spur_writer *writer,
                                                 const spur_log_experiment *experiment,
                                                 const spur_log_options *options);

/* ---- graph --------------------------------------------------------------------------------- */

/* A tensor's dimensions; -1: not known. */
typedef struct spur_log_shape {
    const int64_t *dims;
    size_t rank;
} spur_log_shape;

typedef enum spur_log_attr_kind {
    SPUR_LOG_ATTR_TEXT, /* text */
    SPUR_LOG_ATTR_INT, /* integer */
    SPUR_LOG_ATTR_FLOAT, /* real */
    SPUR_LOG_ATTR_BOOL, /* integer */
    SPUR_LOG_ATTR_INTS, /* list */
    SPUR_LOG_ATTR_SHAPE, /* list as a shape */
    SPUR_LOG_ATTR_TYPE /* type */
} spur_log_attr_kind;

typedef struct spur_log_attr {
    const char *name;
    spur_log_attr_kind kind;
    const char *text;
    int64_t integer;
    double real;
    spur_log_shape list;
    spur_log_type type;
} spur_log_attr;

typedef struct spur_log_node {
    const char *name; /* '/' separates scopes: "encoder/conv1/weight" */
    const char *op; /* "Conv2D" */
    /* Names of nodes, "node:1" for another output, "^node" for control. */
    const char *const *inputs;
    size_t input_count;
    const spur_log_shape *outputs; /* shapes of the outputs: labels of the edges */
    size_t output_count;
    const spur_log_attr *attrs;
    size_t attr_count;
    const char *device;
} spur_log_node;

/* A graph under construction; used by one thread at a time. */
typedef struct spur_log_graph_builder spur_log_graph_builder;

SPUR_API spur_status spur_log_graph_create(spur_log_graph_builder **out);
SPUR_API void spur_log_graph_destroy(spur_log_graph_builder *graph);

/* Copies the node into the graph; nodes may come in any order. SPUR_E_EXISTS for a name used
 * before, SPUR_E_ARGUMENT for one that TensorBoard cannot lay out ("", "a//b", "/a"). */
SPUR_API spur_status spur_log_graph_add(spur_log_graph_builder *graph, const spur_log_node *node);

/* Writes it, for the Graphs tab. SPUR_E_NOTFOUND if an input names no node; once per writer
 * (SPUR_E_STATE after that). */
SPUR_API spur_status spur_log_graph(spur_writer *writer, const spur_log_graph_builder *graph,
                                    const spur_log_options *options);

/* ---- layout of the Custom Scalars tab ------------------------------------------------------ */

/* Three scalar tags of one line with its margin. */
typedef struct spur_log_margin {
    const char *value, *lower, *upper;
} spur_log_margin;

typedef struct spur_log_chart {
    const char *title;
    const char *const *tags; /* regular expressions, matched from the start of a tag; or ... */
    size_t tag_count;
    const spur_log_margin *margins; /* ... margins */
    size_t margin_count;
} spur_log_chart;

typedef struct spur_log_category {
    const char *title;
    const spur_log_chart *charts;
    size_t chart_count;
    bool closed; /* folded when the page opens */
} spur_log_category;

/* Once per writer (SPUR_E_STATE after that). */
SPUR_API spur_status spur_log_layout(spur_writer *writer, const spur_log_category *categories,
                                     size_t count, const spur_log_options *options);

/* ---- precision-recall curves --------------------------------------------------------------- */

/* Scores in [0, 1] of `count` samples, and whether each is a positive one. */
typedef struct spur_log_predictions {
    const unsigned char *labels; /* 0 or 1 */
    const float *scores;
    const float *weights; /* NULL: all 1 */
    size_t count;
} spur_log_predictions;

typedef struct spur_log_pr_curve_options {
    int thresholds; /* default 201: 0, 0.005, ..., 1 */
    spur_log_options log;
} spur_log_pr_curve_options;

SPUR_API spur_status spur_log_pr_curve(spur_writer *writer, const char *tag, int64_t step,
                                       const spur_log_predictions *predictions,
                                       const spur_log_pr_curve_options *options);

/* The curve itself: six rows of `thresholds` values; threshold i is i / (thresholds - 1). */
typedef struct spur_log_pr_counts {
    int thresholds; /* at least 2 */
    const double *true_positives, *false_positives, *true_negatives, *false_negatives;
    const double *precision, *recall; /* NULL: computed from the counts */
} spur_log_pr_counts;

SPUR_API spur_status spur_log_pr_curve_raw(spur_writer *writer, const char *tag, int64_t step,
                                           const spur_log_pr_counts *counts,
                                           const spur_log_options *options);

/* ---- meshes and point clouds --------------------------------------------------------------- */

typedef struct spur_log_mesh_data {
    size_t batch; /* 0 means 1 */
    const float *vertices; /* [batch, vertex_count, 3] */
    size_t vertex_count;
    const int32_t *faces; /* [batch, face_count, 3], indices of vertices; NULL: a point cloud */
    size_t face_count;
    const unsigned char *colors; /* [batch, vertex_count, 3]; NULL: none */
    const char *config_json; /* keys camera, lights, material: classes of three.js; NULL: "{}";
                                no JSON object: SPUR_E_FORMAT */
} spur_log_mesh_data;

/* Up to three tags, <tag>_VERTEX, <tag>_FACE and <tag>_COLOR: all or none of them. */
SPUR_API spur_status spur_log_mesh(spur_writer *writer, const char *tag, int64_t step,
                                   const spur_log_mesh_data *mesh, const spur_log_options *options);

/* ---- projector ----------------------------------------------------------------------------- */

typedef struct spur_log_points {
    const float *values; /* [rows, columns], finite */
    size_t rows, columns;
    const char *const *metadata; /* [rows, metadata_columns], no tabs or newlines, no row of blanks
                                    (SPUR_E_RANGE); NULL: none */
    size_t metadata_columns; /* 0 means 1 */
    const char *const *metadata_header; /* [metadata_columns]; needed with 2 columns or more */
    /* One image per row (U8 or float), all drawn into one picture of at most 8192 x 8192 pixels;
     * NULL: none. */
    const spur_log_images *sprites;
} spur_log_points;

/* Points for the Projector tab. Written at once as files beside the event file: tensors.tsv,
 * metadata.tsv, sprite.png under projector/, and an entry "<tag>:<step>" in
 * projector_config.pbtxt, in place of an earlier one of this name. */
SPUR_API spur_status spur_log_embedding(spur_writer *writer, const char *tag, int64_t step,
                                        const spur_log_points *points);

#ifdef __cplusplus
}
#endif

#endif
