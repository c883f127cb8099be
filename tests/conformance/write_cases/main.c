/* SPDX-License-Identifier: MIT
 *
 * write_cases ROOT EXPERIMENT SAMPLES: logs every case below ROOT, those with an experiment record
 * below EXPERIMENT; SAMPLES is a folder with sample.png, sample.jpg and sample.gif.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"

void case_check(spur_status status, const char *call, const char *file, int line) {
    if (status == SPUR_OK) return;
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, spur_status_name(status));
    exit(1);
}

spur_writer *case_open(const char *root, const char *run) {
    char directory[1024];
    snprintf(directory, sizeof directory, "%s/%s", root, run);
    spur_writer *writer = NULL;
    spur_error error = {0};
    if (spur_writer_open(&writer,
                         &(spur_writer_options){.directory = directory, .wall_time = CASE_TIME(0)},
                         &error)) {
        fprintf(stderr, "%s: %s\n", directory, error.message);
        exit(1);
    }
    return writer;
}

void case_close(spur_writer *writer) {
    spur_error error = {0};
    if (spur_writer_close(writer, &error)) {
        fprintf(stderr, "close: %s\n", error.message);
        exit(1);
    }
}

double case_next(case_random *random) {
    random->state = random->state * 1664525u + 1013904223u;
    return (double)(random->state >> 8) / 16777216.0;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: write_cases ROOT EXPERIMENT SAMPLES\n");
        return 2;
    }
    case_scalars(argv[1]);
    case_histograms(argv[1]);
    case_images(argv[1], argv[3]);
    case_audio(argv[1]);
    case_text(argv[1]);
    case_pr_curves(argv[1]);
    case_hparams(argv[1], argv[2]);
    case_graph(argv[1]);
    case_layout(argv[1]);
    case_mesh(argv[1]);
    case_projector(argv[1]);
    return 0;
}
