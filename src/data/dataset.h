/* SPDX-License-Identifier: MIT
 *
 * What a data format is: a row of the table in dataset.c. Its `open` lists the items (files,
 * records, scenes), its `read` makes one of them; splitting, thinning, statistics and
 * normalization are the same for all and live here.
 *
 * After opening nothing changes, so that any number of threads may read items at once.
 */
#ifndef SPUR_DATA_DATASET_H
#define SPUR_DATA_DATASET_H

#include <spur/data.h>

#include "base/options.h"
#include "data/codecs/image.h"

typedef enum spur__verify { SPUR__VERIFY_FULL, SPUR__VERIFY_HEADER, SPUR__VERIFY_OFF } spur__verify;

/* First member of every format's options. Formats leave out the rows that make no sense there; such
 * members are zero (or NULL). */
typedef struct spur__data_common {
    int64_t batch_size;
    int64_t workers; /* -1: auto */
    bool drop_last;
    char *normalization;
    char *path;
    int64_t verify; /* spur__verify */
    spur__size size; /* 0x0: as the first picture */
    int64_t channels; /* 0: as the first picture */
    double val_split;
    int64_t seed;
    char *imbalance;
    int64_t cache; /* MiB of decoded samples to keep; 0: none */
} spur__data_common;

/* One item as read: a picture in bytes, or values in floats (then `image` has height 0), and what
 * belongs to it. Memory is kept from one read to the next. */
typedef struct spur__sample {
    spur__image image;
    spur__pixels values;
    spur__image mask; /* [height][width][1] classes, for segmentation */
    spur__bytes file; /* memory for reading */
    spur__pixels audio; /* [1][samples][1] the sound itself, for the audio formats */
    int audio_rate; /* samples per second */
    void *scratch; /* memory of the format's own, freed by spur__free */
    size_t scratch_size;
} spur__sample;

void spur__sample_free(spur__sample *sample);

typedef struct spur__item {
    int32_t label; /* class, for classification */
    uint32_t group; /* items of one group never part: the tiles of one picture */
    uint8_t split; /* spur_split */
    bool dropped; /* by `imbalance` */
} spur__item;

typedef struct spur__index {
    uint32_t *items;
    size_t count;
} spur__index;

/* What one pass over all items finds. */
typedef struct spur__statistics {
    bool known; /* the pass over the items was made */
    double *mean, *std; /* [channels] of the training split, pooled over all pixels */
    uint64_t *class_counts; /* [classes] of the training split: items, or pixels of masks */
    uint64_t (
        *values)[256]; /* mask values of every split, [SPUR_SPLIT_COUNT][256], after mapping */
    double *item_weights; /* [training items] for the weighted sampler of segmentation */
} spur__statistics;

typedef struct spur__dataset_kind spur__dataset_kind;
typedef struct spur__cache spur__cache;

struct spur_data {
    const spur__dataset_kind *kind;
    void *options; /* the kind's struct, a copy of our own */
    const spur__data_common *common; /* its first member */
    void *state; /* the kind's own */
    spur_data_info info;
    char **class_names;
    spur__item *items;
    size_t item_count, item_capacity;
    spur__index splits[SPUR_SPLIT_COUNT];
    spur__statistics statistics;
    float *mean, *std; /* [channels] in use */
    spur__cache *cache; /* decoded samples; NULL: none are kept */
    bool keeps_itself; /* the format keeps what it decodes */
    int tile, overlap; /* items are square tiles of this side; 0: they are whole */
    char *notes; /* remarks for people, one a line: "masks: ..."; NULL: none */
};

struct spur__dataset_kind {
    spur__kind kind; /* options->size is the size of the options struct */
    /* Lists the items by spur__data_add and fills info (task, size, classes, ...). */
    spur_status (*open)(spur_data *data, spur_error *err);
    /* Reads one item. Pictures have info.channels channels and any size. */
    spur_status (*read)(const spur_data *data, uint32_t item, spur__sample *out, spur_error *err);
    /* Frees `state`; also called after a failed open. May be NULL. */
    void (*close)(spur_data *data);
    /* Reads all of the picture that an item is a tile of, and its mask. NULL: no tiles. */
    spur_status (*read_whole)(const spur_data *data, uint32_t item, spur__sample *out,
                              spur_error *err);
    /* The numbers to predict for one item of a regression. NULL otherwise. */
    const float *(*targets)(const spur_data *data, uint32_t item);
    /* The file that an item comes from, for messages, predictions and the cache; NULL: none. */
    const char *(*file)(const spur_data *data, uint32_t item);
    /* Looks at the headers of an item's files, for verify = header. NULL: nothing to look at. */
    spur_status (*check)(const spur_data *data, uint32_t item, spur__bytes *bytes, spur_error *err);
    const char *inputs; /* what a sample is, "tables", "sounds"; NULL: a picture */
    /* For predictions: lists the items of one file of the user's own, without labels, in place of `open`. info is that
     * of the training, and is to stay as it is. NULL: not possible. */
    spur_status (*open_file)(spur_data *data, const char *path, spur_error *err);
    const char *const *endings; /* of such files */
    const char *files; /* what they are called, "WAV files" */
    bool many; /* a file has many items, its rows */
    /* Judges the mask values found by the pass over all items; NULL: nothing to judge. */
    spur_status (*audit)(spur_data *data, spur_error *err);
    /* The file with the label of an item, its mask or one for many items; NULL: none. */
    const char *(*label_file)(const spur_data *data, uint32_t item);
};

