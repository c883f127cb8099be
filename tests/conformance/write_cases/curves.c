/* SPDX-License-Identifier: MIT
 *
 * Precision-recall curves from labels and scores, weighted, and ready counts; the layout of the
 * Custom Scalars tab.
 */
#include "cases.h"

enum { SAMPLES = 500 };

static void put(spur_writer *writer, const char *tag, int step, const spur_log_predictions *p,
                int thresholds) {
    OK(spur_log_pr_curve(writer, tag, step, p,
                         &(spur_log_pr_curve_options){
                             .thresholds = thresholds,
                             .log = {.wall_time = CASE_TIME(step), .description = "a *curve*"}}));
}

void case_pr_curves(const char *root) {
    spur_writer *writer = case_open(root, "pr_curves");
    case_random random = {7};
    unsigned char labels[SAMPLES];
    float scores[SAMPLES], weights[SAMPLES];
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < SAMPLES; i++) {
            scores[i] = (float)case_next(&random);
            labels[i] = case_next(&random) < (double)scores[i];
            weights[i] = (float)(i % 4);
        }
        const spur_log_predictions plain = {labels, scores, NULL, SAMPLES};
        const spur_log_predictions weighted = {labels, scores, weights, SAMPLES};
        put(writer, "default", step, &plain, 0);
        put(writer, "eleven", step, &plain, 11);
        put(writer, "weighted", step, &weighted, 21);
    }
    const unsigned char edge_labels[] = {0, 1, 1};
    const float edge_scores[] = {0.0f, 1.0f, 0.5f};
    put(writer, "edges", 0, &(spur_log_predictions){edge_labels, edge_scores, NULL, 3}, 5);
    const double tp[] = {3, 2, 1}, fp[] = {2, 1, 0}, tn[] = {0, 1, 2}, fn[] = {0, 1, 2};
    OK(spur_log_pr_curve_raw(writer, "raw", 0, &(spur_log_pr_counts){3, tp, fp, tn, fn, NULL, NULL},
                             AT(0)));
    case_close(writer);
}

void case_layout(const char *root) {
    spur_writer *writer = case_open(root, "layout");
    const char *losses[] = {"loss/.*"}, *two[] = {"loss/a", "accuracy"};
    const spur_log_margin margin = {"accuracy", "accuracy_low", "accuracy_high"};
    const spur_log_chart first[] = {{.title = "losses", .tags = losses, .tag_count = 1},
                                    {.title = "both", .tags = two, .tag_count = 2}};
    const spur_log_chart second[] = {{.title = "margin", .margins = &margin, .margin_count = 1}};
    const spur_log_category categories[] = {{.title = "lines", .charts = first, .chart_count = 2},
                                            {.title = "bands", .charts = second, .chart_count = 1}};
    OK(spur_log_layout(writer, categories, 2, AT(0)));
    for (int i = 0; i < 20; i++) {
        OK(spur_log_scalar_with(writer, "loss/a", i, 10.0 - 0.5 * i, AT(i)));
        OK(spur_log_scalar_with(writer, "loss/b", i, 8.0 - 0.25 * i, AT(i)));
        OK(spur_log_scalar_with(writer, "accuracy", i, 0.5 + i / 64.0, AT(i)));
        OK(spur_log_scalar_with(writer, "accuracy_low", i, 0.25 + i / 64.0, AT(i)));
        OK(spur_log_scalar_with(writer, "accuracy_high", i, 0.625 + i / 64.0, AT(i)));
    }
    case_close(writer);
}
