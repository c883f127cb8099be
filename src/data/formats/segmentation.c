/* SPDX-License-Identifier: MIT
 *
 * segmentation: images/ and masks/ with the same stems (any endings), below train/, val/ and test/
 * or at once; whole or cut into tiles. Of a tiled set whole files are kept, if `cache` allows it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/formats/folder.h"
#include "data/formats/masks.h"
#include "data/tiles.h"

typedef struct segmentation_options {
    spur__data_common common;
    int64_t masks, classes, first_class, ignore_index, tile, overlap;
    spur__ints positive;
    char *colors, *class_names;
} segmentation_options;

static const spur__option rows[] = {
    SPUR__DATA_ROW_PATH("folder with images and masks, or with train, val and test above them"),
    SPUR__DATA_ROW_SIZE("0",
                        "pictures are resized to HEIGHTxWIDTH; 0: to the size of the first one (or "
                        "of a tile)"),
    SPUR__DATA_ROW_CHANNELS("0"),
    SPUR__ROW(CHOICE, segmentation_options, masks, "index", .choices = "index|binary|color",
              .help = "a value is a class; 0 and 255 are classes 0 and 1; a colour is a class"),
    SPUR__ROW(INT, segmentation_options, classes, "0", .min = 0, .max = 256,
              .help = "number of classes; 0: as found in the masks"),
    SPUR__ROW(INT, segmentation_options, first_class, "0", .min = 0, .max = 254,
              .help = "mask value of class 0; smaller ones are ignored, if ignore_index is set"),
    SPUR__ROW(INT, segmentation_options, ignore_index, "none", .min = 0, .max = 255,
              .choices = "none", .help = "mask value of pixels that do not count"),
    SPUR__ROW(INTS, segmentation_options, positive, "", .min = 0, .max = 255,
              .help = "these mask values are class 1, all others class 0"),
    SPUR__ROW(TEXT, segmentation_options, colors, "", .check = spur__check_colors,
              .help = "for masks = color: RRGGBB of class 0, 1, ..."),
    SPUR__ROW(TEXT, segmentation_options, class_names, "",
              .help = "names of the classes, separated by commas"),
    SPUR__ROW(INT, segmentation_options, tile, "0", .min = 0, .max = 8192, .unit = "pixels",
              .help = "cut pictures into square tiles of this side; 0: whole pictures"),
    SPUR__ROW(INT, segmentation_options, overlap, "0", .min = 0, .max = 4096, .unit = "pixels",
              .help = "by how much neighbouring tiles overlap"),
    SPUR__DATA_ROW_VAL_SPLIT,
    SPUR__DATA_ROW_VERIFY,
    SPUR__DATA_ROW_CACHE,
    SPUR__DATA_ROWS_LOADER,
};

static const spur__options table = SPUR__OPTIONS(rows, segmentation_options);

/* One picture with its mask as decoded. */
typedef struct pair {
    spur__image image, mask;
    bool ready;
} pair;

typedef struct segmentation_state {
    spur__names images, masks; /* paths; picture i has mask i */
    spur__mask_rule rule;
    spur__tiling *tilings; /* [images], when tiled */
    uint32_t *first; /* [images + 1] first item of each picture, when tiled */
    pair *kept; /* [images], when tiled and small enough */
    pthread_mutex_t lock;
    bool has_lock;
} segmentation_state;

/* ---- finding pairs --------------------------------------------------------------------------- */

static size_t stem_length(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}

