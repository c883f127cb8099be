/* SPDX-License-Identifier: MIT
 *
 * What stands where in an aerial scene: streets, lots with houses along them, works with large flat
 * roofs, fields, trees; then the weather of the picture (light, tint, haze, sensor noise).
 *
 * Every draw is an expression of its own: in which order the parts of one are computed is up to the
 * compiler, and the pictures would be, too.
 */
#include "data/generated/scene.h"

#include <math.h>
#include <string.h>

#include "base/fmath.h"

/* What a scene is mostly made of. */
typedef enum district { RESIDENTIAL, INDUSTRIAL, RURAL, WOODED } district;

static const spur__rgb roof_colours[] = {
    {0.70f, 0.37f, 0.26f}, {0.62f, 0.31f, 0.22f}, {0.76f, 0.45f, 0.31f}, {0.50f, 0.34f, 0.27f},
    {0.38f, 0.30f, 0.28f}, {0.31f, 0.33f, 0.38f}, {0.45f, 0.47f, 0.52f}, {0.58f, 0.58f, 0.60f}};
static const spur__rgb flat_colours[] = {{0.80f, 0.80f, 0.79f}, {0.70f, 0.69f, 0.66f},
                                         {0.87f, 0.88f, 0.90f}, {0.56f, 0.57f, 0.60f},
                                         {0.62f, 0.52f, 0.46f}, {0.50f, 0.60f, 0.70f}};

static bool chance(spur__scene *s, float p) {
    return spur__rng_float(&s->rng) < p;
}

static void turn(float angle, float *x, float *y) {
    float turns = angle / 6.28318531f;
    spur__sincos2pif(turns - (float)spur__floor(turns), y, x);
}

/* Slightly different every time. */
static spur__rgb vary(spur__scene *s, spur__rgb c, float by) {
    float all = spur__scene_uniform(s, 1 - by, 1 + by);
    float r = spur__scene_uniform(s, 0.97f, 1.03f), g = spur__scene_uniform(s, 0.97f, 1.03f),
          b = spur__scene_uniform(s, 0.97f, 1.03f);
    return (spur__rgb){c.r * all * r, c.g * all * g, c.b * all * b};
}

/* A point given along and across the streets, from the middle of the scene. */
static void place(const spur__scene *s, float along, float across, float *x, float *y) {
    *x = s->width * 0.5f + along * s->ax - across * s->ay;
    *y = s->height * 0.5f + along * s->ay + across * s->ax;
}

static float reach(const spur__scene *s) {
    return 0.5f * sqrtf(s->width * s->width + s->height * s->height);
}

/* ---- streets --------------------------------------------------------------------------------- */

/* Positions of streets across (and along) the axis; lots keep clear of them. */
typedef struct streets {
    float across[8], along[8], half; /* centre lines, half width */
    int across_count, along_count;
} streets;

static void plan_streets(spur__scene *s, district kind, streets *out) {
    float span = reach(s), gap = kind == RURAL || kind == WOODED ? 170.0f : 84.0f;
    memset(out, 0, sizeof *out);
    out->half = spur__scene_uniform(s, 4.4f, 6.2f);
    float first = -span + spur__scene_uniform(s, 0, gap);
    for (float v = first; v < span && out->across_count < 8; v += gap)
        out->across[out->across_count++] = v + spur__scene_uniform(s, -6, 6);
    gap *= kind == RESIDENTIAL ? 1.5f : 1.9f;
    first = -span + spur__scene_uniform(s, 0, gap);
    for (float v = first; v < span && out->along_count < 8; v += gap)
        if (chance(s, 0.75f)) out->along[out->along_count++] = v;
}

static void paint_streets(spur__scene *s, const streets *plan) {
    float span = reach(s) * 1.1f;
    bool marked = chance(s, 0.6f);
    for (int i = 0; i < plan->along_count; i++) {
        spur__rect road = {0, 0, -s->ay, s->ax, span, plan->half * 0.85f};
        place(s, plan->along[i], 0, &road.x, &road.y);
        spur__paint_road(s, road, false);
    }
    for (int i = 0; i < plan->across_count; i++) {
        spur__rect road = {0, 0, s->ax, s->ay, span, plan->half};
        place(s, 0, plan->across[i], &road.x, &road.y);
        spur__paint_road(s, road, marked);
    }
    for (int i = 0; i < plan->across_count; i++)
        for (float u = -span; u < span; u += spur__scene_uniform(s, 9, 60)) {
            float x, y, lane = plan->half * (chance(s, 0.5f) ? 0.42f : -0.42f);
            place(s, u, plan->across[i] + lane, &x, &y);
            if (chance(s, 0.6f)) spur__paint_car(s, x, y, false);
        }
}

