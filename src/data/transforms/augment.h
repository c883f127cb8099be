/* SPDX-License-Identifier: MIT
 *
 * Augmentation: one table of transforms with the parameters and the meaning of torchvision, and one
 * options struct, the [augment] section. Transforms are applied in the order of the table. What they
 * do depends on (seed, epoch, sample) alone.
 *
 * Pictures and masks change together; places that a transform uncovers become `fill` in the picture
 * and the ignored label (class 0 where there is none) in the mask.
 */
#ifndef SPUR_DATA_TRANSFORMS_AUGMENT_H
#define SPUR_DATA_TRANSFORMS_AUGMENT_H

#include <spur/data.h>

#include "base/options.h"
#include "base/random.h"
#include "data/transforms/resize.h"

typedef struct spur__augment {
    spur__floats resized_crop, resized_crop_ratio;
    int64_t random_crop, random_crop_mode;
    double horizontal_flip, vertical_flip;
    spur__floats affine, affine_translate, affine_scale, affine_shear;
    spur__floats rotation;
    spur__floats perspective;
    double fill;
    spur__floats color_jitter;
    double grayscale;
    int64_t gaussian_blur;
    spur__floats gaussian_blur_sigma;
    double gaussian_blur_p;
    double erasing;
    spur__floats erasing_scale, erasing_ratio;
    int64_t erasing_fill;
    int64_t cutout, cutout_holes;
    double mixup, cutmix;
} spur__augment;

/* Rows of the [augment] section; they describe spur__augment. */
extern const spur__options spur__augment_options;

/* What a transform works on. A transform that cannot work in place writes to the spare one and
 * calls spur__canvas_swap. */
typedef struct spur__canvas {
    spur__pixels *pixels, *spare;
    spur__image *mask, *spare_mask; /* NULL when there is no mask */
    float fill;
    uint8_t mask_fill;
    spur__rng *rng;
} spur__canvas;

void spur__canvas_swap(spur__canvas *canvas);
void spur__canvas_swap_mask(spur__canvas *canvas);

/* When a transform is applied. */
typedef enum spur__phase {
    SPUR__PHASE_CROP, /* instead of the plain resize */
    SPUR__PHASE_PIXELS, /* after the resize, on values 0..1 */
    SPUR__PHASE_NORMALIZED, /* after the normalization, in place, pictures only */
    SPUR__PHASE_BATCH /* on whole batches (mix.h) */
} spur__phase;

typedef struct spur__transform {
    spur__kind kind;
    spur__phase phase;
    bool (*enabled)(const spur__augment *augment);
    spur_status (*apply)(const spur__augment *augment, spur__canvas *canvas, spur_error *err);
} spur__transform;

/* The transforms, family "augment". Kinds are spur__transform. */
extern const spur__family spur__transform_family;

/* Checks what single options cannot (lengths of lists, order of ranges, what the data allow). */
spur_status spur__augment_check(const spur__augment *augment, const spur_data_info *info,
                                spur_error *err);

/* True when batches carry soft targets: mixup or cutmix is on. */
bool spur__augment_soft(const spur__augment *augment);

/* Applies every enabled transform of one phase. */
spur_status spur__augment_apply(const spur__augment *augment, spur__phase phase,
                                spur__canvas *canvas, spur_error *err);

/* The part of a picture that resized_crop takes; the whole when it is off. */
spur__box spur__augment_box(const spur__augment *augment, int height, int width, spur__rng *rng);

#endif
