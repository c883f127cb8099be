/* SPDX-License-Identifier: MIT
 *
 * Nets of every kind of operation, each as an ONNX model with what goes in and comes out, for
 * test_onnx.py: DIR/<case>/model.onnx, values.txt (a line per value: its role, name, type and sizes),
 * and the values in ONNX's layouts, 0.bin, 1.bin, .. in that order.
 *
 * usage: onnx_cases DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <spur/models.h>
#include <spur/weights.h>

enum { BATCH = 3, MOST = 24 };

typedef struct model {
    spur_net *net;
    spur_node *inputs[4], *outputs[MOST];
    int64_t flat[MOST][3]; /* of outputs that are flattened images: h, w, c */
    int input_count, output_count;
} model;

/* ---- making nets ----------------------------------------------------------------------------- */

static spur_node *input(model *m, const char *name, spur_dtype type, int rank, int64_t a, int64_t b,
                        int64_t c) {
    spur_node *x = spur_input(m->net, name, type, rank, (int64_t[]){BATCH, a, b, c});
    return m->inputs[m->input_count++] = x;
}

static spur_node *image(model *m, int64_t h, int64_t w, int64_t c) {
    return input(m, "image", SPUR_FLOAT32, 4, h, w, c);
}

static spur_node *output(model *m, spur_node *node) {
    spur_keep(m->net, node);
    return m->outputs[m->output_count++] = node;
}

static void output_flat(model *m, spur_node *node, int64_t h, int64_t w, int64_t c) {
    memcpy(m->flat[m->output_count], (int64_t[]){h, w, c}, sizeof m->flat[0]);
    output(m, node);
}

static void activations(model *m) {
    spur_node *x = image(m, 5, 6, 4);
    for (spur_activation_kind kind = SPUR_RELU; kind <= SPUR_TANH; kind++)
        output(m, spur_activation(m->net, x, kind, 0));
    output(m, spur_activation(m->net, x, SPUR_LEAKY_RELU, 0.3));
    output(m, spur_activation(m->net, x, SPUR_ELU, 0.5));
    output(m, spur_softmax(m->net, x));
    output(m, spur_log_softmax(m->net, x));
    output(m, spur_scale(m->net, x, -1.5));
    output(m, spur_dropout(m->net, x, 0.5));
    output(m, spur_dropout2d(m->net, x, 0.5));
    output(m, spur_stochastic_depth(m->net, x, 0.5));
}

static void sliding_pools(model *m) {
    static const spur_pool2d_options options[] = {
        {.kernel = {2}},
        {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}},
        {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0, 0, 1}},
        {.kernel = {3}, .stride = {2}, .ceil_mode = true},
        {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}, .ceil_mode = true},
        {.kernel = {3}, .stride = {3}, .padding = {1, 1, 1, 1}, .exclude_padding = true},
        {.kernel = {4},
         .stride = {3},
         .padding = {1, 2, 0, 1},
         .ceil_mode = true,
         .exclude_padding = true},
    };
    spur_node *x = image(m, 12, 15, 3);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        output(m, spur_max_pool2d(m->net, x, &options[i]));
        output(m, spur_avg_pool2d(m->net, x, &options[i]));
    }
}

static void adaptive_pools(model *m) {
    spur_node *x = image(m, 12, 15, 3);
    output(m, spur_adaptive_avg_pool2d(m->net, x, 4, 5));
    output(m, spur_adaptive_max_pool2d(m->net, x, 6, 3));
    output(m, spur_adaptive_avg_pool2d(m->net, x, 5, 7));
    output(m, spur_adaptive_max_pool2d(m->net, x, 7, 4));
    output(m, spur_adaptive_avg_pool2d(m->net, x, 13, 40));
    output(m, spur_adaptive_max_pool2d(m->net, x, 1, 1));
    output(m, spur_global_avg_pool2d(m->net, x));
    output(m, spur_global_max_pool2d(m->net, x));
}

static void convolutions(model *m) {
    static const spur_conv2d_options options[] = {
        {.kernel = {3}, .padding = {1, 1, 1, 1}},
        {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0, 2, 1}, .no_bias = true},
        {.kernel = {3}, .dilation = {2, 1}, .same_padding = true},
        {.kernel = {4}, .stride = {2}, .same_padding = true, .groups = 2},
        {.kernel = {3}, .groups = 4, .padding = {0, 2, 1, 0}},
        {.kernel = {1}},
    };
    spur_node *x = image(m, 11, 13, 4);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        output(m, spur_conv2d(m->net, x, NULL, 8, &options[i]));
    output(m, spur_relu(m->net, spur_conv2d(m->net, x, "once", 4, &options[0])));
    output(m, spur_reuse(m->net, spur_conv2d(m->net, x, "shared", 4, &options[0]), x));
}