/* Middles of the lots of about `lot` that fit between the streets of one axis. */
typedef struct plots {
    float middle[64], half[64];
    int count;
} plots;

static void add_plots(plots *out, float from, float to, float lot) {
    int n = (int)((to - from) / lot + 0.35f);
    for (int i = 0; i < n && out->count < 64; i++) {
        float step = (to - from) / (float)n;
        out->middle[out->count] = from + step * ((float)i + 0.5f);
        out->half[out->count++] = step * 0.5f;
    }
}

static void plan_plots(plots *out, const float *lines, int count, float half, float span,
                       float lot) {
    float from = -span;
    out->count = 0;
    for (int i = 0; i < count; i++) {
        add_plots(out, from, lines[i] - half - 1, lot);
        from = lines[i] + half + 1;
    }
    add_plots(out, from, span, lot);
}

/* ---- buildings ------------------------------------------------------------------------------- */

static void choose_roof(spur__scene *s, spur__building *one, bool large) {
    float pick = spur__rng_float(&s->rng);
    one->roof = large || pick < 0.16f ? SPUR__ROOF_FLAT
                : pick < 0.6f         ? SPUR__ROOF_GABLE
                                      : SPUR__ROOF_HIP;
    if (one->roof == SPUR__ROOF_FLAT)
        one->colour = vary(s, flat_colours[spur__rng_below(&s->rng, 6)], 0.1f);
    else
        one->colour = vary(s, roof_colours[spur__rng_below(&s->rng, 8)], 0.14f);
    one->height = spur__scene_uniform(s, 2.5f, large ? 7 : 5);
}

/* A second wing at a right angle, flush with one end of the first. */
static void add_wing(spur__scene *s, spur__building *one) {
    const spur__rect *main = &one->wings[0];
    float a = main->b * spur__scene_uniform(s, 1.5f, 1.9f);
    float b = main->b * spur__scene_uniform(s, 0.75f, 0.95f);
    spur__rect wing = {0, 0, -main->uy, main->ux, a, b};
    float end = (main->a - wing.b) * (chance(s, 0.5f) ? 1.0f : -1.0f);
    float out = (wing.a - main->b) * (chance(s, 0.5f) ? 1.0f : -1.0f);
    if (chance(s, 0.25f)) end *= 0.2f; /* a T instead of an L */
    wing.x = main->x + end * main->ux - out * main->uy;
    wing.y = main->y + end * main->uy + out * main->ux;
    one->wings[one->wing_count++] = wing;
}

static void add_building(spur__scene *s, float along, float across, float a, float b, bool large) {
    if (s->building_count == SPUR__SCENE_BUILDINGS) return;
    spur__building *one = &s->buildings[s->building_count++];
    float dx, dy;
    *one = (spur__building){.wing_count = 1};
    bool upright = chance(s, 0.4f);
    turn(spur__scene_uniform(s, -0.06f, 0.06f), &dx, &dy);
    float ux = s->ax * dx - s->ay * dy, uy = s->ax * dy + s->ay * dx;
    one->wings[0] = (spur__rect){0, 0, upright ? -uy : ux, upright ? ux : uy, a, b};
    place(s, along, across, &one->wings[0].x, &one->wings[0].y);
    choose_roof(s, one, large);
    if (chance(s, 0.3f) && a > b * 1.25f) add_wing(s, one);
}

