/* SPDX-License-Identifier: MIT
 *
 * One of everything that libspur-log writes. First the loop of TensorFlow's tutorial on tf.summary,
 * then the other kinds. Look at it with
 *
 *     ./log_everything && tensorboard --logdir=./my_logs
 *
 * usage: log_everything [LOGDIR]
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spur/log.h>

enum { STEPS = 1000, VALUES = 100, SIDE = 32, AUDIO = 12000, FRAMES = 16 };
static const double pi = 3.14159265358979323846;

static double uniform(void) {
    static uint64_t state = 42;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void) {
    double length =
        sqrt(-2.0 * log(1.0 - uniform())); /* C leaves the order within an expression open */
    return length * cos(2.0 * pi * uniform());
}

/* ---- the loop of the tutorial -------------------------------------------------------------- */

static void log_histogram(spur_writer *log, int step) {
    double values[VALUES];
    for (int i = 0; i < VALUES; i++) values[i] = (normal() + 2.0) * step / 100.0;
    spur_log_histogram(log, "my_hist", step, spur_log_doubles(values, VALUES),
                       &(spur_log_histogram_options){.buckets = 50});
}

static void log_images(spur_writer *log, int step) {
    static float pixels[2 * SIDE * SIDE * 3];
    for (size_t i = 0; i < sizeof pixels / sizeof pixels[0]; i++)
        pixels[i] = (float)(uniform() * step / 1000.0);
    spur_log_images images = {.pixels = pixels,
                              .type = SPUR_LOG_F32,
                              .count = 2,
                              .height = SIDE,
                              .width = SIDE,
                              .channels = 3};
    spur_log_image(log, "my_images", step, &images, NULL);
}

static void log_text(spur_writer *log, int step) {
    char first[32], second[32];
    const char *rows[2] = {first, second};
    snprintf(first, sizeof first, "Step: %d", step);
    snprintf(second, sizeof second, "Square: %d", step * step);
    spur_log_text_table(log, "my_text", step, &(spur_log_cells){.cells = rows, .rows = 2}, NULL);
}

static void log_audio(spur_writer *log, int step) {
    static float samples[AUDIO];
    double frequency = 220.0 + 0.66 * step;
    for (int i = 0; i < AUDIO; i++)
        samples[i] = (float)(0.5 * sin(2.0 * pi * frequency * i / 48000));
    spur_log_clips clips = {
        .samples = samples, .type = SPUR_LOG_F32, .frames = AUDIO, .sample_rate = 48000};
    spur_log_audio(log, "my_audio", step, &clips, NULL);
}

static void tutorial(spur_writer *log) {
    for (int step = 1; step <= STEPS; step++) {
        spur_log_scalar(log, "my_scalar", step, sin(step / 10.0));
        log_histogram(log, step);
        log_images(log, step);
        log_text(log, step);
        log_audio(log, step);
    }
}

/* ---- two runs in one chart ----------------------------------------------------------------- */

static void log_curves(spur_writer *log, const char *name, double gap) {
    spur_writer *sub;
    spur_writer_open_sub(&sub, log, name, NULL);
    for (int epoch = 0; epoch < 50; epoch++) {
        double loss = exp(-epoch / 12.0) + gap * epoch / 50.0 + 0.01 * normal();
        spur_log_scalar(sub, "epoch_loss", epoch, loss);
        spur_log_scalar(sub, "epoch_accuracy", epoch, 1.0 - 0.7 * loss);
    }
    spur_writer_close(sub, NULL);
}

/* ---- tables, boxes, animations -------------------------------------------------------------------- */

static void log_table(spur_writer *log) {
    static const char *const cells[] = {"class", "images", "share", "**cat**", "1234",
                                        "61 %",  "*dog*",  "789",   "39 %"};
    spur_log_text_table(log, "table", 0, &(spur_log_cells){.cells = cells, .rows = 3, .columns = 3},
                        NULL);
    spur_log_text(log, "notes", 0, "# Notes\n\nA *Markdown* document with `code` and\n\n- a list\n",
                  NULL);
}

