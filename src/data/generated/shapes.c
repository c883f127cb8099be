/* SPDX-License-Identifier: MIT
 *
 * shapes: small pictures of one of eight shapes, any colour, place, size and angle, on a noisy
 * background. Shapes are given by their distance functions, so that edges are smooth.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fmath.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/generated/raster.h"

typedef struct shapes_options {
    spur__data_common common;
    int64_t classes, samples, val_samples, test_samples;
    double noise;
} shapes_options;

#define COUNT(name_, initial_, help_)                                                              \
    SPUR__ROW(INT, shapes_options, name_, initial_, .min = 0, .max = 10000000, .help = help_)

static const spur__option rows[] = {
    SPUR__DATA_ROW_SIZE("32x32", "height and width of the pictures"),
    SPUR__ROW(INT, shapes_options, classes, "8", .min = 2, .max = 8,
              .help = "how many of circle, square, triangle, star, cross, ring, crescent, heart"),
    COUNT(samples, "2000", "training pictures"),
    COUNT(val_samples, "400", "validation pictures"),
    COUNT(test_samples, "400", "test pictures"),
    SPUR__ROW(FLOAT, shapes_options, noise, "0.08", .min = 0, .max = 1,
              .help = "standard deviation of the noise on every pixel"),
    SPUR__DATA_ROW_IMBALANCE,
    SPUR__DATA_ROW_CACHE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, shapes_options);

/* ---- distance functions: negative inside; the shapes fit into a circle of radius 1 ------------ */

static float circle(float x, float y) {
    return sqrtf(x * x + y * y) - 0.9f;
}

static float box(float x, float y, float a, float b) {
    float dx = fabsf(x) - a, dy = fabsf(y) - b;
    float ox = dx > 0 ? dx : 0, oy = dy > 0 ? dy : 0, inner = dx > dy ? dx : dy;
    return sqrtf(ox * ox + oy * oy) + (inner < 0 ? inner : 0);
}

static float square(float x, float y) {
    return box(x, y, 0.72f, 0.72f);
}

/* Intersection of three half-planes. */
static float triangle(float x, float y) {
    float a = -y - 0.5f, b = 0.8660254f * x + 0.5f * y - 0.5f,
          c = -0.8660254f * x + 0.5f * y - 0.5f;
    a = a > b ? a : b;
    return a > c ? a : c;
}

/* Five spikes: the plane folded on two axes of symmetry (Quilez, "2D distance functions"). */
static float star(float x, float y) {
    const float k1x = 0.809016994f, k1y = -0.587785252f, inner = 0.42f;
    x = fabsf(x);
    float d = 2 * (k1x * x + k1y * y);
    if (d > 0) x -= d * k1x, y -= d * k1y;
    d = 2 * (-k1x * x + k1y * y);
    if (d > 0) x += d * k1x, y -= d * k1y;
    x = fabsf(x);
    y -= 1;
    float bx = inner * -k1y, by = inner * k1x - 1, h = (x * bx + y * by) / (bx * bx + by * by);
    h = h < 0 ? 0 : h > 1 ? 1 : h;
    float ex = x - bx * h, ey = y - by * h, side = y * bx - x * by;
    return sqrtf(ex * ex + ey * ey) * (side > 0 ? 1.0f : -1.0f);
}

static float cross(float x, float y) {
    float a = box(x, y, 0.92f, 0.28f), b = box(x, y, 0.28f, 0.92f);
    return a < b ? a : b;
}

static float ring(float x, float y) {
    return fabsf(sqrtf(x * x + y * y) - 0.68f) - 0.2f;
}

static float crescent(float x, float y) {
    float outer = circle(x, y), dx = x - 0.45f, hole = 0.72f - sqrtf(dx * dx + y * y);
    return outer > hole ? outer : hole;
}

static float heart(float x, float y) {
    const float size = 1.55f; /* of a heart that is 1 high and 1 wide */
    x = fabsf(x) / size;
    y = y / size + 0.55f;
    if (x + y > 1)
        return size * (sqrtf((x - 0.25f) * (x - 0.25f) + (y - 0.75f) * (y - 0.75f)) - 0.3536f);
    float a = x * x + (y - 1) * (y - 1), t = x + y > 0 ? 0.5f * (x + y) : 0;
    float b = (x - t) * (x - t) + (y - t) * (y - t);
    return size * sqrtf(a < b ? a : b) * (x > y ? 1.0f : -1.0f);
}

