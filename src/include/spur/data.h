/* SPDX-License-Identifier: MIT
 *
 * Data for training: a named format is opened once (spur_data), and a loader's threads make
 * batches of it.
 *
 *     spur_data *data;
 *     spur_loader *train;
 *     spur_batch batch;
 *     const char *const options[] = {"path", "camvid", "size", "180x240", NULL};
 *     if (spur_data_open(&data, "segmentation", options, &err)) ...
 *     if (spur_loader_create(&train, data, SPUR_SPLIT_TRAIN, &(spur_loader_options){.seed = 1}, &err)) ...
 *     while (spur_loader_next(train, &batch, &err) == SPUR_OK)
 *         step(batch.input, batch.labels, batch.count);
 *
 * Formats are listed by `spur help data`, the options of one by `spur help data segmentation`. Everything is a pure function of
 * (options, seed, epoch, position): batches are the same for any number of workers.
 */
#ifndef SPUR_DATA_H
#define SPUR_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spur/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spur_data spur_data;
typedef struct spur_loader spur_loader;

typedef enum spur_split {
    SPUR_SPLIT_TRAIN,
    SPUR_SPLIT_VALIDATION,
    SPUR_SPLIT_TEST,
    SPUR_SPLIT_COUNT
} spur_split;

typedef enum spur_task {
    SPUR_CLASSIFICATION, /* one class per sample */
    SPUR_SEGMENTATION, /* one class per pixel */
    SPUR_REGRESSION /* numbers per sample */
} spur_task;

/* What a format turned out to hold. Pointers live as long as the data. */
typedef struct spur_data_info {
    spur_task task;
    int height, width, channels; /* of the network's input; 1 x 1 x features for tables */
    size_t classes; /* 0 for a regression */
    size_t targets; /* numbers per sample of a regression, else 0 */
    int ignore_index; /* label that no loss counts; -1: none */
    size_t samples[SPUR_SPLIT_COUNT];
    const char *const *class_names; /* [classes] */
    const char *const
        *feature_names; /* [channels] of a table whose columns have names; else NULL */
    const float *mean, *std; /* [channels] the normalization in use: (x - mean) / std */
    const uint64_t *class_counts; /* [classes] of the training split; pixels for masks */
} spur_data_info;

/* Opens the format called `format`. `options` are name, value, name, value, ..., NULL (or NULL for
 * the defaults), spelt as in the [data] section of an INI file. Everything is checked and, unless
 * verify says otherwise, decoded once. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_data_open(spur_data **out, const char *format,
                                                     const char *const *options, spur_error *err);
SPUR_API void spur_data_close(spur_data *data);
SPUR_API const spur_data_info *spur_data_describe(const spur_data *data);

/* Zero in a member means the default. */
typedef struct spur_loader_options {
    size_t batch_size; /* default: the data's batch_size option */
    int workers; /* threads; default: the data's workers option; -1: none, work is done in _next */
    uint64_t seed; /* of shuffling and augmentation */
    const char *sampler; /* "sequential", "shuffle" (default for SPUR_SPLIT_TRAIN), "weighted" */
    const char *const *augment; /* name, value, ..., NULL as in the [augment] section */
    bool drop_last; /* leave out a last batch that is not full */
} spur_loader_options;

/* One batch. Pointers are valid until the next call for this loader. */
typedef struct spur_batch {
    size_t count; /* samples in it: batch_size, or fewer in the last batch of an epoch */
    uint32_t epoch;
    size_t index; /* of the batch in its epoch */
    int height, width, channels;
    const float *input; /* [count][height][width][channels], normalised */
    const int32_t *labels; /* [count], or [count][height][width] for masks; NULL for a regression */
    const float *targets; /* [count][targets] of a regression; [count][classes] soft targets under
                             mixup and cutmix; else NULL */
    const uint32_t *samples; /* [count] position of each sample in the split */
} spur_batch;

/* The data must outlive the loader. */
SPUR_API SPUR_WARN_UNUSED spur_status spur_loader_create(spur_loader **out, const spur_data *data,
                                                         spur_split split,
                                                         const spur_loader_options *options,
                                                         spur_error *err);
/* Fine at any moment, also in the middle of an epoch. */
SPUR_API void spur_loader_destroy(spur_loader *loader);

/* The next batch; E_END once after the last batch of every epoch, then the next epoch begins. An
 * unreadable file is an error that names it, at the same batch for any number of workers. */
SPUR_API spur_status spur_loader_next(spur_loader *loader, spur_batch *batch, spur_error *err);

/* Batches of one epoch. */
SPUR_API size_t spur_loader_batches(const spur_loader *loader);

/* The position of the next batch; seeking there later, in another process too, continues exactly.
 * `batch` may equal the number of batches: then E_END is what comes next. */
SPUR_API void spur_loader_tell(const spur_loader *loader, uint32_t *epoch, size_t *batch);
SPUR_API spur_status spur_loader_seek(spur_loader *loader, uint32_t epoch, size_t batch,
                                      spur_error *err);

#ifdef __cplusplus
}
#endif

#endif
