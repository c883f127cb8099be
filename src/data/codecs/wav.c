/* SPDX-License-Identifier: MIT
 *
 * The WAV reader and the change of rate; see wav.h.
 */
#include "data/codecs/wav.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fmath.h"

enum {
    FORMAT_PCM = 1,
    FORMAT_FLOAT = 3,
    FORMAT_EXTENSIBLE = 0xfffe,
    MOST_CHANNELS = 64,
    MOST_SAMPLES = 1 << 28
};

typedef struct header {
    unsigned format, channels, bits, frame; /* frame: bytes of one sample of all channels */
    uint32_t rate;
    const uint8_t *samples;
    size_t bytes;
} header;

static unsigned u16(const uint8_t *p) {
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static uint32_t u32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static spur_status parse_format(const uint8_t *p, size_t size, const char *name, header *h,
                                spur_error *err) {
    if (size < 16) return spur__fail(err, SPUR_E_FORMAT, "%s: a format chunk cut short", name);
    h->format = u16(p);
    h->channels = u16(p + 2);
    h->rate = u32(p + 4);
    h->frame = u16(p + 12);
    h->bits = u16(p + 14);
    if (h->format == FORMAT_EXTENSIBLE && size >= 26) h->format = u16(p + 24);
    bool whole = h->format == FORMAT_PCM && h->bits >= 8 && h->bits <= 32 && h->bits % 8 == 0;
    bool real = h->format == FORMAT_FLOAT && (h->bits == 32 || h->bits == 64);
    if (!whole && !real)
        return spur__fail(err, SPUR_E_UNSUPPORTED,
                          "%s: WAV format %u with %u bits, expected PCM of 8, 16, 24 or 32 bits or "
                          "floats",
                          name, h->format, h->bits);
    if (h->channels < 1 || h->channels > MOST_CHANNELS || h->rate < 1 || h->rate > 768000)
        return spur__fail(err, SPUR_E_RANGE, "%s: %u channels at %u samples per second", name,
                          h->channels, (unsigned)h->rate);
    if (h->frame && h->frame != h->channels * (h->bits / 8)) /* such as 24 bits in 4 bytes */
        return spur__fail(err, SPUR_E_UNSUPPORTED,
                          "%s: frames of %u bytes, expected %u: %u channel(s) of %u bits", name,
                          h->frame, h->channels * (h->bits / 8), h->channels, h->bits);
    return SPUR_OK;
}

/* Walks over the chunks until the samples are found. */
static spur_status find_samples(const uint8_t *data, size_t size, const char *name, header *h,
                                spur_error *err) {
    if (size < 12 || memcmp(data, "RIFF", 4) != 0 || memcmp(data + 8, "WAVE", 4) != 0)
        return spur__fail(err, SPUR_E_FORMAT, "%s: not a WAV file", name);
    for (size_t at = 12; size - at >= 8;) {
        const uint8_t *chunk = data + at;
        size_t length = u32(chunk + 4), left = size - at - 8;
        bool samples = memcmp(chunk, "data", 4) == 0;
        if (length > left && !(samples && length == UINT32_MAX))
            return spur__fail(err, SPUR_E_FORMAT, "%s: cut short: a chunk of %zu bytes, %zu left",
                              name, length, left);
        if (memcmp(chunk, "fmt ", 4) == 0) SPUR__TRY(parse_format(chunk + 8, length, name, h, err));
        if (samples) {
            if (!h->channels)
                return spur__fail(err, SPUR_E_FORMAT, "%s: samples before the format", name);
            h->samples = chunk + 8;
            h->bytes = length < left ? length : left;
            return SPUR_OK;
        }
        length += length & 1;
        if (length > left) break;
        at += 8 + length;
    }
    return spur__fail(err, SPUR_E_FORMAT, "%s: no samples in it", name);
}

static float value_of(const uint8_t *p, const header *h) {
    if (h->format == FORMAT_FLOAT) {
        double wide;
        if (h->bits == 32) return spur__float_of_bits(u32(p));
        uint64_t bits = (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    }
    switch (h->bits) {
    case 8:
        return ((float)p[0] - 128.0f) / 128.0f;
    case 16:
        return (float)(int16_t)u16(p) / 32768.0f;
    case 24:
        return (float)((int32_t)((uint32_t)p[0] << 8 | (uint32_t)p[1] << 16 |
                                 (uint32_t)p[2] << 24) >>
                       8) /
               8388608.0f;
    default:
        return (float)(int32_t)u32(p) / 2147483648.0f;
    }
}

/* The same, and how many samples of each channel there are. */
static spur_status count_frames(const uint8_t *data, size_t size, const char *name, header *h,
                                size_t *frames, spur_error *err) {
    SPUR__TRY(find_samples(data, size, name, h, err));
    *frames = h->bytes / (h->bits / 8 * h->channels);
    if (*frames > 0 && *frames <= MOST_SAMPLES) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "%s: %zu samples, expected 1 to %d", name, *frames,
                      MOST_SAMPLES);
}

spur_status spur__wav_check(const uint8_t *data, size_t size, const char *name, spur_error *err) {
    header h = {0};
    size_t frames;
    return count_frames(data, size, name, &h, &frames, err);
}

spur_status spur__wav_decode(const uint8_t *data, size_t size, const char *name, spur__pixels *out,
                             int *rate, spur_error *err) {
    header h = {0};
    size_t frames;
    SPUR__TRY(count_frames(data, size, name, &h, &frames, err));
    size_t width = h.bits / 8;
    SPUR__TRY(spur__pixels_shape(out, 1, (int)frames, 1, err));
    *rate = (int)h.rate;
    for (size_t i = 0; i < frames; i++) {
        float sum = 0;
        for (size_t c = 0; c < h.channels; c++)
            sum += value_of(h.samples + (i * h.channels + c) * width, &h);
        float mean = sum / (float)h.channels;
        if (!(mean > -1e6f && mean < 1e6f))
            return spur__fail(err, SPUR_E_NUMERIC, "%s: sample %zu is not a sensible number", name,
                              i);
        out->data[i] = mean;
    }
    return SPUR_OK;
}

/* sin(pi x) / (pi x) under a Hann window that ends at |x| = half. */
static float windowed_sinc(float x, float half) {
    float sine, cosine, turns = fabsf(x) * 0.5f;
    if (fabsf(x) >= half) return 0;
    if (fabsf(x) < 1e-6f) return 1;
    spur__sincos2pif(turns - floorf(turns), &sine, &cosine);
    float sinc = sine / (3.14159265f * fabsf(x));
    spur__sincos2pif(fabsf(x) / (2 * half), &sine, &cosine);
    return sinc * (0.5f + 0.5f * cosine);
}

spur_status spur__wav_resample(const spur__pixels *from, int from_rate, int to_rate, size_t most,
                               spur__pixels *to, spur_error *err) {
    enum { HALF = 16 };
    double step = (double)from_rate / to_rate;
    float cut = step > 1 ? (float)(1 / step) : 1; /* relative to the old rate */
    int64_t count = (int64_t)((double)from->width / step), first = 0;
    int reach = (int)(HALF / cut) + 1;
    if (count < 1 || count > MOST_SAMPLES)
        return spur__fail(err, SPUR_E_RANGE, "%d samples cannot go from %d to %d per second",
                          from->width, from_rate, to_rate);
    if ((size_t)count > most) {
        first = (count - (int64_t)most) / 2;
        count = (int64_t)most;
    }
    SPUR__TRY(spur__pixels_shape(to, 1, (int)count, 1, err));
    for (int64_t i = 0; i < count; i++) {
        double centre = (double)(first + i) * step;
        int64_t middle = (int64_t)centre;
        float sum = 0;
        for (int64_t k = middle - reach; k <= middle + reach; k++) {
            if (k < 0 || k >= from->width) continue;
            sum += from->data[k] * cut * windowed_sinc((float)((double)k - centre) * cut, HALF);
        }
        to->data[i] = sum;
    }
    return SPUR_OK;
}
