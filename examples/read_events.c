/* SPDX-License-Identifier: MIT
 *
 * Reads a log directory: lowest and highest value of every scalar; or follows one run.
 *
 *   read_events LOGDIR
 *   read_events RUN --follow SECONDS
 *
 * The second prints every scalar and the size of every image, and once a second what was added.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spur/events.h>

/* Prints what a run has that was not read before. */
static int read_on(spur_run *run, const char *name) {
    spur_event event;
    spur_error err;
    spur_status status;
    while ((status = spur_run_next(run, &event, &err)) == SPUR_OK) {
        for (spur_value value = {0}; spur_run_value(run, &event, &value);) {
            double number;
            spur_images images;
            const char *tag = value.info->name;
            long long step = (long long)event.step;
            if (value.kind == SPUR_KIND_SCALAR &&
                spur_value_scalar(&value, &number, &err) == SPUR_OK)
                printf("%s  %s  step %lld: %g\n", name, tag, step, number);
            if (value.kind == SPUR_KIND_IMAGE &&
                spur_value_images(&value, &images, &err) == SPUR_OK) {
                printf("%s  %s  step %lld: %zu images of %lld x %lld\n", name, tag, step,
                       images.count, (long long)images.width, (long long)images.height);
                spur_images_free(&images);
            }
        }
    }
    if (status == SPUR_E_END) return 0;
    fprintf(stderr, "%s\n", err.message);
    return 1;
}

static int follow(const char *path, const char *name, int seconds) {
    spur_run *run;
    spur_error err;
    if (spur_run_open(&run, path, &err) != SPUR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int failed = read_on(run, name);
    for (int i = 0; !failed && i < seconds; i++) {
        fflush(stdout);
        sleep(1);
        failed = read_on(run, name);
    }
    for (size_t i = 0; i < spur_run_damage_count(run); i++)
        fprintf(stderr, "%s\n", spur_run_damage(run, i)->message);
    spur_run_close(run);
    return failed;
}

static void print_best(const spur_series *series) {
    size_t lowest = 0, highest = 0;
    for (size_t i = 1; i < series->count; i++) {
        if (series->values[i] < series->values[lowest]) lowest = i;
        if (series->values[i] > series->values[highest]) highest = i;
    }
    printf("%s  %s: %zu points, lowest %g at step %lld, highest %g at step %lld\n", series->run,
           series->tag, series->count, series->values[lowest], (long long)series->steps[lowest],
           series->values[highest], (long long)series->steps[highest]);
}

int main(int argc, char **argv) {
    spur_scalars *scalars;
    spur_error err;
    if (argc == 4 && strcmp(argv[2], "--follow") == 0)
        return follow(argv[1], argv[1], (int)strtol(argv[3], NULL, 10));
    if (argc != 2) {
        fprintf(stderr, "usage: read_events LOGDIR\n       read_events RUN --follow SECONDS\n");
        return 2;
    }
    if (spur_scalars_load(&scalars, argv[1], NULL, &err) != SPUR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < spur_scalars_count(scalars); i++)
        print_best(spur_scalars_series(scalars, i));
    for (size_t i = 0; i < spur_scalars_problem_count(scalars); i++)
        fprintf(stderr, "%s\n", spur_scalars_problem(scalars, i));
    spur_scalars_destroy(scalars);
    return 0;
}