/* Two discs, found by a detector: rectangles with labels on an image. */
static void log_boxes(spur_writer *log) {
    enum { HEIGHT = 64, WIDTH = 96 };
    static uint8_t pixels[HEIGHT][WIDTH];
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            bool moon = hypot(x - 25, y - 38) < 14.0, sun = hypot(x - 68, y - 30) < 18.0;
            pixels[y][x] = moon ? 120 : sun ? 230 : 40;
        }
    const spur_log_box boxes[] = {
        {.left = 11, .top = 24, .right = 40, .bottom = 53, .label = "moon 0.7"},
        {.left = 49,
         .top = 12,
         .right = 88,
         .bottom = 49,
         .label = "sun 0.9",
         .color = {255, 200, 0}}};
    spur_log_images image = {.pixels = pixels, .height = HEIGHT, .width = WIDTH, .channels = 1};
    spur_log_image(log, "boxes", 0, &image,
                   &(spur_log_image_options){.boxes = boxes, .box_count = 2});
}

/* A bright spot that goes round. */
static void log_animation(spur_writer *log) {
    static uint8_t frames[FRAMES][SIDE][SIDE][3];
    for (int f = 0; f < FRAMES; f++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                double cx = 15.5 + 10.0 * cos(2.0 * pi * f / FRAMES);
                double cy = 15.5 + 10.0 * sin(2.0 * pi * f / FRAMES);
                double d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
                frames[f][y][x][0] = (uint8_t)(255.0 * exp(-d / 12.0));
                frames[f][y][x][1] = (uint8_t)(8 * f);
                frames[f][y][x][2] = 96;
            }
    spur_log_images images = {
        .pixels = frames, .count = FRAMES, .height = SIDE, .width = SIDE, .channels = 3};
    spur_log_animation(log, "animation", 0, &images,
                       &(spur_log_animation_options){.frames_per_second = 12});
}

/* ---- hyper-parameters ---------------------------------------------------------------------- */

static void log_hparams(spur_writer *log) {
    const spur_log_hparam hparams[] = {{"lr", spur_log_number(1e-3)},
                                       {"optimizer", spur_log_string("adam")},
                                       {"augment", spur_log_boolean(true)}};
    spur_log_hparams(log, hparams, 3, NULL);
}

/* ---- graph --------------------------------------------------------------------------------- */

static void add_node(spur_log_graph_builder *graph, const char *name, const char *op,
                     const char *input, int64_t features) {
    const int64_t dims[2] = {-1, features};
    const spur_log_shape shape = {dims, 2};
    const spur_log_attr attr = {.name = "features", .kind = SPUR_LOG_ATTR_INT, .integer = features};
    spur_log_graph_add(graph, &(spur_log_node){.name = name,
                                               .op = op,
                                               .inputs = &input,
                                               .input_count = input ? 1 : 0,
                                               .outputs = &shape,
                                               .output_count = 1,
                                               .attrs = &attr,
                                               .attr_count = 1});
}

static void log_graph(spur_writer *log) {
    spur_log_graph_builder *graph;
    if (spur_log_graph_create(&graph) != SPUR_OK) return;
    add_node(graph, "images", "Placeholder", NULL, 784);
    add_node(graph, "hidden/linear", "MatMul", "images", 64);
    add_node(graph, "hidden/relu", "Relu", "hidden/linear", 64);
    add_node(graph, "output/linear", "MatMul", "hidden/relu", 10);
    add_node(graph, "output/softmax", "Softmax", "output/linear", 10);
    spur_log_graph(log, graph, NULL);
    spur_log_graph_destroy(graph);
}

/* ---- custom scalars ------------------------------------------------------------------------ */

static void log_layout(spur_writer *log) {
    static const char *const lines[] = {"epoch_.*"};
    static const spur_log_margin margins[] = {{"band/mean", "band/low", "band/high"}};
    const spur_log_chart charts[] = {
        {.title = "Both curves", .tags = lines, .tag_count = 1},
        {.title = "Mean and spread", .margins = margins, .margin_count = 1}};
    const spur_log_category category = {.title = "Overview", .charts = charts, .chart_count = 2};
    spur_log_layout(log, &category, 1, NULL);
    for (int step = 0; step < 100; step++) {
        double mean = sin(step / 15.0), spread = 0.1 + step / 300.0;
        spur_log_scalar(log, "band/mean", step, mean);
        spur_log_scalar(log, "band/low", step, mean - spread);
        spur_log_scalar(log, "band/high", step, mean + spread);
    }
}

/* ---- precision and recall ------------------------------------------------------------------ */

