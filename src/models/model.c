/* SPDX-License-Identifier: MIT
 *
 * Models by name, and the pieces that several of them are made of.
 */
#include "models/model.h"

#include "base/error.h"
#include "graph/graph.h"
#include "nn/kind.h"

spur_node *spur__model_activation(spur_net *net, spur_node *x, int64_t choice) {
    static const spur_activation_kind kinds[] = {SPUR_RELU, SPUR_LEAKY_RELU, SPUR_ELU,
                                                 SPUR_SILU, SPUR_GELU,       SPUR_TANH};
    return choice == 0 ? spur_relu(net, x) : spur_activation(net, x, kinds[choice], 0);
}

static int groups_of(int64_t channels) {
    int groups = 8;
    while (channels % groups) groups--;
    return groups;
}

spur_node *spur__model_norm(spur_net *net, spur_node *x, const char *name, int64_t choice) {
    if (!x || choice == SPUR__NORM_NONE) return x;
    if (choice == SPUR__NORM_BATCH) return spur_batch_norm(net, x, name, NULL);
    return spur_group_norm(net, x, name,
                           &(spur_norm_options){.groups = groups_of(spur__channels(x))});
}

spur_node *spur__model_build(const spur__model_kind *kind, spur_net *net, spur_node *input,
                             int classes, const void *options, spur_error *err) {
    char text[128];
    spur_error stuck = {0};
    if (net) spur__net_error(net, &stuck);
    if (stuck.status != SPUR_OK) { /* why there may be no input */
        if (err) *err = stuck;
        return NULL;
    }
    if (!net || !input) {
        spur__fail(err, SPUR_E_ARGUMENT, "model %s: no net or no input", kind->kind.name);
        return NULL;
    }
    if (classes < 1) {
        spur__fail(err, SPUR_E_RANGE, "model %s: found %d classes, expected 1 or more",
                   kind->kind.name, classes);
        return NULL;
    }
    if (kind->input_rank && spur_node_rank(input) != kind->input_rank) {
        spur__fail(err, SPUR_E_SHAPE, "model %s: found input %s, expected images [n][h][w][c]",
                   kind->kind.name, spur__shape_text(input, text, sizeof text));
        return NULL;
    }
    spur_node *logits = kind->build(net, input, classes, options);
    if (!logits) {
        spur__net_error(net, err);
        spur__error_prefix(err, "model %s", kind->kind.name);
    }
    return logits;
}

spur_node *spur_model(spur_net *net, const char *name, spur_node *input, int classes,
                      const char *options, spur_error *err) {
    spur_error own = {0};
    spur_node *logits = NULL;
    const spur__kind *kind = spur__family_find(&spur__model_family, name, &own);
    void *parsed;
    if (kind && spur__kind_options_create(kind, "model", options, &parsed, &own) == SPUR_OK) {
        logits = spur__model_build((const spur__model_kind *)(const void *)kind, net, input,
                                   classes, parsed, &own);
        spur__kind_options_free(kind, parsed);
    }
    if (logits) return logits;
    if (err) *err = own;
    return spur__net_fail(net, &own); /* the build must not pass without the model */
}

const char *spur_model_head(const char *name) {
    const spur__kind *kind = spur__family_find(&spur__model_family, name, NULL);
    return kind ? ((const spur__model_kind *)(const void *)kind)->head : NULL;
}
