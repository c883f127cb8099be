/* SPDX-License-Identifier: MIT
 *
 * Running a trained network on pictures: resized to its size, or tile by tile over the whole
 * picture (train/sliding_window.h).
 */
#include <spur/weights.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine_commands/predictor.h"

static spur_status load_weights(predictor *p, const char *run, const char *which, spur_error *err) {
    char *path;
    SPUR__TRY(find_weights(run, which, &path, err));
    spur_status status = spur_weights_load(p->net.net, path, NULL, NULL, err);
    spur__free(path);
    return status;
}

static spur_status read_config(predictor *p, const char *run, const overrides *given,
                               spur_error *err) {
    char *path = spur__path_join(run, "config.ini");
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = config_load(&p->cfg, path, given->items, given->count, err);
    spur__free(path);
    return status;
}

spur_status predictor_open(predictor *p, const char *run, const char *which, const overrides *given,
                           spur_error *err) {
    *p = (predictor){.slide = false};
    SPUR__TRY(read_config(p, run, given, err));
    spur_status status = card_read(&p->card, run, err);
    if (status == SPUR_OK && !(p->card.mean && p->card.std))
        status = spur__fail(err, SPUR_E_FORMAT,
                            "%s/data.ini: no 'mean' or no 'std' in [data], expected a number for "
                            "each channel",
                            run);
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
    sliding_window_free(&p->window);
    spur__workspace_free(&p->space);
    *p = (predictor){.slide = false};
}

/* Runs the network on what its input holds. */
static spur_status run_one(predictor *p, spur_error *err) {
    SPUR__TRY(spur_net_set_batch(p->net.net, 1));
    return spur_net_forward(p->net.net, SPUR_EVAL, err);
}

static spur_status run_box(predictor *p, const spur__image *image, spur__box box, spur_error *err) {
    SPUR__TRY(spur__image_prepare(&p->card.info, image, box, &p->space,
                                  spur_node_data(p->net.input), err));
    return run_one(p, err);
}

size_t predictor_outputs(const predictor *p) {
    const spur_data_info *info = &p->card.info;
    return info->task == SPUR_REGRESSION ? info->targets : info->classes;
}

static void take_answer(const predictor *p, float *out) {
    const spur_data_info *info = &p->card.info;
    if (info->task == SPUR_REGRESSION)
        memcpy(out, network_output(&p->net), info->targets * sizeof *out);
    else
        class_probabilities(network_output(&p->net), p->net.outputs, info->classes, out);
}

spur_status predict_classes(predictor *p, spur__image *image, float *out, spur_error *err) {
    SPUR__TRY(spur__image_convert(image, p->card.info.channels, err));
    SPUR__TRY(run_box(p, image, (spur__box){0, 0, image->height, image->width}, err));
    take_answer(p, out);
    return SPUR_OK;
}

spur_status predict_item(predictor *p, const spur_data *data, uint32_t item, float *out,
                         spur_error *err) {
    SPUR__TRY(spur__sample_prepare(data, item, NULL, NULL, &p->space, spur_node_data(p->net.input),
                                   NULL, err));
    SPUR__TRY(run_one(p, err));
    take_answer(p, out);
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
        class_probabilities(logits + i * (size_t)p->net.outputs, p->net.outputs, info->classes,
                            shares);
        small.data[i] = argmax(shares, info->classes);
    }
    if (status == SPUR_OK)
        status = spur__resize_nearest(&small, (spur__box){0, 0, small.height, small.width},
                                      image->height, image->width, out, err);
    spur__image_free(&small);
    return status;
}

static spur_status predict_sliding(predictor *p, const spur__image *image, spur__image *out,
                                   spur_error *err) {
    size_t classes = p->card.info.classes, pixels = (size_t)image->height * (size_t)image->width;
    SPUR__TRY(sliding_window_run(&p->window, image, err));
    SPUR__TRY(spur__image_shape(out, image->height, image->width, 1, err));
    for (size_t i = 0; i < pixels; i++)
        out->data[i] = argmax(p->window.blend.sums + i * classes, classes);
    return SPUR_OK;
}

spur_status predict_mask(predictor *p, spur__image *image, spur__image *out, spur_error *err) {
    const spur_data_info *info = &p->card.info;
    if (info->classes > 256)
        return spur__fail(err, SPUR_E_RANGE, "%zu classes do not fit into a mask's 8 bits",
                          info->classes);
    SPUR__TRY(spur__image_convert(image, info->channels, err));
    bool fits = p->tiles || (image->height >= info->height && image->width >= info->width);
    return p->slide && fits ? predict_sliding(p, image, out, err)
                            : predict_resized(p, image, out, err);
}
