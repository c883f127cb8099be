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
 *   status = spur_records_open(path, &records, &err);
 *   while ((status = spur_records_next(records, &payload, &err)) == SPUR_OK) ...;
 */

typedef struct spur_records spur_records;

/* Opens a regular file. E_IO, E_NOTFOUND, E_TYPE (not a regular file), E_MEMORY. */
SPUR_API spur_status spur_records_open(const char *path, spur_records **out, spur_error *err);
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
} spur_event;

/* Decodes one payload and checks everything in it, values included. *err names no file: put it in
 * front. E_FORMAT: not an Event. E_UTF8: an Event, and *event is filled, but one of its strings is
 * not UTF-8; TensorBoard shows nothing of such a file from there on. */
SPUR_API spur_status spur_event_decode(spur_slice payload, spur_event *event, spur_error *err);

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
typedef enum spur_dtype {
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
} spur_dtype;

/* "float", "string", ...; "unknown" for what is not in the list. */
SPUR_API const char *spur_dtype_name(int dtype);

enum { SPUR_TENSOR_MAX_RANK = 8 };

/* A tensor's type and shape; its elements by spur_tensor_numbers() and spur_tensor_strings(). */
typedef struct spur_tensor {
    int dtype; /* spur_dtype, or a number that this version does not know */
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
    spur_slice body; /* the message of the form: HistogramProto, Summary.Image, ... */
    spur_tensor tensor; /* of SPUR_FORM_TENSOR */
    const spur_tag *info; /* what the run knows of the tag; NULL from spur_event_value() */
    size_t position; /* where the next value begins; start with 0 */
} spur_value;

/* Steps through the values of a summary event (any other has none):
 *
 *   for (spur_value value = {0}; spur_event_value(&event, &value);) ...;
 *
 * The kind is judged by what the value itself says. Writers may leave out the metadata after the
 * first value of a tag: spur_run_value() remembers it. */
SPUR_API bool spur_event_value(const spur_event *event, spur_value *value);

#ifdef __cplusplus
}
#endif

#endif
