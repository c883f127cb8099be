/* SPDX-License-Identifier: MIT
 *
 * The brushes of the aerial scenes; see scene.h. Each paints on the fine canvas within the bounds of
 * what it draws. Roofs are a height field over one or two rectangles; the face of the higher one is
 * seen, which gives ridges, hips and valleys, and each face is lit by its slope against the sun.
 */
#include <math.h>

#include "data/generated/scene.h"

/* The part of the canvas within r units of (x, y). */
typedef struct bounds {
    int left, right, top, bottom;
} bounds;

static int clip(float v, int high) {
    return v < 0 ? 0 : v > (float)high ? high : (int)v;
}

static bounds around(const spur__scene *s, float x, float y, float r) {
    const float fine = SPUR__SCENE_FINE;
    return (bounds){clip((x - r) * fine, s->columns), clip((x + r) * fine + 1, s->columns),
                    clip((y - r) * fine, s->rows), clip((y + r) * fine + 1, s->rows)};
}

static bounds around_rect(const spur__scene *s, const spur__rect *r, float margin) {
    float ex = fabsf(r->ux) * r->a + fabsf(r->uy) * r->b + margin;
    float ey = fabsf(r->uy) * r->a + fabsf(r->ux) * r->b + margin;
    const float fine = SPUR__SCENE_FINE;
    return (bounds){clip((r->x - ex) * fine, s->columns), clip((r->x + ex) * fine + 1, s->columns),
                    clip((r->y - ey) * fine, s->rows), clip((r->y + ey) * fine + 1, s->rows)};
}

/* Centre of a canvas cell in units. */
static float unit(int i) {
    return ((float)i + 0.5f) / SPUR__SCENE_FINE;
}

static float noise(const spur__scene *s, float x, float y, float frequency) {
    return spur__noise_at(s->noise, s->nx + x * frequency, s->ny + y * frequency);
}

static size_t cell(const spur__scene *s, int x, int y) {
    return (size_t)y * (size_t)s->columns + (size_t)x;
}

float spur__scene_uniform(spur__scene *scene, float low, float high) {
    return low + (high - low) * spur__rng_float(&scene->rng);
}

void spur__paint_ground(spur__scene *s, spur__rgb lush, spur__rgb dry) {
    for (int y = 0; y < s->rows; y++)
        for (int x = 0; x < s->columns; x++) {
            float px = unit(x), py = unit(y);
            float t = 0.5f + 0.55f * noise(s, px, py, 0.55f);
            float grain = 1 + 0.10f * noise(s, px, py, 3.1f) + 0.07f * noise(s, py, px, 9.7f);
            spur__rgb c = spur__rgb_mix(lush, dry, spur__smoothstep(0.25f, 0.9f, t));
            s->colour[cell(s, x, y)] = spur__rgb_scale(c, grain);
        }
}

void spur__paint_patch(spur__scene *s, spur__rect rect, spur__rgb colour, float texture,
                       float rows) {
    bounds b = around_rect(s, &rect, 1);
    for (int y = b.top; y < b.bottom; y++)
        for (int x = b.left; x < b.right; x++) {
            float u, v, px = unit(x), py = unit(y);
            spur__rect_local(&rect, px, py, &u, &v);
            float edge = spur__lower(rect.a - fabsf(u), rect.b - fabsf(v));
            float cover = spur__smoothstep(-0.6f, 0.6f, edge + 0.5f * noise(s, px, py, 2.3f));
            float shade = 1 + texture * (noise(s, px, py, 2.7f) + 0.6f * noise(s, py, px, 8.3f));
            if (rows > 0) {
                float phase = v / rows - (float)spur__floor(v / rows);
                shade *= 0.88f + 0.24f * spur__smoothstep(0.2f, 0.5f, fabsf(phase - 0.5f) * 1.6f);
            }
            size_t at = cell(s, x, y);
            s->colour[at] = spur__rgb_mix(s->colour[at], spur__rgb_scale(colour, shade), cover);
        }
}

/* Asphalt with pavements and, on wide roads, lines. */
static spur__rgb road_colour(const spur__scene *s, float u, float v, float half, bool marked) {
    float side = fabsf(v), grain = 1 + 0.06f * noise(s, u, v, 6.1f) + 0.06f * noise(s, v, u, 0.9f);
    spur__rgb asphalt = {0.40f, 0.40f, 0.415f}, pavement = {0.63f, 0.61f, 0.57f};
    spur__rgb line = {0.82f, 0.81f, 0.76f};
    if (side > half - 1.3f) return spur__rgb_scale(pavement, grain);
    float dash = u / 9 - (float)spur__floor(u / 9);
    if (marked && side < 0.28f && dash < 0.55f) return line;
    float worn = 1 + 0.05f * spur__smoothstep(0.5f, 1.2f, fabsf(side - half * 0.4f));
    return spur__rgb_scale(asphalt, grain * worn);
}

