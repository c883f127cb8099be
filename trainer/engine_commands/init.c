/* SPDX-License-Identifier: MIT
 *
 * spur init FOLDER: looks at a folder of data and writes a commented INI file to start from.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <spur/data.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/document.h"
#include "data/dataset.h"
#include "data/formats/folder.h"
#include "data/codecs/image.h"
#include "engine_commands/setup.h"
#include "output/text.h"

static int run_init(int argc, char **argv);

extern const command command_init;
const command command_init = {
    .name = "init",
    .usage = "FOLDER [-o FILE.ini]",
    .summary = "Write a commented INI file for a folder of data, after a look at it.",
    .help = "  -o, --output FILE\n"
            "             where to write (default: train.ini); a file that is there stays\n\n"
            "Knows folders of pictures by class, images/ with masks/, MNIST and CIFAR-10\n"
            "files, tables (FILE.csv) and sounds by class.",
    .run = run_init,
};

typedef struct finding {
    const char *folder;
    const char *format;
    const char *extra[2][2]; /* further options of [data] that were needed */
    size_t extras;
    spur__str colors; /* of coloured masks, as the option takes them */
    spur_data *data; /* opened without checking every file */
} finding;

static bool has(const char *folder, const char *name) {
    char *path = spur__path_join(folder, name);
    bool there = path && spur__exists(path);
    spur__free(path);
    return there;
}

static bool is_idx(const char *name) {
    return strstr(name, "idx3-ubyte") != NULL;
}

static bool is_batch(const char *name) {
    return strstr(name, "data_batch") != NULL;
}

static bool is_sound(const char *name) {
    static const char *const endings[] = {".wav", NULL};
    return spur__has_ending(name, endings);
}

static bool is_table(const char *name) {
    static const char *const endings[] = {".csv", NULL};
    return spur__has_ending(name, endings);
}

/* Any file with such a name in the folder, or in folders below it so many levels deep. */
static bool contains(const char *folder, bool (*fits)(const char *), int depth) {
    DIR *dir = opendir(folder);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        found = fits(entry->d_name);
        char *path = depth > 0 && !found ? spur__path_join(folder, entry->d_name) : NULL;
        if (path) found = contains(path, fits, depth - 1);
        spur__free(path);
    }
    if (dir) closedir(dir);
    return found;
}

/* The word in the name of a folder that holds masks, as people call it. */
static bool is_mask_word(const char *name) {
    static const char *const words[] = {"mask", "label", "annotation", "segmentation", "gt", NULL};
    for (int i = 0; words[i]; i++) {
        size_t n = strlen(words[i]);
        if (strncasecmp(name, words[i], n) == 0 && (!name[n] || strcasecmp(name + n, "s") == 0))
            return true;
    }
    return false;
}

/* Pictures and masks under other names than images and masks would be taken for two classes. */
static spur_status check_folder_names(const char *folder, spur_error *err) {
    spur__names names = {0};
    spur_status status = spur__list_folders(folder, &names, err);
    for (size_t i = 0; status == SPUR_OK && names.count == 2 && i < 2; i++)
        if (is_mask_word(names.names[i]))
            status =
                spur__fail(err, SPUR_E_FORMAT,
                           "%s: the folders %s and %s look like pictures and their masks: call "
                           "them images and masks",
                           folder, names.names[1 - i], names.names[i]);
    spur__names_free(&names);
    return status;
}

static const char *guess_format(const char *folder) {
    if (is_table(folder) || has(folder, "train.csv")) return "csv";
    if (contains(folder, is_idx, 0)) return "mnist";
    if (contains(folder, is_batch, 1)) return "cifar10";
    if (has(folder, "masks") || has(folder, "train/masks")) return "segmentation";
    if (contains(folder, is_sound, 2)) return "audio_folder";
    return "image_folder";
}

/* Adds an option if the format has it. */
static size_t add_known(const char *format, const char **options, size_t n, const char *key,
                        const char *value) {
    const spur__kind *kind = spur__family_find(&spur__dataset_family, format, NULL);
    if (!kind || !spur__options_find(kind->options, key)) return n;
    options[n++] = key;
    options[n++] = value;
    return n;
}

