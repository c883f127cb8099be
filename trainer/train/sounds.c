/* SPDX-License-Identifier: MIT
 *
 * The sounds behind validation samples, for data sets that are sounds.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "data/dataset.h"
#include "train/pictures.h"

static spur_status log_sound(session *s, const spur__sample *sample, const shot *one, size_t i,
                             int64_t epoch) {
    char tag[64], text[256];
    snprintf(tag, sizeof tag, "audio/sample_%zu", i);
    snprintf(text, sizeof text, "truth: **%s**", s->info->class_names[one->truth[0]]);
    spur_log_clips clips = {.samples = sample->audio.data,
                            .type = SPUR_LOG_F32,
                            .count = 1,
                            .frames = (size_t)sample->audio.width,
                            .channels = 1,
                            .sample_rate = sample->audio_rate};
    spur_writer *log = s->journal.writers[JOURNAL_VALIDATION];
    spur_status status = spur_log_audio(log, tag, epoch, &clips,
                                        &(spur_log_audio_options){.log = {.description = text}});
    if (status != SPUR_OK) return status;
    snprintf(tag, sizeof tag, "audio_answer/sample_%zu", i);
    snprintf(text, sizeof text, "truth **%s**, answer **%s** (%.1f %%)",
             s->info->class_names[one->truth[0]], s->info->class_names[one->predicted[0]],
             100 * one->confidence);
    return spur_log_text(log, tag, epoch, text, NULL);
}

spur_status log_sounds(session *s, const shot *shots, size_t count, int64_t epoch,
                       spur_error *err) {
    spur__sample sample;
    memset(&sample, 0, sizeof sample);
    spur_status status = SPUR_OK;
    if (s->info->task != SPUR_CLASSIFICATION) return SPUR_OK;
    for (size_t i = 0; status == SPUR_OK && i < count && i < (size_t)s->log->audio; i++) {
        uint32_t item = spur__data_item(s->data, s->val_split, shots[i].sample);
        status = s->data->kind->read(s->data, item, &sample, err);
        if (status != SPUR_OK || sample.audio_rate == 0) break;
        status = log_sound(s, &sample, &shots[i], i, epoch);
        if (status != SPUR_OK) spur__fail(err, status, "audio: %s", spur_strstatus(status));
    }
    spur__sample_free(&sample);
    return status;
}
