/* SPDX-License-Identifier: MIT
 *
 * Log-mel spectrograms; see melspec.h.
 */
#include "data/formats/melspec.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fmath.h"
#include "base/memory.h"

struct spur__melspec {
    spur__melspec_config config;
    size_t size; /* of the FFT */
    float *window; /* [config.window] */
    float *roots; /* [size / 2][2] */
    float *filters; /* [bands][size / 2 + 1] */
};

static double mel_of(double hz) {
    return 1127.0104 * (double)spur__logf(1 + (float)hz / 700);
}

static double hz_of(double mel) {
    return 700 * ((double)spur__expf((float)(mel / 1127.0104)) - 1);
}

/* Triangles between equally spaced points on the mel scale. */
static void make_filters(spur__melspec *m) {
    const spur__melspec_config *c = &m->config;
    size_t bins = m->size / 2 + 1;
    double low = mel_of(c->low), high = mel_of(c->high), step = (high - low) / (c->bands + 1);
    for (int b = 0; b < c->bands; b++) {
        double left = hz_of(low + step * b), centre = hz_of(low + step * (b + 1));
        double right = hz_of(low + step * (b + 2));
        for (size_t k = 0; k < bins; k++) {
            double hz = (double)k * c->rate / (double)m->size;
            double up = (hz - left) / (centre - left), down = (right - hz) / (right - centre);
            double v = up < down ? up : down;
            m->filters[(size_t)b * bins + k] = v > 0 ? (float)v : 0;
        }
    }
}

/* Periodic Hann window, divided by its sum: a full-scale sine reads 0.25 at its peak. */
static void make_window(spur__melspec *m) {
    float total = 0;
    for (int i = 0; i < m->config.window; i++) {
        float sine, cosine;
        spur__sincos2pif((float)i / (float)m->config.window, &sine, &cosine);
        m->window[i] = 0.5f - 0.5f * cosine;
        total += m->window[i];
    }
    for (int i = 0; i < m->config.window; i++) m->window[i] /= total;
}

spur_status spur__melspec_create(spur__melspec **out, const spur__melspec_config *config,
                                 spur_error *err) {
    *out = NULL;
    double high = config->high > 0 ? config->high : config->rate / 2.0;
    if (config->low >= high || high > config->rate / 2.0)
        return spur__fail(err, SPUR_E_RANGE,
                          "data.low, data.high: %g to %g Hz, expected a range within 0 to %g",
                          config->low, high, config->rate / 2.0);
    spur__melspec *m = spur__calloc(1, sizeof *m);
    if (!m) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    m->config = *config;
    m->config.high = high;
    m->size = 2;
    while (m->size < (size_t)config->window) m->size *= 2;
    m->window = spur__malloc_array((size_t)config->window, sizeof *m->window);
    m->roots = spur__malloc_array(m->size, sizeof *m->roots);
    m->filters = spur__malloc_array((size_t)config->bands * (m->size / 2 + 1), sizeof *m->filters);
    if (!m->window || !m->roots || !m->filters) {
        spur__melspec_destroy(m);
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    make_window(m);
    make_filters(m);
    spur__fft_roots(m->roots, m->size);
    *out = m;
    return SPUR_OK;
}

void spur__melspec_destroy(spur__melspec *m) {
    if (!m) return;
    spur__free(m->window);
    spur__free(m->roots);
    spur__free(m->filters);
    spur__free(m);
}

int spur__melspec_frames(const spur__melspec *m, size_t n) {
    return 1 + (int)(n / (size_t)m->config.hop);
}

int spur__melspec_empty(const spur__melspec *m) {
    size_t bins = m->size / 2 + 1;
    int empty = 0;
    for (int b = 0; b < m->config.bands; b++) {
        bool found = false;
        for (size_t k = 0; k < bins && !found; k++) found = m->filters[(size_t)b * bins + k] > 0;
        empty += !found;
    }
    return empty;
}

size_t spur__melspec_scratch(const spur__melspec *m) {
    return 2 * m->size;
}

static float mirrored(const float *sound, size_t n, int64_t i) {
    int64_t period = 2 * ((int64_t)n - 1);
    if (n == 1) return sound[0];
    i = ((i % period) + period) % period;
    return sound[i < (int64_t)n ? i : period - i];
}

/* Power spectrum of the frame centred on sample `centre`: power [size / 2 + 1] overlays `work`. */
static void power_spectrum(const spur__melspec *m, const float *sound, size_t n, int64_t centre,
                           float *work) {
    memset(work, 0, 2 * m->size * sizeof *work);
    for (int i = 0; i < m->config.window; i++)
        work[2 * i] = m->window[i] * mirrored(sound, n, centre + i - m->config.window / 2);
    spur__fft(work, m->roots, m->size);
    for (size_t k = 0; k <= m->size / 2; k++)
        work[k] = work[2 * k] * work[2 * k] + work[2 * k + 1] * work[2 * k + 1];
}

spur_status spur__melspec_run(const spur__melspec *m, const float *sound, size_t n, float *scratch,
                              spur__pixels *out, spur_error *err) {
    int frames = spur__melspec_frames(m, n), bands = m->config.bands;
    size_t bins = m->size / 2 + 1;
    SPUR__TRY(spur__pixels_shape(out, bands, frames, 1, err));
    for (int f = 0; f < frames; f++) {
        power_spectrum(m, sound, n, (int64_t)f * m->config.hop, scratch);
        for (int b = 0; b < bands; b++) {
            const float *filter = m->filters + (size_t)b * bins;
            float sum = 0;
            for (size_t k = 0; k < bins; k++) sum += filter[k] * scratch[k];
            float db = 4.34294482f * spur__logf(sum * 4 + 1e-20f); /* 4: full scale is 0 dB */
            float v = 1 - db / (float)m->config.floor_db;
            size_t row = (size_t)(bands - 1 - b);
            out->data[row * (size_t)frames + (size_t)f] = v < 0 ? 0 : v > 1 ? 1 : v;
        }
    }
    return SPUR_OK;
}
