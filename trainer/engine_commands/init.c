/* SPDX-License-Identifier: MIT
 *
 * spur init FOLDER: looks at a folder of data and writes a commented INI file to start from.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <spur/data.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "engine_commands/setup.h"

static int run_init(int argc, char **argv);

extern const command command_init;
const command command_init = {
    .name = "init",
    .usage = "FOLDER [--out FILE.ini]",
    .summary = "Write a commented INI file for a folder of data, after a look at it.",
    .help =
        "  --out FILE   where to write (default: train.ini); an existing file is not replaced\n\n"
        "Knows folders of pictures by class, images/ with masks/, MNIST and CIFAR-10 files,\n"
        "tables (FILE.csv) and sounds by class.",
    .run = run_init,
};

typedef struct finding {
    const char *folder;
    const char *format;
    const char *extra[3][2]; /* further options of [data] that were needed */
    size_t extras;
    spur_data *data; /* opened without checking every file */
} finding;

static bool has(const char *folder, const char *name) {
    char *path = spur__path_join(folder, name);
    bool there = path && spur__exists(path);
    spur__free(path);
    return there;
}

/* Any file below the folder (two levels of folders deep) with this in its name. */
static bool contains(const char *folder, const char *part, int depth) {
    DIR *dir = opendir(folder);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        found = strstr(entry->d_name, part) != NULL;
        char *path = depth > 0 && !found ? spur__path_join(folder, entry->d_name) : NULL;
        if (path) found = contains(path, part, depth - 1);
        spur__free(path);
    }
    if (dir) closedir(dir);
    return found;
}

static const char *guess_format(const char *folder) {
    if (strstr(folder, ".csv")) return "csv";
    if (contains(folder, "idx3-ubyte", 0)) return "mnist";
    if (contains(folder, "data_batch", 1)) return "cifar10";
    if (has(folder, "masks") || has(folder, "train/masks")) return "segmentation";
    if (contains(folder, ".wav", 2)) return "audio_folder";
    return "image_folder";
}

static spur_status try_open(finding *f, spur_error *err) {
    const char *options[16] = {"path", f->folder};
    size_t n = 2;
    if (strcmp(f->format, "csv") != 0) {
        options[n++] = "verify";
        options[n++] = strcmp(f->format, "segmentation") == 0 ? "full" : "header";
        options[n++] = "normalization";
        options[n++] = "none";
    }
    for (size_t i = 0; i < f->extras; i++) {
        options[n++] = f->extra[i][0];
        options[n++] = f->extra[i][1];
    }
    options[n] = NULL;
    return spur_data_open(&f->data, f->format, options, err);
}

/* Opens the data; masks of 0 and 255 are what most folders have that are no class indices. */
static spur_status look(finding *f, spur_error *err) {
    f->format = guess_format(f->folder);
    spur_status status = try_open(f, err);
    if (status == SPUR_OK || strcmp(f->format, "segmentation") != 0) return status;
    spur_error second;
    f->extra[f->extras][0] = "masks";
    f->extra[f->extras++][1] = "binary";
    return try_open(f, &second) == SPUR_OK ? SPUR_OK : status;
}

static void put_data(const finding *f, const spur_data_info *info, spur__str *out) {
    spur__str_printf(out,
                     "[data]\nformat = %s\npath = %s\n"
                     "# found: %zu training, %zu validation, %zu test samples",
                     f->format, f->folder, info->samples[SPUR_SPLIT_TRAIN],
                     info->samples[SPUR_SPLIT_VALIDATION], info->samples[SPUR_SPLIT_TEST]);
    if (info->height * info->width > 1)
        spur__str_printf(out, " of %dx%d, %d channels", info->height, info->width, info->channels);
    if (info->classes) spur__str_printf(out, "; %zu classes:", info->classes);
    for (size_t i = 0; i < info->classes && i < 12; i++)
        spur__str_printf(out, " %s", info->class_names[i]);
    spur__str_puts(out, info->classes > 12 ? " ...\n" : "\n");
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

static void put_rest(const spur_data_info *info, spur__str *out) {
    bool masks = info->task == SPUR_SEGMENTATION, table = info->height * info->width <= 1;
    bool small = info->height <= 96;
    spur__str_printf(out, "batch_size = %d\n\n", masks ? 4 : 64);
    if (!table)
        spur__str_puts(out, "[augment]\n# what may change without changing the answer\n"
                            "horizontal_flip = 0.5\n# rotation = 10\n"
                            "# color_jitter = 0.2, 0.2, 0.2, 0.05\n\n");
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
    put_rest(info, &text);
    spur_status status = spur__str_status(&text);
    if (status == SPUR_OK) status = spur__file_write(path, spur__str_text(&text), text.length, err);
    spur__str_free(&text);
    return status;
}

static int run_init(int argc, char **argv) {
    const char *path = "train.ini";
    const flag table[] = {{.name = "out", .letter = 'o', .text = &path}};
    int words;
    spur_error err = {.status = SPUR_OK};
    int status = arguments_parse(&command_init, argc, argv, table, 1, &words);
    if (status != EXIT_DONE) return status;
    if (words != 1) return command_misuse(&command_init, "expected one folder");
    if (spur__exists(path)) {
        spur__fail(&err, SPUR_E_EXISTS, "%s: exists already", path);
        return command_refuse(&command_init, &err);
    }
    finding f = {.folder = argv[1]};
    if (look(&f, &err) != SPUR_OK) return command_refuse(&command_init, &err);
    if (write_file(&f, path, &err) != SPUR_OK)
        status = command_refuse(&command_init, &err);
    else
        printf("%s: %s data; next: spur train %s\n", path, f.format, path);
    spur_data_close(f.data);
    return status;
}
