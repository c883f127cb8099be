/* SPDX-License-Identifier: MIT
 *
 * The sounds behind validation samples, for data sets that are sounds.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "data/dataset.h"
#include "train/pictures.h"

/* The title of a sound says what it is and what the network took it for. */
static spur_status log_sound(session *s, const spur__sample *sample, const shot *one, size_t i,
                             int64_t epoch) {
    char tag[64], title[160], text[256];
    const char *truth = s->info->class_names[one->truth[0]];
    const char *answer = s->info->class_names[one->predicted[0]];
    bool right = one->truth[0] == one->predicted[0];
    double percent = 100 * (double)one->confidence;
    snprintf(tag, sizeof tag, "audio/sample_%zu", i);
    if (right)
        snprintf(title, sizeof title, "%s (%.0f %%)", truth, percent);
    else
        snprintf(title, sizeof title, "%s, taken for %s (%.0f %%)", truth, answer, percent);
    snprintf(text, sizeof text, "truth **%s**, answer **%s** (%.1f %%)", truth, answer, percent);
    spur_log_clips clips = {.samples = sample->audio.data,
                            .type = SPUR_LOG_F32,
                            .count = 1,
                            .frames = (size_t)sample->audio.width,
                            .channels = 1,
                            .sample_rate = sample->audio_rate};
    spur_log_audio_options options = {.log = {.display_name = title, .description = text}};
    return spur_log_audio(s->run_log.writers[RUN_LOG_VALIDATION], tag, epoch, &clips, &options);
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
