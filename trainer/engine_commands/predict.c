/* SPDX-License-Identifier: MIT
 *
 * spur predict RUN FILES: labels, masks, overlays and a table for pictures; labels or numbers for sounds and the rows
 * of tables.
 */
#include "engine_commands/predictor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/formats/folder.h"
#include "engine_commands/setup.h"
#include "output/text.h"
#include "plot/charts.h"
#include "sweep/catalog.h"

static int run_predict(int argc, char **argv);

extern const command command_predict;
const command command_predict = {
    .name = "predict",
    .computes = true,
    .usage = "RUN FILE|FOLDER ... [section.key=value ...] [-o DIR]\n"
             "                  [--weights best|last] [--overlap N] [--json]",
    .summary = "Labels, masks or numbers for pictures, sounds and tables; a CSV.",
    .help = "  -o, --output DIR\n"
            "                   where to write (default: RUN/predictions)\n"
            "  --weights NAME   best (default) or last\n"
            "  --overlap N      masks: go over each picture in tiles of the network's size\n"
            "                   that overlap by N pixels and are blended, instead of\n"
            "                   resizing it; a run trained on tiles (data.tile) does so by\n"
            "                   itself, by data.overlap\n"
            "  --json           one JSON object per answer on the standard output;\n"
            "                   values and shares are in the order of the columns of\n"
            "                   predictions.csv\n\n"
            "A run on pictures takes JPEG and PNG files, one on sounds WAV files, one on\n"
            "tables CSV files, and of a folder those directly in it. Of a table the columns\n"
            "with the names of the training's features are taken, or without names all of\n"
            "them in order; the target may be there or not. Each row has an answer.\n"
            "Of pictures with the same name the later ones' masks get a number:\n"
            "name-2_mask.png. A file that cannot be read is told and left out; the exit\n"
            "status is then 1, and 2 when none could be read. run.threads=4 and the like\n"
            "change how it is done.",
    .run = run_predict,
};

typedef struct job {
    predictor model;
    const spur__dataset_kind *kind; /* of the run's data */
    const char *out;
    char *table; /* the path of csv, which is NULL before the first answer */
    FILE *csv;
    bool json;
    size_t done, damaged;
    spur__bytes bytes;
    spur__image image, mask;
    spur__names stems; /* of the masks written so far */
} job;

static bool is_taken(const job *j, const char *stem) {
    for (size_t i = 0; i < j->stems.count; i++)
        if (strcmp(j->stems.names[i], stem) == 0) return true;
    return false;
}

/* The picture's name without its ending is what its mask is called, with a number if that is taken:
 * a.jpg and a.png have two masks, and so have x/a.png and y/a.png. It stands last in j->stems. */
static spur_status choose_stem(job *j, const char *path, spur_error *err) {
    char stem[512];
    const char *base = spur__path_name(path), *dot = strrchr(base, '.');
    int length = (int)(dot && dot != base ? (size_t)(dot - base) : strlen(base));
    length = length < 400 ? length : 400;
    snprintf(stem, sizeof stem, "%.*s", length, base);
    for (int number = 2; is_taken(j, stem); number++)
        snprintf(stem, sizeof stem, "%.*s-%d", length, base, number);
    return spur__names_take(&j->stems, spur__strdup(stem), err);
}

/* "DIR/stem" + suffix + ".png", new memory. */
static char *picture_path(const job *j, const char *suffix) {
    char name[600];
    snprintf(name, sizeof name, "%s%s.png", j->stems.names[j->stems.count - 1], suffix);
    return spur__path_join(j->out, name);
}

static spur_status write_picture(const job *j, const char *suffix, const spur__image *image,
                                 spur_error *err) {
    char *path = picture_path(j, suffix);
    if (!path) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = spur__image_write_png(path, image, err);
    spur__free(path);
    return status;
}

static spur_status write_overlay(job *j, spur_error *err) {
    size_t pixels = (size_t)j->mask.height * (size_t)j->mask.width;
    int32_t *classes = spur__malloc_array(pixels, sizeof *classes);
    if (!classes) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (size_t i = 0; i < pixels; i++) classes[i] = j->mask.data[i];
    spur_status status = spur__image_convert(&j->image, 3, err);
    if (status == SPUR_OK) {
        plot_overlay(j->image.data, classes, pixels, 0.55, -1, j->model.card.info.classes == 2,
                     j->image.data);
        status = write_picture(j, "_overlay", &j->image, err);
    }
    spur__free(classes);
    return status;
}

static void put_field(FILE *out, const char *text) {
    spur__str field;
    spur__str_init(&field, 1 << 16);
    text_csv(&field, text, strlen(text));
    fputs(spur__str_text(&field), out);
    spur__str_free(&field);
}