static void add_tree(spur__scene *s, float x, float y, float radius) {
    static const spur__rgb greens[] = {
        {0.20f, 0.33f, 0.14f}, {0.26f, 0.38f, 0.17f}, {0.17f, 0.28f, 0.15f}, {0.34f, 0.40f, 0.18f}};
    if (s->tree_count == SPUR__SCENE_TREES) return;
    for (int i = 0; i < s->building_count; i++)
        for (int k = 0; k < s->buildings[i].wing_count; k++) {
            float u, v;
            const spur__rect *r = &s->buildings[i].wings[k];
            spur__rect_local(r, x, y, &u, &v);
            if (fabsf(u) < r->a + radius * 0.8f && fabsf(v) < r->b + radius * 0.8f) return;
        }
    s->trees[s->tree_count++] =
        (spur__tree){x, y, radius, vary(s, greens[spur__rng_below(&s->rng, 4)], 0.2f)};
}

/* Garden of one lot: lawn, drive, pool, a few trees. */
static void furnish_lot(spur__scene *s, float along, float across, float half) {
    static const spur__rgb lawns[] = {
        {0.36f, 0.46f, 0.22f}, {0.43f, 0.50f, 0.27f}, {0.50f, 0.49f, 0.32f}, {0.30f, 0.42f, 0.20f}};
    spur__rect lot = {0, 0, s->ax, s->ay, half, half};
    place(s, along, across, &lot.x, &lot.y);
    spur__paint_patch(s, lot, vary(s, lawns[spur__rng_below(&s->rng, 4)], 0.1f), 0.07f, 0);
    if (chance(s, 0.6f)) {
        spur__rect drive = {0, 0, -s->ay, s->ax, half, spur__scene_uniform(s, 1.4f, 2.6f)};
        spur__rgb stone = {0.60f, 0.57f, 0.52f};
        place(s, along + half * spur__scene_uniform(s, -0.8f, 0.8f), across, &drive.x, &drive.y);
        spur__paint_patch(s, drive, vary(s, stone, 0.12f), 0.05f, 0);
    }
}

static void plant_lot(spur__scene *s, float along, float across, float half) {
    int trees = (int)spur__rng_below(&s->rng, 5);
    for (int i = 0; i < trees; i++) {
        float x, y;
        float dy = spur__scene_uniform(s, -half, half), dx = spur__scene_uniform(s, -half, half);
        place(s, along + dx, across + dy, &x, &y);
        add_tree(s, x, y, spur__scene_uniform(s, 1.8f, 4.6f));
    }
    if (chance(s, 0.14f)) {
        float x, y, corner = chance(s, 0.5f) ? 0.7f : -0.7f;
        place(s, along + half * corner, across + half * 0.75f, &x, &y);
        spur__paint_pool(s, x, y);
    }
}

/* One lot: most have a building, large ones fill more of it. */
static void build_lot(spur__scene *s, float along, float across, float half, bool large) {
    float a = half * spur__scene_uniform(s, large ? 0.6f : 0.52f, large ? 0.86f : 0.74f);
    float b = a * spur__scene_uniform(s, 0.55f, 0.95f), room = half - a - 1;
    if (!large) furnish_lot(s, along, across, half * 0.97f);
    bool flat = large && chance(s, 0.85f);
    float dy = spur__scene_uniform(s, -0.5f, 0.5f) * room;
    float dx = spur__scene_uniform(s, -0.5f, 0.5f) * room;
    add_building(s, along + dx, across + dy, a, b, flat);
    if (!large || chance(s, 0.4f)) plant_lot(s, along, across, half);
}

/* Lots between the streets; `density` of them are built on. */
static void build_lots(spur__scene *s, const streets *plan, float lot, float density, bool large) {
    float span = reach(s) + lot;
    plots rows, columns;
    plan_plots(&rows, plan->across, plan->across_count, plan->half, span, lot);
    plan_plots(&columns, plan->along, plan->along_count, plan->half, span, lot);
    for (int r = 0; r < rows.count; r++)
        for (int c = 0; c < columns.count; c++) {
            float half = spur__lower(rows.half[r], columns.half[c]);
            if (chance(s, density)) build_lot(s, columns.middle[c], rows.middle[r], half, large);
        }
}

static void paint_parking(spur__scene *s, float along, float across) {
    spur__rgb asphalt = {0.46f, 0.46f, 0.46f};
    spur__rect lot = {0, 0, s->ax, s->ay, 20, 11};
    place(s, along, across, &lot.x, &lot.y);
    spur__paint_patch(s, lot, vary(s, asphalt, 0.08f), 0.05f, 0);
    for (int row = -1; row <= 1; row += 2)
        for (int i = -5; i <= 5; i++) {
            float x, y;
            place(s, along + 3.3f * (float)i, across + 5.5f * (float)row, &x, &y);
            if (chance(s, 0.6f)) spur__paint_car(s, x, y, true);
        }
}