static const struct shape {
    const char *name;
    float (*distance)(float x, float y);
} shapes[] = {
    {"circle", circle}, {"square", square}, {"triangle", triangle}, {"star", star},
    {"cross", cross},   {"ring", ring},     {"crescent", crescent}, {"heart", heart},
};

/* ---- the data set ---------------------------------------------------------------------------- */

static spur_status add_split(spur_data *data, spur_split split, int64_t count, spur_error *err) {
    const shapes_options *o = data->options;
    for (int64_t i = 0; i < count; i++)
        SPUR__TRY(spur__data_add(data, split, (int32_t)(i % o->classes), (uint32_t)data->item_count,
                                 err));
    return SPUR_OK;
}

static spur_status shapes_open(spur_data *data, spur_error *err) {
    const shapes_options *o = data->options;
    const char *names[8];
    for (size_t i = 0; i < 8; i++) names[i] = shapes[i].name;
    data->info.task = SPUR_CLASSIFICATION;
    data->info.height = o->common.size.height ? (int)o->common.size.height : 32;
    data->info.width = o->common.size.width ? (int)o->common.size.width : 32;
    data->info.channels = 3;
    data->state = spur__malloc(sizeof(spur__noise));
    if (!data->state) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__noise_fill(data->state, (uint64_t)o->common.seed, 0.6f);
    SPUR__TRY(spur__data_set_classes(data, (size_t)o->classes, names, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_TRAIN, o->samples, err));
    SPUR__TRY(add_split(data, SPUR_SPLIT_VALIDATION, o->val_samples, err));
    return add_split(data, SPUR_SPLIT_TEST, o->test_samples, err);
}

static void shapes_close(spur_data *data) {
    spur__free(data->state);
}

/* One draw an expression, which leaves no order to the compiler. */
static spur__rgb any_colour(spur__rng *rng) {
    float r = spur__rng_float(rng), g = spur__rng_float(rng), b = spur__rng_float(rng);
    return (spur__rgb){r, g, b};
}

/* Two colours that differ enough to be told apart. */
static void pick_colours(spur__rng *rng, spur__rgb *back, spur__rgb *front) {
    float difference;
    do {
        *back = any_colour(rng);
        *front = any_colour(rng);
        difference =
            fabsf(back->r - front->r) + fabsf(back->g - front->g) + fabsf(back->b - front->b);
    } while (difference < 0.7f);
}

static spur_status shapes_read(const spur_data *data, uint32_t item, spur__sample *out,
                               spur_error *err) {
    const shapes_options *o = data->options;
    const spur__noise *noise = data->state;
    int height = data->info.height, width = data->info.width;
    float sine, cosine, side = (float)(height < width ? height : width);
    spur__rgb back, front;
    spur__rng rng;
    spur__rng_init(&rng, (uint64_t)o->common.seed, SPUR__STREAM_GENERATE, 0, item);
    pick_colours(&rng, &back, &front);
    float radius = side * (0.22f + 0.2f * spur__rng_float(&rng));
    float cx = radius + ((float)width - 2 * radius) * spur__rng_float(&rng);
    float cy = radius + ((float)height - 2 * radius) * spur__rng_float(&rng);
    float nx = 256 * spur__rng_float(&rng), ny = 256 * spur__rng_float(&rng);
    float turn = (spur__rng_float(&rng) - 0.5f) * 0.2f; /* up to 36 degrees either way */
    spur__sincos2pif(turn < 0 ? turn + 1 : turn, &sine, &cosine);
    SPUR__TRY(spur__image_shape(&out->image, height, width, 3, err));
    uint8_t *p = out->image.data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float u = ((float)x + 0.5f - cx) / radius, v = ((float)y + 0.5f - cy) / radius;
            float d = shapes[data->items[item].label].distance(cosine * u + sine * v,
                                                               sine * u - cosine * v);
            float inside = spur__smoothstep(0.7f, -0.7f, d * radius);
            float n = 0.12f * spur__noise_at(noise, nx + (float)x, ny + (float)y);
            spur__rgb colour = spur__rgb_mix(back, front, inside);
            *p++ = spur__byte(colour.r + n + (float)o->noise * spur__grain(&rng));
            *p++ = spur__byte(colour.g + n + (float)o->noise * spur__grain(&rng));
            *p++ = spur__byte(colour.b + n + (float)o->noise * spur__grain(&rng));
        }
    return SPUR_OK;
}

extern const spur__dataset_kind spur__data_shapes;
const spur__dataset_kind spur__data_shapes = {
    .kind = {"shapes", "generated: small pictures of eight shapes", &table},
    .open = shapes_open,
    .read = shapes_read,
    .close = shapes_close,
};