static void put_json_text(const char *key, const char *value) {
    spur__str text;
    spur__str_init(&text, 1 << 16);
    spur__str_json(&text, value);
    printf("%s%s", key, spur__str_text(&text));
    spur__str_free(&text);
}

static spur_status do_mask(job *j, const char *path, spur_error *err) {
    const spur_data_info *info = &j->model.card.info;
    SPUR__TRY(predict_mask(&j->model, &j->image, &j->mask, err));
    SPUR__TRY(choose_stem(j, path, err));
    SPUR__TRY(write_picture(j, "_mask", &j->mask, err));
    uint64_t counts[256] = {0};
    size_t pixels = (size_t)j->mask.height * (size_t)j->mask.width;
    for (size_t i = 0; i < pixels; i++) counts[j->mask.data[i]]++;
    put_field(j->csv, path);
    if (j->json) {
        char *mask = picture_path(j, "_mask");
        put_json_text("{\"file\":", path);
        put_json_text(",\"mask\":", mask ? mask : "");
        spur__free(mask);
    }
    for (size_t k = 0; k < info->classes; k++) {
        double share = (double)counts[k] / (double)pixels;
        fprintf(j->csv, ",%.6f", share);
        if (j->json) printf("%s%.6f", k ? "," : ",\"shares\":[", share);
    }
    fputc('\n', j->csv);
    if (j->json) printf("]}\n");
    return write_overlay(j, err);
}

/* The answer for a file, or for one of its rows (from 0). */
static void put_values(const job *j, const char *path, uint32_t row, const float *values) {
    const spur_data_info *info = &j->model.card.info;
    size_t n = predictor_outputs(&j->model), best = 0;
    for (size_t k = 1; k < n; k++) best = values[k] > values[best] ? k : best;
    put_field(j->csv, path);
    if (j->json) put_json_text("{\"file\":", path);
    if (j->kind->many) {
        fprintf(j->csv, ",%u", row + 1);
        if (j->json) printf(",\"row\":%u", row + 1);
    }
    if (info->task == SPUR_CLASSIFICATION) {
        fputc(',', j->csv);
        put_field(j->csv, info->class_names[best]);
        if (j->json) put_json_text(",\"label\":", info->class_names[best]);
    }
    for (size_t k = 0; k < n; k++) {
        fprintf(j->csv, ",%.6g", (double)values[k]);
        if (j->json) printf("%s%.6g", k ? "," : ",\"values\":[", (double)values[k]);
    }
    fputc('\n', j->csv);
    if (j->json) printf("]}\n");
}

static spur_status do_classes(job *j, const char *path, spur_error *err) {
    float *values = spur__malloc_array(predictor_outputs(&j->model), sizeof *values);
    if (!values) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur_status status = predict_classes(&j->model, &j->image, values, err);
    if (status == SPUR_OK) put_values(j, path, 0, values);
    spur__free(values);
    return status;
}

static void put_header(const job *j) {
    const spur_data_info *info = &j->model.card.info;
    fputs(j->kind->many ? "file,row" : "file", j->csv);
    if (info->task == SPUR_CLASSIFICATION) fputs(",label", j->csv);
    for (size_t k = 0; k < info->classes; k++) {
        fputc(',', j->csv);
        put_field(j->csv, info->class_names[k]);
    }
    for (size_t k = 0; k < info->targets; k++) fprintf(j->csv, ",value_%zu", k);
    fputc('\n', j->csv);
}

/* At the first answer: where there is none, an earlier table stays. */
static spur_status open_table(job *j, spur_error *err) {
    SPUR__TRY(spur__mkdirs(j->out, err));
    j->csv = fopen(j->table, "w");
    if (!j->csv) return spur__fail_errno(err, errno, "%s: cannot create", j->table);
    put_header(j);
    return SPUR_OK;
}

/* Of a file that cannot be read; anything else ends the command. */
static spur_status leave_out(job *j, const spur_error *why, spur_error *err) {
    if (why->status == SPUR_E_MEMORY || why->status == SPUR_E_STATE) {
        *err = *why;
        return err->status;
    }
    text_complain("predict: %s", why->message);
    j->damaged++;
    return SPUR_OK;
}

static spur_status do_items(job *j, const spur_data *data, const char *path, float *values,
                            spur_error *err) {
    spur_error why = {.status = SPUR_OK};
    for (uint32_t i = 0; i < data->item_count; i++) {
        if (predict_item(&j->model, data, i, values, &why) != SPUR_OK)
            return leave_out(j, &why, err);
        if (!j->csv) SPUR__TRY(open_table(j, err));
        put_values(j, path, i, values);
        j->done++;
    }
    return SPUR_OK;
}