static void paint_fields(spur__scene *s) {
    static const spur__rgb crops[] = {{0.62f, 0.57f, 0.33f},
                                      {0.44f, 0.52f, 0.24f},
                                      {0.48f, 0.38f, 0.27f},
                                      {0.35f, 0.47f, 0.22f},
                                      {0.70f, 0.64f, 0.42f}};
    float span = reach(s);
    for (float v = -span; v < span; v += 62)
        for (float u = -span; u < span; u += 90) {
            float a = spur__scene_uniform(s, 34, 44), b = spur__scene_uniform(s, 22, 30);
            spur__rect field = {0, 0, s->ax, s->ay, a, b};
            place(s, u + spur__scene_uniform(s, -8, 8), v, &field.x, &field.y);
            if (!chance(s, 0.75f)) continue;
            float furrows = chance(s, 0.7f) ? spur__scene_uniform(s, 2, 4) : 0;
            spur__rgb crop = vary(s, crops[spur__rng_below(&s->rng, 5)], 0.1f);
            spur__paint_patch(s, field, crop, 0.08f, furrows);
        }
}

static void plant_wood(spur__scene *s, int count) {
    for (int i = 0; i < count; i++) {
        float x = spur__scene_uniform(s, -5, s->width + 5);
        float y = spur__scene_uniform(s, -5, s->height + 5);
        float there = spur__noise_at(s->noise, s->nx + x * 0.9f, s->ny + 77 + y * 0.9f);
        if (there > -0.05f) add_tree(s, x, y, spur__scene_uniform(s, 2.4f, 5.6f));
    }
}

static void lay_out(spur__scene *s, district kind) {
    streets plan;
    float area = s->width * s->height / 16384;
    plan_streets(s, kind, &plan);
    if (kind == RURAL) paint_fields(s);
    if (kind == INDUSTRIAL)
        for (int i = 0; i < (int)(2 * area) + 1; i++) {
            float across = spur__scene_uniform(s, -0.8f, 0.8f) * reach(s);
            float along = spur__scene_uniform(s, -0.8f, 0.8f) * reach(s);
            paint_parking(s, along, across);
        }
    if (kind == RESIDENTIAL)
        build_lots(s, &plan, spur__scene_uniform(s, 25, 33), 0.92f, false);
    else if (kind == INDUSTRIAL)
        build_lots(s, &plan, spur__scene_uniform(s, 38, 54), 0.82f, true);
    else
        build_lots(s, &plan, 38, kind == RURAL ? 0.3f : 0.42f, false);
    paint_streets(s, &plan);
    plant_wood(s, (int)(area * (kind == WOODED ? 130 : kind == RURAL ? 26 : 12)));
}

static district choose_district(spur__scene *s) {
    float pick = spur__rng_float(&s->rng);
    return pick < 0.55f ? RESIDENTIAL : pick < 0.75f ? INDUSTRIAL : pick < 0.9f ? RURAL : WOODED;
}

static void paint(spur__scene *s) {
    static const spur__rgb lush[] = {
        {0.33f, 0.42f, 0.21f}, {0.40f, 0.46f, 0.25f}, {0.29f, 0.38f, 0.20f}};
    static const spur__rgb dry[] = {
        {0.55f, 0.51f, 0.35f}, {0.50f, 0.44f, 0.33f}, {0.46f, 0.48f, 0.29f}};
    spur__rgb bare = vary(s, dry[spur__rng_below(&s->rng, 3)], 0.08f);
    spur__rgb grass = vary(s, lush[spur__rng_below(&s->rng, 3)], 0.08f);
    spur__paint_ground(s, grass, bare);
    lay_out(s, choose_district(s));
    spur__paint_shadows(s);
    for (int i = 0; i < s->building_count; i++) spur__paint_building(s, &s->buildings[i]);
    for (int i = 0; i < s->tree_count; i++) spur__paint_tree(s, &s->trees[i]);
}