static void transposed(model *m) {
    static const spur_conv2d_options options[] = {
        {.kernel = {2}, .stride = {2}},
        {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}, .output_padding = {1, 1}},
        {.kernel = {4, 3}, .stride = {3, 2}, .padding = {1, 0, 0, 1}, .output_padding = {2, 0}},
        {.kernel = {3}, .stride = {2}, .same_padding = true},
        {.kernel = {3}, .dilation = {2}, .groups = 2, .no_bias = true},
        {.kernel = {3}, .dilation = {3, 2}, .output_padding = {2, 1}},
        {.kernel = {2, 3},
         .stride = {2, 1},
         .dilation = {4, 3},
         .padding = {1, 1, 1, 1},
         .output_padding = {3, 2}},
        {.kernel = {1, 2}, .stride = {3}, .same_padding = true},
    };
    spur_node *x = image(m, 5, 6, 4);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        output(m, spur_conv_transpose2d(m->net, x, NULL, 6, &options[i]));
}

static void norms_of(model *m, spur_node *x) {
    static const spur_norm_options options[] = {{.groups = 2},
                                                {.groups = 2, .eps = 0.1, .no_affine = true}};
    for (int i = 0; i < 2; i++) {
        output(m, spur_batch_norm(m->net, x, NULL, &options[i]));
        output(m, spur_group_norm(m->net, x, NULL, &options[i]));
        output(m, spur_layer_norm(m->net, x, NULL, &options[i]));
    }
}

static void norms(model *m) {
    norms_of(m, image(m, 5, 6, 4));
    norms_of(m, input(m, "rows", SPUR_FLOAT32, 2, 6, 0, 0));
    norms_of(m, input(m, "series", SPUR_FLOAT32, 3, 7, 6, 0));
}

/* Behind a flatten, whose order differs. */
static void flattened(model *m) {
    spur_node *x = image(m, 3, 4, 2), *flat = spur_flatten(m->net, x);
    spur_node *other = spur_linear(m->net, flat, "wide", 24, NULL);
    output_flat(m, spur_activation(m->net, flat, SPUR_TANH, 0), 3, 4, 2);
    output_flat(m, spur_batch_norm(m->net, flat, NULL, NULL), 3, 4, 2);
    output_flat(m, spur_layer_norm(m->net, flat, NULL, NULL), 3, 4, 2);
    output_flat(m, spur_group_norm(m->net, flat, NULL, &(spur_norm_options){.groups = 4}), 3, 4, 2);
    output_flat(m, spur_softmax(m->net, spur_flatten(m->net, flat)), 3, 4, 2);
    output(m, spur_linear(m->net, spur_relu(m->net, flat), NULL, 5, NULL));
    output(m, spur_add(m->net, flat, other));
    output(m, spur_linear(m->net, spur_multiply(m->net, other, flat), NULL, 5, NULL));
    output(m, spur_linear(m->net, spur_add(m->net, flat, spur_relu(m->net, flat)), NULL, 5, NULL));
    output(m, spur_concat(m->net, (spur_node *[]){flat, other, flat}, 3, 1));
    output(m, spur_reshape(m->net, flat, 4, (int64_t[]){-1, 2, 3, 4}));
    output(m, spur_reshape(m->net, flat, 3, (int64_t[]){-1, 8, 3}));
    output(m, spur_flatten(m->net, spur_reshape(m->net, x, 3, (int64_t[]){-1, 6, 4})));
}