/* A sound, or a table of rows. */
static spur_status do_data(job *j, const char *path, spur_error *err) {
    const void *options = j->model.cfg.parts[SECTION_DATA].options;
    spur_error why = {.status = SPUR_OK};
    spur_data *data;
    if (spur__data_open_file(&data, j->kind, options, &j->model.card.info, path, &why) != SPUR_OK)
        return leave_out(j, &why, err);
    float *values = spur__malloc_array(predictor_outputs(&j->model), sizeof *values);
    spur_status status = values ? do_items(j, data, path, values, err)
                                : spur__fail(err, SPUR_E_MEMORY, "out of memory");
    spur__free(values);
    spur_data_close(data);
    return status;
}

static spur_status do_picture(job *j, const char *path, spur_error *err) {
    spur_error why = {.status = SPUR_OK};
    if (spur__image_read(path, SPUR__DECODE_PICTURE, &j->bytes, &j->image, &why) != SPUR_OK)
        return leave_out(j, &why, err);
    if (!j->csv) SPUR__TRY(open_table(j, err));
    j->done++;
    return j->model.card.info.task == SPUR_SEGMENTATION ? do_mask(j, path, err)
                                                        : do_classes(j, path, err);
}

static spur_status do_file(job *j, const char *path, spur_error *err) {
    return j->kind->open_file ? do_data(j, path, err) : do_picture(j, path, err);
}

static spur_status do_folder(job *j, const char *path, spur_error *err) {
    spur__names names = {0};
    size_t others = 0;
    bool pictures = !j->kind->open_file;
    SPUR__TRY(spur__list_files(path, pictures ? spur__picture_endings : j->kind->endings, &names,
                               &others, err));
    spur_status status = SPUR_OK;
    if (names.count == 0)
        status = spur__no_files(path, pictures ? "JPEG or PNG files" : j->kind->files, others, err);
    else if (others > 0)
        text_complain("predict: %s: left out %zu file%s with other endings", path, others,
                      others == 1 ? "" : "s");
    for (size_t i = 0; status == SPUR_OK && i < names.count; i++) {
        char *file = spur__path_join(path, names.names[i]);
        status = file ? do_file(j, file, err) : spur__fail(err, SPUR_E_MEMORY, "out of memory");
        spur__free(file);
    }
    spur__names_free(&names);
    return status;
}

static spur_status do_all(job *j, char **paths, int count, spur_error *err) {
    spur_status status = SPUR_OK;
    j->table = spur__path_join(j->out, "predictions.csv");
    if (!j->table) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    for (int i = 0; status == SPUR_OK && i < count; i++) {
        status =
            spur__is_folder(paths[i]) ? do_folder(j, paths[i], err) : do_file(j, paths[i], err);
    }
    bool written = j->csv && !ferror(j->csv);
    if (j->csv && (fclose(j->csv) != 0 || !written) && status == SPUR_OK)
        status = spur__fail_errno(err, errno, "%s: cannot write", j->table);
    spur__free(j->table);
    return status;
}

/* An option of [data] that holds a whole number; 0 where the format has none of that name. */
static int data_number(const config *cfg, const char *name) {
    const config_part *part = &cfg->parts[SECTION_DATA];
    const spur__option *row = spur__options_find(part->kind->options, name);
    int64_t value = 0;
    if (row) memcpy(&value, (const char *)part->options + row->offset, sizeof value);
    return (int)value;
}

/* A network of other inputs would answer, too: nonsense. */
static spur_status check_inputs(job *j, const char *run, spur_error *err) {
    j->kind = (const spur__dataset_kind *)j->model.cfg.parts[SECTION_DATA].kind;
    if (!j->kind->inputs || j->kind->open_file) return SPUR_OK;
    return spur__fail(err, SPUR_E_UNSUPPORTED,
                      "%s: a run on %s (data.format = %s), expected one on pictures, or on files "
                      "of sounds or tables",
                      run, j->kind->inputs, j->kind->kind.name);
}

