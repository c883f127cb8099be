/* SPDX-License-Identifier: MIT
 *
 * Reading TensorBoard event files: those of libspur-log, TensorFlow, PyTorch, tensorboardX and
 * every other writer, in the old forms (simple_value, histo, image, audio) and in tensor form.
 *
 * From the outside in; each layer can be used alone:
 *
 *   spur_logdir    the runs below a directory, as TensorBoard names them
 *   spur_run       the events of one run: all its files, in order; knows the tags
 *   spur_records   the records of one file, both checksums verified
 *   spur_event     one decoded record; a summary event holds values
 *   spur_value     one logged value: tag, kind, metadata, and the bytes of its content
 *   spur_scalars   all scalar series below a directory, loaded in one call
 *
 * Nothing is copied while iterating: slices point into the reader's buffer and stay valid until
 * the next call of the same reader. No function prints, and no file, however damaged or hostile,
 * makes the library crash or read outside of it. A reader may be used by one thread at a time.
 */
#ifndef SPUR_EVENTS_H
#define SPUR_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that belong to someone else. Text in a slice is not NUL-terminated and may contain NUL:
 * print it with "%.*s", (int)slice.size, slice.data. data is never NULL where a slice is handed
 * out; size may be 0. */
typedef struct spur_slice {
    const char *data;
    size_t size;
} spur_slice;

/* True when the slice holds exactly this text. */
SPUR_API bool spur_slice_is(spur_slice slice, const char *text);

/* ---- records --------------------------------------------------------------------------------
 *
 *   spur_records *records;
 *   status = spur_records_open(&records, path, &err);
 *   while ((status = spur_records_next(records, &payload, &err)) == SPUR_OK) ...;
 */

typedef struct spur_records spur_records;

/* Opens a regular file. E_IO, E_NOTFOUND, E_TYPE (not a regular file), E_MEMORY. */
SPUR_API spur_status spur_records_open(spur_records **out, const char *path, spur_error *err);
SPUR_API void spur_records_close(spur_records *records);

/* The next record's payload.
 *
 *   SPUR_OK          *payload is valid until the next call
 *   SPUR_E_END       the file ends here, after a whole record
 *   SPUR_E_AGAIN     the file ends inside a record: it is being written, or its writer was killed
 *   SPUR_E_DAMAGED   a checksum is wrong; *err says at which byte and what was found. If only the
 *                    payload is damaged the next call goes on behind it; if the framing is, or the
 *                    file has shrunk, nothing behind this place can be found: every further call
 *                    returns the same (spur_records_stuck() is true)
 *   SPUR_E_RANGE     the record is larger than 2 GiB, more than any writer may write; skipped
 *   SPUR_E_IO, SPUR_E_MEMORY
 *
 * After END and AGAIN a later call looks whether the file has grown: this is how to follow it.
 * At END and AGAIN *err is not touched. */
SPUR_API spur_status spur_records_next(spur_records *records, spur_slice *payload, spur_error *err);

/* Where in the file the record begins that the last call returned or complained about; after END
 * or AGAIN the place at which reading will go on. */
SPUR_API uint64_t spur_records_offset(const spur_records *records);

/* True when the file can not be read any further, however it grows. */
SPUR_API bool spur_records_stuck(const spur_records *records);

/* The path as given to spur_records_open. */
SPUR_API const char *spur_records_path(const spur_records *records);

/* ---- values --------------------------------------------------------------------------------- */

/* What a value is, whatever form it was written in: one per dashboard of TensorBoard. */
typedef enum spur_kind {
    SPUR_KIND_NONE, /* no value, or an unknown one */
    SPUR_KIND_SCALAR,
    SPUR_KIND_HISTOGRAM,
    SPUR_KIND_IMAGE,
    SPUR_KIND_AUDIO,
    SPUR_KIND_TEXT,
    SPUR_KIND_HPARAMS,
    SPUR_KIND_PR_CURVE,
    SPUR_KIND_MESH,
    SPUR_KIND_LAYOUT, /* of the Custom Scalars tab */
    SPUR_KIND_GRAPH, /* run graph, Keras model, graph with run metadata */
    SPUR_KIND_PROFILE, /* tagged run metadata */
    SPUR_KIND_TENSOR, /* a tensor of another plugin, or without metadata */
    SPUR_KIND_COUNT
} spur_kind;

/* "scalar", "histogram", ...; never NULL. */
SPUR_API const char *spur_kind_name(spur_kind kind);

