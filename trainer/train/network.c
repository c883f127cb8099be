/* SPDX-License-Identifier: MIT
 *
 * Building the configured network and feeding batches to it; see network.h.
 */
#include "train/network.h"

#include <string.h>

#include <spur/weights.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/fmath.h"
#include "config/settings.h"
#include "graph/graph.h"

int network_threads(const config *cfg) {
    int64_t threads = config_common(cfg, SECTION_RUN, run_settings)->threads;
    return threads < 0 ? spur__cpu_count() : (int)threads;
}

network_shape network_shape_of(const spur_data_info *info) {
    return (network_shape){.task = info->task,
                           .height = info->height,
                           .width = info->width,
                           .channels = info->channels,
                           .classes = (int)info->classes,
                           .targets = (int)info->targets,
                           .ignore_index = info->ignore_index};
}

static const char *const task_names[] = {"one class per sample", "one class per pixel",
                                         "numbers per sample"};

static spur_status check_fit(const network *n, const config *cfg, spur_error *err) {
    const network_shape *s = &n->shape;
    bool values = n->loss_kind->task == SPUR__LOSS_VALUES;
    if (n->model->per_pixel != (s->task == SPUR_SEGMENTATION))
        return config_fail(cfg, SECTION_MODEL, "name", SPUR_E_SHAPE, err,
                           "'%s' answers for each %s, but the data have %s", n->model->kind.name,
                           n->model->per_pixel ? "pixel" : "sample", task_names[s->task]);
    if (values != (s->task == SPUR_REGRESSION))
        return config_fail(cfg, SECTION_LOSS, "name", SPUR_E_SHAPE, err,
                           "'%s' compares %s, but the data have %s", n->loss_kind->kind.name,
                           values ? "numbers" : "classes", task_names[s->task]);
    if (n->loss_kind->task == SPUR__LOSS_BINARY && s->classes > 2 && !s->soft && !s->inference)
        return config_fail(cfg, SECTION_LOSS, "name", SPUR_E_SHAPE, err,
                           "'%s' is for two classes, the data have %d", n->loss_kind->kind.name,
                           s->classes);
    if (n->model->input_rank == 4 && s->height * s->width == 1 && s->channels > 4)
        return config_fail(cfg, SECTION_MODEL, "name", SPUR_E_SHAPE, err,
                           "'%s' wants pictures, but the data are tables; `mlp` takes them",
                           n->model->kind.name);
    if (s->soft && n->loss_kind->task == SPUR__LOSS_CLASSES &&
        strcmp(n->loss_kind->kind.name, "focal") == 0)
        return config_fail(cfg, SECTION_LOSS, "name", SPUR_E_UNSUPPORTED, err,
                           "'focal' cannot take the soft targets of mixup and cutmix");
    if (!n->loss_kind->check) return SPUR_OK;
    spur_error detail = {.status = SPUR_OK};
    spur_status status = n->loss_kind->check(cfg->parts[SECTION_LOSS].options, s->classes, &detail);
    if (status == SPUR_OK) return SPUR_OK;
    return config_fail(cfg, SECTION_LOSS, "name", status, err, "%s", detail.message);
}

static spur_node *make_target(network *n) {
    const network_shape *s = &n->shape;
    int64_t batch = s->batch;
    if (s->task == SPUR_SEGMENTATION)
        return spur_input(n->net, "target", SPUR_INT32, 3, (int64_t[]){batch, s->height, s->width});
    if (s->task == SPUR_REGRESSION || s->soft)
        return spur_input(n->net, "target", SPUR_FLOAT32, 2, (int64_t[]){batch, n->outputs});
    return spur_input(n->net, "target", SPUR_INT32, 1, (int64_t[]){batch});
}

/* The node that the layer called like the model's head reads. */
static spur_node *find_features(const network *n) {
    size_t length = strlen(n->model->head);
    for (spur_node *node = n->output; node; node = node->input_count ? node->inputs[0] : NULL) {
        bool named = strncmp(node->name, n->model->head, length) == 0 &&
                     (node->name[length] == '\0' || node->name[length] == '.');
        if (named && node->param_count > 0) return node->inputs[0];
    }
    return NULL;
}

static spur_status construct(network *n, const config *cfg, spur_error *err) {
    const network_shape *s = &n->shape;
    int64_t dims[] = {s->batch, s->height, s->width, s->channels};
    n->input = spur_input(n->net, "input", SPUR_FLOAT32, 4, dims);
    n->output = spur__model_build(n->model, n->net, n->input, n->outputs,
                                  cfg->parts[SECTION_MODEL].options, err);
    if (!n->output) {
        if (err && err->status == SPUR_OK) return spur_net_build(n->net, NULL, err);
        return err ? err->status : SPUR_E_SHAPE;
    }
    n->features = find_features(n);
    if (n->features) spur_keep(n->net, n->features);
    spur_keep(n->net, n->output);
    if (s->inference) return SPUR_OK;
    spur__loss_context context = {.class_weights = s->class_weights,
                                  .classes = s->classes,
                                  .ignore = s->ignore_index >= 0,
                                  .ignore_index = s->ignore_index};
    n->target = make_target(n);
    n->loss = n->loss_kind->build(n->net, n->output, n->target, cfg->parts[SECTION_LOSS].options,
                                  &context);
    return SPUR_OK;
}

