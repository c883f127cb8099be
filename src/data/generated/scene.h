/* SPDX-License-Identifier: MIT
 *
 * Aerial scenes, drawn: ground, fields, roads, cars, pools, trees and buildings with their shadows,
 * under one sun. Lengths are in pixels of the finished picture (about 0.4 m of ground each); the
 * canvas is twice as fine, which smooths edges.
 */
#ifndef SPUR_DATA_GENERATED_SCENE_H
#define SPUR_DATA_GENERATED_SCENE_H

#include "data/generated/raster.h"

enum { SPUR__SCENE_FINE = 2, SPUR__SCENE_BUILDINGS = 256, SPUR__SCENE_TREES = 1024 };

/* A turned rectangle: centre, unit vector of its long axis, half lengths along and across it. */
typedef struct spur__rect {
    float x, y, ux, uy, a, b;
} spur__rect;

typedef enum spur__roof { SPUR__ROOF_FLAT, SPUR__ROOF_GABLE, SPUR__ROOF_HIP } spur__roof;

/* A building of one or two wings under one kind of roof. */
typedef struct spur__building {
    spur__rect wings[2];
    int wing_count;
    spur__roof roof;
    spur__rgb colour;
    float height; /* length of its shadow */
} spur__building;

typedef struct spur__tree {
    float x, y, radius;
    spur__rgb colour;
} spur__tree;

typedef struct spur__scene {
    const spur__noise *noise;
    spur__rng rng;
    float height, width; /* in units */
    int rows, columns; /* of the canvas */
    spur__rgb *colour; /* [rows][columns] */
    float *light; /* [rows][columns] 1 in the sun, less in the shade */
    uint8_t *roof; /* [rows][columns] 1 where a roof is seen */
    float ax, ay; /* direction of the streets */
    float sx, sy; /* direction in which shadows fall */
    float nx, ny; /* where in the noise this scene lies */
    spur__building buildings[SPUR__SCENE_BUILDINGS];
    spur__tree trees[SPUR__SCENE_TREES];
    int building_count, tree_count;
} spur__scene;

/* Memory that spur__scene_render needs for a picture of this size. */
size_t spur__scene_memory(int height, int width);

/* Draws scene number `index` on an image [height][width][3]; mask [height][width][1]: 1 = roof. */
void spur__scene_render(void *memory, const spur__noise *noise, uint64_t seed, uint32_t index,
                        spur__image *image, spur__image *mask);

/* ---- paint.c --------------------------------------------------------------------------------- */

float spur__scene_uniform(spur__scene *scene, float low, float high);

/* Coordinates of (x, y) along and across a rectangle. */
static inline void spur__rect_local(const spur__rect *r, float x, float y, float *u, float *v) {
    float dx = x - r->x, dy = y - r->y;
    *u = dx * r->ux + dy * r->uy;
    *v = dy * r->ux - dx * r->uy;
}

void spur__paint_ground(spur__scene *scene, spur__rgb lush, spur__rgb dry);
/* A patch with a soft edge and some texture; `rows` > 0: crop rows so far apart. */
void spur__paint_patch(spur__scene *scene, spur__rect rect, spur__rgb colour, float texture,
                       float rows);
void spur__paint_road(spur__scene *scene, spur__rect rect, bool marked);
void spur__paint_car(spur__scene *scene, float x, float y, bool across);
void spur__paint_pool(spur__scene *scene, float x, float y);
void spur__paint_shadows(spur__scene *scene);
void spur__paint_building(spur__scene *scene, const spur__building *building);
void spur__paint_tree(spur__scene *scene, const spur__tree *tree);

#endif
