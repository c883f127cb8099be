/* SPDX-License-Identifier: MIT
 *
 * Histograms of weights and gradients. Tags are the parameters' names with '/' for '.', so that
 * TensorBoard groups them by layer: conv1/weight/histogram, conv1/weight/gradient.
 */
#include <stdio.h>

#include "train/session.h"

static void make_tag(const char *name, const char *kind, char *tag, size_t size) {
    snprintf(tag, size, "%s/%s", name, kind);
    for (char *p = tag; *p; p++)
        if (*p == '.') *p = '/';
}

void session_log_histograms(session *s, bool gradients) {
    spur_writer *log = s->run_log.writers[RUN_LOG_TRAIN];
    char tag[512];
    for (int i = 0; i < spur_net_param_count(s->net.net); i++) {
        const spur_param *p = spur_net_param(s->net.net, i);
        make_tag(p->name, "histogram", tag, sizeof tag);
        spur_log_histogram(log, tag, s->at.step, spur_log_floats(p->value, p->count), NULL);
        if (!gradients || !p->gradient || !p->trainable) continue;
        make_tag(p->name, "gradient", tag, sizeof tag);
        spur_log_histogram(log, tag, s->at.step, spur_log_floats(p->gradient, p->count), NULL);
    }
}