/* How the value was written. */
typedef enum spur_form {
    SPUR_FORM_NONE,
    SPUR_FORM_SIMPLE, /* simple_value */
    SPUR_FORM_HISTO, /* HistogramProto */
    SPUR_FORM_IMAGE, /* Summary.Image */
    SPUR_FORM_AUDIO, /* Summary.Audio */
    SPUR_FORM_TENSOR, /* TensorProto */
    SPUR_FORM_OBSOLETE_HISTOGRAM /* obsolete_old_style_histogram; nobody reads it */
} spur_form;

/* Element types, numbered as in TensorFlow's types.proto. */
typedef enum spur_tensor_dtype {
    SPUR_DT_INVALID = 0,
    SPUR_DT_FLOAT = 1,
    SPUR_DT_DOUBLE = 2,
    SPUR_DT_INT32 = 3,
    SPUR_DT_UINT8 = 4,
    SPUR_DT_INT16 = 5,
    SPUR_DT_INT8 = 6,
    SPUR_DT_STRING = 7,
    SPUR_DT_INT64 = 9,
    SPUR_DT_BOOL = 10,
    SPUR_DT_BFLOAT16 = 14,
    SPUR_DT_UINT16 = 17,
    SPUR_DT_HALF = 19,
    SPUR_DT_UINT32 = 22,
    SPUR_DT_UINT64 = 23
} spur_tensor_dtype;

/* "float", "string", ...; "unknown" for what is not in the list. */
SPUR_API const char *spur_dtype_name(int dtype);

enum { SPUR_TENSOR_MAX_RANK = 8 };

/* A tensor's type and shape; its elements by spur_tensor_numbers() and spur_value_texts(). */
typedef struct spur_tensor {
    int dtype; /* spur_tensor_dtype, or a number that this version does not know */
    int rank; /* 0 when the shape is missing; -1: unknown, negative, too large or over MAX_RANK */
    int64_t shape[SPUR_TENSOR_MAX_RANK];
    uint64_t elements; /* product of the shape; 1 for rank 0 */
    spur_slice content; /* tensor_content: raw, little-endian, row-major */
    spur_slice message; /* the whole TensorProto */
} spur_tensor;

typedef struct spur_tag spur_tag;

typedef struct spur_value {
    spur_slice tag;
    spur_kind kind;
    spur_form form;
    bool has_metadata;
    int data_class; /* 0 unknown, 1 scalar, 2 tensor, 3 blob sequence */
    spur_slice plugin; /* metadata.plugin_data.plugin_name */
    spur_slice plugin_content;
    spur_slice display_name;
    spur_slice description;
    float simple; /* of SPUR_FORM_SIMPLE */
    spur_slice message; /* the whole serialized Summary.Value */
    spur_slice body; /* the message of the form: HistogramProto, Summary.Image, ... */
    spur_tensor tensor; /* of SPUR_FORM_TENSOR */
    const spur_tag *info; /* what the run knows of the tag; set by spur_run_value() */
    size_t position; /* where the next value begins; start with 0 */
} spur_value;

/* ---- events --------------------------------------------------------------------------------- */

typedef enum spur_event_what {
    SPUR_EVENT_NONE, /* nothing but a time and a step */
    SPUR_EVENT_FILE_VERSION, /* data: "brain.Event:2" */
    SPUR_EVENT_GRAPH, /* data: a serialized GraphDef */
    SPUR_EVENT_SUMMARY, /* values: spur_event_value() */
    SPUR_EVENT_LOG_MESSAGE, /* code: level; data: message */
    SPUR_EVENT_SESSION_LOG, /* code: 1 START, 2 STOP, 3 CHECKPOINT; data: message */
    SPUR_EVENT_RUN_METADATA, /* name: tag; data: a serialized RunMetadata */
    SPUR_EVENT_META_GRAPH /* data: a serialized MetaGraphDef */
} spur_event_what;

enum { SPUR_SESSION_START = 1, SPUR_SESSION_STOP = 2, SPUR_SESSION_CHECKPOINT = 3 };

typedef struct spur_event {
    double wall_time; /* seconds since the epoch; 0 when absent */
    int64_t step;
    spur_event_what what;
    int code;
    spur_slice name;
    spur_slice data; /* of a summary: the serialized Summary */
    spur_slice writer; /* source_metadata.writer: who wrote the file; usually in the first event */
    spur_value first; /* private: the first value, found when the event was checked, */
    const void *match; /* private: what it was recognised by, if it was */
} spur_event;

