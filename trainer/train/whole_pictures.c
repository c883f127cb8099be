/* SPDX-License-Identifier: MIT
 *
 * Whole pictures, measured; see whole_pictures.h.
 *
 * The loss is the configured one, of a small net that has nothing but the blended answer of one
 * picture as its input, in the form of logits: log p, which softmax turns back into p.
 */
#include "train/whole_pictures.h"

#include <string.h>

#include "base/error.h"
#include "base/fmath.h"
#include "data/dataset.h"
#include "train/sliding_window.h"

/* The loss of a picture of one size. */
typedef struct judge {
    spur_net *net;
    spur_node *logits, *target;
    int height, width;
} judge;

typedef struct pass_over {
    session *s;
    sliding_window window;
    judge judge;
    spur__sample sample;
} pass_over;

bool session_has_tiles(const session *s) {
    return s->data->tile > 0;
}

static spur_status judge_build(judge *j, const session *s, int height, int width, spur_error *err) {
    if (j->net && j->height == height && j->width == width) return SPUR_OK;
    spur_net_destroy(j->net);
    *j = (judge){.height = height, .width = width};
    j->net =
        spur_net_create(&(spur_net_options){.threads = network_threads(s->cfg), .inference = true});
    if (!j->net) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__loss_context context = {.class_weights = s->class_weights,
                                  .classes = (int)s->info->classes,
                                  .ignore = s->info->ignore_index >= 0,
                                  .ignore_index = s->info->ignore_index};
    j->logits = spur_input(j->net, "logits", SPUR_FLOAT32, 4,
                           (int64_t[]){1, height, width, s->net.outputs});
    j->target = spur_input(j->net, "target", SPUR_INT32, 3, (int64_t[]){1, height, width});
    spur_node *loss = s->net.loss_kind->build(j->net, j->logits, j->target,
                                              s->cfg->parts[SECTION_LOSS].options, &context);
    return spur_net_build(j->net, loss, err);
}

static float safe_log(float p) {
    return spur__logf(p > 1e-30f ? p : 1e-30f);
}

static void fill_judge(const pass_over *p) {
    size_t classes = p->s->info->classes, outputs = (size_t)p->s->net.outputs;
    size_t pixels = (size_t)p->judge.height * (size_t)p->judge.width;
    float *logits = spur_node_data(p->judge.logits);
    int32_t *target = spur_node_data_int(p->judge.target);
    for (size_t i = 0; i < pixels; i++) {
        const float *shares = p->window.blend.sums + i * classes;
        target[i] = p->sample.mask.data[i];
        if (outputs == 1) logits[i] = safe_log(shares[1]) - safe_log(shares[0]);
        for (size_t k = 0; outputs > 1 && k < outputs; k++)
            logits[i * outputs + k] = safe_log(shares[k]);
    }
}

static spur_status measure_picture(pass_over *p, uint32_t item, spur_error *err) {
    session *s = p->s;
    SPUR__TRY(s->data->kind->read_whole(s->data, item, &p->sample, err));
    int height = p->sample.image.height, width = p->sample.image.width;
    SPUR__TRY(sliding_window_run(&p->window, &p->sample.image, err));
    SPUR__TRY(judge_build(&p->judge, s, height, width, err));
    fill_judge(p);
    SPUR__TRY(spur_net_forward(p->judge.net, SPUR_EVAL, err));
    s->val_pass.loss_sum += (double)spur_net_loss(p->judge.net);
    s->val_pass.samples++;
    return spur_tally_add(s->val_pass.tally, spur_node_data(p->judge.logits),
                          (size_t)height * (size_t)width, s->net.outputs,
                          spur_node_data_int(p->judge.target), err);
}

/* The tiles of a picture follow each other; the first one stands for it. */
static spur_status measure_all(pass_over *p, spur_error *err) {
    const spur_data *data = p->s->data;
    size_t count = p->s->info->samples[p->s->val_split];
    for (size_t i = 0; i < count; i++) {
        uint32_t item = spur__data_item(data, p->s->val_split, i);
        uint32_t before = i ? spur__data_item(data, p->s->val_split, i - 1) : 0;
        if (i && data->items[before].group == data->items[item].group) continue;
        SPUR__TRY(measure_picture(p, item, err));
    }
    return SPUR_OK;
}

/* The session's network answers for one tile at a time; its own loss, of no use here, needs some
 * label. */
static void clear_target(session *s) {
    memset(spur_node_data_int(s->net.target), 0, network_rows(&s->net) * sizeof(int32_t));
}

spur_status session_measure_whole(session *s, pass_result *result, spur_error *err) {
    pass_over p = {.s = s};
    pass_reset(&s->val_pass);
    clear_target(s);
    p.window = (sliding_window){.net = &s->net,
                                .info = s->info,
                                .tile_height = s->data->tile,
                                .tile_width = s->data->tile,
                                .overlap = s->data->overlap};
    spur_status status = measure_all(&p, err);
    if (status == SPUR_OK) *result = pass_finish(&s->val_pass, &s->measures);
    sliding_window_free(&p.window);
    spur_net_destroy(p.judge.net);
    spur__sample_free(&p.sample);
    return status;
}
