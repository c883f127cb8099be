/* SPDX-License-Identifier: MIT
 *
 * Scalars: a line in two runs, more points than TensorBoard keeps by default, values and steps at
 * the edges, and tags of every strange form.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cases.h"

enum { SMOOTH = 100, MANY = 2500, LONG_TAG = 10000 };

static void smooth(spur_writer *writer, double slope) {
    for (int i = 0; i < SMOOTH; i++)
        OK(spur_log_scalar_with(writer, "smooth", i, slope * i - 10.0,
                                &(spur_log_options){.wall_time = CASE_TIME(i),
                                                    .description = "the *smooth* line",
                                                    .display_name = "Smooth"}));
}

static void odd_values(spur_writer *writer) {
    const double values[] = {NAN, INFINITY, -INFINITY, -0.0, 3.4e38, 1e-45, 0.1, -1e30};
    for (int i = 0; i < 8; i++) OK(spur_log_scalar_with(writer, "odd/values", i, values[i], AT(i)));
}

static void odd_steps(spur_writer *writer) {
    const int64_t steps[] = {-3, 0, INT64_C(1) << 31, INT64_C(1) << 53};
    for (int i = 0; i < 4; i++)
        OK(spur_log_scalar_with(writer, "odd/steps", steps[i], i + 1.0, AT(i)));
}

static void odd_tags(spur_writer *writer) {
    static char long_tag[LONG_TAG + 1];
    memset(long_tag, 'x', LONG_TAG);
    memcpy(long_tag, "long/", 5);
    const char *tags[] = {"\xc3\xbcn\xc3\xaf/\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\x88",
                          "a//b",
                          "/slash/first",
                          "html <b>&amp;\"'",
                          "line\nbreak",
                          "percent%2Fencoded?x=1&y=2#z",
                          long_tag};
    for (int i = 0; i < 7; i++) OK(spur_log_scalar_with(writer, tags[i], 1, i, AT(i)));
}

void case_scalars(const char *root) {
    spur_writer *writer = case_open(root, "scalars"), *validation = NULL;
    OK(spur_writer_open_sub(&validation, writer, "validation", NULL));
    smooth(writer, 0.25);
    smooth(validation, 0.5);
    for (int i = 0; i < MANY; i++) OK(spur_log_scalar_with(writer, "many", i, i / 8.0, AT(i)));
    odd_values(writer);
    odd_steps(writer);
    odd_tags(writer);
    case_close(validation);
    case_close(writer);
}
