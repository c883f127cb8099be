/* SPDX-License-Identifier: MIT
 *
 * From what the network sees to what people see: bytes, masks, overlays, captions.
 */
#ifndef SPUR_TRAINER_TRAIN_PICTURES_H
#define SPUR_TRAINER_TRAIN_PICTURES_H

#include "plot/charts.h"
#include "train/gallery.h"

/* Undoes the normalization: out is [h][w][3], whatever the channels. */
void picture_bytes(const spur_data_info *info, const float *input, uint8_t *out);

/* Logs a finished picture (consumed in any case) as one PNG. */
spur_status log_png(spur_writer *log, const char *tag, int64_t step, spur__str *png,
                    spur_status drawn, spur_error *err);

/* Samples that make one picture. */
typedef struct shot_sheet {
    const char *tag, *title;
    const shot *shots;
    size_t count;
} shot_sheet;

/* Samples with answers (or, for masks, input, truth, answer and where they differ). */
spur_status log_shots(session *s, spur_writer *log, const shot_sheet *sheet, int64_t epoch,
                      spur_error *err);

/* The sounds behind shots, for data sets that have them. */
spur_status log_sounds(session *s, const shot *shots, size_t count, int64_t epoch, spur_error *err);

#endif