static spur_status try_open(finding *f, spur_error *err) {
    const char *options[16] = {"path", f->folder};
    bool masks = strcmp(f->format, "segmentation") == 0;
    size_t n = add_known(f->format, options, 2, "verify", masks ? "full" : "header");
    n = add_known(f->format, options, n, "normalization", "none");
    for (size_t i = 0; i < f->extras; i++) {
        options[n++] = f->extra[i][0];
        options[n++] = f->extra[i][1];
    }
    options[n] = NULL;
    return spur_data_open(&f->data, f->format, options, err);
}

enum { MOST_COLORS = 64 };

static bool add_color(uint32_t *colors, size_t *count, const uint8_t *rgb) {
    uint32_t color = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
    for (size_t k = *count; k-- > 0;)
        if (colors[k] == color) return true;
    if (*count == MOST_COLORS) return false;
    colors[(*count)++] = color;
    return true;
}

static int by_value(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* The colours of all masks in a folder, "000000, ff0000, ..."; none when there are too many, or one. */
static spur_status collect_colors(const char *folder, spur__str *out, spur_error *err) {
    uint32_t colors[MOST_COLORS];
    size_t count = 0;
    spur__bytes bytes = {0};
    spur__image mask = {0};
    spur__names names = {0};
    bool few = true;
    spur_status status = spur__list_files(folder, spur__picture_endings, &names, NULL, err);
    for (size_t i = 0; status == SPUR_OK && few && i < names.count; i++) {
        char *path = spur__path_join(folder, names.names[i]);
        status = path ? spur__image_read(path, SPUR__DECODE_PICTURE, &bytes, &mask, err)
                      : spur__fail(err, SPUR_E_MEMORY, "out of memory");
        spur__free(path);
        if (status == SPUR_OK) status = spur__image_convert(&mask, 3, err);
        for (size_t p = 0; status == SPUR_OK && few && p < spur__image_bytes(&mask); p += 3)
            few = add_color(colors, &count, mask.data + p);
    }
    qsort(colors, count, sizeof *colors, by_value);
    for (size_t k = 0; few && count > 1 && k < count; k++)
        spur__str_printf(out, "%s%06x", k ? ", " : "", colors[k]);
    spur__names_free(&names);
    spur__image_free(&mask);
    spur__bytes_free(&bytes);
    return status;
}

static void add_extra(finding *f, const char *key, const char *value) {
    f->extra[f->extras][0] = key;
    f->extra[f->extras++][1] = value;
}

/* Makes the masks' colours their classes; *found is false when colours are no classes. */
static spur_status try_colors(finding *f, bool *found, spur_error *err) {
    char *masks = spur__path_join(f->folder, has(f->folder, "masks") ? "masks" : "train/masks");
    spur_status status = masks ? collect_colors(masks, &f->colors, err)
                               : spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__free(masks);
    *found = status == SPUR_OK && *spur__str_text(&f->colors);
    if (!*found) return status;
    add_extra(f, "masks", "color");
    add_extra(f, "colors", spur__str_text(&f->colors));
    return try_open(f, err);
}

/* How masks may be read, the usual first: class indices from 0 or from 1, both with or without a
 * border of 255, black and white; then colours. */
static const char *const ways[][2][2] = {
    {{NULL}},
    {{"ignore_index", "255"}},
    {{"first_class", "1"}},
    {{"first_class", "1"}, {"ignore_index", "255"}},
    {{"masks", "binary"}},
};

enum { COLORS = sizeof ways / sizeof ways[0], BINARY = COLORS - 1 };

static spur_status try_way(finding *f, int way, bool *found, spur_error *err) {
    *found = true;
    f->extras = 0;
    if (way == COLORS) return try_colors(f, found, err);
    for (int i = 0; i < 2 && ways[way][i][0]; i++) add_extra(f, ways[way][i][0], ways[way][i][1]);
    return try_open(f, err);
}

/* Opens the masks in the way that suits them. A "class" for every grey is no good reading. Every grey
 * is black or white, and every colour a colour: what stops those ways is no matter of values, and is
 * told. */
static spur_status look_at_masks(finding *f, spur_error *err) {
    for (int way = 0; way <= COLORS; way++) {
        bool found;
        spur_error why = {.status = SPUR_OK};
        spur_status status = try_way(f, way, &found, &why);
        if (!found && status == SPUR_OK) break;
        size_t classes = status == SPUR_OK ? spur_data_describe(f->data)->classes : 0;
        if (classes > 1 && classes <= MOST_COLORS) return status;
        if (status == SPUR_OK) {
            spur__fail(&why, SPUR_E_RANGE, "%s: masks of %zu classes, expected 2 to %d", f->folder,
                       classes, MOST_COLORS);
            spur_data_close(f->data);
        }
        f->data = NULL;
        if (way == 0 || (way >= BINARY && why.status != SPUR_E_RANGE)) *err = why;
    }
    return err->status;
}

static spur_status look(finding *f, spur_error *err) {
    if (!document_can_hold(f->folder))
        return spur__fail(err, SPUR_E_FORMAT,
                          "%s: this path could not stand in an INI file (it holds a line break, a "
                          "comment sign after a blank, or is not UTF-8)",
                          f->folder);
    f->format = guess_format(f->folder);
    if (strcmp(f->format, "segmentation") == 0) return look_at_masks(f, err);
    if (strcmp(f->format, "image_folder") == 0) {
        char *training = NULL;
        SPUR__TRY(spur__check_path(f->folder, err));
        SPUR__TRY(spur__split_folder(f->folder, SPUR_SPLIT_TRAIN, &training, err));
        spur_status status = check_folder_names(training, err);
        spur__free(training);
        SPUR__TRY(status);
    }
    return try_open(f, err);
}

static void put_data(const finding *f, const spur_data_info *info, spur__str *out) {
    spur__str_printf(out,
                     "[data]\nformat = %s\npath = %s\n"
                     "# found: %zu training, %zu validation, %zu test samples",
                     f->format, f->folder, info->samples[SPUR_SPLIT_TRAIN],
                     info->samples[SPUR_SPLIT_VALIDATION], info->samples[SPUR_SPLIT_TEST]);
    if (info->height * info->width > 1)
        spur__str_printf(out, " of %dx%d, %d channel%s", info->height, info->width, info->channels,
                         info->channels == 1 ? "" : "s");
    if (info->classes) spur__str_printf(out, "; %zu classes:", info->classes);
    for (size_t i = 0; i < info->classes && i < 12; i++)
        spur__str_printf(out, "%s %s", i ? "," : "", info->class_names[i]);
    spur__str_puts(out, info->classes > 12 ? ", ...\n" : "\n");
    for (size_t i = 0; i < f->extras; i++)
        spur__str_printf(out, "%s = %s\n", f->extra[i][0], f->extra[i][1]);
}

/* Large pictures are made smaller: a first training should not take a day. */
static void put_size(const finding *f, const spur_data_info *info, spur__str *out) {
    if (strcmp(f->format, "csv") == 0 || info->height * info->width <= 1) return;
    int limit = info->task == SPUR_SEGMENTATION ? 256 : 128;
    double shrink = 1;
    while (info->height / shrink > limit || info->width / shrink > limit) shrink *= 2;
    if (strcmp(f->format, "audio_folder") == 0) return;
    spur__str_printf(out, "# pictures are resized to height x width\nsize = %dx%d\n",
                     (int)(info->height / shrink), (int)(info->width / shrink));
    if (info->task == SPUR_SEGMENTATION && shrink > 1)
        spur__str_puts(out, "# to keep small things, cut the pictures into tiles instead of size:\n"
                            "# tile = 256\n# overlap = 32\n");
}

static bool is_uneven(const spur_data_info *info) {
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < info->classes; i++) {
        uint64_t n = info->class_counts ? info->class_counts[i] : 0;
        low = n < low ? n : low;
        high = n > high ? n : high;
    }
    return info->classes > 1 && high > 3 * (low + 1);
}