/* Decodes one payload and checks everything in it, values included. *err names no file: put it in
 * front. E_FORMAT: not an Event. E_UTF8: an Event, and *event is filled, but one of its strings is
 * not UTF-8; TensorBoard shows nothing of such a file from there on. */
SPUR_API spur_status spur_event_decode(spur_slice payload, spur_event *event, spur_error *err);

/* Steps through the values of a summary event (any other has none):
 *
 *   for (spur_value value = {0}; spur_event_value(&event, &value);) ...;     // C++: value{}
 *
 * The kind is judged by what the value itself says. Writers may leave out the metadata after the
 * first value of a tag: spur_run_value() remembers it. */
SPUR_API bool spur_event_value(const spur_event *event, spur_value *value);

/* ---- contents -------------------------------------------------------------------------------
 *
 * Each function takes a value of its kind in any form, old or new (or one of kind TENSOR: writers may
 * leave out what tells the kind), checks that the bytes are what they claim to be, and fails with
 * E_TYPE (another kind or element type), E_SHAPE (a shape that does not fit), E_FORMAT or E_MEMORY.
 * *err names the tag, not the file. What they allocate is freed by the matching _free (fine with a
 * zeroed struct, and after a failure); slices inside point into the reader's buffer. */

/* The elements of a numeric tensor as doubles, row-major; exactly `count` of them, else E_SHAPE.
 * Whole numbers beyond 2^53 are rounded. */
SPUR_API spur_status spur_tensor_numbers(const spur_tensor *tensor, double *out, size_t count,
                                         spur_error *err);

SPUR_API spur_status spur_value_scalar(const spur_value *value, double *out, spur_error *err);

typedef struct spur_bucket {
    double left, right, count;
} spur_bucket;

/* Of the old form the empty outer buckets are left out and the outer edges are min and max, as
 * TensorBoard does; the moments exist in the old form only. */
typedef struct spur_histogram {
    size_t count;
    spur_bucket *buckets;
    bool has_moments;
    double min, max, num, sum, sum_squares;
} spur_histogram;

SPUR_API spur_status spur_value_histogram(const spur_value *value, spur_histogram *out,
                                          spur_error *err);
SPUR_API void spur_histogram_free(spur_histogram *histogram);

/* The encoded files (PNG, JPEG, GIF, ...) of one step. */
typedef struct spur_images {
    int64_t width, height; /* as claimed by the value */
    int colorspace; /* old form: 1 gray, 2 gray + alpha, 3 RGB, 4 RGBA; else 0 */
    size_t count;
    spur_slice *files;
} spur_images;

SPUR_API spur_status spur_value_images(const spur_value *value, spur_images *out, spur_error *err);
SPUR_API void spur_images_free(spur_images *images);

typedef struct spur_clip {
    spur_slice file; /* encoded, usually WAV */
    spur_slice label; /* Markdown; empty when there is none */
} spur_clip;

typedef struct spur_clips {
    size_t count;
    spur_clip *clips;
    spur_slice content_type; /* "audio/wav"; empty when unknown */
    double sample_rate; /* old form only, as the next two; else 0 */
    int64_t channels, frames;
} spur_clips;

SPUR_API spur_status spur_value_audio(const spur_value *value, spur_clips *out, spur_error *err);
SPUR_API void spur_clips_free(spur_clips *clips);

/* Texts as a table: rank 0 is 1 x 1, rank 1 is n x 1; of a higher rank the last is the column. */
typedef struct spur_texts {
    int rank;
    size_t rows, columns;
    spur_slice *cells; /* [rows][columns] */
} spur_texts;

/* Also of kind LAYOUT (one cell: a serialized Layout), GRAPH and TENSOR when they hold strings. */
SPUR_API spur_status spur_value_texts(const spur_value *value, spur_texts *out, spur_error *err);
SPUR_API void spur_texts_free(spur_texts *texts);

typedef enum spur_hparam_type {
    SPUR_HPARAM_NONE, /* null, a list or a struct */
    SPUR_HPARAM_NUMBER,
    SPUR_HPARAM_TEXT,
    SPUR_HPARAM_BOOL
} spur_hparam_type;

typedef struct spur_hparam {
    spur_slice name;
    spur_hparam_type type;
    double number; /* of a bool 0 or 1 */
    spur_slice text;
} spur_hparam;

typedef enum spur_hparams_what {
    SPUR_HPARAMS_NONE,
    SPUR_HPARAMS_EXPERIMENT, /* data: the serialized Experiment */
    SPUR_HPARAMS_START, /* values, group, time */
    SPUR_HPARAMS_END /* status, time */
} spur_hparams_what;