/* The formats, family "data". Kinds are spur__dataset_kind. */
extern const spur__family spur__dataset_family;

/* Opens a format with its options struct (copied). */
spur_status spur__data_open(spur_data **out, const spur__dataset_kind *kind, const void *options,
                            spur_error *err);

/* Opens a file of the user's own for predictions, by kind->open_file: all its items, in their order, are there for
 * spur__sample_prepare. `info` is that of the training and must outlive the data; E_STATE when the options make
 * other inputs than it has. */
spur_status spur__data_open_file(spur_data **out, const spur__dataset_kind *kind,
                                 const void *options, const spur_data_info *info, const char *path,
                                 spur_error *err);

/* Number of threads that the `workers` option stands for; auto: one per processor, at most 4. */
int spur__data_workers(const spur_data *data);

/* Reads one item, from memory if it is kept. The sound of a sample (out->audio) is there only after
 * the kind's own read. */
spur_status spur__data_read(const spur_data *data, uint32_t item, spur__sample *out,
                            spur_error *err);

/* The item at a position of a split. */
static inline uint32_t spur__data_item(const spur_data *data, spur_split split, size_t position) {
    return data->splits[split].items[position];
}

/* For formats: appends an item. */
spur_status spur__data_add(spur_data *data, spur_split split, int32_t label, uint32_t group,
                           spur_error *err);

/* For formats: sets info.classes and the names; names[i] is copied, a NULL array gives "0", "1".. */
spur_status spur__data_set_classes(spur_data *data, size_t count, const char *const *names,
                                   spur_error *err);

/* For formats of pictures: sets info.height, width and channels from the options and, where these
 * say so, from the header of the first picture. */
spur_status spur__data_set_shape(spur_data *data, const char *first, spur_error *err);

/* For formats: appends a line to the notes. */
void spur__data_note(spur_data *data, const char *fmt, ...) SPUR_PRINTF(2, 3);

/* split.c: validation split by groups, long tail, then the index lists of each split. */
spur_status spur__data_split(spur_data *data, spur_error *err);
spur_status spur__check_imbalance(const char *value, spur_error *err);

/* statistics.c: the pass over all items (or its remembered result), audit and normalization. */
spur_status spur__data_prepare(spur_data *data, spur_error *err);
void spur__statistics_free(spur__statistics *statistics);
spur_status spur__check_normalization(const char *value, spur_error *err);

/* ---- rows that formats share ----------------------------------------------------------------- */

#define SPUR__DATA_ROWS_LOADER                                                                     \
    SPUR__ROW(INT, spur__data_common, batch_size, "32", .min = 1, .max = 65536,                    \
              .help = "samples per batch"),                                                        \
        SPUR__ROW(                                                                                 \
            INT, spur__data_common, workers, "auto", .min = 0, .max = 256, .choices = "auto",      \
            .help = "threads that prepare batches; 0: none, auto: by the number of processors"),   \
        SPUR__ROW(BOOL, spur__data_common, drop_last, "false",                                     \
                  .help = "leave out the last training batch of an epoch when it is not full"),    \
        SPUR__ROW(                                                                                 \
            TEXT, spur__data_common, normalization, "dataset", .check = spur__check_normalization, \
            .help = "none, imagenet, dataset (mean and std of the training split), or means then " \
                    "stds as numbers"),                                                            \
        SPUR__ROW(                                                                                 \
            INT, spur__data_common, seed, "0", .min = 0, .max = 9e15,                              \
            .help =                                                                                \
                "of what is random in the data themselves: splitting, thinning, generated scenes")

#define SPUR__DATA_ROW_PATH(help_) SPUR__ROW(TEXT, spur__data_common, path, "", .help = help_)

#define SPUR__DATA_ROW_VERIFY                                                                      \
    SPUR__ROW(CHOICE, spur__data_common, verify, "full", .choices = "full|header|off",             \
              .help = "before the first training: decode every file once (remembered), read the "  \
                      "headers, or nothing")

#define SPUR__DATA_ROW_SIZE(initial_, help_)                                                       \
    SPUR__ROW(SIZE, spur__data_common, size, initial_, .min = 0, .max = 16384, .unit = "pixels",   \
              .help = help_)

#define SPUR__DATA_ROW_CHANNELS(initial_)                                                          \
    SPUR__ROW(INT, spur__data_common, channels, initial_, .min = 0, .max = 4,                      \
              .help =                                                                              \
                  "1 grey, 3 colour, 4 colour and alpha; 0: as the first picture, without alpha")

#define SPUR__DATA_ROW_VAL_SPLIT                                                                   \
    SPUR__ROW(                                                                                     \
        FLOAT, spur__data_common, val_split, "0.2", .min = 0, .max = 0.9,                          \
        .help = "share of the training samples set aside for validation, the same of every class")

#define SPUR__DATA_ROW_CACHE                                                                       \
    SPUR__ROW(INT, spur__data_common, cache, "512", .min = 0, .max = 1 << 20, .unit = "MiB",       \
              .help = "decoded samples are kept in memory up to this; 0: none")

#define SPUR__DATA_ROW_IMBALANCE                                                                   \
    SPUR__ROW(                                                                                     \
        TEXT, spur__data_common, imbalance, "none", .check = spur__check_imbalance,                \
        .help = "thin the training classes: exp:F leaves a long tail down to the share F of the "  \
                "first class, step:F cuts the second half of the classes")

#endif