/* Sounds are not turned round in time, nor are digits mirrored. */
static void put_augment(const finding *f, spur__str *out) {
    bool sounds = strcmp(f->format, "audio_folder") == 0;
    bool mirrors = !sounds && strcmp(f->format, "mnist") != 0;
    if (strcmp(f->format, "csv") == 0) return;
    spur__str_puts(out, "[augment]\n# what may change without changing the answer\n");
    spur__str_puts(out, mirrors ? "horizontal_flip = 0.5\n" : "");
    spur__str_puts(out, sounds ? "# erasing = 0.25\n# mixup = 0.2\n\n"
                               : "# rotation = 10\n# color_jitter = 0.2, 0.2, 0.2, 0.05\n\n");
}

/* At least eight batches an epoch, where there are samples enough. */
static int batch_size(const spur_data_info *info) {
    int most = info->task == SPUR_SEGMENTATION ? 4 : 64, size = 4;
    while (2 * size <= most && (size_t)size * 16 <= info->samples[SPUR_SPLIT_TRAIN]) size *= 2;
    return size;
}

static void put_rest(const finding *f, const spur_data_info *info, spur__str *out) {
    bool masks = info->task == SPUR_SEGMENTATION, table = info->height * info->width <= 1;
    bool small = info->height <= 96;
    spur__str_printf(out, "batch_size = %d\n\n", batch_size(info));
    put_augment(f, out);
    if (is_uneven(info))
        spur__str_puts(out, "[balance]\n# the classes differ much in size: none, class_weights or "
                            "weighted_sampler\nmethod = class_weights\n\n");
    spur__str_printf(out,
                     "[model]\n# `spur help model` lists them, `spur summary` shows the layers\n"
                     "name = %s\n\n",
                     masks   ? "unet"
                     : table ? "mlp"
                     : small ? "my_net"
                             : "resnet18");
    spur__str_printf(out, "[loss]\nname = %s\n\n",
                     info->task == SPUR_REGRESSION ? "mse" : "cross_entropy");
    spur__str_puts(out, "[optimizer]\n# `spur lr-find` suggests a rate\nname = adam\nlr = 0.001\n\n"
                        "[scheduler]\nname = cosine\n\n"
                        "[train]\nepochs = 10\n"
                        "# stop when the monitor has not improved for so many epochs; 0: never\n"
                        "early_stopping = 0\n");
}