/* By stem, then by the whole name: names in byte order need not have their stems in order. */
static int compare_stems(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t n = stem_length(x), m = stem_length(y);
    int order = memcmp(x, y, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static int compare_names(const void *a, const void *b) {
    int order = compare_stems(a, b);
    return order ? order : strcmp(*(char *const *)a, *(char *const *)b);
}

/* The place of the only mask with the stem of a picture; masks are in the order of their stems. */
static spur_status find_mask(const spur__names *masks, const char *folder, const char *image,
                             size_t *out, spur_error *err) {
    char *const *found = masks->count ? bsearch(&image, masks->names, masks->count,
                                                sizeof *masks->names, compare_stems)
                                      : NULL;
    if (!found)
        return spur__fail(err, SPUR_E_NOTFOUND, "%s/images/%s: no mask: expected %s/masks/%.*s.png",
                          folder, image, folder, (int)stem_length(image), image);
    size_t at = (size_t)(found - masks->names);
    while (at > 0 && compare_stems(&image, &masks->names[at - 1]) == 0) at--;
    *out = at;
    if (at + 1 == masks->count || compare_stems(&image, &masks->names[at + 1]) != 0) return SPUR_OK;
    return spur__fail(err, SPUR_E_EXISTS, "%s/masks: two masks for images/%s: %s and %s", folder,
                      image, masks->names[at], masks->names[at + 1]);
}

static spur_status add_pair(segmentation_state *s, const char *images, const char *masks,
                            const char *image, const char *mask, spur_error *err) {
    SPUR__TRY(spur__names_take(&s->images, spur__path_join(images, image), err));
    return spur__names_take(&s->masks, spur__path_join(masks, mask), err);
}

/* The pictures and masks of a split's folder, by their names. */
typedef struct pairing {
    const char *folder, *images, *masks; /* paths: folder/images, folder/masks */
    spur__names left, right; /* of the pictures; of the masks, sorted for find_mask */
    const char **owners; /* [right.count] the picture of each mask so far */
    size_t others; /* files beside the pictures that are none, by their endings */
} pairing;

/* Gives every picture its mask. */
static spur_status match_names(segmentation_state *s, pairing *p, spur_error *err) {
    for (size_t i = 0; i < p->left.count; i++) {
        const char *image = p->left.names[i];
        size_t mask = 0;
        SPUR__TRY(find_mask(&p->right, p->folder, image, &mask, err));
        if (p->owners[mask])
            return spur__fail(err, SPUR_E_EXISTS, "%s: %s and %s have the same stem", p->images,
                              p->owners[mask], image);
        p->owners[mask] = image;
        SPUR__TRY(add_pair(s, p->images, p->masks, image, p->right.names[mask], err));
    }
    return SPUR_OK;
}

static spur_status list_names(pairing *p, spur_error *err) {
    SPUR__TRY(spur__list_files(p->images, spur__picture_endings, &p->left, &p->others, err));
    SPUR__TRY(spur__list_files(p->masks, spur__picture_endings, &p->right, NULL, err));
    if (p->left.count == 0) return spur__no_files(p->images, "JPEG or PNG files", p->others, err);
    p->owners = spur__calloc(p->right.count, sizeof *p->owners);
    if (!p->owners) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    if (p->right.count > 1)
        qsort(p->right.names, p->right.count, sizeof *p->right.names, compare_names);
    return SPUR_OK;
}

static spur_status pair_names(spur_data *data, pairing *p, spur_error *err) {
    spur_status status = list_names(p, err);
    if (status == SPUR_OK) status = match_names(data->state, p, err);
    if (status == SPUR_OK) spur__note_others(data, p->images, p->others);
    if (status == SPUR_OK && p->right.count > p->left.count)
        spur__data_note(data, "%s: left out %zu mask%s without a picture", p->masks,
                        p->right.count - p->left.count,
                        p->right.count - p->left.count == 1 ? "" : "s");
    spur__free(p->owners);
    spur__names_free(&p->left);
    spur__names_free(&p->right);
    return status;
}

static spur_status scan_pairs(spur_data *data, const char *folder, spur_error *err) {
    char *images = spur__path_join(folder, "images"), *masks = spur__path_join(folder, "masks");
    spur_status status = SPUR_OK;
    if (!images || !masks)
        status = spur__fail(err, SPUR_E_MEMORY, "out of memory");
    else if (!spur__is_folder(images) || !spur__is_folder(masks))
        status =
            spur__fail(err, SPUR_E_NOTFOUND, "%s: no folder %s in it, expected images and masks",
                       folder, spur__is_folder(images) ? "masks" : "images");
    else
        status =
            pair_names(data, &(pairing){.folder = folder, .images = images, .masks = masks}, err);
    spur__free(images);
    spur__free(masks);
    return status;
}

/* ---- items ----------------------------------------------------------------------------------- */

/* One item per tile of picture i; its size comes from the header. */
static spur_status add_tiles(spur_data *data, size_t i, spur_split split, spur__bytes *bytes,
                             spur_error *err) {
    const segmentation_options *o = data->options;
    segmentation_state *s = data->state;
    spur__image shape = {0};
    SPUR__TRY(spur__image_read_header(s->images.names[i], bytes, &shape, err));
    int overlap = split == SPUR_SPLIT_TRAIN ? (int)o->overlap : 0;
    s->tilings[i] =
        spur__tiling_make(shape.height, shape.width, (int)o->tile, (int)o->tile, overlap);
    s->first[i] = (uint32_t)data->item_count;
    for (int k = 0; k < spur__tiling_count(&s->tilings[i]); k++)
        SPUR__TRY(spur__data_add(data, split, 0, (uint32_t)i, err));
    s->first[i + 1] = (uint32_t)data->item_count;
    return SPUR_OK;
}

static spur_status add_items(spur_data *data, size_t from, spur_split split, spur_error *err) {
    const segmentation_options *o = data->options;
    segmentation_state *s = data->state;
    spur__bytes bytes = {0};
    spur_status status = SPUR_OK;
    if (o->tile) {
        size_t n = s->images.count;
        void *tilings = spur__realloc_array(s->tilings, n, sizeof *s->tilings);
        s->tilings = tilings ? tilings : s->tilings;
        void *first = spur__realloc_array(s->first, n + 1, sizeof *s->first);
        s->first = first ? first : s->first;
        if (!tilings || !first) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    }
    for (size_t i = from; i < s->images.count && status == SPUR_OK; i++)
        status = o->tile ? add_tiles(data, i, split, &bytes, err)
                         : spur__data_add(data, split, 0, (uint32_t)i, err);
    spur__bytes_free(&bytes);
    return status;
}

/* Decides whether the decoded files of a tiled set are kept. */
static spur_status plan_keeping(spur_data *data, spur_error *err) {
    segmentation_state *s = data->state;
    const segmentation_options *o = data->options;
    double bytes = 0;
    if (!o->tile) return SPUR_OK;
    for (size_t i = 0; i < s->images.count; i++)
        bytes += (double)s->tilings[i].height * s->tilings[i].width * (data->info.channels + 1);
    data->keeps_itself = true;
    data->tile = (int)o->tile;
    data->overlap = (int)o->overlap;
    if (bytes > (double)o->common.cache * (1 << 20)) return SPUR_OK;
    s->kept = spur__calloc(s->images.count, sizeof *s->kept);
    return s->kept ? SPUR_OK : spur__fail(err, SPUR_E_MEMORY, "out of memory");
}

/* The rule of the masks, after the checks that need no file. */
static spur_status make_rule(spur_data *data, spur_error *err) {
    const segmentation_options *o = data->options;
    segmentation_state *s = data->state;
    if (o->overlap >= o->tile && o->overlap > 0)
        return spur__fail(err, SPUR_E_RANGE, "data.overlap: %d, expected less than data.tile (%d)",
                          (int)o->overlap, (int)o->tile);
    spur__mask_options options = {o->masks,        o->classes,  o->first_class,
                                  o->ignore_index, o->positive, o->colors};
    SPUR__TRY(spur__mask_rule_init(&s->rule, &options, err));
    data->info.ignore_index = s->rule.ignore;
    return SPUR_OK;
}

static spur_status set_shape(spur_data *data, spur_error *err) {
    const segmentation_options *o = data->options;
    const segmentation_state *s = data->state;
    SPUR__TRY(spur__data_set_shape(data, s->images.names[0], err));
    if (o->tile && !o->common.size.height) data->info.height = data->info.width = (int)o->tile;
    return plan_keeping(data, err);
}

static spur_status segmentation_open(spur_data *data, spur_error *err) {
    segmentation_state *s = data->state = spur__calloc(1, sizeof *s);
    if (!s) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    pthread_mutex_init(&s->lock, NULL);
    s->has_lock = true;
    data->info.task = SPUR_SEGMENTATION;
    SPUR__TRY(make_rule(data, err));
    SPUR__TRY(spur__check_path(data->common->path, err));
    for (int split = 0; split < SPUR_SPLIT_COUNT; split++) {
        char *folder = NULL;
        size_t before = s->images.count;
        SPUR__TRY(spur__split_folder(data->common->path, (spur_split)split, &folder, err));
        if (!folder) continue;
        spur_status status = scan_pairs(data, folder, err);
        spur__free(folder);
        if (status != SPUR_OK) return status;
        SPUR__TRY(add_items(data, before, (spur_split)split, err));
    }
    return set_shape(data, err);
}

/* ---- reading --------------------------------------------------------------------------------- */

static spur_status check_sizes(const segmentation_state *s, size_t i, const spur__image *image,
                               const spur__image *mask, spur_error *err) {
    if (mask->height == image->height && mask->width == image->width) return SPUR_OK;
    return spur__fail(err, SPUR_E_SHAPE, "%s: a mask of %d x %d pixels, but %s has %d x %d",
                      s->masks.names[i], mask->height, mask->width, s->images.names[i],
                      image->height, image->width);
}

static spur_status read_pair(const spur_data *data, size_t i, spur__bytes *file, spur__image *image,
                             spur__image *mask, spur_error *err) {
    const segmentation_state *s = data->state;
    const char *name = s->masks.names[i];
    SPUR__TRY(spur__image_read(s->images.names[i], SPUR__DECODE_PICTURE, file, image, err));
    SPUR__TRY(spur__image_convert(image, data->info.channels, err));
    SPUR__TRY(spur__bytes_read(file, name, err));
    SPUR__TRY(spur__mask_decode(&s->rule, file, name, mask, err));
    return check_sizes(s, i, image, mask, err);
}

/* The picture that an item belongs to. */
static size_t picture_of(const segmentation_state *s, uint32_t item) {
    size_t low = 0, high = s->images.count - 1;
    if (!s->first) return item;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (s->first[middle] <= item)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* Cuts a tile out; what lies beyond a small picture is black, and ignored in the mask. */
static spur_status cut(const segmentation_state *s, size_t i, uint32_t item, const pair *whole,
                       spur__sample *out, spur_error *err) {
    spur__box box = spur__tiling_box(&s->tilings[i], (int)(item - s->first[i]));
    uint8_t fill = (uint8_t)(s->rule.ignore >= 0 ? s->rule.ignore : 0);
    SPUR__TRY(spur__image_cut(&whole->image, box, 0, &out->image, err));
    return spur__image_cut(&whole->mask, box, fill, &out->mask, err);
}

static spur_status read_tile(const spur_data *data, uint32_t item, spur__sample *out,
                             spur_error *err) {
    segmentation_state *s = data->state;
    size_t i = picture_of(s, item);
    pair whole = {0};
    spur_status status;
    if (s->kept) {
        pthread_mutex_lock(&s->lock);
        bool ready = s->kept[i].ready;
        pthread_mutex_unlock(&s->lock);
        if (ready) return cut(s, i, item, &s->kept[i], out, err);
    }
    status = read_pair(data, i, &out->file, &whole.image, &whole.mask, err);
    if (status == SPUR_OK) status = cut(s, i, item, &whole, out, err);
    if (status == SPUR_OK && s->kept) {
        pthread_mutex_lock(&s->lock);
        if (!s->kept[i].ready) {
            s->kept[i] = whole;
            s->kept[i].ready = true;
            memset(&whole, 0, sizeof whole);
        }
        pthread_mutex_unlock(&s->lock);
    }
    spur__image_free(&whole.image);
    spur__image_free(&whole.mask);
    return status;
}

static spur_status segmentation_read(const spur_data *data, uint32_t item, spur__sample *out,
                                     spur_error *err) {
    const segmentation_state *s = data->state;
    if (s->first) return read_tile(data, item, out, err);
    return read_pair(data, item, &out->file, &out->image, &out->mask, err);
}

static spur_status segmentation_read_whole(const spur_data *data, uint32_t item, spur__sample *out,
                                           spur_error *err) {
    return read_pair(data, picture_of(data->state, item), &out->file, &out->image, &out->mask, err);
}

static spur_status segmentation_check(const spur_data *data, uint32_t item, spur__bytes *bytes,
                                      spur_error *err) {
    const segmentation_state *s = data->state;
    size_t i = picture_of(s, item);
    spur__image image = {0}, mask = {0};
    if (item > 0 && picture_of(s, item - 1) == i) return SPUR_OK; /* another tile of it */
    SPUR__TRY(spur__image_read_header(s->images.names[i], bytes, &image, err));
    SPUR__TRY(spur__image_read_header(s->masks.names[i], bytes, &mask, err));
    return check_sizes(s, i, &image, &mask, err);
}

static const char *segmentation_file(const spur_data *data, uint32_t item) {
    const segmentation_state *s = data->state;
    return s->images.names[picture_of(s, item)];
}

static const char *segmentation_mask_file(const spur_data *data, uint32_t item) {
    const segmentation_state *s = data->state;
    return s->masks.names[picture_of(s, item)];
}

/* ---- classes --------------------------------------------------------------------------------- */

/* Names from "a, b, c"; `count` must fit. The list points into *copy, new memory. */
static spur_status split_names(const char *text, size_t classes, char **copy, const char **names,
                               spur_error *err) {
    size_t count = 0;
    *copy = spur__strdup(text);
    if (!*copy) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (char *p = *copy; p;) {
        char *comma = strchr(p, ',');
        if (comma) *comma = '\0';
        if (count < classes) names[count] = spur__trim(p);
        count++;
        p = comma ? comma + 1 : NULL;
    }
    if (count == classes) return SPUR_OK;
    return spur__fail(
        err, SPUR_E_RANGE,
        "data.class_names: %zu names, expected %zu, one for each class (data.classes)", count,
        classes);
}

static spur_status segmentation_audit(spur_data *data, spur_error *err) {
    const segmentation_options *o = data->options;
    segmentation_state *s = data->state;
    const char *names[256] = {0};
    char *copy = NULL;
    int classes;
    SPUR__TRY(spur__mask_audit(&s->rule, (const uint64_t(*)[256])data->statistics.values,
                               data->common->path, &classes, err));
    spur__mask_rule_settle(&s->rule, classes);
    spur_status status = SPUR_OK;
    if (o->class_names[0]) status = split_names(o->class_names, (size_t)classes, &copy, names, err);
    if (status == SPUR_OK) status = spur__data_set_classes(data, (size_t)classes, names, err);
    spur__free(copy);
    return status;
}

static void segmentation_close(spur_data *data) {
    segmentation_state *s = data->state;
    if (!s) return;
    for (size_t i = 0; s->kept && i < s->images.count; i++) {
        spur__image_free(&s->kept[i].image);
        spur__image_free(&s->kept[i].mask);
    }
    if (s->has_lock) pthread_mutex_destroy(&s->lock);
    spur__names_free(&s->images);
    spur__names_free(&s->masks);
    spur__free(s->tilings);
    spur__free(s->first);
    spur__free(s->kept);
    spur__free(s);
}

extern const spur__dataset_kind spur__data_segmentation;
const spur__dataset_kind spur__data_segmentation = {
    .kind = {"segmentation", "pictures and masks in two folders", &table},
    .open = segmentation_open,
    .read = segmentation_read,
    .read_whole = segmentation_read_whole,
    .close = segmentation_close,
    .file = segmentation_file,
    .check = segmentation_check,
    .audit = segmentation_audit,
    .label_file = segmentation_mask_file,
};
