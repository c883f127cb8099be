/* SPDX-License-Identifier: MIT
 *
 * Running a trained network on pictures: resized to its size, or window by window over the whole
 * picture. Windows overlap and are blended with weights that fall linearly towards their edges, so
 * that no seams show.
 */
#include <spur/weights.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/fmath.h"
#include "base/memory.h"
#include "engine_commands/predict.h"

static spur_status load_weights(predictor *p, const char *run, const char *which, spur_error *err) {
    char relative[128];
    snprintf(relative, sizeof relative, "checkpoints/%s/weights.safetensors", which);
    char *path = spur__path_join(run, relative);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur_weights_load(p->net.net, path, NULL, NULL, err);
    spur__free(path);
    return status;
}

static spur_status load_config(predictor *p, const char *run, spur_error *err) {
    char *path = spur__path_join(run, "config.ini");
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = config_load(&p->cfg, path, NULL, 0, err);
    spur__free(path);
    return status;
}

spur_status predictor_open(predictor *p, const char *run, const char *which, spur_error *err) {
    *p = (predictor){.overlap = 0};
    SPUR__TRY(load_config(p, run, err));
    spur_status status = card_read(&p->card, run, err);
    if (status == SPUR_OK) {
        network_shape shape = network_shape_of(&p->card.info);
        shape.batch = 1;
        shape.inference = true;
        status = network_build(&p->net, &p->cfg, &shape, err);
    }
    if (status == SPUR_OK) status = load_weights(p, run, which, err);
    if (status != SPUR_OK) predictor_close(p);
    return status;
}

void predictor_close(predictor *p) {
    network_free(&p->net);
    card_free(&p->card);
    config_free(&p->cfg);
    spur__resizer_free(&p->resizer);
    spur__pixels_free(&p->pixels);
    spur__free(p->votes);
    *p = (predictor){.overlap = 0};
}

/* Fills the network's input from a part of the picture and runs it. */
static spur_status run_box(predictor *p, const spur__image *image, spur__box box, spur_error *err) {
    const spur_data_info *info = &p->card.info;
    size_t count = (size_t)info->height * (size_t)info->width, channels = (size_t)info->channels;
    SPUR__TRY(
        spur__resize_image(&p->resizer, image, box, info->height, info->width, &p->pixels, err));
    float *input = spur_node_data(p->net.input);
    for (size_t i = 0; i < count * channels; i++) {
        size_t c = i % channels;
        float mean = info->mean ? info->mean[c] : 0, std = info->std ? info->std[c] : 1;
        input[i] = (p->pixels.data[i] - mean) / std;
    }
    SPUR__TRY(spur_net_set_batch(p->net.net, 1));
    return spur_net_forward(p->net.net, SPUR_EVAL, err);
}

/* Logits of one decision as probabilities of all classes. */
static void probabilities(const float *logits, int outputs, size_t classes, float *out) {
    if (outputs == 1) {
        out[1] = 1.0f / (1.0f + spur__expf(-logits[0]));
        out[0] = 1 - out[1];
        return;
    }
    float largest = logits[0], sum = 0;
    for (size_t k = 1; k < classes; k++) largest = logits[k] > largest ? logits[k] : largest;
    for (size_t k = 0; k < classes; k++) sum += out[k] = spur__expf(logits[k] - largest);
    for (size_t k = 0; k < classes; k++) out[k] /= sum;
}

spur_status predict_classes(predictor *p, spur__image *image, float *out, spur_error *err) {
    const spur_data_info *info = &p->card.info;
    SPUR__TRY(spur__image_convert(image, info->channels, err));
    SPUR__TRY(run_box(p, image, (spur__box){0, 0, image->height, image->width}, err));
    if (info->task == SPUR_REGRESSION)
        memcpy(out, network_output(&p->net), info->targets * sizeof *out);
    else
        probabilities(network_output(&p->net), p->net.outputs, info->classes, out);
    return SPUR_OK;
}

static uint8_t argmax(const float *values, size_t n) {
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (values[k] > values[best]) best = k;
    return (uint8_t)best;
}