static spur_status write_file(const finding *f, const char *path, spur_error *err) {
    const spur_data_info *info = spur_data_describe(f->data);
    spur__str text;
    spur__str_init(&text, 1 << 20);
    spur__str_printf(&text,
                     "# Made by `spur init` after a look at %s.\n"
                     "# Train: spur train %s      Every option: spur help SECTION\n\n"
                     "[run]\nseed = 1\n\n",
                     f->folder, path);
    put_data(f, info, &text);
    put_size(f, info, &text);
    put_rest(f, info, &text);
    spur_status status = text_write(path, &text, err);
    spur__str_free(&text);
    return status;
}

static int run_init(int argc, char **argv) {
    const char *path = "train.ini";
    const flag table[] = {{.name = "output", .letter = 'o', .text = &path},
                          {.name = "out", .text = &path}}; /* as it was called first */
    int words;
    spur_error err = {.status = SPUR_OK};
    int status = arguments_parse(&command_init, argc, argv, table, 2, &words);
    if (status != EXIT_DONE) return status;
    if (words != 1) return command_misuse(&command_init, "expected one folder");
    if (spur__exists(path)) {
        spur__fail(&err, SPUR_E_EXISTS, "%s: exists already", path);
        return command_refuse(&command_init, &err);
    }
    finding f = {.folder = argv[1]};
    spur__str_init(&f.colors, 1 << 12);
    if (look(&f, &err) != SPUR_OK)
        status = command_refuse(&command_init, &err);
    else if (write_file(&f, path, &err) != SPUR_OK)
        status = command_give_up(&command_init, &err);
    else
        printf("%s%s: %s data; next: spur train %s\n", f.data->notes ? f.data->notes : "", path,
               f.format, path);
    spur_data_close(f.data);
    spur__str_free(&f.colors);
    return status;
}
