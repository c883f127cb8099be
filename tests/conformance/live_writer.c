/* SPDX-License-Identifier: MIT
 *
 * Writers that live as long as a test wants: reads commands from stdin, answers each with one line.
 *
 *     open W DIR                       W is a number from 0 to 7
 *     purge W DIR STEP                 restart in DIR, forgetting points from STEP on
 *     continue W DIR FILE LENGTH       continue from a checkpoint
 *     scalar W TAG FIRST LAST SLOPE    points FIRST..LAST with value SLOPE * step
 *     checkpoint W                     answers "ok FILE LENGTH"
 *     flush W | close W
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <spur/log.h>

enum { WRITERS = 8 };

static spur_writer *writers[WRITERS];
static char answer[2048];

static spur_status do_open(spur_writer **writer, const char *args, int kind) {
    static char directory[1024], file[256];
    spur_writer_options options = {.directory = directory, .purge = kind == 1};
    spur_error error = {0};
    int fields = sscanf(args, "%1023s", directory);
    if (kind == 1) fields += sscanf(args, "%*s %" SCNd64, &options.purge_step);
    if (kind == 2) {
        fields += sscanf(args, "%*s %255s %" SCNu64, file, &options.continue_length);
        options.continue_file = file;
    }
    if (fields != kind + 1) return SPUR_E_ARGUMENT;
    spur_status status = spur_writer_open(writer, &options, &error);
    snprintf(answer, sizeof answer, "%s", error.message);
    return status;
}

static spur_status do_scalar(spur_writer *writer, const char *args) {
    char tag[256];
    int64_t first, last;
    double slope;
    if (sscanf(args, "%255s %" SCNd64 " %" SCNd64 " %lf", tag, &first, &last, &slope) != 4)
        return SPUR_E_ARGUMENT;
    for (int64_t step = first; step <= last; step++) {
        spur_status status = spur_log_scalar(writer, tag, step, slope * (double)step);
        if (status) return status;
    }
    return SPUR_OK;
}

static spur_status do_checkpoint(spur_writer *writer) {
    spur_writer_position position;
    spur_status status = spur_writer_checkpoint(writer, &position);
    if (!status) snprintf(answer, sizeof answer, "%s %" PRIu64, position.file, position.length);
    return status;
}

static spur_status obey(const char *command, int w, const char *args) {
    if (!strcmp(command, "open")) return do_open(&writers[w], args, 0);
    if (!strcmp(command, "purge")) return do_open(&writers[w], args, 1);
    if (!strcmp(command, "continue")) return do_open(&writers[w], args, 2);
    if (!strcmp(command, "scalar")) return do_scalar(writers[w], args);
    if (!strcmp(command, "checkpoint")) return do_checkpoint(writers[w]);
    if (!strcmp(command, "flush")) return spur_writer_flush(writers[w]);
    if (!strcmp(command, "close")) return spur_writer_close(writers[w], NULL);
    return SPUR_E_ARGUMENT;
}

int main(void) {
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        char command[16];
        int w = 0, used = 0;
        spur_status status = SPUR_E_ARGUMENT;
        answer[0] = '\0';
        if (sscanf(line, "%15s %d%n", command, &w, &used) == 2 && w >= 0 && w < WRITERS)
            status = obey(command, w, line + used);
        printf("%s %s\n", status ? spur_status_name(status) : "ok", answer);
        fflush(stdout);
    }
    return 0;
}