typedef struct spur_hparams_record {
    spur_hparams_what what;
    size_t count;
    spur_hparam *values;
    spur_slice group;
    int status; /* 0 unknown, 1 success, 2 failure, 3 running */
    double time; /* start or end, seconds since the epoch */
    spur_slice data;
} spur_hparams_record;

SPUR_API spur_status spur_value_hparams(const spur_value *value, spur_hparams_record *out,
                                        spur_error *err);
SPUR_API void spur_hparams_record_free(spur_hparams_record *record);

/* Counts and rates at threshold i / (thresholds - 1). */
typedef struct spur_pr_curve {
    size_t thresholds;
    double *true_positives, *false_positives, *true_negatives, *false_negatives, *precision,
        *recall;
} spur_pr_curve;

SPUR_API spur_status spur_value_pr_curve(const spur_value *value, spur_pr_curve *out,
                                         spur_error *err);
SPUR_API void spur_pr_curve_free(spur_pr_curve *curve);

/* One of the up to three values of a mesh. */
typedef struct spur_mesh_part {
    spur_slice name; /* of the mesh; the tag has a suffix */
    int content_type; /* 1 vertices, 2 faces, 3 colours */
    spur_slice config; /* JSON */
    int64_t shape[3]; /* batch, points, 3 */
    double *data;
} spur_mesh_part;

SPUR_API spur_status spur_value_mesh(const spur_value *value, spur_mesh_part *out, spur_error *err);
SPUR_API void spur_mesh_part_free(spur_mesh_part *part);

/* ---- runs -----------------------------------------------------------------------------------
 *
 *   spur_run *run;
 *   status = spur_run_open(&run, "my_logs/run_1/train", &err);
 *   while ((status = spur_run_next(run, &event, &err)) == SPUR_OK)
 *       for (spur_value value = {0}; spur_run_value(run, &event, &value);) ...;
 *   if (status != SPUR_E_END) ...;             // out of memory, or the disk failed
 *   for (size_t i = 0; i < spur_run_damage_count(run); i++) puts(spur_run_damage(run, i)->message);
 *   spur_run_close(run);
 */

typedef struct spur_run spur_run;

/* A run: the event files directly in a directory, or one event file. An event file is a regular
 * file with "tfevents" in its name, as for TensorBoard. */
SPUR_API spur_status spur_run_open(spur_run **out, const char *path, spur_error *err);
SPUR_API void spur_run_close(spur_run *run);

/* The next event, file after file in the order of their names. Damage does not stop it: it is
 * noted (spur_run_damage) and reading goes on with the next record that can be found, in the next
 * file if need be. Events with a string that is not UTF-8 are noted and handed out.
 *
 * SPUR_E_END once every file is read to its end. To follow a run, call again later: new files are
 * looked for, and all are read on from where they ended. E_IO, E_MEMORY: tried again by the next
 * call. */
SPUR_API spur_status spur_run_next(spur_run *run, spur_event *event, spur_error *err);

/* As spur_event_value(), for the event that spur_run_next() handed out last; also counts the value
 * under its tag, gives value->info, and judges values without metadata by the first one of the tag.
 * A graph and tagged run metadata come as one value each (kinds GRAPH, "__run_graph__", and
 * PROFILE), with value->body as content. Call it for all values, once. */
SPUR_API bool spur_run_value(spur_run *run, const spur_event *event, spur_value *value);

/* What is known of a tag so far. Kind and metadata are those of its first value, as everywhere in
 * TensorBoard. */
struct spur_tag {
    const char *name; /* NUL-terminated; of a name with NUL inside, name_size tells the whole */
    size_t name_size;
    size_t index; /* 0, 1, ... in order of appearance */
    spur_kind kind;
    spur_form form;
    const char *plugin, *display_name, *description; /* "" when absent */
    uint64_t count; /* values */
    uint64_t bytes; /* of their contents */
    int64_t first_step, last_step, min_step, max_step; /* first and last in file order */
    double first_wall_time, last_wall_time;
    uint64_t falling; /* values with a step below that of the value before */
    uint64_t repeated; /* values with the same step as the value before */
    uint64_t foreign; /* values of another kind than the first */
};

SPUR_API size_t spur_run_tag_count(const spur_run *run);
SPUR_API const spur_tag *spur_run_tag(const spur_run *run, size_t index);
SPUR_API const spur_tag *spur_run_find_tag(const spur_run *run, const char *name);