void spur__paint_road(spur__scene *s, spur__rect rect, bool marked) {
    bounds b = around_rect(s, &rect, 1);
    for (int y = b.top; y < b.bottom; y++)
        for (int x = b.left; x < b.right; x++) {
            float u, v;
            spur__rect_local(&rect, unit(x), unit(y), &u, &v);
            float cover = spur__smoothstep(-0.4f, 0.4f, rect.b - fabsf(v));
            size_t at = cell(s, x, y);
            if (cover <= 0 || fabsf(u) > rect.a) continue;
            s->colour[at] =
                spur__rgb_mix(s->colour[at], road_colour(s, u, v, rect.b, marked), cover);
        }
}

void spur__paint_car(spur__scene *s, float cx, float cy, bool across) {
    static const spur__rgb paints[] = {{0.85f, 0.85f, 0.86f}, {0.15f, 0.15f, 0.17f},
                                       {0.55f, 0.57f, 0.6f},  {0.6f, 0.12f, 0.1f},
                                       {0.15f, 0.25f, 0.5f},  {0.75f, 0.72f, 0.62f}};
    spur__rgb paint = paints[spur__rng_below(&s->rng, 6)], glass = {0.12f, 0.14f, 0.17f};
    spur__rect r = {cx, cy, across ? -s->ay : s->ax, across ? s->ax : s->ay, 2.6f, 1.15f};
    bounds b = around_rect(s, &r, 2);
    for (int y = b.top; y < b.bottom; y++)
        for (int x = b.left; x < b.right; x++) {
            float u, v, px = unit(x), py = unit(y);
            size_t at = cell(s, x, y);
            spur__rect_local(&r, px - s->sx * 0.7f, py - s->sy * 0.7f, &u, &v);
            if (fabsf(u) < r.a && fabsf(v) < r.b) s->light[at] = spur__lower(s->light[at], 0.55f);
            spur__rect_local(&r, px, py, &u, &v);
            if (fabsf(u) > r.a || fabsf(v) > r.b) continue;
            bool window = fabsf(v) < 0.85f && (fabsf(u - 0.75f) < 0.4f || fabsf(u + 1.5f) < 0.3f);
            s->colour[at] = window ? glass : paint;
            s->light[at] = 1;
        }
}

void spur__paint_pool(spur__scene *s, float cx, float cy) {
    spur__rgb water = {0.25f, 0.62f, 0.74f}, rim = {0.82f, 0.80f, 0.75f};
    float a = spur__scene_uniform(s, 3, 4.5f), b = spur__scene_uniform(s, 1.8f, 2.6f);
    spur__rect r = {cx, cy, s->ax, s->ay, a, b}, outer = r;
    outer.a += 0.9f, outer.b += 0.9f;
    spur__paint_patch(s, outer, rim, 0.03f, 0);
    spur__paint_patch(s, r, water, 0.08f, 0);
}

/* True when the shadow of length `reach` of a rectangle falls on (x, y): the ray back towards the
 * sun meets the rectangle (slab test). */
static bool shaded(const spur__scene *s, const spur__rect *r, float reach, float x, float y) {
    float u, v, du = s->sx * r->ux + s->sy * r->uy, dv = s->sy * r->ux - s->sx * r->uy;
    float from = 0, to = reach;
    spur__rect_local(r, x, y, &u, &v);
    const float p[2] = {u, v}, d[2] = {-du, -dv}, half[2] = {r->a, r->b};
    for (int i = 0; i < 2; i++) {
        if (fabsf(d[i]) < 1e-6f) {
            if (fabsf(p[i]) > half[i]) return false;
            continue;
        }
        float t0 = (-half[i] - p[i]) / d[i], t1 = (half[i] - p[i]) / d[i];
        from = spur__higher(from, spur__lower(t0, t1));
        to = spur__lower(to, spur__higher(t0, t1));
    }
    return from <= to;
}

static void darken(spur__scene *s, size_t at, float light) {
    s->light[at] = spur__lower(s->light[at], light);
}

void spur__paint_shadows(spur__scene *s) {
    for (int i = 0; i < s->building_count; i++) {
        const spur__building *one = &s->buildings[i];
        for (int k = 0; k < one->wing_count; k++) {
            bounds b = around_rect(s, &one->wings[k], one->height + 1);
            for (int y = b.top; y < b.bottom; y++)
                for (int x = b.left; x < b.right; x++)
                    if (shaded(s, &one->wings[k], one->height, unit(x), unit(y)))
                        darken(s, cell(s, x, y), 0.46f);
        }
    }
    for (int i = 0; i < s->tree_count; i++) {
        const spur__tree *t = &s->trees[i];
        float cx = t->x + s->sx * t->radius * 0.9f, cy = t->y + s->sy * t->radius * 0.9f;
        bounds b = around(s, cx, cy, t->radius * 1.2f);
        for (int y = b.top; y < b.bottom; y++)
            for (int x = b.left; x < b.right; x++) {
                float dx = unit(x) - cx, dy = unit(y) - cy;
                float r = t->radius * (1 + 0.16f * noise(s, unit(x), unit(y), 5.3f));
                float depth = spur__smoothstep(r + 0.6f, r - 0.8f, sqrtf(dx * dx + dy * dy));
                darken(s, cell(s, x, y), 1 - 0.5f * depth);
            }
    }
}

