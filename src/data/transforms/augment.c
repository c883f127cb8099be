/* SPDX-License-Identifier: MIT
 *
 * The options of the [augment] section, the table of transforms in their order, and the checks that
 * need more than one option.
 */
#include "data/transforms/augment.h"

#include "base/error.h"
#include "data/transforms/transforms.h"

#define PROBABILITY(name_, help_)                                                                  \
    SPUR__ROW(FLOAT, spur__augment, name_, "0", .min = 0, .max = 1, .unit = "probability",         \
              .help = help_)
#define LIST(name_, initial_, min_, max_, unit_, help_)                                            \
    SPUR__ROW(FLOATS, spur__augment, name_, initial_, .min = min_, .max = max_, .unit = unit_,     \
              .help = help_)
#define WHOLE(name_, initial_, min_, max_, unit_, help_)                                           \
    SPUR__ROW(INT, spur__augment, name_, initial_, .min = min_, .max = max_, .unit = unit_,        \
              .help = help_)

static const spur__option rows[] = {
    LIST(resized_crop, "", 0.0001, 1, NULL,
         "take a random part of the picture and resize it: smallest, largest share of the area"),
    LIST(resized_crop_ratio, "0.75, 1.3333333333333333", 0.01, 100, NULL,
         "smallest, largest width over height of that part"),
    WHOLE(random_crop, "0", 0, 4096, "pixels",
          "pad by this on every side, then cut out the old size at a random place"),
    SPUR__ROW(
        CHOICE, spur__augment, random_crop_mode, "constant", .choices = "constant|edge|reflect",
        .help = "what the padding holds: the value of fill, the border pixel, or the mirror image"),
    PROBABILITY(horizontal_flip, "mirror left to right"),
    PROBABILITY(vertical_flip, "mirror top to bottom"),
    LIST(affine, "", -360, 360, "degrees", "turn by up to this, or by a range"),
    LIST(affine_translate, "", 0, 1, NULL, "move by up to these shares of width, height"),
    LIST(affine_scale, "", 0.01, 100, NULL, "scale by a factor of this range"),
    LIST(affine_shear, "", -89, 89, "degrees", "shear along x by up to this, or by a range"),
    LIST(rotation, "", -360, 360, "degrees", "turn by up to this, or by a range"),
    LIST(perspective, "", 0, 1, NULL, "distortion, probability (0.5 when left out)"),
    SPUR__ROW(FLOAT, spur__augment, fill, "0", .min = 0, .max = 1,
              .help = "value of what is uncovered, from 0 (black) to 1 (white)"),
    LIST(color_jitter, "", 0, 100, NULL, "brightness, contrast, saturation, hue (at most 0.5)"),
    PROBABILITY(grayscale, "make it grey, keeping the channels"),
    WHOLE(gaussian_blur, "0", 0, 63, "pixels", "size of the blurring kernel, odd; 0: off"),
    LIST(gaussian_blur_sigma, "0.1, 2", 0.001, 100, "pixels", "range of its standard deviation"),
    SPUR__ROW(FLOAT, spur__augment, gaussian_blur_p, "1", .min = 0, .max = 1, .unit = "probability",
              .help = "how often to blur"),
    PROBABILITY(erasing, "erase a rectangle"),
    LIST(erasing_scale, "0.02, 0.33", 0.0001, 1, NULL, "smallest, largest share of the area"),
    LIST(erasing_ratio, "0.3, 3.3", 0.01, 100, NULL, "smallest, largest height over width"),
    SPUR__ROW(CHOICE, spur__augment, erasing_fill, "mean", .choices = "mean|noise",
              .help = "what an erased rectangle holds"),
    WHOLE(cutout, "0", 0, 4096, "pixels", "side of the squares to cut out; 0: off"),
    WHOLE(cutout_holes, "1", 1, 100, NULL, "how many squares"),
    SPUR__ROW(FLOAT, spur__augment, mixup, "0", .min = 0, .max = 100,
              .help = "alpha of mixup's beta distribution; 0: off"),
    SPUR__ROW(
        FLOAT, spur__augment, cutmix, "0", .min = 0, .max = 100,
        .help =
            "alpha of cutmix's beta distribution; 0: off; with mixup every batch takes one of both"),
};

