/* SPDX-License-Identifier: MIT
 *
 * Running a network over the tiles of a picture; see sliding_window.h.
 */
#include "train/sliding_window.h"

#include "base/error.h"

void sliding_window_free(sliding_window *s) {
    spur__workspace_free(&s->space);
    spur__image_free(&s->part);
    spur__pixels_free(&s->shares);
    spur__pixels_free(&s->enlarged);
    spur__blend_free(&s->blend);
    *s = (sliding_window){.net = NULL};
}

/* Probabilities of the part that was run last, [height][width][classes], at the network's size. */
static spur_status read_shares(sliding_window *s, spur_error *err) {
    const spur_data_info *info = s->info;
    size_t classes = info->classes, pixels = network_rows(s->net);
    const float *logits = network_output(s->net);
    SPUR__TRY(spur__pixels_shape(&s->shares, info->height, info->width, (int)classes, err));
    for (size_t i = 0; i < pixels; i++)
        class_probabilities(logits + i * (size_t)s->net->outputs, s->net->outputs, classes,
                            s->shares.data + i * classes);
    return SPUR_OK;
}

static spur_status run_tile(sliding_window *s, const spur__image *image, int index,
                            spur_error *err) {
    const spur_data_info *info = s->info;
    spur__box whole = {0, 0, s->tile_height, s->tile_width};
    SPUR__TRY(spur__image_cut(image, spur__tiling_box(&s->blend.tiling, index), 0, &s->part, err));
    SPUR__TRY(
        spur__image_prepare(info, &s->part, whole, &s->space, spur_node_data(s->net->input), err));
    SPUR__TRY(spur_net_set_batch(s->net->net, 1));
    SPUR__TRY(spur_net_forward(s->net->net, SPUR_EVAL, err));
    SPUR__TRY(read_shares(s, err));
    const float *shares = s->shares.data;
    if (info->height != s->tile_height || info->width != s->tile_width) {
        SPUR__TRY(spur__resize_pixels(&s->space.resizer, &s->shares,
                                      (spur__box){0, 0, info->height, info->width}, s->tile_height,
                                      s->tile_width, &s->enlarged, err));
        shares = s->enlarged.data;
    }
    spur__blend_add(&s->blend, index, shares);
    return SPUR_OK;
}

spur_status sliding_window_run(sliding_window *s, const spur__image *image, spur_error *err) {
    spur__tiling tiling =
        spur__tiling_make(image->height, image->width, s->tile_height, s->tile_width, s->overlap);
    SPUR__TRY(spur__blend_begin(&s->blend, &tiling, (int)s->info->classes, err));
    for (int i = 0; i < spur__tiling_count(&tiling); i++) SPUR__TRY(run_tile(s, image, i, err));
    spur__blend_finish(&s->blend);
    return SPUR_OK;
}
