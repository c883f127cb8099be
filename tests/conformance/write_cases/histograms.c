/* SPDX-License-Identifier: MIT
 *
 * Histograms: a series, every element type, ready buckets, and every degenerate case.
 */
#include <float.h>
#include <math.h>

#include "cases.h"

enum { VALUES = 1000, SERIES = 5, LONG_SERIES = 60 };

static void series(spur_writer *writer) {
    case_random random = {1};
    for (int step = 0; step < SERIES; step++) {
        double values[VALUES];
        for (int i = 0; i < VALUES; i++)
            values[i] = (case_next(&random) + case_next(&random) - 1.0) * (step + 1);
        OK(spur_log_histogram(
            writer, "series", step, spur_log_doubles(values, VALUES),
            &(spur_log_histogram_options){
                .log = {.wall_time = CASE_TIME(step), .description = "sum of *two*"}}));
    }
}

/* 60 steps: more than the 51 that the Histograms tab gets. */
static void long_series(spur_writer *writer) {
    for (int step = 0; step < LONG_SERIES; step++) {
        const int32_t values[] = {step, step + 1, step + 1, step + 4};
        OK(spur_log_histogram(
            writer, "long", step, spur_log_ints(values, 4),
            &(spur_log_histogram_options){.buckets = 4, .log = {.wall_time = CASE_TIME(step)}}));
    }
}

static void one(spur_writer *writer, const char *tag, spur_log_array values, int buckets) {
    OK(spur_log_histogram(
        writer, tag, 3, values,
        &(spur_log_histogram_options){.buckets = buckets, .log = {.wall_time = CASE_TIME(3)}}));
}

static void types(spur_writer *writer) {
    const uint8_t u8[] = {0, 1, 2, 250, 255};
    const int16_t i16[] = {-32768, 0, 5, 32767};
    const int32_t i32[] = {-7, 0, 0, 0, 9};
    const int64_t i64[] = {-(INT64_C(1) << 40), 0, INT64_C(1) << 40};
    const float f32[] = {-0.5f, 0.25f, 0.25f, 1.5f, 2.5f};
    one(writer, "type/u8", (spur_log_array){u8, 5, SPUR_LOG_U8}, 5);
    one(writer, "type/i16", (spur_log_array){i16, 4, SPUR_LOG_I16}, 8);
    one(writer, "type/i32", spur_log_ints(i32, 5), 4);
    one(writer, "type/i64", (spur_log_array){i64, 3, SPUR_LOG_I64}, 4);
    one(writer, "type/f32", spur_log_floats(f32, 5), 50);
}

static void degenerate(spur_writer *writer) {
    const double constant[] = {2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5};
    const double mixed[] = {NAN, 1.0, INFINITY, 2.0, -INFINITY, 5.0};
    const double nothing[] = {NAN, NAN};
    const double huge[] = {-1e308, 0.0, 1e308};
    const double tiny[] = {0.0, DBL_TRUE_MIN, 4 * DBL_TRUE_MIN};
    const double ends[] = {-4.0, -4.0, 12.0};
    one(writer, "odd/constant", spur_log_doubles(constant, 7), 0);
    one(writer, "odd/zero", spur_log_doubles((double[]){0.0}, 1), 0);
    one(writer, "odd/empty", spur_log_doubles(NULL, 0), 0);
    one(writer, "odd/nonfinite", spur_log_doubles(mixed, 6), 4);
    one(writer, "odd/only_nan", spur_log_doubles(nothing, 2), 0);
    one(writer, "odd/one_bucket", spur_log_doubles(ends, 3), 1);
    one(writer, "odd/no_bucket", spur_log_doubles(ends, 3), -1);
    one(writer, "odd/huge", spur_log_doubles(huge, 3), 4);
    one(writer, "odd/tiny", spur_log_doubles(tiny, 3), 4);
    one(writer, "odd/gap", spur_log_doubles(ends, 3), 8);
}

static void ready(spur_writer *writer) {
    const spur_log_bucket buckets[] = {{-1.0, 0.0, 2.0}, {0.0, 0.5, 7.0}, {0.5, 4.0, 1.0}};
    const spur_log_bucket padded[] = {
        {-9.0, -1.0, 0.0}, {-1.0, 0.0, 2.0}, {0.0, 1.0, 0.0}, {1.0, 2.0, 3.0}, {2.0, 99.0, 0.0}};
    OK(spur_log_histogram_buckets(writer, "ready/plain", 3, buckets, 3, AT(3)));
    OK(spur_log_histogram_buckets(writer, "ready/empty_ends", 3, padded, 5, AT(3)));
}

void case_histograms(const char *root) {
    spur_writer *writer = case_open(root, "histograms");
    series(writer);
    long_series(writer);
    types(writer);
    degenerate(writer);
    ready(writer);
    case_close(writer);
}