const spur__options spur__augment_options = SPUR__OPTIONS(rows, spur__augment);

static bool resized_crop_enabled(const spur__augment *augment) {
    return augment->resized_crop.count > 0;
}

static bool mixup_enabled(const spur__augment *augment) {
    return augment->mixup > 0;
}

static bool cutmix_enabled(const spur__augment *augment) {
    return augment->cutmix > 0;
}

#define TRANSFORM(name_, phase_, help_)                                                            \
    static const spur__transform name_##_transform = {{#name_, help_, &spur__augment_options},     \
                                                      phase_,                                      \
                                                      spur__##name_##_enabled,                     \
                                                      spur__##name_##_apply}

static const spur__transform resized_crop_transform = {
    {"resized_crop", "a random part, resized", &spur__augment_options},
    SPUR__PHASE_CROP,
    resized_crop_enabled,
    NULL};
TRANSFORM(random_crop, SPUR__PHASE_PIXELS, "padding and a random crop");
TRANSFORM(horizontal_flip, SPUR__PHASE_PIXELS, "mirror left to right");
TRANSFORM(vertical_flip, SPUR__PHASE_PIXELS, "mirror top to bottom");
TRANSFORM(affine, SPUR__PHASE_PIXELS, "turn, move, scale and shear");
TRANSFORM(rotation, SPUR__PHASE_PIXELS, "turn");
TRANSFORM(perspective, SPUR__PHASE_PIXELS, "random perspective");
TRANSFORM(color_jitter, SPUR__PHASE_PIXELS, "brightness, contrast, saturation and hue");
TRANSFORM(grayscale, SPUR__PHASE_PIXELS, "grey, keeping the channels");
TRANSFORM(gaussian_blur, SPUR__PHASE_PIXELS, "blur");
TRANSFORM(erasing, SPUR__PHASE_NORMALIZED, "erase a rectangle");
TRANSFORM(cutout, SPUR__PHASE_NORMALIZED, "cut out squares");
static const spur__transform mixup_transform = {
    {"mixup", "blend pairs of samples and their classes", &spur__augment_options},
    SPUR__PHASE_BATCH,
    mixup_enabled,
    NULL};
static const spur__transform cutmix_transform = {
    {"cutmix", "paste a part of another sample, mixing the classes", &spur__augment_options},
    SPUR__PHASE_BATCH,
    cutmix_enabled,
    NULL};

static const spur__kind *const kinds[] = {
    &resized_crop_transform.kind,  &random_crop_transform.kind,  &horizontal_flip_transform.kind,
    &vertical_flip_transform.kind, &affine_transform.kind,       &rotation_transform.kind,
    &perspective_transform.kind,   &color_jitter_transform.kind, &grayscale_transform.kind,
    &gaussian_blur_transform.kind, &erasing_transform.kind,      &cutout_transform.kind,
    &mixup_transform.kind,         &cutmix_transform.kind,
};

const spur__family spur__transform_family = {
    .name = "augment",
    .title = "Transforms",
    .kinds = kinds,
    .count = sizeof kinds / sizeof kinds[0],
};

void spur__canvas_swap(spur__canvas *canvas) {
    spur__pixels *swap = canvas->pixels;
    canvas->pixels = canvas->spare;
    canvas->spare = swap;
}

void spur__canvas_swap_mask(spur__canvas *canvas) {
    spur__image *swap = canvas->mask;
    canvas->mask = canvas->spare_mask;
    canvas->spare_mask = swap;
}

bool spur__augment_soft(const spur__augment *augment) {
    return augment->mixup > 0 || augment->cutmix > 0;
}

spur_status spur__augment_apply(const spur__augment *augment, spur__phase phase,
                                spur__canvas *canvas, spur_error *err) {
    for (size_t i = 0; i < spur__transform_family.count; i++) {
        const spur__transform *transform = (const spur__transform *)kinds[i];
        if (transform->phase != phase || !transform->apply || !transform->enabled(augment))
            continue;
        SPUR__TRY(transform->apply(augment, canvas, err));
    }
    return SPUR_OK;
}