/* Parameters named in `freeze` are not trained. */
static spur_status freeze(network *n, const config *cfg, spur_error *err) {
    char *list = config_common(cfg, SECTION_MODEL, model_settings)->freeze;
    char prefix[256];
    while (*list) {
        size_t length = strcspn(list, ",");
        if (length >= sizeof prefix) length = sizeof prefix - 1;
        memcpy(prefix, list, length);
        prefix[length] = '\0';
        list += strcspn(list, ",");
        list += *list == ',';
        const char *name = spur__trim(prefix);
        int found = 0;
        for (int i = 0; *name && i < spur_net_param_count(n->net); i++) {
            spur_param *param = spur_net_param(n->net, i);
            if (strncmp(param->name, name, strlen(name)) != 0) continue;
            param->trainable = false;
            found++;
        }
        if (*name && !found)
            return config_fail(cfg, SECTION_MODEL, "freeze", SPUR_E_NOTFOUND, err,
                               "no parameter begins with '%s' (`spur summary` lists them)", name);
    }
    return SPUR_OK;
}

spur_status network_build(network *n, const config *cfg, const network_shape *shape,
                          spur_error *err) {
    const run_settings *run = config_common(cfg, SECTION_RUN, run_settings);
    *n = (network){.shape = *shape};
    n->model = (const spur__model_kind *)cfg->parts[SECTION_MODEL].kind;
    n->loss_kind = (const spur__loss_kind *)cfg->parts[SECTION_LOSS].kind;
    SPUR__TRY(check_fit(n, cfg, err));
    n->outputs = shape->task == SPUR_REGRESSION ? shape->targets
                                                : spur__loss_outputs(n->loss_kind, shape->classes);
    n->net = spur_net_create(&(spur_net_options){.seed = (uint64_t)run->seed,
                                                 .threads = network_threads(cfg),
                                                 .conv = (spur_conv_algorithm)run->conv,
                                                 .gemm = (spur_gemm_provider)run->gemm,
                                                 .inference = shape->inference});
    if (!n->net) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = construct(n, cfg, err);
    if (status == SPUR_OK) status = freeze(n, cfg, err);
    if (status == SPUR_OK) status = spur_net_build(n->net, n->loss, err);
    if (status != SPUR_OK) network_free(n);
    return status;
}

static spur_status load(network *n, const config *cfg, const char *key, const char *path,
                        const spur_weights_load_options *how, terminal *term, spur_error *err) {
    spur_weights_load_report report;
    spur_error detail = {.status = SPUR_OK};
    spur_status status = spur_weights_load(n->net, path, how, &report, &detail);
    if (status != SPUR_OK)
        return config_fail(cfg, SECTION_MODEL, key, status, err, "%s", detail.message);
    if (report.text[0]) terminal_say(term, "%s: %s", path, report.text);
    return SPUR_OK;
}

spur_status network_load_weights(network *n, const config *cfg, terminal *term, spur_error *err) {
    const model_settings *model = config_common(cfg, SECTION_MODEL, model_settings);
    const spur_weights_load_options all = {.head = n->model->head, .ignored = n->model->ignored};
    const spur_weights_load_options encoder = {.head = n->model->encoder_head,
                                               .below = n->model->encoder};
    if (*model->encoder_weights && !n->model->encoder)
        return config_fail(
            cfg, SECTION_MODEL, "encoder_weights", SPUR_E_ARGUMENT, err,
            "'%s' has no encoder that a file could be for; `weights` is for all of it",
            n->model->kind.name);
    if (*model->encoder_weights && *model->weights)
        return config_fail(cfg, SECTION_MODEL, "encoder_weights", SPUR_E_ARGUMENT, err,
                           "`weights` holds the encoder's already; expected one of the two");
    if (*model->weights) SPUR__TRY(load(n, cfg, "weights", model->weights, &all, term, err));
    if (!*model->encoder_weights) return SPUR_OK;
    return load(n, cfg, "encoder_weights", model->encoder_weights, &encoder, term, err);
}

void network_free(network *n) {
    if (n->net) spur_net_destroy(n->net);
    *n = (network){.net = NULL};
}

size_t network_rows(const network *n) {
    return n->shape.task == SPUR_SEGMENTATION ? (size_t)n->shape.height * (size_t)n->shape.width
                                              : 1;
}

const float *network_output(const network *n) {
    return spur_node_data(n->output);
}

void class_probabilities(const float *logits, int outputs, size_t classes, float *out) {
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

/* Labels or shares of classes as the float target of a soft loss. */
static void feed_soft(network *n, const spur_batch *batch) {
    float *out = spur_node_data(n->target);
    int classes = n->shape.classes;
    for (size_t i = 0; i < batch->count; i++) {
        for (int k = 0; k < n->outputs; k++) {
            int class = n->outputs == 1 ? 1 : k;
            out[i * (size_t)n->outputs + (size_t)k] =
                batch->targets ? batch->targets[i * (size_t)classes + (size_t) class]
                               : (float)(batch->labels[i] == class);
        }
    }
}

spur_status network_feed(network *n, const spur_batch *batch, spur_error *err) {
    const network_shape *s = &n->shape;
    if (batch->height != s->height || batch->width != s->width || batch->channels != s->channels)
        return spur__fail(err, SPUR_E_SHAPE, "a batch of %dx%dx%d for a network of %dx%dx%d",
                          batch->height, batch->width, batch->channels, s->height, s->width,
                          s->channels);
    SPUR__TRY(spur_net_set_batch(n->net, (int)batch->count));
    size_t pixels = (size_t)s->height * (size_t)s->width;
    memcpy(spur_node_data(n->input), batch->input,
           batch->count * pixels * (size_t)s->channels * sizeof(float));
    if (!n->target) return SPUR_OK;
    if (s->soft)
        feed_soft(n, batch);
    else if (s->task == SPUR_REGRESSION)
        memcpy(spur_node_data(n->target), batch->targets,
               batch->count * (size_t)s->targets * sizeof(float));
    else
        memcpy(spur_node_data_int(n->target), batch->labels,
               batch->count * network_rows(n) * sizeof(int32_t));
    return SPUR_OK;
}