static void log_pr_curves(spur_writer *log) {
    enum { COUNT = 500 };
    unsigned char labels[COUNT];
    float scores[COUNT];
    for (int step = 0; step < 5; step++) {
        for (int i = 0; i < COUNT; i++) {
            labels[i] = uniform() < 0.4;
            double score = 0.5 + (labels[i] ? 0.06 : -0.06) * (step + 1) + 0.15 * normal();
            scores[i] = (float)fmin(1.0, fmax(0.0, score));
        }
        spur_log_predictions predictions = {.labels = labels, .scores = scores, .count = COUNT};
        spur_log_pr_curve(log, "pr", step, &predictions, NULL);
    }
}

/* ---- a mesh -------------------------------------------------------------------------------- */

/* An octahedron, coloured by the position of its corners. */
static void log_mesh(spur_writer *log) {
    static const float vertices[6][3] = {{1, 0, 0},  {-1, 0, 0}, {0, 1, 0},
                                         {0, -1, 0}, {0, 0, 1},  {0, 0, -1}};
    static const int32_t faces[8][3] = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4},
                                        {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
    static const unsigned char colors[6][3] = {{255, 0, 0},   {0, 255, 255}, {0, 255, 0},
                                               {255, 0, 255}, {0, 0, 255},   {255, 255, 0}};
    spur_log_mesh_data mesh = {.vertices = vertices[0],
                               .vertex_count = 6,
                               .faces = faces[0],
                               .face_count = 8,
                               .colors = colors[0],
                               .config_json =
                                   "{\"camera\": {\"cls\": \"PerspectiveCamera\", \"fov\": 60}}"};
    spur_log_mesh(log, "mesh", 0, &mesh, NULL);
}

/* ---- an embedding -------------------------------------------------------------------------- */

/* Three clouds in eight dimensions, each point with a name, a class and a small picture. */
static void log_embedding(spur_writer *log) {
    enum { POINTS = 150, DIMS = 8, PICTURE = 8 };
    static float values[POINTS][DIMS];
    static uint8_t pictures[POINTS][PICTURE][PICTURE][3];
    static char names[POINTS][32];
    static const char *const classes[] = {"red", "green", "blue"};
    static const char *const header[] = {"name", "class"};
    const char *metadata[POINTS][2];
    for (int i = 0; i < POINTS; i++) {
        int kind = i % 3;
        for (int k = 0; k < DIMS; k++)
            values[i][k] = (float)(normal() + (k % 3 == kind ? 4.0 : 0.0));
        for (int p = 0; p < PICTURE * PICTURE; p++)
            pictures[i][p / PICTURE][p % PICTURE][kind] = (uint8_t)(155 + i % 100);
        snprintf(names[i], sizeof names[i], "point %d", i);
        metadata[i][0] = names[i];
        metadata[i][1] = classes[kind];
    }
    spur_log_images sprites = {
        .pixels = pictures, .count = POINTS, .height = PICTURE, .width = PICTURE, .channels = 3};
    spur_log_points points = {.values = values[0],
                              .rows = POINTS,
                              .columns = DIMS,
                              .metadata = metadata[0],
                              .metadata_columns = 2,
                              .metadata_header = header,
                              .sprites = &sprites};
    spur_log_embedding(log, "clouds", 0, &points);
}

static void on_warning(void *user, const char *message) {
    (void)user;
    fprintf(stderr, "warning: %s\n", message);
}

int main(int argc, char **argv) {
    spur_writer *log;
    spur_error err;
    if (argc > 2 || (argc > 1 && argv[1][0] == '-')) {
        fprintf(stderr, "usage: log_everything [LOGDIR]\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    spur_writer_options options = {.logdir = argc > 1 ? argv[1] : NULL, .on_warning = on_warning};
    if (spur_writer_open(&log, &options, &err) != SPUR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%s\n", spur_writer_directory(log));
    log_hparams(log);
    log_graph(log);
    log_layout(log);
    tutorial(log);
    log_curves(log, "train", 0.0);
    log_curves(log, "validation", 0.2);
    log_table(log);
    log_boxes(log);
    log_animation(log);
    log_pr_curves(log);
    log_mesh(log);
    log_embedding(log);
    spur_log_hparams_end(log, SPUR_LOG_SUCCESS, NULL);
    if (spur_writer_close(log, &err) != SPUR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