/* Tiles as in training, or of the network's size; overlapping by --overlap, or as in training. */
static spur_status choose_tiles(predictor *p, const char *overlap, spur_error *err) {
    int tile = data_number(&p->cfg, "tile");
    long long value = data_number(&p->cfg, "overlap");
    sliding_window *s = &p->window;
    p->tiles = tile > 0;
    p->slide = overlap || p->tiles;
    if (overlap && p->card.info.task != SPUR_SEGMENTATION)
        return spur__fail(err, SPUR_E_ARGUMENT, "--overlap: for runs on masks");
    if (overlap && (!spur__parse_int(overlap, &value) || value < 0))
        return spur__fail(err, SPUR_E_RANGE, "--overlap: found '%s', expected pixels", overlap);
    *s = (sliding_window){.net = &p->net,
                          .info = &p->card.info,
                          .tile_height = p->tiles ? tile : p->card.info.height,
                          .tile_width = p->tiles ? tile : p->card.info.width};
    if (value >= s->tile_height || value >= s->tile_width)
        return spur__fail(err, SPUR_E_RANGE, "an overlap of %lld pixels, but tiles of %dx%d", value,
                          s->tile_height, s->tile_width);
    s->overlap = (int)value;
    return SPUR_OK;
}

/* What is told at the end, and the exit status. */
static int conclude(const job *j) {
    size_t all = j->done + j->damaged;
    const char *one = j->kind->many ? "row" : j->kind->inputs ? "sound" : "picture";
    if (!j->json && j->done)
        printf("%zu %s%s; answers in %s\n", j->done, one, j->done == 1 ? "" : "s", j->out);
    if (j->damaged == 0) return EXIT_DONE;
    if (j->kind->many)
        text_complain("predict: %zu table%s could not be read", j->damaged,
                      j->damaged == 1 ? "" : "s");
    else
        text_complain("predict: %zu of %zu %s%s could not be read", j->damaged, all, one,
                      all == 1 ? "" : "s");
    return j->done ? EXIT_FAILED : EXIT_USAGE;
}

/* What the command line asks for. */
typedef struct request {
    const char *run, *which, *overlap;
    overrides given;
} request;

/* "section.key=value", unless there is a file of that name. */
static bool is_override(const char *word) {
    const char *dot = strchr(word, '.'), *equals = strchr(word, '=');
    return dot && equals && dot < equals && !spur__exists(word);
}

/* Takes the overrides out of the words; how many pictures and folders are left, -1 if there are too many
 * overrides. */
static int take_overrides(request *r, char **words, int count) {
    int left = 0;
    for (int i = 0; i < count; i++) {
        char *equals = strchr(words[i], '=');
        if (!is_override(words[i])) {
            words[left++] = words[i];
            continue;
        }
        *equals = '\0';
        if (!overrides_add(&r->given, words[i], equals + 1)) return -1;
    }
    return left;
}

static int predict(const request *r, char **paths, int count, job *j) {
    spur_error err = {.status = SPUR_OK};
    char *folder = j->out ? NULL : spur__path_join(r->run, "predictions");
    if (!j->out) j->out = folder;
    if (predictor_open(&j->model, r->run, r->which, &r->given, &err) != SPUR_OK) {
        spur__free(folder);
        return command_refuse(&command_predict, &err);
    }
    bool fine = check_inputs(j, r->run, &err) == SPUR_OK &&
                choose_tiles(&j->model, r->overlap, &err) == SPUR_OK &&
                do_all(j, paths, count, &err) == SPUR_OK;
    int status = fine ? conclude(j) : command_give_up(&command_predict, &err);
    predictor_close(&j->model);
    spur__bytes_free(&j->bytes);
    spur__image_free(&j->image);
    spur__image_free(&j->mask);
    spur__names_free(&j->stems);
    spur__free(folder);
    return status;
}

static int run_predict(int argc, char **argv) {
    job j = {.json = false};
    request r = {.which = "best"};
    const flag table[] = {{.name = "output", .letter = 'o', .text = &j.out},
                          {.name = "out", .text = &j.out}, /* as it was called first */
                          {.name = "weights", .text = &r.which},
                          {.name = "overlap", .text = &r.overlap},
                          {.name = "json", .on = &j.json}};
    int words;
    int status = arguments_parse(&command_predict, argc, argv, table, 5, &words);
    if (status != EXIT_DONE) return status;
    if (words < 2) return command_misuse(&command_predict, "expected a run and files");
    if (strcmp(r.which, "best") != 0 && strcmp(r.which, "last") != 0)
        return command_misuse(&command_predict, "--weights: found '%s', expected best or last",
                              r.which);
    spur_error err = {.status = SPUR_OK};
    if (run_require(argv[1], "config.ini", &err) != SPUR_OK)
        return command_refuse(&command_predict, &err);
    r.run = argv[1];
    int count = take_overrides(&r, argv + 2, words - 1);
    status = count > 0 ? predict(&r, argv + 2, count, &j)
                       : command_misuse(&command_predict,
                                        count ? "too many overrides" : "expected files");
    overrides_free(&r.given);
    return status;
}