static void shapes(model *m) {
    spur_node *x = image(m, 4, 6, 3), *y = spur_relu(m->net, x);
    spur_node *gate =
        spur_reshape(m->net, spur_global_avg_pool2d(m->net, x), 4, (int64_t[]){-1, 1, 1, 3});
    for (int axis = 1; axis < 4; axis++)
        output(m, spur_concat(m->net, (spur_node *[]){x, y, x}, 3, axis));
    output(m, spur_add(m->net, x, y));
    output(m, spur_multiply(m->net, x, gate));
    output(m, spur_crop2d(m->net, x, (int[]){1, 0, 2, 3}));
    output(m, spur_pad2d(m->net, x, (int[]){1, 0, 2, 3}, 0.5));
    output(m, spur_upsample2d(m->net, x, 8, 12, SPUR_NEAREST));
    output(m, spur_upsample2d(m->net, x, 7, 15, SPUR_NEAREST));
    output(m, spur_upsample2d(m->net, spur_upsample2d(m->net, x, 14, 12, SPUR_BILINEAR), 8, 27,
                              SPUR_NEAREST));
    output(m, spur_upsample2d(m->net, x, 8, 12, SPUR_BILINEAR));
    output(m, spur_upsample2d(m->net, x, 3, 17, SPUR_BILINEAR));
    output(m, spur_upsample2d(m->net, x, 1, 1, SPUR_BILINEAR));
    spur_node *pixels = spur_linear(m->net, x, NULL, 4, NULL);
    output(m, spur_upsample2d(m->net, pixels, 8, 12, SPUR_NEAREST));
    output(m, spur_upsample2d(m->net, pixels, 5, 13, SPUR_BILINEAR));
    spur_node *wider = spur_pad2d(m->net, pixels, (int[]){1, 0, 2, 3}, 0.5);
    output(m, spur_linear(m->net, wider, NULL, 2, NULL));
    output(m, spur_reshape(m->net, x, 3, (int64_t[]){-1, 24, 3}));
    output(m, spur_reshape(m->net, x, 4, (int64_t[]){-1, 6, 2, 6}));
    output(m, spur_linear(m->net, x, NULL, 5, NULL));
    output(m, spur_softmax(m->net, spur_global_max_pool2d(m->net, x)));
}

static void series(model *m) {
    spur_node *words = input(m, "words", SPUR_INT32, 2, 7, 0, 0);
    spur_node *grid = input(m, "grid", SPUR_INT32, 3, 2, 5, 0);
    spur_node *x = spur_embedding(m->net, words, "table", 10, 6);
    output(m, x);
    output(m, spur_embedding(m->net, grid, NULL, 10, 4));
    output(m, spur_linear(m->net, x, NULL, 5, &(spur_linear_options){.no_bias = true}));
    output(m, spur_softmax(m->net, spur_linear(m->net, x, NULL, 5, NULL)));
    output(m, spur_flatten(m->net, x));
}

static const struct recipe {
    const char *name;
    void (*make)(model *m);
    const char *model, *options; /* instead of make */
    int64_t h, w, c;
} recipes[] = {
    {"activations", .make = activations},
    {"sliding_pools", .make = sliding_pools},
    {"adaptive_pools", .make = adaptive_pools},
    {"convolutions", .make = convolutions},
    {"transposed", .make = transposed},
    {"norms", .make = norms},
    {"flattened", .make = flattened},
    {"shapes", .make = shapes},
    {"series", .make = series},
    {"mlp", NULL, "mlp", "layers=2 width=32 activation=tanh", 4, 5, 3},
    {"my_net", NULL, "my_net", "", 24, 24, 3},
    {"cnn", NULL, "cnn", "filters=6,8 convs=2 activation=silu", 14, 12, 3},
    {"cnn_flatten", NULL, "cnn",
     "filters=6,8 norm=none activation=gelu pool=avg join=flatten hidden=10", 12, 12, 3},
    {"unet", NULL, "unet", "depth=2 base_filters=4", 22, 30, 3},
    {"unet_bilinear", NULL, "unet", "depth=2 base_filters=8 norm=group up=bilinear", 20, 24, 1},
    {"unet_odd", NULL, "unet", "depth=2 base_filters=4 norm=none activation=elu", 9, 15, 3},
    {"resnet18", NULL, "resnet18", "", 64, 64, 3},
    {"mobilenet", NULL, "mobilenet_v3_small", "", 64, 64, 3},
    {"efficientnet", NULL, "efficientnet_b0", "", 64, 64, 3},
    {"unet_resnet", NULL, "unet_resnet18", "decoder_filters=64", 45, 62, 3},
    {"deeplabv3", NULL, "deeplabv3_resnet50", "output_stride=16", 33, 50, 3},
    {"resnet18_small", NULL, "resnet18", "stem=small", 32, 32, 3},
};

/* ---- values ---------------------------------------------------------------------------------- */