/* What a wing shows at (u, v): height above the eaves, slope along u and v. */
typedef struct face {
    float height, du, dv;
} face;

static face wing_face(const spur__building *one, const spur__rect *r, float u, float v) {
    float eu = r->a - fabsf(u), ev = r->b - fabsf(v);
    if (eu < 0 || ev < 0) return (face){-1, 0, 0};
    if (one->roof == SPUR__ROOF_FLAT) return (face){1, 0, 0};
    if (one->roof == SPUR__ROOF_HIP && eu < ev) return (face){eu, u > 0 ? 1.0f : -1.0f, 0};
    return (face){ev, 0, v > 0 ? 1.0f : -1.0f};
}

/* Rim and machines on flat roofs. */
static float flat_detail(const spur__scene *s, const spur__rect *r, float u, float v) {
    float edge = spur__lower(r->a - fabsf(u), r->b - fabsf(v));
    if (edge < 0.9f) return 1.16f;
    float lit = 1;
    for (int i = 0; i < 3; i++) {
        float hu = r->a * (0.55f * noise(s, r->x + 11.0f * (float)i, r->y, 1.7f));
        float hv = r->b * (0.55f * noise(s, r->y, r->x + 17.0f * (float)i, 1.9f));
        float du = fabsf(u - hu), dv = fabsf(v - hv);
        float along = s->sx * r->ux + s->sy * r->uy, across = s->sy * r->ux - s->sx * r->uy;
        if (du < 1.3f && dv < 1.0f) return 1.22f;
        if (fabsf(u - hu - along) < 1.3f && fabsf(v - hv - across) < 1.0f) lit = 0.66f;
    }
    return lit * (1 - 0.08f * spur__smoothstep(0.9f, 2.2f, 3.1f - edge));
}

/* Light on a sloped face, with tile rows and a bright ridge. */
static float slope_light(const spur__scene *s, const spur__rect *r, face f, float u, float v) {
    float wx = f.du * r->ux - f.dv * r->uy, wy = f.du * r->uy + f.dv * r->ux;
    float lit = 0.98f - 0.30f * (wx * s->sx + wy * s->sy);
    float along = f.du != 0.0f ? u : v, phase = along * 0.62f - (float)spur__floor(along * 0.62f);
    lit *= 1 + 0.07f * (spur__smoothstep(0.1f, 0.4f, phase) - spur__smoothstep(0.7f, 1, phase));
    float ridge = r->b - f.height;
    if (f.du == 0.0f && ridge < 0.5f) lit *= 1.12f;
    return f.height < 0.5f ? lit * 0.86f : lit;
}

/* The wing that is seen at (x, y), and its light; 0 where the building is not. */
static float building_light(const spur__scene *s, const spur__building *one, float x, float y) {
    float best = -1, light = 0;
    for (int k = 0; k < one->wing_count; k++) {
        float u, v;
        const spur__rect *r = &one->wings[k];
        spur__rect_local(r, x, y, &u, &v);
        face f = wing_face(one, r, u, v);
        if (f.height <= best) continue;
        best = f.height;
        light = one->roof == SPUR__ROOF_FLAT ? flat_detail(s, r, u, v) : slope_light(s, r, f, u, v);
    }
    return light;
}

void spur__paint_building(spur__scene *s, const spur__building *one) {
    for (int k = 0; k < one->wing_count; k++) {
        bounds b = around_rect(s, &one->wings[k], 0);
        for (int y = b.top; y < b.bottom; y++)
            for (int x = b.left; x < b.right; x++) {
                float px = unit(x), py = unit(y), light = building_light(s, one, px, py);
                if (light <= 0) continue;
                size_t at = cell(s, x, y);
                float stain = 1 + 0.06f * noise(s, px, py, 1.1f) + 0.05f * noise(s, py, px, 7.9f);
                s->colour[at] = spur__rgb_scale(one->colour, light * stain);
                s->light[at] = 1;
                s->roof[at] = 1;
            }
    }
}

void spur__paint_tree(spur__scene *s, const spur__tree *t) {
    bounds b = around(s, t->x, t->y, t->radius * 1.3f);
    for (int y = b.top; y < b.bottom; y++)
        for (int x = b.left; x < b.right; x++) {
            float px = unit(x), py = unit(y), dx = px - t->x, dy = py - t->y;
            float lump = noise(s, px, py, 4.3f), d = sqrtf(dx * dx + dy * dy);
            float r = t->radius * (1 + 0.2f * lump), cover = spur__smoothstep(r, r - 0.7f, d);
            if (cover <= 0) continue;
            float side = -(dx * s->sx + dy * s->sy) / t->radius;
            float light = 0.80f + 0.34f * side + 0.26f * lump + 0.14f * noise(s, py, px, 11.3f);
            light *= 1 - 0.25f * spur__smoothstep(0.6f, 1.1f, d / r);
            size_t at = cell(s, x, y);
            s->colour[at] = spur__rgb_mix(
                s->colour[at], spur__rgb_scale(t->colour, spur__higher(light, 0.25f)), cover);
            s->light[at] += (1 - s->light[at]) * cover;
            if (cover > 0.5f) s->roof[at] = 0;
        }
}
