/* SPDX-License-Identifier: MIT
 *
 * A graph, meshes and point clouds, and points for the projector.
 */
#include <stdio.h>

#include "cases.h"

static const spur_log_node nodes[] = {
    {.name = "input",
     .op = "Placeholder",
     .outputs = &(spur_log_shape){(int64_t[]){-1, 28, 28, 1}, 4},
     .output_count = 1},
    {.name = "encoder/conv1/weight",
     .op = "Variable",
     .outputs = &(spur_log_shape){(int64_t[]){3, 3, 1, 16}, 4},
     .output_count = 1},
    {.name = "encoder/conv1/conv",
     .op = "Conv2D",
     .inputs = (const char *[]){"input", "encoder/conv1/weight"},
     .input_count = 2,
     .outputs = &(spur_log_shape){(int64_t[]){-1, 26, 26, 16}, 4},
     .output_count = 1,
     .attrs =
         (spur_log_attr[]){
             {.name = "activation", .kind = SPUR_LOG_ATTR_TEXT, .text = "relu"},
             {.name = "filters", .kind = SPUR_LOG_ATTR_INT, .integer = 16},
             {.name = "scale", .kind = SPUR_LOG_ATTR_FLOAT, .real = 0.5},
             {.name = "bias", .kind = SPUR_LOG_ATTR_BOOL, .integer = 1},
             {.name = "stride", .kind = SPUR_LOG_ATTR_INTS, .list = {(int64_t[]){1, 1}, 2}},
             {.name = "T", .kind = SPUR_LOG_ATTR_TYPE, .type = SPUR_LOG_F32}},
     .attr_count = 6,
     .device = "/device:CPU:0"},
    {.name = "encoder/pool",
     .op = "MaxPool",
     .inputs = (const char *[]){"encoder/conv1/conv"},
     .input_count = 1,
     .outputs = &(spur_log_shape){(int64_t[]){-1, 13, 13, 16}, 4},
     .output_count = 1},
    {.name = "split",
     .op = "Split",
     .inputs = (const char *[]){"encoder/pool"},
     .input_count = 1,
     .outputs = (spur_log_shape[]){{(int64_t[]){-1, 8}, 2}, {(int64_t[]){-1, 8}, 2}},
     .output_count = 2},
    {.name = "loss",
     .op = "Sub",
     .inputs = (const char *[]){"split", "split:1", "^input"},
     .input_count = 3,
     .outputs = &(spur_log_shape){NULL, 0},
     .output_count = 1}};

void case_graph(const char *root) {
    spur_writer *writer = case_open(root, "graph");
    spur_log_graph_builder *graph = NULL;
    OK(spur_log_graph_create(&graph));
    for (size_t i = sizeof nodes / sizeof nodes[0]; i-- > 0;)
        OK(spur_log_graph_add(graph, &nodes[i]));
    OK(spur_log_graph(writer, graph, AT(0)));
    spur_log_graph_destroy(graph);
    case_close(writer);
}

enum { CORNERS = 8, TRIANGLES = 12, CLOUD = 200 };

static const int32_t cube_faces[2 * TRIANGLES * 3] = {
    0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6,
    0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3, 0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5,
    0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3};

void case_mesh(const char *root) {
    spur_writer *writer = case_open(root, "mesh");
    for (int step = 0; step < 2; step++) {
        float corners[2 * CORNERS * 3];
        unsigned char colors[2 * CORNERS * 3];
        for (int i = 0; i < 2 * CORNERS; i++)
            for (int axis = 0; axis < 3; axis++) {
                int high = (i >> axis) & 1;
                corners[3 * i + axis] =
                    (high ? 1.0f : -1.0f) * (i < CORNERS ? 1.0f : 0.5f) + (float)step / 4;
                colors[3 * i + axis] = (unsigned char)(high ? 255 - 20 * step : 30);
            }
        OK(spur_log_mesh(
            writer, "cube", step,
            &(spur_log_mesh_data){
                .batch = 2,
                .vertices = corners,
                .vertex_count = CORNERS,
                .faces = cube_faces,
                .face_count = TRIANGLES,
                .colors = colors,
                .config_json = "{\"camera\": {\"cls\": \"PerspectiveCamera\", \"fov\": 50}}"},
            &(spur_log_options){.wall_time = CASE_TIME(step), .description = "a *cube*"}));
    }
    float cloud[CLOUD * 3];
    case_random random = {3};
    for (int i = 0; i < CLOUD * 3; i++) cloud[i] = (float)case_next(&random);
    OK(spur_log_mesh(writer, "cloud", 5,
                     &(spur_log_mesh_data){.vertices = cloud, .vertex_count = CLOUD}, AT(5)));
    case_close(writer);
}

enum { ROWS = 50, COLUMNS = 4, SPRITE = 8 };

void case_projector(const char *root) {
    spur_writer *writer = case_open(root, "projector");
    OK(spur_log_scalar_with(writer, "loss", 1, 1.0, AT(1)));
    float values[ROWS * COLUMNS];
    uint8_t pixels[ROWS * SPRITE * SPRITE * 3];
    char names[ROWS][2][32];
    const char *metadata[ROWS * 2];
    case_random random = {11};
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < COLUMNS; j++)
            values[i * COLUMNS + j] = (float)case_next(&random) + (float)(i % 2) * 2;
        for (int j = 0; j < SPRITE * SPRITE * 3; j++)
            pixels[i * SPRITE * SPRITE * 3 + j] = (uint8_t)((i * 5 + j) % 256);
        snprintf(names[i][0], sizeof names[i][0], "point \xc3\xbc%d", i);
        snprintf(names[i][1], sizeof names[i][1], "class%d", i % 2);
        metadata[2 * i] = names[i][0];
        metadata[2 * i + 1] = names[i][1];
    }
    const char *header[] = {"name", "class"};
    spur_log_images sprites = {
        .pixels = pixels, .count = ROWS, .height = SPRITE, .width = SPRITE, .channels = 3};
    OK(spur_log_embedding(
        writer, "points", 3,
        &(spur_log_points){values, ROWS, COLUMNS, metadata, 2, header, &sprites}));
    float zeros[6] = {0};
    OK(spur_log_embedding(writer, "zeros", 0,
                          &(spur_log_points){.values = zeros, .rows = 3, .columns = 2}));
    case_close(writer);
}