static uint32_t next_random(void) {
    static uint32_t state = 12345;
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

/* From low to high. */
static float number(float low, float high) {
    return low + (high - low) * (float)next_random() / 16777216.0f;
}

static void fill_params(spur_net *net) {
    for (int i = 0; i < spur_net_param_count(net); i++) {
        spur_param *p = spur_net_param(net, i);
        float *values = calloc(p->count, sizeof *values);
        if (!values) exit(1);
        bool positive =
            strstr(p->name, "running_var") || (p->rank == 1 && strstr(p->name, "weight"));
        spur_param_export(p, values);
        for (size_t k = 0; p->rank == 1 && k < p->count; k++)
            values[k] = positive ? number(0.5f, 1.5f) : number(-0.5f, 0.5f);
        spur_param_import(p, values);
        free(values);
    }
}

static size_t count_of(spur_node *node) {
    size_t count = 1;
    for (int i = 0; i < spur_node_rank(node); i++) count *= (size_t)spur_node_shape(node)[i];
    return count;
}

static void fill_inputs(model *m) {
    for (int i = 0; i < m->input_count; i++) {
        spur_node *x = m->inputs[i];
        int32_t *words = spur_node_data_int(x);
        for (size_t k = 0; k < count_of(x); k++)
            if (words)
                words[k] = (int32_t)(next_random() % 10);
            else
                spur_node_data(x)[k] = number(-2, 2);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static FILE *create(const char *dir, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    if (!file) perror(path);
    if (!file) exit(1);
    return file;
}

/* n images of h * w pixels of c values of 4 bytes, as [n][c][h * w]. */
static void write_images(FILE *file, const char *data, size_t n, size_t pixels, size_t c) {
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++)
            for (size_t p = 0; p < pixels; p++)
                fwrite(data + ((i * pixels + p) * c + k) * 4, 4, 1, file);
}

static void write_value(const char *dir, int number, FILE *list, const char *role, spur_node *node,
                        const int64_t flat[3]) {
    const int64_t *s = spur_node_shape(node);
    const int32_t *ints = spur_node_data_int(node);
    const char *data = ints ? (const char *)ints : (const char *)spur_node_data(node);
    int rank = spur_node_rank(node);
    char name[32];
    snprintf(name, sizeof name, "%d.bin", number);
    FILE *file = create(dir, name);
    if (rank == 4)
        write_images(file, data, (size_t)s[0], (size_t)(s[1] * s[2]), (size_t)s[3]);
    else if (flat && flat[0])
        write_images(file, data, (size_t)s[0], (size_t)(flat[0] * flat[1]), (size_t)flat[2]);
    else
        fwrite(data, 4, count_of(node), file);
    if (fclose(file) != 0) exit(1);
    fprintf(list, "%s %s %s %lld", role, spur_node_name(node), ints ? "int32" : "float32",
            (long long)s[0]);
    if (rank == 4)
        fprintf(list, " %lld %lld %lld", (long long)s[3], (long long)s[1], (long long)s[2]);
    for (int i = 1; rank != 4 && i < rank; i++) fprintf(list, " %lld", (long long)s[i]);
    fprintf(list, "\n");
}

static void write_case(model *m, const char *dir) {
    FILE *list = create(dir, "values.txt");
    int number = 0;
    for (int i = 0; i < m->input_count; i++)
        write_value(dir, number++, list, "input", m->inputs[i], NULL);
    for (int i = 0; i < m->output_count; i++)
        write_value(dir, number++, list, "output", m->outputs[i], m->flat[i]);
    if (fclose(list) != 0) exit(1);
}

static spur_status run(const struct recipe *r, const char *dir, spur_error *err) {
    /* Models as `spur onnx` has them, with norms folded. */
    model m = {.net = spur_net_create(&(spur_net_options){.inference = !r->make})};
    char path[4096];
    snprintf(path, sizeof path, "%s/model.onnx", dir);
    if (r->make)
        r->make(&m);
    else
        output(&m, spur_model(m.net, r->model, image(&m, r->h, r->w, r->c), 5, r->options, err));
    spur_status status = spur_net_build(m.net, NULL, err);
    if (status == SPUR_OK) {
        const char *metadata[] = {"classes", "a\nb", "case", r->name, NULL};
        spur_onnx_options options = {
            .name = r->name, .description = "a test", .metadata = metadata};
        fill_params(m.net);
        fill_inputs(&m);
        status = spur_net_forward(m.net, SPUR_EVAL, err);
        if (status == SPUR_OK)
            status = spur_onnx_save(m.net, m.outputs, m.output_count, &options, path, err);
        if (status == SPUR_OK) write_case(&m, dir);
    }
    spur_net_destroy(m.net);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        spur_error err = {0};
        char dir[2048];
        snprintf(dir, sizeof dir, "%s/%s", argv[1], recipes[i].name);
        mkdir(dir, 0777);
        if (run(&recipes[i], dir, &err) == SPUR_OK) continue;
        fprintf(stderr, "%s: %s\n", recipes[i].name, err.message);
        return 1;
    }
    return 0;
}
