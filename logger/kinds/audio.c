/* SPDX-License-Identifier: MIT
 *
 * Audio: DT_STRING of shape [clips, 2], a WAV file (16-bit PCM) and an empty label each.
 */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "kinds/array.h"
#include "base/memory.h"
#include "kinds/tensor.h"
#include "write/writer.h"

enum { OUTPUTS_DEFAULT = 3, WAV_HEAD = 44 };
enum { CHANNELS_MAX = 32767 }; /* the bytes of a frame are a 16-bit number, too */

/* AudioPluginData with encoding = WAV. */
static unsigned char plugin_content[] = {0x10, 0x0b};

/* The caller's clips with defaults filled in. */
typedef struct clips_plan {
    spur_log_clips clips;
    size_t count; /* to write */
    size_t samples; /* per clip, all channels */
    size_t wav_size;
} clips_plan;

static void put_le(unsigned char *p, uint64_t x, int bytes) {
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(x >> (8 * i));
}

/* -1..1 to a 16-bit sample as tf.audio.encode_wav does it: saturating; NaN is silence. */
static int16_t sample_of(double x) {
    if (!(x > -1.0)) return x <= -1.0 ? INT16_MIN : 0;
    long rounded = x < 1.0 ? lround(x * 32768.0) : INT16_MAX;
    return (int16_t)(rounded < INT16_MAX ? rounded : INT16_MAX);
}

static void put_wav_head(unsigned char *p, const spur_log_clips *clips, size_t data_size) {
    uint64_t rate = (uint64_t)llround(clips->sample_rate), channels = (uint64_t)clips->channels;
    memcpy(p, "RIFF....WAVEfmt ", 16);
    put_le(p + 4, WAV_HEAD - 8 + data_size, 4);
    put_le(p + 16, 16, 4);
    put_le(p + 20, 1, 2); /* PCM */
    put_le(p + 22, channels, 2);
    put_le(p + 24, rate, 4);
    put_le(p + 28, rate * channels * 2, 4);
    put_le(p + 32, channels * 2, 2);
    put_le(p + 34, 16, 2);
    memcpy(p + 36, "data", 4);
    put_le(p + 40, data_size, 4);
}

static void put_wav(unsigned char *p, const clips_plan *plan, size_t clip) {
    const spur_log_clips *c = &plan->clips;
    size_t start = clip * plan->samples;
    put_wav_head(p, c, plan->samples * 2);
    p += WAV_HEAD;
    for (size_t i = 0; i < plan->samples; i++) {
        int16_t sample = c->type == SPUR_LOG_I16
                             ? ((const int16_t *)c->samples)[start + i]
                             : sample_of(spur__element(c->samples, c->type, start + i));
        put_le(p + 2 * i, (uint16_t)sample, 2);
    }
}

/* A WAV file's sizes are 32-bit numbers. */
static spur_status plan_sizes(clips_plan *plan, spur_error *err) {
    size_t total;
    bool fits = spur__mul(plan->clips.frames, (size_t)plan->clips.channels, &plan->samples) &&
                plan->samples <= (UINT32_MAX - WAV_HEAD) / 2 &&
                spur__mul(plan->samples * 2 + WAV_HEAD, plan->count, &total);
    if (!fits)
        return spur__fail(err, SPUR_E_RANGE, "%zu frames of %d channels do not fit a WAV file",
                          plan->clips.frames, plan->clips.channels);
    plan->wav_size = plan->samples * 2 + WAV_HEAD;
    return SPUR_OK;
}

static spur_status make_plan(const spur_log_clips *clips, const spur_log_audio_options *options,
                             clips_plan *plan, spur_error *err) {
    int limit = options && options->max_outputs ? options->max_outputs : OUTPUTS_DEFAULT;
    if (!clips) return spur__fail(err, SPUR_E_ARGUMENT, "the clips are NULL");
    spur_log_clips c = *clips;
    if (c.count == 0) c.count = 1;
    if (c.channels == 0) c.channels = 1;
    if (c.type != SPUR_LOG_I16 && c.type != SPUR_LOG_F32 && c.type != SPUR_LOG_F64)
        return spur__fail(err, SPUR_E_TYPE, "audio is I16, F32 or F64, not %s",
                          spur__type_name(c.type));
    if (c.count < 0 || c.channels < 1 || c.channels > CHANNELS_MAX)
        return spur__fail(err, SPUR_E_SHAPE, "%d clips of %d channels", c.count, c.channels);
    if (!(c.sample_rate >= 1.0) || !(c.sample_rate * c.channels * 2 <= 4294967295.0))
        return spur__fail(err, SPUR_E_RANGE, "a sample rate of %g per second", c.sample_rate);
    if (limit < 0) return spur__fail(err, SPUR_E_RANGE, "max_outputs = %d", limit);
    if (c.frames && !c.samples) return spur__fail(err, SPUR_E_ARGUMENT, "the samples are NULL");
    *plan = (clips_plan){.clips = c, .count = (size_t)(c.count < limit ? c.count : limit)};
    return plan_sizes(plan, err);
}

static spur_status write_clips(spur_writer *w, const char *tag, int64_t step,
                               const clips_plan *plan, const unsigned char *wavs,
                               const spur_log_options *options) {
    spur__tensor tensor;
    spur_error err;
    int64_t dims[2] = {(int64_t)plan->count, 2};
    if (spur__tensor_strings(&tensor, plan->count * 2, dims, 2, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    for (size_t i = 0; i < plan->count; i++) {
        spur__tensor_string(&tensor, 2 * i, wavs + i * plan->wav_size, plan->wav_size);
        spur__tensor_string(&tensor, 2 * i + 1, "", 0);
    }
    spur__entry entry = {.kind = SPUR__TAG_AUDIO,
                         .tag = tag,
                         .step = step,
                         .tensor = &tensor.proto,
                         .content = {sizeof plugin_content, plugin_content},
                         .options = options,
                         .parts = plan->count};
    spur_status status = spur__log_entry(w, &entry);
    spur__tensor_free(&tensor);
    return status;
}

spur_status spur_log_audio(spur_writer *w, const char *tag, int64_t step,
                           const spur_log_clips *clips, const spur_log_audio_options *options) {
    spur_error err;
    clips_plan plan;
    if (!spur__alive(w)) return SPUR_OK;
    if (make_plan(clips, options, &plan, &err) != SPUR_OK)
        return spur__point_fail(w, tag, step, &err);
    unsigned char *wavs = spur__malloc_array(plan.count, plan.wav_size);
    if (!wavs) return spur__point_failf(w, tag, step, SPUR_E_MEMORY, "audio: out of memory");
    for (size_t i = 0; i < plan.count; i++) put_wav(wavs + i * plan.wav_size, &plan, i);
    spur_status status = write_clips(w, tag, step, &plan, wavs, options ? &options->log : NULL);
    spur__free(wavs);
    return status;
}
