/* SPDX-License-Identifier: MIT
 *
 * spur onnx RUN: the network of a run, with its weights, as an ONNX model.
 */
#include <spur/weights.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "engine_commands/predictor.h"
#include "engine_commands/setup.h"
#include "sweep/catalog.h"

static int run_onnx(int argc, char **argv);

extern const command command_onnx;
const command command_onnx = {
    .name = "onnx",
    .usage = "RUN [-o FILE] [--weights best|last] [--raw]",
    .summary = "Write a run's network, with its weights, as an ONNX model.",
    .help = "  -o, --output FILE\n"
            "                   where to write (default: RUN/model.onnx)\n"
            "  --weights NAME   best (default) or last\n"
            "  --raw            the model takes pixels from 0 to 255, or the numbers of a\n"
            "                   table's columns, and normalises them itself. Without, it\n"
            "                   takes them as (x - mean) / std, where x is a pixel / 255\n"
            "                   or a number\n\n"
            "The input is [batch][channels][height][width], pictures in the order red, green,\n"
            "blue; of a table [batch][columns][1][1]. The output is the network's: logits\n"
            "[batch][classes], of masks [batch][classes][height][width], or the numbers of a\n"
            "regression; a loss of one output has the logit of class 1 alone. The model's\n"
            "metadata tell task, classes (a line each), mean and std.",
    .run = run_onnx,
};

/* What the model says of its data: keys and values, with the texts behind the values. */
typedef struct notes {
    spur__str classes, mean, std;
    const char *pairs[9];
} notes;

static void put_numbers(spur__str *out, const float *values, int n) {
    for (int i = 0; values && i < n; i++) {
        if (i) spur__str_putc(out, ' ');
        spur__str_double(out, (double)values[i]);
    }
}

static spur_status notes_make(notes *n, const spur_data_info *info, spur_error *err) {
    static const char *const tasks[] = {"classification", "segmentation", "regression"};
    enum { LONGEST = 1 << 24 };
    spur__str_init(&n->classes, LONGEST);
    spur__str_init(&n->mean, LONGEST);
    spur__str_init(&n->std, LONGEST);
    for (size_t i = 0; i < info->classes; i++)
        spur__str_printf(&n->classes, "%s%s", i ? "\n" : "", info->class_names[i]);
    put_numbers(&n->mean, info->mean, info->channels);
    put_numbers(&n->std, info->std, info->channels);
    const spur__str *texts[] = {&n->classes, &n->mean, &n->std};
    static const char *const keys[] = {"classes", "mean", "std"};
    int used = 0;
    n->pairs[used++] = "task";
    n->pairs[used++] = tasks[info->task];
    for (int i = 0; i < 3; i++) {
        if (spur__str_status(texts[i]) != SPUR_OK)
            return spur__fail(err, SPUR_E_MEMORY, "out of memory");
        if (texts[i]->length == 0) continue;
        n->pairs[used++] = keys[i];
        n->pairs[used++] = spur__str_text(texts[i]);
    }
    n->pairs[used] = NULL;
    return SPUR_OK;
}

static void notes_free(notes *n) {
    spur__str_free(&n->classes);
    spur__str_free(&n->mean);
    spur__str_free(&n->std);
}

/* What the data's values are multiples of. */
static double unit_of(const predictor *p) {
    const char *format = p->cfg.parts[SECTION_DATA].kind->name;
    bool pictures = strcmp(format, "csv") != 0 && strcmp(format, "audio_folder") != 0 &&
                    strcmp(format, "tones") != 0;
    return pictures ? 1.0 / 255 : 1.0;
}

/* (x * unit - mean) / std as x * scale + shift, which the caller frees by *scale. */
static spur_status normalization(const predictor *p, float **scale, float **shift,
                                 spur_error *err) {
    const spur_data_info *info = &p->card.info;
    int n = info->channels;
    *scale = spur__malloc_array(2 * (size_t)n, sizeof **scale);
    if (!*scale) return spur__fail(err, SPUR_E_MEMORY, "out of memory");
    *shift = *scale + n;
    for (int i = 0; i < n; i++) {
        double mean = info->mean ? (double)info->mean[i] : 0;
        double std = info->std ? (double)info->std[i] : 1;
        (*scale)[i] = (float)(unit_of(p) / std);
        (*shift)[i] = (float)(-mean / std);
    }
    return SPUR_OK;
}

typedef struct request {
    const char *run, *which, *output;
    bool raw;
} request;

static spur_status save(const request *r, predictor *p, const char *path, spur_error *err) {
    notes n;
    float *scale = NULL, *shift = NULL;
    spur_status status = notes_make(&n, &p->card.info, err);
    if (status == SPUR_OK && r->raw) status = normalization(p, &scale, &shift, err);
    if (status == SPUR_OK) {
        spur_onnx_options o = {
            .name = p->net.model->kind.name, .metadata = n.pairs, .scale = scale, .shift = shift};
        status = spur_onnx_save(p->net.net, &p->net.output, 1, &o, path, err);
    }
    spur__free(scale);
    notes_free(&n);
    return status;
}

static int export_run(const request *r) {
    predictor p;
    spur_error err = {.status = SPUR_OK};
    const overrides none = {.count = 0};
    char *standard = r->output ? NULL : spur__path_join(r->run, "model.onnx");
    const char *path = r->output ? r->output : standard;
    if (!path) return EXIT_FAILED;
    int status = EXIT_DONE;
    if (predictor_open(&p, r->run, r->which, &none, &err) != SPUR_OK) {
        status = command_refuse(&command_onnx, &err);
    } else {
        if (save(r, &p, path, &err) == SPUR_OK) {
            printf("%s: %s, %d x %d x %d\n", path, p.net.model->kind.name, p.card.info.channels,
                   p.card.info.height, p.card.info.width);
        } else {
            status = command_fail(&command_onnx, &err);
        }
        predictor_close(&p);
    }
    spur__free(standard);
    return status;
}

static int run_onnx(int argc, char **argv) {
    request r = {.which = "best"};
    const flag table[] = {{.name = "output", .letter = 'o', .text = &r.output},
                          {.name = "weights", .text = &r.which},
                          {.name = "raw", .on = &r.raw}};
    spur_error err = {.status = SPUR_OK};
    int words;
    int status = arguments_parse(&command_onnx, argc, argv, table, 3, &words);
    if (status != EXIT_DONE) return status;
    if (words != 1) return command_misuse(&command_onnx, "expected a run, found %d words", words);
    if (strcmp(r.which, "best") != 0 && strcmp(r.which, "last") != 0)
        return command_misuse(&command_onnx, "--weights: found '%s', expected best or last",
                              r.which);
    if (run_require(argv[1], "config.ini", &err) != SPUR_OK)
        return command_refuse(&command_onnx, &err);
    r.run = argv[1];
    return export_run(&r);
}