/* ---- the finished picture -------------------------------------------------------------------- */

/* Light of the day: strength, tint, haze, a slow gradient, and the sensor's noise. */
typedef struct weather {
    spur__rgb gain;
    float haze, slope_x, slope_y, noise;
} weather;

static weather choose_weather(spur__scene *s) {
    float strength = spur__scene_uniform(s, 0.92f, 1.22f),
          warm = spur__scene_uniform(s, -0.05f, 0.05f);
    weather w = {.gain = {strength * (1 + warm), strength, strength * (1 - warm)}};
    w.haze = spur__scene_uniform(s, 0, 0.10f);
    w.slope_x = spur__scene_uniform(s, -0.08f, 0.08f);
    w.slope_y = spur__scene_uniform(s, -0.08f, 0.08f);
    w.noise = spur__scene_uniform(s, 0.008f, 0.022f);
    return w;
}

/* Mean of the fine cells of one pixel, shade included (shade is bluish); returns roof cells. */
static int gather(const spur__scene *s, int x, int y, spur__rgb *out) {
    enum { FINE = SPUR__SCENE_FINE };
    int roof = 0;
    spur__rgb sum = {0, 0, 0};
    for (int j = 0; j < FINE; j++)
        for (int i = 0; i < FINE; i++) {
            size_t at = (size_t)(y * FINE + j) * (size_t)s->columns + (size_t)(x * FINE + i);
            float light = s->light[at];
            sum.r += s->colour[at].r * light;
            sum.g += s->colour[at].g * (light + (1 - light) * 0.05f);
            sum.b += s->colour[at].b * (light + (1 - light) * 0.16f);
            roof += s->roof[at];
        }
    *out = spur__rgb_scale(sum, 1.0f / (FINE * FINE));
    return roof;
}

static void develop(spur__scene *s, spur__image *image, spur__image *mask) {
    weather w = choose_weather(s);
    const int height = image->height, width = image->width;
    uint8_t *pixel = image->data, *is_roof = mask->data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            spur__rgb c;
            float slope = 1 + w.slope_x * ((float)x / (float)width - 0.5f) +
                          w.slope_y * ((float)y / (float)height - 0.5f);
            *is_roof++ = gather(s, x, y, &c) * 2 >= SPUR__SCENE_FINE * SPUR__SCENE_FINE;
            const float in[3] = {c.r * w.gain.r, c.g * w.gain.g, c.b * w.gain.b};
            for (int k = 0; k < 3; k++) {
                float v = in[k] * slope * (1 - w.haze) + 0.62f * w.haze;
                *pixel++ = spur__byte(v + w.noise * spur__grain(&s->rng));
            }
        }
}

static size_t cells(int height, int width) {
    return (size_t)height * (size_t)width * SPUR__SCENE_FINE * SPUR__SCENE_FINE;
}

size_t spur__scene_memory(int height, int width) {
    return sizeof(spur__scene) +
           cells(height, width) * (sizeof(spur__rgb) + sizeof(float) + sizeof(uint8_t));
}

void spur__scene_render(void *memory, const spur__noise *noise, uint64_t seed, uint32_t index,
                        spur__image *image, spur__image *mask) {
    spur__scene *s = memory;
    size_t n = cells(image->height, image->width);
    memset(s, 0, sizeof *s);
    s->noise = noise;
    s->height = (float)image->height;
    s->width = (float)image->width;
    s->rows = image->height * SPUR__SCENE_FINE;
    s->columns = image->width * SPUR__SCENE_FINE;
    s->colour = (spur__rgb *)(s + 1);
    s->light = (float *)(s->colour + n);
    s->roof = (uint8_t *)(s->light + n);
    for (size_t i = 0; i < n; i++) s->light[i] = 1;
    memset(s->roof, 0, n);
    spur__rng_init(&s->rng, seed, SPUR__STREAM_GENERATE, 0, index);
    turn(spur__scene_uniform(s, 0, 6.28f), &s->ax, &s->ay);
    turn(spur__scene_uniform(s, 0, 6.28f), &s->sx, &s->sy);
    s->nx = spur__scene_uniform(s, 0, 256);
    s->ny = spur__scene_uniform(s, 0, 256);
    paint(s);
    develop(s, image, mask);
}