/* A list must be empty or have between `least` and `most` numbers. */
static spur_status check_count(const spur__floats *list, size_t least, size_t most,
                               const char *name, spur_error *err) {
    if (list->count == 0 || (list->count >= least && list->count <= most)) return SPUR_OK;
    if (least == most)
        return spur__fail(err, SPUR_E_RANGE, "augment.%s: %zu numbers, expected %zu", name,
                          list->count, least);
    return spur__fail(err, SPUR_E_RANGE, "augment.%s: %zu numbers, expected %zu to %zu", name,
                      list->count, least, most);
}

/* The same for a range: two numbers in order. */
static spur_status check_range(const spur__floats *list, bool needed, const char *name,
                               spur_error *err) {
    if (list->count == 0 && !needed) return SPUR_OK;
    if (list->count == 2 && list->values[0] <= list->values[1]) return SPUR_OK;
    return spur__fail(err, SPUR_E_RANGE, "augment.%s: expected two numbers, the smaller one first",
                      name);
}

/* One number r for (-r, r), or a range. */
static spur_status check_symmetric(const spur__floats *list, const char *name, spur_error *err) {
    SPUR__TRY(check_count(list, 1, 2, name, err));
    if (list->count == 1 && list->values[0] < 0)
        return spur__fail(err, SPUR_E_RANGE, "augment.%s: found %g, expected at least 0", name,
                          list->values[0]);
    return list->count == 2 ? check_range(list, true, name, err) : SPUR_OK;
}

static spur_status check_task(const spur__augment *augment, const spur_data_info *info,
                              spur_error *err) {
    bool table = info->height == 1 && info->width == 1;
    if (spur__augment_soft(augment) && info->task != SPUR_CLASSIFICATION)
        return spur__fail(err, SPUR_E_UNSUPPORTED,
                          "augment.%s: needs one class per sample, which these data do not have",
                          augment->mixup > 0 ? "mixup" : "cutmix");
    for (size_t i = 0; i < spur__transform_family.count; i++) {
        const spur__transform *transform = (const spur__transform *)kinds[i];
        if (table && transform != &mixup_transform && transform->enabled(augment))
            return spur__fail(err, SPUR_E_UNSUPPORTED, "augment.%s: these data are no pictures",
                              transform->kind.name);
    }
    return SPUR_OK;
}

spur_status spur__augment_check(const spur__augment *augment, const spur_data_info *info,
                                spur_error *err) {
    SPUR__TRY(check_range(&augment->resized_crop, false, "resized_crop", err));
    SPUR__TRY(check_range(&augment->resized_crop_ratio, true, "resized_crop_ratio", err));
    SPUR__TRY(check_symmetric(&augment->affine, "affine", err));
    SPUR__TRY(check_count(&augment->affine_translate, 2, 2, "affine_translate", err));
    SPUR__TRY(check_range(&augment->affine_scale, false, "affine_scale", err));
    SPUR__TRY(check_symmetric(&augment->affine_shear, "affine_shear", err));
    SPUR__TRY(check_symmetric(&augment->rotation, "rotation", err));
    SPUR__TRY(check_count(&augment->perspective, 1, 2, "perspective", err));
    SPUR__TRY(check_count(&augment->color_jitter, 1, 4, "color_jitter", err));
    if (augment->color_jitter.count == 4 && augment->color_jitter.values[3] > 0.5)
        return spur__fail(err, SPUR_E_RANGE, "augment.color_jitter: hue %g, expected at most 0.5",
                          augment->color_jitter.values[3]);
    if (augment->gaussian_blur > 0 && augment->gaussian_blur % 2 == 0)
        return spur__fail(err, SPUR_E_RANGE, "augment.gaussian_blur: %d is even, expected odd",
                          (int)augment->gaussian_blur);
    SPUR__TRY(check_range(&augment->gaussian_blur_sigma, true, "gaussian_blur_sigma", err));
    SPUR__TRY(check_range(&augment->erasing_scale, true, "erasing_scale", err));
    SPUR__TRY(check_range(&augment->erasing_ratio, true, "erasing_ratio", err));
    return check_task(augment, info, err);
}