/* The whole picture at the network's size; the mask is enlarged again. */
static spur_status predict_resized(predictor *p, const spur__image *image, spur__image *out,
                                   spur_error *err) {
    const spur_data_info *info = &p->card.info;
    spur__image small = {.data = NULL};
    float shares[256];
    SPUR__TRY(run_box(p, image, (spur__box){0, 0, image->height, image->width}, err));
    spur_status status = spur__image_shape(&small, info->height, info->width, 1, err);
    const float *logits = network_output(&p->net);
    for (size_t i = 0; status == SPUR_OK && i < network_rows(&p->net); i++) {
        probabilities(logits + i * (size_t)p->net.outputs, p->net.outputs, info->classes, shares);
        small.data[i] = argmax(shares, info->classes);
    }
    if (status == SPUR_OK)
        status = spur__resize_nearest(&small, (spur__box){0, 0, small.height, small.width},
                                      image->height, image->width, out, err);
    spur__image_free(&small);
    return status;
}

/* Weight of pixel i of a window of n: rises from the edge over the overlap. */
static float ramp(int i, int n, int overlap) {
    int edge = i < n - 1 - i ? i : n - 1 - i;
    return edge >= overlap ? 1.0f : (float)(edge + 1) / (float)(overlap + 1);
}

/* Adds a window's probabilities at (top, left) to the votes. */
static void vote(predictor *p, int top, int left, int image_width, int rows, int columns) {
    const spur_data_info *info = &p->card.info;
    const float *logits = network_output(&p->net);
    float shares[256];
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            size_t from = (size_t)y * (size_t)info->width + (size_t)x;
            size_t to = (size_t)(top + y) * (size_t)image_width + (size_t)(left + x);
            float w = ramp(y, info->height, p->overlap) * ramp(x, info->width, p->overlap);
            probabilities(logits + from * (size_t)p->net.outputs, p->net.outputs, info->classes,
                          shares);
            for (size_t k = 0; k < info->classes; k++)
                p->votes[to * info->classes + k] += w * shares[k];
        }
    }
}

static spur_status clear_votes(predictor *p, const spur__image *image, spur_error *err) {
    size_t pixels = (size_t)image->height * (size_t)image->width, count;
    if (!spur__mul(pixels, p->card.info.classes, &count))
        return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    if (count > p->votes_capacity) {
        float *votes = spur__realloc_array(p->votes, count, sizeof *votes);
        if (!votes) return spur__fail(err, SPUR_E_MEMORY, "out of memory for the whole picture");
        p->votes = votes;
        p->votes_capacity = count;
    }
    memset(p->votes, 0, count * sizeof *p->votes);
    return SPUR_OK;
}

/* Start of window i so that the last one ends at the picture's end. */
static int window_start(int i, int stride, int size, int window) {
    int start = i * stride;
    return start + window > size ? (size > window ? size - window : 0) : start;
}

static int window_count(int size, int window, int stride) {
    return size <= window ? 1 : (size - window + stride - 1) / stride + 1;
}

static spur_status predict_sliding(predictor *p, const spur__image *image, spur__image *out,
                                   spur_error *err) {
    const spur_data_info *info = &p->card.info;
    int h = info->height, w = info->width, step_y = h - p->overlap, step_x = w - p->overlap;
    SPUR__TRY(clear_votes(p, image, err));
    for (int i = 0; i < window_count(image->height, h, step_y); i++) {
        for (int j = 0; j < window_count(image->width, w, step_x); j++) {
            int top = window_start(i, step_y, image->height, h);
            int left = window_start(j, step_x, image->width, w);
            SPUR__TRY(run_box(p, image, (spur__box){top, left, h, w}, err));
            vote(p, top, left, image->width, h, w);
        }
    }
    SPUR__TRY(spur__image_shape(out, image->height, image->width, 1, err));
    size_t pixels = (size_t)image->height * (size_t)image->width;
    for (size_t i = 0; i < pixels; i++)
        out->data[i] = argmax(p->votes + i * info->classes, info->classes);
    return SPUR_OK;
}

spur_status predict_mask(predictor *p, spur__image *image, spur__image *out, spur_error *err) {
    const spur_data_info *info = &p->card.info;
    if (info->classes > 256)
        return spur__fail(err, SPUR_E_RANGE, "%zu classes do not fit into a mask's 8 bits",
                          info->classes);
    SPUR__TRY(spur__image_convert(image, info->channels, err));
    bool fits = image->height >= info->height && image->width >= info->width;
    return p->slide && fits ? predict_sliding(p, image, out, err)
                            : predict_resized(p, image, out, err);
}
