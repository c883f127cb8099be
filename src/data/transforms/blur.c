/* SPDX-License-Identifier: MIT
 *
 * gaussian_blur: a separable kernel of odd size, weights exp(-x^2 / (2 sigma^2)) with sum 1, edges
 * mirrored without repeating the border pixel (as torchvision's).
 */
#include "data/transforms/transforms.h"

#include "base/error.h"
#include "base/fmath.h"

enum { BLUR_MAX = 63 };

static void make_kernel(int size, float sigma, float *kernel) {
    float total = 0;
    for (int i = 0; i < size; i++) {
        float x = ((float)i - (float)(size - 1) * 0.5f) / sigma;
        kernel[i] = spur__expf(-0.5f * x * x);
        total += kernel[i];
    }
    for (int i = 0; i < size; i++) kernel[i] /= total;
}

/* Mirrors an index into [0, n). */
static size_t mirror(int i, int n) {
    if (n == 1) return 0;
    int period = 2 * (n - 1);
    i = ((i % period) + period) % period;
    return (size_t)(i < n ? i : period - i);
}

/* to[i] = sum of kernel[t] * from[mirror(i + t - half)] over n elements `step` floats apart. */
static void blur_line(const float *from, float *to, int n, size_t step, const float *kernel,
                      int size) {
    int half = size / 2;
    for (int i = 0; i < n; i++) {
        float sum = 0;
        if (i >= half && i + half < n) {
            const float *p = from + (size_t)(i - half) * step;
            for (int t = 0; t < size; t++) sum += kernel[t] * p[(size_t)t * step];
        } else {
            for (int t = 0; t < size; t++) sum += kernel[t] * from[mirror(i + t - half, n) * step];
        }
        to[(size_t)i * step] = sum;
    }
}

spur_status spur__gaussian_blur(spur__canvas *canvas, int size, float sigma, spur_error *err) {
    float kernel[BLUR_MAX];
    spur__pixels *a = canvas->pixels, *b = canvas->spare;
    size_t channels = (size_t)a->channels, row = (size_t)a->width * channels;
    if (size < 1 || size > BLUR_MAX || size % 2 == 0)
        return spur__fail(err, SPUR_E_RANGE, "gaussian_blur: size %d, expected odd, at most %d",
                          size, BLUR_MAX);
    make_kernel(size, sigma, kernel);
    SPUR__TRY(spur__pixels_shape(b, a->height, a->width, a->channels, err));
    for (int y = 0; y < a->height; y++)
        for (size_t c = 0; c < channels; c++) {
            size_t at = (size_t)y * row + c;
            blur_line(a->data + at, b->data + at, a->width, channels, kernel, size);
        }
    for (size_t x = 0; x < row; x++)
        blur_line(b->data + x, a->data + x, a->height, row, kernel, size);
    return SPUR_OK;
}

bool spur__gaussian_blur_enabled(const spur__augment *augment) {
    return augment->gaussian_blur > 0 && augment->gaussian_blur_p > 0;
}

spur_status spur__gaussian_blur_apply(const spur__augment *augment, spur__canvas *canvas,
                                      spur_error *err) {
    const spur__floats *range = &augment->gaussian_blur_sigma;
    if (!(spur__rng_double(canvas->rng) < augment->gaussian_blur_p)) return SPUR_OK;
    double sigma = spur__rng_uniform(canvas->rng, range->values[0], range->values[1]);
    return spur__gaussian_blur(canvas, (int)augment->gaussian_blur, (float)sigma, err);
}