typedef struct spur_run_file {
    const char *name; /* without directory */
    uint64_t size; /* bytes seen so far */
    uint64_t read; /* bytes read, in whole records */
    uint64_t events;
    uint64_t damaged; /* records */
    bool truncated; /* ends inside a record, for now */
    bool stuck; /* nothing behind `read` can be read */
} spur_run_file;

SPUR_API size_t spur_run_file_count(const spur_run *run);
SPUR_API const spur_run_file *spur_run_file_at(const spur_run *run, size_t index);

typedef struct spur_run_info {
    uint64_t events;
    uint64_t damage; /* all, also those that are not kept in the list */
    uint64_t starts; /* SessionLog START records: 1 + restarts, if the writer writes them */
    bool has_version; /* a "brain.Event:2" was seen */
    double first_wall_time, last_wall_time; /* lowest and highest of all events; 0 without events */
} spur_run_info;

SPUR_API spur_run_info spur_run_get_info(const spur_run *run);

typedef struct spur_damage {
    spur_status status; /* E_DAMAGED, E_FORMAT, E_UTF8, E_RANGE, E_IO (a file cannot be opened) */
    uint64_t offset; /* in the file */
    size_t file; /* index of spur_run_file_at() */
    const char *message; /* complete, with the file's path */
} spur_damage;

/* The first 100 of what was found damaged. */
SPUR_API size_t spur_run_damage_count(const spur_run *run);
SPUR_API const spur_damage *spur_run_damage(const spur_run *run, size_t index);

/* ---- log directories ------------------------------------------------------------------------ */

typedef struct spur_logdir spur_logdir;

/* Finds the runs below a directory as TensorBoard does: every directory with at least one event
 * file, named by its path from there ("." for the directory itself), links followed, sorted by
 * name. A path to a file gives one run ".". Reads no file. E_NOTFOUND, E_IO, E_MEMORY. */
SPUR_API spur_status spur_logdir_open(spur_logdir **out, const char *path, spur_error *err);
SPUR_API void spur_logdir_close(spur_logdir *logdir);

SPUR_API size_t spur_logdir_count(const spur_logdir *logdir);
SPUR_API const char *spur_logdir_name(const spur_logdir *logdir, size_t index);

/* For spur_run_open(). */
SPUR_API const char *spur_logdir_path(const spur_logdir *logdir, size_t index);

/* What could not be looked into: unreadable directories, links in a circle. */
SPUR_API size_t spur_logdir_problem_count(const spur_logdir *logdir);
SPUR_API const char *spur_logdir_problem(const spur_logdir *logdir, size_t index);

/* ---- all scalars ----------------------------------------------------------------------------
 *
 *   spur_scalars *scalars;
 *   status = spur_scalars_load(&scalars, "my_logs", NULL, &err);
 *   const spur_series *loss = spur_scalars_find(scalars, "run_1/validation", "epoch_loss");
 */

typedef struct spur_scalars spur_scalars;

typedef struct spur_scalars_options {
    const char *run; /* only runs that match this shell pattern ('*' also matches '/'); NULL: all */
    const char *tag; /* the same for tags */
    /* A value takes the place of all earlier ones of its tag with the same or a later step, as
     * after a restart from an older checkpoint: what TensorBoard shows by default. */
    bool supersede;
} spur_scalars_options;

typedef struct spur_series {
    const char *run;
    const char *tag;
    size_t tag_size; /* strlen(tag), or more when the tag has NUL inside */
    size_t count;
    const int64_t *steps;
    const double *wall_times;
    const double *values;
} spur_series;

/* Loads every scalar of the runs at `path`, in any form; sorted by run, then in order of the tags'
 * appearance. Values that claim to be scalars but are not count as damage. */
SPUR_API spur_status spur_scalars_load(spur_scalars **out, const char *path,
                                       const spur_scalars_options *options, spur_error *err);
SPUR_API void spur_scalars_destroy(spur_scalars *scalars);

SPUR_API size_t spur_scalars_count(const spur_scalars *scalars);
SPUR_API const spur_series *spur_scalars_series(const spur_scalars *scalars, size_t index);

/* NULL when there is none. */
SPUR_API const spur_series *spur_scalars_find(const spur_scalars *scalars, const char *run,
                                              const char *tag);

/* What was damaged or could not be read, as complete sentences (the first 100 of each run). */
SPUR_API size_t spur_scalars_problem_count(const spur_scalars *scalars);
SPUR_API const char *spur_scalars_problem(const spur_scalars *scalars, size_t index);

#ifdef __cplusplus
}
#endif

#endif
