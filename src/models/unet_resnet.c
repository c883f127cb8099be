/* SPDX-License-Identifier: MIT
 *
 * unet_resnet18, unet_resnet34, unet_resnet50: a U-Net whose way down is a residual net, which may start
 * from weights of a classifier. Names, order of channels and sizes are those of Unet in the Python
 * package segmentation_models_pytorch: encoder.conv1, .., decoder.blocks.0.conv1.0, ..,
 * segmentation_head.0. Its initial values, too: He's uniform distribution on the way up, Glorot's for
 * the head.
 */
#include <stddef.h>

#include "models/blocks.h"
#include "models/model.h"
#include "models/resnet.h"

typedef struct options {
    int64_t decoder_filters;
} options;

static const spur__option rows[] = {
    SPUR__ROW(
        INT, options, decoder_filters, "256", .min = 16, .max = 4096,
        .help =
            "channels of the first of five blocks on the way up; they halve from block to block"),
};
static const spur__options table = SPUR__OPTIONS(rows, options);

/* "<name>.0", "<name>.1" and a ReLU. */
static spur_node *conv(spur_net *net, spur_node *x, const char *name, int filters) {
    spur_push_scope(net, name);
    x = spur_conv2d(net, x, "0", filters,
                    &(spur_conv2d_options){
                        .padding = {1, 1, 1, 1}, .no_bias = true, .init = SPUR_INIT_HE_UNIFORM});
    x = spur_relu(net, spur_batch_norm(net, x, "1", NULL));
    spur_pop_scope(net);
    return x;
}

/* One level up: as large as `like`, joined with the skip (NULL: none), two convolutions. */
static spur_node *climb(spur_net *net, spur_node *x, const spur_node *like, spur_node *skip,
                        int filters) {
    const int64_t *shape = spur_node_shape(like);
    x = spur_upsample2d(net, x, (int)shape[1], (int)shape[2], SPUR_NEAREST);
    if (skip) x = spur_concat(net, (spur_node *[]){x, skip}, 2, -1);
    return conv(net, conv(net, x, "conv1", filters), "conv2", filters);
}

static spur_node *build(spur_net *net, spur_node *x, int classes, const options *o,
                        const spur__resnet *encoder) {
    spur_node *levels[SPUR__RESNET_LEVELS];
    spur_push_scope(net, "encoder");
    spur__resnet_levels(net, x, encoder, levels);
    spur_pop_scope(net);
    if (!levels[SPUR__RESNET_LEVELS - 1]) return NULL;
    spur_node *y = levels[SPUR__RESNET_LEVELS - 1];
    spur_push_scope(net, "decoder");
    spur_push_scope(net, "blocks");
    for (int i = 0; i < SPUR__RESNET_LEVELS; i++) {
        spur_node *skip = i + 1 < SPUR__RESNET_LEVELS ? levels[SPUR__RESNET_LEVELS - 2 - i] : NULL;
        spur__push_number(net, i);
        y = climb(net, y, skip ? skip : x, skip, (int)o->decoder_filters >> i);
        spur_pop_scope(net);
    }
    spur_pop_scope(net);
    spur_pop_scope(net);
    spur_push_scope(net, "segmentation_head");
    y = spur_conv2d(
        net, y, "0", classes,
        &(spur_conv2d_options){.padding = {1, 1, 1, 1}, .init = SPUR_INIT_XAVIER_UNIFORM});
    spur_pop_scope(net);
    return y;
}

#define UNET(layers_)                                                                              \
    static spur_node *build##layers_(spur_net *net, spur_node *x, int classes, const void *o) {    \
        return build(net, x, classes, o, &spur__resnet_##layers_);                                 \
    }                                                                                              \
    const spur__model_kind spur__model_unet_resnet##layers_ = {                                    \
        .kind = {"unet_resnet" #layers_, "U-Net with resnet" #layers_ " as encoder", &table},      \
        .head = "segmentation_head.0",                                                             \
        .encoder = "encoder",                                                                      \
        .encoder_head = "fc",                                                                      \
        .per_pixel = true,                                                                         \
        .input_rank = 4,                                                                           \
        .build = build##layers_,                                                                   \
    }

UNET(18);
UNET(34);
UNET(50);
